"""Rooms of different classes: who may enter, read and write, and what each keeps and shows."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from chat import server_api
from chat.log import LogError
from tests.fakes import NOON_MS, Chat, Client, FakeLog, Unheard, behind
from tests.tokens import token, tokens

NOON = NOON_MS // 1000
TRIM_S = 61.0
DENIED = {"error": {"code": 103, "message": "permission denied"}}
LIMIT = {"error": {"code": 106, "message": "limit exceeded"}}
NOT_AVAILABLE = {"error": {"code": 108, "message": "not available"}}

ANNOUNCEMENTS = {"news-*": {"send": "moderator"}}
STAFF = {"staff-*": {"join": "member"}}


def chat(rooms: dict[str, dict[str, Any]], **options: Any) -> Chat:
    return Chat(tokens=tokens(), rooms=rooms, **options)


def user(world: Chat, name: str, role: str = "member", **claims: Any) -> Client:
    return world.user(token({"sub": name, "meta": {"role": role}, **claims}))


def entered(client: Client, channel: str, **options: Any) -> Client:
    assert "subscribe" in client.subscribe(channel, **options)
    return client


def send(client: Client, channel: str, text: str = "hello", key: str = "k") -> dict[str, Any]:
    return client.rpc("send", channel=channel, key=key, text=text)


# Who may enter and read

READS = [
    {"subscribe": {"channel": "staff-1"}},
    {"subscribe": {"channel": "staff-1", "recover": True, "offset": 1, "epoch": ""}},
    {"history": {"channel": "staff-1", "limit": 1}},
    {"presence": {"channel": "staff-1"}},
    {"presence_stats": {"channel": "staff-1"}},
    {"rpc": {"method": "messages", "data": {"channel": "staff-1"}}},
    {"publish": {"channel": "staff-1", "data": 1}},
    {"rpc": {"method": "typing", "data": {"channel": "staff-1"}}},
]


@pytest.mark.parametrize("command", READS, ids=json.dumps)
def test_a_room_that_one_may_not_enter_is_as_one_that_needs_a_token_and_as_if_it_did_not_exist(
    command: dict[str, Any],
) -> None:
    with_it, without_it = chat(STAFF), chat(STAFF, max_rooms=1)
    entered(user(with_it, "ada"), "staff-1").publish("staff-1", "secret")
    entered(user(without_it, "ada"), "elsewhere")
    private = json.loads(json.dumps(command).replace("staff-1", "$tea"))
    eve, other_eve = with_it.connect("Eve"), without_it.connect("Eve")

    answers = [eve.ask(**command), other_eve.ask(**command), eve.ask(**private)]

    assert answers == [DENIED] * 3
    assert without_it.open_rooms() == {"elsewhere"}


@pytest.mark.parametrize("command", READS[:6], ids=json.dumps)
def test_who_has_the_role_may_enter_and_read(command: dict[str, Any]) -> None:
    assert "error" not in user(chat(STAFF), "ada").ask(**command)


def test_the_role_that_counts_is_the_one_in_that_room() -> None:
    world = chat({"staff-*": {"join": "moderator"}})
    ada = user(world, "ada", meta={"role": "member", "rooms": {"staff-1": "moderator"}})

    assert "subscribe" in ada.subscribe("staff-1")
    assert ada.subscribe("staff-2") == DENIED


def test_a_token_for_the_room_lets_in_whatever_the_role() -> None:
    world = chat({"staff-*": {"join": "admin"}})
    ada = entered(user(world, "ada"), "staff-1", token=token(sub="ada", channel="staff-1"))
    put_there = user(world, "bob", channels=["staff-1"])

    ada.publish("staff-1", "hello")

    assert put_there.hello["subs"].keys() == {"staff-1", "user#bob"}
    assert put_there.said("staff-1") == ["hello"]
    assert len(ada.history("staff-1", limit=9)["history"]["publications"]) == 1


def test_rooms_that_one_may_not_enter_are_not_listed_also_after_a_crash_of_the_directory() -> None:
    world = chat(STAFF)
    ada, eve = entered(user(world, "ada"), "staff-1"), world.member("lobby", name="Eve")

    def listed() -> list[list[str]]:
        return [[room["channel"] for room in who.rpc("rooms")["rpc"]["data"]["rooms"]] for who in (ada, eve)]

    before = listed()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("actors.rooms.is_private", None)
        ada.rpc("rooms")

    assert before == listed() == [["lobby", "staff-1"], ["lobby"]]


def test_who_loses_the_role_is_put_out_of_what_needed_it_and_of_nothing_else() -> None:
    world = chat(STAFF | {"$*": {"join": "admin"}})
    ada = user(world, "ada", exp=NOON + 60)
    for channel in ("staff-1", "lobby"):
        entered(ada, channel)
    for channel in ("staff-2", "$tea"):
        entered(ada, channel, token=token(sub="ada", channel=channel))

    reply = ada.ask(refresh={"token": token({"sub": "ada", "meta": {"role": "guest"}, "exp": NOON + 90})})
    bob = entered(user(world, "bob"), "staff-1")
    bob.publish("staff-1", "secret")

    assert "refresh" in reply
    assert ada.pushes("unsubscribe", "staff-1") == [{"code": 2103, "reason": "permission denied"}]
    assert [ada.pushes("unsubscribe", channel) for channel in ("lobby", "staff-2", "$tea")] == [[], [], []]
    assert ada.said("staff-1") == []
    assert bob.ask(presence_stats={"channel": "staff-1"})["presence_stats"]["num_clients"] == 1
    assert ada.subscribe("staff-1") == DENIED


# Who may write


@pytest.mark.parametrize(
    "command",
    [
        {"publish": {"channel": "news-1", "data": 1}},
        {"rpc": {"method": "send", "data": {"channel": "news-1", "key": "k", "text": "t"}}},
        {"rpc": {"method": "edit", "data": {"channel": "news-1", "target": 1, "text": "t"}}},
        {"rpc": {"method": "delete", "data": {"channel": "news-1", "target": 1}}},
        {"rpc": {"method": "react", "data": {"channel": "news-1", "target": 1, "emoji": "+"}}},
        {"rpc": {"method": "typing", "data": {"channel": "news-1"}}},
    ],
    ids=json.dumps,
)
def test_where_only_some_may_write_others_read(command: dict[str, Any]) -> None:
    world = chat(ANNOUNCEMENTS)
    mod = entered(user(world, "mod", "moderator"), "news-1")
    reader = entered(user(world, "ada"), "news-1")
    send(mod, "news-1")

    refused, allowed = reader.ask(**command), mod.ask(**command)

    assert refused == DENIED
    assert "error" not in allowed
    assert reader.said("news-1")[0]["text"] == "hello"


def test_a_moderator_takes_back_what_others_said_where_only_admins_may_say_anything() -> None:
    world = chat({"news-*": {"send": "admin"}})
    boss, mod, ada = (
        entered(user(world, name, role), "news-1")
        for name, role in (("boss", "admin"), ("mod", "moderator"), ("ada", "member"))
    )
    send(boss, "news-1")
    mod_deletes, ada_deletes = (who.rpc("delete", channel="news-1", target=1) for who in (mod, ada))

    assert ada_deletes == send(mod, "news-1", key="l") == DENIED
    assert "rpc" in mod_deletes
    [message] = ada.rpc("messages", channel="news-1")["rpc"]["data"]["messages"]
    assert message["data"] is None


def test_a_ban_is_above_what_a_class_or_a_token_allows() -> None:
    world = chat({"news-*": {"join": "member", "send": "member"}})
    mod, eve = user(world, "mod", "moderator"), user(world, "eve", "guest")
    entered(eve, "news-1", token=token(sub="eve", channel="news-1"))

    mod.rpc("ban", channel="news-1", user="eve", reason="spam")

    assert [push["code"] for push in eve.pushes("unsubscribe", "news-1")] == [2102]
    assert eve.subscribe("news-1", token=token(sub="eve", channel="news-1")) == DENIED
    assert eve.history("news-1") == eve.rpc("messages", channel="news-1") == DENIED


@pytest.mark.parametrize("method", ["bans", "audit", "kick", "ban", "unban", "mute", "unmute"])
@pytest.mark.parametrize("role", ["guest", "moderator"])
def test_who_may_not_moderate_a_room_has_none_opened(method: str, role: str) -> None:
    world = chat({"board-*": {"join": "admin"}})
    who = {} if method in {"bans", "audit"} else {"user": "ada", "reason": "spam"}

    assert user(world, "eve", role).rpc(method, channel="board-1", **who) == DENIED
    assert world.open_rooms() == set()


def test_a_class_that_is_for_all_rooms_is_not_for_what_is_done_everywhere() -> None:
    mod = user(chat({"*": {"join": "admin"}}), "mod", "moderator")

    assert "rpc" in mod.rpc("ban", channel="", user="eve", reason="spam")


def test_a_refresh_brings_the_right_to_write_and_takes_it_away() -> None:
    world = chat(ANNOUNCEMENTS)
    ada = entered(user(world, "ada", exp=NOON + 60), "news-1")

    def writes_as(role: str) -> bool:
        ada.ask(refresh={"token": token({"sub": "ada", "meta": {"role": role}, "exp": NOON + 60})})
        return "error" not in ada.publish("news-1", role)

    assert [writes_as(role) for role in ("moderator", "member")] == [True, False]


def test_what_was_sent_along_with_a_subscribe_is_refused_as_well() -> None:
    eve = chat(ANNOUNCEMENTS).connect("Eve")
    subscribe, publish = eve.send_batch(
        {"subscribe": {"channel": "news-1"}}, {"publish": {"channel": "news-1", "data": 1}}
    )

    assert "subscribe" in eve.reply(subscribe)
    assert eve.reply(publish) == DENIED


def test_a_plain_text_client_is_told_that_it_may_not() -> None:
    closed, mute = chat({"lobby": {"join": "member"}}), chat({"lobby": {"send": "member"}})

    assert closed.text("7").lines == ["Error 103: permission denied"]
    reader = mute.text("7")
    reader.say("hello")
    assert reader.lines == ["Error 103: permission denied"]


# The server API


def test_the_server_is_bound_by_no_role() -> None:
    world = chat({"*": {"join": "admin", "send": "admin"}})
    eve = world.connect("Eve")

    world.call(server_api.Subscribe(user=eve.hello["data"]["user"], channel="news-1"))
    world.call(server_api.Publish(channel="news-1", data=msgspec.Raw(b'"hello"')))

    assert eve.said("news-1") == ["hello"]
    assert eve.publish("news-1", "me too") == DENIED
    assert len(eve.history("news-1", limit=9)["history"]["publications"]) == 1
    assert world.call(server_api.Channels()).channels.keys() == {"news-1"}


def test_who_was_put_there_by_the_server_stays_when_a_refresh_takes_the_role_away() -> None:
    world = chat(STAFF)
    ada = user(world, "ada", exp=NOON + 60)
    world.call(server_api.Subscribe(user="ada", channel="staff-1"))

    ada.ask(refresh={"token": token({"sub": "ada", "meta": {"role": "guest"}, "exp": NOON + 90})})

    assert ada.pushes("unsubscribe", "staff-1") == []
    assert "history" in ada.history("staff-1")


def test_the_server_puts_nobody_into_a_full_room() -> None:
    world = chat({"lobby": {"max_members": 1}})
    world.member("lobby")
    eve = world.connect("Eve")

    world.call(server_api.Subscribe(user=eve.hello["data"]["user"], channel="lobby"))

    assert eve.pushes("subscribe", "lobby") == []
    assert world.system.counts.limits_hit == {"max_members": 1}


def test_the_server_reads_as_much_history_as_the_room_has_at_hand() -> None:
    world = chat({"short": {"recovery_window": 2}})
    ann = world.member("short")
    for number in range(3):
        ann.publish("short", number)

    page = world.call(server_api.History(channel="short", limit=-1))

    assert [msgspec.json.decode(publication)["data"] for publication in page.publications] == [0, 1]


# How many, how much


def test_a_full_room_takes_nobody_until_somebody_leaves() -> None:
    world = chat({"lobby": {"max_members": 2}})
    ann, bob, cem = world.member("lobby"), world.member("lobby"), world.connect("Cem")

    full = cem.subscribe("lobby")
    bob.ask(unsubscribe={"channel": "lobby"})

    assert full == LIMIT
    assert "subscribe" in cem.subscribe("lobby")
    assert "subscribe" in world.connect().subscribe("garden")
    assert ann.pushes("unsubscribe") == []


def test_the_members_of_a_full_room_stay_in_it_when_it_crashes() -> None:
    world = chat({"lobby": {"max_members": 2}})
    members = [world.member("lobby"), world.member("lobby")]

    world.crash_room("lobby")
    members[0].publish("lobby", "hello")

    assert [member.said() for member in members] == [["hello"], ["hello"]]
    assert world.connect().subscribe("lobby") == LIMIT


def test_they_come_back_although_somebody_else_was_faster() -> None:
    world = chat({"lobby": {"max_members": 2}})
    ann, bob, cem = world.member("lobby"), world.member("lobby"), world.connect("Cem")
    with behind(world.room("lobby")):
        world.room("lobby").tell(Unheard())
        cem.send(subscribe={"channel": "lobby"})
        world.run()
    ann.publish("lobby", "hello")

    assert [member.said() for member in (ann, bob, cem)] == [["hello"]] * 3


def test_a_text_may_be_as_long_as_its_room_says() -> None:
    world = chat({"sms-*": {"max_text_chars": 5}, "essays": {"max_text_chars": 5000}})
    ann = world.member("sms-1", "essays", "lobby")
    lengths = {"sms-1": 5, "essays": 5_000, "lobby": 4_000}

    fits = {channel: "error" not in send(ann, channel, "x" * most) for channel, most in lengths.items()}
    longer = {channel: send(ann, channel, "x" * (most + 1), "l")["error"]["code"] for channel, most in lengths.items()}
    edited = ann.rpc("edit", channel="sms-1", target=1, text="x" * 6)["error"]

    assert fits == dict.fromkeys(lengths, True)
    assert longer == dict.fromkeys(lengths, 107)
    assert edited == {"code": 107, "message": "bad request: text longer than 5 characters"}


# Presence


def test_without_presence_nobody_hears_who_comes_and_goes_or_can_ask() -> None:
    world = chat({"lobby": {"presence": False}})
    ann, bob = world.member("lobby"), world.member("lobby")
    bob.hang_up()
    world.crash_room("lobby")

    asked = [ann.ask(**{method: {"channel": "lobby"}}) for method in ("presence", "presence_stats")]

    assert (ann.pushes("join"), ann.pushes("leave")) == ([], [])
    assert asked == [NOT_AVAILABLE] * 2
    assert "presence" in ann.ask(presence={"channel": "garden"})


def test_how_large_a_room_with_presence_may_be_is_its_own() -> None:
    world = chat({"small": {"presence_limit": 1}})
    ann, bob = world.member("small", "lobby"), world.member("small", "lobby")

    assert len(ann.pushes("join", "small")) == 1
    assert len(ann.pushes("join", "lobby")) == 2
    assert [bob.ask(presence={"channel": channel}).keys() for channel in ("small", "lobby")] == [
        {"error"},
        {"presence"},
    ]


# Recovery and history


def test_how_much_may_be_missed_is_the_rooms_own() -> None:
    world = chat({"short": {"recovery_limit": 2}})
    ann = world.member("short", "lobby")
    for channel in ("short", "lobby"):
        for number in range(3):
            ann.publish(channel, number)
    late = world.connect()

    recovered = {
        (channel, offset): late.subscribe(channel, recover=True, offset=offset, epoch="")["subscribe"].get("recovered")
        for channel, offset in (("short", 0), ("lobby", 0))
    }
    late.ask(unsubscribe={"channel": "short"})
    within = late.subscribe("short", recover=True, offset=1, epoch="")["subscribe"]

    assert recovered == {("short", 0): None, ("lobby", 0): True}
    assert (within["recovered"], len(within["publications"])) == (True, 2)


@pytest.mark.parametrize("member", [True, False])
def test_the_window_of_a_room_is_its_own_and_the_longest_page_of_its_history(*, member: bool) -> None:
    world = chat({"long": {"recovery_window": 400}, "short": {"recovery_window": 2}})
    ann = world.member("long", "short", "lobby")
    for channel in ("long", "short", "lobby"):
        ann.send_batch(*[{"publish": {"channel": channel, "data": 1}} for _ in range(200)])
        ann.send_batch(*[{"publish": {"channel": channel, "data": 1}} for _ in range(250)])
    reader = ann if member else world.connect()

    pages = {
        channel: len(reader.history(channel, limit=-1)["history"]["publications"])
        for channel in ("long", "short", "lobby")
    }

    assert pages == {"long": 400, "short": 2, "lobby": 300}


def test_the_window_is_at_hand_although_the_log_cannot_be_read() -> None:
    log = FakeLog()
    world = chat({"long": {"recovery_window": 400}}, log=log)
    ann = world.member("long")
    for _ in range(2):
        ann.send_batch(*[{"publish": {"channel": "long", "data": 1}} for _ in range(200)])
    log.read_errors += [LogError("locked")] * 10

    assert len(ann.history("long", limit=-1)["history"]["publications"]) == 400


# Retention


def kept(world: Chat, channel: str) -> list[int]:
    return [entry.offset for entry in world.log.after(channel, 0, 1_000)]


def test_rooms_keep_what_their_class_says_and_others_what_the_server_says() -> None:
    world = chat(
        {
            "chatter": {"retention_entries": 1},
            "daily": {"retention_days": 1, "retention_entries": "unlimited"},
            "audit": {"retention_entries": "unlimited"},
        },
        retention_entries=3,
        max_channels=9,
    )
    rooms = ("chatter", "daily", "audit", "lobby")
    ann = world.member(*rooms)
    for channel in rooms:
        for number in range(4):
            ann.publish(channel, number)
    world.advance(TRIM_S)
    at_once = [kept(world, channel) for channel in rooms]
    world.advance(86_400)

    assert at_once == [[4], [1, 2, 3, 4], [1, 2, 3, 4], [2, 3, 4]]
    assert [kept(world, channel) for channel in rooms] == [[4], [4], [1, 2, 3, 4], [2, 3, 4]]


def test_a_class_may_forget_where_the_server_keeps_all() -> None:
    world = chat({"chatter": {"retention_entries": 1}})
    ann = world.member("chatter", "lobby")
    for channel in ("chatter", "lobby"):
        for number in range(3):
            ann.publish(channel, number)
    world.advance(TRIM_S)

    assert [kept(world, channel) for channel in ("chatter", "lobby")] == [[3], [1, 2, 3]]
