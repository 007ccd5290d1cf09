"""The ASGI application: its parts, and the life of the chat within it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from typing import TYPE_CHECKING, Final

import structlog
from fastapi import FastAPI

from actors.runtime import LoopScheduler
from actors.system import ChatSystem
from chat.log import DatabaseError
from web import api, files, health, metrics, pages, schema, sockets
from web.drain import Drain
from web.gateway import Gateway
from web.hijack import OfferHijack
from web.security_headers import AddSecurityHeaders, internal_error
from web.server_guard import guard_server
from web.start import TellStartFailure, failing_plainly

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.types import Receive, Scope, Send

    from actors.runtime import Scheduler
    from chat.admission import Admission
    from web.origins import Origins

EXIT_FAILED: Final = 70
"""The exit code of a process whose chat could not go on (EX_SOFTWARE of sysexits.h)."""

log = structlog.get_logger()


class Application(FastAPI):
    """FastAPI, in which something comes first: for the lifespan it wraps the server's `send` before all middleware."""

    on_lifespan: Callable[[Send], None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve."""
        if scope["type"] == "lifespan":
            self.on_lifespan(send)
        await super().__call__(scope, receive, send)


def create_app(
    make_chat: Callable[[Scheduler, Callable[[BaseException], object]], ChatSystem],
    *,
    drain_timeout_s: float,
    admission: Admission,
    origins: Origins,
    request_timeout_s: float,
    api_key: str | None = None,
    with_metrics: bool = False,
    token_url: str | None = None,
) -> FastAPI:
    """Make the application around the chat that `make_chat(scheduler, on_failure)` starts.

    The chat starts and stops with the application (ASGI lifespan), on the server's event loop. If its database cannot
    be opened, the application does not start. `admission` is where it, and the server, ask about each connection.
    Without an `api_key` there is no server API. `token_url` is where the page fetches its user's token, if it does.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        def on_failure(_: BaseException) -> None:
            app.state.failed = True
            signal.raise_signal(signal.SIGTERM)

        app.state.failed = False
        with failing_plainly(app.state, DatabaseError):
            chat = make_chat(LoopScheduler(asyncio.get_running_loop()), on_failure)
        app.state.chat = chat
        app.state.gateway = gateway = Gateway(chat, admission, origins)
        with metrics.collected(app.state, chat, gateway), Drain(chat, gateway, drain_timeout_s).on_signals():
            log.info("chat.started")
            yield
            await gateway.close(drain_timeout_s)
            await chat.stop()
            log.info("chat.stopped")
        if app.state.failed:
            # The server would end by the signal, which process managers take for a wanted stop.
            log.critical("chat.failed", exit_code=EXIT_FAILED)
            logging.shutdown()
            os._exit(EXIT_FAILED)

    app = Application(
        title="Parley",
        lifespan=lifespan,
        openapi_url=api.OPENAPI if api_key else None,
        docs_url=None,
        redoc_url=None,
        exception_handlers={Exception: internal_error},
    )
    app.on_lifespan = lambda send: guard_server(send, admission, request_timeout_s)
    app.add_middleware(sockets.ServeSockets)
    app.add_middleware(AddSecurityHeaders)
    app.add_middleware(OfferHijack)
    app.add_middleware(TellStartFailure)
    app.include_router(sockets.router)
    app.include_router(health.router)
    app.include_router(pages.router)
    app.include_router(schema.router)
    app.state.page = pages.Served(token_url)
    if with_metrics:
        app.include_router(metrics.router)
    if api_key is not None:
        app.include_router(api.make_router(api_key))
        api.describe(app)
    app.include_router(files.make_router())
    app.mount("/static", pages.page_files(app.state.page), name="static")
    return app
