"""How the page comes over the wire. How fast is not for a test to say: `make page` does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.cost import load

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

    from tests.e2e.conftest import NewPage
    from tests.server import Server

pytestmark = pytest.mark.browser

MAX_BYTES = 300_000
NOT_AT_FIRST = re.compile(r"/(app|chat|connection|markup|vendor/(centrifuge|markdown-it|purify))\.js$")


class Gate:
    """Holds back what the form does not need."""

    def __init__(self, page: Page) -> None:
        self._is_open = False
        self._held: list[Route] = []
        page.route(NOT_AT_FIRST, self._take)

    def _take(self, route: Route) -> None:
        if self._is_open:
            route.continue_()
        else:
            self._held.append(route)

    def open(self) -> None:
        self._is_open = True
        for route in self._held:
            route.continue_()


def test_the_page_is_small_and_comes_once(server: Server, new_page: NewPage) -> None:
    page = new_page()

    first, again = load(page, server.url), load(page, server.url)

    assert first.total < MAX_BYTES, first.bytes
    assert {path for path, size in again.bytes.items() if size} == {"/"}
    assert again.total < 1_000


def test_all_that_the_page_loads_is_of_one_release_and_was_announced(server: Server, new_page: NewPage) -> None:
    page = new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))

    loaded = [path for path in load(page, server.url).bytes if path.endswith(".js")]

    announced = page.locator("link[rel=modulepreload]").evaluate_all(
        "links => links.map(link => new URL(link.href).pathname)"
    )
    assert len({path.split("/")[2] for path in loaded}) == 1
    assert sorted(loaded) == sorted(announced)
    assert complaints == []


def test_the_form_is_there_and_takes_a_name_before_all_that_it_does_not_need(server: Server, new_page: NewPage) -> None:
    page = new_page()
    gate = Gate(page)
    page.goto(server.url, wait_until="commit")

    page.get_by_label("Your name").fill("Ada")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_role("status")).to_have_text("Connecting…")
    gate.open()

    expect(page.locator("[data-state=connected]")).to_be_attached()
    expect(page.get_by_text("You are Ada")).to_be_attached()


def test_what_is_being_typed_stays_when_the_rest_has_come(server: Server, new_page: NewPage) -> None:
    page = new_page()
    gate = Gate(page)
    page.goto(server.url, wait_until="commit")
    page.get_by_label("Your name").press_sequentially("Ad")
    gate.open()
    page.wait_for_load_state("networkidle")
    page.keyboard.type("a")

    expect(page.get_by_label("Your name")).to_have_value("Ada")


def test_what_cannot_be_loaded_is_said(server: Server, new_page: NewPage) -> None:
    page = new_page(faults=("Failed to fetch dynamically imported module",))
    page.route("**/markup.js", lambda route: route.abort())
    page.goto(server.url)

    expect(page.get_by_role("alert")).to_contain_text("reload")
