"""What different parts of the page do together: links, quotes and changes across the window, calls, drafts, pace."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from playwright.sync_api import expect

from tests.e2e.test_page import PHONE, join, same_guest, say, timeline
from tests.e2e.test_page_messages import composer, message, tool
from tests.e2e.test_page_moderation import person
from tests.e2e.test_page_reading import NOTIFICATIONS, look_away, someone, talk, wait_until_read
from tests.e2e.test_page_rooms import create, rooms, row
from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Locator, Page, WebSocket

    from tests.e2e.conftest import NewPage
    from tests.server import Server

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Run a server on which one person may say much in a short time."""
    with running(CHAT_RATE_LIMIT="off") as server:
        yield server


def write_to(page: Page, name: str) -> None:
    """Open the conversation with somebody who is here."""
    person(page, name).click()
    page.get_by_role("menuitem", name="Message").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def test_a_link_that_was_copied_leads_others_to_the_message(server: Server, new_page: NewPage) -> None:
    bob = someone(server, "linked", said=400)
    ada = join(new_page(permissions=["clipboard-read", "clipboard-write"]), server, "Ada", "/r/linked#m50")
    expect(message(ada, "message 50")).to_be_in_viewport()
    tool(ada, "message 50", "Copy link")
    expect(message(ada, "message 50").get_by_role("toolbar")).to_contain_text("Copied")
    address = str(ada.evaluate("navigator.clipboard.readText()"))
    cleo = join(new_page(), server, "Cleo", "/r/lobby")

    say(cleo, f"look: {address}")
    timeline(cleo).get_by_role("link", name=address).evaluate("link => { link.target = '_self'; link.click(); }")

    expect(message(cleo, "message 50")).to_be_in_viewport()
    expect(timeline(cleo).locator("[data-marked]")).to_have_attribute("data-offset", "50")
    bob.close()


def test_a_quote_leads_across_the_window_and_back_leads_back(server: Server, new_page: NewPage) -> None:
    bob = someone(server, "far", said=400)
    bob.rpc("send", channel="far", key="answer", text="about that", reply=20)
    ada = join(new_page(), server, "Ada", "/r/far")
    expect(message(ada, "about that").locator(".quote")).to_contain_text("message 20")

    message(ada, "about that").locator(".quote").click()
    expect(message(ada, "message 20")).to_be_in_viewport()
    expect(message(ada, "about that")).to_have_count(0)
    ada.go_back()

    expect(message(ada, "about that")).to_be_in_viewport()
    bob.close()


def test_a_quoted_message_that_is_deleted_beyond_the_window_is_shown_as_such(server: Server, new_page: NewPage) -> None:
    bob = someone(server, "regret", said=400)
    bob.rpc("send", channel="regret", key="answer", text="about that", reply=20)
    bob.rpc("delete", channel="regret", key="first", target=20)
    bob.rpc("send", channel="regret", key="again", text="and this", reply=30)
    ada = join(new_page(), server, "Ada", "/r/regret")
    expect(message(ada, "about that").locator(".quote")).to_contain_text("Message deleted")
    expect(message(ada, "and this").locator(".quote")).to_contain_text("message 30")

    bob.rpc("delete", channel="regret", key="second", target=30)
    expect(message(ada, "and this").locator(".quote")).to_contain_text("Message deleted")
    message(ada, "and this").locator(".quote").click()

    expect(timeline(ada).locator("[data-offset='30']")).to_be_in_viewport()
    expect(timeline(ada).locator("[data-offset='30']")).to_contain_text("Message deleted")
    bob.close()


def test_arrow_up_edits_the_last_own_message_only_where_it_is_at_hand(server: Server, new_page: NewPage) -> None:
    bob = someone(server, "upward", said=100)
    ada = join(new_page(), server, "Ada", "/r/upward")
    say(ada, "an older one of mine")
    expect(message(ada, "an older one of mine")).to_have_attribute("data-state", "sent")
    talk(bob, "upward", 101, 500)
    say(ada, "my last one")
    expect(message(ada, "my last one")).to_have_attribute("data-state", "sent")

    ada.evaluate("location.hash = '#m101'")
    expect(message(ada, "an older one of mine")).to_be_in_viewport()
    expect(message(ada, "my last one")).to_have_count(0)
    composer(ada).press("ArrowUp")
    expect(ada.locator(".composing")).to_have_count(0)  # the last one is elsewhere
    ada.get_by_role("button", name=re.compile("Jump to latest")).click()
    expect(message(ada, "my last one")).to_be_visible()
    composer(ada).press("ArrowUp")

    expect(composer(ada)).to_have_value("my last one")
    composer(ada).press("Escape")
    talk(bob, "upward", 501, 900)
    ada.reload()
    ada.get_by_role("log", name="Messages").press("End")  # from where one stopped, which may be there
    expect(message(ada, "message 900")).to_be_in_viewport()
    composer(ada).press("ArrowUp")
    expect(ada.locator(".composing")).to_have_count(0)
    bob.close()


