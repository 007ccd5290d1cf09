"""A client that does not read: cut off for real, a burden to nobody, and afterwards it has missed nothing."""

from __future__ import annotations

import json
import socket
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.server import Member, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.server import Server

MESSAGES = 1_500
TEXT = "x" * 900
GONE_WITHIN_S = 5.0

LOBBY = {"channel": "lobby"}


class Reader:
    """A member that reads when it is told to, on a connection that buffers little."""

    def __init__(self, server: Server, **position: Any) -> None:
        address, port = server.address.split(":")
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.connect((address, int(port)))
        self.port: int = raw.getsockname()[1]
        self._server_port = int(port)
        self._open = ExitStack()
        self.socket = self._open.enter_context(server.websocket(sock=raw, max_queue=1, close_timeout=0.1))
        self.offsets: list[int] = []
        self.epoch = ""
        self.recovered = False
        self.socket.send(json.dumps({"id": 1, "connect": {}}))
        self.socket.send(json.dumps({"id": 2, "subscribe": {**LOBBY, **position}}))
        while not self.epoch:
            self.read()

    def read(self) -> None:
        """Take one frame."""
        for line in str(self.socket.recv(timeout=10)).split("\n"):
            message = json.loads(line)
            if "subscribe" in message:
                self.epoch = message["subscribe"]["epoch"]
                self.recovered = message["subscribe"].get("recovered", False)
                self.offsets += [entry["offset"] for entry in message["subscribe"].get("publications", [])]
            elif "pub" in message.get("push", {}):
                self.offsets.append(message["push"]["pub"]["offset"])

    def read_to_the_end(self) -> None:
        with suppress(ConnectionClosed):
            while True:
                self.read()

    def close(self) -> None:
        self._open.close()

    def is_known_to_the_kernel(self) -> bool:
        """Tell whether the server's end of the connection is there, in any state."""
        pair = (f":{self._server_port:04X}", f":{self.port:04X}")
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return any(row[1].endswith(pair[0]) and row[2].endswith(pair[1]) for row in rows)


@pytest.fixture(scope="module")
def small() -> Iterator[Server]:
    """A server that lets little wait for a client."""
    with running(CHAT_MAX_BACKLOG_BYTES="200000", CHAT_RATE_LIMIT="off") as server:
        yield server


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs Linux to look at sockets")
def test_it_is_cut_off_and_has_every_message_once_when_it_reads_again(small: Server) -> None:
    sender, reader = Member(small), Reader(small)
    sender.call(subscribe=LOBBY)

    for number in range(MESSAGES):
        sender.rpc("send", channel="lobby", key=f"k{number}", text=TEXT)
    small.wait_for_log(lambda line: line["event"] == "client.closed" and line["code"] == 3008)
    began = time.monotonic()
    while reader.is_known_to_the_kernel() and time.monotonic() - began < 2 * GONE_WITHIN_S:
        time.sleep(0.05)
    took = time.monotonic() - began

    reader.read_to_the_end()  # what had come in time
    before = reader.offsets
    back = Reader(small, recover=True, offset=before[-1], epoch=reader.epoch)
    while len(back.offsets) < MESSAGES - len(before):
        back.read()

    assert took < GONE_WITHIN_S
    assert MESSAGES - len(before) > 300  # far more than is kept at hand
    assert back.recovered
    assert before + back.offsets == list(range(1, MESSAGES + 1))
    for member in (sender, reader, back):
        member.close()
