"""One room, many who listen, some who send: `locust -f loadtests/`, with the server running.

Rows: `connect` (until the room has answered), `send → ack` (until the message is durable) and
`send → deliver` (until a listener has it). A gap in a room's offsets, or an offset that comes
twice, is a failure of `send → deliver`; a connection that ends by itself one of `connect`.
"""

from __future__ import annotations

import itertools
import random
import threading
import time
from typing import TYPE_CHECKING, Any

from locust import User, constant, constant_throughput, events, task
from locust.stats import bucket_response_time
from websockets.exceptions import WebSocketException

from loadtests._deliveries import Deliveries
from loadtests._member import CommandFailedError, Member

if TYPE_CHECKING:
    from collections.abc import Callable

    from locust.env import Environment

METHOD = "WS"
DELIVER = "send → deliver"
FLUSH_EVERY_S = 1.0
NUMBERS = itertools.count(1)
# What may go wrong without this program being at fault; a reply that does not come is an OSError.
FAILURES = (OSError, WebSocketException, CommandFailedError)

deliveries = Deliveries(DELIVER, METHOD, bucket_response_time)


class ConnectionEndedError(Exception):
    """The server, or the network, ended a connection."""


class OutOfOrderError(Exception):
    """A message was missed, or came twice."""


class ChatUser(User):
    """Someone in the room, and once more so whenever the connection ends."""

    abstract = True
    channel = "load"
    member: Member | None = None

    def connected(self) -> Member | None:
        """Return the membership, a new one if need be; None if that failed, which is reported."""
        if self.member is None or self.member.gone.is_set():
            self.member = None
            self._measure("connect", self._connect)
        return self.member

    def on_stop(self) -> None:
        """Leave the room."""
        if self.member:
            self.member.close()

    def delivered(self, latency_ms: int) -> None:
        """Count a delivery."""
        deliveries.add(latency_ms)

    def out_of_order(self, what: str) -> None:
        """Report what must never happen."""
        self._report(DELIVER, error=OutOfOrderError(what))

    def ended(self, how: str) -> None:
        """Report a connection that this side did not end."""
        self._report("connect", error=ConnectionEndedError(how))

    def _connect(self) -> None:
        url = f"ws{(self.host or '').removeprefix('http').rstrip('/')}/connection/websocket"
        name = f"load-{next(NUMBERS)}"
        self.member = Member(url, name=name, channel=self.channel, listener=self)

    def _measure(self, name: str, do: Callable[[], None]) -> None:
        start = time.perf_counter()
        error: Exception | None = None
        try:
            do()
        except FAILURES as failure:
            error = failure
        self._report(name, (time.perf_counter() - start) * 1000, error)

    def _report(self, name: str, time_ms: float | None = None, error: Exception | None = None) -> None:
        self.environment.events.request.fire(
            request_type=METHOD,
            name=name,
            response_time=time_ms,
            response_length=0,
            exception=error,
            context=self.context(),
        )


class Listener(ChatUser):
    """Reads. Most people do."""

    weight = 9
    wait_time = constant(1)

    @task
    def listen(self) -> None:
        """Stay until the connection ends."""
        member = self.connected()
        if member:
            member.gone.wait()


class Sender(ChatUser):
    """Says something once a second."""

    weight = 1
    wait_time = constant_throughput(1)

    @task
    def send(self) -> None:
        """Send some 20 to 200 characters."""
        member = self.connected()
        if member:
            text = "x" * random.randint(20, 200)
            self._measure("send → ack", lambda: member.send(text))


@events.init.add_listener
def flush_regularly(environment: Environment, **_: Any) -> None:
    """Hand the deliveries over every second, and what is left at the end."""

    def flush(**_: Any) -> None:
        deliveries.flush(environment.stats)

    def run() -> None:
        while True:
            time.sleep(FLUSH_EVERY_S)
            flush()

    environment.events.test_stop.add_listener(flush)
    threading.Thread(target=run, daemon=True).start()
