-- What rooms are about, as the newest of the entries says that says so. '': nothing.
alter table room add column topic text not null default '';

-- The private rooms that have members. Such a room has a row in `room` from its first entry on, like all others.
create table private_room (
    name text primary key,
    creator text not null,
    created_ms integer not null
) without rowid;

create table member (
    room text not null,
    user text not null,
    number integer not null, -- in a room they rise in the order in which its members came
    by_user text not null, -- who invited this one; the creator came by itself
    since_ms integer not null,
    primary key (room, user)
) without rowid;
