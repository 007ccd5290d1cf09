"""A WebSocket client for asyncio, for thousands in one process: what `_connection` does, for a tenth of the time.

It speaks as much of RFC 6455 as the server does to it: whole frames, neither fragmented nor compressed.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, Final, cast

from loadtests._blast import PARLEY, READ_BYTES, masked, upgrade

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT: Final = 0x81
CLOSE: Final = 0x88
LENGTH_16: Final = 126
LENGTH_64: Final = 127
RESET: Final = struct.pack("ii", 1, 0)

_buffer: Final = bytearray(READ_BYTES)  # of all connections: what is read is copied out at once
_view: Final = memoryview(_buffer)
_request: Final = upgrade(PARLEY.path)


def frame_at(data: bytes | bytearray, at: int) -> tuple[int, int, int] | None:
    """Return the first byte of the frame that begins there, and where its content begins and ends; None if cut off."""
    if len(data) < at + 2:
        return None
    size, begin = data[at + 1], at + 2
    if size == LENGTH_16:
        begin += 2
    elif size == LENGTH_64:
        begin += 8
    if len(data) < begin:
        return None
    if begin > at + 2:
        size = int.from_bytes(data[at + 2 : begin], "big")
    return (data[at], begin, begin + size) if len(data) >= begin + size else None


class LeanConnection(asyncio.BufferedProtocol):
    """One connection. `on_frame` gets each text, and once it was open `on_end` why there will be no more.

    With `receive_bytes` the kernel holds only about that much (twice it, on Linux) of what was not read yet.
    """

    def __init__(
        self, port: int, on_frame: Callable[[bytes], None], on_end: Callable[[str], None], receive_bytes: int = 0
    ) -> None:
        self.local_port = 0
        self._port = port
        self._on_frame = on_frame
        self._on_end = on_end
        self._receive_bytes = receive_bytes
        self._data = bytearray()
        self._how = "1006"
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None

    async def open(self) -> None:
        """Connect. Raises `OSError`."""
        loop = asyncio.get_running_loop()
        raw = socket.socket()
        try:
            raw.settimeout(0)
            if self._receive_bytes:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_bytes)
            await loop.sock_connect(raw, ("127.0.0.1", self._port))
            self.local_port = raw.getsockname()[1]
            await loop.create_connection(lambda: self, sock=raw)
        except BaseException:
            raw.close()
            raise
        await self._opened

    def send(self, text: str) -> None:
        """Send one text frame; nothing happens if the connection has ended."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(masked(text))

    def pause(self) -> None:
        """Read nothing any more."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read again."""
        if self._transport is not None:
            self._transport.resume_reading()

    def abort(self) -> None:
        """Vanish: the server gets a reset, and nobody here is told."""
        self._on_end = lambda _: None
        if self._transport is not None:
            raw = self._transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        self._transport = cast("asyncio.Transport", transport)  # (uvloop's is none by class)
        self._transport.write(_request)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  (asyncio's interface)
        """Lend the buffer to read into."""
        return _view

    def buffer_updated(self, nbytes: int) -> None:
        """Take in what arrived."""
        data = self._data
        data += _view[:nbytes]
        at = 0
        if not self._opened.done():
            at = data.find(b"\r\n\r\n") + 4
            if at < 4:  # noqa: PLR2004  (it was not found)
                return
            if not data.startswith(b"HTTP/1.1 101 "):
                self._fail(data[: data.index(b"\r\n")].decode("latin-1"))
                return
            self._opened.set_result(None)
        while (frame := frame_at(data, at)) is not None:
            kind, begin, at = frame
            if kind == TEXT:
                self._on_frame(bytes(data[begin:at]))
            elif kind == CLOSE:
                self._how = f"{int.from_bytes(data[begin : begin + 2], 'big')} {data[begin + 2 : at].decode()}".rstrip()
                self._hang_up()
        del data[:at]

    def connection_lost(self, _: Exception | None) -> None:
        """Report the end."""
        self._transport = None
        if self._opened.done():
            self._on_end(self._how)
        else:
            self._fail("the server hung up")

    def _fail(self, why: str) -> None:
        if not self._opened.done():
            self._opened.set_exception(ConnectionResetError(why))
        if self._transport is not None:
            self._transport.abort()

    def _hang_up(self) -> None:
        if self._transport is not None:
            self._transport.write(bytes((CLOSE, 0x80)) + bytes(4))
            self._transport.close()
