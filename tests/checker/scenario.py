"""A day in the life of the server: everything that can happen to it, in an order drawn from a seed.

Clients talk, change what they said, drop out and come back; actors crash; the disk refuses; another program appends;
the process is killed in the middle of things. At the end all is quiet, and what there is is read.
"""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any, get_args

import structlog

from chat.limits import Limits
from chat.log import Author, Draft, LogError, SqliteLog, Stored
from loadtests._history import Acked, GaveUp, Sent
from tests.checker.client import Client
from tests.checker.process import Fault, Killed, Process
from tests.checker.reading import read_log

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from loadtests._history import Event

ROOMS = ("tea", "cake", "jam")
MEMBERS = {"ann": ROOMS, "bob": ROOMS, "eve": ("tea", "cake"), "dan": ("tea", "jam")}
WINDOW = 10
LIMIT = 30
BACKLOG_BYTES = 1_500
"""So little that who was away for long gets what it missed in several parts."""
MOVES = 280
ROUNDS = 30
ROUND_S = 0.2
"""How often all is looked through, at most, until it is quiet, and how long that takes."""
NOON_MS = 1_700_000_000_000
ELSEWHERE = "elsewhere"
FAULTS: tuple[Fault, ...] = get_args(Fault)
SILENT: dict[str, Fault] = {"tea": "bug after", "cake": "unsure"}
"""What the last thing that is said in a room comes to."""
KINDS = ("handler", "start", "commit", "fanout")


def run(seed: int, file: Path) -> list[Event]:
    """Live through it, on a database that is made for it, and return what the clients did, were told and saw."""
    with structlog.testing.capture_logs():
        return _Scenario(seed, file).run()


