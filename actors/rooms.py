"""The supervisor of all rooms: finds the room for a request, and starts it if it is not there.

Requests of clients that are no members yet come through here; members talk to their room directly. It keeps no
state that matters: its children are its directory, and the rest is told again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from actors.messages import Answered, Listed, ListRooms, Refused, Resized, RoomRequest, TellSize
from actors.runtime import (
    Actor,
    ActorRef,
    ChildSpec,
    Restart,
    RestartIntensity,
    Terminated,
)
from chat.channels import is_private
from chat.errors import LIMIT_EXCEEDED, Error
from chat.policy import Action, may
from chat.protocol import RoomSummary

if TYPE_CHECKING:
    from collections.abc import Callable

    from chat.counts import Counts
    from chat.identity import Identity
    from chat.room_classes import RoomClass, RoomClasses

ROOM_INTENSITY = RestartIntensity(max_restarts=10, period_s=10)
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
    ) -> None:
        self._make_room = make_room
        self._limits = classes.limits
        self._sizes: dict[str, int] = {}
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
            if message.channel in self._sizes:
                self._sizes[message.channel] = message.clients
        elif type(message) is ListRooms:
            shown = [room for room in self._sizes.items() if self._shows(room[0], message.identity)]
            largest = sorted(shown, key=lambda room: (-room[1], room[0]))[: message.limit]
            summaries = [RoomSummary(channel, clients) for channel, clients in largest]
            message.sender.tell(Answered(message, Listed(summaries)))
        elif type(message) is Terminated:
            self._forget(message)
        elif type(message) is _Reopen:
            self._closed.discard(message.channel)

    def _shows(self, channel: str, identity: Identity | None) -> bool:
        """Tell whether somebody may know of a room: whether no token is needed to enter it. None may know of all."""
        if identity is None:
            return True
        return not is_private(channel) and may(identity.role_in(channel), Action.JOIN, self._class_of[channel].floors)

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
        self._class_of.pop(channel, None)
        if ended.error is None:
            log.debug("room.closed", room=channel)
            return
        log.error("room.given_up", room=channel, closed_for_s=self._limits.room_closed_s)
        self._closed.add(channel)
        self.after(self._limits.room_closed_s, _Reopen(channel))
