"""An hour of chat between five browsers over a bad network: `make hour`. In the end all pages show what the server has.

A real server with a database, a proxy that cuts, stalls and refuses connections, and a Chromium page for each of five
people, who send, edit, delete, answer, react, scroll and change rooms by what the page offers for it. Meanwhile rooms
crash, the server is killed and comes back, pages are reloaded, browsers go offline. Who does what is drawn from a seed;
what it meets depends on timing, so that a seed repeats the script and not the run.

The exit code is 1 if, once all are connected and nothing is under way, a page differs from the projection (rpc
`messages`), or that from the database; if a message is there twice, or is not where a page had shown it as sent; if a
number of unread messages is another than the server's; or if a page had an error, a dialog or a report of its policy.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import re
import socket
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from playwright.sync_api import Error as PageError
from playwright.sync_api import expect

from tests.e2e.conftest import chromium
from tests.e2e.flaky import Proxy
from tests.server import Member, Server, database_url

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from playwright.sync_api import Browser, ConsoleMessage, Dialog, Locator, Page

PEOPLE: Final = ("Ada", "Bob", "Cid", "Dee", "Eve")
ROOMS: Final = ("lobby", "tea", "coffee")
EMOJIS: Final = ("tada", "rocket", "heart", "eyes")
CHAOS: Final = ("handler", "start", "commit", "fanout")
PATIENCE_MS: Final = 1_500
"""How long a person tries one thing."""
SETTLE_S: Final = 30.0
FAULT_EVERY_S: Final = (2.0, 9.0)
CHECK_EVERY_S: Final = 60.0
MOST_SHOWN: Final = 20
"""Differences that are printed."""

ACTIONS: Final = {
    "send": 30, "multiline": 5, "mention": 4, "edit": 9, "delete": 4, "reply": 9, "react": 9, "toggle": 9,
    "up": 8, "latest": 6, "room": 12, "reload": 1,
}  # fmt: skip
FAULTS: Final = {"cut": 8, "stall": 3, "refuse": 3, "offline": 4, "crash": 8, "kill": 2}

READ: Final = """
async () => {
  const pause = () => new Promise((done) => setTimeout(done, 60));
  const box = document.querySelector('.timeline');
  const rows = {};
  const text = (node) => node ? node.textContent : '';
  const twice = [];
  const collect = () => {
    const here = new Set();
    let before = 0;
    for (const one of box.querySelectorAll('.message[data-offset]')) {
      if (!one.dataset.offset) continue;
      const offset = Number(one.dataset.offset);
      if (here.has(offset) || offset <= before) twice.push(offset);
      here.add(before = offset);
      rows[offset] = {
        text: text(one.querySelector('.markup')),
        edited: Boolean(one.querySelector('.text .edited')),
        deleted: Boolean(one.querySelector('p.text.deleted')),
        author: text(one.querySelector('.author, p.visually-hidden')),
        reactions: [...one.querySelectorAll('.reaction')].map((chip) => chip.getAttribute('aria-label')),
        quote: text(one.querySelector('.quote-text, p.quote')) || null,
      };
    }
  };
  document.querySelector('.jump')?.click();
  for (let tries = 0; tries < 100 && document.querySelector('.jump'); tries += 1) await pause();
  for (let still = 0, tries = 0; still < 60 && tries < 20000; tries += 1) {
    collect();
    const place = box.scrollTop;
    box.scrollTop -= box.clientHeight * 0.8;
    await pause();
    const atTop = box.scrollTop === 0 && /This is where|has been said/.test(text(box.querySelector('.notice')));
    if (atTop) { await pause(); await pause(); collect(); return { rows, twice, top: true }; }
    still = box.scrollTop === place ? still + 1 : 0;
  }
  return { rows, twice, top: false };
}
"""


@dataclass(slots=True)
class Report:
    """What happened, and what must not have."""

    seed: int
    actions: Counter[str] = field(default_factory=Counter)
    not_done: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    reconnects: int = 0
    messages: int = 0
    compared: int = 0
    heap_mib: float = 0.0
    differences: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Person:
    name: str
    page: Page
    room: str = ROOMS[0]
    user: str = ""
    is_offline: bool = False


class Hour:
    """The script, with all that it runs against."""

    def __init__(self, browser: Browser, folder: Path, seed: int) -> None:
        self._dice = random.Random(seed)
        self.report = Report(seed)
        self._file = folder / "chat.db"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port: int = probe.getsockname()[1]
        self._server: Server | None = self._start()
        self._proxy = Proxy(self._port)
        self._words = 0
        self._sent: dict[str, str] = {}
        """The words of messages that left a composer, and their rooms: each is in one message only."""
        self._shown: dict[tuple[str, int], str] = {}
        """The words of messages that a page showed as sent, by place."""
        self._ends: list[tuple[float, Callable[[], None]]] = []
        host = Member(self._server, "Host")
        for room in ROOMS:  # so that there is something to read, and by that one is in the room
            host.call(subscribe={"channel": room})
            host.rpc("send", channel=room, key="welcome", text="welcome")
        host.close()
        self._people = [self._join(browser, name) for name in PEOPLE]

    def close(self) -> None:
        self._proxy.close()
        if self._server is not None:
            self._server.close()

    def run(self, seconds: float) -> None:
        """Let them chat for so long, then wait until all is quiet, and compare."""
        end = time.monotonic() + seconds
        next_fault = time.monotonic() + self._dice.uniform(*FAULT_EVERY_S)
        next_check = time.monotonic() + CHECK_EVERY_S
        while time.monotonic() < end:
            self._end_faults()
            self._act(self._dice.choice(self._people))
            if time.monotonic() > next_fault:
                self._fault()
                next_fault = time.monotonic() + self._dice.uniform(*FAULT_EVERY_S)
            if time.monotonic() > next_check:
                self._look()
                next_check += CHECK_EVERY_S
            self._dice.choice(self._people).page.wait_for_timeout(self._dice.uniform(10, 150))
        self._end_faults(all_of_them=True)
        self._look()
        self._settle()
        _print("all is quiet")
        self._compare()

    # --- The people -------------------------------------------------------------------------------

    def _join(self, browser: Browser, name: str) -> Person:
        page = browser.new_context(viewport={"width": 1200, "height": 800}).new_page()
        page.set_default_timeout(PATIENCE_MS)

        def complain(what: str) -> None:
            self.report.differences.append(f"{name}'s page: {what}")

        def note_console(message: ConsoleMessage) -> None:
            if "Content Security Policy" in message.text:
                complain(message.text)

        def note_dialog(dialog: Dialog) -> None:
            if dialog.type != "beforeunload":
                complain(f"a dialog: {dialog.message}")
            dialog.accept()

        page.on("pageerror", lambda error: complain(f"an error: {error}"))
        page.on("console", note_console)
        page.on("dialog", note_dialog)
        page.on("websocket", lambda _socket: self._count_connection())
        page.goto(f"http://127.0.0.1:{self._proxy.port}/r/{ROOMS[0]}", timeout=30_000)
        page.get_by_label("Your name").fill(name)
        page.get_by_role("button", name="Join").click()
        expect(page.locator("[data-state=connected]")).to_be_attached(timeout=30_000)
        _print(f"{name} is in")
        person = Person(name, page)
        for room in (*ROOMS[1:], ROOMS[0]):
            page.goto(f"http://127.0.0.1:{self._proxy.port}/r/{room}", timeout=30_000)
            expect(page.locator("[data-state=connected]")).to_be_attached(timeout=30_000)
            expect(_timeline(page)).to_contain_text("welcome", timeout=30_000)
            expect(_link(page, room)).to_be_attached(timeout=30_000)
        return person

    def _count_connection(self) -> None:
        self.report.reconnects += 1

    def _act(self, person: Person) -> None:
        what = self._dice.choices(list(ACTIONS), list(ACTIONS.values()))[0]
        try:
            done = self._do(person, what)
        except (PageError, AssertionError):
            done = False  # what is wanted is gone, or does not come while there is no connection
            with contextlib.suppress(PageError):
                person.page.keyboard.press("Escape")
        (self.report.actions if done else self.report.not_done)[what] += 1
        self._note_shown(person)

    def _do(self, person: Person, what: str) -> bool:
        page, dice = person.page, self._dice
        match what:
            case "send":
                self._say(person, dice.choice(("{}", "**{}** bold", "`{}` code", "{} 🎉🚀", "_so_ {} ~~not~~")))
            case "multiline":
                self._say(person, "{}\nsecond line\n\n- a list\n- of two")
            case "mention":
                _composer(page).press_sequentially(f"@{dice.choice(PEOPLE).lower()[:2]}")
                page.get_by_role("option").first.click()
                self._say(person, _composer(page).input_value() + " {}")
            case "reply":
                self._tool(self._any(person), page, "Reply")
                self._say(person, "an answer {}")
            case "edit":
                self._tool(self._any(person, ".mine"), page, "Edit")
                text = _composer(page).input_value()
                _composer(page).fill(f"{text} v{dice.randrange(1000)}")
                _composer(page).press("Enter")
            case "delete":
                self._tool(self._any(person, ".mine"), page, "Delete")
                page.get_by_role("dialog").get_by_role("button", name="Delete").click()
            case "react":
                self._tool(self._any(person), page, "React")
                page.keyboard.type(dice.choice(EMOJIS))
                page.keyboard.press("Enter")
            case "toggle":
                chips = _timeline(page).locator(".reaction")
                if not (count := chips.count()):
                    return False
                chips.nth(count - 1 - dice.randrange(min(count, 10))).click()
            case "up":
                page.get_by_role("log", name="Messages").hover()
                page.mouse.wheel(0, -dice.uniform(300, 4000))
            case "latest":
                page.locator(".jump").click(timeout=300)
            case "room":
                self._go(person, dice.choice(ROOMS))
            case _:
                # What is on its way lives in the page: who reloads then has been told that it was not sent.
                expect(page.locator("[data-state=pending], [data-state=failed]")).to_have_count(0)
                page.reload(timeout=5_000)
        return True

    def _say(self, person: Person, text: str) -> None:
        self._words += 1
        word = f"w{self._words}x"
        if person.page.get_by_role("button", name="Cancel the edit").count():  # one that could not be saved
            _composer(person.page).press("Escape")
        _composer(person.page).fill(text.format(word))
        _composer(person.page).press("Enter")
        if _composer(person.page).input_value():  # a list of completions had the Enter
            _composer(person.page).press("Enter")
        if not _composer(person.page).input_value():
            self._sent[word] = person.room

    def _any(self, person: Person, which: str = "") -> Locator:
        found = _timeline(person.page).locator(f".message{which}[data-state=sent]:not(:has(p.deleted))")
        return found.nth(found.count() - 1 - self._dice.randrange(max(1, min(found.count(), 8))))

    def _tool(self, message: Locator, page: Page, name: str) -> None:
        # A message that is not the last one stays the same one, whatever is said meanwhile.
        offset = message.get_attribute("data-offset")
        message = _timeline(page).locator(f".message[data-offset='{offset}']")
        message.hover()
        toolbar = message.get_by_role("toolbar")
        if name == "Delete":
            toolbar.get_by_role("button", name="More").click()
            page.get_by_role("menuitem", name=name).click()
        else:
            toolbar.get_by_role("button", name=name).click()

    def _go(self, person: Person, room: str) -> None:
        page = person.page
        _link(page, room).click()
        expect(page).to_have_url(re.compile(rf"{_path(room)}(#m\d+)?$"), timeout=PATIENCE_MS)
        person.room = room

    def _note_shown(self, person: Person) -> None:
        with contextlib.suppress(PageError):
            rows: list[list[str]] = person.page.evaluate(
                "() => [...document.querySelectorAll('.message[data-state=sent]')].slice(-40)"
                ".map((one) => [one.dataset.offset, one.querySelector('.markup')?.textContent ?? ''])"
            )
            room = person.page.url.rpartition("/r/")[2].partition("?")[0].partition("#")[0] or ROOMS[0]
            for offset, text in rows:
                if offset and (word := re.search(r"\bw\d+x\b", text)):
                    before = self._shown.get((room, int(offset)), word[0])
                    self._shown[room, int(offset)] = word[0]
                    if before != word[0]:
                        self.report.differences.append(f"{person.name}: {room} {offset} was {before}, is {word[0]}")

    # --- What goes wrong --------------------------------------------------------------------------

    def _later(self, low: float, high: float, what: Callable[[], None]) -> None:
        self._ends.append((time.monotonic() + self._dice.uniform(low, high), what))

    def _end_faults(self, *, all_of_them: bool = False) -> None:
        due = [one for one in self._ends if all_of_them or one[0] <= time.monotonic()]
        self._ends = [one for one in self._ends if one not in due]
        for _, end in due:
            end()

    def _fault(self) -> None:
        what = self._dice.choices(list(FAULTS), list(FAULTS.values()))[0]
        match what:
            case "cut":
                self._proxy.cut()
            case "stall":
                self._proxy.stall(self._dice.uniform(0.5, 4))
            case "refuse":
                self._proxy.refuse(on=True)
                self._proxy.cut()
                self._later(0.5, 4, lambda: self._proxy.refuse(on=False))
            case "offline":
                person = self._dice.choice(self._people)
                person.page.context.set_offline(True)
                self._later(1, 8, lambda: person.page.context.set_offline(False))
            case "crash":
                if self._server is None:
                    return
                member = Member(self._server, "Chaos")
                room = self._dice.choice(ROOMS)
                member.call(subscribe={"channel": room})
                member.call(rpc={"method": "chaos", "data": {"channel": room, "kind": self._dice.choice(CHAOS)}})
                member.close()
            case _:
                if self._server is None:
                    return
                self._server.kill()
                self._server.close()
                self._server = None
                self._later(0.5, 3, self._restart)
        self.report.faults[what] += 1

    def _start(self) -> Server:
        options = ("--port", str(self._port))
        settings = {
            "CHAT_DATABASE_URL": database_url(self._file),
            "CHAT_CHAOS": "true",
            "CHAT_RATE_LIMIT": "off",
            "CHAT_CONNECTION_LIMITS": "off",
        }
        return Server("chat.main:app", *options, **settings)

    def _restart(self) -> None:
        self._server = self._start()

    def _look(self) -> None:
        for person in self._people:
            with contextlib.suppress(PageError):
                heap = person.page.evaluate("performance.memory?.usedJSHeapSize ?? 0") / 2**20
                self.report.heap_mib = max(self.report.heap_mib, heap)
        _print(f"{sum(self.report.actions.values())} actions, {sum(self.report.faults.values())} faults, "
               f"{self.report.heap_mib:.0f} MiB, {len(self.report.differences)} differences")  # fmt: skip

    # --- The end ----------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Wait until all are connected and nothing is under way; what was refused is tried again, a refusal let go."""
        for person in self._people:
            page = person.page
            with contextlib.suppress(PageError):
                page.keyboard.press("Escape")
            try:
                expect(page.locator("[data-state=connected]")).to_be_attached(timeout=SETTLE_S * 1000)
                for room in ROOMS:
                    self._go(person, room)
                    with contextlib.suppress(PageError):
                        page.locator(".jump").click(timeout=300)
                    end = time.monotonic() + SETTLE_S / 3
                    while (button := page.locator(".delivery button").first).count() and time.monotonic() < end:
                        button.click()
                        page.wait_for_timeout(300)
                        refused = page.locator(".delivery[role=alert]").get_by_role("button", name="Discard")
                        if refused.count():
                            refused.first.click()
                    expect(page.locator("[data-state=pending], [data-state=failed]")).to_have_count(0, timeout=30_000)
                self._go(person, ROOMS[PEOPLE.index(person.name) % len(ROOMS)])
            except (PageError, AssertionError) as error:
                self.report.differences.append(f"{person.name} does not come to rest: {error}"[:600])

    def _compare(self) -> None:
        assert self._server is not None
        reader = Member(self._server, "Reader")
        truth = {room: _projection(reader, room) for room in ROOMS}
        names = {user: name for rows in truth.values() for user, name in rows["users"].items()}
        self.report.messages = sum(len(rows["messages"]) for rows in truth.values())
        self._compare_sent()
        for room, rows in truth.items():
            self._compare_words(room, rows["messages"])
            self.report.differences += _compare_database(self._file, room, rows["messages"])
        for person in self._people:
            self._compare_unread(person)
        for person in self._people:
            for room, rows in truth.items():
                try:
                    self._go(person, room)
                    expect(person.page.locator(".message").first).to_be_attached(timeout=10_000)
                    found = person.page.evaluate(READ)
                except (PageError, AssertionError) as error:
                    self.report.differences.append(f"{person.name} cannot read {room}: {error}"[:600])
                    continue
                self._compare_page(person, room, rows["messages"], found, names)
        reader.close()

    def _compare_sent(self) -> None:
        """What left a composer is in the log once, whatever became of it later."""
        with contextlib.closing(sqlite3.connect(f"file:{self._file}?mode=ro", uri=True)) as database:
            said = Counter(
                word
                for (data,) in database.execute("select cast(data as text) from entry where post = 1")
                for word in re.findall(r"\bw\d+x\b", data)
            )
        for word, room in self._sent.items():
            if said[word] != 1:
                self.report.differences.append(f"{room}: {word} was sent, and is in the log {said[word]} times")

    def _compare_words(self, room: str, messages: dict[int, dict[str, Any]]) -> None:
        """Nothing is there twice, nothing is lost, and what was shown as sent is where it was shown."""
        words = {offset: _word(row) for offset, row in messages.items()}
        for word, count in Counter(word for word in words.values() if word).items():
            if count > 1:
                self.report.differences.append(f"{room}: {word} is there {count} times")
        for (where, offset), word in self._shown.items():
            if where == room and words.get(offset, "missing") not in (word, ""):
                self.report.differences.append(f"{room} {offset}: shown as {word}, is {words.get(offset, 'missing')}")

    def _compare_unread(self, person: Person) -> None:
        assert self._server is not None
        page = person.page
        guest = page.evaluate("sessionStorage.getItem('parley.guest')")
        member = Member(self._server, person.name, guest=guest)
        shown: dict[str, int] = {}
        kept: dict[str, int] = {}
        end = time.monotonic() + 10
        while time.monotonic() < end:
            kept = {place["channel"]: place["unread"] for place in member.rpc("mine")["rooms"]}
            shown = {}
            for room in ROOMS:
                badge = _link(page, room).locator(".badge")
                title = (badge.first.get_attribute("title") or "") if badge.count() else "0 new"
                shown[room] = int((re.search(r"(\d+) new", title) or [0, -1])[1])
            if all(kept.get(room, 0) == count for room, count in shown.items()):
                break
            page.wait_for_timeout(200)
        else:
            self.report.differences.append(f"{person.name}: unread {shown}, the server says {kept}")
        person.user = member.connected["data"]["user"]
        member.close()

    def _compare_page(
        self, person: Person, room: str, messages: dict[int, dict[str, Any]], found: Any, names: dict[str, str]
    ) -> None:
        where = f"{person.name} in {room}"
        complaints = [f"{offset} twice or out of order" for offset in found["twice"]]
        if not found["top"]:
            complaints.append("did not get to the beginning")
        shown = {int(offset): row for offset, row in found["rows"].items()}
        if missing := messages.keys() - shown.keys():
            complaints.append(f"does not show {sorted(missing)}")
        if more := shown.keys() - messages.keys():
            complaints.append(f"shows what is not there: {sorted(more)}")
        for offset in sorted(messages.keys() & shown.keys()):
            self.report.compared += 1
            wanted = _outline(messages, offset)
            got = {**shown[offset], "text": _plain(shown[offset]["text"])}
            for part in ("text", "edited", "deleted", "author", "quote"):
                one = _plain(got[part]) if part == "quote" and got[part] else got[part]
                if one != wanted[part]:
                    complaints.append(f"{offset}: {part} {one!r}, the server has {wanted[part]!r}")
            complaints += [f"{offset}: {what}" for what in _reactions(got["reactions"], wanted, names, person.user)]
        self.report.differences += [f"{where}: {complaint}" for complaint in complaints]


