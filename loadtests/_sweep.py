"""`make sweep`: where it bends. Room sizes and message rates up to saturation; what members, rooms, connections cost.

The server has one core and the generator (`_blast.py`) another; each point is a server of its own. `lag` is how long
another connection waits for an answer that has nothing to do with the room (p99): how late the loop comes to whoever
is not concerned.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import uvloop

from loadtests._blast import PARLEY, Blast, Load, Result
from loadtests._chart import Plot, plots
from loadtests._process import GENERATOR_CORE, keep_to, say, serving

if TYPE_CHECKING:
    from collections.abc import Sequence

MEMBERS: Final = (10, 100, 1_000, 10_000)
RATES: Final = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000)
SATURATED: Final = 0.9
"""Where less than this share of what was asked for comes, it bends, and higher rates are left out."""
ROOMS: Final = (1, 10, 100, 1_000, 3_000)
ROOM_OF: Final = 3
IDLE: Final = (1_000, 3_000, 10_000)
BESIDE: Final = 100
UNDER_WAY: Final = 4

HEAD: Final = (
    "| load | deliveries/s | µs of CPU each | p50 / p99, ms | lag, ms | KiB a connection |\n" + "| --- " * 6 + "|"
)


def row(load: Load, result: Result) -> str:
    """Return a row of the table."""
    speed = f"{result.deliveries_per_s:,.0f} | {result.us_per_delivery:.2f}"
    times = f"{result.p50:.1f} / {result.p99:.1f} | {result.lag:.1f}"
    return f"| {load} | {speed} | {times} | {result.kib_per_connection:.0f} |"


class Sweep:
    """All points that were measured, and what they show."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._found: dict[Load, Result] = {}

    def measure(self, load: Load) -> Result | None:
        """Measure a point, and print it; None if that could not be done."""
        try:
            with serving(PARLEY.command) as process:
                result = uvloop.run(Blast(PARLEY, load).measure(process, self._seconds))
        except (OSError, TimeoutError) as error:
            say(f"| {load} | left out: {str(error) or 'it took too long'} | | | | |")
            return None
        say(row(load, result))
        self._found[load] = result
        return result

    def rates(self, members: int, rates: Sequence[float]) -> None:
        """Measure a room at rising rates, until it bends."""
        for rate in rates:
            result = self.measure(Load(members, rate=rate))
            if result is None or result.deliveries_per_s < SATURATED * rate * members:
                break

    def charts(self) -> str:
        """Return what was found as plots."""
        rated = {load: result for load, result in self._found.items() if load.rate}
        sizes = sorted({load.members for load in rated})

        def by_rate(value: str) -> dict[str, list[tuple[float, float]]]:
            return {
                f"{size:,} members": [
                    (load.rate, getattr(result, value)) for load, result in rated.items() if load.members == size
                ]
                for size in sizes
            }

        closed = {load: result for load, result in self._found.items() if load.under_way}
        members = [
            (load.members, result.us_per_delivery)
            for load, result in closed.items()
            if load.rooms == 1 and not load.idle
        ]
        rooms = [
            (load.rooms, result.us_per_delivery * ROOM_OF) for load, result in closed.items() if load.members == ROOM_OF
        ]
        idle = [(load.idle, result) for load, result in closed.items() if load.idle]
        return plots(
            [
                Plot("From sending to arriving, p99", "messages/s", "ms", by_rate("p99")),
                Plot("Answer to another connection, p99", "messages/s", "ms", by_rate("lag")),
                Plot("A delivery, by rate", "messages/s", "µs of CPU", by_rate("us_per_delivery")),
                Plot("A delivery, by members", "members", "µs of CPU", {"40 under way": members}),
                Plot("A message, by rooms of three", "rooms", "µs of CPU", {"1 under way each": rooms}),
                Plot(
                    f"Beside a room of {BESIDE}: idle connections",
                    "idle connections",
                    "",
                    {
                        "KiB each": [(count, result.kib_per_connection) for count, result in idle],
                        "µs a delivery": [(count, result.us_per_delivery) for count, result in idle],
                    },
                ),
            ]
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as the command line says."""
    parser = argparse.ArgumentParser(prog="make sweep", formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--members", nargs="*", type=int, default=list(MEMBERS), help="sizes of the room")
    parser.add_argument("--rates", nargs="*", type=float, default=list(RATES), help="messages/s, rising")
    parser.add_argument("--rooms", nargs="*", type=int, default=list(ROOMS), help="how many rooms of three")
    parser.add_argument("--idle", nargs="*", type=int, default=list(IDLE), help="how many idle connections")
    parser.add_argument("--seconds", type=float, default=4.0, help="how long each point is measured")
    parser.add_argument("--svg", type=Path, default=Path("build/sweep.svg"), help="where the plots go")
    given = parser.parse_args(arguments)
    keep_to(GENERATOR_CORE)
    sweep = Sweep(given.seconds)
    say(HEAD)
    for members in given.members:
        sweep.rates(members, given.rates)
    for members in given.members:
        sweep.measure(Load(members, under_way=UNDER_WAY))
    for rooms in given.rooms:
        sweep.measure(Load(ROOM_OF, under_way=1, rooms=rooms))
    for idle in given.idle:
        sweep.measure(Load(BESIDE, under_way=UNDER_WAY, idle=idle))
    given.svg.parent.mkdir(parents=True, exist_ok=True)
    given.svg.write_text(sweep.charts())
    say(f"\n{given.svg}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
