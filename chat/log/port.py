"""What the chat needs of a log, whatever stores it.

A room is a sequence of entries with offsets 1, 2, 3 … without gaps. Its *epoch* names one incarnation of that
sequence: an offset means something only together with the epoch it was given in.

An entry either says something new (a *post*) or changes what an earlier one said (`Edit`, `Delete`, `React`), or what
the room is about (`Topic`). All are part of the sequence, so who replays it sees everything. What the posts of a room
amount to after all changes are its *messages*: a projection that is always up to date with the sequence. So is the
topic.

What a user keeps of a room, such as how far they have read, is their *place* there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from chat.words import Query

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Author(msgspec.Struct, frozen=True, gc=False):
    """Who did something, as others get to see it. `client` is the connection, `user` the person behind it.

    Without a `client` it is the server itself, at the wish of the product that embeds the chat.

    `info` is all that others see of the user, as JSON, "" for nothing but the name; `chan_info` what they see of it in
    one channel. A log keeps neither: they may be out of date when it is read, and a room's newest entries have them.
    """

    user: str
    client: str
    name: str
    info: str = ""
    chan_info: str = ""


class Position(msgspec.Struct, frozen=True, gc=False):
    """A place in a room's sequence: after the entry with this offset (0: before the first)."""

    offset: int
    epoch: str


class Edit(msgspec.Struct, frozen=True, gc=False):
    """Give the message at offset `target` another text. Only its author may."""

    target: int
    text: str


class Delete(msgspec.Struct, frozen=True, gc=False):
    """Take the message at offset `target` back. Its offset remains, what it said does not.

    Only its author may, unless it is `of_anybody`: then the entry's author is who did it all the same.
    """

    target: int
    of_anybody: bool = False


class React(msgspec.Struct, frozen=True, gc=False):
    """Put an emoji on the message at offset `target`, or take one's own away. Twice is as good as once."""

    target: int
    emoji: str
    on: bool


class Topic(msgspec.Struct, frozen=True, gc=False):
    """Say what the room is about. The newest one counts, also when its entry is no longer kept."""

    text: str


Change = Edit | Delete | React
"""What is done to a message."""


