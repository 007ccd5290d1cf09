"""Restart intensity: how many crashes in how much time are still bad luck.

The idea and the two numbers are those of OTP (`supervisor`, "Tuning the intensity and period").
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RestartIntensity:
    """At most `max_restarts` restarts within any `period_s` seconds; one more is too many.

    The period is a sliding window, so the two numbers bound a burst, and their ratio the sustained rate.
    """

    max_restarts: int = 3
    period_s: float = 5.0


class RestartHistory:
    """The restarts of one child, as far as its intensity still looks at them."""

    __slots__ = ("_intensity", "_times", "in_a_row", "total")

    def __init__(self, intensity: RestartIntensity) -> None:
        self._intensity = intensity
        self._times: list[float] = []
        self.total = 0
        """All restarts ever."""
        self.in_a_row = 0
        """Those since the child last ran for long; counted by the supervisor."""

    def allow(self, now: float) -> bool:
        """Record a restart at `now` (seconds, never falling) and return True, or return False if it is one too many."""
        limit, period = self._intensity.max_restarts, self._intensity.period_s
        self._times = [then for then in self._times if now - then <= period]
        if len(self._times) >= limit:
            return False
        self._times.append(now)
        self.total += 1
        return True
