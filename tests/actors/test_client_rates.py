"""What a client actor does with who goes too fast, and with who is connected too often."""

from __future__ import annotations

import json

import pytest

from chat.rates import REFUSED_AT_ONCE, RateLimits
from tests.fakes import Chat
from tests.tokens import token, tokens

TOO_MANY = {"error": {"code": 111, "message": "too many requests", "temporary": True}}
SLOWLY = RateLimits(send=1, typing=1, join=1, history=1, search=1, burst_s=3, per_user=2, per_address=3)


def send(text: str) -> dict[str, object]:
    return {"rpc": {"method": "send", "data": {"channel": "lobby", "key": text, "text": text}}}


def test_who_sends_too_fast_is_answered_111_and_may_go_on_after_a_while() -> None:
    chat = Chat(rates=SLOWLY)
    ann = chat.member("lobby")

    numbers = ann.send_batch(*(send(f"m{number}") for number in range(5)))
    chat.advance(1.1)
    later = ann.ask(**send("later"))

    assert [ann.reply(number) == TOO_MANY for number in numbers] == [False, False, False, True, True]
    assert "rpc" in later
    assert ann.close_code is None
    assert [data["text"] for data in ann.said()] == ["m0", "m1", "m2", "later"]


@pytest.mark.parametrize(
    "command",
    [
        send("hello"),
        {"publish": {"channel": "lobby", "data": 1}},
        {"rpc": {"method": "typing", "data": {"channel": "lobby"}}},
        {"subscribe": {"channel": "tea"}},
        {"unsubscribe": {"channel": "tea"}},
        {"history": {"channel": "lobby"}},
        {"presence": {"channel": "lobby"}},
        {"rpc": {"method": "messages", "data": {"channel": "lobby"}}},
        {"rpc": {"method": "no such"}},
    ],
    ids=json.dumps,
)
def test_every_command_has_a_rate(command: dict[str, object]) -> None:
    chat = Chat(rates=SLOWLY)
    ann = chat.member("lobby")
    chat.advance(10)

    numbers = ann.send_batch(*[command] * 4)

    assert [ann.reply(number) == TOO_MANY for number in numbers] == [False, False, False, True]


def test_a_command_that_waits_until_its_room_is_entered_is_counted_once() -> None:
    chat = Chat(rates=SLOWLY)
    ann = chat.connect()

    numbers = ann.send_batch({"subscribe": {"channel": "lobby"}}, *(send(f"m{number}") for number in range(3)))

    assert all("error" not in ann.reply(number) for number in numbers)


def test_a_user_is_held_to_a_rate_in_all_connections_and_an_address_for_all_users() -> None:
    chat = Chat(rates=SLOWLY)
    ann = chat.connect("Ann")
    token = ann.hello["data"]["guest"]
    ann2, ann3, bob, carl = (chat.connect(guest=guest) for guest in (token, token, "", ""))
    dora = chat.open("198.51.100.9")
    dora.ask(connect={})

    granted = {
        client: sum("error" not in client.ask(rpc={"method": "rooms"}) for _ in range(4))
        for client in (ann, ann2, ann3, bob, carl, dora)
    }

    assert list(granted.values()) == [3, 3, 0, 3, 0, 3]


def test_who_does_not_stop_is_disconnected_for_good_and_nobody_else() -> None:
    chat = Chat(rates=SLOWLY)
    ann, mallory = chat.member("lobby"), chat.connect()
    for _ in range(REFUSED_AT_ONCE + 4):
        mallory.send(rpc={"method": "rooms"})
    chat.run()

    assert mallory.close_code == 3509
    assert ann.close_code is None
    assert "rpc" in ann.ask(**send("hello"))


def test_one_frame_is_enough_to_be_disconnected_and_what_comes_behind_is_not_answered() -> None:
    chat = Chat(rates=SLOWLY)
    mallory = chat.connect()
    numbers = mallory.send_batch(*[{"rpc": {"method": "rooms"}}] * (2 * REFUSED_AT_ONCE))

    assert mallory.close_code == 3509
    assert len(mallory.replies(*numbers)) <= REFUSED_AT_ONCE + 4


def test_a_plain_text_client_is_held_to_rates_as_well() -> None:
    chat = Chat(rates=SLOWLY)
    text = chat.text("7")
    for number in range(4):
        text.say(str(number))

    assert text.lines == ["Error 111: too many requests"]


def test_without_rates_nobody_is_held_up() -> None:
    chat = Chat()
    ann = chat.member("lobby")

    numbers = ann.send_batch(*(send(f"m{number}") for number in range(200)))

    assert all("rpc" in ann.reply(number) for number in numbers)


def test_a_client_says_whose_connection_it_is_and_is_closed_if_that_user_has_too_many() -> None:
    chat = Chat()
    ann = chat.connect("Ann")
    one_more = chat.open()
    one_more.transport.has_room = False
    number = one_more.send(connect={"data": {"guest": ann.hello["data"]["guest"]}})
    chat.run()

    assert ann.transport.user == ann.hello["data"]["user"] == one_more.transport.user
    assert one_more.close_code == 3504
    assert one_more.replies(number) == []


def test_a_user_with_a_token_is_one_user_in_all_connections() -> None:
    chat = Chat(rates=SLOWLY, tokens=tokens())
    clients = [chat.user(token(sub=user)) for user in ("ann", "ann", "ann", "bob")]

    granted = [sum("error" not in client.ask(rpc={"method": "rooms"}) for _ in range(3)) for client in clients]

    assert [client.transport.user for client in clients] == ["ann", "ann", "ann", "bob"]
    assert granted == [3, 3, 0, 3]


def test_commands_that_come_along_with_connect_are_counted_when_they_come() -> None:
    chat = Chat(rates=SLOWLY, tokens=tokens())
    client = chat.open()
    connect = {"connect": {"token": token(sub="ann", channels=["news"])}}

    numbers = client.send_batch(connect, *[{"rpc": {"method": "rooms"}}] * 5)

    assert "connect" in client.received[0]
    assert [client.reply(number) == TOO_MANY for number in numbers[1:]] == [False, False, False, True, True]


def test_what_goes_too_fast_is_counted_by_its_rate() -> None:
    chat = Chat(rates=SLOWLY)
    ann = chat.member("lobby")

    ann.send_batch(*(send(f"m{number}") for number in range(5)), *[{"history": {"channel": "lobby"}}] * 4)

    assert chat.system.counts.limits_hit == {"rate_send": 2, "rate_history": 1}


def test_looking_for_rooms_has_a_rate_of_its_own_besides() -> None:
    chat = Chat(rates=RateLimits(search=1, burst_s=2))
    ann = chat.member("lobby")
    look = {"rpc": {"method": "rooms", "data": {"query": "lob"}}}

    numbers = ann.send_batch(*[look] * 3, {"rpc": {"method": "rooms"}})
    chat.advance(1.1)

    assert [ann.reply(number) == TOO_MANY for number in numbers] == [False, False, True, False]
    assert "rpc" in ann.ask(**look)
    assert chat.system.counts.limits_hit == {"rate_search": 1}
