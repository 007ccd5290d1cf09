"""A wire is a codec: it turns frames into commands, and answers and events into frames.

Rooms and clients know events and commands only, so members with different wires meet in the same room. An event is
shared by everybody who gets it and keeps what it was encoded to: one encoding per wire, however many members there
are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from chat.framing import text_frame
from chat.protocol import commands, encoding, publications

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chat.errors import Error
    from chat.log import Author, Entry
    from chat.protocol.commands import Command, SubscribeByServer
    from chat.protocol.results import Result, SubscribeResult


_PING: Final = text_frame(encoding.PING)


class Event:
    """Something that happened in a channel. Made once, given to all members, never changed."""

    __slots__ = ("channel", "encoded")

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.encoded: dict[str, Any] = {}
        """What the wires made of it, by their names."""


class Published(msgspec.Struct, gc=False):
    """An entry of the log, and the protocol's form of it: made when asked for, since most are not read again.

    Rooms keep hundreds of them. Nothing in one can be part of a cycle, so the garbage collector need not look.
    """

    entry: Entry
    _json: msgspec.Raw | None = None

    @property
    def json(self) -> msgspec.Raw:
        """The publication, encoded once."""
        if self._json is None:
            self._json = publications.encode_publication(self.entry)
        return self._json


class Publications(Event):
    """Entries that were stored, by rising offset without gaps; at least one."""

    __slots__ = ("first", "items", "last")

    def __init__(self, channel: str, items: Sequence[Published]) -> None:
        super().__init__(channel)
        self.items = items
        self.first = items[0].entry.offset
        self.last = items[-1].entry.offset

    def after(self, offset: int) -> Publications | None:
        """Return the part that a reader at `offset` has not seen: this very event, a shorter one, or None."""
        if offset < self.first:
            return self
        if offset >= self.last:
            return None
        return Publications(self.channel, [item for item in self.items if item.entry.offset > offset])


class Ephemeral(Event):
    """Something of the moment: not stored, without an offset, gone for those who are not here.

    Without an author it is the server that says it.
    """

    __slots__ = ("author", "data")

    def __init__(self, channel: str, data: bytes, author: Author | None) -> None:
        super().__init__(channel)
        self.data = data
        self.author = author


class StatesChanged(Event):
    """Users look elsewhere now, or here again: what there is to say of each (JSON), and of whom. All in one event."""

    __slots__ = ("changes",)

    def __init__(self, channel: str, changes: Sequence[tuple[bytes, Author]]) -> None:
        super().__init__(channel)
        self.changes = changes


class PresenceChanged(Event):
    """Somebody came (`kind` "join") or went ("leave")."""

    __slots__ = ("author", "kind")

    def __init__(self, channel: str, kind: str, author: Author) -> None:
        super().__init__(channel)
        self.kind = kind
        self.author = author


class Wire(Protocol):
    """The codec of one connection: what it encodes are WebSocket frames. None or nothing has no form on that wire."""

    @property
    def pings(self) -> bool:
        """Whether the server pings, and the client answers."""

    @property
    def vouches(self) -> bool:
        """Whether names come from the address rather than from the client, so that several may have the same."""

    @property
    def resubscribes(self) -> bool:
        """Whether a client can subscribe again on the same connection."""

    def opening(self) -> list[Command]:
        """Return the commands that opening the connection stands for."""

    def decode(self, frame: str) -> list[Command]:
        """Take a text frame apart. Raises `Disconnect` if it is none of this wire's."""

    def reply(self, command: Command, result: Result) -> bytes | None:
        """Encode the success of a command."""

    def error(self, command: Command, error: Error) -> bytes | None:
        """Encode the failure of a command."""

    def event(self, event: Event, reader: str) -> tuple[bytes, ...]:
        """Encode an event for the client with the id `reader`."""

    def subscribed(self, request: SubscribeByServer, result: SubscribeResult) -> bytes | None:
        """Encode that the server made a subscription."""

    def unsubscribed(self, channel: str, code: int, reason: str) -> bytes | None:
        """Encode that the server ended a subscription."""

    def ping(self) -> bytes | None:
        """Encode that the server wants to know whether the client is there."""


class JsonWire:
    """The Centrifugo client protocol."""

    pings: Final = True
    vouches: Final = False
    resubscribes: Final = True

    def opening(self) -> list[Command]:
        """Nothing: the client begins."""
        return []

    def decode(self, frame: str) -> list[Command]:
        """See `commands.decode_frame`."""
        return commands.decode_frame(frame)

    def reply(self, command: Command, result: Result) -> bytes:
        """See `encoding.encode_reply`."""
        return text_frame(encoding.encode_reply(command, result))

    def error(self, command: Command, error: Error) -> bytes:
        """See `encoding.encode_error`."""
        return text_frame(encoding.encode_error(command, error))

    def event(self, event: Event, reader: str) -> tuple[bytes, ...]:  # noqa: ARG002  (all readers get the same)
        """Encode an event: once, whoever asks."""
        encoded: tuple[bytes, ...] | None = event.encoded.get("json")
        if encoded is None:
            encoded = event.encoded["json"] = (text_frame(self._encode(event)),)
        return encoded

    def _encode(self, event: Event) -> bytes:
        if isinstance(event, Publications):
            pushes = [encoding.encode_push(event.channel, "pub", item.json) for item in event.items]
            return b"\n".join(pushes)
        if isinstance(event, Ephemeral):
            body = encoding.encode_ephemeral(event.data, event.author)
            return encoding.encode_push(event.channel, "pub", body)
        if isinstance(event, StatesChanged):
            bodies = [encoding.encode_ephemeral(data, author) for data, author in event.changes]
            return b"\n".join(encoding.encode_push(event.channel, "pub", body) for body in bodies)
        assert isinstance(event, PresenceChanged)
        body = encoding.encode_presence_change(event.author)
        return encoding.encode_push(event.channel, event.kind, body)

    def subscribed(self, request: SubscribeByServer, result: SubscribeResult) -> bytes:
        """Encode a subscribe push."""
        push = encoding.encode_push(request.channel, "subscribe", encoding.encode_subscribe(request, result))
        return text_frame(push)

    def unsubscribed(self, channel: str, code: int, reason: str) -> bytes:
        """Encode an unsubscribe push."""
        push = encoding.encode_push(channel, "unsubscribe", encoding.encode_unsubscribe(code, reason))
        return text_frame(push)

    def ping(self) -> bytes:
        """An empty command."""
        return _PING
