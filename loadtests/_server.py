"""A server process of the load test's own, on a free port of 127.0.0.1, and the events that it logs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 20.0
LONGEST_LINE_BYTES = 1_048_576


class Server:
    """A running `uvicorn chat.main:app`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.address = ""
        self.events: list[dict[str, Any]] = []
        self._process = process
        self._running = asyncio.Event()

    @property
    def url(self) -> str:
        """Where the JSON protocol is spoken."""
        return f"ws://{self.address}/connection/websocket"

    async def read(self) -> None:
        """Take in the log, until the process ends."""
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            with contextlib.suppress(msgspec.DecodeError):
                self.events.append(msgspec.json.decode(line))
            found = re.search(rb"Uvicorn running on http://([\w.:]+)", line)
            if found:
                self.address = found[1].decode()
                self._running.set()
        self._running.set()

    async def wait_until_running(self) -> None:
        """Wait for the address. Raises `RuntimeError` if the server does not start, `TimeoutError` if it takes long."""
        async with asyncio.timeout(START_TIMEOUT_S):
            await self._running.wait()
        if not self.address:
            raise RuntimeError(f"the server did not start: {self.events}")


@contextlib.asynccontextmanager
async def running(**settings: str) -> AsyncIterator[Server]:
    """Run a server for a while, with these settings and no others."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "uvicorn", "chat.main:app", "--host", "127.0.0.1", "--port", "0"),
        *("--ws-per-message-deflate", "false"),
        env={**dict(_environment()), "CHAT_LOG_FORMAT": "json", **settings},
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        limit=LONGEST_LINE_BYTES,
    )
    server = Server(process)
    reader = asyncio.create_task(server.read())
    try:
        await server.wait_until_running()
        yield server
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            process.kill()
        await reader


def _environment() -> Iterator[tuple[str, str]]:
    return ((name, value) for name, value in os.environ.items() if not name.upper().startswith("CHAT_"))
