"""The history checker: what must never happen, looked for in what did.

Every message has a key that its sender chose and an offset that the server gave, so each check is one pass and none has
to search. What it takes for granted: keys are unique to a message, clients do not leave rooms, and the history goes on
until everything under way has arrived.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Literal, get_args

import msgspec

from loadtests._history import Acked, Ended, Entered, Failed, Logged, Saw, Sent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from loadtests._history import Event

Name = Literal[
    "lost",  # acknowledged, and not in the log, or not seen by a member
    "duplicated",  # in the log twice, or seen twice by a client
    "refused but stored",  # the sender was told that it is not stored, for good
    "phantom",  # seen, and sent by nobody
    "diverged",  # what is at an offset, or where a message is, depends on whom one asks
    "gap",  # a client saw an offset before the one below it
    "reordered",  # a client saw an offset that it had passed
    "sender order",  # of two messages of one sender to one room the later one has the smaller offset
    "real-time order",  # sent after another one was acknowledged, and has the smaller offset
    "not idempotent",  # one message was acknowledged at two offsets
    "unanswered",  # the sender was told nothing
    "disconnected",
]

NAMES: tuple[Name, ...] = get_args(Name)


class Anomaly(msgspec.Struct, frozen=True):
    """One thing that must not have happened, with the messages concerned."""

    name: Name
    what: str
    keys: tuple[str, ...] = ()


class _Room:
    """What is known of one room, by the end of the history."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.starts: dict[str, int] = {}
        """For each member the offset from which on it sees everything."""
        self.seen: defaultdict[str, Counter[str]] = defaultdict(Counter)
        """For each member how often it saw what."""
        self.at: defaultdict[int, set[str]] = defaultdict(set)
        """For each offset the messages that anybody says are there."""
        self.log: dict[int, list[str]] = {}
        self.sent: set[str] = set()
        self.acked: defaultdict[str, list[int]] = defaultdict(list)
        self.refused: set[str] = set()
        """Told that it is not stored, every time it was sent."""
        self.doubtful: set[str] = set()

    def add(self, event: Event) -> None:
        self.events.append(event)
        match event:
            case Entered(client, _, offset):
                self.starts.setdefault(client, offset)
            case Sent(_, _, key):
                self.sent.add(key)
            case Acked(_, _, key, offset):
                self.acked[key].append(offset)
                self.at[offset].add(key)
            case Failed(_, _, key, _, temporary):
                (self.doubtful if temporary else self.refused).add(key)
            case Saw(client, _, key, offset):
                self.seen[client][key] += 1
                self.at[offset].add(key)
            case Logged(_, _, key, offset):
                self.log.setdefault(offset, []).append(key)
                self.at[offset].add(key)


def check(history: Iterable[Event]) -> list[Anomaly]:
    """Return everything that is wrong with a history."""
    rooms: defaultdict[str, _Room] = defaultdict(_Room)
    found: list[Anomaly] = []
    for event in history:
        if isinstance(event, Ended):
            found.append(Anomaly("disconnected", f"{event.client}: {event.how}"))
        else:
            rooms[event.room].add(event)
    for name, room in rooms.items():
        for checks in (_fates, _log, _agreement, _deliveries, _sender_order, _real_time_order):
            found += [Anomaly(a.name, f"{name}: {a.what}", a.keys) for a in checks(room)]
    return found


def _fates(room: _Room) -> Iterator[Anomaly]:
    """C1, C2, C8: what became of each message that was sent."""
    known = {key for keys in room.at.values() for key in keys}
    for key in sorted(known - room.sent):
        yield Anomaly("phantom", f"{key} is there, and nobody sent it", (key,))
    for key in sorted(room.refused - room.doubtful - room.acked.keys()):
        if key in known:
            yield Anomaly("refused but stored", f"{key} was refused, and is there", (key,))
    for key in sorted(room.sent - room.acked.keys() - room.refused):
        yield Anomaly("unanswered", f"{key} was neither acknowledged nor refused", (key,))
    for key, offsets in room.acked.items():
        if len(set(offsets)) > 1:
            yield Anomaly("not idempotent", f"{key} was acknowledged at {sorted(set(offsets))}", (key,))
        for member, start in room.starts.items():
            if offsets[0] > start and not room.seen[member][key]:
                yield Anomaly("lost", f"{member} never saw {key}, acknowledged at {offsets[0]}", (key,))


