"""Both kinds of socket: what goes out and when, and what becomes of a peer that does not read."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from starlette.websockets import WebSocket

from chat.errors import SLOW
from chat.framing import text_frame
from tests.server import running
from web import socket as sockets
from web.socket import AsgiSocket, Socket, TransportSocket, socket_of
from web.transport import EXTENSION

pytestmark = pytest.mark.anyio

ONE, TWO, THREE = (text_frame(text) for text in (b"one", b"two", b"three"))


class FakeTransport:
    """A transport that keeps what is written, as if nobody read it."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.aborted = False
        self.alive = True

    def get_write_buffer_size(self) -> int:
        if not self.alive:
            raise RuntimeError("the handler is closed")
        return sum(map(len, self.written))

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def writelines(self, frames: list[bytes]) -> None:
        self.written += frames

    def get_extra_info(self, _: str) -> None:
        return None

    def abort(self) -> None:
        self.aborted = True


class FakeWebSocket:
    """What a socket needs of Starlette's; `read` lets a send go through."""

    def __init__(self, transport: FakeTransport | None = None) -> None:
        self.scope = {"extensions": {EXTENSION: transport}} if transport else {}
        self.sent: list[str] = []
        self.closed: list[tuple[int, str]] = []
        self.reads = asyncio.Event()

    async def send_text(self, text: str) -> None:
        await self.reads.wait()
        self.sent.append(text)

    async def close(self, code: int, reason: str) -> None:
        self.closed.append((code, reason))


def make(websocket: FakeWebSocket, max_backlog_bytes: int = 1_000) -> Socket:
    return socket_of(cast("WebSocket", websocket), max_backlog_bytes)


async def settle() -> None:
    """Let tasks go on until they wait for something."""
    for _ in range(5):
        await asyncio.sleep(0)


# With the transport


async def test_frames_are_written_to_the_transport_as_they_are() -> None:
    transport = FakeTransport()
    socket = make(FakeWebSocket(transport))
    socket.accepted()

    assert isinstance(socket, TransportSocket)
    assert socket.send([ONE])
    assert socket.send([TWO, THREE])
    assert transport.written == [ONE, TWO, THREE]


async def test_what_is_sent_before_the_handshake_is_over_comes_after_it() -> None:
    transport = FakeTransport()
    socket = make(FakeWebSocket(transport))
    socket.send([ONE])
    assert transport.written == []

    socket.accepted()

    assert transport.written == [ONE]


@pytest.mark.parametrize("frames", [[THREE], [ONE, TWO]], ids=["one", "several"])
async def test_more_than_may_wait_is_not_written(frames: list[bytes]) -> None:
    transport = FakeTransport()
    socket = make(FakeWebSocket(transport), max_backlog_bytes=len(ONE) + len(THREE) - 1)
    socket.accepted()
    socket.send([ONE])

    assert not socket.send(frames)
    assert transport.written == [ONE]


async def test_a_connection_that_has_ended_takes_everything_and_nothing_comes_of_it() -> None:
    transport = FakeTransport()
    socket = make(FakeWebSocket(transport))
    socket.accepted()
    transport.alive = False

    assert socket.send([ONE])
    assert socket.send([ONE, TWO])
    assert transport.written == []


async def test_a_peer_that_does_not_answer_the_close_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "CLOSE_TIMEOUT_S", 0.0)
    transport = FakeTransport()
    websocket = FakeWebSocket(transport)
    socket = make(websocket)
    socket.accepted()

    socket.close(SLOW)
    await settle()

    assert websocket.closed == [(3008, "slow")]
    assert transport.aborted


async def test_a_connection_that_ends_in_time_is_not_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "CLOSE_TIMEOUT_S", 0.001)
    transport = FakeTransport()
    socket = make(FakeWebSocket(transport))
    socket.accepted()

    socket.close(SLOW)
    socket.ended()
    await asyncio.sleep(0.01)

    assert not transport.aborted


async def test_closed_before_the_handshake_is_over_it_closes_after_it() -> None:
    websocket = FakeWebSocket(FakeTransport())
    socket = make(websocket)
    socket.close(SLOW)
    await settle()
    assert websocket.closed == []

    socket.accepted()
    await settle()

    assert websocket.closed == [(3008, "slow")]
    socket.ended()


# Without it


async def test_without_the_transport_frames_are_sent_as_texts_in_order() -> None:
    websocket = FakeWebSocket()
    socket = make(websocket)
    socket.send([ONE])
    socket.accepted()
    socket.send([TWO, THREE])
    websocket.reads.set()
    await settle()

    assert isinstance(socket, AsgiSocket)
    assert websocket.sent == ["one", "two", "three"]
    socket.ended()


async def test_what_waits_is_bounded_there_too() -> None:
    websocket = FakeWebSocket()
    socket = make(websocket, max_backlog_bytes=len(ONE) + len(TWO))
    socket.accepted()

    assert socket.send([ONE, TWO])
    assert not socket.send([ONE])
    websocket.reads.set()
    await settle()
    assert socket.send([ONE])
    socket.ended()


async def test_it_closes_when_all_that_waited_is_sent() -> None:
    websocket = FakeWebSocket()
    socket = make(websocket)
    socket.accepted()
    socket.send([ONE])
    socket.close(SLOW)
    await settle()
    assert websocket.closed == []

    websocket.reads.set()
    await settle()

    assert (websocket.sent, websocket.closed) == (["one"], [(3008, "slow")])


@pytest.mark.parametrize("transport", [True, False])
async def test_what_is_sent_after_the_close_is_no_backlog(transport: bool) -> None:  # noqa: FBT001
    websocket = FakeWebSocket(FakeTransport() if transport else None)
    socket = make(websocket, max_backlog_bytes=1)
    socket.accepted()
    socket.close(SLOW)

    assert socket.closing
    assert socket.send([ONE])
    socket.ended()


# Under a real server


@pytest.mark.parametrize("implementation", ["websockets-sansio", "wsproto"])
@pytest.mark.parametrize("compression", ["deflate", None])
@pytest.mark.parametrize("app", ["chat.main:app", "tests.e2e.other_server_app:app"])
def test_every_server_sends_the_same(app: str, compression: Any, implementation: str) -> None:
    with (
        running(app, "--ws", implementation) as server,
        server.websocket("/ws/1", compression=compression) as one,
        server.websocket("/ws/2", compression=compression) as two,
    ):
        for text in ("hello", "x" * 200, "ü" * 3_000):
            one.send(text)
            assert two.recv(timeout=10) == f"Client 1: {text}"
