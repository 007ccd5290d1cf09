"""The API actor: the product that embeds the chat, as the actors see it.

It is to the server API what a client actor is to a socket: it judges a request, asks whoever can answer it, and answers
once, with a result or an error. A room that crashed, is full or does not come back in time is an answer, too.
"""

from __future__ import annotations

import platform
import uuid
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from actors.messages import (
    Answered,
    BeginSubscription,
    CloseConnection,
    CountPresence,
    CountUsers,
    EndSubscription,
    ListRooms,
    Publish,
    ReadHistory,
    ReadPresence,
    Refreshed,
    Refused,
    RemoveHistory,
    TellUser,
)
from actors.replies import error_of, history_result, presence_result, presence_stats_result
from actors.runtime import Actor, ActorRef, Future, RequestFailed
from chat import errors, limits, server_api
from chat.access import can_be_let_into
from chat.errors import CommandError, Error, bad_request
from chat.identity import SERVER
from chat.log import Position
from chat.protocol import commands, publications, results

if TYPE_CHECKING:
    from collections.abc import Callable

    from actors.messages import Counted, ForConnection, Listed, Placed
    from actors.runtime import Cancellable, Request
    from chat.room_classes import RoomClasses

MAX_ASKED: Final = 10_000
"""How many requests may be under way; more are refused as "too many requests"."""

TIMEOUT_S: Final = 5.0
"""How long a request may take. Existing clients wait for 10 s by default, and then know less."""

OVERDUE: Final = Error(100, "no answer in time: whether it was done is not known", temporary=True)
STOPPING: Final = Error(100, "the server stops: whether it was done is not known", temporary=True)

_NO_COMMAND: Final = commands.Command(0, commands.Send())
"""What requests to rooms are the reply to: here the request itself is looked at."""

_BY_SERVER: Final = (_NO_COMMAND, SERVER)


class _Question(NamedTuple):
    """What to ask whom, and what to make of the answer: the result, or the next question."""

    receiver: ActorRef[Any]
    request: Request
    conclude: Callable[[Any], server_api.Result | _Question]


class _Asked(NamedTuple):
    question: _Question
    answer: Future[server_api.Result]
    deadline: Cancellable


class _Overdue(msgspec.Struct, frozen=True):
    """The answer to the request of this identity should have come by now."""

    request: int


