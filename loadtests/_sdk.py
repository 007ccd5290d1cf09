"""A client that does what an SDK does, and keeps a history of it.

It subscribes again from its position when the server tells it to, and repeats what failed for the moment, with the same
key, until it is told that it is stored. It never reconnects: in a run where only rooms crash there is no reason to.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import TYPE_CHECKING, Any

import msgspec

from loadtests._connection import Connection
from loadtests._history import Acked, Ended, Entered, Failed, Logged, Saw, Sent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from loadtests._history import Event

RETRY_S = 0.1
SUBSCRIBE_AGAIN = 2500  # to 2999


class _Error(msgspec.Struct):
    code: int
    message: str
    temporary: bool = False


class _Message(msgspec.Struct):
    key: str = ""


class _Publication(msgspec.Struct):
    data: _Message
    offset: int = 0


class _Publications(msgspec.Struct):
    publications: list[_Publication] = []
    offset: int = 0
    epoch: str = ""
    recovered: bool = False


class _Unsubscribe(msgspec.Struct):
    code: int


class _Push(msgspec.Struct):
    channel: str
    pub: _Publication | None = None
    unsubscribe: _Unsubscribe | None = None


class _Placed(msgspec.Struct):
    offset: int = 0


class _Returned(msgspec.Struct):
    data: _Placed


class _Reply(msgspec.Struct):
    id: int = 0
    error: _Error | None = None
    subscribe: _Publications | None = None
    history: _Publications | None = None
    rpc: _Returned | None = None
    push: _Push | None = None


_decode = msgspec.json.Decoder(_Reply).decode
_encode = msgspec.json.Encoder().encode


class _Subscription:
    """One room that the client is in, or is on its way back to."""

    def __init__(self) -> None:
        self.offset = 0
        self.epoch = ""
        self.entered = asyncio.Event()
        self.waiting: list[str] = []
        """Keys of what is to be sent once the client is in."""


class Client:
    """One client. Everything that happens to it goes into `history`, a list that all clients of a run share."""

    def __init__(self, url: str, name: str, rooms: Sequence[str], history: list[Event]) -> None:
        self.name = name
        self.rooms = tuple(rooms)
        self.sent_out: set[str] = set()
        """Rooms whose subscription the server has ended at some time."""
        self.refusals: list[int] = []
        """The codes of all errors that it was told for what it sent."""
        self._history = history
        self._subscriptions = {room: _Subscription() for room in rooms}
        self._replies: dict[int, Callable[[_Reply], None]] = {}
        self._ids = itertools.count(1)
        self._under_way: set[str] = set()
        self._acked: tuple[str, str] | None = None
        self._leaving = False
        self._ended = asyncio.Event()
        self._connection = Connection(url, self._on_frame, self._on_end)

    async def enter(self) -> None:
        """Connect, and enter all rooms."""
        await self._connection.open()
        self._command(lambda _: None, connect={"data": {"name": self.name}})
        for room in self.rooms:
            self._subscribe(room)
        for subscription in self._subscriptions.values():
            await subscription.entered.wait()

    def send(self, room: str, key: str) -> None:
        """Send a message, and see to it that it is stored."""
        self._under_way.add(key)
        subscription = self._subscriptions[room]
        if subscription.entered.is_set():
            self._send(room, key)
        else:
            subscription.waiting.append(key)

    def repeat(self) -> None:
        """Send the message that was acknowledged last once more, as if the acknowledgement had been lost."""
        if self._acked is not None:
            self.send(*self._acked)

    def crash(self, room: str, kind: str, armed: Callable[[bool], None]) -> None:
        """Have a room crash. `armed` is told whether it will."""
        call = {"method": "chaos", "data": {"channel": room, "kind": kind}}
        self._command(lambda reply: armed(reply.error is None), rpc=call)

    async def read_log(self, room: str) -> int:
        """Record what the room's log holds, and return the offset of the newest entry."""
        read: asyncio.Future[_Publications] = asyncio.get_running_loop().create_future()

        def take(reply: _Reply) -> None:
            if reply.history is not None:
                read.set_result(reply.history)
            else:
                asyncio.get_running_loop().call_later(RETRY_S, ask)

        def ask() -> None:
            self._command(take, history={"channel": room, "limit": -1})

        ask()
        log = await read
        self._history += [Logged(self.name, room, item.data.key, item.offset) for item in log.publications]
        return log.offset

    def is_done(self, newest: dict[str, int]) -> bool:
        """Tell whether all that it sent is answered, and all that there is has come."""
        return not self._under_way and all(self._subscriptions[room].offset >= newest[room] for room in self.rooms)

    async def leave(self) -> None:
        """Close the connection."""
        self._leaving = True
        self._connection.close()
        await self._ended.wait()

    def _command(self, take: Callable[[_Reply], None], **command: Any) -> None:
        number = next(self._ids)
        self._replies[number] = take
        self._connection.send(_encode({"id": number, **command}))

    def _on_frame(self, frame: bytes) -> None:
        at = time.perf_counter()
        for line in frame.split(b"\n"):
            message = _decode(line)
            if message.push is not None:
                self._on_push(message.push, at)
            elif message.id:
                self._replies.pop(message.id)(message)
            else:
                self._connection.send(b"{}")

    def _on_end(self, how: str) -> None:
        self._ended.set()
        if not self._leaving:
            self._history.append(Ended(self.name, "", how))

    def _on_push(self, push: _Push, at: float) -> None:
        if push.pub is not None and push.pub.offset:
            self._see(push.channel, push.pub, at)
        elif push.unsubscribe is not None and push.unsubscribe.code >= SUBSCRIBE_AGAIN:
            self.sent_out.add(push.channel)
            self._subscriptions[push.channel].entered.clear()
            self._subscribe(push.channel)

    def _see(self, room: str, publication: _Publication, at: float) -> None:
        self._subscriptions[room].offset = publication.offset
        self._history.append(Saw(self.name, room, publication.data.key, publication.offset, at))

    # Subscriptions.

    def _subscribe(self, room: str) -> None:
        known = self._subscriptions[room]
        position = {"recover": True, "offset": known.offset, "epoch": known.epoch} if known.epoch else {}
        self._command(lambda reply: self._subscribed(room, reply), subscribe={"channel": room, **position})

    def _subscribed(self, room: str, reply: _Reply) -> None:
        subscription, result = self._subscriptions[room], reply.subscribe
        if result is None:
            asyncio.get_running_loop().call_later(RETRY_S, self._subscribe, room)
            return
        if not result.recovered:
            subscription.offset = result.offset
            self._history.append(Entered(self.name, room, result.offset))
        subscription.epoch = result.epoch
        at = time.perf_counter()
        for publication in result.publications:
            self._see(room, publication, at)
        subscription.entered.set()
        waiting, subscription.waiting = subscription.waiting, []
        for key in waiting:
            self._send(room, key)

    # Messages.

    def _send(self, room: str, key: str) -> None:
        self._history.append(Sent(self.name, room, key, time.perf_counter()))
        call = {"method": "send", "data": {"channel": room, "key": key, "text": f"{key} from {self.name}"}}
        self._command(lambda reply: self._told(room, key, reply), rpc=call)

    def _told(self, room: str, key: str, reply: _Reply) -> None:
        error = reply.error
        if error is None:
            assert reply.rpc is not None  # a reply is one or the other
            self._under_way.discard(key)
            self._acked = room, key
            self._history.append(Acked(self.name, room, key, reply.rpc.data.offset))
            return
        self.refusals.append(error.code)
        self._history.append(Failed(self.name, room, key, error.code, error.temporary))
        if error.temporary:
            asyncio.get_running_loop().call_later(RETRY_S, self.send, room, key)
        else:
            self._under_way.discard(key)
