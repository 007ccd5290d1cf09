"""A toy chat for the checker's tests: one room, some clients, and messages between them that take their time.

Everything that happens is drawn from one source of chance, so a seed makes the same history each time. `Server` does
nothing wrong; each class in `MUTANTS` does one thing wrong once in a while, and takes note when that cannot but show.
"""

from __future__ import annotations

import random
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from loadtests._frames import Data, Info, Message, Page, Publication, name_of
from loadtests._history import (
    Acked,
    Ended,
    Entered,
    Failed,
    GaveUp,
    Logged,
    LogRead,
    Saw,
    Sent,
    Viewed,
)
from loadtests._view import View, Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from loadtests._history import Event
    from loadtests._rules import Name

ROOM = "tea"
LIMIT = 4
"""How many missed entries the server makes up for."""
NEWEST = 3
STEPS = 120
SLIPS = 0.3


class Call(NamedTuple):
    """What a client wants stored, and how often it has said so."""

    client: Client
    data: Data
    attempt: int

    @property
    def key(self) -> str:
        return name_of(self.data, self.client.name)


class Client:
    """Sends, comes back, sends again; and writes down what it is told and shown."""

    def __init__(self, name: str, chat: Chat) -> None:
        self.name = name
        self.chat = chat
        self.connected = False
        self.position = 0
        self.epoch = ""
        self.outbox: deque[Call] = deque()
        """What is on its way to the server."""
        self.inbox: deque[Callable[[], None]] = deque()
        """What is on its way from there."""
        self.unanswered: dict[str, Data] = {}
        self.attempts: dict[str, int] = {}
        self.acked: list[Data] = []
        self.own: list[int] = []
        self.seen: list[Publication] = []
        self.watch = Watch(NEWEST, self._record)

    def note(self, event: Event) -> None:
        self.chat.history.append(event)

    def send(self, data: Data) -> Call:
        call = self._attempt(data)
        if self.connected:
            self.outbox.append(call)
        return call

    def _attempt(self, data: Data) -> Call:
        key = name_of(data, self.name)
        self.unanswered[key] = data
        self.attempts[key] = self.attempts.get(key, 0) + (1 if self.connected else 0)
        if self.connected:
            self.note(Sent(self.name, ROOM, key))
        return Call(self, data, self.attempts[key])

    def enter(self, publications: list[Publication], offset: int, epoch: str, *, recovered: bool) -> None:
        self.connected = True
        if not recovered:
            self.position = offset
            self.watch.begin_anew()
            self.note(Entered(self.name, ROOM, offset, epoch, LIMIT))
            self.compare(adopt=True)
        self.epoch = epoch
        for publication in publications:
            self.see(publication)
        for data in list(self.unanswered.values()):
            self.send(data)

    def cut_off(self, *, planned: bool = True) -> None:
        if self.connected:
            self.note(Ended(self.name, "", "1006", planned))
        self.connected = False
        self.outbox.clear()
        self.inbox.clear()
        self.watch.forget()

    def see(self, publication: Publication) -> None:
        self.position = publication.offset
        self.seen.append(publication)
        self.note(Saw(self.name, ROOM, publication.name, publication.offset))
        self.watch.see(publication)

    def told(self, call: Call, offset: int) -> None:
        self.note(Acked(self.name, ROOM, call.key, offset))
        self.unanswered.pop(call.key, None)
        self.acked.append(call.data)
        if call.data.type == "message" and offset not in self.own:
            self.own.append(offset)

    def refused(self, call: Call, *, temporary: bool) -> None:
        self.note(Failed(self.name, ROOM, call.key, 100, temporary))
        if not temporary:
            self.unanswered.pop(call.key, None)
        elif call.key in self.unanswered:
            self.send(call.data)

    def give_up(self, key: str) -> None:
        del self.unanswered[key]
        self.note(GaveUp(self.name, ROOM, key))

    def compare(self, *, adopt: bool) -> None:
        asked, page = self.watch.ask(), self.chat.server.page()
        self.inbox.append(lambda: self.watch.answer(asked, page, adopt=adopt))

    def _record(self, view: View, *, fetched: bool = False) -> None:
        self.note(Viewed(self.name, ROOM, view.offset, view.digest(), view.newest, fetched))


