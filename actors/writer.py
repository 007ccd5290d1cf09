"""The writer actor: the one that writes to the log. In a thread of its own where the log blocks.

It does what the journal tells it, and of files what the files actor does, a transaction at a time. Trouble of the log,
which the log is known to have, is answered; anything else is a crash, and the supervisor's.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import structlog

from actors.messages import (
    Append,
    Clean,
    Cleaned,
    Index,
    Indexed,
    KeepUpload,
    MembershipEnded,
    MembersStored,
    Record,
    Recorded,
    Remove,
    Removed,
    StoreMembers,
    Trim,
    Trimmed,
    UploadKept,
    Write,
    Written,
)
from actors.runtime import Actor, RequestFailed, ThreadActor
from chat.log import LogError

if TYPE_CHECKING:
    from chat.counts import Counts
    from chat.file_store import FileStore
    from chat.log import RoomLog

TRIM_STEP: Final = 500
"""How many entries are forgotten at once. In between, what is said is stored."""

CLEAN_STEP: Final = 100
"""How many uploads are forgotten, and contents removed, at once."""

log = structlog.get_logger()


class WriterActor(Actor):
    """Stores batches, indexes them, forgets what is past its time, and closes the log at the end."""

    def __init__(self, room_log: RoomLog, counts: Counts, store: FileStore | None = None) -> None:
        self._log = room_log
        self._counts = counts
        self._store = store

    def on_receive(self, message: Any) -> None:
        """Write, index or forget; no kind of message but these is ever sent here."""
        try:
            answer = self._answer(message)
        except (LogError, OSError) as error:
            log.error("log.write_failed", request=type(message).__name__, reason=str(error))  # noqa: TRY400  (no bug)
            message.sender.tell(RequestFailed(message, error))
        else:
            if answer is not None:
                message.sender.tell(answer)

    def on_stop(self) -> None:
        """Close the log: the writer is the last that stops."""
        self._log.close()

    def _answer(  # noqa: PLR0911  (one for each kind)
        self, message: Write | Index | Trim | Remove | Record | StoreMembers | KeepUpload | Clean
    ) -> Written | Indexed | Trimmed | Removed | Recorded | MembersStored | UploadKept | Cleaned | None:
        match message:
            case Write():
                return self._write(message)
            case Index():
                return self._index(message)
            case Trim():
                return self._trim(message)
            case Remove():
                return self._remove(message)
            case Record():
                return self._record(message)
            case StoreMembers():
                return MembersStored(message, self._log.change_members(message.request.change))
            case KeepUpload():
                most = message.most_unsent_bytes
                return UploadKept(message, self._log.keep_upload(message.upload, most_unsent_bytes=most))
            case Clean():  # pragma: no branch
                return self._clean(message)

    def _write(self, write: Write) -> Written:
        began = perf_counter()
        batch = [append.draft if isinstance(append, Append) else append.keep for append in write.appends]
        places = self._log.append(batch)
        self._counts.commit_seconds.observe(perf_counter() - began)
        self._counts.commit_entries.observe(len(places))
        return Written(write.appends, places)

    def _record(self, record: Record) -> Recorded:
        ruling = self._log.record(record.moderate.ruling)
        if record.invitations is not None and ruling.action in {"kick", "ban"}:
            record.invitations.tell(MembershipEnded(ruling))
        return Recorded(record, ruling)

    def _index(self, index: Index) -> Indexed:
        began = perf_counter()
        left = self._log.index(limit=index.limit)
        return Indexed(left, perf_counter() - began)

    def _trim(self, trim: Trim) -> Trimmed:
        entries = self._log.trim(trim.rules, limit=TRIM_STEP)
        of_guests = self._log.forget_guests(trim.guests_before_ms, limit=TRIM_STEP)
        return Trimmed(entries + of_guests, more=entries == TRIM_STEP or of_guests >= TRIM_STEP)

    def _remove(self, remove: Remove) -> Removed | None:
        forgotten = self._log.remove(remove.channel, last=remove.last, limit=TRIM_STEP)
        if forgotten == TRIM_STEP:
            self.actor_ref.tell(remove)  # behind what waits to be stored
            return None
        return Removed(remove)

    def _clean(self, clean: Clean) -> Cleaned:
        # Here, since here is where the log hears of uploads: between a look into it and a removal there is none.
        assert self._store is not None  # else nobody asks
        forgotten = self._log.forget_unsent(clean.before_ms, limit=CLEAN_STEP)
        loose = self._log.loose(limit=CLEAN_STEP)
        gone = [digest for digest in loose if self._store.discard(digest)]
        if gone:
            self._log.forget_loose(gone)  # after they are gone: what is not done by a crash is done again
        dropped = self._store.dropped()[:CLEAN_STEP]
        referred = self._log.referred(dropped) if dropped else set()
        for digest in dropped:
            if digest in referred:
                self._store.forget_dropped(digest)
            else:
                gone += [digest] if self._store.discard(digest) else []
        return Cleaned(len(gone), more=CLEAN_STEP in {forgotten, len(loose), len(dropped)} and bool(forgotten or gone))


class ThreadWriterActor(WriterActor, ThreadActor):  # type: ignore[misc]  # (as `ThreadActor`)
    """A writer that may block."""
