"""`make bench`: how fast one room is, beside servers that do nothing but send on. They run one after the other.

The server has one core and the generator (`_blast.py`) another. Printed are deliveries per second, the server's CPU
time for each (user and kernel), and the time from sending to arriving of a sample of them. For Parley every message is
acknowledged, and on disk before that.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import uvloop

from loadtests._blast import PARLEY, Blast, Load, Peer, Result
from loadtests._chart import bars
from loadtests._process import GENERATOR_CORE, keep_to, say, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HERE: Final = Path(__file__).parent

LOADS: Final = {
    "burst": Load(1_000, under_way=20),
    "busy": Load(1_000, under_way=4),
    "small": Load(100, under_way=4),
    "large": Load(10_000, under_way=4),
    "calm": Load(1_000, rate=20),
}


def _module(name: str) -> Callable[[int], Sequence[str]]:
    return lambda port: (sys.executable, "-m", f"loadtests._peers.{name}", str(port))


OURS: Final = "Parley"
PLAIN: Final = '{"text":"{text}"}'
PEERS: Final = {
    OURS: PARLEY,
    "FastAPI, naive": Peer(_module("naive_fastapi"), "/", [], PLAIN),
    "websockets": Peer(_module("websockets_broadcast"), "/", [], PLAIN),
    "Node ws": Peer(lambda port: ("node", str(HERE / "_peers/ws.cjs"), str(port)), "/", [], PLAIN),
}


def table(results: dict[str, dict[str, Result]]) -> str:
    """Return the results as the Markdown table that README shows."""
    lines = ["| load | server | deliveries/s | µs of CPU each | p50 / p99, ms | KiB a connection |", "| --- " * 6 + "|"]
    for load, peers in results.items():
        for name, result in peers.items():
            times = f"{result.p50:.1f} / {result.p99:.1f}"
            speed = f"{result.deliveries_per_s:,.0f} | {result.us_per_delivery:.2f}"
            lines.append(f"| {LOADS[load]} | {name} | {speed} | {times} | {result.kib_per_connection:.0f} |")
    return "\n".join(lines)


def chart(results: dict[str, dict[str, Result]]) -> str:
    """Return a chart of what a second of the server's CPU delivers, as SVG."""
    groups = {
        str(LOADS[load]): {name: 1e6 / result.us_per_delivery for name, result in peers.items()}
        for load, peers in results.items()
        if peers
    }
    return bars("Deliveries for a second of the server's CPU", groups, OURS)


def measure(peer: Peer, load: Load, seconds: float) -> Result:
    """Measure one load on one server. Raises `OSError`, `TimeoutError` if that cannot be done."""
    with serving(peer.command) as process:
        return uvloop.run(Blast(peer, load).measure(process, seconds))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as the command line says."""
    parser = argparse.ArgumentParser(prog="make bench", formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--loads", nargs="+", choices=LOADS, default=list(LOADS), help="which loads")
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS), help="which servers")
    parser.add_argument("--rounds", type=int, default=2, help="how often; the middle result counts")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each run is measured")
    parser.add_argument("--svg", type=Path, default=Path("build/bench.svg"), help="where the chart goes")
    given = parser.parse_args(arguments)
    keep_to(GENERATOR_CORE)
    results: dict[str, dict[str, Result]] = {}
    for load in given.loads:
        found: dict[str, list[Result]] = {}
        for _ in range(given.rounds):
            for name in given.peers:
                try:
                    result = measure(PEERS[name], LOADS[load], given.seconds)
                except (OSError, TimeoutError) as error:
                    say(f"{LOADS[load]}: {name} left out ({str(error) or 'it took too long'})")
                    continue
                found.setdefault(name, []).append(result)
                say(f"{LOADS[load]}: {name} {result.deliveries_per_s:,.0f}/s, {result.us_per_delivery:.2f} us each")
        results[load] = {
            name: Result(*(statistics.median(values) for values in zip(*runs, strict=True)))
            for name, runs in found.items()
        }
    if not any(results.values()):
        say("no server could be measured")
        return 1
    given.svg.parent.mkdir(parents=True, exist_ok=True)
    given.svg.write_text(chart(results))
    say(f"\n{table(results)}\n\n{given.svg}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