def _log(room: _Room) -> Iterator[Anomaly]:
    """C1: the log has every acknowledged message once, as far back as it goes."""
    times = Counter(key for keys in room.log.values() for key in keys)
    for key, count in times.items():
        if count > 1:
            yield Anomaly("duplicated", f"{key} is in the log {count} times", (key,))
    oldest = min(room.log, default=0)
    for key, offsets in room.acked.items() if room.log else ():
        if offsets[0] >= oldest and not times[key]:
            yield Anomaly("lost", f"{key}, acknowledged at {offsets[0]}, is not in the log", (key,))


def _agreement(room: _Room) -> Iterator[Anomaly]:
    """C3: all agree on what is where."""
    for offset, keys in sorted(room.at.items()):
        if len(keys) > 1:
            yield Anomaly("diverged", f"offset {offset} is each of {sorted(keys)}", tuple(sorted(keys)))
    places: defaultdict[str, list[int]] = defaultdict(list)
    for offset, keys in sorted(room.at.items()):
        for key in keys:
            places[key].append(offset)
    for key, offsets in places.items():
        if len(offsets) > 1:
            yield Anomaly("diverged", f"{key} is at each of {offsets}", (key,))


def _deliveries(room: _Room) -> Iterator[Anomaly]:
    """C4, C5: each member sees offsets without gaps, rising, and nothing twice."""
    reached: dict[str, int] = {}
    for event in room.events:
        if isinstance(event, Entered):
            before = reached.get(event.client)
            if before is not None and event.offset != before:
                yield Anomaly("gap", f"{event.client} was at {before} and goes on at {event.offset}")
            reached[event.client] = event.offset
        elif isinstance(event, Saw):
            before = reached.get(event.client, 0)
            where = f"{event.client} saw {event.key} at {event.offset} after {before}"
            if event.offset > before + 1:
                yield Anomaly("gap", where, (event.key,))
            elif event.offset <= before and room.seen[event.client][event.key] == 1:
                yield Anomaly("reordered", where, (event.key,))
            reached[event.client] = max(before, event.offset)
    for member, seen in room.seen.items():
        for key, count in seen.items():
            if count > 1:
                yield Anomaly("duplicated", f"{member} saw {key} {count} times", (key,))


def _sender_order(room: _Room) -> Iterator[Anomaly]:
    """C6: of two messages that a sender sent one after the other, the second has the greater offset.

    A message that was sent again got its place at any of those times: it precedes only what was sent after the last.
    """
    last: dict[str, int] = {}
    acked: set[str] = set()
    for place, event in enumerate(room.events):
        if isinstance(event, Acked):
            acked.add(event.key)
        elif isinstance(event, Sent) and event.key not in acked:  # (one sent again after that has its place already)
            last[event.key] = place
    steps: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for place, event in enumerate(room.events):
        if isinstance(event, Sent):
            steps[event.client].append((event.key, event.key if last.get(event.key) == place else ""))
    for sent in steps.values():
        yield from _precedence("sender order", sent, room)


def _real_time_order(room: _Room) -> Iterator[Anomaly]:
    """C7: what was sent after another message had been acknowledged has the greater offset."""
    steps = [
        (event.key, "") if isinstance(event, Sent) else ("", event.key)
        for event in room.events
        if isinstance(event, Sent | Acked)
    ]
    yield from _precedence("real-time order", steps, room)


def _precedence(name: Name, steps: Sequence[tuple[str, str]], room: _Room) -> Iterator[Anomaly]:
    """Each step begins one message, settles one, or both: what is settled precedes all that begin later."""
    highest, first = 0, ""
    begun: set[str] = set()
    for begins, settles in steps:
        if begins and begins not in begun:
            begun.add(begins)
            offset = room.acked[begins][0] if begins in room.acked else highest + 1
            if offset < highest:
                yield Anomaly(name, f"{begins} at {offset} came after {first} at {highest}", (first, begins))
        if settles in room.acked and room.acked[settles][0] > highest:
            highest, first = room.acked[settles][0], settles
