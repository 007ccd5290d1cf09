"""Search in a real server, through the SDK on PyPI: across rooms, after a change, after a restart."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from centrifuge import ReplyError

from tests.e2e.test_moderation import People
from tests.server import Server, database_url, running
from tests.tokens import SECRET

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.test_tokens import Session

MANY = 2_500
"""More than the index takes in at once, and not a multiple of it."""


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    return {
        "CHAT_TOKEN_SECRET": SECRET,
        "CHAT_RATE_LIMIT": "off",
        "CHAT_DATABASE_URL": database_url(tmp_path / "chat.db"),
    }


async def search(session: Session, query: str = "", **given: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await session.client.rpc("search", {"query": query, **given})).data
    return found


async def texts(session: Session, query: str = "", **given: Any) -> list[str]:
    return [one["data"]["text"] for one in (await search(session, query, **given))["results"]]


async def send(session: Session, number: int, text: str) -> int:
    message = {"channel": "lobby", "key": f"{number:06}", "text": text}
    offset: int = (await session.client.rpc("send", message)).data["offset"]
    return offset


def test_what_is_said_changed_and_taken_back_is_found_as_it_stands_before_and_after_a_restart(
    settings: dict[str, str],
) -> None:
    async def talk(server: Server) -> None:
        people = People(server)
        try:
            ann = await people.member("ann")
            for start in range(0, MANY, 100):
                await asyncio.gather(
                    *(send(ann, number, f"Nachricht {number}") for number in range(start, start + 100))
                )
            first = await send(ann, MANY, "Ein Äpfelchen im Garten")
            second = await send(ann, MANY + 1, "Noch ein Äpfelchen")
            await ann.client.rpc("edit", {"channel": "lobby", "target": 1, "text": "Zwei Äpfelchen"})
            assert await texts(ann, "apfelch") == ["Noch ein Äpfelchen", "Ein Äpfelchen im Garten", "Zwei Äpfelchen"]
            await ann.client.rpc("delete", {"channel": "lobby", "target": second})
            await look(ann, first)
            with pytest.raises(ReplyError) as refused:
                await search(ann)
            assert refused.value.code == 107
        finally:
            await people.close()

    async def look(ann: Session, first: int) -> None:
        assert await texts(ann, "äpfelchen") == ["Ein Äpfelchen im Garten", "Zwei Äpfelchen"]
        assert await texts(ann, '"im garten"', channel="lobby", user="ann") == ["Ein Äpfelchen im Garten"]
        (found,) = (await search(ann, "garten"))["results"]
        assert (found["channel"], found["offset"], found["info"]["user"]) == ("lobby", first, "ann")
        seen = 0
        before: dict[str, int] = {}
        while True:
            page = await search(ann, "nachricht", limit=50, **before)
            seen += len(page["results"])
            if "before" not in page:
                break
            before = {"before": page["before"]}
        assert seen == MANY - 1

    async def come_back(server: Server) -> None:
        people = People(server)
        try:
            await look(await people.connected("bob"), MANY + 1)
        finally:
            await people.close()

    with running(**settings) as server:
        asyncio.run(talk(server))
    with running(**settings) as server:
        asyncio.run(come_back(server))
