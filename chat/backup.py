"""`python -m chat.backup TARGET`: copy the database of a chat, which may go on running meanwhile.

The copy holds all that was acknowledged before it began. It is another incarnation of its rooms: its epochs are new.
A chat that is started from it may be behind what its clients have seen, and by the epoch they notice that, instead of
taking other messages for the ones they know.

The files of messages are copied beside it, to a folder `TARGET.files`, after the database: what it knows of is there
then, but for what was deleted meanwhile.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path
from typing import Final

from chat.file_store import FileStore
from chat.log.database import APPLICATION_ID
from chat.settings import FILES_SUFFIX, Settings, SettingsError

_SCHEME: Final = "sqlite:///"


class BackupError(Exception):
    """There is no copy. The message is one line that says why."""


def back_up(database: Path, target: Path) -> int:
    """Copy a database to a file that must not exist yet, check the copy, and return how many entries it has.

    Its files are copied as well. The target is there when all of it is on disk, or not at all. Raises `BackupError`.
    """
    if not database.is_file():
        raise BackupError(f"{database} does not exist: name the database with --database or CHAT_DATABASE_URL")
    if target.exists():
        raise BackupError(f"{target} exists already: name another file")
    files = target.with_name(target.name + FILES_SUFFIX)
    if files.exists():
        raise BackupError(f"{files}, the folder for the files, exists already: name another file")
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
        os.close(descriptor)
    except OSError as error:
        raise BackupError(f"{target} cannot be written: {error.strerror}") from None
    part = Path(name)
    try:
        entries = _copy(database, part)
        _sync(part)
        _copy_files(part, database.with_name(database.name + FILES_SUFFIX), files)
        os.link(part, target)  # like a rename, but fails if somebody has made the target meanwhile
        part.unlink()
        _sync(target.parent)
    except sqlite3.Error as error:
        raise BackupError(f"{database} cannot be copied: {error}") from error
    except OSError as error:
        raise BackupError(f"{target} cannot be written: {error.strerror}") from error
    finally:
        if not target.exists():
            shutil.rmtree(files, ignore_errors=True)
        for leftover in (part, *(part.with_name(part.name + suffix) for suffix in ("-journal", "-wal", "-shm"))):
            leftover.unlink(missing_ok=True)
    return entries


def _copy(database: Path, part: Path) -> int:
    with (
        contextlib.closing(_connect(database, "ro")) as source,
        contextlib.closing(_connect(part, "rw")) as copy,
    ):
        if source.execute("pragma application_id").fetchone() != (APPLICATION_ID,):
            raise BackupError(f"{database} is not the database of a chat")
        source.backup(copy)  # in one step: it reads one state of the database, and no writer waits for that
        copy.execute("pragma journal_mode = delete")  # so that the copy is one file
        copy.execute("begin")
        epoch = (secrets.token_hex(8),)
        copy.execute("update log set epoch = ?", epoch)
        copy.execute("update room set epoch = ?", epoch)
        copy.execute("commit")
        (found,) = copy.execute("pragma integrity_check(1)").fetchone()
        if found != "ok":
            raise BackupError(f"{database} is damaged, and so would its copy be: {' '.join(found.split())}")
        (entries,) = copy.execute("select count(*) from entry").fetchone()
    return int(entries)


def _copy_files(copy: Path, source: Path, target: Path) -> None:
    """Copy the contents that a copy of a database refers to, and have them on disk."""
    with contextlib.closing(_connect(copy, "ro")) as connection:
        digests = [digest for (digest,) in connection.execute("select distinct hash from upload")]
    here, there = FileStore(source, 0), FileStore(target, 0)
    folders = set()
    for digest in digests:
        for path, to in (
            (here.path(digest), there.path(digest)),
            (here.thumb_path(digest), there.thumb_path(digest)),
        ):
            to.parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.copyfile(path, to)
            except FileNotFoundError:
                continue  # no image; or deleted since
            _sync(to)
            folders |= {to.parent, to.parent.parent, target}
    for folder in folders:
        _sync(folder)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, isolation_level=None)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def main() -> int:
    """Run the command line, and return its exit code."""
    what = "Copy the database and the files of a chat."
    parser = argparse.ArgumentParser(prog="python -m chat.backup", description=what)
    parser.add_argument("target", type=Path, help="the file to make")
    parser.add_argument("--database", help="path or sqlite:/// URL; default: CHAT_DATABASE_URL, as for the server")
    given = parser.parse_args()
    try:
        if given.database is None:
            database = Settings.from_environment().database_path()
        else:
            database = Path(given.database.removeprefix(_SCHEME))
        entries = back_up(database, given.target)
    except (BackupError, SettingsError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{given.target}: {given.target.stat().st_size:,} bytes, {entries:,} entries\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
