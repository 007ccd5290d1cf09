"""`make bench`: how fast one room is, beside servers that do nothing but send on. They run one after the other.

The server has one core and the generator another. The generator speaks WebSocket by itself and counts a marker in what
it reads, rather than taking each message apart; so it is not what is measured. A load is closed (each sender has so
many messages under way, and sends another one when its own has come back) or open (so many messages a second).

Printed are deliveries per second, the server's CPU time for each (user and kernel), and the time from sending to
arriving of a sample of them. For Parley every message is acknowledged, and on disk before that.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

import uvloop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SERVER_CORE, GENERATOR_CORE = 0, 1
START_TIMEOUT_S = 20.0
WARM_UP_S = 1.5
PADDING = "x" * 60
T, EQUALS = b"T="
SAMPLE = 16
"""Of so many reads one is looked at for how long it took."""

HERE = Path(__file__).parent


class Load(NamedTuple):
    """How many members a room has, and how its ten senders send: so many under way each, or so many a second in all."""

    members: int
    under_way: int = 0
    rate: float = 0.0
    senders: int = 10

    def __str__(self) -> str:
        how = f"{self.under_way} under way each" if self.under_way else f"{self.rate:g} messages/s"
        return f"{self.members:,} members, {how}"


LOADS = {
    "burst": Load(1_000, under_way=20),
    "busy": Load(1_000, under_way=4),
    "small": Load(100, under_way=4),
    "calm": Load(1_000, rate=20),
}


class Peer(NamedTuple):
    """A server: how to start it on a port, where to connect, what to say first, and how a message is written."""

    command: Callable[[int], Sequence[str]]
    path: str
    opening: Sequence[str]
    template: str


def _parley(port: int) -> Sequence[str]:
    options = ("--host", "127.0.0.1", "--port", str(port), "--log-level", "warning")
    return (sys.executable, "-m", "uvicorn", "chat.main:app", *options)


def _module(name: str) -> Callable[[int], Sequence[str]]:
    return lambda port: (sys.executable, "-m", f"loadtests._peers.{name}", str(port))


PLAIN = '{"text":"%s"}'
PEERS = {
    "Parley": Peer(
        _parley,
        "/connection/websocket",
        ['{"id":1,"connect":{}}', '{"id":2,"subscribe":{"channel":"bench"}}'],
        '{"id":3,"rpc":{"method":"send","data":{"channel":"bench","key":"%s","text":"%s"}}}',
    ),
    "FastAPI, naive": Peer(_module("naive_fastapi"), "/", [], PLAIN),
    "websockets": Peer(_module("websockets_broadcast"), "/", [], PLAIN),
    "Node ws": Peer(lambda port: ("node", str(HERE / "_peers/ws.cjs"), str(port)), "/", [], PLAIN),
}


class Result(NamedTuple):
    """What a run came to. Times are milliseconds, sizes KiB."""

    deliveries_per_s: float
    us_per_delivery: float
    p50: float
    p99: float
    kib_per_connection: float


def masked(text: str) -> bytes:
    """Return a client's frame. Its mask is zero, which is a mask like any other (RFC 6455, section 5.3)."""
    data = text.encode()
    size = bytes((0x81, 0x80 | len(data))) if len(data) < 126 else struct.pack("!BBH", 0x81, 0xFE, len(data))  # noqa: PLR2004
    return size + bytes(4) + data


