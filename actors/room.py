"""The room actor: who is here, what was said last, and the forwarding of both.

It orders nothing and stores nothing: the order is the log's, and the room shows what the log says it stored. So it
can crash at any time: its successor reads where the room stands, its members come back with their positions, and
each gets what it missed.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import structlog

from actors.messages import (
    Answered,
    Append,
    AskFiles,
    CatchUp,
    Committed,
    Counted,
    CountPresence,
    Deliver,
    Done,
    Entered,
    Expelled,
    FilesAllowed,
    FindNames,
    FoundNames,
    Join,
    KeepPlace,
    Leave,
    Missed,
    Moderate,
    Notify,
    NotifyUser,
    Open,
    Opened,
    Page,
    People,
    Present,
    Publish,
    ReadAudit,
    ReadBans,
    ReadHistory,
    ReadMembers,
    ReadMessages,
    ReadMissed,
    ReadPresence,
    Record,
    Recorded,
    Refused,
    Remove,
    Removed,
    RemoveHistory,
    Renew,
    Resized,
    SetAway,
    ShowTyping,
    TellSize,
)
from actors.moderation import Moderation
from actors.presence import AwayStates, Member, people
from actors.replies import error_of
from actors.runtime import Actor, ActorRef, RequestFailed, Signal, Terminated
from actors.window import Window
from chat import limits
from chat.channels import PRIVATE_PREFIX, users_of
from chat.errors import (
    BANNED_CLOSE,
    INTERNAL,
    KICKED_CLOSE,
    LIMIT_EXCEEDED,
    NAME_TAKEN,
    NAME_TAKEN_CLOSE,
    NOT_AVAILABLE,
    NOT_FOUND,
    PERMISSION_DENIED,
    UNRECOVERABLE_POSITION,
    UNSUBSCRIBED_NAME_TAKEN,
    CloseReason,
    Error,
)
from chat.identity import NamesHere
from chat.log import Author, Delete, Draft, Edit, Position, React, Topic
from chat.policy import NO_FLOORS, Action, may
from chat.protocol.notices import read_notice, told_notice
from chat.protocol.publications import TYPING_DATA, topic_of
from chat.sanctions import UNSUBSCRIBED_KICKED, Sanctions, muted, unsubscribed
from chat.tokens import Role
from chat.wire import Ephemeral, Event, PresenceChanged, Publications, Published, StatesChanged

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from actors.messages import RoomRequest
    from actors.runtime import Cancellable
    from chat.counts import Counts
    from chat.identity import Identity
    from chat.room_classes import RoomClass

MISSED_PAGE = 1_000
"""Most entries that are read at once for somebody who was away for long."""

SAYING: Final = {
    type(None): Action.SEND,
    Edit: Action.EDIT_OWN,
    Delete: Action.DELETE_OWN,
    React: Action.REACT,
    Topic: Action.SET_TOPIC,
}
"""What it is to publish, by the kind of the change."""

AWAY_TOLD_EVERY_S: Final = 1.0
"""How long what is told of users who look elsewhere, or here again, is collected: it is one event for all of them."""

OPEN_RETRY_S = 0.5
SETTLE_S = 10.0

log = structlog.get_logger()


class _AwayDue(msgspec.Struct, frozen=True):
    """Time to tell who looks elsewhere now, and who here again."""


class _Idle(msgspec.Struct, frozen=True):
    """The room has been empty for long."""


class _Settled(msgspec.Struct, frozen=True):
    """Those who were members before a restart have had the time to come back."""


class _OpenAgain(Signal, frozen=True):
    """The reader could not answer; ask it once more."""

    limit: int


def _follows(items: Sequence[Published], offset: int) -> bool:
    """Tell whether the first of them is the next one: the log may have forgotten it."""
    return bool(items) and items[0].entry.offset == offset + 1


class Around(NamedTuple):
    """Whom a room asks and tells."""

    reader: ActorRef[Any]
    journal: ActorRef[Any]
    rooms: ActorRef[Any]
    clients: ActorRef[Any]
    invitations: ActorRef[Any]


class RoomActor(Actor):
    """One room. It takes requests once it knows where its log stands, and stops when it was empty for a while."""

    def __init__(
        self,
        channel: str,
        around: Around,
        room_class: RoomClass,
        counts: Counts,
        now_ms: Callable[[], int],
    ) -> None:
        self._channel = channel
        self._direct = users_of(channel)
        """Whom the room is for, if it is a direct channel."""
        self._clients = around.clients
        invitations = around.invitations if channel.startswith(PRIVATE_PREFIX) else None
        self._reader = around.reader
        self._journal = around.journal
        self._rooms = around.rooms
        self._class = room_class
        self._limits = room_class.limits
        self._floors = room_class.floors
        """For what is done in the room. Who may enter or look into it was judged before it was asked: a token may."""
        self._counts = counts
        self._members: dict[ActorRef[Any], Member] = {}
        self._names = NamesHere()
        self._moderation = Moderation(self, channel, Sanctions(), around.journal, around.reader, now_ms, invitations)
        self._kicked: set[str] = set()
        """Users kicked while members of an earlier incarnation may not have come back yet."""
        self._reported = (0, "")
        """What the rooms' supervisor knows: how many are here, and what the room is about."""
        self._topic = ""
        self._away = AwayStates()
        self._position = Position(0, "")
        self._window = Window(room_class.limits.recovery_window)
        self._asked: Open | None = None
        """What the reader was last asked. An answer to anything else, an earlier incarnation's say, is out of date."""
        self._loading: list[Join | ReadHistory] = []
        """What waits for the window."""
        self._missing: dict[int, Join] = {}
        """Who waits for entries from before the window, by the identity of the request to read them."""
        self._idle_timer: Cancellable | None = None
        self._changes: deque[PresenceChanged] | None = deque(maxlen=room_class.limits.presence_limit)
        """Who came and went while members of an earlier incarnation may not have come back yet."""
        self._handlers: dict[type, Callable[[Any], None]] = {
            Join: self._join,
            Leave: self._leave,
            Terminated: self._member_ended,
            Publish: self._publish,
            Committed: self._committed,
            CatchUp: self._catch_up,
            Renew: self._renew,
            SetAway: self._set_away,
            _AwayDue: self._tell_states,
            Moderate: self._moderate,
            Recorded: self._recorded,
            ReadBans: self._moderation.read_bans,
            ReadAudit: self._moderation.read_audit,
            ReadMessages: self._read_messages,
            ReadHistory: self._read_history,
            AskFiles: self._ask_files,
            ReadPresence: self._read_presence,
            ReadMembers: self._read_members,
            FoundNames: self._found_names,
            CountPresence: self._count_presence,
            KeepPlace: self._keep_place,
            RemoveHistory: self._remove_history,
            Removed: self._history_removed,
            ShowTyping: self._show_typing,
            Opened: self._opened,
            Missed: self._read_missed,
            _OpenAgain: self._open_again,
            RequestFailed: self._request_failed,
            TellSize: self._tell_size,
            _Settled: self._settled,
            _Idle: self._stop_if_idle,
        }

    def on_start(self) -> None:
        """Ask the log where the room stands. Until it answers, everything else waits in the mailbox."""
        self.after(SETTLE_S, _Settled())
        self._open(0)

    def on_receive(self, message: Any) -> None:
        """Handle one message; no kind but those above is ever sent here."""
        self._handlers[type(message)](message)

    def on_turn_end(self) -> None:
        """Tell the rooms' supervisor how many are here, and what the room is about, once a turn."""
        clients = len(self._members)
        if (clients, self._topic) != self._reported:
            self._reported = clients, self._topic
            self._rooms.tell(Resized(self._channel, clients, self._topic))
        if clients == 0 and self._idle_timer is None:
            self._idle_timer = self.after(self._limits.room_idle_s, _Idle())

    def on_failure(self, *_: object) -> None:
        """Answer for what waited for the log."""
        for request in (*self._loading, *self._missing.values()):
            request.sender.tell(Refused(request, INTERNAL))

    # The log.

    def _open(self, limit: int) -> None:
        self.hold()
        self._asked = Open(self.actor_ref, self._channel, limit)
        self._reader.tell(self._asked)

    def _open_again(self, again: _OpenAgain) -> None:
        self._open(again.limit)

    def _catch_up(self, _: Any = None) -> None:
        self._open(self._limits.recovery_window)

    def _opened(self, opened: Opened) -> None:
        if opened.request is not self._asked:
            return
        first_time = not self._position.epoch
        if not first_time and self._position.epoch != opened.position.epoch:
            self._epoch_changed(opened.position.epoch)
        if first_time:  # what is decided later comes with `Recorded`
            self._moderation.sanctions = Sanctions(opened.in_force)
        unseen = [Published(entry) for entry in opened.tail if entry.offset > self._position.offset]
        if opened.request.limit:
            self._fill(opened, unseen)
        else:
            self._window.begin(opened.position.offset)
        self._position, self._topic = opened.position, opened.topic
        if unseen and not first_time:
            self._deliver(Publications(self._channel, unseen))
        self.release()
        loading, self._loading = self._loading, []
        for request in loading:
            self._handlers[type(request)](request)

    def _fill(self, opened: Opened, unseen: list[Published]) -> None:
        known = self._window.by_offset() | {item.entry.offset: item for item in unseen}
        newest = [known.get(entry.offset) or Published(entry) for entry in opened.tail]
        self._window.fill(newest, is_all=len(opened.tail) < opened.request.limit)

    def _publish(self, publish: Publish) -> None:
        change, role = publish.change, publish.identity.role_in(self._channel)
        floors = self._floors
        if type(change) is Delete and may(role, Action.DELETE_ANY):  # which is not to say anything
            change, floors = Delete(change.target, of_anybody=True), NO_FLOORS
        error = self._refusal(publish, role) if may(role, SAYING[type(change)], floors) else PERMISSION_DENIED
        if error is None and publish.reply > self._position.offset:
            error = NOT_FOUND
        if error is not None:
            publish.sender.tell(Refused(publish, error))
            return
        told = self._told(publish) if self._direct or publish.mentions else ()
        what = publish.key, publish.author, publish.time_ms, publish.data, change, told
        draft = Draft(self._channel, *what, direct=bool(self._direct), files=publish.files)
        self._journal.tell(Append(self.actor_ref, draft, publish))

    def _told(self, publish: Publish) -> tuple[str, ...]:
        """Return who is to be told of what somebody says, wherever they are, if they may read it.

        Whether they may, their client actors know (`ClientActor._may_read`), and the room when it has them told.
        """
        if publish.change is not None:
            return ()
        named = self._direct or publish.mentions
        return tuple(user for user in dict.fromkeys(named) if user != publish.author.user)

    def _refusal(self, publish: Publish, role: Role) -> Error | None:
        """Return what a ban or a mute makes of it."""
        sanctions = self._moderation.sanctions
        user = publish.identity.user
        if user not in sanctions:  # as a rule
            return None
        if sanctions.ban(user, role, publish.time_ms) is not None:
            return PERMISSION_DENIED
        mute = sanctions.mute(user, role, publish.time_ms)
        return muted(mute) if mute is not None and type(publish.change) is not Delete else None

    def _committed(self, committed: Committed) -> None:
        if committed.epoch != self._position.epoch:
            self._epoch_changed(committed.epoch)
        if committed.told:
            self._tell_of(committed)
        head = self._position.offset
        unseen = [Published(entry) for entry in committed.entries if entry.offset > head]
        if not unseen:
            return  # read from the log before this was told, or told again
        if unseen[-1].entry.offset != head + len(unseen):
            self._catch_up()  # somebody else appended; the log has what is between
            return
        self._window.extend(unseen)
        self._position = Position(unseen[-1].entry.offset, committed.epoch)
        for item in unseen:
            topic = topic_of(item.entry.data)
            self._topic = self._topic if topic is None else topic
        self._deliver(Publications(self._channel, unseen))

    def _tell_of(self, committed: Committed) -> None:
        """Have those told whom entries name, and authors that they have a place here now.

        Who is banned here, from whatever role on, is not.
        """
        moderation = self._moderation
        for entry in committed.entries:
            for user in committed.told.get(entry.offset, ()):
                if moderation.sanctions.ban(user, Role.GUEST, moderation.now_ms()) is None:
                    if user == entry.author.user:
                        data = read_notice(self._channel, entry.offset)
                    else:
                        data = told_notice("direct" if self._direct else "mention", self._channel, entry)
                    self._clients.tell(NotifyUser(user, Notify(data, self._channel)))

    def _epoch_changed(self, epoch: str) -> None:
        # Every position that members hold has lost its meaning. A restart sorts that out with each of them.
        raise RuntimeError(f"the log of {self._channel!r} began anew: epoch {self._position.epoch} is now {epoch}")

    def _request_failed(self, failed: RequestFailed) -> None:
        request = failed.request
        if type(request) is Open:
            if request is self._asked:
                self.after(OPEN_RETRY_S, _OpenAgain(request.limit))
        elif type(request) is ReadMissed:
            join = self._missing.pop(id(request), None)
            if join is not None and join.silently:
                self.after(OPEN_RETRY_S, join)
            elif join is not None:
                join.sender.tell(Refused(join, error_of(failed.error)))
        elif type(request) is Append:
            request.publish.sender.tell(Refused(request.publish, error_of(failed.error)))
        elif type(request) is FindNames:
            request.request.sender.tell(Refused(request.request, error_of(failed.error)))
        elif type(request) is Record:
            self._moderation.failed(failed)
        elif type(request) is Remove:
            request.request.sender.tell(Refused(request.request, error_of(failed.error)))

    def _load(self, request: Join | ReadHistory) -> None:
        """Handle a request again when the window is as full as it can be."""
        self._loading.append(request)
        self._catch_up()

    # Members.

    def _join(self, join: Join) -> None:
        if not self._lets_in(join):
            return
        position = join.position
        if position is None or not self._recoverable(position):
            self._enter(join, None, [])
        elif self._window.has(position.offset):
            self._enter(join, position, self._window.after(position.offset))
        elif self._position.offset - position.offset <= self._limits.recovery_window:
            self._load(join)
        else:
            request = ReadMissed(self.actor_ref, self._channel, position.offset, MISSED_PAGE)
            self._missing[id(request)] = join
            self._reader.tell(request)

    def _recoverable(self, position: Position) -> bool:
        behind = self._position.offset - position.offset
        return position.epoch in {"", self._position.epoch} and 0 <= behind <= self._limits.recovery_limit

    def _read_missed(self, missed: Missed) -> None:
        join = self._missing.pop(id(missed.request), None)
        if join is not None:  # else an earlier incarnation asked, and has answered for itself
            if not self._lets_in(join):
                return  # banned meanwhile
            same = missed.position.epoch == self._position.epoch
            self._enter(join, join.position if same else None, [Published(entry) for entry in missed.entries])

    def _lets_in(self, join: Join) -> bool:
        """Tell whether somebody may be here; if not, it is told. A member that has to go is told for good."""
        client, identity = join.sender, join.identity
        allowed = self._allows(join, Action.JOIN)
        if not join.silently:
            self._kicked.discard(identity.user)
        elif not allowed:
            self._put_out_banned(client, Member(join.ticket, join.author, identity))
        elif identity.user in self._kicked:
            client.tell(Refused(join, PERMISSION_DENIED))
            member = Member(join.ticket, join.author, identity)
            self._put_out(client, member, CloseReason(UNSUBSCRIBED_KICKED, "kicked"), KICKED_CLOSE)
            return False
        return allowed

    def _allows(self, request: RoomRequest, action: Action) -> bool:
        """Tell whether somebody may do something; if not, it is told."""
        allowed = self._moderation.allows(request.identity, action)
        if not allowed:
            request.sender.tell(Refused(request, PERMISSION_DENIED))
        return allowed

    def _enter(self, join: Join, resumed: Position | None, following: Sequence[Published]) -> None:
        """Make a client a member that has seen everything up to `resumed`, and gets what follows now.

        Unless the room is full, or its name is somebody else's here. A member that lost track of the room, or that the
        room lost, was let in before.
        """
        client, identity = join.sender, join.identity
        known = self._members.get(client)
        if known is None and not join.silently and self._full():
            self._counts.limits_hit["max_members"] += 1
            client.tell(Refused(join, LIMIT_EXCEEDED))
            return
        if not join.silently and self._names.taken(identity):
            if not identity.vouched:
                client.tell(Refused(join, NAME_TAKEN))
                return
            self._expel_namesakes(identity)
        if known is not None:
            self._names.remove(known.identity)
        self._members[client] = Member(join.ticket, join.author, identity, away=known is not None and known.away)
        self._names.add(identity)
        if known is None:
            self._away.joined(identity.user)
        self._look_at(identity.user)
        self.watch(client)
        self.add_watcher(client)
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None
        client.tell(Answered(join, self._entered(resumed, following)))
        if join.silently:
            for change in self._changes or ():
                client.tell(Deliver(change))
        elif known is None:
            self._tell_presence("join", join.author)

    def _full(self) -> bool:
        most = self._class.max_members
        return most is not None and len(self._members) >= most

    def _expel_namesakes(self, identity: Identity) -> None:
        """Put out those whom nobody vouched for, and who have the name of somebody whom the application vouches for."""
        for client, member in list(self._members.items()):
            if not member.identity.vouched and self._names.alike(identity, member.identity):
                self._put_out(client, member, UNSUBSCRIBED_NAME_TAKEN, NAME_TAKEN_CLOSE)

    def _entered(self, resumed: Position | None, following: Sequence[Published]) -> Entered:
        head = self._position.offset
        if resumed is None or (resumed.offset < head and not _follows(following, resumed.offset)):
            return Entered(self.actor_ref, self._position, recovered=False, missed=[], topic=self._topic)
        missed = limits.fitting(following, lambda item: len(item.entry.data), self._limits.max_page_bytes)
        reached = missed[-1].entry.offset if missed else head
        position = Position(reached, self._position.epoch)
        more = reached < head
        return Entered(self.actor_ref, position, recovered=True, missed=missed, more=more, topic=self._topic)

    def _leave(self, leave: Leave) -> None:
        member = self._members.get(leave.member)
        if member is not None and member.ticket != leave.ticket:
            return  # a later membership of the same client goes on
        if member is not None:
            self._remove(leave.member)
        # Unknown here means that the room restarted and this one did not come back: nobody has heard of it yet.
        self._tell_presence("leave", leave.author)

    def _member_ended(self, ended: Terminated) -> None:
        member = self._members.get(ended.ref)
        if member is not None:
            self._remove(ended.ref)
            self._tell_presence("leave", member.author)

    def _remove(self, client: ActorRef[Any]) -> None:
        identity = self._members.pop(client).identity
        self._names.remove(identity)
        self._look_at(identity.user)
        self.unwatch(client)
        self.remove_watcher(client)

    def _renew(self, renew: Renew) -> None:
        member = self._members.get(renew.member)
        if member is not None and member.ticket == renew.ticket:
            member = self._members[renew.member] = member._replace(identity=renew.identity)
            if not self._moderation.allows(renew.identity, Action.JOIN):
                self._put_out_banned(renew.member, member)

    # Moderation.

    def _moderate(self, moderate: Moderate) -> None:
        user = moderate.ruling.user
        here = [member.identity for member in self._members.values() if member.identity.user == user]
        self._moderation.moderate(moderate, [identity.role_in(self._channel) for identity in here])

    def _recorded(self, recorded: Recorded) -> None:
        ruling = self._moderation.recorded(recorded)
        for client, member in list(self._members.items()):
            if member.identity.user != ruling.user:
                continue
            if ruling.action == "kick":
                self._put_out(client, member, unsubscribed(ruling), KICKED_CLOSE)
            elif not self._moderation.allows(member.identity, Action.JOIN):
                self._put_out_banned(client, member)
        if ruling.action == "kick" and self._changes is not None:
            self._kicked.add(ruling.user)
        self._moderation.answered(recorded)

    def _put_out_banned(self, client: ActorRef[Any], member: Member) -> None:
        identity, moderation = member.identity, self._moderation
        ban = moderation.sanctions.ban(identity.user, identity.role_in(self._channel), moderation.now_ms())
        self._put_out(client, member, unsubscribed(ban), BANNED_CLOSE)

    def _put_out(self, client: ActorRef[Any], member: Member, reason: CloseReason, close: CloseReason) -> None:
        """End a membership, also one that was in before the room restarted."""
        if client in self._members:
            self._remove(client)
        self._tell_presence("leave", member.author)
        client.tell(Expelled(self._channel, member.ticket, reason, close))

    def _stop_if_idle(self, _: _Idle) -> None:
        self._idle_timer = None
        # Nothing can come between this look and the stop: all who send here run on the same thread.
        if not self._members and not self._moderation.recording and not self.actor_ref.waiting():
            self.stop()

    # Forwarding.

    def _deliver(self, event: Event) -> None:
        if type(event) is Publications:
            self._counts.deliveries += len(self._members) * len(event.items)
        deliver = Deliver(event)
        for client in self._members:
            client.tell_in_bulk(deliver)

    def _tell_presence(self, kind: str, author: Author) -> None:
        if self._class.presence and len(self._members) <= self._limits.presence_limit:
            change = PresenceChanged(self._channel, kind, author)
            self._deliver(change)
            if self._changes is not None:
                self._changes.append(change)

    # Who looks elsewhere.

    def _set_away(self, away: SetAway) -> None:
        member = self._members.get(away.member)
        if member is None or member.ticket != away.ticket:
            return
        self._members[away.member] = member._replace(away=away.away)
        user = member.author.user
        # Before the room has settled, its members may have been told something by an earlier incarnation.
        self._away.begin(user, is_known=self._changes is None)
        self._look_at(user)

    def _look_at(self, user: str) -> None:
        """Have it told, when that is due, if a user who has ever been away here is another one now."""
        if self._away.look_at(user):
            self.after(AWAY_TOLD_EVERY_S, _AwayDue())

    def _tell_states(self, _: _AwayDue) -> None:
        news = self._away.news(self._members.values())
        if news and self._class.presence and len(self._members) <= self._limits.presence_limit:
            self._deliver(StatesChanged(self._channel, news))

    def _settled(self, _: _Settled) -> None:
        self._changes = None
        self._kicked.clear()

    def _tell_size(self, _: TellSize) -> None:
        self._reported = (-1, "")  # and so it is told at the end of the turn

    def _show_typing(self, typing: ShowTyping) -> None:
        member = self._members.get(typing.member)
        if member is None or len(self._members) > self._limits.presence_limit or self._is_mute(member.identity):
            return
        deliver = Deliver(Ephemeral(self._channel, TYPING_DATA, typing.author))
        for client in self._members:
            if client is not typing.member:
                client.tell_in_bulk(deliver)

    def _is_mute(self, identity: Identity) -> bool:
        role, moderation = identity.role_in(self._channel), self._moderation
        return moderation.sanctions.mute(identity.user, role, moderation.now_ms()) is not None

    def _keep_place(self, request: KeepPlace) -> None:
        if self._allows(request, Action.READ):
            self._journal.tell(request)

    # Removing history.

    def _remove_history(self, request: RemoveHistory) -> None:
        self._journal.tell(Remove(self.actor_ref, self._channel, self._position.offset, request))

    def _history_removed(self, removed: Removed) -> None:
        remove = removed.request
        self._window.drop(remove.last)
        remove.request.sender.tell(Answered(remove.request, Done()))

    # Questions.

    def _read_messages(self, read: ReadMessages) -> None:
        if self._allows(read, Action.READ):
            self._reader.tell(read)

    def _read_history(self, read: ReadHistory) -> None:
        if not self._allows(read, Action.READ):
            return
        since, head = read.since, self._position.offset
        if since is not None and since.epoch not in {"", self._position.epoch}:
            read.sender.tell(Refused(read, UNRECOVERABLE_POSITION))
            return
        if read.reverse:
            end = min(since.offset - 1, head) if since is not None else head
            start = max(end - read.limit, 0)
        else:
            start = since.offset if since is not None else 0
            end = min(start + read.limit, head)
        if start < end and not self._window.has(start):
            if head - start <= self._limits.recovery_window:
                self._load(read)
            else:
                self._reader.tell(read)
            return
        items = [item for item in self._window.after(start) if item.entry.offset <= end]
        if read.reverse:
            items.reverse()
        fitting = limits.fitting(items, lambda item: len(item.entry.data), self._limits.max_page_bytes)
        read.sender.tell(Answered(read, Page(fitting, self._position)))

    def _ask_files(self, ask: AskFiles) -> None:
        if self._allows(ask, Action.READ):
            role = ask.identity.role_in(self._channel)
            upload = all(may(role, action, self._floors) for action in (Action.SEND, Action.UPLOAD))
            ask.sender.tell(Answered(ask, FilesAllowed(upload)))

    def _read_presence(self, read: ReadPresence) -> None:
        if self._shows_presence(read):
            authors = [member.author for member in self._members.values()]
            read.sender.tell(Answered(read, Present(authors)))

    def _shows_presence(self, read: RoomRequest) -> bool:
        """Tell whether somebody can have a list of who is here; if not, it is told."""
        if not self._allows(read, Action.SEE_MEMBERS):
            return False
        if not self._class.presence:
            read.sender.tell(Refused(read, NOT_AVAILABLE))
            return False
        if len(self._members) > self._limits.presence_limit:
            self._counts.limits_hit["presence_limit"] += 1
            read.sender.tell(Refused(read, LIMIT_EXCEEDED))
            return False
        return True

    def _read_members(self, read: ReadMembers) -> None:
        if not self._shows_presence(read):
            return
        here = {member.author.user for member in self._members.values()}
        absent = [user for user in self._belonging(read) if user not in here]
        if absent:
            self._reader.tell(FindNames(self.actor_ref, self._channel, absent, read))
        else:
            self._tell_members(read, {})

    def _belonging(self, read: ReadMembers) -> Collection[str]:
        """Return who belongs here, whether they are here or not, if that can be said."""
        return self._direct or read.identity.private.members(self._channel)

    def _found_names(self, found: FoundNames) -> None:
        request = found.request.request
        assert isinstance(request, ReadMembers)
        self._tell_members(request, found.names)

    def _tell_members(self, read: ReadMembers, names: Mapping[str, str]) -> None:
        found = people(self._members.values(), self._belonging(read), names)
        read.sender.tell(Answered(read, People(found)))

    def _count_presence(self, count: CountPresence) -> None:
        if not self._allows(count, Action.SEE_MEMBERS):
            return
        if not self._class.presence:
            count.sender.tell(Refused(count, NOT_AVAILABLE))
            return
        users = {member.author.user for member in self._members.values()}
        count.sender.tell(Answered(count, Counted(len(self._members), len(users))))
