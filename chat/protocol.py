"""The Centrifugo client protocol, JSON: the only place that knows its field names.

Frames in become `Command`s, results become frames. Requests are validated here as far as their form goes; what they
may do is decided by the client actor. Fields of features that are not offered are read where ignoring them would be
wrong (tag filter, shared poll, tokens) and skipped otherwise.

Source: the protocol's schema (client.proto of centrifugal/protocol) and what its SDKs send. `web/PROTOCOL.md`
documents the part that is offered. `chat/schema.py` makes a JSON Schema of the types here; its readers get to see
their docstrings.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

from chat.errors import BAD_REQUEST_CLOSE, Disconnect, Error, bad_request
from chat.log import Author, Change, Delete, Edit, Entry, File, Findings, Message, Place, Ruling
from chat.log import React as ReactTo

if TYPE_CHECKING:
    from collections.abc import Sequence

CommandId = Annotated[int, Meta(ge=0, le=2**32 - 1)]
Offset = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Target = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Until = Annotated[int, Meta(ge=1, le=253_402_300_799_000)]  # to the end of year 9999
Channel = Annotated[str, Meta(min_length=1)]
FileId = Annotated[str, Meta(min_length=1, max_length=64)]

HOLDS: Final = "x-holds"


def holding(*names: str | None) -> Meta:
    """Say for the schema what JSON is in a `Raw`: any of these types of this module, or with None also null."""
    return Meta(extra_json_schema={HOLDS: names})


MAX_EXCERPT_CHARS: Final = 200
"""How much of a message a notice has."""

REJECT_UNRECOVERABLE: Final = 2  # bit of SubscribeRequest.flag: answer 112 rather than recovered:false

# Requests


class Resume(Struct, frozen=True):
    """Where a server-side subscription goes on, if `recover` is set."""

    recover: bool = False
    offset: Offset = 0
    epoch: str = ""


class Connect(Struct, frozen=True):
    """Introduce the client. `data` is {"name": …, "guest": …}, both optional.

    `subs` has the positions from which server-side subscriptions are resumed, by channel.
    """

    token: str = ""
    data: Annotated[Raw, holding("ConnectData", None)] = field(default_factory=Raw)
    subs: dict[str, Resume] = {}


class Subscribe(Struct, frozen=True):
    """Subscribe to a channel, from a position if `recover` is set; with bit 2 of `flag` from there or not at all (112).

    `type` and `tf` belong to shared poll and to filters, which are not offered.
    """

    channel: Channel
    token: str = ""
    recover: bool = False
    offset: Offset = 0
    epoch: str = ""
    flag: int = 0
    type: int = 0
    tf: Raw = field(default_factory=Raw)


class SubscribeByServer(Struct, frozen=True):
    """A subscription that the server makes for a client. No client sends it. `data` is passed on to the client."""

    channel: str
    data: Raw = field(default_factory=Raw)


class Unsubscribe(Struct, frozen=True):
    """Leave a channel."""

    channel: Channel


class Publish(Struct, frozen=True):
    """Publish any JSON. `type` and `key` belong to map channels, which are not offered."""

    channel: Channel
    data: Raw = field(default_factory=Raw)
    type: int = 0


class Presence(Struct, frozen=True):
    """Ask who is in a channel."""

    channel: Channel


class PresenceStats(Struct, frozen=True):
    """Ask how many are in a channel."""

    channel: Channel


class StreamPosition(Struct, frozen=True):
    """A position as the client states it. An empty epoch stands for whichever there is."""

    offset: Offset = 0
    epoch: str = ""


class History(Struct, frozen=True):
    """Ask for publications: `limit` 0 for none but the position, -1 for as many as one reply may hold."""

    channel: Channel
    limit: int = 0
    since: StreamPosition | None = None
    reverse: bool = False


class Rpc(Struct, frozen=True):
    """Call a method of the chat."""

    method: str = ""
    data: Raw = field(default_factory=Raw)


class Refresh(Struct, frozen=True):
    """Bring a new connection token before the old one ends."""

    token: str = ""


class SubRefresh(Struct, frozen=True):
    """Bring a new subscription token before the old one ends."""

    channel: Channel
    token: str = ""


class Unavailable(Struct, frozen=True):
    """A command that the protocol has and this server does not: ping."""


class Send(Struct, frozen=True):
    """An asynchronous message to the server. Nothing here takes one."""


class Pong(Struct, frozen=True):
    """The answer to our ping."""


# The data of `connect` and of the chat's own rpc methods


class ConnectData(Struct, frozen=True):
    """What a guest may say of itself. `guest` is the token from an earlier reply."""

    name: str = ""
    guest: str = ""


class SendMessage(Struct, frozen=True):
    """rpc `send`: store a chat message. The same key from the same author again is the same message.

    `reply` is the offset of the message that it answers; `mentions` has whom it names, by user, and as what.
    """

    channel: str
    key: str
    text: str
    reply: Target | None = None
    mentions: dict[str, str] = {}
    files: tuple[FileId, ...] = ()


class EditMessage(Struct, frozen=True):
    """rpc `edit`: give one's own message, the one at offset `target`, another text."""

    channel: str
    target: Target
    text: str
    key: str = ""


