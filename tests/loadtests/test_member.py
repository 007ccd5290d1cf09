from __future__ import annotations

import queue
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from loadtests import _session
from loadtests._deliveries import stamp
from loadtests._member import Member
from loadtests._session import Session
from tests.loadtests.room import Room, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from websockets.sync.server import ServerConnection

ANSWER_S = 5.0


class Notes:
    """Rows, as what was counted in its order."""

    def __init__(self) -> None:
        self._notes: queue.Queue[str] = queue.Queue()

    def done(self, row: str, time_ms: float) -> None:
        assert time_ms >= 0
        self._notes.put(row)

    def failed(self, row: str, error: Exception) -> None:
        self._notes.put(f"{row} failed: {error}")

    def delivered(self, latency_ms: int) -> None:
        self._notes.put(f"delivered after {latency_ms // 1000} s")

    def caught_up(self, latency_ms: int) -> None:
        self._notes.put(f"caught up after {latency_ms // 1000} s")

    def next(self, count: int) -> list[str]:
        return [self._notes.get(timeout=ANSWER_S) for _ in range(count)]

    def nothing_more(self) -> bool:
        return self._notes.empty()


DELIVERED = "delivered after 0 s"
CAUGHT_UP = "caught up after 0 s"


@pytest.fixture
def room() -> Iterator[Room]:
    with serving() as room:
        for _ in range(7):
            room.say(stamp("before"))
        yield room


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def outsider(room: Room, notes: Notes) -> Iterator[Member]:
    """Return somebody who has not come yet."""
    url = f"ws{room.url.removeprefix('http')}/connection/websocket"
    member = Member(url, name="load-1", rooms=["load"], rows=notes)
    yield member
    member.leave()
    member.stay()


@pytest.fixture
def member(outsider: Member, notes: Notes) -> Member:
    assert outsider.come()
    assert notes.next(1) == ["connect"]
    return outsider


def dropped(member: Member) -> Member:
    member.drop()
    member.stay()
    return member


def test_messages_in_order_are_deliveries(room: Room, member: Member, notes: Notes) -> None:
    room.say(stamp("hello"))
    room.push({"offset": 9, "data": {}}, {"offset": 10, "data": {}})

    assert notes.next(3) == [DELIVERED] * 3


def test_a_message_in_the_same_frame_as_the_answer_to_subscribe_counts(
    room: Room, outsider: Member, notes: Notes
) -> None:
    room.along = '{"push":{"channel":"load","pub":{"offset":8,"data":{}}}}'
    outsider.come()

    assert sorted(notes.next(2)) == ["connect", DELIVERED]


def test_a_missing_message_is_a_gap_once(room: Room, member: Member, notes: Notes) -> None:
    room.push({"offset": 9, "data": {}}, {"offset": 10, "data": {}})

    assert notes.next(2) == ["gaps failed: gap in the offsets", DELIVERED]


def test_a_message_that_comes_twice_is_a_duplicate(room: Room, member: Member, notes: Notes) -> None:
    room.push({"offset": 8, "data": {}}, {"offset": 8, "data": {}}, {"offset": 9, "data": {}})

    assert notes.next(3) == [DELIVERED, "duplicates failed: offset came again", DELIVERED]


def test_events_that_are_not_stored_have_no_place_in_the_order(room: Room, member: Member, notes: Notes) -> None:
    room.send('{"push":{"channel":"load","pub":{"data":{"type":"typing"}}}}')
    room.send('{"push":{"channel":"load","join":{"info":{"user":"u"}}}}')
    room.say()

    assert notes.next(1) == [DELIVERED]


def test_a_ping_is_answered(room: Room, member: Member) -> None:
    room.send("{}")

    assert room.pongs.acquire(timeout=ANSWER_S)


def test_an_acknowledged_message_is_sent_and_comes_back(room: Room, member: Member, notes: Notes) -> None:
    member.say("hello")

    assert sorted(notes.next(2)) == [DELIVERED, "send → ack"]
    assert room.log[-1]["data"]["text"].endswith(" hello")


def test_a_refused_message_is_a_failed_send(room: Room, member: Member, notes: Notes) -> None:
    room.error = ("rpc", '{"code":111,"message":"too many requests"}')
    member.say("hello")

    assert notes.next(1) == ["send → ack failed: 111 too many requests"]


def test_a_refused_subscription_is_a_failed_connect(room: Room, outsider: Member, notes: Notes) -> None:
    room.error = ("subscribe", '{"code":103,"message":"permission denied"}')

    assert not outsider.come()
    assert notes.next(1) == ["connect failed: 103 permission denied"]


def test_a_server_that_is_not_there_is_a_failed_connect(notes: Notes) -> None:
    with serving() as room:
        url = room.url

    assert not Member(f"ws{url.removeprefix('http')}", name="load-1", rooms=["load"], rows=notes).come()
    assert "connect failed" in notes.next(1)[0]


def test_an_end_that_the_server_made_is_a_failure(room: Room, member: Member, notes: Notes) -> None:
    room.members[0].close(3004, "internal error")
    member.stay()

    assert notes.next(1) == ["connect failed: 3004 internal error"]


def test_an_end_of_the_subscription_is_an_end_of_the_connection(room: Room, member: Member, notes: Notes) -> None:
    room.send('{"push":{"channel":"load","unsubscribe":{"code":2500,"reason":"given up"}}}')
    member.stay()

    assert notes.next(1) == ["connect failed: unsubscribed: 2500"]


def test_pages_of_messages_are_read_back_from_the_newest(room: Room, member: Member, notes: Notes) -> None:
    member.look_back()

    assert notes.next(2) == ["messages", "messages"]


