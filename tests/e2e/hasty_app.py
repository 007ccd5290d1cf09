"""The real application, but it looks for entries and files to forget all the time."""

from __future__ import annotations

import actors.files
import actors.journal

actors.journal.TRIM_INTERVAL_S = 0.01  # type: ignore[misc]
actors.files.CLEAN_INTERVAL_S = 0.01  # type: ignore[misc]

from chat.main import app  # noqa: E402  (with the actors as above)

__all__ = ["app"]
