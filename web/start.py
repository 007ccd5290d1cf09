"""A start that fails for a reason that an operator can do something about is told in one line, without a traceback."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator

    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class TellStartFailure:
    """Pure ASGI middleware: what the server logs of a start that `failing_plainly` ended is the reason, and no more."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass on, with the reason in place of a traceback."""
        if scope["type"] != "lifespan":
            return self._app(scope, receive, send)

        async def send_plainly(message: Message) -> None:
            reason: str | None = getattr(scope["app"].state, "start_failure", None)
            if message["type"] == "lifespan.startup.failed" and reason is not None:
                message = {**message, "message": reason}
            await send(message)

        return self._app(scope, receive, send_plainly)


@contextlib.contextmanager
def failing_plainly(state: Any, *expected: type[Exception]) -> Iterator[None]:
    """Note the reason of these exceptions for `TellStartFailure`.

    In a worker process the one that started it is told to stop: it would start another one, for ever.
    """
    try:
        yield
    except expected as error:
        state.start_failure = str(error)
        if multiprocessing.parent_process() is not None:
            os.kill(os.getppid(), signal.SIGTERM)
        raise
