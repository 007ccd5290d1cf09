"""The queue in front of an actor: bounded, and woken once however much arrives."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from actors.runtime.signals import Coalescing, Droppable, Notice, Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from actors.runtime.report import Counts
    from actors.runtime.signals import Ruled

EMPTY: Final = object()
"""What `Mailbox.get` returns when there is nothing to handle now."""

_replacing: Final = threading.Lock()
"""Held for a moment where a message with a rule is added, replaced or taken; in any mailbox, since it is rare."""

_NOTHING: Final = 0
_IN_BULK: Final = 1
_SOON: Final = 2
"""Which kind of turn is pending, if any."""


class _Place:
    """A place in the queue whose message can still be replaced."""

    __slots__ = ("key", "message")

    def __init__(self, key: Hashable, message: Any) -> None:
        self.key = key
        self.message = message


class _Extra:
    """A place in the queue that does not count."""

    __slots__ = ("message",)

    def __init__(self, message: Any) -> None:
        self.message = message


def _nobody() -> None:
    """Wake nobody: the mailbox has no actor yet."""


class Mailbox:
    """Two lanes of messages: signals first, then ordinary messages, each in the order of arrival.

    Any thread may put; only the actor's own context gets. The bound (`capacity`, in messages) holds for the ordinary
    lane, not counting `Notice`s in it; when it is full, waiting `Droppable`s make room, oldest first, and then it
    refuses. While `held`, ordinary messages stay where they are and signals still come through.

    It lives as long as the actor's ref: a restarted actor goes on with the mailbox of the one that crashed.
    """

    __slots__ = (
        "_counts",
        "_droppable",
        "_pending",
        "_places",
        "_ruled",
        "_wake",
        "_wake_in_bulk",
        "bound",
        "closed",
        "held",
        "high_mark",
        "messages",
        "signals",
    )

    def __init__(self, capacity: int, counts: Counts) -> None:
        self.bound = capacity  # and what waits without being counted
        self.closed = False
        self.held = False
        self.high_mark = 0
        self._counts = counts
        self.messages: deque[Any] = deque()
        self.signals: deque[Any] | None = None
        self._ruled = 0  # how many wait that are not taken as they are
        self._droppable = 0  # how many of them may be dropped
        self._places: dict[Hashable, _Place] | None = None
        self._wake: Callable[[], object] = _nobody
        self._wake_in_bulk: Callable[[], object] = _nobody
        self._pending = _SOON  # nobody to wake yet

    def start(self, wake: Callable[[], object], wake_in_bulk: Callable[[], object]) -> None:
        """Give the actor its first turn, by calling `wake`, and further ones when something arrives."""
        self._wake = wake
        self._wake_in_bulk = wake_in_bulk
        self._wake_up()

    def put(self, message: Any) -> bool:
        """Add an ordinary message. False if the mailbox is full: then nothing was added."""
        messages = self.messages
        if len(messages) >= self.bound and not self._make_room():
            return False
        messages.append(message)
        if self._pending < _SOON:
            self._pending = _SOON
            self._wake()
        return True

    def put_in_bulk(self, message: Any) -> bool:
        """Add an ordinary message that is in no hurry: as `put`, but whoever else is ready has a turn first.

        If something else arrives meanwhile, its turn is the turn of this one, too.
        """
        messages = self.messages
        if len(messages) >= self.bound and not self._make_room():
            return False
        messages.append(message)
        if not self._pending:
            self._pending = _IN_BULK
            self._wake_in_bulk()
        return True

    def put_ruled(self, message: Ruled) -> bool:
        """Add a message by its rule. False if the mailbox is full, and its rule says no more than that."""
        if isinstance(message, Signal):
            if self.signals is None:
                self.signals = deque()  # few actors ever get one
            self.signals.append(message)
            if self._pending < _SOON:
                self._wake_up()
            return True
        if isinstance(message, Coalescing):
            return self._put_coalescing(message)
        if isinstance(message, Notice):
            self.put_always(message)
            return True
        if not isinstance(message, Droppable):
            return self.put(message)
        with _replacing:
            self._droppable += 1
            self._ruled += 1
        if not self.put(message):
            self._dropped()
        return True

    def _put_coalescing(self, message: Coalescing) -> bool:
        key = (type(message), message.coalesce_key())
        with _replacing:
            if self._places is None:
                self._places = {}
            waiting = self._places.get(key)
            if waiting is not None:
                waiting.message = message
                self._counts.coalesced += 1
                return True
            place = self._places[key] = _Place(key, message)
            self._ruled += 1
        if self.put(place):
            return True
        with _replacing:
            del self._places[key]
            self._ruled -= 1
        return False

    def _make_room(self) -> bool:
        if not self._droppable:
            return False
        # Of a copy, and taken out by what it is rather than where: the actor may be taking messages meanwhile.
        oldest = next((waiting for waiting in tuple(self.messages) if isinstance(waiting, Droppable)), None)
        try:
            self.messages.remove(oldest)
        except ValueError:
            return False
        self._dropped()
        return True

    def _dropped(self) -> None:
        with _replacing:
            self._droppable -= 1
            self._ruled -= 1
            self._counts.dropped += 1

    def put_always(self, message: Any) -> None:
        """Add an ordinary message in its turn, whether the mailbox is full or not. It does not count as one."""
        with _replacing:
            self._ruled += 1
            self.bound += 1
        self.messages.append(_Extra(message))
        if self._pending < _SOON:
            self._wake_up()

    def _wake_up(self) -> None:
        self._pending = _SOON
        self._wake()

    def get(self) -> Any:
        """Take the next message to handle, or `EMPTY`."""
        if self.signals:
            return self.signals.popleft()
        if self.messages and not self.held:
            message = self.messages.popleft()
            return self._unwrap(message) if self._ruled else message
        return EMPTY

    def _unwrap(self, item: Any) -> Any:
        if isinstance(item, Droppable):
            with _replacing:
                self._droppable -= 1
                self._ruled -= 1
        elif type(item) is _Extra:
            with _replacing:
                self._ruled -= 1
                self.bound -= 1
            return item.message
        elif type(item) is _Place:
            with _replacing:
                assert self._places is not None  # it has this one
                del self._places[item.key]
                self._ruled -= 1
            return item.message
        return item

    def empty(self) -> bool:
        """Tell whether there is nothing that could be handled now."""
        return not self.signals and (self.held or not self.messages)

    def turn_begins(self) -> None:
        """Take note of how much waits, at the begin of a turn."""
        depth = len(self.messages)
        self.high_mark = max(self.high_mark, depth)

    def turn_over(self) -> None:
        """End a turn: ask for the next one if there is more to do, else sleep until something arrives."""
        self._pending = _NOTHING
        # Looked at only now: a message that another thread puts from here on wakes the actor itself.
        if (self.messages and not self.held) or self.signals:
            self._wake_up()

    def forget(self) -> None:
        """Wake nobody any more."""
        self._wake = self._wake_in_bulk = _nobody

    def drain(self) -> list[Any]:
        """Take everything out, held or not: what a dead actor will never handle. Each item is given out once."""
        left = []
        for lane in (self.signals or (), self.messages):
            while lane:  # one by one: another thread may be putting, or draining too
                try:
                    left.append(self._unwrap(lane.popleft()))
                except IndexError:
                    break
        return left

    def __len__(self) -> int:
        """Count the ordinary messages that wait."""
        return len(self.messages)
