"""What is the SQLite log's own: it lasts, it is read while it is written, and a disk can fail it."""

from __future__ import annotations

import contextlib
import resource
import shutil
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chat.log import (
    Author,
    Database,
    Delete,
    Draft,
    Edit,
    Entry,
    Keep,
    LogError,
    Message,
    React,
    Retention,
    Search,
    SqliteLog,
    Stored,
    batch,
    fulltext,
)
from chat.log import database as database_module
from chat.log import sqlite as module
from chat.words import parse
from tests.fakes import ANN, BOB, NOON_MS, draft

HELLO = b'{"text":"hello"}'


class Connection(sqlite3.Connection):
    """A connection that knows what it was asked, and how long the machine inside SQLite took for it."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self.asked: dict[str, Sequence[Any]] = {}
        self.steps = 0
        self.set_progress_handler(self._step, 100)

    def _step(self) -> int:
        self.steps += 1
        return 0

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        self.asked[sql] = parameters
        return super().execute(sql, parameters)


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[Connection]:
    """Return the list in which all connections made from now on will be."""
    made: list[Connection] = []
    connect = sqlite3.connect

    def record(*given: Any, **options: Any) -> Connection:
        made.append(connect(*given, **options, factory=Connection))
        return made[-1]

    monkeypatch.setattr(sqlite3, "connect", record)
    return made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chat.db"


def open_log(path: Path) -> SqliteLog:
    return SqliteLog(Database.open(path))


@pytest.fixture
def log(path: Path, connections: list[Connection]) -> Iterator[SqliteLog]:
    log = open_log(path)
    yield log
    log.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_MS", 20)


def shell(path: Path) -> contextlib.closing[sqlite3.Connection]:
    """Return what another program has open."""
    return contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=0))


def entries(log: SqliteLog, room: str = "lobby") -> list[Entry]:
    return log.after(room, 0, 10_000)


# It lasts


def test_everything_is_there_when_it_is_opened_again(path: Path) -> None:
    log = open_log(path)
    log.append([Draft("lobby", "k", ANN, NOON_MS, HELLO), draft("lobby", "a"), draft("lobby", "b")])
    log.append([Draft("lobby", "", ANN, NOON_MS, b"{}", change) for change in (Edit(1, "hi"), Delete(2))])
    log.append([Draft("lobby", "", BOB, NOON_MS, b"{}", React(1, emoji, on=True)) for emoji in "+-"])
    log.trim([Retention("*", 9, None)], limit=10)
    before = log.position("lobby"), entries(log), log.messages("lobby", limit=10), log.secret()
    other = log.position("garden")
    log.close()

    log = open_log(path)

    assert (log.position("lobby"), entries(log), log.messages("lobby", limit=10), log.secret()) == before
    assert log.position("garden") == other
    assert log.append([Draft("lobby", "k", ANN, NOON_MS, HELLO)]) == [
        Stored(Entry(1, "k", ANN, NOON_MS, HELLO), before[0].epoch, duplicate=True)
    ]
    log.close()


def test_offsets_go_on_when_it_is_opened_again(path: Path) -> None:
    for offset in (1, 2, 3):
        log = open_log(path)
        log.append([draft("lobby", "a")])
        assert log.position("lobby").offset == offset
        log.close()
    with shell(path) as other:
        assert other.execute("select count(*) from log").fetchone() == (1,)


def test_reading_a_room_makes_none(log: SqliteLog, path: Path) -> None:
    log.position("lobby")
    log.messages("lobby", limit=10)
    log.append([Draft("lobby", "", ANN, NOON_MS, b"{}", Delete(1))])

    with shell(path) as other:
        assert other.execute("select count(*) from room").fetchone() == (0,)


def test_a_room_has_the_epoch_of_the_file(log: SqliteLog, path: Path) -> None:
    log.append([draft("lobby", "a"), draft("garden", "a")])

    with shell(path) as other:
        assert other.execute("select distinct room.epoch = log.epoch from room, log").fetchall() == [(1,)]


def test_a_message_that_nobody_changed_takes_one_row(log: SqliteLog, path: Path) -> None:
    log.append([draft("lobby", "a"), draft("lobby", "b")])

    with shell(path) as other:
        tables = ("entry", "revision", "reaction")
        rows = [other.execute(f"select count(*) from {table}").fetchone()[0] for table in tables]  # noqa: S608
    assert rows == [2, 0, 0]


def test_nothing_remains_of_what_was_forgotten(log: SqliteLog, path: Path) -> None:
    log.append([Draft("lobby", f"k{number}", ANN, NOON_MS, HELLO) for number in range(3)])
    log.append([Draft("lobby", "", ANN, NOON_MS, b"{}", what) for what in (Edit(1, "b"), React(1, "+", on=True))])

    log.trim([Retention("*", 1, None)], limit=10)

    with shell(path) as other:
        tables = ("entry", "revision", "reaction")
        rows = [other.execute(f"select count(*) from {table}").fetchone()[0] for table in tables]  # noqa: S608
    assert rows == [1, 0, 0]


@pytest.mark.parametrize("count", [1, 99, 100, 101, 250, 500])
def test_batches_of_any_size_are_stored(log: SqliteLog, count: int) -> None:
    drafts = [draft(f"room {number % 120}", "a", key=f"k{number}") for number in range(count)]

    first = log.append(drafts)
    again = log.append(drafts)

    assert [answer.duplicate for answer in first + again if isinstance(answer, Stored)] == (
        [False] * count + [True] * count
    )
    assert sum(len(entries(log, f"room {number}")) for number in range(120)) == count


# It is read while it is written


def test_a_reader_waits_for_no_writer_and_sees_nothing_of_what_is_not_stored_yet(log: SqliteLog, path: Path) -> None:
    log.append([draft("lobby", "a")])
    with shell(path) as other:
        other.execute("begin immediate")
        other.execute("update room set head = 7")
        other.execute("update entry set data = 'x'")

        assert log.position("lobby").offset == 1
        assert [entry.data for entry in entries(log)] == [b'"a"']
        assert log.messages("lobby", limit=10).position.offset == 1
        other.execute("rollback")


def test_a_reader_sees_all_of_a_batch_or_nothing(log: SqliteLog) -> None:
    seen: list[tuple[int, int]] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            page = log.messages("lobby", limit=10_000)
            seen.append((page.position.offset, len(page.messages)))

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(60):
        log.append([draft("lobby", "a") for _ in range(50)])
    done.set()
    reader.join()

    assert {offset % 50 for offset, _ in seen} == {0}
    assert all(offset == messages for offset, messages in seen)
    assert sorted(seen) == seen


def test_a_page_its_reactions_and_its_position_are_from_one_moment(
    log: SqliteLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.append([Draft("lobby", "", ANN, NOON_MS, HELLO)])
    entries(log)
    execute = Connection.execute

    def slowly(connection: Connection, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        if sql.lstrip().startswith("select") and threading.current_thread() is threading.main_thread():
            later = [draft("lobby", "b"), Draft("lobby", "", ANN, NOON_MS, b"{}", React(1, "+", on=True))]
            writer = threading.Thread(target=log.append, args=(later,))
            cursor = execute(connection, sql, parameters)
            writer.start()
            writer.join()
            return cursor
        return execute(connection, sql, parameters)

    monkeypatch.setattr(Connection, "execute", slowly)
    page = log.messages("lobby", limit=10)

    assert page.position.offset == 1
    assert page.messages == [Message(1, ANN, NOON_MS, HELLO)]
    assert log.position("lobby").offset > 5


def test_many_threads_read(log: SqliteLog) -> None:
    log.append([draft("lobby", "a")])
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(len(entries(log)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [1] * 8


# A disk can fail it


def test_while_another_program_writes_nothing_is_stored_and_then_it_works_again(log: SqliteLog, path: Path) -> None:
    log.append([draft("lobby", "a")])
    with shell(path) as other:
        other.execute("begin immediate")

        with pytest.raises(LogError, match=r"chat\.db cannot be written: database is locked"):
            log.append([draft("lobby", "b")])
        with pytest.raises(LogError):
            log.trim([Retention("*", 1, None)], limit=1)
        other.execute("rollback")

    log.append([draft("lobby", "c")])
    assert [entry.data for entry in entries(log)] == [b'"a"', b'"c"']


def test_an_error_names_its_cause_and_quotes_nothing(log: SqliteLog, path: Path) -> None:
    with shell(path) as other:
        other.execute("begin immediate")
        with pytest.raises(LogError) as caught:
            log.append([draft("lobby", "a secret", key="k")])

    assert isinstance(caught.value.__cause__, sqlite3.OperationalError)
    assert "secret" not in str(caught.value)


def test_on_a_full_disk_nothing_is_stored_and_then_it_works_again(
    log: SqliteLog, connections: list[Connection]
) -> None:
    log.append([draft("lobby", "a")])
    connections[-1].execute("pragma max_page_count = 1")

    with pytest.raises(LogError, match="database or disk is full"):
        log.append([draft("lobby", "b" * 10_000), draft("garden", "b")])

    assert log.position("garden").offset == 0
    assert len(entries(log)) == 1
    log.append([draft("lobby", "c" * 10_000)])
    assert len(entries(log)) == 2


@pytest.fixture
def small_files() -> Iterator[Callable[[int], None]]:
    """Return what bounds the size of this process's files, as a full disk or a quota would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def test_what_cannot_be_written_wholly_is_not_stored_at_all(
    path: Path, log: SqliteLog, small_files: Callable[[int], None]
) -> None:
    log.append([draft("lobby", "a")])
    assert len(entries(log)) == 1
    wal = path.with_name("chat.db-wal")
    small_files(wal.stat().st_size + 40_000)

    for _ in range(3):
        with pytest.raises(LogError, match="cannot be written: disk I/O error"):
            log.append([draft("lobby", "b" * 200_000), draft("garden", "b")])

    assert log.position("garden").offset == 0
    assert len(entries(log)) == 1
    small_files(resource.RLIM_INFINITY)
    log.append([draft("lobby", "c" * 200_000)])
    log.close()

    again = open_log(path)
    assert [len(entry.data) for entry in entries(again)] == [3, 200_002]
    again.close()


