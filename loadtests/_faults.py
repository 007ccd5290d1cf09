"""The fault runs: under load the server is killed, told to stop, or cannot write. `make faults`.

Each run has a server of its own, with a database in a temporary folder, and clients that come back by themselves.
Everything that they do, are told and see is kept, and looked through at the end, with the whole log.

The exit code is 1 if anything happened that must not, or took longer than it may. The history and the database of such
a run are kept.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import resource
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from loadtests._crowd import Crowd
from loadtests._history import Failed, write
from loadtests._outcome import FAULTS, STOP_S, Outcome, Plan, complaints, text, too_slow
from loadtests._process import say
from loadtests._server import DATABASE, STOP_TIMEOUT_S, Server, database_url, free_port
from loadtests.checker import judge

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from loadtests.checker import Verdict

EAGER = 0.2
"""The share of faults that do not wait until everybody is back from the one before."""
STILLBORN = 0.1
"""The share of servers that are killed once more, while they start."""
STARTING_S = (0.3, 1.5)
LONGEST_WAIT_S = 0.8
NO_SPACE_S = (1.0, 2.0)
LOCKED_S = (3.0, 4.0)
"""Longer than the server waits for a lock that another program holds: 2 s."""
WORKS_AGAIN = 50
"""How many acknowledgements show that it does."""


class _Run:
    """One run, with a server that comes and goes on one port."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self._plan = plan
        self._dice = random.Random(plan.seed)
        self._folder = folder
        # Whoever comes back sends at once what could not be sent before; how fast clients may go is not the question.
        self._settings = {"CHAT_DATABASE_URL": database_url(folder), "CHAT_RATE_LIMIT": "off"}
        self._port = free_port()
        self._server: Server | None = None
        self._going_away = False
        url = f"ws://127.0.0.1:{self._port}/connection/websocket"
        self._crowd = Crowd(
            url, clients=plan.clients, rooms=plan.rooms, seed=plan.seed, planned=lambda: self._going_away
        )
        self.outcome = Outcome(plan, self._crowd.history)

    async def run(self) -> None:
        """Do it. What goes wrong on the way is a complaint."""
        fault: Callable[[], Awaitable[None]] = {"kill": self._kill, "stop": self._stop, "disk": self._disk}[
            self._plan.fault
        ]
        try:
            if self._plan.fault == "kill":
                await self._interrupt_start()  # the database is made then
            await self._start()
            await self._crowd.enter()
            talking = asyncio.create_task(self._crowd.talk(self._plan.rate))
            try:
                for _ in range(self._plan.times):
                    await self._wait_for_the_moment()
                    await fault()
                    self.outcome.done += 1
                await self._crowd.wait_until_in()
            finally:
                talking.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await talking
            await self._crowd.settle()
            await self._crowd.leave()
        except (OSError, RuntimeError) as error:  # a timeout is an OSError
            self.outcome.complaints.append(f"the run ended early: {error!r}")
        finally:
            self._going_away = True
            if self._server is not None:
                await self._server.stop()
        self.outcome.back_s = self._crowd.back_s
        self.outcome.load = os.getloadavg()[0]
        self.outcome.complaints += complaints(self.outcome)
        self.outcome.too_slow += too_slow(self.outcome)

    async def _wait_for_the_moment(self) -> None:
        if self._plan.fault == "disk" or self._dice.random() >= EAGER:
            await self._crowd.wait_until_in()
        await asyncio.sleep(self._dice.uniform(0, LONGEST_WAIT_S))

    async def _start(self) -> None:
        start = time.perf_counter()
        self._server = await Server.start(self._settings, self._port)
        self.outcome.ready_s.append(time.perf_counter() - start)
        self._going_away = False

    async def _end(self, signum: signal.Signals) -> None:
        assert self._server is not None
        self._going_away = True
        start = time.perf_counter()
        self._server.process.send_signal(signum)
        self._crowd.still_away()
        async with asyncio.timeout(STOP_TIMEOUT_S):
            self.outcome.exits[await self._server.wait()] += 1
        self.outcome.stop_s.append(time.perf_counter() - start)

    async def _interrupt_start(self) -> None:
        self._server = await Server.spawn(self._settings, self._port)
        await asyncio.sleep(self._dice.uniform(*STARTING_S))
        await self._end(signal.SIGKILL)

    async def _kill(self) -> None:
        await self._end(signal.SIGKILL)
        if self._dice.random() < STILLBORN:
            await self._interrupt_start()
        await self._start()

    async def _stop(self) -> None:
        await self._end(signal.SIGTERM)
        await self._start()

    async def _disk(self) -> None:
        already = len(self._crowd.history)
        if self.outcome.done % 2 or sys.platform != "linux":
            await asyncio.to_thread(_hold_lock, self._folder, self._dice.uniform(*LOCKED_S))
        else:
            assert self._server is not None
            with _no_space(self._server.process.pid):
                await asyncio.sleep(self._dice.uniform(*NO_SPACE_S))
        await self._crowd.wait_for_acks(WORKS_AGAIN)
        self._crowd.compare()
        if not any(isinstance(event, Failed) and event.temporary for event in self._crowd.history[already:]):
            self.outcome.complaints.append(f"fault {self.outcome.done + 1} made nothing fail")