class _Scenario:
    def __init__(self, seed: int, file: Path) -> None:
        self._dice = dice = random.Random(seed)  # noqa: S311  (no secret)
        self._file = file
        self._history: list[Event] = []
        self._now_ms = NOON_MS
        self._appended = 0
        self._process = self._start()
        self._clients = [Client(name, rooms, self._history, dice, LIMIT) for name, rooms in MEMBERS.items()]
        self._moves: dict[Callable[[Client], None], float] = {
            self._say: 25,
            self._take: 35,
            Client.go_on: 15,
            self._change: 14,
            self._repeat: 3,
            self._compare: 4,
            self._give_up: 1,
            self._wait: 5,
            self._hang_up: 3,
            self._crash_room: 3,
            self._crash_room_somewhere: 3,
            self._crash_another: 2,
            self._trouble: 5,
            self._append_elsewhere: 2,
            self._kill: 0.7,
            self._kill_after_an_answer: 1,
        }

    def run(self) -> list[Event]:
        for _ in range(MOVES):
            self._step(self._dice.choice(self._clients))
        self._calm_down()
        self._settle()
        self._crash_and_stay()
        for room, fault in SILENT.items():
            self._end_in_silence(room, fault)
        self._clients[0].outbox.change(ROOMS[-1])
        self._settle()
        for client in self._clients:
            for room in client.rooms:
                client.conclude(room)
        self._settle()
        for room in ROOMS:
            read_log(self._clients[0], room, self._history, self._ask)
        self._process.end()
        return self._history

    # The server.

    def _start(self) -> Process:
        limits = Limits(
            ping_interval_s=86_400,
            recovery_window=WINDOW,
            recovery_limit=LIMIT,
            max_backlog_bytes=BACKLOG_BYTES,
            room_idle_s=30,
            room_closed_s=1,
        )
        self._process = Process(self._file, self._dice.getrandbits(32), limits, self._now_ms)
        return self._process

    def _restart(self) -> None:
        """End the process where it is, and start another one."""
        self._now_ms = self._process.now_ms()
        for client in self._clients:
            client.survive()
        self._process.end()
        self._start()

    def _run(self, most: int) -> None:
        self._process.run(most)
        if self._process.failures:  # it has said that it ends
            raise Killed

    def _step(self, client: Client) -> None:
        moves = self._moves if client.connected else {self._come_back: 1, self._wait: 0.1}
        (move,) = self._dice.choices(list(moves), weights=list(moves.values()))
        try:
            move(client)
            self._run(self._dice.choice((0, 1, 2, 4, 8, 16, 1_000)))
        except Killed:
            self._restart()

    def _calm_down(self) -> None:
        self._process.log.fault = None
        self._process.log.unreadable = 0
        for client in self._clients:
            client.away = 0

    def _settle(self, replies: Sequence[object] = ()) -> None:
        """Let everything arrive, or a reply, but not for ever."""
        for _ in range(ROUNDS):
            try:
                for client in self._clients:
                    if not client.connected:
                        client.connect(self._process)
                    client.take()
                    client.go_on()
                self._process.scheduler.advance(ROUND_S)
                self._run(1)
            except Killed:
                self._restart()
            if replies or all(client.at_rest for client in self._clients):
                return

    # Moves.

    def _say(self, client: Client) -> None:
        room = self._dice.choice(client.rooms)
        for _ in range(self._dice.choice((1, 1, 2, 4))):
            client.outbox.say(room)

    def _change(self, client: Client) -> None:
        client.outbox.change(self._dice.choice(client.rooms))

    def _repeat(self, client: Client) -> None:
        client.outbox.repeat()

    def _compare(self, client: Client) -> None:
        client.compare(self._dice.choice(client.rooms), adopt=self._dice.random() < 0.3)

    def _take(self, client: Client) -> None:
        client.take(self._dice.randint(1, 8))

    def _give_up(self, client: Client) -> None:
        if client.outbox.pending:
            client.outbox.give_up(self._dice.choice(list(client.outbox.pending.values())))

    def _wait(self, _: Client) -> None:
        self._process.scheduler.advance(self._dice.choice((0.1, 0.6, 2, 40)))

    def _hang_up(self, client: Client) -> None:
        client.away = self._dice.choice((0, 2, 5, 25))
        client.hang_up()

    def _come_back(self, client: Client) -> None:
        client.away -= 1
        if client.away < 0:
            client.connect(self._process)

    def _crash_room(self, client: Client) -> None:
        room = self._dice.choice(client.rooms)
        client.outbox.say(room)
        self._process.crash("rooms", room, busy=True)

    def _crash_room_somewhere(self, client: Client) -> None:
        data = {"channel": self._dice.choice(client.rooms), "kind": self._dice.choice(KINDS)}
        client.ask(_ignore, rpc={"method": "chaos", "data": data})

    def _crash_another(self, client: Client) -> None:
        match self._dice.choice(("journal", "journal", "reader", "rooms", "client")):
            case "client":
                client.crash(self._process)
            case name:
                self._say(client)
                self._process.crash(name, busy=name == "journal")

    def _trouble(self, _: Client) -> None:
        self._process.log.fault = self._dice.choice(FAULTS)
        self._process.log.unreadable = self._dice.choice((0, 0, 1, 2))

    def _kill(self, _: Client) -> None:
        raise Killed

    def _kill_after_an_answer(self, client: Client) -> None:
        call = client.outbox.say(self._dice.choice(client.rooms))
        for _ in range(60):
            self._run(1)
            client.take()
            if call not in client.outbox.pending.values():
                raise Killed

    def _append_elsewhere(self, _: Client) -> None:
        """Have another program append to the log, a little, more than the window holds, or too much."""
        self._append_elsewhere_in(self._dice.choice(ROOMS), self._dice.choice((1, 2, WINDOW + 2, LIMIT + 2)))

    def _append_elsewhere_in(self, room: str, count: int) -> None:
        for _ in range(count):
            self._appended += 1
            key = str(self._appended)
            data = json.dumps({"type": "message", "key": key, "text": f"{key} from {ELSEWHERE}"}).encode()
            draft = Draft(room, key, Author(ELSEWHERE, ELSEWHERE, ELSEWHERE), self._process.now_ms(), data)
            name = f"{ELSEWHERE} {key}"
            self._history.append(Sent(ELSEWHERE, room, name))
            try:
                (stored,) = SqliteLog.append(self._process.log, [draft])
            except LogError:
                stored = None
            told = isinstance(stored, Stored)
            at = stored.entry.offset if isinstance(stored, Stored) else 0
            self._history.append(Acked(ELSEWHERE, room, name, at) if told else GaveUp(ELSEWHERE, room, name))

    # The end.

    def _crash_and_stay(self) -> None:
        """Have everything fail once, and stay connected, so that no coming back makes up for anything."""
        try:
            self._kill_after_an_answer(self._clients[0])
        except Killed:
            self._restart()
        self._settle()
        self._append_elsewhere_and_say(WINDOW + 2)
        self._process.log.fault = "no commit"
        self._append_elsewhere_and_say(1)
        for room in ROOMS:
            for client in self._clients:
                if room in client.rooms:
                    client.outbox.say(room)
            self._process.crash("rooms", room, busy=True)
            self._process.crash("journal", busy=True)
        self._settle()
        self._append_elsewhere_and_say(1)

    def _append_elsewhere_and_say(self, count: int) -> None:
        """Say something after the other program, so that what it says is shown."""
        for room in ROOMS:
            self._append_elsewhere_in(room, count)
            self._clients[0].outbox.say(room)
        self._settle()

    def _end_in_silence(self, room: str, fault: Fault) -> None:
        """Store something of which nobody is told, and say nothing in that room any more."""
        client = self._clients[0]
        self._process.log.fault = fault
        call = client.outbox.say(room)
        if fault == "bug after":
            client.outbox.give_up(call)
        self._settle()

    def _ask(self, **command: Any) -> dict[str, Any]:
        """Ask, and return the reply; nothing if there is none."""
        client, replies = self._clients[0], list[dict[str, Any]]()
        if client.connected:
            client.ask(replies.append, **command)
            self._settle(replies)
        return replies[0] if replies else {}


def _ignore(_: dict[str, Any]) -> None:
    """Have no use for the reply."""
