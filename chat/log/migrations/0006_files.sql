-- Files that were uploaded, whose content is on the disk under its hash (chat/file_store.py). One that is the same as
-- another one is there once, and has a row for each upload. A room need not have a row of its own.
create table upload (
    id text primary key,
    hash text not null,
    room text not null,
    user text not null,
    name text not null,
    type text not null,
    size integer not null,
    width integer not null, -- this and the next: 0 for what is no image
    height integer not null,
    thumb integer not null, -- 1 if there is a small image of it
    time_ms integer not null,
    offset integer -- of the message that it was sent with; null: of none so far
) without rowid;

create index upload_hash on upload (hash);
create index upload_message on upload (room, offset) where offset is not null;
create index upload_unsent on upload (user, time_ms) where offset is null;
create index upload_age on upload (time_ms) where offset is null;

-- Contents that an upload referred to and that may be referred to no more. Whatever deletes an upload, and for whatever
-- reason: the trigger takes note.
create table loose (
    hash text primary key
) without rowid;

create trigger upload_gone after delete on upload begin
    insert or ignore into loose (hash) values (old.hash);
end;
