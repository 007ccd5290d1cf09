"""The rules of the history checker: what must never happen in a room, and how it is found.

Every entry has a key that its sender chose and an offset that the server gave, so each check is one pass and none has
to search. What it takes for granted: keys are unique to an entry of a room, clients do not leave rooms, the log is read
once, and the history goes on until everything under way has arrived.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from operator import itemgetter
from typing import TYPE_CHECKING, Literal, get_args

import msgspec

from loadtests._history import Acked, Entered, Failed, GaveUp, Logged, LogRead, Saw, Sent, Viewed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from loadtests._history import Event

Name = Literal[
    "lost",  # acknowledged, and not seen by a member; or that or seen, and not in the log
    "duplicated",  # in the log twice, or seen twice by a client
    "refused but stored",  # the sender was told that it is not stored, for good
    "phantom",  # seen, and sent by nobody
    "diverged",  # what is at an offset, or where an entry is, depends on whom one asks
    "gap",  # a client saw an offset before the one below it, or was told that too much is missing, and it was not
    "reordered",  # a client saw an offset that it had passed
    "sender order",  # of two entries of one sender to one room the later one has the smaller offset
    "real-time order",  # sent after another one was acknowledged, and has the smaller offset
    "not idempotent",  # one entry was acknowledged at two offsets
    "wrong state",  # what the messages are at an offset depends on whom one asks, and on how
    "unanswered",  # the sender was told nothing
    "disconnected",
]

NAMES: tuple[Name, ...] = get_args(Name)
SERVER = "the server"


class Anomaly(msgspec.Struct, frozen=True):
    """One thing that must not have happened, with the entries concerned."""

    name: Name
    what: str
    keys: tuple[str, ...] = ()


class _Member:
    """What one client was shown of a room, so far."""

    __slots__ = ("missed", "reached", "seen", "start", "twice")

    def __init__(self, start: int) -> None:
        self.start = start
        """The client sees everything after this offset."""
        self.reached = start
        self.missed: list[tuple[int, int]] = []
        """What it was told that it will not see: after the first of two offsets, up to the second."""
        self.seen: set[str] = set()
        self.twice: Counter[str] = Counter()
        """How often more than once it saw what."""

    def is_excused(self, offset: int) -> bool:
        return any(after < offset <= upto for after, upto in self.missed)


class Room:
    """What is known of one room, by the end of the history."""

    def __init__(self) -> None:
        self.found: list[Anomaly] = []
        self.epochs: set[str] = set()
        self.members: dict[str, _Member] = {}
        self.at: dict[int, str] = {}
        """For each offset the entry that somebody says is there."""
        self.places: dict[str, int] = {}
        self.contested: defaultdict[int, set[str]] = defaultdict(set)
        self.moved: defaultdict[str, set[int]] = defaultdict(set)
        self.log: Counter[str] = Counter()
        self.log_read = False
        self.oldest = 0
        self.steps: list[Sent | Acked] = []
        self.attempts: Counter[str] = Counter()
        self.acked: dict[str, int] = {}
        self.acked_elsewhere: defaultdict[str, set[int]] = defaultdict(set)
        self.refused: Counter[str] = Counter()
        """How often it was told for good that it is not stored."""
        self.given_up: set[str] = set()
        self.states: defaultdict[tuple[int, int], defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        """For each offset and extent who says what the messages are."""

    def add(self, event: Event) -> None:
        match event:
            case Saw():
                self._place(event.key, event.offset)
                self._see(event)
            case Sent():
                self.steps.append(event)
                self.attempts[event.key] += 1
            case Acked(_, _, key, offset):
                self.steps.append(event)
                if self.acked.setdefault(key, offset) != offset:
                    self.acked_elsewhere[key] |= {self.acked[key], offset}
                self._place(key, offset)
            case Failed(temporary=False):
                self.refused[event.key] += 1
            case GaveUp():
                self.given_up.add(event.key)
            case Entered():
                self._enter(event)
            case Viewed(client, _, offset, digest, newest, fetched):
                self.states[offset, newest][digest].add(SERVER if fetched else client)
            case Logged() | LogRead():
                self._read(event)

    def anomalies(self) -> Iterator[Anomaly]:
        """Yield all that is wrong."""
        for rule in (_fates, _log, _agreement, _deliveries, _states, _sender_order, _real_time_order):
            yield from rule(self)

    def compared(self) -> int:
        """Count how often a client's own state was put against the server's."""
        everyone = (set[str]().union(*states.values()) for states in self.states.values())
        return sum(len(who) - 1 for who in everyone if SERVER in who)

    def _place(self, key: str, offset: int) -> None:
        """C3: all agree on what is where."""
        there = self.at.setdefault(offset, key)
        if there != key:
            self.contested[offset] |= {there, key}
        place = self.places.setdefault(key, offset)
        if place != offset:
            self.moved[key] |= {place, offset}

    def _read(self, event: Logged | LogRead) -> None:
        if isinstance(event, LogRead):
            self.log_read = True
            return
        self.oldest = event.offset if not self.log else min(event.offset, self.oldest)
        self.log[event.key] += 1
        self._place(event.key, event.offset)

    def _enter(self, event: Entered) -> None:
        """C4: nobody goes on elsewhere, but for one who missed more than is promised."""
        if event.epoch:
            self.epochs.add(event.epoch)
        member = self.members.setdefault(event.client, _Member(event.offset))
        skipped = event.offset - member.reached
        if skipped and (event.limit is None or skipped <= event.limit):
            what = f"{event.client} was at {member.reached} and goes on at {event.offset}"
            self.found.append(Anomaly("gap", what))
        elif skipped:
            member.missed.append((member.reached, event.offset))
        member.reached = event.offset

    def _see(self, event: Saw) -> None:
        """C4, C5: each member sees offsets without gaps, rising, and nothing twice."""
        key, offset = event.key, event.offset
        member = self.members.get(event.client) or self.members.setdefault(event.client, _Member(0))
        if offset == member.reached + 1 and key not in member.seen:
            member.seen.add(key)
            member.reached = offset
            return
        where = f"{event.client} saw {key} at {offset} after {member.reached}"
        if offset > member.reached + 1:
            self.found.append(Anomaly("gap", where, (key,)))
        elif offset <= member.reached and key not in member.seen:
            self.found.append(Anomaly("reordered", where, (key,)))
        if key in member.seen:
            member.twice[key] += 1
        member.seen.add(key)
        member.reached = max(member.reached, offset)


def _fates(room: Room) -> Iterator[Anomaly]:
    """C1, C2, C8: what became of each entry that was sent."""
    for key in sorted(room.places.keys() - room.attempts.keys()):
        yield Anomaly("phantom", f"{key} is there, and nobody sent it", (key,))
    for key, times in room.refused.items():
        if times == room.attempts[key] and key in room.places:
            yield Anomaly("refused but stored", f"{key} was refused, and is there", (key,))
    for key in sorted(room.attempts.keys() - room.acked.keys() - room.refused.keys() - room.given_up):
        yield Anomaly("unanswered", f"{key} was neither acknowledged nor refused", (key,))
    for key, offsets in room.acked_elsewhere.items():
        yield Anomaly("not idempotent", f"{key} was acknowledged at {sorted(offsets)}", (key,))
    in_order = sorted((offset, key) for key, offset in room.acked.items())
    for client, member in room.members.items():
        for offset, key in in_order[bisect_right(in_order, member.start, key=itemgetter(0)) :]:
            if key not in member.seen and not member.is_excused(offset):
                yield Anomaly("lost", f"{client} never saw {key}, acknowledged at {offset}", (key,))


def _log(room: Room) -> Iterator[Anomaly]:
    """C1: the log has once whatever was acknowledged or seen, as far back as it goes."""
    for key, count in room.log.items():
        if count > 1:
            yield Anomaly("duplicated", f"{key} is in the log {count} times", (key,))
    for key, offset in room.places.items() if room.log_read else ():
        if offset >= room.oldest and key not in room.log:
            told = "acknowledged" if key in room.acked else "seen"
            yield Anomaly("lost", f"{key}, {told} at {offset}, is not in the log", (key,))


def _agreement(room: Room) -> Iterator[Anomaly]:
    """C3: all agree on what is where, and on what "where" means."""
    if len(room.epochs) > 1:
        yield Anomaly("diverged", f"the sequence began anew: its epochs are {sorted(room.epochs)}")
    for offset, keys in sorted(room.contested.items()):
        yield Anomaly("diverged", f"offset {offset} is each of {sorted(keys)}", tuple(sorted(keys)))
    for key, offsets in sorted(room.moved.items()):
        yield Anomaly("diverged", f"{key} is at each of {sorted(offsets)}", (key,))


def _deliveries(room: Room) -> Iterator[Anomaly]:
    """C4, C5: what was found when it happened."""
    yield from room.found
    for client, member in room.members.items():
        for key, more in member.twice.items():
            yield Anomaly("duplicated", f"{client} saw {key} {1 + more} times", (key,))


def _states(room: Room) -> Iterator[Anomaly]:
    """C12: at one offset there is one state, whoever has it and however it came about."""
    for (offset, newest), states in sorted(room.states.items()):
        if len(states) > 1:
            each = "; ".join(f"{digest} has {', '.join(sorted(who))}" for digest, who in sorted(states.items()))
            extent = f"the newest {newest} messages" if newest else "all messages"
            yield Anomaly("wrong state", f"{extent} at {offset}: {each}", (room.at.get(offset, ""),))


def _sender_order(room: Room) -> Iterator[Anomaly]:
    """C6: of two entries that a sender sent one after the other, the second has the greater offset.

    One that was sent again got its place at any of those times: it precedes only what was sent after the last.
    """
    last: dict[str, int] = {}
    acked: set[str] = set()
    for place, event in enumerate(room.steps):
        if isinstance(event, Acked):
            acked.add(event.key)
        elif event.key not in acked:  # (one sent again after that has its place already)
            last[event.key] = place
    steps: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for place, event in enumerate(room.steps):
        if isinstance(event, Sent):
            steps[event.client].append((event.key, event.key if last.get(event.key) == place else ""))
    for sent in steps.values():
        yield from _precedence("sender order", sent, room.acked)


def _real_time_order(room: Room) -> Iterator[Anomaly]:
    """C7: what was sent after something else had been acknowledged has the greater offset."""
    steps = [(event.key, "") if isinstance(event, Sent) else ("", event.key) for event in room.steps]
    yield from _precedence("real-time order", steps, room.acked)


def _precedence(name: Name, steps: Sequence[tuple[str, str]], acked: dict[str, int]) -> Iterator[Anomaly]:
    """Each step begins one entry, settles one, or both: what is settled precedes all that begin later."""
    highest, first = 0, ""
    begun: set[str] = set()
    for begins, settles in steps:
        if begins and begins not in begun:
            begun.add(begins)
            offset = acked.get(begins, highest + 1)
            if offset < highest:
                yield Anomaly(name, f"{begins} at {offset} came after {first} at {highest}", (first, begins))
        if acked.get(settles, 0) > highest:
            highest, first = acked[settles], settles
