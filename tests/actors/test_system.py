"""The whole tree: both wires in one room, and its start, its failure and its end."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.messages import Receive
from actors.rooms import ROOM_INTENSITY
from actors.runtime import RestartIntensity, VirtualScheduler
from actors.system import ChatSystem
from chat.errors import bad_request
from chat.identity import Door, Guests
from chat.limits import Limits
from chat.log import LogError, MemoryLog
from chat.plaintext import PlainText
from chat.room_classes import RoomClasses
from tests.fakes import Chat, Client, FakeLog, RecordingTransport, Unheard

INTERNAL = {"error": {"code": 100, "message": "internal server error", "temporary": True}}

TOO_OFTEN = ROOM_INTENSITY.max_restarts + 1


# Plain text


def test_what_one_says_all_others_get_as_a_line() -> None:
    chat = Chat()
    seven, ann, sensor = chat.text("7"), chat.text("ann"), chat.text("sensor.kitchen")

    seven.say("hello")

    assert ann.lines == sensor.lines == ["Client 7: hello"]
    assert seven.lines == []


def test_a_line_may_be_said_again() -> None:
    chat = Chat()
    seven, ann = chat.text("7"), chat.text("ann")

    seven.say("yes")
    seven.say("yes")

    assert ann.lines == ["Client 7: yes"] * 2


def test_two_connections_may_have_the_same_client_id() -> None:
    chat = Chat()
    one, other = chat.text("7"), chat.text("7")

    one.say("hello")

    assert other.lines == ["Client 7: hello"]
    assert one.lines == []


def test_a_text_may_hold_line_breaks_and_json() -> None:
    chat = Chat()
    seven, ann = chat.text("7"), chat.text("ann")

    seven.say('two\nlines of {"id":1}')

    assert ann.lines == ['Client 7: two\nlines of {"id":1}']


def test_an_sdk_member_sees_what_is_said_in_plain_text() -> None:
    chat = Chat()
    ann, seven = chat.member("lobby"), chat.text("7")

    seven.say("hello")

    (publication,) = ann.publications()
    assert (publication["data"]["type"], publication["data"]["text"]) == ("message", "hello")
    assert publication["info"]["conn_info"] == {"name": "Client 7"}
    assert publication["offset"] == 1


def test_a_plain_text_client_sees_what_an_sdk_member_says() -> None:
    chat = Chat()
    ann, seven = chat.member("lobby", name="Ann"), chat.text("7")

    ann.rpc("send", channel="lobby", key="k", text="hello")
    ann.publish("lobby", {"temperature": 21.5})

    assert seven.lines == ["Client Ann: hello", 'Client Ann: {"temperature":21.5}']


def test_a_plain_text_client_is_not_told_who_comes_goes_or_types() -> None:
    chat = Chat()
    seven = chat.text("7")

    ann = chat.member("lobby")
    ann.rpc("typing", channel="lobby")
    ann.hang_up()

    assert seven.lines == []


def test_others_see_a_plain_text_client_come_and_go() -> None:
    chat = Chat()
    ann = chat.member("lobby")

    chat.text("7").hang_up()

    names = [[push["info"]["conn_info"]["name"] for push in ann.pushes(kind)] for kind in ("join", "leave")]
    assert names[0][-1:] == names[1] == ["Client 7"]


@pytest.mark.parametrize(
    ("text", "why"), [("", "text is empty"), (" \n", "text is empty"), ("x" * 11, "text longer than 10 characters")]
)
def test_a_message_that_is_refused_is_answered_with_a_line_and_shown_to_nobody(text: str, why: str) -> None:
    chat = Chat(max_text_chars=10)
    ann, seven = chat.text("ann"), chat.text("7")

    seven.say(text)

    assert seven.lines == [f"Error 107: {bad_request(why).error.message}"]
    assert ann.lines == []
    assert seven.close_code is None


def test_what_is_said_as_soon_as_the_connection_is_open_is_said_in_the_lobby() -> None:
    chat = Chat()
    ann = chat.text("ann")

    seven = chat.text("7", "lobby", "hello", "again")

    assert ann.lines == ["Client 7: hello", "Client 7: again"]
    assert seven.lines == []


def test_the_first_to_come_may_speak_at_once() -> None:
    chat = Chat()

    seven = chat.text("7", "lobby", "hello")

    assert seven.lines == []
    assert len(chat.log.after("lobby", 0, 10)) == 1


def test_whoever_says_something_and_hangs_up_at_once_has_said_it() -> None:
    chat = Chat()
    ann = chat.text("ann")

    seven = chat.text("7", "lobby", "hello", then_hang_up=True)

    assert ann.lines == ["Client 7: hello"]
    assert not seven.ref.is_alive()


def test_a_plain_text_client_is_not_pinged() -> None:
    chat = Chat(ping_interval_s=20.0)
    seven = chat.text("7")

    chat.advance(600)

    assert seven.lines == []
    assert seven.close_code is None


def test_a_plain_text_client_goes_on_after_a_crash_of_its_room() -> None:
    chat = Chat()
    seven, ann = chat.text("7"), chat.text("ann")

    chat.crash_room("lobby")
    seven.say("hello")

    assert ann.lines == ["Client 7: hello"]


def test_a_plain_text_client_is_not_left_in_a_room_that_is_no_more() -> None:
    """It cannot be told to subscribe again; what it can do is connect again."""
    chat = Chat()
    seven = chat.text("7")

    chat.crash_room("lobby", TOO_OFTEN)

    assert seven.close_code is not None
    assert seven.close_code < 3500


# Start and stop


def test_it_starts_with_a_journal_no_rooms_and_no_clients() -> None:
    chat = Chat()

    assert [chat.find(name).is_alive() for name in ("journal", "rooms", "clients")] == [True] * 3
    assert chat.open_rooms() == set()


def test_at_the_end_everything_has_stopped() -> None:
    chat = Chat()
    ann = chat.member("lobby", "garden")
    refs = [chat.find(name) for name in ("journal", "rooms", "clients")] + [chat.room("lobby"), ann.ref]

    ended = chat.system.stop()
    chat.run()

    assert ended.get(timeout=0) is True
    assert not any(ref.is_alive() for ref in refs)
    assert chat.failures == []


def test_what_was_said_before_the_end_is_stored() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.member("lobby")

    ann.send(publish={"channel": "lobby", "data": "a"})
    bob.send(publish={"channel": "lobby", "data": "b"})
    chat.system.stop()
    chat.run()

    assert [entry.data for entry in chat.log.after("lobby", 0, 10)] == [b'"a"', b'"b"']


def test_many_rooms_and_clients_stop_in_no_time() -> None:
    chat = Chat()
    for number in range(50):
        chat.member(f"room {number}")

    ended = chat.system.stop()
    chat.run()

    assert ended.get(timeout=0) is True


def test_a_crash_of_a_room_or_a_client_is_no_failure_of_the_chat() -> None:
    chat = Chat()
    ann = chat.member("lobby")

    chat.crash_room("lobby", TOO_OFTEN)
    ann.ref.tell(Unheard())
    chat.run()

    assert chat.failures == []


def test_without_a_clock_of_its_own_messages_are_dated_by_the_wall_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 1_234_567_890_123_456_789)
    log, scheduler = MemoryLog(), VirtualScheduler()
    system = ChatSystem(scheduler, room_log=log, door=Door(Guests()), classes=RoomClasses(Limits()), version="1")

    ref = system.connect(PlainText("7", "lobby"), RecordingTransport())
    scheduler.run()
    ref.get(timeout=0).tell(Receive(PlainText("7", "lobby").decode("hello")))
    scheduler.run()

    assert [entry.time_ms for entry in log.after("lobby", 0, 1)] == [1_234_567_890_123]


# Delivery, whatever happens


class Story:
    """A lobby in which things happen to whoever has their turn. Nothing is waited for unless a step says so."""

    def __init__(self, seed: int | None = None) -> None:
        self.log = FakeLog()
        self.chat = Chat(self.log, seed)
        self.epoch = self.log.position("lobby").epoch
        self.outside = [self.chat.connect() for _ in range(20)]
        self.inside: dict[Client, int] = {}  # and the id of the command that they came with
        self.sent: list[tuple[Client, int, int]] = []  # who, the id of the command, the data
        self.turns = itertools.count()
        self.come()

    @property
    def whose_turn(self) -> Client:
        return list(self.inside)[next(self.turns) % len(self.inside)]

    def come(self, **position: Any) -> None:
        if self.outside:
            client = self.outside.pop()
            self.inside[client] = client.send(subscribe={"channel": "lobby", **position})

    def resume(self) -> None:
        self.come(recover=True, offset=self.log.position("lobby").offset // 2, epoch=self.epoch)

    def go(self) -> None:
        if len(self.inside) > 1:
            client = self.whose_turn
            del self.inside[client]
            client.ref.stop(block=False)

    def publish(self) -> None:
        client, data = self.whose_turn, len(self.sent)
        self.sent.append((client, client.send(publish={"channel": "lobby", "data": data}), data))

    def crash(self) -> None:
        if self.chat.open_rooms():
            self.chat.room("lobby").tell(Unheard())

    def fail_to_store(self) -> None:
        self.log.append_errors.append(LogError("disk full"))

    def step(self) -> None:
        self.chat.step()

    def settle(self) -> None:
        self.chat.run()


HAPPENINGS = (
    *(Story.come, Story.resume, Story.go, Story.crash, Story.fail_to_store, Story.settle),
    *(Story.publish, Story.step) * 2,
)


@pytest.fixture(scope="module")
def _rooms_may_crash_as_often_as_they_like() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("actors.rooms.ROOM_INTENSITY", RestartIntensity(1_000, 1))
        yield


@pytest.mark.usefixtures("_rooms_may_crash_as_often_as_they_like")
@settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from(HAPPENINGS), max_size=60), st.none() | st.integers(0, 2**32))
def test_each_member_sees_each_entry_once_in_order_and_what_was_acknowledged_is_there(
    happenings: list[Callable[[Story], None]], seed: int | None
) -> None:
    story = Story(seed)
    with structlog.testing.capture_logs():  # tracebacks take their time
        for happen in happenings:
            happen(story)
        story.settle()

    entries = story.log.after("lobby", 0, 1_000)
    for client, came in story.inside.items():
        first = client.reply(came)["subscribe"].get("offset", 0)
        assert client.offsets() == [entry.offset for entry in entries if entry.offset > first]
        assert client.pushes("unsubscribe") == []
    stored = {int(entry.data) for entry in entries}
    for client, number, data in story.sent:
        if client in story.inside:
            assert client.reply(number) == ({"publish": {}} if data in stored else INTERNAL)


@pytest.mark.usefixtures("_rooms_may_crash_as_often_as_they_like")
def test_the_same_seed_makes_the_same_story_and_another_seed_another() -> None:
    def tell(seed: int) -> list[list[int]]:
        story = Story(seed)
        with structlog.testing.capture_logs():
            for happen in (Story.come, Story.publish, Story.crash, Story.publish, Story.come, Story.step) * 6:
                happen(story)
            story.settle()
        return [[message.get("id", 0) for message in client.received] for client in story.inside]

    assert tell(1) == tell(1)
    assert any(tell(seed) != tell(1) for seed in range(2, 10))
