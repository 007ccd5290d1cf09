"""The scenarios: who is there, in which rooms, how many of them when, and what befalls them."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, NamedTuple

from loadtests._roles import chat, listen, look_back, lurk, orate, read_slowly, speak

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from loadtests._roles import Role

BIG = "load"
CLUBS = 20
SMALL = 3
"""Members of a small room."""
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
    storms: bool = False

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


def _small(number: int) -> Sequence[str]:
    return (f"load-{number // SMALL}",)


def _clubs(number: int) -> Sequence[str]:
    """Return the big room and three of the clubs."""
    return (BIG, *(f"club-{(number * 7 + step) % CLUBS}" for step in range(3)))


SCENARIOS = {
    "room": Scenario(
        "one big room: one in ten talks",
        (Part(speak), *[Part(listen)] * 9),
    ),
    "rooms": Scenario(
        "many rooms of three: one of them talks",
        (Part(speak, _small), *[Part(listen, _small)] * (SMALL - 1)),
    ),
    "storm": Scenario(
        "one big room, and at intervals everybody loses the connection",
        (Part(speak), *[Part(listen)] * 9),
        storms=True,
    ),
    "slow": Scenario(
        "one big room: one in twenty makes speeches, and four do not read until they are cut off",
        (Part(orate), *[Part(read_slowly)] * 4, *[Part(listen)] * 15),
    ),
    "day": Scenario(
        "a day: people come and go, are in several rooms, talk now and then, read what was before",
        (
            *[Part(chat), Part(listen), Part(lurk), Part(listen), Part(chat, _clubs)] * 3,
            *[Part(look_back), Part(listen, _clubs), Part(lurk), Part(chat), Part(listen)],
        ),
        # A quiet night, the rise of the morning, a peak, the afternoon, the evening, and night again.
        shape=((0, 0.1), (0.2, 0.1), (0.35, 0.7), (0.45, 1), (0.6, 1), (0.7, 0.6), (0.85, 0.6), (1, 0.1)),
        length_s=300,
    ),
}
DEFAULT = "room"
