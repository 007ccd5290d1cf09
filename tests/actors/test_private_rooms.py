"""Private rooms by invitation: who gets in, who cannot tell that there is one, and what becomes of who is put out."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any, Final
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from actors.runtime import Signal
from chat import private_rooms
from chat.log import LogError, MemoryLog
from chat.protocol.methods import CHAOS_METHODS
from chat.server_api import History as ApiHistory
from chat.server_api import Presence as ApiPresence
from chat.server_api import Publish as ApiPublish
from tests.fakes import Chat, Client, FakeLog, behind
from tests.tokens import token, tokens

DONE: Final[dict[str, Any]] = {"rpc": {"data": {}}}


def code(reply: dict[str, Any]) -> int | None:
    found: int | None = reply.get("error", {}).get("code")
    return found


class UnheardSignal(Signal, frozen=True):
    """A message that no actor knows, which does not wait while one holds its mailbox."""


class World:
    """A chat in which Ada, a member like others, has made the private room `$tea` and invited Bob."""

    def __init__(self, log: MemoryLog | FakeLog | None = None, **options: Any) -> None:
        self.log = log or FakeLog()
        self.chat = Chat(self.log, tokens=tokens(), **options)
        self.ada, self.bob, self.eve = (self.user(name) for name in ("ada", "bob", "eve"))
        self.made = self.ada.rpc("create", channel="$tea")
        self.invited = self.ada.rpc("invite", channel="$tea", user="bob")

    def user(self, sub: str, role: str = "member") -> Client:
        return self.chat.user(token(sub=sub, info={"name": sub.title()}, meta={"role": role}))

    def enter(self, *clients: Client) -> None:
        for client in clients:
            client.subscribe("$tea")


def notices(client: Client) -> list[dict[str, Any]]:
    return [pub["data"] for pub in client.pushes("pub", f"user#{client.hello['data']['user']}")]


# Who gets in


def test_who_makes_a_room_and_whom_a_member_invites_may_enter_read_and_speak() -> None:
    world = World()
    world.enter(world.ada, world.bob)

    world.bob.publish("$tea", "hello")

    assert (world.made, world.invited) == (DONE, DONE)
    assert world.ada.said("$tea") == ["hello"]
    assert len(world.bob.history("$tea", limit=9)["history"]["publications"]) == 1


def test_guests_have_private_rooms_among_themselves() -> None:
    chat = Chat()
    ann, bob = chat.connect("Ann"), chat.connect("Bob")
    assert ann.rpc("create", channel="$ours", topic="us") == DONE
    ann.rpc("invite", channel="$ours", user=bob.hello["data"]["user"])

    assert bob.subscribe("$ours")["subscribe"]["data"] == {"topic": "us"}
    assert ann.subscribe("$ours")["subscribe"]["data"] == {"role": "moderator", "topic": "us"}


def test_every_member_may_invite_and_others_may_not() -> None:
    world = World()

    assert world.bob.rpc("invite", channel="$tea", user="cleo") == DONE
    assert code(world.eve.rpc("invite", channel="$tea", user="eve")) == 103
    assert code(world.eve.subscribe("$tea")) == 103
    assert "subscribe" in world.user("cleo").subscribe("$tea")


def test_somebody_who_is_not_there_yet_can_be_invited() -> None:
    world = World()
    world.ada.rpc("invite", channel="$tea", user="nobody so far")

    assert "subscribe" in world.user("nobody so far").subscribe("$tea")


def test_who_is_invited_is_told_on_every_connection_and_once() -> None:
    world = World()
    another = world.user("eve")
    for _ in range(2):
        world.bob.rpc("invite", channel="$tea", user="eve")

    notice = {"type": "invited", "channel": "$tea", "from": {"user": "bob", "name": "Bob"}}
    assert notices(world.eve) == notices(another) == [notice]


def test_every_connection_of_who_makes_a_room_is_told_of_it() -> None:
    world = World()
    another = world.user("ada")
    world.ada.rpc("create", channel="$coffee")

    assert notices(another) == [{"type": "notify", "channel": "$coffee", "on": True}]


def test_a_name_is_given_out_once() -> None:
    world = World()

    assert code(world.eve.rpc("create", channel="$tea")) == 409
    assert code(world.eve.subscribe("$tea")) == 103


def test_nobody_makes_a_room_of_one_that_tokens_lead_into() -> None:
    world = World()
    world.eve.subscribe("$staff", token=token(sub="eve", channel="$staff"))
    world.eve.publish("$staff", "between us")

    assert code(world.bob.rpc("create", channel="$staff")) == 409


def test_a_token_lets_into_a_private_room_as_before_and_makes_nobody_a_member() -> None:
    world = World()

    assert "subscribe" in world.eve.subscribe("$tea", token=token(sub="eve", channel="$tea"))
    assert code(world.eve.rpc("invite", channel="$tea", user="cleo")) == 103
    world.eve.ask(unsubscribe={"channel": "$tea"})
    assert code(world.eve.subscribe("$tea")) == 103


@pytest.mark.parametrize("data", [{"channel": "tea"}, {"channel": "$a#b"}, {"channel": "$x", "topic": "\n"}, {}])
def test_what_is_not_well_formed_is_refused(data: dict[str, str]) -> None:
    assert code(World().ada.rpc("create", **data)) == 107


def test_a_class_of_rooms_may_ask_more_of_who_makes_one() -> None:
    world = World(rooms={"$staff*": {"create": "moderator"}, "$all*": {"join": "moderator"}})

    for channel in ("$staff-1", "$all-1"):
        assert code(world.ada.rpc("create", channel=channel)) == 103
    mo = world.user("mo", "moderator")
    assert mo.rpc("create", channel="$staff-1") == DONE
    mo.rpc("invite", channel="$staff-1", user="ada")
    assert code(world.ada.rpc("invite", channel="$staff-1", user="eve")) == 103


def test_more_than_there_can_be_is_refused_and_counted() -> None:
    world = World()
    with patch.multiple(private_rooms, MAX_MADE=1, MAX_MEMBERS=2):
        refused = [
            world.ada.rpc("create", channel="$more"),
            world.ada.rpc("invite", channel="$tea", user="eve"),
        ]

    assert [code(reply) for reply in refused] == [106, 106]
    assert world.chat.system.counts.limits_hit == {"private_rooms": 1, "private_room_members": 1}


# What is not stored does not hold


@pytest.mark.parametrize(("method", "data"), [("create", {"channel": "$new"}), ("invite", {"channel": "$tea"})])
def test_what_cannot_be_stored_does_not_hold_and_may_be_tried_again(method: str, data: dict[str, str]) -> None:
    world = World()
    assert isinstance(world.log, FakeLog)
    world.log.append_errors.append(LogError("the disk is full"))
    data = data | ({"user": "eve"} if method == "invite" else {})

    assert code(world.ada.rpc(method, **data)) == 100
    assert code((world.eve if method == "invite" else world.ada).subscribe(data["channel"])) == 103
    assert world.ada.rpc(method, **data) == DONE


def test_changes_are_judged_one_after_the_other_each_when_the_one_before_holds() -> None:
    world = World()
    with patch.object(private_rooms, "MAX_MADE", 2), behind(world.chat.find("writer")):
        numbers = [world.ada.send(rpc={"method": "create", "data": {"channel": name}}) for name in ("$one", "$two")]
        world.chat.run()
    world.eve.subscribe("lobby")
    with patch.object(private_rooms, "MAX_MADE", 2):
        world.eve.publish("lobby", "which the writer stores behind it")

    assert [code(reply) for reply in world.ada.replies(*numbers)] == [None, 106]


def test_what_is_under_way_when_the_actor_crashes_is_answered_and_holds_once_it_is_stored() -> None:
    world = World()
    with behind(world.chat.find("writer")):
        number = world.ada.send(rpc={"method": "invite", "data": {"channel": "$tea", "user": "eve"}})
        world.chat.run()
        world.chat.find("invitations").tell(UnheardSignal())
        world.chat.run()
    world.ada.rpc("invite", channel="$tea", user="cleo")

    assert code(world.ada.reply(number)) == 100
    assert "subscribe" in world.eve.subscribe("$tea")


def test_members_are_who_they_were_after_a_restart() -> None:
    world = World(MemoryLog())
    world.ada.rpc("invite", channel="$tea", user="cleo")
    world.enter(world.ada)
    world.ada.rpc("kick", channel="$tea", user="cleo", reason="a test")
    chat = Chat(world.log, tokens=tokens())
    ada, bob, cleo, eve = (chat.user(token(sub=name)) for name in ("ada", "bob", "cleo", "eve"))

    assert ada.subscribe("$tea")["subscribe"]["data"] == {"role": "moderator"}
    assert "subscribe" in bob.subscribe("$tea")
    assert code(cleo.subscribe("$tea")) == code(eve.subscribe("$tea")) == 103


# Who leads it, and who is put out


def test_who_has_made_a_room_moderates_it_and_no_other() -> None:
    world = World()
    world.enter(world.ada, world.bob)
    offset = world.bob.rpc("send", channel="$tea", key="k", text="rude")["rpc"]["data"]["offset"]

    assert "rpc" in world.ada.rpc("delete", channel="$tea", target=offset)
    assert world.ada.rpc("mute", channel="$tea", user="bob") == DONE
    assert code(world.bob.publish("$tea", "but")) == 403
    assert "rpc" in world.ada.rpc("bans", channel="$tea")
    assert code(world.bob.rpc("bans", channel="$tea")) == 103
    assert code(world.ada.rpc("bans", channel="lobby")) == 103


@pytest.mark.parametrize(("method", "unsubscribed"), [("kick", 2101), ("ban", 2102)])
def test_who_is_kicked_or_banned_is_a_member_no_longer_on_any_connection(method: str, unsubscribed: int) -> None:
    world = World()
    another = world.user("bob")
    world.enter(world.ada, world.bob)

    assert world.ada.rpc(method, channel="$tea", user="bob", reason="spam") == DONE

    assert [push["code"] for push in world.bob.pushes("unsubscribe", "$tea")] == [unsubscribed]
    assert notices(world.bob)[-1:] == notices(another) == [{"type": "left", "channel": "$tea"}]
    assert code(world.bob.subscribe("$tea")) == code(another.history("$tea")) == 103
    if method == "kick":
        world.ada.rpc("invite", channel="$tea", user="bob")
        assert "subscribe" in another.subscribe("$tea")


def test_who_enters_while_being_kicked_is_put_out_all_the_same() -> None:
    world = World()
    world.enter(world.ada)
    with behind(world.chat.room("$tea")):
        world.bob.send(subscribe={"channel": "$tea"})
        world.ada.send(rpc={"method": "kick", "data": {"channel": "$tea", "user": "bob", "reason": "spam"}})
        world.chat.run()
    world.ada.publish("$tea", "we go on")

    assert world.bob.pushes("unsubscribe", "$tea") == [{"code": 2101, "reason": "kicked: spam"}]
    assert world.bob.said("$tea") == []


@pytest.mark.parametrize("methods", list(permutations(["kick", "invite"])), ids="-then-".join)
@pytest.mark.parametrize("is_member", [True, False], ids=["of-a-member", "of-a-stranger"])
def test_who_is_kicked_and_invited_at_once_is_what_the_log_says(methods: tuple[str, ...], *, is_member: bool) -> None:
    world = World(MemoryLog())
    cleo = world.user("cleo")
    world.enter(world.ada)
    if is_member:
        world.ada.rpc("invite", channel="$tea", user="cleo")
    with behind(world.chat.find("writer")):
        for method in methods:
            world.ada.send(rpc={"method": method, "data": {"channel": "$tea", "user": "cleo", "reason": "spam"}})
            world.chat.run()
    world.ada.publish("$tea", "and on")

    (room,) = world.log.private_rooms()
    assert ("cleo" in room.members) == ("subscribe" in cleo.subscribe("$tea")) == (methods[-1] == "invite")


def test_a_moderator_of_the_chat_has_no_say_in_a_private_room_that_it_is_not_in() -> None:
    world = World()
    mo = world.user("mo", "admin")

    for method in ("kick", "ban", "mute", "bans", "audit"):
        data = {} if method in {"bans", "audit"} else {"user": "bob", "reason": "because"}
        assert code(mo.rpc(method, channel="$tea", **data)) == 103
    world.ada.rpc("invite", channel="$tea", user="mo")
    assert mo.rpc("kick", channel="$tea", user="bob", reason="because") == DONE


# Leaving, and what is kept


def mine(client: Client) -> list[tuple[str, int, str]]:
    rooms = client.rpc("mine")["rpc"]["data"]["rooms"]
    return [(room["channel"], room["unread"], room.get("topic", "")) for room in rooms]


def test_who_leaves_is_a_member_no_longer_on_any_connection_and_is_told_once() -> None:
    world = World()
    another = world.user("bob")
    world.enter(world.ada, world.bob, another)

    assert world.bob.rpc("leave", channel="$tea") == DONE

    for client in (world.bob, another):
        assert client.pushes("unsubscribe", "$tea") == [{"code": 2104, "reason": "left"}]
        assert notices(client)[-1:] == [{"type": "left", "channel": "$tea"}]
        assert [notice["type"] for notice in notices(client)].count("left") == 1
        assert code(client.subscribe("$tea")) == 103
    assert mine(world.bob) == []
    assert len(world.ada.pushes("leave", "$tea")) == 2


def test_members_have_a_place_in_the_room_with_what_it_is_about() -> None:
    world = World()
    world.enter(world.ada)
    world.ada.rpc("topic", channel="$tea", topic="all about tea")
    world.ada.rpc("send", channel="$tea", key="k", text="hello")

    assert mine(world.bob) == [("$tea", 1, "all about tea")]
    assert mine(world.ada) == [("$tea", 0, "all about tea")]
    world.ada.rpc("kick", channel="$tea", user="bob", reason="a test")
    assert mine(world.bob) == []


def test_to_leave_what_one_is_no_member_of_is_the_same_whether_it_exists_or_not() -> None:
    world = World()

    for channel in ("$tea", "$no-such-room"):
        assert world.eve.rpc("leave", channel=channel) == DONE
    assert "subscribe" in world.ada.subscribe("$tea")


# Nobody else can tell that there is one

EVE_TRIES: Final[list[dict[str, Any]]] = [
    {"subscribe": {}},
    {"subscribe": {"recover": True, "offset": 1, "epoch": "x"}},
    {"subscribe": {"token": "forged"}},
    {"unsubscribe": {}},
    {"publish": {"data": 1}},
    {"presence": {}},
    {"presence_stats": {}},
    {"history": {"limit": 1}},
    {"history": {"limit": 1, "since": {"offset": 9, "epoch": "x"}, "reverse": True}},
    {"sub_refresh": {"token": "forged"}},
]

RPC_DATA: Final[dict[str, Any]] = {
    "key": "k",
    "text": "hello",
    "target": 1,
    "emoji": "+",
    "topic": "tea",
    "user": "bob",
    "reason": "a test",
    "kind": "handler",
    "query": "tea",
    "on": True,
    "offset": 1,
    "users": ["bob"],
}
"""What any rpc method wants; what it does not know it passes over."""

METHODS: Final = sorted(CHAOS_METHODS.keys() - {"create"})
"""All methods but the one that says that a name is taken: who makes rooms can try whether it is."""

for _method in METHODS:
    EVE_TRIES.append({"rpc": {"method": _method, "data": RPC_DATA}})


def tried(client: Client, command: dict[str, Any], channel: str) -> dict[str, Any]:
    """Have a command done in a channel, and return the reply as if it had another name."""
    ((kind, body),) = command.items()
    body = {**body, "data": {**body["data"], "channel": channel}} if kind == "rpc" else {**body, "channel": channel}
    reply: dict[str, Any] = json.loads(json.dumps(client.ask(**{kind: body})).replace(channel, "$it"))
    return reply


@settings(max_examples=60, deadline=None)
@given(
    commands=st.lists(st.sampled_from(EVE_TRIES), min_size=1, max_size=6),
    role=st.sampled_from(["guest", "member", "moderator", "admin"]),
    is_open=st.booleans(),
)
def test_who_is_no_member_cannot_tell_a_private_room_from_none(
    *, commands: list[dict[str, Any]], role: str, is_open: bool
) -> None:
    world = World(chaos=True)
    world.enter(*([world.ada, world.bob] if is_open else []))
    if is_open:
        world.ada.publish("$tea", "between us")
    before = world.chat.open_rooms()
    eve = world.chat.connect("Eve") if role == "guest" else world.user("eva", role)
    for command in commands:
        assert tried(eve, command, "$tea") == tried(eve, command, "$no-such-room")

    assert eve.close_code is None
    assert world.chat.open_rooms() == before
    assert eve.pushes("pub", "$tea") == []


def test_these_are_all_commands() -> None:
    tried_methods = {command["rpc"]["method"] for command in EVE_TRIES if "rpc" in command}

    assert tried_methods == CHAOS_METHODS.keys() - {"create"}
    assert {kind for command in EVE_TRIES for kind in command} == {
        "subscribe",
        "unsubscribe",
        "publish",
        "presence",
        "presence_stats",
        "history",
        "sub_refresh",
        "rpc",
    }


def test_private_rooms_are_in_no_list_and_found_by_nothing() -> None:
    world = World()
    world.enter(world.ada, world.bob)
    world.ada.rpc("topic", channel="$tea", topic="tea")

    for client in (world.eve, world.ada):
        for query in ({}, {"query": "tea"}):
            assert client.rpc("rooms", **query) == {"rpc": {"data": {"rooms": []}}}


# The server API


def test_the_server_api_works_in_a_private_room() -> None:
    world = World()
    world.enter(world.ada)

    world.chat.call(ApiPublish(channel="$tea", data=Raw(b'"from the server"')))

    assert world.ada.said("$tea") == ["from the server"]
    assert len(world.chat.call(ApiHistory(channel="$tea", limit=9)).publications) == 1
    assert len(world.chat.call(ApiPresence(channel="$tea")).presence) == 1