class DeleteMessage(Struct, frozen=True):
    """rpc `delete`: take a message back: one's own, or as a moderator anybody's."""

    channel: str
    target: Target
    key: str = ""


class React(Struct, frozen=True):
    """rpc `react`: put an emoji on a message, or with `on` false take one's own away."""

    channel: str
    target: Target
    emoji: str
    on: bool = True
    key: str = ""


class ReadMessages(Struct, frozen=True):
    """rpc `messages`: read what messages stand; those just before or after an offset, or the newest."""

    channel: str
    before: Offset | None = None
    after: Offset | None = None
    limit: Annotated[int, Meta(ge=1)] = 50


class SearchMessages(Struct, frozen=True):
    """rpc `search`: find messages by their words, in all rooms that one may read, or by channel, user and time.

    `before` is the cursor of an earlier page; times are Unix time in milliseconds.
    """

    query: str = ""
    channel: str | None = None
    user: str | None = None
    since: Offset | None = None
    until: Offset | None = None
    before: Offset | None = None
    limit: Annotated[int, Meta(ge=1)] = 20


class MarkRead(Struct, frozen=True):
    """rpc `read`: one has read a room up to an offset."""

    channel: Channel
    offset: Offset


class ReadPlaces(Struct, frozen=True):
    """rpc `mine`: read what one keeps of rooms."""


class SetNotify(Struct, frozen=True):
    """rpc `notify`: say whether a room may make a noise."""

    channel: Channel
    on: bool


class LeaveRoom(Struct, frozen=True):
    """rpc `leave`: keep nothing of a room any more."""

    channel: Channel


class AskFiles(Struct, frozen=True):
    """rpc `files`: ask for a key with which a room's files are read, and brought."""

    channel: Channel


Placing = MarkRead | SetNotify | LeaveRoom


class Typing(Struct, frozen=True):
    """rpc `typing`: tell the others that somebody types."""

    channel: str


class SetTopic(Struct, frozen=True):
    """rpc `topic`: say what a room is about; "" for nothing."""

    channel: str
    topic: str
    key: str = ""


class ListRooms(Struct, frozen=True):
    """rpc `rooms`: ask which rooms are open, or which ones have a text in their name or topic."""

    query: str | None = None
    limit: Annotated[int, Meta(ge=1)] = 100


class CreateRoom(Struct, frozen=True):
    """rpc `create`: make a private room, and be its first member."""

    channel: str
    topic: str = ""


class Invite(Struct, frozen=True):
    """rpc `invite`: make a user a member of a private room that one is a member of."""

    channel: str
    user: str


class ReadMembers(Struct, frozen=True):
    """rpc `members`: ask which users are in a channel, and in a private one who else belongs there."""

    channel: str


class ReadNames(Struct, frozen=True):
    """rpc `names`: ask what users are called."""

    users: Annotated[list[str], Meta(max_length=100)]


class SetAway(Struct, frozen=True):
    """rpc `away`: say that whoever sits at this connection looks elsewhere, or here again."""

    on: bool


class Kick(Struct, frozen=True):
    """rpc `kick`: put all connections of a user out of a room. They may come back."""

    action: ClassVar[Literal["kick"]] = "kick"
    until: ClassVar[None] = None
    channel: Channel
    user: str
    reason: str


class Ban(Struct, frozen=True):
    """rpc `ban`: put a user out, and keep it out, until a time (Unix, ms) or for ever. No channel: everywhere."""

    action: ClassVar[Literal["ban"]] = "ban"
    user: str
    reason: str
    channel: str = ""
    until: Until | None = None


class Unban(Struct, frozen=True):
    """rpc `unban`: lift a ban."""

    action: ClassVar[Literal["unban"]] = "unban"
    until: ClassVar[None] = None
    user: str
    reason: str = ""
    channel: str = ""


class Mute(Struct, frozen=True):
    """rpc `mute`: let a user say nothing in a room, until a time (Unix, ms) or for ever."""

    action: ClassVar[Literal["mute"]] = "mute"
    channel: Channel
    user: str
    reason: str = ""
    until: Until | None = None


