"""The life of one actor: what stays the same while its incarnations come and go.

A cell holds the ref, the mailbox, the watchers and the children of an actor, and the current instance of its class. It
runs no user code except through that instance, and guards every call of it: whatever is raised there, on start, in a
handler, under an ask, at the end of a turn, becomes a crash that the supervisor hears of.

    STARTING ──on_start──▶ RUNNING ──stop──▶ STOPPING ──children, on_stop──▶ STOPPED
        │                   │  │                                                ▲
        └───────crash───────┤  └──halt──▶ HALTING ──on_stop──▶ FAILED           │
                            └──▶ FAILED ──supervisor: restart──▶ STARTING       │
                                    └─────supervisor: give up───────────────────┘

An actor's own context (the loop, or its thread) runs its instance. Everything else here runs on the loop's thread,
between turns and never inside a handler; so it needs no locks, and an actor that has crashed still has its children
looked after.
"""

from __future__ import annotations

import enum
import queue
import threading
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pykka
import structlog

from actors.runtime.envelope import STOP, Ask, Stop
from actors.runtime.errors import HandlerStuck, MailboxFull, StoppedItself
from actors.runtime.future import Future
from actors.runtime.intensity import RestartHistory
from actors.runtime.mailbox import EMPTY, Mailbox
from actors.runtime.ref import ActorRef
from actors.runtime.report import Node, describe_crash, kind_of
from actors.runtime.signals import Request, RequestFailed, Restarted, Terminated
from actors.runtime.spec import ChildSpec, Restart
from actors.runtime.timer import Timer

if TYPE_CHECKING:
    from collections.abc import Callable

    from actors.runtime.actor import Actor
    from actors.runtime.report import Crash
    from actors.runtime.scheduler import Cancellable
    from actors.runtime.supervisor import Supervisor
    from actors.runtime.system import ActorSystem

A = TypeVar("A", bound="Actor")
C = TypeVar("C", bound="Actor")

log = structlog.get_logger()


class State(enum.Enum):
    """Where an actor is in its life. FAILED is down, with a restart or the end to come."""

    STARTING = "starting"
    RUNNING = "running"
    HALTING = "halting"
    FAILED = "failed"
    STOPPING = "stopping"
    STOPPED = "stopped"


_RUNNING = State.RUNNING  # (asked for at every message; a member of an enumeration takes a while to find)