def test_what_was_changed_beyond_the_window_is_shown_when_one_gets_there(server: Server, new_page: NewPage) -> None:
    bob = someone(server, "later", said=400)
    ada = join(new_page(), server, "Ada", "/r/later")
    expect(message(ada, "message 400")).to_be_visible()
    bob.rpc("edit", channel="later", key="e", target=40, text="message 40, differently")
    bob.rpc("react", channel="later", key="r", target=41, emoji="🎉")
    bob.rpc("delete", channel="later", key="d", target=42)

    ada.evaluate("location.hash = '#m41'")
    expect(message(ada, "message 40, differently")).to_contain_text("(edited)")
    expect(timeline(ada).locator("[data-offset='42']")).to_contain_text("Message deleted")
    message(ada, "message 41").get_by_role("button", name="🎉 1: Bob").click()
    expect(message(ada, "message 41").get_by_role("button", name="🎉 2: You and Bob")).to_be_visible()
    bob.rpc("edit", channel="later", key="f", target=41, text="message 41, live")

    expect(message(ada, "message 41, live")).to_be_in_viewport()
    bob.close()


def test_who_is_mentioned_from_the_member_list_is_called(server: Server, new_page: NewPage) -> None:
    ada, bob = join(new_page(), server, "Ada", "/r/calling"), join(new_page(), server, "Bob", "/r/calling")
    say(bob, "hello")
    row(bob, "Rooms", "lobby").click()
    expect(message(ada, "hello")).to_be_visible()

    person(ada, "Bob").press("Enter")
    ada.get_by_role("menuitem", name="Mention").press("Enter")
    composer(ada).press_sequentially("come back")
    composer(ada).press("Enter")

    expect(row(bob, "Rooms", "calling")).to_contain_text("1 for you")
    row(bob, "Rooms", "calling").click()
    expect(message(bob, "come back").locator("[data-mention=us]")).to_have_text("@Bob")


def test_drafts_stay_with_private_rooms_and_conversations_too(server: Server, new_page: NewPage) -> None:
    ada = join(new_page(), server, "Ada", "/r/drafting")
    join(new_page(), server, "Bob", "/r/drafting")
    expect(person(ada, "Bob")).to_be_visible()
    write_to(ada, "Bob")
    say(ada, "hello")
    other = same_guest(ada, server)
    wait_until_read(other, unquote(ada.url.rpartition("/")[2]), 1)
    composer(ada).fill("dear Bob")
    create(ada, "drafting-alone")
    expect(composer(ada)).to_have_value("")
    composer(ada).fill("dear diary")

    ada.reload()
    expect(composer(ada)).to_have_value("dear diary")
    row(ada, "Direct messages", "Bob").click()
    expect(composer(ada)).to_have_value("dear Bob")
    row(ada, "Rooms", "lobby").click()
    expect(composer(ada)).to_have_value("")
    other.close()


