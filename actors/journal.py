"""The journal actor: collects what is to be stored, and tells everybody concerned when it is.

There is one batch under way at a time. What comes meanwhile is the next one, so batches grow with the load and a lone
message does not wait. Between two batches whoever is ready has a turn: see `ROUNDS`. Sender and room hear of an entry
only after it is stored. What rooms do with entries is theirs.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any, Final

import msgspec
import structlog

from actors.messages import (
    Answered,
    Append,
    CatchUp,
    Committed,
    Done,
    Index,
    Indexed,
    KeepPlace,
    Notify,
    NotifyUser,
    Placed,
    Record,
    Refused,
    Remove,
    StoreMembers,
    Trim,
    Trimmed,
    Write,
    Written,
)
from actors.replies import error_of
from actors.runtime import Actor, ActorRef, Request, RequestFailed
from chat.errors import (
    BAD_REQUEST,
    FILE_NOT_FOUND,
    INTERNAL,
    LIMIT_EXCEEDED,
    NOT_FOUND,
    PERMISSION_DENIED,
    TOO_MANY_REQUESTS,
    Error,
)
from chat.log import Entry, Kept, Rejected, Stored
from chat.protocol.notices import left_notice, notify_notice, read_notice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from chat.counts import Counts
    from chat.room_classes import RoomClasses

MAX_BATCH: Final = 500
MAX_WAITING: Final = 10_000
ROUNDS: Final = 3
"""How many rounds of turns lie between one batch and the next, unless that is full already.

In the first the rooms have theirs, in the second their members, whose sockets take what is written; in the third those
who have answered to that. So what a batch gives rise to is one batch again, rather than several that are under way at
different stages, each with a write to every member: with 1,000 members and 40 messages under way a write carries 35 of
them instead of 18, at half the cost, and the next one is there sooner.
"""
INDEX_STEP: Final = 1_000
"""How many entries are prepared for searches at once: 5 to 10 ms, 50 at worst, for which a batch may wait.

A search looks through those that are not prepared, so more of them would make each search slower.
"""
INDEX_REST: Final = 9
"""How many times as long as a step took there is none after it, if something waited for it.

So the steps take a tenth of the writer's time under constant load. Between all batches they took a third of the
entries/s.
"""
TRIM_INTERVAL_S: Final = 60.0
GUESTS_KEEP_MS: Final = 30 * 86_400_000
"""How long a guest's places are kept that it does not touch, and its name if it says nothing: it may never return."""

REJECTIONS: Final = {
    "missing": NOT_FOUND,
    "foreign": PERMISSION_DENIED,
    "unchangeable": Error(BAD_REQUEST.code, "bad request: that message has no text to edit"),
    "full": LIMIT_EXCEEDED,
    "no_file": FILE_NOT_FOUND,
}

log = structlog.get_logger()


class _TrimDue(msgspec.Struct, frozen=True):
    """Time to look for entries that are past their time."""


class _RestOver(msgspec.Struct, frozen=True):
    """Time to prepare more for searches, if there is enough."""


class _RoundOver(msgspec.Struct, frozen=True):
    """Whoever was ready has had a turn; so many more rounds until the next batch."""

    left: int


