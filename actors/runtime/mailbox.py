"""The queue in front of an actor: bounded, and woken once however much arrives."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

EMPTY: Final = object()
"""What `Mailbox.get` returns when there is nothing to handle now."""


class Mailbox:
    """Two lanes of messages: signals first, then ordinary messages, each in the order of arrival.

    Any thread may put; only the actor's own context gets. The bound (`capacity`, in messages) holds for the
    ordinary lane; a full lane refuses. While `held`, ordinary messages stay where they are and signals still come
    through.

    It lives as long as the actor's ref: a restarted actor goes on with the mailbox of the one that crashed.
    """

    __slots__ = (
        "_messages",
        "_signals",
        "_wake",
        "_wake_pending",
        "capacity",
        "closed",
        "held",
        "high_mark",
    )

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.closed = False
        self.held = False
        self.high_mark = 0
        self._messages: deque[Any] = deque()
        self._signals: deque[Any] = deque()
        self._wake: Callable[[], object] | None = None
        self._wake_pending = True  # nobody to wake yet

    def start(self, wake: Callable[[], object]) -> None:
        """Give the actor its first turn, by calling `wake`, and further ones when something arrives."""
        self._wake = wake
        self._wake_pending = True
        wake()

    def put(self, message: Any) -> bool:
        """Add an ordinary message. False if the mailbox is full: then nothing was added."""
        messages = self._messages
        if len(messages) >= self.capacity:
            return False
        messages.append(message)
        if not self._wake_pending:
            self._wake_up()
        return True

    def put_signal(self, signal: Any) -> None:
        """Add a message that overtakes the ordinary ones and is never refused."""
        self._signals.append(signal)
        if not self._wake_pending:
            self._wake_up()

    def _wake_up(self) -> None:
        assert self._wake is not None  # a wake-up is pending until there is one
        self._wake_pending = True
        self._wake()

    def get(self) -> Any:
        """Take the next message to handle, or `EMPTY`."""
        if self._signals:
            return self._signals.popleft()
        if self._messages and not self.held:
            depth = len(self._messages)
            self.high_mark = max(self.high_mark, depth)
            return self._messages.popleft()
        return EMPTY

    def empty(self) -> bool:
        """Tell whether there is nothing that could be handled now."""
        return not self._signals and (self.held or not self._messages)

    def turn_over(self) -> None:
        """End a turn: ask for the next one if there is more to do, else sleep until something arrives."""
        if not self.empty():
            self._wake_up()
            return
        self._wake_pending = False
        # A message put by another thread between the two lines above found the flag still set and woke nobody.
        if not self.empty():
            self._wake_up()

    def put_always(self, message: Any) -> None:
        """Add an ordinary message in its turn, whether the mailbox is full or not. For the runtime's own few."""
        self._messages.append(message)
        if not self._wake_pending:
            self._wake_up()

    def drain(self) -> list[Any]:
        """Take everything out, held or not: what a dead actor will never handle. Each item is given out once."""
        left = []
        for lane in (self._signals, self._messages):
            while lane:  # one by one: another thread may be putting, or draining too
                try:
                    left.append(lane.popleft())
                except IndexError:
                    break
        return left

    def __len__(self) -> int:
        """Count the ordinary messages that wait."""
        return len(self._messages)
