"""What all clients of a chat have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from actors.runtime import ActorRef
    from chat.counts import Counts
    from chat.files import Files
    from chat.identity import Door
    from chat.limits import Limits
    from chat.private_rooms import PrivateRooms
    from chat.rates import Rates
    from chat.room_classes import RoomClasses
    from chat.sanctions import Sanctions


class Shared(NamedTuple):
    """Whom clients talk to, and what they look into by themselves."""

    rooms: ActorRef[Any]
    clients: ActorRef[Any]
    invitations: ActorRef[Any]
    journal: ActorRef[Any]
    reader: ActorRef[Any]
    door: Door
    banned: Sanctions
    private: PrivateRooms
    limits: Limits
    classes: RoomClasses
    now_ms: Callable[[], int]
    version: str
    chaos: bool
    counts: Counts
    rates: Rates | None = None
    files: Files | None = None
