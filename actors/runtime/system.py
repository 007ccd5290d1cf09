"""A system of actors: the root of a supervision tree, on one scheduler."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from threading import get_ident
from typing import TYPE_CHECKING, Any, Final, TypeVar

import structlog

from actors.runtime.future import Future
from actors.runtime.report import Counts, Crash, Node, Total
from actors.runtime.scheduler import LoopScheduler
from actors.runtime.spec import ChildSpec, Restart
from actors.runtime.strategy import Strategy
from actors.runtime.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable

    from actors.runtime.actor import Actor
    from actors.runtime.cell import Cell
    from actors.runtime.ref import ActorRef
    from actors.runtime.scheduler import Scheduler

A = TypeVar("A", bound="Actor")

MAX_CRASHES: Final = 100

log = structlog.get_logger()


class ActorSystem:
    """The root supervisor. Make it on the thread of its scheduler (in production: the running event loop).

    Children start in the order of `spawn` and stop in the reverse order. If one that escalates is given up,
    `on_failure` is called with the reason: the system can no longer do what it is for, and its process should end.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        on_failure: Callable[[BaseException], object] | None = None,
        *,
        strategy: Strategy = Strategy.ONE_FOR_ONE,
        seed: int | None = None,
    ) -> None:
        self.scheduler = scheduler
        self._call_soon = scheduler.call_soon
        self.call_in_bulk = scheduler.call_in_bulk
        self.random = random.Random(seed)  # noqa: S311  (for jitter)
        self.counts = Counts()
        self.crashes: deque[Crash] = deque(maxlen=MAX_CRASHES)
        """The newest crashes, oldest first."""
        self.in_turn: Cell[Any] | None = None
        """The actor that had the latest turn, for the watchdog."""
        self.thread_cells: set[Cell[Any]] = set()
        """The actors that have a thread of their own, for the watchdog."""
        self.thread = get_ident()
        """The thread of the scheduler."""
        self._on_failure = on_failure
        self._began = scheduler.time()
        self._root = self.supervisor("", self._failed, strategy=strategy, together=False)

    @classmethod
    def start_alone(cls, factory: Callable[[], A]) -> ActorRef[A]:
        """Start one actor in a system of its own, on the running event loop. It is never restarted."""
        system = cls(LoopScheduler(asyncio.get_running_loop()))
        return system.spawn(ChildSpec(name="actor", factory=factory, restart=Restart.TEMPORARY))

    def spawn(self, spec: ChildSpec[A]) -> ActorRef[A]:
        """Start an actor directly below the root. Raises `ValueError` if a living one has that name."""
        return self._root.spawn(spec).ref

    def stop(self) -> Future[bool]:
        """Stop every actor, last started first, each within its deadline. The future is set when all have ended."""
        future: Future[bool] = Future()
        self._root.stop_all(lambda: future.set(True))
        return future

    def tree(self) -> Node:
        """Return a snapshot of all actors. On the scheduler's thread; some milliseconds for 10,000 actors."""
        return Node(
            name="",
            state="stopping" if self._root.stopping else "running",
            depth=0,
            high_mark=0,
            handled=0,
            restarts=0,
            last_crash=None,
            uptime_s=self.scheduler.time() - self._began,
            children=self._root.nodes(),
        )

    def totals(self) -> dict[str, Total]:
        """Return what there is of each kind of actors (`kind_of`). On the scheduler's thread; a fraction of `tree`."""
        totals: dict[str, Total] = {}
        self._root.add_to(totals)
        return totals

    @property
    def dead_letters(self) -> int:
        """Messages that no actor will ever handle, because theirs had ended."""
        return self.counts.dead_letters

    @property
    def refused(self) -> int:
        """Messages that a full mailbox did not take."""
        return self.counts.refused

    @property
    def dropped(self) -> int:
        """`Droppable` messages that a full mailbox gave up."""
        return self.counts.dropped

    @property
    def coalesced(self) -> int:
        """`Coalescing` messages that a newer one replaced."""
        return self.counts.coalesced

    def supervisor(
        self, path: str, escalate: Callable[[BaseException], object], *, strategy: Strategy, together: bool
    ) -> Supervisor:
        """Make the supervisor that looks after the children of the actor at `path`. Called by the runtime."""
        return Supervisor(self, path, escalate, strategy=strategy, together=together)

    def on_loop_thread(self) -> bool:
        """Tell whether the caller runs on the scheduler's thread."""
        return get_ident() == self.thread

    def call_soon(self, callback: Callable[..., object], *args: object) -> None:
        """Run `callback` in a later turn of the loop; from any thread."""
        if get_ident() == self.thread:
            self._call_soon(callback, *args)
        else:
            self.scheduler.call_soon_threadsafe(callback, *args)

    def _failed(self, error: BaseException) -> None:
        log.critical("actors.root_failed", reason=str(error))
        if self._on_failure is not None:
            self._on_failure(error)
