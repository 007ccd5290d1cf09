-- Search. An entry gets an id of its own, since the one that SQLite gives a row may change with a VACUUM.
create table entry_with_id (
    id integer primary key, -- in the order in which entries came, whatever their room
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

insert into entry_with_id (id, room_id, offset, post, key, user, client, name, time_ms, data)
select rowid, room_id, offset, post, key, user, client, name, time_ms, data from entry order by rowid;

drop table entry;
alter table entry_with_id rename to entry;
create unique index entry_place on entry (room_id, post, offset);
create unique index entry_key on entry (key, user, room_id) where key <> '';

-- By the id of its entry, the words of each message as it stands, and marks of its room and its author: see
-- chat/log/fulltext.py. The texts are not kept a second time, so whoever takes words away has to say which.
create virtual table search using fts5 (words, content = '', columnsize = 0, tokenize = 'ascii');

-- One row: messages are in the index up to this id. What there is already comes into it as new messages do, behind
-- the appends: a million take 12 s on a chat that has nothing else to do, and nobody has to wait for them.
create table indexed (last_id integer not null);
insert into indexed values (0);
