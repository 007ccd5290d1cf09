"""What a long history costs the page: `make scroll` reads a room of 50,000 messages from its end to its start and back.

A real server, a real Chromium. In each frame the page scrolls on by 1,200 pixels, more than anybody does with a wheel,
or waits for what is not loaded yet. Printed for each way: the times between frames, and what was loaded at most; and
the tab's memory: JavaScript's after a collection (V8), and the renderer process's own (/proc: anonymous pages, which
leaves out the browser's code, some 90 MB that all its processes share), looked at ten times a second.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from playwright.sync_api import sync_playwright

from tests.e2e.conftest import ARGUMENTS, find_chromium
from tests.server import Member, Server, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, CDPSession, Page

IN_FLIGHT: Final = 200
ROOM: Final = "long"
LONGEST_S: Final = 600
"""A way that takes longer has failed."""

SCROLL: Final = """
async ([sign, last, longestMs]) => {
  const box = document.querySelector('.timeline');
  const frame = () => new Promise(requestAnimationFrame);
  const frames = [];
  let most = 0;
  let waited = 0;
  const start = performance.now();
  let before = await frame();
  while (performance.now() - start < longestMs) {
    const place = box.scrollTop;
    box.scrollTop += sign * 1200;
    const now = await frame();
    frames.push(now - before);
    before = now;
    if (box.scrollTop === place) waited += 1;
    most = Math.max(most, box.querySelectorAll('.message').length);
    const edge = sign < 0 ? box.scrollTop === 0 : box.scrollTop + box.clientHeight >= box.scrollHeight - 2;
    if (edge && box.querySelector(`[data-offset="${last}"]`)) break;
  }
  frames.sort((a, b) => a - b);
  const at = (share) => frames[Math.min(frames.length - 1, Math.floor(frames.length * share))];
  return {
    frames: frames.length, waited, most, p50: at(0.5), p95: at(0.95), p99: at(0.99), longest: frames.at(-1),
    seconds: (performance.now() - start) / 1000, arrived: Boolean(box.querySelector(`[data-offset="${last}"]`)),
  };
}
"""


def fill(server: Server, messages: int) -> None:
    """Say so much in the room, with some hundred sends in flight."""
    bob = Member(server, "Bob")
    bob.call(subscribe={"channel": ROOM})
    for first in range(1, messages + 1, IN_FLIGHT):
        sent = []
        for number in range(first, min(first + IN_FLIGHT, messages + 1)):
            text = f"message {number}, " + "of some more words " * (number % 5)
            data = {"channel": ROOM, "key": f"k{number:06}", "text": text}
            sent.append(bob.send(rpc={"method": "send", "data": data}))
        for each in sent:
            bob.reply(each)
        bob.pushes.clear()
    bob.close()


class Tab:
    """The page's memory, from outside."""

    def __init__(self, browser: Browser, page: Page) -> None:
        self._session: CDPSession = page.context.new_cdp_session(page)
        processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
        # The newest renderer is that of the page, which was opened last.
        renderer = max(each["id"] for each in processes if each["type"] == "renderer")
        self._status = Path(f"/proc/{renderer}/status")
        self._most = 0.0
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # the tab is closed
            while True:
                self._most = max(self._most, self._kilobytes("RssAnon"))
                time.sleep(0.1)

    def _kilobytes(self, name: str) -> int:
        (found,) = re.findall(rf"{name}:\s+(\d+)", self._status.read_text())
        return int(found)

    def memory(self) -> dict[str, float]:
        """Return MB: of JavaScript's heap after a collection, of the process, and the most ever resident."""
        self._session.send("HeapProfiler.collectGarbage")
        heap = self._session.send("Runtime.getHeapUsage")["usedSize"]
        own, resident = self._kilobytes("RssAnon"), self._kilobytes("VmHWM")
        return {"heap": heap / 1e6, "own": own / 1e3, "most": self._most / 1e3, "resident": resident / 1e3}


def show(title: str, way: dict[str, Any] | None, memory: dict[str, float]) -> None:
    """Print a line of the table."""
    frames = (
        ""
        if way is None
        else (
            f"{way['frames']:6} frames in {way['seconds']:5.0f} s, {way['waited']} of them waited; between frames p50 "
            f"{way['p50']:.0f} ms, p95 {way['p95']:.0f}, p99 {way['p99']:.0f}, longest {way['longest']:.0f}; "
            f"at most {way['most']} messages loaded; "
        )
    )
    heap = f"heap {memory['heap']:.1f} MB, tab {memory['own']:.0f} MB, at most {memory['most']:.0f}"
    heap += f" (with what it shares with other processes {memory['resident']:.0f})"
    print(f"{title:6} {frames}{heap}", flush=True)


def measure(messages: int) -> None:
    """Fill a room, open it, scroll to its start and back to its end."""
    with running(CHAT_RATE_LIMIT="off") as server, sync_playwright() as playwright:
        began = time.monotonic()
        fill(server, messages)
        print(f"{messages} messages said in {time.monotonic() - began:.0f} s", flush=True)
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=[*ARGUMENTS, "--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{server.url}/r/{ROOM}")
        page.get_by_label("Your name").fill("Ada")
        page.get_by_role("button", name="Join").click()
        page.locator(f"[data-offset='{messages}']").wait_for()
        tab = Tab(browser, page)
        show("opened", None, tab.memory())
        for title, sign, last in (("up", -1, 1), ("down", 1, messages)):
            way = page.evaluate(SCROLL, [sign, last, LONGEST_S * 1000])
            if not way["arrived"]:
                raise SystemExit(f"{title}: not at message {last} after {LONGEST_S} s")
            show(title, way, tab.memory())
        browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--messages", type=int, default=50_000)
    measure(parser.parse_args().messages)
