"""The supervisor of all clients: one child per connection, each temporary."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from actors.messages import Connect, Drain
from actors.runtime import Actor, ActorRef, ChildSpec, Restart

if TYPE_CHECKING:
    from collections.abc import Callable

    from actors.messages import Transport
    from chat.wire import Wire


class ClientsActor(Actor):
    """Starts a client actor for a connection. `make_client(wire, transport)` makes it."""

    stops_children_together = True

    def __init__(self, make_client: Callable[[Wire, Transport], Actor]) -> None:
        self._make_client = make_client

    def on_start(self) -> None:
        """Go on numbering after the clients that are there already."""
        self._numbers = itertools.count(1 + max((int(c.name) for c in self.children()), default=0))

    def on_receive(self, message: Any) -> ActorRef[Any] | None:
        """Answer `Connect` with the ref of a new client; hand `Drain` to all."""
        if type(message) is Drain:
            for client in self.children():
                client.tell(message)
            return None
        assert type(message) is Connect
        make_client, wire, transport = self._make_client, message.wire, message.transport
        return self.spawn(
            ChildSpec(
                name=str(next(self._numbers)),
                factory=lambda: make_client(wire, transport),
                restart=Restart.TEMPORARY,
            )
        )
