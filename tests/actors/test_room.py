"""The room actor: recovery, history, presence, and what a crash of it means to those who are in."""

from __future__ import annotations

from typing import Any

import pytest

from actors.messages import CatchUp, Committed, Deliver, Open, Opened
from actors.room import RoomActor
from chat.log import Entry, LogError, MemoryLog, Position, Stored
from chat.wire import Publications, Published
from tests.fakes import ANN, NOON_MS, Chat, Client, FakeLog, Unheard, behind, draft, is_held, limit_mailbox

CRASH = "the message that the room crashes on"

INTERNAL = {"error": {"code": 100, "message": "internal server error", "temporary": True}}
UNRECOVERABLE = {"error": {"code": 112, "message": "unrecoverable position"}}


def spoken(count: int, log: MemoryLog | FakeLog | None = None, **limits: Any) -> tuple[Chat, Client, str]:
    """Return a chat in whose lobby somebody said "message 1" and so on, the speaker, and the lobby's epoch."""
    chat = Chat(log, **limits)
    ann = chat.connect("Ann")
    epoch = ann.subscribe("lobby")["subscribe"]["epoch"]
    for number in range(1, count + 1):
        ann.publish("lobby", f"message {number}")
    return chat, ann, epoch


def resume(chat: Chat, **position: Any) -> dict[str, Any]:
    """Subscribe a new client from a position, and return the reply's result."""
    result: dict[str, Any] = chat.connect().subscribe("lobby", recover=True, **position)["subscribe"]
    return result


def offsets(result: dict[str, Any]) -> list[int]:
    return [publication["offset"] for publication in result.get("publications", [])]


