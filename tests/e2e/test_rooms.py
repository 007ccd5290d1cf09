"""Private rooms, direct conversations and topics of a real server, through the SDK on PyPI; also after a kill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.test_moderation import People, among, refusal
from tests.server import Server, database_url, running
from tests.tokens import SECRET, token

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.test_tokens import Session


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """Return the settings of a server whose database lasts."""
    return {"CHAT_TOKEN_SECRET": SECRET, "CHAT_CHAOS": "on", "CHAT_DATABASE_URL": database_url(tmp_path / "chat.db")}


@pytest.fixture
def server(settings: dict[str, str]) -> Iterator[Server]:
    """Run it."""
    with running(**settings) as server:
        yield server


async def enter(session: Session, channel: str) -> Any:
    """Subscribe, and return what came of it: the event that tells so."""
    subscription = session.client.new_subscription(channel, session.handler)
    await subscription.subscribe()
    return await session.next("subscribed")


async def may_not_enter(session: Session, channel: str) -> int:
    subscription = session.client.new_subscription(channel, session.handler)
    await subscription.subscribe()
    code = (await session.next("unsubscribed")).code
    session.client.remove_subscription(subscription)
    return int(code)


@pytest.mark.parametrize("end", ["kill", "terminate"])
def test_a_private_room_its_members_and_its_topic_are_there_after_the_end_of_the_process(
    server: Server, settings: dict[str, str], end: str
) -> None:
    async def before(people: People) -> None:
        ada = await people.connected("ada")
        await ada.client.rpc("create", {"channel": "$tea", "topic": "all about tea"})
        for user in ("bob", "cleo"):
            await ada.client.rpc("invite", {"channel": "$tea", "user": user})
        await enter(ada, "$tea")
        await ada.client.rpc("send", {"channel": "$tea", "key": "k", "text": "between us"})
        await ada.client.rpc("kick", {"channel": "$tea", "user": "cleo", "reason": "a test"})

    async def after(people: People) -> None:
        ada, bob, cleo, eve = [await people.connected(user) for user in ("ada", "bob", "cleo", "eve")]

        assert (await enter(ada, "$tea")).data == {"role": "moderator", "topic": "all about tea"}
        assert (await enter(bob, "$tea")).data == {"topic": "all about tea"}
        found = (await bob.client.rpc("messages", {"channel": "$tea"})).data["messages"]
        assert [message["data"]["text"] for message in found] == ["between us"]
        assert [await may_not_enter(who, "$tea") for who in (cleo, eve)] == [103, 103]
        assert await refusal(eve.client.rpc("create", {"channel": "$tea"})) == 409
        assert await refusal(eve.client.rpc("messages", {"channel": "$tea"})) == 103

    among(server, before)
    getattr(server, end)()
    server.wait()
    with running(**settings) as again:
        among(again, after)


@pytest.mark.parametrize("kind", ["handler", "start", "commit"])
def test_a_topic_is_there_after_the_room_has_crashed(server: Server, kind: str) -> None:
    async def talk(people: People) -> None:
        ada, bob = await people.connected("ada"), await people.connected("bob")
        for who in (ada, bob):
            await enter(who, "tea")
        await ada.client.rpc("chaos", {"channel": "tea", "kind": kind})
        await ada.client.rpc("topic", {"channel": "tea", "topic": "all about tea"})

        heard = (await bob.next("publication")).data
        assert (heard["type"], heard["topic"]) == ("topic", "all about tea")
        cleo = await people.connected("cleo")
        assert (await enter(cleo, "tea")).data == {"topic": "all about tea"}
        found = (await cleo.client.rpc("rooms", {"query": "ABOUT"})).data["rooms"]
        assert found == [{"channel": "tea", "clients": 3, "topic": "all about tea"}]

    among(server, talk)


def test_who_is_kicked_from_a_private_room_is_out_for_good_and_knows(server: Server) -> None:
    async def talk(people: People) -> None:
        ada, bob, other = [await people.connected(user) for user in ("ada", "bob", "bob")]
        await ada.client.rpc("create", {"channel": "$tea"})
        await ada.client.rpc("invite", {"channel": "$tea", "user": "bob"})
        for who in (bob, other):
            await enter(who, "$tea")
        await ada.client.rpc("kick", {"channel": "$tea", "user": "bob", "reason": "spam"})

        for who in (bob, other):
            assert (await who.next("unsubscribed")).code == 2101
            assert await refusal(who.client.rpc("members", {"channel": "$tea"})) == 103
        await ada.client.rpc("invite", {"channel": "$tea", "user": "bob"})
        assert (await bob.client.rpc("members", {"channel": "$tea"})).data["members"] == [
            {"user": "ada", "name": "ada", "state": "offline"},
            {"user": "bob", "name": "bob", "state": "offline"},
        ]

    among(server, talk)


def test_two_talk_to_each_other_and_nobody_listens(server: Server) -> None:
    async def talk(people: People) -> None:
        ada, bob = await people.connected("ada"), await people.connected("bob")
        mo = await people.connected("mo", "admin")
        for who in (ada, bob):
            await enter(who, "dm#ada,bob")
        await ada.client.rpc("send", {"channel": "dm#ada,bob", "key": "k", "text": "hello"})

        assert (await bob.next("publication")).data["text"] == "hello"
        assert await may_not_enter(mo, "dm#ada,bob") == 103
        for method in ("messages", "members", "audit"):
            assert await refusal(mo.client.rpc(method, {"channel": "dm#ada,bob"})) == 103
        await bob.client.rpc("away", {"on": True})
        away = await ada.next("publication")
        while away.data.get("type") != "presence":
            away = await ada.next("publication")
        assert (away.data, away.info.user) == ({"type": "presence", "state": "away"}, "bob")

    among(server, talk)


def test_a_subscription_token_and_the_connection_token_let_in_as_before(server: Server) -> None:
    async def talk(people: People) -> None:
        ada, eve = await people.connected("ada"), await people.connected("eve")
        await ada.client.rpc("create", {"channel": "$tea"})

        async def bring(_: Any) -> str:
            return token(sub="eve", channel="$tea")

        subscription = eve.client.new_subscription("$tea", eve.handler, get_token=bring)
        await subscription.subscribe()
        await eve.next("subscribed")
        await subscription.publish("hello")
        assert await refusal(eve.client.rpc("invite", {"channel": "$tea", "user": "cleo"})) == 103

    among(server, talk)
