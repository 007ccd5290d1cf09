"""A real Chromium for the tests marked `browser`, and pages that do not see each other."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")
ARGUMENTS = ("--disable-quic", "--no-first-run", "--disable-background-networking")


class NewPage(Protocol):
    """Opens a page in a context of its own: another person, with other cookies and storage."""

    def __call__(self, **context: Any) -> Page: ...


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put browser tests last.

    From its start to its end, Playwright's synchronous API keeps an event loop running in the
    main thread, in which no other test could then run its own.
    """
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start the Chromium that `CHAT_TEST_CHROMIUM` names, else the first one on PATH."""
    executable = _find_chromium()
    # Chromium's sandbox refuses to work for root, as whom containers run tests.
    arguments = [*ARGUMENTS, "--no-sandbox"] if os.geteuid() == 0 else [*ARGUMENTS]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def new_page(browser: Browser) -> Iterator[NewPage]:
    """Return a function that opens pages. They are closed after the test.

    An exception that no script of theirs caught, anything that the content security policy stopped,
    and a dialog fail the test: a page may look right and be broken.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def note_console(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            faults.append(message.text)

    def note_dialog(dialog: Dialog) -> None:
        faults.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    def open_page(**context: Any) -> Page:
        contexts.append(browser.new_context(**context))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", note_console)
        page.on("dialog", note_dialog)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not faults, "errors in the page:\n" + "\n".join(faults)


def _find_chromium() -> Path:
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
