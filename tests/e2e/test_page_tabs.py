"""Two tabs of one user, in one browser: what is done in one shows in the other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.application import APPLICATION, log_in, user
from tests.e2e.test_page import say, timeline
from tests.e2e.test_page_messages import composer, message, tool
from tests.e2e.test_page_moderation import person
from tests.e2e.test_page_reading import HEAR, NOTIFICATIONS, look_away, talk, wait_until_read
from tests.e2e.test_page_rooms import choose, create, row
from tests.server import Member, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.e2e.conftest import NewPage
    from tests.server import Server

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Run a server whose page fetches tokens of an application at the same address."""
    with running(**APPLICATION) as server:
        yield server


@pytest.fixture
def bob(server: Server) -> Iterator[Member]:
    """Have somebody else there, who says something."""
    member = user(server, "Bob")
    yield member
    member.close()


def open_tabs(server: Server, new_page: NewPage, *rooms: str) -> list[Page]:
    """Be Ada in several tabs, with a room in each."""
    tabs: list[Page] = []
    for room in rooms:
        page = new_page(beside=tabs[0] if tabs else None)
        page.add_init_script(NOTIFICATIONS)
        tabs.append(log_in(page, server, "Ada", "member", room))
    return tabs


def icon(page: Page) -> str:
    return str(page.locator("link[rel=icon]").evaluate("link => link.href"))


def call(bob: Member, room: str, text: str) -> None:
    bob.rpc("send", channel=room, key=text, text=f"@Ada {text}", mentions={"ada": "Ada"})


def keep(server: Server, room: str, offset: int) -> None:
    """Have Ada come to a room, and read it up to there."""
    ada = user(server, "Ada")
    ada.rpc("read", channel=room, offset=offset)
    ada.close()


def settle(server: Server, bob: Member, room: str) -> None:
    """Have Bob come to a room and say something, and Ada read it."""
    bob.call(subscribe={"channel": room})
    talk(bob, room, 1, 1)
    keep(server, room, 1)


def test_what_is_read_in_one_tab_is_neither_counted_nor_new_in_the_other(
    server: Server, new_page: NewPage, bob: Member
) -> None:
    settle(server, bob, "paper")
    here, there = open_tabs(server, new_page, "lobby", "lobby")
    plain = icon(there)
    talk(bob, "paper", 2, 3)
    call(bob, "paper", "look")
    for page in (here, there):
        expect(row(page, "Rooms", "paper")).to_contain_text("1 for you, 3 new")
        expect(page).to_have_title("(3) lobby · Parley")
        assert icon(page) != plain

    row(here, "Rooms", "paper").click()
    expect(timeline(here).locator(".new + .message")).to_contain_text("message 2")

    expect(row(there, "Rooms", "paper")).not_to_contain_text("new")
    expect(there).to_have_title("lobby · Parley")
    assert icon(there) == plain
    row(here, "Rooms", "lobby").click()
    talk(bob, "paper", 5, 5)
    expect(row(there, "Rooms", "paper")).to_contain_text("1 new")
    row(here, "Rooms", "paper").click()
    expect(row(there, "Rooms", "paper")).not_to_contain_text("new")
    row(there, "Rooms", "paper").click()
    expect(message(there, "message 5")).to_be_in_viewport()
    expect(timeline(there).locator(".new")).to_have_count(0)


def test_what_came_while_one_looked_at_the_other_tab_is_not_new_in_this_one(
    server: Server, new_page: NewPage, bob: Member
) -> None:
    bob.call(subscribe={"channel": "desk"})
    talk(bob, "desk", 1, 1)
    here, there = open_tabs(server, new_page, "lobby", "desk")
    expect(row(here, "Rooms", "desk")).to_be_visible()
    look_away(there, hidden=True)
    talk(bob, "desk", 2, 3)
    expect(there).to_have_title("(2) desk · Parley")

    row(here, "Rooms", "desk").click()
    expect(there).to_have_title("desk · Parley")
    look_away(there, hidden=False)

    expect(message(there, "message 3")).to_be_in_viewport()
    expect(timeline(there).locator(".new")).to_have_count(0)


def test_a_tab_that_shows_what_is_old_takes_nothing_back(server: Server, new_page: NewPage, bob: Member) -> None:
    for room in ("rising", "after"):
        bob.call(subscribe={"channel": room})
    talk(bob, "rising", 1, 90)
    talk(bob, "after", 1, 1)
    keep(server, "after", 0)
    keep(server, "rising", 90)
    here, there = open_tabs(server, new_page, "rising", "rising#m10")
    expect(message(there, "message 10").first).to_be_in_viewport()
    ada = user(server, "Ada")

    talk(bob, "rising", 91, 91)
    wait_until_read(ada, "rising", 91)
    there.evaluate("location.hash = '#m40'")
    expect(message(there, "message 40")).to_be_in_viewport()
    row(there, "Rooms", "after").click()
    wait_until_read(ada, "after", 1)
    row(here, "Rooms", "lobby").click()

    places = {place["channel"]: place for place in ada.rpc("mine")["rooms"]}
    assert (places["rising"]["read"], places["rising"]["unread"]) == (91, 0)
    for page in (here, there):
        expect(row(page, "Rooms", "rising")).not_to_contain_text("new")
    ada.close()


