"""Reading on the page: what is loaded, where one is, what is unread, and what happens when the connection drops."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.long_scroll import SCROLL
from tests.e2e.test_page import join, on_one_line, same_guest, say, timeline
from tests.server import Member, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Locator, Page

    from tests.e2e.conftest import Check, NewPage
    from tests.server import Server

pytestmark = pytest.mark.browser

JUMP = re.compile("Jump to latest")
NOTIFICATIONS = """
window.shown = [];
window.Notification = class extends EventTarget {
  static permission = 'default';
  static asked = 0;
  static async requestPermission() {
    this.asked += 1;
    return (this.permission = 'granted');
  }
  constructor(title, options) {
    super();
    window.shown.push({ title, ...options });
    document.documentElement.dataset.shown = window.shown.length;
    window.last = this;
  }
  close() {}
};
"""
"""Headless Chromium grants nothing: this stands in for the browser's notifications, and keeps what was shown."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Run a server on which one person may say much in a short time."""
    with running(CHAT_RATE_LIMIT="off") as server:
        yield server


def talk(member: Member, room: str, first: int, last: int) -> None:
    for number in range(first, last + 1):
        member.rpc("send", channel=room, key=f"{room}-{number}", text=f"message {number}")


def someone(server: Server, room: str, said: int = 0, name: str = "Bob") -> Member:
    member = Member(server, name)
    member.call(subscribe={"channel": room})
    talk(member, room, 1, said)
    return member


def shown(page: Page) -> list[str]:
    """Return the texts of all messages, found and read in one go: rows go while one scrolls."""
    texts: list[str] = timeline(page).evaluate(
        "box => [...box.querySelectorAll('[data-offset] .text')].map(text => text.innerText)"
    )
    return [on_one_line(text) for text in texts]


def message(page: Page, number: int) -> Locator:
    return timeline(page).get_by_text(f"message {number}", exact=True)


def link(page: Page, room: str) -> Locator:
    return page.get_by_role("navigation", name="Rooms").get_by_role("link", name=re.compile(rf"^{room}\b"))


def look_away(page: Page, *, hidden: bool) -> None:
    """Headless pages are always visible: have this one say otherwise."""
    page.evaluate(
        """(hidden) => {
          Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
          document.dispatchEvent(new Event('visibilitychange'));
        }""",
        hidden,
    )


def test_a_long_history_scrolls_by_itself_up_and_down_with_no_more_than_a_window_loaded(
    server: Server, new_page: NewPage
) -> None:
    bob = someone(server, "long", said=1_000)
    page = join(new_page(), server, "Ada", "/r/long")
    expect(message(page, 1000)).to_be_visible()
    box = timeline(page)
    numbers: set[int] = set()

    def scroll(*, to: int, sign: int) -> None:
        for _ in range(600):
            here = [int(text.split()[-1]) for text in shown(page)]
            assert here == list(range(here[0], here[-1] + 1))
            assert len(here) <= 500
            numbers.update(here)
            if to in here:
                return
            box.evaluate(
                "async (box, by) => { box.scrollTop += by; await new Promise(requestAnimationFrame); }", sign * 2_000
            )
        pytest.fail("it does not get there")

    scroll(to=1, sign=-1)
    assert numbers == set(range(1, 1_001))
    box.evaluate("box => { box.scrollTop = 0; }")
    expect(box.get_by_text("This is where long begins.")).to_be_visible()
    expect(message(page, 1000)).to_have_count(0)
    talk(bob, "long", 1_001, 1_003)
    expect(page.get_by_role("button", name="Jump to latest (3 new)")).to_be_visible()
    scroll(to=1_003, sign=1)
    box.evaluate("box => { box.scrollTop = box.scrollHeight; }")

    expect(page.get_by_role("button", name=JUMP)).to_have_count(0)
    talk(bob, "long", 1_004, 1_004)
    expect(message(page, 1004)).to_be_visible()
    bob.close()


def test_what_was_scrolled_through_is_not_kept(server: Server, new_page: NewPage) -> None:
    bob = someone(server, "lean", said=1_500)
    page = join(new_page(), server, "Ada", "/r/lean")
    expect(message(page, 1500)).to_be_visible()
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def nodes_after(sign: int, last: int) -> float:
        assert page.evaluate(SCROLL, [sign, last, 30_000])["arrived"]
        session.send("HeapProfiler.collectGarbage")
        metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
        return float(metrics["Nodes"])

    first = nodes_after(-1, 1) + nodes_after(1, 1_500)
    again = nodes_after(-1, 1) + nodes_after(1, 1_500)

    # Each has some 12 nodes: of 6,000 messages that were scrolled through, two windows may be left.
    assert again < first * 1.2
    assert again < 2 * 800 * 14
    bob.close()


