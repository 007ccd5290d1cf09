"""The real application with faults planted, each set off by the text of a message.

"crash" makes the room crash, "hang" keeps it busy for a while, "doom" makes the journal crash.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from actors.client import ClientActor
from actors.journal import JournalActor
from actors.messages import Append
from actors.room import RoomActor
from chat.main import app
from chat.protocol import calls

if TYPE_CHECKING:
    from actors.messages import Publish
    from chat.protocol.commands import Command

__all__ = ["app"]

_publish = RoomActor._publish  # noqa: SLF001  (the fault is planted inside)
_typing = ClientActor._commands[calls.Typing]  # noqa: SLF001
_receive = JournalActor.on_receive


def faulty_publish(self: RoomActor, publish: Publish) -> None:
    if b'"text":"crash"' in publish.data:
        raise RuntimeError("planted")
    if b'"text":"hang"' in publish.data:
        time.sleep(1.5)
    _publish(self, publish)


def faulty_receive(self: JournalActor, message: Any) -> None:
    if isinstance(message, Append) and b'"text":"doom"' in message.draft.data:
        raise RuntimeError("planted")
    _receive(self, message)


def faulty_typing(self: ClientActor, command: Command, call: calls.Typing) -> None:
    if call.channel == "crash":
        raise RuntimeError("planted")
    _typing(self, command, call)


RoomActor._publish = faulty_publish  # type: ignore[method-assign]  # noqa: SLF001
ClientActor._commands[calls.Typing] = faulty_typing  # noqa: SLF001
JournalActor.on_receive = faulty_receive  # type: ignore[method-assign]
