"""What tests of sockets use in place of a client actor and of a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from websockets.frames import Frame, Opcode

from actors.messages import Receive, Reject

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from chat.errors import CloseReason


class FakeClient:
    """A client actor's ref that keeps what it is told, and is as far behind as it is said to be."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.behind = 0
        self.stopped = False

    def tell(self, message: Any) -> None:
        self.told.append(message)

    def waiting(self) -> int:
        return self.behind

    def stop(self, *, block: bool) -> None:
        assert not block
        self.stopped = True

    @property
    def command_ids(self) -> list[list[int]]:
        """The ids of the commands in each message."""
        return [[command.id for command in message.commands] for message in self.told if isinstance(message, Receive)]

    @property
    def rejected(self) -> list[CloseReason]:
        return [message.reason for message in self.told if isinstance(message, Reject)]


class FakeTransport:
    """A transport that keeps what is written; `waits` says how much of it the peer has not read."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.on_write: Callable[[], object] = lambda: None
        self.calls = 0
        """How often something was written."""
        self.waits = 0
        self.aborted = self.closed = self.eof = self.paused = False
        self.alive = True
        self.protocol: asyncio.BaseProtocol | None = None

    def get_write_buffer_size(self) -> int:
        if not self.alive:
            raise RuntimeError("the handler is closed")
        return self.waits

    def set_write_buffer_limits(self, high: int) -> None:
        self.high = high

    def write(self, data: bytes) -> None:
        self.calls += 1
        self.written.append(data)
        self.on_write()

    def writelines(self, frames: list[bytes]) -> None:
        self.calls += 1
        self.written += frames
        self.on_write()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def get_extra_info(self, _: str) -> None:
        return None

    def is_closing(self) -> bool:
        return self.closed or self.aborted

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.eof = True

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


def from_client(data: bytes | str, opcode: Opcode = Opcode.TEXT, *, fin: bool = True) -> bytes:
    """Return a frame as a client sends it."""
    payload = data.encode() if isinstance(data, str) else data
    return Frame(opcode, payload, fin).serialize(mask=True)


def close_frame(frame: bytes) -> tuple[int, str]:
    """Return code and reason of a close frame that a server sent."""
    assert frame[0] == 0x80 | Opcode.CLOSE
    return int.from_bytes(frame[2:4], "big"), frame[4:].decode()
