"""What happens to a database when drafts are stored and places change, a batch in one transaction.

Positions, send keys and the state of messages are looked up in the transaction that stores; nothing is remembered.
"""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from chat.log import fulltext, sql
from chat.log import places as rules
from chat.log.port import Delete, Stored, Topic
from chat.log.projection import Room
from chat.log.rows import fetch, run, to_entry, to_post, to_upload

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from chat.log.port import Change, Draft, Entry, Keep, Kept, Rejected, Upload
    from chat.log.projection import Post

_Changing = tuple[str, "Change"]
"""The name of a room, and what a draft is to do to a message there."""

_Reaction = tuple[int, int, int, str, str]
"""The id of the room, the offset of the message, that of the reaction, the emoji, the user."""


class _Room(Room):
    """As much of a room as a batch refers to. Its `entries` are the new ones; `id` is 0 until it has some."""

    __slots__ = ("id", "targets")

    def __init__(self, room_id: int, epoch: str, head: int, uploads: dict[str, Upload]) -> None:
        super().__init__(epoch, head, uploads)
        self.id = room_id
        self.targets: dict[int, tuple[int, bytes]] = {}
        """The ids of the entries of earlier posts that the batch may change, and the posts' data before."""


def store_drafts(
    connection: sqlite3.Connection, drafts: Sequence[Draft], epoch: str
) -> tuple[list[Stored | Rejected | Kept], list[Entry]]:
    """Store drafts, in rooms that are new with this epoch. Return the answers, and what was stored."""
    rooms = _rooms(connection, drafts, epoch)
    _load_repeats(connection, rooms, drafts)
    if any(draft.files for draft in drafts):
        _load_uploads(connection, rooms, drafts)
    changing = _changing(drafts)
    before: set[_Reaction] = set()
    if changing:  # as a rule there are none
        _load_targets(connection, rooms, changing)
        before = _reactions(rooms, changing)
    answers: list[Stored | Rejected | Kept] = [rooms[draft.room].take(draft) for draft in drafts]
    _save_entries(connection, rooms)
    if changing:
        _save_changes(connection, rooms, changing, before)
        _index_changes(connection, rooms)
        _drop_files(connection, rooms, changing)
    if any(draft.told or draft.direct for draft in drafts):
        _save_told(connection, rooms, drafts, answers)
    return answers, [entry for room in rooms.values() for entry in room.entries.values()]


def keep_places(connection: sqlite3.Connection, keeps: Sequence[Keep]) -> list[Kept | Rejected]:
    """Change places, each read and written once whatever is changed about it."""
    asked = list(dict.fromkeys((keep.user, keep.room) for keep in keeps))
    heads: dict[tuple[str, str], int] = {}
    states: dict[tuple[str, str], rules.State | None] = {}
    for user, room, head, read, notify, day in fetch(connection, sql.PLACES_AT, asked):
        heads[user, room] = head
        states[user, room] = None if read is None else rules.State(read, bool(notify), day)
    before = dict(states)
    without = {user for (user, _), state in states.items() if state is None}
    numbers = dict(fetch(connection, sql.PLACES_OF, [(user,) for user in without]))
    answers: list[Kept | Rejected] = []
    for keep in keeps:
        place = (keep.user, keep.room)
        was = states[place]
        states[place], answer = rules.after(was, keep, heads[place], numbers.get(keep.user, 0))
        if keep.user in numbers:
            numbers[keep.user] += (states[place] is not None) - (was is not None)
        answers.append(answer)
    changed = [(place, state) for place, state in states.items() if state != before[place]]
    run(connection, sql.DELETE_PLACES, [place for place, state in changed if state is None])
    run(connection, sql.SAVE_PLACES, [(*place, *state) for place, state in changed if state is not None])
    return answers


def end_membership(connection: sqlite3.Connection, room: str, user: str) -> None:
    """Have somebody be no member of a room any more, and the room end if that was the last one."""
    for statement, known in zip(sql.END_MEMBERSHIP, ((room, user), (room,)), strict=True):
        connection.execute(statement, known)


