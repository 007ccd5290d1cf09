"""The page for who has no mouse, wants no motion, or has a screen with a notch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.e2e.application import APPLICATION, log_in
from tests.e2e.test_page import PHONE, join, say
from tests.e2e.test_page_moderation import open_moderation, person
from tests.server import Member, running

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.e2e.conftest import NewPage
    from tests.server import Server

pytestmark = pytest.mark.browser

MOST_STOPS = 40

FOCUSED = """() => {
    const { activeElement: it } = document;
    const { outlineStyle, outlineWidth } = getComputedStyle(it);
    const { top, left, bottom, right } = it.getBoundingClientRect();
    return {
        name: it === document.body ? '' : it.ariaLabel ?? it.labels?.[0]?.innerText ?? it.innerText,
        isMarked: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1,
        isInSight: top >= 0 && left >= 0 && bottom <= innerHeight && right <= innerWidth,
    };
}"""


def walk(page: Page) -> list[dict[str, Any]]:
    """Press Tab until the focus is where it was; return where it stopped, but for the frame of the browser."""
    stops = [page.evaluate(FOCUSED)]
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stops.append(page.evaluate(FOCUSED))
        if stops[-1]["name"] == stops[0]["name"]:
            return [stop for stop in stops[1:] if stop["name"]]
    pytest.fail(f"the focus does not come back: {stops}")


def test_tab_leads_through_everything_as_it_is_read_and_shows_where_it_is(new_page: NewPage) -> None:
    with running() as server:
        page = join(new_page(), server, "Ada", "/r/tab")
        say(page, "see https://example.org/")
        expect(page.get_by_role("link", name="example.org")).to_be_visible()
        expect(page.get_by_role("button", name="Mute this room")).to_be_visible()
        page.get_by_role("textbox", name="Message").fill("more")
        expect(page.get_by_role("button", name="Send")).to_be_enabled()

        stops = walk(page)

    assert [stop["name"].split("\n")[0] for stop in stops] == [
        "Insert an emoji",
        "Send",
        "Close members",
        "Skip to the message field",
        "Go to…",
        "Find or open a room",
        "lobby",
        "Menu of lobby",
        "tab",
        "Menu of tab",
        "New private room",
        "New direct message",
        "Change name",
        "Mute this room",
        "Members, 1 here",
        "Search messages",
        "Menu of tab",
        "A",  # the newest message, which begins with its author's avatar
        "https://example.org/",
        "React",
        "Reply",
        "Edit",
        "More",
        "Attach files",
        "Message",
    ]
    assert [stop for stop in stops if not stop["isMarked"] or not stop["isInSight"]] == []


def test_the_skip_link_leads_to_the_message_field(server: Server, new_page: NewPage) -> None:
    page = join(new_page(), server, "Ada", "/r/skip")
    page.get_by_role("link", name="Skip to the message field").focus()
    page.keyboard.press("Enter")

    expect(page.get_by_role("textbox", name="Message")).to_be_focused()


def test_escape_closes_the_drawer_and_the_focus_is_back_at_what_opened_it(server: Server, new_page: NewPage) -> None:
    page = join(new_page(**PHONE), server, "Ada", "/r/escape")
    opener = page.get_by_role("button", name="Rooms and people")
    opener.press("Enter")
    expect(page.get_by_role("dialog", name="Rooms and people")).to_be_visible()
    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog", name="Rooms and people")).not_to_be_visible()
    expect(opener).to_be_focused()


def test_escape_closes_the_moderators_dialog_and_the_focus_is_back_at_what_opened_it(new_page: NewPage) -> None:
    with running(**APPLICATION) as server:
        page = log_in(new_page(), server, "Mo", "moderator", "escape")
        eve = Member(server, "Eve")
        eve.call(subscribe={"channel": "escape"})
        open_moderation(page, "Eve")
        page.keyboard.press("Escape")

        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(person(page, "Eve")).to_be_focused()
        eve.close()


@pytest.mark.parametrize(("wanted", "moves"), [("reduce", False), ("no-preference", True)])
def test_nothing_moves_for_who_wants_no_motion(server: Server, new_page: NewPage, wanted: str, *, moves: bool) -> None:
    page = join(new_page(reduced_motion=wanted, **PHONE), server, "Ada", "/r/motion")

    moving = page.evaluate(
        """() => {
            document.querySelector('button[aria-label="Rooms and people"]').click();
            const durations = [...document.querySelectorAll('*')].map(it => getComputedStyle(it).transitionDuration);
            return [document.getAnimations().length > 0, durations.some(duration => parseFloat(duration) > 0)];
        }"""
    )

    assert moving == [moves, moves]


def test_what_one_needs_keeps_clear_of_notch_and_home_bar(server: Server, new_page: NewPage) -> None:
    page = join(new_page(reduced_motion="reduce", **PHONE), server, "Ada", "/r/notch")
    insets = {"top": 47, "left": 30, "bottom": 34, "right": 31}
    page.context.new_cdp_session(page).send("Emulation.setSafeAreaInsetsOverride", {"insets": insets})
    size = PHONE["viewport"]
    inside = {
        "top": insets["top"],
        "left": insets["left"],
        "bottom": size["height"] - insets["bottom"],
        "right": size["width"] - insets["right"],
    }

    controls = [page.get_by_role("textbox", name="Message"), page.get_by_role("button", name="Send")]
    controls += [page.get_by_role("button", name="Rooms and people"), page.get_by_role("heading", name="notch")]
    assert [control.get_attribute("aria-label") for control in controls if not is_inside(control, inside)] == []

    page.get_by_role("button", name="Rooms and people").click()
    drawer = [page.get_by_role("button", name="Close"), page.get_by_role("link", name="lobby")]
    drawer += [page.get_by_role("button", name="Change name")]
    assert [control.inner_text() for control in drawer if not is_inside(control, inside)] == []


def is_inside(control: Locator, inside: dict[str, int]) -> bool:
    """Tell whether the control is in that part of the screen."""
    box = control.bounding_box()
    assert box is not None
    return (
        box["x"] >= inside["left"]
        and box["y"] >= inside["top"]
        and box["x"] + box["width"] <= inside["right"]
        and box["y"] + box["height"] <= inside["bottom"]
    )
