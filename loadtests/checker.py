"""The history checker: what must never happen, looked for in what did. `python -m loadtests.checker HISTORY`.

The exit code is 1 if anything happened that must not, or if nothing was tried; 2 if the file is no history.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from loadtests._history import Ended, UnreadableError, read
from loadtests._rules import NAMES, Anomaly, Room

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from loadtests._history import Event
    from loadtests._rules import Name

SHOWN = 5
"""How many anomalies of a kind are told one by one."""


class Verdict(msgspec.Struct, frozen=True):
    """What is wrong with a history, and how much there was that could have been."""

    anomalies: list[Anomaly]
    acked: int
    deliveries: int
    compared: int
    """Times that a client's own state was put against one from the server."""

    @property
    def passed(self) -> bool:
        """Whether nothing happened that must not, and something was tried."""
        return not self.anomalies and self.acked > 0


def judge(history: Iterable[Event]) -> Verdict:
    """Look through a history."""
    rooms: defaultdict[str, Room] = defaultdict(Room)
    found: list[Anomaly] = []
    for event in history:
        if not isinstance(event, Ended):
            rooms[event.room].add(event)
        elif not event.planned:
            found.append(Anomaly("disconnected", f"{event.client}: {event.how}"))
    for name, room in rooms.items():
        found += [Anomaly(a.name, f"{name}: {a.what}", a.keys) for a in room.anomalies()]
    return Verdict(
        found,
        acked=sum(len(room.acked) for room in rooms.values()),
        deliveries=sum(len(m.seen) + m.twice.total() for room in rooms.values() for m in room.members.values()),
        compared=sum(room.compared() for room in rooms.values()),
    )


def check(history: Iterable[Event]) -> list[Anomaly]:
    """Return everything that is wrong with a history."""
    return judge(history).anomalies


# What a report says of it


def bound(trials: int) -> str:
    """Say what no failure in so many trials shows: with 95 % confidence fewer than 3/N ("rule of three")."""
    return f"{3 / trials:.4%} (3/{trials:,})" if trials else "1"


def counts(anomalies: Iterable[Anomaly]) -> str:
    """Say how many there are of each kind, those that there are none of included."""
    names = Counter(anomaly.name for anomaly in anomalies)
    return f"{names.total():,} ({', '.join(f'{name} {names[name]}' for name in NAMES)})"


def lines(verdict: Verdict) -> Iterator[str]:
    """Say it all, for people; of the anomalies the first."""
    seen = f"{verdict.deliveries:,} deliveries, {verdict.compared:,} states compared"
    yield f"acknowledged   {verdict.acked:,} entries; {seen}"
    yield f"anomalies      {counts(verdict.anomalies)}"
    yield f"bound, 95 %    below {bound(verdict.acked)} of entries"
    yield from shown(verdict.anomalies)


def shown(anomalies: Iterable[Anomaly]) -> Iterator[str]:
    """Yield a line for each of the first of each kind, and one that says how many more there are."""
    times: Counter[Name] = Counter()
    for anomaly in anomalies:
        times[anomaly.name] += 1
        if times[anomaly.name] <= SHOWN:
            yield f"! {anomaly.name}: {anomaly.what}"
    for name, count in times.items():
        if count > SHOWN:
            yield f"! {name}: {count - SHOWN:,} more"


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the file that the command line names, and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.checker", description="Check the history of a run.")
    parser.add_argument("history", type=Path, help="a file that a run wrote; it may be compressed with gzip")
    try:
        verdict = judge(read(parser.parse_args(arguments).history))
    except UnreadableError as error:
        print(error, file=sys.stderr)  # noqa: T201  (a program's output)
        return 2
    print("\n".join(lines(verdict)))  # noqa: T201
    return 0 if verdict.passed else 1


if __name__ == "__main__":
    sys.exit(main())
