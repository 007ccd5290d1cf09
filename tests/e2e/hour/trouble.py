"""What goes wrong in the hour: connections, browsers, rooms, the server. Each trouble ends by itself."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Final

from tests.e2e.flaky import Proxy
from tests.e2e.hour.people import ROOMS
from tests.server import Member, Server, database_url

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.e2e.hour.people import Person
    from tests.e2e.hour.report import Report

FAULTS: Final = {"cut": 8, "stall": 3, "refuse": 3, "offline": 4, "crash": 8, "kill": 2}
CRASHES: Final = ("handler", "start", "commit", "fanout")


class Trouble:
    """Has the server, and the proxy that stands before it; takes them away, and gives them back."""

    def __init__(self, file: Path, dice: random.Random, report: Report) -> None:
        self._file = file
        self._dice = dice
        self._report = report
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port: int = probe.getsockname()[1]
        self._server: Server | None = self._start()
        self._proxy = Proxy(self._port)
        self._ends: list[tuple[float, Callable[[], None]]] = []

    @property
    def server(self) -> Server:
        """The server, which runs once all trouble has ended."""
        assert self._server is not None
        return self._server

    @property
    def base(self) -> str:
        """The address at which people find the page."""
        return f"http://127.0.0.1:{self._proxy.port}"

    def close(self) -> None:
        self._proxy.close()
        if self._server is not None:
            self._server.close()

    def begin(self, people: Sequence[Person]) -> None:
        """Let something go wrong, for some of the people or for all."""
        what = self._dice.choices(list(FAULTS), list(FAULTS.values()))[0]
        if self._server is None and what in {"crash", "kill"}:
            return
        match what:
            case "cut":
                self._proxy.cut()
            case "stall":
                self._proxy.stall(self._dice.uniform(0.5, 4))
            case "refuse":
                self._proxy.refuse(on=True)
                self._proxy.cut()
                self._later(0.5, 4, lambda: self._proxy.refuse(on=False))
            case "offline":
                context = self._dice.choice(people).page.context
                context.set_offline(True)
                self._later(1, 8, lambda: context.set_offline(False))
            case "crash":
                self._crash(self._dice.choice(ROOMS))
            case _:
                self.server.kill()
                self.server.close()
                self._server = None
                self._later(0.5, 3, self._restart)
        self._report.faults[what] += 1

    def end(self, *, all_of_it: bool = False) -> None:
        """End what has lasted long enough."""
        due = [one for one in self._ends if all_of_it or one[0] <= time.monotonic()]
        self._ends = [one for one in self._ends if one not in due]
        for _, end in due:
            end()

    def _later(self, low: float, high: float, what: Callable[[], None]) -> None:
        self._ends.append((time.monotonic() + self._dice.uniform(low, high), what))

    def _crash(self, room: str) -> None:
        member = Member(self.server, "Chaos")
        member.call(subscribe={"channel": room})
        member.call(rpc={"method": "chaos", "data": {"channel": room, "kind": self._dice.choice(CRASHES)}})
        member.close()

    def _start(self) -> Server:
        settings = {
            "CHAT_DATABASE_URL": database_url(self._file),
            "CHAT_CHAOS": "true",
            "CHAT_RATE_LIMIT": "off",
            "CHAT_CONNECTION_LIMITS": "off",
        }
        return Server("chat.main:app", "--port", str(self._port), **settings)

    def _restart(self) -> None:
        self._server = self._start()
