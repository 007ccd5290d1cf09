"""What a client of a scenario says: what is under way, what came of it, and what there is to be changed.

Keys count up from 1 in each room, so the same key comes from others and in other rooms, too. In the history entries
are called by the name of the client and the key.
"""

from __future__ import annotations

import itertools
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from loadtests._frames import Data, name_of
from loadtests._history import Acked, Failed, GaveUp, Sent

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable

    from loadtests._frames import Publication
    from loadtests._history import Event

EMOJIS = ("+1", "heart")
_ARGUMENTS = {
    "send": ("text",),
    "edit": ("target", "text"),
    "delete": ("target",),
    "react": ("target", "emoji", "on"),
}


class Connection(Protocol):
    """What is needed of the one whose outbox it is."""

    def is_in(self, room: str) -> bool:
        """Tell whether it can say something in a room now."""

    def ask(self, take: Callable[[dict[str, Any]], None], **command: Any) -> None:
        """Send a command; `take` gets the reply."""


class Call(msgspec.Struct, eq=False):
    """Something that is to be stored. `sent` is how often it is on its way."""

    room: str
    method: str
    key: str
    data: Data
    name: str
    sent: int = 0


class _Known:
    """What there is in a room that could be changed."""

    def __init__(self) -> None:
        self.keys = itertools.count(1)
        self.others: list[int] = []
        """Where messages of others are."""
        self.own: list[int] = []
        """Where messages of its own are that it has not deleted."""
        self.reactions: list[Data] = []
        """Reactions of its own that it has not taken back."""


class Outbox:
    """All that one client has to say."""

    def __init__(
        self, name: str, rooms: Iterable[str], connection: Connection, history: list[Event], dice: random.Random
    ) -> None:
        self.pending: dict[tuple[str, str], Call] = {}
        """What is not answered, by room and name, in the order in which it was first wanted."""
        self._name = name
        self._connection = connection
        self._history = history
        self._dice = dice
        self._acked: list[Call] = []
        self._known = {room: _Known() for room in rooms}

    def saw(self, room: str, publication: Publication, by: str) -> None:
        """Take note of what could be changed."""
        if publication.data.type == "message" and by != self._name:
            self._known[room].others.append(publication.offset)

    def say(self, room: str) -> Call:
        """Send a message, and see to it that it is stored."""
        key = str(next(self._known[room].keys))
        return self._store(room, "send", key, Data(key=key, text=f"{key} from {self._name}"))

    def change(self, room: str) -> None:
        """Edit or delete a message, or react to one, if there is one; of other people's, edits are refused."""
        known, dice = self._known[room], self._dice
        possible = {
            "edit": known.own,
            "delete": known.own[:-2],
            "react": known.others,
            "take back": known.reactions,
            "foreign": known.others,
        }
        key = str(next(known.keys))
        match dice.choice([what for what, among in possible.items() if among] or ["nothing"]):
            case "edit":
                self._store(room, "edit", key, Data("edit", target=dice.choice(known.own[-4:]), text=f"e{key}"))
            case "foreign":
                target = dice.choice(known.others[-4:])
                self._store(room, "edit", key, Data("edit", target=target, text=f"not mine {key}"))
            case "delete":
                target = known.own.pop(-dice.randint(1, 3))
                self._store(room, "delete", key, Data("delete", target=target))
            case "react":
                target = known.others.pop(-dice.randint(1, min(4, len(known.others))))  # once each
                self._store(room, "react", key, Data("reaction", target=target, emoji=dice.choice(EMOJIS)))
            case "take back":
                self._store(room, "react", key, msgspec.structs.replace(known.reactions.pop(), on=False))

    def repeat(self) -> None:
        """Send again what is under way or was acknowledged, as after a time-out."""
        calls = [call for call in self.pending.values() if call.sent] or self._acked[-5:]
        if calls:
            self._send(self._dice.choice(calls))

    def give_up(self, call: Call) -> None:
        """Wait for an answer no longer."""
        if self.pending.pop((call.room, call.name), None):
            self._history.append(GaveUp(self._name, call.room, call.name))

    def send_again(self, room: str) -> None:
        """Send what is to be stored and not on its way."""
        for call in list(self.pending.values()):
            if call.room == room and not call.sent:
                self._send(call)

    def lose(self) -> None:
        """Take note that no answer will come."""
        for call in self.pending.values():
            call.sent = 0

    def _store(self, room: str, method: str, key: str, data: Data) -> Call:
        call = Call(room, method, key, data, f"{self._name} {name_of(data, '')}")
        self.pending[room, call.name] = call
        self._send(call)
        return call

    def _send(self, call: Call) -> None:
        if not self._connection.is_in(call.room):
            return
        given = msgspec.structs.asdict(call.data)
        arguments = {name: given[name] for name in _ARGUMENTS[call.method]}
        call.sent += 1
        self._history.append(Sent(self._name, call.room, call.name))
        data = {"channel": call.room, "key": call.key, **arguments}
        self._connection.ask(partial(self._told, call), rpc={"method": call.method, "data": data})

    def _told(self, call: Call, reply: dict[str, Any]) -> None:
        call.sent -= 1
        place = (call.room, call.name)
        if "error" in reply:
            temporary = reply["error"].get("temporary", False)
            self._history.append(Failed(self._name, call.room, call.name, reply["error"]["code"], temporary))
            if not temporary:
                self.pending.pop(place, None)
            return
        offset = reply["rpc"]["data"]["offset"]
        self._history.append(Acked(self._name, call.room, call.name, offset))
        self.pending.pop(place, None)
        if call not in self._acked:
            self._acked.append(call)
            if call.method == "send":
                self._known[call.room].own.append(offset)
            elif call.method == "react" and call.data.on:
                self._known[call.room].reactions.append(call.data)
