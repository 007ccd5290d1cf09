"""Bugs in telling a repeat from something new."""

# A bug is planted where it would be: inside.

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from actors import replies
from chat.log import Entry, SqliteLog, Stored, batch, projection, sql
from chat.log.rows import to_entry
from tests.checker.bug import found_as, wrap

if TYPE_CHECKING:
    import sqlite3

    import pytest

    from actors.messages import Placed
    from chat.log import Draft


@found_as("duplicated")
def does_not_look_at_keys(patch: pytest.MonkeyPatch) -> None:
    """A repeat is something new."""

    def take(original: Any, room: projection.Room, draft: Draft) -> Any:
        return original(room, replace(draft, key=""))

    wrap(patch, projection.Room, "take", take)


@found_as("duplicated")
def forgets_keys_with_the_process(patch: pytest.MonkeyPatch) -> None:
    """Keys are kept in memory only."""
    known: dict[tuple[str, str, str], Entry] = {}

    def start(original: Any, log: SqliteLog, *args: object) -> None:
        known.clear()
        original(log, *args)

    def append(original: Any, log: SqliteLog, drafts: Any) -> Any:
        before = dict(known)
        try:
            return original(log, drafts)
        except BaseException:
            known.clear()
            known.update(before)
            raise

    def take(original: Any, room: projection.Room, draft: Draft) -> Any:
        key = (draft.room, draft.author.user, draft.key)
        if draft.key and key in known:
            return Stored(known[key], room.epoch, duplicate=True)
        answer = original(room, replace(draft, key=""))
        if draft.key and isinstance(answer, Stored):
            known[key] = answer.entry
        return answer

    wrap(patch, SqliteLog, "__init__", start)
    wrap(patch, SqliteLog, "append", append)
    wrap(patch, projection.Room, "take", take)


@found_as("diverged", "lost")
def takes_the_same_key_of_another_author_for_a_repeat(patch: pytest.MonkeyPatch) -> None:
    """Who sends second is told where the first one's message is."""
    _look_up_keys(patch, "entry.room_id = :room_id")


@found_as("diverged", "lost")
def takes_the_same_key_in_another_room_for_a_repeat(patch: pytest.MonkeyPatch) -> None:
    """Who uses a key in a second room is told where it is in the first."""
    _look_up_keys(patch, "user = :user")


def _look_up_keys(patch: pytest.MonkeyPatch, condition: str) -> None:
    def load(connection: sqlite3.Connection, rooms: dict[str, Any], drafts: list[Draft]) -> None:
        for draft in drafts:
            found = connection.execute(
                f"select {sql.ENTRY} from entry where key = :key and key <> '' and {condition}",  # noqa: S608
                {"key": draft.key, "user": draft.author.user, "room_id": rooms[draft.room].id},
            ).fetchone()
            if found is not None:
                rooms[draft.room].by_key[draft.author.user, draft.key] = to_entry(found)

    patch.setattr(batch, "_load_repeats", load)


@found_as("duplicated")
def takes_guests_for_new_ones_after_a_start(patch: pytest.MonkeyPatch) -> None:
    """What guest tokens are signed with is made anew."""
    patch.setattr(SqliteLog, "secret", lambda _: secrets.token_bytes(32))


@found_as("not idempotent", "diverged")
def answers_a_repeat_with_a_new_place(patch: pytest.MonkeyPatch) -> None:
    """The place of a repeat is the one after the right one."""

    def placed_result(original: Any, command: Any, placed: Placed) -> Any:
        offset = placed.entry.offset + placed.duplicate
        return original(command, replace(placed, entry=replace(placed.entry, offset=offset)))

    wrap(patch, replies, "_placed", placed_result)