class Unmute(Struct, frozen=True):
    """rpc `unmute`: lift a mute."""

    action: ClassVar[Literal["unmute"]] = "unmute"
    until: ClassVar[None] = None
    channel: Channel
    user: str
    reason: str = ""


Moderation = Kick | Ban | Unban | Mute | Unmute


class ReadBans(Struct, frozen=True):
    """rpc `bans`: read the bans and mutes in force, from the oldest one after a number. No channel: everywhere."""

    channel: str = ""
    after: Offset = 0
    limit: Annotated[int, Meta(ge=1)] = 50


class ReadAudit(Struct, frozen=True):
    """rpc `audit`: read what moderators did, from the newest one before a number. No channel: everywhere."""

    channel: str = ""
    before: Offset | None = None
    limit: Annotated[int, Meta(ge=1)] = 50


class Chaos(Struct, frozen=True):
    """rpc `chaos`: have a room crash. For tests and demonstrations; `CHAT_CHAOS` switches it on."""

    channel: str
    kind: Literal["handler", "start", "commit", "fanout"]


Request = (
    Connect
    | Subscribe
    | SubscribeByServer
    | Unsubscribe
    | Publish
    | Presence
    | PresenceStats
    | History
    | Rpc
    | SendMessage
    | EditMessage
    | DeleteMessage
    | React
    | ReadMessages
    | SearchMessages
    | ReadPlaces
    | Placing
    | AskFiles
    | Typing
    | SetTopic
    | ListRooms
    | CreateRoom
    | Invite
    | ReadMembers
    | ReadNames
    | SetAway
    | Moderation
    | ReadBans
    | ReadAudit
    | Chaos
    | Refresh
    | SubRefresh
    | Unavailable
    | Send
    | Pong
)


class Command(Struct, frozen=True):
    """One command of a client. `id` is 0 for the two kinds that get no reply (send, pong)."""

    id: int
    request: Request


class _Envelope(Struct, frozen=True):
    id: CommandId = 0
    connect: Connect | None = None
    ping: Unavailable | None = None
    subscribe: Subscribe | None = None
    unsubscribe: Unsubscribe | None = None
    publish: Publish | None = None
    presence: Presence | None = None
    presence_stats: PresenceStats | None = None
    history: History | None = None
    rpc: Rpc | None = None
    send: Send | None = None
    refresh: Refresh | None = None
    sub_refresh: SubRefresh | None = None


_decode = msgspec.json.Decoder(_Envelope).decode


def decode_frame(frame: str) -> list[Command]:
    """Take a text frame apart into its commands (one per line).

    Raises `Disconnect` (3501) if any of it is not a command: what else such a client means cannot be known either.
    """
    lines = frame.split("\n") if "\n" in frame else (frame,)
    commands = [_command(line) for line in lines if line and not line.isspace()]
    if not commands:
        raise Disconnect(BAD_REQUEST_CLOSE)
    return commands


def _command(line: str) -> Command:
    try:
        envelope = _decode(line)
    except (ValueError, RecursionError):  # msgspec's errors, broken Unicode; nesting without end
        raise Disconnect(BAD_REQUEST_CLOSE) from None
    request = (  # in the protocol's order of precedence: the first that is present is meant
        envelope.connect
        or envelope.ping
        or envelope.subscribe
        or envelope.unsubscribe
        or envelope.publish
        or envelope.presence
        or envelope.presence_stats
        or envelope.history
        or envelope.rpc
        or envelope.send
        or envelope.refresh
        or envelope.sub_refresh
    )
    if request is None:
        if envelope.id or line.strip() != "{}":
            raise Disconnect(BAD_REQUEST_CLOSE)
        return Command(0, Pong())
    if envelope.id == 0 and type(request) is not Send:
        raise Disconnect(BAD_REQUEST_CLOSE)
    return Command(envelope.id, request)


# Frames in

_connect_data = msgspec.json.Decoder(ConnectData)


Call = (
    SendMessage
    | EditMessage
    | DeleteMessage
    | React
    | ReadMessages
    | SearchMessages
    | ReadPlaces
    | Placing
    | AskFiles
    | Typing
    | SetTopic
    | ListRooms
    | CreateRoom
    | Invite
    | ReadMembers
    | ReadNames
    | SetAway
    | Moderation
    | ReadBans
    | ReadAudit
    | Chaos
)


