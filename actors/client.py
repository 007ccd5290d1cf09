"""The client actor: one connection. It speaks the protocol to one side and to the rooms on the other.

It decides what its connection may do, and answers every command once. It keeps nothing that outlives the connection: if
it crashes, only its socket closes, and the SDK comes back.
"""

from __future__ import annotations

import math
import random
import sys
import uuid
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
import structlog

from actors.membership import Gap, Membership
from actors.messages import (
    Answered,
    BeginSubscription,
    ChangeMembers,
    CheckBan,
    CloseConnection,
    Connected,
    Deliver,
    Drain,
    EndSubscription,
    Entered,
    Expelled,
    FilesAllowed,
    Join,
    Leave,
    Notify,
    Places,
    Publish,
    Receive,
    Refreshed,
    Refused,
    Reject,
    SetAway,
    ShowTyping,
    TellConnected,
)
from actors.questions import Questions
from actors.replies import entered_result, error_of, is_by_server, rejects_unrecoverable, result_of
from actors.runtime import Actor, ActorRef, RequestFailed, Restarted, Terminated
from actors.said import said
from actors.session import Opening, Session, author_in, expiring, refreshed, sub_refreshed
from chat import errors, limits
from chat.access import can_be_let_into
from chat.errors import CommandError, Disconnect, bad_request
from chat.files import KEY_LASTS_S, Access
from chat.log import Position, Topic
from chat.policy import Action, may
from chat.protocol import calls, commands, methods, publications, results
from chat.rates import kind_of
from chat.wire import Ephemeral, Publications

if TYPE_CHECKING:
    from collections.abc import Callable

    from actors.messages import Transport
    from actors.questions import Question
    from actors.runtime import Request
    from actors.said import Saying
    from actors.shared import Shared
    from chat.errors import CloseReason, Error
    from chat.identity import Identity
    from chat.log import Author
    from chat.protocol.commands import Command
    from chat.protocol.results import Result
    from chat.rates import Kind, Rates
    from chat.room_classes import RoomClass
    from chat.wire import Wire

CATCH_UP_S = 0.05
"""How long to wait for a peer to take what it got, before it gets more of what it missed."""

log = structlog.get_logger()


class _PingDue(msgspec.Struct, frozen=True):
    """Time to ping."""


class _PongDue(msgspec.Struct, frozen=True):
    """The pong should have come by now."""


class _CatchUp(msgspec.Struct, frozen=True):
    """Time to ask for more of what was missed, if the peer has taken what it got."""

    channel: str


class _ConnectDue(msgspec.Struct, frozen=True):
    """The client should have introduced itself by now."""


class _Expired(msgspec.Struct, frozen=True):
    """The connection was to last until then, and the time to bring another token is over as well."""

    expires_at: float


class _SubscriptionExpired(msgspec.Struct, frozen=True):
    """The same for the token of a subscription."""

    channel: str
    ticket: int
    expires_at: float


