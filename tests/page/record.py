"""Records what a real server sends to a member of a room: `python -m tests.page.record` writes session.json anew.

Two people say, edit, delete and react; a third one listens, and reads a page before, in between and at the end.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from tests.server import Member, running

ROOM: Final = "recorded"
TO: Final = Path(__file__).with_name("session.json")


def record() -> dict[str, Any]:
    with running() as server:
        ada, bob, cleo = (Member(server, name) for name in ("Ada", "Bob", "Cleo"))
        for member in (ada, bob):
            member.call(subscribe={"channel": ROOM})

        def say(member: Member, text: str) -> int:
            return int(member.rpc("send", channel=ROOM, key=text, text=text)["offset"])

        before = [say(ada, f"before {number}") for number in range(3)]
        subscribed = cleo.call(subscribe={"channel": ROOM})["subscribe"]
        pages = [cleo.rpc("messages", channel=ROOM)]
        first, second = say(bob, "frist"), say(ada, "a mistake")
        bob.rpc("edit", channel=ROOM, target=first, text="first")
        ada.rpc("delete", channel=ROOM, target=second)
        for member, on in ((ada, True), (bob, True), (ada, False), (ada, True)):
            member.rpc("react", channel=ROOM, target=before[0], emoji="🎉", on=on)
        pages.append(cleo.rpc("messages", channel=ROOM))
        bob.rpc("edit", channel=ROOM, target=first, text="**first**")
        bob.call(publish={"channel": ROOM, "data": {"type": "poll", "text": "tea?"}})
        last = say(ada, "the last word")
        pages.append(cleo.rpc("messages", channel=ROOM))
        publications: list[dict[str, Any]] = []
        while not publications or publications[-1]["offset"] < last:
            publications.append(cleo.publication())
        for member in (ada, bob, cleo):
            member.close()
        return {"subscribed": subscribed, "pages": pages, "publications": publications}


if __name__ == "__main__":
    TO.write_text(json.dumps(record(), ensure_ascii=False, indent=1) + "\n")
