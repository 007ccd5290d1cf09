"""The page of somebody who is in more rooms than it follows at once, at a server that nobody has configured."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.e2e.application import APPLICATION, log_in, user
from tests.e2e.test_page import PHONE
from tests.e2e.test_page_messages import message
from tests.e2e.test_page_rooms import row
from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page, WebSocket

    from tests.e2e.conftest import Check, NewPage, Screenshot
    from tests.server import Server

pytestmark = pytest.mark.browser

KEY = "a-key-for-the-tests"
PUBLIC, PRIVATE, DIRECT = 125, 15, 10
ROOMS = PUBLIC + PRIVATE + DIRECT
FOLLOWED = 100
LAST = f"room-{PUBLIC:03}"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Run a server where Ada is in many rooms, in each of which something was said. Its limits are the defaults."""
    with running(**APPLICATION, CHAT_METRICS="on", CHAT_API_KEY=KEY) as server:
        settle_in(server)
        yield server


def settle_in(server: Server) -> None:
    """Have Ada come to all rooms, and read what was said there."""
    ada = user(server, "Ada")
    names = [f"room-{number:03}" for number in range(1, PUBLIC + 1)]
    for group in (names[:80], names[80:]):  # (each connection may send 100 at once)
        bob = user(server, "Bob")
        for name in group:
            bob.call(subscribe={"channel": name})
            bob.rpc("send", channel=name, key=name, text=f"welcome to {name}")
            ada.rpc("read", channel=name, offset=1)
        bob.close()
    for number in range(1, PRIVATE + 1):
        ada.rpc("create", channel=f"$team-{number:02}", topic=f"what team {number} is at")
    for number in range(1, DIRECT + 1):
        person = user(server, f"Person{number:02}")
        channel = f"dm#ada,person{number:02}"
        person.call(subscribe={"channel": channel})
        person.rpc("send", channel=channel, key="hello", text="hello, Ada")
        ada.rpc("read", channel=channel, offset=1)
        person.close()
    assert len(ada.rpc("mine")["rooms"]) == ROOMS
    ada.close()


class Wire:
    """What a page sends and gets."""

    def __init__(self, page: Page) -> None:
        self.subscribed: set[str] = set()
        self.errors: list[dict[str, Any]] = []
        self.opened = 0
        page.on("websocket", self._follow)

    def _follow(self, socket: WebSocket) -> None:
        self.opened += 1
        socket.on("framesent", self._sent)
        socket.on("framereceived", self._received)

    def _sent(self, frame: str | bytes) -> None:
        for line in str(frame).split("\n"):
            command = json.loads(line)
            if "subscribe" in command:
                self.subscribed.add(command["subscribe"]["channel"])

    def _received(self, frame: str | bytes) -> None:
        replies = [json.loads(line) for line in str(frame).split("\n")]
        self.errors += [reply for reply in replies if "error" in reply]


def limits_hit(server: Server) -> dict[str, str]:
    metrics = httpx.get(f"{server.url}/metrics").text
    assert "# TYPE parley_limits_hit_total counter" in metrics
    return dict(re.findall(r'^parley_limits_hit_total\{limit="(\w+)"\} (\S+)$', metrics, re.MULTILINE))


def not_followed(wire: Wire) -> list[str]:
    return sorted({f"room-{number:03}" for number in range(1, PUBLIC + 1)} - wire.subscribed)


def cut_off(server: Server) -> None:
    """Close Ada's connections as if they had been too slow: they come back."""
    close = {"user": "ada", "disconnect": {"code": 3012, "reason": "no pong"}}
    httpx.post(f"{server.url}/api/disconnect", json=close, headers={"X-API-Key": KEY}).raise_for_status()


def open_page(page: Page, server: Server, room: str) -> Page:
    log_in(page, server, "Ada", "member", room)
    expect(page.locator(".rooms .room-row")).to_have_count(ROOMS + 1)  # (the lobby)
    return page


