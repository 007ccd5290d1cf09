"""What came of a crash run: anomalies, counts and latencies, and the text that says so."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from loadtests._history import Acked, Failed, Saw, Sent
from loadtests.checker import SHOWN, bound, check, counts, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from loadtests._history import Event
    from loadtests._rules import Anomaly

AIM = 1.2


class Slice(msgspec.Struct, frozen=True):
    """Some seconds of load, with crashes or without, and all that happened in them."""

    crashing: bool
    history: Sequence[Event]
    calm: frozenset[str]
    """Rooms that are never crashed."""
    probes: Sequence[str]
    """Keys of the messages that were sent right after a crash was ordered, or would have been."""
    given_up: frozenset[str]
    """Rooms that the server closed for a while, because they crashed too often."""


class Report(msgspec.Struct, frozen=True):
    """The figures of a run. Latencies are milliseconds, slice by slice."""

    anomalies: Sequence[Anomaly]
    crashes: Counter[str]
    unplanned: Sequence[str]
    """Crashes that nobody had asked for."""
    given_up: int
    acked: int
    repeated: int
    deliveries: int
    refusals: Counter[int]
    quiet_ms: Sequence[Sequence[float]]
    crashing_ms: Sequence[Sequence[float]]
    back_ms: Sequence[float]
    """From the order to crash to a message sent then being with all members."""
    unhurt_ms: Sequence[float]
    """The same messages in the quiet slices."""

    @property
    def passed(self) -> bool:
        """Whether nothing happened that must not, and something was tried."""
        return not self.anomalies and not self.unplanned and bool(self.crashes) and self.acked > 0

    @property
    def ratio(self) -> float:
        """How much slower calm rooms are at the 99th percentile while others crash."""
        return p99(_flat(self.crashing_ms)) / p99(_flat(self.quiet_ms))

    @property
    def ratios(self) -> list[float]:
        """The same for each slice and the quiet one before it, smallest first.

        Whatever else the machine does falls into some of them and leaves the one in the middle alone.
        """
        pairs = zip(self.quiet_ms, self.crashing_ms, strict=False)
        return sorted(p99(during) / p99(before) for before, during in pairs if before and during)


def report_on(slices: Sequence[Slice], crashes: Iterable[str]) -> Report:
    """Check and measure. `crashes` are the exceptions that the server's rooms crashed with."""
    planned, unplanned = Counter[str](), []
    for exception in crashes:
        name, _, kind = exception.partition(": ")
        if name.endswith("PlantedCrashError"):
            planned[kind] += 1
        else:
            unplanned.append(exception)
    events = [event for piece in slices for event in piece.history]
    acked = Counter(event.key for event in events if isinstance(event, Acked))
    return Report(
        anomalies=[anomaly for piece in slices for anomaly in check(piece.history)],
        crashes=planned,
        unplanned=unplanned,
        given_up=sum(len(piece.given_up) for piece in slices),
        acked=len(acked),
        repeated=acked.total() - len(acked),
        deliveries=sum(isinstance(event, Saw) for event in events),
        refusals=Counter(event.code for event in events if isinstance(event, Failed)),
        quiet_ms=[_calm_ms(piece) for piece in slices if not piece.crashing],
        crashing_ms=[_calm_ms(piece) for piece in slices if piece.crashing],
        back_ms=[ms for piece in slices if piece.crashing for ms in _probes_ms(piece)],
        unhurt_ms=[ms for piece in slices if not piece.crashing for ms in _probes_ms(piece)],
    )


def _sent_at(history: Iterable[Event]) -> dict[str, float]:
    at: dict[str, float] = {}
    for event in history:
        if isinstance(event, Sent):
            at.setdefault(event.key, event.at)
    return at


def _calm_ms(piece: Slice) -> list[float]:
    sent = _sent_at(piece.history)
    return [
        (event.at - sent[event.key]) * 1000
        for event in piece.history
        if isinstance(event, Saw) and event.room in piece.calm and event.key in sent
    ]


def _probes_ms(piece: Slice) -> list[float]:
    wanted = set(piece.probes)
    sent = _sent_at(piece.history)
    last: dict[str, float] = {}
    for event in piece.history:
        if isinstance(event, Saw) and event.key in wanted and event.room not in piece.given_up:
            last[event.key] = event.at
    return [(at - sent[key]) * 1000 for key, at in last.items() if key in sent]


def _flat(lists: Iterable[Iterable[float]]) -> list[float]:
    return [item for items in lists for item in items]


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of all does not exceed; NaN of nothing."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)] if ordered else math.nan


def p99(values: Sequence[float]) -> float:
    """Return the 99th percentile."""
    return quantile(values, 0.99)


def text(report: Report) -> str:
    """Say it all, for people."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    done = ", ".join(f"{kind} {count}" for kind, count in sorted(report.crashes.items()))
    yield f"crashes        {report.crashes.total():,} ({done}); {report.given_up} rooms given up for a while"
    again = f"{report.repeated:,} of them again"
    yield f"acknowledged   {report.acked:,} messages, {again}; {report.deliveries:,} deliveries"
    yield f"refused        {report.refusals.total():,}{_codes(report.refusals)}"
    yield f"anomalies      {counts(report.anomalies)}"
    yield f"bound, 95 %    below {bound(report.acked)} of messages, below {bound(report.crashes.total())} of crashes"
    yield f"crashed rooms  back after {spread(report.back_ms)}; without a crash {spread(report.unhurt_ms)}"
    quiet, crashing = _flat(report.quiet_ms), _flat(report.crashing_ms)
    yield f"calm rooms     deliver after {spread(crashing)}; while none crashes {spread(quiet)}"
    each = ", ".join(f"{ratio:.2f}" for ratio in report.ratios)
    yield (
        f"               that is {report.ratio:.2f} times as long at p99 (aim: {AIM}), "
        f"and {quantile(report.ratios, 0.5):.2f} in the middle one of the pairs of slices: {each}"
    )
    yield from shown(report.anomalies)
    for exception in report.unplanned[:SHOWN]:
        yield f"! a crash that nobody asked for: {exception}"


def _codes(refusals: Counter[int]) -> str:
    return f" ({', '.join(f'{code}: {count}' for code, count in sorted(refusals.items()))})" if refusals else ""


def spread(values: Sequence[float]) -> str:
    """Say how long things took, in milliseconds."""
    return " / ".join(f"{quantile(values, share):.1f}" for share in (0.5, 0.99, 1)) + " ms (p50 / p99 / worst)"
