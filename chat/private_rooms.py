"""Private rooms, whose name begins with `$`: who has made which, and who is a member. Pure rules, and no clock.

Those who are no members cannot tell a room that exists from one that does not. A room that its last member leaves ends;
its name is not given out again while anything that was said there is kept.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from chat.channels import PRIVATE_PREFIX
from chat.errors import LIMIT_EXCEEDED, PERMISSION_DENIED, ROOM_EXISTS, bad_request
from chat.limits import check_channel
from chat.tokens import MAX_USER_CHARS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from chat.errors import Error
    from chat.log import MemberChange, PrivateRoom

MAX_PRIVATE_ROOMS: Final = 10_000
MAX_MADE: Final = 100
"""Most private rooms that one user may have made."""
MAX_MEMBERS: Final = 1_000


def check_private_channel(channel: str) -> None:
    """Accept the name of a private room that somebody wants to make. Raises `CommandError` (107)."""
    check_channel(channel)
    if not channel.startswith(PRIVATE_PREFIX) or channel == PRIVATE_PREFIX or "#" in channel:
        raise bad_request(f"the name of a private room begins with {PRIVATE_PREFIX}, and has no #")


def check_user(user: str) -> None:
    """Accept a user's id, known or not. Raises `CommandError` (107)."""
    if not 1 <= len(user) <= MAX_USER_CHARS or not user.isprintable():
        raise bad_request("user is empty, too long or does not print")


class PrivateRooms:
    """All private rooms that have members, and these. Looked into by many; changed by one, after the log has it.

    The reader asks who is a member, and leads, from its own thread: each look into a dict finds it before a change or
    after it.
    """

    def __init__(self, rooms: Iterable[PrivateRoom] = ()) -> None:
        self._creators: dict[str, str] = {}
        self._members: dict[str, dict[str, None]] = {}
        """By room, in the order in which they came."""
        self._made: Counter[str] = Counter()
        for room in rooms:
            self._add(room.name, room.creator)
            self._members[room.name] = dict.fromkeys(room.members)

    def is_member(self, channel: str, user: str) -> bool:
        """Tell whether a user is a member of a private room."""
        return user in self._members.get(channel, ())

    def is_led_by(self, channel: str, user: str) -> bool:
        """Tell whether a user has made a private room and is still a member of it."""
        return self._creators.get(channel) == user and self.is_member(channel, user)

    def members(self, channel: str) -> Collection[str]:
        """Return the members of a private room, those first who came first."""
        return self._members.get(channel, {}).keys()

    def refusal(self, change: MemberChange) -> Error | None:
        """Return why something cannot be done. What is so already may be done again."""
        if change.action == "create":
            if change.room in self._members:
                return ROOM_EXISTS
            full = len(self._members) >= MAX_PRIVATE_ROOMS or self._made[change.user] >= MAX_MADE
            return LIMIT_EXCEEDED if full else None
        if not self.is_member(change.room, change.by):
            return PERMISSION_DENIED
        if change.action == "invite" and not self.is_member(change.room, change.user):
            return LIMIT_EXCEEDED if len(self._members[change.room]) >= MAX_MEMBERS else None
        return None

    def apply(self, change: MemberChange) -> None:
        """Have a change hold that is stored."""
        if change.action == "create":
            self._add(change.room, change.user)
            self._members[change.room] = {change.user: None}
            return
        members = self._members.get(change.room)
        if members is None:
            return  # it has ended
        if change.action == "invite":
            members[change.user] = None
        else:
            members.pop(change.user, None)
            if not members:
                self._end(change.room)

    def _add(self, channel: str, creator: str) -> None:
        self._creators[channel] = creator
        self._made[creator] += 1

    def _end(self, channel: str) -> None:
        del self._members[channel]
        creator = self._creators.pop(channel)
        self._made[creator] -= 1
        if not self._made[creator]:
            del self._made[creator]


NO_PRIVATE_ROOMS: Final = PrivateRooms()
"""For those who look into none. Never changed."""