def test_all_rooms_are_listed_and_most_followed_and_no_limit_is_hit(server: Server, new_page: NewPage) -> None:
    page = new_page()
    wire = Wire(page)
    open_page(page, server, LAST)
    expect(message(page, f"welcome to {LAST}")).to_be_visible()
    quiet = not_followed(wire)
    assert len(wire.subscribed) == FOLLOWED
    assert len(quiet) == ROOMS - FOLLOWED
    bob = user(server, "Bob")
    for name in ("room-001", quiet[0]):
        bob.call(subscribe={"channel": name})

    bob.rpc("send", channel="room-001", key="followed", text="just so")
    expect(row(page, "Rooms", "room-001")).to_contain_text("1 new")
    bob.rpc("send", channel=quiet[0], key="call", text="@Ada look", mentions={"ada": "Ada"})
    expect(row(page, "Rooms", quiet[0])).to_contain_text("1 for you, 1 new")
    row(page, "Rooms", quiet[0]).click()
    expect(message(page, "@Ada look")).to_be_visible()
    expect(row(page, "Rooms", quiet[0])).not_to_contain_text("new")
    cut_off(server)
    expect(page.locator("[data-state=connected]")).to_have_count(0)
    expect(page.locator("[data-state=connected]")).to_be_attached()
    bob.rpc("send", channel="room-001", key="after", text="after that")
    expect(row(page, "Rooms", "room-001")).to_contain_text("2 new")

    assert wire.opened == 2
    assert wire.errors == []
    assert limits_hit(server) == {}
    bob.close()


def test_a_room_that_is_not_followed_is_asked_for_every_half_minute(server: Server, new_page: NewPage) -> None:
    page = new_page()
    page.clock.install()
    wire = Wire(page)
    open_page(page, server, LAST)
    expect(message(page, f"welcome to {LAST}")).to_be_visible()
    name = not_followed(wire)[-1]
    bob = user(server, "Bob")
    bob.call(subscribe={"channel": name})

    bob.rpc("send", channel=name, key="plain", text="just so")
    page.clock.run_for(30_000)

    expect(row(page, "Rooms", name)).to_contain_text("1 new")
    assert wire.opened == 1
    bob.close()


def is_in_view(page: Page, name: str) -> None:
    """Fail unless the room's row is in what one sees of the list, whole."""
    current = page.get_by_role("navigation", name="Rooms").locator("a[aria-current=page]")
    expect(current).to_contain_text(name)
    expect(current).to_be_in_viewport(ratio=0.98)  # (parts of pixels)


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desk", "phone"])
def test_the_room_on_screen_is_in_view_in_the_list_wherever_it_stands(
    server: Server, new_page: NewPage, device: dict[str, Any]
) -> None:
    page = open_page(new_page(**device), server, LAST)
    if device:
        page.get_by_role("button", name="Rooms and people").click()
    is_in_view(page, LAST)
    expect(page.get_by_role("button", name="Notifications")).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("button", name=re.compile("Go to"))).to_be_in_viewport(ratio=1)
    if device:
        return

    page.keyboard.press("Alt+ArrowDown")
    is_in_view(page, "team-01")
    for _ in range(PRIVATE + DIRECT):
        page.keyboard.press("Alt+ArrowDown")
    is_in_view(page, "lobby")
    page.keyboard.press("Alt+ArrowUp")
    is_in_view(page, "Person10")
    expect(page.get_by_role("heading", level=1)).to_have_text("Person10")
    page.get_by_role("navigation", name="Rooms").evaluate("list => list.scrollTo(0, 0)")
    row(page, "Rooms", "room-001").hover()
    expect(row(page, "Rooms", "room-001")).to_be_in_viewport(ratio=1)  # and it stays where one has scrolled


def test_the_quick_switcher_finds_any_room(server: Server, new_page: NewPage) -> None:
    page = open_page(new_page(), server, "room-001")

    for typed, found in ((LAST, LAST), ("room 77", "room-077"), ("team-15", "team-15"), ("Person07", "Person07")):
        page.keyboard.press("Control+k")
        page.keyboard.type(typed)
        expect(page.get_by_role("option", selected=True)).to_contain_text(found)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text(found)
        is_in_view(page, found)


@pytest.mark.parametrize("look", [{}, {"color_scheme": "dark"}, PHONE], ids=["wide", "dark", "narrow"])
def test_a_long_list_is_accessible(
    server: Server,
    new_page: NewPage,
    check_accessible: Check,
    screenshot: Screenshot,
    look: dict[str, Any],
    request: pytest.FixtureRequest,
) -> None:
    page = open_page(new_page(**look), server, LAST)
    if "is_mobile" in look:
        page.get_by_role("button", name="Rooms and people").click()

    check_accessible(page)
    screenshot(page, f"many-rooms-{request.node.callspec.id}")
