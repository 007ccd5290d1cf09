"""Starting the server as an operator does: what is wrong is said in one line, and the exit code is not 0."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
UVICORN = [sys.executable, "-m", "uvicorn", "chat.main:app", "--host", "127.0.0.1"]


def start(command: Sequence[str], **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command that must end by itself."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CHAT_")}
    return subprocess.run(
        command, env=environment | settings, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"CHAT_MAX_ROMS": "5"}, "parley: CHAT_MAX_ROMS is not a setting; did you mean CHAT_MAX_ROOMS?"),
        ({"CHAT_MAX_ROOMS": "many"}, "parley: CHAT_MAX_ROOMS='many' does not fit: "),
        ({"CHAT_MAX_ROOMS": "0"}, "parley: CHAT_MAX_ROOMS='0' does not fit: Input should be greater than 0"),
        ({"CHAT_LOG_LEVEL": "loud"}, "parley: CHAT_LOG_LEVEL='loud' does not fit: "),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_line_that_names_it(settings: dict[str, str], line: str) -> None:
    ended = start([*UVICORN, "--port", "0"], **settings)

    assert ended.returncode != 0
    assert ended.stderr.startswith(line)
    assert ended.stderr.count("\n") == 1


def test_a_port_in_use_stops_the_start_with_a_line_that_names_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        ended = start([*UVICORN, "--port", port])

    assert ended.returncode != 0
    assert "Traceback" not in ended.stderr
    errors = [line for line in ended.stderr.splitlines() if "address already in use" in line]
    assert len(errors) == 1
    assert port in errors[0]


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
