"""What a member receives in one room: live, or later because it was away, or did not read.

All of it is done by the thread that reads the socket, so that whatever comes is taken in its order.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from loadtests._deliveries import sent_at
from loadtests._frames import Publications, decode_placed
from loadtests._place import OrderError, Place

if TYPE_CHECKING:
    from loadtests._frames import Publication, Reply
    from loadtests._rows import Rows


class Inbox:
    """One room of one member, across all its connections. What comes is counted in `rows`."""

    def __init__(self, room: str, rows: Rows) -> None:
        self.place = Place(room)
        self._rows = rows
        self._there_since = 0.0
        """What was sent before this time comes late, since the member was not there: missed, not slow."""

    def position(self) -> dict[str, Any]:
        """Return what to subscribe with so as to go on from here; nothing if there was nothing yet."""
        return {"recover": True, "offset": self.place.offset, "epoch": self.place.epoch} if self.place.epoch else {}

    def entered(self, reply: Reply) -> None:
        """Take the answer to `subscribe`. What was missed and is too much for it is pushed afterwards."""
        room = reply.subscribe or Publications()
        if room.recovered:
            self._there_since = time.time()
            for publication in room.publications:
                self.take(publication)
        else:
            self.place.begin(room)

    def stop_reading(self) -> None:
        """Take note that whatever comes before the room is entered again was not waited for."""
        self._there_since = math.inf

    def take(self, publication: Publication) -> None:
        """Take what comes next."""
        try:
            self.place.receive(publication.offset, publication.data.key)
        except OrderError as error:
            self._rows.failed(error.row, error)
            return
        sent = sent_at(publication.data.text)
        count = self._rows.caught_up if sent < self._there_since else self._rows.delivered
        count(round((time.time() - sent) * 1000))

    def acknowledged(self, key: str, reply: Reply) -> None:
        """Take the answer to a message of one's own."""
        offset = decode_placed(reply.rpc.data).offset if reply.rpc else 0
        try:
            self.place.acknowledged(key, offset)
        except OrderError as error:
            self._rows.failed(error.row, error)
