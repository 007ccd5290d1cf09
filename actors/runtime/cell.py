"""The life of one actor: what stays the same while its incarnations come and go.

A cell holds the ref, the mailbox, the watchers and the children of an actor, and the current instance of its class.
It runs no user code except through that instance, and guards every call of it: whatever is raised there, on start,
in a handler, under an ask, at the end of a turn, becomes a crash that the supervisor hears of.

    STARTING ──on_start──▶ RUNNING ──stop──▶ STOPPING ──children, on_stop──▶ STOPPED
        │                     │                                                 ▲
        └──────crash──────────┴──▶ FAILED ──supervisor: restart──▶ STARTING     │
                                     └──────supervisor: give up─────────────────┘

An actor's own context (the loop, or its thread) runs its instance. Everything else here runs on the loop's thread,
between turns and never inside a handler; so it needs no locks, and an actor that has crashed still has its children
looked after.
"""

from __future__ import annotations

import enum
import queue
import threading
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pykka
import structlog

from actors.runtime.envelope import STOP, Ask, Stop
from actors.runtime.errors import MailboxFull, StoppedItself
from actors.runtime.future import Future
from actors.runtime.intensity import RestartHistory
from actors.runtime.mailbox import EMPTY, Mailbox
from actors.runtime.ref import ActorRef
from actors.runtime.signals import Request, RequestFailed, Restarted, Terminated
from actors.runtime.spec import ChildSpec, Restart

if TYPE_CHECKING:
    from actors.runtime.actor import Actor
    from actors.runtime.scheduler import Cancellable
    from actors.runtime.supervisor import Supervisor
    from actors.runtime.system import ActorSystem

A = TypeVar("A", bound="Actor")
C = TypeVar("C", bound="Actor")

log = structlog.get_logger()


class State(enum.Enum):
    """Where an actor is in its life."""

    STARTING = "starting"
    RUNNING = "running"
    FAILED = "failed"
    STOPPING = "stopping"
    STOPPED = "stopped"


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


