"""Who is it? Guests: a name of their own choice, an id of ours.

The id is what counts (it makes a repeated send a repeat), the name is what is shown. A guest gets its id with a
signature, and whoever brings both back, after a dropped connection or a reload, is the same guest again; an id
without its signature is nobody's.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata

from chat.errors import bad_request

MAX_NAME_CHARS = 40


class Guests:
    """Gives out guest ids and knows them again. The signatures hold as long as the process."""

    def __init__(self, secret: bytes | None = None) -> None:
        self._secret = secret or secrets.token_bytes(32)

    def admit(self, token: str) -> tuple[str, str]:
        """Return (user id, token): the guest that the token was given to, or a new one if it is not ours."""
        user, _, signature = token.partition(".")
        if signature and hmac.compare_digest(signature.encode(), self._sign(user).encode()):
            return user, token
        user = f"guest-{secrets.token_hex(6)}"
        return user, f"{user}.{self._sign(user)}"

    def _sign(self, user: str) -> str:
        return hmac.new(self._secret, user.encode(), hashlib.sha256).hexdigest()[:32]


def clean_name(name: str, user: str) -> str:
    """Return the name to show: normalised (NFC), outer spaces removed; made from the user id if empty.

    Raises `CommandError` for one that is too long or has characters that do not print.
    """
    name = " ".join(unicodedata.normalize("NFC", name).split())
    if not name:
        return f"Guest {user[-4:]}"
    if len(name) > MAX_NAME_CHARS:
        raise bad_request(f"name longer than {MAX_NAME_CHARS} characters")
    if not name.isprintable():
        raise bad_request("name with characters that do not print")
    return name
