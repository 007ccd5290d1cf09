"""The flood run: one client sends as fast as it can; how long do the others wait? `make flood`.

It starts a server of its own, with its defaults. Slices of time in which nobody floods alternate with slices in which
somebody does, from a process and an address of its own: messages, entering rooms, reading, or all of that, on one
connection after the other, since the server ends them. What is compared is how long messages of the others take; they
must all arrive, too. Each has an odd and an even slice, so what else the machine does falls on both.

The exit code is 1 if anybody missed anything, or if the flood was not refused. Latency does not fail a run: it says as
much about what else the machine does.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import random
import select
import socket
import sys
import time
from typing import TYPE_CHECKING, Final

import msgspec

from loadtests._crowd import Crowd, delivery_ms
from loadtests._hostile import frame, handshake
from loadtests._process import say
from loadtests._report import p99, quantile, spread
from loadtests._server import running
from loadtests.checker import judge, lines

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ctypes import Array, c_int64
    from multiprocessing.synchronize import Event as Flag

    from loadtests._history import Event

AIM: Final = 1.2
CLIENTS, ROOMS, RATE = 20, 4, 60.0
BATCH: Final = 50
"""Commands that the flood writes at once, each in a frame of its own."""
FLOOD: Final = ("send", "join", "history")
ADDRESS: Final = "198.51.100.66"
SETTLED_S: Final = 0.5
PATIENCE_S: Final = 1.0


class Plan(msgspec.Struct, frozen=True):
    """How long to flood, in how many slices, with as many without."""

    seconds: float = 30.0
    slices: int = 6
    seed: int = 1


class Outcome(msgspec.Struct):
    """What came of a run; latencies in milliseconds, slice by slice."""

    quiet_ms: list[list[float]] = msgspec.field(default_factory=list)
    flooded_ms: list[list[float]] = msgspec.field(default_factory=list)
    sent: int = 0
    """Commands of the flood."""
    connections: int = 0
    """How many it took the flood to send them."""
    history: list[Event] = msgspec.field(default_factory=list)

    @property
    def ratio(self) -> float:
        """How much longer others wait at the 99th percentile: the middle one of the pairs of slices."""
        pairs = zip(self.quiet_ms, self.flooded_ms, strict=True)
        return quantile([p99(during) / p99(before) for before, during in pairs], 0.5)


def flood(port: int, seed: int, on: Flag, done: Flag, sent: Array[c_int64]) -> None:
    """Send as fast as it goes, while the flag is set. Counts commands and connections in `sent`."""
    dice = random.Random(seed)
    batches = [b"".join(_command(dice, number) for number in range(BATCH)) for _ in range(20)]
    while not done.is_set():
        if not on.wait(0.1):
            continue
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as peer:
            sent[1] += 1
            peer.sendall(handshake("/connection/websocket", ADDRESS))
            peer.recv(4096)
            peer.sendall(
                frame(dice, b'{"id":1,"connect":{}}') + frame(dice, b'{"id":2,"subscribe":{"channel":"flood"}}')
            )
            peer.settimeout(0.0)
            while on.is_set():
                _push(peer, dice.choice(batches))
                sent[0] += BATCH


def _push(peer: socket.socket, data: bytes) -> None:
    """Write it all, and read whatever there is meanwhile. Raises `OSError` when the server has ended it."""
    view = memoryview(data)
    while view:
        readable, writable, _ = select.select([peer], [peer], [], PATIENCE_S)
        if not readable and not writable:
            raise TimeoutError("the server reads no more")
        if writable:
            view = view[peer.send(view) :]
        if readable and not peer.recv(1_048_576):
            raise ConnectionResetError("the server has ended it")


def _command(dice: random.Random, number: int) -> bytes:
    room = f"flood-{dice.randrange(1000)}"
    commands: dict[str, dict[str, object]] = {
        "send": {"rpc": {"method": "send", "data": {"channel": "flood", "key": dice.randbytes(6).hex(), "text": "x"}}},
        "join": {"subscribe": {"channel": room}},
        "history": {"history": {"channel": "flood", "limit": 100}},
    }
    return frame(dice, json.dumps({"id": number + 3, **commands[dice.choice(FLOOD)]}).encode())


async def run(plan: Plan) -> Outcome:
    """Do it. Raises `RuntimeError` or `OSError` if there is nothing to run against."""
    outcome = Outcome()
    context = multiprocessing.get_context("spawn")
    on, done, sent = context.Event(), context.Event(), context.RawArray("q", 2)
    async with running() as server:
        port = int(server.address.rpartition(":")[2])
        flooding = context.Process(target=flood, args=(port, plan.seed, on, done, sent), daemon=True)
        flooding.start()
        crowd = Crowd(server.url, clients=CLIENTS, rooms=ROOMS, seed=plan.seed, planned=lambda: False)
        try:
            await crowd.enter()
            talking = asyncio.create_task(crowd.talk(RATE))
            await asyncio.sleep(2 * SETTLED_S)
            for number in range(2 * plan.slices):
                if number % 2:
                    on.set()
                else:
                    on.clear()
                await asyncio.sleep(SETTLED_S)
                start = len(crowd.history)
                await asyncio.sleep(plan.seconds / plan.slices)
                piece = delivery_ms(crowd.history[start:])
                (outcome.flooded_ms if number % 2 else outcome.quiet_ms).append(piece)
            on.clear()
            talking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await talking
            await crowd.settle()
            await crowd.leave()
        finally:
            done.set()
            on.clear()
            await asyncio.to_thread(flooding.join, 10)
    outcome.history = crowd.history
    outcome.sent, outcome.connections = sent
    return outcome


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as the command line says, and print what came of it."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests._flood",
        description="Have one client flood a server, and see how long the others wait meanwhile.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    default = Plan()
    parser.add_argument("--seconds", type=float, default=default.seconds, help="how long to flood, and as long not to")
    parser.add_argument("--slices", type=int, default=default.slices, help="in how many slices of that")
    parser.add_argument("--seed", type=int, default=default.seed, help="what is sent is drawn from it")
    plan = Plan(**vars(parser.parse_args(arguments)))
    start = time.perf_counter()
    outcome = asyncio.run(run(plan))
    verdict = judge(outcome.history)
    refused = outcome.connections > plan.slices
    say(f"flood      {outcome.sent:,} commands in {outcome.connections:,} connections; seed {plan.seed}")
    say(f"others     {spread([ms for piece in outcome.flooded_ms for ms in piece])}")
    say(f"  before   {spread([ms for piece in outcome.quiet_ms for ms in piece])}")
    say(f"           {outcome.ratio:.2f} times as long at p99, in the middle pair of slices (aim: {AIM})")
    for line in lines(verdict):
        say(line)
    if not refused:
        say("! the flood was not refused")
    say(f"{time.perf_counter() - start:.0f} s")
    return 0 if verdict.passed and refused else 1


if __name__ == "__main__":
    sys.exit(main())
