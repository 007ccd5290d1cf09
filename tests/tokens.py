"""What an embedding application does: it has a key, and makes tokens."""

from __future__ import annotations

from typing import Any

import jwt

from chat.keys import shared_secret
from chat.tokens import Tokens

SECRET = "a secret of the application, of 32 bytes or more"  # noqa: S105  (of no application)


def token(claims: dict[str, Any] | None = None, *, secret: str = SECRET, **more: Any) -> str:
    """Return a token with these claims."""
    return jwt.encode({**(claims or {}), **more}, secret, algorithm="HS256")


def tokens(**options: Any) -> Tokens:
    """Return what checks tokens with that secret."""
    return Tokens([shared_secret(SECRET.encode())], **options)