class JournalActor(Actor):
    """Hands batches to the writer, and passes on what became of them.

    At most `MAX_WAITING` entries wait; more are refused as "too many requests".
    """

    def __init__(self, writer: ActorRef[Any], classes: RoomClasses, now_ms: Callable[[], int], counts: Counts) -> None:
        self._writer = writer
        self._counts = counts
        self._classes = classes
        self._now_ms = now_ms
        self._waiting: deque[Append | KeepPlace] = deque()
        self._under_way: Write | None = None
        self._rounds = 0
        self._unindexed = INDEX_STEP  # as far as is known
        self._index_held = False  # while a step is under way, and while there is to be none
        self._handlers: dict[type, Callable[[Any], None]] = {
            Append: self._append,
            KeepPlace: self._append,
            Written: self._written,
            RequestFailed: self._write_failed,
            _RoundOver: self._round_over,
            Indexed: self._indexed,
            _RestOver: self._rest_over,
            _TrimDue: self._trim,
            Trimmed: self._trimmed,
            Remove: self._hand_on,
            Record: self._hand_on,
            StoreMembers: self._hand_on,
        }

    def on_start(self) -> None:
        """Begin to forget, and to prepare for searches what was stored and not prepared before."""
        self.after(TRIM_INTERVAL_S, _TrimDue())
        self._index()

    def on_receive(self, message: Any) -> None:
        """Handle one message; no kind but those above is ever sent here."""
        self._handlers[type(message)](message)

    def on_turn_end(self) -> None:
        """Hand over the next batch, unless one is under way or it may still grow."""
        ready = len(self._waiting) >= MAX_BATCH or (self._waiting and not self._rounds)
        if ready and self._under_way is None:
            self._under_way = self._hand_over()
        self._index()
        self._counts.waiting_entries = len(self._waiting)

    def on_stop(self) -> None:
        """Have all that waits stored. The writer stops later than this actor, and does what it was told before."""
        while self._waiting:
            self._hand_over()

    def on_failure(self, *_: object) -> None:
        """Answer for what is lost with this incarnation. What is under way comes back to the next one."""
        self._refuse(self._waiting, INTERNAL)

    def _hand_over(self) -> Write:
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_BATCH))]
        write = Write(self.actor_ref, batch)
        self._writer.tell(write)
        return write

    def _append(self, append: Append | KeepPlace) -> None:
        if len(self._waiting) < MAX_WAITING:
            self._waiting.append(append)
        else:
            self._refuse([append], TOO_MANY_REQUESTS)

    def _written(self, written: Written) -> None:
        self._under_way = None
        self._begin_round(ROUNDS)
        stored: defaultdict[tuple[ActorRef[Any], str], dict[int, Entry]] = defaultdict(dict)
        told: defaultdict[tuple[ActorRef[Any], str], dict[int, Sequence[str]]] = defaultdict(dict)
        for append, place in zip(written.appends, written.places, strict=True):
            if type(append) is Append and isinstance(place, Stored):
                # A repeat, too: its first time may have been the one of which nobody heard.
                stored[append.sender, place.epoch][place.entry.offset] = place.entry
                named = append.draft.told if not place.duplicate else ()
                if place.begun:
                    named = (*named, place.entry.author.user)
                if named:
                    told[append.sender, place.epoch][place.entry.offset] = named
        self._count(written)
        # Rooms first: they have their turn before the senders, who so get answer and entry in one.
        for (room, epoch), entries in stored.items():
            tell = told.get((room, epoch), {})
            room.tell(Committed(epoch, [entries[offset] for offset in sorted(entries)], tell))
        for append, place in zip(written.appends, written.places, strict=True):
            request = _asked(append)
            if isinstance(place, Stored):
                request.sender.tell(Answered(request, Placed(place.entry, place.epoch, place.duplicate)))
            elif isinstance(place, Rejected):
                request.sender.tell(Refused(request, REJECTIONS[place.reason]))
            elif type(append) is KeepPlace:  # pragma: no branch
                self._kept(append, place)

    def _kept(self, request: KeepPlace, kept: Kept) -> None:
        keep = request.keep
        request.sender.tell(Answered(request, kept if keep.read is not None else Done()))
        if not kept.changed:
            return
        if keep.leave:
            notice = left_notice(keep.room)
        elif keep.notify is not None:
            notice = notify_notice(keep.room, on=keep.notify)
        else:
            notice = read_notice(keep.room, kept.read)
        request.clients.tell(NotifyUser(keep.user, Notify(notice)))

    def _count(self, written: Written) -> None:
        counts = self._counts
        for append, place in zip(written.appends, written.places, strict=True):
            if isinstance(place, Stored):
                counts.messages += not place.duplicate
                self._unindexed += not place.duplicate
                counts.repeats += place.duplicate
            elif isinstance(place, Rejected):
                if type(append) is Append:
                    counts.rejected += 1
                else:
                    counts.limits_hit["max_places"] += 1

    def _begin_round(self, left: int) -> None:
        self._rounds = left
        if left:
            self.after_turns(_RoundOver(left - 1))

    def _round_over(self, over: _RoundOver) -> None:
        if over.left == self._rounds - 1:  # else it is an earlier batch's: one that was full followed at once
            self._begin_round(over.left)

    def _write_failed(self, failed: RequestFailed) -> None:
        write = failed.request
        if type(write) is not Write:
            self.after(TRIM_INTERVAL_S, _RestOver() if type(write) is Index else _TrimDue())
            return
        self._under_way = None
        self._refuse(write.appends, error_of(failed.error))
        # It may have been stored all the same: the writer crashed after that, or the disk failed only then.
        for room in dict.fromkeys(append.sender for append in write.appends if type(append) is Append):
            room.tell(CatchUp())

    def _refuse(self, appends: Iterable[Append | KeepPlace], error: Error) -> None:
        for request in map(_asked, appends):
            request.sender.tell(Refused(request, error))

    # Search.

    def _index(self) -> None:
        """Have a step of the preparation for searches done, behind the batch that is under way."""
        if self._unindexed >= INDEX_STEP and not self._index_held:
            self._index_held = True
            self._writer.tell(Index(self.actor_ref, INDEX_STEP))

    def _indexed(self, indexed: Indexed) -> None:
        self._unindexed = indexed.left
        if self._waiting or self._under_way:  # it was in somebody's way
            self.after(INDEX_REST * indexed.took_s, _RestOver())
        else:
            self._index_held = False

    def _rest_over(self, _: _RestOver) -> None:
        self._index_held = False

    # Retention.

    def _trim(self, _: _TrimDue) -> None:
        now_ms = self._now_ms()
        self._writer.tell(Trim(self.actor_ref, self._classes.retention(now_ms), now_ms - GUESTS_KEEP_MS))

    def _trimmed(self, trimmed: Trimmed) -> None:
        self.after(0.0 if trimmed.more else TRIM_INTERVAL_S, _TrimDue())

    def _hand_on(self, request: Remove | Record | StoreMembers) -> None:
        # What waits is younger than what is to go: it was not stored when the room was asked.
        self._writer.tell(request)


def _asked(append: Append | KeepPlace) -> Request:
    """Return the request that is answered when something is stored."""
    return append.publish if type(append) is Append else append
