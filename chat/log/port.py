"""What the chat needs of a log, whatever stores it.

A room is a sequence of entries with offsets 1, 2, 3 … without gaps. Its *epoch* names one incarnation of that
sequence: an offset means something only together with the epoch it was given in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence


class Author(msgspec.Struct, frozen=True, gc=False):
    """Who did something, as others get to see it. `client` is the connection, `user` the person behind it."""

    user: str
    client: str
    name: str


class Position(msgspec.Struct, frozen=True, gc=False):
    """A place in a room's sequence: after the entry with this offset (0: before the first)."""

    offset: int
    epoch: str


class Draft(msgspec.Struct, frozen=True):
    """An entry to be: everything but its place. An empty `key` means that a repeat could not be told."""

    room: str
    key: str
    author: Author
    time_ms: int
    data: bytes


class Entry(msgspec.Struct, frozen=True):
    """One entry of a room. `data` is JSON, `time_ms` is Unix time."""

    offset: int
    key: str
    author: Author
    time_ms: int
    data: bytes


class Stored(msgspec.Struct, frozen=True):
    """Where a draft ended up. A `duplicate` is the entry that the same author stored under the same key before."""

    entry: Entry
    epoch: str
    duplicate: bool


class LogError(Exception):
    """The log could not store or read; nothing was stored. A later try may succeed."""


class RoomLog(Protocol):
    """An append-only log of many rooms. Calls may block; one writer at a time, readers at any time."""

    def append(self, drafts: Sequence[Draft]) -> list[Stored]:
        """Store a batch in its order, all or nothing, and answer in the same order.

        When this returns, the entries are as durable as this log makes them. The same (room, author's user, key)
        again, in this batch or later, stores nothing and is answered with the first entry, as far back as the log
        remembers.

        Raises `LogError` with nothing stored.
        """

    def position(self, room: str) -> Position:
        """Return the offset of the room's newest entry (0 if it has none) and its epoch. Raises `LogError`."""

    def before(self, room: str, offset: int, limit: int) -> list[Entry]:
        """Return the newest `limit` entries with a smaller offset, ascending. Raises `LogError`."""

    def after(self, room: str, offset: int, limit: int) -> list[Entry]:
        """Return the oldest `limit` kept entries with a greater offset, ascending. Raises `LogError`."""