class Server:
    """What the real one promises, in few lines."""

    finds: Name | None = None

    def __init__(self, chat: Chat, dice: random.Random) -> None:
        self.chat = chat
        self.dice = dice
        self.epoch = "first"
        self.log: list[Publication] = []
        self.by_name: dict[str, int] = {}
        self.showed = False
        """Whether it did something that the checker must find."""

    # What a mutant does differently. Each is called at a moment at which the rest is as it should be.

    def take(self, call: Call) -> None:
        """Do what arrived."""
        if "bad" in call.key:
            self.reply(call, lambda: call.client.refused(call, temporary=False))
        elif self.chat.disk_full:
            self.reply(call, lambda: call.client.refused(call, temporary=True))
        elif call.key in self.by_name:
            self.repeated(call, self.by_name[call.key])
        else:
            self.store(call)

    def store(self, call: Call) -> None:
        self.acknowledge(call, self.append(call.key, call.data, call.client.name))

    def repeated(self, call: Call, offset: int) -> None:
        self.acknowledge(call, offset)

    def acknowledge(self, call: Call, offset: int) -> None:
        self.reply(call, lambda: call.client.told(call, offset))

    def missed(self, client: Client) -> list[Publication] | None:
        """Return what came after the client's position, or None if that is too much."""
        behind = len(self.log) - client.position
        return self.log[client.position :] if client.epoch == self.epoch and 0 <= behind <= LIMIT else None

    def deliver(self, inbox: deque[Callable[[], None]]) -> None:
        """Have the next thing arrive."""
        inbox.popleft()()

    def die(self) -> None:
        """End, and start again with what is stored."""

    def page(self) -> Page:
        view: dict[int, Message] = {}
        for item in self.log:
            if item.data.type == "message":
                view[item.offset] = Message(item.offset, item.data)
            elif item.data.target in view:
                message = view[item.data.target]
                message.data = item.data if item.data.type == "edit" and message.data else None
        return Page(list(view.values())[-NEWEST:], len(self.log), self.epoch)

    def end(self) -> None:
        """Take note of what shows only at the end."""

    # What they share.

    def slips(self) -> bool:
        return self.dice.random() < SLIPS

    def reply(self, call: Call, frame: Callable[[], None]) -> None:
        if call.client.connected:
            call.client.inbox.append(frame)

    def append(self, name: str, data: Data, user: str) -> int:
        offset = len(self.log) + 1
        self.log.append(Publication(data, Info(user), offset))
        self.by_name.setdefault(name, offset)
        for client in self.chat.clients:
            if client.connected:
                client.inbox.append(Push(client, self.log[-1]))
        return offset

    def enter(self, client: Client) -> None:
        missed = self.missed(client) if client.epoch else None
        client.enter(missed or [], len(self.log), self.epoch, recovered=missed is not None)


class Push:
    """An entry on its way to a client."""

    def __init__(self, client: Client, publication: Publication) -> None:
        self.client = client
        self.publication = publication

    def __call__(self) -> None:
        self.client.see(self.publication)


class Chat:
    """A run: a server of some kind, its clients, and all that happens."""

    def __init__(self, kind: type[Server], seed: int) -> None:
        self._dice = dice = random.Random(seed)  # noqa: S311  (no secret)
        self.history: list[Event] = []
        self.disk_full = False
        self.clients = [Client(name, self) for name in ("ann", "bob", "eve")]
        self.server = kind(self, dice)
        self._number = 0
        self._moves: dict[Callable[[Client], None], float] = {
            self._send: 30,
            self._repeat: 2,
            self._take: 20,
            self._deliver: 35,
            self._compare: 5,
            self._give_up: 1,
            self._disk: 2,
            Client.cut_off: 3,
            self._die: 3,
        }
        for client in self.clients:
            self.server.enter(client)
        for _ in range(STEPS):
            self._step(dice.choice(self.clients))
        self._finish()

    def data(self, client: Client, *, bad: bool = False) -> Data:
        """Return something new to say."""
        self._number += 1
        key = f"{'bad' if bad else 'good'}-{self._number}"
        if client.own and self._dice.random() < 0.3:
            target = client.own[-1]
            return Data("edit", target=target, text=key)
        return Data(key=key, text=key)

    def _step(self, client: Client) -> None:
        if client.connected:
            (move,) = self._dice.choices(list(self._moves), weights=list(self._moves.values()))
            move(client)
        elif self._dice.random() < 0.2:
            self.server.enter(client)

    def _send(self, client: Client) -> None:
        client.send(self.data(client, bad=self._dice.random() < 0.1))

    def _repeat(self, client: Client) -> None:
        if client.acked:
            client.send(self._dice.choice(client.acked))

    def _take(self, client: Client) -> None:
        if client.outbox:
            self.server.take(client.outbox.popleft())

    def _deliver(self, client: Client) -> None:
        if client.inbox:
            self.server.deliver(client.inbox)

    def _compare(self, client: Client) -> None:
        client.compare(adopt=self._dice.random() < 0.3)

    def _give_up(self, client: Client) -> None:
        if client.unanswered:
            client.give_up(next(iter(client.unanswered)))

    def _disk(self, _: Client) -> None:
        self.disk_full = not self.disk_full

    def _die(self, _: Client) -> None:
        for client in self.clients:
            client.cut_off()
        self.server.die()

    def _finish(self) -> None:
        """Let everything arrive, read the log, and have everybody compare."""
        self.disk_full = False
        for client in self.clients:
            if not client.connected:
                self.server.enter(client)
        self._settle()
        for client in self.clients:
            client.compare(adopt=False)
        self._settle()
        self.server.end()
        reader = self.clients[0].name
        self.history += [Logged(reader, ROOM, item.name, item.offset) for item in self.server.log]
        self.history.append(LogRead(reader, ROOM))

    def _settle(self) -> None:
        while any(client.outbox or client.inbox for client in self.clients):
            for client in self.clients:
                if client.outbox:
                    self.server.take(client.outbox.popleft())
                while client.inbox:
                    self.server.deliver(client.inbox)


