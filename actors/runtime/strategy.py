"""What a crash of one child means for its siblings, and how long to wait before a restart."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random


class Strategy(enum.Enum):
    """Which children are restarted when one crashes (the names are OTP's)."""

    ONE_FOR_ONE = "one_for_one"
    """That one."""
    ONE_FOR_ALL = "one_for_all"
    """All of them: they cannot do without each other."""
    REST_FOR_ONE = "rest_for_one"
    """That one and those started after it, which may rely on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long to wait before a restart: longer each time in a row, up to `max_s`, and never quite the same.

    The jitter is a share: 0.2 means between 0.8 and 1.2 times as long, so that those who fail together do not come back
    together. A child that ran for `reset_after_s` is taken to be well, and begins with `first_s` again.
    """

    first_s: float
    max_s: float
    factor: float = 2.0
    jitter: float = 0.2
    reset_after_s: float = 30.0

    def delay_s(self, restart: int, source: random.Random) -> float:
        """Return how many seconds to wait before the `restart`-th restart in a row, counted from 1."""
        # (the exponent is bounded: a float has no room for more, and max_s was reached long before)
        grown = self.first_s * self.factor ** min(restart - 1, 64)
        return min(self.max_s, grown) * source.uniform(1 - self.jitter, 1 + self.jitter)
