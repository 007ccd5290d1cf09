"""One connection to the chat: commands and their replies, and the pushes between them.

It knows the wire (web/PROTOCOL.md) and nothing of Locust, so that it can be tested without. Its thread is a greenlet
under Locust.
"""

from __future__ import annotations

import itertools
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from websockets.exceptions import WebSocketException

from loadtests._frames import Push, Reply, decode
from loadtests._websocket import WebSocket

if TYPE_CHECKING:
    from collections.abc import Callable

REPLY_TIMEOUT_S = 10.0
PROBE_EVERY_S = 0.5
# A reader that always finds something never waits, and under gevent nobody else would run.
MESSAGES_PER_TURN = 300


class CommandFailedError(Exception):
    """The server answered that it has not done what it was told."""


# What may go wrong without this program being at fault; a reply that does not come is an OSError.
FAILURES = (OSError, WebSocketException, CommandFailedError)


class _Call(NamedTuple):
    reply: Future[Reply]
    then: Callable[[Reply], None] | None


class Session:
    """A connection, from `connect` to its end. `take` gets each push, `ended` why there will be no more.

    Both are called by the thread that reads, so they must not wait.
    """

    def __init__(
        self, url: str, *, name: str, guest: str, take: Callable[[Push], None], ended: Callable[[str], None]
    ) -> None:
        """Connect. Raises one of `FAILURES`."""
        self.gone = threading.Event()
        self._take_push = take
        self._ended = ended
        self._unread_until = 0.0
        self._ids = itertools.count(1)
        self._waiting: dict[int, _Call] = {}
        self._socket = WebSocket(url)
        threading.Thread(target=self._read, name=name, daemon=True).start()
        try:
            connected = self.call("connect", {"data": {"name": name, "guest": guest}}).connect
        except BaseException:
            self.close()
            raise
        self.guest = connected.data.guest if connected else ""
        """What makes the next connection the same user's."""

    def call(self, method: str, arguments: dict[str, Any], then: Callable[[Reply], None] | None = None) -> Reply:
        """Give a command, return the reply. Raises one of `FAILURES`.

        `then` gets the reply first, from the thread that reads and before it reads on: the next thing that the server
        has to say may depend on it.
        """
        number = next(self._ids)
        call = self._waiting[number] = _Call(Future(), then)
        try:
            self._socket.send(msgspec.json.encode({"id": number, method: arguments}))
            reply = call.reply.result(REPLY_TIMEOUT_S)
        finally:
            self._waiting.pop(number, None)
        if reply.error:
            raise CommandFailedError(f"{reply.error.code} {reply.error.message}")
        return reply

    def stop_reading(self, at_most_s: float) -> bool:
        """Leave unread what comes, until the server has ended the connection. False if it did not in that time.

        What is read then is what was on its way already.
        """
        self._unread_until = time.monotonic() + at_most_s
        return self.gone.wait(at_most_s + PROBE_EVERY_S)

    def close(self) -> None:
        """Say goodbye."""
        self._socket.close()

    def abort(self) -> None:
        """Vanish without a word."""
        self._socket.abort()

    def _read(self) -> None:
        how = "the load test failed"
        try:
            self._follow()
            how = self._socket.ended_with
        except (OSError, msgspec.MsgspecError) as error:
            how = str(error)
        finally:
            self._socket.abort()
            self._ended(how)
            self.gone.set()
            for call in list(self._waiting.values()):
                call.reply.set_exception(ConnectionResetError(how))

    def _follow(self) -> None:
        taken = 0
        for frame in self._socket.messages():
            self._leave_unread()
            for line in frame.split(b"\n"):
                self._take(decode(line))
                taken += 1
                if taken % MESSAGES_PER_TURN == 0:
                    time.sleep(0)

    def _leave_unread(self) -> None:
        try:
            while time.monotonic() < self._unread_until:
                time.sleep(PROBE_EVERY_S)
                self._socket.ping()
        except OSError:
            self._unread_until = 0.0

    def _take(self, reply: Reply) -> None:
        if reply.push:
            self._take_push(reply.push)
        elif not reply.id:
            self._socket.send(b"{}")
        elif call := self._waiting.pop(reply.id, None):
            if call.then and not reply.error:
                call.then(reply)
            call.reply.set_result(reply)
