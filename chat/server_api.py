"""The server API's requests and results: Centrifugo's HTTP API v2, and the only place that knows its field names.

What is in a request is judged here as far as its form goes. A field that would change what happens, and that this
server does not support, is read so that it can be refused: who asks for something must not believe to have got it.
Fields that are not known at all are ignored, as the API promises its clients.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, ClassVar, Final

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from chat.errors import CloseReason, Error, bad_request
from chat.log import Author
from chat.protocol.results import Empty, HistoryResult, PresenceResult, PresenceStatsResult
from chat.schema import components
from chat.tokens import SERVER_PREFIX

SERVER: Final = Author(user=f"{SERVER_PREFIX}server", client="", name="Server")
"""The author of what is published by this API. Its keys are told from those of all users."""

MAX_CHANNELS: Final = 1_000
"""Most channels of one `broadcast`."""
MAX_COMMANDS: Final = 1_000
"""Most commands of one `batch`."""
MAX_REASON_BYTES: Final = 123
"""RFC 6455, section 5.5."""

Offset = Annotated[int, Meta(ge=0, le=2**63 - 1)]
UnixTime = Annotated[int, Meta(ge=0, le=2**40)]
Limit = Annotated[int, Meta(ge=-1, le=2**31 - 1)]
Unsupported = Annotated[Any, Meta(description="Not supported: refused with 107, unless it is empty.")]


class Request(Struct, frozen=True, kw_only=True):
    """What the requests have in common. Raises `CommandError` (107) where a field is set that is not supported."""

    unsupported: ClassVar[tuple[str, ...]] = ()

    def check(self) -> None:
        """Refuse what is not supported."""
        for name in self.unsupported:
            if getattr(self, name):
                raise bad_request(f"{name} is not supported")


class _Publishing(Request, frozen=True, kw_only=True):
    data: Annotated[Raw, Meta(description="Any JSON value: passed on as it is.")]
    idempotency_key: Annotated[
        str | None,
        Meta(
            description="1 to 64 characters. The same key in the same channel again publishes nothing, and is answered "
            "with the first one's place, for as long as that is kept."
        ),
    ] = None
    skip_history: Unsupported = None
    tags: Unsupported = None
    b64data: Unsupported = None
    delta: Annotated[Any, Meta(description="Ignored.")] = None
    version: Unsupported = None

    unsupported: ClassVar[tuple[str, ...]] = ("skip_history", "tags", "b64data", "version")


class Publish(_Publishing, frozen=True, kw_only=True):
    """Publish to a channel. Answered when it is on disk."""

    channel: str


class Broadcast(_Publishing, frozen=True, kw_only=True):
    """Publish the same to several channels. Each is answered for itself, in their order."""

    channels: Annotated[list[str], Meta(min_length=1, max_length=MAX_CHANNELS)]

    def publishes(self) -> list[Publish]:
        """Return what it amounts to."""
        return [
            Publish(channel=channel, data=self.data, idempotency_key=self.idempotency_key) for channel in self.channels
        ]


class StreamPosition(Struct, frozen=True):
    """A place in a channel's sequence. An empty epoch stands for whichever there is."""

    offset: Offset = 0
    epoch: str = ""


class History(Request, frozen=True, kw_only=True):
    """Read publications: after `since`, or with `reverse` before it, downwards."""

    channel: str
    limit: Annotated[Limit | None, Meta(description="0 or none: only the position; -1: as many as there may be.")] = (
        None
    )
    since: StreamPosition | None = None
    reverse: bool | None = None


class HistoryRemove(Request, frozen=True, kw_only=True):
    """Remove all that was published in a channel so far. Its offsets go on; who resumes from before is told so."""

    channel: str


class Presence(Request, frozen=True, kw_only=True):
    """Ask who is in a channel."""

    channel: str


class PresenceStats(Request, frozen=True, kw_only=True):
    """Ask how many are in a channel."""

    channel: str


class Channels(Request, frozen=True, kw_only=True):
    """Ask which channels have clients."""

    pattern: Annotated[str | None, Meta(description="`*` any characters, `?` any one, `[ab]` one of these.")] = None


class Info(Request, frozen=True, kw_only=True):
    """Ask how this server is."""


class _OfUser(Request, frozen=True, kw_only=True):
    user: Annotated[str, Meta(min_length=1)]
    client: Annotated[str | None, Meta(description="Only this connection of the user.")] = None
    session: Unsupported = None

    unsupported: ClassVar[tuple[str, ...]] = ("session",)


class Subscribe(_OfUser, frozen=True, kw_only=True):
    """Subscribe the connections that a user has now to a channel."""

    channel: str
    data: Annotated[Raw | UnsetType, Meta(description="Any JSON value, for the subscribe push.")] = UNSET
    recover_since: StreamPosition | None = None
    info: Unsupported = None
    b64info: Unsupported = None
    b64data: Unsupported = None
    override: Unsupported = None

    unsupported: ClassVar[tuple[str, ...]] = ("session", "info", "b64info", "b64data", "override")


class Unsubscribe(_OfUser, frozen=True, kw_only=True):
    """End the subscriptions that a user's connections have to a channel."""

    channel: str


class DisconnectReason(Struct, frozen=True):
    """What to close with. SDKs do not come back after 3500 to 3999 and 4500 to 4999."""

    code: int = 0
    reason: str = ""


class Disconnect(_OfUser, frozen=True, kw_only=True):
    """Close the connections that a user has now: with 3503, or the given code (3000 to 4999) and reason."""

    whitelist: Annotated[list[str] | None, Meta(description="Connections to leave open.")] = None
    disconnect: DisconnectReason | None = None