# What can be wrong with a server.


class AcknowledgesBeforeItStores(Server):
    """What was acknowledged last is not on disk when the server dies."""

    finds = "lost"
    forgotten: str | None = None

    def die(self) -> None:
        last = self.log[-1] if self.log else None
        acked = {name_of(data, client.name) for client in self.chat.clients for data in client.acked}
        if last is not None and last.name in acked:
            self.log.pop()
            del self.by_name[last.name]
            self.forgotten = last.name

    def end(self) -> None:
        self.showed = self.forgotten is not None and self.forgotten not in self.by_name  # (it may have been repeated)


class ForgetsAll(Server):
    """The log is gone with the process."""

    finds = "diverged"

    def die(self) -> None:
        self.epoch += " again"
        self.log, self.by_name = [], {}
        self.showed = True


class StoresARepeatAgain(Server):
    """The send key is not looked at."""

    finds = "duplicated"

    def repeated(self, call: Call, offset: int) -> None:
        self.showed = True
        self.acknowledge(call, self.append(call.key, call.data, call.client.name))


class AnswersARepeatWithAnotherPlace(Server):
    """The send key is looked at, the place is made up."""

    finds = "not idempotent"

    def repeated(self, call: Call, offset: int) -> None:
        if call.data in call.client.acked:
            self.showed = True
            call.client.told(call, offset + 1)
        else:
            super().repeated(call, offset)


class AnswersWithAnotherPlace(Server):
    """An acknowledgement names the place after the right one."""

    finds = "diverged"

    def store(self, call: Call) -> None:
        if self.slips():
            self.showed = True
            call.client.told(call, self.append(call.key, call.data, call.client.name) + 1)
        else:
            super().store(call)


class StoresWhatItRefuses(Server):
    """The sender is told no, and it is done."""

    finds = "refused but stored"

    def take(self, call: Call) -> None:
        if "bad" in call.key and call.attempt == 1:
            self.showed = True
            self.append(call.key, call.data, call.client.name)
            call.client.refused(call, temporary=False)
        else:
            super().take(call)


class ShowsWhatItCannotStore(Server):
    """Members are shown an entry that the disk then refuses."""

    finds = "lost"

    def take(self, call: Call) -> None:
        if self.chat.disk_full and call.key not in self.by_name and "bad" not in call.key:
            others = [client for client in self.chat.clients if client.connected and not client.inbox]
            for client in others:
                client.see(Publication(call.data, Info(call.client.name), len(self.log) + 1))
                self.showed = True
            if call.key in call.client.unanswered:
                call.client.give_up(call.key)
        else:
            super().take(call)


class NeverAnswersSome(Server):
    """Some of what arrives is forgotten."""

    finds = "unanswered"

    def take(self, call: Call) -> None:
        if not call.key.endswith("7"):
            super().take(call)

    def end(self) -> None:
        self.showed = any(client.unanswered for client in self.chat.clients)


class ResumesOneTooFar(Server):
    """Whoever comes back misses the first of what it missed."""

    finds = "gap"

    def missed(self, client: Client) -> list[Publication] | None:
        missed = super().missed(client)
        if missed and len(missed) > 1:
            self.showed = True
            return missed[1:]
        return missed


