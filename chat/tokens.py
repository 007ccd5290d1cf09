"""Connection and subscription tokens: JSON Web Tokens (RFC 7519) that an embedding application signs.

Claims are Centrifugo's, so what makes tokens for it makes them for us. A claim of a wrong type makes the token invalid,
as a wrong signature does.
"""

from __future__ import annotations

import base64
import enum
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import jwt
import msgspec

from chat.errors import CommandError
from chat.limits import clean_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat.keys import Key, KeySet

MAX_SKEW_S: Final = 60
"""How far the clock of whoever signs may be ahead. `exp` is taken as it is: who comes too late gets a new token."""

MAX_USER_CHARS: Final = 255

GUEST_PREFIX: Final = "guest-"
"""How the ids of guests begin, and of nobody else."""

SERVER_PREFIX: Final = "$"
"""How the server's own id begins, in whose name the product that embeds the chat publishes."""


class InvalidTokenError(Exception):
    """Not signed by anybody we know, not for us, or not a token at all. The message names no part of it.

    `reason` is one word for counting: `signature`, `claims`, or `form` for what is no token.
    """

    def __init__(self, message: str, reason: str = "claims") -> None:
        super().__init__(message)
        self.reason = reason


class ExpiredTokenError(Exception):
    """It was good once. A new one will be."""


class Role(enum.StrEnum):
    """What somebody is, in all rooms or in one."""

    GUEST = "guest"
    MEMBER = "member"
    MODERATOR = "moderator"
    ADMIN = "admin"


class Meta(msgspec.Struct, frozen=True):
    """The claim `meta`, which only the server sees: the role, and where it is another one."""

    role: Role = Role.MEMBER
    rooms: dict[str, Role] = {}


Time = Annotated[float, msgspec.Meta(ge=0, le=2**53)]


class _Times(msgspec.Struct, frozen=True, kw_only=True):
    """Unix times in seconds. `expire_at` is when the connection or subscription ends if not with the token, 0 never."""

    exp: Time | None = None
    nbf: Time | None = None
    iat: Time | None = None
    expire_at: Time | None = None

    def check(self, now_s: float) -> None:
        """Raise `InvalidTokenError` or `ExpiredTokenError`."""
        if any(time is not None and time > now_s + MAX_SKEW_S for time in (self.nbf, self.iat)):
            raise InvalidTokenError("not valid yet")
        ends = [time for time in (self.exp, self.expire_at or None) if time is not None]
        if any(time <= now_s for time in ends):
            raise ExpiredTokenError

    @property
    def expires_at(self) -> float | None:
        """When what the token was brought for ends. None: never."""
        return self.exp if self.expire_at is None else self.expire_at or None


class _ServerSide(msgspec.Struct, frozen=True):
    """A server-side subscription, as the claim `subs` has it."""

    info: Any = None
    b64info: str = ""


class ConnectionClaims(_Times, frozen=True, kw_only=True):
    """Who somebody is. `sub` is the user's id, `info` what others see, `channels` and `subs` where they are put."""

    sub: str
    info: Any = None
    b64info: str = ""
    channels: list[str] = []
    subs: dict[str, _ServerSide] = {}
    meta: Meta = Meta()

    def public_info(self) -> dict[str, Any]:
        """Return what others see of the user, which must be an object. Raises `InvalidTokenError`."""
        encoded = _json(self.info, self.b64info)
        info = msgspec.json.decode(encoded) if encoded else {}
        if not isinstance(info, dict):
            raise InvalidTokenError("info is no object")
        return info

    def server_side(self) -> Mapping[str, str]:
        """Return the channels that the user is put into, each with what others see there, as JSON or ""."""
        return dict.fromkeys(self.channels, "") | {
            channel: _json(options.info, options.b64info) for channel, options in self.subs.items()
        }


class SubscriptionClaims(_Times, frozen=True, kw_only=True):
    """Who may enter which channel; `info` is what others see there."""

    channel: str
    sub: str = ""
    info: Any = None
    b64info: str = ""

    def chan_info(self) -> str:
        """Return what others see, as JSON, or "" for nothing."""
        return _json(self.info, self.b64info)


C = TypeVar("C", bound=_Times)


class Tokens:
    """Checks tokens against the keys that it is given, whichever of these the token was signed with.

    An audience or issuer that is configured must be in the token; one that is not is not looked at.
    """

    def __init__(
        self, keys: list[Key], key_set: KeySet | None = None, *, audience: str | None = None, issuer: str | None = None
    ) -> None:
        self._keys = keys
        self._key_set = key_set
        self._audience = audience
        self._issuer = issuer

    def connection(self, token: str, now_s: float) -> ConnectionClaims:
        """Return what a connection token says. Raises `InvalidTokenError`, `ExpiredTokenError`."""
        claims = self._claims(token, ConnectionClaims, now_s)
        if claims.sub.startswith((GUEST_PREFIX, SERVER_PREFIX)):
            raise InvalidTokenError("sub has the form of a guest's id, or of the server's")
        if not 1 <= len(claims.sub) <= MAX_USER_CHARS or not claims.sub.isprintable():
            raise InvalidTokenError("sub is empty, too long or does not print")
        return claims

    def subscription(self, token: str, now_s: float) -> SubscriptionClaims:
        """Return what a subscription token says. Raises `InvalidTokenError`, `ExpiredTokenError`."""
        return self._claims(token, SubscriptionClaims, now_s)

    def _claims(self, token: str, kind: type[C], now_s: float) -> C:
        payload = self._payload(token)
        try:
            claims = msgspec.convert(payload, kind)
        except (ValueError, RecursionError) as error:
            raise InvalidTokenError(f"claims: {error}") from None
        claims.check(now_s)
        return claims

    def _payload(self, token: str) -> dict[str, Any]:
        try:
            for key in self._candidates(token):
                try:
                    return jwt.decode(
                        token,
                        key.material,
                        algorithms=[key.algorithm],
                        audience=self._audience,
                        issuer=self._issuer,
                        # Times are checked with the chat's own clock, types with the rest of the claims.
                        options={
                            "verify_exp": False,
                            "verify_nbf": False,
                            "verify_iat": False,
                            "verify_sub": False,
                            "verify_jti": False,
                            "verify_aud": self._audience is not None,
                        },
                    )
                except (jwt.InvalidAlgorithmError, jwt.InvalidSignatureError):
                    continue  # it is another key's
        except (jwt.InvalidAudienceError, jwt.InvalidIssuerError, jwt.MissingRequiredClaimError) as error:
            raise InvalidTokenError(type(error).__name__) from None
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
            raise InvalidTokenError(type(error).__name__, "form") from None
        raise InvalidTokenError("signed with none of the keys", "signature")

    def _candidates(self, token: str) -> list[Key]:
        kid = jwt.get_unverified_header(token).get("kid")
        named = self._key_set.get(kid) if self._key_set is not None and isinstance(kid, str) else None
        return [*self._keys, named] if named is not None else self._keys


def _json(info: Any, b64info: str) -> str:
    """Return what others are to see as JSON, from whichever form it came in. Raises `InvalidTokenError`."""
    if info is None and not b64info:
        return ""
    try:
        encoded = base64.b64decode(b64info, validate=True) if b64info else msgspec.json.encode(info)
        return clean_json(encoded).decode()
    except (ValueError, RecursionError, CommandError):
        raise InvalidTokenError("info is no JSON that all could read") from None
