"""What the server says in a personal channel, to one user alone."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from chat.log import Author, Entry
from chat.protocol.fields import encode, holding
from chat.protocol.publications import text_of

MAX_EXCERPT_CHARS: Final = 200
"""How much of a message a notice has."""


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


class Notice(Struct, frozen=True):
    """What the server says in the personal channel."""

    data: Annotated[
        Raw,
        holding("ReadNotice", "NotifyNotice", "LeftNotice", "MentionNotice", "DirectNotice", "InvitedNotice"),
    ]


def read_notice(channel: str, offset: int) -> bytes:
    """Return the notice that one has read a room up to an offset."""
    return encode(ReadNotice(channel, offset))


def notify_notice(channel: str, *, on: bool) -> bytes:
    """Return the notice that one wants a room to make a noise, or not."""
    return encode(NotifyNotice(channel, on))


def left_notice(channel: str) -> bytes:
    """Return the notice that one keeps nothing of a room any more."""
    return encode(LeftNotice(channel))


def told_notice(kind: Literal["mention", "direct"], channel: str, entry: Entry) -> bytes:
    """Return the notice that a message names somebody, or is for them alone."""
    notice = MentionNotice if kind == "mention" else DirectNotice
    text = (text_of(entry.data) or "")[:MAX_EXCERPT_CHARS]
    sayer = Person(entry.author.user, entry.author.name) if entry.author.client else UNSET
    return encode(notice(channel, entry.offset, entry.time_ms, text, sayer))


def invited_notice(channel: str, inviter: Author) -> bytes:
    """Return what somebody is told who has been invited into a private room."""
    return encode(InvitedNotice(channel, Person(inviter.user, inviter.name)))
