"""The personal channel: every connection is in it from the start, and nobody does anything in it but the server."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from actors.messages import Notify, NotifyUser
from chat import server_api
from chat.errors import CommandError
from tests.fakes import Chat, Client
from tests.tokens import token, tokens

HELLO = b'{"type":"hello"}'


def chat() -> Chat:
    return Chat(tokens=tokens())


def ada(world: Chat, **claims: Any) -> Client:
    return world.user(token({"sub": "ada", **claims}))


def tell(world: Chat, user: str, notify: Notify) -> None:
    world.find("clients").tell(NotifyUser(user, notify))
    world.run()


def code_of(reply: dict[str, Any]) -> int | None:
    code: int | None = reply.get("error", {}).get("code")
    return code


def test_every_connection_is_in_its_own_from_the_start_and_it_is_no_room() -> None:
    world = chat()
    user, guest = ada(world), world.connect("Guest")

    here = {"recoverable": False, "positioned": False, "epoch": ""}
    assert user.hello["subs"] == {"user#ada": here}
    assert guest.hello["subs"] == {f"user#{guest.hello['data']['user']}": here}
    assert world.open_rooms() == set()


def test_a_notice_comes_to_all_connections_of_the_user_and_to_nobody_else() -> None:
    world = chat()
    one, two, bob = ada(world), ada(world), world.connect("Bob")
    text = world.text("7")

    tell(world, "ada", Notify(HELLO))
    tell(world, str(text.transport.user), Notify(HELLO))

    assert one.pushes("pub", "user#ada") == two.pushes("pub", "user#ada") == [{"data": {"type": "hello"}}]
    assert [message for message in bob.received if "push" in message] == []
    assert text.lines == []


def test_a_client_that_left_it_hears_nothing_more_and_its_other_connections_do() -> None:
    world = chat()
    one, two = ada(world), ada(world)
    reply = one.ask(unsubscribe={"channel": "user#ada"})
    two.ask(unsubscribe={"channel": "user#bob"})

    tell(world, "ada", Notify(HELLO))

    assert reply == {"unsubscribe": {}}
    assert (one.said("user#ada"), two.said("user#ada")) == ([], [{"type": "hello"}])


@pytest.mark.parametrize(("channel", "code"), [("user#ada", 105), ("user#bob", 103), ("user#", 103)])
@pytest.mark.parametrize("with_token", [False, True])
def test_it_cannot_be_subscribed_to_not_even_with_a_token(channel: str, code: int, *, with_token: bool) -> None:
    world = chat()
    brought = {"token": token(sub="ada", channel=channel)} if with_token else {}

    assert code_of(ada(world).subscribe(channel, **brought)) == code
    assert world.open_rooms() == set()


@pytest.mark.parametrize("channel", ["user#ada", "user#bob"])
@pytest.mark.parametrize(
    "command",
    [
        {"publish": {"data": 1}},
        {"presence": {}},
        {"presence_stats": {}},
        {"history": {}},
        {"sub_refresh": {"token": "t"}},
        {"rpc": {"method": "send", "data": {"key": "k", "text": "t"}}},
        {"rpc": {"method": "messages", "data": {}}},
        {"rpc": {"method": "typing", "data": {}}},
        {"rpc": {"method": "ban", "data": {"user": "bob", "reason": "r"}}},
        {"rpc": {"method": "bans", "data": {}}},
        {"rpc": {"method": "audit", "data": {}}},
    ],
    ids=json.dumps,
)
def test_nobody_says_reads_or_moderates_anything_there(command: dict[str, Any], channel: str) -> None:
    world = chat()
    ((kind, request),) = command.items()
    if kind == "rpc":
        request = request | {"data": request["data"] | {"channel": channel}}
    else:
        request = request | {"channel": channel}

    assert code_of(ada(world, meta={"role": "admin"}).ask(**{kind: request})) == 103
    assert world.open_rooms() == set()


def test_a_token_that_names_one_gets_no_further_and_the_rooms_that_it_names_are_entered() -> None:
    world = chat()
    client = ada(world, channels=["lobby", "user#ada", "user#bob"])

    assert client.hello["subs"].keys() == {"lobby", "user#ada"}
    assert world.open_rooms() == {"lobby"}


@pytest.mark.parametrize(
    "request_of_the_server",
    [
        server_api.Publish(channel="user#ada", data=msgspec.Raw(b"1")),
        server_api.History(channel="user#ada"),
        server_api.HistoryRemove(channel="user#ada"),
        server_api.Presence(channel="user#ada"),
        server_api.PresenceStats(channel="user#ada"),
        server_api.Subscribe(user="ada", channel="user#ada"),
        server_api.Unsubscribe(user="ada", channel="user#ada"),
    ],
    ids=lambda request: type(request).__name__,
)
def test_to_the_server_api_it_is_no_channel(request_of_the_server: server_api.Request) -> None:
    with pytest.raises(CommandError, match="personal") as refused:
        chat().call(request_of_the_server)

    assert refused.value.error.code == 107
