"""A socket on a connection that was taken over from the server (`web/hijack.py`), in both directions.

What goes out are ready-made frames, in one call for all that is due. Of a backlog the transport gets only the first
part, since it keeps some 800 bytes for each write; of the rest, references are held here. What comes in is taken apart
by `websockets`, whose part knows no sockets, and handed over at once: no task, no queue. The protocol's own part (its
pings, closing, errors) is that library's, too.

Compression is not negotiated: a frame is made once for all who get it, so only what clients send could be compressed,
and it would cost each connection 33 KiB.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from websockets.frames import Opcode
from websockets.protocol import SEND_EOF, State
from websockets.server import ServerProtocol
from websockets.utils import accept_key

from actors.messages import Reject
from chat.errors import BANNED_CLOSE, SLOW, CloseReason
from web.socket import Socket

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actors.runtime import ActorRef
    from chat.admission import Admission
    from chat.limits import Limits
    from chat.wire import Wire

CLOSE_TIMEOUT_S: Final = 2.0
"""How long a peer may take to read what is left and to answer the close frame, before it is cut off."""

BANNED_TIMEOUT_S: Final = 0.5
"""The same for somebody who is banned: within a second nothing is left of them."""

AFTER_GOODBYE_S: Final = 0.05
"""How often a peer is read that was told goodbye: `READ_BYTES` each time."""

SEND_BUFFER_BYTES: Final = 65_536
"""What the kernel may hold for a connection; it doubles this. Left alone, it takes megabytes for who reads slowly."""

WRITE_BUFFER_BYTES: Final = 16_384
"""How much may wait in the transport before what comes is held back."""

READ_BYTES: Final = 16_384
"""Most that is read at once. What one client sends at a time must not keep the others waiting."""

_buffer: Final = memoryview(bytearray(READ_BYTES))  # of all connections: what is read is taken out at once

_PEER_GONE: Final = CloseReason(1006, "the peer has gone")

_logger = logging.getLogger("parley.websocket")
_logger.setLevel(logging.WARNING)  # (each connection that closes is worth a line to the library; to us it is an event)


class RawSocket(Socket, asyncio.BufferedProtocol):
    """A WebSocket without a server around it. At most `max_backlog_bytes` wait, besides what the kernel holds."""

    __slots__ = (
        "_cut",
        "_early",
        "_fragments",
        "_full",
        "_held",
        "_held_bytes",
        "_on_end",
        "_silent",
        "_transport",
        "_websocket",
    )

    def __init__(self, wire: Wire, limits: Limits, admission: Admission, address: str = "") -> None:
        super().__init__(wire, limits, admission, address)
        self._transport: asyncio.Transport | None = None
        self._websocket = ServerProtocol(state=State.OPEN, max_size=limits.max_frame_bytes, logger=_logger)
        self._early: list[bytes] = []
        """What was sent before the WebSocket was open."""
        self._full = False
        """Whether the transport should get no more for now."""
        self._held: deque[bytes] | None = None
        """What waits for the transport; None rather than empty. It is full as long as anything does."""
        self._held_bytes = 0
        self._fragments: bytearray | None = None
        self._cut: asyncio.TimerHandle | None = None
        self._silent = False
        """Whether the peer was asked if it is there, and nothing has come from it since."""
        self._on_end: Callable[[Socket, ActorRef[Any]], object] | None = None

    def open(
        self,
        transport: asyncio.Transport,
        answer: bytes,
        client: ActorRef[Any],
        on_end: Callable[[Socket, ActorRef[Any]], object],
    ) -> None:
        """Answer the handshake and begin. `on_end(self, client)` is called when the connection has ended."""
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self._client = client
        self._on_end = on_end
        self._transport = transport
        transport.set_write_buffer_limits(WRITE_BUFFER_BYTES)
        transport.set_protocol(self)
        early, self._early = self._early, []
        transport.writelines([answer, *early])
        if self._reason is not None:
            self._say_goodbye(self._reason)

    # Out.

    def send(self, frames: Sequence[bytes]) -> bool:
        """See `Transport.send`. What is due to a peer that has read all before is always taken."""
        if self._reason is not None:
            return True  # nobody will read them; that is no backlog
        transport = self._transport
        if transport is None:
            self._early += frames
            return True
        try:
            waiting = transport.get_write_buffer_size()
            if waiting or self._held is not None:
                size = sum(map(len, frames))
                if waiting + self._held_bytes + size > self._limits.max_backlog_bytes:
                    return False
                if self._full:
                    self._hold(frames, size)
                    return True
            if len(frames) == 1:
                transport.write(frames[0])
            else:
                transport.writelines(frames)
        except RuntimeError:
            pass  # uvloop's word for a connection that has ended; `connection_lost` is about to be called
        return True

    def _hold(self, frames: Sequence[bytes], size: int) -> None:
        if self._held is None:
            self._held = deque()
        self._held += frames
        self._held_bytes += size

    def pause_writing(self) -> None:
        """Take note that the transport has enough."""
        self._full = True

    def resume_writing(self) -> None:
        """Give the transport what was held back, until it has enough again."""
        self._full = False
        while self._held is not None and not self._full:
            self._write_held(SEND_BUFFER_BYTES)

    def _write_held(self, most_bytes: int) -> None:
        """Write so much of what was held back, or a frame that is larger."""
        held, transport = self._held, self._transport
        assert held is not None
        assert transport is not None  # nothing is held once it has ended
        frames = [held.popleft()]
        size = len(frames[0])
        while held and size + len(held[0]) <= most_bytes:
            frames.append(held.popleft())
            size += len(frames[-1])
        self._held_bytes -= size
        if not held:
            self._held = None
        if not transport.is_closing():
            transport.writelines(frames)

    def _drop_held(self) -> None:
        self._held, self._held_bytes = None, 0

    def backlog_bytes(self) -> int:
        """See `Transport.backlog_bytes`."""
        try:
            return self._held_bytes + self._transport.get_write_buffer_size() if self._transport is not None else 0
        except RuntimeError:
            return 0  # as above

    def close(self, reason: CloseReason) -> None:
        """See `Socket.close`. Who is closed for not reading gets nothing of what was held back."""
        if self._reason is None:
            self._reason = reason
            if self._transport is not None:
                self._say_goodbye(reason)

    def _say_goodbye(self, reason: CloseReason) -> None:
        self._cut_soon(BANNED_TIMEOUT_S if reason is BANNED_CLOSE else CLOSE_TIMEOUT_S)
        if reason is SLOW:
            self._drop_held()
        elif self._held is not None:
            self._write_held(self._held_bytes)
        if self._websocket.state is State.OPEN:
            self._websocket.send_close(reason.code, reason.reason)
            self._write_control()

    def abort(self) -> None:
        """See `Socket.abort`. The peer is told by a reset: the kernel would go on trying to send what is left."""
        transport = self._transport
        if transport is not None:
            raw = transport.get_extra_info("socket")
            if raw is not None:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()

    def keepalive(self) -> None:
        """See `Socket.keepalive`: send a ping, and cut off a peer that has not answered the one before."""
        if self._silent:
            self.abort()
        elif self._reason is None and self._transport is not None:
            self._silent = True
            self._websocket.send_ping(b"")
            self._write_control()

    def _cut_soon(self, timeout_s: float) -> None:
        if self._cut is None:
            self._cut = asyncio.get_running_loop().call_later(timeout_s, self.abort)

    def _write_control(self) -> None:
        """Write what the protocol itself has to say. Cut off a peer that asks for more of it than it reads."""
        transport = self._transport
        assert transport is not None  # nothing was said before the handshake
        if self.backlog_bytes() > self._limits.max_backlog_bytes:
            assert self._admission is not None  # it has not ended
            self._admission.limits_hit["max_backlog_bytes"] += 1
            self._websocket.data_to_send()
            self.abort()
            return
        for data in self._websocket.data_to_send():
            if data == SEND_EOF:  # both have said goodbye, or the peer broke the protocol
                self._reason = self._reason or _PEER_GONE
                self._drop_held()  # nothing may follow a close frame
                self._cut_soon(CLOSE_TIMEOUT_S)
                # Not `close`: for what it is still sending the peer would get a reset, which undoes the goodbye.
                if transport.can_write_eof():
                    transport.write_eof()
                else:
                    transport.close()
            elif not transport.is_closing():
                transport.write(data)

    # In: what the event loop calls.

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  (asyncio's interface)
        """Lend the buffer to read into."""
        return _buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take in what was read."""
        self._silent = False
        websocket = self._websocket
        websocket.receive_data(bytes(_buffer[:nbytes]))
        frames = websocket.events_received()
        if frames and self._reason is None:
            self._take(frames)
        if websocket.parser_exc is not None and self._reason is None:
            self._broken()
        if websocket.writes:
            self._write_control()
        transport = self._transport
        if websocket.close_sent and not websocket.close_rcvd and transport is not None and not transport.is_closing():
            self._read_slowly(transport)

    def _read_slowly(self, transport: asyncio.Transport) -> None:
        """Leave a peer that was told goodbye, and talks on, alone for a while: it only has to answer that."""
        transport.pause_reading()
        asyncio.get_running_loop().call_later(AFTER_GOODBYE_S, self._resume)

    def _take(self, frames: list[Any]) -> None:
        messages: list[bytes | bytearray | str] = []
        for frame in frames:
            opcode = frame.opcode
            if opcode is Opcode.TEXT:
                if frame.fin:
                    messages.append(frame.data)
                else:
                    self._fragments = bytearray(frame.data)
            elif opcode is Opcode.CONT:
                assert self._fragments is not None  # the library lets none through that nothing was begun with
                self._fragments += frame.data
                if frame.fin:
                    messages.append(self._fragments)
                    self._fragments = None
            elif opcode is Opcode.BINARY:
                self._received(messages)
                self._received_binary()
                return
        if messages:
            self._received(messages)
            if self._is_behind():
                self._pause()

    def _pause(self) -> None:
        assert self._transport is not None  # it was read from
        self._transport.pause_reading()
        asyncio.get_running_loop().call_soon(self._resume)

    def _resume(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self._is_behind():
            asyncio.get_running_loop().call_soon(self._resume)
        else:
            transport.resume_reading()

    def _broken(self) -> None:
        """Tell the actor that its peer broke the protocol; the library has written why into a close frame."""
        sent = self._websocket.close_sent
        assert sent is not None  # see `websockets.protocol.Protocol.parse`
        assert self._client is not None  # it is open
        self._reason = CloseReason(sent.code, sent.reason)
        self._drop_held()
        self._client.tell(Reject(self._reason))

    def eof_received(self) -> None:
        """Take note that the peer says no more: the transport closes by itself."""

    def connection_lost(self, _: Exception | None) -> None:
        """Take note of the end."""
        if self._cut is not None:
            self._cut.cancel()
        self._reason = self._reason or _PEER_GONE
        self._transport = None
        self._drop_held()
        assert self._on_end is not None  # both were given to `open`
        assert self._client is not None
        self._on_end(self, self._client)
        # What is left of both goes now, and does not wait for the garbage collector: each holds the other, and the
        # library's parser, a generator, itself.
        self._client = None
        self._websocket.parser.close()


def handshake(headers: list[tuple[bytes, bytes]], subprotocol: str | None) -> bytes:
    """Return the answer to a handshake that the server has found to be one (RFC 6455, section 4.2.2)."""
    key = next(value for name, value in headers if name.lower() == b"sec-websocket-key")
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept_key(key.decode('latin-1'))}",
    ]
    if subprotocol is not None:
        lines.append(f"Sec-WebSocket-Protocol: {subprotocol}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
