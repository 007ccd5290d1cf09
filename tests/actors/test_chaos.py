"""Rooms that crash on request: what each kind of crash means to those who are in, and to those who are not."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from tests.fakes import Chat, Client, Unheard, behind

KINDS = ("handler", "start", "commit", "fanout")


def send(client: Client, key: str, channel: str = "lobby") -> int:
    """Send a message and return the id of the command. What follows happens in the next `chat.run()`."""
    return client.send(rpc={"method": "send", "data": {"channel": channel, "key": key, "text": key}})


def keys(client: Client, channel: str = "lobby") -> list[str]:
    return [data["key"] for data in client.said(channel)]


def crashes(chat: Chat) -> list[str]:
    """Let happen what is due, and return the kinds of the crashes in it."""
    with capture_logs() as events:
        chat.run()
    return [event["exception"].rpartition(": ")[2] for event in events if event["event"] == "actor.crashed"]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_crash_is_answered_before_it_happens(kind: str) -> None:
    ann = Chat(chaos=True).member("lobby")

    assert ann.rpc("chaos", channel="lobby", kind=kind) == {"rpc": {"data": {}}}


@pytest.mark.parametrize(
    ("kind", "at_once", "with_the_next_message"),
    [
        ("handler", ["handler"], []),
        ("start", ["start", "on start"], []),
        ("commit", [], ["commit"]),
        ("fanout", [], ["fanout"]),
    ],
)
def test_a_room_crashes_when_its_kind_says_and_not_again(
    kind: str, at_once: list[str], with_the_next_message: list[str]
) -> None:
    chat = Chat(chaos=True)
    ann = chat.member("lobby")
    ann.send(rpc={"method": "chaos", "data": {"channel": "lobby", "kind": kind}})

    assert crashes(chat) == at_once
    send(ann, "first")
    assert crashes(chat) == with_the_next_message
    send(ann, "second")
    assert crashes(chat) == []


def test_whatever_the_crash_every_member_sees_every_message_once_in_order(kind: str) -> None:
    chat = Chat(chaos=True)
    members = [chat.member("lobby") for _ in range(5)]
    ann = members[0]
    ann.rpc("send", channel="lobby", key="before", text="before")
    ann.send(rpc={"method": "chaos", "data": {"channel": "lobby", "kind": kind}})
    during = [send(member, f"during {number}") for number, member in enumerate(members)]
    chat.run()
    ann.rpc("send", channel="lobby", key="after", text="after")

    acknowledged = [
        member.reply(number)["rpc"]["data"]["offset"] for member, number in zip(members, during, strict=True)
    ]
    assert acknowledged == [2, 3, 4, 5, 6]
    for member in members:
        assert keys(member) == ["before", *(f"during {number}" for number in range(5)), "after"]
        assert member.offsets() == [1, 2, 3, 4, 5, 6, 7]
        assert member.pushes("unsubscribe") == []
        assert member.close_code is None


def test_a_fanout_that_breaks_off_has_reached_half_of_the_members_and_no_more() -> None:
    chat = Chat(chaos=True)
    members = [chat.member("lobby") for _ in range(4)]
    members[0].rpc("chaos", channel="lobby", kind="fanout")
    send(members[0], "half")

    with capture_logs() as events:
        while not any(event["event"] == "actor.crashed" for event in events):
            chat.step()
    with behind(chat.find("reader")):  # and so the room does not open again
        chat.run()

    assert [keys(member) for member in members] == [["half"], ["half"], [], []]
    chat.find("reader").tell(Unheard())
    chat.run()
    assert [keys(member) for member in members] == [["half"]] * 4


def test_a_stored_message_whose_room_crashed_is_acknowledged_and_not_stored_again_on_repeat() -> None:
    chat = Chat(chaos=True)
    ann, bob = chat.member("lobby"), chat.member("lobby")
    ann.rpc("chaos", channel="lobby", kind="commit")

    first = ann.rpc("send", channel="lobby", key="k", text="hello")["rpc"]["data"]
    again = ann.rpc("send", channel="lobby", key="k", text="hello")["rpc"]["data"]

    assert (first["offset"], again["offset"], again["duplicate"]) == (1, 1, True)
    assert keys(bob) == ["k"]


def test_who_is_let_in_by_a_room_that_crashes_while_it_tells_the_others_gets_one_answer() -> None:
    chat = Chat(chaos=True)
    ann, bob = chat.member("lobby"), chat.connect("Bob")
    ann.rpc("chaos", channel="lobby", kind="fanout")

    first = bob.send(subscribe={"channel": "lobby"})
    chat.run()
    (answer,) = bob.replies(first)

    assert answer["error"]["temporary"]
    assert ann.ask(presence={"channel": "lobby"})["presence"]["presence"].keys() == {ann.id}
    assert [len(ann.pushes(kind)) for kind in ("join", "leave")] == [2, 1]  # one of the joins is her own
    assert "subscribe" in bob.subscribe("lobby")
    ann.publish("lobby", "welcome")
    assert bob.said() == ["welcome"]
    assert bob.publications() == ann.publications()


def test_who_was_answered_twice_owes_nothing_at_the_end() -> None:
    chat = Chat(chaos=True)
    ann, bob = chat.member("lobby"), chat.connect("Bob")
    ann.rpc("chaos", channel="lobby", kind="fanout")
    bob.subscribe("lobby")

    chat.system.drain()
    chat.run()

    assert (ann.close_code, bob.close_code) == (3001, 3001)


def test_other_rooms_do_not_notice(kind: str) -> None:
    chat = Chat(chaos=True)
    ann, bob = chat.member("lobby"), chat.member("garden")
    ann.rpc("chaos", channel="lobby", kind=kind)

    send(ann, "stormy")
    calm = send(bob, "calm", "garden")
    chat.run()

    assert bob.reply(calm)["rpc"]["data"]["offset"] == 1
    assert (keys(bob, "garden"), keys(bob)) == (["calm"], [])


def test_a_room_that_one_is_not_in_crashes_too() -> None:
    chat = Chat(chaos=True)
    ann = chat.member("lobby")
    stranger = chat.connect()
    stranger.send(rpc={"method": "chaos", "data": {"channel": "lobby", "kind": "handler"}})

    assert crashes(chat) == ["handler"]
    ann.publish("lobby", "still here")
    assert ann.said() == ["still here"]


def test_a_room_that_was_given_up_says_that_it_cannot_crash_now() -> None:
    chat = Chat(chaos=True)
    ann = chat.member("lobby")
    replies = [ann.rpc("chaos", channel="lobby", kind="handler") for _ in range(20)]

    assert replies[-1]["error"]["temporary"]
    assert [push["code"] for push in ann.pushes("unsubscribe")] == [2500]


@pytest.mark.parametrize(
    "data", [{"channel": "lobby", "kind": "flood"}, {"channel": "lobby"}, {"kind": "handler"}, {"channel": 7}]
)
def test_what_is_no_crash_is_a_bad_request(data: dict[str, object]) -> None:
    ann = Chat(chaos=True).member("lobby")

    assert ann.rpc("chaos", **data)["error"]["code"] == 107


def test_a_channel_that_nobody_may_use_is_refused() -> None:
    ann = Chat(chaos=True).connect()

    assert ann.rpc("chaos", channel="$private", kind="handler")["error"]["code"] == 103


@pytest.mark.parametrize("kind", [*KINDS, "flood"])
def test_without_chaos_there_is_no_such_method(kind: str) -> None:
    chat = Chat()
    ann = chat.member("lobby")
    number = ann.send(rpc={"method": "chaos", "data": {"channel": "lobby", "kind": kind}})

    assert crashes(chat) == []
    assert ann.reply(number) == {"error": {"code": 104, "message": "method not found"}}
