"""What is said in channels: stored, and of the moment. Told apart by the `type` of its data."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from chat.log import Author, Change, Delete, Edit, Entry, File
from chat.log import React as ReactTo
from chat.protocol.calls import SendMessage
from chat.protocol.fields import encode, holding


class ClientInfo(Struct, frozen=True):
    """Who somebody is, to the others. What tokens add is in `conn_info`, and for one channel in `chan_info`."""

    user: str
    client: str
    conn_info: Annotated[Raw | dict[str, str], holding("JsonObject")]
    chan_info: Raw | UnsetType = UNSET


JsonObject = dict[str, Any]


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


TYPING_DATA: Final = encode(TypingData())
AWAY_DATA: Final = encode(PresenceData("away"))
ONLINE_DATA: Final = encode(PresenceData("online"))


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


Publications = list[Annotated[Raw, holding("Publication")]]


def encode_publication(entry: Entry) -> Raw:
    """Encode an entry, for pushes and for lists of publications alike."""
    data, info = Raw(entry.data), encoded_info(entry.author)
    return Raw(encode(Publication(data=data, info=info, offset=entry.offset, time=entry.time_ms)))


@lru_cache(maxsize=4096)  # who says one thing says another; and a batch is often one person's
def encoded_info(author: Author) -> Raw | UnsetType:
    """Encode who an author is to the others. The server itself is nobody."""
    info = info_of(author)
    return UNSET if info is UNSET else Raw(encode(info))


def info_of(author: Author) -> ClientInfo | UnsetType:
    """Describe an author to the others. The server itself is nobody."""
    return client_info(author) if author.client else UNSET


def client_info(author: Author) -> ClientInfo:
    """Describe an author to the others."""
    conn_info = Raw(author.info.encode()) if author.info else {"name": author.name}
    chan_info = Raw(author.chan_info.encode()) if author.chan_info else UNSET
    return ClientInfo(author.user, author.client, conn_info, chan_info)


def message_data(message: SendMessage, time_ms: int) -> bytes:
    """Return the data of the publication that an rpc `send` makes."""
    reply = UNSET if message.reply is None else message.reply
    return encode(MessageData(message.key, message.text, time_ms, reply, message.mentions))


def change_data(change: Change, time_ms: int) -> bytes:
    """Return the data of the publication that a change makes."""
    match change:
        case Edit(target, text):
            return encode(EditData(target, text, time_ms))
        case Delete(target):
            return encode(DeleteData(target, time_ms))
        case ReactTo(target, emoji, on):  # pragma: no branch
            return encode(ReactionData(target, emoji, on, time_ms))


_TOPIC_BEGIN: Final = b'{"type":"topic",'
_topic = msgspec.json.Decoder(TopicData).decode


def topic_data(topic: str, time_ms: int) -> bytes:
    """Return the data of the publication that says what a room is about."""
    return encode(TopicData(topic, time_ms))


def topic_of(data: bytes) -> str | None:
    """Return what a publication says that the room is about, None if it says nothing of that.

    Looked at for every entry, so by its beginning: nothing but `topic_data` makes one (`is_change`).
    """
    return _topic(data).topic if data.startswith(_TOPIC_BEGIN) else None


class _Kind(Struct, frozen=True):
    type: str = ""


_kind = msgspec.json.Decoder(_Kind).decode


def is_change(data: bytes) -> bool:
    """Tell whether a publication reads as one that `change_data` or `topic_data` makes: only rpc methods make such."""
    try:
        return _kind(data).type in CHANGES
    except msgspec.ValidationError:
        return False  # no object, or one whose type is no text


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


def _with_files(text: str, data: dict[str, Any]) -> str:
    """Return the text of a message with the names of its files. Whoever published it may have put anything there."""
    files = data.get("files")
    names = [file.get("name") for file in files if isinstance(file, dict)] if isinstance(files, list) else []
    return " ".join([text, *(f"[{name}]" for name in names if isinstance(name, str))]).strip() if names else text
