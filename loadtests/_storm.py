"""A reconnect storm: again and again everybody loses the connection at the same moment."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from loadtests._member import Member


class Storm:
    """Drops the connections of `members`, whoever that is at the time, until it is `over`.

    It strikes whenever the clock shows a multiple of `every_s`, so that it does in all processes at once.
    """

    def __init__(self, members: Collection[Member], every_s: float) -> None:
        self._members = members
        self._every_s = every_s
        self._over = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def over(self) -> None:
        """End it."""
        self._over.set()

    def _run(self) -> None:
        while not self._over.wait(self._every_s - time.time() % self._every_s):
            for member in tuple(self._members):
                member.drop()
