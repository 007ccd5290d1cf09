"""The statements of `sqlite.py` and `batch.py`, for the schema that `migrations` make.

Where a statement has `{}`, VALUES of many rows are put there (`rows.run`).
"""

# The statements are put together from constants and question marks.
# ruff: noqa: S608

from __future__ import annotations

from functools import cache
from typing import Final

COLUMNS: Final = "offset, key, user, client, name, time_ms, data"
ENTRY: Final = "entry.offset, key, user, client, name, time_ms, cast(entry.data as text)"
POST: Final = (
    "entry.offset, user, client, name, time_ms, cast(coalesce(revision.data, entry.data) as text), "
    "coalesce(edited_ms, 0), coalesce(deleted_ms, 0)"
)
REVISION: Final = "left join revision on revision.room_id = entry.room_id and revision.target = entry.offset"

ROOMS: Final = "select json_group_array(json_array(name, id, epoch, head)) from room where name in ({})"

# `indexed by` states what it relies on: without that index each key would cost a walk over all entries.
REPEATS: Final = f"""
    with draft (key, user, room_id) as (values {{}})
    select json_group_array(json_array(room_id, {ENTRY}))
    from draft cross join entry indexed by entry_key using (key, user, room_id) where entry.key <> ''"""

TARGETS: Final = f"""
    with change (room_id, offset) as (values {{}})
    select json_group_array(json_array(entry.room_id, entry.id, {POST}))
    from change cross join entry using (room_id, offset) {REVISION} where post = 1"""

TARGETS_REACTIONS: Final = """
    with change (room_id, target) as (values {})
    select json_group_array(json_array(room_id, target, offset, emoji, user))
    from change cross join reaction using (room_id, target)"""

NEXT_ROOM_ID: Final = "select ifnull(max(id), 0) + 1 from room"

SAVE_ROOMS: Final = """
    insert into room (id, name, epoch, head, tail, oldest_ms) values {}
    on conflict (id) do update set
        head = excluded.head, oldest_ms = case when head = tail then excluded.oldest_ms else oldest_ms end"""

# Not one that was used before, although its entry may be gone: the index is up to `last_id`.
NEXT_ID: Final = "select max(ifnull((select max(id) from entry), 0), last_id) + 1 from indexed"

SAVE_ENTRIES: Final = f"insert into entry (id, room_id, post, {COLUMNS}) values {{}}"

SAVE_REVISIONS: Final = "insert or replace into revision (room_id, target, data, edited_ms, deleted_ms) values {}"

SAVE_REACTIONS: Final = "insert into reaction (room_id, target, offset, emoji, user) values {}"

# Not `in (values …)`: for that SQLite walks over all reactions, as soon as there are two rows.
DELETE_REACTIONS: Final = """
    with gone (room_id, target, offset) as (values {})
    delete from reaction where (room_id, target, offset) in (select * from gone)"""

SAVE_TOPIC: Final = "update room set topic = ? where id = ?"

TOPIC: Final = "select topic from room where name = ?"

# SQLite knows which letters of ASCII are the same, and no others. A walk over all rooms: 50 ms for 100,000.
FIND_ROOMS: Final = """
    select name, topic from room
    where (instr(lower(name), lower(?1)) or instr(lower(topic), lower(?1)))
    and name not like '$%' and not instr(name, '#')
    order by head desc, name limit ?2"""

ROOM: Final = "select name, id, epoch, head from room where name = ?"

# The posts and the changes of a room are two ranges of the index, which SQLite merges as it goes.
BEFORE: Final = f"""
    with here as (select id from room where name = :room)
    select json_group_array(json_array({ENTRY})) from (
        select {COLUMNS} from entry where room_id = (select id from here) and post = 0 and offset < :offset
        union all
        select {COLUMNS} from entry where room_id = (select id from here) and post = 1 and offset < :offset
        order by offset desc limit :limit
    ) as entry"""

