"""The scenarios: who is there, in which rooms, and how many of them when."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, NamedTuple

from loadtests._roles import listen, speak

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from loadtests._roles import Role

BIG = "load"
NUMBERS_EACH = 6_000_000
"""Each process numbers its users from a multiple of this, which is a multiple of any number of parts."""


class Part(NamedTuple):
    """What somebody does, and where. The rooms depend on the user's number."""

    role: Role
    rooms: Callable[[int], Sequence[str]] = lambda _: (BIG,)


class Scenario(NamedTuple):
    """A kind of load. Users come in the order of `parts`, round and round."""

    title: str
    parts: Sequence[Part]
    shape: Sequence[tuple[float, float]] = ((0, 1), (1, 1))
    """The share of the users that are there, by the share of the time that has passed: the corners of a line."""
    length_s: int = 120

    def part(self, number: int) -> Part:
        """Return the part of the user with this number."""
        return self.parts[number % len(self.parts)]

    def users(self, passed: float, most: int) -> int:
        """Return how many users there are when this share of the time has passed."""
        for (start, low), (end, high) in itertools.pairwise(self.shape):
            if start <= passed < end:
                share = low + (high - low) * (passed - start) / (end - start)
                return max(1, math.ceil(share * most))
        return 0


SCENARIOS = {
    "room": Scenario(
        "one big room: one in ten talks",
        (Part(speak), *[Part(listen)] * 9),
    ),
}
DEFAULT = "room"
