-- The log. chat/log/sqlite.py is the only reader and writer of these tables.

-- One row: what was made with this file.
create table log (
    epoch text not null,
    secret blob not null
);

-- A room has a row from its first entry on. Entries with tail < offset <= head are kept.
create table room (
    id integer primary key,
    name text not null unique,
    epoch text not null,
    head integer not null,
    tail integer not null,
    oldest_ms integer not null -- time of the entry after tail, so that trimming need not look it up
);

-- Rows lie in the order in which they came, whatever their room: a batch for 500 rooms fills the last pages of the
-- table instead of changing 500 pages all over it. Only the small rows of the index go where their room is.
create table entry (
    room_id integer not null,
    offset integer not null,
    post integer not null, -- 1, or 0 for a change of an earlier post
    key text not null,
    user text not null,
    client text not null,
    name text not null,
    time_ms integer not null,
    data blob not null
);

-- With `post` in the middle, the posts of a room are found without walking over its changes, of which there may be
-- a million in a row; and for all entries there are two ranges to merge. An index of the posts beside one of all
-- entries would cost every append: half the entries/s where a batch goes to many rooms.
create unique index entry_place on entry (room_id, post, offset);

-- The key comes first, so that keys that rise with time (UUIDv7, counters) land on the last page. Random ones work
-- as well, but each changes a page of its own: with 100,000 keys a fifth to a half of the entries/s is left.
create unique index entry_key on entry (key, user, room_id) where key <> '';

-- Most messages are what their entry says. Those that were edited or deleted are what their row here says.
create table revision (
    room_id integer not null,
    target integer not null,
    data blob not null,
    edited_ms integer not null,
    deleted_ms integer not null,
    primary key (room_id, target)
) without rowid;

-- The reactions of a message, by the offsets of the entries with which they came.
create table reaction (
    room_id integer not null,
    target integer not null,
    offset integer not null,
    emoji text not null,
    user text not null,
    primary key (room_id, target, offset)
) without rowid;
