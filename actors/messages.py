"""What the actors say to each other.

Commands are named in the imperative, events in the past tense. A `Request` gets exactly one answer: `Answered`,
`Refused`, or the runtime's `RequestFailed`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from actors.runtime import ActorRef, Coalescing, Droppable, Notice, Request, Signal
from chat.errors import UNSUBSCRIBED_BY_SERVER, CloseReason, Error
from chat.identity import Identity
from chat.log import (
    Author,
    Change,
    Draft,
    Entry,
    Findings,
    Keep,
    Kept,
    MemberChange,
    Place,
    Position,
    Rejected,
    Retention,
    RoomTopic,
    Ruling,
    Search,
    Stored,
    Topic,
    Upload,
)
from chat.log import Page as MessagePage
from chat.protocol.commands import Command
from chat.protocol.results import PersonHere, RoomSummary
from chat.wire import Event, Published, Wire


class Transport(Protocol):
    """What a client actor needs of its socket. Nothing here waits or raises."""

    @property
    def address(self) -> str:
        """What the peer is counted as (`chat.admission.who_pays_for`); empty if that is not known."""

    def identify(self, user: str) -> bool:
        """Take note whose connection it is. False if that user has too many. Called once."""

    def send(self, frames: Sequence[bytes]) -> bool:
        """Send WebSocket frames, in order. False if that would exceed the backlog limit: then none was sent."""

    def backlog_bytes(self) -> int:
        """Return how much of what was sent still waits for the peer."""

    def close(self, reason: CloseReason) -> None:
        """Close after what is queued. Only the first call counts."""


# gateway → clients → client


class Connect(msgspec.Struct, frozen=True):
    """Start a client actor for a socket; asked, and answered with its ref."""

    wire: Wire
    transport: Transport


class Receive(msgspec.Struct, frozen=True):
    """Handle commands from the socket, in order."""

    commands: list[Command]


class Reject(msgspec.Struct, frozen=True):
    """Close: the peer sent what it must not send."""

    reason: CloseReason


class Drain(Signal, frozen=True):
    """Take no more commands; close with `reason` when all that were taken are answered."""

    reason: CloseReason


# client ↔ clients


class Connected(msgspec.Struct, frozen=True):
    """A client has introduced itself: this is a connection of that user, who is called so."""

    client: ActorRef[Any]
    user: str
    name: str


class CheckBan(Signal, frozen=True):
    """Close if this is a connection of somebody who is banned from everywhere."""


class TellConnected(Signal, frozen=True):
    """Ask a client for `Connected`, if it has introduced itself, although it has told before."""


# server API → clients → client


class ForConnection(Signal, frozen=True):
    """What the server, rather than a peer, wants of a connection. `client` is the id of the only one meant, "" of none.

    A signal, so that a client that is kept busy cannot put it off.
    """

    client: str


class CloseConnection(ForConnection, frozen=True):
    """Close, unless it is one of those `spared` (ids)."""

    reason: CloseReason
    spared: Sequence[str] = ()


class BeginSubscription(ForConnection, frozen=True):
    """Subscribe to a channel, from a position if there is one, unless it is subscribed. `data` (JSON) is passed on."""

    channel: str
    data: bytes
    position: Position | None


class EndSubscription(ForConnection, frozen=True):
    """Leave a channel, and do not come back by yourself."""

    channel: str
    reason: CloseReason = UNSUBSCRIBED_BY_SERVER


class Refreshed(ForConnection, frozen=True):
    """The connection may stay until then (Unix time in seconds; 0: for ever), and for a grace to bring a token."""

    expire_at: int


class TellUser(Request, frozen=True):
    """Hand a message to every connection that a user has now. Answered with `Told` when they have it."""

    user: str
    message: ForConnection


class Notify(Droppable, frozen=True):
    """Say something in a user's personal channel, as JSON. It is a hint: what it is about is stored, or of the moment.

    With a `room` it is for those who may read that room.
    """

    data: bytes
    room: str = ""


class NotifyUser(Droppable, frozen=True):
    """Hand a notice to every connection that a user has now. Not answered, and the first to go when there is much."""

    user: str
    notify: Notify


class ReadNames(Request, frozen=True):
    """Ask what users are called: those who are connected, or have ever said something. Answered with `Names`."""

    command: Command
    users: Sequence[str]


class CountUsers(Request, frozen=True):
    """Ask how many connections there are, and users behind them. Answered with `Counted`."""


# client → rooms → room


class RoomRequest(Request, frozen=True):
    """A request to a room. `command` is what the answer will be the reply to.

    `identity` is who asks, with the roles that they have now: the room says whether they may.
    """

    channel: str
    command: Command
    identity: Identity


class Join(RoomRequest, frozen=True):
    """Become a member. Answered with `Entered`, or refused (409) if somebody else has the name, (106) if it is full.

    A vouched name is not refused: a member who has it and for whom nobody vouches is put out (`Expelled`).

    `position` is where the client resumes, None to begin now. `ticket` names this membership among those of the same
    client; `silently` is for a member that was in before the room restarted: nobody is told that it came.
    """

    ticket: int
    author: Author
    position: Position | None
    silently: bool = False


class Publish(RoomRequest, frozen=True):
    """Store an entry and show it to all. Answered with `Placed` once it is stored. `change` is None for a post.

    A post may be a `reply` to the message at an offset, and there are users whom it `mentions`.
    """

    key: str
    author: Author
    data: bytes
    time_ms: int
    change: Change | Topic | None = None
    reply: int = 0
    mentions: Sequence[str] = ()
    files: tuple[str, ...] = ()


class ReadHistory(RoomRequest, frozen=True):
    """Read entries: after `since`, or with `reverse` before it, downwards. Answered with `Page`.

    `limit` is at least 0. Without `since` it is the room's oldest entries, or with `reverse` its newest. A room that
    does not have them at hand passes the request on to the reader.
    """

    limit: int
    since: Position | None
    reverse: bool


class ReadMessages(RoomRequest, frozen=True):
    """Read what messages stand, newest last. Answered with `MessagePage`, by the reader if the room lets it through.

    At most `limit` of them: just before or just after an offset, or the newest if neither is given.
    """

    before: int | None
    after: int | None
    limit: int


class ReadPresence(RoomRequest, frozen=True):
    """Ask who is here. Answered with `Present`."""


class ReadMembers(RoomRequest, frozen=True):
    """Ask which users are here or belong here, and whether they look. Answered with `People`."""


class CountPresence(RoomRequest, frozen=True):
    """Ask how many are here. Answered with `Counted`."""


class Moderate(RoomRequest, frozen=True):
    """Kick, ban, mute, or lift that. Answered with `Done` when it is stored and in force.

    Without a `channel` it is for the clients' supervisor, and about all rooms; so are the two that follow.
    """

    ruling: Ruling


class ReadBans(RoomRequest, frozen=True):
    """Read at most `limit` bans and mutes that are in force, from the oldest after a number. Answered with `Bans`."""

    after: int
    limit: int


class ReadAudit(RoomRequest, frozen=True):
    """Read at most `limit` rulings, from the newest before a number.

    Answered with `Audit`, by the reader if the room lets it through.
    """

    before: int | None
    limit: int


class KeepPlace(RoomRequest, frozen=True):
    """Change what the user keeps of a room. Answered with `Kept` if it has a marker to raise, else with `Done`.

    A room passes it on to the journal, if the user may read there; to leave, the journal is asked. If it made a
    difference, `clients` is told to have the user's connections know.
    """

    keep: Keep
    clients: ActorRef[Any]


class AskFiles(RoomRequest, frozen=True):
    """Ask whether one may read the room's files, else it is refused, and bring some. Answered with `FilesAllowed`."""


