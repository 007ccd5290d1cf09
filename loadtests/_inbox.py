"""What a member receives in one room: live, recovered when it comes back, or else read from the history.

All of it is done by the thread that reads the socket, so that whatever comes is taken in its order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from loadtests._deliveries import age_ms
from loadtests._frames import Publications, decode_placed
from loadtests._place import GapError, OrderError, Place
from loadtests._rows import GAPS, RESUME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loadtests._frames import Publication, Reply
    from loadtests._rows import Rows

RECOVERED: Final = 300
"""So many missed messages a room makes up for, unless the server is set otherwise."""


class HistoryLostError(Exception):
    """The server did not recover what it promises to recover."""


class Inbox:
    """One room of one member, across all its connections. What comes is counted in `rows`."""

    def __init__(self, room: str, rows: Rows) -> None:
        self.place = Place(room)
        self._rows = rows
        self._newest = 0
        self._held: list[Publication] | None = None
        """What comes while older messages are still being read from the history. No longer than that takes."""

    def is_behind(self) -> bool:
        """Tell whether something is to be read from the history first: see `since`."""
        return self._held is not None

    def since(self) -> dict[str, Any]:
        """Return the place as the protocol has it; nothing if there is none yet."""
        return {"offset": self.place.offset, "epoch": self.place.epoch} if self.place.epoch else {}

    def entered(self, reply: Reply, *, may_be_much: bool) -> None:
        """Take the answer to `subscribe`. `may_be_much`: more may be missing than the server makes up for."""
        room = reply.subscribe or Publications()
        missing = room.offset - self.place.offset
        self._held = None
        if not self.place.epoch:
            self.place.begin(room)
        elif room.recovered:
            self._receive(room.publications, late=True)
        elif room.epoch != self.place.epoch or missing < 0:
            self._lose("the room is another one")
            self.place.begin(room)
        else:
            self._held, self._newest = [], room.offset
            if missing <= RECOVERED and not may_be_much:
                self._lose(f"not recovered, and no more than {RECOVERED} were missing")

    def read(self, reply: Reply) -> None:
        """Take a page of the history."""
        page = (reply.history or Publications()).publications
        missed = [item for item in page if item.offset <= self._newest]
        self._receive(missed, late=True)
        if self.place.offset < self._newest:
            if missed:
                return  # there is another page
            self.place.offset = self._newest
            self._rows.failed(GAPS, GapError("not in the history"))
        held, self._held = self._held or [], None
        self._receive(held, late=True)

    def take(self, publication: Publication, *, late: bool) -> None:
        """Take what was pushed."""
        if self._held is None:
            self._receive((publication,), late=late)
        else:
            self._held.append(publication)

    def acknowledged(self, key: str, reply: Reply) -> None:
        """Take the answer to a message of one's own."""
        offset = decode_placed(reply.rpc.data).offset if reply.rpc else 0
        try:
            self.place.acknowledged(key, offset)
        except OrderError as error:
            self._rows.failed(error.row, error)

    def _receive(self, publications: Sequence[Publication], *, late: bool) -> None:
        count = self._rows.caught_up if late else self._rows.delivered
        for publication in publications:
            try:
                self.place.receive(publication.offset, publication.data.key)
            except OrderError as error:
                self._rows.failed(error.row, error)
            else:
                count(age_ms(publication.data.text))

    def _lose(self, why: str) -> None:
        self._rows.failed(RESUME, HistoryLostError(why))