class Member(asyncio.Protocol):
    """One connection: counts the marker in what comes, and sends if it is a sender."""

    def __init__(self, run: Run, number: int) -> None:
        self._run = run
        self._own = b"F=%d;" % number
        self._number = number
        self._answers = False
        self._tail = b""
        self._last = 0
        self._reads = 0
        self._open = False
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the WebSocket."""
        self.transport = cast("asyncio.Transport", transport)  # (uvloop's is none by class)
        key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
        request = (
            f"GET {self._run.peer.path} HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{key}"
        )
        self.transport.write(f"{request}\r\n".encode())

    def data_received(self, data: bytes) -> None:
        """Count; a marker may lie across two reads."""
        if not self._open:
            self._open = True
            for text in self._run.peer.opening:
                self.transport.write(masked(text))
            self._run.opened += 1
            return
        self._run.deliveries += data.count(b"T=") + (self._last == T and data[0] == EQUALS)
        self._last = data[-1]
        if self._answers:
            both = self._tail + data
            for _ in range(both.count(self._own) - self._tail.count(self._own)):
                self.say()
            self._tail = data[-len(self._own) :]
        self._reads += 1
        if self._reads % SAMPLE == 0:
            self._run.sample(data)

    def start(self, under_way: int) -> None:
        """Become a sender with so many messages under way, or with 0 one that sends when it is told to."""
        self._answers = under_way > 0
        for _ in range(under_way):
            self.say()

    def say(self) -> None:
        """Send a message that says when and by whom."""
        text = f"T={time.monotonic_ns()};F={self._number};{PADDING}"
        template = self._run.peer.template
        if self._run.sending:
            values = (f"{self._run.next_key():016x}", text) if template.count("%s") > 1 else (text,)
            self.transport.write(masked(template % values))


class Run:
    """One load on one server."""

    def __init__(self, peer: Peer, load: Load) -> None:
        self.peer = peer
        self.load = load
        self.deliveries = 0
        self.opened = 0
        self.sending = True
        self._keys = time.time_ns()
        self._took: list[float] = []

    def next_key(self) -> int:
        """Return a key that is larger than those before: the kind that costs the server least."""
        self._keys += 1
        return self._keys

    def sample(self, data: bytes) -> None:
        """Note how long the newest message in a read took."""
        found = re.findall(rb"T=(\d+);", data[-400:])
        if found:
            self._took.append((time.monotonic_ns() - int(found[-1])) / 1e6)

    async def measure(self, port: int, pid: int, seconds: float) -> Result:
        """Connect everybody, let it run, and measure."""
        loop = asyncio.get_running_loop()
        before_kib = _rss_kib(pid)
        members = []
        for number in range(self.load.members):
            _, member = await loop.create_connection(partial(Member, self, number), "127.0.0.1", port)
            members.append(member)
        async with asyncio.timeout(START_TIMEOUT_S):
            while self.opened < len(members):  # noqa: ASYNC110  (a look now and then)
                await asyncio.sleep(0.05)
        await asyncio.sleep(1)
        kib = (_rss_kib(pid) - before_kib) / len(members)
        senders = members[:: max(1, len(members) // self.load.senders)][: self.load.senders]
        pacing = asyncio.create_task(self._pace(senders)) if self.load.rate else None
        for sender in senders:
            sender.start(self.load.under_way)
        await asyncio.sleep(WARM_UP_S)
        self.deliveries, self._took = 0, []
        cpu, began = _cpu_s(pid), time.monotonic()
        await asyncio.sleep(seconds)
        deliveries, elapsed, cpu = self.deliveries, time.monotonic() - began, _cpu_s(pid) - cpu
        self.sending = False
        if pacing is not None:
            pacing.cancel()
        for member in members:
            member.transport.abort()
        took = sorted(self._took) or [0.0]
        return Result(
            deliveries / elapsed,
            cpu / max(1, deliveries) * 1e6,
            took[len(took) // 2],
            took[int(len(took) * 0.99)],
            kib,
        )

    async def _pace(self, senders: Sequence[Member]) -> None:
        due = time.monotonic()
        while True:
            for sender in senders:
                sender.say()
                due += 1 / self.load.rate
                await asyncio.sleep(max(0.0, due - time.monotonic()))


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss_kib(pid: int) -> int:
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) if found else 0


@contextlib.contextmanager
def serving(peer: Peer) -> Iterator[tuple[int, int]]:
    """Run a server on a core of its own; yield its port and process id. Raises `OSError` if it does not start."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder:
        settings = {
            "CHAT_DATABASE_URL": f"sqlite:///{folder}/chat.db",
            "CHAT_LOG_LEVEL": "warning",
            "CHAT_PING_INTERVAL_S": "3600",
        }
        process = subprocess.Popen(  # noqa: S603  (one of ours)
            peer.command(port),
            env={**os.environ, **settings},
            preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CORE}),  # noqa: PLW1509  (no threads here yet)
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_for(port, process)
            yield port, process.pid
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise OSError("the server did not start")


