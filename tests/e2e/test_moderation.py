"""Moderation of a real server, through the SDK on PyPI: several connections of a user, one of them just coming back."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from typing import TYPE_CHECKING, Any

import pytest
from centrifuge import CentrifugeError, ReplyError

from tests.e2e.test_tokens import Session
from tests.server import Server, database_url, running
from tests.tokens import SECRET, token

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

AT_ONCE_S = 1.0


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """Return the settings of a server that knows the application's secret, and whose rooms can be made to crash."""
    return {"CHAT_TOKEN_SECRET": SECRET, "CHAT_CHAOS": "on", "CHAT_DATABASE_URL": database_url(tmp_path / "chat.db")}


@pytest.fixture
def server(settings: dict[str, str]) -> Iterator[Server]:
    """Run it."""
    with running(**settings) as server:
        yield server


class People:
    """SDK clients of a server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._all: list[Session] = []

    def new(self, sub: str, role: str = "member") -> Session:
        session = Session(self.server, token=token(sub=sub, info={"name": sub}, meta={"role": role}))
        self._all.append(session)
        return session

    async def connected(self, sub: str, role: str = "member") -> Session:
        session = self.new(sub, role)
        await session.client.connect()
        await session.next("connected")
        return session

    async def member(self, sub: str, role: str = "member") -> Session:
        session = await self.connected(sub, role)
        session.lobby = session.client.new_subscription("lobby", session.handler)
        await session.lobby.subscribe()
        await session.next("subscribed")
        return session

    async def close(self) -> None:
        for session in self._all:
            await session.client.disconnect()
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others, timeout=10)
        gc.collect()


def among(server: Server, talk: Callable[[People], Awaitable[None]]) -> None:
    async def main() -> None:
        people = People(server)
        try:
            await talk(people)
        finally:
            await people.close()

    asyncio.run(main())


async def refusal(doing: Awaitable[Any]) -> int:
    with pytest.raises(ReplyError) as refused:
        await doing
    return int(refused.value.code)


def spam(channel: str = "", **more: Any) -> dict[str, Any]:
    return {"user": "eve", "reason": "spam", **({"channel": channel} if channel else {}), **more}


def test_a_ban_from_a_room_reaches_all_connections_at_once_and_one_that_is_resuming(server: Server) -> None:
    async def talk(people: People) -> None:
        mo, one, other = await people.member("mo", "moderator"), await people.member("eve"), await people.member("eve")
        await one.lobby.publish("hello")
        # The other one loses its connection, and is on its way back when the ban comes.
        await other.client._conn.close()  # noqa: SLF001  (the SDK cannot lose its connection on demand)
        await other.next("connecting")

        began = time.monotonic()
        await mo.client.rpc("ban", spam("lobby"))
        ends = [await one.next("unsubscribed"), await other.next("unsubscribed")]

        assert time.monotonic() - began <= AT_ONCE_S
        assert ends[0].code == 2102
        assert ends[1].code in {103, 2102}
        for eve in (one, other):
            for method, data in (("send", {"key": "k", "text": "hello"}), ("messages", {})):
                assert await refusal(eve.client.rpc(method, {"channel": "lobby", **data})) == 103
            assert await refusal(eve.client.history("lobby", limit=1)) == 103
            await eve.lobby.subscribe()
            assert (await eve.next("unsubscribed")).code == 103

    among(server, talk)


def test_a_ban_from_everywhere_closes_all_sockets_within_a_second_and_holds_after_a_kill(
    server: Server, settings: dict[str, str]
) -> None:
    async def ban(people: People) -> None:
        mo, one, other = (
            await people.member("mo", "moderator"),
            await people.member("eve"),
            await people.connected("eve"),
        )
        coming = people.new("eve")
        connecting = asyncio.create_task(coming.client.connect())

        began = time.monotonic()
        await mo.client.rpc("ban", spam())
        ends = [await eve.next("disconnected") for eve in (one, other, coming)]

        assert time.monotonic() - began <= AT_ONCE_S
        assert [(end.code, end.reason) for end in ends] == [(4500, "banned")] * 3
        with contextlib.suppress(CentrifugeError):
            await connecting

    async def come_back(people: People) -> None:
        eve = people.new("eve")
        with contextlib.suppress(CentrifugeError):
            await eve.client.connect()
        assert (await eve.next("disconnected")).code == 4500
        mo = await people.connected("mo", "moderator")
        found = (await mo.client.rpc("audit", {})).data["audit"]
        assert [(ruling["action"], ruling["user"], ruling["by"]) for ruling in found] == [("ban", "eve", "mo")]
        await mo.client.rpc("unban", spam())
        await people.connected("eve")

    among(server, ban)
    server.kill()
    with running(**settings) as again:
        among(again, come_back)


def test_a_socket_that_nobody_reads_from_is_closed_within_a_second_too(server: Server) -> None:
    async def talk(people: People) -> None:
        mo = await people.connected("mo", "moderator")
        reader, writer = await asyncio.open_connection(*server.address.split(":"))
        writer.write(
            b"GET /connection/websocket HTTP/1.1\r\nHost: chat\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        await reader.readuntil(b"\r\n\r\n")
        connect = b'{"id":1,"connect":{"token":"%s"}}' % token(sub="eve").encode()
        writer.write(b"\x81\xfe" + len(connect).to_bytes(2, "big") + bytes(4) + connect)
        await reader.readuntil(b'"epoch":""}}}}')  # of the personal channel

        began = time.monotonic()
        await mo.client.rpc("ban", spam())
        async with asyncio.timeout(AT_ONCE_S):
            heard = await reader.read(1024)
            with pytest.raises(ConnectionResetError):  # it says nothing to the close frame
                await reader.read(1024)
        writer.close()

        assert time.monotonic() - began <= AT_ONCE_S
        assert b"banned" in heard

    among(server, talk)


@pytest.mark.parametrize("kind", ["handler", "start", "fanout"])
def test_bans_and_mutes_hold_after_the_room_has_crashed(server: Server, kind: str) -> None:
    async def talk(people: People) -> None:
        mo, eve, bob = await people.member("mo", "admin"), await people.member("eve"), await people.member("bob")
        await mo.client.rpc("ban", spam("lobby"))
        assert (await eve.next("unsubscribed")).code == 2102
        until = round(time.time() * 1000) + 60_000
        await mo.client.rpc("mute", {"channel": "lobby", "user": "bob", "until": until})

        await mo.client.rpc("chaos", {"channel": "lobby", "kind": kind})
        await mo.lobby.publish("we go on")

        assert (await bob.next("publication")).data == "we go on"
        assert await refusal(bob.client.rpc("send", {"channel": "lobby", "key": "k", "text": "hello"})) == 403
        assert await refusal(eve.client.rpc("messages", {"channel": "lobby"})) == 103
        await eve.lobby.subscribe()
        assert (await eve.next("unsubscribed")).code == 103

    among(server, talk)


def test_the_log_has_what_moderators_did_and_not_why(server: Server) -> None:
    async def talk(people: People) -> None:
        mo = await people.member("mo", "moderator")
        await mo.client.rpc("kick", {"channel": "lobby", "user": "eve", "reason": "canary"})
        for user, reason in (("eve\r\nforged", "why"), ("eve", "why\r\nforged")):
            assert await refusal(mo.client.rpc("kick", {"channel": "lobby", "user": user, "reason": reason})) == 107

    among(server, talk)
    event = server.wait_for_log(lambda event: event.get("event") == "moderation.kick")

    assert {event[key] for key in ("room", "user", "by", "role")} == {"lobby", "eve", "mo", "moderator"}
    assert not any("canary" in line or "forged" in line for line in server.lines)
