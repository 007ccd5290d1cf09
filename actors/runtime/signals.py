"""What the runtime itself says to actors, and the kinds of message that it treats specially."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Hashable

    from actors.runtime.ref import ActorRef


RULED: Final[set[type]] = set()
"""The types of `Ruled` messages. `tell` looks here: to ask for an instance takes four times as long."""


class Ruled(msgspec.Struct, frozen=True):
    """A message that mailboxes treat by a rule of its own."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        RULED.add(cls)


class Signal(Ruled, frozen=True):
    """A message that overtakes all ordinary ones and is never refused.

    For the few messages that an actor must see although its mailbox is full or held. Whoever sends one bounds how
    many there can be.
    """


class Notice(Ruled, frozen=True):
    """A message that is never refused, and takes nobody's place: it comes in its turn, and no bound counts it.

    For what an actor must see however much waits, in its order. Whoever sends one bounds how many there can be.
    """


class Droppable(Ruled, frozen=True):
    """A message that may get lost: the first to go when a mailbox is full.

    The oldest one that waits makes room for whatever comes. If there is none, one that comes is lost itself. Counted.
    """


class Coalescing(Ruled, frozen=True):
    """A message that makes older ones of its kind pointless: it takes the place of the one that waits, if one does.

    Of its kind are messages of the same type with the same `coalesce_key`.
    """

    def coalesce_key(self) -> Hashable:
        """Return what tells kinds of this type apart. By default there is one kind."""
        return None


class Request(msgspec.Struct, frozen=True):
    """A message whose sender is owed an answer.

    If the receiver crashes on it, is dead, stops before handling it or has a full mailbox, the runtime tells
    `sender` `RequestFailed`. So a sender always hears: its answer, or why there is none.
    """

    sender: ActorRef[Any]


class RequestFailed(Signal, frozen=True):
    """The request was not answered, and will not be.

    `error` is what the handler raised, `pykka.ActorDeadError`, or `MailboxFull`. After an error raised by the
    handler nothing is known about how far it came.
    """

    request: Request
    error: BaseException


class Terminated(msgspec.Struct, frozen=True):
    """A watched actor has ended for good. `error` is None if it was stopped or stopped itself.

    Comes after everything that the actor itself had sent to the watcher, and is never refused.
    """

    ref: ActorRef[Any]
    error: BaseException | None


class Restarted(msgspec.Struct, frozen=True):
    """A watched actor crashed and runs again: same ref, same mailbox, new state.

    Comes after everything that the crashed incarnation had sent to the watcher, and is never refused.
    """

    ref: ActorRef[Any]
