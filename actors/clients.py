"""The supervisor of all clients: one child per connection, each temporary. It knows whose connection each one is.

Clients tell it who they are when they have introduced themselves; whoever wants something of all connections of a user
asks here. After a crash it asks them once more. So it is here that somebody is banned from everywhere.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from actors.messages import (
    Answered,
    CheckBan,
    Connect,
    Connected,
    Counted,
    CountUsers,
    Drain,
    FindNames,
    FoundNames,
    Moderate,
    Names,
    NotifyUser,
    ReadAudit,
    ReadBans,
    ReadNames,
    Recorded,
    Refused,
    TellConnected,
    TellUser,
    Told,
)
from actors.moderation import Moderation
from actors.replies import error_of
from actors.runtime import Actor, ActorRef, ChildSpec, RequestFailed, Restart, Terminated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from actors.messages import Transport
    from chat.sanctions import Sanctions
    from chat.wire import Wire


class ClientsActor(Actor):
    """Starts a client actor for a connection. `make_client(wire, transport)` makes it.

    `banned` are the bans from everywhere: clients look into it, only this actor changes it, and it outlives a crash.
    """

    stops_children_together = True

    def __init__(
        self,
        make_client: Callable[[Wire, Transport], Actor],
        journal: ActorRef[Any],
        reader: ActorRef[Any],
        banned: Sanctions,
        now_ms: Callable[[], int],
    ) -> None:
        self._make_client = make_client
        self._banned = banned
        self._moderation = Moderation(self, "", banned, journal, reader, now_ms)
        self._user_of: dict[ActorRef[Any], str] = {}
        self._reader = reader
        self._name_of: dict[str, str] = {}
        """By user; of several connections the one that came last counts."""
        self._clients_of: dict[str, tuple[ActorRef[Any], ...]] = {}
        """By user. Tuples, since nearly always it is one, and an empty set would take four times as much memory."""
        self._handlers: dict[type, Callable[[Any], None]] = {
            Connected: self._connected,
            Terminated: self._ended,
            TellUser: self._tell_user,
            NotifyUser: self._notify_user,
            CountUsers: self._count_users,
            Moderate: self._moderate,
            Recorded: self._recorded,
            ReadNames: self._read_names,
            FoundNames: self._found_names,
            RequestFailed: self._failed,
            ReadBans: self._moderation.read_bans,
            ReadAudit: self._moderation.read_audit,
            Drain: self._drain,
        }

    def on_start(self) -> None:
        """Go on numbering after the clients that are there already, and have them say again who they are."""
        clients = self.children()
        self._numbers = itertools.count(1 + max((int(client.name) for client in clients), default=0))
        for client in clients:  # (which it watches still: a watch belongs to the ref)
            client.tell(TellConnected())

    def on_receive(self, message: Any) -> ActorRef[Any] | None:
        """Answer `Connect` with the ref of a new client; take note of who it is; hand on what is for many."""
        if type(message) is Connect:
            return self._connect(message)
        self._handlers[type(message)](message)
        return None

    def _tell_user(self, tell: TellUser) -> None:
        clients = self._clients_of.get(tell.user, ())
        for client in clients:
            client.tell(tell.message)
        tell.sender.tell(Answered(tell, Told(len(clients))))

    def _notify_user(self, notice: NotifyUser) -> None:
        for client in self._clients_of.get(notice.user, ()):
            client.tell(notice.notify)

    def _read_names(self, read: ReadNames) -> None:
        unknown = [user for user in read.users if user not in self._name_of]
        if unknown:
            self._reader.tell(FindNames(self.actor_ref, "", unknown, read))
        else:
            self._tell_names(read, {})

    def _found_names(self, found: FoundNames) -> None:
        request = found.request.request
        assert isinstance(request, ReadNames)
        self._tell_names(request, found.names)

    def _tell_names(self, read: ReadNames, said: Mapping[str, str]) -> None:
        connected = {user: self._name_of[user] for user in read.users if user in self._name_of}
        read.sender.tell(Answered(read, Names({**said, **connected})))

    def _failed(self, failed: RequestFailed) -> None:
        request = failed.request
        if isinstance(request, FindNames):
            request.request.sender.tell(Refused(request.request, error_of(failed.error)))
        else:
            self._moderation.failed(failed)

    def _count_users(self, count: CountUsers) -> None:
        count.sender.tell(Answered(count, Counted(len(self._user_of), len(self._clients_of))))

    def _drain(self, drain: Drain) -> None:
        for client in self.children():
            client.tell(drain)

    def _moderate(self, moderate: Moderate) -> None:
        self._moderation.moderate(moderate, ())

    def _recorded(self, recorded: Recorded) -> None:
        ruling = self._moderation.recorded(recorded)
        for client in self._clients_of.get(ruling.user, ()):
            client.tell(CheckBan())
        self._moderation.answered(recorded)

    def _connected(self, connected: Connected) -> None:
        client, user = connected.client, connected.user
        self._name_of[user] = connected.name
        if client not in self._user_of:  # else it was asked, and had told
            self._user_of[client] = user
            self._clients_of[user] = (*self._clients_of.get(user, ()), client)
            self.watch(client)
        if user in self._banned:  # perhaps since it was looked at
            client.tell(CheckBan())

    def _ended(self, ended: Terminated) -> None:
        user = self._user_of.pop(ended.ref, None)
        if user is None:
            return  # it ended before it could be asked again
        left = tuple(client for client in self._clients_of[user] if client is not ended.ref)
        if left:
            self._clients_of[user] = left
        else:
            del self._clients_of[user], self._name_of[user]

    def _connect(self, connect: Connect) -> ActorRef[Any]:
        make_client, wire, transport = self._make_client, connect.wire, connect.transport
        return self.spawn(
            ChildSpec(
                name=str(next(self._numbers)),
                factory=lambda: make_client(wire, transport),
                restart=Restart.TEMPORARY,
            )
        )
