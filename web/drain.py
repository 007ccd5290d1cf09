"""SIGTERM: finish what was begun, tell clients to come back, and only then let the server stop.

uvicorn closes all sockets at once when it is told to stop, before the application hears of it; what was under way
would go unanswered. So the application hears first: it takes no more commands, answers those it took, closes each
socket with 3001, and then hands the signal on to the handler that was there before. A second signal goes there
directly.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from actors.system import ChatSystem
    from web.gateway import Gateway

SIGNALS = (signal.SIGTERM, signal.SIGINT)

log = structlog.get_logger()


class Drain:
    """Drains one chat, once."""

    def __init__(self, chat: ChatSystem, gateway: Gateway, timeout_s: float) -> None:
        self._chat = chat
        self._gateway = gateway
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._previous: dict[int, Any] = {}
        self._task: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def on_signals(self) -> Iterator[None]:
        """Handle SIGTERM and SIGINT meanwhile. Outside of the main thread, where signals never come: does nothing."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._previous = {signum: signal.signal(signum, self._handle) for signum in SIGNALS}
        try:
            yield
        finally:
            for signum, handler in self._previous.items():
                signal.signal(signum, handler)

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        if self._gateway.draining:
            self._hand_on(signum, frame)
        else:
            self._gateway.draining = True
            self._loop.call_soon_threadsafe(self._start, signum)

    def _start(self, signum: int) -> None:
        self._task = self._loop.create_task(self._drain(signum))

    async def _drain(self, signum: int) -> None:
        log.info("server.draining", signal=signal.Signals(signum).name)
        self._chat.drain()
        await self._gateway.wait_closed(self._timeout_s)
        self._hand_on(signum, None)

    def _hand_on(self, signum: int, frame: FrameType | None) -> None:
        previous = self._previous[signum]
        if callable(previous):
            previous(signum, frame)
        else:  # the default: the process ends
            signal.signal(signum, signal.SIG_DFL)
            signal.raise_signal(signum)
