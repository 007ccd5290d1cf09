"""What tests use in place of a network, a disk and a clock.

`Chat` is a whole chat in virtual time. Its clients talk through a socket that only takes notes, so a test reads as a
conversation:

    chat = Chat()
    ann, bob = chat.member("lobby"), chat.member("lobby")
    ann.publish("lobby", "hello")

    assert bob.said("lobby") == ["hello"]
"""

from __future__ import annotations

import contextlib
import itertools
import json
import tempfile
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pykka

from actors.messages import Receive, Reject
from actors.runtime import VirtualScheduler
from actors.system import ChatSystem
from chat import server_api
from chat.errors import Disconnect
from chat.framing import text_of_frame
from chat.identity import Door, Guests
from chat.limits import Limits
from chat.log import Author, Draft, MemoryLog
from chat.plaintext import PlainText
from chat.room_classes import read_room_classes
from chat.wire import JsonWire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from actors.runtime import ActorRef
    from chat.errors import CloseReason
    from chat.files import Files
    from chat.log import (
        Entry,
        Findings,
        Keep,
        Kept,
        MemberChange,
        Page,
        Place,
        Position,
        PrivateRoom,
        Rejected,
        Retention,
        RoomTopic,
        Ruling,
        Search,
        Stored,
        Upload,
    )
    from chat.room_classes import RoomClasses
    from chat.tokens import Tokens
    from chat.wire import Wire

ANN = Author("ann", "client-of-ann", "Ann")
BOB = Author("bob", "client-of-bob", "Bob")

NOON_MS = 1_700_000_000_000
"""What the wall clock of a `Chat` shows when its scheduler's shows 0."""

DAY_S = 86_400.0


def draft(room: str, data: str, *, key: str = "", author: Author = ANN, time_ms: int = NOON_MS) -> Draft:
    """Make a draft whose data is the given text, as JSON."""
    return Draft(room, key, author, time_ms, json.dumps(data).encode())


class Unheard(msgspec.Struct, frozen=True):
    """A message that no actor of the chat knows. Clients and rooms crash on it."""


class RecordingTransport:
    """A socket that keeps what it is given, until it is `full`."""

    def __init__(self, address: str = "203.0.113.1") -> None:
        self.address = address
        self.user: str | None = None
        """Whom it was identified as."""
        self.has_room = True
        """Whether that user may have one more."""
        self.frames: list[str] = []
        self.writes = 0
        """How often it was given something."""
        self.closed: CloseReason | None = None
        self.full = False
        self.reads = True
        """Whether the peer takes what it is given."""
        self._backlog = 0

    def send(self, frames: Sequence[bytes]) -> bool:
        if self.full:
            return False
        self.writes += 1
        self._backlog += sum(map(len, frames))
        self.frames += [text_of_frame(frame).decode() for frame in frames]
        return True

    def identify(self, user: str) -> bool:
        self.user = user
        return self.has_room

    def backlog_bytes(self) -> int:
        if self.reads:
            self._backlog = 0
        return self._backlog

    def close(self, reason: CloseReason) -> None:
        self.closed = self.closed or reason


