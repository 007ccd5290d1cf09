"""The supervision tree of a chat: what starts in which order, and stops in the reverse one.

    journal        the log's writer. Without it nothing can be said: given up, it takes the process with it
    rooms          └─ one actor per open room. A room that fails too often is closed for a while, alone
    clients        └─ one actor per connection. One that fails closes its socket

Clients stop first, so nothing new is said; then the rooms; then the journal, which still stores what they had
passed on.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from actors.client import ClientActor
from actors.clients import ClientsActor
from actors.journal import JournalActor
from actors.messages import Connect, Drain
from actors.room import RoomActor
from actors.rooms import RoomsActor
from actors.runtime import Actor, ActorRef, ActorSystem, ChildSpec
from chat.errors import SHUTDOWN

if TYPE_CHECKING:
    from collections.abc import Callable

    from actors.messages import Transport
    from actors.runtime import Future, Scheduler
    from chat.identity import Guests
    from chat.limits import Limits
    from chat.log import RoomLog
    from chat.wire import Wire


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class ChatSystem:
    """A running chat. Made on the thread of its scheduler, which in production is the running event loop.

    `on_failure` is called if the chat cannot go on; the process should end then.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        *,
        room_log: RoomLog,
        guests: Guests,
        limits: Limits,
        version: str,
        on_failure: Callable[[BaseException], object] | None = None,
        now_ms: Callable[[], int] = _now_ms,
    ) -> None:
        self.limits = limits
        self._system = ActorSystem(scheduler, on_failure)
        journal = self._spawn("journal", lambda: JournalActor(room_log))
        make_room = partial(_make_room, journal, limits)
        rooms = self._spawn("rooms", lambda: RoomsActor(make_room, limits))

        def make_client(wire: Wire, transport: Transport) -> ClientActor:
            return ClientActor(wire, transport, rooms, guests, limits, now_ms, version)

        self._clients = self._spawn("clients", lambda: ClientsActor(make_client))

    def _spawn(self, name: str, factory: Callable[[], Actor]) -> ActorRef[Any]:
        return self._system.spawn(ChildSpec(name=name, factory=factory))

    def connect(self, wire: Wire, transport: Transport) -> Future[ActorRef[ClientActor]]:
        """Start the client actor of a connection."""
        return self._clients.ask(Connect(wire, transport), block=False)

    def drain(self) -> None:
        """Let every client finish what it has begun, and then close its socket."""
        self._clients.tell(Drain(SHUTDOWN))

    def stop(self) -> Future[bool]:
        """Stop all actors, clients first."""
        return self._system.stop()


def _make_room(journal: ActorRef[Any], limits: Limits, channel: str, rooms: ActorRef[Any]) -> RoomActor:
    return RoomActor(channel, journal, rooms, limits)
