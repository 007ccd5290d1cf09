"""What a room is about: an entry like others, and known to whoever comes later."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import Raw

from actors.messages import CatchUp
from chat import server_api
from chat.errors import CommandError
from chat.log import Draft, LogError, MemoryLog, Topic
from chat.protocol.publications import topic_data
from tests.fakes import ANN, NOON_MS, Chat, Client, FakeLog
from tests.tokens import token, tokens


def code(reply: dict[str, Any]) -> int | None:
    found: int | None = reply.get("error", {}).get("code")
    return found


def member(chat: Chat, sub: str = "ada", channel: str = "lobby", role: str = "member") -> Client:
    client = chat.user(token(sub=sub, meta={"role": role}))
    client.subscribe(channel)
    return client


def world(log: MemoryLog | FakeLog | None = None, **options: Any) -> tuple[Chat, Client]:
    chat = Chat(log, tokens=tokens(), **options)
    return chat, member(chat)


def test_everybody_in_the_room_hears_of_it_and_it_has_an_offset() -> None:
    chat, ada = world()
    bob = member(chat, "bob")

    reply = ada.rpc("topic", channel="lobby", topic="Tea, and all about it")["rpc"]["data"]

    assert (reply["offset"], reply["time"]) == (1, NOON_MS)
    assert bob.said() == [{"type": "topic", "topic": "Tea, and all about it", "time": NOON_MS}]
    assert bob.publications()[0]["info"]["user"] == "ada"


def test_who_comes_later_knows_it_from_the_reply_to_subscribe_and_from_the_list() -> None:
    chat, ada = world()
    chat.connect("Ann").subscribe("plain")
    ada.rpc("topic", channel="lobby", topic="tea")
    ada.publish("lobby", "hello")

    assert member(chat, "bob").hello["subs"].keys() == {"user#bob"}
    cleo = chat.user(token(sub="cleo", meta={"role": "moderator"}, channels=["lobby"]))
    assert cleo.hello["subs"]["lobby"]["data"] == {"role": "moderator", "topic": "tea"}
    assert chat.connect("Dora").subscribe("lobby")["subscribe"]["data"] == {"topic": "tea"}
    assert "data" not in chat.connect("Emil").subscribe("plain")["subscribe"]
    assert ada.rpc("rooms")["rpc"]["data"]["rooms"] == [
        {"channel": "lobby", "clients": 4, "topic": "tea"},
        {"channel": "plain", "clients": 2},
    ]


def test_a_topic_can_be_taken_away() -> None:
    chat, ada = world()
    for topic in ("tea", ""):
        ada.rpc("topic", channel="lobby", topic=topic)

    assert "data" not in chat.connect("Ann").subscribe("lobby")["subscribe"]
    assert "topic" not in ada.rpc("rooms")["rpc"]["data"]["rooms"][0]


def test_it_stays_when_the_room_crashes_the_directory_crashes_and_the_chat_restarts() -> None:
    log = MemoryLog()
    chat, ada = world(log)
    ada.rpc("topic", channel="lobby", topic="tea")
    chat.crash_room("lobby")
    after_crash = chat.connect("Ann").subscribe("lobby")["subscribe"]["data"]
    chat.find("rooms").tell(object())
    chat.run()
    _, bob = world(log)

    assert after_crash == {"topic": "tea"}
    assert bob.rpc("rooms")["rpc"]["data"]["rooms"][0]["topic"] == "tea"


def test_it_stays_when_its_entry_is_gone() -> None:
    chat, ada = world()
    ada.rpc("topic", channel="lobby", topic="tea")
    chat.call(server_api.HistoryRemove(channel="lobby"))
    chat.crash_room("lobby")

    assert chat.connect("Ann").subscribe("lobby")["subscribe"]["data"] == {"topic": "tea"}


def test_a_topic_of_which_the_room_was_not_told_is_known_when_it_has_caught_up() -> None:
    log = MemoryLog()
    chat, ada = world(log)
    ada.publish("lobby", "hello")
    log.append([Draft("lobby", "", ANN, NOON_MS, topic_data("tea", NOON_MS), Topic("tea"))])
    chat.room("lobby").tell(CatchUp())
    chat.run()

    assert chat.connect("Ann").subscribe("lobby")["subscribe"]["data"] == {"topic": "tea"}
    assert ada.said()[1:] == [{"type": "topic", "topic": "tea", "time": NOON_MS}]


@pytest.mark.parametrize("topic", ["x" * 251, "a\nb", "a\u202eb", 5, None])
def test_what_is_no_topic_is_refused(topic: Any) -> None:
    _, ada = world()

    assert code(ada.rpc("topic", channel="lobby", topic=topic)) == 107
    assert "rpc" in ada.rpc("topic", channel="lobby", topic="x" * 250)


def test_guests_do_not_say_what_a_public_room_is_about_nor_who_may_not_write_there() -> None:
    chat, _ = world(rooms={"news": {"send": "moderator"}})
    ann = chat.member("lobby", name="Ann")

    assert code(ann.rpc("topic", channel="lobby", topic="tea")) == 103
    assert code(member(chat, "bob", "news").rpc("topic", channel="news", topic="tea")) == 103
    assert code(ann.rpc("topic", channel="elsewhere", topic="tea")) == 103


@pytest.mark.parametrize("data", [{"type": "topic"}, {"type": "topic", "topic": "tea", "time": 1}])
def test_nothing_that_is_published_reads_as_a_topic(data: dict[str, Any]) -> None:
    chat, ada = world()

    assert code(ada.publish("lobby", data)) == 107
    with pytest.raises(CommandError):
        chat.call(server_api.Publish(channel="lobby", data=Raw(b'{"type":"topic","topic":"tea","time":1}')))


def test_a_message_that_looks_like_one_changes_no_topic() -> None:
    chat, ada = world()
    ada.rpc("send", channel="lobby", key="k", text='{"type":"topic","topic":"tea","time":1}')

    assert "data" not in chat.connect("Ann").subscribe("lobby")["subscribe"]


def test_plain_text_clients_see_nothing_of_it() -> None:
    chat, ada = world()
    text = chat.text("7")

    ada.rpc("topic", channel="lobby", topic="tea")
    ada.publish("lobby", "hello")

    assert [line for line in text.lines if "tea" in line] == []
    assert len(text.lines) == 1


# Looking for rooms


def test_rooms_are_found_by_name_or_topic_open_or_not() -> None:
    chat, ada = world(room_idle_s=5.0)
    for channel, topic in (("garden", "all about Tea"), ("teatime", ""), ("music", "songs")):
        other = member(chat, "bob", channel)
        other.rpc("topic", channel=channel, topic=topic)
        other.hang_up()
    chat.connect("Ann").subscribe("teahouse")  # in which nothing was said
    chat.advance(6)

    def found(query: str, **more: Any) -> list[dict[str, Any]]:
        rooms: list[dict[str, Any]] = ada.rpc("rooms", query=query, **more)["rpc"]["data"]["rooms"]
        return rooms

    assert chat.open_rooms() == {"lobby", "teahouse"}
    assert found("tea") == [
        {"channel": "teahouse", "clients": 1},
        {"channel": "garden", "clients": 0, "topic": "all about Tea"},
        {"channel": "teatime", "clients": 0},
    ]
    assert [room["channel"] for room in found("TEA", limit=1)] == ["teahouse"]
    assert found("nothing") == []


def test_rooms_that_one_may_not_enter_are_not_found() -> None:
    chat, ada = world(rooms={"staff*": {"join": "moderator"}})
    member(chat, "mo", "staff-tea", "moderator").publish("staff-tea", "hello")

    assert ada.rpc("rooms", query="tea")["rpc"]["data"]["rooms"] == []
    assert len(member(chat, "mo", role="moderator").rpc("rooms", query="tea")["rpc"]["data"]["rooms"]) == 1


@pytest.mark.parametrize("asked", [{"query": ""}, {"query": "x" * 65}, {"query": "\n"}, {"limit": 0}, {"query": " "}])
def test_what_cannot_be_looked_for_is_refused(asked: dict[str, Any]) -> None:
    assert code(world()[1].rpc("rooms", **asked)) == 107


def test_where_the_log_cannot_be_read_nothing_is_found_and_it_is_said() -> None:
    log = FakeLog()
    chat, ada = world(log)
    log.read_errors.append(LogError("the disk is gone"))

    assert code(ada.rpc("rooms", query="tea")) == 100
    assert ada.rpc("rooms", query="lobby")["rpc"]["data"]["rooms"] == [{"channel": "lobby", "clients": 1}]
    assert chat.system.health().status == "ok"
