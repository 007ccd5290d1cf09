"""A client of a scenario: it does what an SDK does, and writes down what it sends, is told and sees."""

from __future__ import annotations

import itertools
import json
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from actors.messages import Receive
from chat.framing import text_of_frame
from chat.wire import JsonWire
from loadtests._frames import Publication, decode_page, name_of
from loadtests._history import Ended, Entered, Saw, Viewed
from loadtests._view import View, Watch
from tests.checker.outbox import Outbox

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Sequence

    from actors.runtime import ActorRef
    from chat.errors import CloseReason
    from loadtests._history import Event
    from loadtests._view import Asked
    from tests.checker.process import Process

NEWEST = 8
"""How many messages of a room a client keeps."""
SUBSCRIBE_AGAIN = 2500


class Network:
    """The connection as the server has it. What it sends is on its way until the client takes it."""

    def __init__(self) -> None:
        self.frames: deque[bytes] = deque()
        self.closed: CloseReason | None = None
        self.address = ""

    def identify(self, user: str) -> bool:
        return True

    def send(self, frames: Sequence[bytes]) -> bool:
        self.frames += frames
        return True

    def backlog_bytes(self) -> int:
        return sum(map(len, self.frames))

    def close(self, reason: CloseReason) -> None:
        self.closed = self.closed or reason


class _Subscription:
    """One room that the client is in, or is on its way back to."""

    def __init__(self, watch: Watch) -> None:
        self.offset = 0
        self.epoch = ""
        self.entered = False
        self.asked = False
        self.watch = watch