class CrashRoom(RoomRequest, frozen=True):
    """Crash, in the way that `kind` names. Known only where chaos is on; answered with `Armed`, before the crash."""

    kind: str


class RemoveHistory(RoomRequest, frozen=True):
    """Forget all entries that the room has now; its position stays. Answered with `Done` when they are gone."""


class ShowTyping(Droppable, frozen=True):
    """Tell the others that a member types. Not answered, and the first to go when the room is busy."""

    member: ActorRef[Any]
    author: Author


class SetAway(Coalescing, frozen=True):
    """The member that entered with this ticket looks elsewhere, or here again. A newer one replaces one that waits."""

    member: ActorRef[Any]
    ticket: int
    away: bool

    def coalesce_key(self) -> tuple[ActorRef[Any], int]:
        """Tell memberships apart. Tickets of different members may be the same."""
        return self.member, self.ticket


class Leave(Notice, frozen=True):
    """End the membership that was entered with this ticket. At most one for each that was entered."""

    member: ActorRef[Any]
    ticket: int
    author: Author


class Renew(Notice, frozen=True):
    """The member that entered with this ticket has another role now."""

    member: ActorRef[Any]
    ticket: int
    identity: Identity


class ReadPlaces(RoomRequest, frozen=True):
    """Ask the reader what the user keeps of rooms; no `channel`. Answered with `Places`."""

    now_ms: int