def decode_rpc(rpc: Rpc, *, chaos: bool = False) -> Call | None:
    """Return the call with its arguments, None for an unknown method. Raises `CommandError` (107)."""
    decoder = _decoders.get(rpc.method) if chaos or rpc.method in RPC_METHODS else None
    call: Call | None
    call = decoder and _decode_data(decoder, rpc.data)
    return call


def decode_connect_data(data: Raw) -> ConnectData:
    """Return what the client says of itself. Raises `CommandError` (107)."""
    decoded: ConnectData = _decode_data(_connect_data, data)
    return decoded


def _decode_data(decoder: msgspec.json.Decoder[Any], data: Raw) -> Any:
    raw = bytes(data)
    try:
        return decoder.decode(b"{}" if raw in {b"", b"null"} else raw)
    except (ValueError, RecursionError) as error:
        message = str(error)
        raise bad_request(message) from None


# Results: field by field what the SDKs expect, zero values left out unless they must be there.


class ClientInfo(Struct, frozen=True):
    """Who somebody is, to the others. What tokens add is in `conn_info`, and for one channel in `chan_info`."""

    user: str
    client: str
    conn_info: Annotated[Raw | dict[str, str], holding("JsonObject")]
    chan_info: Raw | UnsetType = UNSET


JsonObject = dict[str, Any]


# What publications say: the data of those that the chat itself makes, told apart by their `type`.


class MessageData(Struct, frozen=True, omit_defaults=True, tag="message"):
    """A chat message, as rpc `send` made it. SDKs do not show a publication's own time, so it is here too.

    `reply` is the offset of the message that it answers; `mentions` has whom it names, by user, and as what. Its
    `files` are put in by the log, which knows them.
    """

    key: str
    text: str
    time: int
    reply: int | UnsetType = UNSET
    mentions: dict[str, str] = {}
    files: list[File] = []


class EditData(Struct, frozen=True, tag="edit"):
    """The message at `target` has another text."""

    target: int
    text: str
    time: int


class DeleteData(Struct, frozen=True, tag="delete"):
    """The message at `target` was taken back."""

    target: int
    time: int


class ReactionData(Struct, frozen=True, tag="reaction"):
    """Who said this puts an emoji on the message at `target`, or takes it away."""

    target: int
    emoji: str
    on: bool
    time: int


class TopicData(Struct, frozen=True, tag="topic"):
    """What the room is about from now on; "" for nothing."""

    topic: str
    time: int


_CHANGES: Final = EditData, DeleteData, ReactionData, TopicData
CHANGES: Final = frozenset({str(kind.__struct_config__.tag) for kind in _CHANGES})
"""The types of publications that only rpc methods make."""

OtherData = Annotated[
    Any,
    Meta(
        title="OtherData",
        description="Any JSON that somebody published, but for what reads as a change.",
        extra_json_schema={
            "not": {"type": "object", "properties": {"type": {"enum": sorted(CHANGES)}}, "required": ["type"]}
        },
    ),
]


class TypingData(Struct, frozen=True, tag="typing"):
    """Who said this types."""


class PresenceData(Struct, frozen=True, tag="presence"):
    """Who said this looks elsewhere, or here again."""

    state: Literal["away", "online"]


class Person(Struct, frozen=True):
    """A user, and what they were called when they last said something."""

    user: str
    name: str


class ReadNotice(Struct, frozen=True, tag="read"):
    """One has read a room up to an offset."""

    channel: str
    offset: int


class NotifyNotice(Struct, frozen=True, tag="notify"):
    """One wants a room to make a noise, or not."""

    channel: str
    on: bool


class LeftNotice(Struct, frozen=True, tag="left"):
    """One keeps nothing of a room any more."""

    channel: str


class _Told(Struct, frozen=True, omit_defaults=True, rename={"sayer": "from"}):
    channel: str
    offset: int
    time: int
    text: Annotated[str, Meta(max_length=MAX_EXCERPT_CHARS)]
    sayer: Person | UnsetType = UNSET


class MentionNotice(_Told, frozen=True, tag="mention"):
    """Somebody else's message, which begins with `text`, mentions one. Without `from` it is the server's."""


class DirectNotice(_Told, frozen=True, tag="direct"):
    """Somebody else's message in a direct channel, which begins with `text`. Without `from` it is the server's."""


class InvitedNotice(Struct, frozen=True, tag="invited", rename={"inviter": "from"}):
    """Somebody made one a member of a private room."""

    channel: str
    inviter: Person


