"""Short runs of Locust, all at the same time: against rooms that do something wrong, and against the server."""

from __future__ import annotations

import csv
import itertools
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.loadtests.room import Entry, Room, serving
from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
USERS = 10
LEFT_OUT = 2
ONE_MORE = """
from types import SimpleNamespace
from locust import events
from locust.env import Environment
from loadtests.locustfile import ChatUser

environment = Environment(events=events, parsed_options=SimpleNamespace(scenario="room"))
environment.create_local_runner()
events.init.fire(environment=environment)
events.test_start.fire(environment=environment)
ChatUser.test.rows.delivered(5)
events.test_stop.fire(environment=environment)
print(environment.stats.get("send → deliver", "WS").num_requests)
"""
CROWD = 80
"""Sixteen of which read slowly, and four make speeches: they fill what the kernel holds for a connection in 8 s."""


class Run:
    """A run of Locust, and what it says afterwards."""

    def __init__(self, host: str, folder: Path, *options: str, users: int = USERS, seconds: int = 6) -> None:
        self._folder = folder
        common = f"-u {users} -r {users} -t {seconds}s -H {host} --headless --only-summary --csv run --html run.html"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "locust", "-f", f"{ROOT}/loadtests/", *common.split(), *options],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def wait(self) -> None:
        self.output = self._process.communicate(timeout=60)[0].decode()
        self.exit_code = self._process.returncode
        self.rows = {row["Name"]: row for row in self.table("stats")}
        self.failures = {(row["Name"], row["Error"]) for row in self.table("failures")}
        self.html = (self._folder / "run.html").read_text()

    def end(self) -> None:
        """End it if it is still there."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.communicate()

    def table(self, name: str) -> list[dict[str, str]]:
        return list(csv.DictReader((self._folder / f"run_{name}.csv").read_text().splitlines()))

    def count(self, row: str) -> int:
        return int(self.rows[row]["Request Count"]) if row in self.rows else 0


class Runs:
    """Everything that is tried, and the rooms of what is no real server."""

    def __init__(self, folder: Callable[[str], Path], open_: ExitStack) -> None:
        self.rooms: dict[str, Room] = {}
        self.runs: dict[str, Run] = {}
        self._folder = folder
        self._open = open_

    def toy(self, name: str, *options: str) -> Room:
        room = self.rooms[name] = self._open.enter_context(serving())
        self.start(name, room.url, *options)
        return room

    def start(self, name: str, host: str, *options: str, users: int = USERS, seconds: int = 6) -> None:
        self.runs[name] = Run(host, self._folder(name), *options, users=users, seconds=seconds)
        self._open.callback(self.runs[name].end)

    def __getitem__(self, name: str) -> Run:
        return self.runs[name]


def a_free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def recover_badly(room: Room) -> None:
    """Have everybody who comes back miss something, and not get it, or get it twice, by turns."""
    times = itertools.cycle((0, 2))

    def recovery(missed: list[Entry]) -> list[Entry]:
        room.say()
        return [*missed, *room.log[-1:] * next(times)]

    room.recovery = recovery


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    with ExitStack() as open_:
        runs = Runs(tmp_path_factory.mktemp, open_)
        runs.toy("one process").left_out = LEFT_OUT
        port = a_free_port()
        two = ("--processes", "2", "--master-port", port, "--master-bind-port", port)
        runs.toy("two processes", *two).left_out = LEFT_OUT
        recover_badly(runs.toy("bad recovery", "--scenario", "storm", "--storm-every", "2"))
        server = open_.enter_context(running())
        for scenario in ("room", "rooms", "day"):
            runs.start(scenario, server.url, "--scenario", scenario)
        runs.start("storm", server.url, "--scenario", "storm", "--storm-every", "2")
        small = open_.enter_context(running(CHAT_MAX_BACKLOG_BYTES="131072"))
        runs.start("slow", small.url, "--scenario", "slow", users=CROWD, seconds=14)
        for run in runs.runs.values():
            run.wait()
        yield runs


@pytest.mark.parametrize("name", ["one process", "two processes"])
def test_everybody_connects(runs: Runs, name: str) -> None:
    assert runs[name].count("connect") == USERS
    assert runs[name].rows["connect"]["Failure Count"] == "0"


@pytest.mark.parametrize("name", ["one process", "two processes"])
def test_every_acknowledged_message_is_counted(runs: Runs, name: str) -> None:
    acknowledged = runs[name].count("send → ack")

    assert acknowledged > LEFT_OUT
    assert 0 <= runs.rooms[name].acknowledged - acknowledged <= 2  # those under way at the end


@pytest.mark.parametrize("name", ["one process", "two processes"])
def test_every_delivery_is_counted(runs: Runs, name: str) -> None:
    run = runs[name]

    assert 0 <= runs.rooms[name].delivered - run.count("send → deliver") - run.count("gaps") <= 2 * USERS  # as above
    assert run.count("Aggregated") == sum(map(run.count, run.rows.keys() - {"Aggregated"}))


def test_a_delivery_right_before_the_end_is_counted() -> None:
    ended = subprocess.run([sys.executable, "-c", ONE_MORE], cwd=ROOT, timeout=60, capture_output=True, check=True)

    assert ended.stdout.decode().split() == ["1"]


@pytest.mark.parametrize("name", ["one process", "two processes"])
def test_a_gap_fails_the_run(runs: Runs, name: str) -> None:
    run = runs[name]

    assert run.failures == {("gaps", "GapError('gap in the offsets')")}
    assert run.count("gaps") == int(run.rows["gaps"]["Failure Count"]) > 0
    assert run.count("duplicates") == 0
    assert run.exit_code == 1


def test_what_is_lost_or_doubled_across_a_reconnection_fails_the_run(runs: Runs) -> None:
    run = runs["bad recovery"]

    assert {("gaps", "GapError('gap in the offsets')"), ("duplicates", "DuplicateError('offset came again')")} <= (
        run.failures
    )
    assert run.exit_code == 1


def passes(run: Run, users: int = USERS) -> None:
    assert (run.failures, run.exit_code) == (set(), 0), run.output
    assert (run.count("gaps"), run.count("duplicates")) == (0, 0)
    assert run.count("connect") == users


def test_the_server_passes_in_one_big_room(runs: Runs) -> None:
    run = runs["room"]

    passes(run)
    assert run.count("send → deliver") > USERS


def test_the_server_passes_in_small_rooms(runs: Runs) -> None:
    run = runs["rooms"]

    passes(run)
    assert run.count("send → ack") < run.count("send → deliver") <= 3 * (run.count("send → ack") + USERS)


def test_the_server_passes_in_reconnect_storms(runs: Runs) -> None:
    run = runs["storm"]

    passes(run)
    assert run.count("resume") >= USERS
    assert run.count("send → deliver") > USERS


def test_the_server_cuts_off_who_does_not_read_and_gives_them_everything_afterwards(runs: Runs) -> None:
    run = runs["slow"]

    passes(run, CROWD)
    assert run.count("cut off") >= CROWD / 5
    assert run.count("resume") >= CROWD / 5
    assert run.count("send → catch up") > 10 * CROWD


def test_the_server_passes_on_a_day(runs: Runs) -> None:
    run = runs["day"]
    users = [int(second["User Count"]) for second in run.table("stats_history")]

    assert (run.failures, run.exit_code) == (set(), 0), run.output
    assert max(users) == USERS
    assert 0 < next(filter(None, users)) < USERS / 2
    assert 0 < run.count("send → ack") < run.count("send → deliver")


def test_rows_of_what_must_not_happen_are_in_the_report_although_it_did_not(runs: Runs) -> None:
    assert {"gaps", "duplicates"} <= runs["room"].rows.keys()
    assert '"name": "gaps"' in runs["room"].html
    assert '"name": "duplicates"' in runs["room"].html
