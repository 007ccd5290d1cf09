"""What a run's clients did, were told and saw: the events of a history, in the order in which they happened.

One process records them all on one thread, so that order is real time: what stands before something else had happened
when that happened.

`key` names an entry: a message by the key that its sender chose, a change by what it does (see `_view.name_of`).
"""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_GZIP = b"\x1f\x8b"


class _Event(msgspec.Struct, frozen=True, tag=str.lower, gc=False, omit_defaults=True):
    client: str
    room: str


class Entered(_Event, frozen=True):
    """The client is in the room and sees every entry after `offset`, for the first time or with others missed before.

    `limit` is how many missed entries the server promises to make up for; None if it is any number. `epoch` names the
    sequence that offsets count in, if the client was told.
    """

    offset: int
    epoch: str = ""
    limit: int | None = None


class Sent(_Event, frozen=True):
    """The client sent a message or a change, or sent it again. `at` is seconds."""

    key: str
    at: float = 0.0


class Acked(_Event, frozen=True):
    """The client was told that it is stored, and where."""

    key: str
    offset: int


class Failed(_Event, frozen=True):
    """The client was told that it was not stored. If that is `temporary`, it may have been."""

    key: str
    code: int
    temporary: bool


class GaveUp(_Event, frozen=True):
    """The client does not wait for an answer any longer: stored or not, both are right."""

    key: str


class Saw(_Event, frozen=True):
    """The client was shown an entry."""

    key: str
    offset: int
    at: float = 0.0


class Viewed(_Event, frozen=True):
    """What the room's newest messages are, all changes up to `offset` made, as a digest.

    Either `fetched` from the server, or the client's own work: made from an earlier page and all that it saw since.
    `newest` is how many messages that is about, 0 if it is all that there are.
    """

    offset: int
    digest: str
    newest: int = 0
    fetched: bool = False


class Logged(_Event, frozen=True):
    """The room's own log, read by the client at the end, has this entry."""

    key: str
    offset: int


class LogRead(_Event, frozen=True):
    """The client has read all of the room's log, which is done once; it may turn out to be empty."""


class Ended(_Event, frozen=True):
    """The client's connection ended, and it was not the client that closed it.

    That is `planned` if the run had the server go away; the client comes back then, and has missed nothing.
    """

    how: str
    planned: bool = False


Event = Entered | Sent | Acked | Failed | GaveUp | Saw | Viewed | Logged | LogRead | Ended

_decode = msgspec.json.Decoder(Event).decode


class UnreadableError(Exception):
    """A file is no history. The message is one line."""


def write(events: Iterable[Event], file: Path) -> None:
    """Write a history, one JSON object a line."""
    file.write_bytes(msgspec.json.Encoder().encode_lines(events))


def read(file: Path) -> Iterator[Event]:
    """Read what `write` wrote, or that compressed with gzip, event by event. Raises `UnreadableError`."""
    number = 0
    try:
        with file.open("rb") as opened:
            packed = opened.read(2) == _GZIP
        with gzip.open(file) if packed else file.open("rb") as lines:
            for number, line in enumerate(lines, 1):  # noqa: B007  (an error tells it)
                yield _decode(line)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableError(f"{file}: {error}") from None
    except ValueError as error:  # msgspec's errors; broken Unicode
        raise UnreadableError(f"{file}, line {number}: {error}") from None
