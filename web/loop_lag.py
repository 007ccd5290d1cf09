"""How late the event loop is: how long something that is due now has to wait until it runs."""

from __future__ import annotations

import asyncio
from typing import Final

from chat.counts import Histogram

INTERVAL_S: Final = 0.5

LAG_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class LoopLag:
    """A timer that looks, twice a second, how late it is. Made on the running event loop; runs until `stop`."""

    def __init__(self) -> None:
        self.histogram = Histogram(LAG_SECONDS)
        self._loop = asyncio.get_running_loop()
        self._wait()

    def _wait(self) -> None:
        self._due = self._loop.time() + INTERVAL_S
        self._timer = self._loop.call_at(self._due, self._look)

    def _look(self) -> None:
        self.histogram.observe(max(0.0, self._loop.time() - self._due))
        self._wait()

    def stop(self) -> None:
        """Look no more."""
        self._timer.cancel()
