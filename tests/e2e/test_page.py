"""The page, in real browsers against a real server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.server import Member, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Locator, Page

    from tests.e2e.conftest import NewPage
    from tests.server import Server

pytestmark = pytest.mark.browser

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def join(page: Page, server: Server, name: str, path: str = "/") -> Page:
    page.goto(server.url + path)
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Join").click()
    expect(page.locator("[data-state=connected]")).to_be_attached()
    return page


def say(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Message").fill(text)
    page.get_by_role("textbox", name="Message").press("Enter")


def timeline(page: Page) -> Locator:
    return page.get_by_role("log", name="Messages")


def texts(page: Page, *wanted: str) -> list[str]:
    """Wait until the last of the wanted texts is shown, return those of all messages that contain a wanted one."""
    expect(timeline(page).get_by_text(wanted[-1], exact=True)).to_have_count(1)
    shown = timeline(page).locator("[data-offset]").all_inner_texts()
    return [text for message in shown for text in wanted if text in message]


def on_one_line(text: str) -> str:
    return " ".join(text.split())


def outline(page: Page) -> list[str]:
    """Return what each message shows: its text, that it was edited, the reactions to it."""
    outlines = []
    for message in timeline(page).locator("[data-offset]").all():
        text = on_one_line(message.locator(".text").inner_text())
        reactions = [one.get_attribute("aria-label") or "" for one in message.locator(".reaction").all()]
        outlines.append(" | ".join([text, *reactions]))
    return outlines


def post_and_change(server: Server, room: str, user: Member) -> Member:
    """Have Bob say three things; then edit one, delete one, and react to one, as the user does, too. Return Bob."""
    bob = Member(server, "Bob")
    for member in (bob, user):
        member.call(subscribe={"channel": room})
    edited, deleted, liked = (
        bob.rpc("send", channel=room, key=text, text=text)["offset"] for text in ("frist", "a mistake", "lunch?")
    )
    bob.rpc("edit", channel=room, target=edited, text="**first**")
    bob.rpc("delete", channel=room, target=deleted)
    bob.rpc("react", channel=room, target=liked, emoji="🎉")
    user.rpc("react", channel=room, target=liked, emoji="👍")
    bob.rpc("react", channel=room, target=liked, emoji="👍")
    bob.rpc("react", channel=room, target=liked, emoji="🎈")
    bob.rpc("react", channel=room, target=liked, emoji="🎈", on=False)
    return bob


def same_guest(page: Page, server: Server) -> Member:
    """Return a connection of the person whose page this is."""
    return Member(server, "Ada", guest=page.evaluate("sessionStorage.getItem('parley.guest')"))


def test_two_people_chat_and_each_message_appears_once_on_both_pages(server: Server, new_page: NewPage) -> None:
    ada, bob = join(new_page(), server, "Ada"), join(new_page(), server, "Bob")

    say(ada, "hello from Ada")
    expect(timeline(bob).get_by_text("hello from Ada")).to_be_visible()
    say(bob, "hello from Bob")

    both = ["hello from Ada", "hello from Bob"]
    assert texts(ada, *both) == both
    assert texts(bob, *both) == both
    expect(ada.locator("[data-state=pending]")).to_have_count(0)


def test_they_see_who_is_here_and_who_types(server: Server, new_page: NewPage) -> None:
    ada, bob = join(new_page(), server, "Ada", "/r/company"), join(new_page(), server, "Bob", "/r/company")

    people = ada.get_by_role("list", name="People")
    expect(people.get_by_role("listitem")).to_have_count(2)
    bob.get_by_role("textbox", name="Message").press_sequentially("I am typ")
    expect(ada.locator("#typing")).to_contain_text("Bob")
    expect(bob.locator("#typing")).not_to_contain_text("Bob")
    bob.close()

    expect(people.get_by_role("listitem")).to_have_count(1)


def test_an_address_opens_its_room_and_rooms_do_not_mix(server: Server, new_page: NewPage) -> None:
    ada = join(new_page(), server, "Ada", "/r/tea")
    bob = join(new_page(), server, "Bob")

    say(ada, "only for tea drinkers")
    expect(timeline(ada).get_by_text("only for tea drinkers")).to_be_visible()
    expect(timeline(bob).get_by_text("only for tea drinkers")).to_have_count(0)
    bob.get_by_role("navigation", name="Rooms").get_by_role("link", name=re.compile("tea")).click()

    expect(timeline(bob).get_by_text("only for tea drinkers")).to_be_visible()
    assert bob.url == server.url + "/r/tea"


def test_a_page_that_was_offline_catches_up_without_loss_or_duplicates(server: Server, new_page: NewPage) -> None:
    ada, bob = join(new_page(), server, "Ada", "/r/tunnel"), join(new_page(), server, "Bob", "/r/tunnel")
    say(ada, "before the tunnel")
    expect(timeline(bob).get_by_text("before the tunnel")).to_be_visible()

    bob.context.set_offline(True)
    expect(bob.locator("[data-state=connecting]")).to_be_attached(timeout=60_000)
    missed = [f"missed {number}" for number in range(5)]
    for text in missed:
        say(ada, text)
    say(bob, "said in the tunnel")
    expect(bob.locator("[data-state=pending]")).to_have_count(1)
    bob.context.set_offline(False)

    expect(timeline(bob).get_by_text("missed 4")).to_be_visible(timeout=30_000)
    expect(timeline(ada).get_by_text("said in the tunnel")).to_be_visible(timeout=30_000)
    everything = ["before the tunnel", *missed, "said in the tunnel"]
    assert texts(bob, *everything) == everything
    assert texts(ada, *everything) == everything


@pytest.fixture
def unlimited() -> Iterator[Server]:
    """A server on which one person may say much in a short time."""
    with running(CHAT_RATE_LIMIT="off") as server:
        yield server


def test_a_page_that_was_away_for_long_shows_all_that_it_missed(unlimited: Server, new_page: NewPage) -> None:
    server = unlimited
    ada = Member(server, "Ada")
    ada.call(subscribe={"channel": "mountain"})
    ada.rpc("send", channel="mountain", key="k", text="before the mountain")
    bob = join(new_page(), server, "Bob", "/r/mountain")
    expect(timeline(bob).get_by_text("before the mountain")).to_be_visible()

    bob.context.set_offline(True)
    expect(bob.locator("[data-state=connecting]")).to_be_attached(timeout=60_000)
    missed = [f"missed {number}" for number in range(1_200)]  # more than one part
    for text in missed:
        ada.rpc("send", channel="mountain", key=text, text=text)
    bob.context.set_offline(False)

    expect(timeline(bob).get_by_text("missed 1199", exact=True)).to_be_visible(timeout=30_000)
    shown = timeline(bob).locator("[data-offset] .text").all_inner_texts()
    assert len(shown) >= 200  # (it keeps the newest some hundred)
    assert [on_one_line(text) for text in shown] == missed[-len(shown) :]
    ada.close()


@pytest.fixture
def forgetful() -> Iterator[Server]:
    """A server that makes up for little."""
    with running(CHAT_RECOVERY_LIMIT="300", CHAT_RATE_LIMIT="off") as server:
        yield server


def test_a_page_that_missed_more_than_can_be_resumed_loads_what_is_new_and_keeps_what_is_its_own(
    forgetful: Server, new_page: NewPage
) -> None:
    server = forgetful
    ada = Member(server, "Ada")
    ada.call(subscribe={"channel": "gap"})
    early = [f"early {number}" for number in range(48)]
    missed = [f"missed {number}" for number in range(400)]
    for text in early:
        ada.rpc("send", channel="gap", key=text, text=text)
    at_the_bottom, further_up = join(new_page(), server, "Bob", "/r/gap"), join(new_page(), server, "Cleo", "/r/gap")
    for page in (at_the_bottom, further_up):
        expect(timeline(page).get_by_text("early 47", exact=True)).to_be_visible()
        page.evaluate("document.documentElement.dataset.loaded = 'once'")
    read = timeline(further_up).get_by_text("early 20", exact=True)
    read.scroll_into_view_if_needed()
    expect(further_up.get_by_role("button", name="Jump to latest")).to_be_visible()
    place = read.bounding_box()

    for page in (at_the_bottom, further_up):
        page.context.set_offline(True)
        expect(page.locator("[data-state=connecting]")).to_be_attached(timeout=60_000)
    say(at_the_bottom, "said in the gap")
    at_the_bottom.get_by_role("textbox", name="Message").fill("a draft")
    for text in missed:
        ada.rpc("send", channel="gap", key=text, text=text)
    # Above what is in sight, and higher than before.
    ada.rpc("edit", channel="gap", target=4, text="changed\nin\nthe\ngap")
    for page in (at_the_bottom, further_up):
        page.context.set_offline(False)

    expect(at_the_bottom.locator("[data-state=pending]")).to_have_count(0, timeout=30_000)
    expect(timeline(at_the_bottom).get_by_text("said in the gap")).to_be_visible()
    # It did not resume but loaded the newest page.
    assert texts(at_the_bottom, *missed[350:], "said in the gap") == [*missed[350:], "said in the gap"]
    expect(timeline(at_the_bottom).get_by_text("early 47", exact=True)).to_have_count(0)
    expect(at_the_bottom.get_by_role("textbox", name="Message")).to_have_value("a draft")

    # It loaded what is around the message that is read, and keeps that where it was.
    expect(timeline(further_up).get_by_text("missed 0", exact=True)).to_have_count(1, timeout=30_000)
    everything = [*early[:3], "changed in the gap (edited)", *early[4:], *missed]
    shown = timeline(further_up).locator("[data-offset] .text").all_inner_texts()
    assert [on_one_line(text) for text in shown] == everything[: len(shown)]
    assert read.bounding_box() == pytest.approx(place, abs=1)
    for page in (at_the_bottom, further_up):
        assert page.evaluate("document.documentElement.dataset.loaded") == "once"
    ada.close()


def test_edits_deletions_and_reactions_show_on_an_open_page_and_the_same_on_a_new_one(
    server: Server, new_page: NewPage
) -> None:
    page = join(new_page(), server, "Ada", "/r/changes")
    expect(timeline(page).get_by_text("Nothing has been said")).to_be_visible()
    ada = same_guest(page, server)
    bob = post_and_change(server, "changes", ada)
    new = join(new_page(), server, "Cleo", "/r/changes")
    bob.rpc("send", channel="changes", key="last", text="that is all")

    for each in (page, new):
        expect(timeline(each).get_by_text("that is all")).to_be_visible()
        expect(timeline(each).locator("strong", has_text="first")).to_be_visible()
        expect(timeline(each).get_by_text("frist")).to_have_count(0)
        expect(timeline(each).get_by_text("a mistake")).to_have_count(0)
    rest = ["first (edited)", "Message deleted"]
    assert outline(page) == [*rest, "lunch? | 🎉 1: Bob | 👍 2: You and Bob", "that is all"]
    assert outline(new) == [*rest, "lunch? | 🎉 1: Bob | 👍 2: Ada and Bob", "that is all"]
    expect(page.locator(".reaction.mine")).to_have_count(1)
    expect(new.locator(".reaction.mine")).to_have_count(0)
    ada.close()
    bob.close()


def test_after_a_reload_one_is_the_same_person_in_the_same_room_with_its_history(
    server: Server, new_page: NewPage
) -> None:
    ada = join(new_page(), server, "Ada", "/r/reload")
    say(ada, "I was here")
    expect(timeline(ada).get_by_text("I was here")).to_be_visible()
    expect(ada.locator("[data-state=pending]")).to_have_count(0)

    ada.reload()

    expect(timeline(ada).get_by_text("I was here")).to_be_visible()
    expect(ada.get_by_role("list", name="People").get_by_role("listitem")).to_have_count(1)
    expect(ada.get_by_role("list", name="People")).to_contain_text("Ada")


def test_what_others_publish_is_text_and_never_markup_of_the_page(server: Server, new_page: NewPage) -> None:
    page = join(new_page(), server, "Ada", "/r/hostile")
    hostile = Member(server, '<img src=x onerror="alert(1)">')
    hostile.call(subscribe={"channel": "hostile"})
    hostile.rpc("send", channel="hostile", key="k", text="<script>alert(1)</script> [x](javascript:alert(1)) **bold**")
    hostile.call(publish={"channel": "hostile", "data": {"type": "message", "text": 7, "<b>": [None]}})
    hostile.call(publish={"channel": "hostile", "data": "just a string"})

    expect(timeline(page).get_by_text("just a string")).to_be_visible()
    expect(timeline(page).get_by_text("<script>alert(1)</script>")).to_be_visible()
    expect(timeline(page).locator("strong", has_text="bold")).to_be_visible()
    assert timeline(page).locator("script, img, a[href^=javascript]").count() == 0
    assert page.locator("[data-offset]").count() == 3
    hostile.close()


def test_a_name_that_the_server_refuses_is_said_at_the_form(server: Server, new_page: NewPage) -> None:
    page = new_page()
    page.goto(server.url)
    page.get_by_label("Your name").fill("bad\u202ename")
    page.get_by_role("button", name="Join").click()

    expect(page.get_by_text("characters that do not print")).to_be_visible()


def test_a_name_that_somebody_here_has_is_refused_at_the_form_and_another_one_gets_in(
    server: Server, new_page: NewPage
) -> None:
    join(new_page(), server, "Ada", "/r/namesakes")
    other = new_page()
    other.goto(server.url + "/r/namesakes")
    other.get_by_label("Your name").fill("\u0410da")  # (with a Cyrillic A)
    other.get_by_role("button", name="Join").click()

    expect(other.get_by_role("alert")).to_contain_text("somebody here has this name")
    other.get_by_label("Your name").fill("Ada B.")
    other.get_by_role("button", name="Join").click()
    say(other, "hello")
    assert texts(other, "hello") == ["hello"]


def test_on_a_phone_it_works_and_nothing_is_wider_than_the_screen(server: Server, new_page: NewPage) -> None:
    page = join(new_page(**PHONE), server, "Ada", "/r/phone")
    say(page, "a word that is long: " + "x" * 300)
    expect(timeline(page).locator("[data-offset]")).to_have_count(1)
    page.get_by_role("button", name="Members").click()

    expect(page.get_by_role("list", name="People")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_everything_needed_to_chat_can_be_done_by_keyboard(server: Server, new_page: NewPage) -> None:
    page = new_page()
    page.goto(server.url + "/r/keys")
    expect(page.get_by_label("Your name")).to_be_focused()
    page.keyboard.type("Ada")
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    page.keyboard.type("two")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("lines")
    page.keyboard.press("Enter")

    expect(timeline(page).locator("[data-offset]")).to_have_count(1)
    expect(timeline(page).locator("[data-offset]")).to_contain_text("lines")


def test_what_the_server_says_is_shown_in_the_name_it_says_live_and_after_a_reload(new_page: NewPage) -> None:
    key = "a-key-for-the-tests"
    with running(CHAT_API_KEY=key) as server:
        ada = join(new_page(), server, "Ada")
        for message in ({"text": "The build is green", "name": "Build"}, {"text": "Back at noon"}):
            body = {"channel": "lobby", "data": {"type": "message", **message}}
            httpx.post(server.url + "/api/publish", json=body, headers={"X-API-Key": key}).raise_for_status()

        for _ in range(2):
            said = timeline(ada).locator("[data-offset]")
            expect(said).to_have_count(2)
            expect(said.nth(0)).to_contain_text(re.compile("Build.*The build is green", re.DOTALL))
            expect(said.nth(1)).to_contain_text(re.compile("Server.*Back at noon", re.DOTALL))
            ada.reload()
        ada.close()
