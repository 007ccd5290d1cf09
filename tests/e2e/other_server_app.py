"""The real application, as it is under a server that does not let it have the transport."""

from __future__ import annotations

import web.transport

web.transport.NEEDED = ("what no transport has",)  # type: ignore[misc,assignment]

from chat.main import app  # noqa: E402  (with the transport out of reach)

__all__ = ["app"]
