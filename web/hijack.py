"""Takes a WebSocket's connection over from the server, where the server lets us have it.

ASGI has no way to write what is encoded already, to ask how much a peer has left unread, or to get rid of one that
reads nothing: `send` waits for it, and so does closing. And what the server keeps for a connection (queues, tasks,
headers, the coroutines of a dozen layers) is three times what the chat itself needs.

uvicorn's `send` is a bound method of its protocol object, which has the transport. Before the handshake is answered
that object can be told that its connection was lost; it then forgets it, and its task ends. What it would have done,
the answer to the handshake included, is up to whoever asked for this (Go's `http.Hijacker` is the same idea). All this
is detected, not assumed: under a server that is built differently the extension is missing.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from starlette.types import ASGIApp, Receive, Scope, Send

EXTENSION: Final = "parley.hijack"
SERVERS: Final = (
    "uvicorn.protocols.websockets.websockets_sansio_impl",
    "uvicorn.protocols.websockets.wsproto_impl",
)
NEEDED: Final = (
    "write",
    "writelines",
    "get_write_buffer_size",
    "set_write_buffer_limits",
    "get_extra_info",
    "set_protocol",
    "abort",
)


class OfferHijack:
    """Pure ASGI middleware: puts `hijack() -> Transport` into `scope["extensions"]["parley.hijack"]`.

    It raises `ConnectionResetError` if the peer has gone. After it the ASGI application of this connection must
    return, and neither send nor receive anything. What comes before the transport is given another protocol is lost; a
    client has nothing to say before the handshake is answered.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass on, with the extension if it can be had."""
        if scope["type"] == "websocket":
            protocol: Any = getattr(send, "__self__", None)
            if type(protocol).__module__ in SERVERS and _can_be_hijacked(protocol):
                scope.setdefault("extensions", {})[EXTENSION] = partial(_hijack, protocol)
        return self._app(scope, receive, send)


class _Gone(asyncio.Transport):
    """What a server has in place of a transport that was taken from it: takes everything, and does nothing."""

    def is_closing(self) -> bool:
        return True

    def write(self, data: object) -> None:
        pass

    def close(self) -> None:
        pass


_gone: Final = _Gone()
_nobody: Final = asyncio.Protocol()


def _can_be_hijacked(protocol: Any) -> bool:
    transport = getattr(protocol, "transport", None)
    return (
        all(callable(getattr(transport, name, None)) for name in NEEDED)
        and callable(getattr(protocol, "connection_lost", None))
        and protocol in getattr(protocol, "connections", ())
        and getattr(protocol, "handshake_complete", None) is False
    )


def _hijack(protocol: Any) -> asyncio.Transport:
    transport: asyncio.Transport = protocol.transport
    if transport.is_closing() or protocol not in protocol.connections:
        raise ConnectionResetError("the peer has gone")
    protocol.transport = _gone
    protocol.connection_lost(None)
    transport.set_protocol(_nobody)  # uvloop's would otherwise keep the old one for as long as it lasts itself
    return transport
