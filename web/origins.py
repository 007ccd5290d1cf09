"""Which web pages may open a WebSocket here (RFC 6455, section 10.2).

A browser lets any page connect to any server and names the page's origin in the handshake; refusing is up to the
server. What is no browser sends no `Origin`, or could send any, so the check is about pages and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import Scope

ANY: Final = "*"

_PAGE_SCHEME: Final = {"ws": "http", "wss": "https"}
_DEFAULT_PORT: Final = {"http": ":80", "https": ":443"}


class Origins:
    """The origins that may connect: the one that serves the chat itself, and `allowed`. `*` among them: any."""

    def __init__(self, allowed: Collection[str] = ()) -> None:
        self._allowed = frozenset(allowed)

    def allow(self, scope: Scope) -> bool:
        """Tell whether this handshake may go on: it has no origin, or one that is allowed, letter by letter."""
        origins = _values(scope, b"origin")
        if not origins or ANY in self._allowed:
            return True
        if len(origins) > 1:
            return False
        return origins[0] in self._allowed or origins[0] == _own(scope)


def origin_of(scope: Scope) -> str | None:
    """Return the origin that a handshake names, for the log."""
    return ", ".join(_values(scope, b"origin")) or None


def _own(scope: Scope) -> str | None:
    """Return the origin of a page that was served at the address that this handshake came to."""
    hosts = _values(scope, b"host")
    if len(hosts) != 1:
        return None
    scheme = _PAGE_SCHEME[scope["scheme"]]
    return f"{scheme}://{hosts[0].removesuffix(_DEFAULT_PORT[scheme])}"


def _values(scope: Scope, wanted: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name == wanted]
