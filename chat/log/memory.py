"""The log in memory: for tests, and for a chat that may forget.

It is bounded, so it forgets: entries beyond `max_entries` of a room, and the room least recently used beyond
`max_rooms`. A room that was forgotten starts again with a new epoch, so that its readers notice. A process that
ends forgets all.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict, deque
from typing import TYPE_CHECKING

from chat.log.port import Draft, Entry, Position, Stored

if TYPE_CHECKING:
    from collections.abc import Sequence


class _Room:
    __slots__ = ("by_key", "entries", "epoch", "head")

    def __init__(self) -> None:
        self.epoch = secrets.token_hex(4)
        self.head = 0
        self.entries: deque[Entry] = deque()
        self.by_key: dict[tuple[str, str], Entry] = {}


class MemoryLog:
    """A `RoomLog` that keeps the newest entries of the rooms used last. It remembers keys as long as their entries."""

    def __init__(self, *, max_entries: int = 1_000, max_rooms: int = 10_000) -> None:
        self._max_entries = max_entries
        self._max_rooms = max_rooms
        self._rooms: OrderedDict[str, _Room] = OrderedDict()

    def append(self, drafts: Sequence[Draft]) -> list[Stored]:
        """See `RoomLog.append`. Never raises."""
        return [self._append(self._room(draft.room), draft) for draft in drafts]

    def _append(self, room: _Room, draft: Draft) -> Stored:
        key = (draft.author.user, draft.key)
        first = room.by_key.get(key) if draft.key else None
        if first is not None:
            return Stored(first, room.epoch, duplicate=True)
        room.head += 1
        entry = Entry(room.head, draft.key, draft.author, draft.time_ms, draft.data)
        room.entries.append(entry)
        if draft.key:
            room.by_key[key] = entry
        if len(room.entries) > self._max_entries:
            oldest = room.entries.popleft()
            room.by_key.pop((oldest.author.user, oldest.key), None)
        return Stored(entry, room.epoch, duplicate=False)

    def position(self, room: str) -> Position:
        """See `RoomLog.position`. Never raises."""
        found = self._room(room)
        return Position(found.head, found.epoch)

    def before(self, room: str, offset: int, limit: int) -> list[Entry]:
        """See `RoomLog.before`. Never raises."""
        older = [entry for entry in self._room(room).entries if entry.offset < offset]
        return older[-limit:] if limit else []

    def after(self, room: str, offset: int, limit: int) -> list[Entry]:
        """See `RoomLog.after`. Never raises."""
        return [entry for entry in self._room(room).entries if entry.offset > offset][:limit]

    def _room(self, name: str) -> _Room:
        room = self._rooms.get(name)
        if room is None:
            room = self._rooms[name] = _Room()
            if len(self._rooms) > self._max_rooms:
                self._rooms.popitem(last=False)
        else:
            self._rooms.move_to_end(name)
        return room
