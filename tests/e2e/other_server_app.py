"""The real application, as it is under a server that does not let it have connections."""

from __future__ import annotations

import web.hijack

web.hijack.SERVERS = ()  # type: ignore[misc,assignment]

from chat.main import app  # noqa: E402  (with connections out of reach)

__all__ = ["app"]
