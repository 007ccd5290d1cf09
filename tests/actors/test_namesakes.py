"""Names in a room: nobody may look like somebody else who is here."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes import Chat, Client
from tests.tokens import token, tokens


def chat() -> Chat:
    return Chat(tokens=tokens())


def user(world: Chat, sub: str, name: str, **connect: Any) -> Client:
    client = world.user(token(sub=sub, info={"name": name}), **connect)
    client.subscribe("lobby")
    return client


def refused(world: Chat, name: str) -> bool:
    reply = world.connect(name).subscribe("lobby")
    assert reply.keys() == {"subscribe"} or reply["error"]["code"] == 409
    return "error" in reply


@pytest.mark.parametrize("name", ["Ada", "ADA", "\u0410d\u0430", "  Ada "])
def test_a_name_that_looks_like_that_of_somebody_here_is_refused(name: str) -> None:
    world = chat()
    world.member("lobby", name="Ada")

    assert refused(world, name)


def test_it_is_refused_in_that_room_only_and_the_connection_goes_on() -> None:
    world = chat()
    world.member("lobby", name="Ada")
    second = world.connect("Ada")

    assert second.subscribe("lobby")["error"]["code"] == 409
    assert "subscribe" in second.subscribe("tea")
    assert second.close_code is None


@pytest.mark.parametrize("goes", [Client.hang_up, lambda client: client.ask(unsubscribe={"channel": "lobby"})])
def test_a_name_is_free_again_when_its_bearer_has_gone(goes: Any) -> None:
    world = chat()
    goes(world.member("lobby", name="Ada"))

    assert not refused(world, "Ada")


def test_somebody_may_be_here_twice_and_has_the_name_until_both_have_gone() -> None:
    world = chat()
    first = world.member("lobby", name="Ada")
    second = world.connect("Ada", guest=first.hello["data"]["guest"])
    assert "subscribe" in second.subscribe("lobby")

    first.hang_up()
    while_one_is_here = refused(world, "Ada")
    second.hang_up()

    assert while_one_is_here
    assert not refused(world, "Ada")


def test_guests_without_a_name_never_get_in_each_others_way() -> None:
    world = chat()

    names = {world.member("lobby").hello["data"]["name"] for _ in range(50)}

    assert len(names) == 50
    assert not any(refused(world, name) for name in names)  # who asks for one of them gets another


def test_a_name_is_still_taken_after_the_room_has_crashed() -> None:
    world = chat()
    world.member("lobby", name="Ada")

    world.crash_room("lobby")

    assert refused(world, "Ada")


def test_names_that_the_application_gives_need_not_differ() -> None:
    world = chat()
    one, other = user(world, "ada-1", "Ada"), user(world, "ada-2", "Ada")

    assert one.pushes("unsubscribe") == other.pushes("unsubscribe") == []
    assert len(one.pushes("join")) == 2
    assert refused(world, "Ada")


def test_a_name_that_a_user_chose_is_no_better_than_a_guests() -> None:
    world = chat()
    world.member("lobby", name="Ada")
    client = world.user(token(sub="eve"), data={"name": "Ada"})

    assert client.subscribe("lobby")["error"]["code"] == 409


def test_a_guest_who_has_the_name_of_a_user_is_put_out_when_the_user_comes() -> None:
    world = chat()
    guest, other = world.member("lobby", name="\u0410da"), world.member("lobby", name="Bob")

    ada = user(world, "ada", "Ada")
    ada.publish("lobby", "it is me")

    assert guest.pushes("unsubscribe") == [{"code": 2100, "reason": "name taken"}]
    assert guest.said() == []
    assert guest.close_code is None
    assert guest.publish("lobby", "no, me")["error"]["code"] == 103
    assert [push["info"]["user"] for push in other.pushes("leave")] == [guest.hello["data"]["user"]]
    assert other.said() == ["it is me"]


def test_a_name_may_be_no_users_id_either_once_the_user_is_here() -> None:
    world = chat()
    guest = world.member("lobby", name="ada")

    client = world.user(token(sub="ada"))
    client.subscribe("lobby")

    assert [push["code"] for push in guest.pushes("unsubscribe")] == [2100]


def test_plain_text_clients_are_named_after_their_address_and_no_guest_has_such_a_name_beside_them() -> None:
    world = chat()
    guest = world.member("lobby", name="Client 7")

    one, other = world.text("7"), world.text("7")
    one.say("hello")

    assert other.lines == ["Client 7: hello"]
    assert [push["code"] for push in guest.pushes("unsubscribe")] == [2100]
    assert refused(world, "Client 7")


def test_who_comes_while_the_room_looks_into_the_log_is_checked_when_it_enters() -> None:
    world = chat()
    one, other = world.connect("Ada"), world.connect("Ada")
    numbers = one.send(subscribe={"channel": "lobby"}), other.send(subscribe={"channel": "lobby"})
    world.run()

    assert "subscribe" in one.reply(numbers[0])
    assert other.reply(numbers[1])["error"]["code"] == 409


def test_who_is_put_out_of_a_room_of_its_token_is_disconnected_and_may_come_back_with_another_name() -> None:
    world = chat()
    eve = world.user(token(sub="eve", channels=["lobby"]), data={"name": "Ada"})

    user(world, "ada", "Ada")
    again = world.user(token(sub="eve", channels=["lobby"]), data={"name": "Ada"})

    assert eve.close_code == 4009
    assert again.hello["error"]["code"] == 409
