"""A connection on its way in, whose it is then, and how long what it came with is good for.

No actor and no effects. An opening keeps what is known until the reply to connect can be given, which is when the
client is in all rooms that its token puts it into; a session what the connection's tokens let it do.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from chat import errors, limits
from chat.access import can_be_let_into, may_in
from chat.errors import CommandError, Disconnect
from chat.identity import Permit
from chat.log import Author, Position
from chat.policy import Action
from chat.protocol.results import PERSONAL, ConnectResult, Oneself, RefreshResult, SubRefreshResult

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat.identity import Door, Identity
    from chat.protocol.commands import Command, Connect, Resume
    from chat.protocol.results import SubscribeResult
    from chat.room_classes import RoomClass


class Opening:
    """What is known of a connection between connect and its reply."""

    def __init__(self, client: str, identity: Identity, guest: str, command: Command, request: Connect) -> None:
        self.client = client
        self.identity = identity
        self.command = command
        self.author = Author(identity.user, client, identity.name, identity.info)
        self.channels = {
            channel: info for channel, info in identity.channels.items() if not limits.is_personal(channel)
        }
        """The rooms that its token puts it into, with what others see of it there."""
        self.waiting: list[Command] = []
        """Commands that came meanwhile: an SDK sends its subscribes along with connect."""
        self.entered: dict[str, SubscribeResult] = {}
        self.shut: set[str] = set()
        """Rooms that its token names and that do not let it in."""
        self._guest = guest
        self._resumes: Mapping[str, Resume] = request.subs

    def check(self, most_channels: int) -> None:
        """Accept the rooms that the token names, or raise `CommandError`, `Disconnect` (3505)."""
        if len(self.channels) > most_channels:
            raise Disconnect(errors.CHANNEL_LIMIT)
        for channel in self.channels:
            limits.check_channel(channel)

    @property
    def complete(self) -> bool:
        """Whether the client is in all rooms that let it in."""
        return self.entered.keys() | self.shut == self.channels.keys()

    def position(self, channel: str) -> Position | None:
        """Return from where a room is resumed, None for from now on."""
        resume = self._resumes.get(channel)
        return Position(resume.offset, resume.epoch) if resume is not None and resume.recover else None

    def wait(self, command: Command, most: int) -> None:
        """Keep a command for later. Raises `CommandError` if there are too many."""
        if len(self.waiting) >= most:
            raise CommandError(errors.TOO_MANY_REQUESTS)
        self.waiting.append(command)

    def result(self, version: str, ping: int, now_s: float) -> ConnectResult:
        """Return the reply to connect."""
        identity = self.identity
        return ConnectResult(
            client=self.client,
            version=version,
            data=Oneself(identity.user, identity.name, self._guest),
            ping=ping,
            pong=True,
            subs={**self.entered, limits.personal_channel(identity.user): PERSONAL},
            expires=identity.expires_at is not None,
            ttl=ttl_s(identity.expires_at, now_s),
        )


class Session:
    """Whose connection it is, and what that lets it do."""

    __slots__ = ("_door", "expires_at", "identity")

    def __init__(self, door: Door, identity: Identity) -> None:
        self.identity = identity
        self.expires_at = identity.expires_at
        """Until when the connection may stay, in Unix time: what its token says, or the server's API said later."""
        self._door = door

    def refresh(self, token: str, now_s: float) -> float | None:
        """Take a new connection token, and return when it ends. Raises `Disconnect`.

        Only from a client that was told that its token ends, whatever the API has said of the connection meanwhile.
        """
        if self.identity.expires_at is None:
            raise Disconnect(errors.BAD_REQUEST_CLOSE)
        try:
            self.identity = self._door.refresh(self.identity, token, now_s)
        except CommandError:
            raise Disconnect(errors.EXPIRED) from None
        self.expires_at = self.identity.expires_at
        return self.expires_at

    def may(self, action: Action, channel: str, room_class: RoomClass) -> bool:
        """Tell whether it may enter a channel, or look into it, without a token for it."""
        return may_in(self.identity, action, channel, room_class)

    def permit(self, channel: str, token: str, room_class: RoomClass, now_s: float) -> Permit:
        """Return on what terms it may subscribe to a channel. Raises `CommandError` (103, 109), `Disconnect` (3500)."""
        if token and can_be_let_into(self.identity.user, channel):
            return self._door.permit(self.identity, channel, token, now_s)
        if not self.may(Action.JOIN, channel, room_class):
            raise CommandError(errors.PERMISSION_DENIED)
        return Permit()


def author_in(author: Author, chan_info: str) -> Author:
    """Return who somebody is in a channel where others see more of it."""
    return msgspec.structs.replace(author, chan_info=chan_info) if chan_info else author


def ttl_s(expires_at: float | None, now_s: float) -> int:
    """Return how long something is good for: at least a second, so that it is not asked for at once; 0 for ever."""
    return max(math.ceil(expires_at - now_s), 1) if expires_at is not None else 0


def refreshed(client: str, version: str, expires_at: float | None, now_s: float) -> RefreshResult:
    """Return the reply to refresh."""
    return RefreshResult(client, version, expires_at is not None, ttl_s(expires_at, now_s))


def sub_refreshed(expires_at: float | None, now_s: float) -> SubRefreshResult:
    """Return the reply to sub_refresh."""
    return SubRefreshResult(expires_at is not None, ttl_s(expires_at, now_s))


def expiring(result: SubscribeResult, expires_at: float | None, now_s: float) -> SubscribeResult:
    """Return the reply to a subscribe with a token that ends."""
    if expires_at is None:
        return result
    return msgspec.structs.replace(result, expires=True, ttl=ttl_s(expires_at, now_s))
