-- What moderators did, for ever: the audit trail. A room need not have a row of its own; '' is everywhere.
create table ruling (
    number integer primary key,
    room text not null,
    action text not null, -- kick, ban, unban, mute, unmute
    user text not null,
    by_user text not null,
    by_role text not null,
    time_ms integer not null,
    until_ms integer not null, -- 0: for ever
    reason text not null
);

create index ruling_room on ruling (room, number);

-- The bans and mutes that nobody has lifted. A room reads its own when it opens.
create table in_force (
    room text not null,
    action text not null, -- ban, mute
    user text not null,
    number integer not null, -- of the ruling
    primary key (room, action, user)
) without rowid;
