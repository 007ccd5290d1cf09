"""What users keep of rooms, with the SDK on PyPI: a user with two connections, somebody else, and a restart between."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Any

import pytest
from centrifuge import Client, ClientEventHandler

from tests.server import Server, database_url, running
from tests.tokens import SECRET, token

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

DIRECT = "dm#ada,bob"
ends = pytest.mark.parametrize("end", [Server.kill, Server.close], ids=["killed", "stopped"])


class User(ClientEventHandler):  # type: ignore[misc]  # (the SDK has no types)
    """A connection of a user, with what the server told it in its personal channel."""

    def __init__(self, server: Server, user: str, **claims: Any) -> None:
        self._notices: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._channel = f"user#{user}"
        self.client = Client(
            f"ws://{server.address}/connection/websocket",
            self,
            token=token({"sub": user, "info": {"name": user.title()}, **claims}),
        )

    async def on_publication(self, ctx: Any) -> None:
        if ctx.channel == self._channel:
            assert (ctx.pub.offset, ctx.pub.info) == (0, None)
            self._notices.put_nowait(ctx.pub.data)

    async def notice(self) -> dict[str, Any]:
        """Wait for the next notice."""
        async with asyncio.timeout(10):
            return await self._notices.get()

    async def call(self, method: str, **data: Any) -> Any:
        return (await self.client.rpc(method, data)).data

    async def mine(self) -> dict[str, Any]:
        return {room["channel"]: room for room in (await self.call("mine"))["rooms"]}


def session(server: Server, act: Callable[[User, User, User], Awaitable[None]]) -> None:
    """Have Ada act, on a desk and on a phone, and Bob, who is in the lobby and may write to Ada alone."""

    async def main() -> None:
        users = User(server, "ada"), User(server, "ada"), User(server, "bob", channels=["lobby", DIRECT])
        for user in users:
            await user.client.connect()
            await user.client.ready(10)
        try:
            await act(*users)
        finally:
            for user in users:
                await user.client.disconnect()
            # The SDK does not wait for its sockets to close. Tasks of its own see to it.
            while others := asyncio.all_tasks() - {asyncio.current_task()}:
                await asyncio.wait(others, timeout=10)
            gc.collect()

    asyncio.run(main())


@ends
def test_what_one_has_read_and_been_told_outlives_the_server(tmp_path: Path, end: Callable[[Server], None]) -> None:
    settings = {"CHAT_DATABASE_URL": database_url(tmp_path / "chat.db"), "CHAT_TOKEN_SECRET": SECRET}

    async def before(desk: User, phone: User, bob: User) -> None:
        named = {"key": "2", "text": "@Ada: look", "mentions": {"ada": "Ada"}, "reply": 1}
        await bob.call("send", channel="lobby", key="1", text="hello")
        await bob.call("send", channel="lobby", **named)
        told = [await desk.notice(), await phone.notice()]
        await bob.call("send", channel=DIRECT, key="3", text="psst")
        direct = [await desk.notice(), await phone.notice()]
        read = await phone.call("read", channel="lobby", offset=1)
        seen = await desk.notice()
        await phone.call("notify", channel="lobby", on=False)
        await bob.call("read", channel="lobby", offset=2)

        mention = {"type": "mention", "channel": "lobby", "offset": 2, "text": "@Ada: look"}
        sayer = {"from": {"user": "bob", "name": "Bob"}}
        assert [notice | {"time": 0} for notice in told] == [mention | sayer | {"time": 0}] * 2
        assert [(notice["type"], notice["text"]) for notice in direct] == [("direct", "psst")] * 2
        assert read == {"offset": 1}
        assert seen == {"type": "read", "channel": "lobby", "offset": 1}

    async def after(desk: User, phone: User, bob: User) -> None:
        rooms = await desk.mine()
        page = await desk.call("messages", channel="lobby")
        await desk.call("leave", channel=DIRECT)
        left = await phone.notice()

        lobby, direct = rooms["lobby"], rooms[DIRECT]
        assert (lobby["read"], lobby["head"], lobby["unread"], lobby["mentions"]) == (1, 2, 1, 1)
        assert (lobby["notify"], lobby["epoch"]) == (False, page["epoch"])
        assert (direct["read"], direct["head"], direct["unread"], direct["mentions"]) == (0, 1, 1, 1)
        assert direct["members"] == [{"user": "ada", "name": "Ada"}, {"user": "bob", "name": "Bob"}]
        assert page["messages"][1]["data"]["mentions"] == {"ada": "Ada"}
        assert page["messages"][1]["data"]["reply"] == 1
        assert left == {"type": "left", "channel": DIRECT}
        assert (await desk.mine()).keys() == {"lobby"}
        assert (await bob.mine())["lobby"]["unread"] == 0

    with running(**settings) as server:
        session(server, before)
        end(server)
    with running(**settings) as server:
        session(server, after)