class FakeLog:
    """A log in memory that fails on request, and knows what it was asked to store."""

    blocks = False

    def __init__(self) -> None:
        self.kept = MemoryLog()
        self.batches: list[list[Draft]] = []
        self.append_errors: deque[Exception] = deque()
        """What the next appends raise, one each, with nothing stored."""
        self.read_errors: deque[Exception | None] = deque()
        """What the next reads raise, one each; None is nothing."""
        self.indexings: deque[int | Exception] = deque()
        """How much the next steps of indexing leave, one each, or what they raise."""
        self.indexed = 0
        """How many steps of indexing it was asked for."""
        self.closed = False

    def append(self, batch: Sequence[Draft | Keep]) -> list[Stored | Rejected | Kept]:
        self.batches.append([draft for draft in batch if isinstance(draft, Draft)])
        if self.append_errors:
            raise self.append_errors.popleft()
        return self.kept.append(batch)

    def position(self, room: str) -> Position:
        self._read()
        return self.kept.position(room)

    def before(self, room: str, offset: int, limit: int) -> list[Entry]:
        self._read()
        return self.kept.before(room, offset, limit)

    def after(self, room: str, offset: int, limit: int) -> list[Entry]:
        self._read()
        return self.kept.after(room, offset, limit)

    def messages(self, room: str, *, after: int | None = None, before: int | None = None, limit: int) -> Page:
        self._read()
        return self.kept.messages(room, after=after, before=before, limit=limit)

    def search(self, search: Search, readable: Callable[[str], bool], *, limit: int) -> Findings:
        self._read()
        return self.kept.search(search, readable, limit=limit)

    def index(self, *, limit: int) -> int:
        self.indexed += 1
        left = self.indexings.popleft() if self.indexings else self.kept.index(limit=limit)
        if isinstance(left, Exception):
            raise left
        return left

    def trim(self, rules: Sequence[Retention], *, limit: int) -> int:
        if self.append_errors:
            raise self.append_errors.popleft()
        return self.kept.trim(rules, limit=limit)

    def remove(self, room: str, *, last: int, limit: int) -> int:
        if self.append_errors:
            raise self.append_errors.popleft()
        return self.kept.remove(room, last=last, limit=limit)

    def topic(self, room: str) -> str:
        return self.kept.topic(room)

    def find_rooms(self, query: str, limit: int) -> list[RoomTopic]:
        self._read()
        return self.kept.find_rooms(query, limit)

    def change_members(self, change: MemberChange) -> bool:
        if self.append_errors:
            raise self.append_errors.popleft()
        return self.kept.change_members(change)

    def private_rooms(self) -> list[PrivateRoom]:
        return self.kept.private_rooms()

    def record(self, ruling: Ruling) -> Ruling:
        if self.append_errors:
            raise self.append_errors.popleft()
        return self.kept.record(ruling)

    def in_force(self, room: str, now_ms: int) -> list[Ruling]:
        return self.kept.in_force(room, now_ms)

    def bans(self, user: str, now_ms: int) -> list[Ruling]:
        self._read()
        return self.kept.bans(user, now_ms)

    def places(self, user: str) -> list[Place]:
        return self.kept.places(user)

    def names(self, users: Sequence[str]) -> dict[str, str]:
        self._read()
        return self.kept.names(users)

    def forget_guests(self, before_ms: int, *, limit: int) -> int:
        return self.kept.forget_guests(before_ms, limit=limit)

    def rulings(self, room: str, *, before: int | None = None, limit: int) -> list[Ruling]:
        self._read()
        return self.kept.rulings(room, before=before, limit=limit)

    def keep_upload(self, upload: Upload, *, most_unsent_bytes: int) -> bool:
        if self.append_errors:
            raise self.append_errors.popleft()
        return self.kept.keep_upload(upload, most_unsent_bytes=most_unsent_bytes)

    def upload(self, file_id: str) -> Upload | None:
        self._read()
        return self.kept.upload(file_id)

    def forget_unsent(self, before_ms: int, *, limit: int) -> int:
        if self.append_errors:
            raise self.append_errors.popleft()
        return self.kept.forget_unsent(before_ms, limit=limit)

    def loose(self, *, limit: int) -> list[str]:
        return self.kept.loose(limit=limit)

    def forget_loose(self, hashes: Sequence[str]) -> None:
        self.kept.forget_loose(hashes)

    def referred(self, hashes: Sequence[str]) -> set[str]:
        return self.kept.referred(hashes)

    def secret(self) -> bytes:
        return self.kept.secret()

    def close(self) -> None:
        self.closed = True

    def forget(self) -> None:
        """Begin anew: every room is empty, and has a new epoch."""
        self.kept = MemoryLog()

    def _read(self) -> None:
        error = self.read_errors.popleft() if self.read_errors else None
        if error is not None:
            raise error


def room_classes(rooms: dict[str, dict[str, Any]], limits: Limits) -> RoomClasses:
    """Have a rooms file with these sections read."""
    sections = [{"pattern": pattern, **said} for pattern, said in rooms.items()]
    text = "".join(
        "[[room]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in section.items())
        for section in sections
    )
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(text)
        file.flush()
        return read_room_classes(Path(file.name), limits)


