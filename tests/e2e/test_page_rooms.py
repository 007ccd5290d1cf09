"""The page's rooms and people: private rooms, direct messages, topics, presence, invitations, the quick switcher."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.e2e.application import APPLICATION, log_in, user
from tests.e2e.test_page import PHONE, join, say, timeline
from tests.e2e.test_page_moderation import person
from tests.server import Member, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Locator, Page

    from tests.e2e.conftest import Check, NewPage
    from tests.server import Server

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Run a server for guests."""
    with running() as server:
        yield server


@pytest.fixture(scope="module")
def company() -> Iterator[Server]:
    """Run a server whose page fetches tokens of an application at the same address."""
    with running(**APPLICATION) as server:
        yield server


def rooms(page: Page, section: str = "Rooms") -> Locator:
    return page.get_by_role("navigation", name="Rooms").get_by_role("list", name=section, exact=True)


def row(page: Page, section: str, name: str) -> Locator:
    return rooms(page, section).get_by_role("link", name=re.compile(f"^{re.escape(name)}"))


def header(page: Page) -> Locator:
    return page.locator(".room-header")


def choose(page: Page, room: str, item: str) -> None:
    """Use the menu in the header of the room on screen."""
    header(page).get_by_role("button", name=f"Menu of {room}").click()
    page.get_by_role("menuitem", name=item).click()


def create(page: Page, name: str, topic: str = "") -> None:
    page.get_by_role("button", name="New private room").click()
    dialog = page.get_by_role("dialog", name="New private room")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Topic").fill(topic)
    dialog.get_by_role("button", name="Make the room").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)


def invite(page: Page, room: str, name: str) -> None:
    page.get_by_role("button", name="Invite people").click()
    dialog = page.get_by_role("dialog", name=f"Invite people to {room}")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_role("checkbox", name=name).check()
    dialog.get_by_role("button", name="Invite", exact=True).click()
    expect(dialog).not_to_be_visible()


WRITE_AT_ONCE = """name => new Promise(resolve => {
    new MutationObserver((_, observer) => {
        if (document.querySelector("h1").textContent !== name) return;
        observer.disconnect();
        document.getElementById("message").focus();
        resolve([document.activeElement.id, document.querySelectorAll("dialog:modal").length]);
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
    document.querySelector("dialog form.stack").requestSubmit();
})"""
"""Make a room, and go into its field at the moment at which the room is drawn."""


def test_on_a_small_screen_one_can_write_as_soon_as_the_room_is_there(server: Server, new_page: NewPage) -> None:
    page = join(new_page(viewport={"width": 320, "height": 568}), server, "Ada")
    page.get_by_role("button", name="Rooms").click()
    page.get_by_role("button", name="New private room").click()
    page.get_by_role("dialog", name="New private room").get_by_label("Name").fill("small")

    assert page.evaluate(WRITE_AT_ONCE, "small") == ["message", 0]


def test_a_private_room_is_made_others_are_invited_and_one_leaves_it_for_good(
    server: Server, new_page: NewPage
) -> None:
    ada, bob = join(new_page(), server, "Ada"), join(new_page(), server, "Bob")
    expect(person(ada, "Bob")).to_be_visible()

    create(ada, "plans", topic="what to do")
    assert ada.url == f"{server.url}/r/$plans"
    expect(header(ada)).to_contain_text("what to do")
    invite(ada, "plans", "Bob")
    expect(row(bob, "Private rooms", "plans")).to_be_visible()
    notices = bob.get_by_role("region", name="Notices")
    expect(notices).to_contain_text("Ada invited you to plans")
    notices.get_by_role("button", name="Go there").click()
    expect(notices).not_to_contain_text("plans")
    say(bob, "here I am")
    expect(timeline(ada)).to_contain_text("here I am")

    row(bob, "Rooms", "lobby").click()
    expect(ada.get_by_role("list", name="People")).to_contain_text("Bob")
    row(bob, "Private rooms", "plans").click()
    choose(bob, "plans", "Leave room…")
    bob.get_by_role("dialog", name="Leave plans?").get_by_role("button", name="Leave").click()
    expect(bob.get_by_role("heading", level=1)).to_contain_text("lobby")
    expect(row(bob, "Private rooms", "plans")).to_have_count(0)
    bob.goto(f"{server.url}/r/$plans")
    expect(bob.get_by_role("alert")).to_contain_text("This room does not let you in")


def test_an_invitation_that_was_put_aside_leaves_the_room_in_the_list(server: Server, new_page: NewPage) -> None:
    ada, bob = join(new_page(), server, "Ada"), join(new_page(), server, "Bob")
    expect(person(ada, "Bob")).to_be_visible()
    create(ada, "aside")
    invite(ada, "aside", "Bob")

    notices = bob.get_by_role("region", name="Notices")
    notices.get_by_role("button", name="Dismiss").click()

    expect(notices).not_to_contain_text("aside")
    expect(row(bob, "Private rooms", "aside")).to_contain_text("New")
    row(bob, "Private rooms", "aside").click()
    expect(row(bob, "Private rooms", "aside")).not_to_contain_text("New")


