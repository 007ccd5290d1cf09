"""rpc `search`: who finds what, and what a query may be."""

from __future__ import annotations

import itertools
from typing import Any
from unittest.mock import patch

import pytest
from structlog.testing import capture_logs

from actors.journal import INDEX_REST, INDEX_STEP, TRIM_INTERVAL_S
from actors.messages import Trim
from chat.log import LogError
from chat.policy import Action
from chat.tokens import Role
from tests.fakes import NOON_MS, Chat, Client, FakeLog, behind
from tests.tokens import token, tokens

DENIED = {"error": {"code": 103, "message": "permission denied"}}


def chat(rooms: dict[str, dict[str, Any]] | None = None, **options: Any) -> Chat:
    return Chat(tokens=tokens(), rooms=rooms or {}, **options)


def user(world: Chat, name: str, role: str = "member", **claims: Any) -> Client:
    return world.user(token({"sub": name, "meta": {"role": role}, **claims}))


def said(client: Client, channel: str, *texts: str) -> None:
    client.subscribe(channel)
    for text in texts:
        assert "rpc" in client.rpc("send", channel=channel, key=f"{channel} {text}"[:64], text=text)


def search(client: Client, query: str = "", **given: Any) -> dict[str, Any]:
    found: dict[str, Any] = client.rpc("search", query=query, **given)["rpc"]["data"]
    return found


def found(client: Client, query: str = "", **given: Any) -> list[tuple[str, int]]:
    return [(one["channel"], one["offset"]) for one in search(client, query, **given)["results"]]


def test_a_message_is_found_as_soon_as_it_is_acknowledged_by_anybody_in_any_room() -> None:
    world = chat()
    ada, guest = user(world, "ada"), world.connect("Guest")
    said(ada, "lobby", "hello world")

    assert search(guest, "hello") == {
        "results": [
            {
                "channel": "lobby",
                "offset": 1,
                "data": {"type": "message", "key": "lobby hello world", "text": "hello world", "time": NOON_MS},
                "info": {"user": "ada", "client": ada.id, "conn_info": {"name": "ada"}},
                "time": NOON_MS,
            }
        ]
    }


def test_what_was_edited_is_found_by_its_new_text_at_once_and_what_was_deleted_is_gone() -> None:
    world = chat()
    ada = user(world, "ada")
    said(ada, "lobby", "one apple", "one pear")

    world.advance(1)
    ada.rpc("edit", channel="lobby", target=1, text="one cherry")
    ada.rpc("delete", channel="lobby", target=2)

    assert found(ada, "apple") == found(ada, "pear") == []
    (result,) = search(ada, "one")["results"]
    assert (result["data"]["text"], result["edited"]) == ("one cherry", NOON_MS + 1_000)


def test_the_pages_of_a_search_follow_each_other() -> None:
    ada = user(chat(), "ada")
    said(ada, "lobby", *(f"hello {number}" for number in range(5)))

    first = search(ada, "hello", limit=3)
    second = search(ada, "hello", limit=3, before=first["before"])

    assert [[one["offset"] for one in page["results"]] for page in (first, second)] == [[5, 4, 3], [2, 1]]
    assert "before" not in second


def test_a_page_has_at_most_50_messages_and_at_most_as_many_bytes_as_a_reply_may_have() -> None:
    world = chat(max_backlog_bytes=8_000)
    ada = user(world, "ada")
    said(ada, "lobby", *(f"hello {number}" for number in range(60)))
    said(ada, "garden", *(f"good {number} {'x' * 1_500}" for number in range(4)))

    assert len(found(ada, "hello", limit=1_000)) == 50
    page = search(ada, "good")
    assert [one["offset"] for one in page["results"]] == [4, 3]
    assert found(ada, "good", before=page["before"]) == [("garden", 2), ("garden", 1)]


