"""What clients say: frames in become `Command`s.

Requests are validated here as far as their form goes; what they may do is decided by the client actor. Fields of
features that are not offered are read where ignoring them would be wrong (tag filter, shared poll, tokens) and skipped
otherwise.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Raw, Struct, field

from chat.errors import BAD_REQUEST_CLOSE, Disconnect
from chat.protocol.calls import Call
from chat.protocol.fields import Channel, CommandId, Offset, decode_data, holding

REJECT_UNRECOVERABLE: Final = 2  # bit of SubscribeRequest.flag: answer 112 rather than recovered:false


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


class ConnectData(Struct, frozen=True):
    """What a guest may say of itself. `guest` is the token from an earlier reply."""

    name: str = ""
    guest: str = ""


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
    | Call
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


_connect_data = msgspec.json.Decoder(ConnectData)


def decode_connect_data(data: Raw) -> ConnectData:
    """Return what the client says of itself. Raises `CommandError` (107)."""
    decoded: ConnectData = decode_data(_connect_data, data)
    return decoded
