"""The SDK that exists, as it is on PyPI: `centrifuge-python`."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Any

import pytest
from centrifuge import Client, ClientEventHandler, ReplyError, SubscriptionEventHandler, SubscriptionState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.server import Server


class Events(SubscriptionEventHandler):  # type: ignore[misc]  # (the SDK has no types)
    """Puts what happens to a subscription into a queue."""

    def __init__(self) -> None:
        self.seen: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()

    async def on_subscribed(self, ctx: Any) -> None:
        self.seen.put_nowait(("subscribed", ctx))

    async def on_publication(self, ctx: Any) -> None:
        self.seen.put_nowait(("publication", ctx.pub))

    async def on_join(self, ctx: Any) -> None:
        self.seen.put_nowait(("join", ctx.info))

    async def on_leave(self, ctx: Any) -> None:
        self.seen.put_nowait(("leave", ctx.info))

    async def next(self, kind: str) -> Any:
        """Wait for the next event of a kind, passing over others."""
        async with asyncio.timeout(10):
            while True:
                found, event = await self.seen.get()
                if found == kind:
                    return event


class Notices(ClientEventHandler):  # type: ignore[misc]  # (as above)
    """Puts what happens to server-side subscriptions into a queue."""

    def __init__(self) -> None:
        self.subscribed: asyncio.Queue[str] = asyncio.Queue()
        self.seen: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()

    async def on_subscribed(self, ctx: Any) -> None:
        self.subscribed.put_nowait(ctx.channel)

    async def on_publication(self, ctx: Any) -> None:
        self.seen.put_nowait((ctx.channel, ctx.pub.data))


class Sdk:
    """An SDK client in one channel."""

    def __init__(self, server: Server, name: str, channel: str) -> None:
        self.notices = Notices()
        self.client = Client(
            f"ws://{server.address}/connection/websocket",
            self.notices,
            data={"name": name},
            min_reconnect_delay=0.05,
        )
        self.events = Events()
        self.subscription = self.client.new_subscription(channel, self.events)

    async def start(self) -> Sdk:
        await self.client.connect()
        await self.subscription.subscribe()
        await self.subscription.ready(10)
        return self


def with_sdk(server: Server, channel: str, session: Callable[[Sdk, Sdk], Awaitable[None]]) -> None:
    async def main() -> None:
        ann, bob = await Sdk(server, "Ann", channel).start(), await Sdk(server, "Bob", channel).start()
        try:
            await session(ann, bob)
        finally:
            await ann.client.disconnect()
            await bob.client.disconnect()
            # The SDK does not wait for its sockets to close. Tasks of its own see to it.
            while others := asyncio.all_tasks() - {asyncio.current_task()}:
                await asyncio.wait(others, timeout=10)
            gc.collect()

    asyncio.run(main())


def test_it_connects_subscribes_and_publishes_any_json(server: Server) -> None:
    data = {"any": ["json", 1, None, {"ünïcödé": "☃"}]}

    async def session(ann: Sdk, bob: Sdk) -> None:
        await ann.subscription.publish(data)
        publication = await bob.events.next("publication")

        assert publication.data == data
        assert publication.offset == 1
        assert publication.info.conn_info == {"name": "Ann"}

    with_sdk(server, "sdk-publish", session)


def test_it_sends_by_rpc_and_a_repeat_is_one_message(server: Server) -> None:
    async def session(ann: Sdk, bob: Sdk) -> None:
        message = {"channel": "sdk-send", "key": "the key", "text": "once"}
        first = (await ann.client.rpc("send", message)).data
        again = (await ann.client.rpc("send", message)).data
        publication = await bob.events.next("publication")
        history = await ann.subscription.history(limit=10)

        assert again == first | {"duplicate": True}
        assert publication.data == {"type": "message", "key": "the key", "text": "once", "time": first["time"]}
        assert [entry.offset for entry in history.publications] == [1]

    with_sdk(server, "sdk-send", session)


def test_it_recovers_what_it_missed_while_its_connection_was_down(server: Server) -> None:
    async def session(ann: Sdk, bob: Sdk) -> None:
        await ann.subscription.publish("before")
        await bob.events.next("publication")
        await bob.client.disconnect()
        for number in range(3):
            await ann.subscription.publish(number)
        await bob.client.connect()
        resumed = await bob.events.next("subscribed")
        await ann.subscription.publish("after")
        missed = [await bob.events.next("publication") for _ in range(4)]

        assert resumed.was_recovering
        assert resumed.recovered
        assert [publication.data for publication in missed] == [0, 1, 2, "after"]
        assert [publication.offset for publication in missed] == [2, 3, 4, 5]

    with_sdk(server, "sdk-recover", session)


def test_it_sees_who_is_here_who_comes_and_who_goes(server: Server) -> None:
    async def session(ann: Sdk, bob: Sdk) -> None:
        joined = [await ann.events.next("join"), await ann.events.next("join")]
        presence = (await ann.subscription.presence()).clients
        stats = await ann.subscription.presence_stats()
        await bob.client.disconnect()
        left = await ann.events.next("leave")

        assert [info.conn_info["name"] for info in joined] == ["Ann", "Bob"]
        assert {info.conn_info["name"] for info in presence.values()} == {"Ann", "Bob"}
        assert (stats.num_clients, stats.num_users) == (2, 2)
        assert left.conn_info == {"name": "Bob"}

    with_sdk(server, "sdk-presence", session)


def test_it_reads_history_forwards_backwards_and_from_a_position(server: Server) -> None:
    async def session(ann: Sdk, bob: Sdk) -> None:
        for number in range(1, 6):
            await ann.subscription.publish(number)
        position = await bob.subscription.history(limit=0)
        newest = await bob.subscription.history(limit=2, reverse=True)
        everything = await bob.subscription.history(limit=-1)

        assert (position.offset, position.publications) == (5, [])
        assert [entry.data for entry in newest.publications] == [5, 4]
        assert [entry.data for entry in everything.publications] == [1, 2, 3, 4, 5]

    with_sdk(server, "sdk-history", session)


def test_an_error_reaches_the_caller_with_its_code_and_the_session_goes_on(server: Server) -> None:
    async def session(ann: Sdk, bob: Sdk) -> None:
        with pytest.raises(ReplyError) as unknown:
            await ann.client.rpc("dance", {})
        with pytest.raises(ReplyError) as empty:
            await ann.client.rpc("send", {"channel": "sdk-errors", "key": "k", "text": "  "})
        await ann.subscription.publish("still here")

        assert unknown.value.code == 104
        assert empty.value.code == 107
        assert (await bob.events.next("publication")).data == "still here"

    with_sdk(server, "sdk-errors", session)


def test_it_may_leave_and_come_back_with_its_position(server: Server) -> None:
    async def session(ann: Sdk, bob: Sdk) -> None:
        await bob.subscription.unsubscribe()
        await ann.subscription.publish("meanwhile")
        await bob.subscription.subscribe()
        await bob.subscription.ready(10)

        assert bob.subscription.state == SubscriptionState.SUBSCRIBED
        assert (await bob.events.next("publication")).data == "meanwhile"

    with_sdk(server, "sdk-return", session)


def test_it_is_in_its_personal_channel_again_whenever_it_connects(server: Server) -> None:
    async def session(ann: Sdk, bob: Sdk) -> None:
        async with asyncio.timeout(10):
            first = await ann.notices.subscribed.get()
            await ann.client.disconnect()
            await ann.client.connect()
            again = await ann.notices.subscribed.get()
            other = await bob.notices.subscribed.get()

        assert first.startswith("user#guest-")
        assert again.startswith("user#guest-")
        assert other not in {first, again}

    with_sdk(server, "sdk-personal", session)
