"""What the page costs who opens it: bytes as a browser gets them, and how soon there is something to see.

`python -m tests.e2e.cost` prints it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.e2e.conftest import chromium
from tests.server import running

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAINTS = """() => new Promise(resolve => {
    new PerformanceObserver(list => {
        const found = performance.getEntriesByType('paint').map(({name, startTime}) => [name, startTime]);
        if (list && found.length === 2) resolve(Object.fromEntries(found));
    }).observe({ type: 'paint', buffered: true });
})"""


@dataclass(slots=True)
class Load:
    """One load of the page, until it is quiet."""

    bytes: dict[str, int] = field(default_factory=dict)
    """By path, in the order asked for: what came over the wire, headers included. 0: the browser had it."""
    paints_ms: dict[str, float] = field(default_factory=dict)
    """`first-paint` and `first-contentful-paint`, since the address was entered."""

    @property
    def total(self) -> int:
        return sum(self.bytes.values())


def load(page: Page, url: str) -> Load:
    """Open the page, and measure that."""
    found = Load()
    paths: dict[str, str] = {}
    devtools = page.context.new_cdp_session(page)

    def note_request(event: dict[str, Any]) -> None:
        paths[event["requestId"]] = urlsplit(event["request"]["url"]).path
        found.bytes.setdefault(paths[event["requestId"]], 0)

    def note_end(event: dict[str, Any]) -> None:
        found.bytes[paths[event["requestId"]]] += int(event["encodedDataLength"])

    devtools.on("Network.requestWillBeSent", note_request)
    devtools.on("Network.loadingFinished", note_end)
    devtools.send("Network.enable")
    page.goto(url, wait_until="networkidle")
    found.paints_ms = page.evaluate(PAINTS)
    devtools.detach()
    return found


def main() -> None:
    """Load the page with an empty cache and with a full one, and print both."""
    with running() as server, chromium() as browser:
        page = browser.new_context().new_page()
        cold = load(page, server.url)
        print("bytes   path")
        for path, size in cold.bytes.items():
            print(f"{size:7,} {path}")
        print("\n             bytes  first paint  first contentful paint (ms)")
        for name, measured in (("cold", cold), ("warm", load(page, server.url))):
            first, contentful = measured.paints_ms["first-paint"], measured.paints_ms["first-contentful-paint"]
            print(f"{name:7} {measured.total:10,} {first:12.0f} {contentful:12.0f}")


if __name__ == "__main__":
    main()
