"""The address of an actor: what others hold, and all they need to talk to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

import pykka

from actors.runtime.envelope import Ask
from actors.runtime.errors import WouldBlockLoop
from actors.runtime.future import Future
from actors.runtime.signals import RULED

if TYPE_CHECKING:
    import threading

    from actors.runtime.actor import Actor
    from actors.runtime.cell import Cell

A = TypeVar("A", bound="Actor")


class ActorRef(pykka.ActorRef[A]):
    """The address of one actor, the same across restarts. Any thread may use it.

    Unlike Pykka's, it never raises for a receiver that is dead or full, since between actors nobody is there to
    catch it: the message is counted, and if it is a `Request`, its sender is told.
    """

    def __init__(self, cell: Cell[A]) -> None:  # (Pykka's own needs an actor that exists already)
        self._cell = cell
        self._mailbox = cell.mailbox
        self.actor_urn = cell.path
        self.actor_inbox = cell.mailbox  # type: ignore[assignment]  # (Pykka's has no bound: its put says nothing)

    @property
    def actor_stopped(self) -> threading.Event:  # type: ignore[override]  # (an attribute in Pykka)
        """Set when the actor has ended for good."""
        return self._cell.stopped

    @property
    def name(self) -> str:
        """The name in the actor's specification, unique among its living siblings."""
        return self._cell.spec.name

    @property
    def actor_class(self) -> type[A]:  # type: ignore[override]  # (an attribute in Pykka; here known once started)
        """The class of the current incarnation; while there is none, the class of all actors."""
        actor = self._cell.actor
        return type(actor) if actor is not None else pykka.Actor  # type: ignore[return-value]

    def _actor_weakref(self) -> A | None:  # type: ignore[override]  # (a weak reference there; called alike)
        return self._cell.actor  # Pykka's proxies look at the actor's attributes through this

    def __str__(self) -> str:
        return self.actor_urn

    def is_alive(self) -> bool:
        """Tell whether messages are still taken. True while the actor is being restarted."""
        return not self._cell.mailbox.closed

    def tell(self, message: Any) -> None:
        """Put a message into the actor's mailbox; never blocks, never raises.

        Messages from one sender arrive in the order sent, except that a `Signal` overtakes.
        """
        mailbox = self._mailbox
        if mailbox.closed:
            self._cell.bury([message])
            return
        if not (mailbox.put_ruled(message) if type(message) in RULED else mailbox.put(message)):
            self._cell.refuse(message)
        elif self._cell.mailbox.closed:  # only just now, by another thread: what it did not see must not be lost
            self._cell.bury(mailbox.drain())

    def tell_in_bulk(self, message: Any) -> None:
        """Do as `tell`, for a message that many are told and that is in no hurry: others have their turns first.

        Messages from one sender, in bulk or not, still arrive in the order sent. Only on the loop, to actors on the
        loop, and for messages without a rule (`Signal`, `Droppable`, `Coalescing`).
        """
        mailbox = self._mailbox
        if mailbox.closed:
            self._cell.bury([message])
        elif not mailbox.put_in_bulk(message):
            self._cell.refuse(message)

    def waiting(self) -> int:
        """Count the ordinary messages in the mailbox."""
        return len(self._cell.mailbox)

    def notify(self, notice: Any) -> None:
        """Put a message of the runtime into the mailbox: in its turn, and even if it is full."""
        mailbox = self._cell.mailbox
        if mailbox.closed:
            return
        mailbox.put_always(notice)

    @overload
    def ask(self, message: Any, *, block: Literal[False], timeout: float | None = None) -> Future[Any]: ...

    @overload
    def ask(self, message: Any, *, block: Literal[True], timeout: float | None = None) -> Any: ...

    @overload
    def ask(self, message: Any, *, block: bool = True, timeout: float | None = None) -> Any | Future[Any]: ...

    def ask(self, message: Any, *, block: bool = True, timeout: float | None = None) -> Any | Future[Any]:
        """Send a message and get what its handler returns or raises.

        With `block=False` the answer is a `Future` to be awaited. An exception reaches the asker *and* the
        supervisor. The future fails with `pykka.ActorDeadError` or `MailboxFull` where the message cannot be
        handled.

        Raises `WouldBlockLoop` when a blocking ask is made on the event loop's own thread.
        """
        if block and self._cell.system.on_loop_thread():
            raise WouldBlockLoop("ask(block=True) on the event loop: use `await ref.ask(message, block=False)`")
        future: Future[Any] = Future()
        self.tell(Ask(message, future))
        return future.get(timeout=timeout) if block else future

    @overload
    def stop(self, *, block: Literal[True], timeout: float | None = None) -> bool: ...

    @overload
    def stop(self, *, block: Literal[False], timeout: float | None = None) -> Future[bool]: ...

    @overload
    def stop(self, *, block: bool = True, timeout: float | None = None) -> bool | Future[bool]: ...

    def stop(self, *, block: bool = True, timeout: float | None = None) -> bool | Future[bool]:
        """Stop the actor for good, after it has handled what is in its mailbox now.

        The answer is True once it has ended, with its children; False if it had ended before. Raises
        `WouldBlockLoop` as `ask` does.
        """
        if block and self._cell.system.on_loop_thread():
            raise WouldBlockLoop("stop(block=True) on the event loop: use `await ref.stop(block=False)`")
        future = self._cell.request_stop()
        return future.get(timeout=timeout) if block else future
