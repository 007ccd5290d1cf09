"""A socket where the server does not let its connection be taken over."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest

from chat.admission import Admission
from chat.errors import MESSAGE_TOO_BIG, SLOW, UNSUPPORTED_DATA
from chat.framing import text_frame
from chat.limits import Limits
from chat.wire import JsonWire
from tests.web.sockets import FakeClient
from web.asgi_socket import AsgiSocket
from web.socket import MAX_WAITING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from actors.runtime import ActorRef

pytestmark = pytest.mark.anyio

ONE, TWO, THREE = (text_frame(text) for text in (b"one", b"two", b"three"))


class FakeWebSocket:
    """What a socket needs of Starlette's; `reads` lets what is sent go through."""

    def __init__(self) -> None:
        self.accepted: list[str | None] = []
        self.sent: list[str] = []
        self.closed: list[tuple[int, str]] = []
        self.reads = asyncio.Event()
        self.events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def accept(self, subprotocol: str | None) -> None:
        self.accepted.append(subprotocol)

    async def receive(self) -> dict[str, Any]:
        return await self.events.get()

    async def send_text(self, text: str) -> None:
        await self.reads.wait()
        self.sent.append(text)

    async def close(self, code: int, reason: str) -> None:
        self.closed.append((code, reason))


class Connection:
    """A socket that is being served, and both of its ends."""

    def __init__(self, **limits: Any) -> None:
        self.websocket = FakeWebSocket()
        self.client = FakeClient()
        self.socket = AsgiSocket(cast("Any", self.websocket), JsonWire(), Limits(**limits), Admission())
        self.serving: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        self.serving = asyncio.create_task(self.socket.serve(cast("ActorRef[Any]", self.client), "a-subprotocol"))
        await settle()

    async def receive(self, **event: Any) -> None:
        self.websocket.events.put_nowait({"type": "websocket.receive", **event})
        await settle()

    async def hang_up(self) -> None:
        self.websocket.events.put_nowait({"type": "websocket.disconnect"})
        assert self.serving is not None
        await self.serving


@pytest.fixture
async def connection() -> AsyncIterator[Connection]:
    connection = Connection()
    await connection.serve()
    yield connection
    await connection.hang_up()


async def settle() -> None:
    """Let tasks go on until they wait for something."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_it_accepts_and_what_was_sent_before_comes_then_in_order() -> None:
    connection = Connection()
    connection.socket.send([ONE])
    connection.websocket.reads.set()

    await connection.serve()
    connection.socket.send([TWO, THREE])
    await settle()

    assert connection.websocket.accepted == ["a-subprotocol"]
    assert connection.websocket.sent == ["one", "two", "three"]
    await connection.hang_up()


async def test_what_waits_is_bounded() -> None:
    connection = Connection(max_backlog_bytes=len(ONE) + len(TWO))
    await connection.serve()

    assert connection.socket.send([ONE, TWO])
    assert not connection.socket.send([ONE])
    connection.websocket.reads.set()
    await settle()
    assert connection.socket.send([ONE])
    await connection.hang_up()


async def test_it_closes_when_all_that_waited_is_sent_and_takes_nothing_more(connection: Connection) -> None:
    connection.socket.send([ONE])
    connection.socket.close(SLOW)
    assert connection.socket.send([TWO])
    await settle()
    assert connection.websocket.closed == []

    connection.websocket.reads.set()
    await settle()

    assert connection.websocket.sent == ["one"]
    assert connection.websocket.closed == [(3008, "slow")]


async def test_texts_are_handed_over_until_it_is_closed(connection: Connection) -> None:
    await connection.receive(text='{"id":1,"rpc":{"method":"rooms"}}')
    connection.socket.close(SLOW)
    await connection.receive(text='{"id":2,"rpc":{"method":"rooms"}}')

    assert connection.client.command_ids == [[1]]


async def test_binary_is_rejected_by_the_actor(connection: Connection) -> None:
    await connection.receive(bytes=b"x")

    assert connection.client.rejected == [UNSUPPORTED_DATA]


@pytest.mark.parametrize("text", ["x" * 65_537, "\N{SNOWMAN}" * 30_000], ids=["characters", "bytes"])
async def test_a_text_above_the_limit_is_rejected_by_the_actor(connection: Connection, text: str) -> None:
    await connection.receive(text=text)

    assert connection.client.rejected == [MESSAGE_TOO_BIG]


async def test_a_socket_whose_actor_is_behind_is_read_no_further_until_it_has_caught_up(connection: Connection) -> None:
    connection.client.behind = MAX_WAITING + 1
    await connection.receive(text='{"id":1,"rpc":{"method":"rooms"}}')
    await connection.receive(text='{"id":2,"rpc":{"method":"rooms"}}')
    assert connection.client.command_ids == [[1]]

    connection.client.behind = 0
    await settle()

    assert connection.client.command_ids == [[1], [2]]


async def test_nothing_is_cut_off(connection: Connection) -> None:
    connection.socket.keepalive()
    connection.socket.abort()

    assert connection.websocket.closed == []
