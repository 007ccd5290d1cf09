"""A client of the server API that exists, as it is on PyPI: `cent`; and the SDK's client on the other side."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

import cent
import pytest
from centrifuge import Client, ClientEventHandler, SubscriptionEventHandler

from tests.server import Server, running

KEY: Final = "a-key-for-the-tests"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Run a server with its API switched on."""
    with running(CHAT_API_KEY=KEY) as server:
        yield server


class Seen:
    """What happened to a client, in the order in which it did."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()

    def note(self, kind: str, context: Any) -> None:
        self._events.put_nowait((kind, context))

    async def next(self, kind: str) -> Any:
        """Wait for the next event of a kind, passing over others."""
        async with asyncio.timeout(10):
            while True:
                found, context = await self._events.get()
                if found == kind:
                    return context


class OfClient(ClientEventHandler):  # type: ignore[misc]  # (the SDK has no types)
    """Notes what the server does to the connection, and to subscriptions that it made."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    async def on_connected(self, ctx: Any) -> None:
        self._seen.note("connected", ctx)

    async def on_disconnected(self, ctx: Any) -> None:
        self._seen.note("disconnected", ctx)

    async def on_subscribed(self, ctx: Any) -> None:
        self._seen.note("server subscribed", ctx)

    async def on_unsubscribed(self, ctx: Any) -> None:
        self._seen.note("server unsubscribed", ctx)

    async def on_publication(self, ctx: Any) -> None:
        self._seen.note("server publication", ctx)


