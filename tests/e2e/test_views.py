"""Every view of the page: in each look it is accessible, fits the screen, and is photographed.

The pictures are in `build/screenshots/`, by view and look: wide and narrow, each light and dark. To add a view, write a
function that leads there.
"""

from __future__ import annotations

import contextlib
import io
import json
from typing import TYPE_CHECKING, Any, Literal

import httpx
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.e2e.application import APPLICATION, log_in, user
from tests.e2e.test_files import choose, uploads
from tests.e2e.test_page import PHONE, join, post_and_change, same_guest, say, timeline
from tests.e2e.test_page_moderation import open_moderation
from tests.e2e.test_page_rooms import create
from tests.server import Member, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import FilePayload, Page, WebSocketRoute

    from tests.e2e.conftest import Check, NewPage, Screenshot
    from tests.server import Server

pytestmark = pytest.mark.browser

WIDE: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
LOOKS: dict[str, dict[str, Any]] = {"wide": WIDE, "narrow": PHONE}
SCHEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")
NARROWEST_PX = 320
KEY = "a-key-for-the-tests"


class Visit:
    """A person with a look, at two servers: one for guests, one for the users of an application."""

    def __init__(self, look: str, new_page: NewPage, guests: Server, users: Server) -> None:
        self.look = look
        self.is_narrow = LOOKS[look]["viewport"]["width"] < WIDE["viewport"]["width"]
        self.guests = guests
        self.users = users
        self.others = contextlib.ExitStack()
        self._new_page = new_page

    def new_page(self) -> Page:
        return self._new_page(**LOOKS[self.look])

    def open(self, room: str) -> Page:
        """Come as a guest who has not given a name yet. Each look has rooms of its own."""
        page = self.new_page()
        page.goto(f"{self.guests.url}/r/{room}-{self.look}")
        return page

    def join(self, room: str) -> Page:
        """Be in a room as the guest Ada."""
        return join(self.new_page(), self.guests, "Ada", f"/r/{room}-{self.look}")

    def log_in(self, room: str, name: str, role: str) -> Page:
        """Be in a room as a user of that role."""
        return log_in(self.new_page(), self.users, name, role, f"{room}-{self.look}")

    def member(self, server: Server, room: str, name: str) -> Member:
        """Have somebody else in a room, until the end of the test."""
        member = self.others.enter_context(contextlib.closing(Member(server, name)))
        member.call(subscribe={"channel": f"{room}-{self.look}"})
        return member

    def user(self, name: str, role: str = "") -> Member:
        """Have a user of the application connected, until the end of the test."""
        return self.others.enter_context(contextlib.closing(user(self.users, name, role)))

    def show_rooms(self, page: Page) -> None:
        """Open the drawer that the rooms are in on a narrow screen."""
        if self.is_narrow:
            page.get_by_role("button", name="Rooms and people").click()

    def with_people(self, page: Page) -> Page:
        """Show the members, who are over the room on a narrow screen."""
        if self.is_narrow:
            page.get_by_role("button", name="Members").click()
        expect(page.get_by_role("list", name="People")).to_be_visible()
        return page


VIEWS: dict[str, Callable[[Visit], Page]] = {}


def view(lead: Callable[[Visit], Page]) -> Callable[[Visit], Page]:
    """Register a function that leads to a view, under its name."""
    VIEWS[lead.__name__.replace("_", "-")] = lead
    return lead


@view
def name_form(visit: Visit) -> Page:
    page = visit.open("form")
    expect(page.get_by_label("Your name")).to_be_visible()
    return page


@view
def name_refused(visit: Visit) -> Page:
    visit.member(visit.guests, "refused", "Ada")
    page = visit.open("refused")
    page.get_by_label("Your name").fill("Ada")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    return page


@view
def empty_room(visit: Visit) -> Page:
    return visit.join("empty")


@view
def messages(visit: Visit) -> Page:
    page = visit.join("messages")
    say(page, "a message with `code`, **emphasis**, https://example.org/\n> a quotation\n\n```\na block of code\n```")
    ada = visit.others.enter_context(contextlib.closing(same_guest(page, visit.guests)))
    room = f"messages-{visit.look}"
    visit.others.enter_context(contextlib.closing(post_and_change(visit.guests, room, ada)))
    expect(page.locator(".reaction.mine").last).to_be_visible()
    expect(page.locator(".edited").last).to_be_visible()
    return page