def test_what_one_says_in_one_tab_is_ones_own_in_the_other_and_calls_nobody(
    server: Server, new_page: NewPage, bob: Member
) -> None:
    settle(server, bob, "saying")
    here, there, third = open_tabs(server, new_page, "saying", "lobby", "saying")
    there.get_by_role("button", name="Notifications").click()
    third.evaluate(HEAR)
    look_away(there, hidden=True)

    say(here, "from here")
    expect(message(third, "from here")).to_have_class(re.compile(r"\bmine\b"))
    say(third, "@Bob and from there")
    expect(message(here, "and from there")).to_have_class(re.compile(r"\bmine\b"))
    call(bob, "saying", "hello")

    expect(row(there, "Rooms", "saying")).to_contain_text("1 for you, 1 new")
    expect(there).to_have_title("(1) lobby · Parley")
    assert [shown["body"] for shown in there.evaluate("window.shown")] == ["@Ada hello"]
    expect(message(third, "hello")).to_be_visible()
    assert third.evaluate("heard") == ["Bob: @Ada hello"]


def test_a_message_of_ones_own_is_edited_and_deleted_from_the_other_tab(server: Server, new_page: NewPage) -> None:
    here, there = open_tabs(server, new_page, "mending", "mending")
    say(here, "frist")
    expect(message(there, "frist")).to_be_visible()

    tool(there, "frist", "Edit")
    expect(composer(there)).to_have_value("frist")
    say(there, "first")
    expect(message(here, "first")).to_contain_text("(edited)")
    composer(there).press("ArrowUp")
    expect(composer(there)).to_have_value("first")
    composer(there).press("Escape")
    tool(here, "first", "Delete")
    here.get_by_role("dialog", name="Delete this message?").get_by_role("button", name="Delete").click()

    for page in (here, there):
        expect(message(page, "Message deleted")).to_be_visible()
        expect(message(page, "first")).to_have_count(0)


def test_a_room_that_is_muted_in_one_tab_is_quiet_in_the_other(server: Server, new_page: NewPage, bob: Member) -> None:
    settle(server, bob, "noisy")
    here, there = open_tabs(server, new_page, "noisy", "lobby")

    choose(here, "noisy", "Mute")
    expect(row(there, "Rooms", "noisy")).to_contain_text("muted")
    row(here, "Rooms", "lobby").click()
    talk(bob, "noisy", 2, 3)
    call(bob, "noisy", "really")

    expect(row(there, "Rooms", "noisy")).to_contain_text("1 for you, 1 new")
    choose_in_row(there, "noisy", "Unmute")
    expect(row(here, "Rooms", "noisy")).not_to_contain_text("muted")
    expect(row(here, "Rooms", "noisy")).to_contain_text("1 for you, 3 new")


def choose_in_row(page: Page, room: str, item: str) -> None:
    page.get_by_role("navigation", name="Rooms").get_by_role("button", name=f"Menu of {room}").press("Enter")
    page.get_by_role("menuitem", name=item).press("Enter")


def test_a_room_that_is_opened_in_one_tab_is_followed_in_the_other(
    server: Server, new_page: NewPage, bob: Member
) -> None:
    bob.call(subscribe={"channel": "opened"})
    talk(bob, "opened", 1, 1)
    here, there = open_tabs(server, new_page, "lobby", "lobby")

    here.evaluate("history.pushState(null, '', '/r/opened'); dispatchEvent(new PopStateEvent('popstate'))")
    expect(row(there, "Rooms", "opened")).to_be_visible()
    row(here, "Rooms", "lobby").click()
    talk(bob, "opened", 2, 2)

    expect(row(there, "Rooms", "opened")).to_contain_text("1 new")


def test_a_private_room_that_is_made_in_one_tab_is_listed_in_the_other(server: Server, new_page: NewPage) -> None:
    here, there = open_tabs(server, new_page, "lobby", "lobby")

    create(here, "made-here")

    expect(row(there, "Private rooms", "made-here")).to_be_visible()


def test_a_conversation_that_is_begun_in_one_tab_is_listed_in_the_other(
    server: Server, new_page: NewPage, bob: Member
) -> None:
    bob.call(subscribe={"channel": "begun"})
    here, there = open_tabs(server, new_page, "begun", "lobby")
    person(here, "Bob").click()
    here.get_by_role("menuitem", name="Message").click()
    expect(here.get_by_role("heading", level=1)).to_have_text("Bob")

    say(here, "psst")

    expect(row(there, "Direct messages", "Bob")).to_be_visible()
    row(there, "Direct messages", "Bob").click()
    expect(message(there, "psst")).to_have_class(re.compile(r"\bmine\b"))