class Cell(Generic[A]):
    """One actor, across all its incarnations."""

    __slots__ = (
        "__weakref__",
        "_begun",
        "_end_futures",
        "_error",
        "_halted",
        "_stopped",
        "_tokens",
        "actor",
        "children",
        "handled",
        "handling",
        "incarnations",
        "last_crash",
        "mailbox",
        "parent",
        "path",
        "ref",
        "restart_at",
        "restarts",
        "spec",
        "started_at",
        "state",
        "stop_deadline",
        "system",
        "thread",
        "timers",
        "turn_began",
        "watchers",
    )

    def __init__(self, system: ActorSystem, parent: Supervisor, spec: ChildSpec[A]) -> None:
        self.system = system
        self.parent = parent
        self.spec = spec
        self.path = f"{parent.path}/{spec.name}"
        self.state = State.STARTING
        self._stopped: threading.Event | None = None
        self.mailbox = Mailbox(spec.mailbox_capacity, system.counts)
        self.actor: A | None = None
        self.ref: ActorRef[A] = ActorRef(self)
        self.restarts = RestartHistory(spec.intensity)
        self.children: Supervisor | None = None
        self.watchers: dict[ActorRef[Any], None] = {}
        self.timers: set[Timer] = set()
        self.stop_deadline: Cancellable | None = None
        self.incarnations = 0
        self.handled = 0
        self.handling: Any = EMPTY
        """What is being handled, for the watchdog."""
        self.turn_began = 0.0
        """When the turn that is going on began (`time.monotonic`), 0.0 between turns."""
        self.thread: int | None = None
        """The thread of the current incarnation, if it has one of its own."""
        self.started_at = 0.0
        self.restart_at = 0.0
        """Not to be started again before; set by the supervisor."""
        self.last_crash: Crash | None = None
        self._begun = False
        self._error: BaseException | None = None
        self._end_futures: list[Future[bool]] = []
        self._halted: Callable[[], object] | None = None
        self._tokens: queue.SimpleQueue[None] | None = None

    @property
    def stopped(self) -> threading.Event:
        """What Pykka has to ask whether an actor has ended; made when asked for, since it takes a kilobyte."""
        if self._stopped is None:
            self._stopped = threading.Event()
            if self.state is State.STOPPED:
                self._stopped.set()
        return self._stopped

    # Incarnations.

    def incarnate(self) -> None:
        """Make a new instance and let it start in its own context."""
        self.state = State.STARTING
        self.incarnations += 1
        if self.incarnations > 1:
            self.system.counts.restarts[kind_of(self.path)] += 1
        self._begun = False
        self.started_at = self.system.scheduler.time()
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
        actor = self.actor
        if actor is None:
            return False
        self.turn_began = monotonic()
        self.system.in_turn = self
        if (self.state is not _RUNNING and not self._begins(actor)) or not self._handle_batch(actor):
            return False
        self.turn_began = 0.0
        self.mailbox.turn_over()
        return True

    def _begins(self, actor: A) -> bool:
        return self.state is not State.STARTING or self._begin(actor)

    def _begin(self, actor: A) -> bool:
        try:
            actor.on_start()
        except BaseException as error:  # noqa: BLE001  (SystemExit and cancellation of an actor are its crash, too)
            self._crash_of(actor, error)
            return False
        if self.actor is not actor:
            return False  # it took too long
        self._begun = True
        if self.state is not State.STARTING:
            self._leave(actor, told_to=False)  # on_start called stop(), or it is halted
            return False
        self.state = State.RUNNING
        if self.incarnations > 1:
            if self.system.on_loop_thread():
                self._announce_restart()  # before anything that this incarnation sends
            else:
                self.system.call_soon(self._announce_restart)
        return True

    def _handle_batch(self, actor: A) -> bool:
        mailbox, receive, most = self.mailbox, actor.on_receive, actor.batch
        messages = mailbox.messages
        mailbox.turn_begins()
        handled, told_to_stop = 0, False
        item: Any = EMPTY
        try:
            while (messages or mailbox.signals) and handled < most and self.state is _RUNNING:
                item = mailbox.get()
                if item is EMPTY:
                    break
                self.handling = item
                if self._tokens is not None:  # a thread that is busy with one message after the other is not stuck
                    self.turn_began = monotonic()
                kind = type(item)
                if kind is Ask:
                    self._answer(actor, item)
                elif kind is Stop:
                    told_to_stop = True
                    break
                else:
                    receive(item)
                handled += 1
                if self.actor is not actor:
                    return False
            item = self.handling = EMPTY  # nothing below is that message's fault
            actor.on_turn_end()
        except KeyboardInterrupt:  # not the actor's: somebody wants the whole process to end
            raise
        except BaseException as error:  # noqa: BLE001  (whatever it is: the actor has crashed, nothing else)
            self._crash_of(actor, error, item)
            return False
        finally:
            self.handled += handled
        if self.state is _RUNNING and self.actor is actor and not told_to_stop:
            return True
        self._leave(actor, told_to=told_to_stop)
        return False

    def _answer(self, actor: A, ask: Ask) -> None:
        answer = actor._handle_receive(ask.message)  # noqa: SLF001  (Pykka's, for what proxies send)
        if self.actor is actor:  # else somebody answered for it, when it was replaced
            ask.future.set(answer)

    def _leave(self, actor: A, *, told_to: bool) -> None:
        """End an incarnation whose last turn is over, in its own context."""
        if self.actor is not actor:
            return
        self.turn_began = 0.0
        if self.state is State.HALTING:
            self._call_on_stop()
            self._down()
            self.system.call_soon(self._after_halt)
        elif told_to or self.parent.stopping or self.spec.restart is not Restart.PERMANENT:
            self.give_up(None)
        else:
            self._call_on_stop()
            self._crash(StoppedItself(self.path))

    def _down(self) -> None:
        self.actor = None
        self.handling = EMPTY
        self.turn_began = 0.0
        self.state = State.FAILED

    # Crashes.

    def _crash_of(self, actor: A, error: BaseException, item: Any = EMPTY) -> None:
        if self.actor is actor:  # else it was replaced before it came to this
            self._crash(error, item)

    def _crash(self, error: BaseException, item: Any = EMPTY) -> None:
        actor, message = self.actor, item.message if type(item) is Ask else item
        kind = None if item is EMPTY else type(message).__name__
        text = self._record(error, kind)
        log.error("actor.crashed", actor=self.path, message=kind, restarts=self.restarts.total, exception=text)
        self._down()
        if item is not EMPTY:
            self._fail_request(item, error)
        if actor is not None:
            try:
                actor.on_failure(type(error), error, error.__traceback__)
            except BaseException as second:
                log.exception("actor.on_failure_failed", actor=self.path)
                self._record(second, None)
        self.system.call_soon(self._failed, error)

    def _record(self, error: BaseException, message: str | None) -> str:
        now = self.system.scheduler.time()
        self.last_crash, text = describe_crash(self.path, now, message, error)
        self.system.crashes.append(self.last_crash)
        self.system.counts.crashes[kind_of(self.path)] += 1
        return text

    def _failed(self, error: BaseException) -> None:
        if self._halted is not None:  # it crashed when it was about to be halted: down all the same
            self._after_halt()
        elif self.state is State.FAILED:  # and not abandoned meanwhile
            self._cancel_timers()
            self.parent.child_failed(self, error)

    def escalated(self, error: BaseException) -> None:
        """Fail because of a child that was given up."""
        if self.state in {State.STARTING, State.RUNNING}:
            self._crash(error)

    def replace_stuck(self, actor: A, began: float) -> None:
        """Go on without a thread that does not come back from the turn that it began then."""
        if self.actor is actor and self.turn_began == began:
            self.actor = None  # whatever that thread still does, it is not this actor's doing any more
            self._crash(HandlerStuck(f"{self.path} did not come back in time"), self.handling)

    def _announce_restart(self) -> None:
        self.watchers = {watcher: None for watcher in self.watchers if watcher.is_alive()}
        for watcher in self.watchers:
            watcher.notify(Restarted(self.ref))

    # Halting: the end of an incarnation because of a sibling. Mailbox and ref are kept.

    def halt(self, halted: Callable[[], object]) -> None:
        """End the incarnation after the message being handled, then call `halted`; at once if there is none."""
        self._halted = halted
        if self.state is State.FAILED:
            self.system.call_soon(self._after_halt)
            return
        self.state = State.HALTING
        if self._tokens is None:
            assert self.actor is not None  # it is starting or running
            self._leave(self.actor, told_to=False)
        else:
            self._tokens.put(None)
            self.system.scheduler.call_later(self.spec.shutdown_s, self._halt_overdue, self.actor)

    def _halt_overdue(self, actor: A | None) -> None:
        if self._halted is not None and self.actor is actor:
            log.error("actor.abandoned", actor=self.path, deadline_s=self.spec.shutdown_s)
            self._after_halt()

    def _after_halt(self) -> None:
        halted, self._halted = self._halted, None
        if halted is not None and self.state is not State.STOPPED:
            self._down()
            self._cancel_timers()
            halted()

    # The end.

    def request_stop(self) -> Future[bool]:
        """Stop the actor when it has handled what is in its mailbox. See `ActorRef.stop`."""
        future: Future[bool] = Future()
        if self.state is State.STOPPED:
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
        if self.actor is None or not self._begun:
            return
        try:
            self.actor.on_stop()
        except BaseException as error:  # noqa: BLE001  (user code; it ends all the same)
            text = self._record(error, None)
            log.error("actor.on_stop_failed", actor=self.path, exception=text)  # noqa: TRY400  (the same, walked once)

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
        self._down()
        self.state = State.STOPPED
        self.mailbox.closed = True
        if self._stopped is not None:
            self._stopped.set()
        self._cancel_timers()
        self.bury(self.mailbox.drain())
        if self._tokens is not None:
            self._tokens.put(None)  # a thread that waits for messages ends
        for watcher in self.watchers:
            watcher.notify(Terminated(self.ref, self._error))
        self.watchers.clear()
        for future in self._end_futures:
            future.set(True)
        self.system.thread_cells.discard(self)
        self.parent.child_ended(self)
        # What is left of it goes with the last ref to it, and does not wait for the garbage collector.
        del self.ref
        self.mailbox.forget()

    def _cancel_timers(self) -> None:
        for timer in self.timers:
            timer.handle.cancel()
        self.timers.clear()

    # Messages that cannot be handled.

    def refuse(self, item: Any) -> None:
        """Answer for a message that the full mailbox did not take."""
        self.system.counts.refused += 1
        self._fail_request(item, MailboxFull(self.path))

    def bury(self, items: list[Any]) -> None:
        """Answer for messages that nobody will handle, because the actor has ended."""
        for item in items:
            if type(item) is not Stop:
                self.system.counts.dead_letters += 1
                self._fail_request(item, pykka.ActorDeadError(f"{self.path} has ended"))

    def _fail_request(self, item: Any, error: BaseException) -> None:
        if type(item) is Ask:
            item.future.set_exception((type(error), error, error.__traceback__))
        elif isinstance(item, Request):
            item.sender.tell(RequestFailed(item, error))

    # Watchers, timers, children, threads, reports.

    def add_watcher(self, ref: ActorRef[A], watcher: ActorRef[Any]) -> None:
        """Tell `watcher` of restarts and of the end of `ref`, this actor; at once if that has come already."""
        if not self.system.on_loop_thread():
            self.system.call_soon(self.add_watcher, ref, watcher)
        elif self.state is State.STOPPED:
            watcher.notify(Terminated(ref, self._error))
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
            assert self.actor is not None  # it is the one that calls this
            self.children = self.system.supervisor(
                self.path,
                self.escalated,
                strategy=self.actor.strategy,
                together=self.actor.stops_children_together,
            )
        return self.children.spawn(spec)

    def prepare_thread(self) -> None:
        """Let whatever arrives wake a thread rather than the loop."""
        tokens: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._tokens = tokens
        self.system.thread_cells.add(self)
        wake = partial(tokens.put, None)
        self.mailbox.start(wake, wake)

    def run_thread(self, actor: A) -> None:
        """Take turns in the current thread until the actor crashes or stops."""
        tokens = self._tokens
        assert tokens is not None  # prepare_thread() made it
        self.thread = threading.get_ident()
        while True:
            tokens.get()
            if self.actor is not actor or not self.take_turn():
                return

    def node(self) -> Node:
        """Return what is to be known about this actor now, and about those below it."""
        return Node(
            name=self.spec.name,
            state=self.state.value,
            depth=len(self.mailbox),
            high_mark=self.mailbox.high_mark,
            handled=self.handled,
            restarts=self.incarnations - 1,
            last_crash=self.last_crash,
            uptime_s=self.system.scheduler.time() - self.started_at,
            children=self.children.nodes() if self.children is not None else (),
        )
