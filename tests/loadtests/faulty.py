"""As much of a chat as a run with thousands of clients can tell from a real one, with the faults it is told to have."""

from __future__ import annotations

import json
import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

from loadtests._process import Process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import ModuleType

    import pytest
    from websockets.http11 import Request, Response
    from websockets.sync.server import ServerConnection

MISSED = 3
"""At least as many messages everybody has missed who comes back: they are said at the last moment."""

Entry = dict[str, Any]


class Chat:
    """One room. `missed` is what becomes of the entries that a member missed; handshakes past `welcome` are refused."""

    def __init__(self) -> None:
        self.missed: Callable[[list[Entry]], list[Entry] | None] = lambda entries: entries
        self.welcome = 1_000
        self.acknowledges = True
        self._guard = threading.RLock()
        self._members: list[ServerConnection] = []
        self._log: list[Entry] = []

    def admit(self, connection: ServerConnection, _: Request) -> Response | None:
        with self._guard:
            self.welcome -= 1
            return connection.respond(503, "full\n") if self.welcome < 0 else None

    def handle(self, connection: ServerConnection) -> None:
        try:
            for frame in connection:
                with self._guard:
                    for line in str(frame).split("\n"):
                        self._answer(connection, json.loads(line))
        except ConnectionClosed:
            pass
        finally:
            with self._guard:
                if connection in self._members:
                    self._members.remove(connection)

    def _answer(self, connection: ServerConnection, command: Any) -> None:
        result: Entry = {}
        match command:
            case {"connect": _}:
                result = {"connect": {"client": "c", "data": {}}}
            case {"subscribe": {"channel": str(room), "recover": True, "offset": int(offset)}}:
                for _ in range(MISSED):
                    self._say(room, f"own-{len(self._log)}", "0;")
                missed = self.missed(self._log[offset:])
                result = {"recovered": missed is not None, "publications": missed or []}
                result = {"subscribe": {**result, "offset": offset, "epoch": "e"}}
                self._members.append(connection)
            case {"subscribe": _}:
                result = {"subscribe": {"offset": len(self._log), "epoch": "e"}}
                self._members.append(connection)
            case {"rpc": {"data": {"channel": str(room), "key": str(key), "text": str(text)}}}:
                self._say(room, key, text)
                if not self.acknowledges:
                    return
                result = {"rpc": {"data": {"offset": len(self._log)}}}
        connection.send(json.dumps({"id": command["id"], **result}))

    def _say(self, room: str, key: str, text: str) -> None:
        entry = {"offset": len(self._log) + 1, "data": {"key": key, "text": text}}
        self._log.append(entry)
        for member in tuple(self._members):
            try:
                member.send(json.dumps({"push": {"channel": room, "pub": entry}}))
            except ConnectionClosed:
                continue


def stand_in(monkeypatch: pytest.MonkeyPatch, program: ModuleType, log: Path) -> Chat:
    """Return what a program runs against from now on, in place of the chat."""
    chat = Chat()

    @contextmanager
    def instead(**_: str) -> Iterator[Process]:
        with serving(chat, log) as process:
            yield process

    monkeypatch.setattr(program, "serving", instead)
    monkeypatch.setattr(program, "keep_to", lambda _: None)
    monkeypatch.setattr(program, "SETTLE_TIMEOUT_S", 0.5)
    return chat


@contextmanager
def serving(chat: Chat, log: Path) -> Iterator[Process]:
    """Serve it as if it were a process of its own."""
    log.touch()
    with serve(chat.handle, "127.0.0.1", 0, compression=None, process_request=chat.admit) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield Process(server.socket.getsockname()[1], os.getpid(), log)
        finally:
            server.shutdown()
            thread.join()
