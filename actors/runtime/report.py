"""What the runtime knows about itself: counts, crashes, the tree. Frozen, safe to keep and to hand to other threads.

Nothing here holds what messages said: a crash names the type of the message, and its traceback has lines of code only.
"""

from __future__ import annotations

import traceback

import msgspec


class Counts:
    """What became of messages that were not handled."""

    __slots__ = ("coalesced", "dead_letters", "dropped", "refused")

    def __init__(self) -> None:
        self.dead_letters = 0
        """Told to an actor that had ended, or that ended before handling them."""
        self.refused = 0
        """Not taken by a full mailbox."""
        self.dropped = 0
        """Given up for others in a full mailbox, which they allowed (`Droppable`)."""
        self.coalesced = 0
        """Replaced by a newer one while they waited, which they allowed (`Coalescing`)."""


class Crash(msgspec.Struct, frozen=True):
    """One crash of one actor. `at` is the scheduler's time, `message` and `error` are names of types."""

    actor: str
    at: float
    message: str | None
    error: str
    traceback: str


class Node(msgspec.Struct, frozen=True):
    """One actor at one moment, and its children in the order of their start.

    `depth` is how many ordinary messages wait, `high_mark` the most there ever were when one was taken; `handled`
    counts over all incarnations, `uptime_s` is that of the current one.
    """

    name: str
    state: str
    depth: int
    high_mark: int
    handled: int
    restarts: int
    last_crash: Crash | None
    uptime_s: float
    children: tuple[Node, ...] = ()


class Stuck(msgspec.Struct, frozen=True):
    """A turn that takes too long: of which actor, on which type of message, for how long, and where it is."""

    actor: str
    message: str | None
    seconds: float
    stack: str


def describe_crash(actor: str, at: float, message: str | None, error: BaseException) -> tuple[Crash, str]:
    """Return the record of a crash, and the text of the exception for the log.

    Both from one walk along the frames, which is most of what a crash costs. Lines are without the marks below them,
    for which each would have to be compiled again.
    """
    walked = traceback.TracebackException.from_exception(error)
    for frame in walked.stack:
        frame.colno = None
    crash = Crash(actor, at, message, type(error).__name__, "".join(walked.stack.format()))
    return crash, "".join(walked.format()).rstrip()
