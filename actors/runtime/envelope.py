"""What can lie in a mailbox besides plain messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from actors.runtime.future import Future


class Ask:
    """A message whose answer goes into a future. Plain messages need no envelope: a `tell` allocates nothing."""

    __slots__ = ("future", "message")

    def __init__(self, message: Any, future: Future[Any]) -> None:
        self.message = message
        self.future = future


class Stop:
    """The mark that an actor stops at: it handles what lies before it, and nothing behind."""


STOP: Final = Stop()
