"""The crash run: rooms crash under load, and nobody may notice. `make crashes`, or `python -m loadtests._crashes`.

It starts a server of its own and alternates slices of time in which no room crashes with slices in which some do, with
the same load. Half of the rooms, the calm ones, are never crashed: how much slower they are while others crash says how
far a crash reaches. Everything that the clients do, are told and see is kept, and looked through at the end.

The exit code is 1 if anything happened that must not, or if nothing did. Latency does not fail a run: it says as much
about what else the machine does.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import math
import random
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from loadtests._history import write
from loadtests._process import say
from loadtests._report import Slice, report_on, text
from loadtests._sdk import Client
from loadtests._server import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from loadtests._history import Event
    from loadtests._report import Report

KINDS = ("handler", "start", "commit", "fanout")
LONGEST_SLICE_S = 5.0
WARM_UP_S = 2.0
SETTLE_TIMEOUT_S = 20.0
SETTLE_STEP_S = 0.02
REPEATED = 0.03
"""The share of messages that are sent once more after their acknowledgement."""
IN_TWO_ROOMS = 10
"""One client in so many is in two rooms."""


class Plan(msgspec.Struct, frozen=True):
    """What to do. `rate` is messages a second in all, `crashes` crashes a second, `seconds` how long rooms crash."""

    seconds: float = 60.0
    rooms: int = 50
    clients: int = 200
    rate: float = 300.0
    crashes: float = 10.0
    seed: int = 1

    @property
    def pairs(self) -> int:
        """How many slices with crashes there are, and as many without."""
        return math.ceil(self.seconds / LONGEST_SLICE_S)

    @property
    def slice_s(self) -> float:
        """How long a slice takes."""
        return self.seconds / self.pairs


async def run(plan: Plan) -> tuple[Report, list[Slice]]:
    """Do it. Raises `RuntimeError` or `OSError` if there is nothing to run against."""
    dice = random.Random(plan.seed)
    slices: list[Slice] = []
    async with running(CHAT_CHAOS="true", CHAT_ROOM_CLOSED_S="1", CHAT_RATE_LIMIT="off") as server:
        await _Slice(server.url, plan, "warm", dice).run(min(WARM_UP_S, plan.slice_s), crashing=False)
        for number, crashing in itertools.product(range(plan.pairs), (False, True)):
            name = f"{'storm' if crashing else 'quiet'}-{number}"
            slices.append(await _Slice(server.url, plan, name, dice).run(plan.slice_s, crashing=crashing))
    crashed = [event for event in server.events if event.get("event") == "actor.crashed"]
    return report_on(slices, [str(event.get("exception")).rpartition("\n")[2] for event in crashed]), slices


class _Slice:
    """Rooms and clients of their own, for some seconds."""

    def __init__(self, url: str, plan: Plan, name: str, dice: random.Random) -> None:
        self._plan = plan
        self._dice = dice
        self._history: list[Event] = []
        self._keys = (f"{name}-{number}" for number in itertools.count(1))
        rooms = [f"{name}-{number}" for number in range(plan.rooms)]
        self._calm, self._stormy = rooms[::2], rooms[1::2]
        self._clients = [Client(url, f"c{n}", self._rooms_of(n, rooms), self._history) for n in range(plan.clients)]
        self._members = {room: [client for client in self._clients if room in client.rooms] for room in rooms}
        self._targets = _shuffled(self._stormy, dice)
        self._kinds = _shuffled(KINDS, dice)
        self._probes: list[str] = []

    def _rooms_of(self, number: int, rooms: Sequence[str]) -> Sequence[str]:
        first = rooms[number % len(rooms)]
        second = self._dice.choice(rooms)
        return sorted({first, second}) if number % IN_TWO_ROOMS == 0 else [first]

    async def run(self, seconds: float, *, crashing: bool) -> Slice:
        await asyncio.gather(*(client.enter() for client in self._clients))
        await asyncio.gather(
            _every(1 / self._plan.rate, seconds, self._say, self._dice),
            _every(1 / self._plan.crashes, seconds, self._crash if crashing else self._probe_any, self._dice),
        )
        await self._settle()
        await asyncio.gather(*(client.leave() for client in self._clients))
        given_up = {room for client in self._clients for room in client.sent_out}
        return Slice(crashing, self._history, frozenset(self._calm), self._probes, frozenset(given_up))

    def _say(self) -> None:
        client = self._dice.choice(self._clients)
        if self._dice.random() < REPEATED:
            client.repeat()
        else:
            client.send(self._dice.choice(client.rooms), next(self._keys))

    def _crash(self) -> None:
        room = next(self._targets)
        client = self._dice.choice(self._members[room])
        client.crash(room, next(self._kinds), lambda armed: self._probe(client, room) if armed else None)

    def _probe_any(self) -> None:
        room = next(self._targets)
        self._probe(self._dice.choice(self._members[room]), room)

    def _probe(self, client: Client, room: str) -> None:
        key = next(self._keys)
        self._probes.append(key)
        client.send(room, key)

    async def _settle(self) -> None:
        """Wait until everything under way has arrived, but not for ever: what is missing then is an anomaly."""
        try:
            async with asyncio.timeout(SETTLE_TIMEOUT_S):
                await self._wait_for(dict.fromkeys(self._members, 0))  # until all is answered, and so in the log
                newest = {room: await members[0].read_log(room) for room, members in self._members.items()}
                await self._wait_for(newest)
        except TimeoutError:
            pass

    async def _wait_for(self, newest: dict[str, int]) -> None:
        while not all(client.is_done(newest) for client in self._clients):  # noqa: ASYNC110  (one look at all, at the end)
            await asyncio.sleep(SETTLE_STEP_S)


def _shuffled(items: Sequence[str], dice: random.Random) -> Iterator[str]:
    """Yield all in a random order, and then all again in another."""
    while True:
        yield from dice.sample(items, len(items))


async def _every(interval_s: float, seconds: float, do: Callable[[], None], dice: random.Random) -> None:
    """Call once in each interval, at any time in it; what falls behind is caught up with.

    At fixed times every crash would meet a message that is sent at the very same moment, which is not what it is like.
    """
    now = asyncio.get_running_loop().time
    start = now()
    for number in range(round(seconds / interval_s)):
        await asyncio.sleep(start + (number + dice.random()) * interval_s - now())
        do()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as the command line says, and print the report."""
    plan = _plan(arguments)
    say(
        f"{plan.rooms} rooms, {plan.clients} clients, {plan.rate:g} messages/s; {plan.crashes:g} crashes/s in every "
        f"other room, in {plan.pairs} of {2 * plan.pairs} slices of {plan.slice_s:g} s; seed {plan.seed}"
    )
    report, slices = asyncio.run(run(plan))
    say(text(report))
    if not report.passed:
        file = Path(tempfile.mkdtemp(prefix="parley-crashes-")) / "history.jsonl"
        write((event for piece in slices for event in piece.history), file)
        say(f"FAILED. The history: {file}")
    return 0 if report.passed else 1


