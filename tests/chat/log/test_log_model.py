"""Whatever is done to both logs, the one in SQLite answers like the one in memory, also after it was opened again."""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chat.log import (
    Author,
    Change,
    Database,
    Delete,
    Draft,
    Edit,
    Keep,
    Kept,
    MemberChange,
    MemoryLog,
    Position,
    React,
    Rejected,
    Retention,
    RoomLog,
    Ruling,
    SqliteLog,
    Stored,
    Topic,
)

ROOMS = ("lobby", "Lobby", "gärten", "$tea")
USERS = ("ann", "bob")
EMOJIS = ("+", "-", "\N{HEAVY BLACK HEART}")
DATA = (b'{"text":"a"}', b'{"text": "b", "n": 1.0}', b'"plain"', b'{"text":null}', b'{"text":"\xc3\xa9\\u0000"}')

targets = st.integers(min_value=-1, max_value=12)
changes: st.SearchStrategy[Change | Topic] = st.one_of(
    st.builds(Topic, st.sampled_from(("", "Tea", "lobby"))),
    st.builds(Edit, targets, st.text(st.characters(exclude_categories=["Cs"]), max_size=4)),
    st.builds(Delete, targets, of_anybody=st.booleans()),
    st.builds(React, targets, st.sampled_from(EMOJIS), on=st.booleans()),
)
drafts = st.builds(
    Draft,
    room=st.sampled_from(ROOMS),
    key=st.sampled_from(("", "", "k", "l", "K")),
    author=st.builds(Author, st.sampled_from(USERS), st.sampled_from(("c", "d")), st.just("N")),
    time_ms=st.integers(min_value=1, max_value=9),
    data=st.sampled_from(DATA),
    change=st.none() | changes,
    told=st.lists(st.sampled_from(USERS), unique=True).map(tuple),
    direct=st.booleans(),
)
keeps = st.builds(
    Keep,
    user=st.sampled_from((*USERS, "guest-1")),
    room=st.sampled_from(ROOMS),
    time_ms=st.sampled_from((0, 86_400_000)),
    name=st.sampled_from(("", "Ann", "Anna")),
    read=st.none() | st.integers(0, 12),
    notify=st.none() | st.booleans(),
    begin=st.booleans(),
    leave=st.integers(0, 5).map(lambda number: number == 0),
)
rulings = st.builds(
    Ruling,
    room=st.sampled_from(ROOMS),
    action=st.sampled_from(("kick", "ban", "unban", "mute", "unmute")),
    user=st.sampled_from(USERS),
    by=st.just("ann"),
    by_role=st.just("admin"),
    time_ms=st.integers(min_value=1, max_value=9),
    until_ms=st.sampled_from((0, 5)),
)
member_changes = st.builds(
    MemberChange,
    room=st.sampled_from(("$tea", "$tea", "lobby")),
    action=st.sampled_from(("create", "invite", "leave")),
    user=st.sampled_from(USERS),
    by=st.sampled_from(USERS),
    time_ms=st.integers(min_value=1, max_value=9),
)
limits = st.integers(min_value=0, max_value=9)
offsets = st.integers(min_value=-1, max_value=15)
retentions = st.builds(
    Retention,
    st.sampled_from(("*", "*", "l*", "?obby", "L????", "g?rten", "*a*")),
    st.none() | limits,
    st.none() | st.integers(0, 10),
)


