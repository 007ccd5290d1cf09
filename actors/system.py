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
from typing import TYPE_CHECKING, Any, Final

import msgspec

from actors.chaos import FragileRoomActor
from actors.client import ClientActor
from actors.clients import ClientsActor
from actors.journal import JournalActor
from actors.messages import Connect, Drain
from actors.room import RoomActor
from actors.rooms import RoomsActor
from actors.runtime import Actor, ActorRef, ActorSystem, ChildSpec, Watchdog
from chat.errors import SHUTDOWN

if TYPE_CHECKING:
    from collections.abc import Callable

    from actors.messages import Transport
    from actors.runtime import Future, Node, Scheduler
    from chat.identity import Guests
    from chat.limits import Limits
    from chat.log import RoomLog
    from chat.wire import Wire


RECENT_S: Final = 60.0


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class Health(msgspec.Struct, frozen=True):
    """How a chat is. It is degraded while something is down, stuck or closed, or its core crashed a short while ago.

    `recent_crashes` counts those of the last minute, of any actor; a room or a client that crashed once and goes on
    does not make the chat degraded.
    """

    status: str
    recent_crashes: int
    closed_rooms: int
    down: int
    stuck: int


class ChatSystem:
    """A running chat. Made on the thread of its scheduler, which in production is the running event loop.

    `on_failure` is called if the chat cannot go on; the process should end then. With `chaos` clients may have rooms
    crash.
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
        chaos: bool = False,
    ) -> None:
        self.limits = limits
        self._scheduler = scheduler
        self._watchdog: Watchdog | None = None
        self._system = ActorSystem(scheduler, on_failure)
        journal = self._spawn("journal", lambda: JournalActor(room_log))
        make = partial(_make_fragile_room, set()) if chaos else _make_room
        make_room = partial(make, journal, limits)
        self._closed_rooms: set[str] = set()
        rooms = self._spawn("rooms", lambda: RoomsActor(make_room, limits, self._closed_rooms))

        def make_client(wire: Wire, transport: Transport) -> ClientActor:
            return ClientActor(wire, transport, rooms, guests, limits, now_ms, version, chaos=chaos)

        self._clients = self._spawn("clients", lambda: ClientsActor(make_client))

    def _spawn(self, name: str, factory: Callable[[], Actor]) -> ActorRef[Any]:
        return self._system.spawn(ChildSpec(name=name, factory=factory))

    def connect(self, wire: Wire, transport: Transport) -> Future[ActorRef[ClientActor]]:
        """Start the client actor of a connection."""
        return self._clients.ask(Connect(wire, transport), block=False)

    def drain(self) -> None:
        """Let every client finish what it has begun, and then close its socket."""
        self._clients.tell(Drain(SHUTDOWN))

    def watch(self, limit_s: float) -> None:
        """Report turns that take longer than `limit_s`, from a thread, until the chat is stopped."""
        self._watchdog = Watchdog(self._system, limit_s)
        self._watchdog.start()

    def health(self) -> Health:
        """Return how the tree is. On the scheduler's thread."""
        tree = self._system.tree()
        recent = [c for c in self._system.crashes if self._scheduler.time() - c.at <= RECENT_S]
        core = {f"/{node.name}" for node in tree.children}
        down = [f"/{above.name}/{node.name}" for above in tree.children for node in above.children if _is_down(node)]
        down += [f"/{node.name}" for node in tree.children if _is_down(node)]
        stuck = self._watchdog.stuck if self._watchdog is not None else []
        degraded = down or stuck or self._closed_rooms or any(crash.actor in core for crash in recent)
        return Health(
            status="degraded" if degraded else "ok",
            recent_crashes=len(recent),
            closed_rooms=len(self._closed_rooms),
            down=len(down),
            stuck=len(stuck),
        )

    def stop(self) -> Future[bool]:
        """Stop all actors, clients first."""
        if self._watchdog is not None:
            self._watchdog.stop()
        return self._system.stop()


def _is_down(node: Node) -> bool:
    return node.state == "failed"


def _make_room(journal: ActorRef[Any], limits: Limits, channel: str, rooms: ActorRef[Any]) -> RoomActor:
    return RoomActor(channel, journal, rooms, limits)


def _make_fragile_room(
    doomed: set[str], journal: ActorRef[Any], limits: Limits, channel: str, rooms: ActorRef[Any]
) -> RoomActor:
    return FragileRoomActor(channel, journal, rooms, limits, doomed)