def test_older_messages_come_without_moving_what_is_read(server: Server, new_page: NewPage) -> None:
    bob = someone(server, "still", said=300)
    page = join(new_page(), server, "Ada", "/r/still")
    expect(message(page, 300)).to_be_visible()
    first = timeline(page).locator("[data-offset]").first
    before = int(first.get_attribute("data-offset") or 0)

    place = timeline(page).evaluate(
        """async (box) => {
          box.scrollTop = 300;
          await new Promise(requestAnimationFrame);
          const edge = box.getBoundingClientRect().top;
          const one = [...box.querySelectorAll('.message')].find((each) => each.getBoundingClientRect().top > edge);
          return { offset: one.dataset.offset, top: one.getBoundingClientRect().top };
        }"""
    )
    expect(timeline(page).locator(f"[data-offset='{before - 40}']")).to_have_count(1)

    top = timeline(page).locator(f"[data-offset='{place['offset']}']").evaluate("e => e.getBoundingClientRect().top")
    assert top == pytest.approx(place["top"], abs=1)
    bob.close()


def test_an_address_of_a_message_opens_there_and_back_leads_to_where_one_was(server: Server, new_page: NewPage) -> None:
    bob = someone(server, "permalinks", said=400)
    page = join(new_page(), server, "Ada", "/r/permalinks#m50")

    expect(message(page, 50)).to_be_in_viewport()
    marked = timeline(page).locator("[data-marked]")
    expect(marked).to_have_attribute("data-offset", "50")
    expect(marked).to_be_focused()
    expect(message(page, 400)).to_have_count(0)
    expect(timeline(page).locator("[data-marked]")).to_have_count(0)  # after a moment

    page.evaluate("location.hash = '#m390'")
    expect(message(page, 390)).to_be_in_viewport()
    page.go_back()
    expect(message(page, 50)).to_be_in_viewport()
    page.evaluate("location.hash = '#m9999'")
    expect(page.get_by_text("This message is not there any more")).to_be_visible()
    expect(message(page, 400)).to_be_in_viewport()
    bob.close()


def test_the_keyboard_goes_from_message_to_message_and_to_both_ends(server: Server, new_page: NewPage) -> None:
    bob = someone(server, "keyboard", said=600)
    page = join(new_page(), server, "Ada", "/r/keyboard")
    expect(message(page, 600)).to_be_visible()
    focused = timeline(page).locator(".message:focus")

    timeline(page).locator(".message[tabindex='0']").focus()
    expect(focused).to_have_attribute("data-offset", "600")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(focused).to_have_attribute("data-offset", "598")
    page.keyboard.press("ArrowDown")
    expect(focused).to_have_attribute("data-offset", "599")
    assert timeline(page).locator(".message[tabindex='0']").count() == 1

    page.keyboard.press("Home")
    expect(message(page, 1)).to_be_in_viewport()
    timeline(page).locator(".message[tabindex='0']").focus()
    page.keyboard.press("End")
    expect(message(page, 600)).to_be_in_viewport()
    bob.close()


