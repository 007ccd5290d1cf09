"""Bytes out: the queue between a client actor, which never waits, and ASGI's `send`, which does."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

from starlette.websockets import WebSocketDisconnect

from web.transport import EXTENSION

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from chat.errors import CloseReason

CLOSE_TIMEOUT_S: Final = 2.0
"""How long a peer may take to read what is left and to answer the close frame, before it is cut off."""


class Socket:
    """The `Transport` of one accepted WebSocket.

    Frames go out in order. At most `max_backlog_bytes` wait here; what the server itself has buffered (uvicorn: 64
    KiB, and the kernel's share) comes on top.
    """

    def __init__(self, websocket: WebSocket, max_backlog_bytes: int) -> None:
        self._websocket = websocket
        self._max_backlog_bytes = max_backlog_bytes
        self._frames: deque[bytes] = deque()
        self._backlog_bytes = 0
        self._reason: CloseReason | None = None
        self._wake = asyncio.Event()
        self._cut: asyncio.TimerHandle | None = None

    def send(self, frames: list[bytes]) -> bool:
        """Queue frames. See `Transport.send`."""
        if self._reason is not None:
            return True  # nobody will read them; that is no backlog
        size = sum(map(len, frames))
        if self._backlog_bytes + size > self._max_backlog_bytes:
            return False
        self._backlog_bytes += size
        self._frames.extend(frames)
        self._wake.set()
        return True

    def close(self, reason: CloseReason) -> None:
        """Close after what is queued, and cut the connection if that takes too long. See `Transport.close`."""
        if self._reason is None:
            self._reason = reason
            self._wake.set()
            self._cut = asyncio.get_running_loop().call_later(CLOSE_TIMEOUT_S, self.abort)

    @property
    def closing(self) -> bool:
        """Whether `close` was called."""
        return self._reason is not None

    def abort(self) -> None:
        """Drop the connection now, with all that is buffered for it. Without the transport: does nothing."""
        transport = self._websocket.scope["extensions"].get(EXTENSION)
        if transport is not None:
            transport.abort()

    async def write(self) -> None:
        """Write what is queued until closed. Run by the gateway, which cancels it when the connection has ended."""
        try:
            while self._reason is None or self._frames:
                await self._wake.wait()
                self._wake.clear()
                while self._frames:
                    frame = self._frames.popleft()
                    await self._websocket.send_text(frame.decode())
                    self._backlog_bytes -= len(frame)
            await self._websocket.close(self._reason.code, self._reason.reason)
        except (WebSocketDisconnect, RuntimeError):
            pass  # the connection has ended; the reader is told so, too

    def ended(self) -> None:
        """Note that the connection is no more."""
        if self._cut is not None:
            self._cut.cancel()
