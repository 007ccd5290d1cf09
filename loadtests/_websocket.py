"""A WebSocket client that blocks: under Locust, whose sockets are gevent's, only its own user.

The `websockets` library does the protocol and no I/O; here is the I/O. Per delivery this takes less
than a third of the CPU that the usual websocket-client takes, and on one machine the load test's
share is the server's loss.

The name begins with an underscore because Locust loads all other files here as locustfiles.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from websockets.client import ClientProtocol
from websockets.frames import DATA_OPCODES, Frame
from websockets.protocol import State
from websockets.uri import parse_uri

if TYPE_CHECKING:
    from collections.abc import Iterator

READ_BYTES = 65_536
LINGER_NOT_AT_ALL = struct.pack("ii", 1, 0)


class WebSocket:
    """An open connection: one thread or greenlet reads `messages`, any number send."""

    def __init__(self, url: str, *, connect_timeout_s: float = 10.0, idle_timeout_s: float = 60.0) -> None:
        """Connect. Raises `OSError`, or what `websockets` raises for a handshake that fails."""
        uri = parse_uri(url)
        self._protocol = ClientProtocol(uri, max_size=None)
        self._guard = threading.Lock()  # the reader answers pings while others send
        self._socket = socket.create_connection((uri.host, uri.port), connect_timeout_s)
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if uri.secure:
                context = ssl.create_default_context()
                self._socket = context.wrap_socket(self._socket, server_hostname=uri.host)
            self._shake_hands()
        except BaseException:
            self._socket.close()
            raise
        # The server pings; who hears nothing for this long is connected to nobody.
        self._socket.settimeout(idle_timeout_s)

    def send(self, text: bytes) -> None:
        """Send one text frame. Raises `OSError` if the connection has ended."""
        with self._open():
            self._protocol.send_text(text)

    def ping(self) -> None:
        """Send a WebSocket ping. Raises as `send`: the way to notice, without reading, that the other side has gone."""
        with self._open():
            self._protocol.send_ping(b"")

    def messages(self) -> Iterator[bytes]:
        """Yield what arrives, until the connection has ended: see `ended_with`."""
        fragments: list[bytes] = []
        while True:
            for event in self._protocol.events_received():
                if isinstance(event, Frame) and event.opcode in DATA_OPCODES:
                    fragments.append(bytes(event.data))
                    if event.fin:
                        yield b"".join(fragments)
                        fragments.clear()
            if self._protocol.state is State.CLOSED:
                return
            try:
                self._read()
            except OSError:  # reset, silent for too long, or closed by this side
                with self._guard:
                    self._protocol.receive_eof()

    @property
    def ended_with(self) -> str:
        """The close code and reason; 1006 if there was no close frame."""
        return f"{self._protocol.close_code or 1006} {self._protocol.close_reason or ''}".rstrip()

    def close(self) -> None:
        """Say goodbye and do not wait for the answer; `messages` ends."""
        with self._guard:
            try:
                if self._protocol.state is State.OPEN:
                    self._protocol.send_close(1000)
                    self._write()
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the other side was faster
            self._socket.close()

    def abort(self) -> None:
        """Vanish, as a device without a network does: the other side gets a reset, if anything. `messages` ends."""
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT_AT_ALL)
            self._socket.shutdown(socket.SHUT_RD)  # says nothing to the other side, and wakes the reader
        except OSError:
            pass  # the other side was faster
        self._socket.close()

    @contextmanager
    def _open(self) -> Iterator[None]:
        with self._guard:
            if self._protocol.state is not State.OPEN:
                raise ConnectionResetError(self.ended_with)
            yield
            self._write()

    def _shake_hands(self) -> None:
        self._protocol.send_request(self._protocol.connect())
        self._write()
        while self._protocol.state is State.CONNECTING and not self._protocol.handshake_exc:
            self._read()
        if self._protocol.handshake_exc:
            raise self._protocol.handshake_exc

    def _read(self) -> None:
        data = self._socket.recv(READ_BYTES)
        with self._guard:
            if data:
                self._protocol.receive_data(data)
            else:
                self._protocol.receive_eof()
            self._write()

    def _write(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._socket.sendall(data)
            else:  # the protocol's sign for "nothing more from this side"
                self._socket.shutdown(socket.SHUT_WR)