def test_what_is_unread_is_counted_at_once_and_the_room_opens_where_one_stopped(
    server: Server, new_page: NewPage
) -> None:
    bob = someone(server, "kitchen", said=100)
    bob.call(subscribe={"channel": "garden"})
    page = join(new_page(), server, "Ada", "/r/kitchen")
    expect(message(page, 100)).to_be_visible()
    link(page, "lobby").click()
    ada = same_guest(page, server)
    user = str(page.evaluate("sessionStorage.getItem('parley.guest')")).rpartition(".")[0]

    talk(bob, "kitchen", 101, 180)
    expect(link(page, "kitchen")).to_contain_text("80 new")
    expect(page).to_have_title("(80) lobby · Parley")
    ada.call(subscribe={"channel": "kitchen"})
    ada.rpc("send", channel="kitchen", key="own", text="from my other device")
    bob.rpc("send", channel="kitchen", key="call", text="@Ada dinner", mentions={user: "Ada"})
    expect(link(page, "kitchen")).to_contain_text("1 for you, 81 new")
    assert str(page.locator("link[rel=icon]").get_attribute("href")).startswith("data:image/svg+xml")

    link(page, "kitchen").click()
    line = timeline(page).locator(".new")
    expect(line).to_be_in_viewport()
    expect(message(page, 101)).to_be_in_viewport()
    expect(message(page, 180)).not_to_be_in_viewport()
    page.get_by_role("button", name=JUMP).click()
    expect(timeline(page).get_by_text("@Ada dinner")).to_be_in_viewport()
    expect(link(page, "kitchen")).not_to_contain_text("new")
    expect(page).to_have_title("kitchen · Parley")
    expect(line).to_have_count(1)  # until one leaves

    wait_until_read(ada, "kitchen", 182)
    page.reload()
    expect(timeline(page).get_by_text("@Ada dinner")).to_be_in_viewport()
    expect(line).to_have_count(0)
    for member in (ada, bob):
        member.close()


def wait_until_read(member: Member, room: str, offset: int) -> None:
    """Wait for the marker of this user: the page tells it after a pause, and then all connections are told."""
    while offset > max((place["read"] for place in member.rpc("mine")["rooms"] if place["channel"] == room), default=0):
        member.publication()


def test_what_one_device_has_read_is_read_on_the_other(server: Server, new_page: NewPage) -> None:
    bob = someone(server, "hall", said=3)
    page = join(new_page(), server, "Ada", "/r/hall")
    expect(message(page, 3)).to_be_visible()
    link(page, "lobby").click()
    ada = same_guest(page, server)
    talk(bob, "hall", 4, 6)
    expect(link(page, "hall")).to_contain_text("3 new")

    ada.rpc("read", channel="hall", offset=6)

    expect(link(page, "hall")).not_to_contain_text("new")
    ada.close()
    bob.close()


def test_a_hidden_tab_reads_nothing_and_shows_what_was_new_when_one_comes_back(
    server: Server, new_page: NewPage
) -> None:
    bob = someone(server, "desk", said=3)
    page = join(new_page(), server, "Ada", "/r/desk")
    expect(message(page, 3)).to_be_visible()
    expect(timeline(page).locator(".new")).to_have_count(0)

    look_away(page, hidden=True)
    talk(bob, "desk", 4, 5)
    expect(page).to_have_title("(2) desk · Parley")
    look_away(page, hidden=False)

    expect(timeline(page).locator(".new")).to_be_visible()
    expect(timeline(page).locator(".new + .message")).to_contain_text("message 4")
    expect(page).to_have_title("desk · Parley")
    bob.close()


def test_a_muted_room_counts_mentions_only(server: Server, new_page: NewPage) -> None:
    bob = someone(server, "noisy", said=1)
    page = join(new_page(), server, "Ada", "/r/noisy")
    expect(message(page, 1)).to_be_visible()
    user = str(page.evaluate("sessionStorage.getItem('parley.guest')")).rpartition(".")[0]
    ada = same_guest(page, server)
    wait_until_read(ada, "noisy", 1)
    page.get_by_role("button", name="Mute this room").click()
    expect(page.get_by_role("button", name="Mute this room")).to_have_attribute("aria-pressed", "true")
    link(page, "lobby").click()

    talk(bob, "noisy", 2, 4)
    bob.rpc("send", channel="noisy", key="call", text="@Ada!", mentions={user: "Ada"})

    expect(link(page, "noisy")).to_contain_text("1 for you, 1 new")
    ada.close()
    bob.close()


def test_notifications_are_asked_for_by_the_bell_and_come_only_for_what_is_not_in_sight(
    server: Server, new_page: NewPage
) -> None:
    bob = someone(server, "bells", said=60)
    page = new_page()
    page.add_init_script(NOTIFICATIONS)
    join(page, server, "Ada", "/r/bells")
    expect(message(page, 60)).to_be_visible()
    user = str(page.evaluate("sessionStorage.getItem('parley.guest')")).rpartition(".")[0]

    def call(key: str) -> None:
        bob.rpc("send", channel="bells", key=key, text=f"@Ada {key}", mentions={user: "Ada"})
        expect(timeline(page).get_by_text(f"@Ada {key}")).to_have_count(1)

    assert page.evaluate("Notification.asked") == 0
    page.get_by_role("button", name="Notifications").click()
    expect(page.get_by_role("button", name="Notifications")).to_have_attribute("aria-pressed", "true")
    call("in sight")
    assert page.evaluate("window.shown") == []

    look_away(page, hidden=True)
    call("unseen")
    expect(page.locator("html")).to_have_attribute("data-shown", "1")
    notification = page.evaluate("window.shown[0]")
    assert (notification["title"], notification["body"]) == ("Bob in bells", "@Ada unseen")

    look_away(page, hidden=False)
    link(page, "lobby").click()
    page.evaluate("window.last.dispatchEvent(new Event('click'))")
    expect(timeline(page).locator("[data-marked]")).to_contain_text("@Ada unseen")
    bob.close()


