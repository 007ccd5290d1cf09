"""The page of users who have a token, and what moderators do on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.test_page import say, timeline
from tests.server import running
from tests.tokens import SECRET, token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.e2e.conftest import NewPage
    from tests.server import Server

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Run a server whose page fetches tokens of an application at the same address."""
    with running(CHAT_TOKEN_SECRET=SECRET, CHAT_TOKEN_URL="/app/token") as server:  # noqa: S106
        yield server


def log_in(page: Page, server: Server, name: str, role: str, room: str) -> Page:
    """Be a user of the application, and open a room: nobody is asked for a name."""
    brought = token(sub=name.lower(), info={"name": name}, meta={"role": role})
    page.route("**/app/token", lambda route: route.fulfill(json={"token": brought}))
    page.goto(f"{server.url}/r/{room}")
    expect(page.locator("[data-state=connected]")).to_be_attached()
    return page


def moderate(page: Page, name: str, what: str) -> None:
    """Use the menu on a person, with the keyboard alone."""
    page.get_by_role("button", name=f"Moderate {name}").press("Enter")
    dialog = page.get_by_role("dialog", name=f"Moderate {name}")
    dialog.get_by_label("Why").fill("spam")
    dialog.get_by_role("button", name=what).press("Enter")
    expect(dialog).not_to_be_visible()


def test_a_moderator_kicks_mutes_and_bans_and_the_other_is_told_in_plain_words(
    server: Server, new_page: NewPage
) -> None:
    mo = log_in(new_page(), server, "Mo", "moderator", "tea")
    eve = log_in(new_page(), server, "Eve", "member", "tea")
    expect(eve.get_by_role("button", name="Moderate")).to_have_count(0)

    moderate(mo, "Eve", "Kick")
    expect(eve.get_by_role("alert")).to_contain_text("a moderator put you out (kicked: spam)")
    eve.get_by_role("button", name="Try again").click()

    moderate(mo, "Eve", "Mute")
    say(eve, "hello?")
    expect(timeline(eve)).to_contain_text("Not sent: muted until")

    moderate(mo, "Eve", "Ban")
    expect(eve.get_by_role("alert")).to_contain_text("This room does not let you in: banned until")
    eve.reload()
    expect(eve.get_by_role("alert")).to_contain_text("you are not allowed in")


def test_a_moderator_deletes_a_message_of_somebody_else(server: Server, new_page: NewPage) -> None:
    mo = log_in(new_page(), server, "Mo", "moderator", "cake")
    eve = log_in(new_page(), server, "Eve", "member", "cake")
    say(eve, "rude")
    expect(eve.get_by_role("button", name="Delete")).to_have_count(0)

    mo.get_by_role("button", name="Delete this message of Eve").press("Enter")

    for page in (mo, eve):
        expect(timeline(page)).to_contain_text("Message deleted")


def test_who_is_not_logged_in_is_told_so(server: Server, new_page: NewPage) -> None:
    page = new_page()
    page.route("**/app/token", lambda route: route.fulfill(status=401))
    page.goto(server.url)

    expect(page.get_by_role("alert")).to_contain_text("You are not logged in")
