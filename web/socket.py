"""Bytes out: from a client actor, which never waits, to a connection, which may not take them.

Two ways. Where the server lets us have the connection's transport (`web/transport.py`), frames are written to it as
they are: one call for all that is due, no task, and the backlog is the transport's own. Anywhere else they go through
ASGI's `send`, which waits for the peer, so a queue and a task stand before it.
"""

from __future__ import annotations

import abc
import asyncio
import contextlib
import socket
from collections import deque
from typing import TYPE_CHECKING, Final

from starlette.websockets import WebSocketDisconnect

from chat.framing import text_of_frame
from web.transport import EXTENSION

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from chat.errors import CloseReason

CLOSE_TIMEOUT_S: Final = 2.0
"""How long a peer may take to read what is left and to answer the close frame, before it is cut off."""

SEND_BUFFER_BYTES: Final = 65_536
"""What the kernel may hold for a connection; it doubles this. Left alone, it takes megabytes for who reads slowly."""


class Socket(abc.ABC):
    """The `Transport` of one WebSocket, from before it is accepted until it has ended."""

    __slots__ = ("_max_backlog_bytes", "_reason", "_websocket")

    def __init__(self, websocket: WebSocket, max_backlog_bytes: int) -> None:
        self._websocket = websocket
        self._max_backlog_bytes = max_backlog_bytes
        self._reason: CloseReason | None = None

    @property
    def closing(self) -> bool:
        """Whether `close` was called."""
        return self._reason is not None

    @abc.abstractmethod
    def send(self, frames: list[bytes]) -> bool:
        """See `Transport.send`."""

    @abc.abstractmethod
    def close(self, reason: CloseReason) -> None:
        """Close after what is queued, and cut the connection if that takes too long. See `Transport.close`."""

    @abc.abstractmethod
    def abort(self) -> None:
        """Drop the connection now, with all that is buffered for it, as far as the server allows."""

    @abc.abstractmethod
    def accepted(self) -> None:
        """Note that the WebSocket is open: what was sent before goes out now."""

    @abc.abstractmethod
    def ended(self) -> None:
        """Note that the connection is no more."""


def socket_of(websocket: WebSocket, max_backlog_bytes: int) -> Socket:
    """Return the better one of the two kinds of socket that can be had."""
    transport: asyncio.Transport | None = websocket.scope.get("extensions", {}).get(EXTENSION)
    if transport is None:
        return AsgiSocket(websocket, max_backlog_bytes)
    return TransportSocket(websocket, transport, max_backlog_bytes)


class TransportSocket(Socket):
    """Writes to the transport. At most `max_backlog_bytes` wait there, besides what the kernel holds."""

    __slots__ = ("_close_task", "_cut", "_early", "_transport")

    def __init__(self, websocket: WebSocket, transport: asyncio.Transport, max_backlog_bytes: int) -> None:
        super().__init__(websocket, max_backlog_bytes)
        self._transport = transport
        self._early: list[bytes] | None = []
        """What was sent before the WebSocket was accepted."""
        self._cut: asyncio.TimerHandle | None = None
        self._close_task: asyncio.Task[None] | None = None

    def send(self, frames: list[bytes]) -> bool:
        """See `Transport.send`."""
        if self._reason is not None:
            return True  # nobody will read them; that is no backlog
        if self._early is not None:
            self._early += frames
            return True
        transport = self._transport
        try:
            if transport.get_write_buffer_size() + sum(map(len, frames)) > self._max_backlog_bytes:
                return False
            if len(frames) == 1:
                transport.write(frames[0])
            else:
                transport.writelines(frames)
        except RuntimeError:
            pass  # uvloop's word for a connection that has ended; the reader is told so, too
        return True

    def close(self, reason: CloseReason) -> None:
        """See `Socket.close`."""
        if self._reason is None:
            self._reason = reason
            self._cut = asyncio.get_running_loop().call_later(CLOSE_TIMEOUT_S, self.abort)
            if self._early is None:
                self._close_task = asyncio.create_task(self._close())

    def accepted(self) -> None:
        """See `Socket.accepted`."""
        raw = self._transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        early, self._early = self._early, None
        if early:
            self._transport.writelines(early)
        if self._reason is not None:
            self._close_task = asyncio.create_task(self._close())

    async def _close(self) -> None:
        assert self._reason is not None  # it is why
        await _close(self._websocket, self._reason)

    def abort(self) -> None:
        """See `Socket.abort`."""
        self._transport.abort()

    def ended(self) -> None:
        """See `Socket.ended`."""
        if self._cut is not None:
            self._cut.cancel()
        if self._close_task is not None:
            self._close_task.cancel()


class AsgiSocket(Socket):
    """Sends by ASGI. At most `max_backlog_bytes` wait here; what the server itself holds comes on top."""

    def __init__(self, websocket: WebSocket, max_backlog_bytes: int) -> None:
        super().__init__(websocket, max_backlog_bytes)
        self._frames: deque[bytes] = deque()
        self._backlog_bytes = 0
        self._wake = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None

    def send(self, frames: list[bytes]) -> bool:
        """See `Transport.send`."""
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
        """See `Socket.close`. Nothing is cut here: without the transport nothing can be."""
        if self._reason is None:
            self._reason = reason
            self._wake.set()

    def abort(self) -> None:
        """Do nothing: it takes the transport."""

    def accepted(self) -> None:
        """See `Socket.accepted`."""
        self._writer = asyncio.create_task(self._write())

    async def _write(self) -> None:
        """Write what is queued until closed."""
        try:
            while self._reason is None or self._frames:
                await self._wake.wait()
                self._wake.clear()
                while self._frames:
                    frame = self._frames.popleft()
                    await self._websocket.send_text(text_of_frame(frame).decode())
                    self._backlog_bytes -= len(frame)
        except (WebSocketDisconnect, RuntimeError):
            return  # the connection has ended; the reader is told so, too
        await _close(self._websocket, self._reason)

    def ended(self) -> None:
        """See `Socket.ended`."""
        if self._writer is not None:
            self._writer.cancel()


async def _close(websocket: WebSocket, reason: CloseReason) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # it has ended already; the reader is told so
        await websocket.close(reason.code, reason.reason)
