"""The rooms' supervisor: rooms come when they are wanted, go when they are empty, and are closed when they fail."""

from __future__ import annotations

from typing import Any

import pytest

from actors.room import RoomActor
from actors.rooms import ROOM_INTENSITY, RoomsActor
from tests.fakes import Chat, Client, Unheard, behind

TOO_OFTEN = ROOM_INTENSITY.max_restarts + 1


def error_code(reply: dict[str, Any]) -> int:
    assert reply.keys() == {"error"}
    code: int = reply["error"]["code"]
    return code


def listed(client: Client) -> list[tuple[str, int]]:
    rooms = client.rpc("rooms")["rpc"]["data"]["rooms"]
    return [(room["channel"], room["clients"]) for room in rooms]


# On demand


def test_at_first_no_room_is_open() -> None:
    assert Chat().open_rooms() == set()


@pytest.mark.parametrize("method", ["subscribe", "presence", "presence_stats", "history"])
def test_whoever_asks_for_a_room_opens_it(method: str) -> None:
    chat = Chat()

    reply = chat.connect().ask(**{method: {"channel": "lobby"}})

    assert method in reply
    assert chat.open_rooms() == {"lobby"}


def test_a_room_is_opened_once() -> None:
    chat = Chat()
    ann, bob = chat.connect(), chat.connect()

    ann.send(subscribe={"channel": "lobby"})
    bob.send(subscribe={"channel": "lobby"})
    chat.run()

    assert ann.ask(presence_stats={"channel": "lobby"})["presence_stats"]["num_clients"] == 2


def test_one_room_more_than_allowed_is_refused() -> None:
    chat = Chat(max_rooms=2)
    client = chat.member("a", "b")

    assert error_code(client.subscribe("c")) == 106
    assert chat.open_rooms() == {"a", "b"}


def test_open_rooms_are_found_however_many_there_are() -> None:
    chat = Chat(max_rooms=1)
    chat.member("a")

    assert "subscribe" in chat.connect().subscribe("a")


def test_a_room_that_closed_makes_place_for_another() -> None:
    chat = Chat(max_rooms=1, room_idle_s=60.0)
    chat.member("a").hang_up()

    chat.advance(60)

    assert "subscribe" in chat.connect().subscribe("b")


# Idle rooms


def test_a_room_stops_when_it_was_empty_for_long_enough() -> None:
    chat = Chat(room_idle_s=60.0)
    chat.member("lobby").hang_up()

    chat.advance(59)
    assert chat.open_rooms() == {"lobby"}
    chat.advance(1)

    assert chat.open_rooms() == set()


def test_a_room_that_was_only_looked_at_stops_too() -> None:
    chat = Chat(room_idle_s=60.0)
    chat.connect().history("lobby")

    chat.advance(60)

    assert chat.open_rooms() == set()


def test_a_room_with_somebody_in_it_does_not_stop() -> None:
    chat = Chat(room_idle_s=60.0)
    chat.member("lobby")

    chat.advance(600)

    assert chat.open_rooms() == {"lobby"}


def test_somebody_who_comes_in_time_starts_the_wait_anew() -> None:
    chat = Chat(room_idle_s=60.0)
    chat.member("lobby").hang_up()
    chat.advance(59)

    chat.member("lobby").hang_up()
    chat.advance(59)

    assert chat.open_rooms() == {"lobby"}


def test_a_join_at_the_last_moment_is_not_lost() -> None:
    chat = Chat(room_idle_s=60.0)
    chat.member("lobby").hang_up()
    ann = chat.connect()
    # Told at the very time that the room looks whether it is empty, and therefore waiting behind that look.
    chat.scheduler.call_later(60, lambda: ann.send(subscribe={"channel": "lobby"}))

    chat.advance(60)
    ann.publish("lobby", "a")

    assert ann.said() == ["a"]
    assert chat.open_rooms() == {"lobby"}


def test_a_join_that_waits_while_the_room_looks_is_not_lost() -> None:
    chat = Chat(room_idle_s=60.0)
    chat.member("lobby").hang_up()
    ann = chat.connect()

    with behind(chat.room("lobby")):
        chat.advance(60)  # the look waits, and
        number = ann.send(subscribe={"channel": "lobby"})  # so does this
        chat.run()
    chat.connect().history("lobby")
    ann.publish("lobby", "a")

    assert "subscribe" in ann.reply(number)
    assert ann.said() == ["a"]