@view
def people(visit: Visit) -> Page:
    for name in ("Bob", "Cem", "Ada Wilhelmina Constance of Northumberla"):
        visit.member(visit.guests, "people", name)
    return visit.with_people(visit.join("people"))


@view
def typing(visit: Visit) -> Page:
    page = visit.join("typing")
    visit.member(visit.guests, "typing", "Bob").rpc("typing", channel=f"typing-{visit.look}")
    expect(page.locator("#typing")).to_contain_text("Bob")
    return page


@view
def messages_further_down(visit: Visit) -> Page:
    page = visit.join("down")
    bob = visit.member(visit.guests, "down", "Bob")
    for number in range(40):
        bob.rpc("send", channel=f"down-{visit.look}", key=str(number), text=f"message {number}")
    expect(timeline(page).get_by_text("message 39")).to_be_visible()
    timeline(page).evaluate("box => box.scrollTo(0, 0)")
    expect(page.locator(".jump")).to_be_visible()
    return page


@view
def moderators_room(visit: Visit) -> Page:
    page = visit.log_in("moderated", "Mo", "moderator")
    eve = visit.member(visit.users, "moderated", "Eve")
    eve.rpc("send", channel=f"moderated-{visit.look}", key="rude", text="something rude")
    timeline(page).get_by_text("something rude").click()
    page.get_by_role("toolbar", name="Message of Eve").get_by_role("button", name="More").click()
    expect(page.get_by_role("menuitem", name="Delete")).to_be_visible()
    return page


@view
def moderators_dialog(visit: Visit) -> Page:
    visit.member(visit.users, "dialog", "Eve")
    page = visit.with_people(visit.log_in("dialog", "Mo", "moderator"))
    open_moderation(page, "Eve")
    expect(page.get_by_role("dialog", name="Moderate Eve")).to_be_visible()
    return page


@view
def banned(visit: Visit) -> Page:
    page = visit.log_in("banned", "Eve", "member")
    mo = visit.user("Max", "moderator")
    mo.rpc("ban", channel=f"banned-{visit.look}", user="eve", reason="spam")
    expect(page.get_by_role("alert")).to_contain_text("This room does not let you in")
    return page


@view
def not_sent(visit: Visit) -> Page:
    page = visit.log_in("muted", "Eve", "member")
    mo = visit.user("Max", "moderator")
    mo.rpc("mute", channel=f"muted-{visit.look}", user="eve", reason="spam")
    say(page, "hello?")
    expect(timeline(page)).to_contain_text("Not sent")
    return page


@view
def disconnected(visit: Visit) -> Page:
    page = visit.join("disconnected")
    user = same_guest(page, visit.guests)
    user.close()
    httpx.post(
        f"{visit.guests.url}/api/disconnect",
        json={"user": user.connected["data"]["user"]},
        headers={"X-API-Key": KEY},
    ).raise_for_status()
    expect(page.get_by_role("button", name="Reconnect")).to_be_visible()
    return page


@view
def reconnecting(visit: Visit) -> Page:
    page = visit.join("reconnecting")
    page.context.set_offline(True)
    expect(page.locator("[data-state=connecting]")).to_be_attached()
    say(page, "said in the tunnel")
    expect(page.locator("[data-state=pending]")).to_be_attached()
    return page


@view
def no_such_room(visit: Visit) -> Page:
    page = visit.join("some")
    page.goto(f"{visit.guests.url}/r/no%20such%20room")
    expect(page.get_by_role("link", name="Go to the lobby")).to_be_visible()
    return page


@view
def all_kinds_of_rooms(visit: Visit) -> Page:
    page = visit.log_in("kinds", f"Ada {visit.look}", "member")
    ada = f"ada {visit.look}"
    bob = visit.member(visit.users, "kinds", "Bob")
    bob.rpc("create", channel=f"$plans-{visit.look}")
    bob.rpc("invite", channel=f"$plans-{visit.look}", user=ada)
    expect(page.get_by_role("region", name="Notices")).to_contain_text("invited you")
    direct = "dm#" + ",".join(sorted([ada, bob.connected["data"]["user"]]))
    bob.call(subscribe={"channel": direct})
    bob.rpc("send", channel=direct, key="1", text="between us")
    visit.show_rooms(page)
    expect(page.get_by_role("list", name="Direct messages", exact=True).get_by_role("listitem")).to_have_count(1)
    return page


