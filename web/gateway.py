"""One WebSocket ⇄ one client actor.

The gateway reads frames, has the wire take them apart, and passes the commands on. It knows what a frame is and
nothing of what is in it. A frame that is none of its wire's ends the connection; everything else is the actor's to
judge.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from pykka import ActorDeadError
from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocketDisconnect

from actors.messages import Receive, Reject
from actors.runtime import MailboxFull
from chat.errors import MESSAGE_TOO_BIG, UNSUPPORTED_DATA, Disconnect
from web.socket import socket_of

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from actors.runtime import ActorRef
    from actors.system import ChatSystem
    from chat.wire import Wire
    from web.socket import Socket

MAX_WAITING = 32
"""How many frames a client actor may be behind before its socket is read no further."""


class Gateway:
    """Serves WebSockets, and knows which are open."""

    def __init__(self, chat: ChatSystem) -> None:
        self._chat = chat
        self._open: set[Socket] = set()
        self._all_closed = asyncio.Event()
        self._all_closed.set()
        self.draining = False

    async def serve(self, websocket: WebSocket, wire: Wire, subprotocol: str | None = None) -> None:
        """Serve one connection until it ends."""
        if self.draining:
            await refuse(websocket, 503, "shutting down")
            return
        socket = socket_of(websocket, self._chat.limits.max_backlog_bytes)
        try:
            client = await self._chat.connect(wire, socket)
        except (ActorDeadError, MailboxFull):
            await refuse(websocket, 503, "too busy")
            return
        self._open.add(socket)
        self._all_closed.clear()
        try:
            await websocket.accept(subprotocol)
            socket.accepted()
            await self._read(websocket, wire, socket, client)
        finally:
            client.stop(block=False)
            socket.ended()
            self._open.discard(socket)
            if not self._open:
                self._all_closed.set()

    async def _read(self, websocket: WebSocket, wire: Wire, socket: Socket, client: ActorRef[Any]) -> None:
        limit = self._chat.limits.max_frame_bytes
        while True:
            try:
                event = await websocket.receive()
            except WebSocketDisconnect:
                return
            if event["type"] == "websocket.disconnect":
                return
            if socket.closing:
                continue  # it only remains to see the peer go
            text = event.get("text")
            if text is None:
                client.tell(Reject(UNSUPPORTED_DATA))
            elif len(text) > limit or len(text.encode()) > limit:
                client.tell(Reject(MESSAGE_TOO_BIG))
            else:
                try:
                    client.tell(Receive(wire.decode(text)))
                except Disconnect as wrong:
                    client.tell(Reject(wrong.reason))
            # uvicorn hands out what it has read already without giving the loop a turn in between.
            while client.waiting() > MAX_WAITING:  # noqa: ASYNC110  (a turn of the loop is all it takes)
                await asyncio.sleep(0)

    async def wait_closed(self, timeout_s: float) -> None:
        """Wait until no connection is open, for at most `timeout_s`; then cut off those that are."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._all_closed.wait()
        except TimeoutError:
            for socket in list(self._open):
                socket.abort()


async def refuse(websocket: WebSocket, status: int, reason: str) -> None:
    """Answer a handshake with an HTTP error."""
    await websocket.send_denial_response(PlainTextResponse(reason + "\n", status))
