"""The log in a SQLite database: what was acknowledged survives the end of the process and a power cut.

One thread writes (`batch.py`), any number read, each on its own connection. The statements are in `sql.py`.
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
import threading
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Final

import msgspec

from chat.log import fulltext, sql
from chat.log import places as rules
from chat.log.batch import end_membership, keep_places, store_drafts
from chat.log.database import DatabaseError
from chat.log.port import (
    Draft,
    Entry,
    Findings,
    Found,
    Keep,
    Kept,
    LogError,
    MemberChange,
    Page,
    Place,
    Position,
    PrivateRoom,
    Rejected,
    RoomTopic,
    Ruling,
    Stored,
    Upload,
)
from chat.log.projection import text_of
from chat.log.rows import ROWS, fetch, run, select, to_entry, to_post, to_ruling, to_upload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from chat.log.database import Database
    from chat.log.port import Retention, Search

KNOWN: Final = 10_000

_MAX_INT: Final = 2**63 - 1
"""The greatest number that SQLite knows."""


class SqliteLog:
    """A `RoomLog` in a `Database`, which it closes with itself.

    `append` and `trim` are for one thread at a time. A thread that reads gets a connection of its own, which it
    keeps until `close`; so read from few threads, which last.
    """

    blocks = True

    def __init__(self, database: Database) -> None:
        """Raise `LogError` if the database does not answer."""
        self._database = database
        self._writer: sqlite3.Connection | None = None
        self._local = threading.local()
        with self._writing() as connection:
            connection.execute(
                "insert into log (epoch, secret) select ?, ? where not exists (select * from log)",
                (secrets.token_hex(8), secrets.token_bytes(32)),
            )
            found: tuple[str, bytes] = connection.execute("select epoch, secret from log").fetchone()
            self._epoch, self._secret = found
        self._known: dict[str, tuple[str, int]] = {}
        """The persons that are stored as they are here, name and day: at most `KNOWN`, so that few are stored twice."""

    def append(self, batch: Sequence[Draft | Keep]) -> list[Stored | Rejected | Kept]:
        """See `RoomLog.append`."""
        if not batch:
            return []
        drafts = [draft for draft in batch if type(draft) is Draft]
        keeps = [keep for keep in batch if type(keep) is Keep] if len(drafts) < len(batch) else []
        with self._writing() as connection:
            stored, entries = store_drafts(connection, drafts, self._epoch) if drafts else ([], [])
            kept = keep_places(connection, keeps) if keeps else []
            seen = self._unknown(entries, keeps)
            if seen:
                run(connection, sql.SAVE_PERSONS, [(user, *person) for user, person in seen.items()])
        if seen:
            if len(self._known) > KNOWN:
                self._known.clear()
            self._known |= seen
        if not keeps:  # as a rule
            return stored
        places_of, offsets_of = iter(kept), iter(stored)
        return [next(offsets_of if type(one) is Draft else places_of) for one in batch]

    def _unknown(self, entries: Sequence[Entry], keeps: Sequence[Keep]) -> dict[str, tuple[str, int]]:
        """Return what users are called, and the day, where that is not what is known to be stored."""
        said = ((entry.author.user, entry.author.name, entry.time_ms) for entry in entries if entry.author.client)
        kept = ((keep.user, keep.name, keep.time_ms) for keep in keeps if keep.name)
        persons = {user: (name, time_ms // rules.DAY_MS) for user, name, time_ms in chain(said, kept)}
        return {user: person for user, person in persons.items() if self._known.get(user) != person}

    def position(self, room: str) -> Position:
        """See `RoomLog.position`."""
        with self._reading() as connection:
            found = connection.execute(sql.ROOM, (room,)).fetchone()
        return Position(found[3], found[2]) if found else Position(0, self._epoch)

    def before(self, room: str, offset: int, limit: int) -> list[Entry]:
        """See `RoomLog.before`."""
        return self._entries(sql.BEFORE, room, offset, limit)

    def after(self, room: str, offset: int, limit: int) -> list[Entry]:
        """See `RoomLog.after`."""
        return self._entries(sql.AFTER, room, offset, limit)

    def _entries(self, query: str, room: str, offset: int, limit: int) -> list[Entry]:
        with self._reading() as connection:
            return [
                to_entry(row)
                for row in select(connection, query, {"room": room, "offset": min(offset, _MAX_INT), "limit": limit})
            ]

    def messages(self, room: str, *, after: int | None = None, before: int | None = None, limit: int) -> Page:
        """See `RoomLog.messages`."""
        with self._reading() as connection:
            found = connection.execute(sql.ROOM, (room,)).fetchone()
            if found is None:
                return Page([], Position(0, self._epoch))
            _, room_id, epoch, head = found
            if after is not None:
                rows = select(connection, sql.MESSAGES_AFTER, (room_id, min(after, _MAX_INT), limit))
            else:
                bound = _MAX_INT if before is None else min(before, _MAX_INT)
                rows = select(connection, sql.MESSAGES_BEFORE, (room_id, bound, limit))
            posts = {row[0]: to_post(row) for row in rows}
            if posts:
                found = select(connection, sql.REACTIONS, (room_id, rows[0][0], rows[-1][0]))
                for _, target, offset, emoji, user in found:
                    posts[target].react(emoji, user, offset)
        return Page([post.message() for post in posts.values()], Position(head, epoch))

    def search(self, search: Search, readable: Callable[[str], bool], *, limit: int) -> Findings:
        """See `RoomLog.search`. It looks at `fulltext.LOOK` messages at most."""
        with self._reading() as connection:
            room_id = None
            if search.room is not None:
                room = connection.execute(sql.ROOM, (search.room,)).fetchone()
                if room is None:
                    return Findings([], None)
                room_id = room[1]

            def asked_for(name: str) -> bool:
                return search.room in {None, name} and readable(name)

            proposals = fulltext.Proposals(connection, search, fulltext.match(search, room_id), asked_for)
            found: list[Found] = []
            while len(found) <= limit and not proposals.over:
                ids = proposals.more()
                for start in range(0, len(ids), ROWS):
                    if len(found) <= limit:
                        found += _found(connection, search, ids[start : start + ROWS], proposals.rooms)
        if len(found) > limit:
            return Findings(found[:limit], found[limit - 1].number)
        return Findings(found, None if proposals.exhausted else proposals.looked_down_to)

    def index(self, *, limit: int) -> int:
        """See `RoomLog.index`."""
        with self._writing() as connection:
            last_id, newest = fulltext.extent(connection)
            if newest - last_id < limit:
                return newest - last_id
            rows = select(connection, sql.TO_INDEX, (last_id, last_id + limit))
            said = [
                (entry_id, fulltext.indexed(room_id, user, data.encode())) for entry_id, room_id, user, data in rows
            ]
            fulltext.add(partial(run, connection), said)
            connection.execute("update indexed set last_id = ?", (last_id + limit,))
        return newest - last_id - limit

    def trim(self, rules: Sequence[Retention], *, limit: int) -> int:
        """See `RoomLog.trim`.

        Looking for rooms is a walk over all of them: 15 ms for 100,000, and 3 ms for each rule that none matches.
        """
        if not rules:
            return 0
        forgotten = 0
        asked = [limit, *chain.from_iterable((rule.glob, rule.keep_entries, rule.keep_since_ms) for rule in rules)]
        with self._writing() as connection:
            for room_id, head, tail, number in select(connection, sql.trimmable(len(rules)), asked):
                rule = rules[number]
                most = min(head - 1, tail + limit - forgotten)
                last = tail if rule.keep_entries is None else min(max(tail, head - rule.keep_entries), most)
                if rule.keep_since_ms is not None:
                    (kept,) = connection.execute(sql.FIRST_KEPT, (room_id, last, most, rule.keep_since_ms)).fetchone()
                    last = most if kept is None else kept - 1
                _forget(connection, room_id, last)
                forgotten += last - tail
                if forgotten == limit:
                    break
        return forgotten

    def remove(self, room: str, *, last: int, limit: int) -> int:
        """See `RoomLog.remove`."""
        with self._writing() as connection:
            found = connection.execute(sql.KEPT, (room,)).fetchone()
            if found is None:
                return 0
            room_id, head, tail = found
            up_to = min(last, head, tail + limit)
            if up_to <= tail:
                return 0
            _forget(connection, room_id, up_to)
        forgotten: int = up_to - tail
        return forgotten

    def topic(self, room: str) -> str:
        """See `RoomLog.topic`."""
        with self._reading() as connection:
            found = connection.execute(sql.TOPIC, (room,)).fetchone()
        return str(found[0]) if found else ""

    def find_rooms(self, query: str, limit: int) -> list[RoomTopic]:
        """See `RoomLog.find_rooms`."""
        with self._reading() as connection:
            return [RoomTopic(name, topic) for name, topic in connection.execute(sql.FIND_ROOMS, (query, limit))]

    def change_members(self, change: MemberChange) -> bool:
        """See `RoomLog.change_members`."""
        room, user, by, time_ms = change.room, change.user, change.by, change.time_ms
        with self._writing() as connection:
            if change.action == "leave":
                end_membership(connection, room, user)
                keep_places(connection, [rules.of_member(change)])
                return True
            if change.action == "create":
                there = bool(connection.execute(sql.SAVE_PRIVATE_ROOM, (room, user, time_ms)).rowcount)
            else:
                there = connection.execute(sql.HAS_PRIVATE_ROOM, (room,)).fetchone() is not None
            if not there:
                return False
            connection.execute(sql.SAVE_MEMBER, (room, user, by, time_ms))
            keep_places(connection, [rules.of_member(change)])
        return True

    def private_rooms(self) -> list[PrivateRoom]:
        """See `RoomLog.private_rooms`."""
        with self._reading() as connection:
            found = select(connection, sql.PRIVATE_ROOMS, ())
        return [PrivateRoom(name, creator, [user for _, user in sorted(members)]) for name, creator, members in found]

    def record(self, ruling: Ruling) -> Ruling:
        """See `RoomLog.record`."""
        action, kind = ruling.action, ruling.action.removeprefix("un")
        with self._writing() as connection:
            row = (ruling.room, action, ruling.user, ruling.by, ruling.by_role, ruling.time_ms, ruling.until_ms)
            (number,) = connection.execute(sql.SAVE_RULING, (*row, ruling.reason)).fetchone()
            if action != "kick":
                connection.execute(sql.FORGET_ENDED, (ruling.room, ruling.time_ms))
                connection.execute(sql.END_FORCE, (ruling.room, kind, ruling.user))
            if action == kind != "kick":
                connection.execute(sql.BEGIN_FORCE, (ruling.room, kind, ruling.user, number))
            if action in {"kick", "ban"}:
                end_membership(connection, ruling.room, ruling.user)
        return msgspec.structs.replace(ruling, number=number)

    def in_force(self, room: str, now_ms: int) -> list[Ruling]:
        """See `RoomLog.in_force`."""
        with self._reading() as connection:
            return [to_ruling(row) for row in select(connection, sql.IN_FORCE, (room, now_ms))]

    def bans(self, user: str, now_ms: int) -> list[Ruling]:
        """See `RoomLog.bans`."""
        with self._reading() as connection:
            return [to_ruling(row) for row in select(connection, sql.BANS, (user, now_ms))]

    def rulings(self, room: str, *, before: int | None = None, limit: int) -> list[Ruling]:
        """See `RoomLog.rulings`."""
        bound = _MAX_INT if before is None else min(before, _MAX_INT)
        with self._reading() as connection:
            return [to_ruling(row) for row in reversed(select(connection, sql.RULINGS, (room, bound, limit)))]

    def places(self, user: str) -> list[Place]:
        """See `RoomLog.places`. Takes 2 ms for 500 places, and 0.4 ms for each 1,000 messages that it looks at."""
        with self._reading() as connection:
            (number,) = connection.execute(sql.NUMBER_OF_PLACES, (user,)).fetchone()
            rows = select(connection, sql.PLACES, (user, rules.counted(number)))
        return [
            Place(room, Position(head, epoch or self._epoch), read, bool(notify), unread, mentions, topic)
            for room, epoch, head, read, notify, unread, mentions, topic in rows
        ]

    def names(self, users: Sequence[str]) -> dict[str, str]:
        """See `RoomLog.names`."""
        with self._reading() as connection:
            return dict(fetch(connection, sql.NAMES, [(user,) for user in users]))

    def forget_guests(self, before_ms: int, *, limit: int) -> int:
        """See `RoomLog.forget_guests`."""
        with self._writing() as connection:
            asked = (before_ms // rules.DAY_MS, limit)
            return sum(connection.execute(statement, asked).rowcount for statement in sql.FORGET_GUESTS)

    def keep_upload(self, upload: Upload, *, most_unsent_bytes: int) -> bool:
        """See `RoomLog.keep_upload`."""
        file = upload.file
        with self._writing() as connection:
            (unsent,) = connection.execute(sql.UNSENT_BYTES, (upload.user,)).fetchone()
            if unsent + file.size > most_unsent_bytes:
                return False
            row = (file.id, upload.hash, upload.room, upload.user, file.name, file.type, file.size)
            connection.execute(sql.SAVE_UPLOAD, (*row, file.width, file.height, file.thumb, upload.time_ms))
        return True

    def upload(self, file_id: str) -> Upload | None:
        """See `RoomLog.upload`."""
        with self._reading() as connection:
            found = select(connection, sql.UPLOADS.format("?"), (file_id,))
        return to_upload(found[0]) if found else None

    def forget_unsent(self, before_ms: int, *, limit: int) -> int:
        """See `RoomLog.forget_unsent`."""
        with self._writing() as connection:
            return connection.execute(sql.FORGET_UNSENT, (before_ms, limit)).rowcount

    def loose(self, *, limit: int) -> list[str]:
        """See `RoomLog.loose`."""
        with self._writing() as connection:
            connection.execute(sql.TIGHTEN)
            (array,) = connection.execute(sql.LOOSE, (limit,)).fetchone()
        return msgspec.json.decode(array, type=list[str])

    def forget_loose(self, hashes: Sequence[str]) -> None:
        """See `RoomLog.forget_loose`."""
        with self._writing() as connection:
            run(connection, sql.FORGET_LOOSE, [(each,) for each in hashes])

    def referred(self, hashes: Sequence[str]) -> set[str]:
        """See `RoomLog.referred`."""
        with self._reading() as connection:
            return {str(found) for found in fetch(connection, sql.REFERRED, [(each,) for each in hashes])}

    def secret(self) -> bytes:
        """See `RoomLog.secret`."""
        return self._secret

    def close(self) -> None:
        """See `RoomLog.close`."""
        self._database.close()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is on disk when the block has ended, or has left nothing when it raises.

        After an error comes a new connection: the old one may hold on to what made it fail.
        """
        try:
            if self._writer is None:
                self._writer = self._database.connect()
            self._writer.execute("begin immediate")
            yield self._writer
            self._database.check()  # before, so that nothing is stored in a file that may be put back
            self._writer.execute("commit")
        except BaseException as error:
            if self._writer is not None:
                self._database.discard(self._writer)
                self._writer = None
            self._explain(error, "written")
            raise

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A view of the database in which nothing changes, and which waits for no writer."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        try:
            if connection is None:
                connection = self._local.connection = self._database.connect()
                connection.execute("pragma query_only = on")
            connection.execute("begin")
            yield connection
            connection.execute("rollback")
        except BaseException as error:
            if connection is not None:
                self._database.discard(connection)
                self._local.connection = None
            self._explain(error, "read")
            raise

    def _explain(self, error: BaseException, done: str) -> None:
        """Raise a `LogError` for an error of the database. Neither SQLite's words nor ours quote what was said."""
        if isinstance(error, DatabaseError):
            raise LogError(str(error)) from error
        if isinstance(error, sqlite3.Error):
            raise LogError(f"{self._database.path} cannot be {done}: {error}") from error


def _found(
    connection: sqlite3.Connection, search: Search, ids: Sequence[int], rooms: dict[int, str | None]
) -> list[Found]:
    """Return the messages among the proposed ones that are asked for."""
    found = []
    for number, room_id, *row in sorted(fetch(connection, sql.FOUND, [(entry_id,) for entry_id in ids]), reverse=True):
        post = to_post(row)
        room, text = rooms[room_id], text_of(post.data)
        if (
            room is not None
            and search.user in {None, post.author.user}
            and text is not None
            and search.query.finds(text)
        ):
            found.append(Found(number, room, post.message()))
    return found


def _forget(connection: sqlite3.Connection, room_id: int, last: int) -> None:
    """Forget what a room has up to an offset."""
    posts = select(connection, sql.FORGOTTEN, (room_id, last))
    gone = [(entry_id, fulltext.indexed(room_id, user, data.encode())) for entry_id, user, data in posts]
    fulltext.remove(partial(run, connection), gone)
    for statement in sql.TRIM:
        connection.execute(statement, {"room": room_id, "last": last})