def _rooms(connection: sqlite3.Connection, drafts: Sequence[Draft], epoch: str) -> dict[str, _Room]:
    names = {draft.room for draft in drafts}
    if len(names) == 1:  # a tenth off what a lone message costs
        (only,) = names
        found = connection.execute(sql.ROOM, (only,)).fetchall()
    else:
        found = fetch(connection, sql.ROOMS, [(name,) for name in names])
    uploads: dict[str, Upload] = {}
    rooms = {name: _Room(room_id, epoch, head, uploads) for name, room_id, epoch, head in found}
    for name in names - rooms.keys():
        rooms[name] = _Room(0, epoch, 0, uploads)
    return rooms


def _changing(drafts: Sequence[Draft]) -> list[_Changing]:
    """Return what drafts are to do to messages, in their order."""
    return [
        (draft.room, draft.change)
        for draft in drafts
        if draft.change is not None and not isinstance(draft.change, Topic)
    ]


def _load_repeats(connection: sqlite3.Connection, rooms: dict[str, _Room], drafts: Sequence[Draft]) -> None:
    """Let rooms know the entries that were stored under the keys of the drafts."""
    known = {room.id: room for room in rooms.values()}
    keys = [
        (draft.key, draft.author.user, rooms[draft.room].id) for draft in drafts if draft.key and rooms[draft.room].id
    ]
    for room_id, *row in fetch(connection, sql.REPEATS, keys):
        entry = to_entry(row)
        known[room_id].by_key[entry.author.user, entry.key] = entry


def _load_targets(connection: sqlite3.Connection, rooms: dict[str, _Room], changing: Sequence[_Changing]) -> None:
    """Let rooms know the posts that the drafts would change."""
    known = {room.id: room for room in rooms.values()}
    targets = {(rooms[name].id, change.target) for name, change in changing if 0 < change.target <= rooms[name].head}
    for room_id, entry_id, *row in fetch(connection, sql.TARGETS, list(targets)):
        post = known[room_id].posts[row[0]] = to_post(row)
        known[room_id].targets[post.offset] = entry_id, post.data
    for room_id, target, offset, emoji, user in sorted(fetch(connection, sql.TARGETS_REACTIONS, list(targets))):
        known[room_id].posts[target].react(emoji, user, offset)


def _load_uploads(connection: sqlite3.Connection, rooms: dict[str, _Room], drafts: Sequence[Draft]) -> None:
    """Let rooms know the uploads that drafts are to be sent with. All of them share the one dictionary."""
    ids = {file_id for draft in drafts for file_id in draft.files}
    known = rooms[drafts[0].room].uploads
    for row in fetch(connection, sql.UPLOADS, [(file_id,) for file_id in ids]):
        known[row[0]] = to_upload(row)


def _save_entries(connection: sqlite3.Connection, rooms: dict[str, _Room]) -> None:
    """Store the new entries of rooms, and the rooms themselves as far as they have some."""
    grown = [(name, room) for name, room in rooms.items() if room.entries]
    if not grown:
        return
    if any(not room.id for _, room in grown):
        (next_id,) = connection.execute(sql.NEXT_ROOM_ID).fetchone()
        for _, room in grown:
            if not room.id:
                room.id, next_id = next_id, next_id + 1
    (first_id,) = connection.execute(sql.NEXT_ID).fetchone()
    ids = count(first_id)
    rows = [
        (
            next(ids),
            room.id,
            offset in room.posts,
            offset,
            entry.key,
            author.user,
            author.client,
            author.name,
            entry.time_ms,
            entry.data,
        )
        for _, room in grown
        for offset, entry in room.entries.items()
        for author in (entry.author,)
    ]
    heads = [
        (room.id, name, room.epoch, room.head, 0, next(iter(room.entries.values())).time_ms) for name, room in grown
    ]
    run(connection, sql.SAVE_ROOMS, heads)
    run(connection, sql.SAVE_ENTRIES, rows)
    for _, room in grown:
        if room.topic is not None:
            connection.execute(sql.SAVE_TOPIC, (room.topic, room.id))
    for upload in grown[0][1].uploads.values():  # of all rooms; few, since most messages have none
        if upload.offset is not None:
            connection.execute("update upload set offset = ? where id = ?", (upload.offset, upload.file.id))


