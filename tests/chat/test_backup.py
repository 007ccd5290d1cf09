"""A backup is whole, also of a chat that goes on writing, and never in the way of anything."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from chat import backup
from chat.backup import BackupError, back_up
from chat.file_store import FileStore
from chat.log import Database, File, SqliteLog, Stored, Upload
from tests.fakes import draft


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chat.db"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "backups" / "copy.db"


@pytest.fixture
def log(path: Path, target: Path) -> Iterator[SqliteLog]:
    target.parent.mkdir()
    log = SqliteLog(Database.open(path))
    yield log
    log.close()


def opened(path: Path) -> contextlib.closing[SqliteLog]:
    return contextlib.closing(SqliteLog(Database.open(path)))


def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "chat.backup", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_a_copy_of_a_running_log_has_what_was_stored_before(log: SqliteLog, path: Path, target: Path) -> None:
    log.append([draft("lobby", "a", key="k"), draft("garden", "b")])
    entries = log.after("lobby", 0, 10), log.after("garden", 0, 10)

    assert back_up(path, target) == 2

    with opened(target) as copy:
        assert (copy.after("lobby", 0, 10), copy.after("garden", 0, 10)) == entries
        assert copy.messages("lobby", limit=10).messages == log.messages("lobby", limit=10).messages
        assert copy.secret() == log.secret()
        (again,) = copy.append([draft("lobby", "a", key="k")])
        assert isinstance(again, Stored)
        assert again.duplicate


def test_the_copy_is_one_file_and_the_only_one(log: SqliteLog, path: Path, target: Path) -> None:
    log.append([draft("lobby", "a")])

    back_up(path, target)

    assert [file.name for file in target.parent.iterdir()] == ["copy.db"]


def test_a_copy_has_an_epoch_of_its_own(log: SqliteLog, path: Path, target: Path) -> None:
    log.append([draft("lobby", "a")])

    back_up(path, target)

    with opened(target) as copy:
        assert copy.position("lobby").offset == 1
        epochs = {log.position("lobby").epoch, copy.position("lobby").epoch}
        assert len(epochs) == 2
        assert copy.position("garden").epoch in epochs


def test_while_it_is_written_everything_acknowledged_before_is_in_every_copy(
    log: SqliteLog, path: Path, target: Path
) -> None:
    acknowledged = 0
    done = threading.Event()

    def write() -> None:
        nonlocal acknowledged
        while not done.is_set():
            log.append([draft("lobby", "x" * 500) for _ in range(20)])
            acknowledged += 20

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(10):
            copy = target.with_name(f"copy {number}.db")
            before = acknowledged
            entries = back_up(path, copy)
            assert before <= entries
            assert entries % 20 == 0
            with opened(copy) as found:
                assert [entry.offset for entry in found.after("lobby", 0, 1_000_000)] == list(range(1, entries + 1))
    finally:
        done.set()
        writer.join()
    assert log.position("lobby").offset == acknowledged


def test_a_chat_that_was_stopped_can_be_copied_as_well(log: SqliteLog, path: Path, target: Path) -> None:
    log.append([draft("lobby", "a")])
    log.close()

    assert back_up(path, target) == 1


def test_a_chat_that_was_killed_can_be_copied_as_well(path: Path, tmp_path: Path) -> None:
    program = """
import os, signal, sys
from pathlib import Path
from chat.log import Database, SqliteLog
from tests.fakes import draft
log = SqliteLog(Database.open(Path(sys.argv[1])))
log.append([draft("lobby", "a")])
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", program, path], check=False)
    assert path.with_name("chat.db-wal").stat().st_size > 0

    assert back_up(path, tmp_path / "copy.db") == 1
    with opened(path) as log:
        assert log.position("lobby").offset == 1


# What is refused


def test_nothing_is_overwritten(log: SqliteLog, path: Path, target: Path) -> None:
    target.write_text("precious")

    with pytest.raises(BackupError, match=r"copy\.db exists already: name another file"):
        back_up(path, target)

    assert target.read_text() == "precious"


def test_what_appears_meanwhile_is_not_overwritten_either(
    log: SqliteLog, path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "_sync", lambda _: target.write_text("precious"))

    with pytest.raises(BackupError, match="cannot be written: File exists"):
        back_up(path, target)

    assert target.read_text() == "precious"
    assert [file.name for file in target.parent.iterdir()] == ["copy.db"]


