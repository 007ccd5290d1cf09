"""Users of an embedding application: the SDK on PyPI with tokens; and what the log must not say."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from centrifuge import Client, ClientEventHandler, SubscriptionEventHandler
from websockets.exceptions import ConnectionClosed

from tests.server import Member, running
from tests.tokens import SECRET, token

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from tests.server import Server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Run a server that knows the application's secret and is not patient."""
    with running(CHAT_TOKEN_SECRET=SECRET, CHAT_LOG_LEVEL="debug", CHAT_TOKEN_GRACE_S="0.5") as server:  # noqa: S106
        yield server


def now() -> float:
    return time.time()


class Session:
    """An SDK client that notes what happens to it."""

    def __init__(self, server: Server, **options: Any) -> None:
        self.seen: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        note = self.seen.put_nowait

        class Connection(ClientEventHandler):  # type: ignore[misc]  # (the SDK has no types)
            async def on_connected(self, ctx: Any) -> None:
                note(("connected", ctx))

            async def on_connecting(self, ctx: Any) -> None:
                note(("connecting", ctx))

            async def on_disconnected(self, ctx: Any) -> None:
                note(("disconnected", ctx))

        class Subscription(SubscriptionEventHandler):  # type: ignore[misc]
            async def on_subscribed(self, ctx: Any) -> None:
                note(("subscribed", ctx))

            async def on_subscribing(self, ctx: Any) -> None:
                note(("subscribing", ctx))

            async def on_unsubscribed(self, ctx: Any) -> None:
                note(("unsubscribed", ctx))

            async def on_publication(self, ctx: Any) -> None:
                note(("publication", ctx.pub))

        url = f"ws://{server.address}/connection/websocket"
        self.client = Client(url, events=Connection(), min_reconnect_delay=0.05, **options)
        self.handler = Subscription()
        self.lobby: Any = None

    async def next(self, kind: str) -> Any:
        """Wait for the next event of a kind, passing over others."""
        async with asyncio.timeout(10):
            while True:
                found, event = await self.seen.get()
                if found == kind:
                    return event


def with_sdk(server: Server, talk: Callable[[Session], Awaitable[None]], **options: Any) -> None:
    async def main() -> None:
        session = Session(server, **options)
        try:
            await session.client.connect()
            await talk(session)
        finally:
            await session.client.disconnect()
            while others := asyncio.all_tasks() - {asyncio.current_task()}:
                await asyncio.wait(others, timeout=10)
            gc.collect()

    asyncio.run(main())


def test_it_connects_as_the_user_of_its_token(server: Server) -> None:
    async def talk(ada: Session) -> None:
        connected = await ada.next("connected")
        lobby = ada.client.new_subscription("lobby", ada.handler)
        await lobby.subscribe()
        await lobby.ready(10)
        await lobby.publish("hello")

        assert connected.data == {"user": "ada", "name": "Ada"}
        assert (await ada.next("publication")).info.conn_info == {"name": "Ada"}

    with_sdk(server, talk, token=token(sub="ada", info={"name": "Ada"}, exp=now() + 60))


def test_a_forged_token_ends_it_for_good(server: Server) -> None:
    async def talk(eve: Session) -> None:
        assert (await eve.next("disconnected")).code == 3500

    with_sdk(server, talk, token=token(sub="ada", secret="x" * 32))


def test_it_gets_a_new_token_when_the_one_it_has_is_over(server: Server) -> None:
    async def get_token() -> str:
        return token(sub="ada", exp=now() + 60)

    async def talk(ada: Session) -> None:
        assert (await ada.next("connected")).data["user"] == "ada"

    with_sdk(server, talk, token=token(sub="ada", exp=now() - 60), get_token=get_token)


def test_it_refreshes_before_the_end_and_stays_connected(server: Server) -> None:
    given: asyncio.Queue[None] = asyncio.Queue()

    async def get_token() -> str:
        given.put_nowait(None)
        return token(sub="ada", exp=now() + 2)

    async def talk(ada: Session) -> None:
        await ada.next("connected")
        async with asyncio.timeout(20):
            for _ in range(3):  # the first is for connect
                await given.get()
        await ada.client.rpc("rooms", {})

        assert ada.seen.empty()

    with_sdk(server, talk, get_token=get_token)


def test_a_connection_that_is_not_refreshed_ends_after_the_grace_and_comes_back_with_a_new_token(
    server: Server,
) -> None:
    with server.websocket() as socket:
        end = now() + 1
        socket.send(json.dumps({"id": 1, "connect": {"token": token(sub="ada", exp=end)}}))
        assert json.loads(socket.recv(timeout=10))["connect"]["ttl"] == 1
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=10)

    assert now() >= end + 0.4
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (3005, "connection expired")


def test_it_enters_a_private_channel_with_a_token_and_refreshes_that(server: Server) -> None:
    given: asyncio.Queue[None] = asyncio.Queue()

    async def get_token(_: Any) -> str:
        given.put_nowait(None)
        return token(sub="ada", channel="$tea", exp=now() + 2)

    async def talk(ada: Session) -> None:
        tea = ada.client.new_subscription("$tea", ada.handler, get_token=get_token)
        await tea.subscribe()
        await ada.next("subscribed")
        async with asyncio.timeout(20):
            for _ in range(3):
                await given.get()
        await tea.publish("still here")

        assert (await ada.next("publication")).data == "still here"

    with_sdk(server, talk, token=token(sub="ada"))


def test_without_a_token_a_private_channel_ends_the_subscription_and_not_the_connection(server: Server) -> None:
    async def talk(ada: Session) -> None:
        await ada.client.new_subscription("$tea", ada.handler).subscribe()

        assert (await ada.next("unsubscribed")).code == 103
        await ada.client.rpc("rooms", {})

    with_sdk(server, talk, token=token(sub="ada"))


# What the log must not say


def test_no_token_no_name_and_no_line_break_of_a_client_gets_into_the_log(server: Server) -> None:
    guest = Member(server, "canary-name")
    tokens = [
        token(sub="ada", jti="canary"),
        token(sub="ada", jti="canary", secret="x" * 32),
        token(sub="ada", jti="canary", exp=1),
        token(sub="ada\r\ncanary-forged-line", jti="canary"),
        "canary.canary.canary",
        "canary\r\ncanary-forged-line",
    ]
    for brought in tokens:
        with server.websocket() as socket:
            commands = [
                {"id": 1, "connect": {"token": brought, "data": {"name": "canary\r\ncanary"}}},
                {"id": 2, "subscribe": {"channel": "$tea", "token": brought}},
                {"id": 3, "refresh": {"token": brought}},
            ]
            socket.send("\n".join(map(json.dumps, commands)))
            with pytest.raises((ConnectionClosed, TimeoutError)):
                while True:
                    socket.recv(timeout=0.5)
    guest_token = str(guest.connected["data"]["guest"])
    guest.close()
    server.wait_for_log(lambda event: event.get("event") == "client.denied" and event["code"] == 109)
    text = "\n".join(server.lines)

    assert "canary" not in text
    assert SECRET not in text
    assert guest_token not in text
    assert not any(brought in text or brought.rpartition(".")[2] in text for brought in tokens)
