"""The fuzz run: hostile peers, a million frames of them, on a real server, and some who only want to chat. `make fuzz`.

It starts a server of its own, with its defaults. What is sent is drawn from a seed (`_hostile.py`). Meanwhile clients
talk, and must see everything once and in order; waves of connections say nothing at all, or half a request.

The exit code is 1 if a connection ended with a code that does not fit, or not at all; if the server logged an error,
or has more memory at the end than after the warm-up, by more than 5 %; or if a client that only talked missed
anything.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import re
import resource
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from loadtests._crowd import Crowd, delivery_ms
from loadtests._hostile import conversation, handshake
from loadtests._process import say
from loadtests._report import spread
from loadtests._server import running
from loadtests.checker import judge, lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loadtests._hostile import Conversation
    from loadtests.checker import Verdict

AT_A_TIME: Final = 32
"""Hostile connections."""
WARM_UP: Final = 0.1
"""The share of frames after which memory is first looked at."""
MORE_MEMORY: Final = 1.05
ENOUGH: Final = 500_000
"""Frames, for memory to be judged: in a shorter run the rooms and the log's caches still fill."""
END_TIMEOUT_S: Final = 20.0
HALF_OPEN_TIMEOUT_S: Final = 40.0
CLIENTS, ROOMS, RATE = 8, 2, 40.0
QUIET_S: Final = 3.0
SETTLED_S: Final = 3.0
SPARE_FILES: Final = 200
SHOWN: Final = 10
CLOSE: Final = 0x88


class Plan(msgspec.Struct, frozen=True):
    """How many frames to send, and how many connections that say nothing to open, twice."""

    frames: int = 1_000_000
    half_open: int = 10_000
    seed: int = 1


class Outcome(msgspec.Struct):
    """What came of a run."""

    frames: int = 0
    kinds: Counter[str] = msgspec.field(default_factory=Counter)
    dropped: int = 0
    """Half-open connections that the server has closed by itself."""
    complaints: list[str] = msgspec.field(default_factory=list)
    rss_kib: list[int] = msgspec.field(default_factory=list)
    quiet_ms: list[float] = msgspec.field(default_factory=list)
    busy_ms: list[float] = msgspec.field(default_factory=list)
    verdict: Verdict | None = None

    @property
    def passed(self) -> bool:
        """Whether nothing happened that must not, and all was tried."""
        return not self.complaints and self.verdict is not None and self.verdict.passed


class _Run:
    def __init__(self, plan: Plan, address: str, pid: int, outcome: Outcome) -> None:
        self._plan = plan
        host, _, port = address.rpartition(":")
        self._address = (host, int(port))
        self._pid = pid
        self._dice = random.Random(plan.seed)
        self._outcome = outcome

    async def run(self, crowd: Crowd) -> None:
        """Attack, with a warm-up that is like the rest."""
        await crowd.enter()
        talking = asyncio.create_task(crowd.talk(RATE))
        try:
            await asyncio.sleep(QUIET_S)
            calm = len(crowd.history)
            for frames in (round(self._plan.frames * WARM_UP), self._plan.frames):
                await asyncio.gather(self._half_open(), *(self._converse(frames) for _ in range(AT_A_TIME)))
                await asyncio.sleep(SETTLED_S)
                self._outcome.rss_kib.append(_rss_kib(self._pid))
        finally:
            talking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await talking
        await crowd.settle()
        await crowd.leave()
        self._outcome.quiet_ms = delivery_ms(crowd.history[:calm])
        self._outcome.busy_ms = delivery_ms(crowd.history[calm:])

    async def _converse(self, frames: int) -> None:
        while self._outcome.frames < frames:
            talk = conversation(self._dice)
            self._outcome.frames += talk.frames
            self._outcome.kinds[talk.kind] += 1
            try:
                async with asyncio.timeout(END_TIMEOUT_S):
                    answer = await self._hold(talk)
            except TimeoutError:
                self._complain(talk, "did not end")
            except OSError as error:
                self._complain(talk, f"could not be held: {error!r}")
            else:
                if not talk.hangs_up:
                    self._judge(talk, answer)

    async def _hold(self, talk: Conversation) -> bytes:
        reader, writer = await asyncio.open_connection(*self._address)
        first, *pieces = talk.pieces
        writer.write(first)
        # Nobody may say anything before the handshake is answered (RFC 6455, section 4.1).
        head = await _read_head(reader) if talk.is_open else b""
        reading = asyncio.create_task(_read_all(reader))
        try:
            for piece in pieces:
                writer.write(piece)
                await asyncio.sleep(0)
            with contextlib.suppress(OSError):  # it may have had enough before the end
                await writer.drain()
                if talk.hangs_up:
                    return b""
                if not talk.is_open:
                    writer.write_eof()
            return head + await reading
        finally:
            reading.cancel()
            writer.transport.abort()

    def _judge(self, talk: Conversation, answer: bytes) -> None:
        what = wrong(talk, answer)
        if what:
            self._complain(talk, what)

    def _complain(self, talk: Conversation, what: str) -> None:
        fitting = sorted(map(str, talk.answers))
        self._outcome.complaints.append(f"{talk.kind} {what}; fitting: {', '.join(fitting)}")

    async def _half_open(self) -> None:
        """Open connections that say nothing or half a request, and wait until the server has had enough of them."""
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        half = handshake("/connection/websocket", "10.0.0.1")
        count = min(self._plan.half_open, files - SPARE_FILES)
        ends = asyncio.gather(*(self._say_half(half[: number % len(half)]) for number in range(count)))
        try:
            async with asyncio.timeout(HALF_OPEN_TIMEOUT_S):
                answers = await ends
        except TimeoutError:
            self._outcome.complaints.append("connections that said nothing were still open at last")
            return
        self._outcome.dropped += len(answers)
        wrong = Counter(answer[:40] for answer in answers if answer and not answer.startswith(b"HTTP/1.1 408 "))
        self._outcome.complaints += [f"half a request was answered with {what!r}: {n}" for what, n in wrong.items()]

    async def _say_half(self, data: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(*self._address)
        writer.write(data)
        try:
            return await _read_all(reader)
        finally:
            writer.transport.abort()


def wrong(talk: Conversation, answer: bytes) -> str:
    """Say what is wrong with all that a server has sent; empty if nothing is."""
    head, _, rest = answer.partition(b"\r\n\r\n")
    status = int(head[9:12]) if head.startswith(b"HTTP/1.1 ") else None
    if not talk.is_open:
        return "" if status in talk.answers else f"was answered with {status}"
    if status != 101:  # noqa: PLR2004
        return f"was refused: {head[:80]!r}"
    code = close_code(rest)
    return "" if code in talk.answers else f"was closed with {code}"


async def _read_head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as end:
        return end.partial


async def _read_all(reader: asyncio.StreamReader) -> bytes:
    data = bytearray()
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(65_536):
            data += piece
    return bytes(data)


def close_code(data: bytes) -> int | None:
    """Return the code of the close frame that is the last of these frames; None if there is none.

    Raises `ValueError` if what a server sent are no frames.
    """
    place, code = 0, None
    while place + 2 <= len(data):
        first, size = data[place], data[place + 1]
        if first not in {0x81, 0x88, 0x89, 0x8A} or size & 0x80:
            raise ValueError(f"a server must not send a frame that begins with {first:#x} {size:#x}")
        place += 2
        if size >= 126:  # noqa: PLR2004
            more = 2 if size == 126 else 8  # noqa: PLR2004
            size = int.from_bytes(data[place : place + more], "big")
            place += more
        if first == CLOSE:
            code = int.from_bytes(data[place : place + 2], "big") if size else 1005
        place += size
    return code


def _rss_kib(pid: int) -> int:
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) if found else 0


