"""Time and turns: what the runtime needs of an event loop, and a virtual one for tests.

`LoopScheduler` is the running event loop, with queues of its own. `VirtualScheduler` runs a whole actor system without
a loop, a clock or a sleep: its time moves only when a test moves it.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


class Cancellable(Protocol):
    """A callback that was scheduled and can still be taken back."""

    def cancel(self) -> None:
        """Make sure that the callback does not run. Does nothing if it ran already."""


class Scheduler(Protocol):
    """What actors need of an event loop. Times are monotonic seconds."""

    def time(self) -> float:
        """Return the current time of this scheduler's clock."""

    def call_soon(self, callback: Callable[..., object], /, *args: object) -> object:
        """Run `callback` in a later turn, in the order of the calls. Only from the scheduler's own thread."""

    def call_soon_threadsafe(self, callback: Callable[..., object], /, *args: object) -> object:
        """Do as `call_soon`, from any thread."""

    def call_in_bulk(self, callback: Callable[..., object], /, *args: object) -> object:
        """Do as `call_soon`, but let what is to run soon go first: for what there is a lot of, and is in no hurry.

        What is called so runs in its own order, and is never kept waiting for ever.
        """

    def call_later(self, delay: float, callback: Callable[..., object], /, *args: object) -> Cancellable:
        """Run `callback` after `delay` seconds. Only from the scheduler's own thread."""


SLICE: Final = 256
"""How many turns of each kind actors have before the loop sees to its sockets."""


class LoopScheduler:
    """The running event loop, with queues of its own for what is to run soon and for what is to run in bulk.

    The loop makes an object for each callback and runs all that are ready before it looks at its sockets; a message
    to 10,000 actors would be 10,000 of them. Here it is one callback, which gives the loop back after `SLICE` turns of
    each kind. So whoever has nothing to do with those 10,000 waits for 256 of them at most.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ready: deque[Callable[[], object]] = deque()
        self._bulk: deque[Callable[[], object]] = deque()
        self._awake = False
        self.time = loop.time
        self.call_later = loop.call_later

    def call_soon(self, callback: Callable[..., object], /, *args: object) -> None:
        """See `Scheduler.call_soon`."""
        self._ready.append(partial(callback, *args) if args else callback)
        if not self._awake:
            self._wake()

    def call_in_bulk(self, callback: Callable[..., object], /, *args: object) -> None:
        """See `Scheduler.call_in_bulk`."""
        self._bulk.append(partial(callback, *args) if args else callback)
        if not self._awake:
            self._wake()

    def _wake(self) -> None:
        self._awake = True
        self._loop.call_soon(self._run)

    def call_soon_threadsafe(self, callback: Callable[..., object], /, *args: object) -> None:
        """See `Scheduler.call_soon_threadsafe`."""
        self._loop.call_soon_threadsafe(self.call_soon, callback, *args)

    def _run(self) -> None:
        ready, bulk = self._ready, self._bulk
        try:
            for _ in range(min(len(ready), SLICE)):
                ready.popleft()()
            for _ in range(min(len(bulk), SLICE)):
                bulk.popleft()()
        finally:
            self._awake = False
            if ready or bulk:
                self._wake()


class _Scheduled:
    __slots__ = ("args", "callback", "cancelled")

    def __init__(self, callback: Callable[..., object], args: tuple[object, ...]) -> None:
        self.callback = callback
        self.args = args
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True

    def __call__(self) -> None:
        if not self.cancelled:
            self.callback(*self.args)


class VirtualScheduler:
    """A scheduler whose time stands still until it is advanced.

    Callbacks run in the order in which they were scheduled, or, with a seed, in an order drawn from it: what is ready
    at the same moment may happen in any order, and the same seed gives the same one. Timers run in the order of their
    due times. Nothing runs outside of `run` and `advance`, so between two calls a test sees a system at rest.
    """

    def __init__(self, seed: int | None = None) -> None:
        self.random = random.Random(seed)  # noqa: S311  (for orders, not for secrets)
        self._shuffles = seed is not None
        self._now = 0.0
        self._ready: deque[_Scheduled] = deque()
        self._bulk: deque[_Scheduled] = deque()
        self._soon_in_a_row = 0
        self._timers: list[tuple[float, int, _Scheduled]] = []
        self._sequence = itertools.count()

    def time(self) -> float:
        """Return the virtual time in seconds, 0.0 at the start."""
        return self._now

    def call_soon(self, callback: Callable[..., object], /, *args: object) -> Cancellable:
        """Run `callback` in the next `run`."""
        scheduled = _Scheduled(callback, args)
        self._ready.append(scheduled)
        return scheduled

    call_soon_threadsafe = call_soon

    def call_in_bulk(self, callback: Callable[..., object], /, *args: object) -> Cancellable:
        """Run `callback` in the next `run`, when nothing is left that is to run soon, or when much of it was run."""
        scheduled = _Scheduled(callback, args)
        self._bulk.append(scheduled)
        return scheduled

    def call_later(self, delay: float, callback: Callable[..., object], /, *args: object) -> Cancellable:
        """Run `callback` once the time was advanced by `delay` seconds."""
        scheduled = _Scheduled(callback, args)
        heapq.heappush(self._timers, (self._now + delay, next(self._sequence), scheduled))
        return scheduled

    def run(self, most: int = 1_000_000) -> None:
        """Run until nothing is ready. Time does not move.

        Raises `RuntimeError` after `most` callbacks: actors that keep each other busy would never come to rest.
        """
        for _ in range(most):
            if not (self._ready or self._bulk):
                return
            self._take()()
        if self._ready or self._bulk:
            raise RuntimeError(f"still busy after {most} callbacks")

    def _take(self) -> _Scheduled:
        late = self._bulk and self._soon_in_a_row >= SLICE
        queue = self._bulk if late or not self._ready else self._ready
        self._soon_in_a_row = 0 if queue is self._bulk else self._soon_in_a_row + 1
        if self._shuffles:
            queue.rotate(-self.random.randrange(len(queue)))
        return queue.popleft()

    def advance(self, seconds: float) -> None:
        """Move the time forward, running every timer that falls due on the way at its own time."""
        end = self._now + seconds
        self.run()
        while self._timers and self._timers[0][0] <= end:
            self._now, _, scheduled = heapq.heappop(self._timers)
            scheduled()
            self.run()
        self._now = end
