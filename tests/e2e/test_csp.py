"""The content security policy, in a real browser. Every test with a page fails if it stops anything (conftest)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.server import running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.e2e.conftest import NewPage
    from tests.server import Server

pytestmark = pytest.mark.browser

COUNT = "window.stopped = []; addEventListener('securitypolicyviolation', e => stopped.push(e.effectiveDirective))"


def test_the_page_is_used_without_anything_that_the_policy_would_stop(server: Server, new_page: NewPage) -> None:
    page = new_page()
    page.add_init_script(COUNT)
    page.goto(server.url)
    page.get_by_role("textbox").first.fill("Ann")
    page.keyboard.press("Enter")
    box = page.get_by_role("textbox", name="Message")
    box.fill("**hello** <img src=x onerror=alert(1)> https://example.com `code`")
    box.press("Enter")
    page.get_by_text("hello", exact=True).wait_for()

    assert page.evaluate("stopped") == []


def test_what_would_be_stopped_is_stopped_and_counted(server: Server, browser: Browser) -> None:
    page = browser.new_page()
    page.add_init_script(COUNT)
    page.goto(server.url)
    page.evaluate(
        """async () => {
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.body.append(script);
            const image = document.createElement("div");
            image.innerHTML = "<img src=/static/none.png onerror='window.ran = true'>";
            document.body.append(image);
            await fetch("http://127.0.0.1:9/").catch(() => {});
            await new Promise(resolve => setTimeout(resolve, 100));
        }"""
    )

    assert page.evaluate("window.ran") is None
    assert {"script-src-elem", "connect-src"} <= set(page.evaluate("stopped"))
    page.close()


def opens(page: Page, server: Server) -> bool:
    """Tell whether a script of this page can connect to the server."""
    opened: bool = page.evaluate(
        """address => new Promise(resolve => {
            const socket = new WebSocket(`ws://${address}/connection/websocket`);
            socket.onopen = () => resolve(true);
            socket.onerror = () => resolve(false);
        })""",
        server.address,
    )
    return opened


def test_another_sites_page_cannot_connect(server: Server, browser: Browser) -> None:
    with running() as elsewhere:
        context = browser.new_context(bypass_csp=True)  # that site's own policy would keep it from trying
        page = context.new_page()
        page.goto(elsewhere.url)

        assert opens(page, elsewhere)
        assert not opens(page, server)
        context.close()