def test_without_a_connection_a_bar_says_when_the_next_try_is_and_try_now_tries_now(
    new_page: NewPage, check_accessible: Check
) -> None:
    with running() as server:
        page = join(new_page(), server, "Ada")
        say(page, "before")
        expect(page.locator("[data-state=sent]")).to_have_count(1)
        attempts: list[str] = []
        page.on("websocket", lambda socket: attempts.append(socket.url))
        server.kill()

        bar = page.locator(".banner")
        expect(bar).to_contain_text(re.compile(r"Next try in \d+ s"), timeout=30_000)
        expect(timeline(page).get_by_text("before")).to_be_visible()
        with page.expect_event("websocket"):
            bar.get_by_role("button", name="Try now").click()
        assert attempts
        check_accessible(page)
        page.close()


@pytest.mark.parametrize("colour_scheme", ["light", "dark"])
def test_axe_finds_nothing_to_complain_about_while_one_reads(
    server: Server, new_page: NewPage, check_accessible: Check, colour_scheme: str
) -> None:
    room = f"axe-{colour_scheme}"
    bob = someone(server, room, said=120)
    page = join(new_page(color_scheme=colour_scheme), server, "Ada", f"/r/{room}")
    expect(message(page, 120)).to_be_visible()
    link(page, "lobby").click()
    talk(bob, room, 121, 190)
    expect(link(page, room)).to_contain_text("70 new")
    check_accessible(page)
    link(page, room).click()
    expect(timeline(page).locator(".new")).to_be_visible()
    page.evaluate("location.hash = '#m100'")
    expect(timeline(page).locator("[data-marked]")).to_be_visible()
    check_accessible(page)
    bob.close()


HEAR = """() => {
    window.heard = [];
    new MutationObserver((records) => {
        for (const { addedNodes } of records) for (const { textContent } of addedNodes) window.heard.push(textContent);
    }).observe(document.querySelector('.room > [aria-live=polite]'), { childList: true });
}"""


def test_a_screen_reader_hears_each_new_message_of_others_once(server: Server, new_page: NewPage) -> None:
    bob = someone(server, "heard", said=3)
    page = join(new_page(), server, "Ada", "/r/heard")
    expect(message(page, 3)).to_be_visible()
    page.evaluate(HEAR)
    aloud = page.locator(".room > [aria-live=polite]")

    talk(bob, "heard", 4, 4)
    expect(aloud).to_have_text("Bob: message 4")
    say(page, "my own")
    expect(timeline(page).get_by_text("my own")).to_be_visible()
    bob.rpc("edit", channel="heard", target=3, text="edited")
    expect(timeline(page).get_by_text("edited", exact=True)).to_be_visible()
    talk(bob, "heard", 5, 5)
    expect(aloud).to_have_text("Bob: message 5")

    assert page.evaluate("heard") == ["Bob: message 4", "Bob: message 5"]
    bob.close()


def test_who_reads_further_up_hears_what_is_new_below(server: Server, new_page: NewPage) -> None:
    bob = someone(server, "heard-below", said=500)
    page = join(new_page(), server, "Ada", "/r/heard-below")
    expect(message(page, 500)).to_be_visible()
    page.evaluate("location.hash = '#m100'")
    expect(message(page, 100)).to_be_in_viewport()
    expect(message(page, 500)).to_have_count(0)
    page.evaluate(HEAR)

    talk(bob, "heard-below", 501, 501)
    expect(page.locator(".room > [aria-live=polite]")).to_have_text("Bob: message 501")
    page.get_by_role("button", name=re.compile("Jump to latest")).click()
    expect(message(page, 501)).to_be_visible()

    assert page.evaluate("heard") == ["Bob: message 501"]
    bob.close()
