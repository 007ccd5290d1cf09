"""What a chat counts of itself: plain integers, added to where things happen anyway, and read when somebody asks.

Nothing here knows how it is shown (`web/metrics.py` does). Each number is added to in one thread only, and read in
another at any time: what is read may be a moment old, and never half written.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMIT_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
COMMIT_ENTRIES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500)


class Histogram:
    """How often values fell between bounds. `buckets[i]` counts those up to `bounds[i]`, the last one those above."""

    __slots__ = ("bounds", "buckets", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.buckets = [0] * (len(self.bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self.buckets[bisect_left(self.bounds, value)] += 1
        self.sum += value


class Counts:
    """The counts of one chat, from its start on."""

    __slots__ = (
        "auth_failures",
        "closes",
        "commit_entries",
        "commit_seconds",
        "connections",
        "deliveries",
        "downloads",
        "limits_hit",
        "messages",
        "rejected",
        "repeats",
        "uploaded_bytes",
        "uploads",
        "waiting_entries",
    )

    def __init__(self, auth_failures: Counter[str] | None = None) -> None:
        self.connections = 0
        """Clients that introduced themselves."""
        self.closes: Counter[int] = Counter()
        """Connections that the server closed, by the code that it gave."""
        self.messages = 0
        """Entries that were stored: messages, other publications, changes."""
        self.repeats = 0
        """Sends that were stored before, and were answered with their first place."""
        self.rejected = 0
        """Changes that could not be made."""
        self.deliveries = 0
        """Entries that rooms gave to members as they came: one for each entry and member."""
        self.uploads = 0
        """Files that were uploaded."""
        self.uploaded_bytes = 0
        self.downloads = 0
        """Files, and small images, that were fetched."""
        self.waiting_entries = 0
        """Entries that wait for the writer now."""
        self.commit_seconds = Histogram(COMMIT_SECONDS)
        self.commit_entries = Histogram(COMMIT_ENTRIES)
        self.limits_hit: Counter[str] = Counter()
        """What was refused because of a limit, by its name: that of its setting, if it has one."""
        self.auth_failures: Counter[str] = Counter() if auth_failures is None else auth_failures
        """Who was not let in, by the reason: those of `chat.identity.Door`, and `api_key`."""