class ApiActor(Actor):
    """Takes the requests of `chat.server_api`, but for `Broadcast`, which is several `Publish`.

    A request is asked, and what `ask` answers is a future of the result. That future fails with `CommandError`.
    """

    def __init__(
        self,
        rooms: ActorRef[Any],
        clients: ActorRef[Any],
        classes: RoomClasses,
        now_ms: Callable[[], int],
        version: str,
    ) -> None:
        self._rooms = rooms
        self._clients = clients
        self._classes = classes
        self._limits = classes.limits
        self._now_ms = now_ms
        self._version = version
        self._uid = str(uuid.uuid4())
        self._asked: dict[int, _Asked] = {}
        """What is under way, by the identity of the request."""
        self._methods: dict[type, Callable[[Any], _Question]] = {
            server_api.Publish: self._publish,
            server_api.History: self._history,
            server_api.HistoryRemove: self._history_remove,
            server_api.Presence: self._presence,
            server_api.PresenceStats: self._presence_stats,
            server_api.Channels: self._channels,
            server_api.Info: self._info,
            server_api.Subscribe: self._subscribe,
            server_api.Unsubscribe: self._unsubscribe,
            server_api.Disconnect: self._disconnect,
            server_api.Refresh: self._refresh,
        }
        self._handlers: dict[type, Callable[[Any], None]] = {
            Answered: self._answered,
            Refused: self._refused,
            RequestFailed: self._request_failed,
            _Overdue: self._overdue,
        }

    def on_start(self) -> None:
        """Take note of when it began."""
        self._began = self.now()

    def on_receive(self, message: Any) -> Future[server_api.Result] | None:
        """Begin with a request, or handle what became of an earlier one."""
        method = self._methods.get(type(message))
        if method is not None:
            return self._begin(method, message)
        self._handlers[type(message)](message)
        return None

    def on_failure(self, *_: object) -> None:
        """Answer for what was under way."""
        self._fail_all(errors.INTERNAL)

    def on_stop(self) -> None:
        """Answer for what is still under way."""
        self._fail_all(STOPPING)

    def _begin(self, method: Callable[[Any], _Question], message: Any) -> Future[server_api.Result]:
        answer: Future[server_api.Result] = Future()
        if len(self._asked) >= MAX_ASKED:
            _fail(answer, errors.TOO_MANY_REQUESTS)
            return answer
        try:
            question = method(message)
        except CommandError as refusal:
            _fail(answer, refusal.error)
        else:
            self._ask(question, answer)
        return answer

    def _ask(self, question: _Question, answer: Future[server_api.Result]) -> None:
        key = id(question.request)
        self._asked[key] = _Asked(question, answer, self.after(TIMEOUT_S, _Overdue(key)))
        question.receiver.tell(question.request)

    # Answers.

    def _take(self, request: Any) -> _Asked | None:
        """Return what was asked. None if there was an answer before, or it came too late."""
        asked = self._asked.pop(id(request), None)
        if asked is not None:
            asked.deadline.cancel()
        return asked

    def _answered(self, answered: Answered) -> None:
        asked = self._take(answered.request)
        if asked is None:
            return
        concluded = asked.question.conclude(answered.result)
        if isinstance(concluded, _Question):
            self._ask(concluded, asked.answer)
        else:
            asked.answer.set(concluded)

    def _refused(self, refused: Refused) -> None:
        self._failed(refused.request, refused.error)

    def _request_failed(self, failed: RequestFailed) -> None:
        self._failed(failed.request, error_of(failed.error))

    def _failed(self, request: Any, error: Error) -> None:
        asked = self._take(request)
        if asked is not None:
            _fail(asked.answer, error)

    def _overdue(self, overdue: _Overdue) -> None:
        _fail(self._asked.pop(overdue.request).answer, OVERDUE)

    def _fail_all(self, error: Error) -> None:
        for asked in self._asked.values():
            _fail(asked.answer, error)
        self._asked.clear()

    # Channels.

    def _publish(self, publish: server_api.Publish) -> _Question:
        channel = self._checked(publish.channel)
        if len(bytes(publish.data)) > self._limits.max_frame_bytes:
            raise bad_request(f"data longer than {self._limits.max_frame_bytes} bytes")
        data = limits.clean_json(publish.data)
        if publications.is_change(data):
            raise bad_request("a change is made by whoever said it")
        key = publish.idempotency_key or ""
        if key:
            limits.check_key(key)
        request = Publish(self.actor_ref, channel, *_BY_SERVER, key, server_api.SERVER, data, self._now_ms())
        return _Question(self._rooms, request, _placed)

    def _history(self, history: server_api.History) -> _Question:
        channel = self._checked(history.channel)
        most = self._classes.of(channel).limits.recovery_window
        limit = most if history.limit == -1 else min(history.limit or 0, most)
        since = _position(history.since)
        request = ReadHistory(self.actor_ref, channel, *_BY_SERVER, limit, since, bool(history.reverse))
        return _Question(self._rooms, request, history_result)

    def _history_remove(self, remove: server_api.HistoryRemove) -> _Question:
        request = RemoveHistory(self.actor_ref, self._checked(remove.channel), *_BY_SERVER)
        return _Question(self._rooms, request, _done)

    def _presence(self, presence: server_api.Presence) -> _Question:
        request = ReadPresence(self.actor_ref, self._checked(presence.channel), *_BY_SERVER)
        return _Question(self._rooms, request, presence_result)

    def _presence_stats(self, stats: server_api.PresenceStats) -> _Question:
        request = CountPresence(self.actor_ref, self._checked(stats.channel), *_BY_SERVER)
        return _Question(self._rooms, request, presence_stats_result)

    def _checked(self, channel: str) -> str:
        if not channel:
            raise bad_request("channel is empty")
        limits.check_channel(channel)
        if limits.is_personal(channel):
            raise bad_request("a personal channel is the chat's own")
        return channel

    def _all_rooms(self) -> ListRooms:
        return ListRooms(self.actor_ref, _NO_COMMAND, limit=self._limits.max_rooms)

    def _channels(self, channels: server_api.Channels) -> _Question:
        pattern = channels.pattern or "*"

        def conclude(listed: Listed) -> server_api.ChannelsResult:
            return server_api.ChannelsResult(
                {
                    room.channel: server_api.ChannelInfo(room.clients)
                    for room in listed.rooms
                    if room.clients and fnmatchcase(room.channel, pattern)
                }
            )

        return _Question(self._rooms, self._all_rooms(), conclude)

    def _info(self, _: server_api.Info) -> _Question:
        def count_rooms(users: Counted) -> _Question:
            return _Question(self._rooms, self._all_rooms(), lambda listed: self._node(users, listed))

        return _Question(self._clients, CountUsers(self.actor_ref), count_rooms)

    def _node(self, users: Counted, listed: Listed) -> server_api.InfoResult:
        sizes = [room.clients for room in listed.rooms if room.clients]
        node = server_api.Node(
            uid=self._uid,
            name=platform.node(),
            version=self._version,
            num_clients=users.clients,
            num_users=users.users,
            num_channels=len(sizes),
            num_subs=sum(sizes),
            uptime=round(self.now() - self._began),
        )
        return server_api.InfoResult([node])

    # Users.

    def _tell(self, user: str, message: ForConnection) -> _Question:
        return _Question(self._clients, TellUser(self.actor_ref, user, message), _done)

    def _subscribe(self, subscribe: server_api.Subscribe) -> _Question:
        channel, raw = self._checked(subscribe.channel), subscribe.data
        if not can_be_let_into(subscribe.user, channel):
            raise CommandError(errors.PERMISSION_DENIED)
        data = limits.clean_json(raw) if isinstance(raw, msgspec.Raw) else b""
        position = _position(subscribe.recover_since)
        return self._tell(subscribe.user, BeginSubscription(subscribe.client or "", channel, data, position))

    def _unsubscribe(self, unsubscribe: server_api.Unsubscribe) -> _Question:
        channel = self._checked(unsubscribe.channel)
        return self._tell(unsubscribe.user, EndSubscription(unsubscribe.client or "", channel))

    def _disconnect(self, disconnect: server_api.Disconnect) -> _Question:
        reason = errors.FORCE_DISCONNECT
        if disconnect.disconnect is not None:
            reason = server_api.close_reason(disconnect.disconnect, reason)
        spared = disconnect.whitelist or ()
        return self._tell(disconnect.user, CloseConnection(disconnect.client or "", reason, spared))

    def _refresh(self, refresh: server_api.Refresh) -> _Question:
        only = refresh.client or ""
        message = CloseConnection(only, errors.EXPIRED) if refresh.expired else Refreshed(only, refresh.expire_at or 0)
        return self._tell(refresh.user, message)


def _fail(answer: Future[server_api.Result], error: Error) -> None:
    failure = CommandError(error)
    answer.set_exception((type(failure), failure, None))


def _position(position: server_api.StreamPosition | None) -> Position | None:
    return Position(position.offset, position.epoch) if position is not None else None


def _placed(placed: Placed) -> server_api.PublishResult:
    return server_api.PublishResult(placed.entry.offset, placed.epoch)


def _done(_: object) -> results.Empty:
    return results.Empty()