@pytest.fixture
def _rooms_crash_on_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have rooms crash on the message `CRASH`, as they would on a bug of ours."""
    publish = RoomActor._publish  # noqa: SLF001  (no message of a client makes a room crash; so one is made up)

    def crash(self: RoomActor, message: Any) -> None:
        if CRASH.encode() in message.data:
            raise ZeroDivisionError
        publish(self, message)

    monkeypatch.setattr(RoomActor, "_publish", crash)


# Recovery


def test_who_resumes_gets_what_it_missed_and_the_offset_that_it_had() -> None:
    chat, _, epoch = spoken(5)

    result = resume(chat, offset=2, epoch=epoch)

    assert offsets(result) == [3, 4, 5]
    assert [publication["data"] for publication in result["publications"]] == ["message 3", "message 4", "message 5"]
    assert (result["was_recovering"], result["recovered"]) == (True, True)
    assert (result["offset"], result["epoch"]) == (2, epoch)


def test_recovered_publications_look_like_live_ones() -> None:
    chat, ann, epoch = spoken(1)

    assert resume(chat, epoch=epoch)["publications"] == ann.publications()


def test_who_missed_nothing_is_recovered_with_nothing() -> None:
    chat, _, epoch = spoken(5)

    assert resume(chat, offset=5, epoch=epoch) == {
        "recoverable": True,
        "positioned": True,
        "epoch": epoch,
        "offset": 5,
        "was_recovering": True,
        "recovered": True,
    }


@pytest.mark.parametrize("offset", [{}, {"offset": 0}])
def test_resuming_from_the_very_beginning_gets_everything(offset: dict[str, int]) -> None:
    chat, _, epoch = spoken(3)

    result = resume(chat, epoch=epoch, **offset)

    assert offsets(result) == [1, 2, 3]
    assert "offset" not in result


@pytest.mark.parametrize("epoch", [{}, {"epoch": ""}])
def test_no_epoch_stands_for_whichever_there_is(epoch: dict[str, str]) -> None:
    chat, _, _ = spoken(3)

    assert offsets(resume(chat, offset=2, **epoch)) == [3]


@pytest.mark.parametrize(
    ("offset", "epoch"),
    [
        pytest.param(6, None, id="from the future"),
        pytest.param(2**63 - 1, None, id="from the far future"),
        pytest.param(2, "another", id="of another epoch"),
        pytest.param(5, "another", id="same offset of another epoch"),
        pytest.param(0, "_", id="of the state that was invalidated"),
    ],
)
def test_a_position_that_cannot_be_recovered_is_answered_with_the_current_one(offset: int, epoch: str | None) -> None:
    chat, _, current = spoken(5)

    assert resume(chat, offset=offset, epoch=epoch or current) == {
        "recoverable": True,
        "positioned": True,
        "epoch": current,
        "offset": 5,
        "was_recovering": True,
    }


@pytest.mark.parametrize("recovery_window", [1, 2, 3, 300])
def test_as_much_as_the_limit_allows_can_be_recovered_whether_it_is_at_hand_or_not(recovery_window: int) -> None:
    chat, _, epoch = spoken(5, recovery_window=recovery_window, recovery_limit=3)

    result = resume(chat, offset=2, epoch=epoch)

    assert result["recovered"]
    assert offsets(result) == [3, 4, 5]


@pytest.mark.parametrize("recovery_window", [1, 300])
def test_one_more_cannot(recovery_window: int) -> None:
    chat, _, epoch = spoken(5, recovery_window=recovery_window, recovery_limit=3)

    result = resume(chat, offset=1, epoch=epoch)

    assert "recovered" not in result
    assert offsets(result) == []
    assert result["offset"] == 5


@pytest.mark.parametrize("flag", [2, 3])
def test_a_client_that_asked_for_it_gets_an_error_instead(flag: int) -> None:
    chat, _, _ = spoken(5)

    reply = chat.connect().subscribe("lobby", recover=True, offset=2, epoch="another", flag=flag)

    assert reply == UNRECOVERABLE


def test_after_that_error_it_is_not_in() -> None:
    chat, ann, _ = spoken(1)
    bob = chat.connect()
    bob.subscribe("lobby", recover=True, epoch="another", flag=2)

    ann.publish("lobby", "a")

    assert bob.said() == []
    assert "subscribe" in bob.subscribe("lobby")


def test_that_flag_means_nothing_where_the_position_can_be_recovered() -> None:
    chat, _, epoch = spoken(5)

    assert offsets(resume(chat, offset=3, epoch=epoch, flag=2)) == [4, 5]


def test_that_flag_means_nothing_where_nothing_is_to_be_recovered() -> None:
    chat, _, _ = spoken(5)

    assert "subscribe" in chat.connect().subscribe("lobby", flag=2)


def test_what_is_said_while_somebody_resumes_comes_once_and_in_order() -> None:
    chat, ann, epoch = spoken(2)
    bob = chat.connect()

    ann.send(publish={"channel": "lobby", "data": "before"})
    bob.send(subscribe={"channel": "lobby", "recover": True, "offset": 1, "epoch": epoch})
    ann.send(publish={"channel": "lobby", "data": "after"})
    chat.run()

    assert bob.offsets() == [2, 3, 4]


def test_a_room_that_was_closed_knows_what_was_said_in_it() -> None:
    chat, ann, epoch = spoken(3, room_idle_s=60.0)
    ann.hang_up()
    chat.advance(60)
    assert chat.open_rooms() == set()

    assert offsets(resume(chat, offset=1, epoch=epoch)) == [2, 3]


# History


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({}, []),
        ({"limit": 0}, []),
        ({"limit": 2}, [1, 2]),
        ({"limit": -1}, [1, 2, 3, 4, 5]),
        ({"limit": 1000}, [1, 2, 3, 4, 5]),
        ({"limit": 2, "reverse": True}, [5, 4]),
        ({"limit": -1, "reverse": True}, [5, 4, 3, 2, 1]),
        ({"limit": -1, "since": {"offset": 2}}, [3, 4, 5]),
        ({"limit": 1, "since": {"offset": 2}}, [3]),
        ({"limit": -1, "since": {"offset": 5}}, []),
        ({"limit": -1, "since": {"offset": 99}}, []),
        ({"limit": -1, "since": {}}, [1, 2, 3, 4, 5]),
        ({"limit": -1, "since": {"offset": 3}, "reverse": True}, [2, 1]),
        ({"limit": 1, "since": {"offset": 3}, "reverse": True}, [2]),
        ({"limit": -1, "since": {"offset": 1}, "reverse": True}, []),
        ({"limit": 0, "since": {"offset": 1}}, []),
    ],
    ids=str,
)
def test_history_is_a_page_and_the_position(options: dict[str, Any], found: list[int]) -> None:
    _, ann, epoch = spoken(5)

    history = ann.history("lobby", **options)["history"]

    assert offsets(history) == found
    assert (history["offset"], history["epoch"]) == (5, epoch)


def test_history_shows_publications_as_members_saw_them() -> None:
    _, ann, _ = spoken(2)

    assert ann.history("lobby", limit=-1)["history"]["publications"] == ann.publications()


@pytest.mark.parametrize("limit", [-1, 100])
def test_a_page_of_history_is_no_longer_than_the_window(limit: int) -> None:
    _, ann, _ = spoken(5, recovery_window=3)

    assert offsets(ann.history("lobby", limit=limit)["history"]) == [1, 2, 3]


def test_history_goes_further_back_than_the_window() -> None:
    _, ann, _ = spoken(9, recovery_window=3)

    assert offsets(ann.history("lobby", limit=2, since={"offset": 1})["history"]) == [2, 3]
    assert offsets(ann.history("lobby", limit=2, since={"offset": 5}, reverse=True)["history"]) == [4, 3]


def test_a_page_from_a_position_that_was_forgotten_begins_with_the_oldest_entry_kept() -> None:
    _, ann, _ = spoken(5, MemoryLog(max_entries=3), recovery_window=2)

    assert offsets(ann.history("lobby", limit=2, since={"offset": 1})["history"]) == [3, 4]


def test_history_of_another_epoch_is_unrecoverable() -> None:
    _, ann, _ = spoken(5)

    assert ann.history("lobby", limit=-1, since={"offset": 1, "epoch": "another"}) == UNRECOVERABLE


def test_history_of_the_same_epoch_is_not() -> None:
    _, ann, epoch = spoken(5)

    assert offsets(ann.history("lobby", limit=-1, since={"offset": 4, "epoch": epoch})["history"]) == [5]


def test_history_of_an_empty_room_has_all_its_keys() -> None:
    _, ann, epoch = spoken(0)

    assert ann.history("lobby") == {"history": {"publications": [], "offset": 0, "epoch": epoch}}


def test_history_can_be_read_from_outside() -> None:
    chat, _, _ = spoken(2)

    assert offsets(chat.connect().history("lobby", limit=-1)["history"]) == [1, 2]


# Presence


def test_presence_lists_every_connection_with_who_it_is() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby", name="Ann"), chat.member("lobby", name="Bob")

    presence = ann.ask(presence={"channel": "lobby"})["presence"]["presence"]

    assert presence.keys() == {ann.id, bob.id}
    assert presence[bob.id] == {
        "user": bob.hello["data"]["user"],
        "client": bob.id,
        "conn_info": {"name": "Bob"},
    }


def test_presence_stats_count_connections_and_the_users_behind_them() -> None:
    chat = Chat()
    ann = chat.member("lobby")
    chat.member("lobby")
    chat.connect(guest=ann.hello["data"]["guest"]).subscribe("lobby")

    assert ann.ask(presence_stats={"channel": "lobby"}) == {"presence_stats": {"num_clients": 3, "num_users": 2}}


def test_presence_and_stats_can_be_read_from_outside() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.connect()

    assert bob.ask(presence={"channel": "lobby"})["presence"]["presence"].keys() == {ann.id}
    assert bob.ask(presence_stats={"channel": "lobby"})["presence_stats"]["num_clients"] == 1


def test_in_a_channel_where_nobody_is_there_is_nobody() -> None:
    client = Chat().connect()

    assert client.ask(presence={"channel": "lobby"}) == {"presence": {"presence": {}}}
    assert client.ask(presence_stats={"channel": "lobby"}) == {"presence_stats": {"num_clients": 0, "num_users": 0}}


def test_everybody_sees_who_comes_the_one_who_comes_included() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.member("lobby", name="Bob")

    assert [join["info"]["client"] for join in ann.pushes("join")] == [ann.id, bob.id]
    assert bob.pushes("join") == [
        {"info": {"user": bob.hello["data"]["user"], "client": bob.id, "conn_info": {"name": "Bob"}}}
    ]


def test_the_reply_to_subscribe_comes_before_ones_own_join() -> None:
    client = Chat().member("lobby")

    kinds = [next(key for key in message if key != "id") for message in client.received]

    assert kinds == ["connect", "subscribe", "push"]


def test_those_who_stay_see_who_goes() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.member("lobby")

    bob.ask(unsubscribe={"channel": "lobby"})

    assert [leave["info"]["client"] for leave in ann.pushes("leave")] == [bob.id]
    assert bob.pushes("leave") == []


def test_however_many_leave_at_once_nobody_else_is_refused_for_it() -> None:
    chat = Chat()
    ann, *others = [chat.member("lobby") for _ in range(6)]
    limit_mailbox(chat.room("lobby"), 2)

    with behind(chat.room("lobby")):
        for other in others:
            other.hang_up()
    said = ann.publish("lobby", "still here")

    assert said == {"publish": {}}
    assert len(ann.pushes("leave")) == len(others)


def test_who_leaves_a_room_that_is_full_with_requests_is_out() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.member("lobby")
    limit_mailbox(chat.room("lobby"), 0)

    bob.ask(unsubscribe={"channel": "lobby"})

    assert [leave["info"]["client"] for leave in ann.pushes("leave")] == [bob.id]


def test_nobody_leaves_twice() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.member("lobby")

    bob.ask(unsubscribe={"channel": "lobby"})
    bob.hang_up()

    assert len(ann.pushes("leave")) == 1


def test_a_room_at_its_presence_limit_still_tells_who_comes_and_who_is_there() -> None:
    chat = Chat(presence_limit=2)
    ann, bob = chat.member("lobby"), chat.member("lobby")

    assert len(ann.pushes("join")) == 2
    assert ann.ask(presence={"channel": "lobby"})["presence"]["presence"].keys() == {ann.id, bob.id}


def test_a_larger_room_does_not_tell_who_comes_and_who_goes() -> None:
    chat = Chat(presence_limit=2)
    ann, *_ = (chat.member("lobby") for _ in range(3))
    last = chat.member("lobby")

    last.hang_up()

    assert len(ann.pushes("join")) == 2
    assert ann.pushes("leave") == []


def test_a_larger_room_counts_but_does_not_list() -> None:
    chat = Chat(presence_limit=2)
    ann, *_ = [chat.member("lobby") for _ in range(3)]

    assert ann.ask(presence={"channel": "lobby"})["error"]["code"] == 106
    assert ann.ask(presence_stats={"channel": "lobby"})["presence_stats"]["num_clients"] == 3


def test_a_larger_room_does_not_tell_who_types() -> None:
    chat = Chat(presence_limit=2)
    ann, bob, _ = (chat.member("lobby") for _ in range(3))

    assert ann.rpc("typing", channel="lobby") == {"rpc": {"data": {}}}
    assert bob.said() == []


# Crashes


def test_after_a_crash_the_same_members_go_on() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.member("lobby")
    ann.publish("lobby", "before")

    chat.crash_room("lobby")
    ann.publish("lobby", "after")

    assert ann.said() == bob.said() == ["before", "after"]
    assert ann.offsets() == bob.offsets() == [1, 2]


def test_a_crash_disconnects_nobody_and_is_not_seen() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.member("lobby")
    for client in (ann, bob):
        client.forget()

    chat.crash_room("lobby")

    assert ann.close_code is bob.close_code is None
    assert ann.received == bob.received == []


def test_after_a_crash_everybody_is_still_present() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.member("lobby")

    chat.crash_room("lobby")

    assert ann.ask(presence={"channel": "lobby"})["presence"]["presence"].keys() == {ann.id, bob.id}


@pytest.mark.parametrize("crash_first", [True, False])
def test_what_waits_in_the_mailbox_of_a_crashing_room_is_stored_and_delivered(*, crash_first: bool) -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.member("lobby")
    if crash_first:
        chat.room("lobby").tell(Unheard())
    numbers = [client.send(publish={"channel": "lobby", "data": text}) for client in (ann, bob) for text in "ab"]
    chat.room("lobby").tell(Unheard())
    chat.run()

    assert [ann.reply(numbers[0]), ann.reply(numbers[1])] == [{"publish": {}}] * 2
    assert [bob.reply(numbers[2]), bob.reply(numbers[3])] == [{"publish": {}}] * 2
    assert ann.offsets() == bob.offsets() == [1, 2, 3, 4]
    assert ann.said() == bob.said() == ["a", "b", "a", "b"]


def test_what_was_stored_while_the_room_was_down_reaches_every_member_once() -> None:
    log = FakeLog()
    chat = Chat(log)
    ann, bob = chat.member("lobby"), chat.member("lobby")
    ann.publish("lobby", "before")

    log.kept.append([draft("lobby", "stored by nobody here")])
    chat.crash_room("lobby")
    bob.publish("lobby", "after")

    assert ann.offsets() == bob.offsets() == [1, 2, 3]


def test_members_who_are_not_at_the_same_place_each_get_what_they_lack() -> None:
    chat, ann, epoch = spoken(3)
    bob = chat.connect()
    chat.room("lobby").tell(Unheard())
    bob.send(subscribe={"channel": "lobby", "recover": True, "offset": 1, "epoch": epoch})
    ann.send(publish={"channel": "lobby", "data": "message 4"})
    chat.run()

    assert ann.offsets() == [1, 2, 3, 4]
    assert bob.offsets() == [2, 3, 4]


@pytest.mark.usefixtures("_rooms_crash_on_a_message")
def test_whoever_sent_what_the_room_crashed_on_gets_a_temporary_error() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.member("lobby")

    assert ann.publish("lobby", CRASH) == INTERNAL
    assert ann.rpc("send", channel="lobby", key="k", text=CRASH) == INTERNAL
    assert bob.said() == []


@pytest.mark.usefixtures("_rooms_crash_on_a_message")
def test_what_is_sent_along_with_it_is_stored_and_delivered() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.member("lobby")

    numbers = ann.send_batch(*[{"publish": {"channel": "lobby", "data": text}} for text in ("a", CRASH, "b")])

    assert [ann.reply(number) for number in numbers] == [{"publish": {}}, INTERNAL, {"publish": {}}]
    assert ann.said() == bob.said() == ["a", "b"]
    assert ann.offsets() == bob.offsets() == [1, 2]


def test_who_enters_a_crashing_room_is_in() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.connect()

    chat.room("lobby").tell(Unheard())
    number = bob.send(subscribe={"channel": "lobby"})
    chat.run()
    ann.publish("lobby", "a")

    assert "subscribe" in bob.reply(number)
    assert bob.said() == ["a"]
    assert [join["info"]["client"] for join in ann.pushes("join")] == [ann.id, bob.id]


def test_whose_subscribe_the_room_crashes_on_may_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    chat = Chat()
    with monkeypatch.context() as patch:
        patch.delattr(RoomActor, "_recoverable")
        client = chat.connect()
        reply = client.subscribe("lobby", recover=True)

    assert reply == INTERNAL
    assert "subscribe" in client.subscribe("lobby", recover=True)


def test_who_leaves_a_crashing_room_is_seen_to_leave() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.member("lobby")

    chat.room("lobby").tell(Unheard())
    bob.send(unsubscribe={"channel": "lobby"})
    chat.run()

    assert ann.ask(presence_stats={"channel": "lobby"})["presence_stats"]["num_clients"] == 1
    assert [leave["info"]["client"] for leave in ann.pushes("leave")] == [bob.id]


def test_who_hangs_up_on_a_crashing_room_is_seen_to_leave() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.member("lobby")

    chat.room("lobby").tell(Unheard())
    bob.hang_up()

    assert ann.ask(presence_stats={"channel": "lobby"})["presence_stats"]["num_clients"] == 1
    assert [leave["info"]["client"] for leave in ann.pushes("leave")] == [bob.id]


def test_a_member_that_missed_more_than_the_limit_subscribes_again() -> None:
    log = FakeLog()
    chat = Chat(log, recovery_limit=3)
    ann = chat.member("lobby")
    log.kept.append([draft("lobby", f"message {number}") for number in range(4)])

    chat.crash_room("lobby")

    assert ann.pushes("unsubscribe") == [{"code": 2500, "reason": "insufficient state"}]
    assert ann.close_code is None
    assert ann.said() == []


def test_a_member_that_a_busy_room_cannot_take_back_subscribes_again() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.member("lobby")
    limit_mailbox(chat.room("lobby"), 1)  # place for one of them

    chat.crash_room("lobby")

    assert ann.pushes("unsubscribe") == []
    assert bob.pushes("unsubscribe") == [{"code": 2500, "reason": "insufficient state"}]


def test_a_room_that_was_idle_when_it_crashed_still_stops() -> None:
    chat = Chat(room_idle_s=60.0)
    client = chat.connect()
    client.history("lobby")

    chat.crash_room("lobby")
    chat.advance(60)

    assert chat.open_rooms() == set()


# Somebody else appends, too


def test_a_gap_before_a_new_entry_is_read_from_the_log() -> None:
    log = FakeLog()
    chat = Chat(log)
    ann, bob = chat.member("lobby"), chat.member("lobby")
    ann.publish("lobby", "one")

    log.kept.append([draft("lobby", "two"), draft("lobby", "three")])
    reply = ann.publish("lobby", "four")

    assert reply == {"publish": {}}
    assert ann.said() == bob.said() == ["one", "two", "three", "four"]
    assert ann.offsets() == [1, 2, 3, 4]


@pytest.mark.parametrize("recovery_window", [3, 300])
def test_a_gap_wider_than_the_window_is_made_up_for_too(recovery_window: int) -> None:
    log = FakeLog()
    chat = Chat(log, recovery_window=recovery_window)
    ann = chat.member("lobby")

    log.kept.append([draft("lobby", f"message {number}") for number in range(1, 6)])
    ann.publish("lobby", "message 6")

    assert ann.said() == [f"message {number}" for number in range(1, 7)]
    assert ann.pushes("unsubscribe") == []


def test_a_gap_wider_than_the_limit_ends_the_subscriptions_that_cannot_follow() -> None:
    log = FakeLog()
    chat = Chat(log, recovery_window=3, recovery_limit=3)
    ann = chat.member("lobby")

    log.kept.append([draft("lobby", f"message {number}") for number in range(1, 6)])
    ann.publish("lobby", "message 6")

    assert ann.pushes("unsubscribe") == [{"code": 2500, "reason": "insufficient state"}]
    assert ann.said() == []


def test_entries_that_were_read_already_are_not_shown_again() -> None:
    log = FakeLog()
    chat = Chat(log)
    ann = chat.member("lobby")
    ann.publish("lobby", "one")
    (stored,) = log.kept.append([draft("lobby", "two")])
    assert isinstance(stored, Stored)
    chat.crash_room("lobby")

    chat.room("lobby").tell(Committed(stored.epoch, [stored.entry]))
    chat.run()

    assert ann.offsets() == [1, 2]


def test_a_log_that_began_anew_makes_members_subscribe_again() -> None:
    log = FakeLog()
    chat = Chat(log)
    ann, bob = chat.member("lobby"), chat.member("lobby")
    ann.publish("lobby", "before")

    log.forget()
    reply = ann.publish("lobby", "after")

    assert reply == {"publish": {}}
    assert ann.pushes("unsubscribe") == bob.pushes("unsubscribe") == [{"code": 2500, "reason": "insufficient state"}]
    assert bob.said() == ["before"]


def test_after_that_a_member_learns_that_it_cannot_recover() -> None:
    log = FakeLog()
    chat = Chat(log)
    ann = chat.connect()
    epoch = ann.subscribe("lobby")["subscribe"]["epoch"]
    ann.publish("lobby", "before")
    log.forget()
    ann.publish("lobby", "after")

    again = ann.subscribe("lobby", recover=True, offset=1, epoch=epoch)["subscribe"]

    assert again["epoch"] != epoch
    assert (again["offset"], again["was_recovering"]) == (1, True)
    assert "recovered" not in again


def test_a_log_that_begins_anew_while_a_gap_is_read_makes_members_subscribe_again() -> None:
    log = FakeLog()
    chat = Chat(log)
    ann = chat.member("lobby")
    log.kept.append([draft("lobby", "stored by nobody here")])

    ann.send(publish={"channel": "lobby", "data": "a"})
    while not is_held(chat.room("lobby")):  # it reads the gap
        chat.step()
    log.forget()
    chat.run()

    assert ann.pushes("unsubscribe") == [{"code": 2500, "reason": "insufficient state"}]


def test_an_answer_that_an_earlier_incarnation_asked_for_does_not_take_the_room_back() -> None:
    chat, ann, epoch = spoken(3)
    room, reader = chat.room("lobby"), chat.find("reader")
    late = Opened(Open(room, "lobby", 300), Position(3, epoch), [], [], "")
    with behind(reader):
        room.tell(CatchUp())
        chat.run()
        room.tell(Unheard())
        chat.run()
    room.tell(late)
    reader.tell(Open(room, "garden", 0))
    chat.run()
    ann.publish("lobby", "message 4")

    room.tell(late)
    chat.run()

    assert ann.history("lobby")["history"]["offset"] == 4
    assert resume(chat, offset=4, epoch=epoch)["recovered"]


# How much fits into a reply


def large(count: int, **limits: Any) -> tuple[Chat, Client, str]:
    """Return a chat, a member of its lobby, and its epoch, after messages of 1,000 bytes each."""
    chat = Chat(max_backlog_bytes=5_000, **limits)
    ann = chat.connect("Ann")
    epoch = ann.subscribe("lobby")["subscribe"]["epoch"]
    for number in range(count):
        ann.rpc("send", channel="lobby", key=f"k{number}", text="x" * 936)
    return chat, ann, epoch


def page(client: Client, **options: Any) -> list[int]:
    """Read messages of the lobby, and return their offsets."""
    return [
        message["offset"] for message in client.rpc("messages", channel="lobby", **options)["rpc"]["data"]["messages"]
    ]


@pytest.mark.parametrize("recovery_window", [300, 2])
def test_a_page_ends_where_it_would_be_too_much_for_a_client(recovery_window: int) -> None:
    _, ann, _ = large(8, recovery_window=recovery_window)
    ann.chat.crash_room("lobby")
    limit = min(5, recovery_window)

    assert len(ann.history("lobby", limit=limit)["history"]["publications"]) == min(limit, 2)
    assert offsets(ann.history("lobby", limit=limit, reverse=True)["history"])[0] == 8
    assert page(ann, limit=5) == [7, 8]
    assert page(ann, limit=5, before=5) == [3, 4]
    assert page(ann, limit=5, after=2) == [3, 4]


# What was missed is more than goes at once


class LongAway:
    """Bob comes back to the lobby after six messages, of which two go at once; Ann has been there all the time."""

    def __init__(self, recovery_window: int) -> None:
        self.chat, self.ann, epoch = large(8, recovery_window=recovery_window)
        self.bob = self.chat.connect("Bob")
        self.bob.transport.reads = False
        self._position = {"channel": "lobby", "recover": True, "epoch": epoch}

    def come_back(self, offset: int = 2) -> dict[str, Any]:
        result: dict[str, Any] = self.bob.ask(subscribe={**self._position, "offset": offset})["subscribe"]
        return result

    def take_all(self) -> None:
        """Have Bob take what he got, and whatever follows."""
        self.bob.transport.reads = True
        self.chat.advance(1)


@pytest.fixture(params=[300, 2], ids=["at hand", "in the log"])
def long_away(request: pytest.FixtureRequest) -> LongAway:
    return LongAway(request.param)


def test_the_reply_has_the_first_part_and_pushes_the_rest_each_once_and_in_order(long_away: LongAway) -> None:
    long_away.bob.transport.reads = True

    result = long_away.come_back()

    assert (result["recovered"], result["offset"], offsets(result)) == (True, 2, [3, 4])
    assert long_away.bob.offsets() == [3, 4, 5, 6, 7, 8]


def test_no_part_is_more_than_a_client_may_be_given_at_once(long_away: LongAway) -> None:
    long_away.come_back()
    long_away.take_all()

    assert max(map(len, long_away.bob.transport.frames)) < 5_000 // 2 + 500


def test_the_rest_waits_until_the_client_has_taken_what_it_got(long_away: LongAway) -> None:
    long_away.come_back()
    long_away.chat.advance(10)
    before = long_away.bob.offsets()

    long_away.take_all()

    assert before == [3, 4]
    assert long_away.bob.offsets() == [3, 4, 5, 6, 7, 8]


def test_what_is_said_meanwhile_comes_after_it(long_away: LongAway) -> None:
    long_away.come_back()
    long_away.ann.publish("lobby", "live")
    before = long_away.bob.offsets()

    long_away.take_all()
    long_away.ann.publish("lobby", "live, too")

    assert before == [3, 4]
    assert long_away.bob.offsets() == [3, 4, 5, 6, 7, 8, 9, 10]


def test_who_leaves_meanwhile_gets_nothing_more(long_away: LongAway) -> None:
    long_away.come_back()
    long_away.bob.ask(unsubscribe={"channel": "lobby"})

    long_away.take_all()

    assert long_away.bob.offsets() == [3, 4]


def test_who_comes_again_meanwhile_goes_on_from_there_only(long_away: LongAway) -> None:
    long_away.come_back()
    long_away.bob.ask(unsubscribe={"channel": "lobby"})
    long_away.bob.forget()

    long_away.come_back(offset=6)
    long_away.take_all()

    assert long_away.bob.offsets() == [7, 8]


def test_who_is_about_to_come_again_is_not_in_anybodys_way(long_away: LongAway) -> None:
    long_away.come_back()
    long_away.bob.ask(unsubscribe={"channel": "lobby"})

    with behind(long_away.chat.room("lobby")):
        long_away.bob.send(subscribe={"channel": "lobby"})
        long_away.take_all()

    assert long_away.bob.close_code is None


def test_a_room_that_crashes_meanwhile_takes_nothing_away(long_away: LongAway) -> None:
    long_away.come_back()
    long_away.chat.crash_room("lobby")

    long_away.take_all()

    assert long_away.bob.offsets() == [3, 4, 5, 6, 7, 8]


# What was missed is to be read from the log


def behind_the_window() -> tuple[Chat, FakeLog, dict[str, Any]]:
    log = FakeLog()
    chat, _, epoch = spoken(5, log, recovery_window=2)
    return chat, log, {"channel": "lobby", "recover": True, "offset": 1, "epoch": epoch}


def test_where_the_log_has_forgotten_the_first_of_it_nothing_is_recovered() -> None:
    chat, _, epoch = spoken(5, MemoryLog(max_entries=3), recovery_window=2)

    result = resume(chat, offset=1, epoch=epoch)

    assert "recovered" not in result
    assert result["offset"] == 5


def test_a_log_that_cannot_read_is_a_temporary_error_to_who_comes_back() -> None:
    chat, log, position = behind_the_window()
    log.read_errors.append(LogError("planted"))
    bob = chat.connect("Bob")

    assert bob.ask(subscribe=position) == INTERNAL
    assert offsets(bob.ask(subscribe=position)["subscribe"]) == [2, 3, 4, 5]


def test_a_member_that_fell_behind_is_read_for_again_where_the_log_could_not_read() -> None:
    log = FakeLog()
    chat = Chat(log, recovery_window=2)
    ann = chat.member("lobby")
    log.kept.append([draft("lobby", f"message {number}") for number in range(1, 6)])
    log.read_errors.extend([None, LogError("planted")])  # the room learns where it stands, and no more

    chat.crash_room("lobby")
    assert ann.offsets() == []
    chat.advance(1)

    assert ann.offsets() == [1, 2, 3, 4, 5]
    assert ann.pushes("unsubscribe") == []


def test_who_waits_for_the_log_when_the_room_crashes_is_answered_once() -> None:
    chat, _, position = behind_the_window()
    bob = chat.connect("Bob")

    with behind(chat.find("reader")):
        number = bob.send(subscribe=position)
        chat.run()
        chat.room("lobby").tell(Unheard())
        chat.run()
    chat.find("reader").tell(Unheard())  # which has it crash as well, and go on with what waits
    chat.run()

    assert bob.replies(number) == [INTERNAL]
    assert chat.system.health().recent_crashes == 2  # and what came too late for the room was none
    assert offsets(bob.ask(subscribe=position)["subscribe"]) == [2, 3, 4, 5]


def test_a_log_that_began_anew_meanwhile_recovers_nothing() -> None:
    chat, log, position = behind_the_window()
    bob = chat.connect("Bob")
    log.forget()
    log.append([draft("lobby", f"message {number}") for number in range(1, 6)])

    assert "recovered" not in bob.ask(subscribe=position)["subscribe"]


def test_a_member_that_lost_something_asks_for_it_once_whatever_comes_meanwhile() -> None:
    chat, ann, _ = spoken(3)
    late = [Published(Entry(offset, "", ANN, NOON_MS, b"1")) for offset in (10, 11, 12)]

    with behind(chat.room("lobby")):
        for item in late:
            ann.ref.tell(Deliver(Publications("lobby", [item])))
        chat.run()

        assert chat.room("lobby").waiting() == 1
