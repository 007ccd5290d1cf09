"""The real application, but it looks for entries to forget all the time."""

from __future__ import annotations

import actors.journal

actors.journal.TRIM_INTERVAL_S = 0.01  # type: ignore[misc]

from chat.main import app  # noqa: E402  (with the journal as above)

__all__ = ["app"]
