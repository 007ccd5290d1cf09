"""What a power cut may leave of the log's files, tried out: `python -m tests.chat.log.power_cut --cuts 1000 --seed 1`.

The model: what was synced is there, and of what was written since, the disk may have kept any sectors, in any order,
and may have garbage in the place of others. So each cut takes the files of a log as they were before and after a
batch, puts together what the disk may hold of them halfway, and opens that. Whatever was acknowledged must be there,
at its offset; of the batch under way, all or nothing; and the log must work.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import shutil
import sqlite3
import struct
import sys
import tempfile
from pathlib import Path

import msgspec

from chat.log import Author, Database, Delete, Draft, Edit, Entry, Page, React, SqliteLog, Stored

ROOMS = ("lobby", "garden", "attic")
BATCHES = 40
SECTOR = 512

Seen = tuple[dict[str, list[Entry]], dict[str, Page]]
"""All entries and all messages, by room."""


class Files(msgspec.Struct):
    """A copy of the database and its write-ahead log, and what is read from them."""

    folder: Path
    seen: Seen

    def read(self, suffix: str) -> bytes:
        return (self.folder / f"chat.db{suffix}").read_bytes()


def cut_run(cuts: int, seed: int) -> None:
    """Cut the power so many times, at moments drawn from the seed. Raises `AssertionError` if anything was lost."""
    draw = random.Random(seed)  # noqa: S311  (no secret)
    with tempfile.TemporaryDirectory() as folder:
        batches = _batches(Path(folder), draw)
        for number in range(cuts):
            before, after = draw.choice(batches)
            _cut(Path(folder) / f"cut {number}", before, after, draw)


def _batches(folder: Path, draw: random.Random) -> list[tuple[Files, Files]]:
    """Write a log, and keep its files as they were before and after each batch."""
    path = folder / "log" / "chat.db"
    log = SqliteLog(Database.open(path))
    batches: list[tuple[Files, Files]] = []
    number = 0
    for batch in range(BATCHES):
        if draw.random() < 0.2:  # then the batch is written over what is in the write-ahead log
            _checkpoint(path)
        before = _files(log, path, folder / f"before {batch}")
        drafts = []
        for _ in range(draw.choice((1, 1, 2, 20, 120))):
            number += 1
            drafts.append(_draft(number, before.seen, draw))
        answers = log.append(drafts)
        after = _files(log, path, folder / f"after {batch}")
        for draft, answer in zip(drafts, answers, strict=True):
            assert not isinstance(answer, Stored) or answer.entry in after.seen[0][draft.room]
        batches.append((before, after))
    log.close()
    return batches


def _checkpoint(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("pragma wal_checkpoint(passive)")
    connection.close()


def _files(log: SqliteLog, path: Path, folder: Path) -> Files:
    folder.mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(path.with_name("chat.db" + suffix), folder)
    return Files(folder, _seen(log))


def _draft(number: int, seen: Seen, draw: random.Random) -> Draft:
    room = draw.choice(ROOMS)
    author = Author("ann", "client", "Ann")
    change: Edit | Delete | React | None = None
    if draw.random() < 0.3 and seen[0][room]:
        target = draw.choice(seen[0][room]).offset
        change = draw.choice((Edit(target, f"edit {number}"), Delete(target), React(target, "+", on=True)))
    text = f"message {number} " + "x" * draw.choice((0, 100, 5_000))
    return Draft(room, f"key {number}", author, number, msgspec.json.encode({"text": text}), change)


def _seen(log: SqliteLog) -> Seen:
    entries = {room: log.after(room, 0, 1_000_000) for room in ROOMS}
    return entries, {room: log.messages(room, limit=1_000_000) for room in ROOMS}


def _cut(folder: Path, before: Files, after: Files, draw: random.Random) -> None:
    """Open what a cut while the batch was stored may leave, and see that it is one of the two and works."""
    folder.mkdir()
    database, wal, expected = _remains(before, after, draw)
    (folder / "chat.db").write_bytes(database)
    (folder / "chat.db-wal").write_bytes(wal)

    with contextlib.closing(SqliteLog(Database.open(folder / "chat.db"))) as log:
        seen = _seen(log)
        assert seen in expected, "something was lost, or halved"
        _check_that_it_works(log, seen)
    connection = sqlite3.connect(folder / "chat.db")
    assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
    connection.close()
    shutil.rmtree(folder)


def _check_that_it_works(log: SqliteLog, seen: Seen) -> None:
    for room in ROOMS:
        entries, page = seen[0][room], seen[1][room]
        assert [entry.offset for entry in entries] == list(range(1, len(entries) + 1))
        assert page.position.offset == len(entries)
        for entry in entries[-1:]:
            again, next_one = log.append([Draft(room, entry.key, entry.author, 1, b"1"), _plain(room)])
            assert isinstance(again, Stored)
            assert isinstance(next_one, Stored)
            assert (again.duplicate, again.entry) == (True, entry)
            assert next_one.entry.offset == len(entries) + 1


def _remains(before: Files, after: Files, draw: random.Random) -> tuple[bytes, bytes, list[Seen]]:
    """Return a database, a write-ahead log, and what may be read from them."""
    old, new = before.read("-wal"), after.read("-wal")
    end = _end(new)
    if draw.random() < 0.2:
        # The batch is synced, and the database was being brought up to date from the write-ahead log.
        database = _mixed(before.read(""), after.read(""), 0, draw, garbage=True)
        return database, new[:end] + _tail(draw), [after.seen]
    start = _end(old) if old[:32] == new[:32] else 0  # another header: it began anew, from its first byte on
    how = draw.random()
    if how < 0.4:  # the write ended anywhere, and where there was something before, it still is
        stop = draw.randint(start, end)
        wal = new[:stop] + draw.choice((old[stop:], _tail(draw)))
    else:
        wal = _mixed(old, new[:end], start, draw, garbage=how < 0.7)
    return before.read(""), wal, [before.seen, after.seen]


def _end(wal: bytes) -> int:
    """Return where the frames of a write-ahead log end that are not left over from before it began anew."""
    if len(wal) < 32:
        return 0
    (page_size,) = struct.unpack_from(">I", wal, 8)
    salts, end = wal[16:24], 32
    while wal[end + 8 : end + 16] == salts:
        end += 24 + page_size
    return end


def _mixed(old: bytes, new: bytes, start: int, draw: random.Random, *, garbage: bool) -> bytes:
    """Return what the disk has if it wrote only some sectors of what is new from `start` on."""
    mixed = bytearray(new[:start])
    while len(mixed) < max(len(old), len(new)):
        place = slice(len(mixed), (len(mixed) // SECTOR + 1) * SECTOR)
        part = draw.choice((old, new, new, new))[place]
        if garbage and old[place] != new[place] and draw.random() < 0.05:
            part = b""
        mixed += part + draw.randbytes(place.stop - place.start - len(part))
    return bytes(mixed)


def _tail(draw: random.Random) -> bytes:
    """Return what may follow the end of a file that grew: nothing, nulls, or what was on the disk before."""
    length = draw.choice((1, 24, 4_120, 20_000))
    return draw.choice((b"", bytes(length), draw.randbytes(length)))


def _plain(room: str) -> Draft:
    return Draft(room, "", Author("bob", "client", "Bob"), 1, b"1")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.chat.log.power_cut", description="Cut the log's power.")
    parser.add_argument("--cuts", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    cut_run(given.cuts, given.seed)
    sys.stdout.write(
        f"{given.cuts:,} power cuts, seed {given.seed}: all that was acknowledged was there. "
        f"By the rule of three, fewer than {3 / given.cuts:.2%} of such cuts lose anything (95 % confidence).\n"
    )


if __name__ == "__main__":
    main()
