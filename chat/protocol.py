"""The Centrifugo client protocol, JSON: the only place that knows its field names.

Frames in become `Command`s, results become frames. Requests are validated here as far as their form goes; what they
may do is decided by the client actor. Fields of features that are not offered are read where ignoring them would be
wrong (tag filter, shared poll, tokens) and skipped otherwise.

Source: the protocol's schema (client.proto of centrifugal/protocol) and what its SDKs send. `web/PROTOCOL.md`
documents the part that is offered.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from chat.errors import BAD_REQUEST_CLOSE, Disconnect, Error, bad_request
from chat.log import Author, Change, Delete, Edit, Entry, Message, Place, Ruling
from chat.log import React as ReactTo

if TYPE_CHECKING:
    from collections.abc import Sequence

CommandId = Annotated[int, Meta(ge=0, le=2**32 - 1)]
Offset = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Target = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Until = Annotated[int, Meta(ge=1, le=253_402_300_799_000)]  # to the end of year 9999
Channel = Annotated[str, Meta(min_length=1)]

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
    data: Raw = Raw(b"")
    subs: dict[str, Resume] = {}


class Subscribe(Struct, frozen=True):
    """Subscribe to a channel, from a position if `recover` is set."""

    channel: str
    token: str = ""
    recover: bool = False
    offset: Offset = 0
    epoch: str = ""
    flag: int = 0
    type: int = 0
    tf: Raw = Raw(b"")


class SubscribeByServer(Struct, frozen=True):
    """A subscription that the server makes for a client. No client sends it. `data` is passed on to the client."""

    channel: str
    data: Raw = Raw(b"")


class Unsubscribe(Struct, frozen=True):
    """Leave a channel."""

    channel: str


class Publish(Struct, frozen=True):
    """Publish any JSON. `type` and `key` belong to map channels, which are not offered."""

    channel: str
    data: Raw = Raw(b"")
    type: int = 0


class Presence(Struct, frozen=True):
    """Ask who is in a channel."""

    channel: str


class PresenceStats(Struct, frozen=True):
    """Ask how many are in a channel."""

    channel: str


class StreamPosition(Struct, frozen=True):
    """A position as the client states it. An empty epoch stands for whichever there is."""

    offset: Offset = 0
    epoch: str = ""


class History(Struct, frozen=True):
    """Ask for publications: `limit` 0 for none but the position, -1 for as many as one reply may hold."""

    channel: str
    limit: int = 0
    since: StreamPosition | None = None
    reverse: bool = False


class Rpc(Struct, frozen=True):
    """Call a method of the chat."""

    method: str = ""
    data: Raw = Raw(b"")


class Refresh(Struct, frozen=True):
    """Bring a new connection token before the old one ends."""

    token: str = ""


class SubRefresh(Struct, frozen=True):
    """Bring a new subscription token before the old one ends."""

    channel: str
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
    | ReadPlaces
    | Placing
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


_IN_A_CHANNEL: Final = frozenset({Subscribe, Unsubscribe, Publish, Presence, PresenceStats, History, SubRefresh})

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
    if type(request) in _IN_A_CHANNEL and not request.channel:  # type: ignore[union-attr]  # (all of them have one)
        raise Disconnect(BAD_REQUEST_CLOSE)
    return Command(envelope.id, request)


# Frames in

RPC_METHODS: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    "send": msgspec.json.Decoder(SendMessage),
    "edit": msgspec.json.Decoder(EditMessage),
    "delete": msgspec.json.Decoder(DeleteMessage),
    "react": msgspec.json.Decoder(React),
    "messages": msgspec.json.Decoder(ReadMessages),
    "read": msgspec.json.Decoder(MarkRead),
    "mine": msgspec.json.Decoder(ReadPlaces),
    "notify": msgspec.json.Decoder(SetNotify),
    "leave": msgspec.json.Decoder(LeaveRoom),
    "typing": msgspec.json.Decoder(Typing),
    "topic": msgspec.json.Decoder(SetTopic),
    "rooms": msgspec.json.Decoder(ListRooms),
    "create": msgspec.json.Decoder(CreateRoom),
    "invite": msgspec.json.Decoder(Invite),
    "members": msgspec.json.Decoder(ReadMembers),
    "names": msgspec.json.Decoder(ReadNames),
    "away": msgspec.json.Decoder(SetAway),
    "kick": msgspec.json.Decoder(Kick),
    "ban": msgspec.json.Decoder(Ban),
    "unban": msgspec.json.Decoder(Unban),
    "mute": msgspec.json.Decoder(Mute),
    "unmute": msgspec.json.Decoder(Unmute),
    "bans": msgspec.json.Decoder(ReadBans),
    "audit": msgspec.json.Decoder(ReadAudit),
}
CHAOS_METHODS: Final[dict[str, msgspec.json.Decoder[Any]]] = {**RPC_METHODS, "chaos": msgspec.json.Decoder(Chaos)}
_connect_data = msgspec.json.Decoder(ConnectData)


Call = (
    SendMessage
    | EditMessage
    | DeleteMessage
    | React
    | ReadMessages
    | ReadPlaces
    | Placing
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
    decoder = (CHAOS_METHODS if chaos else RPC_METHODS).get(rpc.method)
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
    """Who somebody is, to the others."""

    user: str
    client: str
    conn_info: Raw | dict[str, str]
    chan_info: Raw | UnsetType = UNSET


class Publication(Struct, frozen=True, omit_defaults=True):
    """Something said in a channel, by whom `info` says (`ClientInfo`). Offset 0: not stored, and in no order.

    What the server itself says has no `info`.
    """

    data: Raw
    info: Raw | UnsetType = UNSET
    offset: int = 0
    time: int = 0


class SubscribeResult(Struct, frozen=True, omit_defaults=True):
    """The reply to subscribe. `offset` is the channel's newest, after a recovery the one recovered from.

    `ttl` is how long the token is good for, in seconds, if it `expires`. `data` tells moderators and admins that they
    are, and everybody what the room is about, if it is about something: {"role": …, "topic": …}.
    """

    recoverable: bool
    positioned: bool
    epoch: str
    offset: int = 0
    was_recovering: bool = False
    recovered: bool = False
    publications: list[Raw] = []
    data: dict[str, str] | UnsetType = UNSET
    expires: bool = False
    ttl: int = 0


PERSONAL: Final = SubscribeResult(recoverable=False, positioned=False, epoch="")
"""The subscription to the personal channel, which every connection has."""


class ConnectResult(Struct, frozen=True, omit_defaults=True):
    """The reply to connect. `data` has `user`, `name` and for a guest the `guest` token to come back with.

    `subs` are the server-side subscriptions, the personal channel among them; `ttl` is as in `SubscribeResult`.
    """

    client: str
    version: str
    data: dict[str, str]
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

    publications: list[Raw]
    offset: int
    epoch: str


class PresenceResult(Struct, frozen=True):
    """Who is in a channel, by client."""

    presence: dict[str, ClientInfo]


class PresenceStatsResult(Struct, frozen=True):
    """How many are in a channel."""

    num_clients: int
    num_users: int


class RpcResult(Struct, frozen=True):
    """What an rpc method returns."""

    data: Any


class Empty(Struct, frozen=True):
    """Done, and nothing to say about it."""


class SendResult(Struct, frozen=True, omit_defaults=True):
    """Where a message is stored. `duplicate`: it was there before."""

    offset: int
    epoch: str
    time: int
    duplicate: bool = False


class CurrentMessage(Struct, frozen=True, omit_defaults=True):
    """A message as it stands: `data` with the text as last edited, `null` if it was deleted.

    `info` is as that of a `Publication`. `edited` and `deleted` are the times of the last such change; `reactions` has
    the users behind each emoji.
    """

    offset: int
    data: Raw
    info: ClientInfo | UnsetType
    time: int
    edited: int = 0
    deleted: int = 0
    reactions: dict[str, list[str]] = {}


class Marker(Struct, frozen=True):
    """Up to where one has read a room."""

    offset: int


class PersonInfo(Struct, frozen=True):
    """A user, and what they were called when they last said something."""

    user: str
    name: str


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
    members: list[PersonInfo] = []


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
    temporary = b',"temporary":true' if error.temporary else b""
    return b'{"id":%d,"error":{"code":%d,"message":%s%s}}' % (
        command.id,
        error.code,
        _encode(error.message),
        temporary,
    )


def encode_push(channel: str, kind: str, body: bytes) -> bytes:
    """Encode something that happened in a channel."""
    return b'{"push":{"channel":%s,"%s":%s}}' % (_encode(channel), kind.encode(), body)


def encode_publication(entry: Entry) -> Raw:
    """Encode an entry, for pushes and for lists of publications alike."""
    return Raw(_encode(Publication(Raw(entry.data), _info(entry.author), entry.offset, entry.time_ms)))


def encode_ephemeral(data: bytes, author: Author | None) -> bytes:
    """Encode a publication that is not part of the channel's order; without an author it is the server's."""
    return _encode(Publication(Raw(data), UNSET if author is None else _info(author)))


def encode_presence_change(author: Author) -> bytes:
    """Encode the body of a join or leave push."""
    return b'{"info":%s}' % _encode(client_info(author))


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
    return b'{"code":%d,"reason":%s}' % (code, _encode(reason))


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
    """Return the data of the publication that an rpc `send` makes. SDKs do not show a publication's own time."""
    data: dict[str, Any] = {"type": "message", "key": message.key, "text": message.text, "time": time_ms}
    if message.reply is not None:
        data["reply"] = message.reply
    if message.mentions:
        data["mentions"] = message.mentions
    return _encode(data)


