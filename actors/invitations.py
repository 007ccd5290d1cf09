"""The invitations actor: the one that changes who is a member of which private room.

Clients look into the same `PrivateRooms` on the same thread, so whoever is no member is refused without anything being
asked. A change is judged here, then stored, and then it holds; one is under way at a time, and the next waits. That a
kick or a ban has ended a membership is told by the writer, in the order in which the log has both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from actors.messages import (
    Answered,
    ChangeMembers,
    Done,
    EndSubscription,
    MembershipEnded,
    MembersStored,
    Notify,
    NotifyUser,
    Refused,
    StoreMembers,
    TellUser,
)
from actors.replies import error_of
from actors.runtime import Actor, ActorRef, RequestFailed
from chat.errors import INTERNAL, LIMIT_EXCEEDED, PERMISSION_DENIED, ROOM_EXISTS, UNSUBSCRIBED_LEFT
from chat.log import MemberChange
from chat.protocol.notices import invited_notice, left_notice, notify_notice
from chat.sanctions import unsubscribed

if TYPE_CHECKING:
    from collections.abc import Callable

    from chat.counts import Counts
    from chat.errors import CloseReason
    from chat.private_rooms import PrivateRooms

log = structlog.get_logger()

_EVENTS = {"create": "private_room.created", "invite": "private_room.invited", "leave": "private_room.left"}


class InvitationsActor(Actor):
    """Changes `private`, which is given from outside so that it outlives a crash of this actor."""

    def __init__(
        self,
        private: PrivateRooms,
        journal: ActorRef[Any],
        tell_clients: Callable[[TellUser | NotifyUser], None],
        counts: Counts,
    ) -> None:
        self._private = private
        self._journal = journal
        self._tell_clients = tell_clients
        self._counts = counts
        self._under_way: ChangeMembers | None = None
        self._handlers: dict[type, Callable[[Any], None]] = {
            ChangeMembers: self._change,
            MembersStored: self._stored,
            MembershipEnded: self._ended,
            RequestFailed: self._failed,
            Answered: self._told,
        }

    def on_receive(self, message: Any) -> None:
        """Handle one message; no kind but those above is ever sent here."""
        self._handlers[type(message)](message)

    def on_failure(self, *_: object) -> None:
        """Answer for what is under way. If it is stored, the next incarnation has it hold."""
        if self._under_way is not None:
            self._under_way.sender.tell(Refused(self._under_way, INTERNAL))

    def _change(self, request: ChangeMembers) -> None:
        error = self._private.refusal(request.change)
        if error is not None:
            if error is LIMIT_EXCEEDED:
                limit = "private_rooms" if request.change.action == "create" else "private_room_members"
                self._counts.limits_hit[limit] += 1
            request.sender.tell(Refused(request, error))
            return
        self._under_way = request
        self.hold()
        self._journal.tell(StoreMembers(self.actor_ref, request))

    def _go_on(self) -> None:
        self._under_way = None
        self.release()

    def _stored(self, stored: MembersStored) -> None:
        request = stored.request.request
        self._go_on()
        if not stored.done:
            taken = request.change.action == "create"
            request.sender.tell(Refused(request, ROOM_EXISTS if taken else PERMISSION_DENIED))
            return
        change = request.change
        known = self._private.is_member(change.room, change.user)
        self._hold_true(change)
        if change.action == "leave":
            self._put_out(change.room, change.user, UNSUBSCRIBED_LEFT)
        elif change.action == "invite" and not known:
            self._notify(change.user, invited_notice(change.room, request.author))
        elif change.action == "create":
            self._notify(change.user, notify_notice(change.room, on=True))
        request.sender.tell(Answered(request, Done()))

    def _hold_true(self, change: MemberChange) -> None:
        self._private.apply(change)
        log.info(_EVENTS[change.action], room=change.room, user=change.user, by=change.by)

    def _ended(self, ended: MembershipEnded) -> None:
        ruling = ended.ruling
        if self._private.is_member(ruling.room, ruling.user):
            self._hold_true(MemberChange(ruling.room, "leave", ruling.user, ruling.by, ruling.time_ms))
            self._put_out(ruling.room, ruling.user, unsubscribed(ruling))

    def _put_out(self, channel: str, user: str, reason: CloseReason) -> None:
        """End all subscriptions, also those that are about to begin: they were let in as a member."""
        self._tell_clients(TellUser(self.actor_ref, user, EndSubscription("", channel, reason)))
        self._notify(user, left_notice(channel))

    def _notify(self, user: str, data: bytes) -> None:
        self._tell_clients(NotifyUser(user, Notify(data)))

    def _failed(self, failed: RequestFailed) -> None:
        request = failed.request
        if type(request) is StoreMembers:
            self._go_on()
            request.request.sender.tell(Refused(request.request, error_of(failed.error)))

    def _told(self, _: Answered) -> None:
        """Those who had to know have been told."""
