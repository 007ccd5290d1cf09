"""The end of a scenario: what the log holds, and what that comes to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from loadtests._frames import Page, decode_page, name_of
from loadtests._history import Logged, LogRead
from loadtests._view import View
from tests.checker.client import author, read

if TYPE_CHECKING:
    from loadtests._history import Event
    from tests.checker.client import Client

PAGE = 20


class Ask(Protocol):
    """How the server is asked."""

    def __call__(self, **command: Any) -> dict[str, Any]:
        """Return the reply to a command; nothing if there is none."""


def read_log(client: Client, room: str, history: list[Event], ask: Ask) -> None:
    """Record what the log holds by the server's account, what that comes to, and what the server says it comes to."""
    view, head = View(0), 1
    since: dict[str, Any] = {"offset": 0, "epoch": ""}
    while view.offset < head:
        log = ask(history={"channel": room, "limit": -1, "since": since}).get("history")
        if not log or not log["publications"]:
            break
        for item in log["publications"]:
            entry = read(item)
            history.append(Logged(client.name, room, f"{author(item)} {name_of(entry.data, '')}", entry.offset))
            view.apply(entry)
        head, since["offset"] = log["offset"], log["publications"][-1]["offset"]
    history.append(LogRead(client.name, room))
    client.record(room, view)
    client.record(room, _messages(room, ask), fetched=True)


def _messages(room: str, ask: Ask) -> View:
    whole = Page([], 0, "")
    while True:
        after = whole.messages[-1].offset if whole.messages else 0
        reply = ask(rpc={"method": "messages", "data": {"channel": room, "after": after, "limit": PAGE}})
        page = decode_page(json.dumps(reply["rpc"]["data"])) if "rpc" in reply else Page([], 0, "")
        whole = Page(whole.messages + page.messages, page.offset, page.epoch)
        if not page.messages:
            return View.of(whole, 0)
