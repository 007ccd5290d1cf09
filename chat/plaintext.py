"""The plain-text wire: a frame in is a message to the lobby, a frame out is what somebody else said there.

    in    hello
    out   Client 7: hello          (to all others)
    out   Error 107: bad request: text is empty        (to the sender, if its message was refused)

For `websocat`, a 20-line page or a microcontroller. No resume, no presence, no other rooms.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any, Final

import msgspec

from chat.framing import text_frame
from chat.protocol import calls, commands, publications
from chat.protocol.commands import Command
from chat.wire import Publications

if TYPE_CHECKING:
    from chat.errors import Error
    from chat.wire import Event

MAX_INTEGER: Final = 2**53  # the largest that JavaScript counts to
PREFIX: Final = "Client "

_INTEGER = re.compile(r"-?[0-9]{1,16}")
_SHORT_NAME = re.compile(r"[\w][\w.-]{0,31}")


def is_client_id(client_id: str) -> bool:
    """Tell whether this may stand in `/ws/{client_id}`: an integer up to 2^53, or a name of at most 32 characters.

    A name consists of letters, digits, `_`, `.` and `-`, and begins with one of the first three.
    """
    if _INTEGER.fullmatch(client_id):
        return abs(int(client_id)) <= MAX_INTEGER
    return not client_id.isdecimal() and _SHORT_NAME.fullmatch(client_id) is not None


class PlainText:
    """The wire of one `/ws/{client_id}` connection."""

    pings: Final = False  # (nobody would answer)
    vouches: Final = True
    resubscribes: Final = False

    def __init__(self, client_id: str, lobby: str) -> None:
        self._client_id = client_id
        self._lobby = lobby

    def opening(self) -> list[Command]:
        """Connect under the client id, and enter the lobby."""
        name = msgspec.json.encode({"name": f"{PREFIX}{self._client_id}"})
        return [
            Command(1, commands.Connect(data=msgspec.Raw(name))),
            Command(2, commands.Subscribe(self._lobby)),
        ]

    def decode(self, frame: str) -> list[Command]:
        """Every frame is a message. Never raises."""
        key = secrets.token_hex(8)  # a repeated line is a second message
        return [Command(3, calls.SendMessage(self._lobby, key, frame))]

    def reply(self, command: Command, result: Any) -> None:
        """Success is silent."""

    def error(self, command: Command, error: Error) -> bytes:  # noqa: ARG002
        """Say why a message was refused."""
        return text_frame(f"Error {error.code}: {error.message}".encode())

    def event(self, event: Event, reader: str) -> tuple[bytes, ...]:
        """Encode what others said; presence and typing have no form here."""
        if not isinstance(event, Publications):
            return ()
        lines: list[bytes | None] | None = event.encoded.get("text")
        if lines is None:
            lines = event.encoded["text"] = [_line(item.entry.author.name, item.entry.data) for item in event.items]
        authors = [item.entry.author.client for item in event.items]
        return tuple(line for line, author in zip(lines, authors, strict=True) if line is not None and author != reader)

    def subscribed(self, request: Any, result: Any) -> None:
        """Nothing here: there is no other room."""

    def unsubscribed(self, channel: str, code: int, reason: str) -> None:
        """Nothing here."""

    def ping(self) -> None:
        """Nothing here."""


def _line(name: str, data: bytes) -> bytes | None:
    who = name if name.startswith(PREFIX) else PREFIX + name
    text = publications.text_of(data)
    return text_frame(f"{who}: {text}".encode()) if text is not None else None
