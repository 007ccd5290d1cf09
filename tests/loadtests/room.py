"""As much of a chat as a load test can tell from a real one: one room, which does wrong what it is told to."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from websockets.sync.server import ServerConnection

PAGE = 2
"""Messages that a page has."""

Entry = dict[str, Any]
Command = dict[str, Any]


class Room:
    def __init__(self) -> None:
        self._guard = threading.RLock()
        self.members: list[ServerConnection] = []
        self.log: list[Entry] = []
        self._guests: dict[ServerConnection, str] = {}
        self._offsets: dict[tuple[str, str], int] = {}
        """Where a guest's message with some key is."""
        self.epoch = "e"
        self.url = ""
        self.delivered = 0
        self.acknowledged = 0
        self.pongs = threading.Semaphore(0)
        self.error: tuple[str, str] | None = None
        """A method, and the error that it is answered with."""
        self.left_out = 0
        """The offset of an entry that nobody is told of."""
        self.along = ""
        """What comes in the same frame as the next answer to `subscribe`."""
        self.recovery: Callable[[list[Entry]], list[Entry] | None] = lambda missed: missed
        """What becomes of what a member has missed; None: that is too much."""
        self.stored: Callable[[ServerConnection], None] = lambda _: None
        """Called when a message is stored, and nobody knows."""

    def say(self, text: str = "", key: str = "") -> int:
        """Say something in the room."""
        with self._guard:
            entry = {"offset": len(self.log) + 1, "data": {"type": "message", "text": text, "key": key}}
            self.log.append(entry)
            if entry["offset"] != self.left_out:
                self.push(entry)
            return len(self.log)

    def push(self, *entries: Entry) -> None:
        """Tell everybody of some entries, in one frame."""
        self.send("\n".join(json.dumps({"push": {"channel": "load", "pub": entry}}) for entry in entries))

    def send(self, frame: str) -> None:
        with self._guard:
            for member in self.members:
                try:
                    member.send(frame)
                    self.delivered += 1
                except ConnectionClosed:
                    continue

    def handle(self, connection: ServerConnection) -> None:
        try:
            for frame in connection:
                with self._guard:
                    self._answer(connection, json.loads(frame))
        except ConnectionClosed:
            pass
        finally:
            with self._guard:
                if connection in self.members:
                    self.members.remove(connection)

    def _answer(self, connection: ServerConnection, command: Command) -> None:
        if not command:
            self.pongs.release()
            return
        method = next(name for name in command if name != "id")
        if self.error and self.error[0] == method:
            connection.send(f'{{"id":{command["id"]},"error":{self.error[1]}}}')
            return
        before = len(self.log)
        answer = json.dumps({"id": command["id"], method: self._result(connection, command)})
        if method == "subscribe":
            answer, self.along = f"{answer}\n{self.along}".rstrip(), ""
            self.members.append(connection)
        connection.send(answer)
        self.acknowledged += len(self.log) - before if method == "rpc" else 0

    def _result(self, connection: ServerConnection, command: Command) -> Entry:
        here = {"offset": len(self.log), "epoch": self.epoch}
        match command:
            case {"connect": {"data": {"guest": str(guest)}}}:
                self._guests[connection] = guest or f"guest-{len(self._guests)}"
                return {"data": {"user": "u", "guest": self._guests[connection]}}
            case {"subscribe": {"recover": True, "offset": int(offset), "epoch": self.epoch}}:
                missed = self.recovery(self.log[offset:])
                if missed is not None:
                    return {"offset": offset, "epoch": self.epoch, "recovered": True, "publications": missed}
            case {"rpc": {"method": "messages"}}:
                return {"data": {**here, "messages": self.log[-PAGE:]}}
            case {"rpc": {"data": {"key": str(key), "text": str(text)}}}:
                own = self._guests[connection], key
                if own not in self._offsets:
                    self._offsets[own] = self.say(text, key)
                    self.stored(connection)
                return {"data": {"offset": self._offsets[own], "epoch": self.epoch}}
        return here


@contextmanager
def serving() -> Iterator[Room]:
    """Serve a room, at its `url`."""
    room = Room()
    with serve(room.handle, "127.0.0.1", 0) as server:
        room.url = f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield room
        finally:
            server.shutdown()
            thread.join()