class ClientActor(Actor):
    """One connection. Temporary: it is never restarted."""

    def __init__(self, wire: Wire, transport: Transport, shared: Shared) -> None:
        self._wire = wire
        self._transport = transport
        self._shared = shared
        self._limits = shared.limits
        self._id = str(uuid.uuid4())
        self._opening: Opening | None = None
        """Between connect and its reply. Nothing may come before that, so what is due to the socket waits."""
        self._session: Session | None = None
        self._author: Author | None = None
        self._questions: Questions | None = None
        self._memberships: dict[str, Membership] = {}
        self._hears_notices = True
        """Whether the client has not left its personal channel, in which it is from the start."""
        self._put_out: set[str] = set()
        """Channels whose subscription the server ended; as many as there can be subscriptions."""
        self._tickets = count(1)
        self._pending = 0
        self._asked: dict[int, Request] = {}
        """The requests that are not answered yet, by identity."""
        self._out: tuple[bytes, ...] = ()
        """What is due to the socket. A tuple, since nearly always it is an event's own, as it is."""
        self._turned_away = False
        self._closed = False
        self._pong_expected = False
        self._away: bool | None = None
        """Whether whoever sits here looks elsewhere; None if that was never said."""
        self._draining: CloseReason | None = None
        self._log = log.bind(client=self._id)

    def on_start(self) -> None:
        """Begin with what opening the connection stands for, and with a deadline for the rest."""
        self.after(self._limits.connect_timeout_s, _ConnectDue())
        for command in self._wire.opening():
            self._handle(command)

    def on_receive(self, message: Any) -> None:
        """Handle one message; no kind but those above is ever sent here."""
        self._handlers[type(message)](self, message)

    def on_turn_end(self) -> None:
        """Send what the turn added up to, in as few frames as the wire can."""
        if self._out and self._opening is None:
            self._flush()
        if self._draining is not None and self._pending == 0:
            self._close(self._draining)

    def on_stop(self) -> None:
        """Leave the rooms. What waited to be said is said, even by one who hung up at once."""
        for membership in list(self._memberships.values()):
            if membership.room is None:
                membership.room = self._shared.rooms  # it comes to the room behind the request to enter
                self._do_waiting(membership)
            else:
                self._leave(membership.channel)
        self._log.info("client.disconnected")

    def on_failure(self, *_: object) -> None:
        """Close the socket; the rooms notice by themselves."""
        self._transport.close(errors.INTERNAL_CLOSE)

    # The socket.

    def _receive(self, receive: Receive) -> None:
        for command in receive.commands:
            self._handle(command)

    def _handle(self, command: Command) -> None:
        # While draining it is not taken, and so not acknowledged: it will be sent again.
        if self._draining is None and (self._shared.rates is None or self._is_in_time(command, self._shared.rates)):
            self._do(command)

    def _is_in_time(self, command: Command, rates: Rates) -> bool:
        kind = kind_of(command.request)
        if self._session is None or self._turned_away or kind is None:
            return True  # `_do` knows what becomes of it
        if self._take(rates, kind, self._session.identity.user):
            return True
        self._reply_error(command, errors.TOO_MANY_REQUESTS)
        if not rates.refused(self._id, self.now()):
            self._turn_away(errors.TOO_MANY_ERRORS)
        return False

    def _take(self, rates: Rates, kind: Kind, user: str) -> bool:
        if rates.take(kind, self._id, user, self._transport.address, self.now()):
            return True
        self._shared.counts.limits_hit[f"rate_{kind}"] += 1
        return False

    def _do(self, command: Command) -> None:
        if self._turned_away:
            return
        kind = type(command.request)
        try:
            if self._author is None and kind is not commands.Connect:
                self._wait_for_reply(command)
            else:
                self._commands[kind](self, command, command.request)
        except CommandError as failure:
            if kind is commands.Connect:
                self._deny(command, failure.error)
            else:
                self._reply_error(command, failure.error)
        except Disconnect as failure:
            self._turn_away(failure.reason)

    def _wait_for_reply(self, command: Command) -> None:
        if self._opening is None:
            raise Disconnect(errors.BAD_REQUEST_CLOSE)
        self._opening.wait(command, self._limits.max_pending)

    def _deny(self, command: Command, error: Error) -> None:
        self._log.info("client.denied", code=error.code, reason=error.message)
        self._turned_away, self._opening, self._out = True, None, ()
        for channel in list(self._memberships):
            self._leave(channel)
        self._reply_error(command, error)

    def _turn_away(self, reason: CloseReason) -> None:
        self._turned_away = True
        self._close(reason)

    def _reject(self, reject: Reject) -> None:
        if reject.reason.code == errors.MESSAGE_TOO_BIG.code:  # (the library's own words for it, as a rule)
            self._shared.counts.limits_hit["max_frame_bytes"] += 1
        self._turn_away(reject.reason)

    def _reply(self, command: Command, result: Result) -> None:
        self._put(self._wire.reply(command, result))

    def _reply_error(self, command: Command, error: Error) -> None:
        self._put(self._wire.error(command, error))

    def _put(self, part: bytes | None) -> None:
        if part is not None:
            self._out += (part,)

    def _flush(self) -> None:
        frames, self._out = self._out, ()
        if not self._transport.send(frames):
            self._shared.counts.limits_hit["max_backlog_bytes"] += 1
            self._close(errors.SLOW)

    def _close(self, reason: CloseReason) -> None:
        if self._closed:
            return
        self._closed = True
        self._shared.counts.closes[reason.code] += 1
        if self._out and self._opening is None:
            self._flush()
        self._transport.close(reason)
        self._log.info("client.closed", code=reason.code, reason=reason.reason)
        self.stop()

    def _drain(self, drain: Drain) -> None:
        self._draining = drain.reason  # on_turn_end closes when nothing is pending

    # Connect, ping, pong.

    def _connect(self, command: Command, request: commands.Connect) -> None:
        if self._author is not None or self._opening is not None:
            raise Disconnect(errors.BAD_REQUEST_CLOSE)
        data = commands.decode_connect_data(request.data)
        identity, guest = self._shared.door.admit(request.token, data.name, data.guest, self._now_s())
        vouched = identity.vouched or self._wire.vouches
        identity = msgspec.structs.replace(identity, vouched=vouched, private=self._shared.private)
        if self._is_banned(identity):
            self._shared.counts.auth_failures["banned"] += 1
            raise Disconnect(errors.BANNED_CLOSE)
        opening = Opening(self._id, identity, guest, command, request)
        opening.check(self._limits.max_channels)
        if not self._transport.identify(identity.user):
            raise Disconnect(errors.CONNECTION_LIMIT)
        self._log = self._log.bind(user=identity.user)
        self._session, self._opening = Session(self._shared.door, identity), opening
        for channel, chan_info in opening.channels.items():
            if not can_be_let_into(identity.user, channel):
                opening.shut.add(channel)
                continue
            self._subscribe_by_server(channel, author_in(opening.author, chan_info), opening.position(channel))
        if opening.complete:
            self._opened(opening)

    def _opened(self, opening: Opening) -> None:
        """Reply to connect, before everything that came from the rooms meanwhile."""
        self._opening, self._author = None, opening.author
        self._questions = Questions(self.actor_ref, self._shared, self._whose(), opening.author, self._memberships)
        self._log.info("client.connected", address=self._transport.address)
        self._shared.counts.connections += 1
        self._tell_connected()
        interval = math.ceil(self._limits.ping_interval_s)
        early, self._out = self._out, ()
        self._reply(opening.command, opening.result(self._shared.version, interval, self._now_s()))
        self._out += early
        self._watch_expiry()
        if self._wire.pings:
            # Clients that come at once, after a restart say, are not pinged at once.
            self.after(interval * random.uniform(0.5, 1), _PingDue())  # noqa: S311
        for command in opening.waiting:
            self._do(command)

    def _now_s(self) -> float:
        return self._shared.now_ms() / 1000

    def _asks(self) -> Questions:
        assert self._questions is not None  # nothing but connect is handled before it is set
        return self._questions

    def _whose(self) -> Session:
        assert self._session is not None  # it is known from connect on
        return self._session

    def _who(self) -> Identity:
        return self._whose().identity

    def _renew(self, membership: Membership) -> None:
        """Tell a room, unless it is still being entered, if this user's role there is another one now."""
        before, membership.identity = membership.identity, self._who()
        changed = before.role_in(membership.channel) is not membership.identity.role_in(membership.channel)
        if changed and membership.room is not None:
            membership.room.tell(membership.renew())

    def _renew_since(self, join: Join, membership: Membership) -> None:
        """Tell a room that was just entered what came of the role meanwhile."""
        membership.identity = join.identity
        self._renew(membership)

    def _is_banned(self, identity: Identity) -> bool:
        banned = self._shared.banned
        return identity.user in banned and banned.ban(identity.user, identity.role, self._shared.now_ms()) is not None

    def _check_ban(self, _: CheckBan | None = None) -> None:
        if self._session is not None and self._is_banned(self._who()):
            self._turn_away(errors.BANNED_CLOSE)

    def _refresh(self, command: Command, request: commands.Refresh) -> None:
        now_s = self._now_s()
        expires_at = self._whose().refresh(request.token, now_s)
        if self._is_banned(self._who()):
            raise Disconnect(errors.BANNED_CLOSE)
        for membership in self._memberships.values():
            self._renew(membership)
        self._watch_expiry()
        self._reply(command, refreshed(self._id, self._shared.version, expires_at, now_s))
        for membership in list(self._memberships.values()):
            channel = membership.channel
            if not membership.by_token and not self._whose().may(Action.JOIN, channel, membership.room_class):
                self._leave(channel)
                denied = errors.UNSUBSCRIBED_PERMISSION_DENIED
                self._put(self._wire.unsubscribed(channel, denied.code, denied.reason))

    def _refreshed(self, refreshed: Refreshed) -> None:
        if refreshed.client in {"", self._id}:
            self._whose().expires_at = refreshed.expire_at or None
            self._watch_expiry()

    def _watch_expiry(self) -> None:
        expires_at = self._whose().expires_at
        if expires_at is not None:
            self._after_grace(expires_at, _Expired(expires_at))

    def _after_grace(self, expires_at: float, due: _Expired | _SubscriptionExpired) -> None:
        self.after(max(expires_at - self._now_s() + self._limits.token_grace_s, 0.0), due)

    def _expired(self, expired: _Expired) -> None:
        if self._whose().expires_at == expired.expires_at:
            self._turn_away(errors.EXPIRED)

    def _sub_refresh(self, command: Command, request: commands.SubRefresh) -> None:
        membership = self._membership(request.channel)
        if not request.token:
            raise bad_request("token is missing")
        permit = self._whose().permit(request.channel, request.token, membership.room_class, self._now_s())
        membership.expires_at = permit.expires_at
        self._watch_subscription(membership)
        self._reply(command, sub_refreshed(membership.expires_at, self._now_s()))

    def _watch_subscription(self, membership: Membership) -> None:
        expires_at = membership.expires_at
        if expires_at is not None:
            self._after_grace(expires_at, _SubscriptionExpired(membership.channel, membership.ticket, expires_at))

    def _subscription_expired(self, expired: _SubscriptionExpired) -> None:
        membership = self._memberships.get(expired.channel)
        if membership is not None and (membership.ticket, membership.expires_at) == (
            expired.ticket,
            expired.expires_at,
        ):
            self._leave(expired.channel)
            self._tell_unsubscribed(membership, errors.UNSUBSCRIBED_EXPIRED, errors.EXPIRED)

    def _tell_connected(self, _: TellConnected | None = None) -> None:
        if self._author is not None:
            self._shared.clients.tell(Connected(self.actor_ref, self._author.user, self._author.name))

    def _check_connected(self, _: _ConnectDue) -> None:
        if self._opening is not None:
            self._turn_away(errors.INTERNAL_CLOSE)  # a room that its token names does not answer
        elif self._author is None:
            self._turn_away(errors.STALE)

    def _ping(self, _: _PingDue) -> None:
        self._put(self._wire.ping())
        self._pong_expected = True
        self.after(self._limits.pong_timeout_s, _PongDue())
        self.after(math.ceil(self._limits.ping_interval_s), _PingDue())

    def _pong(self, _: Command, __: commands.Pong) -> None:
        if not self._pong_expected:
            raise Disconnect(errors.BAD_REQUEST_CLOSE)
        self._pong_expected = False

    def _check_pong(self, _: _PongDue) -> None:
        if self._pong_expected:
            self._turn_away(errors.NO_PONG)

    # Commands.

    def _me(self) -> Author:
        assert self._author is not None  # nothing but connect is handled before it is set
        return self._author

    def _ask(self, receiver: ActorRef[Any], request: Request) -> None:
        self._pending += 1
        self._asked[id(request)] = request
        receiver.tell(request)

    def _question(self, command: Command, call: Any) -> None:
        self._put_question(self._asks().of(command, call))

    def _put_question(self, question: Question) -> None:
        self._check_pending()
        self._ask(question.receiver, question.request)

    def _check_pending(self) -> None:
        if self._pending >= self._limits.max_pending:
            self._shared.counts.limits_hit["max_pending"] += 1
            raise CommandError(errors.TOO_MANY_REQUESTS)

    def _membership(self, channel: str) -> Membership:
        membership = self._memberships.get(channel)
        if membership is None:
            # Who was put out by the room's trouble is about to come back, and may try again then.
            raise CommandError(errors.INTERNAL if channel in self._put_out else errors.PERMISSION_DENIED)
        return membership

    def _when_entered(self, membership: Membership, command: Command) -> None:
        self._pending += 1
        membership.waiting.append(command)

    def _do_waiting(self, membership: Membership) -> None:
        waiting, membership.waiting = membership.waiting, []
        self._pending -= len(waiting)
        for command in waiting:
            self._do(command)

    def _subscribe(self, command: Command, request: commands.Subscribe) -> None:
        if request.type:
            raise CommandError(errors.NOT_AVAILABLE)
        if bytes(request.tf):
            raise bad_request("tag filters are not supported")
        limits.check_channel(request.channel)
        if request.channel in self._memberships or self._is_mine(request.channel):
            raise CommandError(errors.ALREADY_SUBSCRIBED)
        if limits.is_personal(request.channel):
            raise CommandError(errors.PERMISSION_DENIED)  # whatever a token says
        if len(self._memberships) >= self._limits.max_channels:
            self._shared.counts.limits_hit["max_channels"] += 1
            raise CommandError(errors.LIMIT_EXCEEDED)
        self._check_pending()
        room_class = self._shared.classes.of(request.channel)
        permit = self._whose().permit(request.channel, request.token, room_class, self._now_s())
        author = author_in(self._me(), permit.chan_info)
        membership = self._new_membership(request.channel, author, command, room_class)
        membership.expires_at, membership.by_token = permit.expires_at, bool(request.token)
        position = Position(request.offset, request.epoch) if request.recover else None
        self._ask(self._shared.rooms, membership.join(position))

    def _new_membership(self, channel: str, author: Author, command: Command, room_class: RoomClass) -> Membership:
        channel = sys.intern(channel)  # the room's own name, too, so that events are found by identity
        ticket = next(self._tickets)
        membership = Membership(self.actor_ref, self._who(), author, channel, ticket, command, room_class)
        self._memberships[channel] = membership
        self._put_out.discard(channel)
        return membership

    def _is_mine(self, channel: str) -> bool:
        return channel == limits.personal_channel(self._me().user)

    def _unsubscribe(self, command: Command, request: commands.Unsubscribe) -> None:
        if self._is_mine(request.channel):
            self._hears_notices = False
        self._put_out.discard(request.channel)
        self._leave(request.channel)
        self._reply(command, results.Empty())

    def _leave(self, channel: str) -> None:
        membership = self._memberships.pop(channel, None)
        if membership is None:
            return
        if membership.room is not None:
            membership.room.tell(membership.leave())
        # One that is still being entered is left when the room has answered. What waited for it is refused.
        self._do_waiting(membership)

    def _rpc(self, command: Command, request: commands.Rpc) -> None:
        call = methods.decode_rpc(request, chaos=self._shared.chaos)
        if call is None:
            raise CommandError(errors.METHOD_NOT_FOUND)
        self._commands[type(call)](self, command, call)

    def _say(self, command: Command, request: Saying) -> None:
        membership = self._membership(request.channel)
        now = self._shared.now_ms()
        what = said(request, membership.room_class.limits, now)
        self._check_pending()
        if membership.room is None:
            self._when_entered(membership, command)
        else:
            channel, who = membership.channel, (membership.identity, what.key, membership.author)
            said_now = what.data, now, what.change
            publish = Publish(
                self.actor_ref,
                channel,
                command,
                *who,
                *said_now,
                reply=what.reply,
                mentions=what.mentions,
                files=what.files,
            )
            self._ask(membership.room, publish)

    def _typing(self, command: Command, call: calls.Typing) -> None:
        membership = self._membership(call.channel)
        if not may(self._who().role_in(call.channel), Action.TYPE, membership.room_class.floors):
            raise CommandError(errors.PERMISSION_DENIED)  # here, since the room does not answer
        now = self.now()
        if membership.room is not None and now - membership.typed_at >= self._limits.typing_interval_s:
            membership.typed_at = now
            membership.room.tell(ShowTyping(self.actor_ref, membership.author))
        self._reply(command, results.RpcResult(results.Empty()))

    def _list_rooms(self, command: Command, call: calls.ListRooms) -> None:
        question = self._asks().of(command, call)
        rates = self._shared.rates
        if call.query is not None and rates is not None and not self._take(rates, "search", self._who().user):
            raise CommandError(errors.TOO_MANY_REQUESTS)  # to look for a room is a search
        self._put_question(question)

    def _search(self, command: Command, call: calls.SearchMessages) -> None:
        question = self._asks().search(command, call)
        if question is None:
            self._reply(command, results.RpcResult(results.SearchResult([])))
        else:
            self._put_question(question)

    def _say_first_topic(self, made: ChangeMembers) -> None:
        """Say what a room that was just made is about. Its maker need not be in it yet."""
        channel, now = made.change.room, self._shared.now_ms()
        data, topic = publications.topic_data(made.topic, now), Topic(made.topic)
        who = (self._who(), "", made.author)
        self._ask(self._shared.rooms, Publish(self.actor_ref, channel, made.command, *who, data, now, topic))

    def _set_away(self, command: Command, call: calls.SetAway) -> None:
        if call.on is not self._away:
            self._away = call.on
            for membership in self._memberships.values():
                self._tell_away(membership)
        self._reply(command, results.RpcResult(results.Empty()))

    def _tell_away(self, membership: Membership) -> None:
        """Tell a room whether whoever sits here looks elsewhere, if that was ever said and the room is entered."""
        if self._away is not None and membership.room is not None:
            membership.room.tell(SetAway(self.actor_ref, membership.ticket, self._away))

    def _key_of_files(self, channel: str, *, upload: bool) -> results.RpcResult:
        assert self._shared.files is not None  # else nobody is asked
        files, expires_s = self._shared.files, int(self._now_s()) + KEY_LASTS_S
        key = files.keys.make(Access(self._who().user, channel, expires_s, upload))
        return results.RpcResult(results.FilesResult(key, KEY_LASTS_S, upload, files.limits.max_file_bytes))

    def _send(self, _: Command, __: commands.Send) -> None:
        raise Disconnect(errors.NOT_AVAILABLE_CLOSE)

    def _unavailable(self, _: Command, __: commands.Unavailable) -> None:
        raise CommandError(errors.NOT_AVAILABLE)

    # Answers.

    def _settle(self, request: Request) -> bool:
        """Take note of an answer. False if there was one before: a room may crash on what it has answered already."""
        first = self._asked.pop(id(request), None) is not None
        self._pending -= first
        return first

    def _answered(self, answered: Answered) -> None:
        request, answer = answered.request, answered.result
        if not self._settle(request):
            if isinstance(answer, Entered) and not request.silently:
                answer.room.tell(Leave(self.actor_ref, request.ticket, request.author))  # its failure was told first
        elif isinstance(answer, Entered):
            self._entered(request, answer)
        elif type(request) is ChangeMembers and request.topic:
            self._say_first_topic(request)
        elif isinstance(answer, FilesAllowed):
            self._reply(request.command, self._key_of_files(request.channel, upload=answer.upload))
        else:
            if isinstance(answer, Places):
                readable = [place for place in answer.places if self._asks().may_read(place.room)]
                answer = msgspec.structs.replace(answer, places=readable)
            self._reply(request.command, result_of(request.command, answer))

    def _entered(self, join: Join, entered: Entered) -> None:
        membership = self._memberships.get(join.channel)
        if membership is None or membership.ticket != join.ticket:  # left meanwhile
            entered.room.tell(Leave(self.actor_ref, join.ticket, join.author))
            if not join.silently and not is_by_server(join.command):
                self._reply(join.command, entered_result(join, entered))
        elif join.silently:
            self._renew_since(join, membership)
            self._tell_away(membership)
            if not entered.recovered:
                self._end_subscription(join.channel)
                return
            if entered.missed:
                self._show(Publications(join.channel, entered.missed), membership)
            self._go_on(membership, more=entered.more)
        else:
            membership.entered(entered)
            self._renew_since(join, membership)
            if self._away:
                self._tell_away(membership)
            if join.position is not None and not entered.recovered and rejects_unrecoverable(join.command):
                self._leave(join.channel)
                self._reply_error(join.command, errors.UNRECOVERABLE_POSITION)
                return
            if is_by_server(join.command):
                self._entered_by_server(join, entered)
            else:
                result = entered_result(join, entered)
                self._reply(join.command, expiring(result, membership.expires_at, self._now_s()))
                self._watch_subscription(membership)
            self._do_waiting(membership)
            self._go_on(membership, more=entered.more)
            if self._opening is not None and self._opening.complete:
                self._opened(self._opening)

    def _entered_by_server(self, join: Join, entered: Entered) -> None:
        request, result = join.command.request, entered_result(join, entered)
        assert isinstance(request, commands.SubscribeByServer)  # see `is_by_server`
        if self._opening is not None:
            self._opening.entered[join.channel] = result  # the reply to connect tells it
            return
        self._put(self._wire.subscribed(request, result))
        if entered.missed:
            self._out += self._wire.event(Publications(join.channel, entered.missed), self._id)

    def _go_on(self, membership: Membership, *, more: bool) -> None:
        membership.behind = more
        if more:
            self._catch_up(_CatchUp(membership.channel))

    def _catch_up(self, due: _CatchUp) -> None:
        membership = self._memberships.get(due.channel)
        if membership is None or not membership.behind:
            return  # left meanwhile
        if self._out and self._opening is None:
            self._flush()  # it counts as well
        if self._transport.backlog_bytes() > self._limits.max_backlog_bytes // 4:
            self.after(CATCH_UP_S, due)
        else:
            self._join_again(membership)

    def _end_subscription(self, channel: str) -> None:
        if len(self._put_out) < self._limits.max_channels:
            self._put_out.add(channel)
        membership = self._memberships[channel]
        self._leave(channel)
        self._tell_unsubscribed(membership, errors.UNSUBSCRIBED_INSUFFICIENT_STATE, errors.INSUFFICIENT_STATE)

    def _tell_unsubscribed(self, membership: Membership, reason: CloseReason, close: CloseReason) -> None:
        """Tell the client that a subscription ended, by closing the connection if it could not subscribe again.

        Who is kicked or banned is not to come back like that.
        """
        put_out = close in {errors.KICKED_CLOSE, errors.BANNED_CLOSE}
        if self._wire.resubscribes and (put_out or not is_by_server(membership.command)):
            self._put(self._wire.unsubscribed(membership.channel, reason.code, reason.reason))
        else:
            self._close(close)

    def _expelled(self, expelled: Expelled) -> None:
        membership = self._memberships.get(expelled.channel)
        if membership is not None and membership.ticket == expelled.ticket:
            del self._memberships[expelled.channel]  # there is nothing to leave
            self._do_waiting(membership)
            self._tell_unsubscribed(membership, expelled.reason, expelled.close)

    def _refused(self, refused: Refused) -> None:
        if self._settle(refused.request):
            self._fail(refused.request, refused.error)

    def _request_failed(self, failed: RequestFailed) -> None:
        if self._settle(failed.request):
            self._fail(failed.request, error_of(failed.error))

    def _fail(self, request: Any, error: Error) -> None:
        if type(request) is Join:
            membership = self._memberships.get(request.channel)
            current = membership is not None and membership.ticket == request.ticket
            if request.silently:
                # After a crash on it, `Restarted` or `Terminated` follows; after a full mailbox nothing does.
                if current and error is errors.TOO_MANY_REQUESTS:
                    self._end_subscription(request.channel)
                return
            if is_by_server(request.command):
                if self._opening is not None:
                    if error is not errors.PERMISSION_DENIED:
                        self._deny(self._opening.command, error)
                        return
                    self._opening.shut.add(request.channel)  # who is banned from one room comes into the others
                self._log.warning("client.not_subscribed", room=request.channel, code=error.code)
            else:
                self._reply_error(request.command, error)
            if current:
                self._leave(request.channel)
                if not self._wire.resubscribes:
                    self._close(errors.INSUFFICIENT_STATE)
            if self._opening is not None and self._opening.complete:
                self._opened(self._opening)
        else:
            self._reply_error(request.command, error)

    # What the server wants of the connection.

    def _close_connection(self, close: CloseConnection) -> None:
        if close.client in {"", self._id} and self._id not in close.spared:
            self._turn_away(close.reason)

    def _begin_subscription(self, begin: BeginSubscription) -> None:
        if begin.client not in {"", self._id} or not self._wire.resubscribes:
            return  # (plain text has one room)
        if self._closed or begin.channel in self._memberships:
            return
        if len(self._memberships) >= self._limits.max_channels:
            self._shared.counts.limits_hit["max_channels"] += 1
            self._log.warning("client.not_subscribed", room=begin.channel, code=errors.LIMIT_EXCEEDED.code)
            return
        self._subscribe_by_server(begin.channel, self._me(), begin.position, begin.data)

    def _subscribe_by_server(self, channel: str, author: Author, position: Position | None, data: bytes = b"") -> None:
        command = commands.Command(0, commands.SubscribeByServer(channel, msgspec.Raw(data)))
        membership = self._new_membership(channel, author, command, self._shared.classes.of(channel))
        membership.by_token = True
        self._ask(self._shared.rooms, membership.join(position))

    def _unsubscribe_by_server(self, end: EndSubscription) -> None:
        if end.client not in {"", self._id} or end.channel not in self._memberships:
            return
        self._leave(end.channel)
        if self._wire.resubscribes:
            self._put(self._wire.unsubscribed(end.channel, end.reason.code, end.reason.reason))
        else:
            self._turn_away(errors.FORCE_DISCONNECT)  # it has no other room to be in

    def _notify(self, notify: Notify) -> None:
        if self._hears_notices and (not notify.room or self._asks().may_read(notify.room)):
            event = Ephemeral(limits.personal_channel(self._me().user), notify.data, None)
            self._out += self._wire.event(event, self._id)

    # Rooms.

    def _deliver(self, deliver: Deliver) -> None:
        event = deliver.event
        membership = self._memberships.get(event.channel)
        if membership is None or membership.room is None:
            return  # left, or not in yet: what is missing comes with the answer
        if type(event) is not Publications or membership.follows(event):
            self._out += self._wire.event(event, self._id)
        else:
            self._show(event, membership)

    def _show(self, event: Publications, membership: Membership) -> None:
        unseen = membership.unseen(event)
        if unseen is Gap.GAP:
            if not membership.behind:
                self._join_again(membership)
        elif unseen is not None:
            self._out += self._wire.event(unseen, self._id)

    def _join_again(self, membership: Membership) -> None:
        assert membership.room is not None  # it is in, or it would not have lost anything
        membership.behind = True
        self._ask(membership.room, membership.join_again())

    def _room_restarted(self, restarted: Restarted) -> None:
        membership = self._memberships.get(restarted.ref.name)
        if membership is not None and membership.room is restarted.ref:
            self._join_again(membership)

    def _room_ended(self, ended: Terminated) -> None:
        membership = self._memberships.get(ended.ref.name)
        if membership is not None and membership.room is ended.ref:
            self._end_subscription(ended.ref.name)

    _handlers: ClassVar[dict[type, Callable[[Any, Any], None]]] = {
        Receive: _receive,
        Deliver: _deliver,
        Answered: _answered,
        Refused: _refused,
        RequestFailed: _request_failed,
        Restarted: _room_restarted,
        Terminated: _room_ended,
        Reject: _reject,
        Drain: _drain,
        Expelled: _expelled,
        CheckBan: _check_ban,
        TellConnected: _tell_connected,
        CloseConnection: _close_connection,
        BeginSubscription: _begin_subscription,
        EndSubscription: _unsubscribe_by_server,
        Refreshed: _refreshed,
        Notify: _notify,
        _CatchUp: _catch_up,
        _Expired: _expired,
        _SubscriptionExpired: _subscription_expired,
        _PingDue: _ping,
        _PongDue: _check_pong,
        _ConnectDue: _check_connected,
    }

    _commands: ClassVar[dict[type, Callable[[Any, Command, Any], None]]] = {
        **dict.fromkeys(Questions.kinds, _question),
        commands.Connect: _connect,
        commands.Pong: _pong,
        commands.Subscribe: _subscribe,
        commands.Unsubscribe: _unsubscribe,
        commands.Publish: _say,
        calls.SendMessage: _say,
        calls.EditMessage: _say,
        calls.DeleteMessage: _say,
        calls.React: _say,
        calls.SearchMessages: _search,
        calls.Typing: _typing,
        calls.SetTopic: _say,
        calls.ListRooms: _list_rooms,
        calls.SetAway: _set_away,
        commands.Rpc: _rpc,
        commands.Refresh: _refresh,
        commands.SubRefresh: _sub_refresh,
        commands.Send: _send,
        commands.Unavailable: _unavailable,
    }
