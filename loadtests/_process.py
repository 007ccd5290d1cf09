"""A server process on a processor of its own, and what the kernel says of it."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from loadtests._server import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SERVER_CORE: Final = 0
GENERATOR_CORE: Final = 1
START_TIMEOUT_S: Final = 20.0
STOP_TIMEOUT_S: Final = 10.0

QUIET: Final = {
    "CHAT_LOG_LEVEL": "warning",
    "CHAT_RATE_LIMIT": "off",
    "CHAT_CONNECTION_LIMITS": "off",
    "CHAT_PING_INTERVAL_S": "3600",
}
"""Settings with which the server does nothing by itself while it is measured."""


class Process(NamedTuple):
    """A server that runs. Its log is in `log`."""

    port: int
    pid: int
    log: Path

    def cpu_s(self) -> float:
        """Return the processor time that it has used, its own and the kernel's for it."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_kib(self) -> int:
        """Return how much memory it has."""
        return self._status_kib("VmRSS")

    def peak_kib(self) -> int:
        """Return the most memory that it ever had."""
        return self._status_kib("VmHWM")

    def _status_kib(self, name: str) -> int:
        found = re.search(rf"{name}:\s+(\d+)", Path(f"/proc/{self.pid}/status").read_text())
        return int(found[1]) if found else 0


def parley(port: int) -> Sequence[str]:
    """Return how to start the chat."""
    options = ("--host", "127.0.0.1", "--port", str(port), "--no-access-log", "--backlog", "4096")
    return (sys.executable, "-m", "uvicorn", "chat.main:app", *options)


def keep_to(core: int) -> None:
    """Have this process, and threads and processes that it starts from now on, run on one processor, if it may."""
    if core in os.sched_getaffinity(0):
        os.sched_setaffinity(0, {core})


@contextlib.contextmanager
def serving(command: Callable[[int], Sequence[str]] = parley, **settings: str) -> Iterator[Process]:
    """Run a server, the chat with a new database unless it is another one. Raises `OSError` if it does not start."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder:
        own = {**QUIET, "CHAT_DATABASE_URL": f"sqlite:///{folder}/chat.db", "CHAT_LOG_FORMAT": "json"}
        log = Path(folder) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603  (one of ours)
                command(port),
                env={**environment(), **own, **settings},
                preexec_fn=lambda: keep_to(SERVER_CORE),  # noqa: PLW1509  (no threads here yet)
                stdout=subprocess.DEVNULL,
                stderr=output,
            )
        try:
            _wait_for(port, process)
            yield Process(port, process.pid, log)
        finally:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise OSError("the server did not start")


def say(what: str) -> None:
    """Print a line of a program's output, now."""
    print(what, flush=True)  # noqa: T201  (a program's output)
