"""What a run found: each room's entries by all accounts, and whatever was not as it should be. Pure rules, no I/O."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from loadtests._place import Place


class Ledger:
    """Which message is where, by the account of all who sent or saw it. What was wrong is counted in `wrong`."""

    def __init__(self) -> None:
        self.wrong: Counter[str] = Counter()
        self._entries: dict[str, dict[int, str]] = {}
        self._offsets: dict[tuple[str, str], int] = {}
        self._newest: dict[str, int] = {}

    def store(self, room: str, offset: int, key: str) -> None:
        """Take note that a message was seen, or acknowledged, at an offset."""
        entries = self._entries.setdefault(room, {})
        known = entries.get(offset)
        if known == key:
            return
        if known is not None:
            self.wrong["two saw different messages at an offset"] += 1
        elif (room, key) in self._offsets:
            self.wrong["message is at two offsets"] += 1
        entries[offset] = key
        self._offsets[room, key] = offset
        self._newest[room] = max(offset, self.newest(room))

    def newest(self, room: str) -> int:
        """Return the highest offset that anybody saw, or had acknowledged."""
        return self._newest.get(room, 0)

    def is_at_the_end(self, place: Place) -> bool:
        """Tell whether a member has the newest message of its room."""
        return place.offset >= self.newest(place.room)

    def close(self, places: Iterable[Place]) -> None:
        """Count what members still lack, when there is nothing more to wait for."""
        lacking = sum(max(0, self.newest(place.room) - place.offset) for place in places)
        if lacking:
            self.wrong["message did not come by the end"] += lacking