AFTER: Final = BEFORE.replace("offset <", "offset >").replace("offset desc", "offset")

MESSAGES_BEFORE: Final = f"""
    select json_group_array(json_array({POST})) from (
        select * from entry where room_id = ? and post = 1 and offset < ? order by offset desc limit ?
    ) as entry {REVISION}"""

MESSAGES_AFTER: Final = MESSAGES_BEFORE.replace("offset <", "offset >").replace("offset desc", "offset")

REACTIONS: Final = """
    select json_group_array(json_array(room_id, target, offset, emoji, user))
    from reaction where room_id = ? and target between ? and ?"""

TRIMMABLE: Final = """
    select json_group_array(json_array(id, head, tail, rule)) from (
        select id, head, tail, case {rules} end as rule from room
        where head - tail > 1 and case {due} end
        limit ?1
    )"""

FIRST_KEPT: Final = """
    select min(offset) from entry
    where room_id = ? and post in (0, 1) and offset > ? and offset <= ? and time_ms >= ?"""

KEPT: Final = "select id, head, tail from room where name = ?"

# A room with no entry left has no oldest one; the next that it gets says when that was (`SAVE_ROOMS`).
TRIM: Final = (
    "delete from entry where room_id = :room and post in (0, 1) and offset <= :last",
    "delete from revision where room_id = :room and target <= :last",
    "delete from reaction where room_id = :room and target <= :last",
    "delete from mention where room_id = :room and offset <= :last",
    "delete from upload where room = (select name from room where id = :room) and offset <= :last",
    """update room set tail = :last, oldest_ms = ifnull((
        select time_ms from entry where room_id = :room and post in (0, 1) and offset = :last + 1
    ), 0) where id = :room""",
)

SAVE_MENTIONS: Final = "insert into mention (user, room_id, offset) values {}"

DELETE_MENTIONS: Final = """
    with gone (room_id, offset) as (values {})
    delete from mention where (room_id, offset) in (select * from gone)"""

SAVE_PERSONS: Final = "insert or replace into person (user, name, day) values {}"

NAMES: Final = "select json_group_array(json_array(user, name)) from person where user in ({})"

PLACES_AT: Final = """
    with asked (user, room) as (values {})
    select json_group_array(json_array(asked.user, asked.room, ifnull(room.head, 0), place.read, notify, day))
    from asked left join place using (user, room) left join room on room.name = asked.room"""

PLACES_OF: Final = """
    with asked (user) as (values {})
    select json_group_array(json_array(user, (select count(*) from place where place.user = asked.user))) from asked"""

SAVE_PLACES: Final = "insert or replace into place (user, room, read, notify, day) values {}"

DELETE_PLACES: Final = """
    with gone (user, room) as (values {})
    delete from place where (user, room) in (select * from gone)"""

NUMBER_OF_PLACES: Final = "select count(*) from place where user = ?"

