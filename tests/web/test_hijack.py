"""Taking a connection over from the server, and what the server makes of it."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from uvicorn import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol
from uvicorn.server import ServerState

from tests.server import running
from tests.web.sockets import FakeTransport
from web.hijack import EXTENSION, OfferHijack

pytestmark = pytest.mark.anyio

Protocol = WebSocketsSansIOProtocol | WSProtocol


class Transport(FakeTransport):
    """A transport with the addresses that uvicorn asks for."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 1) if name in {"sockname", "peername"} else default


def offered(send: Any, kind: str = "websocket") -> Any:
    """Return what the middleware offers to an application that is called with this `send`."""
    scopes: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)

    coroutine: Any = OfferHijack(application)({"type": kind}, None, send)  # type: ignore[arg-type]
    with pytest.raises(StopIteration):
        coroutine.send(None)
    return scopes[0].get("extensions", {}).get(EXTENSION)


@pytest.fixture(params=[WebSocketsSansIOProtocol, WSProtocol])
async def protocol(request: pytest.FixtureRequest) -> Protocol:
    config = Config("chat.main:app", interface="asgi3", ws_ping_interval=None)
    config.loaded, config.loaded_app = True, None  # (else it would load the application)
    protocol: Protocol = request.param(config, ServerState(), {}, asyncio.get_running_loop())
    protocol.connection_made(Transport())  # type: ignore[arg-type]
    return protocol


async def test_the_server_forgets_the_connection_and_leaves_it_as_it_is(protocol: Protocol) -> None:
    transport: Any = protocol.transport

    taken = offered(protocol.send)()
    protocol.transport.write(b"a word")
    protocol.transport.close()

    assert taken is transport
    assert protocol not in protocol.connections
    assert (transport.written, transport.closed) == ([], False)
    assert transport.protocol is not protocol


async def test_what_has_gone_cannot_be_taken(protocol: Protocol) -> None:
    hijack = offered(protocol.send)
    protocol.transport.close()

    with pytest.raises(ConnectionResetError):
        hijack()


async def test_what_was_accepted_is_not_offered(protocol: Protocol) -> None:
    protocol.handshake_complete = True

    assert offered(protocol.send) is None


async def test_only_websockets_are_offered(protocol: Protocol) -> None:
    assert offered(protocol.send, kind="http") is None


def test_under_a_server_that_is_built_differently_nothing_is_offered() -> None:
    class Elsewhere:
        transport = FakeTransport()

        async def send(self, _: object) -> None: ...

    async def send(_: object) -> None: ...

    assert offered(Elsewhere().send) is None
    assert offered(send) is None


@pytest.mark.parametrize("implementation", ["websockets-sansio", "wsproto"])
def test_the_server_goes_on_serving_and_has_nothing_to_complain_about(implementation: str) -> None:
    with running("chat.main:app", "--ws", implementation) as server:
        for _ in range(3):
            with server.websocket("/ws/1") as one, server.websocket("/ws/2") as two:
                one.send("hello")
                assert two.recv(timeout=10) == "Client 1: hello"
        assert httpx.get(server.url + "/healthz").status_code == 200
        server.terminate()
        server.wait()

        assert [line for line in server.log if line["level"] in {"warning", "error", "critical"}] == []