def read_notice(channel: str, offset: int) -> bytes:
    """Return the notice that one has read a room up to an offset."""
    return _encode({"type": "read", "channel": channel, "offset": offset})


def notify_notice(channel: str, *, on: bool) -> bytes:
    """Return the notice that one wants a room to make a noise, or not."""
    return _encode({"type": "notify", "channel": channel, "on": on})


def left_notice(channel: str) -> bytes:
    """Return the notice that one keeps nothing of a room any more."""
    return _encode({"type": "left", "channel": channel})


def told_notice(kind: Literal["mention", "direct"], channel: str, entry: Entry) -> bytes:
    """Return the notice that a message names somebody, or is for them alone."""
    text = (text_of(entry.data) or "")[:MAX_EXCERPT_CHARS]
    said: dict[str, Any] = {"type": kind, "channel": channel, "offset": entry.offset, "time": entry.time_ms}
    sayer = {"from": {"user": entry.author.user, "name": entry.author.name}} if entry.author.client else {}
    return _encode({**said, "text": text, **sayer})


def change_data(change: Change, time_ms: int) -> bytes:
    """Return the data of the publication that a change makes."""
    match change:
        case Edit(target, text):
            return _encode({"type": "edit", "target": target, "text": text, "time": time_ms})
        case Delete(target):
            return _encode({"type": "delete", "target": target, "time": time_ms})
        case ReactTo(target, emoji, on):  # pragma: no branch
            return _encode({"type": "reaction", "target": target, "emoji": emoji, "on": on, "time": time_ms})