@view
def results_of_a_search(visit: Visit) -> Page:
    page = visit.log_in("search", "Sue", "member")
    bob = visit.member(visit.users, "search", "Bob")
    for number in range(3):
        bob.rpc("send", channel=f"search-{visit.look}", key=str(number), text=f"the needle of {visit.look}, {number}")
    page.get_by_role("button", name="Search messages").click()
    page.get_by_role("searchbox").fill(f"needle {visit.look}")
    expect(page.locator(".hit mark").first).to_be_visible()
    return page


@view
def quick_switcher(visit: Visit) -> Page:
    page = visit.log_in("switcher", "Sue", "member")
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Room or person").fill("s")
    expect(page.get_by_role("listbox", name="Rooms and people")).to_be_visible()
    return page


@view
def rooms_to_find(visit: Visit) -> Page:
    page = visit.log_in("finder", "Sue", "member")
    visit.show_rooms(page)
    page.get_by_role("button", name="Find or open a room").click()
    page.get_by_label("Find, open or create a room").fill("finder")
    expect(page.get_by_role("dialog", name="Rooms", exact=True)).to_be_visible()
    return page


@view
def emojis(visit: Visit) -> Page:
    page = visit.log_in("emojis", "Sue", "member")
    page.get_by_role("button", name="Insert an emoji").click()
    expect(page.get_by_role("dialog", name="Choose an emoji").get_by_role("button").nth(20)).to_be_visible()
    return page


@view
def answering_and_naming(visit: Visit) -> Page:
    page = visit.log_in("answer", "Sue", "member")
    bob = visit.member(visit.users, "answer", "Bob")
    bob.rpc("send", channel=f"answer-{visit.look}", key="1", text="who brings the cake?")
    timeline(page).get_by_text("who brings the cake?").click()
    page.get_by_role("toolbar", name="Message of Bob").get_by_role("button", name="Reply").click()
    page.get_by_role("textbox", name="Message").press_sequentially("@Bo")
    expect(page.get_by_role("option")).to_have_count(1)
    return page


@view
def files(visit: Visit) -> Page:
    room = f"files-{visit.look}"
    page = visit.log_in("files", "Sue", "member")
    bob = visit.member(visit.users, "files", "Bob")
    picture = io.BytesIO()
    Image.linear_gradient("L").resize((480, 320)).save(picture, "PNG")
    key = bob.rpc("files", channel=room)["key"]
    brought = [
        httpx.post(f"{visit.users.url}/files", params={"key": key, "name": name}, content=content).json()["id"]
        for name, content in (("the view from my window.png", picture.getvalue()), ("minutes.txt", b"all agreed"))
    ]
    bob.rpc("send", channel=room, key="1", text="see for yourselves", files=brought)
    expect(page.get_by_role("link", name="minutes.txt")).to_be_visible()
    expect(page.locator(".picture img")).not_to_have_js_property("naturalWidth", 0)
    return page


@view
def files_on_their_way(visit: Visit) -> Page:
    page = visit.log_in("uploads", "Sue", "member")
    page.route("**/files?*name=slow*", lambda _: None)
    page.route("**/files?*name=lost*", lambda route: route.abort())
    chosen: list[FilePayload] = [
        {"name": name, "mimeType": "text/plain", "buffer": b"all agreed"}
        for name in ("minutes.txt", "slow.txt", "lost.txt")
    ]
    choose(page, *chosen)
    found = uploads(page)
    expect(found.nth(0)).to_have_attribute("data-state", "done")
    expect(found.nth(1).get_by_role("progressbar")).to_be_visible()
    expect(found.nth(2).get_by_role("alert")).to_be_visible()
    return page


@view
def unread_messages(visit: Visit) -> Page:
    room = f"unread-{visit.look}"
    bob = visit.member(visit.users, "unread", "Bob")
    sue = visit.user("Sue")
    for number in range(4):
        bob.rpc("send", channel=room, key=str(number), text=f"message {number}")
    sue.rpc("read", channel=room, offset=2)
    page = visit.log_in("unread", "Sue", "member")
    expect(page.locator(".new")).to_be_visible()
    return page


@view
def older_messages_missing(visit: Visit) -> Page:
    page = visit.new_page()
    page.route_web_socket("**/connection/websocket", _refuse_older)
    bob = visit.member(visit.guests, "older", "Bob")
    for number in range(80):
        bob.rpc("send", channel=f"older-{visit.look}", key=str(number), text=f"message {number}")
    join(page, visit.guests, "Ada", f"/r/older-{visit.look}")
    expect(timeline(page).get_by_text("message 79")).to_be_visible()
    timeline(page).evaluate("box => box.scrollTo(0, 0)")
    expect(page.get_by_text("Older messages could not be loaded.")).to_be_visible()
    return page


