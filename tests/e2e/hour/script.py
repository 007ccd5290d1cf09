"""The script of the hour: who acts when, what goes wrong when, and the end."""

from __future__ import annotations

import contextlib
import random
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from playwright.sync_api import Error as PageError

from tests.e2e.hour.comparison import compare
from tests.e2e.hour.people import NAMES, ROOMS, Person
from tests.e2e.hour.report import Report, Said, tell
from tests.e2e.hour.trouble import Trouble
from tests.server import Member

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Browser

    from tests.server import Server

FAULT_EVERY_S: Final = (2.0, 9.0)
TELL_EVERY_S: Final = 60.0
SETTLE_S: Final = 30.0


def run(seconds: float, seed: int, browser: Browser) -> Report:
    """Do all of it with a new server and five new pages."""
    report, dice, said = Report(seed), random.Random(seed), Said()
    with tempfile.TemporaryDirectory(prefix="parley-hour-") as folder:
        file = Path(folder) / "chat.db"
        with contextlib.closing(Trouble(file, dice, report)) as trouble:
            _welcome(trouble.server)
            people = [Person(name, browser, trouble.base, dice, report, said) for name in NAMES]
            for person in people:
                person.join()
                tell(f"{person.name} is in")
            _chat(seconds, people, trouble, dice, report)
            _settle(people, report)
            tell("all is quiet")
            compare(trouble.server, file, people, said, report)
    return report


def _welcome(server: Server) -> None:
    """Say something in each room, so that there is something to read, and by that one is in it."""
    host = Member(server, "Host")
    for room in ROOMS:
        host.call(subscribe={"channel": room})
        host.rpc("send", channel=room, key="welcome", text="welcome")
    host.close()


def _chat(seconds: float, people: Sequence[Person], trouble: Trouble, dice: random.Random, report: Report) -> None:
    end = time.monotonic() + seconds
    next_fault = time.monotonic() + dice.uniform(*FAULT_EVERY_S)
    next_tell = time.monotonic() + TELL_EVERY_S
    while time.monotonic() < end:
        trouble.end()
        dice.choice(people).act()
        if time.monotonic() > next_fault:
            trouble.begin(people)
            next_fault = time.monotonic() + dice.uniform(*FAULT_EVERY_S)
        if time.monotonic() > next_tell:
            _tell(people, report)
            next_tell += TELL_EVERY_S
        dice.choice(people).page.wait_for_timeout(dice.uniform(10, 150))
    trouble.end(all_of_it=True)
    _tell(people, report)


def _tell(people: Sequence[Person], report: Report) -> None:
    for person in people:
        with contextlib.suppress(PageError):
            report.heap_mib = max(report.heap_mib, person.heap_mib())
    tell(f"{report.actions.total()} actions, {report.faults.total()} faults, "
         f"{report.heap_mib:.0f} MiB, {len(report.differences)} differences")  # fmt: skip


def _settle(people: Sequence[Person], report: Report) -> None:
    """Wait until all are connected and nothing is under way; what was refused is tried again, a refusal let go."""
    for person in people:
        try:
            person.come_back(SETTLE_S * 1000)
            person.page.keyboard.press("Escape")
            person.expect_connected(SETTLE_S * 1000)
            for room in ROOMS:
                person.go(room)
                _try_again(person)
                person.expect_all_sent(SETTLE_S * 1000)
            person.go(ROOMS[people.index(person) % len(ROOMS)])
        except (PageError, AssertionError) as error:
            report.differences.append(f"{person.name} does not come to rest: {error}"[:600])


def _try_again(person: Person) -> None:
    page = person.page
    with contextlib.suppress(PageError):
        page.locator(".jump").click(timeout=300)
    end = time.monotonic() + SETTLE_S / 3
    while (button := page.locator(".delivery button").first).count() and time.monotonic() < end:
        button.click()
        page.wait_for_timeout(300)
        refused = page.locator(".delivery[role=alert]").get_by_role("button", name="Discard")
        if refused.count():
            refused.first.click()
