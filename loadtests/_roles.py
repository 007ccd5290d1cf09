"""What people do in a chat. A role yields how many seconds to wait until its next turn; it never ends."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loadtests._member import Member

Role = Callable[["Member"], Iterator[float]]

CUT_OFF_WITHIN_S = 40.0
"""A member that does not read is cut off when too much waits for it, or else, where little is said, for want of a pong.

By the server's defaults that takes 35 s at most: 25 s to the next ping, 8 s for the pong, 2 s for the goodbye.
"""


def listen(member: Member) -> Iterator[float]:
    """Read. Most people do."""
    while True:
        if member.come():
            member.stay()
        yield _back_off_s()


def _speak(member: Member, *, every_s: float, chars: tuple[int, int], letter: str) -> Iterator[float]:
    while True:
        start = time.perf_counter()
        if member.come():
            member.say(letter * random.randint(*chars))
        yield max(0.0, every_s - (time.perf_counter() - start))


speak: Role = partial(_speak, every_s=1.0, chars=(20, 200), letter="x")
"""Say something, once a second."""

orate: Role = partial(_speak, every_s=0.5, chars=(3_500, 3_900), letter="語")
"""Make a speech of some 11 KB, twice a second: it fills the backlog of those who do not read."""


def chat(member: Member) -> Iterator[float]:
    """Say something now and then."""
    for _ in speak(member):
        yield random.expovariate(1 / 5)


def lurk(member: Member) -> Iterator[float]:
    """Look in, go, and come back to read what was said meanwhile."""
    while True:
        member.come()
        yield random.uniform(3, 10)
        member.leave()
        yield random.uniform(2, 8)


def look_back(member: Member) -> Iterator[float]:
    """Read what was said before."""
    while True:
        if member.come():
            member.look_back()
        yield random.uniform(1, 4)


def read_slowly(member: Member) -> Iterator[float]:
    """Read for a while, then nothing until the server has had enough of it, and come back for what was missed."""
    while True:
        if member.come():
            yield random.uniform(1, 3)
            member.stop_reading(CUT_OFF_WITHIN_S)
        yield _back_off_s()


def _back_off_s() -> float:
    """Wait before connecting again, as an SDK would: not everybody at the same moment."""
    return random.random()
