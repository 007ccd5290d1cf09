"""The supervisor of all clients: one child per connection, each temporary. It knows whose connection each one is.

Clients tell it who they are when they have introduced themselves; whoever wants something of all connections of a user
asks here. After a crash it asks them once more.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from actors.messages import (
    Answered,
    Connect,
    Connected,
    Counted,
    CountUsers,
    Drain,
    TellConnected,
    TellUser,
    Told,
)
from actors.runtime import Actor, ActorRef, ChildSpec, Restart, Terminated

if TYPE_CHECKING:
    from collections.abc import Callable

    from actors.messages import Transport
    from chat.wire import Wire


class ClientsActor(Actor):
    """Starts a client actor for a connection. `make_client(wire, transport)` makes it."""

    stops_children_together = True

    def __init__(self, make_client: Callable[[Wire, Transport], Actor]) -> None:
        self._make_client = make_client
        self._user_of: dict[ActorRef[Any], str] = {}
        self._clients_of: dict[str, tuple[ActorRef[Any], ...]] = {}
        """By user. Tuples, since nearly always it is one, and an empty set would take four times as much memory."""

    def on_start(self) -> None:
        """Go on numbering after the clients that are there already, and have them say again who they are."""
        clients = self.children()
        self._numbers = itertools.count(1 + max((int(client.name) for client in clients), default=0))
        for client in clients:  # (which it watches still: a watch belongs to the ref)
            client.tell(TellConnected())

    def on_receive(self, message: Any) -> ActorRef[Any] | None:
        """Answer `Connect` with the ref of a new client; take note of who it is; hand on what is for many."""
        kind = type(message)
        if kind is Connect:
            return self._connect(message)
        if kind is Connected:
            self._connected(message)
        elif kind is Terminated:
            self._ended(message)
        elif kind is TellUser:
            clients = self._clients_of.get(message.user, ())
            for client in clients:
                client.tell(message.message)
            message.sender.tell(Answered(message, Told(len(clients))))
        elif kind is CountUsers:
            message.sender.tell(Answered(message, Counted(len(self._user_of), len(self._clients_of))))
        else:
            assert kind is Drain
            for client in self.children():
                client.tell(message)
        return None

    def _connected(self, connected: Connected) -> None:
        client, user = connected.client, connected.user
        if client not in self._user_of:  # else it was asked, and had told
            self._user_of[client] = user
            self._clients_of[user] = (*self._clients_of.get(user, ()), client)
            self.watch(client)

    def _ended(self, ended: Terminated) -> None:
        user = self._user_of.pop(ended.ref, None)
        if user is None:
            return  # it ended before it could be asked again
        left = tuple(client for client in self._clients_of[user] if client is not ended.ref)
        if left:
            self._clients_of[user] = left
        else:
            del self._clients_of[user]

    def _connect(self, connect: Connect) -> ActorRef[Any]:
        make_client, wire, transport = self._make_client, connect.wire, connect.transport
        return self.spawn(
            ChildSpec(
                name=str(next(self._numbers)),
                factory=lambda: make_client(wire, transport),
                restart=Restart.TEMPORARY,
            )
        )
