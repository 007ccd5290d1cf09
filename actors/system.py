r"""The supervision tree of a chat: what starts in which order, and stops in the reverse one.

    writer         writes the log, in a thread \  without them nothing can be said:
    reader         reads the log, in a thread   } one that is given up takes the process with it
    journal        collects what is to be stored /
    invitations    changes who is a member of which private room
    rooms          └─ one actor per open room. A room that fails too often is closed for a while, alone
    clients        └─ one actor per connection. One that fails closes its socket
    api            what the product that embeds the chat asks for (`web/api.py`)
    files          what those who bring and fetch files ask for (`web/files.py`), if there is a store for them

The API and the clients stop first, so nothing new is said; then the rooms; then the journal, which hands on what it
still has; then the writer, when it has stored that.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec

from actors.api import ApiActor
from actors.chaos import FragileRoomActor
from actors.client import ClientActor
from actors.clients import ClientsActor
from actors.files import FilesActor, Find, Keep
from actors.invitations import InvitationsActor
from actors.journal import JournalActor
from actors.messages import Connect, Drain
from actors.reader import ReaderActor, ThreadReaderActor
from actors.room import Around, RoomActor
from actors.rooms import RoomsActor
from actors.runtime import Actor, ActorRef, ActorSystem, ChildSpec, Watchdog
from actors.shared import Shared
from actors.writer import ThreadWriterActor, WriterActor
from chat.access import may_in
from chat.counts import Counts
from chat.errors import NOT_AVAILABLE, SHUTDOWN, CommandError
from chat.policy import Action
from chat.private_rooms import PrivateRooms
from chat.rates import Rates
from chat.sanctions import Sanctions

if TYPE_CHECKING:
    from collections.abc import Callable

    from actors.messages import NotifyUser, TellUser, Transport
    from actors.runtime import ActorCounts, Future, Node, Scheduler, Total
    from chat import server_api
    from chat.files import Files
    from chat.identity import Door, Identity
    from chat.log import RoomLog, Upload
    from chat.room_classes import RoomClasses
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

    def __init__(  # noqa: PLR0913  (by keyword, once: all that a chat is made of)
        self,
        scheduler: Scheduler,
        *,
        room_log: RoomLog,
        door: Door,
        classes: RoomClasses,
        version: str,
        on_failure: Callable[[BaseException], object] | None = None,
        now_ms: Callable[[], int] = _now_ms,
        chaos: bool = False,
        files: Files | None = None,
    ) -> None:
        self.limits = limits = classes.limits
        self.counts = counts = Counts(door.failures)
        self._scheduler = scheduler
        self._watchdog: Watchdog | None = None
        self._system = ActorSystem(scheduler, on_failure)
        make_writer = ThreadWriterActor if room_log.blocks else WriterActor
        make_reader = ThreadReaderActor if room_log.blocks else ReaderActor
        writer = self._spawn("writer", lambda: make_writer(room_log, counts, files.store if files else None))
        may_read = partial(_may_read, classes)
        reader = self._spawn("reader", lambda: make_reader(room_log, limits, may_read))
        journal = self._spawn("journal", lambda: JournalActor(writer, classes, now_ms, counts))
        room_actor = partial(FragileRoomActor, doomed=set()) if chaos else RoomActor
        self._closed_rooms: set[str] = set()
        banned = Sanctions(room_log.in_force("", now_ms()))
        private = PrivateRooms(room_log.private_rooms())

        def make_invitations() -> InvitationsActor:
            return InvitationsActor(private, journal, tell_clients, counts)

        def tell_clients(message: TellUser | NotifyUser) -> None:
            self._clients.tell(message)  # which start later: nobody changes anything before

        invitations = self._spawn("invitations", make_invitations)

        def make_room(channel: str, rooms: ActorRef[Any]) -> RoomActor:
            # (the clients' supervisor starts later than the rooms' one, and before any room)
            around = Around(reader, journal, rooms, self._clients, invitations)
            return room_actor(channel, around, classes.of(channel), counts, now_ms)

        def make_rooms() -> RoomsActor:
            return RoomsActor(make_room, classes, self._closed_rooms, counts, reader)

        rooms = self._spawn("rooms", make_rooms)

        def make_client(wire: Wire, transport: Transport) -> ClientActor:
            return ClientActor(wire, transport, shared)

        def make_clients() -> ClientsActor:
            return ClientsActor(make_client, journal, reader, banned, now_ms)

        self._clients = clients = self._spawn("clients", make_clients)
        self.rates = rates = Rates(limits.rates) if limits.rates else None
        shared = Shared(
            rooms,
            clients,
            invitations,
            journal,
            reader,
            door,
            banned,
            private,
            limits,
            classes,
            now_ms,
            version,
            chaos,
            counts,
            rates,
            files,
        )
        self._api = self._spawn("api", lambda: ApiActor(rooms, clients, classes, now_ms, version))
        self.files = files
        self._files: ActorRef[Any] | None = None
        if files is not None:
            most = files.limits.max_unsent_bytes
            self._files = self._spawn("files", lambda: FilesActor(writer, reader, most, now_ms))

    def _spawn(self, name: str, factory: Callable[[], Actor]) -> ActorRef[Any]:
        # A thread that hangs in the log may hold the log's lock: another one would only wait for it.
        return self._system.spawn(ChildSpec(name=name, factory=factory, replace_stuck=False))

    def connect(self, wire: Wire, transport: Transport) -> Future[ActorRef[ClientActor]]:
        """Start the client actor of a connection."""
        return self._clients.ask(Connect(wire, transport), block=False)

    def call(self, request: server_api.Request) -> Future[Future[server_api.Result]]:
        """Hand a request of the server API over, but for `Broadcast`. The inner future may fail with `CommandError`.

        The outer one is about the API actor: it fails where that cannot take the request.
        """
        return self._api.ask(request, block=False)

    def keep_upload(self, upload: Upload) -> Future[Future[bool]]:
        """Have it stored that a file was uploaded: False if its user has too much that was not sent.

        Both futures are as those of `call`. Only where there are files; so is the next.
        """
        return self._ask_files(Keep(upload))

    def find_upload(self, file_id: str) -> Future[Future[Upload | None]]:
        """Look for an upload by the id of its file."""
        return self._ask_files(Find(file_id))

    def _ask_files(self, request: Keep | Find) -> Future[Any]:
        if self._files is None:
            raise CommandError(NOT_AVAILABLE)
        return self._files.ask(request, block=False)

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

    def actors(self) -> tuple[dict[str, Total], ActorCounts]:
        """Return what actors there are, by kind, and what became of messages that were not handled."""
        return self._system.totals(), self._system.counts

    def stop(self) -> Future[bool]:
        """Stop all actors, clients first. The last one closes the log."""
        if self._watchdog is not None:
            self._watchdog.stop()
        return self._system.stop()


def _may_read(classes: RoomClasses, identity: Identity, channel: str) -> bool:
    """Tell whether somebody may read a room without a token for it. Called in the reader's thread: changes nothing."""
    return may_in(identity, Action.READ, channel, classes.of(channel))


def _is_down(node: Node) -> bool:
    return node.state == "failed"
