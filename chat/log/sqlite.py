"""The log in a SQLite database: what was acknowledged survives the end of the process and a power cut.

One thread writes, any number read, each on its own connection. Positions, send keys and the state of messages are
looked up in the database, inside the transaction that stores; nothing is remembered from one call to the next.

Many rows come and go as one: in as a list of VALUES, out as one JSON array. Python gives the interpreter lock back
at every row that a statement steps to, and where other threads are busy it may take 5 ms to get it again. Row by row,
1 of 100 reads of 300 entries took 4 seconds beside a busy thread; as one row, 30 ms.
"""

# The statements are put together from constants and question marks.
# ruff: noqa: S608

from __future__ import annotations

import contextlib
import secrets
import sqlite3
import threading
from functools import cache, partial
from itertools import chain, count
from typing import TYPE_CHECKING, Any, Final

import msgspec

from chat.log import fulltext
from chat.log import places as rules
from chat.log.database import DatabaseError
from chat.log.port import (
    Author,
    Delete,
    Draft,
    Entry,
    File,
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
    Topic,
    Upload,
)
from chat.log.projection import Post, Room, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from chat.log.database import Database
    from chat.log.port import Change, Retention, Search

_Changing = tuple[str, "Change"]
"""The name of a room, and what a draft is to do to a message there."""

_Reaction = tuple[int, int, int, str, str]
"""The id of the room, the offset of the message, that of the reaction, the emoji, the user."""

KNOWN: Final = 10_000

ROWS: Final = 100
"""Most rows of one statement. Each number of rows is a statement of its own, which stays prepared."""

_MAX_INT: Final = 2**63 - 1
"""The greatest number that SQLite knows."""

_COLUMNS: Final = "offset, key, user, client, name, time_ms, data"
_ENTRY: Final = "entry.offset, key, user, client, name, time_ms, cast(entry.data as text)"
_POST: Final = (
    "entry.offset, user, client, name, time_ms, cast(coalesce(revision.data, entry.data) as text), "
    "coalesce(edited_ms, 0), coalesce(deleted_ms, 0)"
)
_REVISION: Final = "left join revision on revision.room_id = entry.room_id and revision.target = entry.offset"

_ROOMS: Final = "select json_group_array(json_array(name, id, epoch, head)) from room where name in ({})"

# `indexed by` states what it relies on: without that index each key would cost a walk over all entries.
_REPEATS: Final = f"""
    with draft (key, user, room_id) as (values {{}})
    select json_group_array(json_array(room_id, {_ENTRY}))
    from draft cross join entry indexed by entry_key using (key, user, room_id) where entry.key <> ''"""

_TARGETS: Final = f"""
    with change (room_id, offset) as (values {{}})
    select json_group_array(json_array(entry.room_id, entry.id, {_POST}))
    from change cross join entry using (room_id, offset) {_REVISION} where post = 1"""

_TARGETS_REACTIONS: Final = """
    with change (room_id, target) as (values {})
    select json_group_array(json_array(room_id, target, offset, emoji, user))
    from change cross join reaction using (room_id, target)"""

_NEXT_ROOM_ID: Final = "select ifnull(max(id), 0) + 1 from room"

_SAVE_ROOMS: Final = """
    insert into room (id, name, epoch, head, tail, oldest_ms) values {}
    on conflict (id) do update set
        head = excluded.head, oldest_ms = case when head = tail then excluded.oldest_ms else oldest_ms end"""

# Not one that was used before, although its entry may be gone: the index is up to `last_id`.
_NEXT_ID: Final = "select max(ifnull((select max(id) from entry), 0), last_id) + 1 from indexed"

_SAVE_ENTRIES: Final = f"insert into entry (id, room_id, post, {_COLUMNS}) values {{}}"

_SAVE_REVISIONS: Final = "insert or replace into revision (room_id, target, data, edited_ms, deleted_ms) values {}"

_SAVE_REACTIONS: Final = "insert into reaction (room_id, target, offset, emoji, user) values {}"

# Not `in (values …)`: for that SQLite walks over all reactions, as soon as there are two rows.
_DELETE_REACTIONS: Final = """
    with gone (room_id, target, offset) as (values {})
    delete from reaction where (room_id, target, offset) in (select * from gone)"""