class BothLogs(RuleBasedStateMachine):
    """A log in memory that forgets nothing by itself, beside one in SQLite. Their epochs differ, and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.memory = MemoryLog()
        self.sqlite = self.opened()

    def opened(self) -> SqliteLog:
        return SqliteLog(Database.open(Path(self.folder.name) / "chat.db"))

    @rule(batch=st.lists(drafts | keeps, max_size=8))
    def append(self, batch: list[Draft | Keep]) -> None:
        """Append a batch to both."""
        assert list(map(plain, self.sqlite.append(batch))) == list(map(plain, self.memory.append(batch)))

    @rule(rules=st.lists(retentions, max_size=3), limit=st.integers(1, 5))
    def trim(self, rules: list[Retention], limit: int) -> None:
        """Trim both until nothing is left to forget: which room comes first is theirs to choose."""
        forgotten = [0, 0]
        logs: list[RoomLog] = [self.sqlite, self.memory]
        for number, log in enumerate(logs):
            while step := log.trim(rules, limit=limit):
                assert 0 < step <= limit
                forgotten[number] += step
        assert forgotten[0] == forgotten[1]

    @rule(room=st.sampled_from(ROOMS), last=offsets, limit=limits)
    def remove(self, room: str, last: int, limit: int) -> None:
        """Remove the oldest entries of a room from both."""
        one, other = self.sqlite, self.memory
        assert one.remove(room, last=last, limit=limit) == other.remove(room, last=last, limit=limit)

    @rule(ruling=rulings)
    def moderate(self, ruling: Ruling) -> None:
        """Record what a moderator did in both."""
        assert self.sqlite.record(ruling) == self.memory.record(ruling)

    @rule(change=member_changes)
    def change_members(self, change: MemberChange) -> None:
        """Have the members of a private room change in both."""
        assert self.sqlite.change_members(change) == self.memory.change_members(change)

    @rule(query=st.sampled_from(("l", "OB", "tea", "ä", "%")), limit=limits)
    def find_rooms(self, query: str, limit: int) -> None:
        """Look for rooms in both."""
        assert self.sqlite.find_rooms(query, limit) == self.memory.find_rooms(query, limit)

    @rule()
    def open_again(self) -> None:
        """Close the one in SQLite and open it again."""
        before = self.sqlite.secret(), self.sqlite.position("lobby")
        self.sqlite.close()
        self.sqlite = self.opened()
        assert (self.sqlite.secret(), self.sqlite.position("lobby")) == before

    @rule(room=st.sampled_from(ROOMS), now_ms=st.integers(0, 9), before=st.none() | offsets, limit=limits)
    def read_rulings(self, room: str, now_ms: int, before: int | None, limit: int) -> None:
        """Read what moderators did in a room from both."""
        one, other = self.sqlite, self.memory
        assert one.in_force(room, now_ms) == other.in_force(room, now_ms)
        assert one.rulings(room, before=before, limit=limit) == other.rulings(room, before=before, limit=limit)

    @rule(room=st.sampled_from(ROOMS), offset=offsets, limit=limits)
    def read(self, room: str, offset: int, limit: int) -> None:
        """Read a part of a room from both."""
        one, other = self.sqlite, self.memory
        assert one.before(room, offset, limit) == other.before(room, offset, limit)
        assert one.after(room, offset, limit) == other.after(room, offset, limit)
        assert one.messages(room, limit=limit).messages == other.messages(room, limit=limit).messages
        assert (
            one.messages(room, before=offset, limit=limit).messages
            == other.messages(room, before=offset, limit=limit).messages
        )
        assert (
            one.messages(room, after=offset, limit=limit).messages
            == other.messages(room, after=offset, limit=limit).messages
        )

    @invariant()
    def rooms_are_the_same(self) -> None:
        """Compare all that there is, with the order of the reactions, which `==` of a dict does not see."""
        for room in ROOMS:
            one, other = self.sqlite.messages(room, limit=1_000), self.memory.messages(room, limit=1_000)
            assert plain(one.position) == plain(other.position)
            assert msgspec.json.encode(one.messages) == msgspec.json.encode(other.messages)
            assert self.sqlite.after(room, 0, 1_000) == self.memory.after(room, 0, 1_000)
            assert self.sqlite.topic(room) == self.memory.topic(room)
        rooms = sorted(self.memory.private_rooms(), key=lambda room: room.name)
        assert self.sqlite.private_rooms() == rooms

    @invariant()
    def users_keep_the_same(self) -> None:
        """Compare places, bans and names."""
        for user in (*USERS, "guest-1"):
            one, other = self.sqlite.places(user), self.memory.places(user)
            unplaced = [msgspec.structs.replace(place, position=plain(place.position)) for place in one]
            assert unplaced == [msgspec.structs.replace(place, position=plain(place.position)) for place in other]
            assert self.sqlite.bans(user, 5) == self.memory.bans(user, 5)
        assert self.sqlite.names(USERS) == self.memory.names(USERS)

    @rule(limit=limits)
    def forget_guests(self, limit: int) -> None:
        """Forget what guests kept from both."""
        one, other = self.sqlite, self.memory
        assert one.forget_guests(86_400_000, limit=limit) == other.forget_guests(86_400_000, limit=limit)

    def teardown(self) -> None:
        """Close the one in SQLite, and remove its file."""
        self.sqlite.close()
        self.folder.cleanup()


def plain(answer: Stored | Rejected | Kept | Position) -> Stored | Rejected | Kept | Position:
    """Return an answer without its epoch."""
    return answer if isinstance(answer, (Rejected, Kept)) else msgspec.structs.replace(answer, epoch="")


BothLogs.TestCase.settings = settings(max_examples=40, stateful_step_count=15, deadline=None, derandomize=True)
test_sqlite_answers_like_memory = BothLogs.TestCase
