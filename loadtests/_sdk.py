"""A client that does what an SDK does, and keeps a history of it.

It subscribes again from its position when the server tells it to, and repeats what failed for the moment, with the same
key, until it is told that it is stored. If it may come back, it also connects again whenever its connection ends, as
the guest it was, and repeats what was not answered.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from loadtests._frames import Data, Guest, Page, decode_page, decode_placed, name_of
from loadtests._history import Acked, Ended, Entered, Failed, Logged, LogRead, Saw, Sent, Viewed
from loadtests._link import RETRY_S, Link
from loadtests._view import View, Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from loadtests._frames import Message, Publication, Push, Reply
    from loadtests._history import Event
    from loadtests._view import Asked

LONGEST_RETRY_S = 1.0
SUBSCRIBE_AGAIN = 2500  # to 2999
NEWEST = 50
"""How many messages of a room a client keeps."""
PAGE = 100
REMEMBERED = 20
ADOPTED = 0.3
"""The share of clients that go on from the page that they fetch when they come back."""
EMOJIS = ("👍", "❤️", "🎉")


class _Subscription:
    """One room that the client is in, or is on its way back to."""

    def __init__(self, watch: Watch) -> None:
        self.offset = 0
        self.epoch = ""
        self.entered = asyncio.Event()
        self.watch = watch
        self.recent: deque[int] = deque(maxlen=REMEMBERED)
        """Where the newest messages are."""
        self.own: deque[int] = deque(maxlen=REMEMBERED)
        """Where messages of its own are that it has not deleted."""
        self.reactions: deque[Data] = deque(maxlen=REMEMBERED)
        """Reactions of its own that it has not taken back."""


class _Call(msgspec.Struct):
    """Something that is to be stored: a message or a change. `tries` is how often that failed."""

    room: str
    key: str
    method: str
    data: Data
    in_flight: bool = False
    tries: int = 0

    def request(self) -> dict[str, Any]:
        given = msgspec.structs.asdict(msgspec.structs.replace(self.data, key=self.key))
        return {name: given[name] for name in ("key", *_ARGUMENTS[self.method])}


_ARGUMENTS = {
    "send": ("text",),
    "edit": ("target", "text"),
    "delete": ("target",),
    "react": ("target", "emoji", "on"),
}


class Client:
    """One client. Everything that happens to it goes into `history`, a list that all clients of a run share.

    The server must make up for all that it misses: nobody is away for 10,000 entries. If it is `watching`, it keeps a
    view of each room and compares that with pages of messages. `planned`, if given, tells whether the server goes away
    on purpose just now; the client comes back then, and whenever else its connection ends.
    """

    def __init__(
        self,
        url: str,
        name: str,
        rooms: Sequence[str],
        history: list[Event],
        *,
        watching: bool = False,
        planned: Callable[[], bool] | None = None,
    ) -> None:
        self.name = name
        self.rooms = tuple(rooms)
        self.sent_out: set[str] = set()
        """Rooms whose subscription the server has ended at some time."""
        self.refusals: list[int] = []
        """The codes of all errors that it was told for what it sent."""
        self.back_s: list[float] = []
        """From the end of a connection, or from `still_away`, until it was in all rooms again, each time."""
        self.acked = 0
        """How often it was told that something is stored."""
        self._history = history
        self._watching = watching
        self._planned = planned
        self._subscriptions = {room: _Subscription(Watch(NEWEST, partial(self._record, room))) for room in rooms}
        self._link = Link(url, self, comes_back=planned is not None)
        self._calls: dict[str, _Call] = {}
        """What is not answered, in the order in which it was first wanted."""
        self._acked_last: _Call | None = None
        self._guest = Guest()
        self._away_since: float | None = None

    @property
    def is_in(self) -> bool:
        """Whether it is in all its rooms."""
        return all(subscription.entered.is_set() for subscription in self._subscriptions.values())

    async def enter(self) -> None:
        """Connect, and enter all rooms."""
        await self._link.open()
        for subscription in self._subscriptions.values():
            await subscription.entered.wait()

    def still_away(self) -> None:
        """Take note that the server has gone away again: if the client was not back yet, that counts from now on."""
        if self._away_since is not None:
            self._away_since = time.perf_counter()

    async def leave(self) -> None:
        """Close the connection."""
        await self._link.close()

    def send(self, room: str, key: str) -> None:
        """Send a message, and see to it that it is stored."""
        self._store(_Call(room, key, "send", Data(key=key, text=f"{key} from {self.name}")))

    def change(self, room: str, key: str, dice: random.Random) -> None:
        """Edit or delete a message of its own, or react to anybody's; send one if there is nothing to change."""
        known = self._subscriptions[room]
        match dice.choice(("edit", "delete", "react", "react", "take back")):
            case "edit" if known.own:
                self._store(_Call(room, key, "edit", Data("edit", target=dice.choice(known.own), text=key)))
            case "delete" if len(known.own) > 1:
                data = Data("delete", target=known.own.popleft())
                self._store(_Call(room, name_of(data, ""), "delete", data))
            case "react" if known.recent:
                data = Data("reaction", target=dice.choice(known.recent), emoji=dice.choice(EMOJIS))
                known.recent.remove(data.target)  # once each
                self._store(_Call(room, name_of(data, self._guest.user), "react", data))
            case "take back" if known.reactions:
                data = msgspec.structs.replace(known.reactions.popleft(), on=False)
                self._store(_Call(room, name_of(data, self._guest.user), "react", data))
            case _:
                self.send(room, key)

    def repeat(self) -> None:
        """Send what was acknowledged last once more, as if the acknowledgement had been lost."""
        if self._acked_last is not None:
            self._store(self._acked_last)

    def crash(self, room: str, kind: str, armed: Callable[[bool], None]) -> None:
        """Have a room crash. `armed` is told whether it will."""
        call = {"method": "chaos", "data": {"channel": room, "kind": kind}}
        self._link.command(lambda reply: armed(reply.error is None), rpc=call)

    def compare(self, room: str, *, adopt: bool = False) -> None:
        """Fetch the newest messages and record what they are, and what the client's own view is at that offset.

        With `adopt` it goes on from those, as after a reload.
        """
        watch = self._subscriptions[room].watch
        if self._watching and not watch.is_asking:
            asked = watch.ask()
            call = {"method": "messages", "data": {"channel": room, "limit": NEWEST}}
            self._link.command(lambda reply: self._fetched(room, asked, reply, adopt=adopt), rpc=call)

    async def read_log(self, room: str) -> int:
        """Record what the room's log holds and what that comes to, and return the offset of the newest entry.

        Raises `RuntimeError` if the server does not tell.
        """
        view, since = View(0), {"offset": 0, "epoch": self._subscriptions[room].epoch}
        while True:
            log = (await self._link.ask(history={"channel": room, "limit": -1, "since": since})).history
            assert log is not None
            for item in log.publications:
                self._history.append(Logged(self.name, room, item.name, item.offset))
                view.apply(item)
            if not log.publications or view.offset >= log.offset:
                break
            since["offset"] = view.offset
        self._history.append(LogRead(self.name, room))
        if self._watching:
            self._record(room, view)
            self._record(room, View.of(await self._read_messages(room), 0), fetched=True)
        return log.offset

    async def _read_messages(self, room: str) -> Page:
        messages: list[Message] = []
        while True:
            after = messages[-1].offset if messages else 0
            call = {"method": "messages", "data": {"channel": room, "after": after, "limit": PAGE}}
            reply = await self._link.ask(rpc=call)
            assert reply.rpc is not None
            page = decode_page(reply.rpc.data)
            messages += page.messages
            if not page.messages:
                return Page(messages, page.offset, page.epoch)

    def is_done(self, newest: dict[str, int]) -> bool:
        """Tell whether all that it sent is answered, and all that there is has come."""
        return not self._calls and all(
            known.offset >= newest[room] and not known.watch.is_asking for room, known in self._subscriptions.items()
        )

    # What the link tells.

    def on_open(self) -> None:
        """Say who it is, and enter all rooms."""
        self._link.command(self._introduced, connect={"data": {"name": self.name, "guest": self._guest.guest}})
        for room in self.rooms:
            self._subscribe(room)

    def _introduced(self, reply: Reply) -> None:
        if reply.connect is not None:
            self._guest = reply.connect.data

    def on_end(self, how: str) -> None:
        """Take note that it is in no room, and that nothing that it sent will be answered."""
        self._history.append(Ended(self.name, "", how, planned=self._planned is not None and self._planned()))
        for subscription in self._subscriptions.values():
            subscription.entered.clear()
            subscription.watch.forget()
        for call in self._calls.values():
            call.in_flight = False
        if self._away_since is None:
            self._away_since = time.perf_counter()

    def on_push(self, push: Push, at: float) -> None:
        """Take note of an entry; go back where it was sent out."""
        if push.pub is not None and push.pub.offset:
            self._see(push.channel, push.pub, at)
        elif push.unsubscribe is not None and push.unsubscribe.code >= SUBSCRIBE_AGAIN:
            self.sent_out.add(push.channel)
            self._subscriptions[push.channel].entered.clear()
            self._subscribe(push.channel)

    def _see(self, room: str, publication: Publication, at: float) -> None:
        subscription = self._subscriptions[room]
        subscription.offset = publication.offset
        if publication.data.type == "message":
            subscription.recent.append(publication.offset)
        self._history.append(Saw(self.name, room, publication.name, publication.offset, at))
        subscription.watch.see(publication)

    # What the messages are.

    def _fetched(self, room: str, asked: Asked, reply: Reply, *, adopt: bool) -> None:
        watch = self._subscriptions[room].watch
        watch.answer(asked, decode_page(reply.rpc.data) if reply.rpc is not None else None, adopt=adopt)
        if watch.view is None and reply.error is not None and reply.error.temporary:
            self._link.later(RETRY_S, lambda: self.compare(room))

    def _record(self, room: str, view: View, *, fetched: bool = False) -> None:
        self._history.append(Viewed(self.name, room, view.offset, view.digest(), view.newest, fetched))

    # Subscriptions.

    def _subscribe(self, room: str) -> None:
        known = self._subscriptions[room]
        position = {"recover": True, "offset": known.offset, "epoch": known.epoch} if known.epoch else {}
        self._link.command(lambda reply: self._subscribed(room, reply), subscribe={"channel": room, **position})

    def _subscribed(self, room: str, reply: Reply) -> None:
        subscription, result = self._subscriptions[room], reply.subscribe
        if result is None:
            self._link.later(RETRY_S, lambda: self._subscribe(room))
            return
        if not result.recovered:
            subscription.offset = result.offset
            subscription.watch.begin_anew()
            self._history.append(Entered(self.name, room, result.offset, result.epoch))
        subscription.epoch = result.epoch
        at = time.perf_counter()
        for publication in result.publications:
            self._see(room, publication, at)
        subscription.entered.set()
        if self._away_since is not None and self.is_in:
            self.back_s.append(at - self._away_since)
            self._away_since = None
        self.compare(room, adopt=random.random() < ADOPTED)
        for call in list(self._calls.values()):
            if call.room == room:
                self._try(call)

    # Messages.

    def _store(self, call: _Call) -> None:
        self._try(self._calls.setdefault(call.key, call))

    def _try(self, call: _Call) -> None:
        if self._calls.get(call.key) is not call or call.in_flight:
            return  # answered, or about to be
        if self._subscriptions[call.room].entered.is_set():
            call.in_flight = True
            self._history.append(Sent(self.name, call.room, call.key, time.perf_counter()))
            request = {"method": call.method, "data": {"channel": call.room, **call.request()}}
            self._link.command(lambda reply: self._told(call, reply), rpc=request)

    def _told(self, call: _Call, reply: Reply) -> None:
        call.in_flight = False
        error = reply.error
        if error is not None:
            self.refusals.append(error.code)
            self._history.append(Failed(self.name, call.room, call.key, error.code, error.temporary))
            if error.temporary:
                call.tries += 1
                self._link.later(min(RETRY_S * 2 ** (call.tries - 1), LONGEST_RETRY_S), lambda: self._try(call))
            else:
                del self._calls[call.key]
            return
        assert reply.rpc is not None  # a reply is one or the other
        offset = decode_placed(reply.rpc.data).offset
        del self._calls[call.key]
        self._acked_last = call
        self.acked += 1
        self._history.append(Acked(self.name, call.room, call.key, offset))
        subscription = self._subscriptions[call.room]
        if call.method == "send" and offset not in subscription.own:
            subscription.own.append(offset)
        elif call.method == "react" and call.data.on:
            subscription.reactions.append(call.data)
