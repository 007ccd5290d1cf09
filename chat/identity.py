"""Who is it? A user, if a token says so; else a guest, where guests may come.

A guest has a name of its own choice and an id of ours. The id is what counts (it makes a repeated send a repeat), the
name is what is shown. A guest gets its id with a signature, and whoever brings both back, after a dropped connection
or a reload, is the same guest again; an id without its signature is nobody's, and no token makes a user of it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import Counter
from typing import TYPE_CHECKING, Final

import msgspec

from chat.errors import (
    BAD_REQUEST_CLOSE,
    INVALID_TOKEN,
    PERMISSION_DENIED,
    TOKEN_EXPIRED,
    CommandError,
    Disconnect,
)
from chat.names import MAX_NAME_CHARS, clean_name, guest_name, is_guest_name, look
from chat.policy import outranks
from chat.private_rooms import NO_PRIVATE_ROOMS
from chat.tokens import GUEST_PREFIX, ExpiredTokenError, InvalidTokenError, Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat.private_rooms import PrivateRooms
    from chat.tokens import ConnectionClaims, Tokens

NOWHERE: Final[Mapping[str, Role]] = {}
NO_CHANNELS: Final[Mapping[str, str]] = {}


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who is behind a connection, and as what.

    `look` is what the name looks like (`names.look`), nothing for a name that only this guest can have; a `vouched`
    name is the application's word rather than the client's. `info` is what others see of the user, as JSON, "" for
    the name only. `rooms` has the role in rooms where it is another one. `expires_at` is Unix time, None for never;
    `channels` are those that the user is put into, each with what others see there. `private` are all private rooms,
    as they are at any moment: they say which ones the user is a member of, and which it leads.
    """

    user: str
    name: str
    look: tuple[str, ...]
    vouched: bool = False
    info: str = ""
    role: Role = Role.MEMBER
    rooms: Mapping[str, Role] = NOWHERE
    expires_at: float | None = None
    channels: Mapping[str, str] = NO_CHANNELS
    private: PrivateRooms = NO_PRIVATE_ROOMS

    def role_in(self, channel: str) -> Role:
        """Return what this user is in a channel: at least a moderator in a private room that it has made."""
        role = self.rooms.get(channel, self.role)
        leads = outranks(Role.MODERATOR, role) and self.private.is_led_by(channel, self.user)
        return Role.MODERATOR if leads else role


SERVER: Final = Identity(user="", name="", look=(), role=Role.ADMIN)
"""The chat itself, at the wish of the product that embeds it."""


class NamesHere:
    """Whose names are in use in a room. Many may have one name, if the application vouches for it."""

    def __init__(self) -> None:
        self._users: dict[str, dict[str, int]] = {}
        """Who has a name that looks like this, each with how many connections; by `names.look`."""

    def taken(self, identity: Identity) -> bool:
        """Tell whether somebody else has the name, or one that looks like it."""
        return any(self._users.get(key, {}).keys() - {identity.user} for key in identity.look)

    @staticmethod
    def alike(one: Identity, other: Identity) -> bool:
        """Tell whether two different users have names that look alike."""
        return one.user != other.user and not set(one.look).isdisjoint(other.look)

    def add(self, identity: Identity) -> None:
        """Somebody came."""
        for key in identity.look:
            users = self._users.setdefault(key, {})
            users[identity.user] = users.get(identity.user, 0) + 1

    def remove(self, identity: Identity) -> None:
        """Somebody who was added went."""
        for key in identity.look:
            users = self._users[key]
            users[identity.user] -= 1
            if not users[identity.user]:
                del users[identity.user]
            if not users:
                del self._users[key]


class Permit(msgspec.Struct, frozen=True):
    """What a subscription token allows: until when (None: for ever), and what others see, as JSON or ""."""

    expires_at: float | None = None
    chan_info: str = ""


class Guests:
    """Gives out guest ids and knows them again. The signatures hold as long as the process."""

    def __init__(self, secret: bytes | None = None) -> None:
        self._secret = secret or secrets.token_bytes(32)

    def admit(self, token: str) -> tuple[str, str]:
        """Return (user id, token): the guest that the token was given to, or a new one if it is not ours."""
        user, _, signature = token.partition(".")
        if signature and hmac.compare_digest(signature.encode(), self._sign(user).encode()):
            return user, token
        user = f"{GUEST_PREFIX}{secrets.token_hex(6)}"
        return user, f"{user}.{self._sign(user)}"

    def _sign(self, user: str) -> str:
        return hmac.new(self._secret, user.encode(), hashlib.sha256).hexdigest()[:32]