_SAVE_TOPIC: Final = "update room set topic = ? where id = ?"

_TOPIC: Final = "select topic from room where name = ?"

# SQLite knows which letters of ASCII are the same, and no others. A walk over all rooms: 50 ms for 100,000.
_FIND_ROOMS: Final = """
    select name, topic from room
    where (instr(lower(name), lower(?1)) or instr(lower(topic), lower(?1)))
    and name not like '$%' and not instr(name, '#')
    order by head desc, name limit ?2"""

_ROOM: Final = "select name, id, epoch, head from room where name = ?"

# The posts and the changes of a room are two ranges of the index, which SQLite merges as it goes.
_BEFORE: Final = f"""
    with here as (select id from room where name = :room)
    select json_group_array(json_array({_ENTRY})) from (
        select {_COLUMNS} from entry where room_id = (select id from here) and post = 0 and offset < :offset
        union all
        select {_COLUMNS} from entry where room_id = (select id from here) and post = 1 and offset < :offset
        order by offset desc limit :limit
    ) as entry"""

_AFTER: Final = _BEFORE.replace("offset <", "offset >").replace("offset desc", "offset")

_MESSAGES_BEFORE: Final = f"""
    select json_group_array(json_array({_POST})) from (
        select * from entry where room_id = ? and post = 1 and offset < ? order by offset desc limit ?
    ) as entry {_REVISION}"""

_MESSAGES_AFTER: Final = _MESSAGES_BEFORE.replace("offset <", "offset >").replace("offset desc", "offset")

_REACTIONS: Final = """
    select json_group_array(json_array(room_id, target, offset, emoji, user))
    from reaction where room_id = ? and target between ? and ?"""

_TRIMMABLE: Final = """
    select json_group_array(json_array(id, head, tail, rule)) from (
        select id, head, tail, case {rules} end as rule from room
        where head - tail > 1 and case {due} end
        limit ?1
    )"""

_FIRST_KEPT: Final = """
    select min(offset) from entry
    where room_id = ? and post in (0, 1) and offset > ? and offset <= ? and time_ms >= ?"""

_KEPT: Final = "select id, head, tail from room where name = ?"

# A room with no entry left has no oldest one; the next that it gets says when that was (`_SAVE_ROOMS`).
_TRIM: Final = (
    "delete from entry where room_id = :room and post in (0, 1) and offset <= :last",
    "delete from revision where room_id = :room and target <= :last",
    "delete from reaction where room_id = :room and target <= :last",
    "delete from mention where room_id = :room and offset <= :last",
    "delete from upload where room = (select name from room where id = :room) and offset <= :last",
    """update room set tail = :last, oldest_ms = ifnull((
        select time_ms from entry where room_id = :room and post in (0, 1) and offset = :last + 1
    ), 0) where id = :room""",
)

_SAVE_MENTIONS: Final = "insert into mention (user, room_id, offset) values {}"

_DELETE_MENTIONS: Final = """
    with gone (room_id, offset) as (values {})
    delete from mention where (room_id, offset) in (select * from gone)"""

_SAVE_PERSONS: Final = "insert or replace into person (user, name, day) values {}"

_NAMES: Final = "select json_group_array(json_array(user, name)) from person where user in ({})"

_PLACES_AT: Final = """
    with asked (user, room) as (values {})
    select json_group_array(json_array(asked.user, asked.room, ifnull(room.head, 0), place.read, notify, day))
    from asked left join place using (user, room) left join room on room.name = asked.room"""

_PLACES_OF: Final = """
    with asked (user) as (values {})
    select json_group_array(json_array(user, (select count(*) from place where place.user = asked.user))) from asked"""

_SAVE_PLACES: Final = "insert or replace into place (user, room, read, notify, day) values {}"

_DELETE_PLACES: Final = """
    with gone (user, room) as (values {})
    delete from place where (user, room) in (select * from gone)"""

_NUMBER_OF_PLACES: Final = "select count(*) from place where user = ?"