class Cell(Generic[A]):
    """One actor, across all its incarnations."""

    __slots__ = (
        "__weakref__",
        "_end_futures",
        "_error",
        "_tokens",
        "actor",
        "children",
        "mailbox",
        "parent",
        "path",
        "ref",
        "restarts",
        "spec",
        "state",
        "stop_deadline",
        "stopped",
        "system",
        "timers",
        "watchers",
    )

    def __init__(self, system: ActorSystem, parent: Supervisor, spec: ChildSpec[A]) -> None:
        self.system = system
        self.parent = parent
        self.spec = spec
        self.path = f"{parent.path}/{spec.name}"
        self.state = State.STARTING
        self.stopped = threading.Event()
        self.mailbox = Mailbox(spec.mailbox_capacity)
        self.actor: A | None = None
        self.ref: ActorRef[A] = ActorRef(self)
        self.restarts = RestartHistory(spec.intensity)
        self.children: Supervisor | None = None
        self.watchers: dict[ActorRef[Any], None] = {}
        self.timers: set[Timer] = set()
        self.stop_deadline: Cancellable | None = None
        self._error: BaseException | None = None
        self._end_futures: list[Future[bool]] = []
        self._tokens: queue.SimpleQueue[None] = queue.SimpleQueue()

    # Incarnations.

    def incarnate(self) -> None:
        """Make a new instance and let it start in its own context."""
        self.state = State.STARTING
        self.mailbox.held = False
        try:
            actor = self.spec.factory()
        except Exception as error:  # noqa: BLE001  (user code; the supervisor decides)
            self._crash(error)
            return
        actor.attach(self)
        self.actor = actor
        actor._start_actor_loop()  # noqa: SLF001  (Pykka's hook for actor types)

    def take_turn(self) -> bool:
        """Handle a batch of what is in the mailbox. Runs in the actor's own context.

        False if the incarnation takes no more turns. Then the caller must not touch the cell any more: in another
        thread the next incarnation may be at work already.
        """
        if self.state is State.STARTING and not self._begin():
            return False
        if self.state is not State.RUNNING or not self._handle_batch():
            return False
        self.mailbox.turn_over()
        return True

    def _begin(self) -> bool:
        try:
            self._instance.on_start()
        except BaseException as error:  # noqa: BLE001  (SystemExit and cancellation of an actor are its crash, too)
            self._crash(error)
            return False
        if self.state is not State.STARTING:  # on_start called stop()
            self._begin_stop()
            return False
        self.state = State.RUNNING
        if self.restarts.total:
            self.system.call_soon(self._announce_restart)
        return True

    def _handle_batch(self) -> bool:
        actor = self._instance
        get, receive = self.mailbox.get, actor.on_receive
        stopping = False
        item: Any = EMPTY
        try:
            for _ in range(actor.batch):
                item = get()
                if item is EMPTY:
                    break
                kind = type(item)
                if kind is Ask:
                    item.future.set(actor._handle_receive(item.message))  # noqa: SLF001
                elif kind is Stop:
                    stopping = True
                else:
                    receive(item)
                if stopping or self.state is not State.RUNNING:
                    break
            item = EMPTY  # nothing below is that message's fault
            actor.on_turn_end()
        except KeyboardInterrupt:  # not the actor's: somebody wants the whole process to end
            raise
        except BaseException as error:  # noqa: BLE001  (whatever it is: the actor has crashed, nothing else)
            self._crash(error, item)
            return False
        if stopping or self.state is State.STOPPING:
            self._begin_stop()
            return False
        return self.state is State.RUNNING  # and not abandoned meanwhile

    @property
    def _instance(self) -> A:
        assert self.actor is not None  # between incarnate() and _end() there always is one
        return self.actor

    # Crashes.

    def _crash(self, error: BaseException, item: Any = EMPTY) -> None:
        self.state = State.FAILED
        message = item.message if type(item) is Ask else item
        log.error(
            "actor.crashed",
            actor=self.path,
            message=None if item is EMPTY else type(message).__name__,
            exc_info=error,
        )
        if item is not EMPTY:
            self._fail_request(item, error)
        if self.actor is not None:
            try:
                self.actor.on_failure(type(error), error, error.__traceback__)
            except BaseException:
                log.exception("actor.on_failure_failed", actor=self.path)
        self.system.call_soon(self._failed, error)

    def _failed(self, error: BaseException) -> None:
        if self.state is State.FAILED:  # and not abandoned meanwhile
            self._cancel_timers()
            self.parent.child_failed(self, error)

    def escalated(self, error: BaseException) -> None:
        """Fail because of a child that was given up."""
        if self.state in {State.STARTING, State.RUNNING}:
            self._crash(error)

    def _announce_restart(self) -> None:
        self.watchers = {watcher: None for watcher in self.watchers if watcher.is_alive()}
        for watcher in self.watchers:
            watcher.notify(Restarted(self.ref))

    # The end.

    def request_stop(self) -> Future[bool]:
        """Stop the actor when it has handled what is in its mailbox. See `ActorRef.stop`."""
        future: Future[bool] = Future()
        if self.stopped.is_set():
            future.set(False)
        else:
            self.system.call_soon(self._request_stop, future)
        return future

    def _request_stop(self, future: Future[bool]) -> None:
        if self.state is State.STOPPED:
            future.set(False)
            return
        self._end_futures.append(future)
        self.mailbox.put_always(STOP)

    def stop_itself(self) -> None:
        """Stop after the message being handled. Called by the actor, in its own context."""
        self.state = State.STOPPING
        if self.spec.restart is not Restart.PERMANENT:
            self.mailbox.closed = True

    def _begin_stop(self) -> None:
        stopped_itself = self.state is State.STOPPING
        if stopped_itself and self.spec.restart is Restart.PERMANENT and not self.parent.stopping:
            self._call_on_stop()
            self._crash(StoppedItself(self.path))
            return
        self.give_up(None)

    def give_up(self, error: BaseException | None) -> None:
        """End for good: first the children, then this actor. `error` says why, None that it was asked to."""
        self.state = State.STOPPING
        self.mailbox.closed = True
        self._error = error
        if self.children is None:
            self._finish()
        else:
            self.children.stop_all(self._finish)

    def _finish(self) -> None:
        if self._error is None:
            self._call_on_stop()
        if self.system.on_loop_thread():
            self._end()
        else:
            self.system.call_soon(self._end)

    def _call_on_stop(self) -> None:
        try:
            self._instance.on_stop()
        except BaseException:
            log.exception("actor.on_stop_failed", actor=self.path)

    def kill(self, error: BaseException) -> None:
        """End now, without the actor's help: it did not stop in time. A thread that hangs is left behind."""
        if self.state is State.STOPPED:
            return
        self._error = error
        if self.children is not None:
            self.children.kill_all(error)
        self._end()

    def _end(self) -> None:
        if self.state is State.STOPPED:
            return
        self.state = State.STOPPED
        self.actor = None
        self.mailbox.closed = True
        self.stopped.set()
        self._cancel_timers()
        self.bury(self.mailbox.drain())
        self._tokens.put(None)  # a thread that waits for messages ends
        for watcher in self.watchers:
            watcher.notify(Terminated(self.ref, self._error))
        self.watchers.clear()
        for future in self._end_futures:
            future.set(True)
        self.parent.child_ended(self)

    def _cancel_timers(self) -> None:
        for timer in self.timers:
            timer.handle.cancel()
        self.timers.clear()

    # Messages that cannot be handled.

    def refuse(self, item: Any) -> None:
        """Answer for a message that the full mailbox did not take."""
        self.system.refused += 1
        self._fail_request(item, MailboxFull(self.path))

    def bury(self, items: list[Any]) -> None:
        """Answer for messages that nobody will handle, because the actor has ended."""
        for item in items:
            if type(item) is not Stop:
                self.system.dead_letters += 1
                self._fail_request(item, pykka.ActorDeadError(f"{self.path} has ended"))

    def _fail_request(self, item: Any, error: BaseException) -> None:
        if type(item) is Ask:
            item.future.set_exception((type(error), error, error.__traceback__))
        elif isinstance(item, Request):
            item.sender.tell(RequestFailed(item, error))

    # Watchers, timers, children, threads.

    def add_watcher(self, watcher: ActorRef[Any]) -> None:
        """Tell `watcher` of restarts and of the end; at once if that has come already."""
        if not self.system.on_loop_thread():
            self.system.call_soon(self.add_watcher, watcher)
        elif self.state is State.STOPPED:
            watcher.notify(Terminated(self.ref, self._error))
        else:
            self.watchers[watcher] = None

    def remove_watcher(self, watcher: ActorRef[Any]) -> None:
        """Undo `add_watcher`."""
        if not self.system.on_loop_thread():
            self.system.call_soon(self.remove_watcher, watcher)
        else:
            self.watchers.pop(watcher, None)

    def start_timer(self, delay_s: float, message: Any) -> Timer:
        """Tell the actor `message` in `delay_s` seconds."""
        timer = Timer(self, message)
        timer.handle = self.system.scheduler.call_later(delay_s, timer.fire)
        self.timers.add(timer)
        return timer

    def spawn(self, spec: ChildSpec[C]) -> Cell[C]:
        """Start a child of this actor."""
        if self.children is None:
            together = self._instance.stops_children_together
            self.children = self.system.supervisor(self.path, self.escalated, together=together)
        return self.children.spawn(spec)

    def prepare_thread(self) -> None:
        """Let whatever arrives wake a thread rather than the loop."""
        tokens: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._tokens = tokens
        self.mailbox.start(lambda: tokens.put(None))

    def run_thread(self, actor: A) -> None:
        """Take turns in the current thread until the actor crashes or stops."""
        tokens = self._tokens
        while True:
            tokens.get()
            if self.actor is not actor or not self.take_turn():
                return
