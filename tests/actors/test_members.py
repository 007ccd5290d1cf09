"""Who is in a room or belongs there, and who looks elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from actors.room import AWAY_TOLD_EVERY_S
from chat.log import LogError
from tests.fakes import Chat, Client, FakeLog
from tests.tokens import token, tokens

TOLD_S = AWAY_TOLD_EVERY_S + 0.1
SETTLED_S = 11.0


def code(reply: dict[str, Any]) -> int | None:
    found: int | None = reply.get("error", {}).get("code")
    return found


def user(chat: Chat, sub: str, channel: str = "lobby") -> Client:
    client = chat.user(token(sub=sub, info={"name": sub.title()}))
    client.subscribe(channel)
    return client


def world(*subs: str, **options: Any) -> tuple[Chat, list[Client]]:
    chat = Chat(tokens=tokens(), **options)
    clients = [user(chat, sub) for sub in subs]
    chat.advance(SETTLED_S)
    return chat, clients


def members(client: Client, channel: str = "lobby") -> list[tuple[str, str, str]]:
    found = client.rpc("members", channel=channel)["rpc"]["data"]["members"]
    return [(person["user"], person["name"], person["state"]) for person in found]


def states(client: Client, channel: str = "lobby") -> list[tuple[str, str]]:
    """What the client was told of who looks elsewhere."""
    return [
        (pub["info"]["user"], pub["data"]["state"])
        for pub in client.pushes("pub", channel)
        if isinstance(pub["data"], dict) and pub["data"].get("type") == "presence"
    ]


def away(chat: Chat, client: Client, *, on: bool = True) -> None:
    assert client.rpc("away", on=on) == {"rpc": {"data": {}}}
    chat.advance(TOLD_S)


# Members


def test_each_user_is_listed_once() -> None:
    chat, (ada, _) = world("ada", "bob")
    user(chat, "ada")

    assert members(ada) == [("ada", "Ada", "online"), ("bob", "Bob", "online")]


def test_of_a_private_room_also_those_who_are_not_there() -> None:
    chat, (ada, _) = world("ada", "bob")
    ada.rpc("create", channel="$tea")
    for invited in ("bob", "cleo"):
        ada.rpc("invite", channel="$tea", user=invited)
    user(chat, "bob", "$tea")

    listed = members(ada, "$tea")

    assert [(who, state) for who, _, state in listed] == [("bob", "online"), ("ada", "offline"), ("cleo", "offline")]


def test_who_has_read_there_and_never_said_anything_is_known_by_name() -> None:
    chat, (ada, _) = world("ada", "bob")
    ada.rpc("create", channel="$tea")
    ada.rpc("invite", channel="$tea", user="bob")
    bob = user(chat, "bob", "$tea")
    bob.rpc("read", channel="$tea", offset=0)
    bob.hang_up()

    assert ("bob", "Bob", "offline") in members(ada, "$tea")


def test_it_takes_what_presence_takes() -> None:
    chat, (ada, bob) = world("ada", "bob", presence_limit=1, rooms={"quiet": {"presence": False}})

    assert code(ada.rpc("members", channel="lobby")) == 106
    assert code(ada.rpc("members", channel="quiet")) == 108
    assert code(bob.rpc("members", channel="$tea")) == 103
    assert chat.open_rooms() == {"lobby", "quiet"}


def test_those_who_are_not_there_have_the_names_under_which_they_said_something_last() -> None:
    _, (ada, bob) = world("ada", "bob")
    ada.subscribe("dm#ada,bob")
    bob.publish("lobby", "hello")
    bob.hang_up()

    assert members(ada, "dm#ada,bob") == [("ada", "Ada", "online"), ("bob", "Bob", "offline")]


def test_where_the_log_cannot_be_read_it_is_said() -> None:
    log = FakeLog()
    chat = Chat(log, tokens=tokens())
    ada = user(chat, "ada")
    ada.subscribe("dm#ada,bob")
    log.read_errors += [LogError("the disk is gone")] * 2

    assert code(ada.rpc("members", channel="dm#ada,bob")) == 100
    assert code(ada.rpc("names", users=["bob"])) == 100
    assert members(ada, "dm#ada,bob")[1] == ("bob", "bob", "offline")


# Names


def names(client: Client, *users: str) -> dict[str, str]:
    found: dict[str, str] = client.rpc("names", users=users)["rpc"]["data"]["names"]
    return found


def test_names_are_of_those_who_are_connected_or_have_said_something() -> None:
    chat, (ada, bob) = world("ada", "bob")
    guest = chat.connect("Gus")
    bob.publish("lobby", "hello")
    bob.hang_up()
    gus = guest.hello["data"]["user"]

    assert names(ada, "ada", "bob", "nobody", gus) == {"ada": "Ada", "bob": "Bob", gus: "Gus"}
    assert names(ada, "ada") == {"ada": "Ada"}
    assert names(ada) == {}


def test_a_name_is_that_of_the_connection_that_came_last() -> None:
    chat, (ada, bob) = world("ada", "bob")
    second = chat.user(token(sub="bob", info={"name": "Robert"}))
    both = names(ada, "bob")
    for client in (bob, second):
        client.hang_up()

    assert both == {"bob": "Robert"}
    assert names(ada, "bob") == {}


def test_names_are_known_after_a_crash_of_the_clients_supervisor() -> None:
    chat, (ada, _) = world("ada", "bob")
    chat.find("clients").tell(object())
    chat.run()

    assert names(ada, "bob") == {"bob": "Bob"}


@pytest.mark.parametrize("users", [["x"] * 101, [""], ["a\nb"], "ada", None])
def test_what_cannot_be_asked_for_is_refused(users: Any) -> None:
    assert code(world("ada")[1][0].rpc("names", users=users)) == 107


# Away


def test_the_others_are_told_who_looks_elsewhere_and_who_is_back() -> None:
    chat, (ada, bob) = world("ada", "bob")
    away(chat, ada)
    before = members(bob)
    away(chat, ada, on=False)

    assert before[0] == ("ada", "Ada", "away")
    assert states(bob) == [("ada", "away"), ("ada", "online")]
    assert all("offset" not in pub for pub in bob.pushes("pub"))
    assert members(bob)[0] == ("ada", "Ada", "online")


def test_a_user_is_away_when_all_connections_in_the_room_are() -> None:
    chat, (ada, bob) = world("ada", "bob")
    other = user(chat, "ada")
    away(chat, ada)
    one_is = states(bob), members(bob)[0][2]
    away(chat, other)
    both_are = states(bob)
    away(chat, ada, on=False)

    assert one_is == ([], "online")
    assert both_are == [("ada", "away")]
    assert states(bob) == [("ada", "away"), ("ada", "online")]


def test_a_connection_that_comes_or_goes_changes_what_its_user_is() -> None:
    chat, (ada, bob) = world("ada", "bob")
    other = user(chat, "ada")
    away(chat, ada)
    other.hang_up()
    chat.advance(TOLD_S)
    left_alone = states(bob)
    user(chat, "ada")
    chat.advance(TOLD_S)

    assert left_alone == [("ada", "away")]
    assert states(bob) == [("ada", "away"), ("ada", "online")]


def test_who_looks_elsewhere_and_enters_a_room_is_away_there() -> None:
    chat, (ada, bob) = world("ada", "bob")
    bob.subscribe("tea")
    chat.advance(SETTLED_S)
    away(chat, ada)
    ada.subscribe("tea")
    chat.advance(TOLD_S)

    assert states(bob, "tea") == [("ada", "away")]


@pytest.mark.parametrize("is_alone", [True, False])
def test_who_was_away_and_is_away_on_a_connection_that_enters_is_said_to_be_again(*, is_alone: bool) -> None:
    chat, (ada, bob) = world("ada", "bob")
    away(chat, ada)
    again = chat.user(token(sub="ada", info={"name": "Ada"}))
    away(chat, again)
    if is_alone:
        ada.hang_up()

    again.subscribe("lobby")
    chat.advance(TOLD_S)

    assert states(bob) == [("ada", "away"), ("ada", "away")]  # between them is a join, as of who is at hand


def test_who_looks_away_and_back_at_once_is_not_talked_of() -> None:
    chat, (ada, bob) = world("ada", "bob")
    for on in (True, False, True, False):
        ada.rpc("away", on=on)
    chat.advance(TOLD_S)

    assert states(bob) == []


def test_who_has_left_is_not_talked_of() -> None:
    chat, (ada, bob) = world("ada", "bob")
    ada.rpc("away", on=True)
    ada.hang_up()
    chat.advance(TOLD_S)

    assert states(bob) == []
    assert members(bob) == [("bob", "Bob", "online")]


def test_after_a_crash_of_the_room_everybody_is_what_they_were() -> None:
    chat, (ada, bob, cleo) = world("ada", "bob", "cleo")
    away(chat, ada)
    away(chat, bob)
    chat.crash_room("lobby")
    away(chat, bob, on=False)
    chat.advance(SETTLED_S)

    assert [state for _, _, state in members(cleo)] == ["away", "online", "online"]
    told = dict(states(cleo))  # the last of each
    assert told == {"ada": "away", "bob": "online"}


@pytest.mark.parametrize("options", [{"presence_limit": 1}, {"rooms": {"*": {"presence": False}}}])
def test_where_nobody_is_told_who_comes_and_goes_nobody_is_told_who_looks_elsewhere(options: dict[str, Any]) -> None:
    chat, (ada, bob) = world("ada", "bob", **options)
    away(chat, ada)

    assert states(bob) == []


def test_plain_text_clients_are_told_nothing_of_it() -> None:
    chat, (ada,) = world("ada")
    text = chat.text("7")
    away(chat, ada)

    assert text.lines == []


def test_a_room_of_which_all_look_away_at_once_costs_each_member_one_write() -> None:
    count = 100
    chat, clients = world(*(f"user-{number:03}" for number in range(count)))
    for client in clients:
        client.forget()
        client.transport.writes = 0
        client.send(rpc={"method": "away", "data": {"on": True}})
    chat.run()
    chat.advance(TOLD_S)

    assert len(states(clients[0])) == count
    assert {client.transport.writes for client in clients} == {2}  # the reply, and one for all that there is to tell