class Door:
    """Tells who somebody is. Without `guests` nobody comes in without a token, without `tokens` nobody with one.

    Whom it refuses it counts in `failures`, by the reason: `guests_off`, `tokens_off`, `expired`, `other_user`, or that
    of an `InvalidTokenError`; a subscription token's begins with `subscription_` (`subscription_expired`).
    """

    def __init__(self, guests: Guests | None, tokens: Tokens | None = None) -> None:
        self._guests = guests
        self._tokens = tokens
        self.failures: Counter[str] = Counter()

    def admit(self, token: str, name: str, guest: str, now_s: float) -> tuple[Identity, str]:
        """Return who connects, and for a guest the token that makes it the same one the next time, else "".

        `name` and `guest` are what the client says of itself. Raises `CommandError` (107, 109), `Disconnect` (3500,
        3501).
        """
        if token:
            return self._user(token, name, now_s), ""
        if self._guests is None:
            self.failures["guests_off"] += 1
            raise Disconnect(BAD_REQUEST_CLOSE)
        user, token = self._guests.admit(guest)
        shown = clean_name(name, guest_name(user))
        return Identity(user=user, name=shown, look=_look(shown), role=Role.GUEST), token

    def refresh(self, identity: Identity, token: str, now_s: float) -> Identity:
        """Return who somebody is from now on, with the name as it was. Raises `CommandError`, `Disconnect`."""
        renewed = self._user(token, identity.name, now_s)
        if renewed.user != identity.user:
            self.failures["other_user"] += 1
            raise Disconnect(INVALID_TOKEN)
        return msgspec.structs.replace(
            renewed,
            name=identity.name,
            look=identity.look,
            vouched=identity.vouched,
            info=identity.info,
            private=identity.private,
        )

    def permit(self, identity: Identity, channel: str, token: str, now_s: float) -> Permit:
        """Return what a subscription token allows. Raises `CommandError` (103, 109), `Disconnect` (3500)."""
        if self._tokens is None:
            self.failures["subscription_tokens_off"] += 1
            raise CommandError(PERMISSION_DENIED)
        try:
            claims = self._tokens.subscription(token, now_s)
            permit = Permit(claims.expires_at, claims.chan_info())
        except InvalidTokenError as error:
            self.failures[f"subscription_{error.reason}"] += 1
            raise CommandError(PERMISSION_DENIED) from None
        except ExpiredTokenError:
            self.failures["subscription_expired"] += 1
            raise CommandError(TOKEN_EXPIRED) from None
        if claims.sub != identity.user or claims.channel != channel:
            self.failures["subscription_other"] += 1
            raise Disconnect(INVALID_TOKEN)
        return permit

    def _user(self, token: str, name: str, now_s: float) -> Identity:
        if self._tokens is None:
            self.failures["tokens_off"] += 1
            raise Disconnect(INVALID_TOKEN)
        try:
            return _identity(self._tokens.connection(token, now_s), name)
        except InvalidTokenError as error:
            self.failures[error.reason] += 1
            raise Disconnect(INVALID_TOKEN) from None
        except ExpiredTokenError:
            self.failures["expired"] += 1
            raise CommandError(TOKEN_EXPIRED) from None


def _identity(claims: ConnectionClaims, name: str) -> Identity:
    info = claims.public_info()
    given = info.get("name")
    vouched = isinstance(given, str) and bool(given.strip())
    default = claims.sub[:MAX_NAME_CHARS]
    shown = clean_name(str(given) if vouched else name, default)
    return Identity(
        user=claims.sub,
        name=shown,
        look=_look(shown),
        vouched=vouched or shown == default,
        info=msgspec.json.encode(info | {"name": shown}).decode() if info.keys() - {"name"} else "",
        role=claims.meta.role,
        rooms=claims.meta.rooms or NOWHERE,
        expires_at=claims.expires_at,
        channels=claims.server_side() or NO_CHANNELS,
    )


def _look(name: str) -> tuple[str, ...]:
    return () if is_guest_name(name) else look(name)