@contextlib.contextmanager
def _no_space(pid: int) -> Iterator[None]:
    """Let no file of a process grow, meanwhile. Only Linux can do that from outside of it."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


def _hold_lock(folder: Path, seconds: float) -> None:
    """Be another program that writes to the database, and takes its time."""
    with contextlib.closing(sqlite3.connect(folder / DATABASE, isolation_level=None, timeout=STOP_S)) as connection:
        connection.execute("begin immediate")
        time.sleep(seconds)
        connection.execute("rollback")


def run(plan: Plan, folder: Path) -> tuple[Outcome, Verdict]:
    """Do what the plan says with a database in this folder, and look through what happened."""

    async def run() -> Outcome:
        one = _Run(plan, folder)
        await one.run()
        return one.outcome

    outcome = asyncio.run(run())
    verdict = judge(outcome.history)
    if not verdict.compared:
        outcome.complaints.append("no client's state was compared with the server's")
    return outcome, verdict


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line says, one after the other, and print what came of it."""
    results = [_report(plan) for plan in _plans(arguments)]
    return 0 if all(results) else 1


def _report(plan: Plan) -> bool:
    say(f"{plan.fault}: {plan.clients} clients in {plan.rooms} rooms, {plan.rate:g} messages/s; seed {plan.seed}")
    folder = Path(tempfile.mkdtemp(prefix=f"parley-{plan.fault}-"))
    outcome, verdict = run(plan, folder)
    passed = verdict.passed and not outcome.complaints and not outcome.too_slow
    say("\n".join(text(outcome, verdict)))
    if passed:
        shutil.rmtree(folder)
    else:
        write(outcome.history, folder / "history.jsonl")
        say(f"FAILED. The history: {folder / 'history.jsonl'}, beside the database")
    return passed


def _plans(arguments: Sequence[str] | None) -> list[Plan]:
    parser = argparse.ArgumentParser(
        prog="python -m loadtests._faults",
        description="Kill the server, stop it and fill its disk under load, and check that nobody lost anything.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("fault", nargs="?", choices=[*FAULTS, "all"], default="all", help="which run")
    parser.add_argument("--kills", type=int, default=100, help="how often to kill the server")
    parser.add_argument("--stops", type=int, default=50, help="how often to have it stop")
    parser.add_argument("--faults", type=int, default=6, help="how often its disk is full or its database locked")
    parser.add_argument("--seed", type=int, default=1, help="who does what and when is drawn from it")
    given = parser.parse_args(arguments)
    times = {"kill": given.kills, "stop": given.stops, "disk": given.faults}
    if not all(1 <= count <= 1000 for count in times.values()):  # noqa: PLR2004  (the message says it)
        parser.error("each between 1 and 1000 times")
    return [Plan(fault, times[fault], given.seed) for fault in FAULTS if given.fault in {fault, "all"}]


if __name__ == "__main__":
    sys.exit(main())
