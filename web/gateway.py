"""Opens sockets: a client actor for each WebSocket that comes in, and an end when it goes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import structlog
from pykka import ActorDeadError
from starlette.responses import PlainTextResponse

from actors.runtime import MailboxFull
from chat.admission import who_pays_for
from web.asgi_socket import AsgiSocket
from web.hijack import EXTENSION
from web.origins import origin_of
from web.raw_socket import RawSocket, handshake

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
    from starlette.websockets import WebSocket

    from actors.runtime import ActorRef
    from actors.system import ChatSystem
    from chat.admission import Admission
    from chat.wire import Wire
    from web.origins import Origins
    from web.socket import Socket

FULL: Final = {"server": (503, "too many connections"), "address": (429, "too many connections from this address")}

log = structlog.get_logger()


class Backlog(NamedTuple):
    """What waits for the peers of the open sockets: for all of them, and for the one with most."""

    sockets: int
    bytes: int
    deepest_bytes: int


class Gateway:
    """Serves WebSockets, and knows which are open. Made on the running event loop."""

    def __init__(self, chat: ChatSystem, admission: Admission, origins: Origins) -> None:
        self._chat = chat
        self._admission = admission
        self._origins = origins
        self._open: set[Socket] = set()
        self._all_closed = asyncio.Event()
        self._all_closed.set()
        self._ask_later()
        self.draining = False

    async def serve(self, websocket: WebSocket, wire: Wire, subprotocol: str | None = None) -> None:
        """Serve one connection. Returns when it has ended, or at once where it could be taken over from the server."""
        if self.draining:
            await refuse(websocket, 503, "shutting down")
            return
        if not self._origins.allow(websocket.scope):
            self._admission.limits_hit["allowed_origins"] += 1
            await refuse(websocket, 403, "this origin is not allowed")
            return
        address = address_of(websocket)
        full = self._admission.arrive(address)
        if full is not None:
            await refuse(websocket, *FULL[full])
            return
        hijack = websocket.scope.get("extensions", {}).get(EXTENSION)
        limits = self._chat.limits
        socket: AsgiSocket | RawSocket
        if hijack is None:
            socket = AsgiSocket(websocket, wire, limits, self._admission, address)
        else:
            socket = RawSocket(wire, limits, self._admission, address)
        try:
            client = await self._chat.connect(wire, socket)
        except (ActorDeadError, MailboxFull):
            socket.leave()
            await refuse(websocket, 503, "too busy")
            return
        if isinstance(socket, AsgiSocket):
            self._began(socket)
            try:
                await socket.serve(client, subprotocol)
            finally:
                self._ended(socket, client)
            return
        try:
            transport = hijack()
        except ConnectionResetError:
            socket.leave()
            client.stop(block=False)
            await _let_end()
            return
        self._began(socket)
        socket.open(transport, handshake(websocket.scope["headers"], subprotocol), client, self._ended)

    def _began(self, socket: Socket) -> None:
        self._open.add(socket)
        self._all_closed.clear()

    def _ended(self, socket: Socket, client: ActorRef[Any]) -> None:
        client.stop(block=False)
        socket.leave()
        self._open.discard(socket)
        if not self._open:
            self._all_closed.set()

    def _ask_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._asking = loop.call_later(self._chat.limits.ping_interval_s, self._ask_who_is_there)

    def _ask_who_is_there(self) -> None:
        """Ask the peers whose wire does not."""
        for socket in list(self._open):
            if not socket.wire.pings:
                socket.keepalive()
        self._ask_later()

    def backlog(self) -> Backlog:
        """Return what waits for the peers now. Some milliseconds for 10,000."""
        waiting = [socket.backlog_bytes() for socket in self._open]
        return Backlog(len(waiting), sum(waiting), max(waiting, default=0))

    async def close(self, timeout_s: float) -> None:
        """Close what is open still. After a signal `Drain` has done so; but a server may stop for other reasons."""
        if not self.draining:
            self.draining = True
            self._chat.drain()
            await self.wait_closed(timeout_s)
        self._asking.cancel()
        for socket in list(self._open):
            socket.abort()

    async def wait_closed(self, timeout_s: float) -> None:
        """Wait until no connection is open, for at most `timeout_s`; then cut off those that are."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._all_closed.wait()
        except TimeoutError:
            for socket in list(self._open):
                socket.abort()


def address_of(connection: HTTPConnection) -> str:
    """Return what the peer is counted as. Behind a proxy that the server trusts, it is the one that it speaks for."""
    client = connection.client
    return who_pays_for(client.host) if client is not None else ""


async def refuse(websocket: WebSocket, status: int, reason: str) -> None:
    """Answer a handshake with an HTTP error."""
    log.info(
        "websocket.refused",
        status=status,
        reason=reason,
        address=address_of(websocket),
        origin=origin_of(websocket.scope),
    )
    await websocket.send_denial_response(PlainTextResponse(reason + "\n", status))
    await _let_end()


async def _let_end() -> None:
    """Wait until the server has noticed the end: an application that returns before is broken, by uvicorn's log."""
    for _ in range(3):
        await asyncio.sleep(0)
