"""SIGTERM: what is under way is finished and answered, clients are told to come back, and 5 seconds are enough."""

from __future__ import annotations

import signal
import socket
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from typing import TYPE_CHECKING

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.server import Member, Server, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from websockets.sync.client import ClientConnection

STOP_S = 5.0


def close_code(connection: ClientConnection) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            connection.recv(timeout=10)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


def test_a_hundred_clients_are_told_to_come_back_and_the_process_ends_in_time() -> None:
    with running() as server, ExitStack() as stack:
        members = [Member(server) for _ in range(100)]
        for member in members:
            stack.callback(member.close)
            member.call(subscribe={"channel": "lobby"})

        began = time.monotonic()
        server.terminate()
        codes = {close_code(member.socket) for member in members}
        code = server.wait()
        took = time.monotonic() - began

        assert codes == {3001}
        assert took < STOP_S
        assert code in {0, -signal.SIGTERM, 128 + signal.SIGTERM}
        assert [event["event"] for event in server.log if event["level"] in {"error", "critical"}] == []


def test_what_was_taken_is_stored_and_answered_before_the_socket_closes() -> None:
    with running(CHAT_RATE_LIMIT="off") as server:
        member = Member(server)
        member.call(subscribe={"channel": "lobby"})

        def flood() -> None:
            with suppress(ConnectionClosed):
                for number in count():
                    data = {"channel": "lobby", "key": f"k{number}", "text": "hello"}
                    member.send(rpc={"method": "send", "data": data})

        flooding = threading.Thread(target=flood)
        flooding.start()
        with pytest.raises(ConnectionClosed) as closed:
            while len(member.replies) < 100:
                member.receive()
            server.terminate()
            while True:
                member.receive()
        flooding.join()
        answered = [reply["rpc"]["data"]["offset"] for reply in member.replies.values() if "rpc" in reply]
        shown = [push["pub"]["offset"] for push in member.pushes if "pub" in push]

        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 3001
        assert answered == list(range(1, len(answered) + 1))
        assert shown == answered[: len(shown)]  # what is not shown any more comes with the resume
        member.close()


@contextmanager
def stalled(server: Server) -> Iterator[None]:
    """Have a plain client in the lobby that reads nothing, and more on its way to it than kernel and server take."""
    address, port = server.address.split(":")
    with server.websocket("/ws/sender") as sender, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect((address, int(port)))
        client.sendall(
            b"GET /ws/stalled HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        client.recv(4096)
        with server.websocket("/ws/reader") as reader:
            for _ in range(3000):  # some 12 MB
                sender.send("x" * 4000)
                reader.recv(timeout=10)
        yield


def test_a_client_that_reads_nothing_is_cut_off_and_does_not_hold_the_process() -> None:
    with running(CHAT_MAX_BACKLOG_BYTES="100000", CHAT_RATE_LIMIT="off") as server, stalled(server):
        closed = server.wait_for_log(lambda event: event["event"] == "client.closed" and event["code"] == 3008)
        began = time.monotonic()
        server.terminate()
        server.wait()

        assert closed["reason"] == "slow"
        assert time.monotonic() - began < STOP_S


def test_from_sigterm_on_it_is_not_ready_and_takes_no_new_connections() -> None:
    with running(CHAT_MAX_BACKLOG_BYTES="100000000", CHAT_RATE_LIMIT="off") as server, stalled(server):
        began = time.monotonic()
        server.terminate()
        server.wait_for_log(lambda event: event["event"] == "server.draining")
        ready = httpx.get(server.url + "/readyz")  # (what is left for the stalled one holds the end up so long)
        with pytest.raises(InvalidStatus) as refused, server.websocket():
            pass
        server.wait()

        assert ready.status_code == 503
        assert refused.value.response.status_code == 503
        assert time.monotonic() - began < STOP_S


def test_a_second_signal_does_not_wait_for_anybody() -> None:
    with running(CHAT_DRAIN_TIMEOUT_S="30") as server:
        member = Member(server)
        server.terminate()
        server.wait_for_log(lambda event: event["event"] == "server.draining")
        server.terminate()
        server.wait()
        member.close()

        assert server.process.returncode is not None
