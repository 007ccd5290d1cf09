"""A generator of load that is not the bottleneck: it counts what comes rather than taking it apart.

It speaks WebSocket by itself, sends messages with a mark that nothing else contains, and counts that mark in what it
reads. A load is closed (each sender has so many messages under way, and sends another one when its own has come back)
or open (so many messages a second, whatever comes back).
"""

from __future__ import annotations

import asyncio
import re
import struct
import time
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from loadtests import _report
from loadtests._process import parley

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from loadtests._process import Process

READ_BYTES: Final = 1_048_576
CONNECTING: Final = 100
"""How many connections are being opened at a time."""
CONNECT_TIMEOUT_S: Final = 60.0
WARM_UP_S: Final = 1.5
MARK: Final = "^" * 16
"""The longer it is, the faster it is found: a place where it is not is passed over as a whole."""
PADDING: Final = "x" * 60
SEAM: Final = 32
"""No mark is longer."""
SAMPLE: Final = 17
"""Of so many reads one is looked at for how long it took. A prime, so that it is not always the same member's."""
PROBE_EVERY_S: Final = 0.02

_buffer: Final = bytearray(READ_BYTES)  # of all connections: what is read is counted at once
_view: Final = memoryview(_buffer)
_mark: Final = MARK.encode()
_sent_at: Final = re.compile(rb"\^(\d+);")


class Load(NamedTuple):
    """How many members a room has, and what its senders do: so many under way each, or so many a second in all.

    With several rooms each has one sender; in a single one there are ten. `idle` connections are in a room of their
    own, in which nothing is said.
    """

    members: int
    under_way: int = 0
    rate: float = 0.0
    rooms: int = 1
    idle: int = 0

    @property
    def senders(self) -> int:
        """How many there are in all."""
        return min(10, self.members) if self.rooms == 1 else self.rooms

    def __str__(self) -> str:
        rooms = f"{self.rooms:,} rooms of {self.members:,}" if self.rooms > 1 else f"{self.members:,} members"
        how = f"{self.under_way} under way each" if self.under_way else f"{self.rate:g} messages/s"
        idle = f", beside {self.idle:,} idle ones" if self.idle else ""
        return f"{rooms}, {how}{idle}"


class Peer(NamedTuple):
    """A server: how to start it on a port, where to connect, what to say first, and how a message is written.

    In what is said `{room}`, `{key}` and `{text}` are filled in. To `question`, if there is one, it has a short answer
    that has nothing to do with rooms.
    """

    command: Callable[[int], Sequence[str]]
    path: str
    opening: Sequence[str]
    message: str
    question: str = ""


PARLEY: Final = Peer(
    parley,
    "/connection/websocket",
    ['{"id":1,"connect":{}}', '{"id":2,"subscribe":{"channel":"{room}"}}'],
    '{"id":3,"rpc":{"method":"send","data":{"channel":"{room}","key":"{key}","text":"{text}"}}}',
    '{"id":4,"rpc":{"method":"nothing"}}',
)


class Result(NamedTuple):
    """What a load came to. Times are milliseconds, sizes KiB; `lag` is the p99 of how long a question took."""

    deliveries_per_s: float
    us_per_delivery: float
    p50: float
    p99: float
    kib_per_connection: float
    lag: float


def upgrade(path: str) -> bytes:
    """Return the request for a WebSocket. Its key is the same for all (RFC 6455, section 4.1, wants it by chance)."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: load\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


def masked(text: str) -> bytes:
    """Return a client's frame. Its mask is zero, which is a mask like any other (RFC 6455, section 5.3)."""
    data = text.encode()
    size = bytes((0x81, 0x80 | len(data))) if len(data) < 126 else struct.pack("!BBH", 0x81, 0xFE, len(data))  # noqa: PLR2004
    return size + bytes(4) + data


