"""The page of users who have a token, and what moderators do on it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.application import APPLICATION, log_in
from tests.e2e.test_page import say, timeline
from tests.e2e.test_page_messages import composer
from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Locator, Page

    from tests.e2e.conftest import NewPage
    from tests.server import Server

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Run a server whose page fetches tokens of an application at the same address."""
    with running(**APPLICATION) as server:
        yield server


def person(page: Page, name: str) -> Locator:
    return page.get_by_role("list", name="People").get_by_role("button", name=re.compile(f"^{name}, "))


def open_moderation(page: Page, name: str) -> Locator:
    """Use the menu on a person, with the keyboard alone; return the dialog."""
    person(page, name).press("Enter")
    page.get_by_role("menuitem", name="Moderate…").press("Enter")
    return page.get_by_role("dialog", name=f"Moderate {name}")


def moderate(page: Page, name: str, what: str) -> None:
    dialog = open_moderation(page, name)
    dialog.get_by_role("radio", name=what).check()
    dialog.get_by_label("Why").fill("spam")
    dialog.get_by_role("button", name=what, exact=True).press("Enter")
    expect(dialog).not_to_be_visible()


def test_a_moderator_kicks_mutes_and_bans_and_the_other_is_told_in_plain_words(
    server: Server, new_page: NewPage
) -> None:
    mo = log_in(new_page(), server, "Mo", "moderator", "tea")
    eve = log_in(new_page(), server, "Eve", "member", "tea")
    person(eve, "Mo").click()
    expect(eve.get_by_role("menuitem", name="Message")).to_be_visible()
    expect(eve.get_by_role("menuitem", name="Moderate")).to_have_count(0)
    eve.keyboard.press("Escape")

    moderate(mo, "Eve", "Kick")
    expect(eve.get_by_role("alert")).to_contain_text("a moderator put you out (kicked: spam)")
    eve.get_by_role("button", name="Try again").click()

    moderate(mo, "Eve", "Mute")
    say(eve, "hello?")
    expect(timeline(eve)).to_contain_text("Not sent: muted until")

    moderate(mo, "Eve", "Ban")
    expect(eve.get_by_role("alert")).to_contain_text("This room does not let you in: banned until")
    composer(eve).fill("but why?")
    composer(eve).press("Enter")
    expect(eve.get_by_role("button", name="Send")).to_be_disabled()
    eve.reload()
    expect(eve.get_by_role("alert")).to_contain_text("you are not allowed in")
    expect(composer(eve)).to_have_value("but why?")


def test_a_moderator_deletes_a_message_of_somebody_else(server: Server, new_page: NewPage) -> None:
    mo = log_in(new_page(), server, "Mo", "moderator", "cake")
    eve = log_in(new_page(), server, "Eve", "member", "cake")
    say(eve, "rude")
    timeline(eve).get_by_text("rude").hover()
    expect(eve.get_by_role("toolbar")).to_be_visible()

    timeline(mo).get_by_text("rude").hover()
    mo.get_by_role("button", name="More").press("Enter")
    mo.get_by_role("menuitem", name="Delete").press("Enter")
    mo.get_by_role("dialog", name="Delete this message?").get_by_role("button", name="Delete").press("Enter")

    for page in (mo, eve):
        expect(timeline(page)).to_contain_text("Message deleted")


def test_a_moderator_lifts_a_mute_and_sees_who_is_banned_and_what_was_done(server: Server, new_page: NewPage) -> None:
    mo = log_in(new_page(), server, "Mo", "moderator", "lifted")
    eve = log_in(new_page(), server, "Eve", "member", "lifted")
    moderate(mo, "Eve", "Mute")

    dialog = open_moderation(mo, "Eve")
    expect(dialog).to_contain_text("Is muted until")
    dialog.get_by_role("button", name="Unmute").press("Enter")
    expect(dialog).not_to_contain_text("Is muted")
    mo.keyboard.press("Escape")
    say(eve, "thank you")
    expect(timeline(mo)).to_contain_text("thank you")

    moderate(mo, "Eve", "Ban")
    mo.locator(".room-header").get_by_role("button", name="Menu of lifted").press("Enter")
    mo.get_by_role("menuitem", name="Bans and record…").press("Enter")
    record = mo.get_by_role("dialog", name="Moderation of lifted")
    expect(record.get_by_role("list", name="Banned and muted")).to_contain_text("Eve is banned until")
    done = record.get_by_role("list", name="What moderators did").get_by_role("listitem")
    expect(done).to_have_count(3)
    expect(done.first).to_contain_text("Eve banned until")
    expect(done.last).to_contain_text("Eve muted until")
    expect(done.last).to_contain_text("by Mo")

    record.get_by_role("button", name="Unban Eve").press("Enter")
    expect(record.get_by_role("list", name="Banned and muted").get_by_role("listitem")).to_have_count(0)
    expect(done).to_have_count(4)
    eve.get_by_role("button", name="Try again").click()
    expect(timeline(eve)).to_contain_text("thank you")


def test_only_guests_are_offered_another_name(server: Server, new_page: NewPage) -> None:
    mo = log_in(new_page(), server, "Mo", "member", "names")

    expect(mo.get_by_text("You are Mo")).to_be_visible()
    expect(mo.get_by_role("button", name="Change name")).to_have_count(0)


def test_who_is_not_logged_in_is_told_so(server: Server, new_page: NewPage) -> None:
    page = new_page()
    page.route("**/app/token", lambda route: route.fulfill(status=401))
    page.goto(server.url)

    expect(page.get_by_role("alert")).to_contain_text("You are not logged in")