async def run(plan: Plan, **settings: str) -> Outcome:
    """Do it, with these settings. Raises `RuntimeError` or `OSError` if there is nothing to run against."""
    outcome = Outcome()
    async with running(**settings) as server:
        crowd = Crowd(server.url, clients=CLIENTS, rooms=ROOMS, seed=plan.seed, planned=lambda: False)
        try:
            await _Run(plan, server.address, server.process.pid, outcome).run(crowd)
        except (OSError, RuntimeError, ValueError) as error:
            outcome.complaints.append(f"the run ended early: {error!r}")
    outcome.verdict = judge(crowd.history)
    outcome.complaints += [
        f"the server logged: {event.get('event')} {str(event.get('exception', ''))[-200:]}"
        for event in server.events
        if event.get("level") in {"error", "critical"} or "exception" in event
    ]
    if plan.frames >= ENOUGH and len(outcome.rss_kib) > 1 and outcome.rss_kib[-1] > outcome.rss_kib[0] * MORE_MEMORY:
        outcome.complaints.append("memory grew by more than 5 %")
    return outcome


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as the command line says, and print what came of it."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests._fuzz",
        description="Send a server what it must not be sent, and check that it answers, goes on, and nobody notices.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    default = Plan()
    parser.add_argument("--frames", type=int, default=default.frames, help="how many hostile frames")
    parser.add_argument("--half-open", type=int, default=default.half_open, help="connections that say nothing, twice")
    parser.add_argument("--seed", type=int, default=default.seed, help="what is sent is drawn from it")
    plan = Plan(**vars(parser.parse_args(arguments)))
    say(f"{plan.frames:,} frames, twice {plan.half_open:,} half-open connections; seed {plan.seed}")
    start = time.perf_counter()
    outcome = asyncio.run(run(plan))
    say("\n".join(_text(outcome, time.perf_counter() - start)))
    return 0 if outcome.passed else 1


def _text(outcome: Outcome, seconds: float) -> list[str]:
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in sorted(outcome.kinds.items()))
    memory = " → ".join(f"{kib / 1024:.1f}" for kib in outcome.rss_kib)
    assert outcome.verdict is not None  # the run is over
    return [
        f"hostile        {outcome.frames:,} frames in {outcome.kinds.total():,} connections, {seconds:.0f} s: {kinds}",
        f"half open      {outcome.dropped:,} connections, all closed by the server",
        f"memory         {memory} MiB after the warm-up and at the end",
        f"others         deliver after {spread(outcome.busy_ms)}; before {spread(outcome.quiet_ms)}",
        *lines(outcome.verdict),
        *(f"! {count} times: {what}" for what, count in Counter(outcome.complaints).most_common(SHOWN)),
        "passed" if outcome.passed else "FAILED",
    ]


if __name__ == "__main__":
    sys.exit(main())
