"""What acknowledging costs: `make appends` compares the journal with bare SQLite, and a large room with a small one.

The first table: entries per second and the time from `Append` to its answer, at 1, 100 and 1,000 entries in flight,
through journal actor and writer thread; beside it a loop over `sqlite3` alone that does the same inserts, into the
same tables with the same durability, in batches of what is in flight. Rounds are interleaved; the best of each counts,
since whatever else the machine does can only make a round worse.

The second: a room of 1,000 and one of 1,000,000 messages, each in a process of its own: how long until the room can be
entered, the memory by then, and how long a page takes, the newest and one from the middle.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from actors.journal import MAX_BATCH, JournalActor
from actors.messages import Answered, Append, Publish
from actors.runtime import Actor, ActorSystem, ChildSpec, LoopScheduler
from actors.writer import ThreadWriterActor
from chat.counts import Counts
from chat.identity import SERVER
from chat.limits import Limits
from chat.log import Author, Database, Draft, SqliteLog
from chat.main import tame_collector
from chat.protocol.commands import Command, Rpc
from chat.room_classes import RoomClasses

ROUNDS = 3
IN_FLIGHT = {1: 2_000, 100: 40_000, 1_000: 80_000}
"""How many are in flight, and how many are appended in a round."""

SMALL, LARGE = 1_000, 1_000_000
PAGES = 200

ANN = Author("guest-0123456789ab", "9f0d6a3c-6d0f-4ac5-9d4d-5d6f0f8d7a11", "Ann")
COMMAND = Command(1, Rpc())


def _data(key: str) -> bytes:
    return b'{"type":"message","key":"%s","text":"a message of the usual length, more or less","time":1}' % key.encode()


def _keys() -> itertools.count[int]:
    return itertools.count(time.time_ns())


class Load(Actor):
    """Keeps a number of entries in flight, as a room with as many busy members would."""

    def __init__(self, journal: Any, in_flight: int, total: int, done: asyncio.Future[list[float]]) -> None:
        super().__init__()
        self._journal = journal
        self._in_flight = in_flight
        self._total = total
        self._done = done
        self._keys = _keys()
        self._sent: dict[str, float] = {}
        self._took: list[float] = []

    def on_start(self) -> None:
        """Send as many as may be in flight."""
        for _ in range(self._in_flight):
            self._send()

    def on_receive(self, message: Any) -> None:
        """Send another one for each that is answered, until all are."""
        if type(message) is Answered:
            self._took.append(time.perf_counter() - self._sent.pop(message.request.key))
            if len(self._took) + len(self._sent) < self._total:
                self._send()
            elif not self._sent:
                self._done.set_result(self._took)

    def _send(self) -> None:
        key = str(next(self._keys))
        self._sent[key] = time.perf_counter()
        publish = Publish(self.actor_ref, "lobby", COMMAND, SERVER, key, ANN, _data(key), 1)
        self._journal.tell(Append(self.actor_ref, Draft("lobby", key, ANN, 1, publish.data), publish))


async def through_the_journal(file: Path, in_flight: int, total: int) -> tuple[float, list[float]]:
    """Return entries per second, and how long each took."""
    log = SqliteLog(Database.open(file))
    system = ActorSystem(LoopScheduler(asyncio.get_running_loop()))
    limits, counts = Limits(), Counts()
    classes = RoomClasses(limits)
    writer = system.spawn(ChildSpec(name="writer", factory=lambda: ThreadWriterActor(log, counts)))
    journal = system.spawn(ChildSpec(name="journal", factory=lambda: JournalActor(writer, classes, lambda: 0, counts)))
    done: asyncio.Future[list[float]] = asyncio.get_running_loop().create_future()
    began = time.perf_counter()
    system.spawn(ChildSpec(name="load", factory=lambda: Load(journal, in_flight, total, done)))
    took = await done
    seconds = time.perf_counter() - began
    await system.stop()
    return total / seconds, took


def with_sqlite_alone(file: Path, in_flight: int, total: int) -> tuple[float, list[float]]:
    """Do the same inserts without anything around them. Returns as above; an entry takes as long as its batch."""
    database = Database.open(file)
    connection = database.connect()
    connection.execute("insert into room (name, epoch, head, tail, oldest_ms) values ('lobby', 'epoch', 0, 0, 0)")
    columns = [row[1] for row in connection.execute("pragma table_info(entry)") if row[1] != "id"]
    values = {"room_id": 1, "user": ANN.user, "client": ANN.client, "name": ANN.name, "time_ms": 1, "post": 1}
    insert = f"insert into entry ({', '.join(columns)}) values ({', '.join('?' * len(columns))})"  # noqa: S608
    keys, offset, took = _keys(), 0, []
    size = min(in_flight, MAX_BATCH)
    began = time.perf_counter()
    for _ in range(total // size):
        start = time.perf_counter()
        rows = []
        for _ in range(size):
            offset += 1
            key = str(next(keys))
            row = {**values, "offset": offset, "key": key, "data": _data(key)}
            rows.append([row[column] for column in columns])
        connection.execute("begin immediate")
        connection.execute("update room set head = ? where id = 1", (offset,))
        connection.executemany(insert, rows)
        connection.execute("commit")
        took += [time.perf_counter() - start] * size
    seconds = time.perf_counter() - began
    database.close()
    return total / seconds, took


def _p99_ms(took: list[float]) -> float:
    return sorted(took)[int(len(took) * 0.99)] * 1000


def appends() -> None:
    """Print the first table."""
    print(f"{'in flight':>9} {'journal, /s':>12} {'p99, ms':>8} {'sqlite3, /s':>12} {'p99, ms':>8} {'ratio':>6}")
    for in_flight, total in IN_FLIGHT.items():
        ours, bare = [], []
        for _ in range(ROUNDS):
            with tempfile.TemporaryDirectory() as folder:
                ours.append(asyncio.run(through_the_journal(Path(folder) / "ours.db", in_flight, total)))
                bare.append(with_sqlite_alone(Path(folder) / "bare.db", in_flight, total))
        (rate, took), (bare_rate, bare_took) = max(ours), max(bare)
        print(
            f"{in_flight:>9,} {rate:>12,.0f} {_p99_ms(took):>8.1f} {bare_rate:>12,.0f} {_p99_ms(bare_took):>8.1f}"
            f" {rate / bare_rate:>6.2f}"
        )


def fill(file: Path, messages: int) -> None:
    """Make a room of so many messages."""
    log = SqliteLog(Database.open(file))
    keys = (str(key) for key in _keys())
    for _ in range(messages // MAX_BATCH):
        log.append([Draft("lobby", key, ANN, 1, _data(key)) for key in itertools.islice(keys, MAX_BATCH)])
    log.close()


def look(file: Path) -> dict[str, float]:
    """Open a room and read from it, and return what that took: seconds, and bytes."""
    began = time.perf_counter()
    log = SqliteLog(Database.open(file))
    head = log.position("lobby").offset
    log.before("lobby", head + 1, 300)
    opened = time.perf_counter() - began
    figures = {"start": opened, "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
    for name, before in {"newest": None, "middle": head // 2}.items():
        took = []
        for _ in range(PAGES):
            start = time.perf_counter()
            assert len(log.messages("lobby", before=before, limit=50).messages) == 50
            took.append(time.perf_counter() - start)
        figures[name] = sorted(took)[PAGES // 2]
    log.close()
    return figures


def rooms() -> None:
    """Print the second table."""
    print(f"\n{'messages':>9} {'start, ms':>10} {'RSS, MiB':>9} {'newest page, ms':>16} {'middle page, ms':>16}")
    with tempfile.TemporaryDirectory() as folder:
        found = {}
        for messages in (SMALL, LARGE):
            file = Path(folder) / f"{messages}.db"
            fill(file, messages)
            command = [sys.executable, "-m", __spec__.name, "--look", str(file)]
            rounds = [json.loads(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(5)]
            found[messages] = {name: min(figures[name] for figures in rounds) for name in rounds[0]}
    for messages, figures in found.items():
        times = f"{figures['newest'] * 1000:>16.2f} {figures['middle'] * 1000:>16.2f}"
        print(f"{messages:>9,} {figures['start'] * 1000:>10.1f} {figures['rss'] / 2**20:>9.1f} {times}")
    ratios = {name: found[LARGE][name] / found[SMALL][name] for name in found[SMALL]}
    print("    ratio " + " ".join(f"{ratios[n]:>{w}.2f}" for n, w in zip(ratios, (10, 9, 16, 16), strict=True)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make appends")
    parser.add_argument("--look", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.look:
        print(json.dumps(look(given.look)))
    else:
        tame_collector()
        appends()
        rooms()
