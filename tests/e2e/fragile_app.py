"""The real application with one fault planted: a room crashes on a message whose text is "crash"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.client import ClientActor
from actors.room import RoomActor
from chat.main import app

if TYPE_CHECKING:
    from actors.messages import Publish
    from chat import protocol
    from chat.protocol import Command

__all__ = ["app"]

_publish = RoomActor._publish  # noqa: SLF001  (the fault is planted inside)
_typing = ClientActor._typing  # noqa: SLF001


def faulty_publish(self: RoomActor, publish: Publish) -> None:
    if b'"text":"crash"' in publish.data:
        raise RuntimeError("planted")
    _publish(self, publish)


def faulty_typing(self: ClientActor, command: Command, call: protocol.Typing) -> None:
    if call.channel == "crash":
        raise RuntimeError("planted")
    _typing(self, command, call)


RoomActor._publish = faulty_publish  # type: ignore[method-assign]  # noqa: SLF001
ClientActor._typing = faulty_typing  # type: ignore[method-assign]  # noqa: SLF001
