"""Offers the connection's transport to the endpoint, where the server lets us have it.

ASGI has no way to get rid of a client that does not read: `send` waits for it, and so does closing. uvicorn's
`send` is a bound method of the protocol object, which has the transport. It is detected, not assumed: under a
server that is built differently the extension is missing, and a stalled client stays until the server drops it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from starlette.types import ASGIApp, Receive, Scope, Send

EXTENSION: Final = "parley.transport"
NEEDED: Final = ("write", "writelines", "get_write_buffer_size", "get_extra_info", "abort")


class OfferTransport:
    """Pure ASGI middleware: puts the transport of a WebSocket into `scope["extensions"]["parley.transport"]`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass on, with the transport if there is one."""
        if scope["type"] == "websocket":
            transport: Any = getattr(getattr(send, "__self__", None), "transport", None)
            if all(callable(getattr(transport, name, None)) for name in NEEDED):
                scope.setdefault("extensions", {})[EXTENSION] = transport
        return self._app(scope, receive, send)
