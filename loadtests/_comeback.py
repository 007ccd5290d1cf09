"""`make storm`: thousands lose their connection at the same moment, and all come back at once while others talk.

Everybody is in one room, some in small rooms too. Then all connections are reset, and everybody connects and resumes
without waiting; a connection that fails is not tried again. Afterwards everybody must have every message once.

The exit code is 1 if a connection failed, a message is missing or came twice, or it took longer than it may.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import resource
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

import uvloop

from loadtests._blast import quantile
from loadtests._follower import Follower, settle
from loadtests._ledger import Ledger
from loadtests._process import GENERATOR_CORE, keep_to, say, serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from loadtests._process import Process

LARGE: Final = "everybody"
SENDERS: Final = 3
IN_A_SMALL_ROOM: Final = 5
SETTLE_TIMEOUT_S: Final = 30.0
PATIENCE: Final = 3
"""How often the time that it may take to come back is waited for."""
SPARE_FILES: Final = 100


class Plan(NamedTuple):
    """What to do. `rate` is messages a second in the large room; there are as many in small ones together."""

    clients: int = 10_000
    small: int = 100
    rate: float = 1.0
    storms: int = 3
    seconds: float = 5.0
    handshakes: int = 256
    within: float = 30.0


class Entry(NamedTuple):
    """How everybody came in: in how many seconds, how long each took in ms, and who could not, by the reason."""

    seconds: float
    took: Sequence[float]
    failed: Counter[str]
    rss_kib: int

    def __str__(self) -> str:
        p50, p99 = quantile(self.took, 0.5), quantile(self.took, 0.99)
        memory = f"{self.rss_kib / 1024:,.0f}"
        return f"{self.seconds:.1f} | {p50:,.0f} / {p99:,.0f} | {self.failed.total():,} | {memory}"


class Outcome(NamedTuple):
    """What a run came to."""

    entries: Sequence[Entry]
    """The first one, and that after each storm."""
    wrong: Counter[str]
    messages: int
    peak_kib: int

    def complaints(self, within: float) -> list[str]:
        """Return everything for which the run has failed."""
        failed = sum((entry.failed for entry in self.entries), Counter[str]())
        late = [f"it took {entry.seconds:.1f} s until all were in" for entry in self.entries if entry.seconds > within]
        found = [f"{count:,} x {what}" for what, count in (failed + self.wrong).most_common()]
        return late + found + ([] if self.messages else ["nothing was said"])


class _Storm:
    def __init__(self, plan: Plan, process: Process) -> None:
        self._plan = plan
        self._process = process
        self._ledger = Ledger()
        port = process.port
        small = [f"small-{number}" for number in range(plan.small)]
        self._senders = [Follower(port, [LARGE, *small[n::SENDERS]], self._ledger) for n in range(SENDERS)]
        self._small = {room: self._senders[number % SENDERS] for number, room in enumerate(small)}
        self._clients = [Follower(port, [LARGE, *self._small_of(n)], self._ledger) for n in range(plan.clients)]
        self._limit = asyncio.Semaphore(plan.handshakes)

    def _small_of(self, number: int) -> Sequence[str]:
        return [f"small-{number // IN_A_SMALL_ROOM}"] if number < self._plan.small * IN_A_SMALL_ROOM else []

    async def run(self) -> Outcome:
        plan, ledger = self._plan, self._ledger
        await self._enter(self._senders)
        talking = asyncio.create_task(self._talk())
        entries = [await self._enter(self._clients)]
        for _ in range(plan.storms):
            await asyncio.sleep(plan.seconds)
            for client in self._clients:
                client.vanish()
            entries.append(await self._enter(self._clients))
        await asyncio.sleep(plan.seconds)
        talking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await talking
        everybody = [*self._senders, *self._clients]
        await settle(everybody, SETTLE_TIMEOUT_S)
        ledger.close(place for member in everybody for place in member.places)
        if any(sender.is_waiting for sender in self._senders):
            ledger.wrong["message was not acknowledged"] += 1
        for member in everybody:
            member.vanish()
        return Outcome(entries, ledger.wrong, ledger.newest(LARGE), self._process.peak_kib())

    async def _enter(self, members: Sequence[Follower]) -> Entry:
        failed, took = Counter[str](), list[float]()

        async def enter(member: Follower) -> None:
            try:
                async with self._limit:
                    began = time.monotonic()
                    await member.open()
                await member.enter()
            except OSError as error:
                failed[f"connection failed: {error.strerror or error}"] += 1
            else:
                took.append((time.monotonic() - began) * 1e3)

        began = time.monotonic()
        tasks = [asyncio.create_task(enter(member)) for member in members]
        done, late = await asyncio.wait(tasks, timeout=PATIENCE * self._plan.within)
        seconds = time.monotonic() - began
        for task in late:
            task.cancel()
        for task in done:
            task.result()
        if late:
            failed["not in at all"] += len(late)
        return Entry(seconds, took, failed, self._process.rss_kib())

    async def _talk(self) -> None:
        """Say something in the large room and in a small one, again and again."""
        rooms: Iterator[tuple[str, Follower]] = itertools.cycle(self._small.items())
        due = time.monotonic()
        for number in itertools.count():
            self._senders[number % SENDERS].say(LARGE, f"{number:016x}")
            if self._small:
                room, sender = next(rooms)
                sender.say(room, f"{number:016x}")
            due += 1 / self._plan.rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))


async def run(plan: Plan, process: Process) -> Outcome:
    """Do it, to a server that runs."""
    return await _Storm(plan, process).run()


def report(plan: Plan, outcome: Outcome) -> str:
    """Return what is to be printed."""
    lines = ["| | all in after, s | connect → subscribed, p50 / p99, ms | failed | MB |", "| --- " * 5 + "|"]
    names = ["at first", *(f"storm {number}" for number in range(1, plan.storms + 1))]
    lines += [f"| {name} | {entry} |" for name, entry in zip(names, outcome.entries, strict=True)]
    lines.append(f"\n{outcome.messages:,} messages in the large room; the server's memory at most")
    lines[-1] += f" {outcome.peak_kib / 1024:,.0f} MB"
    complaints = outcome.complaints(plan.within)
    lines += ["FAILED", *complaints] if complaints else ["everybody has every message once"]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as the command line says."""
    plan = _plan(arguments)
    say(f"{plan.clients:,} clients in one room, {plan.rate:g} messages/s; {plan.handshakes} handshakes at a time")
    keep_to(GENERATOR_CORE)
    with serving(CHAT_RATE_LIMIT="off") as process:
        outcome = uvloop.run(run(plan, process))
    say(report(plan, outcome))
    return 1 if outcome.complaints(plan.within) else 0