def _refuse_older(socket: WebSocketRoute) -> None:
    """Answer for the server when a page asks for messages before others."""
    server = socket.connect_to_server()

    def ask(frame: str | bytes) -> None:
        for line in str(frame).split("\n"):
            command = json.loads(line)
            if "before" in command.get("rpc", {}).get("data", {}):
                error = {"code": 100, "message": "internal server error", "temporary": True}
                socket.send(json.dumps({"id": command["id"], "error": error}))
            else:
                server.send(line)

    socket.on_message(ask)


@view
def editing(visit: Visit) -> Page:
    page = visit.log_in("editing", "Sue", "member")
    say(page, "the last thing that I said")
    expect(timeline(page).locator("[data-state=sent]")).to_have_count(1)
    page.get_by_role("textbox", name="Message").press("ArrowUp")
    expect(page.get_by_role("button", name="Cancel the edit")).to_be_visible()
    return page


@view
def deletion(visit: Visit) -> Page:
    page = visit.log_in("deletion", "Sue", "member")
    say(page, "what I should not have said")
    expect(timeline(page).locator("[data-state=sent]")).to_have_count(1)
    timeline(page).get_by_text("what I should not").click()
    page.get_by_role("toolbar", name="Message of Sue").get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Delete").click()
    expect(page.get_by_role("dialog", name="Delete this message?")).to_be_visible()
    return page


@view
def private_room_to_make(visit: Visit) -> Page:
    page = visit.log_in("maker", "Sue", "member")
    visit.show_rooms(page)
    page.get_by_role("button", name="New private room").click()
    page.get_by_role("dialog", name="New private room").get_by_label("Name").fill("book club")
    return page


@view
def people_to_invite(visit: Visit) -> Page:
    visit.member(visit.users, "inviting", "Bob")
    page = visit.log_in("inviting", "Sue", "member")
    visit.show_rooms(page)
    create(page, f"book-club-{visit.look}")
    visit.with_people(page)
    page.get_by_role("button", name="Invite people").click()
    dialog = page.get_by_role("dialog", name="Invite people to")
    dialog.get_by_label("Name").fill("Bob")
    expect(dialog.get_by_role("checkbox", name="Bob")).to_be_visible()
    return page


@view
def keyboard_shortcuts(visit: Visit) -> Page:
    page = visit.log_in("keys", "Sue", "member")
    page.get_by_role("log", name="Messages").focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    return page


@view
def record_of_moderation(visit: Visit) -> Page:
    room = f"record-{visit.look}"
    page = visit.log_in("record", "Mo", "moderator")
    mo = visit.user("Max", "moderator")
    mo.rpc("ban", channel=room, user="eve", reason="spam")
    mo.rpc("mute", channel=room, user="dan", reason="a little too loud today")
    page.locator(".room-header").get_by_role("button", name=f"Menu of {room}").click()
    page.get_by_role("menuitem", name="Bans and record…").click()
    expect(page.get_by_role("dialog", name=f"Moderation of {room}")).to_contain_text("a little too loud")
    return page


@pytest.fixture(scope="module")
def guests() -> Iterator[Server]:
    with running(CHAT_API_KEY=KEY) as server:
        yield server


@pytest.fixture(scope="module")
def users() -> Iterator[Server]:
    with running(**APPLICATION) as server:
        yield server


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", VIEWS)
def test_it_is_accessible_and_fits(
    name: str,
    look: str,
    new_page: NewPage,
    guests: Server,
    users: Server,
    check_accessible: Check,
    screenshot: Screenshot,
) -> None:
    visit = Visit(look, new_page, guests, users)
    with visit.others:
        page = VIEWS[name](visit)

        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            screenshot(page, f"{name}-{look}{'-dark' if scheme == 'dark' else ''}")
            check_accessible(page)
        assert is_within_the_screen(page)
        if visit.is_narrow:
            page.set_viewport_size({"width": NARROWEST_PX, "height": 568})
            assert is_within_the_screen(page)


def is_within_the_screen(page: Page) -> bool:
    """Tell whether nothing has to be scrolled sideways to be seen, whatever it is that would scroll."""
    within: bool = page.evaluate(
        """() => [document.documentElement, ...document.querySelectorAll('.sidebar, .timeline, dialog[open]')]
            .every(box => box.scrollWidth <= box.clientWidth)"""
    )
    return within