class Refresh(_OfUser, frozen=True, kw_only=True):
    """Say until when a user's connections may stay; with `expired` close them with 3005."""

    expired: bool | None = None
    expire_at: Annotated[UnixTime | None, Meta(description="Unix time in seconds; 0 or none: for ever.")] = None


class Batch(Struct, frozen=True, kw_only=True):
    """Several requests, each as `{"method": {…}}`: one after the other, or with `parallel` all at once."""

    commands: Annotated[list[dict[str, Raw]], Meta(max_length=MAX_COMMANDS)]
    parallel: bool | None = None


# Results


class PublishResult(Struct, frozen=True):
    """Where it is."""

    offset: int
    epoch: str


class ErrorBody(Struct, frozen=True):
    """Why something was not done. The codes are those of the client protocol."""

    code: int
    message: str


class PublishResponse(Struct, frozen=True, omit_defaults=True):
    """What became of a publication: an error or a result."""

    error: ErrorBody | None = None
    result: PublishResult | None = None


class BroadcastResult(Struct, frozen=True):
    """What became of it in each channel."""

    responses: list[PublishResponse]


class ChannelInfo(Struct, frozen=True):
    """A channel."""

    num_clients: int


class ChannelsResult(Struct, frozen=True):
    """The channels that have clients."""

    channels: dict[str, ChannelInfo]


class Node(Struct, frozen=True):
    """This server. `uptime` is in seconds, `num_subs` the number of subscriptions."""

    uid: str
    name: str
    version: str
    num_clients: int
    num_users: int
    num_channels: int
    num_subs: int
    uptime: int


class InfoResult(Struct, frozen=True):
    """The servers there are: one."""

    nodes: list[Node]


Result = (
    PublishResult
    | BroadcastResult
    | HistoryResult
    | PresenceResult
    | PresenceStatsResult
    | ChannelsResult
    | InfoResult
    | Empty
)

METHODS: Final[dict[str, tuple[type[Request], type[Struct]]]] = {
    "publish": (Publish, PublishResult),
    "broadcast": (Broadcast, BroadcastResult),
    "history": (History, HistoryResult),
    "history_remove": (HistoryRemove, Empty),
    "presence": (Presence, PresenceResult),
    "presence_stats": (PresenceStats, PresenceStatsResult),
    "channels": (Channels, ChannelsResult),
    "info": (Info, InfoResult),
    "subscribe": (Subscribe, Empty),
    "unsubscribe": (Unsubscribe, Empty),
    "disconnect": (Disconnect, Empty),
    "refresh": (Refresh, Empty),
}
"""The requests by the last part of their address, and what they are answered with."""

_DECODERS: Final = {name: msgspec.json.Decoder(request) for name, (request, _) in METHODS.items()}
_BATCH: Final = msgspec.json.Decoder(Batch)
_encode: Final = msgspec.json.Encoder().encode


class MalformedError(Exception):
    """The body is no JSON at all."""


def decode(method: str, body: bytes | Raw) -> Request:
    """Read a request.

    Raises `MalformedError`, and `CommandError` (107) for JSON that is no such request or asks for what is not
    supported.
    """
    request: Request = _read(_DECODERS[method], body)
    request.check()
    return request


def decode_batch(body: bytes) -> Batch:
    """Read a batch, whose commands are not read yet. Raises as `decode`."""
    batch: Batch = _read(_BATCH, body)
    return batch


def _read(decoder: msgspec.json.Decoder[Any], body: bytes | Raw) -> Any:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        message = str(error)
        raise bad_request(message) from None
    except (ValueError, RecursionError) as error:  # no JSON, broken Unicode; nesting without end
        raise MalformedError(str(error)) from None


def close_reason(wanted: DisconnectReason, default: CloseReason) -> CloseReason:
    """Return what to close a connection with. Raises `CommandError` (107) for what would confuse an SDK."""
    if not wanted.code and not wanted.reason:
        return default
    if not 3000 <= wanted.code <= 4999:  # noqa: PLR2004  (RFC 6455, section 7.4.2)
        raise bad_request("disconnect.code must be 3000 to 4999")
    if not wanted.reason or len(wanted.reason.encode()) > MAX_REASON_BYTES or _is_json(wanted.reason):
        raise bad_request(f"disconnect.reason must have 1 to {MAX_REASON_BYTES} bytes, and must not be JSON")
    return CloseReason(wanted.code, wanted.reason)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def error_body(error: Error) -> ErrorBody:
    """Describe an error to the caller."""
    return ErrorBody(error.code, error.message)


def encode_result(result: Result) -> bytes:
    """Encode the success of a request."""
    return b'{"result":%s}' % _encode(result)


def encode_error(error: Error) -> bytes:
    """Encode the failure of a request."""
    return b'{"error":%s}' % _encode(error_body(error))


def encode_replies(replies: list[tuple[str, Result | Error]]) -> bytes:
    """Encode what became of each command of a batch, by method; errors come in its place."""
    return b'{"replies":[%s]}' % b",".join(
        encode_error(what) if isinstance(what, Error) else b'{"%s":%s}' % (method.encode(), _encode(what))
        for method, what in replies
    )


def schemas(template: str) -> tuple[dict[str, tuple[dict[str, Any], dict[str, Any]]], dict[str, Any]]:
    """Return the JSON Schemas of requests and results by method, and those that they refer to by `template`."""
    types = [kind for pair in METHODS.values() for kind in pair]
    found, referred = components([*types, Batch, ErrorBody], template)
    named = dict(zip(types, found, strict=False))
    return {method: (named[pair[0]], named[pair[1]]) for method, pair in METHODS.items()}, referred