def _path(room: str) -> str:
    return "/" if room == "lobby" else f"/r/{quote(room)}"


def _link(page: Page, room: str) -> Locator:
    return page.locator(f"nav.rooms a[href='{_path(room)}']").first


def _composer(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message")


def _timeline(page: Page) -> Locator:
    return page.get_by_role("log", name="Messages")


def _plain(text: str) -> str:
    """Return a text without what markup takes away or puts in."""
    return re.sub(r"[\s*_`~-]|Copy$", "", text)


def _word(row: dict[str, Any]) -> str:
    found = re.search(r"\bw\d+x\b", (row["data"] or {}).get("text", ""))
    return found[0] if found else ""


def _projection(reader: Member, room: str) -> dict[str, Any]:
    messages: dict[int, dict[str, Any]] = {}
    users: dict[str, str] = {}
    before: dict[str, int] = {}
    while page := reader.rpc("messages", channel=room, limit=100, **before)["messages"]:
        for row in page:
            messages[row["offset"]] = row
            users[row["info"]["user"]] = (row["info"].get("conn_info") or {}).get("name", "")
        before = {"before": page[0]["offset"]}
    return {"messages": messages, "users": users}


def _compare_database(file: Path, room: str, messages: dict[int, dict[str, Any]]) -> list[str]:
    """Read the tables themselves: which messages there are, what they say, and who reacted."""
    differences = []
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        rows = database.execute(
            "select e.offset, e.data, r.data, coalesce(r.deleted_ms, 0), e.user from entry e"
            " join room on room.id = e.room_id left join revision r on r.room_id = e.room_id and r.target = e.offset"
            " where room.name = ? and e.post = 1 and e.offset > room.tail",
            [room],
        ).fetchall()
        put = database.execute(
            "select target, emoji, user from reaction join room on room.id = room_id where name = ?", [room]
        ).fetchall()
    if {row[0] for row in rows} != messages.keys():
        differences.append(f"{room}: the database has {sorted({row[0] for row in rows} ^ messages.keys())} differently")
    reactions = {(target, emoji, user) for target, emoji, user in put}
    wanted = {
        (offset, emoji, user)
        for offset, row in messages.items()
        for emoji, users in row.get("reactions", {}).items()
        for user in users
    }
    if reactions != wanted:
        differences.append(f"{room}: reactions in the database differ: {sorted(reactions ^ wanted)[:5]}")
    for offset, data, revised, deleted_ms, user in rows:
        row = messages.get(offset)
        if row is None:
            continue
        text = "" if deleted_ms else json.loads(revised or data).get("text")
        if text != (row["data"] or {}).get("text", "") or user != row["info"]["user"]:
            differences.append(f"{room} {offset}: the database has {text!r} of {user}, rpc messages {row}")
    return differences


def _outline(messages: dict[int, dict[str, Any]], offset: int) -> dict[str, Any]:
    row = messages[offset]
    data = row["data"] or {}
    quoted = None
    if "reply" in data:
        target = messages.get(data["reply"], {}).get("data")
        quoted = _plain(target["text"] if target else "Message deleted")
    return {
        "text": _plain(data.get("text", "")),
        "edited": bool(row["data"]) and "edited" in row,
        "deleted": row["data"] is None,
        "author": (row["info"].get("conn_info") or {}).get("name", ""),
        "quote": quoted,
        "reactions": row.get("reactions", {}),
    }


def _reactions(labels: list[str], wanted: dict[str, Any], names: dict[str, str], self: str) -> list[str]:
    """Compare what is read aloud: how many, oneself among them, and who else."""
    shown = {}
    for label in labels:
        found = re.fullmatch(r"(\S+) (\d+): (.*)", label)
        if found:
            shown[found[1]] = (int(found[2]), set(re.split(r", and |, | and ", found[3])))
    expected = {
        emoji: (len(users), {"You" if user == self else names.get(user, "?") for user in users})
        for emoji, users in wanted["reactions"].items()
    }
    return [] if shown == expected else [f"reactions {shown}, the server has {expected}"]


def run(seconds: float, seed: int, browser: Browser) -> Report:
    """Do all of it with a new server and five new pages."""
    with tempfile.TemporaryDirectory(prefix="parley-hour-") as folder:
        hour = Hour(browser, Path(folder), seed)
        try:
            hour.run(seconds)
        finally:
            hour.close()
    return hour.report


def _print(what: str) -> None:
    print(what, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line says, and print what came of it."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.e2e.hour", description="Five browsers chat over a bad network."
    )
    parser.add_argument("--seconds", type=float, default=3600, help="how long they chat, 10 to 14400 (default: 3600)")
    parser.add_argument("--seed", type=int, default=1, help="who does what is drawn from it (default: 1)")
    given = parser.parse_args(arguments)
    if not 10 <= given.seconds <= 14_400:
        parser.error("between 10 and 14400 seconds")
    with chromium() as browser:
        report = run(given.seconds, given.seed, browser)
    for name in ("actions", "not_done", "faults"):
        _print(f"{name.replace('_', ' ')}: {dict(getattr(report, name))}")
    _print("\n".join(report.differences[:MOST_SHOWN]))
    _print(json.dumps({
        "seed": report.seed, "seconds": given.seconds, "actions": report.actions.total(),
        "not_done": report.not_done.total(), "faults": report.faults.total(), "connections": report.reconnects,
        "messages": report.messages, "compared": report.compared, "heap_mib": round(report.heap_mib, 1),
        "differences": len(report.differences),
    }))  # fmt: skip
    return 1 if report.differences else 0


if __name__ == "__main__":
    sys.exit(main())