def _plan(arguments: Sequence[str] | None) -> Plan:
    parser = argparse.ArgumentParser(
        prog="make storm",
        description="Have everybody lose the connection at once and come back, and check that nobody missed anything.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    default = Plan()
    parser.add_argument("--clients", type=int, default=default.clients, help="how many")
    parser.add_argument("--small", type=int, default=default.small, help="how many small rooms, of five of them")
    parser.add_argument("--rate", type=float, default=default.rate, help="messages a second in the large room")
    parser.add_argument("--storms", type=int, default=default.storms, help="how often the connections are lost")
    parser.add_argument("--seconds", type=float, default=default.seconds, help="how long it is calm before and after")
    parser.add_argument("--handshakes", type=int, default=default.handshakes, help="most that are under way at a time")
    parser.add_argument("--within", type=float, default=default.within, help="seconds in which all must be back")
    plan = Plan(**vars(parser.parse_args(arguments)))
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))  # the server inherits it
    if not 1 <= plan.clients <= files - SPARE_FILES:
        parser.error(f"between 1 and {files - SPARE_FILES:,} clients: a process may open {files:,} files (ulimit -n)")
    if not (0 <= plan.small <= min(300, plan.clients // IN_A_SMALL_ROOM) and 1 <= plan.storms <= 100):  # noqa: PLR2004
        parser.error("at most 300 small rooms, each of five clients; between 1 and 100 storms")
    if not (0 < plan.rate <= 100 and 0 <= plan.seconds <= 600 and plan.handshakes >= 1 and plan.within > 0):  # noqa: PLR2004
        parser.error("more than 0 and at most 100 messages a second; up to 600 seconds; at least 1 handshake")
    return plan


if __name__ == "__main__":
    sys.exit(main())
