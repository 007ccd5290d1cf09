"""What lies between a client and the server: commands with their replies, pushes, and a way back after each end."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from websockets.exceptions import WebSocketException

from loadtests._connection import Connection
from loadtests._frames import decode

if TYPE_CHECKING:
    from collections.abc import Callable

    from loadtests._frames import Push, Reply

RETRY_S = 0.1
RECONNECT_S = 0.05
LONGEST_RECONNECT_S = 0.4
CONNECT_TIMEOUT_S = 2.0

_encode = msgspec.json.Encoder().encode


class Owner(Protocol):
    """What a link tells what happens."""

    def on_open(self) -> None:
        """It is open, for the first time or again."""

    def on_push(self, push: Push, at: float) -> None:
        """Something was pushed. `at` is when, in seconds."""

    def on_end(self, how: str) -> None:
        """It was open and has ended, and it was not this side that closed it. No reply will come any more."""


class Link:
    """One connection after the other. If it `comes_back`, there is always a next one, until it is closed."""

    def __init__(self, url: str, owner: Owner, *, comes_back: bool) -> None:
        self._url = url
        self._owner = owner
        self._comes_back = comes_back
        self._replies: dict[int, Callable[[Reply], None]] = {}
        self._ids = itertools.count(1)
        self._closing = False
        self._ended = asyncio.Event()
        self._coming_back: asyncio.Task[None] | None = None
        self._connection = self._next()

    def _next(self) -> Connection:
        return Connection(self._url, self._on_frame, self._on_end)

    async def open(self) -> None:
        """Connect. Raises `OSError`, or what `websockets` raises for a handshake that fails."""
        await self._connection.open()
        self._owner.on_open()

    async def close(self) -> None:
        """Close it for good."""
        self._closing = True
        if self._coming_back is not None and not self._coming_back.done():
            self._coming_back.cancel()
            self._connection.abort()
            return
        self._connection.close()
        await self._ended.wait()

    def command(self, take: Callable[[Reply], None], **command: Any) -> None:
        """Send a command. `take` gets its reply, unless the connection ends before that."""
        number = next(self._ids)
        self._replies[number] = take
        self._connection.send(_encode({"id": number, **command}))

    async def ask(self, **command: Any) -> Reply:
        """Send a command until it is done. Raises `RuntimeError` for an error that lasts."""
        while True:
            answered: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
            self.command(answered.set_result, **command)
            reply = await answered
            if reply.error is None:
                return reply
            if not reply.error.temporary:
                raise RuntimeError(f"{command}: {reply.error.message}")
            await asyncio.sleep(RETRY_S)

    def later(self, delay_s: float, do: Callable[[], None]) -> None:
        """Do it after a while, if the connection is still the same."""
        connection = self._connection

        def if_still_connected() -> None:
            if self._connection is connection:
                do()

        asyncio.get_running_loop().call_later(delay_s, if_still_connected)

    def _on_frame(self, frame: bytes) -> None:
        at = time.perf_counter()
        for line in frame.split(b"\n"):
            message = decode(line)
            if message.push is not None:
                self._owner.on_push(message.push, at)
            elif message.id:
                self._replies.pop(message.id)(message)
            else:
                self._connection.send(b"{}")

    def _on_end(self, how: str) -> None:
        self._ended.set()
        if self._closing:
            return
        self._replies.clear()
        self._owner.on_end(how)
        if self._comes_back:
            self._coming_back = asyncio.create_task(self._come_back())

    async def _come_back(self) -> None:
        for attempt in itertools.count():
            await asyncio.sleep(min(RECONNECT_S * 2**attempt, LONGEST_RECONNECT_S) * random.random())
            self._connection = self._next()
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    await self._connection.open()
            except (OSError, WebSocketException):  # a timeout is an OSError
                self._connection.abort()
            else:
                self._ended.clear()
                self._owner.on_open()
                return