_PLACES: Final = """
    select json_group_array(json_array(
        place.room, ifnull(epoch, ''), ifnull(head, 0), min(read, ifnull(head, 0)), notify,
        (select count(*) from (
            select user from entry
            where entry.room_id = room.id and post = 1 and entry.offset > read
            order by entry.offset limit ?2
        ) where user <> ?1),
        (select count(*) from (
            select 1 from mention
            where mention.user = ?1 and mention.room_id = room.id and mention.offset > read limit ?2
        )),
        ifnull(topic, '')
    ))
    from place left join room on room.name = place.room where place.user = ?1"""

_FORGET_GUESTS: Final = (
    """delete from place where (user, room) in (
        select user, room from place where day < ? and user glob 'guest-*' limit ?)""",
    "delete from person where user in (select user from person where day < ? and user glob 'guest-*' limit ?)",
)
_FORGOTTEN: Final = f"""
    select json_group_array(json_array(entry.id, user, cast(coalesce(revision.data, entry.data) as text)))
    from entry {_REVISION}
    where entry.room_id = ? and post = 1 and entry.offset <= ? and entry.id <= (select last_id from indexed)"""

_TO_INDEX: Final = f"""
    select json_group_array(
        json_array(entry.id, entry.room_id, user, cast(coalesce(revision.data, entry.data) as text))
    ) from entry {_REVISION} where entry.id > ? and entry.id <= ? and post = 1"""

_FOUND: Final = f"""
    with found (id) as (values {{}})
    select json_group_array(json_array(entry.id, entry.room_id, {_POST}))
    from found cross join entry using (id) {_REVISION}"""

_SAVE_RULING: Final = """
    insert into ruling (room, action, user, by_user, by_role, time_ms, until_ms, reason)
    values (?, ?, ?, ?, ?, ?, ?, ?) returning number"""

_END_FORCE: Final = "delete from in_force where room = ? and action = ? and user = ?"

_BEGIN_FORCE: Final = "insert into in_force (room, action, user, number) values (?, ?, ?, ?)"

_FORGET_ENDED: Final = """
    delete from in_force where room = ?1 and number in (
        select number from in_force join ruling using (number)
        where in_force.room = ?1 and until_ms between 1 and ?2
    )"""

# Not if a name is taken: by such a room, or by what is kept of one that was there before.
_SAVE_PRIVATE_ROOM: Final = """
    insert into private_room (name, creator, created_ms) select ?1, ?2, ?3
    where not exists (select * from private_room where name = ?1)
    and not exists (select * from room where name = ?1 and head > tail)"""

_HAS_PRIVATE_ROOM: Final = "select 1 from private_room where name = ?"

_SAVE_MEMBER: Final = """
    insert or ignore into member (room, user, number, by_user, since_ms)
    select ?1, ?2, (select ifnull(max(number), 0) + 1 from member where room = ?1), ?3, ?4"""

_END_MEMBERSHIP: Final = (
    "delete from member where room = ?1 and user = ?2",
    "delete from private_room where name = ?1 and not exists (select * from member where room = ?1)",
)

_PRIVATE_ROOMS: Final = """
    select json_group_array(json_array(
        name, creator, json((select json_group_array(json_array(number, user)) from member where room = name))
    )) from private_room"""

_UPLOAD: Final = "id, hash, room, user, name, type, size, width, height, thumb, time_ms, offset"

_UPLOADS: Final = f"select json_group_array(json_array({_UPLOAD})) from upload where id in ({{}})"

_SAVE_UPLOAD: Final = f"insert into upload ({_UPLOAD}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, null)"

_UNSENT_BYTES: Final = "select ifnull(sum(size), 0) from upload where user = ? and offset is null"

_FORGET_UNSENT: Final = """
    delete from upload where id in (
        select id from upload where offset is null and time_ms < ? order by time_ms limit ?
    )"""

_LOOSE: Final = "select json_group_array(hash) from (select hash from loose limit ?)"

# What was loose and is referred to again is loose no more; when it is let go of, the trigger takes note anew.
_TIGHTEN: Final = "delete from loose where hash in (select hash from upload where upload.hash = loose.hash)"

_FORGET_LOOSE: Final = "delete from loose where hash in ({})"

_REFERRED: Final = "select json_group_array(distinct hash) from upload where hash in ({})"

_RULING: Final = "number, ruling.room, ruling.action, ruling.user, by_user, by_role, time_ms, until_ms, reason"

