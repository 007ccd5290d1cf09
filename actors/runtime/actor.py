"""The two kinds of actor: on the event loop, and in a thread of its own for what blocks."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

import pykka
import structlog

from actors.runtime.future import Future
from actors.runtime.mailbox import Mailbox
from actors.runtime.report import Counts
from actors.runtime.strategy import Strategy
from actors.runtime.system import ActorSystem

if TYPE_CHECKING:
    import threading
    from typing import Self

    from actors.runtime.cell import Cell
    from actors.runtime.ref import ActorRef
    from actors.runtime.scheduler import Cancellable
    from actors.runtime.spec import ChildSpec

A = TypeVar("A", bound="Actor")

SWITCH_INTERVAL_S: Final = 0.0005
"""How long a thread may keep the interpreter while another one waits for it, where there are thread actors."""

log = structlog.get_logger()


class Actor(pykka.Actor):
    """An actor on the event loop.

    Handlers are plain functions and must not block: they run on the loop's thread, at most `batch` messages in a
    turn, then everybody else has theirs. An instance is one *incarnation*: after a crash the supervisor makes a new
    one, which goes on with the same ref and the same mailbox. So nothing that must survive a crash may live in the
    instance only.

    Its ref and its other connections to the runtime exist from `on_start` on, not in `__init__`.
    """

    batch: ClassVar[int] = 256
    """How many messages one turn may handle before the loop is given back."""

    strategy: ClassVar[Strategy] = Strategy.ONE_FOR_ONE
    """Which of this actor's children are restarted when one of them crashes."""

    stops_children_together: ClassVar[bool] = False
    """Stop all children at once rather than one after the other, last started first."""

    _cell: Cell[Any]
    _actor_ref: ActorRef[Any]

    def __init__(self) -> None:  # (Pykka's would make a ref and a mailbox for every incarnation)
        pass

    @classmethod
    def start(cls, *args: Any, **kwargs: Any) -> ActorRef[Self]:
        """Start an actor outside of any supervision tree, on the running event loop. It is never restarted."""
        return ActorSystem.start_alone(lambda: cls(*args, **kwargs))

    # Pykka's hooks for new actor types.

    @staticmethod
    def _create_actor_inbox() -> Mailbox:  # type: ignore[override]  # (its put answers whether there was room)
        return Mailbox(10_000, Counts())

    @staticmethod
    def _create_future() -> Future[Any]:
        return Future()

    def _start_actor_loop(self) -> None:
        """Give the actor its turns on the loop: the first one now, further ones when something arrives."""
        cell = self._cell
        system = cell.system
        cell.mailbox.start(partial(system.call_soon, cell.take_turn), partial(system.call_in_bulk, cell.take_turn))

    # For subclasses to override, besides Pykka's on_start, on_receive, on_stop and on_failure.

    def on_receive(self, message: Any) -> Any:
        """Handle one message. What is returned answers an `ask`."""
        log.warning("actor.unexpected_message", actor=self._cell.path, message=type(message).__name__)

    def on_turn_end(self) -> None:
        """Run at the end of each turn, the first one included: the place to send what its messages added up to."""

    # For subclasses to call.

    @property
    def actor_ref(self) -> ActorRef[Self]:
        """The address of this actor, the same for all its incarnations."""
        return self._actor_ref

    @property
    def actor_stopped(self) -> threading.Event:  # type: ignore[override]  # (an attribute in Pykka)
        """Set when the actor has ended for good."""
        return self._cell.stopped

    def attach(self, cell: Cell[Any]) -> None:
        """Become the current incarnation of `cell`. Called by the runtime, before `on_start`."""
        self._cell = cell
        self._actor_ref = cell.ref
        self.actor_urn = cell.path
        self.actor_inbox = cell.mailbox  # type: ignore[assignment]  # (as above)

    def stop(self) -> None:
        """Stop after the message being handled. From now on the actor counts as dead to everybody else.

        A permanent child that does this is restarted.
        """
        self._cell.stop_itself()

    def spawn(self, spec: ChildSpec[A]) -> ActorRef[A]:
        """Start a child and supervise it. It outlives a restart of this actor.

        Raises `ValueError` if a living child has that name.
        """
        return self._cell.spawn(spec).ref

    def child(self, name: str) -> ActorRef[Any] | None:
        """Return the living child of that name."""
        family = self._cell.children
        cell = family.cells.get(name) if family is not None else None
        return cell.ref if cell is not None and cell.ref.is_alive() else None

    def children(self) -> list[ActorRef[Any]]:
        """Return the living children, in the order of their start."""
        family = self._cell.children
        return [c.ref for c in family.cells.values() if c.ref.is_alive()] if family else []

    def watch(self, ref: ActorRef[Any]) -> None:
        """Be told `Restarted` and `Terminated` of another actor; `Terminated` at once if it is dead already."""
        ref._cell.add_watcher(ref, self._actor_ref)  # noqa: SLF001  (a ref is the cell's public face)

    def unwatch(self, ref: ActorRef[Any]) -> None:
        """Stop watching. A signal that is already on its way still arrives."""
        ref._cell.remove_watcher(self._actor_ref)  # noqa: SLF001

    def add_watcher(self, ref: ActorRef[Any]) -> None:
        """Let another actor watch this one, as if it had called `watch`.

        For an actor that takes on a member: there is no moment in which it could restart unnoticed.
        """
        self._cell.add_watcher(self._actor_ref, ref)

    def remove_watcher(self, ref: ActorRef[Any]) -> None:
        """Undo `add_watcher`."""
        self._cell.remove_watcher(ref)

    def now(self) -> float:
        """Return the scheduler's time: monotonic seconds."""
        return self._cell.system.scheduler.time()

    def after(self, delay_s: float, message: Any) -> Cancellable:
        """Tell this actor `message` in `delay_s` seconds. Ends with this incarnation. Only for actors on the loop."""
        return self._cell.start_timer(delay_s, message)

    def after_turns(self, message: Any) -> None:
        """Tell this actor `message` when all who are ready now have had a turn, in bulk or not.

        Only for actors on the loop.
        """
        self._cell.system.call_in_bulk(self._actor_ref.tell, message)

    def hold(self) -> None:
        """Leave ordinary messages in the mailbox until `release`; signals still come. A restart releases, too."""
        self._cell.mailbox.held = True

    def release(self) -> None:
        """Take ordinary messages again."""
        self._cell.mailbox.held = False


class ThreadActor(Actor, pykka.ThreadingActor):  # type: ignore[misc]  # (as above)
    """An actor in a thread of its own, for work that blocks. Supervised like any other.

    It has no children and no timers. The thread is a daemon: the process does not wait for one that hangs.
    """

    use_daemon_thread: ClassVar[bool] = True

    def _start_actor_loop(self) -> None:
        """Start the thread; Pykka's `ThreadingActor` does it, and calls `_actor_loop` there.

        From now on two threads take turns with the interpreter. Whoever gave it up, for a system call say, asks for
        it back and waits until the other one has had it for the switch interval: 5 ms, unless it is set to less.
        """
        sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_INTERVAL_S))
        self._cell.prepare_thread()
        pykka.ThreadingActor._start_actor_loop(self)  # noqa: SLF001

    def _actor_loop(self) -> None:
        self._cell.run_thread(self)