def test_a_direct_message_notifies_and_counts_until_it_is_read_anywhere(server: Server, new_page: NewPage) -> None:
    ada, bob = join(new_page(), server, "Ada", "/r/post"), new_page()
    bob.add_init_script(NOTIFICATIONS)
    join(bob, server, "Bob", "/r/post")
    bob.get_by_role("button", name="Notifications").click()
    expect(bob.get_by_role("button", name="Notifications")).to_have_attribute("aria-pressed", "true")
    expect(person(ada, "Bob")).to_be_visible()

    write_to(ada, "Bob")
    say(ada, "psst")
    expect(bob.locator("html")).to_have_attribute("data-shown", "1")
    notification = bob.evaluate("window.shown[0]")
    assert (notification["title"], notification["body"]) == ("Ada", "psst")
    expect(row(bob, "Direct messages", "Ada")).to_contain_text("1 for you, 1 new")
    expect(bob).to_have_title("(1) post · Parley")
    say(ada, "are you there?")
    expect(bob.locator("html")).to_have_attribute("data-shown", "2")
    expect(row(bob, "Direct messages", "Ada")).to_contain_text("2 for you, 2 new")

    bob.evaluate("window.last.dispatchEvent(new Event('click'))")
    expect(message(bob, "are you there?")).to_be_in_viewport()
    expect(bob.get_by_role("heading", level=1)).to_have_text("Ada")
    expect(row(bob, "Direct messages", "Ada")).not_to_contain_text("new")
    expect(bob).to_have_title("Ada · Parley")

    look_away(bob, hidden=True)
    say(ada, "still there?")
    expect(bob.locator("html")).to_have_attribute("data-shown", "3")
    expect(bob).to_have_title("(1) Ada · Parley")
    other = same_guest(bob, server)
    channel = next(place["channel"] for place in other.rpc("mine")["rooms"] if place["channel"].startswith("dm#"))
    other.rpc("read", channel=channel, offset=3)
    expect(bob).to_have_title("Ada · Parley")
    expect(rooms(bob, "Direct messages").get_by_role("link")).to_have_count(1)
    other.close()


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desk", "phone"])
def test_what_is_long_is_cut_and_moves_nothing_aside(server: Server, new_page: NewPage, device: dict[str, Any]) -> None:
    room = f"{'phone' if device else 'desk'}-of-a-long-name-" + "x" * 40
    name = "Bob of the very long name " + "y" * 12
    bob = someone(server, room, said=1, name=name)
    page = join(new_page(**device), server, "Ada", f"/r/{room}")
    if device:
        page.get_by_role("button", name="Members").click()
    expect(person(page, name)).to_be_visible()

    def is_cut(box: Locator) -> bool:
        return bool(box.evaluate("box => box.scrollWidth <= box.clientWidth"))

    assert is_cut(page.get_by_role("list", name="People"))
    assert is_cut(page.locator(".side-drawer" if device else ".side"))
    if device:
        page.get_by_role("dialog", name="Members").get_by_role("button", name="Close").click()
        page.get_by_role("button", name="Rooms and people").click()
    expect(row(page, "Rooms", room)).to_be_visible()
    assert is_cut(page.locator(".sidebar"))
    page.get_by_role("button", name="New direct message").click()
    expect(page.get_by_role("checkbox", name=name)).to_be_visible()
    assert is_cut(page.get_by_role("dialog", name="New direct message"))
    page.keyboard.press("Escape")
    if device:
        page.keyboard.press("Escape")
    page.get_by_role("button", name="Insert an emoji").click()
    expect(page.get_by_label("Smileys & Emotion").first).to_be_visible()
    assert is_cut(page.get_by_role("dialog", name="Choose an emoji"))
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Search messages").click()
    assert is_cut(page.locator(".filters"))
    bob.close()


def note_refusals(page: Page) -> list[str]:
    """Return the list to which what the server refuses as too fast is added."""
    refusals: list[str] = []

    def note(frame: str | bytes) -> None:
        if '"code":111' in str(frame):
            refusals.append(str(frame))

    def follow(socket: WebSocket) -> None:
        socket.on("framereceived", note)

    page.on("websocket", follow)
    return refusals


def test_who_types_slowly_into_a_search_is_never_too_fast(new_page: NewPage) -> None:
    with running(CHAT_RATE_BURST_S="2") as server:
        page = new_page()
        refusals = note_refusals(page)
        join(page, server, "Ada", "/r/slow")
        say(page, "a needle in the hay")
        expect(page.locator("[data-state=sent]")).to_have_count(1)

        page.get_by_role("button", name="Find or open a room").click()
        dialog = page.get_by_role("dialog", name="Rooms")
        field = dialog.get_by_label("Find, open or create a room")
        field.press_sequentially("slow slow slow", delay=300)
        expect(dialog.get_by_role("button", name="Create slow-slow-slow")).to_be_visible()
        field.fill("slo")
        expect(dialog.get_by_role("list", name="Rooms found")).to_contain_text("slow")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Search messages").click()
        page.get_by_role("searchbox").press_sequentially("needle in the h", delay=300)

        expect(page.locator(".hit")).to_have_count(1)
        assert refusals == []
        page.close()


def test_what_was_too_fast_all_the_same_is_asked_again_and_nobody_notices(new_page: NewPage) -> None:
    with running(CHAT_RATE_BURST_S="1") as server:
        page = new_page()
        refusals = note_refusals(page)
        join(page, server, "Ada", "/r/haste")
        say(page, "a needle in the hay")
        expect(page.locator("[data-state=sent]")).to_have_count(1)
        page.get_by_role("button", name="Search messages").click()
        field = page.get_by_role("searchbox")

        for query in ("n", "ne", "nee", "need"):
            field.fill(query)
            field.press("Enter")

        expect(page.locator(".hit")).to_have_count(1)
        expect(page.get_by_role("alert")).to_have_count(0)
        assert refusals
        page.close()