_IN_FORCE: Final = f"""
    select json_group_array(json_array({_RULING})) from in_force join ruling using (number)
    where in_force.room = ? and (until_ms = 0 or until_ms > ?)"""

_BANS: Final = f"""
    select json_group_array(json_array({_RULING})) from in_force join ruling using (number)
    where in_force.user = ? and in_force.action = 'ban' and (until_ms = 0 or until_ms > ?)"""

_RULINGS: Final = f"""
    select json_group_array(json_array({_RULING})) from (
        select * from ruling where room = ? and number < ? order by number desc limit ?
    ) as ruling"""


class _Room(Room):
    """As much of a room as a batch refers to. Its `entries` are the new ones; `id` is 0 until it has some."""

    __slots__ = ("id", "targets")

    def __init__(self, room_id: int, epoch: str, head: int, uploads: dict[str, Upload]) -> None:
        super().__init__(epoch, head, uploads)
        self.id = room_id
        self.targets: dict[int, tuple[int, bytes]] = {}
        """The ids of the entries of earlier posts that the batch may change, and the posts' data before."""


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
            stored, seen = self._append(connection, drafts) if drafts else ([], {})
            kept = _keep(connection, keeps) if keeps else []
            for keep in keeps:
                person = (keep.name, keep.time_ms // rules.DAY_MS)
                if keep.name and self._known.get(keep.user) != person:
                    seen[keep.user] = person
            if seen:
                _run(connection, _SAVE_PERSONS, [(user, *person) for user, person in seen.items()])
        if seen:
            if len(self._known) > KNOWN:
                self._known.clear()
            self._known |= seen
        if not keeps:  # as a rule
            return stored
        places_of, offsets_of = iter(kept), iter(stored)
        return [next(offsets_of if type(one) is Draft else places_of) for one in batch]

    def _append(
        self, connection: sqlite3.Connection, drafts: Sequence[Draft]
    ) -> tuple[list[Stored | Rejected | Kept], dict[str, tuple[str, int]]]:
        """Store drafts. Return the answers, and what authors are called where that is not known to be stored."""
        rooms = self._rooms(connection, drafts)
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
        seen: dict[str, tuple[str, int]] = {}
        known = self._known.get
        for room in rooms.values():
            for entry in room.entries.values():
                author, person = entry.author, (entry.author.name, entry.time_ms // rules.DAY_MS)
                if known(author.user) != person and author.client:
                    seen[author.user] = person
        return answers, seen

    def _rooms(self, connection: sqlite3.Connection, drafts: Sequence[Draft]) -> dict[str, _Room]:
        names = {draft.room for draft in drafts}
        if len(names) == 1:  # a tenth off what a lone message costs
            (only,) = names
            found = connection.execute(_ROOM, (only,)).fetchall()
        else:
            found = _fetch(connection, _ROOMS, [(name,) for name in names])
        uploads: dict[str, Upload] = {}
        rooms = {name: _Room(room_id, epoch, head, uploads) for name, room_id, epoch, head in found}
        for name in names - rooms.keys():
            rooms[name] = _Room(0, self._epoch, 0, uploads)
        return rooms

    def position(self, room: str) -> Position:
        """See `RoomLog.position`."""
        with self._reading() as connection:
            found = connection.execute(_ROOM, (room,)).fetchone()
        return Position(found[3], found[2]) if found else Position(0, self._epoch)

    def before(self, room: str, offset: int, limit: int) -> list[Entry]:
        """See `RoomLog.before`."""
        return self._entries(_BEFORE, room, offset, limit)

    def after(self, room: str, offset: int, limit: int) -> list[Entry]:
        """See `RoomLog.after`."""
        return self._entries(_AFTER, room, offset, limit)

    def _entries(self, sql: str, room: str, offset: int, limit: int) -> list[Entry]:
        with self._reading() as connection:
            return [
                _entry(row)
                for row in _rows(connection, sql, {"room": room, "offset": min(offset, _MAX_INT), "limit": limit})
            ]

    def messages(self, room: str, *, after: int | None = None, before: int | None = None, limit: int) -> Page:
        """See `RoomLog.messages`."""
        with self._reading() as connection:
            found = connection.execute(_ROOM, (room,)).fetchone()
            if found is None:
                return Page([], Position(0, self._epoch))
            _, room_id, epoch, head = found
            if after is not None:
                rows = _rows(connection, _MESSAGES_AFTER, (room_id, min(after, _MAX_INT), limit))
            else:
                bound = _MAX_INT if before is None else min(before, _MAX_INT)
                rows = _rows(connection, _MESSAGES_BEFORE, (room_id, bound, limit))
            posts = {row[0]: _post(row) for row in rows}
            if posts:
                found = _rows(connection, _REACTIONS, (room_id, rows[0][0], rows[-1][0]))
                for _, target, offset, emoji, user in found:
                    posts[target].react(emoji, user, offset)
        return Page([post.message() for post in posts.values()], Position(head, epoch))

    def search(self, search: Search, readable: Callable[[str], bool], *, limit: int) -> Findings:
        """See `RoomLog.search`. It looks at `fulltext.LOOK` messages at most."""
        with self._reading() as connection:
            room_id = None
            if search.room is not None:
                room = connection.execute(_ROOM, (search.room,)).fetchone()
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
            rows = _rows(connection, _TO_INDEX, (last_id, last_id + limit))
            said = [
                (entry_id, fulltext.indexed(room_id, user, data.encode())) for entry_id, room_id, user, data in rows
            ]
            fulltext.add(partial(_run, connection), said)
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
            for room_id, head, tail, number in _rows(connection, _trimmable(len(rules)), asked):
                rule = rules[number]
                most = min(head - 1, tail + limit - forgotten)
                last = tail if rule.keep_entries is None else min(max(tail, head - rule.keep_entries), most)
                if rule.keep_since_ms is not None:
                    (kept,) = connection.execute(_FIRST_KEPT, (room_id, last, most, rule.keep_since_ms)).fetchone()
                    last = most if kept is None else kept - 1
                _forget(connection, room_id, last)
                forgotten += last - tail
                if forgotten == limit:
                    break
        return forgotten

    def remove(self, room: str, *, last: int, limit: int) -> int:
        """See `RoomLog.remove`."""
        with self._writing() as connection:
            found = connection.execute(_KEPT, (room,)).fetchone()
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
            found = connection.execute(_TOPIC, (room,)).fetchone()
        return str(found[0]) if found else ""

    def find_rooms(self, query: str, limit: int) -> list[RoomTopic]:
        """See `RoomLog.find_rooms`."""
        with self._reading() as connection:
            return [RoomTopic(name, topic) for name, topic in connection.execute(_FIND_ROOMS, (query, limit))]

    def change_members(self, change: MemberChange) -> bool:
        """See `RoomLog.change_members`."""
        room, user, by, time_ms = change.room, change.user, change.by, change.time_ms
        with self._writing() as connection:
            if change.action == "leave":
                _end_membership(connection, room, user)
                _keep(connection, [rules.of_member(change)])
                return True
            if change.action == "create":
                there = bool(connection.execute(_SAVE_PRIVATE_ROOM, (room, user, time_ms)).rowcount)
            else:
                there = connection.execute(_HAS_PRIVATE_ROOM, (room,)).fetchone() is not None
            if not there:
                return False
            connection.execute(_SAVE_MEMBER, (room, user, by, time_ms))
            _keep(connection, [rules.of_member(change)])
        return True

    def private_rooms(self) -> list[PrivateRoom]:
        """See `RoomLog.private_rooms`."""
        with self._reading() as connection:
            found = _rows(connection, _PRIVATE_ROOMS, ())
        return [PrivateRoom(name, creator, [user for _, user in sorted(members)]) for name, creator, members in found]

    def record(self, ruling: Ruling) -> Ruling:
        """See `RoomLog.record`."""
        action, kind = ruling.action, ruling.action.removeprefix("un")
        with self._writing() as connection:
            row = (ruling.room, action, ruling.user, ruling.by, ruling.by_role, ruling.time_ms, ruling.until_ms)
            (number,) = connection.execute(_SAVE_RULING, (*row, ruling.reason)).fetchone()
            if action != "kick":
                connection.execute(_FORGET_ENDED, (ruling.room, ruling.time_ms))
                connection.execute(_END_FORCE, (ruling.room, kind, ruling.user))
            if action == kind != "kick":
                connection.execute(_BEGIN_FORCE, (ruling.room, kind, ruling.user, number))
            if action in {"kick", "ban"}:
                _end_membership(connection, ruling.room, ruling.user)
        return msgspec.structs.replace(ruling, number=number)

    def in_force(self, room: str, now_ms: int) -> list[Ruling]:
        """See `RoomLog.in_force`."""
        with self._reading() as connection:
            return [_ruling(row) for row in _rows(connection, _IN_FORCE, (room, now_ms))]

    def bans(self, user: str, now_ms: int) -> list[Ruling]:
        """See `RoomLog.bans`."""
        with self._reading() as connection:
            return [_ruling(row) for row in _rows(connection, _BANS, (user, now_ms))]

    def rulings(self, room: str, *, before: int | None = None, limit: int) -> list[Ruling]:
        """See `RoomLog.rulings`."""
        bound = _MAX_INT if before is None else min(before, _MAX_INT)
        with self._reading() as connection:
            return [_ruling(row) for row in reversed(_rows(connection, _RULINGS, (room, bound, limit)))]

    def places(self, user: str) -> list[Place]:
        """See `RoomLog.places`. Takes 2 ms for 500 places, and 0.4 ms for each 1,000 messages that it looks at."""
        with self._reading() as connection:
            (number,) = connection.execute(_NUMBER_OF_PLACES, (user,)).fetchone()
            rows = _rows(connection, _PLACES, (user, rules.counted(number)))
        return [
            Place(room, Position(head, epoch or self._epoch), read, bool(notify), unread, mentions, topic)
            for room, epoch, head, read, notify, unread, mentions, topic in rows
        ]

    def names(self, users: Sequence[str]) -> dict[str, str]:
        """See `RoomLog.names`."""
        with self._reading() as connection:
            return dict(_fetch(connection, _NAMES, [(user,) for user in users]))

    def forget_guests(self, before_ms: int, *, limit: int) -> int:
        """See `RoomLog.forget_guests`."""
        with self._writing() as connection:
            asked = (before_ms // rules.DAY_MS, limit)
            return sum(connection.execute(statement, asked).rowcount for statement in _FORGET_GUESTS)

    def keep_upload(self, upload: Upload, *, most_unsent_bytes: int) -> bool:
        """See `RoomLog.keep_upload`."""
        file = upload.file
        with self._writing() as connection:
            (unsent,) = connection.execute(_UNSENT_BYTES, (upload.user,)).fetchone()
            if unsent + file.size > most_unsent_bytes:
                return False
            row = (file.id, upload.hash, upload.room, upload.user, file.name, file.type, file.size)
            connection.execute(_SAVE_UPLOAD, (*row, file.width, file.height, file.thumb, upload.time_ms))
        return True

    def upload(self, file_id: str) -> Upload | None:
        """See `RoomLog.upload`."""
        with self._reading() as connection:
            found = _rows(connection, _UPLOADS.format("?"), (file_id,))
        return _upload(found[0]) if found else None

    def forget_unsent(self, before_ms: int, *, limit: int) -> int:
        """See `RoomLog.forget_unsent`."""
        with self._writing() as connection:
            return connection.execute(_FORGET_UNSENT, (before_ms, limit)).rowcount

    def loose(self, *, limit: int) -> list[str]:
        """See `RoomLog.loose`."""
        with self._writing() as connection:
            connection.execute(_TIGHTEN)
            (array,) = connection.execute(_LOOSE, (limit,)).fetchone()
        return msgspec.json.decode(array, type=list[str])

    def forget_loose(self, hashes: Sequence[str]) -> None:
        """See `RoomLog.forget_loose`."""
        with self._writing() as connection:
            _run(connection, _FORGET_LOOSE, [(each,) for each in hashes])

    def referred(self, hashes: Sequence[str]) -> set[str]:
        """See `RoomLog.referred`."""
        with self._reading() as connection:
            return {str(found) for found in _fetch(connection, _REFERRED, [(each,) for each in hashes])}

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
    for number, room_id, *row in sorted(_fetch(connection, _FOUND, [(entry_id,) for entry_id in ids]), reverse=True):
        post = _post(row)
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
    posts = _rows(connection, _FORGOTTEN, (room_id, last))
    gone = [(entry_id, fulltext.indexed(room_id, user, data.encode())) for entry_id, user, data in posts]
    fulltext.remove(partial(_run, connection), gone)
    for statement in _TRIM:
        connection.execute(statement, {"room": room_id, "last": last})


def _keep(connection: sqlite3.Connection, keeps: Sequence[Keep]) -> list[Kept | Rejected]:
    """Change places, each read and written once whatever is changed about it."""
    asked = list(dict.fromkeys((keep.user, keep.room) for keep in keeps))
    heads: dict[tuple[str, str], int] = {}
    states: dict[tuple[str, str], rules.State | None] = {}
    for user, room, head, read, notify, day in _fetch(connection, _PLACES_AT, asked):
        heads[user, room] = head
        states[user, room] = None if read is None else rules.State(read, bool(notify), day)
    before = dict(states)
    without = {user for (user, _), state in states.items() if state is None}
    numbers = dict(_fetch(connection, _PLACES_OF, [(user,) for user in without]))
    answers: list[Kept | Rejected] = []
    for keep in keeps:
        place = (keep.user, keep.room)
        was = states[place]
        states[place], answer = rules.after(was, keep, heads[place], numbers.get(keep.user, 0))
        if keep.user in numbers:
            numbers[keep.user] += (states[place] is not None) - (was is not None)
        answers.append(answer)
    changed = [(place, state) for place, state in states.items() if state != before[place]]
    _run(connection, _DELETE_PLACES, [place for place, state in changed if state is None])
    _run(connection, _SAVE_PLACES, [(*place, *state) for place, state in changed if state is not None])
    return answers


def _end_membership(connection: sqlite3.Connection, room: str, user: str) -> None:
    """Have somebody be no member of a room any more, and the room end if that was the last one."""
    for statement, known in zip(_END_MEMBERSHIP, ((room, user), (room,)), strict=True):
        connection.execute(statement, known)


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
    for room_id, *row in _fetch(connection, _REPEATS, keys):
        entry = _entry(row)
        known[room_id].by_key[entry.author.user, entry.key] = entry


def _load_targets(connection: sqlite3.Connection, rooms: dict[str, _Room], changing: Sequence[_Changing]) -> None:
    """Let rooms know the posts that the drafts would change."""
    known = {room.id: room for room in rooms.values()}
    targets = {(rooms[name].id, change.target) for name, change in changing if 0 < change.target <= rooms[name].head}
    for room_id, entry_id, *row in _fetch(connection, _TARGETS, list(targets)):
        post = known[room_id].posts[row[0]] = _post(row)
        known[room_id].targets[post.offset] = entry_id, post.data
    for room_id, target, offset, emoji, user in sorted(_fetch(connection, _TARGETS_REACTIONS, list(targets))):
        known[room_id].posts[target].react(emoji, user, offset)


def _load_uploads(connection: sqlite3.Connection, rooms: dict[str, _Room], drafts: Sequence[Draft]) -> None:
    """Let rooms know the uploads that drafts are to be sent with. All of them share the one dictionary."""
    ids = {file_id for draft in drafts for file_id in draft.files}
    known = rooms[drafts[0].room].uploads
    for row in _fetch(connection, _UPLOADS, [(file_id,) for file_id in ids]):
        known[row[0]] = _upload(row)


def _save_entries(connection: sqlite3.Connection, rooms: dict[str, _Room]) -> None:
    """Store the new entries of rooms, and the rooms themselves as far as they have some."""
    grown = [(name, room) for name, room in rooms.items() if room.entries]
    if not grown:
        return
    if any(not room.id for _, room in grown):
        (next_id,) = connection.execute(_NEXT_ROOM_ID).fetchone()
        for _, room in grown:
            if not room.id:
                room.id, next_id = next_id, next_id + 1
    (first_id,) = connection.execute(_NEXT_ID).fetchone()
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
    _run(connection, _SAVE_ROOMS, heads)
    _run(connection, _SAVE_ENTRIES, rows)
    for _, room in grown:
        if room.topic is not None:
            connection.execute(_SAVE_TOPIC, (room.topic, room.id))
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
    _run(connection, _SAVE_MENTIONS, told)
    begin = [
        (at, keep)
        for at, (draft, answer) in enumerate(zip(drafts, answers, strict=True))
        if isinstance(answer, Stored) and not answer.duplicate
        for keep in rules.of_message(draft, answer.entry.offset)
    ]
    if begin:
        for (at, keep), kept in zip(begin, _keep(connection, [keep for _, keep in begin]), strict=True):
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
    fulltext.remove(partial(_run, connection), old)
    fulltext.add(partial(_run, connection), new)


def _save_changes(
    connection: sqlite3.Connection, rooms: dict[str, _Room], changing: Sequence[_Changing], before: set[_Reaction]
) -> None:
    """Store the posts that drafts were to change as they are now; before, they had these reactions."""
    after = _reactions(rooms, changing)
    _run(connection, _DELETE_REACTIONS, [reaction[:3] for reaction in before - after])
    _run(connection, _SAVE_REACTIONS, sorted(after - before))
    revisions = [
        (room_id, post.offset, post.data, post.edited_ms, post.deleted_ms)
        for room_id, post in _targets(rooms, changing)
        if post.edited_ms or post.deleted_ms
    ]
    _run(connection, _SAVE_REVISIONS, revisions)
    _run(connection, _DELETE_MENTIONS, [(room_id, target) for room_id, target, _, _, deleted in revisions if deleted])


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


def _entry(row: Sequence[Any]) -> Entry:
    offset, key, user, client, name, time_ms, data = row
    return Entry(offset, key, Author(user, client, name), time_ms, data.encode())


def _post(row: Sequence[Any]) -> Post:
    offset, user, client, name, time_ms, data, edited_ms, deleted_ms = row
    return Post(offset, Author(user, client, name), time_ms, data.encode(), edited_ms, deleted_ms)


def _ruling(row: Sequence[Any]) -> Ruling:
    number, room, action, user, by, by_role, time_ms, until_ms, reason = row
    return Ruling(room, action, user, by, by_role, time_ms, until_ms, reason, number)


def _upload(row: Sequence[Any]) -> Upload:
    file_id, digest, room, user, name, kind, size, width, height, thumb, time_ms, offset = row
    return Upload(File(file_id, name, kind, size, width, height, bool(thumb)), digest, room, user, time_ms, offset)


@cache
def _statement(sql: str, rows: int, columns: int) -> str:
    row = f"({','.join('?' * columns)})"
    return sql.format(",".join([row] * rows))


@cache
def _trimmable(rules: int) -> str:
    """Return the query for rooms with something to forget, by so many rules, of which the first that matches counts."""
    places = [(number, 2 + 3 * number) for number in range(rules)]  # of glob, keep_entries, keep_since_ms
    return _TRIMMABLE.format(
        rules=" ".join(f"when name glob ?{at} then {number}" for number, at in places),
        due=" ".join(f"when name glob ?{at} then head - tail > ?{at + 1} or oldest_ms < ?{at + 2}" for _, at in places),
    )


def _run(connection: sqlite3.Connection, sql: str, rows: Sequence[Sequence[Any]]) -> list[Any]:
    """Run a statement on rows, put in as VALUES, `ROWS` at a time. Return the one row that each run yields, if any."""
    found = []
    for start in range(0, len(rows), ROWS):
        part = rows[start : start + ROWS]
        statement = _statement(sql, len(part), len(part[0]))
        found += connection.execute(statement, tuple(chain.from_iterable(part))).fetchall()
    return found


def _fetch(connection: sqlite3.Connection, sql: str, rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Run a query for rows, and return all that it finds."""
    return [found for (array,) in _run(connection, sql, rows) for found in msgspec.json.decode(array)]


def _rows(connection: sqlite3.Connection, sql: str, parameters: Sequence[Any] | dict[str, Any]) -> list[list[Any]]:
    """Run a query that yields one JSON array, and return what is in it, sorted: SQL promises an array no order."""
    (array,) = connection.execute(sql, parameters).fetchone()
    return sorted(msgspec.json.decode(array))
