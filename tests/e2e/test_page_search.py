"""The page's search: what was said, found by its words, author and day, and shown where it was said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.e2e.test_page import PHONE, join, say, timeline
from tests.server import Member, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Locator, Page

    from tests.e2e.conftest import Check, NewPage
    from tests.server import Server

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Run a server on which one person may say much in a short time."""
    with running(CHAT_RATE_LIMIT="off") as server:
        yield server


def speaker(server: Server, name: str, channel: str, *texts: str) -> Member:
    """Return somebody who has said this."""
    member = Member(server, name)
    member.call(subscribe={"channel": channel})
    for number, text in enumerate(texts):
        member.rpc("send", channel=channel, key=f"{channel}-{number}", text=text)
    return member


def search(page: Page, query: str) -> None:
    """Search from wherever one is, by keyboard."""
    page.keyboard.press("Control+Shift+F")
    expect(page.get_by_role("searchbox", name="Words to look for")).to_be_focused()
    page.get_by_role("searchbox", name="Words to look for").fill(query)


def hits(page: Page) -> Locator:
    return page.locator(".hit")


def test_words_are_found_and_marked_and_a_result_leads_to_its_message(server: Server, new_page: NewPage) -> None:
    filler = [f"filler {number}" for number in range(150)]
    bob = speaker(server, "Bob", "tea", "the <b>green</b> tea is best", *filler)
    ada = join(new_page(), server, "Ada", "/r/tea")
    expect(timeline(ada).get_by_text("filler 149", exact=True)).to_be_visible()
    expect(timeline(ada)).not_to_contain_text("is best")

    search(ada, "green te")
    expect(hits(ada)).to_have_count(1)
    expect(hits(ada)).to_contain_text("the <b>green</b> tea is best")
    assert hits(ada).locator("mark").all_inner_texts() == ["green", "tea"]
    hits(ada).press("Enter")

    expect(timeline(ada).get_by_text("tea is best")).to_be_in_viewport()
    assert ada.url == f"{server.url}/r/tea#m1"
    bob.close()


def test_a_search_is_of_this_room_or_of_all_and_a_result_opens_its_room(server: Server, new_page: NewPage) -> None:
    bob = speaker(server, "Bob", "zoo", "a zebra in the zoo")
    cleo = speaker(server, "Cleo", "street", "a zebra on the street")
    ada = join(new_page(), server, "Ada", "/r/zoo")

    search(ada, "zebra")
    expect(hits(ada)).to_have_count(1)
    ada.get_by_role("combobox", name="In", exact=True).select_option("All rooms")
    expect(hits(ada)).to_have_count(2)
    expect(ada.get_by_role("heading", name="#street")).to_be_visible()
    ada.get_by_role("list", name="#street").get_by_role("button").click()

    expect(ada.get_by_role("heading", level=1)).to_have_text("street")
    expect(timeline(ada).get_by_text("a zebra on the street")).to_be_visible()
    expect(hits(ada)).to_have_count(2)  # the results stay at hand
    bob.close()
    cleo.close()


def test_results_are_narrowed_down_by_author_and_day(server: Server, new_page: NewPage) -> None:
    bob = speaker(server, "Bob", "narrow", "lunch at noon")
    cleo = speaker(server, "Cleo", "narrow", "lunch at one")
    ada = join(new_page(), server, "Ada", "/r/narrow")
    search(ada, "lunch")
    expect(hits(ada)).to_have_count(2)

    ada.get_by_label("From").select_option("Cleo")
    expect(hits(ada)).to_have_count(1)
    expect(hits(ada)).to_contain_text("lunch at one")
    ada.get_by_label("Until").fill("2020-01-01")
    expect(ada.get_by_text("Nothing found in this room")).to_be_visible()
    ada.get_by_label("Until").fill("")
    ada.get_by_label("Since").fill("2020-01-01")

    expect(hits(ada)).to_have_count(1)
    bob.close()
    cleo.close()


def test_more_results_come_below_the_first_ones(server: Server, new_page: NewPage) -> None:
    bob = speaker(server, "Bob", "many", *[f"needle {number}" for number in range(45)])
    ada = join(new_page(), server, "Ada", "/r/many")
    search(ada, "needle")
    expect(hits(ada)).to_have_count(20)

    for count in (40, 45):
        ada.get_by_role("button", name="Show more").click()
        expect(hits(ada)).to_have_count(count)

    expect(ada.get_by_role("button", name="Show more")).to_have_count(0)
    texts = hits(ada).locator(".hit-text").all_inner_texts()
    assert [text.strip() for text in texts] == [f"needle {number}" for number in reversed(range(45))]
    bob.close()


def test_a_search_that_fails_says_so_and_is_tried_again(server: Server, new_page: NewPage) -> None:
    ada = join(new_page(), server, "Ada", "/r/lost")
    say(ada, "lost and found")
    expect(ada.locator("[data-state=sent]")).to_have_count(1)
    ada.context.set_offline(True)
    expect(ada.locator("[data-state=connecting]")).to_be_attached(timeout=60_000)

    search(ada, "lost")
    expect(ada.get_by_role("alert")).to_contain_text("The search did not work")
    ada.context.set_offline(False)
    expect(ada.locator("[data-state=connected]")).to_be_attached(timeout=30_000)
    ada.get_by_role("button", name="Try again").click()

    expect(hits(ada)).to_have_count(1)


def test_slash_opens_the_search_and_escape_closes_it_and_gives_the_focus_back(
    server: Server, new_page: NewPage
) -> None:
    ada = join(new_page(), server, "Ada", "/r/keys")
    box = ada.get_by_role("textbox", name="Message")
    box.press("/")
    expect(box).to_have_value("/")
    timeline(ada).focus()

    ada.keyboard.press("/")
    expect(ada.get_by_role("searchbox", name="Words to look for")).to_be_focused()
    ada.keyboard.press("Escape")

    expect(ada.get_by_role("searchbox")).to_have_count(0)
    expect(timeline(ada)).to_be_focused()


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("colour_scheme", ["light", "dark"])
def test_axe_finds_nothing_to_complain_about_in_results(
    server: Server, new_page: NewPage, check_accessible: Check, colour_scheme: str, device: dict[str, Any]
) -> None:
    bob = speaker(server, "Bob", "axe", "what is found is marked")
    page = join(new_page(color_scheme=colour_scheme, reduced_motion="reduce", **device), server, "Ada", "/r/axe")
    page.get_by_role("button", name="Search messages").click()
    page.get_by_role("searchbox", name="Words to look for").fill("found")
    expect(hits(page).first).to_be_visible()

    check_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    hits(page).first.click()

    expect(timeline(page).get_by_text("what is found is marked").first).to_be_visible()
    if device:
        expect(page.get_by_role("searchbox")).to_have_count(0)
    bob.close()
