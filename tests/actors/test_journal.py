"""The journal: what was said is stored before anybody hears of it, and if it cannot be, nobody does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from actors.journal import MAX_BATCH
from actors.messages import Trim, Write
from actors.writer import WriterActor
from chat.log import LogError
from tests.fakes import Chat, Client, FakeLog, Unheard, behind, limit_mailbox

INTERNAL = {"error": {"code": 100, "message": "internal server error", "temporary": True}}


class Bug(Exception):  # noqa: N818  (it stands for an error of ours)
    """Something that a log does not raise as long as it is right."""


def publish_together(*clients: Client) -> list[dict[str, Any]]:
    """Have each client publish its number, all in one turn, and return the replies."""
    numbers = [client.send(publish={"channel": "lobby", "data": number}) for number, client in enumerate(clients)]
    clients[0].chat.run()
    return [client.reply(number) for client, number in zip(clients, numbers, strict=True)]


def three() -> tuple[FakeLog, list[Client]]:
    """Return a log, and three who are in the lobby of a chat that uses it."""
    log = FakeLog()
    chat = Chat(log)
    return log, [chat.member("lobby") for _ in range(3)]


# Batches


def test_what_comes_in_one_turn_is_stored_as_one_batch() -> None:
    log, clients = three()

    publish_together(*clients)

    assert [[draft.data for draft in batch] for batch in log.batches] == [[b"0", b"1", b"2"]]


def test_what_comes_alone_is_stored_alone() -> None:
    log, (ann, *_) = three()

    ann.publish("lobby", "a")
    ann.publish("lobby", "b")

    assert [len(batch) for batch in log.batches] == [1, 1]


def test_what_comes_while_a_batch_is_written_is_the_next_batch() -> None:
    log, (ann, bob, cem) = three()

    with behind(ann.chat.find("writer")):
        for client, data in ((ann, 1), (bob, 2), (cem, 3)):
            client.send(publish={"channel": "lobby", "data": data})
            ann.chat.run()
        assert log.batches == []
    ann.chat.find("writer").tell(Trim(ann.chat.find("journal"), []))
    ann.chat.run()

    assert [[draft.data for draft in batch] for batch in log.batches] == [[b"1"], [b"2", b"3"]]
    assert ann.said() == [1, 2, 3]


def test_a_batch_has_an_end_and_what_is_beyond_it_is_the_next() -> None:
    log = FakeLog()
    chat = Chat(log, max_pending=2 * MAX_BATCH)
    ann = chat.member("lobby")

    ann.send_batch(*[{"publish": {"channel": "lobby", "data": number}} for number in range(MAX_BATCH + 100)])

    assert max(len(batch) for batch in log.batches) <= MAX_BATCH
    assert ann.said() == list(range(MAX_BATCH + 100))


def test_what_a_batch_gives_rise_to_is_one_batch_with_what_came_meanwhile() -> None:
    log = FakeLog()
    chat = Chat(log)
    ann, bob, *others = [chat.member("lobby") for _ in range(20)]

    with behind(chat.find("writer")):
        ann.send(publish={"channel": "lobby", "data": "who is here?"})
        chat.run()
        bob.send(publish={"channel": "lobby", "data": "I am"})
        chat.run()
    chat.find("writer").tell(Trim(chat.find("journal"), []))
    while others:
        for member in [member for member in others if member.said()]:
            member.send(publish={"channel": "lobby", "data": "I am"})
            others.remove(member)
        chat.step()
    chat.run()

    assert [len(batch) for batch in log.batches] == [1, 19]


def test_a_batch_is_handed_over_although_somebody_is_always_ready() -> None:
    log = FakeLog()
    chat = Chat(log, max_pending=10_000)
    ann = chat.member("lobby")

    for number in range(5_000):
        ann.send(publish={"channel": "lobby", "data": number})
        chat.step()

    assert len(log.batches) > 4


def test_a_full_batch_does_not_wait_for_the_rounds_to_end() -> None:
    def steps_until_stored(number: int) -> int:
        log = FakeLog()
        chat = Chat(log, max_pending=MAX_BATCH)
        ann, bob = chat.member("lobby"), chat.member("lobby")
        ann.send(publish={"channel": "lobby", "data": "first"})
        while not log.batches:
            chat.step()
        publish = {"id": 1, "publish": {"channel": "lobby", "data": "next"}}
        bob.send_frame("\n".join([json.dumps(publish)] * number))
        steps = 0
        while len(log.batches) < 2:
            chat.step()
            steps += 1
        return steps

    assert steps_until_stored(MAX_BATCH) < steps_until_stored(MAX_BATCH - 1)


def test_a_batch_holds_what_all_rooms_have() -> None:
    log = FakeLog()
    chat = Chat(log)
    ann, bob = chat.member("a"), chat.member("b")

    ann.send(publish={"channel": "a", "data": 1})
    bob.send(publish={"channel": "b", "data": 2})
    chat.run()

    assert [[draft.room for draft in batch] for batch in log.batches] == [["a", "b"]]
    assert (ann.said("a"), bob.said("b")) == ([1], [2])


def test_members_get_a_batch_in_one_frame() -> None:
    _, clients = three()
    ann = clients[0]
    ann.forget()

    publish_together(*clients[1:])

    assert len(ann.transport.frames) == 1
    assert ann.offsets() == [1, 2]


def test_a_turn_without_anything_to_store_does_not_bother_the_log() -> None:
    log, (ann, *_) = three()

    ann.history("lobby")

    assert log.batches == []


def test_the_room_hears_of_what_its_crashed_self_had_passed_on() -> None:
    log, (ann, bob, _) = three()

    number = ann.send(publish={"channel": "lobby", "data": "a"})
    while not log.batches:
        ann.chat.step()
    ann.chat.crash_room("lobby")

    assert ann.reply(number) == {"publish": {}}
    assert ann.offsets() == bob.offsets() == [1]


# Repeats


def test_a_repeat_in_the_same_batch_is_shown_once_and_both_senders_are_answered() -> None:
    _, (ann, bob, _) = three()

    numbers = ann.send_batch(
        *[{"rpc": {"method": "send", "data": {"channel": "lobby", "key": "k", "text": "hi"}}}] * 2,
    )

    results = [ann.reply(number)["rpc"]["data"] for number in numbers]
    assert [result["offset"] for result in results] == [1, 1]
    assert [result.get("duplicate", False) for result in results] == [False, True]
    assert bob.offsets() == ann.offsets() == [1]


def test_a_repeat_after_a_crash_of_the_room_is_not_shown_again() -> None:
    _, (ann, bob, _) = three()
    ann.rpc("send", channel="lobby", key="k", text="hi")
    ann.chat.crash_room("lobby")

    result = ann.rpc("send", channel="lobby", key="k", text="hi")["rpc"]["data"]

    assert (result["offset"], result["duplicate"]) == (1, True)
    assert bob.offsets() == [1]


# What cannot be stored


@pytest.mark.parametrize("error", [LogError("disk full"), Bug()], ids=["planned for", "a bug"])
def test_if_a_batch_cannot_be_stored_every_sender_gets_a_temporary_error(error: Exception) -> None:
    log, clients = three()
    log.append_errors.append(error)

    assert publish_together(*clients) == [INTERNAL] * 3


@pytest.mark.parametrize("error", [LogError("disk full"), Bug()], ids=["planned for", "a bug"])
def test_then_nobody_sees_any_of_it(error: Exception) -> None:
    log, clients = three()
    log.append_errors.append(error)

    publish_together(*clients)

    assert [client.said() for client in clients] == [[], [], []]


@pytest.mark.parametrize("error", [LogError("disk full"), Bug()], ids=["planned for", "a bug"])
def test_the_next_batch_is_stored_again(error: Exception) -> None:
    log, clients = three()
    log.append_errors.append(error)
    publish_together(*clients)

    replies = publish_together(*clients)

    assert replies == [{"publish": {}}] * 3
    assert clients[0].offsets() == [1, 2, 3]
    assert clients[0].close_code is None


def test_a_log_may_fail_for_as_long_as_it_likes() -> None:
    log, (ann, *_) = three()
    log.append_errors += [LogError("disk full")] * 100

    replies = [ann.publish("lobby", "a") for _ in range(100)]

    assert replies == [INTERNAL] * 100
    assert ann.publish("lobby", "a") == {"publish": {}}
    assert ann.chat.failures == []


def test_more_than_may_wait_is_too_many_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.journal.MAX_WAITING", 2)
    _, (ann, *_) = three()
    with behind(ann.chat.find("writer")):
        numbers = ann.send_batch(*[{"publish": {"channel": "lobby", "data": data}} for data in range(5)])
    ann.chat.find("writer").tell(Trim(ann.chat.find("journal"), []))
    ann.chat.run()

    refused = [reply["error"]["code"] for reply in ann.replies(*numbers) if "error" in reply]
    assert refused == [111] * 3
    assert ann.said() == [0, 1]


def test_a_writer_that_crashes_after_the_commit_leaves_nobody_without_the_entry(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, (ann, bob, _) = three()
    write = WriterActor._write  # noqa: SLF001  (there is no other way between the commit and its announcement)

    def write_and_crash(writer: WriterActor, message: Write) -> None:
        write(writer, message)
        raise Bug

    with monkeypatch.context() as patch:
        patch.setattr(WriterActor, "_write", write_and_crash)
        refused = ann.rpc("send", channel="lobby", key="k", text="hi")
    again = ann.rpc("send", channel="lobby", key="k", text="hi")["rpc"]["data"]

    assert refused == INTERNAL
    assert (again["offset"], again["duplicate"]) == (1, True)
    assert bob.offsets() == ann.offsets() == [1]


def test_a_journal_that_crashes_answers_what_waits_and_passes_on_what_is_under_way() -> None:
    log, (ann, bob, cem) = three()
    with behind(ann.chat.find("writer")):
        first, second = (client.send(publish={"channel": "lobby", "data": 1}) for client in (ann, bob))
        ann.chat.run()
        third = cem.send(publish={"channel": "lobby", "data": 2})
        ann.chat.run()
        ann.chat.find("journal").tell(Unheard())
        ann.chat.run()
    ann.chat.find("writer").tell(Trim(ann.chat.find("journal"), []))
    ann.chat.run()

    assert [client.reply(number) for client, number in ((ann, first), (bob, second))] == [{"publish": {}}] * 2
    assert cem.reply(third) == INTERNAL
    assert ann.said() == [1, 1]
    assert len(log.batches) == 1


def test_what_waits_when_the_chat_stops_is_stored_before_the_log_is_closed() -> None:
    log, (ann, *_) = three()
    with behind(ann.chat.find("writer")):
        for data in (1, 2, 3):
            ann.send(publish={"channel": "lobby", "data": data})
            ann.chat.run()
    ann.chat.system.stop()
    ann.chat.run()

    assert [[draft.data for draft in batch] for batch in log.batches] == [[b"1"], [b"2", b"3"]]
    assert log.closed


def test_a_message_that_was_refused_can_be_sent_again_under_its_key() -> None:
    log, (ann, bob, _) = three()
    log.append_errors.append(LogError("disk full"))
    ann.rpc("send", channel="lobby", key="k", text="hi")

    result = ann.rpc("send", channel="lobby", key="k", text="hi")["rpc"]["data"]

    assert "duplicate" not in result
    assert bob.offsets() == [1]


def test_a_log_with_one_bug_after_the_other_ends_the_chat() -> None:
    log, (ann, *_) = three()
    log.append_errors += [Bug()] * 10

    for _ in range(10):
        ann.publish("lobby", "a")

    assert len(ann.chat.failures) == 1


# Opening rooms


@pytest.mark.parametrize("error", [LogError("locked"), Bug()], ids=["planned for", "a bug"])
def test_a_room_whose_log_cannot_be_read_opens_when_it_can(error: Exception) -> None:
    log = FakeLog()
    chat = Chat(log)
    log.read_errors.append(error)
    ann = chat.connect()
    number = ann.send(subscribe={"channel": "lobby"})

    chat.run()
    assert ann.replies(number) == []
    chat.advance(1)

    assert "subscribe" in ann.reply(number)


def test_what_is_asked_of_it_meanwhile_is_done_then() -> None:
    log = FakeLog()
    chat = Chat(log)
    log.read_errors.append(LogError("locked"))
    ann, bob = chat.connect(), chat.connect()
    ann.send(subscribe={"channel": "lobby"})
    bob.send(history={"channel": "lobby"})
    chat.advance(1)

    ann.publish("lobby", "a")

    assert ann.said() == ["a"]
    assert bob.received[-1].keys() == {"id", "history"}


def test_a_log_may_be_unreadable_for_a_while_without_ending_the_chat() -> None:
    log = FakeLog()
    chat = Chat(log)
    log.read_errors += [LogError("locked")] * 10
    ann = chat.connect()
    number = ann.send(subscribe={"channel": "lobby"})

    chat.advance(10)

    assert chat.failures == []
    assert "subscribe" in ann.reply(number)


@pytest.mark.parametrize("error", [LogError("locked"), Bug()], ids=["planned for", "a bug"])
def test_what_can_be_stored_is_although_a_room_cannot_be_read(error: Exception) -> None:
    log, (ann, bob, _) = three()
    log.read_errors.append(error)

    number = ann.send(publish={"channel": "lobby", "data": "a"})
    bob.send(subscribe={"channel": "garden"})
    ann.chat.run()

    assert ann.reply(number) == {"publish": {}}
    assert ann.said() == bob.said() == ["a"]


def test_a_busy_journal_is_too_many_requests() -> None:
    _, (ann, *_) = three()
    limit_mailbox(ann.chat.find("journal"), 0)

    error = ann.publish("lobby", "a")["error"]

    assert (error["code"], error["temporary"]) == (111, True)
