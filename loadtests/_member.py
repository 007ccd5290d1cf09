"""A member of one room, as far as a load test needs one: connect, subscribe, send, count.

It knows the wire (web/PROTOCOL.md) and nothing of Locust, so that it can be tested without.
"""

from __future__ import annotations

import itertools
import threading
import time
import uuid
from concurrent.futures import Future
from typing import Any, Protocol

import msgspec

from loadtests._websocket import WebSocket

REPLY_TIMEOUT_S = 10.0
# A reader that always finds data never waits, and under gevent nobody else would run.
FRAMES_PER_TURN = 200


class _Error(msgspec.Struct):
    code: int
    message: str


class _Subscribed(msgspec.Struct):
    offset: int = 0


class _Message(msgspec.Struct):
    text: str = ""


class _Publication(msgspec.Struct):
    data: _Message
    offset: int = 0


class _Push(msgspec.Struct):
    pub: _Publication | None = None


class _Reply(msgspec.Struct):
    id: int = 0
    error: _Error | None = None
    subscribe: _Subscribed | None = None
    push: _Push | None = None


_decode = msgspec.json.Decoder(_Reply).decode


class CommandFailedError(Exception):
    """The server answered with an error."""


class Listener(Protocol):
    """What a member reports. Called by the greenlet that reads, so it must not wait."""

    def delivered(self, latency_ms: int) -> None:
        """Take note of a message, that long after its sender sent it."""

    def out_of_order(self, what: str) -> None:
        """Take note of a gap in the offsets, or of a message that came twice."""

    def ended(self, how: str) -> None:
        """Take note that the connection ended, though this side did not close it."""


class Member:
    """Someone who has joined one room. A thread of its own, under Locust a greenlet, reads."""

    def __init__(self, url: str, *, name: str, channel: str, listener: Listener) -> None:
        """Connect and subscribe. Raises `OSError`, `TimeoutError` or `CommandFailedError`."""
        self._channel = channel
        self._listener = listener
        self._ids = itertools.count(1)
        self._waiting: dict[int, Future[_Reply]] = {}
        self._next_offset = 0
        self._joined = False
        self.gone = threading.Event()
        self._socket = WebSocket(url)
        threading.Thread(target=self._read, name=name, daemon=True).start()
        try:
            self._call("connect", {"data": {"name": name}})
            self._call("subscribe", {"channel": channel})
            self._joined = True
        except BaseException:
            self.close()
            raise

    def send(self, text: str) -> None:
        """Send a message, stamped with the time, and wait for its ack. Raises as above."""
        data = {"channel": self._channel, "key": uuid.uuid4().hex, "text": stamp(text)}
        self._call("rpc", {"method": "send", "data": data})

    def close(self) -> None:
        """Leave. The listener is not told."""
        self._joined = False
        self._socket.close()

    def _call(self, method: str, arguments: dict[str, Any]) -> None:
        number = next(self._ids)
        future = self._waiting[number] = Future()
        self._socket.send(msgspec.json.encode({"id": number, method: arguments}))
        try:
            reply = future.result(REPLY_TIMEOUT_S)
        finally:
            self._waiting.pop(number, None)
        if reply.error:
            message = f"{reply.error.code} {reply.error.message}"
            raise CommandFailedError(message)

    def _read(self) -> None:
        try:
            self._follow()
            how = self._socket.ended_with
        except (OSError, msgspec.MsgspecError) as error:
            how = str(error)
            self._socket.close()
        self.gone.set()
        for future in list(self._waiting.values()):
            future.set_exception(ConnectionResetError(how))
        if self._joined:
            self._listener.ended(how)

    def _follow(self) -> None:
        for count, frame in enumerate(self._socket.messages(), start=1):
            for line in frame.split(b"\n"):
                self._take(_decode(line))
            if count % FRAMES_PER_TURN == 0:
                time.sleep(0)

    def _take(self, reply: _Reply) -> None:
        if reply.push:
            if reply.push.pub and reply.push.pub.offset:
                self._receive(reply.push.pub)
        elif not reply.id:
            self._socket.send(b"{}")
        else:
            if reply.subscribe:  # here, not in the caller: the next line may be a publication
                self._next_offset = reply.subscribe.offset + 1
            future = self._waiting.pop(reply.id, None)
            if future:
                future.set_result(reply)

    def _receive(self, publication: _Publication) -> None:
        expected, self._next_offset = self._next_offset, publication.offset + 1
        if publication.offset == expected:
            self._listener.delivered(age_ms(publication.data.text))
        else:
            kind = "gap in the offsets" if publication.offset > expected else "offset came again"
            self._listener.out_of_order(kind)


def stamp(text: str) -> str:
    """Put the time before a text. By the wall clock: the sender may be another process."""
    return f"{time.time():.4f} {text}"


def age_ms(text: str) -> int:
    """Tell how long ago a text was stamped; 0 for one without a stamp, or from the future."""
    sent, _, _ = text.partition(" ")
    try:
        return max(0, round((time.time() - float(sent)) * 1000))
    except ValueError:
        return 0