def test_a_room_opens_again_where_it_was() -> None:
    chat = Chat(room_idle_s=60.0)
    ann = chat.connect()
    before = ann.subscribe("lobby")["subscribe"]
    ann.publish("lobby", "a")
    ann.ask(unsubscribe={"channel": "lobby"})
    chat.advance(60)

    after = ann.subscribe("lobby")["subscribe"]

    assert after["offset"] == 1
    assert after["epoch"] == before["epoch"]


# The list


def test_the_list_names_the_open_rooms_largest_first() -> None:
    chat = Chat()
    ann = chat.member("a", "b", "c")
    chat.member("b", "c")
    chat.member("b")

    assert listed(ann) == [("b", 3), ("c", 2), ("a", 1)]


def test_rooms_of_the_same_size_are_listed_by_name() -> None:
    assert listed(Chat().member("b", "c", "a")) == [("a", 1), ("b", 1), ("c", 1)]


def test_the_list_is_at_most_a_hundred_long() -> None:
    chat = Chat(max_channels=200)

    assert len(listed(chat.member(*(f"room {number}" for number in range(101))))) == 100


def test_who_left_is_not_counted_and_a_closed_room_not_listed() -> None:
    chat = Chat(room_idle_s=60.0)
    ann, bob = chat.member("a"), chat.member("a", "b")

    bob.hang_up()
    assert listed(ann) == [("a", 1), ("b", 0)]
    chat.advance(60)

    assert listed(ann) == [("a", 1)]


def test_without_rooms_the_list_is_empty() -> None:
    assert Chat().connect().rpc("rooms") == {"rpc": {"data": {"rooms": []}}}


# Rooms that fail


def test_a_room_may_crash_now_and_then_for_ever() -> None:
    chat = Chat()
    ann = chat.member("lobby")

    for _ in range(4 * TOO_OFTEN):
        chat.crash_room("lobby")
        chat.advance(3)
    ann.publish("lobby", "a")

    assert ann.said() == ["a"]


def test_a_room_that_crashes_too_often_is_given_up_and_its_members_are_told() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.member("lobby")

    chat.crash_room("lobby", TOO_OFTEN)

    assert ann.pushes("unsubscribe") == bob.pushes("unsubscribe") == [{"code": 2500, "reason": "insufficient state"}]
    assert ann.close_code is bob.close_code is None
    assert chat.open_rooms() == set()


def test_up_to_then_its_members_stay() -> None:
    chat = Chat()
    ann = chat.member("lobby")

    chat.crash_room("lobby", TOO_OFTEN - 1)

    assert ann.pushes("unsubscribe") == []
    assert ann.publish("lobby", "a") == {"publish": {}}


@pytest.mark.parametrize("method", ["subscribe", "history", "presence"])
def test_a_room_that_was_given_up_is_closed_for_a_while(method: str) -> None:
    chat = Chat(room_closed_s=30.0)
    ann = chat.member("lobby")
    chat.crash_room("lobby", TOO_OFTEN)

    chat.advance(29)
    error = ann.ask(**{method: {"channel": "lobby"}})["error"]

    assert (error["code"], error["temporary"]) == (100, True)
    assert chat.open_rooms() == set()


def test_what_waits_in_a_room_that_is_given_up_is_answered_with_a_temporary_error() -> None:
    chat = Chat()
    ann = chat.member("lobby")
    chat.crash_room("lobby", TOO_OFTEN - 1)

    chat.room("lobby").tell(Unheard())
    numbers = [ann.send(publish={"channel": "lobby", "data": 1}), ann.send(history={"channel": "lobby"})]
    chat.run()

    errors = [ann.reply(number)["error"] for number in numbers]
    assert [(error["code"], error["temporary"]) for error in errors] == [(100, True)] * 2


@pytest.mark.parametrize("steps", range(8))
def test_whenever_somebody_asks_for_it_a_room_that_is_given_up_stays_closed(steps: int) -> None:
    chat = Chat()
    chat.member("lobby")
    bob = chat.connect()
    chat.crash_room("lobby", TOO_OFTEN - 1)

    chat.room("lobby").tell(Unheard())
    for _ in range(steps):
        chat.step()
    number = bob.send(subscribe={"channel": "lobby"})
    chat.run()

    assert bob.reply(number)["error"]["code"] == 100
    assert chat.open_rooms() == set()