PLACES: Final = """
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

FORGET_GUESTS: Final = (
    """delete from place where (user, room) in (
        select user, room from place where day < ? and user glob 'guest-*' limit ?)""",
    "delete from person where user in (select user from person where day < ? and user glob 'guest-*' limit ?)",
)
FORGOTTEN: Final = f"""
    select json_group_array(json_array(entry.id, user, cast(coalesce(revision.data, entry.data) as text)))
    from entry {REVISION}
    where entry.room_id = ? and post = 1 and entry.offset <= ? and entry.id <= (select last_id from indexed)"""

TO_INDEX: Final = f"""
    select json_group_array(
        json_array(entry.id, entry.room_id, user, cast(coalesce(revision.data, entry.data) as text))
    ) from entry {REVISION} where entry.id > ? and entry.id <= ? and post = 1"""

FOUND: Final = f"""
    with found (id) as (values {{}})
    select json_group_array(json_array(entry.id, entry.room_id, {POST}))
    from found cross join entry using (id) {REVISION}"""

SAVE_RULING: Final = """
    insert into ruling (room, action, user, by_user, by_role, time_ms, until_ms, reason)
    values (?, ?, ?, ?, ?, ?, ?, ?) returning number"""

END_FORCE: Final = "delete from in_force where room = ? and action = ? and user = ?"

BEGIN_FORCE: Final = "insert into in_force (room, action, user, number) values (?, ?, ?, ?)"

FORGET_ENDED: Final = """
    delete from in_force where room = ?1 and number in (
        select number from in_force join ruling using (number)
        where in_force.room = ?1 and until_ms between 1 and ?2
    )"""

# Not if a name is taken: by such a room, or by what is kept of one that was there before.
SAVE_PRIVATE_ROOM: Final = """
    insert into private_room (name, creator, created_ms) select ?1, ?2, ?3
    where not exists (select * from private_room where name = ?1)
    and not exists (select * from room where name = ?1 and head > tail)"""

HAS_PRIVATE_ROOM: Final = "select 1 from private_room where name = ?"

SAVE_MEMBER: Final = """
    insert or ignore into member (room, user, number, by_user, since_ms)
    select ?1, ?2, (select ifnull(max(number), 0) + 1 from member where room = ?1), ?3, ?4"""

END_MEMBERSHIP: Final = (
    "delete from member where room = ?1 and user = ?2",
    "delete from private_room where name = ?1 and not exists (select * from member where room = ?1)",
)

PRIVATE_ROOMS: Final = """
    select json_group_array(json_array(
        name, creator, json((select json_group_array(json_array(number, user)) from member where room = name))
    )) from private_room"""

UPLOAD: Final = "id, hash, room, user, name, type, size, width, height, thumb, time_ms, offset"

UPLOADS: Final = f"select json_group_array(json_array({UPLOAD})) from upload where id in ({{}})"

SAVE_UPLOAD: Final = f"insert into upload ({UPLOAD}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, null)"

UNSENT_BYTES: Final = "select ifnull(sum(size), 0) from upload where user = ? and offset is null"

FORGET_UNSENT: Final = """
    delete from upload where id in (
        select id from upload where offset is null and time_ms < ? order by time_ms limit ?
    )"""

LOOSE: Final = "select json_group_array(hash) from (select hash from loose limit ?)"

# What was loose and is referred to again is loose no more; when it is let go of, the trigger takes note anew.
TIGHTEN: Final = "delete from loose where hash in (select hash from upload where upload.hash = loose.hash)"

FORGET_LOOSE: Final = "delete from loose where hash in ({})"

REFERRED: Final = "select json_group_array(distinct hash) from upload where hash in ({})"

RULING: Final = "number, ruling.room, ruling.action, ruling.user, by_user, by_role, time_ms, until_ms, reason"

IN_FORCE: Final = f"""
    select json_group_array(json_array({RULING})) from in_force join ruling using (number)
    where in_force.room = ? and (until_ms = 0 or until_ms > ?)"""

BANS: Final = f"""
    select json_group_array(json_array({RULING})) from in_force join ruling using (number)
    where in_force.user = ? and in_force.action = 'ban' and (until_ms = 0 or until_ms > ?)"""

RULINGS: Final = f"""
    select json_group_array(json_array({RULING})) from (
        select * from ruling where room = ? and number < ? order by number desc limit ?
    ) as ruling"""


@cache
def trimmable(rules: int) -> str:
    """Return the query for rooms with something to forget, by so many rules, of which the first that matches counts."""
    places = [(number, 2 + 3 * number) for number in range(rules)]  # of glob, keep_entries, keep_since_ms
    return TRIMMABLE.format(
        rules=" ".join(f"when name glob ?{at} then {number}" for number, at in places),
        due=" ".join(f"when name glob ?{at} then head - tail > ?{at + 1} or oldest_ms < ?{at + 2}" for _, at in places),
    )