class File(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A file as others see it, in JSON: in the data of the message that it was sent with, under `files`.

    `size` is bytes. An image that a page can show has `width` and `height`, and a small one beside it (`thumb`).
    """

    id: str
    name: str
    type: str
    size: int
    width: int = 0
    height: int = 0
    thumb: bool = False


class Upload(msgspec.Struct, frozen=True, gc=False):
    """A file that a user has brought to a room. Its content is kept elsewhere, under its `hash`.

    `offset` is that of the message that it was sent with, None before.
    """

    file: File
    hash: str
    room: str
    user: str
    time_ms: int
    offset: int | None = None


class Draft(msgspec.Struct, frozen=True, gc=False):
    """An entry to be: everything but its place. An empty `key` means that a repeat could not be told.

    `data` is the JSON of the publication, for a change as well; `change` is None for a post. Of a post, `told` are the
    users who are to be told of it, each once; if it is `direct`, it makes each a place in the room, and one for its
    author if that is a client. `files` are the ids of uploads to send with it; its data is an object then and gets a
    field `files` (each a `File`).
    """

    room: str
    key: str
    author: Author
    time_ms: int
    data: bytes
    change: Change | Topic | None = None
    told: tuple[str, ...] = ()
    direct: bool = False
    files: tuple[str, ...] = ()


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One entry of a room. `data` is JSON, `time_ms` is Unix time."""

    offset: int
    key: str
    author: Author
    time_ms: int
    data: bytes


class Stored(msgspec.Struct, frozen=True, gc=False):
    """Where a draft ended up. A `duplicate` is the entry that the same author stored under the same key before.

    `begun`: the author's place in this direct channel began with it.
    """

    entry: Entry
    epoch: str
    duplicate: bool
    begun: bool = False


class Rejected(msgspec.Struct, frozen=True, gc=False):
    """A draft that cannot be stored. Nothing was stored for it.

    `no_file`: a post names an upload that is not there, not its author's, not for this room, or was sent before.

    The others are about changes. `missing`: there is no such message, or it was deleted. `foreign`: it is somebody
    else's. `unchangeable`: it has no text that could be edited. `full`: it has too many different reactions already
    (`MAX_REACTIONS`); or of a new place: the user has too many of them (`MAX_PLACES`).
    """

    reason: Literal["missing", "foreign", "unchangeable", "full", "no_file"]


class Message(msgspec.Struct, frozen=True):
    """A post as it stands after all changes.

    `offset`, `author` and `time_ms` are those of its entry. `data` is the post's, with `text` as last edited; `null`
    if it was deleted. `edited_ms` and `deleted_ms` are the times of the last such change, 0 if there was none.
    `reactions` has the users behind each emoji, both in the order in which they came; a deleted message has none.
    """

    offset: int
    author: Author
    time_ms: int
    data: bytes
    edited_ms: int = 0
    deleted_ms: int = 0
    reactions: dict[str, list[str]] = {}


class Page(msgspec.Struct, frozen=True):
    """Some of a room's messages, ascending, and the position of the room at which this is what they are."""

    messages: list[Message]
    position: Position


class Keep(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A change of a user's place in a room, which makes it if there is none.

    `read` raises the marker to an offset, or to the room's newest if that is before it; a new place without one begins
    at the room's newest. `notify` says whether the room may make a noise, at first it may. With `begin` a place that is
    there stays as it is; with `leave` it ends. `name` is what the user is called, if it is they who ask for it.
    """

    user: str
    room: str
    time_ms: int
    name: str = ""
    read: int | None = None
    notify: bool | None = None
    begin: bool = False
    leave: bool = False


class Kept(msgspec.Struct, frozen=True, gc=False):
    """Where a place's marker is after a change, 0 if it ended, and whether the change made a difference."""

    read: int
    changed: bool


class Place(msgspec.Struct, frozen=True, gc=False):
    """What a user keeps of a room, and what has come since: both counts are at most 1,000, in all places 10,000.

    `unread` are those among so many messages after the marker that are not the user's own, deleted ones included;
    `mentions` the messages after it of which the user was to be told. `position` and `topic` are the room's.
    """

    room: str
    position: Position
    read: int
    notify: bool
    unread: int
    mentions: int
    topic: str = ""


NEWEST = 2**63 - 1
"""Above all numbers, offsets and times."""


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages are asked for: those that all of this holds for. Deleted ones and those without text never are.

    `before` is a cursor from earlier `Findings`; times are Unix time.
    """

    query: Query = Query()
    room: str | None = None
    user: str | None = None
    since_ms: int = 0
    until_ms: int = NEWEST
    before: int = NEWEST


class Found(msgspec.Struct, frozen=True):
    """A message of a room, without its reactions. `number` is its place among those of all rooms."""

    number: int
    room: str
    message: Message


class Findings(msgspec.Struct, frozen=True):
    """What was found, the newest first, and the cursor from which to go on, None if there is nothing older.

    Where there was much to look at there may be a cursor although there are few findings, or none.
    """

    found: list[Found]
    before: int | None


class Retention(msgspec.Struct, frozen=True, gc=False):
    """What is kept of the rooms whose names match a pattern: `*` is anything, `?` one character, all else itself.

    The newest `keep_entries`, and what is not older than `keep_since_ms` (Unix time); None: all.
    """

    pattern: str
    keep_entries: int | None
    keep_since_ms: int | None

    @property
    def glob(self) -> str:
        """The pattern for matchers, Python's and SQLite's, to which a bracket begins a set of characters."""
        return self.pattern.replace("[", "[[]")


class Ruling(msgspec.Struct, frozen=True, gc=False):
    """What a moderator did to a user: who, to whom, where, when, why.

    `room` is "" for everywhere. `by_role` is the role in which it was done. `until_ms` is Unix time, 0 for ever, and
    means something for a ban or a mute only. `number` is its place in the audit trail, 0 before it is stored.
    """

    room: str
    action: Literal["kick", "ban", "unban", "mute", "unmute"]
    user: str
    by: str
    by_role: str
    time_ms: int
    until_ms: int = 0
    reason: str = ""
    number: int = 0


class MemberChange(msgspec.Struct, frozen=True, gc=False):
    """A private room is made, or somebody becomes a member of one, or is one no longer: through whom, and when.

    Who makes a room is its first member. With its last member a room ends.
    """

    room: str
    action: Literal["create", "invite", "leave"]
    user: str
    by: str
    time_ms: int


class PrivateRoom(msgspec.Struct, frozen=True):
    """A private room, who has made it, and its members, those first who came first."""

    name: str
    creator: str
    members: list[str]


class RoomTopic(msgspec.Struct, frozen=True, gc=False):
    """A room, and what it is about: "" for nothing."""

    name: str
    topic: str


MAX_REACTIONS = 50
"""How many different emojis a message may have."""


class LogError(Exception):
    """The log could not store or read; nothing was stored. A later try may succeed."""


class RoomLog(Protocol):
    """An append-only log of many rooms.

    Calls may block (`blocks` tells whether they do), and each raises `LogError` where it cannot do what it is for.
    One thread may write while others read: a read sees all of a batch or nothing, and waits for no write.
    """

    blocks: bool

    def append(self, batch: Sequence[Draft | Keep]) -> list[Stored | Rejected | Kept]:
        """Store a batch, all or nothing: its drafts in their order, then the changes of places in theirs.

        Answers in the order of the batch.

        When this returns, the entries are as durable as this log makes them, and the messages are up to date. The
        same (room, author's user, key) again, in this batch or later, stores nothing and is answered with the first
        entry, as far back as the log keeps entries. A change that cannot be made is rejected; the others are stored.
        With an entry the log keeps who is to be told of it, and what its author is called.

        Raises `LogError` with nothing stored.
        """

    def position(self, room: str) -> Position:
        """Return the offset of the room's newest entry (0 if it has none) and its epoch."""

    def before(self, room: str, offset: int, limit: int) -> list[Entry]:
        """Return the newest `limit` kept entries with a smaller offset, ascending."""

    def after(self, room: str, offset: int, limit: int) -> list[Entry]:
        """Return the oldest `limit` kept entries with a greater offset, ascending."""

    def messages(self, room: str, *, after: int | None = None, before: int | None = None, limit: int) -> Page:
        """Return the newest `limit` messages, or those just before or just after an offset (not both given)."""

    def search(self, search: Search, readable: Callable[[str], bool], *, limit: int) -> Findings:
        """Return the newest `limit` messages that are asked for, of the rooms whose names are `readable`.

        It is called once for each room that comes up. What counts is how messages stand when this is called: an edit,
        a deletion or an entry that is forgotten shows at once.
        """

    def index(self, *, limit: int) -> int:
        """Prepare for searches, in steps of `limit` entries: do one if there are so many, and tell how many are left.

        Searches find the same without it, but slower.
        """

    def trim(self, rules: Sequence[Retention], *, limit: int) -> int:
        """Forget up to `limit` old entries, the oldest of their rooms, and return how many.

        The first rule that matches a room decides; a room that none matches keeps all. Those entries go that the rule
        does not keep; but none that has one before it that stays. The newest entry of a room always stays, as do its
        epoch and its offsets. With an entry go its key, its message and who is to be told of it. 0 means that nothing
        is left to forget.
        """

    def remove(self, room: str, *, last: int, limit: int) -> int:
        """Forget up to `limit` of a room's entries, the oldest first and none after offset `last`; return how many.

        As `trim`, but the newest entry may go as well: the room's position stays where it is, and offsets go on
        from there. 0 means that nothing is left to forget.
        """

    def topic(self, room: str) -> str:
        """Return what a room is about, "" for nothing. `trim` and `remove` leave it as it is."""

    def find_rooms(self, query: str, limit: int) -> list[RoomTopic]:
        """Return up to `limit` rooms whose name or topic has a text in it, those first in which most was said.

        Only rooms that have had an entry, and whose name is not private (`channels.is_private`). Upper and lower case
        of ASCII letters are the same.
        """

    def change_members(self, change: MemberChange) -> bool:
        """Store who is a member of a private room, as durably as an entry.

        False if a room is to be made whose name is taken, by a private room or by entries of which some are kept; or
        if there is no room to invite somebody into. To invite a member, or have somebody leave who is none, changes
        nothing. Who becomes a member has a place in the room from then on, who leaves has none any more.
        """

    def private_rooms(self) -> list[PrivateRoom]:
        """Return all private rooms that have members."""

    def record(self, ruling: Ruling) -> Ruling:
        """Store what a moderator did, as durably as an entry, and return it with its `number`.

        A ban or mute replaces an earlier one of the same user in the same room, `unban` and `unmute` end it. The audit
        trail keeps all of them, whatever becomes of the room's entries. A kick or ban ends the membership in a private
        room.
        """

    def in_force(self, room: str, now_ms: int) -> list[Ruling]:
        """Return the bans and mutes of a room that have not ended, the oldest first. "": those of everywhere."""

    def bans(self, user: str, now_ms: int) -> list[Ruling]:
        """Return the bans of a user that have not ended, from whatever rooms, the oldest first."""

    def rulings(self, room: str, *, before: int | None = None, limit: int) -> list[Ruling]:
        """Return a room's newest `limit` rulings, or those just before a number; the newest first."""

    def places(self, user: str) -> list[Place]:
        """Return all places of a user, by the names of the rooms."""

    def names(self, users: Sequence[str]) -> dict[str, str]:
        """Return what users were called when they last said something or changed a place; who never did is left out."""

    def forget_guests(self, before_ms: int, *, limit: int) -> int:
        """Forget up to `limit` places that guests have not touched since a time (by the day), and as many names.

        Return how many. 0 means that nothing is left to forget.
        """

    def keep_upload(self, upload: Upload, *, most_unsent_bytes: int) -> bool:
        """Store that a file was uploaded, as durably as an entry.

        False, and nothing is stored, if its user would then have more than so many bytes uploaded and not sent.
        An upload goes with its message: when that is deleted, or its entry forgotten.
        """

    def upload(self, file_id: str) -> Upload | None:
        """Return an upload by the id of its file."""

    def forget_unsent(self, before_ms: int, *, limit: int) -> int:
        """Forget up to `limit` uploads of before a time that were never sent, and return how many."""

    def loose(self, *, limit: int) -> list[str]:
        """Return hashes of contents that an upload referred to and none does any more; `forget_loose` ends that."""

    def forget_loose(self, hashes: Sequence[str]) -> None:
        """Take note that these contents are gone."""

    def referred(self, hashes: Sequence[str]) -> set[str]:
        """Return those among some hashes that an upload refers to."""

    def secret(self) -> bytes:
        """Return 32 random bytes made with this log, for signing what must be recognised as long as the log lives."""

    def close(self) -> None:
        """Give back what is held open. Nothing else may be called then."""