def table(results: dict[str, dict[str, Result]]) -> str:
    """Return the results as the Markdown table that README shows."""
    lines = ["| load | server | deliveries/s | µs of CPU each | p50 / p99, ms | KiB a connection |", "| --- " * 6 + "|"]
    for load, peers in results.items():
        for name, result in peers.items():
            times = f"{result.p50:.1f} / {result.p99:.1f}"
            speed = f"{result.deliveries_per_s:,.0f} | {result.us_per_delivery:.2f}"
            lines.append(f"| {LOADS[load]} | {name} | {speed} | {times} | {result.kib_per_connection:.0f} |")
    return "\n".join(lines)


def chart(results: dict[str, dict[str, Result]]) -> str:
    """Return a chart of what a second of the server's CPU delivers, as SVG."""
    rows = [(load, name, 1e6 / r.us_per_delivery) for load, peers in results.items() for name, r in peers.items()]
    most = max(value for *_, value in rows)
    parts, y, last = [], 10, ""
    for load, name, value in rows:
        if load != last:
            y += 22
            parts.append(f'<text x="10" y="{y}" font-weight="bold">{LOADS[load]}</text>')
            last = load
        y += 20
        width = max(1, round(value / most * 380))
        fill = "#3b6fd4" if name == "Parley" else "#9aa5b5"
        parts.append(f'<text x="110" y="{y}" text-anchor="end">{name}</text>')
        parts.append(f'<rect x="120" y="{y - 11}" width="{width}" height="14" fill="{fill}"/>')
        parts.append(f'<text x="{126 + width}" y="{y}">{value:,.0f}</text>')
    title = '<text x="10" y="16">Deliveries for a second of the server\'s CPU</text>'
    body = "\n".join([title, *parts])
    size = f'width="620" height="{y + 16}" font-family="sans-serif" font-size="12"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'
        f'<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n'
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as the command line says."""
    parser = argparse.ArgumentParser(prog="make bench", formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--loads", nargs="+", choices=LOADS, default=list(LOADS), help="which loads")
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS), help="which servers")
    parser.add_argument("--rounds", type=int, default=2, help="how often; the middle result counts")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each run is measured")
    parser.add_argument("--svg", type=Path, default=Path("build/bench.svg"), help="where the chart goes")
    given = parser.parse_args(arguments)
    os.sched_setaffinity(0, {GENERATOR_CORE})
    results: dict[str, dict[str, Result]] = {}
    for load in given.loads:
        found: dict[str, list[Result]] = {}
        for _ in range(given.rounds):
            for name in given.peers:
                try:
                    with serving(PEERS[name]) as (port, pid):
                        result = uvloop.run(Run(PEERS[name], LOADS[load]).measure(port, pid, given.seconds))
                except (OSError, TimeoutError) as error:
                    _say(f"{name}: left out ({error})")
                    continue
                found.setdefault(name, []).append(result)
                _say(f"{LOADS[load]}: {name} {result.deliveries_per_s:,.0f}/s, {result.us_per_delivery:.2f} us each")
        results[load] = {
            name: Result(*(statistics.median(values) for values in zip(*runs, strict=True)))
            for name, runs in found.items()
        }
    if not any(results.values()):
        _say("no server could be measured")
        return 1
    given.svg.parent.mkdir(parents=True, exist_ok=True)
    given.svg.write_text(chart(results))
    _say(f"\n{table(results)}\n\n{given.svg}")
    return 0


def _say(what: str) -> None:
    print(what, flush=True)  # noqa: T201  (a program's output)


if __name__ == "__main__":
    sys.exit(main())
