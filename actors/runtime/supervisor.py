"""The parental half of an actor: it starts, restarts and stops children.

It decides by the child's specification and a strategy, and runs no user code, so there is nothing in it that could
crash.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from actors.runtime.cell import Cell, State
from actors.runtime.errors import RestartIntensityExceeded
from actors.runtime.report import Total
from actors.runtime.spec import ChildSpec, Restart
from actors.runtime.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Callable

    from actors.runtime.actor import Actor
    from actors.runtime.report import Node
    from actors.runtime.system import ActorSystem

A = TypeVar("A", bound="Actor")

log = structlog.get_logger()


class Supervisor:
    """The children of one actor, or of the root, in the order of their start. Only used on the loop's thread."""

    __slots__ = ("_done", "_escalate", "_strategy", "_system", "_together", "cells", "path", "stopping")

    def __init__(
        self,
        system: ActorSystem,
        path: str,
        escalate: Callable[[BaseException], object],
        *,
        strategy: Strategy,
        together: bool,
    ) -> None:
        self.path = path
        self.cells: dict[str, Cell[Any]] = {}
        self.stopping = False
        self._system = system
        self._escalate = escalate
        self._strategy = strategy
        self._together = together
        self._done: list[Callable[[], object]] = []

    def spawn(self, spec: ChildSpec[A]) -> Cell[A]:
        """Start a child. Raises `ValueError` if a living one has its name, or if all are being stopped."""
        if self.stopping:
            raise ValueError(f"{self.path or '/'} is stopping, cannot start {spec.name!r}")
        if spec.name in self.cells:
            raise ValueError(f"{self.path}/{spec.name} exists already")
        cell = Cell(self._system, self, spec)
        self.cells[spec.name] = cell
        cell.incarnate()
        return cell

    def child_failed(self, child: Cell[Any], error: BaseException) -> None:
        """Decide what becomes of a child that has crashed."""
        spec = child.spec
        if self.stopping or spec.restart is Restart.TEMPORARY:
            child.give_up(error)
        elif child.restarts.allow(self._system.scheduler.time()):
            self._restart(child)
        else:
            reason = RestartIntensityExceeded(
                f"{child.path} crashed more than {spec.intensity.max_restarts} times in "
                f"{spec.intensity.period_s:g} s, at last with {type(error).__name__}"
            )
            reason.__cause__ = error
            log.error("actor.given_up", actor=child.path, reason=str(reason))
            child.give_up(reason)
            if spec.escalates:
                self._escalate(reason)

    def _restart(self, crashed: Cell[Any]) -> None:
        delay = self._delay_s(crashed)
        if delay:  # else the line that told of the crash says it all
            log.warning("actor.restarts_later", actor=crashed.path, delay_s=round(delay, 3))
        due = self._system.scheduler.time() + delay
        cells = list(self.cells.values())
        group = {
            Strategy.ONE_FOR_ONE: [crashed],
            Strategy.ONE_FOR_ALL: cells,
            Strategy.REST_FOR_ONE: cells[cells.index(crashed) :],
        }[self._strategy]
        for cell in group:
            cell.restart_at = max(cell.restart_at, due)
        self._halt_and_restart([cell for cell in group if cell is not crashed], group, due)

    def _halt_and_restart(self, running: list[Cell[Any]], group: list[Cell[Any]], due: float) -> None:
        """Halt one after the other, the last started first; then start the whole group in its order."""
        while running:
            cell = running.pop()
            if cell.state in {State.STOPPING, State.STOPPED}:
                continue
            cell.halt(partial(self._halted, cell, running, group, due))
            return
        if self.stopping:
            self._stop_more()
        elif (delay_s := due - self._system.scheduler.time()) > 0:
            self._system.scheduler.call_later(delay_s, self._start, group, due)
        else:
            self._start(group, due)

    def _halted(self, cell: Cell[Any], running: list[Cell[Any]], group: list[Cell[Any]], due: float) -> None:
        if cell.spec.restart is Restart.TEMPORARY:
            cell.give_up(None)
        self._halt_and_restart(running, group, due)

    def _start(self, group: list[Cell[Any]], due: float) -> None:
        for cell in group:
            if cell.state is State.FAILED and cell.restart_at <= due and not self.stopping:
                cell.incarnate()

    def _delay_s(self, child: Cell[Any]) -> float:
        backoff = child.spec.backoff
        if backoff is None:
            return 0.0
        if self._system.scheduler.time() - child.started_at >= backoff.reset_after_s:
            child.restarts.in_a_row = 0
        child.restarts.in_a_row += 1
        return backoff.delay_s(child.restarts.in_a_row, self._system.random)

    def child_ended(self, child: Cell[Any]) -> None:
        """Forget a child that has ended, and go on with stopping the others if that is what goes on."""
        if child.stop_deadline is not None:
            child.stop_deadline.cancel()
        del self.cells[child.spec.name]
        if self.stopping:
            self._stop_more()

    def stop_all(self, done: Callable[[], object]) -> None:
        """Stop every child, the last started first, each when the one before has ended; then call `done`.

        A child that does not end within its `shutdown_s` is abandoned: it gets no more messages, its own children
        are abandoned with it, and the log names it.
        """
        self._done.append(done)
        self.stopping = True
        self._stop_more()

    def kill_all(self, error: BaseException) -> None:
        """End every child at once, without its help."""
        self.stopping = True
        for cell in reversed(list(self.cells.values())):
            cell.kill(error)

    def _stop_more(self) -> None:
        cells = list(self.cells.values())
        if not cells:
            done, self._done = self._done, []
            for callback in done:
                callback()
            return
        for cell in reversed(cells) if self._together else cells[-1:]:
            if cell.state is State.FAILED:  # and so without a turn in which it could stop
                cell.give_up(None)
            elif cell.state is not State.STOPPED and cell.stop_deadline is None:
                cell.request_stop()
                cell.stop_deadline = self._system.scheduler.call_later(cell.spec.shutdown_s, self._abandon, cell)

    def nodes(self) -> tuple[Node, ...]:
        """Return what is to be known about the children now."""
        return tuple([cell.node() for cell in self.cells.values()])

    def add_to(self, totals: dict[str, Total]) -> None:
        """Add what there is of each kind (`kind_of`): the children here, and those below them."""
        cells = self.cells.values()
        groups = [(f"{self.path[1:]}/*", cells)] if self.path else [(cell.spec.name, [cell]) for cell in cells]
        for kind, group in groups:
            waiting = [len(cell.mailbox.messages) for cell in group]
            down = sum([cell.state is State.FAILED for cell in group])
            totals[kind] = Total(len(waiting), down, sum(waiting), max(waiting, default=0))
        for cell in cells:
            if cell.children is not None:
                cell.children.add_to(totals)

    def _abandon(self, cell: Cell[Any]) -> None:
        if cell.state is not State.STOPPED:
            log.error("actor.abandoned", actor=cell.path, deadline_s=cell.spec.shutdown_s)
            cell.kill(TimeoutError(f"{cell.path} did not stop within {cell.spec.shutdown_s:g} s"))
