"""`make stalled`: some of a room's members stop reading. What the others notice, what it costs, and when they are gone.

Again and again there is a quiet slice of time, in which everybody reads, and one in which some do not, until the
kernel does not know their connections any more. Then these read what had come, come back, and must have every message
once. Compared is how long messages take to those who always read. Machines are noisy: the middle one of the rounds'
ratios counts.

What a stalled client costs is what the server's process grew by and what the kernel holds unsent for them, at its
peak, divided by how many they are.

The exit code is 1 if a message is missing or came twice, or a connection was not gone in time.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import statistics
import sys
import time
from array import array
from typing import TYPE_CHECKING, Final, NamedTuple

import uvloop

from loadtests._blast import quantile
from loadtests._follower import Follower, settle
from loadtests._ledger import Ledger
from loadtests._process import GENERATOR_CORE, keep_to, say, serving
from loadtests._sockets import cut_off, unsent

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Collection, Mapping, Sequence

    from loadtests._process import Process

ROOM: Final = "room"
RECEIVE_BYTES: Final = 16_384
"""What the kernel holds for those who stall, on their side; it doubles this."""
LOOK_EVERY_S: Final = 0.25
IN_THE_KERNEL_BYTES: Final = 1_048_576
"""More than it holds of a connection, on both sides together."""
SETTLE_TIMEOUT_S: Final = 60.0
CONNECTING: Final = 50
GONE_WITHIN_S: Final = 5.0
RATIO: Final = 1.2
KIB_EACH: Final = 512.0


class Plan(NamedTuple):
    """What to do. A quiet slice takes `seconds`."""

    members: int = 1_000
    stalled: int = 200
    rate: float = 20.0
    chars: int = 4_000
    rounds: int = 3
    seconds: float = 10.0
    backlog: int = 1_048_576

    @property
    def longest_s(self) -> float:
        """How long it may take until all who stall are gone."""
        return 2 * (self.backlog + IN_THE_KERNEL_BYTES) / (self.rate * self.chars) + 10 * GONE_WITHIN_S


class Look(NamedTuple):
    """What was there at a time (Unix): the server's memory, and what the kernel holds by the clients' ports."""

    time: float
    rss_kib: int
    unsent: Mapping[int, int]


class Round(NamedTuple):
    """A quiet slice and one in which some stalled. Latencies are ms; `kib` is each one's share, process and kernel."""

    quiet: tuple[float, float]
    stalled: tuple[float, float]
    kib: tuple[float, float]
    gone: Sequence[float]
    """For each whom the server cut off, in how many seconds after that the kernel did not know it."""
    left: int
    """How many were still there in the end, or never cut off."""
    back_s: float

    def __str__(self) -> str:
        (p50, p99), (p50_s, p99_s) = self.quiet, self.stalled
        ratio = f"{p50_s / p50:.2f} / {p99_s / p99:.2f}" if p50 else "-"
        latencies = f"{p50:.1f} / {p99:.1f} | {p50_s:.1f} / {p99_s:.1f} | {ratio}"
        sizes = f"{self.kib[0]:.0f} + {self.kib[1]:.0f}"
        gone = f"{max(self.gone):.1f}" if self.gone and not self.left else "no"
        return f"{latencies} | {sizes} | {gone} | {self.back_s:.1f}"


class Outcome(NamedTuple):
    """What a run came to."""

    rounds: Sequence[Round]
    wrong: Counter[str]
    messages: int

    def complaints(self) -> list[str]:
        """Return everything for which the run has failed."""
        found = [f"{count:,} x {what}" for what, count in self.wrong.most_common()]
        for number, one in enumerate(self.rounds, 1):
            late = sum(seconds > GONE_WITHIN_S for seconds in one.gone)
            if late or one.left:
                found.append(f"round {number}: {late + one.left:,} connections were not gone after {GONE_WITHIN_S:g} s")
        return found + ([] if self.messages else ["nothing was said"])

    def ratio(self, which: int) -> float:
        """Return how much longer messages took while some stalled: at the median (0), or the 99th percentile (1)."""
        ratios = [one.stalled[which] / one.quiet[which] for one in self.rounds if one.quiet[which]]
        return statistics.median(ratios) if ratios else 0.0

    def kib(self) -> float:
        """Return the most that a stalled client cost, kernel included."""
        return max(sum(one.kib) for one in self.rounds)


