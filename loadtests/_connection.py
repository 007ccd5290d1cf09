"""A WebSocket client for asyncio that calls back: no task and no queue between the socket and who reads it.

Two hundred of these in one process share two cores with the server that they measure. As in `_websocket`, the
`websockets` library does the protocol.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from websockets.client import ClientProtocol
from websockets.frames import DATA_OPCODES, Frame
from websockets.protocol import State
from websockets.uri import parse_uri

if TYPE_CHECKING:
    from collections.abc import Callable


class Connection(asyncio.Protocol):
    """One connection. `on_frame` gets each text frame, and once it was open `on_end` why there will be no more."""

    def __init__(self, url: str, on_frame: Callable[[bytes], None], on_end: Callable[[str], None]) -> None:
        self._protocol = ClientProtocol(parse_uri(url), max_size=None)
        self._on_frame = on_frame
        self._on_end = on_end
        self._fragments: list[bytes] = []
        self._transport: asyncio.WriteTransport | None = None
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def open(self) -> None:
        """Connect. Raises `OSError`, or what `websockets` raises for a handshake that fails."""
        uri = self._protocol.uri
        await asyncio.get_running_loop().create_connection(lambda: self, uri.host, uri.port)
        await self._opened

    def send(self, text: bytes) -> None:
        """Send one text frame; nothing happens if the connection has ended."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_text(text)
            self._write()

    def close(self) -> None:
        """Close from this side."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(1000)
            self._write()

    def abort(self) -> None:
        """End the connection at once, if there is any. Nobody is told."""
        self._on_end = lambda _: None
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        self._protocol.send_request(self._protocol.connect())
        self._write()

    def data_received(self, data: bytes) -> None:
        """Take in what arrived."""
        self._protocol.receive_data(data)
        self._take()

    def eof_received(self) -> None:
        """Take note that nothing more arrives."""
        self._protocol.receive_eof()
        self._take()

    def connection_lost(self, _: Exception | None) -> None:
        """Report the end."""
        self._protocol.receive_eof()
        how = f"{self._protocol.close_code or 1006} {self._protocol.close_reason or ''}".rstrip()
        if self._opened.done():
            self._on_end(how)
        else:
            self._opened.set_exception(self._protocol.handshake_exc or ConnectionResetError(how))

    def _take(self) -> None:
        for event in self._protocol.events_received():
            if not isinstance(event, Frame):
                if self._protocol.state is State.OPEN and not self._opened.done():
                    self._opened.set_result(None)
            elif event.opcode in DATA_OPCODES:
                self._fragments.append(bytes(event.data))
                if event.fin:
                    frame, self._fragments = b"".join(self._fragments), []
                    self._on_frame(frame)
        self._write()

    def _write(self) -> None:
        assert self._transport is not None  # nothing is sent before connection_made
        for data in self._protocol.data_to_send():
            if data:
                self._transport.write(data)
            else:  # the protocol's sign for "nothing more from this side"
                self._transport.close()