class Chat:
    """A chat in virtual time. Keywords are `Limits`; nobody is pinged unless `ping_interval_s` is given.

    `rooms` has what a rooms file says, by pattern. With a seed, what could happen in any order happens in one drawn
    from it.
    """

    def __init__(
        self,
        log: MemoryLog | FakeLog | None = None,
        seed: int | None = None,
        *,
        chaos: bool = False,
        tokens: Tokens | None = None,
        guests: bool = True,
        rooms: dict[str, dict[str, Any]] | None = None,
        files: Files | None = None,
        **limits: Any,
    ) -> None:
        self.limits = Limits(**{"ping_interval_s": DAY_S, **limits})
        self.log = log or MemoryLog()
        self.scheduler = VirtualScheduler(seed)
        self.failures: list[BaseException] = []
        """Why the chat could not go on."""
        self.system = ChatSystem(
            self.scheduler,
            room_log=self.log,
            door=Door(Guests() if guests else None, tokens),
            classes=room_classes(rooms or {}, self.limits),
            version="1.2.3",
            on_failure=self.failures.append,
            now_ms=lambda: NOON_MS + round(self.scheduler.time() * 1000),
            chaos=chaos,
            files=files,
        )
        self.run()

    def run(self) -> None:
        """Let everything happen that is due."""
        self.scheduler.run()

    def step(self) -> None:
        """Let the next thing happen, and nothing else."""
        with contextlib.suppress(RuntimeError):  # there is more to do after it
            self.scheduler.run(1)

    def step_until(self, reached: Callable[[], bool]) -> None:
        """Let happen what is due until something is reached, and no more."""
        while not reached():
            self.step()

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.scheduler.advance(seconds)

    def open(self, address: str = "203.0.113.1") -> Client:
        """Open a socket, and say nothing yet."""
        transport, wire = RecordingTransport(address), JsonWire()
        client = Client(self, wire, transport, self.start_client(wire, transport))
        self.run()
        return client

    def connect(self, name: str = "", **data: Any) -> Client:
        """Open a socket and introduce the client."""
        client = self.open()
        client.hello = client.ask(connect={"data": {"name": name, **data}})["connect"]
        return client

    def user(self, token: str, **connect: Any) -> Client:
        """Open a socket and introduce the client with a token. `hello` is the whole reply, if there is one."""
        client = self.open()
        number = client.send(connect={"token": token, **connect})
        self.run()
        client.hello = next(iter(client.replies(number)), {})
        client.hello = client.hello.get("connect", client.hello)
        return client

    def member(self, *channels: str, name: str = "") -> Client:
        """Connect a client and have it subscribe."""
        client = self.connect(name)
        for channel in channels:
            client.subscribe(channel)
        return client

    def text(self, client_id: str, lobby: str = "lobby", *first_lines: str, then_hang_up: bool = False) -> TextClient:
        """Open a plain-text connection that says `first_lines` as soon as it is open."""
        transport, wire = RecordingTransport(), PlainText(client_id, lobby)
        client = TextClient(self, wire, transport, self.start_client(wire, transport))
        for line in first_lines:
            client.send_frame(line)
        if then_hang_up:
            client.hang_up()
        self.run()
        return client

    def start_client(self, wire: Wire, transport: RecordingTransport) -> ActorRef[Any]:
        """Start a client actor, and go no further than its ref."""
        started = self.system.connect(wire, transport)
        while True:
            with contextlib.suppress(pykka.Timeout):
                return started.get(timeout=0)
            self.step()

    def call(self, request: server_api.Request) -> Any:
        """Have a request of the server API done, and return its result. Raises `CommandError`."""
        begun = self.system.call(request)
        self.run()
        return begun.get(timeout=0).get(timeout=0)

    def find(self, *path: str) -> ActorRef[Any]:
        """Return an actor by its place in the supervision tree."""
        family = self.system._system._root  # noqa: SLF001  (the chat itself has no need to look there)
        for name in path[:-1]:
            below = family.cells[name].children
            assert below is not None
            family = below
        return family.cells[path[-1]].ref

    def room(self, channel: str) -> ActorRef[Any]:
        """Return the actor of an open room."""
        return self.find("rooms", channel)

    def crash_room(self, channel: str, times: int = 1) -> None:
        """Have a room crash, and let happen what follows."""
        for _ in range(times):
            self.room(channel).tell(Unheard())
            self.run()

    def open_rooms(self) -> set[str]:
        """Return the names of the rooms that are open, without asking them."""
        family = self.find("rooms")._cell.children  # noqa: SLF001  (as above)
        return {name for name, cell in family.cells.items() if cell.ref.is_alive()} if family else set()


def limit_mailbox(ref: ActorRef[Any], capacity: int) -> None:
    """Give an actor a mailbox that is full with `capacity` messages."""
    ref._cell.mailbox.bound = capacity  # noqa: SLF001  (production sets it in the specification)


@contextlib.contextmanager
def behind(ref: ActorRef[Any]) -> Iterator[None]:
    """Have an actor leave its messages in the mailbox meanwhile. It goes on with the next one that it is told."""
    actor = ref._cell.actor  # noqa: SLF001  (nobody but the actor itself may hold its mailbox)
    assert actor is not None
    actor.hold()
    yield
    actor.release()


def is_held(ref: ActorRef[Any]) -> bool:
    """Tell whether an actor leaves its messages in the mailbox."""
    return ref._cell.mailbox.held  # noqa: SLF001  (as above)