# Coming back.


def test_who_comes_back_gets_what_was_missed_and_then_what_is_new(room: Room, member: Member, notes: Notes) -> None:
    dropped(member)
    room.say(stamp("one"))
    room.say(stamp("two"))
    member.come()
    room.say(stamp("three"))

    assert notes.next(4) == [CAUGHT_UP, CAUGHT_UP, "resume", DELIVERED]
    assert notes.nothing_more()


def test_who_left_comes_back_like_who_was_dropped(room: Room, member: Member, notes: Notes) -> None:
    member.leave()
    member.stay()
    room.say(stamp("one"))
    member.come()

    assert notes.next(2) == [CAUGHT_UP, "resume"]


def test_a_missed_message_that_the_recovery_lacks_is_a_gap(room: Room, member: Member, notes: Notes) -> None:
    room.recovery = lambda missed: missed[1:]
    dropped(member)
    room.say()
    room.say(stamp("two"))
    member.come()

    assert notes.next(2) == ["gaps failed: gap in the offsets", "resume"]


def test_a_missed_message_that_is_recovered_twice_is_a_duplicate(room: Room, member: Member, notes: Notes) -> None:
    room.recovery = lambda missed: missed * 2
    dropped(member)
    room.say(stamp("one"))
    member.come()

    assert notes.next(3) == [CAUGHT_UP, "duplicates failed: offset came again", "resume"]


def test_a_message_that_was_seen_before_and_is_recovered_is_a_duplicate(
    room: Room, member: Member, notes: Notes
) -> None:
    room.recovery = lambda _: room.log[-1:]
    room.say(stamp("one"))
    assert notes.next(1) == [DELIVERED]
    dropped(member).come()

    assert notes.next(2) == ["duplicates failed: offset came again", "resume"]


def test_what_the_answer_has_no_room_for_comes_afterwards_and_is_late_as_well(
    room: Room, member: Member, notes: Notes
) -> None:
    room.recovery = lambda missed: missed[:1]
    dropped(member)
    for _ in range(3):
        room.say(stamp("missed"))
    member.come()
    room.push(*room.log[-2:])
    room.say(stamp("live"))

    assert notes.next(5) == [CAUGHT_UP, "resume", CAUGHT_UP, CAUGHT_UP, DELIVERED]


def test_what_is_missing_between_the_answer_and_what_comes_afterwards_is_a_gap(
    room: Room, member: Member, notes: Notes
) -> None:
    room.recovery = lambda missed: missed[:1]
    dropped(member)
    for _ in range(3):
        room.say(stamp("missed"))
    member.come()
    room.push(room.log[-1])

    assert notes.next(3) == [CAUGHT_UP, "resume", "gaps failed: gap in the offsets"]


@pytest.mark.parametrize("epoch", ["e", "another"])
def test_history_that_is_not_recovered_is_lost_and_the_next_time_goes_on_after_it(
    room: Room, member: Member, notes: Notes, epoch: str
) -> None:
    room.recovery, room.epoch = lambda _: None, epoch
    dropped(member)
    room.say(stamp("lost"))
    assert not member.come()
    member.stay()
    room.recovery = lambda missed: missed
    room.say(stamp("missed"))
    member.come()

    assert notes.next(3) == ["resume failed: history lost", CAUGHT_UP, "resume"]


def test_a_message_without_an_answer_is_sent_again_with_its_key(room: Room, member: Member, notes: Notes) -> None:
    def drop(_: ServerConnection) -> None:
        room.stored = lambda _: None
        member.drop()

    room.stored = drop
    member.say("hello")
    member.stay()
    before = len(room.log)
    member.come()
    member.say("is not said: the first one comes first")

    assert len(room.log) == before
    assert [note for note in notes.next(3) if note not in {CAUGHT_UP, DELIVERED}] == ["resume", "send → ack"]


def test_losing_the_connection_on_purpose_is_no_failure(member: Member, notes: Notes) -> None:
    dropped(member).say("hello")

    assert notes.nothing_more()


# Reading slowly.


@pytest.fixture
def slow(member: Member, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Thread]:
    """Return the thread in which the member does not read until it is cut off."""
    stopping = threading.Event()

    def stop_reading(session: Session, at_most_s: float) -> bool:
        stopping.set()
        return original(session, at_most_s)

    original = Session.stop_reading
    monkeypatch.setattr(Session, "stop_reading", stop_reading)
    monkeypatch.setattr(_session, "PROBE_EVERY_S", 0.01)
    thread = threading.Thread(target=member.stop_reading, args=[ANSWER_S])
    thread.start()
    assert stopping.wait(ANSWER_S)
    yield thread
    thread.join()


def test_who_does_not_read_is_cut_off_and_gets_all_of_it_afterwards(
    room: Room, slow: threading.Thread, member: Member, notes: Notes
) -> None:
    room.say(stamp("on its way"))
    room.say(stamp("on its way"))
    room.members[0].socket.shutdown(socket.SHUT_RDWR)
    slow.join()
    room.say(stamp("missed"))
    member.come()
    room.say(stamp("live"))

    # How much of what was on its way could still be read is the operating system's affair.
    assert sorted(notes.next(6)) == [*[CAUGHT_UP] * 3, "cut off", DELIVERED, "resume"]
    assert notes.nothing_more()


def test_who_does_not_read_must_be_cut_off(
    room: Room, member: Member, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_session, "PROBE_EVERY_S", 0.01)
    member.stop_reading(0.1)

    assert notes.next(1) == ["cut off failed: after 0.1 s"]
