"""Bugs in where entries are, and in which sequence."""

# A bug is planted where it would be: inside.
# ruff: noqa: SLF001

from __future__ import annotations

import secrets
from collections import deque
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from actors.journal import JournalActor
from actors.messages import Open
from actors.room import RoomActor
from chat.log import Position, SqliteLog, batch, sql
from tests.checker.bug import found_as, wrap

if TYPE_CHECKING:
    import sqlite3

    import pytest

    from actors.messages import Opened


@found_as("sender order")
def stores_the_last_of_a_batch_first(patch: pytest.MonkeyPatch) -> None:
    """Batches are made from the wrong end of the queue."""

    def hand_over(original: Any, journal: JournalActor) -> Any:
        journal._waiting = deque(reversed(journal._waiting))
        return original(journal)

    wrap(patch, JournalActor, "_hand_over", hand_over)


@found_as("unanswered", "diverged")
def counts_anew_after_a_start(patch: pytest.MonkeyPatch) -> None:
    """Offsets come from memory, where they begin with 1. The database refuses what is there already."""
    _count_in_memory(patch, anew=True)


@found_as("gap")
def counts_what_failed(patch: pytest.MonkeyPatch) -> None:
    """Offsets come from memory, where those of a batch that failed are gone."""
    _count_in_memory(patch, anew=False)


def _count_in_memory(patch: pytest.MonkeyPatch, *, anew: bool) -> None:
    heads: dict[str, int] = {}

    def start(original: Any, log: SqliteLog, *args: object) -> None:
        heads.clear()
        original(log, *args)

    def rooms(original: Any, *args: object) -> Any:
        found = original(*args)
        for name, room in found.items():
            room.head = heads.setdefault(name, 0 if anew else room.head)
        return found

    def save(original: Any, connection: sqlite3.Connection, rooms: dict[str, Any]) -> None:
        if not anew:
            heads.update({name: room.head for name, room in rooms.items()})
        original(connection, rooms)
        heads.update({name: room.head for name, room in rooms.items()})

    wrap(patch, SqliteLog, "__init__", start)
    wrap(patch, batch, "_rooms", rooms)
    wrap(patch, batch, "_save_entries", save)


@found_as("gap")
def stores_half_of_a_batch(patch: pytest.MonkeyPatch) -> None:
    """Where the rooms stand is committed before the entries are, and stays when those fail."""

    def execute(original: Any, connection: sqlite3.Connection, statement: str, rows: Any) -> Any:
        found = original(connection, statement, rows)
        if statement == sql.SAVE_ROOMS:
            connection.execute("commit")
            connection.execute("begin immediate")
        return found

    wrap(patch, batch, "run", execute)


@found_as("diverged", "lost")
def begins_with_an_empty_log(patch: pytest.MonkeyPatch) -> None:
    """What is in the file is deleted at the start."""

    def start(original: Any, log: SqliteLog, database: Any) -> None:
        connection = database.connect()
        connection.executescript(_DELETE_ALL)
        database.discard(connection)
        original(log, database)

    wrap(patch, SqliteLog, "__init__", start)


_DELETE_ALL = "delete from log; delete from room; delete from entry; delete from revision; delete from reaction"


@found_as("gap", "diverged")
def gives_rooms_a_new_epoch_at_the_start(patch: pytest.MonkeyPatch) -> None:
    """Whoever comes back is told that its position means nothing any more."""

    def start(original: Any, log: SqliteLog, *args: object) -> None:
        original(log, *args)
        with log._writing() as connection:
            log._epoch = secrets.token_hex(8)
            connection.execute("update room set epoch = ?", (log._epoch,))
            connection.execute("update log set epoch = ?", (log._epoch,))

    wrap(patch, SqliteLog, "__init__", start)


@found_as("diverged")
def takes_positions_of_another_epoch(patch: pytest.MonkeyPatch) -> None:
    """Epochs change at the start, and nobody looks at them."""
    gives_rooms_a_new_epoch_at_the_start(patch)

    def recoverable(original: Any, room: RoomActor, position: Position) -> Any:
        return original(room, Position(position.offset, ""))

    wrap(patch, RoomActor, "_recoverable", recoverable)


@found_as("gap", "duplicated")
def begins_at_zero_after_a_restart(patch: pytest.MonkeyPatch) -> None:
    """The next incarnation of a room does not ask the log where it stands."""

    def opened(original: Any, room: RoomActor, opened: Opened) -> None:
        begun = bool(room._position.epoch)
        original(room, opened if begun else replace(opened, position=Position(0, opened.position.epoch)))

    wrap(patch, RoomActor, "_opened", opened)


@found_as("gap", "duplicated")
def takes_requests_before_it_knows_where_it_stands(patch: pytest.MonkeyPatch) -> None:
    """A room that starts does not wait for the log."""

    def on_start(room: RoomActor) -> None:
        room._reader.tell(Open(room.actor_ref, room._channel, 0))

    patch.setattr(RoomActor, "on_start", on_start)


@found_as("gap", "wrong state")
def remembers_where_rooms_stood(patch: pytest.MonkeyPatch) -> None:
    """The reader looks once, and never again."""
    known: dict[tuple[int, str], Position] = {}

    def position(original: Any, log: SqliteLog, room: str) -> Position:
        return known.setdefault((id(log), room), original(log, room))

    wrap(patch, SqliteLog, "position", position)