def test_filters_need_no_words() -> None:
    world = chat()
    ada, bob = user(world, "ada"), user(world, "bob")
    said(ada, "lobby", "one")
    world.advance(10)
    said(bob, "lobby", "two")
    said(bob, "garden", "three")

    assert found(ada, channel="lobby") == [("lobby", 2), ("lobby", 1)]
    assert found(ada, user="bob", channel="lobby") == [("lobby", 2)]
    assert found(ada, until=NOON_MS) == [("lobby", 1)]
    assert found(ada, "t", since=NOON_MS + 1) == []
    assert found(ada, "tw", since=NOON_MS + 1) == [("lobby", 2)]


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"query": ""},
        {"query": " \n"},
        {"query": "x" * 201},
        {"query": "x", "limit": 0},
        {"query": "x", "before": -1},
        {"query": "x", "since": "yesterday"},
        {"query": "x", "channel": "a\nb"},
        {"query": 1},
    ],
)
def test_what_cannot_be_asked_is_a_bad_request(data: dict[str, Any]) -> None:
    ada = user(chat(), "ada")

    assert ada.rpc("search", **data)["error"]["code"] == 107
    assert ada.close_code is None


@pytest.mark.parametrize("query", ["!?", '"', '""', "*", "\0"])
def test_a_query_without_words_finds_nothing(query: str) -> None:
    ada = user(chat(), "ada")
    said(ada, "lobby", "hello")

    assert search(ada, query, channel="lobby") == {"results": []}


# Rights


def test_rooms_that_one_may_not_enter_are_not_searched() -> None:
    world = chat({"staff-*": {"join": "moderator"}})
    said(user(world, "mo", "moderator"), "staff-1", "hello staff")
    ada, there = user(world, "ada"), user(world, "ed", meta={"role": "member", "rooms": {"staff-1": "moderator"}})

    assert found(ada, "hello") == []
    assert ada.rpc("search", query="hello", channel="staff-1") == DENIED
    assert found(there, "hello") == found(there, "hello", channel="staff-1") == [("staff-1", 1)]


def test_a_private_room_is_searched_by_those_who_are_in_it_by_a_token_as_long_as_they_are() -> None:
    world = chat()
    ada, bob = user(world, "ada"), user(world, "bob", "admin")
    ada.subscribe("$tea", token=token({"sub": "ada", "channel": "$tea"}))
    ada.rpc("send", channel="$tea", key="k", text="hello tea")

    assert found(ada, "hello") == found(ada, "hello", channel="$tea") == [("$tea", 1)]
    assert found(bob, "hello") == []
    assert bob.rpc("search", query="hello", channel="$tea") == DENIED
    assert bob.rpc("search", query="hello", channel="$none") == DENIED

    ada.ask(unsubscribe={"channel": "$tea"})
    assert found(ada, "hello") == []


def test_a_private_room_is_searched_by_its_members_as_long_as_they_are() -> None:
    world = chat()
    ada, bob, root = user(world, "ada"), user(world, "bob"), user(world, "root", "admin")
    ada.rpc("create", channel="$tea")
    said(ada, "$tea", "hello tea")

    assert found(ada, "hello") == [("$tea", 1)]
    assert found(bob, "hello") == found(root, "hello") == []
    assert bob.rpc("search", query="hello", channel="$tea") == DENIED
    ada.rpc("invite", channel="$tea", user="bob")
    assert found(bob, "hello") == found(bob, "hello", channel="$tea") == [("$tea", 1)]
    bob.rpc("leave", channel="$tea")
    assert found(bob, "hello") == []
    assert bob.rpc("search", query="hello", channel="$tea") == DENIED


@pytest.mark.parametrize("role", ["member", "admin"])
def test_a_direct_conversation_is_searched_by_those_whom_it_names_and_nobody_else(role: str) -> None:
    world = chat()
    ada, bob, eve = (user(world, name, role) for name in ("ada", "bob", "eve"))
    said(ada, "dm#ada,bob", "hello bob")

    assert found(ada, "hello") == found(bob, "hello") == found(bob, channel="dm#ada,bob") == [("dm#ada,bob", 1)]
    assert found(eve, "hello") == found(eve, user="ada") == []
    assert eve.rpc("search", query="hello", channel="dm#ada,bob") == DENIED


def test_a_personal_channel_is_no_room_to_search_in() -> None:
    world = chat()
    ada = user(world, "ada", "admin")

    assert ada.rpc("search", query="hello", channel="user#ada") == DENIED
    assert ada.rpc("search", query="hello", channel="user#bob") == DENIED


def test_who_is_in_a_room_without_a_token_finds_there_what_the_table_lets_them_read() -> None:
    ada = user(chat(), "ada")
    said(ada, "lobby", "hello")

    with patch.dict("chat.policy.POLICY", {Action.READ: Role.MODERATOR}):
        assert found(ada, "hello") == []
    assert found(ada, "hello") == [("lobby", 1)]