def test_a_name_that_a_private_room_has_is_refused_in_the_dialog(server: Server, new_page: NewPage) -> None:
    ada = join(new_page(), server, "Ada")
    create(ada, "taken")

    ada.get_by_role("button", name="New private room").click()
    dialog = ada.get_by_role("dialog", name="New private room")
    dialog.get_by_label("Name").fill("taken")
    dialog.get_by_role("button", name="Make the room").click()

    expect(dialog.get_by_role("alert")).to_contain_text("choose another")


def test_a_direct_message_opens_a_conversation_under_the_names_of_both(server: Server, new_page: NewPage) -> None:
    ada, bob = join(new_page(), server, "Ada"), join(new_page(), server, "Bob")
    person(ada, "Bob").click()
    ada.get_by_role("menuitem", name="Message").click()
    expect(ada.get_by_role("heading", level=1)).to_have_text("Bob")
    assert re.match(re.escape(server.url) + r"/r/dm%23guest-\w+,guest-\w+$", ada.url)

    say(ada, "only for you")

    expect(row(bob, "Direct messages", "Ada")).to_contain_text("1 for you")
    assert "guest-" not in bob.get_by_role("navigation", name="Rooms").inner_text()
    row(bob, "Direct messages", "Ada").click()
    expect(timeline(bob)).to_contain_text("only for you")
    say(bob, "and for you")
    expect(timeline(ada)).to_contain_text("and for you")
    bob.reload()
    expect(bob.get_by_role("heading", level=1)).to_have_text("Ada")


def test_several_people_are_written_to_at_once(server: Server, new_page: NewPage) -> None:
    ada, bob = join(new_page(), server, "Ada"), join(new_page(), server, "Bob")
    cleo = Member(server, "Cleo")
    cleo.call(subscribe={"channel": "lobby"})
    expect(person(ada, "Cleo")).to_be_visible()
    expect(person(ada, "Bob")).to_be_visible()

    ada.get_by_role("button", name="New direct message").click()
    dialog = ada.get_by_role("dialog", name="New direct message")
    for name in ("Bob", "Cleo"):
        dialog.get_by_role("checkbox", name=name).check()
    dialog.get_by_role("button", name="Write to 2 people").click()
    expect(ada.get_by_role("heading", level=1)).to_have_text("Bob, Cleo")
    say(ada, "lunch?")

    expect(row(bob, "Direct messages", "Ada, Cleo")).to_contain_text("1 for you")
    cleo.close()


def test_a_room_is_found_by_its_topic_and_one_that_is_not_there_is_created(company: Server, new_page: NewPage) -> None:
    ada = log_in(new_page(), company, "Ada", "member", "lobby")
    bob = user(company, "Bob")
    bob.call(subscribe={"channel": "kitchen"})
    bob.rpc("topic", channel="kitchen", topic="what there is for lunch")

    ada.get_by_role("button", name="Find or open a room").click()
    dialog = ada.get_by_role("dialog", name="Rooms")
    dialog.get_by_label("Find, open or create a room").fill("lunch")
    found = dialog.get_by_role("list", name="Rooms found").get_by_role("listitem")
    expect(found).to_have_count(1)
    expect(found).to_contain_text("kitchen")
    dialog.get_by_label("Find, open or create a room").fill("garden party")
    dialog.get_by_label("Topic of the new room").fill("who brings what")
    dialog.get_by_role("button", name="Create garden-party").click()

    expect(ada.get_by_role("heading", level=1)).to_have_text("garden-party")
    expect(header(ada)).to_contain_text("who brings what")
    bob.close()


def test_a_topic_is_changed_by_who_may_and_seen_by_all_at_once(company: Server, new_page: NewPage) -> None:
    ada = log_in(new_page(), company, "Ada", "member", "topics")
    guest = Member(company, "Guest")
    guest.call(subscribe={"channel": "topics"})
    ada.get_by_role("button", name="Add a topic").press("Enter")
    dialog = ada.get_by_role("dialog", name="Topic of topics")
    dialog.get_by_label("What the room is about").fill("tea & cake")
    dialog.get_by_label("What the room is about").press("Enter")

    expect(ada.get_by_role("button", name="Topic: tea & cake")).to_be_focused()
    assert guest.publication()["data"]["topic"] == "tea & cake"
    guest.close()


def test_guests_read_the_topic_and_are_not_offered_to_change_it(server: Server, new_page: NewPage) -> None:
    ada = join(new_page(), server, "Ada", "/r/untouched")

    expect(ada.get_by_role("button", name="Menu of untouched").first).to_be_visible()
    expect(ada.get_by_role("button", name=re.compile("topic", re.IGNORECASE))).to_have_count(0)


def test_who_does_nothing_for_five_minutes_is_away_and_back_at_the_first_move(
    server: Server, new_page: NewPage
) -> None:
    ada = join(new_page(), server, "Ada", "/r/dozing")
    bob = new_page()
    bob.clock.install()
    join(bob, server, "Bob", "/r/dozing")
    expect(person(ada, "Bob")).to_have_accessible_name("Bob, online")

    bob.clock.run_for(5 * 60 * 1000)
    expect(person(ada, "Bob")).to_have_accessible_name("Bob, away")
    bob.keyboard.press("Shift")

    expect(person(ada, "Bob")).to_have_accessible_name("Bob, online")