@pytest.mark.parametrize("suffixes", [("",), ("", "-wal", "-shm")], ids=["the file", "all files"])
def test_a_file_that_is_gone_is_noticed_and_that_it_is_back_as_well(
    log: SqliteLog, path: Path, suffixes: tuple[str, ...]
) -> None:
    log.append([draft("lobby", "a")])
    for suffix in suffixes:
        path.with_name("chat.db" + suffix).rename(path.with_name("away" + suffix))

    for _ in range(2):
        with pytest.raises(LogError, match=r"chat\.db was deleted, moved or replaced while it was in use: put it back"):
            log.append([draft("lobby", "b")])
    assert not path.exists()

    for file in path.parent.glob("away*"):
        file.rename(path.with_name(file.name.replace("away", "chat.db")))
    log.append([draft("lobby", "c")])
    assert [entry.data for entry in entries(log)] == [b'"a"', b'"c"']


def test_a_file_that_goes_while_a_batch_is_stored_is_noticed(
    log: SqliteLog, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.append([draft("lobby", "a")])
    execute = Connection.execute

    def and_delete(connection: Connection, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        if sql.startswith("insert into entry"):
            path.unlink()
        return execute(connection, sql, parameters)

    monkeypatch.setattr(Connection, "execute", and_delete)

    with pytest.raises(LogError, match="was deleted"):
        log.append([draft("lobby", "b")])


def test_a_file_that_was_replaced_is_not_written(log: SqliteLog, path: Path) -> None:
    log.append([draft("lobby", "a")])
    copy = path.with_name("copy.db")
    shutil.copy(path, copy)
    copy.replace(path)

    with pytest.raises(LogError, match="replaced"):
        log.append([draft("lobby", "b")])


def test_a_damaged_file_is_an_error_and_no_crash(path: Path) -> None:
    log = open_log(path)
    log.append([draft("lobby", "a" * 3_000) for _ in range(50)])
    log.close()
    log = open_log(path)
    with shell(path) as other:
        pages = [
            page
            for (page,) in other.execute(
                "select rootpage from sqlite_schema where name in ('room', 'entry') or name like '%entry_key%'"
            )
        ]
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * 4096)
            file.write(b"\xff" * 4096)

    with pytest.raises(LogError, match="malformed"):
        log.append([draft("lobby", "b", key="k")])
    with pytest.raises(LogError, match="malformed"):
        log.position("lobby")
    with pytest.raises(LogError, match="malformed"):
        log.messages("lobby", limit=10)
    log.close()


def test_a_read_that_fails_is_an_error_and_the_next_one_has_a_new_connection(
    log: SqliteLog, connections: list[Connection]
) -> None:
    log.append([draft("lobby", "a")])
    entries(log)
    connections[-1].close()

    with pytest.raises(LogError, match="cannot be read"):
        log.position("lobby")

    assert log.position("lobby").offset == 1


def test_a_bug_leaves_nothing_half_stored(log: SqliteLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "_save_changes", lambda *_: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        log.append([Draft("lobby", "", ANN, NOON_MS, HELLO), Draft("lobby", "", ANN, NOON_MS, b"{}", Delete(1))])

    monkeypatch.undo()
    assert log.position("lobby").offset == 0
    log.append([draft("lobby", "a")])
    assert len(entries(log)) == 1


# Nothing is walked over

TABLES = ("room", "entry", "revision", "reaction", "place", "mention", "person", "ruling", "in_force")
WALKS = ("USE TEMP", *(f"SCAN {table}" for table in TABLES))


def change(to: Edit | Delete | React, room: str = "lobby") -> Draft:
    return Draft(room, "", ANN, NOON_MS, b"{}", to)


@pytest.fixture
def used(log: SqliteLog) -> SqliteLog:
    """Return a log that was asked everything that a log can be asked."""
    log.append([draft(f"room {number % 20}", "a", key=f"k{number}") for number in range(500)])
    log.append([Draft("lobby", f"l{number}", ANN, NOON_MS, HELLO) for number in range(150)])
    log.append([change(what) for what in (Edit(1, "b"), Delete(2), React(1, "+", on=True), React(3, "-", on=True))])
    log.append([change(what) for what in (React(1, "+", on=False), React(3, "-", on=False), React(3, "-", on=True))])
    log.messages("lobby", limit=20)
    log.messages("lobby", before=100, limit=20)
    log.messages("lobby", after=100, limit=20)
    log.before("lobby", 100, 20)
    log.after("lobby", 100, 20)
    log.trim([Retention("room 1*", None, 1), Retention("*", 100, NOON_MS + 1)], limit=10)
    log.remove("lobby", last=100, limit=10)
    log.append([Draft("lobby", "", BOB, NOON_MS, HELLO, told=("ann", "guest-1"), direct=True), change(Delete(150))])
    log.append([Keep(user="guest-1", room=f"room {number}", time_ms=0, read=1) for number in range(5)])
    log.append([Keep(user="guest-1", room=f"room {number}", time_ms=0, leave=True) for number in range(2)])
    log.places("ann")
    log.names(["ann", "bob"])
    log.bans("ann", 0)
    log.forget_guests(NOON_MS, limit=2)
    return log


def test_everything_is_found_by_its_place_and_nothing_is_sorted(used: SqliteLog, connections: list[Connection]) -> None:
    asked = {sql: values for made in connections for sql, values in made.asked.items()}
    found: dict[str, list[str]] = {}
    for sql, values in asked.items():
        for step in connections[-1].execute(f"explain query plan {sql}", values):
            if step[3].startswith(WALKS):
                found.setdefault(" ".join(sql.split()), []).append(step[3])

    tables = {sql: steps for sql, steps in found.items() if ") as entry" not in sql}
    pages = {sql: steps for sql, steps in found.items() if ") as entry" in sql}
    assert len(asked) > 20
    (trim,) = tables  # a walk over the rooms, which looks at no entry
    assert "where head - tail > " in trim
    assert tables[trim] == ["SCAN room"]
    assert len(pages) == 4
    assert all(steps == ["SCAN entry"] for steps in pages.values())  # of the page itself


def test_a_page_takes_the_same_however_long_the_room_is(log: SqliteLog, connections: list[Connection]) -> None:
    def grow(posts: int, reactions: int) -> None:
        log.append([Draft("lobby", "", ANN, NOON_MS, HELLO) for _ in range(posts)])
        log.append([change(React(1, "+", on=True)) for _ in range(reactions)])

    def cost(read: Callable[[], object]) -> int:
        before = connections[-1].steps
        read()
        return connections[-1].steps - before

    def costs() -> list[int]:
        entries(log, "nowhere")
        middle = log.position("lobby").offset // 2
        return [
            cost(lambda: log.messages("lobby", limit=20)),
            cost(lambda: log.messages("lobby", before=middle, limit=20)),
            cost(lambda: log.messages("lobby", after=middle, limit=20)),
            cost(lambda: log.before("lobby", middle, 20)),
            cost(lambda: log.after("lobby", middle, 20)),
        ]

    grow(100, 300)
    grow(100, 300)
    short = costs()
    for _ in range(5):
        grow(100, 2_000)

    assert all(0 < now <= then + 3 for now, then in zip(costs(), short, strict=True))


def test_a_change_takes_the_same_however_many_there_are(log: SqliteLog, connections: list[Connection]) -> None:
    def cost() -> int:
        before = connections[-1].steps
        for on in (True, False):
            log.append([change(React(7, "+", on=on))])
        return connections[-1].steps - before

    log.append([Draft("lobby", "", ANN, NOON_MS, HELLO) for _ in range(1_000)])
    short = cost()
    log.append([change(React(target, "-", on=True)) for target in range(8, 1_000)])
    log.append([change(Edit(target, "b")) for target in range(8, 1_000)])

    assert cost() < short + 10  # a walk over them would take 50


# What users keep


def test_a_name_that_was_taken_back_is_stored_with_the_next_entry(log: SqliteLog, path: Path) -> None:
    away = path.with_name("away")
    path.rename(away)
    with pytest.raises(LogError):
        log.append([draft("lobby", "a")])
    away.rename(path)
    lost = log.names(["ann"])
    log.append([draft("lobby", "b")])

    assert (lost, log.names(["ann"])) == ({}, {"ann": "Ann"})


def test_a_name_is_written_once_a_day_or_when_it_is_another(log: SqliteLog, connections: list[Connection]) -> None:
    def writes(name: str, time_ms: int) -> bool:
        connections[-1].asked.clear()
        log.append([draft("lobby", "a", author=Author("ann", "c", name), time_ms=time_ms)])
        return any("person" in sql for sql in connections[-1].asked)

    day = 86_400_000
    assert [writes("Ann", 0), writes("Ann", 1), writes("Anna", 1), writes("Anna", day - 1), writes("Anna", day)] == [
        True,
        False,
        True,
        False,
        True,
    ]


def test_more_names_than_are_remembered_are_stored_all_the_same(
    log: SqliteLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KNOWN", 2)
    for number in range(5):
        log.append([draft("lobby", "a", author=Author(f"user {number}", "c", f"Name {number}"))])

    assert log.names([f"user {number}" for number in range(5)]) == {f"user {n}": f"Name {n}" for n in range(5)}


def test_a_database_from_before_gets_the_names_of_those_who_said_something(path: Path, tmp_path: Path) -> None:
    earlier = tmp_path / "migrations"
    earlier.mkdir()
    for name in ("0001_log.sql", "0002_moderation.sql"):
        (earlier / name).write_text((database_module.MIGRATIONS / name).read_text(encoding="utf-8"))
    Database.open(path, migrations=earlier).close()
    with shell(path) as connection:
        columns = "room_id, offset, post, key, user, client, name, time_ms, data"
        rows = [(1, "ann", "c", "Anna", 5), (2, "ann", "c", "Ann", 7), (3, "ann", "c", "A", 6), (4, "", "", "", 9)]
        for offset, *author, time_ms in rows:
            connection.execute(
                f"insert into entry ({columns}) values (1, ?, 1, '', ?, ?, ?, ?, '1')",  # noqa: S608
                (offset, *author, time_ms),
            )

    log = open_log(path)

    assert log.names(["ann", ""]) == {"ann": "Ann"}
    log.close()


def test_what_has_come_since_is_counted_without_a_walk_over_the_room(
    log: SqliteLog, connections: list[Connection]
) -> None:
    def cost(places: int) -> int:
        log.append([Keep(user="eve", room=f"room {number}", time_ms=0, read=0) for number in range(places)])
        log.append([Keep(user="eve", room="lobby", time_ms=0, read=0)])
        log.places("eve")
        before = connections[-1].steps
        assert log.places("eve")[0].unread == min(log.position("lobby").offset, 1_000)
        return connections[-1].steps - before

    for _ in range(2):
        log.append([draft("lobby", "a") for _ in range(500)])
    short = cost(0)
    for _ in range(10):
        log.append([msgspec.structs.replace(draft("lobby", "a"), told=("dan",)) for _ in range(500)])

    assert cost(0) <= short + 5
    assert log.places("eve")[0].mentions == 0


# Search


def said(*texts: str) -> list[Draft]:
    return [Draft("lobby", "", ANN, NOON_MS, b'{"text":"%s"}' % text.encode()) for text in texts]


def found(log: SqliteLog, query: str) -> list[int]:
    findings = log.search(Search(query=parse(query)), lambda _: True, limit=50)
    return [one.message.offset for one in findings.found]


def indexed(path: Path) -> tuple[int, int]:
    """Return up to which entry messages are in the index, and how many places of words there are in it."""
    with shell(path) as other:
        other.execute("create virtual table temp.found using fts5vocab (main, search, instance)")
        (last_id,) = other.execute("select last_id from indexed").fetchone()
        (places,) = other.execute("select count(*) from found where term not like char(57344) || '%'").fetchone()
    return last_id, places


def test_what_an_older_version_stored_is_found_at_once_and_indexed_behind(path: Path, tmp_path: Path) -> None:
    older = tmp_path / "migrations"
    older.mkdir()
    for number in ("0001_log", "0002_moderation"):
        shutil.copy(Path(str(database_module.MIGRATIONS)) / f"{number}.sql", older)
    Database.open(path, migrations=older).close()
    with shell(path) as other:
        other.execute("insert into log values ('e', x'00')")
        other.execute("insert into room values (1, 'lobby', 'e', 3, 0, 1)")
        for offset, text in enumerate(("apple", "pear", "plum"), 1):
            row = (offset, f'{{"text":"{text}"}}'.encode())
            other.execute("insert into entry values (1, ?, 1, '', 'ann', 'c', 'Ann', 1, ?)", row)
        other.execute("""insert into revision values (1, 2, cast('{"text":"apple pie"}' as blob), 1, 0)""")

    log = open_log(path)

    assert found(log, "apple") == [2, 1]
    assert log.index(limit=2) == 1
    assert indexed(path) == (2, 3)
    assert found(log, "apple") == [2, 1]
    assert found(log, "plum") == [3]
    assert [entry.data for entry in entries(log)] == [b'{"text":"apple"}', b'{"text":"pear"}', b'{"text":"plum"}']
    log.append(said("apple"))
    assert found(log, "apple") == [4, 2, 1]
    log.close()


def test_the_index_waits_until_there_is_a_step_to_do_and_tells_how_much_is_left(log: SqliteLog, path: Path) -> None:
    log.append(said("one", "two", "three", "four", "five"))

    assert log.index(limit=6) == 5
    assert indexed(path) == (0, 0)
    assert log.index(limit=2) == 3
    assert indexed(path) == (2, 2)
    assert log.index(limit=2) == 1
    assert indexed(path) == (4, 4)


def test_what_is_edited_deleted_and_forgotten_leaves_no_word_in_the_index(log: SqliteLog, path: Path) -> None:
    log.append(said("apple", "pear", "plum", "fig"))
    log.index(limit=4)

    log.append([Draft("lobby", "", ANN, NOON_MS, b"{}", change) for change in (Edit(1, "two words"), Delete(2))])
    assert indexed(path) == (4, 4)
    log.remove("lobby", last=3, limit=10)
    assert indexed(path) == (4, 1)
    log.remove("lobby", last=9, limit=10)
    assert indexed(path) == (4, 0)


def test_a_message_that_comes_after_all_were_removed_is_not_taken_for_one_that_is_indexed(log: SqliteLog) -> None:
    log.append(said("apple", "pear"))
    log.index(limit=2)
    log.remove("lobby", last=2, limit=10)

    log.append(said("apple"))

    assert found(log, "apple") == [3]


def test_a_search_looks_at_a_bounded_number_of_messages_and_goes_on_from_there(
    log: SqliteLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fulltext, "LOOK", 10)
    log.append([Draft("secret", "", ANN, NOON_MS, HELLO) for _ in range(25)])
    log.append(said("hello"))
    log.append([Draft("secret", "", ANN, NOON_MS, HELLO) for _ in range(14)])
    pages, search = [], Search(query=parse("hello"))

    while True:
        findings = log.search(search, lambda room: room == "lobby", limit=5)
        pages.append(len(findings.found))
        if findings.before is None:
            break
        search = msgspec.structs.replace(search, before=findings.before)
        log.index(limit=1)

    assert pages == [0, 1, 0, 0, 0]


def test_a_search_for_something_rare_takes_no_longer_in_a_room_that_has_grown(
    log: SqliteLog, connections: list[Connection]
) -> None:
    steps: list[int] = []
    for _ in range(2):
        log.append(said(*["common"] * 999, "rare common"))
        log.index(limit=1_000)
        assert len(found(log, "rare common")) == len(steps) + 1
        before = sum(connection.steps for connection in connections)
        found(log, "rare common")
        steps.append(sum(connection.steps for connection in connections) - before)

    assert steps[1] <= steps[0] + 2