class OfSubscription(SubscriptionEventHandler):  # type: ignore[misc]  # (as above)
    """Notes what happens to a subscription of its own."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    async def on_publication(self, ctx: Any) -> None:
        self._seen.note("publication", ctx.pub)

    async def on_unsubscribed(self, ctx: Any) -> None:
        self._seen.note("unsubscribed", ctx)


class Person:
    """Somebody who is in a channel."""

    def __init__(self, server: Server, channel: str) -> None:
        self.seen = Seen()
        self.client = Client(f"ws://{server.address}/connection/websocket", OfClient(self.seen), data={"name": "Ann"})
        self.subscription = self.client.new_subscription(channel, OfSubscription(self.seen))
        self.user = ""

    async def come(self) -> None:
        await self.client.connect()
        self.user = (await self.seen.next("connected")).data["user"]
        await self.subscription.subscribe()
        await self.subscription.ready(10)


def with_person(server: Server, channel: str, session: Callable[[Person, cent.AsyncClient], Awaitable[None]]) -> None:
    async def main() -> None:
        ann, api = Person(server, channel), cent.AsyncClient(server.url + "/api", KEY)
        await ann.come()
        try:
            await session(ann, api)
        finally:
            await api.close()
            await ann.client.disconnect()
            # The SDK does not wait for its sockets to close. Tasks of its own see to it.
            while others := asyncio.all_tasks() - {asyncio.current_task()}:
                await asyncio.wait(others, timeout=10)
            gc.collect()

    asyncio.run(main())


def test_what_is_published_arrives(server: Server) -> None:
    data = {"any": ["json", 1, None, {"ünïcödé": "☃"}]}

    async def session(ann: Person, api: cent.AsyncClient) -> None:
        placed = await api.publish(cent.PublishRequest(channel="cent-publish", data=data))
        publication = await ann.seen.next("publication")

        assert (publication.data, publication.info) == (data, None)
        assert publication.offset == placed.offset == 1

    with_person(server, "cent-publish", session)


def test_a_repeat_is_one_publication(server: Server) -> None:
    async def session(ann: Person, api: cent.AsyncClient) -> None:
        request = cent.PublishRequest(channel="cent-repeat", data="once", idempotency_key="the key")
        first, again = await api.publish(request), await api.publish(request)
        await api.publish(cent.PublishRequest(channel="cent-repeat", data="after"))

        assert first == again
        assert [(await ann.seen.next("publication")).data for _ in range(2)] == ["once", "after"]

    with_person(server, "cent-repeat", session)


def test_it_sees_who_is_there(server: Server) -> None:
    async def session(ann: Person, api: cent.AsyncClient) -> None:
        presence = (await api.presence(cent.PresenceRequest(channel="cent-presence"))).presence
        stats = await api.presence_stats(cent.PresenceStatsRequest(channel="cent-presence"))
        channels = (await api.channels(cent.ChannelsRequest(pattern="cent-pre*"))).channels
        (node,) = (await api.info(cent.InfoRequest())).nodes

        assert [(info.user, info.conn_info) for info in presence.values()] == [(ann.user, {"name": "Ann"})]
        assert (stats.num_clients, stats.num_users) == (1, 1)
        assert {name: info.num_clients for name, info in channels.items()} == {"cent-presence": 1}
        assert (node.num_clients, node.num_users, node.num_channels, node.num_subs) == (1, 1, 1, 1)

    with_person(server, "cent-presence", session)


def test_a_subscription_of_the_servers_is_made_and_ended(server: Server) -> None:
    async def session(ann: Person, api: cent.AsyncClient) -> None:
        personal = await ann.seen.next("server subscribed")
        await api.subscribe(cent.SubscribeRequest(user=ann.user, channel="cent-invited", data={"by": "Bob"}))
        subscribed = await ann.seen.next("server subscribed")
        await api.publish(cent.PublishRequest(channel="cent-invited", data="welcome"))
        publication = await ann.seen.next("server publication")
        await api.unsubscribe(cent.UnsubscribeRequest(user=ann.user, channel="cent-invited"))
        unsubscribed = await ann.seen.next("server unsubscribed")

        assert personal.channel == f"user#{ann.user}"
        assert (subscribed.channel, subscribed.data) == ("cent-invited", {"by": "Bob"})
        assert (publication.channel, publication.pub.data) == ("cent-invited", "welcome")
        assert unsubscribed.channel == "cent-invited"

    with_person(server, "cent-subscribe", session)


def test_a_subscription_of_the_clients_own_is_ended_for_good(server: Server) -> None:
    async def session(ann: Person, api: cent.AsyncClient) -> None:
        await api.unsubscribe(cent.UnsubscribeRequest(user=ann.user, channel="cent-unsubscribe"))
        unsubscribed = await ann.seen.next("unsubscribed")
        stats = await api.presence_stats(cent.PresenceStatsRequest(channel="cent-unsubscribe"))

        assert unsubscribed.code == 2000
        assert stats.num_clients == 0

    with_person(server, "cent-unsubscribe", session)


@pytest.mark.parametrize(
    ("wanted", "code", "reason"),
    [(None, 3503, "force disconnect"), (cent.Disconnect(code=4501, reason="banned"), 4501, "banned")],
)
def test_a_user_is_disconnected_and_stays_away(
    server: Server, wanted: cent.Disconnect | None, code: int, reason: str
) -> None:
    async def session(ann: Person, api: cent.AsyncClient) -> None:
        await api.disconnect(cent.DisconnectRequest(user=ann.user, disconnect=wanted))
        disconnected = await ann.seen.next("disconnected")

        assert (disconnected.code, disconnected.reason) == (code, reason)

    with_person(server, "cent-disconnect", session)


def test_an_expired_connection_comes_back(server: Server) -> None:
    async def session(ann: Person, api: cent.AsyncClient) -> None:
        await api.refresh(cent.RefreshRequest(user=ann.user, expired=True))
        await ann.seen.next("connected")
        await ann.subscription.ready(10)

    with_person(server, "cent-refresh", session)


# Without asyncio


@pytest.fixture
def api(server: Server) -> Iterator[cent.Client]:
    """Yield a client of the API that does not know asyncio."""
    with cent.Client(server.url + "/api", KEY) as client:
        yield client


def test_history_is_read_and_removed(api: cent.Client) -> None:
    for number in range(1, 4):
        api.publish(cent.PublishRequest(channel="cent-history", data=number))

    page = api.history(cent.HistoryRequest(channel="cent-history", limit=2, reverse=True))
    api.history_remove(cent.HistoryRemoveRequest(channel="cent-history"))
    left = api.history(cent.HistoryRequest(channel="cent-history", limit=10))

    assert [(publication.offset, publication.data) for publication in page.publications] == [(3, 3), (2, 2)]
    assert (left.publications, left.offset, left.epoch) == ([], 3, page.epoch)


def test_a_broadcast_goes_to_each_channel(api: cent.Client) -> None:
    result = api.broadcast(cent.BroadcastRequest(channels=["cent-a", "cent-b"], data={"to": "all"}))

    placed = [response.result for response in result.responses]
    assert [place and place.offset for place in placed] == [1, 1]


@pytest.mark.parametrize("parallel", [False, True])
def test_a_batch_is_several_requests(api: cent.Client, parallel: bool) -> None:  # noqa: FBT001
    publish = cent.PublishRequest(channel=f"cent-batch-{parallel}", data=1)

    replies: list[Any] = api.batch(
        cent.BatchRequest(requests=[publish, cent.PresenceStatsRequest(channel="cent-batch")], parallel=parallel)
    ).replies

    assert (replies[0].offset, replies[1].num_clients) == (1, 0)


def test_an_error_reaches_the_caller_with_its_code(api: cent.Client) -> None:
    with pytest.raises(cent.CentApiResponseError) as refused:
        api.publish(cent.PublishRequest(channel="cent-errors", data=1, skip_history=True))

    assert (refused.value.code, refused.value.message) == (107, "bad request: skip_history is not supported")


def test_the_wrong_key_is_not_let_in(server: Server) -> None:
    with cent.Client(server.url + "/api", "not the key at all") as api, pytest.raises(cent.CentUnauthorizedError):
        api.info(cent.InfoRequest())
