"""What a room and the clients' supervisor have in common: they moderate a place, the one a room, the other everywhere.

No actor: it asks, records and answers in the name of the one that it belongs to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import structlog

from actors.messages import Answered, Bans, Done, Record, Refused
from actors.replies import error_of
from chat.errors import PERMISSION_DENIED
from chat.policy import Action, may

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from actors.messages import Moderate, ReadAudit, ReadBans, Recorded
    from actors.runtime import Actor, ActorRef, RequestFailed
    from chat.errors import Error
    from chat.identity import Identity
    from chat.log import Ruling
    from chat.sanctions import Sanctions
    from chat.tokens import Role

MAX_LISTED: Final = 100

_EVENTS: Final = {action: f"moderation.{action}" for action in ("kick", "ban", "unban", "mute", "unmute")}

log = structlog.get_logger()


class Moderation:
    """The bans and mutes of a place, and the way in which they change: first the log has them, then they hold.

    What is under way when its actor crashes comes to the next incarnation, which knows what to do with it.
    """

    def __init__(
        self,
        actor: Actor,
        channel: str,
        sanctions: Sanctions,
        journal: ActorRef[Any],
        reader: ActorRef[Any],
        now_ms: Callable[[], int],
        invitations: ActorRef[Any] | None = None,
    ) -> None:
        self.sanctions = sanctions
        self.now_ms = now_ms
        self.recording: set[int] = set()
        """What this incarnation waits for, by identity."""
        self._actor = actor
        self._channel = channel
        self._journal = journal
        self._reader = reader
        self._invitations = invitations

    def allows(self, identity: Identity, action: Action) -> bool:
        """Tell whether somebody may do something here: their role may, and they are not banned."""
        role = identity.role_in(self._channel)
        return may(role, action) and not (
            self.sanctions and self.sanctions.ban(identity.user, role, self.now_ms()) is not None
        )

    def moderate(self, request: Moderate, here: Iterable[Role]) -> None:
        """Begin with it, or refuse. `here` are the roles of the connections that the user has in this place."""
        identity, ruling = request.identity, request.ruling
        error: Error | None = None
        if not self.allows(identity, Action.AUDIT):  # (the least that a moderator may)
            error = PERMISSION_DENIED
        error = error or self.sanctions.refusal(ruling, here)
        if error is not None:
            request.sender.tell(Refused(request, error))
            return
        record = Record(self._actor.actor_ref, request, self._invitations)
        self.recording.add(id(record))
        self._journal.tell(record)

    def recorded(self, recorded: Recorded) -> Ruling:
        """Have it hold, and return it. Whatever follows from it has to be told before it is `answered`."""
        ruling = recorded.ruling
        self.sanctions.apply(ruling)
        log.info(
            _EVENTS[ruling.action],
            room=ruling.room,
            user=ruling.user,
            by=ruling.by,
            role=ruling.by_role,
            until_ms=ruling.until_ms,
        )
        return ruling

    def answered(self, recorded: Recorded) -> None:
        """Tell the moderator that it holds."""
        self.recording.discard(id(recorded.request))
        request = recorded.request.moderate
        request.sender.tell(Answered(request, Done()))

    def failed(self, failed: RequestFailed) -> None:
        """Tell the moderator that it could not be recorded, and so does not hold."""
        record = failed.request
        assert isinstance(record, Record)
        self.recording.discard(id(record))
        request = record.moderate
        request.sender.tell(Refused(request, error_of(failed.error)))

    def read_bans(self, read: ReadBans) -> None:
        """Answer what is in force, to those who may know."""
        if self.allows(read.identity, Action.AUDIT):
            found = self.sanctions.listed(self.now_ms(), read.after, min(read.limit, MAX_LISTED))
            read.sender.tell(Answered(read, Bans(found)))
        else:
            read.sender.tell(Refused(read, PERMISSION_DENIED))

    def read_audit(self, read: ReadAudit) -> None:
        """Pass it on to the reader, for those who may know."""
        if self.allows(read.identity, Action.AUDIT):
            self._reader.tell(read)
        else:
            read.sender.tell(Refused(read, PERMISSION_DENIED))