def test_a_missing_database_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="does not exist: name the database"):
        back_up(tmp_path / "chat.db", tmp_path / "copy.db")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"no database" * 1_000, b""])
def test_what_is_no_database_is_not_copied(path: Path, tmp_path: Path, content: bytes) -> None:
    path.write_bytes(content)

    with pytest.raises(BackupError, match="not"):
        back_up(path, tmp_path / "copy.db")

    assert [file.name for file in tmp_path.iterdir()] == ["chat.db"]


def test_a_damaged_database_is_not_copied(log: SqliteLog, path: Path, target: Path) -> None:
    log.append([draft("lobby", "a", key="a key"), draft("lobby", "b", key="another")])
    log.close()
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"a key", b"z key", 1))  # in the table and not in the index, or the other way round

    with pytest.raises(BackupError, match="is damaged, and so would its copy be"):
        back_up(path, target)

    assert list(target.parent.iterdir()) == []


def test_a_folder_that_is_not_there_is_no_target(log: SqliteLog, path: Path, target: Path) -> None:
    with pytest.raises(BackupError, match="cannot be written: No such file or directory"):
        back_up(path, target / "copy.db")


# The command


def test_the_command_says_what_it_made(log: SqliteLog, path: Path, target: Path) -> None:
    log.append([draft("lobby", "a"), draft("lobby", "b")])

    made = run(target, "--database", path)

    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout == f"{target}: {target.stat().st_size:,} bytes, 2 entries\n"


def test_the_command_takes_the_databases_url(log: SqliteLog, path: Path, target: Path) -> None:
    assert run(target, "--database", f"sqlite:///{path}").returncode == 0
    assert run(target.with_name("2.db"), CHAT_DATABASE_URL=f"sqlite:///{path}").returncode == 0
    assert run(target.with_name("3.db"), CHAT_DATABASE_URL="oracle").returncode == 1


def test_what_is_wrong_is_one_line(path: Path) -> None:
    failed = run(path.with_name("copy.db"), "--database", path)

    assert failed.returncode == 1
    assert failed.stdout == ""
    assert failed.stderr == f"{path} does not exist: name the database with --database or CHAT_DATABASE_URL\n"


def stored(log: SqliteLog, store: FileStore, data: bytes, thumb: bytes | None = None) -> str:
    """Have a file uploaded, and return its hash."""
    part = store.begin()
    part.write(data)
    digest = store.keep(part, thumb)
    log.keep_upload(Upload(File(digest[:8], "a", "b", 1), digest, "lobby", "ann", 0), most_unsent_bytes=1_000)
    store.release(digest, referred=True)
    return digest


def test_the_files_are_copied_beside_the_copy(log: SqliteLog, path: Path, target: Path) -> None:
    store = FileStore.open(path.with_name("chat.db.files"), 1_000, log.referred)
    plain, image, gone = stored(log, store, b"hello"), stored(log, store, b"image", b"small"), stored(log, store, b"x")
    store.discard(gone)  # somebody deletes its message meanwhile

    back_up(path, target)

    copied = FileStore(target.with_name("copy.db.files"), 0)
    assert copied.path(plain).read_bytes() == b"hello"
    assert (copied.path(image).read_bytes(), copied.thumb_path(image).read_bytes()) == (b"image", b"small")
    assert not copied.path(gone).exists()
    with opened(target) as copy:
        assert copy.referred([plain, image]) == {plain, image}


def test_a_folder_of_files_that_is_there_is_left_alone(log: SqliteLog, path: Path, target: Path) -> None:
    theirs = target.with_name("copy.db.files") / "theirs"
    theirs.mkdir(parents=True)

    with pytest.raises(BackupError, match="exists already"):
        back_up(path, target)

    assert theirs.exists()


def test_files_that_cannot_be_copied_leave_no_copy(
    log: SqliteLog, path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(log, FileStore.open(path.with_name("chat.db.files"), 1_000, log.referred), b"hello")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", fail)
    with pytest.raises(BackupError, match="No space left"):
        back_up(path, target)

    assert list(target.parent.iterdir()) == []
