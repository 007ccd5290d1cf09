"""The recovery window of a room: its newest entries, in memory, so that who resumes has them without a read."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chat.wire import Published


class Window:
    """At most `size` entries, with no gap between them, the last of which is the room's newest.

    At first it is empty, and grows with what comes; as full as it can be it is only once somebody needs it (`fill`):
    most rooms are never asked.
    """

    def __init__(self, size: int) -> None:
        self._items: deque[Published] = deque(maxlen=size)
        self._after = 0
        """Everything that the log keeps after this offset is here."""
        self._removed = 0
        """Everything up to this offset was removed from the log; what was read before may still have it."""

    def begin(self, head: int) -> None:
        """Say that the room stands at `head`, and that nothing of it was read."""
        self._after = head

    def fill(self, newest: Sequence[Published], *, is_all: bool) -> None:
        """Replace what is here by what was read, the newest last; `is_all`: the log keeps nothing before it."""
        self._items.clear()
        self._items.extend(newest)
        self._after = 0 if is_all else newest[0].entry.offset - 1
        self.drop(self._removed)

    def extend(self, items: Sequence[Published]) -> None:
        """Add what has come, at least one entry, next to what is here. The oldest go."""
        self._items.extend(items)
        self._after = max(self._after, items[-1].entry.offset - len(self._items))
        self.drop(self._removed)

    def drop(self, last: int) -> None:
        """Forget what is removed from the log, up to an offset: for ever, also if it comes once more."""
        self._removed = max(self._removed, last)
        while self._items and self._items[0].entry.offset <= self._removed:
            self._items.popleft()

    def has(self, after: int) -> bool:
        """Tell whether all that the log keeps after an offset is here."""
        return after >= self._after

    def after(self, offset: int) -> list[Published]:
        """Return what is here after an offset, the newest last."""
        if not self._items:
            return []
        newer = min(self._items[-1].entry.offset - offset, len(self._items))
        return list(islice(self._items, len(self._items) - newer, None)) if newer > 0 else []

    def by_offset(self) -> dict[int, Published]:
        """Return what is here, by offset."""
        return {item.entry.offset: item for item in self._items}
