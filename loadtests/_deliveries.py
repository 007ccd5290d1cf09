"""Latencies of deliveries, counted in buckets and handed to Locust's statistics once in a while.

A sender makes one delivery per member. Locust's way, an event for each request, takes 6 µs of the
CPU that is being measured, for each delivery; a bucket takes a fiftieth of that.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from locust.stats import RequestStats


class Deliveries:
    """The deliveries since the last `flush`."""

    def __init__(self, name: str, method: str, bucket: Callable[[int], int]) -> None:
        """Take the row to write to, and Locust's rule for rounding a latency."""
        self._name = name
        self._method = method
        self._bucket = bucket
        self._counts: Counter[int] = Counter()

    def add(self, latency_ms: int) -> None:
        """Count one."""
        self._counts[latency_ms] += 1

    def flush(self, stats: RequestStats) -> None:
        """Add all that was counted to the row and to the total."""
        counts, self._counts = self._counts, Counter()
        second = int(time.time())
        for entry in (stats.get(self._name, self._method), stats.total) if counts else ():
            for latency_ms, count in counts.items():
                # The first by Locust's own method, which also keeps minimum, maximum and time.
                entry.log(latency_ms, 0)
                entry.num_requests += count - 1
                entry.num_reqs_per_sec[second] += count - 1
                entry.total_response_time += latency_ms * (count - 1)
                entry.response_times[self._bucket(latency_ms)] += count - 1


def stamp(text: str) -> str:
    """Put the time before a text. By the wall clock: the sender may be another process."""
    return f"{time.time():.6f} {text}"


def sent_at(text: str) -> float:
    """Tell when a text was stamped; now, if it has no stamp, or one from the future."""
    now = time.time()
    stamped, _, _ = text.partition(" ")
    try:
        return min(now, float(stamped))
    except ValueError:
        return now
