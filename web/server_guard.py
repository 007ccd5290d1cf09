"""Connections that say nothing, or only half of it: bounded in number and in time.

uvicorn gives a peer all the time in the world to send its request, and takes as many connections as there are files to
be opened; the application hears of neither. So the application, when it starts, gives the server another class of
protocol: the same one, which asks before it keeps a connection and drops one that stalls. Like `web/hijack.py`
this is detected, not assumed: under a server that is built differently, what is in front of it has to do that.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from chat.admission import who_pays_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Send

    from chat.admission import Admission

MAX_HEAD_BYTES: Final = 65_536
"""How long a request may go on without its head being complete. Bodies are whose they are for to limit."""

MIN_BODY_BYTES_PER_S: Final = 1_024
"""How fast a body must come at least."""

SERVERS: Final = (
    "uvicorn.protocols.http.h11_impl",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.protocols.http.zttp_impl",
)


def _answer(status: str, text: str) -> bytes:
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {len(text) + 1}\r\n"
        f"Connection: close\r\n\r\n{text}\n"
    ).encode()


FULL: Final = {
    "server": _answer("503 Service Unavailable", "too many connections"),
    "address": _answer("429 Too Many Requests", "too many connections from this address"),
}
TOO_LONG: Final = _answer("431 Request Header Fields Too Large", "the head of the request is too long")
TOO_SLOW: Final = _answer("408 Request Timeout", "the request took too long")


def guard_server(send: Send, admission: Admission, timeout_s: float) -> None:
    """Put the guard before what the server accepts from now on. `send` is the server's own, of the lifespan.

    A peer that stalls in the middle of a request, or before its first one, is dropped after `timeout_s` to twice as
    long; so is one whose body comes slower than `MIN_BODY_BYTES_PER_S`.
    """
    config: Any = getattr(getattr(send, "__self__", None), "config", None)
    server: Any = getattr(config, "http_protocol_class", None)
    if getattr(server, "__module__", None) in SERVERS:
        config.http_protocol_class = guarded(server, admission, timeout_s, _is_proxy(config))


def _is_proxy(config: Any) -> Callable[[str], bool]:
    """Return who may speak for others: those that uvicorn takes an address from, which all others hide behind."""
    if not config.proxy_headers:
        return lambda _: False
    trusted = ProxyHeadersMiddleware(config.loaded_app, config.forwarded_allow_ips).trusted_hosts
    return lambda host: host in trusted


def guarded(server: type[Any], admission: Admission, timeout_s: float, is_proxy: Callable[[str], bool]) -> type[Any]:
    """Return uvicorn's protocol class with the guard."""
    settings = {"admission": admission, "timeout_s": timeout_s, "is_proxy": staticmethod(is_proxy)}
    return type("Guarded", (_Guard, server), settings)


class _Guard(asyncio.Protocol):
    """What is put before uvicorn's class: one HTTP connection, until it ends or becomes the gateway's to count."""

    admission: Admission
    timeout_s: float
    is_proxy: Callable[[str], bool]

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    cycle: Any
    """uvicorn's: the request that is being answered, or was answered last."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        host = peer[0] if isinstance(peer, tuple) else ""
        # Who is behind a proxy is known when it has forwarded a request, and counted by the gateway.
        self._payer = "" if self.is_proxy(host) else who_pays_for(host)
        self._waits = True
        self._head_bytes = 0
        self._last_cycle: Any = None
        self._received = 0
        full = self.admission.arrive(self._payer)
        self._counted = full is None
        if full is None:
            self._check = self.loop.call_later(self.timeout_s, self._check_progress)
        else:
            self.transport.write(FULL[full])
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        before = self.cycle
        super().data_received(data)
        self._received += len(data)
        if self.cycle is not before:
            self._head_bytes = 0
        elif before is None or before.response_complete:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
                self.admission.limits_hit["max_head_bytes"] += 1
                self.transport.write(TOO_LONG)
                self.transport.close()
        if self._waits and self._counted and self.cycle is not None:
            self._waits = False
            self.admission.stop_waiting(self._payer)

    def _check_progress(self) -> None:
        cycle, before = self.cycle, self._last_cycle
        received, self._received = self._received, 0
        if cycle is None or (cycle is before and cycle.response_complete):
            self.admission.limits_hit["request_timeout_s"] += 1
            self.transport.write(TOO_SLOW)
            self.transport.close()
        elif cycle is before and cycle.more_body and received < MIN_BODY_BYTES_PER_S * self.timeout_s:
            self.admission.limits_hit["request_timeout_s"] += 1
            self.transport.abort()
        else:
            self._last_cycle = cycle
            self._check = self.loop.call_later(self.timeout_s, self._check_progress)

    def handle_websocket_upgrade(self, *request: Any) -> None:
        self._end()
        super().handle_websocket_upgrade(*request)  # type: ignore[misc]  # uvicorn has it

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()
        super().connection_lost(exc)

    def _end(self) -> None:
        if self._counted:
            self._counted = False
            self._check.cancel()
            self.admission.leave(self._payer, waiting=self._waits)
