"""What users keep of rooms, whom messages name, and what each of their connections hears of it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from actors.messages import CatchUp, Trim
from chat import server_api
from chat.log import MAX_PLACES, Draft, LogError
from chat.rates import RateLimits
from tests.fakes import ANN, NOON_MS, Chat, Client, FakeLog, Unheard, behind
from tests.tokens import token, tokens

DIRECT = "dm#ada,bob"
DENIED = {"code": 103, "message": "permission denied"}
KEYS = itertools.count()


class World(Chat):
    """A chat with Ada, who has two connections, and Bob and Eve; Bob and Eve are in the lobby, Ada is in no room."""

    def __init__(self, **options: Any) -> None:
        super().__init__(tokens=tokens(), **options)
        self.ada, self.phone = self.comes("ada"), self.comes("ada")
        self.bob, self.eve = self.comes("bob"), self.comes("eve")
        for client in (self.bob, self.eve):
            client.subscribe("lobby")

    def comes(self, user: str, **claims: Any) -> Client:
        return self.user(token({"sub": user, "info": {"name": user.title()}, **claims}))


def notices(client: Client) -> list[dict[str, Any]]:
    user = client.hello["data"]["user"]
    return [push["data"] for push in client.pushes("pub", f"user#{user}") if push.keys() == {"data"}]


def send(client: Client, text: str = "hello", *, channel: str = "lobby", key: str = "", **what: Any) -> Any:
    return client.rpc("send", channel=channel, key=key or f"k{next(KEYS)}", text=text, **what)


def call(client: Client, method: str, **data: Any) -> Any:
    reply = client.rpc(method, **data)
    return reply["rpc"]["data"] if "rpc" in reply else reply["error"]


def go_on(world: World) -> None:
    """Have a writer that was behind go on."""
    world.find("writer").tell(Trim(world.find("journal"), []))
    world.run()


def mine(client: Client) -> dict[str, dict[str, Any]]:
    return {room["channel"]: room for room in call(client, "mine")["rooms"]}


# Replies and mentions


def test_a_reply_and_mentions_are_part_of_the_message_live_in_history_and_in_messages() -> None:
    world = World()
    send(world.bob)
    send(world.bob, "@Ada and @Eve: yes", key="k", reply=1, mentions={"ada": "Ada", "eve": "Eve"})

    data = {
        "type": "message",
        "key": "k",
        "text": "@Ada and @Eve: yes",
        "time": NOON_MS,
        "reply": 1,
        "mentions": {"ada": "Ada", "eve": "Eve"},
    }
    assert world.eve.said()[1] == data
    assert world.bob.history("lobby", limit=-1)["history"]["publications"][1]["data"] == data
    assert call(world.bob, "messages", channel="lobby")["messages"][1]["data"] == data
    assert world.eve.said()[0].keys() == {"type", "key", "text", "time"}


def test_an_edit_leaves_them_as_they_are_and_a_deletion_takes_all() -> None:
    world = World()
    send(world.bob, "@Ada!", mentions={"ada": "Ada"})
    call(world.bob, "edit", channel="lobby", target=1, text="nobody")

    (message,) = call(world.bob, "messages", channel="lobby")["messages"]
    call(world.bob, "delete", channel="lobby", target=1)
    (deleted,) = call(world.bob, "messages", channel="lobby")["messages"]

    assert (message["data"]["text"], message["data"]["mentions"]) == ("nobody", {"ada": "Ada"})
    assert deleted["data"] is None


@pytest.mark.parametrize("reply", [2, 2**63 - 1])
def test_a_reply_to_what_is_not_there_yet_is_refused(reply: int) -> None:
    world = World()
    send(world.bob)

    assert send(world.bob, reply=reply)["error"]["code"] == 404
    assert send(world.bob, reply=1)["rpc"]["data"]["offset"] == 2


@pytest.mark.parametrize(
    "what",
    [
        {"reply": 0},
        {"reply": -1},
        {"reply": "1"},
        {"reply": 1.5},
        {"mentions": ["ada"]},
        {"mentions": {"ada": 1}},
        {"mentions": {"ada": ""}},
        {"mentions": {"ada": "Adam"}},
        {"mentions": {"": "Ada"}},
        {"mentions": {"a" * 256: "Ada"}},
        {"mentions": {"a\nb": "Ada"}},
        {"mentions": {f"user {number}": "Ada" for number in range(21)}},
    ],
    ids=str,
)
def test_what_is_no_reply_or_mention_is_a_bad_request_and_nothing_is_said(what: dict[str, Any]) -> None:
    world = World()

    assert send(world.bob, "@Ada Ada", **what)["error"]["code"] == 107
    assert world.eve.said() == []


def test_who_is_mentioned_is_told_on_every_connection_in_the_room_or_not() -> None:
    world = World()
    send(world.bob, "@Ada @Eve " + "x" * 300, mentions={"ada": "Ada", "eve": "Eve"})

    notice = {
        "type": "mention",
        "channel": "lobby",
        "offset": 1,
        "time": NOON_MS,
        "text": ("@Ada @Eve " + "x" * 300)[:200],
        "from": {"user": "bob", "name": "Bob"},
    }
    assert [notices(client) for client in (world.ada, world.phone, world.eve)] == [[notice]] * 3
    assert notices(world.bob) == []


def test_nobody_is_told_of_their_own_message_nor_twice_of_a_repeat() -> None:
    world = World()
    for _ in range(2):
        send(world.bob, "@Ada @Bob", key="k", mentions={"ada": "Ada", "bob": "Bob"})

    assert len(notices(world.ada)) == 1
    assert notices(world.bob) == []


def test_nobody_is_told_before_it_is_stored() -> None:
    world = World()
    with behind(world.find("writer")):
        world.bob.send(
            rpc={
                "method": "send",
                "data": {"channel": "lobby", "key": "k", "text": "@Ada", "mentions": {"ada": "Ada"}},
            }
        )
        world.run()
        early = notices(world.ada)
    go_on(world)

    assert early == []
    assert len(notices(world.ada)) == 1


def test_nobody_is_told_of_what_could_not_be_stored() -> None:
    log = FakeLog()
    world = World(log=log)
    log.append_errors.append(LogError("disk full"))
    send(world.bob, "@Ada", mentions={"ada": "Ada"})

    assert notices(world.ada) == []


def test_what_is_only_read_from_the_log_tells_nobody() -> None:
    log = FakeLog()
    world = World(log=log)
    log.kept.append([Draft("lobby", "", ANN, NOON_MS, b'{"text":"@Ada"}', told=("ada",))])
    world.room("lobby").tell(CatchUp())
    world.run()

    assert world.eve.said() == [{"text": "@Ada"}]
    assert notices(world.ada) == []


def test_who_may_not_read_the_room_is_not_told() -> None:
    world = World(rooms={"staff": {"join": "moderator"}})
    mo, max_ = (world.comes(name, meta={"role": "moderator"}) for name in ("mo", "max"))
    mo.subscribe("staff")
    send(mo, "@Ada @Max", channel="staff", mentions={"ada": "Ada", "max": "Max"})

    assert (notices(world.ada), [notice["type"] for notice in notices(max_)]) == ([], ["mention"])
    assert mine(world.ada) == {}


def test_who_is_banned_from_the_room_is_not_told() -> None:
    world = World()
    mo = world.comes("mo", meta={"role": "moderator"})
    call(mo, "ban", channel="lobby", user="ada", reason="spam")
    send(world.bob, "@Ada", mentions={"ada": "Ada"})
    call(mo, "unban", channel="lobby", user="ada")
    send(world.bob, "@Ada", mentions={"ada": "Ada"})

    assert [notice["offset"] for notice in notices(world.ada)] == [2]


def test_a_room_that_crashed_goes_on_telling() -> None:
    world = World()
    world.crash_room("lobby")
    send(world.bob, "@Ada", mentions={"ada": "Ada"})

    assert len(notices(world.ada)) == 1


# Direct channels


def in_direct(world: World) -> Client:
    """Return Bob in the direct channel, where tokens let him in."""
    bob = world.comes("bob", channels=[DIRECT])
    assert DIRECT in bob.hello["subs"]
    return bob


def test_a_direct_message_is_told_to_whom_the_channel_names_and_makes_them_a_place() -> None:
    world = World()
    bob = in_direct(world)
    send(bob, "@Eve: psst", channel=DIRECT, mentions={"eve": "Eve"})
    send(bob, "psst", channel=DIRECT)

    assert [(notice["type"], notice["text"]) for notice in notices(world.ada)] == [
        ("direct", "@Eve: psst"),
        ("direct", "psst"),
    ]
    assert notices(world.eve) == []
    place = mine(world.ada)[DIRECT]
    assert (place["read"], place["head"], place["unread"], place["mentions"]) == (0, 2, 2, 2)
    assert place["members"] == [{"user": "ada", "name": "ada"}, {"user": "bob", "name": "Bob"}]
    assert mine(world.eve) == {}


def test_who_writes_in_a_direct_channel_has_a_place_there_without_saying_that_they_read() -> None:
    bob = in_direct(World())
    send(bob, "psst", channel=DIRECT)

    place = mine(bob)[DIRECT]
    assert (place["read"], place["head"], place["unread"]) == (1, 1, 0)


def test_every_connection_of_who_writes_is_told_that_a_place_began_and_once() -> None:
    world = World()
    bob = in_direct(world)
    for _ in range(2):
        send(bob, "psst", channel=DIRECT, key="again")
    send(bob, "and again", channel=DIRECT)

    assert notices(bob) == notices(world.bob) == [{"type": "read", "channel": DIRECT, "offset": 1}]


def test_what_the_server_says_in_a_direct_channel_is_told_to_all_of_it() -> None:
    world = World()
    said = b'{"type":"message","text":"hello, you two"}'
    world.call(server_api.Publish(channel=DIRECT, data=said))  # type: ignore[arg-type]

    notice = {"type": "direct", "channel": DIRECT, "offset": 1, "time": NOON_MS, "text": "hello, you two"}
    assert notices(world.ada) == notices(world.bob) == [notice]


def test_a_change_in_a_direct_channel_is_not_told() -> None:
    world = World()
    bob = in_direct(world)
    send(bob, channel=DIRECT)
    call(bob, "react", channel=DIRECT, target=1, emoji="👍")
    call(bob, "edit", channel=DIRECT, target=1, text="changed")
    edited = mine(world.ada)[DIRECT]["mentions"]
    call(bob, "delete", channel=DIRECT, target=1)

    assert (len(notices(world.ada)), edited, mine(world.ada)[DIRECT]["mentions"]) == (1, 1, 0)


def test_who_is_named_may_keep_a_direct_channel_and_nobody_else() -> None:
    world = World()
    send(in_direct(world), channel=DIRECT)

    assert call(world.ada, "read", channel=DIRECT, offset=1) == {"offset": 1}
    assert mine(world.ada)[DIRECT]["unread"] == 0
    assert call(world.eve, "read", channel=DIRECT, offset=1) == DENIED


# Places


def test_a_marker_rises_to_the_newest_and_every_connection_of_the_user_is_told() -> None:
    world = World()
    for _ in range(3):
        send(world.bob)

    found = [call(world.ada, "read", channel="lobby", offset=offset) for offset in (2, 1, 2, 99)]

    told = [{"type": "read", "channel": "lobby", "offset": offset} for offset in (2, 3)]
    assert found == [{"offset": 2}, {"offset": 2}, {"offset": 2}, {"offset": 3}]
    assert notices(world.phone) == notices(world.ada) == told
    assert notices(world.bob) == []


def test_mine_has_what_came_since_in_each_room() -> None:
    world = World()
    send(world.bob)
    call(world.ada, "read", channel="lobby", offset=1)
    send(world.bob, "@Ada", mentions={"ada": "Ada"})
    send(world.eve)
    call(world.ada, "notify", channel="tea", on=False)

    rooms = call(world.phone, "mine")["rooms"]

    epoch = {room["channel"]: room.pop("epoch") for room in rooms}
    assert rooms == [
        {"channel": "lobby", "read": 1, "head": 3, "unread": 2, "mentions": 1, "notify": True},
        {"channel": "tea", "read": 0, "head": 0, "unread": 0, "mentions": 0, "notify": False},
    ]
    assert epoch["lobby"] == world.bob.history("lobby", limit=0)["history"]["epoch"]
    assert mine(world.bob) == {}


def test_own_messages_are_not_unread() -> None:
    world = World()
    call(world.bob, "read", channel="lobby", offset=0)
    send(world.bob)

    assert mine(world.bob)["lobby"]["unread"] == 0
    assert mine(world.bob)["lobby"]["head"] == 1


def test_whether_a_room_may_make_a_noise_is_told_when_it_changes() -> None:
    world = World()

    found = [call(world.ada, "notify", channel="lobby", on=on) for on in (False, False, True)]

    assert found == [{}, {}, {}]
    assert notices(world.phone) == [
        {"type": "notify", "channel": "lobby", "on": False},
        {"type": "notify", "channel": "lobby", "on": True},
    ]


def test_to_leave_ends_the_place_and_is_told_once() -> None:
    world = World()
    call(world.ada, "read", channel="lobby", offset=0)

    assert [call(world.ada, "leave", channel="lobby") for _ in range(2)] == [{}, {}]
    assert notices(world.phone)[1:] == [{"type": "left", "channel": "lobby"}]
    assert mine(world.ada) == {}


def test_a_user_has_only_so_many_places_and_may_leave_one_for_another() -> None:
    world = World()
    for number in range(MAX_PLACES):
        call(world.ada, "read", channel=f"room {number}", offset=0)

    full = call(world.ada, "read", channel="one more", offset=0)
    call(world.ada, "leave", channel="room 7")

    assert full == {"code": 106, "message": "limit exceeded"}
    assert call(world.ada, "read", channel="one more", offset=0) == {"offset": 0}
    assert len(mine(world.ada)) == MAX_PLACES
    assert (world.system.counts.limits_hit["max_places"], world.system.counts.rejected) == (1, 0)


@pytest.mark.parametrize("channel", ["staff", "$private", "board#ada", "user#ada", "user#bob"])
@pytest.mark.parametrize(("method", "data"), [("read", {"offset": 1}), ("notify", {"on": False})])
def test_of_a_room_that_one_may_not_read_one_keeps_nothing(channel: str, method: str, data: dict[str, Any]) -> None:
    world = World(rooms={"staff": {"join": "moderator"}})
    open_before = world.open_rooms()

    assert call(world.ada, method, channel=channel, **data) == DENIED
    assert world.open_rooms() == open_before


def test_a_room_that_one_may_not_read_any_more_is_not_among_mine_and_can_be_left() -> None:
    world = World()
    mo = world.comes("mo", meta={"role": "moderator"})
    call(world.ada, "read", channel="lobby", offset=0)
    call(world.ada, "read", channel="tea", offset=0)
    call(mo, "ban", channel="lobby", user="ada", reason="spam", until=NOON_MS + 60_000)

    assert mine(world.ada).keys() == {"tea"}
    assert call(world.ada, "read", channel="lobby", offset=0) == DENIED
    assert call(world.ada, "leave", channel="tea") == {}
    world.advance(60)
    assert mine(world.ada).keys() == {"lobby"}


def test_whom_a_token_let_in_keeps_the_room_while_in_it() -> None:
    world = World()
    world.ada.subscribe("$tea", token=token(sub="ada", channel="$tea"))
    call(world.ada, "read", channel="$tea", offset=0)

    assert (set(mine(world.ada)), set(mine(world.phone))) == ({"$tea"}, set())


@pytest.mark.parametrize(
    ("method", "data"),
    [
        ("read", {}),
        ("read", {"channel": "lobby"}),
        ("read", {"channel": "lobby", "offset": -1}),
        ("read", {"channel": "lobby", "offset": "1"}),
        ("read", {"channel": "", "offset": 1}),
        ("read", {"channel": "x" * 256, "offset": 1}),
        ("notify", {"channel": "lobby"}),
        ("notify", {"channel": "lobby", "on": 1}),
        ("notify", {"channel": "", "on": True}),
        ("leave", {}),
        ("leave", {"channel": ""}),
        ("leave", {"channel": "a\nb"}),
    ],
)
def test_what_is_badly_asked_is_a_bad_request(method: str, data: dict[str, Any]) -> None:
    assert call(World().ada, method, **data)["code"] == 107


def test_markers_and_messages_that_wait_are_stored_in_one_transaction() -> None:
    log = FakeLog()
    world = World(log=log)
    before = len(log.batches)
    with behind(world.find("writer")):
        read = {"rpc": {"method": "read", "data": {"channel": "lobby", "offset": 9}}}
        world.eve.send(publish={"channel": "lobby", "data": 0})
        world.run()
        numbers = [(client, client.send(**read)) for client in (world.ada, world.eve)]
        world.bob.send(publish={"channel": "lobby", "data": 1})
        world.run()
    go_on(world)

    assert [client.reply(number)["rpc"]["data"] for client, number in numbers] == [{"offset": 2}] * 2
    assert [len(batch) for batch in log.batches[before:]] == [1, 1]


def test_a_marker_that_cannot_be_stored_is_answered_so_and_told_nobody() -> None:
    log = FakeLog()
    world = World(log=log)
    send(world.bob)
    log.append_errors.append(LogError("disk full"))

    failed = call(world.ada, "read", channel="lobby", offset=1)

    assert (failed["code"], notices(world.phone)) == (100, [])
    assert call(world.ada, "read", channel="lobby", offset=1) == {"offset": 1}


def test_what_waits_in_a_journal_that_crashes_is_answered() -> None:
    world = World()
    with behind(world.find("writer")):
        world.eve.send(publish={"channel": "lobby", "data": 0})
        world.run()
        number = world.ada.send(rpc={"method": "read", "data": {"channel": "lobby", "offset": 1}})
        world.run()
        world.find("journal").tell(Unheard())
        world.run()

    assert world.ada.reply(number)["error"]["code"] == 100


def test_a_log_that_cannot_be_read_is_an_error_for_mine() -> None:
    log = FakeLog()
    world = World(log=log)
    log.read_errors.append(LogError("disk full"))

    assert call(world.ada, "mine")["code"] == 100
    assert mine(world.ada) == {}


def test_what_users_keep_is_not_counted_as_messages() -> None:
    world = World()
    call(world.ada, "read", channel="lobby", offset=0)
    send(world.bob)

    assert world.system.counts.messages == 1


def test_who_reads_too_fast_is_told_so() -> None:
    world = World(rates=RateLimits(history=2.0, burst_s=1.0))
    read = {"rpc": {"method": "read", "data": {"channel": "lobby", "offset": 0}}}
    replies = [world.ada.ask(**read) for _ in range(3)]

    assert [reply.get("error", {}).get("code") for reply in replies] == [None, None, 111]


def test_what_a_guest_keeps_is_forgotten_after_30_days_and_not_what_a_user_keeps() -> None:
    world = World()
    guest = world.connect("Gus")
    user = guest.hello["data"]["user"]
    for client in (guest, world.ada):
        call(client, "read", channel="lobby", offset=0)

    world.advance(29 * 86_400.0)
    kept = len(world.log.places(user))
    world.advance(2 * 86_400.0)

    assert (kept, world.log.places(user), len(world.log.places("ada"))) == (1, [], 1)


def test_what_could_not_be_forgotten_is_forgotten_later() -> None:
    log = FakeLog()
    world = World(log=log)
    guest = world.connect("Gus")
    call(guest, "read", channel="lobby", offset=0)
    world.advance(29 * 86_400.0)
    kept = len(log.places(guest.hello["data"]["user"]))
    log.append_errors.append(LogError("disk full"))

    world.advance(2 * 86_400.0)

    assert not log.append_errors
    assert (kept, log.places(guest.hello["data"]["user"])) == (1, [])
