"""Bans and mutes of one place, and what a moderator may be asked to do. Pure rules, and no clock of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from chat.errors import LIMIT_EXCEEDED, MUTED, PERMISSION_DENIED, CloseReason, Error, bad_request
from chat.log import Ruling
from chat.policy import Action, may, outranks
from chat.tokens import MAX_USER_CHARS, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chat.identity import Identity
    from chat.protocol.calls import Moderation

MAX_REASON_CHARS: Final = 200
UNSUBSCRIBED_KICKED: Final = 2101
UNSUBSCRIBED_BANNED: Final = 2102
MAX_IN_FORCE: Final = 10_000
"""Most bans and mutes of one place."""

_ACTIONS: Final[Mapping[str, Action]] = {
    "kick": Action.KICK,
    "ban": Action.BAN,
    "unban": Action.BAN,
    "mute": Action.MUTE,
    "unmute": Action.MUTE,
}


def ruling_of(call: Moderation, identity: Identity, now_ms: int) -> Ruling:
    """Return what a moderator asks for, if that is well formed. Raises `CommandError` (107)."""
    if not 1 <= len(call.user) <= MAX_USER_CHARS or not call.user.isprintable():
        raise bad_request("user is empty, too long or does not print")
    if len(call.reason) > MAX_REASON_CHARS or not call.reason.isprintable():
        raise bad_request(f"reason longer than {MAX_REASON_CHARS} characters, or one that does not print")
    if call.until is not None and call.until <= now_ms:
        raise bad_request("until is over (it is Unix time in milliseconds)")
    role = identity.role_in(call.channel)
    return Ruling(
        room=call.channel,
        action=call.action,
        user=call.user,
        by=identity.user,
        by_role=role.value,
        time_ms=now_ms,
        until_ms=call.until or 0,
        reason=call.reason.strip(),
    )


class Sanctions:
    """The bans and mutes in force in one place: a room, or everywhere.

    They hold against those whose role is below that of who gave them, whenever that is looked at: a user that the
    application makes an equal is free of them.
    """

    def __init__(self, rulings: Iterable[Ruling] = ()) -> None:
        self._in_force: dict[str, dict[str, Ruling]] = {"ban": {}, "mute": {}}
        for ruling in rulings:
            self.apply(ruling)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._in_force["ban"] or self._in_force["mute"])

    def __contains__(self, user: object) -> bool:
        """Whether there may be one against a user."""
        return user in self._in_force["ban"] or user in self._in_force["mute"]

    def apply(self, ruling: Ruling) -> None:
        """Have a ruling begin, or end another one, of which it takes the place."""
        by_user = self._in_force.get(ruling.action.removeprefix("un"))
        if by_user is not None:
            by_user.pop(ruling.user, None)
            if ruling.action in self._in_force:
                by_user[ruling.user] = ruling

    def ban(self, user: str, role: Role, now_ms: int) -> Ruling | None:
        """Return what keeps a user out, if anything does."""
        return self._holding("ban", user, role, now_ms)

    def mute(self, user: str, role: Role, now_ms: int) -> Ruling | None:
        """Return what keeps a user from saying anything, if anything does."""
        return self._holding("mute", user, role, now_ms)

    def _holding(self, kind: str, user: str, role: Role, now_ms: int) -> Ruling | None:
        ruling = self._in_force[kind].get(user)
        if ruling is None or 0 < ruling.until_ms <= now_ms or not outranks(Role(ruling.by_role), role):
            return None
        return ruling

    def refusal(self, ruling: Ruling, here: Iterable[Role]) -> Error | None:
        """Return why a moderator cannot do something; `here` are the roles of the user's connections in this place.

        Nobody moderates who is not below, nor undoes what somebody above did.
        """
        role = Role(ruling.by_role)
        earlier = self._in_force.get(ruling.action.removeprefix("un"), {}).get(ruling.user)
        if (
            not may(role, _ACTIONS[ruling.action])
            or ruling.user == ruling.by
            or not all(outranks(role, other) for other in here)
            or (earlier is not None and outranks(Role(earlier.by_role), role))
        ):
            return PERMISSION_DENIED
        if self._number >= MAX_IN_FORCE:
            self._forget_ended(ruling.time_ms)
        full = self._number >= MAX_IN_FORCE and ruling.action in self._in_force
        return LIMIT_EXCEEDED if full else None

    @property
    def _number(self) -> int:
        return sum(map(len, self._in_force.values()))

    def _forget_ended(self, now_ms: int) -> None:
        for by_user in self._in_force.values():
            for ended in [ruling for ruling in by_user.values() if 0 < ruling.until_ms <= now_ms]:
                del by_user[ended.user]

    def listed(self, now_ms: int, after: int, limit: int) -> list[Ruling]:
        """Return the `limit` oldest with a number above `after`, ascending."""
        everything = [ruling for by_user in self._in_force.values() for ruling in by_user.values()]
        wanted = [
            ruling
            for ruling in everything
            if ruling.number > after and (not ruling.until_ms or ruling.until_ms > now_ms)
        ]
        return sorted(wanted, key=lambda ruling: ruling.number)[:limit]


def muted(ruling: Ruling) -> Error:
    """Return what somebody who is muted is told."""
    return Error(MUTED.code, f"muted{_until(ruling)}") if ruling.until_ms else MUTED


def unsubscribed(ruling: Ruling | None) -> CloseReason:
    """Return what is told to whom a kick or a ban puts out, or with neither a role that may no longer be here."""
    if ruling is None:
        return CloseReason(UNSUBSCRIBED_BANNED, PERMISSION_DENIED.message)
    kicked = ruling.action == "kick"
    what = "kicked" if kicked else f"banned{_until(ruling)}"
    code = UNSUBSCRIBED_KICKED if kicked else UNSUBSCRIBED_BANNED
    return CloseReason(code, f"{what}: {ruling.reason}" if ruling.reason else what)


def _until(ruling: Ruling) -> str:
    if not ruling.until_ms:
        return ""
    return f" until {datetime.fromtimestamp(ruling.until_ms // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