def cost(before_kib: int, looks: Sequence[Look], ports: Sequence[int]) -> tuple[float, float]:
    """Return what each of those at these ports cost when they cost most, in KiB: in the process, and in the kernel."""

    def at(look: Look) -> tuple[float, float]:
        held = sum(look.unsent.get(port, 0) for port in ports) / 1024
        return max(0, look.rss_kib - before_kib) / len(ports), held / len(ports)

    return max(map(at, looks), key=sum)


def departures(looks: Sequence[Look], cut: Mapping[int, float]) -> tuple[list[float], int]:
    """Return in how many seconds each was gone after it was cut off, by port; and how many were there to the end.

    That is when they were first looked for in vain, so rather too late than too early.
    """
    gone: list[float] = []
    for port, since in cut.items():
        last = max((look.time for look in looks if port in look.unsent), default=0.0)
        after = [look.time for look in looks if look.time > max(last, since)]
        if after:
            gone.append(after[0] - since)
    return gone, len(cut) - len(gone)


class _Stalled:
    def __init__(self, plan: Plan, process: Process) -> None:
        self._plan = plan
        self._process = process
        self._ledger = Ledger()
        port = process.port
        self._sender = Follower(port, [ROOM], self._ledger)
        self._readers = [Follower(port, [ROOM], self._ledger) for _ in range(plan.members - plan.stalled)]
        self._stalling = [Follower(port, [ROOM], self._ledger, RECEIVE_BYTES) for _ in range(plan.stalled)]
        self._limit = asyncio.Semaphore(CONNECTING)

    async def run(self) -> Outcome:
        everybody = [self._sender, *self._readers, *self._stalling]
        await self._enter(everybody)
        talking = asyncio.create_task(self._talk())
        await self._watch(min(2.0, self._plan.seconds))
        rounds = [await self._round() for _ in range(self._plan.rounds)]
        talking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await talking
        await settle(everybody, SETTLE_TIMEOUT_S)
        self._ledger.close(place for member in everybody for place in member.places)
        if self._sender.is_waiting:
            self._ledger.wrong["message was not acknowledged"] += 1
        for member in everybody:
            member.vanish()
        return Outcome(rounds, self._ledger.wrong, self._ledger.newest(ROOM))

    async def _enter(self, members: Sequence[Follower]) -> None:
        async def enter(member: Follower) -> None:
            try:
                async with self._limit:
                    await member.open()
                    await member.enter()
            except OSError as error:
                self._ledger.wrong[f"connection failed: {error.strerror or error}"] += 1

        await asyncio.gather(*map(enter, members))

    async def _talk(self) -> None:
        due = time.monotonic()
        for number in itertools.count():
            self._sender.say(ROOM, f"{number:016x}", "x" * (self._plan.chars - 24))
            due += 1 / self._plan.rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _round(self) -> Round:
        quiet = self._listen()
        await self._watch(self._plan.seconds)
        before_kib = self._process.rss_kib()
        stalled = self._listen()
        ports = {member.local_port: member.client for member in self._stalling}
        for member in self._stalling:
            member.stall()
        looks = await self._watch(self._plan.longest_s, ports)
        self._listen()
        cut = cut_off(self._process.log.read_bytes().splitlines())
        known = {port: cut[client] for port, client in ports.items() if client in cut}
        gone, left = departures(looks, known)
        return Round(
            _middle_and_tail(quiet),
            _middle_and_tail(stalled),
            cost(before_kib, looks, list(ports)),
            gone,
            left + len(ports) - len(known),
            await self._come_back(),
        )

    async def _come_back(self) -> float:
        """Have those who stalled read, resume, and catch up; return in how many seconds they had."""
        began = time.monotonic()
        ends = [asyncio.create_task(member.read_to_the_end()) for member in self._stalling]
        await asyncio.wait(ends, timeout=GONE_WITHIN_S)
        for end, member in zip(ends, self._stalling, strict=True):
            if not end.done():
                end.cancel()
                member.vanish()
        await self._enter(self._stalling)
        await settle(self._stalling, SETTLE_TIMEOUT_S)
        return time.monotonic() - began

    def _listen(self) -> array[float]:
        """Return what the latencies of those who always read are collected in from now on."""
        took: array[float] = array("d")
        for member in self._readers:
            member.took = took
        return took

    async def _watch(self, seconds: float, ports: Collection[int] = ()) -> list[Look]:
        """Look at server and kernel again and again, for so long, or, if there are any, until these ports are gone.

        In quiet slices too, since looking takes time from the clients.
        """
        looks: list[Look] = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await asyncio.sleep(LOOK_EVERY_S)
            held = await asyncio.to_thread(unsent, self._process.port)
            looks.append(Look(time.time(), self._process.rss_kib(), held))
            if ports and held.keys().isdisjoint(ports):
                break
        return looks