class Publication(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Something said in a channel and stored, by whom `info` says. What the server itself says has no `info`."""

    data: Annotated[Raw, holding("MessageData", "EditData", "DeleteData", "ReactionData", "TopicData", "OtherData")]
    info: Annotated[Raw, holding("ClientInfo")] | UnsetType = UNSET
    offset: int
    time: int


class Passing(Struct, frozen=True):
    """Something of the moment, which is not stored and in no order."""

    data: Annotated[Raw, holding("TypingData", "PresenceData")]
    info: Annotated[Raw, holding("ClientInfo")] | UnsetType = UNSET


class Notice(Struct, frozen=True):
    """What the server says in the personal channel."""

    data: Annotated[
        Raw,
        holding("ReadNotice", "NotifyNotice", "LeftNotice", "MentionNotice", "DirectNotice", "InvitedNotice"),
    ]


Publications = list[Annotated[Raw, holding("Publication")]]


class SubscribeData(Struct, frozen=True, omit_defaults=True):
    """One's role, for moderators and admins, and what the room is about, if it is about something."""

    role: str = ""
    topic: str = ""


class SubscribeResult(Struct, frozen=True, omit_defaults=True):
    """The reply to subscribe. `offset` is the channel's newest, after a recovery the one recovered from.

    `ttl` is how long the token is good for, in seconds, if it `expires`. `data` tells moderators and admins that they
    are, and everybody what the room is about.
    """

    recoverable: bool
    positioned: bool
    epoch: str
    offset: int = 0
    was_recovering: bool = False
    recovered: bool = False
    publications: Publications = []
    data: SubscribeData | UnsetType = UNSET
    expires: bool = False
    ttl: int = 0


PERSONAL: Final = SubscribeResult(recoverable=False, positioned=False, epoch="")
"""The subscription to the personal channel, which every connection has."""


class Oneself(Struct, frozen=True, omit_defaults=True):
    """Who one is, and for a guest the token to come back with."""

    user: str
    name: str
    guest: str = ""


class ConnectResult(Struct, frozen=True, omit_defaults=True):
    """The reply to connect.

    `subs` are the server-side subscriptions, the personal channel among them; `ttl` is as in `SubscribeResult`.
    """

    client: str
    version: str
    data: Oneself
    ping: int
    pong: bool
    subs: dict[str, SubscribeResult] = {}
    expires: bool = False
    ttl: int = 0


class RefreshResult(Struct, frozen=True, omit_defaults=True):
    """The reply to refresh: as in the reply to connect."""

    client: str
    version: str
    expires: bool = False
    ttl: int = 0


class SubRefreshResult(Struct, frozen=True, omit_defaults=True):
    """The reply to sub_refresh: as in the reply to subscribe."""

    expires: bool = False
    ttl: int = 0


class SubscribePush(Struct, frozen=True):
    """The server made a subscription, which begins after this position."""

    recoverable: bool
    positioned: bool
    epoch: str
    offset: int
    data: Raw | UnsetType = UNSET


class HistoryResult(Struct, frozen=True):
    """A page of publications, and the channel's newest position."""

    publications: Publications
    offset: int
    epoch: str


class PresenceResult(Struct, frozen=True):
    """Who is in a channel, by client."""

    presence: dict[str, ClientInfo]


class PresenceChange(Struct, frozen=True):
    """Who came, or went."""

    info: ClientInfo


class UnsubscribePush(Struct, frozen=True):
    """The server ended a subscription, and why."""

    code: int
    reason: str


class PresenceStatsResult(Struct, frozen=True):
    """How many are in a channel."""

    num_clients: int
    num_users: int


class RpcResult(Struct, frozen=True):
    """What an rpc method returns."""

    data: Any


class ErrorInfo(Struct, frozen=True, omit_defaults=True):
    """Why a command was not done. `temporary`: the same command may succeed later."""

    code: int
    message: str
    temporary: bool = False


class Empty(Struct, frozen=True):
    """Done, and nothing to say about it."""


class SendResult(Struct, frozen=True, omit_defaults=True):
    """Where a message is stored. `duplicate`: it was there before."""

    offset: int
    epoch: str
    time: int
    duplicate: bool = False


class CurrentMessage(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A message as it stands: `data` with the text as last edited, `null` if it was deleted.

    `info` is as that of a `Publication`. `edited` and `deleted` are the times of the last such change; `reactions` has
    the users behind each emoji.
    """

    offset: int
    data: Annotated[Raw, holding("MessageData", "OtherData", None)]
    info: ClientInfo | UnsetType = UNSET
    time: int
    edited: int = 0
    deleted: int = 0
    reactions: dict[str, list[str]] = {}


class Marker(Struct, frozen=True):
    """Up to where one has read a room."""

    offset: int


class PlaceInfo(Struct, frozen=True, omit_defaults=True):
    """What one keeps of a room, and what has come since: at most 1,000 of each are counted.

    `read` is the marker and `head` the room's newest offset; `topic` is what the room is about, if it is about
    something; of a direct channel there are also its `members`.
    """

    channel: str
    read: int
    head: int
    epoch: str
    unread: int
    mentions: int
    notify: bool
    topic: str = ""
    members: list[Person] = []


class PlacesResult(Struct, frozen=True):
    """What one keeps of rooms."""

    rooms: list[PlaceInfo]


class RulingInfo(Struct, frozen=True, omit_defaults=True):
    """What a moderator did: who (`by`, in which `role`), to whom, when, until when, why."""

    number: int
    action: str
    user: str
    by: str
    role: str
    time: int
    until: int = 0
    reason: str = ""


class BansResult(Struct, frozen=True):
    """The bans and mutes in force, the oldest first."""

    bans: list[RulingInfo]


class AuditResult(Struct, frozen=True):
    """What moderators did, the newest first."""

    audit: list[RulingInfo]


class MessagesResult(Struct, frozen=True):
    """A page of messages, by rising offset, and the channel's position at which this is how they stand."""

    messages: list[CurrentMessage]
    offset: int
    epoch: str


class FoundMessage(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A message that a search found, as it stands. As a `CurrentMessage`, but for the reactions."""

    channel: str
    offset: int
    data: Annotated[Raw, holding("MessageData", "OtherData")]
    info: ClientInfo | UnsetType = UNSET
    time: int
    edited: int = 0


class SearchResult(Struct, frozen=True):
    """Messages, the newest first, and the cursor of the next page if there may be one."""

    results: list[FoundMessage]
    before: int | UnsetType = UNSET


class FilesResult(Struct, frozen=True):
    """A key for a room's files, and for how many seconds it is good; whether it lets one bring some, and how large."""

    key: str
    ttl: int
    upload: bool
    max_bytes: int


class RoomSummary(Struct, frozen=True, omit_defaults=True):
    """A room, open or, with no clients, perhaps not."""

    channel: str
    clients: int
    topic: str = ""


class PersonHere(Struct, frozen=True):
    """A user who is in a room, or belongs there, and whether anybody looks."""

    user: str
    name: str
    state: Literal["online", "away", "offline"]


class MembersResult(Struct, frozen=True):
    """The users who are in a room, and then those who belong there and are not."""

    members: list[PersonHere]


class NamesResult(Struct, frozen=True):
    """What users are called; of whom nothing is known is left out."""

    names: Mapping[str, str]


class RoomList(Struct, frozen=True):
    """The open rooms, those with most clients first."""

    rooms: list[RoomSummary]


Result = (
    ConnectResult
    | SubscribeResult
    | HistoryResult
    | PresenceResult
    | PresenceStatsResult
    | RpcResult
    | RefreshResult
    | SubRefreshResult
    | Empty
)

METHOD_OF: Final[dict[type, str]] = {
    Connect: "connect",
    Subscribe: "subscribe",
    Unsubscribe: "unsubscribe",
    Publish: "publish",
    Presence: "presence",
    PresenceStats: "presence_stats",
    History: "history",
    Rpc: "rpc",
    Refresh: "refresh",
    SubRefresh: "sub_refresh",
}

RESULT_OF: Final[dict[type[Struct], type[Struct]]] = {
    Connect: ConnectResult,
    Subscribe: SubscribeResult,
    Unsubscribe: Empty,
    Publish: Empty,
    Presence: PresenceResult,
    PresenceStats: PresenceStatsResult,
    History: HistoryResult,
    Rpc: RpcResult,
    Refresh: RefreshResult,
    SubRefresh: SubRefreshResult,
}
"""What commands are answered with."""

PUSHES: Final[dict[str, tuple[str, type[Struct]]]] = {
    "publication": ("pub", Publication),
    "passing": ("pub", Passing),
    "notice": ("pub", Notice),
    "join": ("join", PresenceChange),
    "leave": ("leave", PresenceChange),
    "subscribe": ("subscribe", SubscribePush),
    "unsubscribe": ("unsubscribe", UnsubscribePush),
}
"""The kinds of pushes: the field in which a push of that kind has its body, and the body."""

RPC_METHODS: Final[dict[str, tuple[type[Struct], type[Struct]]]] = {
    "send": (SendMessage, SendResult),
    "edit": (EditMessage, SendResult),
    "delete": (DeleteMessage, SendResult),
    "react": (React, SendResult),
    "messages": (ReadMessages, MessagesResult),
    "read": (MarkRead, Marker),
    "mine": (ReadPlaces, PlacesResult),
    "notify": (SetNotify, Empty),
    "leave": (LeaveRoom, Empty),
    "search": (SearchMessages, SearchResult),
    "files": (AskFiles, FilesResult),
    "typing": (Typing, Empty),
    "topic": (SetTopic, SendResult),
    "rooms": (ListRooms, RoomList),
    "create": (CreateRoom, Empty),
    "invite": (Invite, Empty),
    "members": (ReadMembers, MembersResult),
    "names": (ReadNames, NamesResult),
    "away": (SetAway, Empty),
    "kick": (Kick, Empty),
    "ban": (Ban, Empty),
    "unban": (Unban, Empty),
    "mute": (Mute, Empty),
    "unmute": (Unmute, Empty),
    "bans": (ReadBans, BansResult),
    "audit": (ReadAudit, AuditResult),
}
"""What an rpc method takes as its data, and what it returns."""

CHAOS_METHODS: Final[dict[str, tuple[type[Struct], type[Struct]]]] = {**RPC_METHODS, "chaos": (Chaos, Empty)}

_decoders: Final = {method: msgspec.json.Decoder(data) for method, (data, _) in CHAOS_METHODS.items()}

# Bytes out

PING: Final = b"{}"

_encode = msgspec.json.Encoder().encode


def encode_reply(command: Command, result: Result) -> bytes:
    """Encode the success of a command."""
    return b'{"id":%d,"%s":%s}' % (
        command.id,
        METHOD_OF[type(command.request)].encode(),
        _encode(result),
    )


def encode_error(command: Command, error: Error) -> bytes:
    """Encode the failure of a command."""
    return b'{"id":%d,"error":%s}' % (command.id, _encode(ErrorInfo(error.code, error.message, error.temporary)))


def encode_push(channel: str, kind: str, body: bytes) -> bytes:
    """Encode something that happened in a channel."""
    return b'{"push":{"channel":%s,"%s":%s}}' % (_encode(channel), kind.encode(), body)


def encode_publication(entry: Entry) -> Raw:
    """Encode an entry, for pushes and for lists of publications alike."""
    data, info = Raw(entry.data), _info(entry.author)
    return Raw(_encode(Publication(data=data, info=info, offset=entry.offset, time=entry.time_ms)))


def encode_ephemeral(data: bytes, author: Author | None) -> bytes:
    """Encode a publication that is not part of the channel's order; without an author it is the server's."""
    return _encode(Notice(Raw(data)) if author is None else Passing(Raw(data), _info(author)))


def encode_presence_change(author: Author) -> bytes:
    """Encode the body of a join or leave push."""
    return _encode(PresenceChange(client_info(author)))


def encode_subscribe(request: SubscribeByServer, result: SubscribeResult) -> bytes:
    """Encode the body of a subscribe push."""
    return _encode(
        SubscribePush(
            result.recoverable,
            result.positioned,
            result.epoch,
            result.offset,
            request.data if bytes(request.data) else UNSET,
        )
    )


def encode_unsubscribe(code: int, reason: str) -> bytes:
    """Encode the body of an unsubscribe push."""
    return _encode(UnsubscribePush(code, reason))


@lru_cache(maxsize=4096)  # who says one thing says another; and a batch is often one person's
def _info(author: Author) -> Raw | UnsetType:
    info = _sayer(author)
    return UNSET if info is UNSET else Raw(_encode(info))


def _sayer(author: Author) -> ClientInfo | UnsetType:
    return client_info(author) if author.client else UNSET


def client_info(author: Author) -> ClientInfo:
    """Describe an author to the others."""
    conn_info = Raw(author.info.encode()) if author.info else {"name": author.name}
    chan_info = Raw(author.chan_info.encode()) if author.chan_info else UNSET
    return ClientInfo(author.user, author.client, conn_info, chan_info)


def message_data(message: SendMessage, time_ms: int) -> bytes:
    """Return the data of the publication that an rpc `send` makes."""
    reply = UNSET if message.reply is None else message.reply
    return _encode(MessageData(message.key, message.text, time_ms, reply, message.mentions))


def read_notice(channel: str, offset: int) -> bytes:
    """Return the notice that one has read a room up to an offset."""
    return _encode(ReadNotice(channel, offset))


def notify_notice(channel: str, *, on: bool) -> bytes:
    """Return the notice that one wants a room to make a noise, or not."""
    return _encode(NotifyNotice(channel, on))


def left_notice(channel: str) -> bytes:
    """Return the notice that one keeps nothing of a room any more."""
    return _encode(LeftNotice(channel))


def told_notice(kind: Literal["mention", "direct"], channel: str, entry: Entry) -> bytes:
    """Return the notice that a message names somebody, or is for them alone."""
    notice = MentionNotice if kind == "mention" else DirectNotice
    text = (text_of(entry.data) or "")[:MAX_EXCERPT_CHARS]
    sayer = Person(entry.author.user, entry.author.name) if entry.author.client else UNSET
    return _encode(notice(channel, entry.offset, entry.time_ms, text, sayer))


def change_data(change: Change, time_ms: int) -> bytes:
    """Return the data of the publication that a change makes."""
    match change:
        case Edit(target, text):
            return _encode(EditData(target, text, time_ms))
        case Delete(target):
            return _encode(DeleteData(target, time_ms))
        case ReactTo(target, emoji, on):  # pragma: no branch
            return _encode(ReactionData(target, emoji, on, time_ms))


def invited_notice(channel: str, inviter: Author) -> bytes:
    """Return what somebody is told who has been invited into a private room."""
    return _encode(InvitedNotice(channel, Person(inviter.user, inviter.name)))


_TOPIC_BEGIN: Final = b'{"type":"topic",'


def topic_data(topic: str, time_ms: int) -> bytes:
    """Return the data of the publication that says what a room is about."""
    return _encode(TopicData(topic, time_ms))


def topic_of(data: bytes) -> str | None:
    """Return what a publication says that the room is about, None if it says nothing of that.

    Looked at for every entry, so by its beginning: nothing but `topic_data` makes one (`is_change`).
    """
    return _topic(data).topic if data.startswith(_TOPIC_BEGIN) else None


def is_change(data: bytes) -> bool:
    """Tell whether a publication reads as one that `change_data` or `topic_data` makes: only rpc methods make such."""
    try:
        return _kind(data).type in CHANGES
    except msgspec.ValidationError:
        return False  # no object, or one whose type is no text


def current_message(message: Message) -> CurrentMessage:
    """Describe a message to whoever asks how it stands."""
    return CurrentMessage(
        offset=message.offset,
        data=Raw(message.data),
        info=_sayer(message.author),
        time=message.time_ms,
        edited=message.edited_ms,
        deleted=message.deleted_ms,
        reactions=message.reactions,
    )


def search_result(findings: Findings) -> SearchResult:
    """Describe what a search found."""
    results = [
        FoundMessage(
            channel=found.room,
            offset=message.offset,
            data=Raw(message.data),
            info=_sayer(message.author),
            time=message.time_ms,
            edited=message.edited_ms,
        )
        for found in findings.found
        for message in (found.message,)
    ]
    return SearchResult(results, UNSET if findings.before is None else findings.before)


def place_info(place: Place, members: Sequence[tuple[str, str]]) -> PlaceInfo:
    """Describe what somebody keeps of a room to that user."""
    return PlaceInfo(
        channel=place.room,
        read=place.read,
        head=place.position.offset,
        epoch=place.position.epoch,
        unread=place.unread,
        mentions=place.mentions,
        notify=place.notify,
        topic=place.topic,
        members=[Person(user, name) for user, name in members],
    )


def ruling_info(ruling: Ruling) -> RulingInfo:
    """Describe what a moderator did to other moderators."""
    who = ruling.user, ruling.by, ruling.by_role
    return RulingInfo(ruling.number, ruling.action, *who, ruling.time_ms, ruling.until_ms, ruling.reason)


class _Kind(Struct, frozen=True):
    type: str = ""


_kind = msgspec.json.Decoder(_Kind).decode
_topic = msgspec.json.Decoder(TopicData).decode


def _with_files(text: str, data: dict[str, Any]) -> str:
    """Return the text of a message with the names of its files. Whoever published it may have put anything there."""
    files = data.get("files")
    names = [file.get("name") for file in files if isinstance(file, dict)] if isinstance(files, list) else []
    return " ".join([text, *(f"[{name}]" for name in names if isinstance(name, str))]).strip() if names else text


TYPING_DATA: Final = _encode(TypingData())
AWAY_DATA: Final = _encode(PresenceData("away"))
ONLINE_DATA: Final = _encode(PresenceData("online"))


def text_of(data: bytes) -> str | None:
    """Return what a publication says to somebody who can only read text: its text if it has one, else its JSON.

    Of an edit that is the new text, marked as such; a deletion, a reaction or a topic has nothing to read.
    """
    value = msgspec.json.decode(data)
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        if value.get("type") in {"delete", "reaction", "topic"}:
            return None
        if isinstance(value.get("text"), str):
            return f"{value['text']} (edited)" if value.get("type") == "edit" else _with_files(value["text"], value)
    return data.decode()
