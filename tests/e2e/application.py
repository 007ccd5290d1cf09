"""The application that a chat is part of: it has users of its own, and gives the page their tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from playwright.sync_api import expect

from tests.server import Member
from tests.tokens import SECRET, token

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.server import Server

APPLICATION: Final = {"CHAT_TOKEN_SECRET": SECRET, "CHAT_TOKEN_URL": "/app/token"}
"""The settings of a server whose page fetches tokens of an application at the same address."""


def user(server: Server, name: str, role: str = "") -> Member:
    """Connect a user of the application, without the page."""
    return Member(server, token=_token_of(name, role))


def log_in(page: Page, server: Server, name: str, role: str, room: str) -> Page:
    """Be a user of the application, and open a room: nobody is asked for a name."""
    brought = _token_of(name, role)
    page.route("**/app/token", lambda route: route.fulfill(json={"token": brought}))
    page.goto(f"{server.url}/r/{room}")
    expect(page.locator("[data-state=connected]")).to_be_attached()
    return page


def _token_of(name: str, role: str) -> str:
    meta = {"meta": {"role": role}} if role else {}
    return token({"sub": name.lower(), "info": {"name": name}, **meta})