class ResumesOneTooFew(Server):
    """Whoever comes back is shown once more what it saw last."""

    finds = "duplicated"

    def missed(self, client: Client) -> list[Publication] | None:
        missed = super().missed(client)
        if missed is not None and client.seen and client.seen[-1].offset == client.position:
            self.showed = True
            return [client.seen[-1], *missed]
        return missed


class ResumesWithSomethingElse(Server):
    """What is shown to those who come back is not what was shown to the others."""

    finds = "diverged"

    def missed(self, client: Client) -> list[Publication] | None:
        missed = super().missed(client)
        if missed and len(missed) > 1:
            self.showed = True
            first, second, *rest = missed
            return [
                Publication(second.data, second.info, first.offset),
                Publication(first.data, first.info, second.offset),
                *rest,
            ]
        return missed


class ResumesNobody(Server):
    """Whoever comes back is told that it missed too much."""

    finds = "gap"

    def missed(self, client: Client) -> list[Publication] | None:
        self.showed |= bool(super().missed(client))
        return None


class SkipsAPush(Server):
    """One member is not shown one entry."""

    finds = "gap"

    def deliver(self, inbox: deque[Callable[[], None]]) -> None:
        if len(inbox) > 1 and isinstance(inbox[0], Push) and isinstance(inbox[1], Push) and self.slips():
            self.showed = True
            inbox.popleft()
        super().deliver(inbox)


class PushesTwice(Server):
    """One member is shown one entry twice."""

    finds = "duplicated"

    def deliver(self, inbox: deque[Callable[[], None]]) -> None:
        if isinstance(inbox[0], Push) and self.slips():
            self.showed = True
            inbox[0]()
        super().deliver(inbox)


class PushesInAnotherOrder(Server):
    """One member is shown the second of two entries first."""

    finds = "reordered"

    def deliver(self, inbox: deque[Callable[[], None]]) -> None:
        if len(inbox) > 1 and isinstance(inbox[0], Push) and isinstance(inbox[1], Push) and self.slips():
            self.showed = True
            first = inbox.popleft()
            super().deliver(inbox)
            first()
        else:
            super().deliver(inbox)


class OvertakesItself(Server):
    """The second of two entries of one sender is stored first."""

    finds = "sender order"

    def store(self, call: Call) -> None:
        waiting = call.client.outbox
        if waiting and waiting[0].key not in self.by_name and "bad" not in waiting[0].key and call.attempt == 1:
            second = waiting.popleft()
            self.showed |= second.attempt == 1
            second.client.told(second, self.append(second.key, second.data, second.client.name))
            call.client.told(call, self.append(call.key, call.data, call.client.name))
        else:
            super().store(call)


class PutsLaterOnesFirst(Server):
    """An entry gets its place when it is acknowledged, and somebody else's, sent after that, gets the one before."""

    finds = "real-time order"

    def store(self, call: Call) -> None:
        other = next(client for client in self.chat.clients if client is not call.client)
        if other.connected and self.slips():
            self.showed = True
            call.client.told(call, len(self.log) + 2)
            later = other.send(Data(key=f"after {call.key}", text="later"))
            other.outbox.pop()
            other.told(later, self.append(later.key, later.data, other.name))
            self.append(call.key, call.data, call.client.name)
        else:
            super().store(call)


class MakesUpAMessage(Server):
    """Something is stored that nobody sent."""

    finds = "phantom"

    def store(self, call: Call) -> None:
        if self.slips():
            self.showed = True
            self.append(f"made up {len(self.log)}", Data(key=f"made up {len(self.log)}"), "nobody")
        super().store(call)


class ForgetsAnEdit(Server):
    """A page of messages has the text from before an edit."""

    finds = "wrong state"

    def page(self) -> Page:
        page = super().page()
        if page.messages:
            self.showed = True
            newest = page.messages[-1]
            newest.data = Data(text=f"as it was {self.dice.random()}")
        return page


class MixesTwoMoments(Server):
    """A page of messages is read before its position is, and something came in between."""

    finds = "wrong state"

    def page(self) -> Page:
        now = super().page()
        if now.messages and now.messages[-1].offset == now.offset:
            return Page(now.messages[:-1], now.offset, now.epoch)
        return now

    def end(self) -> None:
        told = View.of(self.page(), NEWEST).digest()
        self.showed = any(client.watch.view and client.watch.view.digest() != told for client in self.chat.clients)


class HangsUp(Server):
    """Connections end for no reason."""

    finds = "disconnected"

    def store(self, call: Call) -> None:
        super().store(call)
        if self.slips():
            self.showed = True
            call.client.cut_off(planned=False)
            self.enter(call.client)


MUTANTS: list[type[Server]] = Server.__subclasses__()
