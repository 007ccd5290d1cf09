"""Reads a whole room as its page shows it, from the end to the beginning."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from playwright.sync_api import Page

PATIENCE_S: Final = 30.0
"""How long a page may show nothing new while it stands at its top, or takes to get to its end."""

ROWS: Final = """
() => {
  const text = (node) => node ? node.textContent : '';
  return [...document.querySelectorAll('.timeline .message[data-offset]')]
    .filter((one) => one.dataset.offset)
    .map((one) => ({
      offset: Number(one.dataset.offset),
      text: text(one.querySelector('.markup')),
      edited: Boolean(one.querySelector('.text .edited')),
      deleted: Boolean(one.querySelector('p.text.deleted')),
      author: text(one.querySelector('.author, p.visually-hidden')),
      reactions: [...one.querySelectorAll('.reaction')].map((chip) => chip.getAttribute('aria-label')),
      quote: text(one.querySelector('.quote-text, p.quote')) || null,
    }));
}
"""

SCROLL_UP: Final = """
() => {
  const box = document.querySelector('.timeline');
  const before = box.scrollTop;
  box.scrollTop -= box.clientHeight * 0.8;
  return [before, box.querySelector('.notice')?.textContent ?? ''];
}
"""


@dataclass(slots=True)
class Reading:
    """`rows` by offset, each as it was last seen."""

    rows: dict[int, dict[str, Any]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read(page: Page) -> Reading:
    """Scroll from the newest message to the first, and note each one."""
    reading = Reading()
    jump = page.locator(".jump")
    if jump.count():
        jump.click()
        jump.wait_for(state="detached", timeout=PATIENCE_S * 1000)
    end = time.monotonic() + PATIENCE_S
    place = -1.0
    while True:
        if _collect(page, reading):
            end = time.monotonic() + PATIENCE_S
        before = place
        place, notice = page.evaluate(SCROLL_UP)
        if place == 0 and before == 0 and _is_beginning(notice):
            break
        if time.monotonic() > end:
            reading.problems.append(f"did not get to the beginning: {place:.0f} px below it, {notice!r}")
            break
        if (retry := page.locator(".notice").get_by_role("button", name="Try again")).count():
            retry.first.click()
        page.wait_for_timeout(60)
    page.wait_for_timeout(200)  # a quote that came into sight is read
    _collect(page, reading)
    return reading


def _collect(page: Page, reading: Reading) -> bool:
    """Note what is loaded; return whether there is something new."""
    count = len(reading.rows)
    before = 0
    for row in page.evaluate(ROWS):
        offset = row.pop("offset")
        if offset <= before:
            reading.problems.append(f"{offset} twice or out of order")
        reading.rows[offset] = row
        before = offset
    return len(reading.rows) > count


def _is_beginning(notice: str) -> bool:
    return notice.startswith(("This is where", "Nothing has been said", "There are no older"))
