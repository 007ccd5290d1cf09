"""Connections and subscriptions with tokens: what lets somebody in, where it puts them, and when it ends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fakes import NOON_MS, Chat, Client, Unheard, behind, limit_mailbox
from tests.tokens import token, tokens

NOON = NOON_MS // 1000
GRACE_S = 25.0


def chat(**options: Any) -> Chat:
    return Chat(tokens=tokens(), **options)


def ada(world: Chat, connect: dict[str, Any] | None = None, **claims: Any) -> Client:
    return world.user(token({"sub": "ada", **claims}), **(connect or {}))


def code_of(reply: dict[str, Any]) -> int | None:
    code: int | None = reply.get("error", {}).get("code")
    return code


# Who comes in


def test_a_user_is_who_the_token_says() -> None:
    client = ada(chat(), info={"name": "Ada", "avatar": "a.png"})
    client.subscribe("lobby")

    assert client.hello["data"] == {"user": "ada", "name": "Ada"}
    assert client.pushes("join") == [
        {"info": {"user": "ada", "client": client.id, "conn_info": {"name": "Ada", "avatar": "a.png"}}}
    ]


@pytest.mark.parametrize(
    ("info", "asked", "shown"), [({}, "Countess", "Countess"), ({}, "", "ada"), ({"name": "Ada"}, "Countess", "Ada")]
)
def test_a_user_whom_the_token_does_not_name_may_choose_and_is_called_by_the_id_else(
    info: dict[str, str], asked: str, shown: str
) -> None:
    client = ada(chat(), {"data": {"name": asked}}, info=info)

    assert client.hello["data"]["name"] == shown


@pytest.mark.parametrize(
    "bad", [token(sub="ada", secret="x" * 32), "no token", token(sub="guest-0123456789ab"), token(sub="$server")]
)
def test_a_token_that_is_no_good_closes_the_connection(bad: str) -> None:
    client = chat().user(bad)

    assert (client.close_code, client.received) == (3500, [])


def test_without_keys_no_token_is_good() -> None:
    assert Chat().user(token(sub="ada")).close_code == 3500


def test_a_token_that_has_expired_is_answered_so_that_the_sdk_gets_another() -> None:
    client = ada(chat(), exp=NOON - 1)

    assert (code_of(client.hello), client.close_code) == (109, None)


def test_where_guests_may_not_come_who_has_no_token_is_closed() -> None:
    world = chat(guests=False)
    guest, text = world.user(""), world.text("7")

    assert (guest.close_code, text.close_code) == (3501, 3501)
    assert ada(world).hello["data"]["user"] == "ada"


@pytest.mark.parametrize(
    "command",
    [
        {"subscribe": {"channel": "lobby"}},
        {"publish": {"channel": "lobby", "data": 1}},
        {"history": {"channel": "lobby"}},
        {"presence": {"channel": "lobby"}},
        {"presence_stats": {"channel": "lobby"}},
        {"unsubscribe": {"channel": "lobby"}},
        {"rpc": {"method": "send", "data": {"channel": "lobby", "key": "k", "text": "t"}}},
        {"rpc": {"method": "rooms"}},
        {"refresh": {"token": "t"}},
        {"sub_refresh": {"channel": "lobby", "token": "t"}},
        {"send": {}},
        {"ping": {}},
    ],
    ids=json.dumps,
)
@pytest.mark.parametrize("first", [{}, {"connect": {"token": "forged"}}], ids=["before connect", "after a bad one"])
def test_a_command_of_somebody_unknown_closes_the_connection_and_does_nothing(
    command: dict[str, Any], first: dict[str, Any]
) -> None:
    world = chat()
    client = world.open()
    client.send_batch(*filter(None, [first, command]))

    assert (client.close_code, client.received) == (3500 if first else 3501, [])
    assert world.open_rooms() == set()


# Whom nobody let in is counted


SIGNED_BY_OTHERS = "another secret, which the chat does not know"


@pytest.mark.parametrize(
    ("brought", "reason"),
    [
        ("no token", "form"),
        (token(sub="ada", secret=SIGNED_BY_OTHERS), "signature"),
        (token(sub="$server"), "claims"),
        (token(sub="ada", info=1), "claims"),
        (token(sub="ada", exp=NOON - 1), "expired"),
        ("", "guests_off"),
    ],
)
def test_who_is_not_let_in_is_counted_once_by_the_reason(brought: str, reason: str) -> None:
    world = chat(guests=False)
    world.user(brought)

    assert world.system.counts.auth_failures == {reason: 1}


def test_a_token_for_another_audience_is_counted_as_one_with_wrong_claims() -> None:
    world = Chat(tokens=tokens(audience="chat"))
    world.user(token(sub="ada", aud="shop"))
    world.user(token(sub="ada"))

    assert world.system.counts.auth_failures == {"claims": 2}


def test_a_token_where_there_are_no_keys_is_counted() -> None:
    world = Chat()
    world.user(token(sub="ada"))
    world.connect().subscribe("$tea", token=tea())

    assert world.system.counts.auth_failures == {"tokens_off": 1, "subscription_tokens_off": 1}


def test_a_refresh_with_the_token_of_another_is_counted() -> None:
    world = chat()
    ada(world, exp=NOON + 60).send(refresh={"token": token(sub="eve", exp=NOON + 99)})
    world.run()

    assert world.system.counts.auth_failures == {"other_user": 1}


def test_a_subscription_token_that_is_no_good_is_counted_by_the_reason() -> None:
    world = chat()
    client = ada(world)
    for brought in (
        "no token",
        token(sub="ada", channel="$tea", secret=SIGNED_BY_OTHERS),
        token(sub="ada"),
        tea(exp=NOON - 1),
        tea(sub="eve"),
    ):
        client.send(subscribe={"channel": "$tea", "token": brought})
    world.run()

    reasons = ["form", "signature", "claims", "expired", "other"]
    assert world.system.counts.auth_failures == {f"subscription_{reason}": 1 for reason in reasons}


# When it ends


def test_a_connection_says_when_its_token_ends() -> None:
    hello = ada(chat(), exp=NOON + 60).hello

    assert (hello["expires"], hello["ttl"]) == (True, 60)
    assert ada(chat()).hello.keys().isdisjoint({"expires", "ttl"})


def test_a_connection_whose_token_ended_is_closed_after_the_grace() -> None:
    world = chat()
    client = ada(world, exp=NOON + 60)

    world.advance(60 + GRACE_S - 0.1)
    before = client.close_code
    world.advance(0.2)

    assert (before, client.close_code) == (None, 3005)


def test_a_refreshed_connection_goes_on_as_who_it_was_until_the_new_end() -> None:
    world = chat()
    client = ada(world, exp=NOON + 60, info={"name": "Ada"})
    world.advance(70)

    reply = client.ask(refresh={"token": token(sub="ada", exp=NOON + 170, info={"name": "Eve"})})
    world.advance(100)
    before = client.close_code
    world.advance(GRACE_S + 1)

    assert reply == {"refresh": {"client": client.id, "version": "1.2.3", "expires": True, "ttl": 100}}
    assert (before, client.close_code) == (None, 3005)


def test_a_connection_that_is_refreshed_for_ever_stays() -> None:
    world = chat()
    client = ada(world, exp=NOON + 60)

    reply = client.ask(refresh={"token": token(sub="ada")})
    world.advance(1000)

    assert reply == {"refresh": {"client": client.id, "version": "1.2.3"}}
    assert client.close_code is None


@pytest.mark.parametrize(
    ("brought", "code"),
    [
        (token(sub="ada", exp=NOON - 1), 3005),
        (token(sub="eve", exp=NOON + 99), 3500),
        (token(sub="ada", secret="x" * 32), 3500),
        ("", 3500),
    ],
    ids=["expired", "another's", "forged", "none"],
)
def test_a_refresh_that_is_no_good_closes_the_connection(brought: str, code: int) -> None:
    client = ada(chat(), exp=NOON + 60)
    client.send(refresh={"token": brought})
    client.chat.run()

    assert client.close_code == code


def test_who_was_not_told_to_refresh_must_not() -> None:
    client = ada(chat())
    client.send(refresh={"token": token(sub="ada")})
    client.chat.run()

    assert client.close_code == 3501


# Private channels


def tea(**claims: Any) -> str:
    return token({"sub": "ada", "channel": "$tea", **claims})


def test_a_private_channel_lets_in_who_has_a_token_for_it() -> None:
    client = ada(chat())

    assert "subscribe" in client.subscribe("$tea", token=tea(info={"seat": 1}))
    client.publish("$tea", "hello")

    (publication,) = client.publications("$tea")
    assert publication["info"] == {
        "user": "ada",
        "client": client.id,
        "conn_info": {"name": "ada"},
        "chan_info": {"seat": 1},
    }


@pytest.mark.parametrize(
    ("brought", "code"),
    [("", 103), ("forged", 103), (tea(exp=NOON - 1), 109), (token(sub="ada"), 103)],
    ids=["none", "forged", "expired", "for a connection"],
)
@pytest.mark.parametrize("channel", ["$tea", "room#ada"])
def test_without_a_good_token_a_private_channel_is_refused(channel: str, brought: str, code: int) -> None:
    world = chat()
    client = ada(world)

    assert code_of(client.subscribe(channel, token=brought)) == code
    assert client.close_code is None
    assert world.open_rooms() == set()


@pytest.mark.parametrize("claims", [{"sub": "eve"}, {"channel": "$coffee"}, {"sub": ""}])
def test_a_token_for_somebody_or_something_else_closes_the_connection(claims: dict[str, str]) -> None:
    client = ada(chat())
    client.send(subscribe={"channel": "$tea", "token": tea(**claims)})
    client.chat.run()

    assert client.close_code == 3500


def test_without_keys_there_are_no_subscription_tokens() -> None:
    assert code_of(Chat().connect().subscribe("$tea", token=tea())) == 103


@pytest.mark.parametrize(
    "command",
    [
        {"history": {"channel": "$tea", "limit": 1}},
        {"presence": {"channel": "$tea"}},
        {"presence_stats": {"channel": "$tea"}},
        {"publish": {"channel": "$tea", "data": 1}},
        {"rpc": {"method": "messages", "data": {"channel": "$tea"}}},
        {"rpc": {"method": "typing", "data": {"channel": "$tea"}}},
        {"subscribe": {"channel": "$tea"}},
    ],
    ids=json.dumps,
)
def test_to_others_a_private_channel_is_as_if_it_did_not_exist(command: dict[str, Any]) -> None:
    with_it, without_it = chat(), chat()
    member = ada(with_it)
    member.subscribe("$tea", token=tea())
    member.publish("$tea", "hello")
    eve, other_eve = with_it.connect("Eve"), without_it.connect("Eve")

    assert eve.ask(**command) == other_eve.ask(**command)
    assert code_of(eve.ask(**command)) == 103
    assert eve.rpc("rooms") == {"rpc": {"data": {"rooms": []}}}


def test_members_may_read_a_private_channel() -> None:
    client = ada(chat())
    client.subscribe("$tea", token=tea())
    client.publish("$tea", "hello")

    assert len(client.history("$tea", limit=9)["history"]["publications"]) == 1
    assert client.ask(presence_stats={"channel": "$tea"})["presence_stats"]["num_clients"] == 1


def test_a_subscription_says_when_its_token_ends_and_ends_after_the_grace() -> None:
    world = chat()
    client = ada(world)

    reply = client.subscribe("$tea", token=tea(exp=NOON + 60))["subscribe"]
    world.advance(60 + GRACE_S - 0.1)
    before = client.pushes("unsubscribe", "$tea")
    world.advance(0.2)

    assert (reply["expires"], reply["ttl"]) == (True, 60)
    assert before == []
    assert client.pushes("unsubscribe", "$tea") == [{"code": 2501, "reason": "subscription expired"}]
    assert code_of(client.publish("$tea", "hello")) == 103


@pytest.mark.parametrize(("claims", "reply"), [({"exp": NOON + 160}, {"expires": True, "ttl": 100}), ({}, {})])
def test_a_refreshed_subscription_goes_on(claims: dict[str, int], reply: dict[str, Any]) -> None:
    world = chat()
    client = ada(world)
    client.subscribe("$tea", token=tea(exp=NOON + 60))
    world.advance(60)

    assert client.ask(sub_refresh={"channel": "$tea", "token": tea(**claims)}) == {"sub_refresh": reply}
    world.advance(100)
    assert client.pushes("unsubscribe", "$tea") == []


def test_an_end_of_a_subscription_that_was_left_is_nothing_to_the_next_one() -> None:
    world = chat()
    client = ada(world)
    client.subscribe("$tea", token=tea(exp=NOON + 60))
    client.ask(unsubscribe={"channel": "$tea"})
    client.subscribe("$tea", token=tea())

    world.advance(100)

    assert client.pushes("unsubscribe", "$tea") == []


@pytest.mark.parametrize(
    ("brought", "code"), [("forged", 103), (tea(exp=NOON - 1), 109), ("", 107)], ids=["forged", "expired", "none"]
)
def test_a_refresh_of_a_subscription_that_is_no_good_is_refused(brought: str, code: int) -> None:
    client = ada(chat())
    client.subscribe("$tea", token=tea(exp=NOON + 60))

    assert code_of(client.ask(sub_refresh={"channel": "$tea", "token": brought})) == code


# Server-side subscriptions


def test_a_token_may_put_its_user_into_rooms_and_the_reply_to_connect_has_them() -> None:
    world = chat()
    bob = world.member("lobby", name="Bob")
    bob.publish("lobby", "before")

    client = ada(world, channels=["lobby"], subs={"$ada": {"info": {"seat": 1}}})
    bob.publish("lobby", "after")

    assert client.hello["subs"].keys() == {"lobby", "$ada", "user#ada"}
    assert client.hello["subs"]["lobby"]["offset"] == 1
    assert client.said("lobby") == ["after"]
    assert client.pushes("join", "$ada")[0]["info"]["chan_info"] == {"seat": 1}
    assert list(client.received[0]) == ["id", "connect"]
    assert code_of(client.subscribe("lobby")) == 105


def test_commands_that_come_along_with_connect_are_done_after_it() -> None:
    client = chat().open()
    connect = {"connect": {"token": token(sub="ada", channels=["$ada"])}}

    numbers = client.send_batch(
        connect, {"subscribe": {"channel": "lobby"}}, {"publish": {"channel": "$ada", "data": 1}}
    )

    assert [message["id"] for message in client.received if "id" in message] == numbers
    assert client.said("$ada") == [1]


def test_more_commands_than_may_wait_for_connect_are_refused() -> None:
    client = chat(max_pending=2).open()
    connect = {"connect": {"token": token(sub="ada", channels=["$ada"])}}

    numbers = client.send_batch(connect, *[{"rpc": {"method": "rooms"}}] * 3)

    assert "connect" in client.received[0]
    assert [code_of(client.reply(number)) for number in numbers[1:]] == [None, None, 111]


def test_a_second_connect_meanwhile_closes_the_connection_with_nothing_said() -> None:
    client = chat().open()
    connect = {"connect": {"token": token(sub="ada", channels=["$ada"])}}

    client.send_batch(connect, connect)

    assert (client.close_code, client.received) == (3501, [])


def test_a_server_side_subscription_resumes_from_the_position_in_connect() -> None:
    world = chat()
    client = ada(world, channels=["lobby"])
    client.publish("lobby", 1)
    epoch = client.hello["subs"]["lobby"]["epoch"]
    client.hang_up()
    bob = world.member("lobby", name="Bob")
    bob.publish("lobby", 2)

    again = ada(world, {"subs": {"lobby": {"recover": True, "offset": 1, "epoch": epoch}}}, channels=["lobby"])

    found = again.hello["subs"]["lobby"]
    assert (found["recovered"], [publication["data"] for publication in found["publications"]]) == (True, [2])


def test_a_room_that_crashes_on_the_way_in_is_entered_again() -> None:
    world = chat()
    client = world.open()
    number = client.send(connect={"token": token(sub="ada", channels=["a", "b"])})
    while "a" not in world.open_rooms():
        world.step()
    world.room("a").tell(Unheard())
    world.run()
    client.publish("a", "hello")

    assert client.reply(number)["connect"]["subs"].keys() == {"a", "b", "user#ada"}
    assert client.received[0]["id"] == number
    assert client.said("a") == ["hello"]


def test_a_room_that_takes_no_more_is_told_as_an_error_that_passes() -> None:
    world = chat()
    limit_mailbox(world.find("rooms"), 1)

    client = ada(world, channels=["a", "b"])

    assert client.hello == {"error": {"code": 111, "message": "too many requests", "temporary": True}}
    assert [list(message) for message in client.received] == [["id", "error"]]


def test_a_connection_whose_rooms_do_not_answer_is_told_to_come_back() -> None:
    world = chat(connect_timeout_s=10.0)
    client = world.open()
    with behind(world.find("rooms")):
        client.send(connect={"token": token(sub="ada", channels=["a"])})
        world.run()
        world.advance(11)

    assert (client.close_code, client.received) == (3004, [])


@pytest.mark.parametrize("channel", ["", "a\nb", "x" * 256])
def test_a_token_with_a_name_that_no_room_can_have_is_a_bad_request(channel: str) -> None:
    assert code_of(ada(chat(), channels=["lobby", channel]).hello) == (107 if channel else None)


def test_a_token_with_more_rooms_than_there_may_be_closes_the_connection() -> None:
    assert ada(chat(max_channels=2), channels=["a", "b", "c"]).close_code == 3505


def test_a_room_that_cannot_be_had_refuses_the_whole_connection() -> None:
    client = ada(chat(max_rooms=1), channels=["a", "b"])

    assert code_of(client.hello) == 106
    assert [list(message) for message in client.received] == [["id", "error"]]


def test_who_is_refused_because_of_one_room_hears_nothing_of_another() -> None:
    world = chat(max_rooms=2)
    bob = world.member("a", name="Bob")
    client = ada(world, channels=["a", "b", "c"])
    client.forget()

    bob.publish("a", "hello")

    assert client.received == []
    assert bob.ask(presence_stats={"channel": "a"})["presence_stats"]["num_clients"] == 1


def test_a_server_side_subscription_that_is_lost_closes_the_connection_which_comes_back_with_its_position() -> None:
    world = chat()
    client = ada(world, channels=["lobby"])

    world.crash_room("lobby", times=11)

    assert client.close_code == 3010


def test_a_server_side_subscription_may_be_left() -> None:
    client = ada(chat(), channels=["lobby"])

    assert client.ask(unsubscribe={"channel": "lobby"}) == {"unsubscribe": {}}
    assert "subscribe" in client.subscribe("lobby")
