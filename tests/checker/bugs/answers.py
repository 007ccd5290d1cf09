"""Bugs in what senders are told."""

# A bug is planted where it would be: inside.
# ruff: noqa: SLF001

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from actors.client import ClientActor
from actors.journal import JournalActor
from actors.messages import Written
from actors.runtime.cell import Cell
from chat.errors import Error
from chat.log import Entry, LogError, Rejected, SqliteLog, Stored, projection
from tests.checker.bug import found_as, nothing, wrap

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    import pytest

    from chat.log import Draft


@found_as("lost")
def acknowledges_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    """A transaction is committed when the next one begins, or somebody reads."""

    def finish(log: SqliteLog) -> sqlite3.Connection:
        if log._writer is None:
            log._writer = log._database.connect()
        if log._writer.in_transaction:
            log._writer.execute("commit")
        return log._writer

    @contextlib.contextmanager
    def writing(log: SqliteLog) -> Iterator[sqlite3.Connection]:
        connection = finish(log)
        connection.execute("begin immediate")
        yield connection

    def reading(original: Any, log: SqliteLog) -> Any:
        finish(log)
        return original(log)

    patch.setattr(SqliteLog, "_writing", writing)
    wrap(patch, SqliteLog, "_reading", reading)


@found_as("lost", "diverged")
def acknowledges_a_batch_that_failed(patch: pytest.MonkeyPatch) -> None:
    """An error at the commit is swallowed."""
    original: Any = SqliteLog._writing

    @contextlib.contextmanager
    def writing(log: SqliteLog) -> Iterator[sqlite3.Connection]:
        with contextlib.suppress(LogError), original(log) as connection:
            yield connection

    patch.setattr(SqliteLog, "_writing", writing)


@found_as("diverged")
def mixes_up_the_answers_of_a_batch(patch: pytest.MonkeyPatch) -> None:
    """Each sender is told the place of the next one's entry."""

    def written(original: Any, journal: JournalActor, written: Written) -> None:
        original(journal, Written(written.appends, written.places[1:] + written.places[:1]))

    wrap(patch, JournalActor, "_written", written)


@found_as("unanswered")
def does_not_answer_when_the_log_fails(patch: pytest.MonkeyPatch) -> None:
    """Refusals do not leave the client actor."""
    patch.setattr(ClientActor, "_fail", nothing)


@found_as("unanswered")
def loses_what_waits_when_the_journal_crashes(patch: pytest.MonkeyPatch) -> None:
    """The journal does not answer for what its crash takes along."""
    patch.setattr(JournalActor, "on_failure", nothing)


@found_as("unanswered")
def drops_the_mailbox_of_a_room_that_restarts(patch: pytest.MonkeyPatch) -> None:
    """The next incarnation begins with an empty mailbox."""

    def incarnate(original: Any, cell: Cell[Any]) -> None:
        if cell.incarnations and cell.path.startswith("/rooms/"):
            cell.mailbox.drain()
        original(cell)

    wrap(patch, Cell, "incarnate", incarnate)


@found_as("refused but stored")
def says_never_where_it_is_not_known(patch: pytest.MonkeyPatch) -> None:
    """After a crash of the writer senders are told for good that nothing was stored."""
    patch.setattr("actors.journal.error_of", lambda _: Error(100, "no"))


@found_as("refused but stored")
def stores_a_change_that_it_rejects(patch: pytest.MonkeyPatch) -> None:
    """Who edits somebody else's message is told no, and the entry is there."""

    def take(original: Any, room: projection.Room, draft: Draft) -> Stored | Rejected:
        answer: Stored | Rejected = original(room, draft)
        if isinstance(answer, Rejected):
            room.head += 1
            room.entries[room.head] = Entry(room.head, "", draft.author, draft.time_ms, draft.data)
        return answer

    wrap(patch, projection.Room, "take", take)
