"""What rpc methods are called with."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from chat.protocol.fields import Channel, FileId, Offset, Target, Until


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