class Connection:
    """One socket of a `Chat`, from the peer's side."""

    def __init__(self, chat: Chat, wire: Wire, transport: RecordingTransport, ref: ActorRef[Any]) -> None:
        self.chat = chat
        self.transport = transport
        self.ref = ref
        self._wire = wire

    def send_frame(self, frame: str) -> None:
        """Send a text frame. What follows from it happens in the next `chat.run()`."""
        try:
            self.ref.tell(Receive(self._wire.decode(frame)))
        except Disconnect as wrong:
            self.ref.tell(Reject(wrong.reason))

    @property
    def close_code(self) -> int | None:
        """The code that the server closed the socket with."""
        closed = self.transport.closed
        return closed.code if closed else None

    def hang_up(self) -> None:
        """Close the socket from this side."""
        self.ref.stop(block=False)
        self.chat.run()


class TextClient(Connection):
    """A client of the plain-text wire."""

    def say(self, line: str) -> None:
        """Send a line."""
        self.send_frame(line)
        self.chat.run()

    @property
    def lines(self) -> list[str]:
        """Everything that came."""
        return self.transport.frames


class Client(Connection):
    """A client of the JSON wire."""

    def __init__(self, chat: Chat, wire: Wire, transport: RecordingTransport, ref: ActorRef[Any]) -> None:
        super().__init__(chat, wire, transport, ref)
        self.hello: dict[str, Any] = {}
        self._ids = itertools.count(1)

    @property
    def id(self) -> str:
        """Who this connection is, to the others."""
        return str(self.hello["client"])

    def send(self, **command: Any) -> int:
        """Send one command in a frame of its own, and return its id. It is handled in the next `chat.run()`."""
        number = next(self._ids)
        self.send_frame(json.dumps({"id": number, **command}))
        return number

    def ask(self, **command: Any) -> dict[str, Any]:
        """Send one command, let it be handled, and return the reply without its id."""
        number = self.send(**command)
        self.chat.run()
        return self.reply(number)

    def send_batch(self, *commands: dict[str, Any]) -> list[int]:
        """Send commands in one frame, and let them be handled."""
        numbers = [next(self._ids) for _ in commands]
        batch = zip(numbers, commands, strict=True)
        self.send_frame("\n".join(json.dumps({"id": number, **command}) for number, command in batch))
        self.chat.run()
        return numbers

    def subscribe(self, channel: str, **options: Any) -> dict[str, Any]:
        """Subscribe, and return the reply."""
        return self.ask(subscribe={"channel": channel, **options})

    def publish(self, channel: str, data: Any) -> dict[str, Any]:
        """Publish, and return the reply."""
        return self.ask(publish={"channel": channel, "data": data})

    def rpc(self, method: str, **data: Any) -> dict[str, Any]:
        """Call a method, and return the reply."""
        return self.ask(rpc={"method": method, "data": data})

    def history(self, channel: str, **options: Any) -> dict[str, Any]:
        """Read history, and return the reply."""
        return self.ask(history={"channel": channel, **options})

    @property
    def received(self) -> list[dict[str, Any]]:
        """Every message that came, in order."""
        return [json.loads(line) for frame in self.transport.frames for line in frame.split("\n")]

    def replies(self, *numbers: int) -> list[dict[str, Any]]:
        """The replies with these ids, in the order in which they came, without their ids."""
        return [
            {key: value for key, value in message.items() if key != "id"}
            for message in self.received
            if message.get("id") in numbers
        ]

    def reply(self, number: int) -> dict[str, Any]:
        """The one reply to a command, without its id."""
        (reply,) = self.replies(number)
        return reply

    def forget(self) -> None:
        """Look only at what comes from now on."""
        self.transport.frames.clear()

    def pushes(self, kind: str, channel: str = "lobby") -> list[dict[str, Any]]:
        """The bodies of all pushes of a kind, in order."""
        pushes = [message["push"] for message in self.received if "push" in message]
        return [push[kind] for push in pushes if kind in push and push["channel"] == channel]

    def publications(self, channel: str = "lobby") -> list[dict[str, Any]]:
        """Everything that was said in a channel, live or recovered, in the order in which it came."""
        found: list[dict[str, Any]] = []
        for message in self.received:
            found += message.get("subscribe", {}).get("publications", [])
            push = message.get("push", {})
            if push.get("channel") == channel and "pub" in push:
                found.append(push["pub"])
        return found

    def said(self, channel: str = "lobby") -> list[Any]:
        """The data of `publications`."""
        return [publication["data"] for publication in self.publications(channel)]

    def offsets(self, channel: str = "lobby") -> list[int]:
        """The offsets of `publications`, as far as they have one."""
        return [publication["offset"] for publication in self.publications(channel) if "offset" in publication]