class ListRooms(Request, frozen=True):
    """Ask the rooms' supervisor for the open rooms, the `limit` largest at most. Answered with `Listed`.

    All of them, or those that somebody may know of. With a `query` rooms that have it in their name or topic, whether
    they are open or not.
    """

    command: Command
    identity: Identity | None = None
    limit: int = 100
    query: str = ""


# client → invitations


class ChangeMembers(Request, frozen=True):
    """Make a private room, invite somebody into one, or leave it for good. Answered with `Done` when that holds.

    Refused (103) if who asks is no member, (409) if the name is taken, (106) if there are too many. `topic` is what the
    client says that a new room is about, once it is there.
    """

    command: Command
    change: MemberChange
    author: Author
    topic: str = ""


# room → client


class Entered(msgspec.Struct, frozen=True):
    """The client is a member: every event from here on will be delivered to it, in order.

    If the client's position could be recovered, `missed` holds what follows it, up to `position`; if that is not all,
    there is `more`, and the client has to enter once more from there. If it could not, or there was none, `recovered`
    is False, `missed` is empty and `position` is the room's.
    """

    room: ActorRef[Any]
    position: Position
    recovered: bool
    missed: Sequence[Published]
    more: bool = False
    topic: str = ""


class Placed(msgspec.Struct, frozen=True):
    """The entry is stored, here."""

    entry: Entry
    epoch: str
    duplicate: bool


class Page(msgspec.Struct, frozen=True):
    """A page of history, in the order asked for, and the room's position."""

    items: Sequence[Published]
    position: Position


class Present(msgspec.Struct, frozen=True):
    """Who is here, one author per connection."""

    authors: list[Author]


class People(msgspec.Struct, frozen=True):
    """The users who are here, and in a room that says who belongs there also the others."""

    people: list[PersonHere]


class Names(msgspec.Struct, frozen=True):
    """What users are called, as far as that is known."""

    names: Mapping[str, str]


class Counted(msgspec.Struct, frozen=True):
    """How many connections are here, and how many users behind them."""

    clients: int
    users: int


class FilesAllowed(msgspec.Struct, frozen=True):
    """The room's files may be read, and perhaps some be brought."""

    upload: bool


class Listed(msgspec.Struct, frozen=True):
    """The open rooms, those with most clients first."""

    rooms: list[RoomSummary]


class Armed(msgspec.Struct, frozen=True):
    """The room will crash as it was asked to."""


class Told(msgspec.Struct, frozen=True):
    """So many connections have been told."""

    connections: int


class Done(msgspec.Struct, frozen=True):
    """It is done, and there is nothing to say about it."""


class Bans(msgspec.Struct, frozen=True):
    """Bans and mutes, the oldest first."""

    rulings: list[Ruling]


