"""What a run's clients did, were told and saw: the events of a history, in the order in which they happened.

One process records them all on one thread, so that order is real time: what stands before something else had happened
when that happened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class _Event(msgspec.Struct, frozen=True, tag=str.lower, gc=False):
    client: str
    room: str


class Entered(_Event, frozen=True):
    """The client is in the room and sees every message after `offset`, for the first time or with all before lost."""

    offset: int


class Sent(_Event, frozen=True):
    """The client sent a message, or sent it again. `at` is seconds."""

    key: str
    at: float = 0.0


class Acked(_Event, frozen=True):
    """The client was told that its message is stored, and where."""

    key: str
    offset: int


class Failed(_Event, frozen=True):
    """The client was told that its message was not stored. If that is `temporary`, it may have been."""

    key: str
    code: int
    temporary: bool


class Saw(_Event, frozen=True):
    """The client was shown a message."""

    key: str
    offset: int
    at: float = 0.0


class Logged(_Event, frozen=True):
    """The room's own log, read by the client at the end, has this entry."""

    key: str
    offset: int


class Ended(_Event, frozen=True):
    """The client's connection ended, and it was not the client that closed it."""

    how: str


Event = Entered | Sent | Acked | Failed | Saw | Logged | Ended


def write(events: Iterable[Event], file: Path) -> None:
    """Write a history, one JSON object a line."""
    file.write_bytes(msgspec.json.Encoder().encode_lines(events))
