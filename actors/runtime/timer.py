"""Timers of actors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from actors.runtime.cell import Cell
    from actors.runtime.scheduler import Cancellable


class Timer:
    """A message that an actor will get, unless it is cancelled or the incarnation ends first."""

    __slots__ = ("_cell", "_message", "handle")

    handle: Cancellable

    def __init__(self, cell: Cell[Any], message: Any) -> None:
        self._cell = cell
        self._message = message

    def fire(self) -> None:
        """Tell the message."""
        self._cell.timers.discard(self)
        self._cell.ref.tell(self._message)

    def cancel(self) -> None:
        """Take the message back, if it is not in the mailbox yet."""
        self._cell.timers.discard(self)
        self.handle.cancel()