def test_after_that_it_opens_again_where_it_was() -> None:
    chat = Chat(room_closed_s=30.0)
    ann = chat.connect()
    epoch = ann.subscribe("lobby")["subscribe"]["epoch"]
    ann.publish("lobby", "before")
    chat.crash_room("lobby", TOO_OFTEN)
    chat.advance(30)

    result = ann.subscribe("lobby", recover=True, offset=1, epoch=epoch)["subscribe"]
    ann.publish("lobby", "after")

    assert result["recovered"] is True
    assert ann.offsets() == [1, 2]


def test_publishing_to_a_room_that_was_given_up_may_be_tried_again() -> None:
    chat = Chat()
    ann = chat.member("lobby")
    chat.crash_room("lobby", TOO_OFTEN)

    error = ann.publish("lobby", "a")["error"]
    assert (error["code"], error["temporary"]) == (100, True)


def test_publishing_after_one_has_left_such_a_room_is_not_permitted() -> None:
    chat = Chat()
    ann = chat.member("lobby")
    chat.crash_room("lobby", TOO_OFTEN)
    ann.ask(unsubscribe={"channel": "lobby"})

    assert error_code(ann.publish("lobby", "a")) == 103


def test_other_rooms_do_not_suffer() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby", "garden"), chat.member("garden")

    chat.crash_room("lobby", TOO_OFTEN)
    ann.publish("garden", "a")

    assert bob.said("garden") == ["a"]
    assert ann.pushes("unsubscribe", "garden") == []
    assert chat.failures == []


def test_many_rooms_that_are_given_up_at_once_are_no_failure_of_their_supervisor() -> None:
    chat = Chat()
    doomed = [f"room {number}" for number in range(6)]
    ann = chat.member(*doomed, "garden")

    for channel in doomed:
        chat.crash_room(channel, TOO_OFTEN)

    assert chat.failures == []
    assert ann.publish("garden", "a") == {"publish": {}}


def test_a_room_that_cannot_even_start_is_given_up_and_whoever_asked_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chat = Chat()
    ann = chat.connect()
    monkeypatch.delattr(RoomActor, "_open")

    error = ann.subscribe("lobby")["error"]

    assert (error["code"], error["temporary"]) == (100, True)
    assert chat.open_rooms() == set()
    assert chat.failures == []


# A crash of the supervisor itself


@pytest.fixture
def crash_rooms(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that has the rooms' supervisor crash on a request."""

    def crash(client: Client) -> dict[str, Any]:
        with monkeypatch.context() as patch:
            patch.delattr(RoomsActor, "_forward")
            return client.subscribe("the request that it crashes on")

    return crash


def test_a_crash_of_the_supervisor_is_answered_and_keeps_the_rooms(crash_rooms: Any) -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.member("lobby")

    reply = crash_rooms(ann)
    ann.publish("lobby", "a")

    assert (reply["error"]["code"], reply["error"]["temporary"]) == (100, True)
    assert ann.said() == bob.said() == ["a"]
    assert ann.pushes("unsubscribe") == []


def test_after_that_it_finds_the_rooms_that_are_there(crash_rooms: Any) -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.connect()
    crash_rooms(ann)

    bob.subscribe("lobby")
    ann.publish("lobby", "a")

    assert bob.said() == ["a"]


def test_after_that_it_still_notices_the_end_of_a_room(crash_rooms: Any) -> None:
    chat = Chat(max_rooms=1, room_idle_s=60.0)
    ann = chat.member("lobby")
    crash_rooms(ann)

    ann.ask(unsubscribe={"channel": "lobby"})
    chat.advance(60)

    assert listed(ann) == []
    assert "subscribe" in ann.subscribe("garden")


def test_after_that_the_list_has_the_sizes_again(crash_rooms: Any) -> None:
    chat = Chat()
    ann, _ = chat.member("lobby"), chat.member("lobby")

    crash_rooms(ann)

    assert listed(ann) == [("lobby", 2)]
