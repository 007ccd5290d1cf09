"""What the server says: which reply goes with which command, which pushes there are, and all of it as bytes."""

from __future__ import annotations

from typing import Final

from msgspec import UNSET, Raw, Struct, UnsetType

from chat.errors import Error
from chat.log import Author
from chat.protocol.commands import (
    Command,
    Connect,
    History,
    Presence,
    PresenceStats,
    Publish,
    Refresh,
    Rpc,
    SubRefresh,
    Subscribe,
    SubscribeByServer,
    Unsubscribe,
)
from chat.protocol.fields import encode
from chat.protocol.notices import Notice
from chat.protocol.publications import ClientInfo, Passing, Publication, client_info, encoded_info
from chat.protocol.results import (
    ConnectResult,
    Empty,
    HistoryResult,
    PresenceResult,
    PresenceStatsResult,
    RefreshResult,
    Result,
    RpcResult,
    SubRefreshResult,
    SubscribeResult,
)


class SubscribePush(Struct, frozen=True):
    """The server made a subscription, which begins after this position."""

    recoverable: bool
    positioned: bool
    epoch: str
    offset: int
    data: Raw | UnsetType = UNSET


class PresenceChange(Struct, frozen=True):
    """Who came, or went."""

    info: ClientInfo


class UnsubscribePush(Struct, frozen=True):
    """The server ended a subscription, and why."""

    code: int
    reason: str


class ErrorInfo(Struct, frozen=True, omit_defaults=True):
    """Why a command was not done. `temporary`: the same command may succeed later."""

    code: int
    message: str
    temporary: bool = False


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

PING: Final = b"{}"


def encode_reply(command: Command, result: Result) -> bytes:
    """Encode the success of a command."""
    return b'{"id":%d,"%s":%s}' % (
        command.id,
        METHOD_OF[type(command.request)].encode(),
        encode(result),
    )


def encode_error(command: Command, error: Error) -> bytes:
    """Encode the failure of a command."""
    return b'{"id":%d,"error":%s}' % (command.id, encode(ErrorInfo(error.code, error.message, error.temporary)))


def encode_push(channel: str, kind: str, body: bytes) -> bytes:
    """Encode something that happened in a channel."""
    return b'{"push":{"channel":%s,"%s":%s}}' % (encode(channel), kind.encode(), body)


def encode_ephemeral(data: bytes, author: Author | None) -> bytes:
    """Encode a publication that is not part of the channel's order; without an author it is the server's."""
    return encode(Notice(Raw(data)) if author is None else Passing(Raw(data), encoded_info(author)))


def encode_presence_change(author: Author) -> bytes:
    """Encode the body of a join or leave push."""
    return encode(PresenceChange(client_info(author)))


def encode_subscribe(request: SubscribeByServer, result: SubscribeResult) -> bytes:
    """Encode the body of a subscribe push."""
    return encode(
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
    return encode(UnsubscribePush(code, reason))
