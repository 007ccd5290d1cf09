"""The supervisor of all rooms: finds the room for a request, and starts it if it is not there.

Requests of clients that are no members yet come through here; members talk to their room directly. It keeps no
state that matters: its children are its directory, and the rest is told again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from actors.messages import (
    Answered,
    FindRooms,
    FoundRooms,
    Listed,
    ListRooms,
    Refused,
    Resized,
    RoomRequest,
    TellSize,
)
from actors.replies import error_of
from actors.runtime import (
    Actor,
    ActorRef,
    ChildSpec,
    RequestFailed,
    Restart,
    RestartIntensity,
    Terminated,
)
from chat.access import may_in
from chat.channels import is_private
from chat.errors import LIMIT_EXCEEDED, Error
from chat.policy import Action
from chat.protocol.results import RoomSummary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chat.counts import Counts
    from chat.identity import Identity
    from chat.room_classes import RoomClass, RoomClasses

ROOM_INTENSITY = RestartIntensity(max_restarts=10, period_s=10)
MAX_FOUND = 1_000
"""Most rooms that the log is asked for, of which those are left that one may know of."""

ROOM_CLOSED = Error(100, "the room failed repeatedly and is closed for a moment", temporary=True)

log = structlog.get_logger()


class _Reopen(msgspec.Struct, frozen=True):
    channel: str


class RoomsActor(Actor):
    """Starts rooms on demand. `make_room(channel, rooms)` makes the actor of one.

    `closed` names the rooms that failed too often; it is given from outside so that it outlives a crash of this actor.
    """

    stops_children_together = True

    def __init__(
        self,
        make_room: Callable[[str, ActorRef[Any]], Actor],
        classes: RoomClasses,
        closed: set[str],
        counts: Counts,
        reader: ActorRef[Any],
    ) -> None:
        self._make_room = make_room
        self._reader = reader
        self._limits = classes.limits
        self._sizes: dict[str, int] = {}
        self._topics: dict[str, str] = {}
        """What open rooms are about, those that are about something."""
        self._classes = classes
        self._class_of: dict[str, RoomClass] = {}
        """The classes of the open rooms, which a list of them takes too often to match them all anew."""
        self._closed = closed
        self._counts = counts

    def on_start(self) -> None:
        """Look after the rooms that are there already: after a crash of this actor they still are."""
        for room in self.children():  # (which it watches still: a watch belongs to the ref)
            self._sizes[room.name], self._class_of[room.name] = 0, self._classes.of(room.name)
            room.tell(TellSize())
        for channel in self._closed:
            self.after(self._limits.room_closed_s, _Reopen(channel))

    def on_receive(self, message: Any) -> None:
        """Pass on, list, or take note."""
        if isinstance(message, RoomRequest):
            self._forward(message)
        elif type(message) is Resized:
            self._resized(message)
        elif type(message) is ListRooms:
            if message.query:
                self._reader.tell(FindRooms(self.actor_ref, "", MAX_FOUND, message))
            else:
                self._list(message, self._sizes, self._topics)
        elif type(message) is FoundRooms:
            self._found(message)
        elif type(message) is RequestFailed:
            assert isinstance(message.request, FindRooms)
            asked = message.request.request
            asked.sender.tell(Refused(asked, error_of(message.error)))
        elif type(message) is Terminated:
            self._forget(message)
        elif type(message) is _Reopen:
            self._closed.discard(message.channel)

    def _shows(self, channel: str, identity: Identity | None) -> bool:
        """Tell whether a room is listed for somebody: one that is not private, and that it may enter. None sees all."""
        if identity is None:
            return True
        room_class = self._class_of.get(channel) or self._classes.of(channel)
        return not is_private(channel) and may_in(identity, Action.JOIN, channel, room_class)

    def _resized(self, resized: Resized) -> None:
        channel = resized.channel
        if channel in self._sizes:
            self._sizes[channel] = resized.clients
            self._topics.pop(channel, None)
            if resized.topic:
                self._topics[channel] = resized.topic

    def _list(self, asked: ListRooms, sizes: Mapping[str, int], topics: Mapping[str, str]) -> None:
        shown = [room for room in sizes.items() if self._shows(room[0], asked.identity)]
        largest = sorted(shown, key=lambda room: (-room[1], room[0]))[: asked.limit]
        summaries = [RoomSummary(channel, clients, topics.get(channel, "")) for channel, clients in largest]
        asked.sender.tell(Answered(asked, Listed(summaries)))

    def _found(self, found: FoundRooms) -> None:
        """List the rooms that the log has found, and those among the open ones."""
        asked = found.request.request
        topics = {room.name: room.topic for room in found.rooms} | self._topics
        query = asked.query.casefold()
        fitting = {
            channel: self._sizes.get(channel, 0)
            for channel in topics.keys() | self._sizes.keys()
            if query in channel.casefold() or query in topics.get(channel, "").casefold()
        }
        self._list(asked, fitting, topics)

    def _forward(self, request: RoomRequest) -> None:
        room = self.child(request.channel)
        if room is None:
            if request.channel in self._sizes:
                self.actor_ref.tell(request)  # it has ended just now; why is told in a message that waits already
                return
            if request.channel in self._closed:
                request.sender.tell(Refused(request, ROOM_CLOSED))
                return
            if len(self._sizes) >= self._limits.max_rooms:
                self._counts.limits_hit["max_rooms"] += 1
                request.sender.tell(Refused(request, LIMIT_EXCEEDED))
                return
            room = self._open(request.channel)
        room.tell(request)

    def _open(self, channel: str) -> ActorRef[Any]:
        make_room, rooms = self._make_room, self.actor_ref
        room = self.spawn(
            ChildSpec(
                name=channel,
                factory=lambda: make_room(channel, rooms),
                restart=Restart.TRANSIENT,
                intensity=ROOM_INTENSITY,
                escalates=False,
            )
        )
        self.watch(room)
        self._sizes[channel], self._class_of[channel] = 0, self._classes.of(channel)
        log.debug("room.opened", room=channel)
        return room

    def _forget(self, ended: Terminated) -> None:
        channel = ended.ref.name
        if self.child(channel) is not None:
            return  # it was opened anew before this was told
        self._sizes.pop(channel, None)
        self._topics.pop(channel, None)
        self._class_of.pop(channel, None)
        if ended.error is None:
            log.debug("room.closed", room=channel)
            return
        log.error("room.given_up", room=channel, closed_for_s=self._limits.room_closed_s)
        self._closed.add(channel)
        self.after(self._limits.room_closed_s, _Reopen(channel))
