"""What browsers are told with every answer, whatever it is: the page, its files, health, an error, a refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


def content_security_policy(*fetched: str) -> dict[str, str]:
    """Return the header for a page that may connect to its own origin, and fetch from these others."""
    connect = " ".join(["'self'", *fetched])
    return {
        "Content-Security-Policy": (
            f"default-src 'self'; connect-src {connect}; img-src 'self' data:; "
            "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        )
    }


HEADERS: Final = content_security_policy() | {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
TLS_ONLY: Final = {"Strict-Transport-Security": "max-age=31536000"}

STARTS: Final = frozenset({"http.response.start", "websocket.http.response.start"})
TLS: Final = frozenset({"https", "wss"})


class AddSecurityHeaders:
    """Pure ASGI middleware: puts the headers on answers; `Strict-Transport-Security` on those that go out by TLS.

    An answer that has one of them keeps its own.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass on, with the headers added to what comes back."""
        if scope["type"] == "lifespan":
            return self._app(scope, receive, send)

        async def send_with_headers(message: Message) -> None:
            if message["type"] in STARTS:
                headers = MutableHeaders(scope=message)
                for name, value in headers_for(scope).items():
                    headers.setdefault(name, value)
            await send(message)

        return self._app(scope, receive, send_with_headers)


def headers_for(scope: Scope) -> dict[str, str]:
    """Return the headers for the answer to this request."""
    return HEADERS | TLS_ONLY if scope["scheme"] in TLS else HEADERS


async def internal_error(request: Request, _: Exception) -> PlainTextResponse:
    """Answer a request that we failed on, and say nothing about why: that is in the log.

    Starlette makes this answer outside of all middleware, so it brings the headers itself.
    """
    return PlainTextResponse("internal server error\n", 500, headers_for(request.scope))
