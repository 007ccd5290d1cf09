"""`locust -f loadtests/`, with the server running: a chat's users, in one of the scenarios of `_scenarios.py`.

This is Locust's side of it: the options, the shape, the rows. What users do is in `_roles.py`; that each
gets every message once is checked in `_place.py`. The rows are those of `_rows.py`.
"""

from __future__ import annotations

import itertools
import secrets
import threading
import time
from typing import TYPE_CHECKING, Any

from locust import LoadTestShape, User, events, task
from locust.runners import MasterRunner
from locust.stats import bucket_response_time

from loadtests._deliveries import Deliveries
from loadtests._member import Member
from loadtests._rows import CATCH_UP, DELIVER, DUPLICATES, GAPS
from loadtests._scenarios import DEFAULT, NUMBERS_EACH, SCENARIOS, Scenario
from loadtests._storm import Storm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from locust.argument_parser import LocustArgumentParser
    from locust.env import Environment

METHOD = "WS"
FLUSH_EVERY_S = 1.0


def asked_for(environment: Environment) -> tuple[Scenario, Any]:
    """Return the scenario, and all options."""
    options: Any = environment.parsed_options
    return SCENARIOS[options.scenario], options


class LocustRows:
    """`Rows` in Locust's statistics. Deliveries are too many for an event each, see `_deliveries.py`."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._deliveries = Deliveries(DELIVER, METHOD, bucket_response_time)
        self._late = Deliveries(CATCH_UP, METHOD, bucket_response_time)
        self.delivered = self._deliveries.add
        self.caught_up = self._late.add

    def done(self, row: str, time_ms: float) -> None:
        """See `Rows.done`."""
        self._fire(row, time_ms, None)

    def failed(self, row: str, error: Exception) -> None:
        """See `Rows.failed`."""
        self._fire(row, None, error)

    def begin(self) -> None:
        """Show the rows of what must not happen from the start: so one sees that there is nothing."""
        for row in (GAPS, DUPLICATES):
            self._environment.stats.get(row, METHOD)

    def flush(self) -> None:
        """Hand over the deliveries that were counted."""
        self._deliveries.flush(self._environment.stats)
        self._late.flush(self._environment.stats)

    def _fire(self, row: str, time_ms: float | None, error: Exception | None) -> None:
        self._environment.events.request.fire(
            request_type=METHOD, name=row, response_time=time_ms, response_length=0, exception=error, context={}
        )


class Run:
    """One test, from start to stop, as far as this process has a part in it."""

    def __init__(self, environment: Environment, rows: LocustRows) -> None:
        self.rows = rows
        self.members: set[Member] = set()
        self._scenario, options = asked_for(environment)
        # Only now: a worker does not know its index earlier.
        self._numbers = itertools.count(getattr(environment.runner, "worker_index", 0) * NUMBERS_EACH)
        # Two loads on one server are different people.
        self._name = f"load-{secrets.token_hex(3)}"
        self._storm = Storm(self.members, options.storm_every) if self._scenario.storms else None

    def enter(self, host: str) -> tuple[Member, Iterator[float]]:
        """Return the next user, and what it does."""
        number = next(self._numbers)
        part = self._scenario.part(number)
        url = f"ws{host.removeprefix('http').rstrip('/')}/connection/websocket"
        member = Member(url, name=f"{self._name}-{number}", rooms=part.rooms(number), rows=self.rows)
        self.members.add(member)
        return member, part.role(member)

    def stop(self) -> None:
        """Hand over what is left."""
        if self._storm:
            self._storm.over()
        self.rows.flush()


class ChatUser(User):
    """Somebody in the chat, who does what the scenario has for the next one to do."""

    test: Run
    """The one that is on."""

    def on_start(self) -> None:
        """Be somebody."""
        self._member, self._role = self.test.enter(self.host or "")
        self._pause_s = 0.0

    @task
    def act(self) -> None:
        """Do the next thing."""
        self._pause_s = next(self._role)

    def wait_time(self) -> float:
        """Return how long to wait before that."""
        return self._pause_s

    def on_stop(self) -> None:
        """Leave."""
        self._member.leave()
        self.test.members.discard(self._member)


class Shape(LoadTestShape):
    """The scenario's, with `--users` at most, `--spawn-rate` a second, and in the time of `--run-time`.

    It ends the test, also on Locust's page and without `--run-time`, after the scenario's own time.
    """

    use_common_options = True

    def tick(self) -> tuple[int, float] | None:
        """Say how many users there are to be now; None: the test is over."""
        assert self.runner, "Locust sets it"
        scenario, options = asked_for(self.runner.environment)
        users = scenario.users(self.get_run_time() / (options.run_time or scenario.length_s), options.num_users)
        return (users, options.spawn_rate) if users else None


@events.init_command_line_parser.add_listener
def add_options(parser: LocustArgumentParser) -> None:
    """Have the scenario chosen, on the command line or on Locust's page."""
    titles = "; ".join(f"{name}: {scenario.title}" for name, scenario in SCENARIOS.items())
    parser.add_argument("--scenario", choices=list(SCENARIOS), default=DEFAULT, help=titles)
    parser.add_argument("--storm-every", type=float, default=10.0, help="seconds from one reconnect storm to the next")


@events.init.add_listener
def prepare(environment: Environment, **_: Any) -> None:
    """Have the deliveries handed over every second and at the end, and a new `Run` for each test."""
    rows = LocustRows(environment)

    def start(**_: Any) -> None:
        rows.begin()
        if not isinstance(environment.runner, MasterRunner):  # which has no users
            ChatUser.test = Run(environment, rows)

    def stop(**_: Any) -> None:
        if not isinstance(environment.runner, MasterRunner):
            ChatUser.test.stop()

    def flush() -> None:
        while True:
            time.sleep(FLUSH_EVERY_S)
            rows.flush()

    environment.events.test_start.add_listener(start)
    environment.events.test_stop.add_listener(stop)
    threading.Thread(target=flush, daemon=True).start()
