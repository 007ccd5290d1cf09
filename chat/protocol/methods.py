"""The rpc methods: what each takes as its data, and what it returns."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from chat.protocol.calls import (
    AskFiles,
    Ban,
    Call,
    Chaos,
    CreateRoom,
    DeleteMessage,
    EditMessage,
    Invite,
    Kick,
    LeaveRoom,
    ListRooms,
    MarkRead,
    Mute,
    React,
    ReadAudit,
    ReadBans,
    ReadMembers,
    ReadMessages,
    ReadNames,
    ReadPlaces,
    SearchMessages,
    SendMessage,
    SetAway,
    SetNotify,
    SetTopic,
    Typing,
    Unban,
    Unmute,
)
from chat.protocol.commands import Rpc
from chat.protocol.fields import decode_data
from chat.protocol.results import (
    AuditResult,
    BansResult,
    Empty,
    FilesResult,
    Marker,
    MembersResult,
    MessagesResult,
    NamesResult,
    PlacesResult,
    RoomList,
    SearchResult,
    SendResult,
)

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


def decode_rpc(rpc: Rpc, *, chaos: bool = False) -> Call | None:
    """Return the call with its arguments, None for an unknown method. Raises `CommandError` (107)."""
    decoder = _decoders.get(rpc.method) if chaos or rpc.method in RPC_METHODS else None
    call: Call | None
    call = decoder and decode_data(decoder, rpc.data)
    return call
