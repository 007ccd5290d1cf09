"""Someone in one room or several, who comes back with a position whenever the connection has ended.

Each message must come to each member once, however often either was disconnected, or cut off since it did not read.
What was missed comes with the answer to `subscribe`; if that is much, the rest is pushed afterwards. That it is too
much the server must not say: nobody here is away for that long.
"""

from __future__ import annotations

import random
import time
from functools import partial
from typing import TYPE_CHECKING, Final

from loadtests._deliveries import stamp
from loadtests._frames import decode_page
from loadtests._inbox import Inbox
from loadtests._rows import ACK, CONNECT, CUT_OFF, MESSAGES, RESUME
from loadtests._session import FAILURES, CommandFailedError, Session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loadtests._frames import Push
    from loadtests._rows import Rows

PAGE: Final = 50


class ConnectionEndedError(Exception):
    """The server, or the network, ended a connection."""


class HistoryLostError(CommandFailedError):
    """The server let a member in, but not from where it was."""


class StillConnectedError(Exception):
    """The server kept a connection whose client does not read."""


class Member:
    """One user. All that happens to it is counted in `rows`; no method raises for what the server does wrong."""

    def __init__(self, url: str, *, name: str, rooms: Sequence[str], rows: Rows) -> None:
        self._url = url
        self._name = name
        self._rows = rows
        self._inboxes = {room: Inbox(room, rows) for room in rooms}
        self._unacknowledged: tuple[Inbox, str] | None = None
        self._session: Session | None = None
        self._guest = ""
        self._entering = False
        self._planned = False
        """Whether this side wants the connection to end."""

    def come(self) -> bool:
        """Be in all rooms, connected anew if need be. False if that failed."""
        if self._session and not self._session.gone.is_set():
            return True
        self._planned, self._entering = False, True
        row = RESUME if any(inbox.position() for inbox in self._inboxes.values()) else CONNECT
        start = time.perf_counter()
        try:
            self._connect()
        except FAILURES as error:
            self._failed(row, error)
            self.leave()
            return False
        self._entering = False
        self._rows.done(row, _ms_since(start))
        return True

    def stay(self) -> None:
        """Wait until the connection has ended."""
        if self._session:
            self._session.gone.wait()

    def say(self, text: str) -> None:
        """Send a message to one of the rooms, or once more the one whose connection ended before its answer came."""
        assert self._session, "`come` first"
        inbox, key = self._unacknowledged = self._unacknowledged or (self._some_room(), _new_key())
        inbox.place.sending(key)
        start = time.perf_counter()
        data = {"channel": inbox.place.room, "key": key, "text": stamp(text)}
        try:
            self._session.call("rpc", {"method": "send", "data": data}, partial(inbox.acknowledged, key))
        except FAILURES as error:
            if isinstance(error, CommandFailedError):
                self._unacknowledged = None
            self._failed(ACK, error)
        else:
            self._unacknowledged = None
            self._rows.done(ACK, _ms_since(start))

    def look_back(self) -> None:
        """Read the newest page of a room's messages, and the one before it."""
        room = self._some_room().place.room
        offsets = self._read_page(room, {})
        if offsets:
            self._read_page(room, {"before": offsets[0]})

    def stop_reading(self, at_most_s: float) -> None:
        """Read nothing until the server has cut this member off, as it must within that time."""
        assert self._session, "`come` first"
        if self._session.gone.is_set():
            return
        self._planned = True
        for inbox in self._inboxes.values():
            inbox.stop_reading()
        start = time.perf_counter()
        if self._session.stop_reading(at_most_s):
            self._rows.done(CUT_OFF, _ms_since(start))
        else:
            self._rows.failed(CUT_OFF, StillConnectedError(f"after {at_most_s:g} s"))
            self._session.abort()

    def drop(self) -> None:
        """Lose the connection, without a word to the server."""
        if self._session and not self._session.gone.is_set():
            self._planned = True
            self._session.abort()

    def leave(self) -> None:
        """Close the connection."""
        if self._session:
            self._planned = True
            self._session.close()

    def _some_room(self) -> Inbox:
        return random.choice(list(self._inboxes.values()))

    def _read_page(self, room: str, which: dict[str, int]) -> list[int]:
        assert self._session, "`come` first"
        start = time.perf_counter()
        data = {"channel": room, "limit": PAGE, **which}
        try:
            rpc = self._session.call("rpc", {"method": "messages", "data": data}).rpc
        except FAILURES as error:
            self._failed(MESSAGES, error)
            return []
        self._rows.done(MESSAGES, _ms_since(start))
        return [message.offset for message in decode_page(rpc.data).messages] if rpc else []

    def _failed(self, row: str, error: Exception) -> None:
        if not self._planned:
            self._rows.failed(row, error)

    def _report_end(self, how: str) -> None:
        if not self._entering:
            self._failed(CONNECT, ConnectionEndedError(how))

    def _connect(self) -> None:
        """Connect and enter all rooms. Raises one of `FAILURES`."""
        self._session = Session(self._url, name=self._name, guest=self._guest, take=self._take, ended=self._report_end)
        self._guest = self._session.guest
        for inbox in self._inboxes.values():
            position = inbox.position()
            reply = self._session.call("subscribe", {"channel": inbox.place.room, **position}, inbox.entered)
            if position and not (reply.subscribe and reply.subscribe.recovered):
                raise HistoryLostError("history lost")

    def _take(self, push: Push) -> None:
        if push.unsubscribe:
            raise ConnectionResetError(f"unsubscribed: {push.unsubscribe.code}")
        if push.pub and push.pub.offset:
            self._inboxes[push.channel].take(push.pub)


def _new_key() -> str:
    """Return a key that begins with the time: the kind that costs the server least."""
    return f"{time.time_ns():016x}{random.getrandbits(48):012x}"


def _ms_since(start: float) -> float:
    return (time.perf_counter() - start) * 1000
