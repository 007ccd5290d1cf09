"""Starting the server as an operator does: what is wrong is said in one line, and the exit code is not 0."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.server import database_url, running

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
UVICORN = [sys.executable, "-m", "uvicorn", "chat.main:app", "--host", "127.0.0.1"]


def start(command: Sequence[str], **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command that must end by itself."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CHAT_")}
    with tempfile.TemporaryDirectory() as folder:
        own = {"CHAT_DATABASE_URL": database_url(Path(folder) / "chat.db")}
        return subprocess.run(
            command,
            env=environment | {"CHAT_LOG_FORMAT": "json"} | own | settings,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"CHAT_MAX_ROMS": "5"}, "parley: CHAT_MAX_ROMS is not a setting; did you mean CHAT_MAX_ROOMS?"),
        ({"CHAT_MAX_ROOMS": "many"}, "parley: CHAT_MAX_ROOMS='many' does not fit: "),
        ({"CHAT_MAX_ROOMS": "0"}, "parley: CHAT_MAX_ROOMS='0' does not fit: Input should be greater than 0"),
        ({"CHAT_LOG_LEVEL": "loud"}, "parley: CHAT_LOG_LEVEL='loud' does not fit: "),
        ({"CHAT_DATABASE_URL": "postgres://db"}, "parley: CHAT_DATABASE_URL='postgres://db' does not fit: "),
        ({"CHAT_RETENTION_DAYS": "0"}, "parley: CHAT_RETENTION_DAYS='0' does not fit: "),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_line_that_names_it(settings: dict[str, str], line: str) -> None:
    ended = start([*UVICORN, "--port", "0"], **settings)

    assert ended.returncode != 0
    assert ended.stderr.startswith(line)
    assert ended.stderr.count("\n") == 1


def errors(ended: subprocess.CompletedProcess[str]) -> list[str]:
    """Return what the log of a process has as errors, besides uvicorn's last word."""
    assert "Traceback" not in ended.stderr
    events = [json.loads(line) for line in ended.stderr.splitlines() if line.startswith("{")]
    return [
        event["event"]
        for event in events
        if event["level"] == "error" and event["event"] != "Application startup failed. Exiting."
    ]


def test_a_database_that_cannot_be_opened_stops_the_start_with_one_line(tmp_path: Path) -> None:
    file = tmp_path / "chat.db"
    file.write_text("this is no database, although it is long enough to be taken for one" * 100)

    ended = start([*UVICORN, "--port", "0"], CHAT_DATABASE_URL=database_url(file))

    assert ended.returncode != 0
    (line,) = errors(ended)
    assert str(file) in line


def test_a_second_process_on_the_same_database_is_refused(tmp_path: Path) -> None:
    url = database_url(tmp_path / "chat.db")
    with running(CHAT_DATABASE_URL=url) as first:
        ended = start([*UVICORN, "--port", "0"], CHAT_DATABASE_URL=url)

        assert httpx.get(first.url + "/healthz").status_code == 200

    assert ended.returncode != 0
    (line,) = errors(ended)
    assert "is in use by another process" in line
    assert "CHAT_DATABASE_URL" in line


def test_two_workers_are_refused_instead_of_started_again_and_again(tmp_path: Path) -> None:
    url = database_url(tmp_path / "chat.db")

    ended = start([*UVICORN, "--port", "0", "--workers", "2"], CHAT_DATABASE_URL=url)

    (line,) = errors(ended)
    assert "--workers" in line


def test_a_database_is_free_again_as_soon_as_its_process_was_killed(tmp_path: Path) -> None:
    url = database_url(tmp_path / "chat.db")
    with running(CHAT_DATABASE_URL=url) as first:
        first.kill()

        with running(CHAT_DATABASE_URL=url) as second:
            assert httpx.get(second.url + "/healthz").status_code == 200


def test_a_port_in_use_stops_the_start_with_a_line_that_names_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        ended = start([*UVICORN, "--port", port])

    assert ended.returncode != 0
    (line,) = errors(ended)
    assert "address already in use" in line
    assert port in line


def test_with_reload_it_serves_just_the_same() -> None:
    with running("chat.main:app", "--reload", "--reload-dir", str(ROOT / "chat")) as server:
        server.wait_for_log(lambda line: line["event"] == "chat.started")

        assert httpx.get(server.url + "/healthz").status_code == 200


@pytest.mark.parametrize("implementation", ["websockets-sansio", "wsproto"])
def test_it_serves_with_either_websocket_implementation_of_uvicorn(implementation: str) -> None:
    with (
        running("chat.main:app", "--ws", implementation) as server,
        server.websocket("/ws/1") as one,
        server.websocket("/ws/2") as two,
    ):
        one.send("hello")

        assert two.recv(timeout=10) == "Client 1: hello"
