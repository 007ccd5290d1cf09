"""Offers the connection's transport to the endpoint, where the server lets us have it.

ASGI has no way to get rid of a client that does not read: `send` waits for it, and so does closing. uvicorn's
`send` is a bound method of the protocol object, which has the transport. It is detected, not assumed: under a
server that is built differently the extension is missing, and a stalled client stays until the server drops it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

EXTENSION: Final = "parley.transport"


class OfferTransport:
    """Pure ASGI middleware: puts the transport of a WebSocket into `scope["extensions"]["parley.transport"]`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, with the transport if there is one."""
        if scope["type"] == "websocket":
            transport: Any = getattr(getattr(send, "__self__", None), "transport", None)
            if callable(getattr(transport, "abort", None)):
                scope.setdefault("extensions", {})[EXTENSION] = transport
        await self._app(scope, receive, send)