def test_who_is_banned_from_a_room_finds_nothing_of_it_until_that_is_over() -> None:
    world = chat()
    mo, eve = user(world, "mo", "moderator"), user(world, "eve")
    said(mo, "lobby", "hello lobby")
    said(mo, "garden", "hello garden")
    mo.rpc("ban", channel="lobby", user="eve", reason="x", until=NOON_MS + 60_000)

    assert found(eve, "hello") == [("garden", 1)]
    assert eve.rpc("search", query="hello", channel="lobby") == DENIED
    world.advance(61)
    assert found(eve, "hello") == [("garden", 1), ("lobby", 1)]


def test_a_ban_does_not_hold_against_an_equal() -> None:
    world = chat()
    mo, eve = user(world, "mo", "moderator"), user(world, "eve")
    said(mo, "lobby", "hello")
    mo.rpc("ban", channel="lobby", user="eve", reason="x")

    assert found(eve, "hello") == []
    assert found(user(world, "eve", "moderator"), "hello") == [("lobby", 1)]


def test_a_search_opens_no_room() -> None:
    world = chat(room_idle_s=1.0)
    ada = user(world, "ada")
    said(ada, "lobby", "hello")
    ada.ask(unsubscribe={"channel": "lobby"})
    world.advance(5)

    assert found(ada, "hello", channel="lobby") == [("lobby", 1)]
    assert found(ada, "hello", channel="elsewhere") == []
    assert world.open_rooms() == set()


def test_trouble_of_the_log_is_answered_and_nothing_else_is_lost() -> None:
    log = FakeLog()
    world = chat(log=log)
    ada = user(world, "ada")
    said(ada, "lobby", "hello")
    log.read_errors.append(LogError("the disk is gone"))

    assert ada.rpc("search", query="hello")["error"]["code"] == 100
    assert found(ada, "hello") == [("lobby", 1)]


# The index


def test_what_is_left_from_before_is_indexed_at_once_while_there_is_nothing_else_to_do() -> None:
    log = FakeLog()
    log.indexings += [3 * INDEX_STEP, 2 * INDEX_STEP, INDEX_STEP, INDEX_STEP - 1]

    chat(log=log)

    assert log.indexed == 4


def test_the_writer_indexes_when_a_step_s_worth_was_stored_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.journal.INDEX_STEP", 3)
    log = FakeLog()
    log.indexings += [1, 0]
    ada = user(chat(log=log), "ada")

    said(ada, "lobby", "one")
    assert log.indexed == 1
    said(ada, "lobby", "two")
    assert log.indexed == 2


def test_a_step_in_somebody_s_way_is_followed_by_none_for_nine_times_as_long_as_it_took(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("actors.journal.INDEX_STEP", 1)
    monkeypatch.setattr("actors.writer.perf_counter", itertools.count().__next__)  # so a step takes a second
    log = FakeLog()
    world = chat(log=log)
    ada, bob = user(world, "ada"), user(world, "bob")
    for member in (ada, bob):
        member.subscribe("lobby")
    writer, before = world.find("writer"), log.indexed
    log.indexings += [1]

    with behind(writer):
        for member in (ada, bob):
            member.send(publish={"channel": "lobby", "data": 1})
            world.run()
    writer.tell(Trim(world.find("journal"), []))
    world.run()

    assert len(log.batches) == 2
    assert log.indexed == before + 1
    world.advance(INDEX_REST - 0.1)
    assert log.indexed == before + 1
    world.advance(0.2)
    assert log.indexed == before + 2


@pytest.mark.parametrize("trouble", [LogError("disk full"), ValueError("a bug")])
def test_an_index_step_that_fails_is_logged_and_tried_again_later(trouble: Exception) -> None:
    log = FakeLog()
    log.indexings += [trouble]

    with capture_logs() as logs:
        world = chat(log=log)
    ada = user(world, "ada")
    said(ada, "lobby", "hello")

    assert [line["log_level"] for line in logs if "Index" in line.values()] == ["error"]
    assert found(ada, "hello") == [("lobby", 1)]
    assert log.indexed == 1
    world.advance(TRIM_INTERVAL_S)
    assert log.indexed == 2
    assert world.failures == []
