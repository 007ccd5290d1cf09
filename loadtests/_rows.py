"""The rows of the report, and what fills them."""

from __future__ import annotations

from typing import Final, Protocol

CONNECT: Final = "connect"
"""Until all rooms have answered. Fails also when a connection ends that nobody meant to end."""
RESUME: Final = "resume"
"""The same after a connection ended. The answers bring what was missed since, or the first part of it; what is pushed
afterwards is not waited for. Fails also if a room does not go on from where somebody was."""
ACK: Final = "send → ack"
"""Until a message is durable."""
DELIVER: Final = "send → deliver"
"""Until somebody has a message. Its requests per second are the deliveries per second."""
CATCH_UP: Final = "send → catch up"
"""The same for whoever was away, or did not read, when it was sent."""
MESSAGES: Final = "messages"
"""A page of what was said before."""
CUT_OFF: Final = "cut off"
"""From when somebody stopped reading until the server had enough of it."""
GAPS: Final = "gaps"
"""Only failures: something should have come, and did not."""
DUPLICATES: Final = "duplicates"
"""Only failures: something came twice."""


class Rows(Protocol):
    """Where it is counted what members do. Called by what reads their sockets, too, so it must not wait."""

    def done(self, row: str, time_ms: float) -> None:
        """Count something that went well, and how long it took."""

    def failed(self, row: str, error: Exception) -> None:
        """Count something that did not."""

    def delivered(self, latency_ms: int) -> None:
        """Count a message that came, that long after it was sent."""

    def caught_up(self, latency_ms: int) -> None:
        """Count one that came late, because its receiver was away."""
