"""The reader actor: reads the log for rooms and clients. In a thread of its own where the log blocks.

It never waits for the writer, so a page of history comes although the disk is slow with a commit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from actors.messages import (
    Answered,
    Audit,
    FindNames,
    FindRooms,
    FindUpload,
    FoundNames,
    FoundRooms,
    Missed,
    Open,
    Opened,
    Page,
    Places,
    ReadAudit,
    ReadHistory,
    ReadMessages,
    ReadMissed,
    ReadPlaces,
    Refused,
    SearchMessages,
    UploadFound,
)
from actors.runtime import Actor, RequestFailed, ThreadActor
from chat import limits
from chat.channels import users_of
from chat.errors import PERMISSION_DENIED, UNRECOVERABLE_POSITION
from chat.log import Findings, LogError
from chat.log import Page as MessagePage
from chat.sanctions import Sanctions
from chat.wire import Published

if TYPE_CHECKING:
    from collections.abc import Callable

    from chat.identity import Identity
    from chat.limits import Limits
    from chat.log import Entry, RoomLog

log = structlog.get_logger()


class ReaderActor(Actor):
    """Answers what the log alone can answer.

    `may_read(identity, channel)` tells whether somebody may read a room, bans and subscription tokens apart. It is
    called in this actor's thread.
    """

    def __init__(
        self,
        room_log: RoomLog,
        limits: Limits,
        may_read: Callable[[Identity, str], bool],
    ) -> None:
        self._log = room_log
        self._limits = limits
        self._may_read = may_read
        self._handlers: dict[type, Callable[[Any], object]] = {
            Open: self._open,
            ReadHistory: self._read_history,
            ReadMessages: self._read_messages,
            ReadMissed: self._read_missed,
            ReadAudit: self._read_audit,
            ReadPlaces: self._read_places,
            FindRooms: self._find_rooms,
            FindNames: self._find_names,
            SearchMessages: self._search,
            FindUpload: self._find_upload,
        }

    def on_receive(self, message: Any) -> None:
        """Read; no kind of message but those above is ever sent here."""
        try:
            answer = self._handlers[type(message)](message)
        except LogError as error:  # the log's trouble, which it is known to have; not a crash of this actor
            log.error("log.read_failed", room=message.channel, reason=str(error))  # noqa: TRY400  (no bug)
            message.sender.tell(RequestFailed(message, error))
        else:
            message.sender.tell(answer)

    def _open(self, request: Open) -> Opened:
        position = self._log.position(request.channel)
        tail = self._log.before(request.channel, position.offset + 1, request.limit) if request.limit else []
        in_force = self._log.in_force(request.channel, 0)
        return Opened(request, position, tail, in_force, self._log.topic(request.channel))

    def _find_names(self, request: FindNames) -> FoundNames:
        return FoundNames(request, self._log.names(request.users))

    def _find_rooms(self, request: FindRooms) -> FoundRooms:
        return FoundRooms(request, self._log.find_rooms(request.request.query, request.limit))

    def _read_audit(self, read: ReadAudit) -> Answered:
        return Answered(read, Audit(self._log.rulings(read.channel, before=read.before, limit=read.limit)))

    def _read_places(self, read: ReadPlaces) -> Answered:
        banned_from = self._banned_from(read.identity, read.now_ms)
        places = [place for place in self._log.places(read.identity.user) if place.room not in banned_from]
        users = {user for place in places for user in users_of(place.room)}
        return Answered(read, Places(places, self._log.names(sorted(users))))

    def _find_upload(self, find: FindUpload) -> UploadFound:
        return UploadFound(find, self._log.upload(find.file_id))

    def _read_missed(self, request: ReadMissed) -> Missed:
        position = self._log.position(request.channel)
        return Missed(request, position, self._log.after(request.channel, request.after, request.limit))

    def _read_history(self, read: ReadHistory) -> Answered | Refused:
        position = self._log.position(read.channel)
        since = read.since
        if since is not None and since.epoch not in {"", position.epoch}:
            return Refused(read, UNRECOVERABLE_POSITION)
        entries: list[Entry]
        if read.reverse:
            entries = self._log.before(read.channel, since.offset if since else position.offset + 1, read.limit)
            entries.reverse()
        else:
            entries = self._log.after(read.channel, since.offset if since else 0, read.limit)
        fitting = limits.fitting(entries, lambda entry: len(entry.data), self._limits.max_page_bytes)
        return Answered(read, Page([Published(entry) for entry in fitting], position))

    def _read_messages(self, read: ReadMessages) -> Answered:
        page = self._log.messages(read.channel, before=read.before, after=read.after, limit=read.limit)
        nearest = page.messages if read.after is not None else page.messages[::-1]
        fitting = limits.fitting(nearest, lambda message: len(message.data), self._limits.max_page_bytes)
        number = len(fitting)
        left = page.messages[:number] if read.after is not None else page.messages[len(page.messages) - number :]
        return Answered(read, MessagePage(left, page.position))

    def _banned_from(self, who: Identity, now_ms: int) -> set[str]:
        return {
            ruling.room
            for ruling in self._log.bans(who.user, now_ms)
            if Sanctions([ruling]).ban(who.user, who.role_in(ruling.room), now_ms) is not None
        }

    def _search(self, request: SearchMessages) -> Answered | Refused:
        identity, entered = request.identity, request.entered
        banned_from = self._banned_from(identity, request.now_ms)

        def readable(channel: str) -> bool:
            return channel not in banned_from and (channel in entered or self._may_read(identity, channel))

        if request.channel and not readable(request.channel):
            return Refused(request, PERMISSION_DENIED)
        findings = self._log.search(request.search, readable, limit=request.limit)
        fitting = limits.fitting(findings.found, lambda found: len(found.message.data), self._limits.max_page_bytes)
        if len(fitting) < len(findings.found):
            findings = Findings(list(fitting), fitting[-1].number)
        return Answered(request, findings)


class ThreadReaderActor(ReaderActor, ThreadActor):  # type: ignore[misc]  # (as `ThreadActor`)
    """A reader that may block."""
