"""A server with a rooms file: SDK clients of different roles in rooms of different classes."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from centrifuge import Client, ReplyError, SubscriptionEventHandler

from tests.server import database_url, running
from tests.tokens import SECRET, token

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from tests.server import Server

ROOMS = """
[[room]]
pattern = "news-*"
send = "moderator"
presence = false
max_text_chars = 20

[[room]]
pattern = "team-*"
join = "member"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    file = tmp_path_factory.mktemp("rooms") / "rooms.toml"
    file.write_text(ROOMS)
    with running(CHAT_TOKEN_SECRET=SECRET, CHAT_ROOMS_FILE=str(file)) as server:
        yield server


class Sdk:
    """A client with a role, or a guest, that notes what it is told in a channel."""

    def __init__(self, server: Server, role: str = "") -> None:
        seen = self.seen = asyncio.Queue[tuple[str, Any]]()

        class Events(SubscriptionEventHandler):  # type: ignore[misc]  # (the SDK has no types)
            async def on_subscribed(self, ctx: Any) -> None:
                seen.put_nowait(("subscribed", ctx))

            async def on_unsubscribed(self, ctx: Any) -> None:
                seen.put_nowait(("unsubscribed", ctx))

            async def on_publication(self, ctx: Any) -> None:
                seen.put_nowait(("publication", ctx.pub.data))

            async def on_join(self, ctx: Any) -> None:
                seen.put_nowait(("join", ctx))

        self._events = Events
        brought = {"token": token({"sub": role, "meta": {"role": role}})} if role else {}
        self.client = Client(f"ws://{server.address}/connection/websocket", **brought)

    async def subscribe(self, channel: str) -> tuple[str, Any]:
        """Subscribe, and return what comes of it."""
        await self.client.new_subscription(channel, self._events()).subscribe()
        return await self.next()

    async def next(self) -> tuple[str, Any]:
        """Return what it is told next."""
        return await asyncio.wait_for(self.seen.get(), 10)


def with_sdk(server: Server, talk: Callable[[Sdk, Sdk, Sdk], Awaitable[None]]) -> None:
    """Talk as a moderator, a member and a guest."""

    async def main() -> None:
        everybody = [Sdk(server, "moderator"), Sdk(server, "member"), Sdk(server)]
        try:
            for sdk in everybody:
                await sdk.client.connect()
                await sdk.client.ready(10)
            await talk(*everybody)
        finally:
            for sdk in everybody:
                await sdk.client.disconnect()
            while others := asyncio.all_tasks() - {asyncio.current_task()}:
                await asyncio.wait(others, timeout=10)
            gc.collect()

    asyncio.run(main())


async def code_of(call: Awaitable[Any]) -> int | None:
    try:
        await call
    except ReplyError as error:
        code: int = error.code
        return code
    return None


def test_moderators_announce_and_everybody_reads(server: Server) -> None:
    async def talk(moderator: Sdk, member: Sdk, guest: Sdk) -> None:
        kinds = [(await sdk.subscribe("news-uk"))[0] for sdk in (moderator, member, guest)]
        message = {"channel": "news-uk", "key": "k", "text": "Snow"}

        codes = [await code_of(sdk.client.rpc("send", message)) for sdk in (guest, member, moderator)]
        too_long = await code_of(moderator.client.rpc("send", message | {"key": "l", "text": "Snow" * 6}))
        heard = [await sdk.next() for sdk in (moderator, member, guest)]

        assert kinds == ["subscribed"] * 3
        assert (codes, too_long) == ([103, 103, None], 107)
        assert [(kind, data["text"]) for kind, data in heard] == [("publication", "Snow")] * 3
        assert await code_of(member.client.presence("news-uk")) == 108

    with_sdk(server, talk)


def test_to_guests_a_room_for_members_is_not_there(server: Server) -> None:
    async def talk(_: Sdk, member: Sdk, guest: Sdk) -> None:
        inside, (refused, why) = await member.subscribe("team-a"), await guest.subscribe("team-a")
        rooms = [(await sdk.client.rpc("rooms", {})).data["rooms"] for sdk in (member, guest)]
        names = [{room["channel"] for room in found} for found in rooms]

        assert inside[0] == "subscribed"
        assert (refused, why.code) == ("unsubscribed", 103)
        assert [await code_of(guest.client.history(name, limit=1)) for name in ("team-a", "team-b")] == [103, 103]
        assert ["team-a" in found for found in names] == [True, False]

    with_sdk(server, talk)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[[room]]\npattern = "a"\nsned = "member"', ": [[room]] 1: 'sned' is no key; did you mean 'send'?"),
        (None, " cannot be read: No such file or directory"),
    ],
)
def test_a_rooms_file_that_is_no_good_stops_the_start_with_one_line(
    tmp_path: Path, text: str | None, line: str
) -> None:
    file = tmp_path / "rooms.toml"
    if text is not None:
        file.write_text(text)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CHAT_")}
    own = {"CHAT_ROOMS_FILE": str(file), "CHAT_DATABASE_URL": database_url(tmp_path / "chat.db")}

    ended = subprocess.run(
        [sys.executable, "-m", "uvicorn", "chat.main:app", "--port", "0"],
        env=environment | own,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert ended.returncode != 0
    assert ended.stderr == f"parley: CHAT_ROOMS_FILE: {file}{line}\n"
