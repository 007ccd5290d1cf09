"""A server process of the load test's own, on 127.0.0.1, and the events that it logs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
import socket
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import msgspec

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 20.0
LONGEST_LINE_BYTES = 1_048_576
DATABASE = "chat.db"


class Server:
    """A `uvicorn chat.main:app` process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.address = ""
        self._lines: list[bytes] = []
        self.process = process
        self._running = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, settings: Mapping[str, str], port: int = 0) -> Self:
        """Start one with these settings and no others, and wait until it accepts connections.

        Raises `RuntimeError` if it does not start, `TimeoutError` if that takes too long.
        """
        server = await cls.spawn(settings, port)
        try:
            await server.wait_until_running()
        except BaseException:
            await server.stop()
            raise
        return server

    @classmethod
    async def spawn(cls, settings: Mapping[str, str], port: int = 0) -> Self:
        """Start one, and do not wait."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "uvicorn", "chat.main:app", "--host", "127.0.0.1", "--port", str(port)),
            env={**environment(), "CHAT_LOG_FORMAT": "json", **settings},
            stderr=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            limit=LONGEST_LINE_BYTES,
        )
        return cls(process)

    @property
    def url(self) -> str:
        """Where the JSON protocol is spoken."""
        return f"ws://{self.address}/connection/websocket"

    async def wait_until_running(self) -> None:
        """Wait for the address. Raises `RuntimeError` if the process ends instead, `TimeoutError` if it takes long."""
        async with asyncio.timeout(START_TIMEOUT_S):
            await self._running.wait()
        if not self.address:
            last = b" | ".join(line.strip() for line in self._lines[-5:])
            raise RuntimeError(f"the server did not start: {last.decode(errors='replace')}")

    async def wait(self) -> int:
        """Wait for the end of the process, and return its exit code (-N: signal N)."""
        code = await self.process.wait()
        await self._reader
        return code

    async def stop(self) -> None:
        """End the process, if it is still there."""
        if self.process.returncode is None:
            self.process.terminate()
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await self.process.wait()
        except TimeoutError:
            self.process.kill()
        await self.wait()

    async def _read(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self._lines.append(line)  # and no more than that: this is the thread that measures how long things take
            if not self.address and (found := re.search(rb"Uvicorn running on http://([\w.:]+)", line)):
                self.address = found[1].decode()
                self._running.set()
        self._running.set()

    @property
    def events(self) -> list[dict[str, Any]]:
        """What the server has logged so far."""
        events = []
        for line in self._lines:
            with contextlib.suppress(msgspec.DecodeError):
                events.append(msgspec.json.decode(line))
        return events


@contextlib.asynccontextmanager
async def running(**settings: str) -> AsyncIterator[Server]:
    """Run a server for a while, with these settings and no others, and with a database that goes with it."""
    with tempfile.TemporaryDirectory(prefix="parley-") as folder:
        server = await Server.start({"CHAT_DATABASE_URL": database_url(Path(folder)), **settings})
        try:
            yield server
        finally:
            await server.stop()


def database_url(folder: Path) -> str:
    """Return what to set for a database in this folder."""
    return f"sqlite:///{folder.absolute() / DATABASE}"


def free_port() -> int:
    """Return a port that nobody has, and that no outgoing connection is given.

    Whoever connects again and again to a port of the ephemeral range that is free for a moment is sooner or later
    given that very port to connect from, and then is connected to itself.
    """
    for port in random.sample(range(10_000, 32_000), 100):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise OSError("no free port between 10,000 and 32,000")


def environment() -> dict[str, str]:
    """Return this process's environment without settings of the chat."""
    return {name: value for name, value in os.environ.items() if not name.upper().startswith("CHAT_")}