def invited_notice(channel: str, inviter: Author) -> bytes:
    """Return what somebody is told who has been invited into a private room."""
    who = {"user": inviter.user, "name": inviter.name}
    return _encode({"type": "invited", "channel": channel, "from": who})


_TOPIC_BEGIN: Final = b'{"type":"topic",'


def topic_data(topic: str, time_ms: int) -> bytes:
    """Return the data of the publication that says what a room is about."""
    return _encode({"type": "topic", "topic": topic, "time": time_ms})


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
        members=[PersonInfo(user, name) for user, name in members],
    )


def ruling_info(ruling: Ruling) -> RulingInfo:
    """Describe what a moderator did to other moderators."""
    who = ruling.user, ruling.by, ruling.by_role
    return RulingInfo(ruling.number, ruling.action, *who, ruling.time_ms, ruling.until_ms, ruling.reason)


CHANGES: Final = frozenset({"edit", "delete", "reaction", "topic"})


class _Kind(Struct, frozen=True):
    type: str = ""


class _Topic(Struct, frozen=True):
    topic: str


_kind = msgspec.json.Decoder(_Kind).decode
_topic = msgspec.json.Decoder(_Topic).decode

TYPING_DATA: Final = b'{"type":"typing"}'
AWAY_DATA: Final = b'{"type":"presence","state":"away"}'
ONLINE_DATA: Final = b'{"type":"presence","state":"online"}'


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
            return f"{value['text']} (edited)" if value.get("type") == "edit" else str(value["text"])
    return data.decode()
