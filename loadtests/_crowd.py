"""The clients of a fault run: they talk all the time, come back when the server does, and compare what they have."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from typing import TYPE_CHECKING

from loadtests._history import Saw, Sent
from loadtests._sdk import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from loadtests._history import Event

CHANGES = 0.2
"""The share of edits, deletions and reactions among all that is sent."""
REPEATED = 0.02
"""The share of what is sent once more after its acknowledgement."""
ROOMS_EACH = 2
STEP_S = 0.02
BACK_TIMEOUT_S = 30.0
SETTLE_TIMEOUT_S = 60.0


class Crowd:
    """Some clients, each in two of the rooms. What happens to them is in `history`."""

    def __init__(self, url: str, *, clients: int, rooms: int, seed: int, planned: Callable[[], bool]) -> None:
        self.history: list[Event] = []
        self._dice = random.Random(seed)
        self._keys = (f"m{number}" for number in itertools.count(1))
        names = [f"room-{number}" for number in range(rooms)]
        self._clients = [
            Client(
                url,
                f"c{number}",
                [names[(number + step) % rooms] for step in range(min(ROOMS_EACH, rooms))],
                self.history,
                watching=True,
                planned=planned,
            )
            for number in range(clients)
        ]
        self._members = {room: [client for client in self._clients if room in client.rooms] for room in names}

    @property
    def back_s(self) -> list[float]:
        """How long each client took each time to be in all its rooms again."""
        return [seconds for client in self._clients for seconds in client.back_s]

    async def enter(self) -> None:
        """Have everybody enter. Raises `TimeoutError`, `OSError`."""
        async with asyncio.timeout(BACK_TIMEOUT_S):
            await asyncio.gather(*(client.enter() for client in self._clients))

    async def talk(self, rate: float) -> None:
        """Send so many messages and changes a second, until cancelled. What falls behind is caught up with."""
        start = time.perf_counter()
        for number in itertools.count():
            await asyncio.sleep(start + (number + self._dice.random()) / rate - time.perf_counter())
            self._say_something()

    def _say_something(self) -> None:
        client = self._dice.choice(self._clients)
        room = self._dice.choice(client.rooms)
        what = self._dice.random()
        if what < CHANGES:
            client.change(room, next(self._keys), self._dice)
        elif what < CHANGES + REPEATED:
            client.repeat()
        else:
            client.send(room, next(self._keys))

    def still_away(self) -> None:
        """Take note that the server has gone away: who is not back yet cannot be before it is."""
        for client in self._clients:
            client.still_away()

    async def wait_until_in(self) -> None:
        """Wait until everybody is in all rooms. Raises `TimeoutError`."""
        await self._wait_for(lambda: all(client.is_in for client in self._clients), BACK_TIMEOUT_S)

    async def wait_for_acks(self, count: int) -> None:
        """Wait until so many more have been acknowledged, from now on. Raises `TimeoutError`."""
        already = sum(client.acked for client in self._clients)
        await self._wait_for(lambda: sum(client.acked for client in self._clients) >= already + count, BACK_TIMEOUT_S)

    async def settle(self) -> None:
        """Wait until all is answered and has arrived, read the logs, and compare what everybody has.

        Raises `TimeoutError` if it does not come to that; what is missing then is an anomaly.
        """
        nowhere = dict.fromkeys(self._members, 0)
        await self._wait_until_done(nowhere)
        async with asyncio.timeout(SETTLE_TIMEOUT_S):
            newest = {room: await members[0].read_log(room) for room, members in self._members.items()}
        await self._wait_until_done(newest)
        self.compare()
        await self._wait_until_done(newest)

    def compare(self) -> None:
        """Have everybody compare what they have with what the server says."""
        for client in self._clients:
            for room in client.rooms:
                client.compare(room)

    async def leave(self) -> None:
        """Have everybody leave. Raises `TimeoutError`."""
        async with asyncio.timeout(BACK_TIMEOUT_S):
            await asyncio.gather(*(client.leave() for client in self._clients))

    async def _wait_until_done(self, newest: dict[str, int]) -> None:
        await self._wait_for(lambda: all(client.is_done(newest) for client in self._clients), SETTLE_TIMEOUT_S)

    async def _wait_for(self, condition: Callable[[], bool], timeout_s: float) -> None:
        async with asyncio.timeout(timeout_s):
            while not condition():  # noqa: ASYNC110  (one look at all)
                await asyncio.sleep(STEP_S)


def delivery_ms(history: Sequence[Event]) -> list[float]:
    """Return how long each message that a crowd sent took to each who saw it. Changes of messages do not count."""
    sent: dict[str, float] = {}
    for event in history:
        if isinstance(event, Sent):
            sent.setdefault(event.key, event.at)
    return [(e.at - sent[e.key]) * 1000 for e in history if isinstance(e, Saw) and e.key[:1] == "m" and e.key in sent]