class Audit(msgspec.Struct, frozen=True):
    """What moderators did, the newest first."""

    rulings: list[Ruling]


class Places(msgspec.Struct, frozen=True):
    """What a user keeps of rooms, without those that they are banned from, and names of users in direct channels."""

    places: list[Place]
    names: Mapping[str, str]


Result = (
    Entered
    | Placed
    | Page
    | MessagePage
    | Findings
    | Present
    | People
    | Names
    | Counted
    | FilesAllowed
    | Listed
    | Armed
    | Told
    | Done
    | Bans
    | Audit
    | Kept
    | Places
)


class Answered(msgspec.Struct, frozen=True):
    """A request was done."""

    request: Any
    result: Result


class Refused(msgspec.Struct, frozen=True):
    """A request was not done, and this is what to tell the client."""

    request: Any
    error: Error


class Expelled(msgspec.Struct, frozen=True):
    """The membership that was entered with this ticket is over, and the room has forgotten it.

    `close` is for a connection that cannot be told so, or that can be in no other room.
    """

    channel: str
    ticket: int
    reason: CloseReason
    close: CloseReason


class Deliver(msgspec.Struct, frozen=True):
    """Show an event to the client. All members get the same object."""

    event: Event


# client → reader


class SearchMessages(Request, frozen=True):
    """Find messages in the rooms that somebody may read, a number of them at most. Answered with `Findings`.

    `entered` are rooms that the asking connection is in by a token; in them it may read whatever its role. `now_ms` is
    the time by which bans are judged.
    """

    command: Command
    identity: Identity
    search: Search
    limit: int
    entered: frozenset[str]
    now_ms: int

    @property
    def channel(self) -> str:
        """The only room that is asked for, "" for all."""
        return self.search.room or ""


# room ↔ rooms


class Resized(Coalescing, frozen=True):
    """A room tells how many clients it has now, and what it is about. A newer one replaces one that waits."""

    channel: str
    clients: int
    topic: str = ""

    def coalesce_key(self) -> str:
        """Tell rooms apart."""
        return self.channel


class TellSize(msgspec.Struct, frozen=True):
    """Ask a room for `Resized`, although its size has not changed."""


# room or clients → reader → room or clients


class FindNames(Request, frozen=True):
    """Read what users were called when they last said something, for a request. Answered with `FoundNames`."""

    channel: str
    users: Sequence[str]
    request: ReadNames | ReadMembers


class FoundNames(msgspec.Struct, frozen=True):
    """What they were called; who never said anything is left out."""

    request: FindNames
    names: Mapping[str, str]


# rooms → reader → rooms


class FindRooms(Request, frozen=True):
    """Look for rooms that are perhaps not open. Answered with `FoundRooms`."""

    channel: str
    limit: int
    request: ListRooms


class FoundRooms(msgspec.Struct, frozen=True):
    """Rooms that have what was looked for in their name or topic."""

    request: FindRooms
    rooms: list[RoomTopic]


# room → reader → room


class Open(Request, frozen=True):
    """Read where a room stands, and its newest `limit` entries. Answered with `Opened`."""

    channel: str
    limit: int


class Opened(Signal, frozen=True):
    """Where a room stands in the log, and as many of its newest entries as were asked for, or all that there are.

    With the bans and mutes that are in force in it, and what it is about: at that position, or a later one.

    A signal, since a room takes nothing else before it.
    """

    request: Open
    position: Position
    tail: list[Entry]
    in_force: list[Ruling]
    topic: str


class ReadMissed(Request, frozen=True):
    """Read what follows a position, for somebody who wants to enter from there. Answered with `Missed`."""

    channel: str
    after: int
    limit: int


class Missed(msgspec.Struct, frozen=True):
    """The oldest entries that the log keeps after the position, at most as many as were asked for."""

    request: ReadMissed
    position: Position
    entries: list[Entry]


# room → journal → writer → journal → room


