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


def _back_off_s() -> float:
    """Wait before connecting again, as an SDK would: not everybody at the same moment."""
    return random.random()