def test_who_belongs_to_a_private_room_is_listed_there_while_offline(server: Server, new_page: NewPage) -> None:
    ada, bob = join(new_page(), server, "Ada"), join(new_page(), server, "Bob")
    expect(person(ada, "Bob")).to_be_visible()
    create(ada, "absent")

    invite(ada, "absent", "Bob")
    expect(person(ada, "Bob")).to_have_accessible_name("Bob, online")  # (the page follows all of its rooms)
    bob.close()

    expect(person(ada, "Bob")).to_have_accessible_name("Bob, offline")


def test_mentioning_somebody_puts_the_name_into_the_message(server: Server, new_page: NewPage) -> None:
    ada = join(new_page(), server, "Ada", "/r/mentions")
    join(new_page(), server, "Bob", "/r/mentions")

    person(ada, "Bob").press("Enter")
    ada.get_by_role("menuitem", name="Mention").press("Enter")

    expect(ada.get_by_role("textbox", name="Message")).to_be_focused()
    expect(ada.get_by_role("textbox", name="Message")).to_have_value("@Bob ")


def test_a_room_is_muted_from_its_row_and_left_from_there(server: Server, new_page: NewPage) -> None:
    ada = join(new_page(), server, "Ada", "/r/noisy")
    say(ada, "something to read")
    menu = rooms(ada).get_by_role("button", name="Menu of noisy")
    menu.press("Enter")
    ada.get_by_role("menuitem", name="Mute").press("Enter")
    expect(row(ada, "Rooms", "noisy")).to_contain_text("muted")
    expect(menu).to_be_focused()

    menu.press("Enter")
    ada.get_by_role("menuitem", name="Leave room").press("Enter")

    expect(ada.get_by_role("heading", level=1)).to_have_text("lobby")
    expect(row(ada, "Rooms", "noisy")).to_have_count(0)


def test_the_quick_switcher_goes_to_rooms_and_people_by_keyboard_alone(server: Server, new_page: NewPage) -> None:
    ada = join(new_page(), server, "Ada", "/r/kitchen")
    join(new_page(), server, "Bob", "/r/kitchen")
    expect(person(ada, "Bob")).to_be_visible()
    expect(ada.get_by_role("textbox", name="Message")).to_be_focused()

    ada.keyboard.press("Control+k")
    expect(ada.get_by_role("combobox", name="Room or person")).to_be_focused()
    ada.keyboard.type("bo")
    expect(ada.get_by_role("option", selected=True)).to_contain_text("Bob")
    ada.keyboard.press("Escape")
    expect(ada.get_by_role("textbox", name="Message")).to_be_focused()
    ada.keyboard.press("Control+k")
    ada.keyboard.type("b")
    wanted = ada.get_by_role("option", selected=True)
    for _ in range(ada.get_by_role("option").count()):
        if "lobby" in wanted.inner_text():
            break
        ada.keyboard.press("ArrowDown")
    active = ada.get_by_role("combobox").get_attribute("aria-activedescendant")
    assert wanted.get_attribute("id") == active
    ada.keyboard.press("Enter")

    expect(ada.get_by_role("heading", level=1)).to_have_text("lobby")
    ada.keyboard.press("Alt+ArrowDown")
    expect(ada.get_by_role("heading", level=1)).to_have_text("kitchen")
    ada.get_by_role("log", name="Messages").focus()
    ada.keyboard.press("?")
    expect(ada.get_by_role("dialog", name="Keyboard shortcuts")).to_contain_text("Go to a room or person")


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("colour_scheme", ["light", "dark"])
def test_axe_finds_nothing_to_complain_about_in_panels_and_dialogs(
    server: Server, new_page: NewPage, check_accessible: Check, colour_scheme: str, device: dict[str, Any]
) -> None:
    page = join(new_page(color_scheme=colour_scheme, reduced_motion="reduce", **device), server, "Ada", "/r/axe")
    bob = Member(server, "Bob")
    bob.call(subscribe={"channel": "axe"})
    if device:
        page.get_by_role("button", name="Members").click()
    expect(person(page, "Bob")).to_be_visible()
    check_accessible(page)
    person(page, "Bob").click()
    expect(page.get_by_role("menu")).to_be_visible()
    check_accessible(page)
    page.keyboard.press("Escape")
    if device:
        page.get_by_role("dialog", name="Members").get_by_role("button", name="Close").click()
        page.get_by_role("button", name="Rooms and people").click()
    for button, dialog in (
        ("Find or open a room", "Rooms"),
        ("New private room", "New private room"),
        ("New direct message", "New direct message"),
        ("Go to", "Go to"),
    ):
        page.get_by_role("button", name=button).click()
        expect(page.get_by_role("dialog", name=dialog, exact=True)).to_be_visible()
        check_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name=button)).to_be_focused()
    bob.close()
