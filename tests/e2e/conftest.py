"""A real Chromium for the tests marked `browser`, and pages that do not see each other."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Error, Page

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")
SCREENSHOTS = Path(__file__).parents[2] / "build/screenshots"
ARGUMENTS = ("--disable-quic", "--no-first-run", "--disable-background-networking")

# Three times the default: a machine that is busy is no reason to fail.
expect.set_options(timeout=15_000)


class NewPage(Protocol):
    """Opens a page in a context of its own: another person, with other cookies and storage.

    `beside` a page it is another tab of the same browser. `faults` are the words of exceptions that the test provokes.
    """

    def __call__(self, *, faults: tuple[str, ...] = (), beside: Page | None = None, **context: Any) -> Page: ...


class Check(Protocol):
    """Fails if a page is not as it should be."""

    def __call__(self, page: Page) -> None: ...


class Screenshot(Protocol):
    """Keeps what a page looks like under a name."""

    def __call__(self, page: Page, name: str) -> None: ...


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put modules with browser tests last, and among each kind those first that have the most tests.

    From its start to its end, Playwright's synchronous API keeps an event loop running in the
    main thread, in which no other test could then run its own. `make test` hands out whole modules, in this
    order: nobody waits long for the process that has the last one.
    """
    sizes = Counter(item.path for item in items)
    items.sort(key=lambda item: (item.get_closest_marker("browser") is not None, -sizes[item.path]))


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Start the Chromium that `CHAT_TEST_CHROMIUM` names, else the first one on PATH."""
    executable = find_chromium()
    # Chromium's sandbox refuses to work for root, as whom containers run tests.
    arguments = [*ARGUMENTS, "--no-sandbox"] if os.geteuid() == 0 else [*ARGUMENTS]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start one Chromium for all tests."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def new_page(browser: Browser) -> Iterator[NewPage]:
    """Return a function that opens pages. They are closed after the test.

    An exception that no script of theirs caught, anything that the content security policy stopped,
    and a dialog fail the test: a page may look right and be broken. Asked whether to leave, it stays.
    """
    contexts: list[BrowserContext] = []
    found: list[str] = []

    def note_console(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            found.append(message.text)

    def note_dialog(dialog: Dialog) -> None:
        if dialog.type != "beforeunload":
            found.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    def open_page(*, faults: tuple[str, ...] = (), beside: Page | None = None, **context: Any) -> Page:
        def note_error(error: Error) -> None:
            if not any(words in str(error) for words in faults):
                found.append(str(error))

        if beside is None:
            contexts.append(browser.new_context(**context))
        page = (contexts[-1] if beside is None else beside.context).new_page()
        page.on("pageerror", note_error)
        page.on("console", note_console)
        page.on("dialog", note_dialog)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not found, "errors in the page:\n" + "\n".join(found)


@pytest.fixture
def check_accessible() -> Check:
    """Return a function that fails if axe finds something in a page to complain about.

    Axe knows the rules of WCAG 2.2 A and AA that a machine can check, and good practice beyond them.
    """
    axe = Axe()

    def check(page: Page) -> None:
        _settle(page)
        found = axe.run(page)
        assert found.violations_count == 0, found.generate_report()

    return check


@pytest.fixture
def screenshot() -> Screenshot:
    """Return a function that keeps what a page looks like as `build/screenshots/{name}.png`."""

    def take(page: Page, name: str) -> None:
        _settle(page)
        page.screenshot(path=SCREENSHOTS / f"{name}.png")

    return take


def _settle(page: Page) -> None:
    """Wait for what moves: halfway through a fade, colours are not what they will be."""
    page.evaluate("Promise.allSettled(document.getAnimations().map(animation => animation.finished)).then(() => {})")


def find_chromium() -> Path:
    """Return where Chromium is; skip the test if it is nowhere, fail it in CI."""
    named = os.environ.get("CHAT_TEST_CHROMIUM")
    if named is not None:
        if not Path(named).is_file():
            pytest.fail(f"CHAT_TEST_CHROMIUM names no file: {named}")
        return Path(named)
    for name in NAMES:
        found = shutil.which(name)
        if found is not None:
            return Path(found)
    reason = "no Chromium on PATH: install one, or name its binary in CHAT_TEST_CHROMIUM"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
