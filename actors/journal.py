"""The journal actor: the one writer of the log.

It stores everything that queued while it was busy as one batch, so batches grow with the load and a lone message
does not wait. Sender and room hear of an entry only after it is stored. What rooms do with entries is theirs.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import structlog

from actors.messages import Answered, Append, Committed, Open, Opened, Placed, Refused
from actors.runtime import Actor, ActorRef, RequestFailed
from chat.errors import INTERNAL
from chat.log import Entry, LogError

if TYPE_CHECKING:
    from chat.log import RoomLog

log = structlog.get_logger()


class JournalActor(Actor):
    """Stores entries, a batch at a time, and reads what a room needs to open."""

    def __init__(self, room_log: RoomLog) -> None:
        self._log = room_log
        self._batch: list[Append] = []

    def on_receive(self, message: Any) -> None:
        """Queue an `Append` for the end of the turn, answer an `Open` now."""
        if type(message) is Append:
            self._batch.append(message)
        elif type(message) is Open:
            self._open(message)

    def _open(self, request: Open) -> None:
        try:
            position = self._log.position(request.channel)
            tail = self._log.before(request.channel, position.offset + 1, request.limit)
        except LogError as error:  # the log's trouble, which it is known to have; not a crash of this actor
            log.error("journal.read_failed", room=request.channel, reason=str(error))  # noqa: TRY400  (no bug)
            request.sender.tell(RequestFailed(request, error))
        else:
            request.sender.tell(Opened(position, tail))

    def on_turn_end(self) -> None:
        """Store the batch, then tell everybody concerned. A batch that cannot be stored is refused as a whole."""
        if not self._batch:
            return
        try:
            stored = self._log.append([append.draft for append in self._batch])
        except LogError as error:
            log.error("journal.append_failed", entries=len(self._batch), reason=str(error))  # noqa: TRY400  (no bug, no traceback)
            self._refuse_batch()
            return
        batch, self._batch = self._batch, []
        new: defaultdict[tuple[ActorRef[Any], str], list[Entry]] = defaultdict(list)
        for append, place in zip(batch, stored, strict=True):
            result = Placed(place.entry, place.epoch, place.duplicate)
            append.publish.sender.tell(Answered(append.publish, result))
            if not place.duplicate:
                new[append.sender, place.epoch].append(place.entry)
        for (room, epoch), entries in new.items():
            room.tell(Committed(epoch, entries))

    def on_failure(self, *_: object) -> None:
        """Answer for the batch that is lost with this incarnation."""
        self._refuse_batch()

    def _refuse_batch(self) -> None:
        for append in self._batch:
            append.publish.sender.tell(Refused(append.publish, INTERNAL))
        self._batch.clear()
