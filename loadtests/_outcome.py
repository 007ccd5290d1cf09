"""What came of a fault run: what was wrong with it, and the text that says so."""

from __future__ import annotations

import os
import signal
from collections import Counter
from typing import TYPE_CHECKING, Literal, get_args

import msgspec

from loadtests._history import Ended, Event, Failed, Saw, Sent
from loadtests._report import p99, spread
from loadtests.checker import bound, lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from loadtests.checker import Verdict

Fault = Literal["kill", "stop", "disk"]
FAULTS: tuple[Fault, ...] = get_args(Fault)

READY_S = 2.0
BACK_S = 5.0
STOP_S = 5.0
STOPPED = "3001"
EXITS = {"kill": {-signal.SIGKILL}, "stop": {0, -signal.SIGTERM}, "disk": set[int]()}


class Plan(msgspec.Struct, frozen=True):
    """What to do, and how often. `rate` is messages and changes a second, in all."""

    fault: Fault
    times: int
    seed: int = 1
    rate: float = 200.0
    clients: int = 20
    rooms: int = 4


class Outcome(msgspec.Struct):
    """What came of a run: the history, times in seconds, and what else was wrong."""

    plan: Plan
    history: list[Event]
    done: int = 0
    ready_s: list[float] = []
    back_s: list[float] = []
    stop_s: list[float] = []
    load: float = 0.0
    """The load average at the end: more than there are processors means that others had some of the time."""
    exits: Counter[int] = msgspec.field(default_factory=Counter)
    complaints: list[str] = []
    """What went wrong that the checker does not look at."""
    too_slow: list[str] = []


def too_slow(outcome: Outcome) -> Iterator[str]:
    """Yield what took longer than it may."""
    if outcome.ready_s and max(outcome.ready_s) > READY_S:
        yield f"a server took {max(outcome.ready_s):.2f} s to accept connections, longer than {READY_S:g} s"
    if outcome.back_s and p99(outcome.back_s) > BACK_S:
        yield f"clients took {p99(outcome.back_s):.2f} s to be back (p99), longer than {BACK_S:g} s"
    if outcome.stop_s and max(outcome.stop_s) > STOP_S:
        yield f"a server took {max(outcome.stop_s):.2f} s to stop, longer than {STOP_S:g} s"


def complaints(outcome: Outcome) -> Iterator[str]:
    """Yield what else is wrong with a run, beside what the checker finds."""
    plan = outcome.plan
    if wrong := outcome.exits.keys() - EXITS[plan.fault]:
        yield f"servers ended with {sorted(wrong)}"
    codes = _close_codes(outcome.history)
    if plan.fault == "stop" and codes.keys() - {STOPPED}:
        yield f"connections were closed with {dict(codes)}"
    if plan.fault != "disk" and codes.total() < outcome.done:
        yield f"only {codes.total()} connections ended in {outcome.done} faults"
    for key in _shown_though_refused(outcome.history) if plan.fault == "disk" else ():
        yield f"{key} was shown while its sender was told that it is not stored"


def _close_codes(history: Iterable[Event]) -> Counter[str]:
    return Counter(event.how.partition(" ")[0] for event in history if isinstance(event, Ended))


def _shown_though_refused(history: Iterable[Event]) -> Iterator[str]:
    """Yield what somebody saw after it had failed and before it was sent again.

    With a lost connection or a crash that may happen. Where the log says that it could not store, it may not.
    """
    failed: set[tuple[str, str]] = set()
    for event in history:
        if isinstance(event, Failed):
            failed.add((event.room, event.key))
        elif isinstance(event, Sent):
            failed.discard((event.room, event.key))
        elif isinstance(event, Saw) and (event.room, event.key) in failed:
            yield event.key


def text(outcome: Outcome, verdict: Verdict) -> Iterator[str]:
    """Say it all, for people."""
    plan = outcome.plan
    codes = Counter(event.code for event in outcome.history if isinstance(event, Failed))
    sent = Counter((event.room, event.key) for event in outcome.history if isinstance(event, Sent))
    failed = f"{codes.total():,} errors ({', '.join(f'{code}: {n:,}' for code, n in sorted(codes.items())) or 'none'})"
    yield f"{plan.fault:14} {outcome.done} times of {plan.times}; no failure shows: below {bound(outcome.done)} of them"
    yield from lines(verdict)
    yield f"sent again     {sent.total() - len(sent):,}; {failed}"
    if plan.fault != "disk":
        yield f"load average   {outcome.load:.1f} on {os.cpu_count()} processors"
        yield f"closed with    {dict(_close_codes(outcome.history))}; servers ended with {dict(outcome.exits)}"
        yield f"server ready   after {_ms(outcome.ready_s)}, may be {READY_S:g} s"
        yield f"clients back   after {_ms(outcome.back_s)}, p99 may be {BACK_S:g} s"
    if plan.fault == "stop":
        yield f"server ended   after {_ms(outcome.stop_s)}, may be {STOP_S:g} s"
    yield from (f"! {complaint}" for complaint in [*outcome.complaints, *outcome.too_slow])


def _ms(seconds: Sequence[float]) -> str:
    return spread([1000 * each for each in seconds])
