"""A wire is a codec: it turns frames into commands, and answers and events into frames.

Rooms and clients know events and commands only, so members with different wires meet in the same room. An event is
shared by everybody who gets it and keeps what it was encoded to: one encoding per wire, however many members there
are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from chat import protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chat.errors import Error
    from chat.log import Author, Entry
    from chat.protocol import Command, Result


class Event:
    """Something that happened in a channel. Made once, given to all members, never changed."""

    __slots__ = ("channel", "encoded")

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.encoded: dict[str, Any] = {}
        """What the wires made of it, by their names."""


class Published:
    """An entry of the log, and the protocol's form of it: made when asked for, since most are not read again."""

    __slots__ = ("_json", "entry")

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self._json: msgspec.Raw | None = None

    @property
    def json(self) -> msgspec.Raw:
        """The publication, encoded once."""
        if self._json is None:
            self._json = protocol.encode_publication(self.entry)
        return self._json


class Publications(Event):
    """Entries that were stored, by rising offset without gaps; at least one."""

    __slots__ = ("items",)

    def __init__(self, channel: str, items: Sequence[Published]) -> None:
        super().__init__(channel)
        self.items = items

    def after(self, offset: int) -> Publications | None:
        """Return the part that a reader at `offset` has not seen: this very event, a shorter one, or None."""
        unseen = [item for item in self.items if item.entry.offset > offset]
        if len(unseen) == len(self.items):
            return self
        return Publications(self.channel, unseen) if unseen else None


class Ephemeral(Event):
    """Something of the moment: not stored, without an offset, gone for those who are not here."""

    __slots__ = ("author", "data")

    def __init__(self, channel: str, data: bytes, author: Author) -> None:
        super().__init__(channel)
        self.data = data
        self.author = author


class PresenceChanged(Event):
    """Somebody came (`kind` "join") or went ("leave")."""

    __slots__ = ("author", "kind")

    def __init__(self, channel: str, kind: str, author: Author) -> None:
        super().__init__(channel)
        self.kind = kind
        self.author = author


class Wire(Protocol):
    """The codec of one connection. What returns None or nothing has no form on that wire."""

    @property
    def pings(self) -> bool:
        """Whether the server pings, and the client answers."""

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

    def event(self, event: Event, reader: str) -> list[bytes]:
        """Encode an event for the client with the id `reader`."""

    def unsubscribed(self, channel: str, code: int, reason: str) -> bytes | None:
        """Encode that the server ended a subscription."""

    def frames(self, parts: list[bytes]) -> list[bytes]:
        """Pack what is due to be sent, at least one part, into text frames."""


class JsonWire:
    """The Centrifugo client protocol."""

    pings: Final = True
    resubscribes: Final = True

    def opening(self) -> list[Command]:
        """Nothing: the client begins."""
        return []

    def decode(self, frame: str) -> list[Command]:
        """See `protocol.decode_frame`."""
        return protocol.decode_frame(frame)

    def reply(self, command: Command, result: Result) -> bytes:
        """See `protocol.encode_reply`."""
        return protocol.encode_reply(command, result)

    def error(self, command: Command, error: Error) -> bytes:
        """See `protocol.encode_error`."""
        return protocol.encode_error(command, error)

    def event(self, event: Event, reader: str) -> list[bytes]:  # noqa: ARG002  (all readers get the same)
        """Encode an event: once, whoever asks."""
        encoded: list[bytes] | None = event.encoded.get("json")
        if encoded is None:
            encoded = event.encoded["json"] = [self._encode(event)]
        return encoded

    def _encode(self, event: Event) -> bytes:
        if isinstance(event, Publications):
            pushes = [protocol.encode_push(event.channel, "pub", item.json) for item in event.items]
            return b"\n".join(pushes)
        if isinstance(event, Ephemeral):
            body = protocol.encode_ephemeral(event.data, event.author)
            return protocol.encode_push(event.channel, "pub", body)
        assert isinstance(event, PresenceChanged)
        body = protocol.encode_presence_change(event.author)
        return protocol.encode_push(event.channel, event.kind, body)

    def unsubscribed(self, channel: str, code: int, reason: str) -> bytes:
        """Encode an unsubscribe push."""
        return protocol.encode_push(channel, "unsubscribe", protocol.encode_unsubscribe(code, reason))

    def frames(self, parts: list[bytes]) -> list[bytes]:
        """Put everything into one frame, a line each."""
        return [b"\n".join(parts)]
