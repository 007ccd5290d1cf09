"""A socket by ASGI alone, for servers that do not let a connection be taken over.

`send` waits for the peer, so a queue and a task stand before it. A peer that reads nothing cannot be cut off: it stays
until the server itself drops it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING, Any

from starlette.websockets import WebSocketDisconnect

from actors.messages import Reject
from chat.errors import MESSAGE_TOO_BIG
from chat.framing import text_of_frame
from web.socket import Socket

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.websockets import WebSocket

    from actors.runtime import ActorRef
    from chat.admission import Admission
    from chat.errors import CloseReason
    from chat.limits import Limits
    from chat.wire import Wire


class AsgiSocket(Socket):
    """Sends and receives by ASGI. At most `max_backlog_bytes` wait here; what the server itself holds comes on top."""

    __slots__ = ("_backlog_bytes", "_frames", "_wake", "_websocket")

    def __init__(
        self, websocket: WebSocket, wire: Wire, limits: Limits, admission: Admission, address: str = ""
    ) -> None:
        super().__init__(wire, limits, admission, address)
        self._websocket = websocket
        self._frames: deque[bytes] = deque()
        self._backlog_bytes = 0
        self._wake = asyncio.Event()

    def send(self, frames: Sequence[bytes]) -> bool:
        """See `Transport.send`."""
        if self._reason is not None:
            return True  # nobody will read them; that is no backlog
        size = sum(map(len, frames))
        if self._backlog_bytes + size > self._limits.max_backlog_bytes:
            return False
        self._backlog_bytes += size
        self._frames.extend(frames)
        self._wake.set()
        return True

    def backlog_bytes(self) -> int:
        """See `Transport.backlog_bytes`."""
        return self._backlog_bytes

    def close(self, reason: CloseReason) -> None:
        """See `Transport.close`. Nothing is cut here."""
        if self._reason is None:
            self._reason = reason
            self._wake.set()

    def abort(self) -> None:
        """Do nothing: it takes the transport."""

    async def serve(self, client: ActorRef[Any], subprotocol: str | None) -> None:
        """Accept the WebSocket, and serve it until it has ended."""
        self._client = client
        await self._websocket.accept(subprotocol)
        writer = asyncio.create_task(self._write())
        try:
            await self._read()
        finally:
            writer.cancel()

    async def _read(self) -> None:
        limit = self._limits.max_frame_bytes
        while True:
            try:
                event = await self._websocket.receive()
            except WebSocketDisconnect:
                return
            if event["type"] == "websocket.disconnect":
                return
            if self._reason is not None:
                continue  # it only remains to see the peer go
            text = event.get("text")
            if text is None:
                self._received_binary()
            elif len(text) > limit or len(text.encode()) > limit:
                assert self._client is not None  # `serve` was given it
                self._client.tell(Reject(MESSAGE_TOO_BIG))
            else:
                self._received([text])
            # A server may hand out what it has read already without giving the loop a turn in between.
            while self._is_behind():  # noqa: ASYNC110  (a turn of the loop is all it takes)
                await asyncio.sleep(0)

    async def _write(self) -> None:
        """Write what is queued until closed."""
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # it has ended; the reader is told so, too
            while self._reason is None or self._frames:
                await self._wake.wait()
                self._wake.clear()
                while self._frames:
                    frame = self._frames.popleft()
                    await self._websocket.send_text(text_of_frame(frame).decode())
                    self._backlog_bytes -= len(frame)
            await self._websocket.close(self._reason.code, self._reason.reason)