def _save_told(
    connection: sqlite3.Connection,
    rooms: dict[str, _Room],
    drafts: Sequence[Draft],
    answers: list[Stored | Rejected | Kept],
) -> None:
    """Store who is to be told of the new entries of rooms, and the places that begin with those that are direct.

    Answers say so where the author's began.
    """
    told = [(user, room.id, offset) for room in rooms.values() for offset, users in room.told.items() for user in users]
    run(connection, sql.SAVE_MENTIONS, told)
    begin = [
        (at, keep)
        for at, (draft, answer) in enumerate(zip(drafts, answers, strict=True))
        if isinstance(answer, Stored) and not answer.duplicate
        for keep in rules.of_message(draft, answer.entry.offset)
    ]
    if begin:
        for (at, keep), kept in zip(begin, keep_places(connection, [keep for _, keep in begin]), strict=True):
            answers[at] = rules.begun(answers[at], keep, kept)


def _index_changes(connection: sqlite3.Connection, rooms: dict[str, _Room]) -> None:
    """Have the index say what the posts that it has say now."""
    old, new, last_id = [], [], fulltext.last_indexed(connection)
    for room in rooms.values():
        for offset, (entry_id, before) in room.targets.items():
            post = room.posts[offset]
            if post.data != before and entry_id <= last_id:
                old.append((entry_id, fulltext.indexed(room.id, post.author.user, before)))
                new.append((entry_id, fulltext.indexed(room.id, post.author.user, post.data)))
    fulltext.remove(partial(run, connection), old)
    fulltext.add(partial(run, connection), new)


def _save_changes(
    connection: sqlite3.Connection, rooms: dict[str, _Room], changing: Sequence[_Changing], before: set[_Reaction]
) -> None:
    """Store the posts that drafts were to change as they are now; before, they had these reactions."""
    after = _reactions(rooms, changing)
    run(connection, sql.DELETE_REACTIONS, [reaction[:3] for reaction in before - after])
    run(connection, sql.SAVE_REACTIONS, sorted(after - before))
    revisions = [
        (room_id, post.offset, post.data, post.edited_ms, post.deleted_ms)
        for room_id, post in _targets(rooms, changing)
        if post.edited_ms or post.deleted_ms
    ]
    run(connection, sql.SAVE_REVISIONS, revisions)
    run(connection, sql.DELETE_MENTIONS, [(room_id, target) for room_id, target, _, _, deleted in revisions if deleted])


def _drop_files(connection: sqlite3.Connection, rooms: dict[str, _Room], changing: Sequence[_Changing]) -> None:
    """Forget the uploads of the messages that drafts have deleted."""
    for room, change in changing:
        if isinstance(change, Delete):
            post = rooms[room].posts.get(change.target)
            if post is not None and post.deleted_ms:
                connection.execute("delete from upload where room = ? and offset = ?", (room, post.offset))


def _reactions(rooms: dict[str, _Room], changing: Sequence[_Changing]) -> set[_Reaction]:
    return {
        (room_id, post.offset, offset, emoji, user)
        for room_id, post in _targets(rooms, changing)
        for emoji, users in post.reactions.items()
        for user, offset in users.items()
    }


def _targets(rooms: dict[str, _Room], changing: Sequence[_Changing]) -> list[tuple[int, Post]]:
    """Return the posts that drafts change, once each, with the ids of their rooms."""
    places = {(name, change.target) for name, change in changing}
    return [(rooms[name].id, rooms[name].posts[target]) for name, target in places if target in rooms[name].posts]