class Append(Request, frozen=True):
    """Store an entry. When it is, `publish.sender` gets its answer and the room (the sender of this) `Committed`."""

    draft: Draft
    publish: Publish


class Write(Request, frozen=True):
    """Store a batch, all or nothing. Answered with `Written`, or with `RequestFailed` if nothing was stored."""

    appends: list[Append | KeepPlace]


class Written(msgspec.Struct, frozen=True):
    """What became of each entry and each change of a batch, in its order. It is stored."""

    appends: list[Append | KeepPlace]
    places: list[Stored | Rejected | Kept]


class Committed(msgspec.Struct, frozen=True):
    """Entries of one room are stored in this epoch, by rising offset. A room may have heard of some before.

    `told` has who is to be told of those that are new, by offset; the author, whose place began with it, that it did.
    """

    epoch: str
    entries: list[Entry]
    told: Mapping[int, Sequence[str]] = {}


class CatchUp(Signal, frozen=True):
    """Entries may have been stored of which nobody will tell: look into the log."""


# room → journal → writer → room


class Remove(Request, frozen=True):
    """Forget the entries of a room up to offset `last`, in steps. Answered with `Removed` when they are gone."""

    channel: str
    last: int
    request: RemoveHistory


class Removed(msgspec.Struct, frozen=True):
    """The entries are gone."""

    request: Remove


class Record(Request, frozen=True):
    """Store what a moderator did. Answered with `Recorded`.

    If it ends a membership in a private room, `invitations` is told first (`MembershipEnded`).
    """

    moderate: Moderate
    invitations: ActorRef[Any] | None = None


class Recorded(msgspec.Struct, frozen=True):
    """It is stored, like this."""

    request: Record
    ruling: Ruling


# invitations → journal → writer → invitations


class StoreMembers(Request, frozen=True):
    """Store who is a member of a private room. Answered with `MembersStored`."""

    request: ChangeMembers


class MembersStored(Signal, frozen=True):
    """It is stored, or not if that cannot be (`RoomLog.change_members`). A signal: nothing else is handled before."""

    request: StoreMembers
    done: bool


# writer → invitations


class MembershipEnded(Signal, frozen=True):
    """A user was put out of a private room, by this ruling.

    A signal from the writer, as `MembersStored` is: both come in the order in which the log has them.
    """

    ruling: Ruling


# journal → writer → journal


class Index(Request, frozen=True):
    """Prepare so many entries for searches, if there are so many. Answered with `Indexed`."""

    limit: int


class Indexed(msgspec.Struct, frozen=True):
    """So many entries are not prepared yet; what was done took this long."""

    left: int
    took_s: float


class Trim(Request, frozen=True):
    """Forget a number of the old entries that these rules do not keep, and of what guests kept who are long gone.

    Answered with `Trimmed`.
    """

    rules: Sequence[Retention]
    guests_before_ms: int = 0


class Trimmed(msgspec.Struct, frozen=True):
    """So much was forgotten; `more` may be left."""

    entries: int
    more: bool


# files → writer, reader → files


class KeepUpload(Request, frozen=True):
    """Store that a file was uploaded. Answered with `UploadKept`."""

    upload: Upload
    most_unsent_bytes: int


class UploadKept(msgspec.Struct, frozen=True):
    """It is stored; or it is not, since its user has too much that was not sent (`fits` is False)."""

    request: KeepUpload
    fits: bool


class FindUpload(Request, frozen=True):
    """Look for an upload. Answered with `UploadFound`."""

    channel: str
    file_id: str


class UploadFound(msgspec.Struct, frozen=True):
    """The upload, or that there is none."""

    request: FindUpload
    upload: Upload | None


class Clean(Request, frozen=True):
    """Forget uploads of before a time that were not sent, and remove contents that nobody refers to, a number of each.

    Answered with `Cleaned`.
    """

    before_ms: int


class Cleaned(msgspec.Struct, frozen=True):
    """So many contents are gone; `more` may be left."""

    contents: int
    more: bool
