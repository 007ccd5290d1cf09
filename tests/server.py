"""A real server process, and a bare WebSocket client for what no SDK would send."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from websockets.sync.client import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from websockets.sync.client import ClientConnection

START_TIMEOUT_S = 30


def database_url(file: Path) -> str:
    """Return what `CHAT_DATABASE_URL` must be for this file."""
    return f"sqlite:///{file}"


class Server:
    """`uvicorn chat.main:app` on a free port of 127.0.0.1, as an operator would start it.

    Its database is new and goes with it, unless `CHAT_DATABASE_URL` says otherwise.
    """

    def __init__(self, app: str = "chat.main:app", *options: str, **settings: str) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CHAT_")}
        self._folder = tempfile.TemporaryDirectory(prefix="parley-test-")
        own = {"CHAT_LOG_FORMAT": "json", "CHAT_DATABASE_URL": database_url(Path(self._folder.name) / "chat.db")}
        self.lines: list[str] = []
        self._news = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", app, "--host", "127.0.0.1", "--port", "0", *options],
            env={**environment, **own, **settings},
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.url = self._wait_until_running()
        except BaseException:
            self.close()
            raise
        self.address = self.url.removeprefix("http://")

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                with self._news:
                    self.lines.append(line.rstrip())
                    self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def _wait_until_running(self) -> str:
        def where() -> str | None:
            found = re.search(r"Uvicorn running on (http://\S+)", "\n".join(self.lines))
            return found and found[1].rstrip('",')

        with self._news:
            self._news.wait_for(lambda: where() or not self._reader.is_alive(), START_TIMEOUT_S)
        url = where()
        assert url, "the server did not start:\n" + "\n".join(self.lines)
        return url

    @property
    def log(self) -> list[dict[str, Any]]:
        """Return the log's events so far."""
        return [json.loads(line) for line in self.lines if line.startswith("{")]

    def wait_for_log(self, wanted: Callable[[dict[str, Any]], bool], timeout_s: float = 10) -> dict[str, Any]:
        """Wait until the log has an event that is wanted, and return it."""

        def found() -> bool:
            return not self._reader.is_alive() or any(map(wanted, self.log))

        with self._news:
            self._news.wait_for(found, timeout_s)
        events = [event for event in self.log if wanted(event)]
        assert events, "no such event in the log:\n" + "\n".join(self.lines)
        return events[0]

    def websocket(
        self, path: str = "/connection/websocket", **options: Any
    ) -> AbstractContextManager[ClientConnection]:
        """Open a bare WebSocket, for the time of a `with`."""
        connection: AbstractContextManager[ClientConnection] = connect(
            f"ws://{self.address}{path}", **{"compression": None, **options}
        )
        return connection

    def terminate(self) -> None:
        """Ask the process to stop, as a process manager would."""
        self.process.send_signal(signal.SIGTERM)

    def wait(self, timeout_s: float = 20) -> int:
        """Wait for the end of the process, and return its exit code."""
        code = self.process.wait(timeout_s)
        self._reader.join(timeout_s)
        return code

    def kill(self) -> None:
        """End the process as a crash of the machine would: it does nothing more."""
        self.process.kill()
        self.wait()

    def close(self) -> None:
        """End the process, if it is still there."""
        if self.process.poll() is None:
            self.terminate()
            try:
                self.wait()
            except subprocess.TimeoutExpired:
                self.kill()
        self._folder.cleanup()


@contextlib.contextmanager
def running(app: str = "chat.main:app", *options: str, **settings: str) -> Iterator[Server]:
    """Run a server for a while."""
    server = Server(app, *options, **settings)
    try:
        yield server
    finally:
        server.close()


class Member:
    """One connection that speaks the JSON protocol by hand, a command or a push at a time."""

    def __init__(self, server: Server, name: str = "", guest: str = "", token: str = "") -> None:
        self._open = contextlib.ExitStack()
        # Who keeps only so many frames that nobody asks for does not see the end either, and waits for it at `close`.
        self.socket = self._open.enter_context(server.websocket(max_queue=None))
        self._ids = 0
        self.replies: dict[int, dict[str, Any]] = {}
        self.pushes: list[dict[str, Any]] = []
        self.connected = self.call(connect={"data": {"name": name, "guest": guest}, "token": token})["connect"]

    def send(self, **command: Any) -> int:
        """Send a command without waiting for its reply; return its id."""
        self._ids += 1
        self.socket.send(json.dumps({"id": self._ids, **command}))
        return self._ids

    def reply(self, command_id: int) -> dict[str, Any]:
        """Wait for the reply to a command."""
        while command_id not in self.replies:
            self.receive()
        return self.replies.pop(command_id)

    def call(self, **command: Any) -> dict[str, Any]:
        """Send a command, wait for its reply."""
        return self.reply(self.send(**command))

    def rpc(self, method: str, **data: Any) -> Any:
        """Call an rpc method, return its data."""
        reply = self.call(rpc={"method": method, "data": data})
        assert "rpc" in reply, reply
        return reply["rpc"]["data"]

    def push(self) -> dict[str, Any]:
        """Return the next push that has not been returned yet; wait for it if need be."""
        while not self.pushes:
            self.receive()
        return self.pushes.pop(0)

    def publication(self) -> dict[str, Any]:
        """Return the next publication, passing over joins and leaves."""
        while True:
            push = self.push()
            if "pub" in push:
                publication: dict[str, Any] = push["pub"]
                return publication

    def receive(self) -> None:
        """Take in one frame, whatever is in it."""
        for line in str(self.socket.recv(timeout=10)).split("\n"):
            message = json.loads(line)
            if "push" in message:
                self.pushes.append(message["push"])
            elif message:
                self.replies[message["id"]] = message
            else:
                self.socket.send("{}")

    def close(self) -> None:
        """Go."""
        self._open.close()
