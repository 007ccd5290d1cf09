"""Bugs in what entries come to."""

# A bug is planted where it would be: inside.
# ruff: noqa: SLF001

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from chat.log import Delete, Edit, Page, Position, SqliteLog, batch, projection, sql
from tests.checker.bug import found_as, wrap

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    import pytest

    from chat.log import Change, Draft, Message, Topic


@found_as("wrong state")
def edits_another_message(patch: pytest.MonkeyPatch) -> None:
    """An edit is made to the message before the one that it names."""

    def append(original: Any, log: SqliteLog, drafts: list[Draft]) -> Any:
        return original(log, [replace(draft, change=_aside(draft.change)) for draft in drafts])

    wrap(patch, SqliteLog, "append", append)


def _aside(change: Change | Topic | None) -> Change | Topic | None:
    return Edit(max(change.target - 1, 1), change.text) if isinstance(change, Edit) else change


@found_as("wrong state")
def brings_messages_up_to_date_later(patch: pytest.MonkeyPatch) -> None:
    """Messages are updated in a transaction of their own, before the next batch."""
    due: list[Callable[[sqlite3.Connection], object]] = []

    def save(original: Any, _: sqlite3.Connection, *changes: Any) -> None:
        due.append(lambda connection: original(connection, *changes))

    def append(original: Any, log: SqliteLog, drafts: list[Draft]) -> Any:
        while due:
            with log._writing() as connection:
                due.pop(0)(connection)
        return original(log, drafts)

    wrap(patch, batch, "_save_changes", save)
    wrap(patch, SqliteLog, "append", append)


@found_as("wrong state")
def keeps_deleted_messages_on_the_page(patch: pytest.MonkeyPatch) -> None:
    """A deletion is stored and shown, and changes nothing."""

    def change(original: Any, post: projection.Post | None, draft: Draft, offset: int) -> Any:
        if isinstance(draft.change, Delete) and post is not None and post.author.user == draft.author.user:
            return None
        return original(post, draft, offset)

    wrap(patch, projection, "_change", change)


@found_as("wrong state")
def counts_reactions_twice(patch: pytest.MonkeyPatch) -> None:
    """Each user is there twice."""

    def message(original: Any, post: projection.Post) -> Message:
        found: Message = original(post)
        return replace(found, reactions={emoji: users * 2 for emoji, users in found.reactions.items()})

    wrap(patch, projection.Post, "message", message)


@found_as("wrong state")
def keeps_reactions_that_were_taken_back(patch: pytest.MonkeyPatch) -> None:
    """They are not deleted from the database."""

    def execute(original: Any, connection: sqlite3.Connection, statement: str, rows: Any) -> Any:
        return original(connection, statement, [] if statement == sql.DELETE_REACTIONS else rows)

    wrap(patch, batch, "run", execute)


@found_as("wrong state")
def reads_a_page_after_its_position(patch: pytest.MonkeyPatch) -> None:
    """A page has the position that the room had when it was last asked for."""
    latest: dict[str, Position] = {}

    def messages(original: Any, log: SqliteLog, room: str, **where: Any) -> Page:
        page: Page = original(log, room, **where)
        before = latest.get(room, page.position)
        latest[room] = page.position
        return Page(page.messages, before)

    wrap(patch, SqliteLog, "messages", messages)


@found_as("lost")
def leaves_out_the_first_entry_of_a_page(patch: pytest.MonkeyPatch) -> None:
    """Who reads on in the history begins one too late."""

    def after(original: Any, log: SqliteLog, room: str, offset: int, limit: int) -> Any:
        return original(log, room, offset + 1, limit)

    wrap(patch, SqliteLog, "after", after)
