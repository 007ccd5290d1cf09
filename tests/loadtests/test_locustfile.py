"""Short runs of Locust, against a room that leaves one offset out, and against the server."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

if TYPE_CHECKING:
    from websockets.sync.server import ServerConnection

    from tests.server import Server

ROOT = Path(__file__).parents[2]
USERS = 10  # nine listen, one sends
LEFT_OUT = 2


class Room:
    """As much of a chat as a load test can tell from a real one."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._members: set[ServerConnection] = set()
        self._offset = 0
        self.acknowledged = 0
        self.delivered = 0

    def handle(self, connection: ServerConnection) -> None:
        try:
            for frame in connection:
                with self._guard:
                    self._answer(connection, json.loads(frame))
        finally:
            with self._guard:
                self._members.discard(connection)

    def _answer(self, connection: ServerConnection, command: dict[str, object]) -> None:
        result: dict[str, object] = {}
        text = ""
        match command:
            case {"subscribe": _}:
                method, result = "subscribe", {"offset": self._offset, "epoch": "e"}
                self._members.add(connection)
            case {"rpc": {"data": {"text": str(text)}}}:
                method = "rpc"
                self._offset += 2 if self._offset + 1 == LEFT_OUT else 1
                self.acknowledged += 1
            case _:
                method = "connect"
        connection.send(json.dumps({"id": command["id"], method: result}))
        if text:
            publication = {"offset": self._offset, "data": {"type": "message", "text": text}}
            self._broadcast(json.dumps({"push": {"channel": "load", "pub": publication}}))

    def _broadcast(self, push: str) -> None:
        for member in self._members:
            try:
                member.send(push)
            except ConnectionClosed:
                continue
            self.delivered += 1


class Report(NamedTuple):
    """What Locust says of a run."""

    exit_code: int
    rows: dict[str, dict[str, str]]
    failures: dict[str, str]

    def count(self, row: str) -> int:
        return int(self.rows[row]["Request Count"])


def run_locust(host: str, folder: Path, seconds: int) -> Report:
    options = f"-u {USERS} -r {USERS} -t {seconds}s -H {host} --headless --only-summary --csv run"
    ended = subprocess.run(
        [sys.executable, "-m", "locust", "-f", f"{ROOT}/loadtests/", *options.split()],
        cwd=folder,
        timeout=60,
        capture_output=True,
        check=False,
    )

    def table(name: str) -> list[dict[str, str]]:
        return list(csv.DictReader((folder / f"run_{name}.csv").read_text().splitlines()))

    return Report(
        ended.returncode,
        {row["Name"]: row for row in table("stats")},
        {row["Error"]: row["Name"] for row in table("failures")},
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Room, Report]:
    room = Room()
    with serve(room.handle, "127.0.0.1", 0) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        port = listening.socket.getsockname()[1]
        report = run_locust(f"http://127.0.0.1:{port}", tmp_path_factory.mktemp("locust"), 4)
        listening.shutdown()
        thread.join()
    return room, report


def test_everybody_connects(run: tuple[Room, Report]) -> None:
    _, report = run

    assert report.count("connect") == USERS
    assert report.rows["connect"]["Failure Count"] == "0"


def test_every_acknowledged_message_is_counted(run: tuple[Room, Report]) -> None:
    room, report = run

    assert report.count("send → ack") > LEFT_OUT
    assert 0 <= room.acknowledged - report.count("send → ack") <= 1  # one may be under way


def test_every_delivery_is_counted(run: tuple[Room, Report]) -> None:
    room, report = run
    rows = report.rows.keys() - {"Aggregated"}

    assert 0 <= room.delivered - report.count("send → deliver") <= USERS  # as above, to each
    assert report.count("Aggregated") == sum(map(report.count, rows))


def test_a_gap_fails_the_run(run: tuple[Room, Report]) -> None:
    _, report = run

    assert report.failures == {"OutOfOrderError('gap in the offsets')": "send → deliver"}
    assert report.exit_code == 1


def test_the_server_passes(server: Server, tmp_path: Path) -> None:
    report = run_locust(server.url, tmp_path, 3)

    assert report.failures == {}
    assert report.count("connect") == USERS
    assert report.count("send → deliver") > USERS
    assert report.exit_code == 0
