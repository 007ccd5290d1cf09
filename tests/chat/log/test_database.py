"""The database file: who may use it, what is refused, and in which words."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chat.log import Database, DatabaseError, LogError, SqliteLog
from chat.log import database as module
from tests.fakes import draft

HOLD = """
import sys
from pathlib import Path
from chat.log import Database
database = Database.open(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chat.db"


@contextlib.contextmanager
def another_process(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process that has the database open."""
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        yield process
        process.kill()


def refusal(path: Path) -> str:
    """Return why a database is refused, which must fit in a line."""
    with pytest.raises(DatabaseError) as caught:
        Database.open(path)
    text = str(caught.value)
    assert "\n" not in text
    return text


def read(path: Path, sql: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def write(path: Path, sql: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(sql)


# Opening


def test_a_missing_file_and_its_folders_are_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "chat.db"

    Database.open(path).close()

    assert path.is_file()


def test_an_empty_file_becomes_a_database(path: Path) -> None:
    path.touch()

    Database.open(path).close()

    assert read(path, "pragma user_version") == [(6,)]


def test_the_path_may_hold_what_a_url_may_not(tmp_path: Path) -> None:
    path = tmp_path / "a b?c#d%20é'" / "chat ?mode=ro.db"

    Database.open(path).close()

    assert path.is_file()


def test_after_closing_there_is_one_file_with_everything_in_it(path: Path) -> None:
    log = SqliteLog(Database.open(path))
    log.append([draft("lobby", "hello")])
    log.position("lobby")

    log.close()

    assert {file.name for file in path.parent.iterdir()} == {"chat.db", "chat.db.lock"}
    assert read(path, "select count(*) from entry") == [(1,)]


def test_a_commit_waits_for_the_disk(path: Path) -> None:
    database = Database.open(path)
    connection = database.connect()

    assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
    assert connection.execute("pragma synchronous").fetchone() == (2,)
    database.close()


# One process


def test_another_process_is_refused_and_told_who_has_it(path: Path) -> None:
    with another_process(path) as process:
        text = refusal(path)

    assert text.startswith(f"{path} is in use by another process (pid {process.pid}): one process serves one database")
    assert "--workers" in text
    assert "CHAT_DATABASE_URL" in text


def test_the_lock_is_taken_before_the_database_is_touched(path: Path) -> None:
    with another_process(path):
        before = path.stat(), sorted(file.name for file in path.parent.iterdir())

        refusal(path)

        assert (path.stat(), sorted(file.name for file in path.parent.iterdir())) == before


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGKILL])
def test_the_lock_ends_with_its_process(path: Path, signal_number: signal.Signals) -> None:
    with another_process(path) as process:
        process.send_signal(signal_number)
        process.wait()

        Database.open(path).close()


def test_it_is_refused_twice_within_a_process_as_well(path: Path) -> None:
    database = Database.open(path)

    assert f"(pid {os.getpid()})" in refusal(path)
    database.close()


def test_two_names_of_a_file_are_one_database(path: Path) -> None:
    database = Database.open(path)
    link = path.with_name("link.db")
    link.symlink_to(path)

    assert "is in use" in refusal(link)
    database.close()


def test_it_can_be_opened_again_after_closing(path: Path) -> None:
    Database.open(path).close()
    Database.open(path).close()


def test_a_refusal_leaves_no_lock_behind(path: Path) -> None:
    path.write_text("nothing that SQLite knows" * 100)
    refusal(path)
    path.unlink()

    Database.open(path).close()


# What is refused


def test_a_folder_is_refused(path: Path) -> None:
    path.mkdir()

    assert refusal(path) == f"{path} is a folder or a device: set CHAT_DATABASE_URL to a file"


def test_a_folder_below_a_file_is_refused(path: Path) -> None:
    path.write_text("a file")

    text = refusal(path / "data" / "chat.db")

    assert text.startswith(f"the folder {path / 'data'} cannot be made (Not a directory): make it, or set CHAT_")


def test_what_is_no_database_is_refused_and_left_as_it_is(path: Path) -> None:
    path.write_text("nothing that SQLite knows" * 100)

    assert refusal(path) == f"{path} is no SQLite database: set CHAT_DATABASE_URL to another file"
    assert path.read_text() == "nothing that SQLite knows" * 100


def test_the_database_of_another_program_is_refused_and_left_as_it_is(path: Path) -> None:
    write(path, "create table recipe (name text)")
    before = path.read_bytes()

    assert refusal(path) == f"{path} is the SQLite database of another program: set CHAT_DATABASE_URL to another file"
    assert path.read_bytes() == before


def test_an_empty_database_of_another_program_is_refused_by_its_id(path: Path) -> None:
    write(path, "pragma application_id = 1234; vacuum")

    assert "is the SQLite database of another program" in refusal(path)


def test_a_newer_database_is_refused_and_left_as_it_is(path: Path) -> None:
    Database.open(path).close()
    write(path, "pragma user_version = 99")
    before = path.read_bytes()

    text = refusal(path)

    assert text.startswith(f"{path} was written by a newer version of this program (its tables are version 99, ours 6)")
    assert path.read_bytes() == before


def test_a_damaged_database_is_refused(path: Path) -> None:
    Database.open(path).close()
    whole = path.read_bytes()
    path.write_bytes(whole[:200] + b"\xff" * 3_896 + whole[4096:])

    text = refusal(path)

    assert text.startswith(f"{path} is damaged (")
    assert text.endswith("): put a backup in its place")


def test_an_old_sqlite_library_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.34.1")

    assert refusal(path).startswith("Python's SQLite library is 3.34.1, and 3.35 or newer is needed: ")
    assert not path.exists()


@pytest.mark.parametrize("function", ["json_group_array", "fts5_source_id"])
def test_an_sqlite_library_without_what_is_needed_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    connect = module._connect  # noqa: SLF001  (a library of one's own would take a compiler)

    def without(*args: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*args, **options)
        connection.set_authorizer(lambda _, __, name, *___: sqlite3.SQLITE_DENY if name == function else 0)
        return connection

    monkeypatch.setattr(module, "_connect", without)

    text = refusal(path)

    assert function in text
    assert text.endswith("): use a Python whose SQLite has JSON functions and FTS5")
    assert "\n" not in text


@pytest.fixture
def as_nobody(path: Path) -> Iterator[Path]:
    """Be a user who owns nothing in a folder that all may enter: root may write whatever its mode is."""
    if os.geteuid() != 0:
        yield path
        return
    folder = Path(tempfile.mkdtemp(dir="/tmp"))  # pytest's folders are closed to others
    folder.chmod(0o777)
    os.seteuid(65534)
    yield folder / "chat.db"
    os.seteuid(0)
    shutil.rmtree(folder)


def test_a_folder_that_cannot_be_written_is_refused(as_nobody: Path) -> None:
    folder = as_nobody.parent / "closed"
    folder.mkdir(mode=0o500)

    assert refusal(folder / "chat.db").startswith(f"{folder / 'chat.db.lock'} cannot be written (Permission denied): ")
    assert refusal(folder / "data" / "chat.db").startswith(
        f"the folder {folder / 'data'} cannot be made (Permission denied): "
    )


@pytest.mark.parametrize("mode", [0o400, 0o000])
def test_a_file_that_cannot_be_written_is_refused(as_nobody: Path, mode: int) -> None:
    Database.open(as_nobody).close()
    as_nobody.chmod(mode)

    text = refusal(as_nobody)

    assert text.startswith(f"{as_nobody} cannot be written (")
    assert "give this user the right to write it and its folder" in text


def test_a_database_that_another_program_holds_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_MS", 10)
    Database.open(path).close()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as shell:
        shell.execute("begin immediate")

        assert refusal(path) == f"{path} is locked by another program (database is locked): end what has it open"


# Migrations


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_first.sql").write_text("create table one (a); insert into one values (1); -- the first")
    return folder


def test_an_older_database_gets_what_it_lacks(path: Path, migrations: Path) -> None:
    Database.open(path, migrations=migrations).close()
    write(path, "insert into one values (2)")
    (migrations / "0002_second.sql").write_text("alter table one add column b default 'new'")
    (migrations / "0010_tenth.sql").write_text("update one set b = b || a;")

    Database.open(path, migrations=migrations).close()

    assert read(path, "select a, b from one") == [(1, "new1"), (2, "new2")]
    assert read(path, "pragma user_version") == [(10,)]


def test_each_migration_is_applied_once(path: Path, migrations: Path) -> None:
    for _ in range(3):
        Database.open(path, migrations=migrations).close()

    assert read(path, "select a from one") == [(1,)]


def test_a_migration_that_fails_halfway_is_undone(path: Path, migrations: Path) -> None:
    Database.open(path, migrations=migrations).close()
    (migrations / "0002_second.sql").write_text("insert into one values (2);")
    (migrations / "0003_third.sql").write_text("create table two (a); insert into nowhere values (1)")

    with pytest.raises(DatabaseError, match="no such table: nowhere"):
        Database.open(path, migrations=migrations)

    assert read(path, "pragma user_version") == [(2,)]
    assert read(path, "select name from sqlite_schema") == [("one",)]
    assert read(path, "select a from one") == [(1,), (2,)]

    (migrations / "0003_third.sql").write_text("create table two (a)")
    Database.open(path, migrations=migrations).close()
    assert read(path, "pragma user_version") == [(3,)]


def test_our_migrations_are_numbered_from_1_on() -> None:
    numbers = sorted(int(file.name[:4]) for file in module.MIGRATIONS.iterdir() if file.name.endswith(".sql"))

    assert numbers == list(range(1, len(numbers) + 1))


def test_a_log_that_cannot_be_read_at_the_start_says_so(path: Path) -> None:
    database = Database.open(path)
    path.rename(path.with_name("elsewhere.db"))

    with pytest.raises(LogError, match="was deleted, moved or replaced"):
        SqliteLog(database)
    database.close()