class Client:
    """Somebody in some rooms. `limit` is how many missed entries the server makes up for."""

    def __init__(self, name: str, rooms: Iterable[str], history: list[Event], dice: random.Random, limit: int) -> None:
        self.name = name
        self.rooms = tuple(rooms)
        self.away = 0
        """How long it does not want to come back."""
        self.outbox = Outbox(name, self.rooms, self, history, dice)
        self._history = history
        self._dice = dice
        self._limit = limit
        self._guest = ""
        self._network: Network | None = None
        self._server: ActorRef[Any] | None = None
        self._dropped = False
        self._ids = itertools.count(1)
        self._replies: dict[int, Callable[[dict[str, Any]], None]] = {}
        self._subscriptions = {room: _Subscription(Watch(NEWEST, partial(self.record, room))) for room in rooms}

    # The connection.

    @property
    def connected(self) -> bool:
        return self._network is not None

    @property
    def at_rest(self) -> bool:
        """Whether it is in all rooms, everything is answered, and nothing is on its way to it."""
        return (
            self._network is not None
            and not self._network.frames
            and not self.outbox.pending
            and not self._replies
            and all(known.entered for known in self._subscriptions.values())
        )

    def connect(self, process: Process) -> None:
        """Come back, or come for the first time. Raises `Killed`."""
        network = Network()
        self._server = process.connect(network)
        self._network = network
        self._dropped = False
        self.ask(self._introduced, connect={"data": {"name": self.name, "guest": self._guest}})
        for room in self.rooms:
            self._subscribe(room)

    def hang_up(self) -> None:
        """Drop the connection. What is on its way, either way, may get lost."""
        assert self._server is not None
        self._server.stop(block=False)
        self._lose()

    def crash(self, process: Process) -> None:
        """Have the actor of this connection crash."""
        assert self._server is not None
        self._dropped = True
        process.crash("clients", self._server.name)

    def survive(self) -> None:
        """Be there when the server is killed. Of what it sent some has left the machine."""
        if self._network is not None:
            self._network.closed = None
            self.take(self._dice.randint(0, len(self._network.frames)))
            self._history.append(Ended(self.name, "", "1006", planned=True))
            self._lose()

    def _lose(self) -> None:
        self._network = self._server = None
        self._replies.clear()
        for known in self._subscriptions.values():
            known.entered = known.asked = False
            known.watch.forget()
        self.outbox.lose()

    def ask(self, take: Callable[[dict[str, Any]], None], **command: Any) -> None:
        """Send a command; `take` gets the reply."""
        assert self._server is not None
        number = next(self._ids)
        self._replies[number] = take
        self._server.tell(Receive(JsonWire().decode(json.dumps({"id": number, **command}))))

    def take(self, most: int = 1_000_000) -> None:
        """Take what has arrived, so many frames at most."""
        network = self._network
        while network is not None and network is self._network and network.frames and most > 0:
            most -= 1
            for line in text_of_frame(network.frames.popleft()).split(b"\n"):
                self._hear(json.loads(line))
        if network is not None and network is self._network and network.closed is not None and not network.frames:
            self._history.append(Ended(self.name, "", str(network.closed.code), planned=self._dropped))
            self._lose()

    def _hear(self, message: dict[str, Any]) -> None:
        push = message.get("push", {})
        if "id" in message:
            self._replies.pop(message["id"])(message)
        elif push.get("pub", {}).get("offset"):
            self._see(push["channel"], push["pub"])
        elif push.get("unsubscribe", {}).get("code", 0) >= SUBSCRIBE_AGAIN:
            self._subscriptions[push["channel"]].entered = False

    def _introduced(self, reply: dict[str, Any]) -> None:
        self._guest = reply["connect"]["data"]["guest"]

    # Rooms.

    def is_in(self, room: str) -> bool:
        """Tell whether it can say something there now."""
        return self._subscriptions[room].entered

    def go_on(self) -> None:
        """Do what an SDK does when it finds the time: enter again, send again, have something to show."""
        for room, known in self._subscriptions.items() if self.connected else ():
            if not known.entered and not known.asked:
                self._subscribe(room)
            elif known.entered:
                self.outbox.send_again(room)
                if known.watch.view is None:
                    self.compare(room)

    def _subscribe(self, room: str) -> None:
        known = self._subscriptions[room]
        known.asked = True
        position = {"recover": True, "offset": known.offset, "epoch": known.epoch} if known.epoch else {}
        self.ask(partial(self._subscribed, room), subscribe={"channel": room, **position})

    def _subscribed(self, room: str, reply: dict[str, Any]) -> None:
        known = self._subscriptions[room]
        known.asked = False
        if "error" in reply:
            return
        result = reply["subscribe"]
        known.offset, known.epoch = result.get("offset", 0), result["epoch"]
        if not result.get("recovered", False):
            known.watch.begin_anew()
        self._history.append(Entered(self.name, room, known.offset, known.epoch, self._limit))
        for publication in result.get("publications", ()):
            self._see(room, publication)
        known.entered = True
        self.compare(room, adopt=self._dice.random() < 0.3)
        self.outbox.send_again(room)

    def _see(self, room: str, publication: dict[str, Any]) -> None:
        known, seen, by = self._subscriptions[room], read(publication), author(publication)
        known.offset = seen.offset
        self.outbox.saw(room, seen, by)
        self._history.append(Saw(self.name, room, f"{by} {name_of(seen.data, '')}", seen.offset))
        known.watch.see(seen)

    def compare(self, room: str, *, adopt: bool = False) -> None:
        """Fetch the newest messages, and record what they are, and what the client's own view is."""
        watch = self._subscriptions[room].watch
        if self.connected and not watch.is_asking:
            call = {"method": "messages", "data": {"channel": room, "limit": NEWEST}}
            self.ask(partial(self._fetched, room, watch.ask(), adopt=adopt), rpc=call)

    def _fetched(self, room: str, asked: Asked, reply: dict[str, Any], *, adopt: bool) -> None:
        page = decode_page(json.dumps(reply["rpc"]["data"])) if "rpc" in reply else None
        self._subscriptions[room].watch.answer(asked, page, adopt=adopt)

    def record(self, room: str, view: View, *, fetched: bool = False) -> None:
        self._history.append(Viewed(self.name, room, view.offset, view.digest(), view.newest, fetched))

    def conclude(self, room: str) -> None:
        """Record the view when everything has arrived: then it is what the server says now."""

        def fetched(reply: dict[str, Any]) -> None:
            if "rpc" in reply:
                view = View.of(decode_page(json.dumps(reply["rpc"]["data"])), NEWEST)
                own = self._subscriptions[room].watch.view
                self.record(room, view, fetched=True)
                if own is not None:
                    self._history.append(Viewed(self.name, room, view.offset, own.digest(), NEWEST))

        if self.connected:
            self.ask(fetched, rpc={"method": "messages", "data": {"channel": room, "limit": NEWEST}})


def read(publication: dict[str, Any]) -> Publication:
    return msgspec.convert(publication, Publication)


def author(publication: dict[str, Any]) -> str:
    """Return the name of who did it: the id of a guest is the server's business, and may be what is wrong."""
    return str(publication["info"]["conn_info"]["name"])