def _plan(arguments: Sequence[str] | None) -> Plan:
    parser = argparse.ArgumentParser(
        prog="python -m loadtests._crashes",
        description="Have rooms crash under load, and check that no client noticed.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    default = Plan()
    parser.add_argument("--seconds", type=float, default=default.seconds, help="how long rooms crash, up to 3600")
    parser.add_argument("--rooms", type=int, default=default.rooms, help="how many rooms, half of them never crashed")
    parser.add_argument("--clients", type=int, default=default.clients, help="at least as many as rooms")
    parser.add_argument("--rate", type=float, default=default.rate, help="messages per second, in all")
    parser.add_argument("--crashes", type=float, default=default.crashes, help="crashes per second, in all")
    parser.add_argument("--seed", type=int, default=default.seed, help="who does what is drawn from it")
    given = parser.parse_args(arguments)
    plan = Plan(**vars(given))
    if not (1 <= plan.seconds <= 3600 and 2 <= plan.rooms <= plan.clients <= 2000):  # noqa: PLR2004  (each says what)
        parser.error("between 1 and 3600 seconds; at least 2 rooms, at most 2000 clients, and as many as rooms")
    if not (0 < plan.rate <= 5000 and 0 < plan.crashes <= 100):  # noqa: PLR2004
        parser.error("more than 0 and at most 5000 messages and 100 crashes per second")
    return plan


if __name__ == "__main__":
    sys.exit(main())
