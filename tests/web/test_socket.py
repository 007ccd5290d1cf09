"""Both kinds of socket under a real server: to a client they are the same."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import Opcode

from tests.server import Member, running
from tests.web.sockets import from_client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.server import Server

OURS = "chat.main:app"
BY_ASGI = "tests.e2e.other_server_app:app"

HANDSHAKE = (
    b"GET /ws/%s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def connect(server: Server, client_id: bytes = b"raw") -> socket.socket:
    """Open a plain-text WebSocket by hand."""
    address, port = server.address.split(":")
    connection = socket.create_connection((address, int(port)), 10)
    connection.sendall(HANDSHAKE % client_id)
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += connection.recv(1)
    assert answer.startswith(b"HTTP/1.1 101 ")
    return connection


def read_to_the_end(connection: socket.socket) -> bytes:
    """Read until the server has ended the connection."""
    received = b""
    with suppress(ConnectionResetError):
        while data := connection.recv(4096):
            received += data
    return received


@pytest.mark.parametrize("implementation", ["websockets-sansio", "wsproto"])
@pytest.mark.parametrize("compression", ["deflate", None])
@pytest.mark.parametrize("app", [OURS, BY_ASGI])
def test_what_is_said_arrives(app: str, compression: Any, implementation: str) -> None:
    with (
        running(app, "--ws", implementation) as server,
        server.websocket("/ws/1", compression=compression) as one,
        server.websocket("/ws/2", compression=compression) as two,
    ):
        for text in ("hello", "x" * 200, "ü" * 3_000):
            one.send(text)
            assert two.recv(timeout=10) == f"Client 1: {text}"


@pytest.mark.parametrize("app", [OURS, BY_ASGI])
@pytest.mark.parametrize("implementation", ["websockets-sansio", "wsproto"])
def test_fragments_pings_and_closing_are_the_protocols(app: str, implementation: str) -> None:
    with running(app, "--ws", implementation) as server, server.websocket("/ws/2") as two:
        with server.websocket("/ws/1") as one:
            one.send(["hel", "lo"])
            heard = two.recv(timeout=10)
            pong = one.ping(b"are you there?")
            assert pong.wait(10)
            one.close(1000, "bye")

        assert heard == "Client 1: hello"
        assert one.protocol.close_rcvd is not None
        assert one.protocol.close_rcvd.code == 1000


def test_no_compression_is_agreed_on() -> None:
    with running() as server, server.websocket("/ws/1", compression="deflate") as one:
        assert one.protocol.extensions == []


@pytest.fixture(scope="module")
def quick() -> Iterator[Server]:
    """A server that asks every second who is there."""
    with running(CHAT_PING_INTERVAL_S="1", CHAT_PONG_TIMEOUT_S="0.5") as server:
        yield server


def test_a_plain_client_that_answers_no_pings_is_cut_off(quick: Server) -> None:
    with connect(quick) as connection:
        received = read_to_the_end(connection)

    assert received == b"\x89\x00"


def test_a_plain_client_that_answers_them_stays(quick: Server) -> None:
    with connect(quick, b"patient") as connection, quick.websocket("/ws/other") as other:
        for _ in range(3):
            assert connection.recv(2) == b"\x89\x00"
            connection.sendall(from_client(b"", Opcode.PONG))
        connection.sendall(from_client("still here"))

        assert other.recv(timeout=10) == "Client patient: still here"


def test_a_client_in_the_middle_of_a_frame_that_is_too_long_still_hears_why(server: Server) -> None:
    with connect(server) as connection:
        connection.sendall(b"\x81\xff" + (10_000_000).to_bytes(8, "big") + bytes(4))
        with suppress(ConnectionError):
            for _ in range(100):
                connection.sendall(bytes(1000))
        received = read_to_the_end(connection)

    assert received[:1] == b"\x88"
    assert int.from_bytes(received[2:4], "big") == 1009


def test_a_server_that_stops_by_itself_tells_its_clients_to_come_back() -> None:
    with running(OURS, "--limit-max-requests", "1") as server:
        member = Member(server)
        with suppress(OSError), connect_http(server) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            connection.recv(4096)
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                member.receive()
        server.wait()
        member.close()

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 3001


def connect_http(server: Server) -> socket.socket:
    address, port = server.address.split(":")
    return socket.create_connection((address, int(port)), 10)