def test_a_room_that_is_left_in_one_tab_is_left_in_all(server: Server, new_page: NewPage, bob: Member) -> None:
    bob.call(subscribe={"channel": "lobby"})
    settle(server, bob, "leaving")
    here, there, third = open_tabs(server, new_page, "leaving", "lobby", "leaving")

    choose(here, "leaving", "Leave room")
    expect(here.get_by_role("heading", level=1)).to_have_text("lobby")
    expect(row(there, "Rooms", "leaving")).to_have_count(0)
    expect(third.get_by_role("heading", level=1)).to_have_text("lobby")
    talk(bob, "leaving", 2, 3)
    call(bob, "lobby", "still here")

    for page in (here, there, third):
        expect(page).to_have_title(re.compile("lobby"))
        expect(row(page, "Rooms", "leaving")).to_have_count(0)


def test_a_room_that_is_left_and_opened_again_is_followed_in_both_tabs_again(
    server: Server, new_page: NewPage, bob: Member
) -> None:
    bob.call(subscribe={"channel": "again"})
    talk(bob, "again", 1, 1)
    here, there = open_tabs(server, new_page, "again", "lobby")
    expect(row(there, "Rooms", "again")).to_be_visible()
    choose(here, "again", "Leave room")
    expect(row(there, "Rooms", "again")).to_have_count(0)
    expect(here.get_by_role("heading", level=1)).to_have_text("lobby")

    here.go_back()
    expect(row(there, "Rooms", "again")).to_be_visible()
    row(here, "Rooms", "lobby").click()
    for number in (2, 3):
        talk(bob, "again", number, number)
        for page in (here, there):
            expect(row(page, "Rooms", "again")).to_contain_text(f"{number - 1} new")


def test_a_private_room_that_is_left_in_one_tab_is_gone_in_the_other(server: Server, new_page: NewPage) -> None:
    here, there = open_tabs(server, new_page, "lobby", "lobby")
    create(here, "gone")
    there.goto(f"{server.url}/r/$gone")
    expect(there.get_by_role("heading", level=1)).to_contain_text("gone")

    choose(here, "gone", "Leave room…")
    here.get_by_role("dialog", name="Leave gone?").get_by_role("button", name="Leave").click()

    expect(there.get_by_role("heading", level=1)).to_contain_text("lobby")
    expect(row(there, "Private rooms", "gone")).to_have_count(0)


def test_who_has_two_tabs_is_listed_once_and_away_only_when_both_are(server: Server, new_page: NewPage) -> None:
    eve = log_in(new_page(), server, "Eve", "member", "company")
    (here,) = open_tabs(server, new_page, "lobby")
    there = new_page(beside=here)
    for page in (here, there):
        page.clock.install()
        log_in(page, server, "Ada", "member", "company")
    ada = eve.get_by_role("list", name="People").get_by_role("listitem").filter(has_text="Ada")
    expect(ada).to_have_count(1)
    expect(ada.get_by_title("2 connections")).to_be_visible()

    for page in (here, there):
        page.clock.run_for(5 * 60 * 1000)
    for page in (here, there):  # (five minutes at once are too long for a connection)
        expect(page.locator("[data-state=connected]")).to_be_attached(timeout=30_000)
    expect(ada.get_by_title("2 connections")).to_be_visible()
    expect(person(eve, "Ada")).to_have_accessible_name("Ada, away")
    here.keyboard.press("Shift")
    expect(person(eve, "Ada")).to_have_accessible_name("Ada, online")
    here.close()
    expect(person(eve, "Ada")).to_have_accessible_name("Ada, away")
    expect(ada.get_by_title("2 connections")).to_have_count(0)
    there.keyboard.press("Shift")
    expect(person(eve, "Ada")).to_have_accessible_name("Ada, online")


def test_each_tab_has_a_draft_of_its_own_and_none_takes_that_of_another_room_away(
    server: Server, new_page: NewPage
) -> None:
    here, there = open_tabs(server, new_page, "tea", "coffee")
    composer(here).fill("tea, please")
    composer(there).fill("coffee, please")
    row(there, "Rooms", "lobby").click()

    here.reload()
    expect(composer(here)).to_have_value("tea, please")
    there.reload()
    there.goto(f"{server.url}/r/coffee")
    expect(composer(there)).to_have_value("coffee, please")
    here.goto(f"{server.url}/r/lobby")
    for page, text in ((here, "from here"), (there, "from there")):
        page.goto(f"{server.url}/r/both")
        composer(page).fill(text)
    expect(composer(here)).to_have_value("from here")
    say(there, "from there")
    expect(message(here, "from there")).to_be_visible()
    expect(composer(here)).to_have_value("from here")


def test_the_bell_is_rung_in_either_tab(server: Server, new_page: NewPage) -> None:
    here, there = open_tabs(server, new_page, "lobby", "lobby")
    bells = [page.get_by_role("button", name="Notifications") for page in (here, there)]
    for page in (here, there):
        page.evaluate("Notification.permission = 'granted'")

    for bell, pressed in ((bells[0], "true"), (bells[1], "false"), (bells[0], "true")):
        bell.click()
        for each in bells:
            expect(each).to_have_attribute("aria-pressed", pressed)
