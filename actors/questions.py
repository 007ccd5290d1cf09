"""What a client asks of other actors: commands that change nothing in it become requests to whoever knows the answer.

Whether the client may ask is judged here, as far as its role says; the rest is for whom it asks. No effects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from actors.messages import (
    AskFiles,
    ChangeMembers,
    CountPresence,
    CrashRoom,
    KeepPlace,
    ListRooms,
    Moderate,
    ReadAudit,
    ReadBans,
    ReadHistory,
    ReadMembers,
    ReadMessages,
    ReadNames,
    ReadPlaces,
    ReadPresence,
    SearchMessages,
)
from actors.searched import search_of
from chat import errors, limits
from chat.access import is_open_to
from chat.errors import CommandError, bad_request
from chat.log import Keep, MemberChange, Position
from chat.policy import Action, may
from chat.private_rooms import check_private_channel, check_user
from chat.protocol import calls, commands
from chat.sanctions import ruling_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from actors.membership import Membership
    from actors.runtime import ActorRef, Request
    from actors.session import Session
    from actors.shared import Shared
    from chat.identity import Identity
    from chat.log import Author
    from chat.protocol.commands import Command
    from chat.room_classes import RoomClass


class Question(NamedTuple):
    """A request, and to whom it goes."""

    receiver: ActorRef[Any]
    request: Request


class Questions:
    """Those of one client, `ref`. Its session and its memberships are the client's own, as they are at the time."""

    def __init__(
        self,
        ref: ActorRef[Any],
        shared: Shared,
        session: Session,
        author: Author,
        memberships: Mapping[str, Membership],
    ) -> None:
        self._ref = ref
        self._shared = shared
        self._session = session
        self._author = author
        self._memberships = memberships

    def of(self, command: Command, call: Any) -> Question:
        """Return what a command of the kinds below asks, of whom. Raises `CommandError`."""
        return self._questions[type(call)](self, command, call)

    def may_read(self, channel: str) -> bool:
        """Tell whether the client may read a room, in it or not, and so may know what concerns it there.

        A room's bans are known to the room, and to the log.
        """
        if channel in self._memberships:
            return True
        return self._session.may(Action.READ, channel, self._shared.classes.of(channel))

    def _who(self) -> Identity:
        return self._session.identity

    def _class_of(self, channel: str) -> RoomClass:
        membership = self._memberships.get(channel)
        return membership.room_class if membership is not None else self._shared.classes.of(channel)

    def _room_or_rooms(self, channel: str, action: Action) -> ActorRef[Any]:
        """Return whom to ask about a channel. What is not for this client is refused, whether it exists or not."""
        limits.check_channel(channel)
        membership = self._memberships.get(channel)
        if membership is None and not self._session.may(action, channel, self._shared.classes.of(channel)):
            raise CommandError(errors.PERMISSION_DENIED)
        return (membership and membership.room) or self._shared.rooms

    # Rooms.

    def _list_rooms(self, command: Command, call: calls.ListRooms) -> Question:
        if call.query is not None:
            limits.check_query(call.query)
        if not may(self._who().role, Action.LIST_ROOMS):
            raise CommandError(errors.PERMISSION_DENIED)
        most = min(call.limit, limits.MAX_ROOMS_LISTED)
        request = ListRooms(self._ref, command, self._who(), most, call.query or "")
        return Question(self._shared.rooms, request)

    def _create_room(self, command: Command, call: calls.CreateRoom) -> Question:
        check_private_channel(call.channel)
        limits.check_topic(call.topic)
        role, floors = self._who().role_in(call.channel), self._class_of(call.channel).floors
        if not (may(role, Action.CREATE, floors) and may(role, Action.JOIN, floors)):
            raise CommandError(errors.PERMISSION_DENIED)
        return self._change_members(command, "create", call.channel, self._who().user, call.topic)

    def _invite(self, command: Command, call: calls.Invite) -> Question:
        limits.check_channel(call.channel)
        check_user(call.user)
        if not self._session.may(Action.INVITE, call.channel, self._class_of(call.channel)):
            raise CommandError(errors.PERMISSION_DENIED)
        return self._change_members(command, "invite", call.channel, call.user)

    def _change_members(
        self, command: Command, action: Literal["create", "invite", "leave"], channel: str, user: str, topic: str = ""
    ) -> Question:
        change = MemberChange(channel, action, user, self._who().user, self._shared.now_ms())
        return Question(self._shared.invitations, ChangeMembers(self._ref, command, change, self._author, topic))

    def _ask_files(self, command: Command, call: calls.AskFiles) -> Question:
        if self._shared.files is None:
            raise CommandError(errors.NOT_AVAILABLE)
        room = self._room_or_rooms(call.channel, Action.READ)
        return Question(room, AskFiles(self._ref, call.channel, command, self._who()))

    def _crash_room(self, command: Command, call: calls.Chaos) -> Question:
        room = self._room_or_rooms(call.channel, Action.READ)
        return Question(room, CrashRoom(self._ref, call.channel, command, self._who(), call.kind))

    # Who is there.

    def _presence(self, command: Command, request: commands.Presence) -> Question:
        room = self._room_or_rooms(request.channel, Action.SEE_MEMBERS)
        return Question(room, ReadPresence(self._ref, request.channel, command, self._who()))

    def _presence_stats(self, command: Command, request: commands.PresenceStats) -> Question:
        room = self._room_or_rooms(request.channel, Action.SEE_MEMBERS)
        return Question(room, CountPresence(self._ref, request.channel, command, self._who()))

    def _read_members(self, command: Command, call: calls.ReadMembers) -> Question:
        room = self._room_or_rooms(call.channel, Action.SEE_MEMBERS)
        return Question(room, ReadMembers(self._ref, call.channel, command, self._who()))

    def _read_names(self, command: Command, call: calls.ReadNames) -> Question:
        for user in call.users:
            check_user(user)
        return Question(self._shared.clients, ReadNames(self._ref, command, call.users))

    # What was said.

    def _history(self, command: Command, request: commands.History) -> Question:
        room = self._room_or_rooms(request.channel, Action.READ)
        if request.limit < -1:
            raise bad_request("limit must be -1, 0 or more")
        most = self._class_of(request.channel).limits.recovery_window
        limit = most if request.limit == -1 else min(request.limit, most)
        since = Position(request.since.offset, request.since.epoch) if request.since else None
        who = self._who()
        return Question(room, ReadHistory(self._ref, request.channel, command, who, limit, since, request.reverse))

    def _read_messages(self, command: Command, call: calls.ReadMessages) -> Question:
        room = self._room_or_rooms(call.channel, Action.READ)
        if call.before is not None and call.after is not None:
            raise bad_request("before and after exclude each other")
        most = min(call.limit, limits.MAX_MESSAGES)
        who = self._who()
        return Question(room, ReadMessages(self._ref, call.channel, command, who, call.before, call.after, most))

    def search(self, command: Command, call: calls.SearchMessages) -> Question | None:
        """Return what a search asks, None if nothing can be found."""
        if not may(self._who().role_in(call.channel or ""), Action.SEARCH):
            raise CommandError(errors.PERMISSION_DENIED)
        search = search_of(call)
        if search is None:
            return None
        by_token = frozenset(membership.channel for membership in self._memberships.values() if membership.by_token)
        most = min(call.limit, limits.MAX_FOUND)
        now_ms = self._shared.now_ms()
        request = SearchMessages(self._ref, command, self._who(), search, most, by_token, now_ms)
        return Question(self._shared.reader, request)

    # Places.

    def _read_places(self, command: Command, _: calls.ReadPlaces) -> Question:
        request = ReadPlaces(self._ref, "", command, self._who(), self._shared.now_ms())
        return Question(self._shared.reader, request)

    def _keep_place(self, command: Command, call: calls.Placing) -> Question:
        limits.check_channel(call.channel)
        user, leave = self._who().user, isinstance(call, calls.LeaveRoom)
        if not leave and not self.may_read(call.channel):
            raise CommandError(errors.PERMISSION_DENIED)
        if leave and self._shared.private.is_member(call.channel, user):
            return self._change_members(command, "leave", call.channel, user)  # and the place with it
        keep = Keep(
            user=user,
            room=call.channel,
            time_ms=self._shared.now_ms(),
            name=self._author.name,
            read=call.offset if isinstance(call, calls.MarkRead) else None,
            notify=call.on if isinstance(call, calls.SetNotify) else None,
            leave=leave,
        )
        membership = self._memberships.get(call.channel)
        # To leave takes no right, and no room that would be opened for it.
        asked = self._shared.journal if leave else (membership and membership.room) or self._shared.rooms
        return Question(asked, KeepPlace(self._ref, call.channel, command, self._who(), keep, self._shared.clients))

    # Moderation.

    def _moderate(self, command: Command, call: calls.Moderation) -> Question:
        place, identity = self._place(call.channel), self._who()
        ruling = ruling_of(call, identity, self._shared.now_ms())
        return Question(place, Moderate(self._ref, call.channel, command, identity, ruling))

    def _read_bans(self, command: Command, call: calls.ReadBans) -> Question:
        place = self._place(call.channel)
        return Question(place, ReadBans(self._ref, call.channel, command, self._who(), call.after, call.limit))

    def _read_audit(self, command: Command, call: calls.ReadAudit) -> Question:
        place, most = self._place(call.channel), min(call.limit, limits.MAX_MESSAGES)
        return Question(place, ReadAudit(self._ref, call.channel, command, self._who(), call.before, most))

    def _place(self, channel: str) -> ActorRef[Any]:
        """Return who moderates a room, which one need not be in, or all of them."""
        limits.check_channel(channel)
        if not channel:
            return self._shared.clients
        membership, who = self._memberships.get(channel), self._who()
        if membership is None and not is_open_to(who, channel):
            raise CommandError(errors.PERMISSION_DENIED)  # whether it exists or not
        if not may(who.role_in(channel), Action.AUDIT, self._class_of(channel).floors):
            raise CommandError(errors.PERMISSION_DENIED)  # before a room is opened for it
        return self._shared.rooms

    _questions: ClassVar[dict[type, Callable[[Any, Command, Any], Question]]] = {
        commands.Presence: _presence,
        commands.PresenceStats: _presence_stats,
        commands.History: _history,
        calls.ReadMessages: _read_messages,
        calls.ReadPlaces: _read_places,
        calls.MarkRead: _keep_place,
        calls.SetNotify: _keep_place,
        calls.LeaveRoom: _keep_place,
        calls.AskFiles: _ask_files,
        calls.ListRooms: _list_rooms,
        calls.CreateRoom: _create_room,
        calls.Invite: _invite,
        calls.ReadMembers: _read_members,
        calls.ReadNames: _read_names,
        calls.Kick: _moderate,
        calls.Ban: _moderate,
        calls.Unban: _moderate,
        calls.Mute: _moderate,
        calls.Unmute: _moderate,
        calls.ReadBans: _read_bans,
        calls.ReadAudit: _read_audit,
        calls.Chaos: _crash_room,
    }

    kinds: ClassVar = frozenset(_questions)
    """The commands that `of` knows."""