def _middle_and_tail(took: array[float]) -> tuple[float, float]:
    return quantile(took, 0.5), quantile(took, 0.99)


async def run(plan: Plan, process: Process) -> Outcome:
    """Do it, to a server that runs and logs as JSON what clients do."""
    return await _Stalled(plan, process).run()


def report(plan: Plan, outcome: Outcome) -> str:
    """Return what is to be printed."""
    ratios = f"{outcome.ratio(0):.2f} / {outcome.ratio(1):.2f}"
    lines = [
        "| round | quiet p50 / p99, ms | stalled | ratio | KiB each: process + kernel | gone after, s | caught up, s |",
        "| --- " * 7 + "|",
        *(f"| {number} | {one} |" for number, one in enumerate(outcome.rounds, 1)),
        "",
        f"{outcome.messages:,} messages; CHAT_MAX_BACKLOG_BYTES={plan.backlog}",
        f"while some stall, messages take {ratios} times as long to the others, p50 / p99; aim: {RATIO:g}",
        f"a stalled client costs at most {outcome.kib():.0f} KiB; aim: {KIB_EACH:g}",
    ]
    complaints = outcome.complaints()
    lines += ["FAILED", *complaints] if complaints else ["everybody has every message once"]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as the command line says."""
    plan = _plan(arguments)
    load = f"{plan.rate:g} messages/s of {plan.chars:,} characters"
    say(f"{plan.members:,} members, of whom {plan.stalled:,} stall; {load}")
    keep_to(GENERATOR_CORE)
    backlog = str(plan.backlog)
    with serving(CHAT_RATE_LIMIT="off", CHAT_LOG_LEVEL="info", CHAT_MAX_BACKLOG_BYTES=backlog) as process:
        outcome = uvloop.run(run(plan, process))
    say(report(plan, outcome))
    return 1 if outcome.complaints() else 0


def _plan(arguments: Sequence[str] | None) -> Plan:
    parser = argparse.ArgumentParser(
        prog="make stalled",
        description="Have some members of a room stop reading, and see what the others notice.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    default = Plan()
    parser.add_argument("--members", type=int, default=default.members, help="how many are in the room")
    parser.add_argument("--stalled", type=int, default=default.stalled, help="how many of them stop reading")
    parser.add_argument("--rate", type=float, default=default.rate, help="messages a second")
    parser.add_argument("--chars", type=int, default=default.chars, help="how long each is")
    parser.add_argument("--rounds", type=int, default=default.rounds, help="how often some stop reading")
    parser.add_argument("--seconds", type=float, default=default.seconds, help="how long all read in between")
    parser.add_argument("--backlog", type=int, default=default.backlog, help="the server's CHAT_MAX_BACKLOG_BYTES")
    plan = Plan(**vars(parser.parse_args(arguments)))
    if not 1 <= plan.stalled < plan.members <= 5_000:  # noqa: PLR2004  (each message says what)
        parser.error("at most 5,000 members; at least one stalls, and one does not")
    if not (0 < plan.rate <= 1_000 and 24 <= plan.chars <= 4_000 and plan.backlog > 0):  # noqa: PLR2004
        parser.error("more than 0 and at most 1,000 messages a second, of 24 to 4,000 characters")
    if not (1 <= plan.rounds <= 100 and 0 < plan.seconds <= 600):  # noqa: PLR2004
        parser.error("between 1 and 100 rounds, of up to 600 seconds")
    return plan


if __name__ == "__main__":
    sys.exit(main())
