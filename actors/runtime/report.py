"""What the runtime knows about itself: counts, crashes, the tree. Frozen, safe to keep and to hand to other threads.

Nothing here holds what messages said: a crash names the type of the message, and its traceback has lines of code only.
"""

from __future__ import annotations

import traceback
from collections import Counter
from types import CodeType, TracebackType
from typing import Final

import msgspec

MAX_STACKS: Final = 100


class Counts:
    """What became of messages that were not handled, and how often actors crashed and were started again."""

    __slots__ = ("coalesced", "crashes", "dead_letters", "dropped", "refused", "restarts")

    def __init__(self) -> None:
        self.dead_letters = 0
        """Told to an actor that had ended, or that ended before handling them."""
        self.refused = 0
        """Not taken by a full mailbox."""
        self.dropped = 0
        """Given up for others in a full mailbox, which they allowed (`Droppable`)."""
        self.coalesced = 0
        """Replaced by a newer one while they waited, which they allowed (`Coalescing`)."""
        self.crashes: Counter[str] = Counter()
        """By kind (`kind_of`)."""
        self.restarts: Counter[str] = Counter()
        """By kind."""


class Crash(msgspec.Struct, frozen=True):
    """One crash of one actor. `at` is the scheduler's time, `message` and `error` are names of types."""

    actor: str
    at: float
    message: str | None
    error: str
    traceback: str


class Node(msgspec.Struct, frozen=True):
    """One actor at one moment, and its children in the order of their start.

    `depth` is how many ordinary messages wait, `high_mark` the most there ever were when a turn began; `handled`
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


class Total(msgspec.Struct, frozen=True):
    """All actors of one kind at one moment: how many there are, how many of them are down, what waits for them.

    `waiting` is how many ordinary messages wait for all of them, `deepest` for the one with most.
    """

    actors: int
    down: int
    waiting: int
    deepest: int


class Stuck(msgspec.Struct, frozen=True):
    """A turn that takes too long: of which actor, on which type of message, for how long, and where it is."""

    actor: str
    message: str | None
    seconds: float
    stack: str


def kind_of(path: str) -> str:
    """Return what an actor is counted as: below the root its name, further down its parent's path and `/*`."""
    above, _, name = path[1:].rpartition("/")
    return f"{above}/*" if above else name


def describe_crash(actor: str, at: float, message: str | None, error: BaseException) -> tuple[Crash, str]:
    """Return the record of a crash, and the text of the exception for the log.

    To walk along the frames and read their lines is most of what a crash costs, and whatever crashes again and again
    does so at the same place: the stacks of the latest places are kept.
    """
    stack = _stack_of(error.__traceback__)
    crash = Crash(actor, at, message, type(error).__name__, stack)
    if error.__cause__ is None and (error.__context__ is None or error.__suppress_context__):
        text = "".join(["Traceback (most recent call last):\n", stack, *traceback.format_exception_only(error)])
    else:
        text = "".join(traceback.format_exception(error))
    return crash, text.rstrip()


def _stack_of(where: TracebackType | None) -> str:
    place = tuple((frame.f_code, line) for frame, line in traceback.walk_tb(where))
    stack = _stacks.get(place)
    if stack is None:
        if len(_stacks) >= MAX_STACKS:
            _stacks.clear()
        # Without the marks below each line, for which it would have to be compiled again.
        lines = traceback.StackSummary.extract(traceback.walk_tb(where))
        stack = _stacks[place] = "".join(lines.format())
    return stack


_stacks: dict[tuple[tuple[CodeType, int], ...], str] = {}
