"""What the server sends, as far as a client of a run looks at it."""

from __future__ import annotations

import msgspec


class Info(msgspec.Struct):
    """Who did something."""

    user: str = ""


class Data(msgspec.Struct):
    """What an entry says: a message, or a change of one."""

    type: str = "message"
    key: str = ""
    text: str = ""
    target: int = 0
    emoji: str = ""
    on: bool = True


def name_of(data: Data, user: str) -> str:
    """Return a name for an entry that sender and receivers agree on. A client may do nothing of that name twice."""
    match data.type:
        case "edit":
            return data.text
        case "delete":
            return f"delete {data.target}"
        case "reaction":
            return f"{'+' if data.on else '-'}{data.emoji} {data.target} {user}"
    return data.key


class Publication(msgspec.Struct):
    """An entry, as it is pushed or read from the log. What is not stored has no offset."""

    data: Data
    info: Info = msgspec.field(default_factory=Info)
    offset: int = 0

    @property
    def name(self) -> str:
        """What sender and receivers call it."""
        return name_of(self.data, self.info.user)


class Publications(msgspec.Struct):
    """The reply to `history`, and to `subscribe`."""

    publications: list[Publication] = []
    offset: int = 0
    epoch: str = ""
    recovered: bool = False


class Message(msgspec.Struct):
    """A message as it stands, by the server's account. `data` is null if it was deleted."""

    offset: int
    data: Data | None
    reactions: dict[str, list[str]] = {}


class Page(msgspec.Struct):
    """Some of a room's messages, as they stand at an offset."""

    messages: list[Message]
    offset: int
    epoch: str


class Placed(msgspec.Struct):
    """Where something was stored."""

    offset: int = 0


class Guest(msgspec.Struct):
    """Who the server takes the client for, and the token with which it is that again."""

    user: str = ""
    guest: str = ""


class Connected(msgspec.Struct):
    """The reply to `connect`."""

    data: Guest
    client: str = ""


class Returned(msgspec.Struct):
    """The reply to an rpc."""

    data: msgspec.Raw


class Error(msgspec.Struct):
    """The reply to anything that was not done."""

    code: int
    message: str
    temporary: bool = False


class Unsubscribe(msgspec.Struct):
    """The server has ended a subscription."""

    code: int


class Push(msgspec.Struct):
    """Something that happened in a channel."""

    channel: str
    pub: Publication | None = None
    unsubscribe: Unsubscribe | None = None


class Reply(msgspec.Struct):
    """Any message: the reply to the command with this id, a push, or, if it is nothing, a ping."""

    id: int = 0
    error: Error | None = None
    connect: Connected | None = None
    subscribe: Publications | None = None
    history: Publications | None = None
    rpc: Returned | None = None
    push: Push | None = None


decode = msgspec.json.Decoder(Reply).decode
decode_placed = msgspec.json.Decoder(Placed).decode
decode_page = msgspec.json.Decoder(Page).decode
