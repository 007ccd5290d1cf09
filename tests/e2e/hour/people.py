"""The people of the hour: each has a page, and does by what it offers whatever the dice say."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from playwright.sync_api import Error as PageError
from playwright.sync_api import expect

from tests.e2e.hour.report import words_of

if TYPE_CHECKING:
    import random

    from playwright.sync_api import Browser, ConsoleMessage, Dialog, Locator

    from tests.e2e.hour.report import Report, Said

NAMES: Final = ("Ada", "Bob", "Cid", "Dee", "Eve")
ROOMS: Final = ("lobby", "tea", "coffee")
EMOJIS: Final = ("tada", "rocket", "heart", "eyes")
ACTIONS: Final = {
    "send": 30, "multiline": 5, "mention": 4, "edit": 9, "delete": 4, "reply": 9, "react": 9, "toggle": 9,
    "up": 8, "latest": 6, "room": 12, "reload": 1,
}  # fmt: skip
PATIENCE_MS: Final = 1_500
"""How long a person tries one thing."""
LOAD_MS: Final = 30_000

SHOWN: Final = """
() => [
  document.querySelector('.room-header h1').textContent,
  [...document.querySelectorAll('.message[data-state=sent]')].slice(-40)
    .map((one) => [Number(one.dataset.offset), one.querySelector('.markup')?.textContent ?? '']),
]
"""
"""What is drawn, which is a frame behind the address."""


class Person:
    """Somebody in front of a page of their own."""

    def __init__(self, name: str, browser: Browser, base: str, dice: random.Random, report: Report, said: Said) -> None:
        self.name = name
        self.room = ROOMS[0]
        self.user = ""
        self._base = base
        self._dice = dice
        self._report = report
        self._said = said
        self.page = browser.new_context(viewport={"width": 1200, "height": 800}).new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("pageerror", lambda error: self.complain(f"an error: {error}"))
        self.page.on("console", self._note_console)
        self.page.on("dialog", self._note_dialog)
        self.page.on("websocket", lambda _socket: self._count_connection())
        self._metrics = self.page.context.new_cdp_session(self.page)
        self._metrics.send("Performance.enable")

    def join(self) -> None:
        """Give one's name, and see each room once."""
        self._open(ROOMS[0])
        self.page.get_by_label("Your name").fill(self.name)
        self.page.get_by_role("button", name="Join").click()
        self.expect_connected(LOAD_MS)
        for room in (*ROOMS[1:], ROOMS[0]):
            self._open(room)
            self.expect_connected(LOAD_MS)
            expect(self.timeline).to_contain_text("welcome", timeout=LOAD_MS)
            expect(self.link(room)).to_be_attached(timeout=LOAD_MS)

    def act(self) -> None:
        """Do one thing, or try to."""
        what = self._dice.choices(list(ACTIONS), list(ACTIONS.values()))[0]
        try:
            self.come_back()
            done = self._do(what)
        except (PageError, AssertionError):
            done = False  # what is wanted is gone, or does not come while there is no connection
            with contextlib.suppress(PageError):
                self.page.keyboard.press("Escape")
        (self._report.actions if done else self._report.not_done)[what] += 1
        with contextlib.suppress(PageError):
            self._note_shown()

    def come_back(self, timeout_ms: float = PATIENCE_MS) -> None:
        """Open the page again, if it was reloaded while there was no server."""
        if self.page.url.startswith("chrome-error:"):
            self._open(self.room, timeout_ms)

    def go(self, room: str) -> None:
        self.link(room).click()
        expect(self.page).to_have_url(re.compile(rf"{_path(room)}(#m\d+)?$"), timeout=PATIENCE_MS)
        self.room = room

    def expect_connected(self, timeout_ms: float) -> None:
        expect(self.page.locator("[data-state=connected]")).to_be_attached(timeout=timeout_ms)

    def expect_all_sent(self, timeout_ms: float) -> None:
        expect(self.page.locator("[data-state=pending], [data-state=failed]")).to_have_count(0, timeout=timeout_ms)

    def link(self, room: str) -> Locator:
        return self.page.locator(f"nav.rooms a[href='{_path(room)}']").first

    def heap_mib(self) -> float:
        metrics = self._metrics.send("Performance.getMetrics")["metrics"]
        return next(float(one["value"]) for one in metrics if one["name"] == "JSHeapUsedSize") / 2**20

    @property
    def timeline(self) -> Locator:
        return self.page.get_by_role("log", name="Messages")

    @property
    def composer(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message")

    def complain(self, what: str) -> None:
        self._report.differences.append(f"{self.name}'s page: {what}")

    def _open(self, room: str, timeout_ms: float = LOAD_MS) -> None:
        self.page.goto(f"{self._base}/r/{room}", timeout=timeout_ms)

    def _do(self, what: str) -> bool:
        page, dice = self.page, self._dice
        match what:
            case "send":
                self._say(dice.choice(("{}", "**{}** bold", "`{}` code", "{} 🎉🚀", "_so_ {} ~~not~~")))
            case "multiline":
                self._say("{}\nsecond line\n\n- a list\n- of two")
            case "mention":
                self.composer.press_sequentially(f"@{dice.choice(NAMES).lower()[:2]}")
                page.get_by_role("option").first.click()
                self._say(self.composer.input_value() + " {}")
            case "reply":
                self._tool(self._any(), "Reply")
                self._say("an answer {}")
            case "edit":
                self._tool(self._any(".mine"), "Edit")
                self.composer.fill(f"{self.composer.input_value()} v{dice.randrange(1000)}")
                self.composer.press("Enter")
            case "delete":
                self._tool(self._any(".mine"), "Delete")
                page.get_by_role("dialog").get_by_role("button", name="Delete").click()
            case "react":
                self._tool(self._any(), "React")
                page.keyboard.type(dice.choice(EMOJIS))
                page.keyboard.press("Enter")
            case "toggle":
                chips = self.timeline.locator(".reaction")
                if not (count := chips.count()):
                    return False
                chips.nth(count - 1 - dice.randrange(min(count, 10))).click()
            case "up":
                self.timeline.hover()
                page.mouse.wheel(0, -dice.uniform(300, 4000))
            case "latest":
                page.locator(".jump").click(timeout=300)
            case "room":
                self.go(dice.choice(ROOMS))
            case _:
                page.reload(timeout=5_000)
        return True

    def _say(self, text: str) -> None:
        word = self._said.new_word()
        if self.page.get_by_role("button", name="Cancel the edit").count():  # one that could not be saved
            self.composer.press("Escape")
        self.composer.fill(text.format(word))
        self.composer.press("Enter")
        if self.composer.input_value():  # a list of completions had the Enter
            self.composer.press("Enter")
        if not self.composer.input_value():
            self._said.sent[word] = self.room

    def _any(self, which: str = "") -> Locator:
        found = self.timeline.locator(f".message{which}[data-state=sent]:not(:has(p.deleted))")
        return found.nth(found.count() - 1 - self._dice.randrange(max(1, min(found.count(), 8))))

    def _tool(self, message: Locator, name: str) -> None:
        # A message that is not the last one stays the same one, whatever is said meanwhile.
        offset = message.get_attribute("data-offset")
        message = self.timeline.locator(f".message[data-offset='{offset}']")
        message.hover()
        toolbar = message.get_by_role("toolbar")
        if name == "Delete":
            toolbar.get_by_role("button", name="More").click()
            self.page.get_by_role("menuitem", name=name).click()
        else:
            toolbar.get_by_role("button", name=name).click()

    def _note_shown(self) -> None:
        room, rows = self.page.evaluate(SHOWN)
        for offset, text in rows:
            if offset and (words := words_of(text)):
                before = self._said.shown.get((room, offset), words[0])
                self._said.shown[room, offset] = words[0]
                if before != words[0]:
                    self.complain(f"{room} {offset} was {before}, is {words[0]}")

    def _note_console(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.complain(message.text)

    def _note_dialog(self, dialog: Dialog) -> None:
        if dialog.type == "beforeunload":
            dialog.dismiss()  # something is not sent yet: the page stays
        else:
            self.complain(f"a dialog: {dialog.message}")
            dialog.accept()

    def _count_connection(self) -> None:
        self._report.reconnects += 1


def _path(room: str) -> str:
    return "/" if room == "lobby" else f"/r/{quote(room)}"
