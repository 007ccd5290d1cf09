"""A thread that notices actors which do not come back from a handler.

A handler that never returns cannot crash, so no supervisor would hear of it; on the loop it stops everything. What
can be done is done: a thread actor goes on in a new thread (unless its specification says that it must not), with its
mailbox, and the message that held the old one counts as the cause of a crash. A thread cannot be ended from outside,
so the old one is left to itself; and an actor on the loop cannot be replaced, only named: the log says which it is,
on what kind of message, and where it stands.
"""

from __future__ import annotations

import sys
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any

import structlog

from actors.runtime.envelope import Ask
from actors.runtime.mailbox import EMPTY
from actors.runtime.report import Stuck

if TYPE_CHECKING:
    from collections.abc import Callable

    from actors.runtime.cell import Cell
    from actors.runtime.system import ActorSystem

log = structlog.get_logger()


class Watchdog:
    """Looks at the actors of one system several times in `limit_s`, and reports each turn that takes longer, once.

    `on_stuck` is called in the watchdog's thread.
    """

    def __init__(self, system: ActorSystem, limit_s: float, on_stuck: Callable[[Stuck], object] | None = None) -> None:
        self._system = system
        self._limit_s = limit_s
        self._on_stuck = on_stuck
        self._reported: dict[Cell[Any], float] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more. Returns when the thread has ended."""
        self._stop.set()
        self._thread.join()

    @property
    def stuck(self) -> list[str]:
        """The actors on the loop, and those that could not be replaced yet, that are stuck now."""
        return [cell.path for cell in list(self._reported)]

    def _run(self) -> None:
        while not self._stop.wait(self._limit_s / 4):
            self._look()

    def _look(self) -> None:
        now = time.monotonic()
        for cell, began in list(self._reported.items()):
            if cell.turn_began != began:
                del self._reported[cell]
                log.warning("actor.unstuck", actor=cell.path, seconds=round(now - began, 3))
        on_loop = self._system.in_turn
        for cell in [*self._system.thread_cells.copy(), *([on_loop] if on_loop is not None else [])]:
            began = cell.turn_began
            if began and now - began >= self._limit_s and cell not in self._reported:
                self._report(cell, began, now)

    def _report(self, cell: Cell[Any], began: float, now: float) -> None:
        in_thread = cell in self._system.thread_cells
        thread = cell.thread if in_thread else self._system.thread
        actor, item = cell.actor, cell.handling
        frame = sys._current_frames().get(thread or 0)  # noqa: SLF001  (there is no other way)
        if actor is None or cell.turn_began != began:
            return  # it came back while we looked
        self._reported[cell] = began
        message = item.message if type(item) is Ask else item
        stuck = Stuck(
            actor=cell.path,
            message=None if item is EMPTY else type(message).__name__,
            seconds=round(now - began, 3),
            stack="".join(traceback.format_stack(frame)) if frame is not None else "",
        )
        log.error("actor.stuck", **{name: getattr(stuck, name) for name in stuck.__struct_fields__})
        if self._on_stuck is not None:
            self._on_stuck(stuck)
        if in_thread and cell.spec.replace_stuck:
            self._system.call_soon(cell.replace_stuck, actor, began)
