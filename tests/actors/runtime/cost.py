"""What supervision costs: `make cost` compares three kinds of actor, each in a process of its own, in one run.

    pykka     bare Pykka: a thread for each actor
    loop      an actor on the event loop with nothing to it: a deque, drained by the loop, a handler
    parley    the same under supervision: bounds, counts, restart, watch, reports

Printed are messages per second (told from the loop and handled, one actor and 1,000), the time to tell one message to
every one of many actors, and the memory of an idle actor. Rounds are interleaved, and the median of each figure counts.
"""

from __future__ import annotations

import asyncio
import gc
import json
import statistics
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pykka

from actors.runtime import Actor, ActorSystem, ChildSpec, LoopScheduler

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ROUNDS = 3
MESSAGES = 300_000
ACTORS = {"pykka": 1_000, "loop": 10_000, "parley": 10_000}


class PykkaCounter(pykka.ThreadingActor):
    """Counts down in a thread of its own."""

    use_daemon_thread = True

    def on_receive(self, message: Any) -> None:
        """Call whoever waits for the last message."""
        if callable(message):
            message()


class LoopCounter:
    """The least that can be called an actor on the event loop."""

    def __init__(self) -> None:
        self.queue: deque[Any] = deque()
        self.scheduled = False

    def tell(self, message: Any) -> None:
        """Queue a message, and ask for a turn."""
        self.queue.append(message)
        if not self.scheduled:
            self.scheduled = True
            asyncio.get_running_loop().call_soon(self.turn)

    def turn(self) -> None:
        """Handle a batch."""
        for _ in range(min(len(self.queue), 256)):
            message = self.queue.popleft()
            if callable(message):
                message()
        self.scheduled = bool(self.queue)
        if self.queue:
            asyncio.get_running_loop().call_soon(self.turn)


class ParleyCounter(Actor):
    """The same, supervised."""

    def on_receive(self, message: Any) -> None:
        """Call whoever waits for the last message."""
        if callable(message):
            message()


def rss_kib() -> int:
    """Return the memory of this process."""
    gc.collect()
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def spawner(kind: str) -> Callable[[int], Any]:
    """Return a function that starts the n-th actor of a kind and returns what has its `tell`."""
    if kind == "pykka":
        return lambda _: PykkaCounter.start()
    if kind == "loop":
        return lambda _: LoopCounter()
    system = ActorSystem(LoopScheduler(asyncio.get_running_loop()))
    return lambda number: system.spawn(
        ChildSpec(name=str(number), factory=ParleyCounter, mailbox_capacity=MESSAGES + 1)
    )


async def until_handled(refs: list[Any]) -> None:
    """Wait until each of these has come to the end of its queue."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    left = len(refs)

    def handled() -> None:
        nonlocal left
        left -= 1
        if not left:
            loop.call_soon_threadsafe(done.set)

    for ref in refs:
        ref.tell(handled)
    await done.wait()


async def timed(work: Callable[[], Awaitable[None]]) -> float:
    """Return how many seconds it takes."""
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


async def measure(kind: str) -> dict[str, float]:
    """Measure one kind of actor in this process."""
    spawn, many = spawner(kind), ACTORS[kind]
    one = spawn(0)
    await until_handled([one])

    async def to_one() -> None:
        for number in range(MESSAGES):
            one.tell(number)
        await until_handled([one])

    rate_one = MESSAGES / await timed(to_one)
    before = rss_kib()
    refs = [spawn(number) for number in range(1, many + 1)]
    await until_handled(refs)
    memory = (rss_kib() - before) / many
    fan_out = await timed(lambda: until_handled(refs))
    some = refs[:1_000]

    async def to_some() -> None:
        for number in range(MESSAGES // len(some)):
            for ref in some:
                ref.tell(number)
        await until_handled(some)

    rate_some = MESSAGES / await timed(to_some)
    return {"one": rate_one, "some": rate_some, "fan_out_us": fan_out / many * 1e6, "kib": memory}


def main() -> None:
    """Measure all kinds, or the one that is named."""
    if len(sys.argv) > 1:
        print(json.dumps(asyncio.run(measure(sys.argv[1]))))
        return
    runs: dict[str, list[dict[str, float]]] = {kind: [] for kind in ACTORS}
    for _ in range(ROUNDS):
        for kind, results in runs.items():
            done = subprocess.run(
                [sys.executable, "-m", "tests.actors.runtime.cost", kind], check=True, capture_output=True, text=True
            )
            results.append(json.loads(done.stdout))
    print(f"{'':8}{'tells/s, 1 actor':>18}{'1,000 actors':>16}{'one to all, us each':>21}{'KiB per idle actor':>20}")
    for kind, results in runs.items():
        median = {name: statistics.median(result[name] for result in results) for name in results[0]}
        print(f"{kind:8}{median['one']:18,.0f}{median['some']:16,.0f}{median['fan_out_us']:21.2f}{median['kib']:20.2f}")


if __name__ == "__main__":
    main()