class Member(asyncio.BufferedProtocol):
    """One connection: counts the mark in what comes, and sends if it is a sender."""

    def __init__(self, blast: Blast, number: int, room: str) -> None:
        self._blast = blast
        self._number = number
        self._room = room
        self._own = b";%d;" % number
        self._under_way = 0
        self._tail = b""
        """The end of what was read, in which a mark may have begun."""
        self._open = False
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the WebSocket."""
        self.transport = cast("asyncio.Transport", transport)  # (uvloop's is none by class)
        self.transport.write(upgrade(self._blast.peer.path))

    def connection_lost(self, _: Exception | None) -> None:
        """Take note of an end that nobody wanted."""
        if not self._blast.over:
            self._blast.lost += 1
            if not self.opened.done():
                self.opened.set_exception(ConnectionResetError("the server hung up"))

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  (asyncio's interface)
        """Lend the buffer to read into."""
        return _view

    def buffer_updated(self, nbytes: int) -> None:
        """Count."""
        if not self._open:
            self._open = True
            for text in self._blast.peer.opening:
                self.transport.write(masked(text.replace("{room}", self._room)))
            self.opened.set_result(None)
            return
        seam = self._tail + bytes(_view[: min(nbytes, SEAM)])
        self._blast.deliveries += self._count(_mark, nbytes, seam)
        if self._under_way:
            for _ in range(self._count(self._own, nbytes, seam)):
                self.say()
        self._tail = bytes(_view[nbytes - SEAM : nbytes]) if nbytes >= SEAM else seam[-SEAM:]
        self._blast.reads += 1
        if self._blast.reads % SAMPLE == 0:
            self._blast.sample(bytes(_view[max(0, nbytes - 400) : nbytes]))

    def _count(self, what: bytes, nbytes: int, seam: bytes) -> int:
        """Count in what was read, and what began in the read before: in the seam, and not in a half of it."""
        half = len(self._tail)
        begun = seam.count(what) - seam.count(what, 0, half) - seam.count(what, half)
        return _buffer.count(what, 0, nbytes) + begun

    def start(self, under_way: int) -> None:
        """Become a sender with so many messages under way, or with 0 one that sends when it is told to."""
        self._under_way = under_way
        for _ in range(under_way):
            self.say()

    def say(self) -> None:
        """Send a message that says when and by whom."""
        blast = self._blast
        if not blast.over:
            blast.sent += 1
            text = f"{MARK}{time.monotonic_ns()};{self._number};{PADDING}"
            message = blast.peer.message.replace("{room}", self._room).replace("{key}", f"{blast.next_key():016x}")
            self.transport.write(masked(message.replace("{text}", text)))


class Probe(asyncio.Protocol):
    """A connection that asks something else all the time, and notes how long the answer takes."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._asked_at = 0
        self._open = False
        self.took: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the WebSocket."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(upgrade(self._peer.path))

    def data_received(self, _: bytes) -> None:
        """Take the answer, and ask again in a while."""
        if not self._open:
            self._open = True
            self.transport.write(masked(self._peer.opening[0]))
        elif self._asked_at:
            self.took.append((time.monotonic_ns() - self._asked_at) / 1e6)
        asyncio.get_running_loop().call_later(PROBE_EVERY_S, self._ask)

    def _ask(self) -> None:
        if not self.transport.is_closing():
            self._asked_at = time.monotonic_ns()
            self.transport.write(masked(self._peer.question))


class Blast:
    """One load on one server."""

    def __init__(self, peer: Peer, load: Load) -> None:
        self.peer = peer
        self.load = load
        self.deliveries = 0
        self.reads = 0
        self.sent = 0
        self.lost = 0
        """Connections that ended by themselves."""
        self.over = False
        self._keys = time.time_ns()
        self._took: list[float] = []

    def next_key(self) -> int:
        """Return a key that is larger than those before: the kind that costs the server least."""
        self._keys += 1
        return self._keys

    def sample(self, data: bytes) -> None:
        """Note how long the newest message in a read took."""
        found = _sent_at.findall(data)
        if found:
            self._took.append((time.monotonic_ns() - int(found[-1])) / 1e6)

    async def measure(self, process: Process, seconds: float) -> Result:
        """Connect everybody, let it run, and measure. Raises `OSError`, `TimeoutError` if not everybody can."""
        before_kib = process.rss_kib()
        load = self.load
        members = [
            Member(self, number, f"bench-{number // load.members}") for number in range(load.members * load.rooms)
        ]
        idle = [Member(self, -1, "idle") for _ in range(load.idle)]
        await self._connect(process.port, [*members, *idle])
        probe = Probe(self.peer)
        if self.peer.question:
            await asyncio.get_running_loop().create_connection(lambda: probe, "127.0.0.1", process.port)
        await asyncio.sleep(1)
        kib = (process.rss_kib() - before_kib) / (len(members) + len(idle))
        senders = members[:: max(1, len(members) // load.senders)][: load.senders]
        pacing = asyncio.create_task(self._pace(senders)) if load.rate else None
        for sender in senders:
            sender.start(load.under_way)
        await asyncio.sleep(WARM_UP_S)
        self.deliveries, self._took, probe.took = 0, [], []
        cpu, began = process.cpu_s(), time.monotonic()
        await asyncio.sleep(seconds)
        deliveries, elapsed, cpu = self.deliveries, time.monotonic() - began, process.cpu_s() - cpu
        self.over = True
        if pacing is not None:
            pacing.cancel()
        for member in (*members, *idle):
            member.transport.abort()
        if self.peer.question:
            probe.transport.abort()
        if self.lost:
            raise ConnectionResetError(f"{self.lost} connections ended by themselves")
        return Result(
            deliveries / elapsed,
            cpu / max(1, deliveries) * 1e6,
            quantile(self._took, 0.5),
            quantile(self._took, 0.99),
            kib,
            quantile(probe.took, 0.99),
        )

    async def _connect(self, port: int, members: Sequence[Member]) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            for start in range(0, len(members), CONNECTING):
                some = members[start : start + CONNECTING]
                for member in some:
                    await loop.create_connection(lambda member=member: member, "127.0.0.1", port)  # type: ignore[misc]
                await asyncio.gather(*(member.opened for member in some))

    async def _pace(self, senders: Sequence[Member]) -> None:
        due = time.monotonic()
        while True:
            for sender in senders:
                sender.say()
                due += 1 / self.load.rate
                await asyncio.sleep(max(0.0, due - time.monotonic()))


def quantile(values: Sequence[float], share: float) -> float:
    """Do as `_report.quantile`, but 0.0 of nothing, which can be printed and compared."""
    return _report.quantile(values or (0.0,), share)
