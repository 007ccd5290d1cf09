"""One life of the server: the real actors on a real database, in virtual time. It can end at any moment.

What ends with it is everything but the file: nothing that was under way goes on, and nothing is cleaned up.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import pykka

from actors.runtime import VirtualScheduler
from actors.system import ChatSystem
from chat.identity import Door, Guests
from chat.log import Database, DatabaseError, LogError, SqliteLog
from chat.room_classes import RoomClasses
from chat.wire import JsonWire

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from pathlib import Path

    from actors.messages import Transport
    from actors.runtime import ActorRef
    from chat.limits import Limits
    from chat.log import Draft, Keep, Kept, Position, Rejected, Stored

Fault = Literal["refused", "no commit", "unsure", "bug before", "bug after", "killed before", "killed after"]
"""What the next append comes to. Before or after: before or after it has stored the batch; unsure is after, too."""

MOST_STEPS = 20


class Killed(KeyboardInterrupt):
    """The process has ended. Of this kind, because actors survive every other."""


class Unheard(msgspec.Struct, frozen=True):
    """A message that no actor knows. Whoever gets it crashes."""


class Disk(Database):
    """A database that fails on request when a transaction is about to be committed. No power is ever cut here."""

    fails = False

    def connect(self) -> sqlite3.Connection:
        connection = super().connect()
        connection.execute("pragma synchronous = off")  # who is killed leaves what it wrote to the kernel
        return connection

    def check(self) -> None:
        if self.fails:
            self.fails = False
            raise DatabaseError("no space left")
        super().check()


class Log(SqliteLog):
    """The log on a disk, with trouble on request. Its calls do not leave the one thread that there is."""

    blocks = False

    def __init__(self, disk: Disk) -> None:
        super().__init__(disk)
        self._disk = disk
        self.fault: Fault | None = None
        self.unreadable = 0
        """How many of the next looks at where a room stands fail."""

    def append(self, batch: Sequence[Draft | Keep]) -> list[Stored | Rejected | Kept]:
        fault, self.fault = self.fault, None
        match fault:
            case "refused":
                raise LogError("no")
            case "bug before":
                raise RuntimeError(fault)
            case "killed before":
                raise Killed
            case "no commit":
                self._disk.fails = True
        stored = super().append(batch)
        self._disk.fails = False
        match fault:
            case "bug after":
                raise RuntimeError(fault)
            case "unsure":
                raise LogError("no")
            case "killed after":
                raise Killed
        return stored

    def position(self, room: str) -> Position:
        if self.unreadable:
            self.unreadable -= 1
            raise LogError("no")
        return super().position(room)


class Process:
    """The server from its start to its end. What could happen in any order happens in one drawn from the seed."""

    def __init__(self, file: Path, seed: int, limits: Limits, started_ms: int) -> None:
        self._disk = Disk.open(file)
        self._started_ms = started_ms
        self.log = Log(self._disk)
        self.scheduler = VirtualScheduler(seed)
        self.failures: list[BaseException] = []
        """Why the chat could not go on."""
        self._system = ChatSystem(
            self.scheduler,
            room_log=self.log,
            door=Door(Guests(self.log.secret())),
            classes=RoomClasses(limits),
            version="",
            on_failure=self.failures.append,
            now_ms=self.now_ms,
            chaos=True,
        )

    def now_ms(self) -> int:
        return self._started_ms + round(self.scheduler.time() * 1000)

    def run(self, most: int) -> None:
        """Let the next things happen, so many at most. Raises `Killed`."""
        with contextlib.suppress(RuntimeError):  # there is more to do
            self.scheduler.run(most)

    def connect(self, transport: Transport) -> ActorRef[Any]:
        """Start the actor of a connection. Raises `Killed`."""
        started = self._system.connect(JsonWire(), transport)
        while True:
            with contextlib.suppress(pykka.Timeout):
                return started.get(timeout=0)
            self.run(1)

    def crash(self, *path: str, busy: bool = False) -> None:
        """Have an actor crash, if there is such a one; with `busy` when something waits for it. Raises `Killed`."""
        ref = self._find(path)
        for _ in range(MOST_STEPS if busy else 0):
            if ref is None or ref.waiting():
                break
            self.run(1)
        if ref is not None:
            ref.tell(Unheard())

    def _find(self, path: Sequence[str]) -> ActorRef[Any] | None:
        family: Any = self._system._system._root  # noqa: SLF001  (the chat itself has no need to look there)
        for name in path[:-1]:
            family = family.cells[name].children
        cell = family.cells.get(path[-1]) if family is not None else None
        return cell.ref if cell is not None else None

    def end(self) -> None:
        """Give the file free, as the kernel does. Call nothing else then."""
        self._disk.close()
