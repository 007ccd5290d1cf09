"""The one file below which all durable state lives, and who may use it.

Opening it locks it, for one process, and brings its tables up to date. What is in the tables is not known here.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from importlib import resources
from typing import TYPE_CHECKING, Final, Self

import filelock
import structlog

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable
    from pathlib import Path

APPLICATION_ID: Final = 0x50_61_72_6C  # "Parl"
"""What the header of our files says, so that we touch nobody else's and `file` can tell."""

MIN_SQLITE: Final = (3, 35)
"""The first with RETURNING and DROP COLUMN, which statements and migrations may use."""

MIGRATIONS: Final[Traversable] = resources.files("chat.log") / "migrations"

BUSY_TIMEOUT_MS: Final = 2_000
"""How long to wait for a lock that another program holds, such as somebody's sqlite3 shell."""

log = structlog.get_logger()


class DatabaseError(Exception):
    """The database cannot be used. The message is one line that says why and what to do."""


class Database:
    """An open database: a lock, and connections that `close` takes back.

    The file is never opened but through SQLite: closing any descriptor of it would drop the locks that SQLite holds
    on it in this process.
    """

    def __init__(self, path: Path, lock: filelock.BaseFileLock) -> None:
        """Use `open`."""
        self.path = path
        self._lock = lock
        self._connections: set[sqlite3.Connection] = set()
        self._guard = threading.Lock()
        self._identity = _identity(path)

    @classmethod
    def open(cls, path: Path, *, migrations: Traversable = MIGRATIONS) -> Self:
        """Lock the file, make it and its folder if they are missing, and apply the migrations that it lacks.

        Raises `DatabaseError`, and then nothing is locked, and a file that is not ours is as it was.
        """
        if sqlite3.sqlite_version_info < MIN_SQLITE:
            wanted = ".".join(map(str, MIN_SQLITE))
            raise DatabaseError(
                f"Python's SQLite library is {sqlite3.sqlite_version}, and {wanted} or newer is needed: "
                "use a Python that was built with a newer one"
            )
        path = path.resolve()  # two names of one file must meet in one lock
        _make_folder(path.parent)
        if path.exists() and not path.is_file():
            raise DatabaseError(f"{path} is a folder or a device: set CHAT_DATABASE_URL to a file")
        lock = _locked(path)
        try:
            _migrate(path, migrations)
            return cls(path, lock)
        except BaseException:
            lock.release()
            raise

    def connect(self) -> sqlite3.Connection:
        """Return a new connection, for one thread at a time. Raises `sqlite3.Error`, `DatabaseError`."""
        self.check()
        connection = _connect(self.path)
        with self._guard:
            self._connections.add(connection)
        return connection

    def discard(self, connection: sqlite3.Connection) -> None:
        """Close a connection; what it had not committed is undone. Never raises."""
        with self._guard:
            self._connections.discard(connection)
        with contextlib.suppress(sqlite3.Error):
            connection.close()

    def check(self) -> None:
        """Raise `DatabaseError` if the file is no longer the one that was opened.

        Nobody tells a process that its file was deleted: it goes on writing into it, and at its end all is gone.
        """
        if _identity(self.path) != self._identity:
            raise DatabaseError(
                f"{self.path} was deleted, moved or replaced while it was in use: put it back, or restart the chat"
            )

    def close(self) -> None:
        """Close all connections, move everything into the file itself and release the lock. Never raises."""
        for connection in list(self._connections):
            self.discard(connection)  # the last one takes the write-ahead log into the file
        self._lock.release()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116  (a third of what Path.stat takes, and every batch asks)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, and see to it that a power cut does not take them away again."""
    try:
        missing = [level for level in (folder, *folder.parents) if not level.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        for level in missing:
            descriptor = os.open(level.parent, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
    except OSError as error:
        raise DatabaseError(
            f"the folder {folder} cannot be made ({error.strerror}): make it, or set CHAT_DATABASE_URL to another file"
        ) from None


def _locked(path: Path) -> filelock.BaseFileLock:
    """Lock the database for this process. The kernel frees the lock when the process ends, however it ends."""
    file = path.with_name(path.name + ".lock")
    lock = filelock.FileLock(file, blocking=False, thread_local=False, on_acquired=_write_pid)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise DatabaseError(
            f"{path} is in use by another process{_pid(file)}: one process serves one database; stop the other, "
            "start uvicorn without --workers, or set CHAT_DATABASE_URL to another file"
        ) from None
    except OSError as error:
        raise DatabaseError(
            f"{file} cannot be written ({error.strerror}): give this user the right to, "
            "or set CHAT_DATABASE_URL to another file"
        ) from None
    return lock


def _write_pid(descriptor: int) -> None:
    os.truncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())


def _pid(file: Path) -> str:
    """Return who holds a lock, for people to read, or nothing where that is not known."""
    with contextlib.suppress(OSError):
        pid = file.read_text()
        if pid.isdecimal():
            return f" (pid {pid})"
    return ""


def _connect(path: Path, *, make: bool = False) -> sqlite3.Connection:
    """Return a connection to an existing file; a missing one is made only on demand."""
    mode = "rwc" if make else "rw"
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_TIMEOUT_MS / 1000,
        isolation_level=None,  # transactions are begun and ended where one can see it
        check_same_thread=False,
        cached_statements=512,  # each number of rows is a statement of its own
    )
    try:
        connection.execute("pragma synchronous = full")  # a commit is on disk when it returns
        connection.execute("pragma foreign_keys = off")
    except BaseException:
        connection.close()
        raise
    return connection


def _migrate(path: Path, migrations: Traversable) -> None:
    """Make the file if it is missing, see that it is ours, and apply what it lacks, each migration all or nothing."""
    try:
        with contextlib.closing(_connect(path, make=True)) as connection:
            version = _version(connection, path)
            _check_library(connection)
            scripts = _scripts(migrations)
            if version > max(scripts):
                raise DatabaseError(
                    f"{path} was written by a newer version of this program (its tables are version {version}, "
                    f"ours {max(scripts)}): install that version, or set CHAT_DATABASE_URL to another file"
                )
            (mode,) = connection.execute("pragma journal_mode = wal").fetchone()
            if mode != "wal":
                raise DatabaseError(f"{path} is where SQLite cannot keep a write-ahead log: move it to a local disk")
            for number, script in sorted(scripts.items()):
                if number > version:
                    if version:
                        log.info("database.migrating", to=number)  # a million entries: 4 s
                    connection.executescript(
                        f"begin immediate;\n{script}\n;pragma application_id = {APPLICATION_ID};"
                        f"pragma user_version = {number}; commit;"
                    )
            # Fails where nothing can be written: SQLite opens such a file all the same, to be read.
            connection.executescript(f"begin immediate; pragma user_version = {max(scripts)}; rollback")
    except sqlite3.Error as error:
        raise DatabaseError(_explained(path, error)) from error


def _check_library(connection: sqlite3.Connection) -> None:
    """Raise `DatabaseError` if SQLite was built without the JSON functions (in by default since 3.38), or FTS5."""
    try:
        connection.execute("select json_group_array(1), fts5_source_id()")
    except sqlite3.Error as error:
        raise DatabaseError(
            f"Python's SQLite library ({sqlite3.sqlite_version}) was built without something that is needed ({error}): "
            "use a Python whose SQLite has JSON functions and FTS5"
        ) from None


def _version(connection: sqlite3.Connection, path: Path) -> int:
    (application_id,) = connection.execute("pragma application_id").fetchone()
    (tables,) = connection.execute("select count(*) from sqlite_schema").fetchone()
    if application_id != APPLICATION_ID and (application_id or tables):
        raise DatabaseError(f"{path} is the SQLite database of another program: set CHAT_DATABASE_URL to another file")
    (version,) = connection.execute("pragma user_version").fetchone()
    return int(version)


def _scripts(migrations: Traversable) -> dict[int, str]:
    files = [file for file in migrations.iterdir() if file.name.endswith(".sql")]
    return {int(file.name.partition("_")[0]): file.read_text(encoding="utf-8") for file in files}


def _explained(path: Path, error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_NOTADB:
        return f"{path} is no SQLite database: set CHAT_DATABASE_URL to another file"
    if code == sqlite3.SQLITE_CORRUPT:
        return f"{path} is damaged ({error}): put a backup in its place"
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
        return (
            f"{path} cannot be written ({error}): give this user the right to write it and its folder, "
            "or set CHAT_DATABASE_URL to another file"
        )
    if code == sqlite3.SQLITE_BUSY:
        return f"{path} is locked by another program ({error}): end what has it open"
    if code == sqlite3.SQLITE_FULL:
        return f"{path} cannot grow ({error}): make room on its disk"
    return f"{path} cannot be used ({error}): see to its disk, or set CHAT_DATABASE_URL to another file"
