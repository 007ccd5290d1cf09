"""A member's place in a room: what must come next, and where its own messages must be. Pure rules, no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from loadtests._rows import DUPLICATES, GAPS

if TYPE_CHECKING:
    from loadtests._frames import Publications

OWN_REMEMBERED = 1_000


class OrderError(Exception):
    """A room's entries did not come once each, in their order."""

    row: ClassVar[str]


class GapError(OrderError):
    """Something is missing."""

    row = GAPS


class DuplicateError(OrderError):
    """Something came twice."""

    row = DUPLICATES


class Place:
    """Where a member is in a room. Who comes back to the room goes on from there.

    An entry that is missing, or comes again, is found once: the place is behind it in any case.
    """

    def __init__(self, room: str) -> None:
        self.room = room
        self.offset = 0
        self.epoch = ""
        """Empty until the room was entered for the first time."""
        self._own: dict[str, int] = {}
        """The keys of the newest messages that were sent from here, and where they came; 0: nowhere yet."""
        self._acknowledged: dict[int, str] = {}
        """What must come at an offset, by the server's own account."""

    def begin(self, room: Publications) -> None:
        """Go on from where the room is."""
        self.offset, self.epoch = room.offset, room.epoch

    def receive(self, offset: int, key: str) -> None:
        """Take what came. Raises `OrderError` if it should not have come now."""
        if offset <= self.offset:
            raise DuplicateError("offset came again")
        expected, self.offset = self.offset + 1, offset
        came = self._own.get(key)
        if came is not None:
            self._own[key] = offset
        elsewhere = bool(self._acknowledged) and self._acknowledged.pop(offset, key) != key
        if offset > expected:
            raise GapError("gap in the offsets")
        if came:
            raise DuplicateError("message came again, at another offset")
        if elsewhere:
            raise GapError("acknowledged message is not where it should be")

    def sending(self, key: str) -> None:
        """Take note that a message is sent, or sent once more."""
        self._own.setdefault(key, 0)
        if len(self._own) > OWN_REMEMBERED:
            del self._own[next(iter(self._own))]

    def acknowledged(self, key: str, offset: int) -> None:
        """Take note of where a message of one's own is said to be. Raises `OrderError` if it is not there."""
        came = self._own.get(key, 0)
        if came:
            if came != offset:
                raise GapError("acknowledged message is not where it should be")
        elif offset <= self.offset:
            raise GapError("acknowledged message did not come")
        else:
            self._acknowledged[offset] = key
