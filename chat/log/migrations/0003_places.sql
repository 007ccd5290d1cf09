-- Places: what a user keeps of a room. A room need not have a row of its own yet.
create table place (
    user text not null,
    room text not null,
    read integer not null, -- the offset up to which the user has read
    notify integer not null, -- 1, or 0 for a room that is to be quiet
    day integer not null, -- when it was last touched, in days since 1970
    primary key (user, room)
) without rowid;

-- Guests come and go: theirs are forgotten. `glob` has to be here as it is in the statement, or this is not used.
create index place_guest on place (day) where user glob 'guest-*';

-- Who is to be told of an entry: those whom it mentions, and in a direct channel everybody but its author.
create table mention (
    user text not null,
    room_id integer not null,
    offset integer not null,
    primary key (user, room_id, offset)
) without rowid;

create index mention_entry on mention (room_id, offset);

-- What users were called when they last said something.
create table person (
    user text primary key not null,
    name text not null,
    day integer not null -- of the last time that this was looked at
) without rowid;

create index person_guest on person (day) where user glob 'guest-*';

insert into person (user, name, day)
select user, name, max(time_ms) / 86400000 from entry where client <> '' group by user;

-- From which rooms a user is banned.
create index in_force_user on in_force (user);
