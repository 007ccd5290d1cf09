"""A client's membership in a room, from the client's side: the position that makes each entry come once, in order.

No actor and no effects: it says which requests to send, and which part of an event its reader has not seen.
"""

from __future__ import annotations

import enum
import math
from typing import TYPE_CHECKING, Any

from actors.messages import Join, Leave, Renew
from chat.log import Position

if TYPE_CHECKING:
    from actors.messages import Entered
    from actors.runtime import ActorRef
    from chat.identity import Identity
    from chat.log import Author
    from chat.protocol.commands import Command
    from chat.room_classes import RoomClass
    from chat.wire import Publications


class Gap(enum.Enum):
    """Entries are missing before an event."""

    GAP = "gap"


class Membership:
    """One subscription of one client. Without a `room` it is still being entered."""

    __slots__ = (
        "_client",
        "_epoch",
        "_offset",
        "author",
        "behind",
        "by_token",
        "channel",
        "command",
        "expires_at",
        "identity",
        "room",
        "room_class",
        "ticket",
        "typed_at",
        "waiting",
    )

    def __init__(
        self,
        client: ActorRef[Any],
        identity: Identity,
        author: Author,
        channel: str,
        ticket: int,
        command: Command,
        room_class: RoomClass,
    ) -> None:
        self.channel = channel
        self.room_class = room_class
        self.ticket = ticket
        self.room: ActorRef[Any] | None = None
        self.waiting: list[Command] = []
        """Commands that came while the room was being entered: to be done then, in their order."""
        self.behind = False
        """Whether the reader lacks something that was asked for already: what comes meanwhile will come with it."""
        self.typed_at = -math.inf
        self.expires_at: float | None = None
        """When the token that it was entered with ends, in Unix time."""
        self.by_token = False
        """Whether a token for this channel, or the server, let the client in, whatever its role."""
        self.author = author
        self._client = client
        self.identity = identity
        self.command = command
        self._offset = 0
        self._epoch = ""

    def join(self, position: Position | None) -> Join:
        """Ask to enter, from a position or from now on."""
        return self._join(position, silently=False)

    def join_again(self) -> Join:
        """Ask to go on from where the reader is. For a member that the room has lost, or lost track of."""
        return self._join(Position(self._offset, self._epoch), silently=True)

    def _join(self, position: Position | None, *, silently: bool) -> Join:
        return Join(
            self._client, self.channel, self.command, self.identity, self.ticket, self.author, position, silently
        )

    def renew(self) -> Renew:
        """Tell what this client is now."""
        return Renew(self._client, self.ticket, self.identity)

    def leave(self) -> Leave:
        """End the membership."""
        return Leave(self._client, self.ticket, self.author)

    def entered(self, entered: Entered) -> None:
        """Be in the room, with everything up to the position on the way to the reader."""
        self.room = entered.room
        self._offset, self._epoch = entered.position.offset, entered.position.epoch

    def follows(self, event: Publications) -> bool:
        """Tell whether all of an event is what the reader sees next, as it nearly always is, and count it as seen."""
        if event.first == self._offset + 1:
            self._offset = event.last
            return True
        return False

    def unseen(self, event: Publications) -> Publications | Gap | None:
        """Return what of an event the reader has not seen, and count it as seen.

        None if it has seen all. `Gap.GAP` if entries before it are missing: then nothing is counted.
        """
        unseen = event.after(self._offset)
        if unseen is None:
            return None
        if unseen.first != self._offset + 1:
            return Gap.GAP
        self._offset = unseen.last
        return unseen
