"""What commands and rpc methods are answered with: field by field what the SDKs expect.

Zero values are left out unless they must be there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from msgspec import UNSET, Raw, Struct, UnsetType

from chat.log import Findings, Message, Place, Ruling
from chat.protocol.fields import holding
from chat.protocol.notices import Person
from chat.protocol.publications import ClientInfo, Publications, info_of


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


class HistoryResult(Struct, frozen=True):
    """A page of publications, and the channel's newest position."""

    publications: Publications
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


def current_message(message: Message) -> CurrentMessage:
    """Describe a message to whoever asks how it stands."""
    return CurrentMessage(
        offset=message.offset,
        data=Raw(message.data),
        info=info_of(message.author),
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
            info=info_of(message.author),
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
