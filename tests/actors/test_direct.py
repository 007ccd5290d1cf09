"""Direct conversations: those who are named are in them, and nobody else, whatever role or token they have."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from chat import server_api
from chat.errors import CommandError
from tests.actors.test_private_rooms import EVE_TRIES, tried
from tests.fakes import Chat, Client
from tests.tokens import token, tokens

DM: Final = "dm#ada,bob"


def code(reply: dict[str, Any]) -> int | None:
    found: int | None = reply.get("error", {}).get("code")
    return found


def user(chat: Chat, sub: str, role: str = "member", **claims: Any) -> Client:
    return chat.user(token(sub=sub, meta={"role": role}, **claims))


def talk() -> tuple[Chat, Client, Client]:
    chat = Chat(tokens=tokens(), chaos=True)
    ada, bob = user(chat, "ada"), user(chat, "bob")
    for client in (ada, bob):
        client.subscribe(DM)
    ada.publish(DM, "between us")
    return chat, ada, bob


def test_those_who_are_named_need_no_token_and_nobody_makes_it() -> None:
    _, _, bob = talk()

    assert bob.said(DM) == ["between us"]
    assert len(bob.history(DM, limit=9)["history"]["publications"]) == 1


def test_guests_can_talk_to_each_other() -> None:
    chat = Chat()
    ann, bob = chat.connect("Ann"), chat.connect("Bob")
    channel = "dm#" + ",".join(sorted([ann.hello["data"]["user"], bob.hello["data"]["user"]]))

    assert "subscribe" in ann.subscribe(channel)
    ann.rpc("send", channel=channel, key="k", text="hello")
    assert [message["data"]["text"] for message in bob.rpc("messages", channel=channel)["rpc"]["data"]["messages"]] == [
        "hello"
    ]


@settings(max_examples=60, deadline=None)
@given(
    commands=st.lists(st.sampled_from(EVE_TRIES), min_size=1, max_size=6),
    role=st.sampled_from(["guest", "member", "moderator", "admin"]),
)
def test_others_cannot_do_anything_there_nor_tell_whether_anything_was_said(
    *, commands: list[dict[str, Any]], role: str
) -> None:
    chat, ada, _ = talk()
    before = ada.received
    eve = chat.connect("Eve") if role == "guest" else user(chat, "eve", role, rooms={DM: "admin"})
    for command in commands:
        if "rpc" in command or "token" not in next(iter(command.values())):
            assert tried(eve, command, DM) == tried(eve, command, "dm#cleo,dora")

    assert eve.close_code is None
    assert ada.received == before
    assert eve.pushes("pub", DM) == []


def test_no_token_lets_anybody_else_in() -> None:
    chat, ada, _ = talk()
    eve = user(chat, "eve", "admin", channels=[DM, "$tea"])

    assert eve.hello["subs"].keys() == {"$tea", "user#eve"}
    assert code(eve.subscribe(DM, token=token(sub="eve", channel=DM))) == 103
    assert len(ada.pushes("join", DM)) == 2


@pytest.mark.parametrize("channel", ["dm#", "dm#ada", "dm#bob,ada", "dm#ada,ada", "dm#ada,,bob"])
def test_a_name_that_is_not_the_one_of_a_conversation_is_refused(channel: str) -> None:
    chat, ada, _ = talk()

    replies = [ada.subscribe(channel), ada.history(channel), ada.rpc("members", channel=channel)]
    assert [code(reply) for reply in replies] == [107] * 3
    with pytest.raises(CommandError, match="direct conversation"):
        chat.call(server_api.Publish(channel=channel, data=Raw(b"1")))


def test_it_is_in_no_list() -> None:
    chat, ada, _ = talk()
    mo = user(chat, "mo", "admin")

    for client in (ada, mo):
        for query in ({}, {"query": "ada"}):
            assert client.rpc("rooms", **query) == {"rpc": {"data": {"rooms": []}}}


def test_its_members_are_all_who_are_named_there_or_not() -> None:
    _, ada, bob = talk()
    bob.hang_up()

    people = ada.rpc("members", channel=DM)["rpc"]["data"]["members"]

    assert [(person["user"], person["state"]) for person in people] == [("ada", "online"), ("bob", "offline")]


def test_the_server_api_may_speak_and_read_there_and_lets_nobody_else_in() -> None:
    chat, ada, bob = talk()
    eve = user(chat, "eve")
    chat.call(server_api.Publish(channel=DM, data=Raw(b'"from the server"')))
    with pytest.raises(CommandError, match="permission denied"):
        chat.call(server_api.Subscribe(user="eve", channel=DM))
    bob.ask(unsubscribe={"channel": DM})
    chat.call(server_api.Subscribe(user="bob", channel=DM))
    chat.call(server_api.Publish(channel=DM, data=Raw(b'"again"')))

    assert ada.said(DM) == ["between us", "from the server", "again"]
    assert bob.said(DM)[-1] == "again"
    assert len(chat.call(server_api.History(channel=DM, limit=9)).publications) == 3
    assert DM not in json.dumps(eve.received)
