"""A member of a run with thousands: it is in rooms, comes back to where it was, and checks each entry that it gets."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from loadtests._frames import decode, decode_placed
from loadtests._lean import LeanConnection
from loadtests._place import OrderError, Place

if TYPE_CHECKING:
    from array import array
    from collections.abc import Sequence

    from loadtests._frames import Publication, Publications, Reply
    from loadtests._ledger import Ledger

CONNECT: Final = 1
FIRST_ROOM: Final = 2


class Follower:
    """One user. What it finds wrong is counted in the ledger; an end of its connection that it did not expect, too."""

    def __init__(self, port: int, rooms: Sequence[str], ledger: Ledger, receive_bytes: int = 0) -> None:
        self.places = [Place(room) for room in rooms]
        self.client = ""
        """The server's name for the connection."""
        self.took: array[float] | None = None
        """Collects how long each live message took from sending to here, in ms."""
        self._by_room = {place.room: place for place in self.places}
        self._port = port
        self._ledger = ledger
        self._receive_bytes = receive_bytes
        self._under_way: dict[int, tuple[str, str]] = {}
        self._sent = 0
        self._connection: LeanConnection | None = None
        self._outside: set[str] = set()
        self._entered: asyncio.Future[None]
        self._ended: asyncio.Future[None]
        self._may_end = False

    @property
    def local_port(self) -> int:
        """The port of this end of the connection."""
        return self._connection.local_port if self._connection else 0

    @property
    def is_waiting(self) -> bool:
        """Whether something that it sent was not answered."""
        return bool(self._under_way)

    @property
    def is_done(self) -> bool:
        """Whether all that it sent was answered, and it has all that there is."""
        return not self.is_waiting and all(map(self._ledger.is_at_the_end, self.places))

    async def open(self) -> None:
        """Connect. Raises `OSError`."""
        loop = asyncio.get_running_loop()
        self._entered, self._ended = loop.create_future(), loop.create_future()
        self._may_end = False
        self._connection = LeanConnection(self._port, self._take, self._on_end, self._receive_bytes)
        await self._connection.open()

    async def enter(self) -> None:
        """Be in its rooms: the first time from now on, later from where it was. Raises `OSError`."""
        assert self._connection is not None  # it was opened
        commands = ['{"id":1,"connect":{}}']
        for number, place in enumerate(self.places, FIRST_ROOM):
            since = f',"recover":true,"offset":{place.offset},"epoch":"{place.epoch}"' if place.epoch else ""
            commands.append(f'{{"id":{number},"subscribe":{{"channel":"{place.room}"{since}}}}}')
        self._outside = set(self._by_room)
        self._connection.send("\n".join(commands))
        await self._entered

    def say(self, room: str, key: str, padding: str = "") -> None:
        """Send a message that says when it was sent."""
        assert self._connection is not None  # it was opened
        self._sent += 1
        number = FIRST_ROOM + len(self.places) + self._sent
        self._under_way[number] = (room, key)
        data = f'{{"channel":"{room}","key":"{key}","text":"{time.monotonic_ns()};{padding}"}}'
        self._connection.send(f'{{"id":{number},"rpc":{{"method":"send","data":{data}}}}}')

    def vanish(self) -> None:
        """Lose the connection."""
        if self._connection is not None:
            self._connection.abort()

    def stall(self) -> None:
        """Read no more; from now on the server may end the connection."""
        assert self._connection is not None  # it was opened
        self._may_end = True
        self._connection.pause()

    async def read_to_the_end(self) -> None:
        """Read again, until the connection has ended."""
        assert self._connection is not None  # it was opened
        self._connection.resume()
        await self._ended

    def _on_end(self, how: str) -> None:
        if not self._may_end:
            self._ledger.wrong[f"connection ended: {how}"] += 1
        if not self._entered.done():
            self._entered.set_exception(ConnectionResetError(f"ended while entering: {how}"))
        self._ended.set_result(None)

    def _take(self, frame: bytes) -> None:
        for line in frame.split(b"\n"):
            reply = decode(line)
            push = reply.push
            if push is not None:
                if push.pub is not None:
                    self._receive(self._by_room[push.channel], push.pub)
                    if self.took is not None:
                        self.took.append((time.monotonic_ns() - int(push.pub.data.text.partition(";")[0])) / 1e6)
                elif push.unsubscribe is not None:
                    self._ledger.wrong[f"unsubscribed: {push.unsubscribe.code}"] += 1
            elif reply.id:
                self._answered(reply)
            else:
                assert self._connection is not None  # what comes came through it
                self._connection.send("{}")

    def _answered(self, reply: Reply) -> None:
        sent = self._under_way.pop(reply.id, None)
        if sent is not None:
            if reply.error is None and reply.rpc is not None:
                self._ledger.store(sent[0], decode_placed(reply.rpc.data).offset, sent[1])
            else:
                self._ledger.wrong["message was refused"] += 1
        elif reply.error is not None:
            if not self._entered.done():
                self._entered.set_exception(ConnectionRefusedError(f"{reply.error.code} {reply.error.message}"))
        elif reply.id == CONNECT:
            self.client = reply.connect.client if reply.connect is not None else ""
        elif reply.subscribe is not None:
            self._enters(self.places[reply.id - FIRST_ROOM], reply.subscribe)

    def _enters(self, place: Place, room: Publications) -> None:
        if not place.epoch:
            place.begin(room)
        elif not room.recovered:
            self._ledger.wrong["not recovered"] += 1
        for entry in room.publications:
            self._receive(place, entry)
        self._outside.discard(place.room)
        if not self._outside and not self._entered.done():
            self._entered.set_result(None)

    def _receive(self, place: Place, entry: Publication) -> None:
        try:
            place.receive(entry.offset, entry.data.key)
        except OrderError as error:
            self._ledger.wrong[str(error)] += 1
        self._ledger.store(place.room, entry.offset, entry.data.key)


async def settle(followers: Sequence[Follower], timeout_s: float) -> None:
    """Wait until all are done, but not for ever: who is not then lacks something."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end and not all(follower.is_done for follower in followers):  # noqa: ASYNC110  (one look at all)
        await asyncio.sleep(0.05)
