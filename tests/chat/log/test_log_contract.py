"""What every `RoomLog` must do. A new implementation joins by its name in `IMPLEMENTATIONS`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from chat.log import (
    COUNTED,
    COUNTED_IN_ALL,
    MAX_PLACES,
    MAX_REACTIONS,
    Author,
    Change,
    Database,
    Delete,
    Draft,
    Edit,
    File,
    Keep,
    Kept,
    MemberChange,
    MemoryLog,
    Message,
    Place,
    Position,
    PrivateRoom,
    React,
    Rejected,
    Retention,
    RoomLog,
    Ruling,
    SqliteLog,
    Stored,
    Topic,
    Upload,
)
from tests.fakes import ANN, BOB, NOON_MS, draft

IMPLEMENTATIONS: Final[dict[str, Callable[[Path], RoomLog]]] = {
    "memory": lambda _: MemoryLog(max_entries=2_000),
    "sqlite": lambda folder: SqliteLog(Database.open(folder / "chat.db")),
}


@pytest.fixture(params=sorted(IMPLEMENTATIONS))
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RoomLog]:
    """Yield an empty log."""
    log = IMPLEMENTATIONS[request.param](tmp_path)
    yield log
    log.close()


def append(log: RoomLog, *drafts: Draft) -> list[Stored]:
    """Append a batch of which nothing is rejected."""
    answers = log.append(drafts)
    return [answer for answer in answers if isinstance(answer, Stored)]


def offsets(stored: list[Stored]) -> list[int]:
    return [place.entry.offset for place in stored]


def fill(log: RoomLog, room: str, count: int) -> None:
    log.append([draft(room, f"message {number}") for number in range(1, count + 1)])


def post(text: str = "hello", *, author: Author = ANN, key: str = "", time_ms: int = NOON_MS, **fields: Any) -> Draft:
    """Make a draft of a message to the lobby, of which the text can be edited."""
    return Draft("lobby", key, author, time_ms, msgspec.json.encode({"text": text, **fields}))


def to(change: Change, *, author: Author = ANN, key: str = "", time_ms: int = NOON_MS, room: str = "lobby") -> Draft:
    """Make a draft of a change to a message in the lobby."""
    return Draft(room, key, author, time_ms, b'{"change":true}', change)


def messages(log: RoomLog) -> list[Message]:
    return log.messages("lobby", limit=1_000).messages


def texts(log: RoomLog) -> list[str | None]:
    return [(json.loads(message.data) or {"text": None})["text"] for message in messages(log)]


def kept(log: RoomLog, room: str = "lobby") -> list[int]:
    return [entry.offset for entry in log.after(room, 0, 1_000)]


# Positions


def test_a_room_without_entries_is_at_offset_0_of_an_epoch(log: RoomLog) -> None:
    position = log.position("lobby")

    assert position.offset == 0
    assert position.epoch not in {"", "_"}


def test_the_epoch_stays(log: RoomLog) -> None:
    epoch = log.position("lobby").epoch

    (stored,) = append(log, draft("lobby", "hello"))

    assert stored.epoch == epoch
    assert log.position("lobby") == Position(1, epoch)


def test_the_position_is_that_of_the_newest_entry(log: RoomLog) -> None:
    fill(log, "lobby", 3)

    assert log.position("lobby").offset == 3


# Appending


def test_entries_get_offsets_from_1_on_without_gaps(log: RoomLog) -> None:
    first = append(log, draft("lobby", "a"), draft("lobby", "b"))
    second = append(log, draft("lobby", "c"))

    assert offsets(first + second) == [1, 2, 3]


def test_each_room_counts_for_itself(log: RoomLog) -> None:
    stored = append(log, draft("lobby", "a"), draft("garden", "b"), draft("lobby", "c"), draft("garden", "d"))

    assert offsets(stored) == [1, 1, 2, 2]


def test_the_answers_come_in_the_order_of_the_drafts(log: RoomLog) -> None:
    stored = append(log, draft("lobby", "a"), draft("garden", "b"), draft("lobby", "c"))

    assert [place.entry.data for place in stored] == [b'"a"', b'"b"', b'"c"']


def test_an_entry_is_what_the_draft_said(log: RoomLog) -> None:
    stored = append(log, Draft("lobby", "key", BOB, 1_234_567_890_123, b'{"text":"\xc3\xbc"}'))

    for entry in (stored[0].entry, log.after("lobby", 0, 1)[0]):
        assert (entry.offset, entry.key, entry.author) == (1, "key", BOB)
        assert (entry.time_ms, entry.data) == (1_234_567_890_123, b'{"text":"\xc3\xbc"}')
    assert not stored[0].duplicate


def test_an_empty_batch_stores_nothing(log: RoomLog) -> None:
    assert log.append([]) == []


@pytest.mark.parametrize(
    "rooms", [("lobby", "Lobby"), ("a", "a%"), ("a_", "ab"), ("é", "e"), ("a'b", "a''b"), ("ß", "ss")]
)
def test_rooms_whose_names_resemble_each_other_are_two(log: RoomLog, rooms: tuple[str, str]) -> None:
    one, other = rooms
    fill(log, one, 2)

    assert log.position(other).offset == 0
    assert log.after(other, 0, 10) == []


# Repeats


def test_the_same_key_again_is_answered_with_the_first_entry(log: RoomLog) -> None:
    (first,) = append(log, draft("lobby", "hello", key="k", time_ms=NOON_MS))

    (again,) = append(log, draft("lobby", "hello, edited", key="k", time_ms=NOON_MS + 5))

    assert again.duplicate
    assert again.entry == first.entry
    assert again.epoch == first.epoch


def test_the_same_key_twice_in_a_batch_is_one_entry(log: RoomLog) -> None:
    stored = append(log, draft("lobby", "a", key="k"), draft("lobby", "b", key="k"), draft("lobby", "c", key="l"))

    assert [place.duplicate for place in stored] == [False, True, False]
    assert offsets(stored) == [1, 1, 2]


def test_a_repeat_takes_no_offset(log: RoomLog) -> None:
    log.append([draft("lobby", "a", key="k")])
    log.append([draft("lobby", "a", key="k")])

    assert log.position("lobby").offset == 1
    assert offsets(append(log, draft("lobby", "b"))) == [2]


def test_the_same_author_repeats_from_another_connection(log: RoomLog) -> None:
    log.append([draft("lobby", "a", key="k", author=ANN)])

    elsewhere = msgspec.structs.replace(ANN, client="another-client", name="Annie")
    (again,) = append(log, draft("lobby", "a", key="k", author=elsewhere))

    assert again.duplicate
    assert again.entry.author == ANN


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(draft("lobby", "a", key="k", author=BOB), id="author"),
        pytest.param(draft("garden", "a", key="k"), id="room"),
        pytest.param(draft("lobby", "a", key="K"), id="key"),
        pytest.param(draft("lobby", "a", key="k "), id="key with a space"),
    ],
)
def test_with_another_author_room_or_key_it_is_no_repeat(log: RoomLog, other: Draft) -> None:
    log.append([draft("lobby", "a", key="k")])

    (stored,) = append(log, other)

    assert not stored.duplicate


def test_without_a_key_nothing_is_a_repeat(log: RoomLog) -> None:
    stored = append(log, draft("lobby", "a"), draft("lobby", "a")) + append(log, draft("lobby", "a"))

    assert offsets(stored) == [1, 2, 3]
    assert not any(place.duplicate for place in stored)


# Reading


@pytest.mark.parametrize(
    ("offset", "limit", "found"),
    [(6, 10, [1, 2, 3, 4, 5]), (6, 2, [4, 5]), (4, 2, [2, 3]), (1, 10, []), (6, 0, []), (100, 1, [5]), (0, 1, [])],
)
def test_before_returns_the_newest_entries_below_an_offset_ascending(
    log: RoomLog, offset: int, limit: int, found: list[int]
) -> None:
    fill(log, "lobby", 5)

    assert [entry.offset for entry in log.before("lobby", offset, limit)] == found


@pytest.mark.parametrize(
    ("offset", "limit", "found"),
    [(0, 10, [1, 2, 3, 4, 5]), (0, 2, [1, 2]), (3, 1, [4]), (5, 10, []), (0, 0, []), (100, 1, [])],
)
def test_after_returns_the_oldest_entries_above_an_offset_ascending(
    log: RoomLog, offset: int, limit: int, found: list[int]
) -> None:
    fill(log, "lobby", 5)

    assert [entry.offset for entry in log.after("lobby", offset, limit)] == found


def test_a_room_that_nobody_wrote_to_has_nothing_to_read(log: RoomLog) -> None:
    fill(log, "lobby", 1)

    assert log.before("garden", 10, 10) == []
    assert log.after("garden", 0, 10) == []


def test_reading_changes_nothing(log: RoomLog) -> None:
    fill(log, "lobby", 2)

    log.after("lobby", 0, 10).clear()
    log.before("lobby", 3, 10).clear()

    assert len(log.after("lobby", 0, 10)) == 2
    assert log.position("lobby").offset == 2


@pytest.mark.parametrize("offset", [2**63, 2**200])
def test_no_offset_is_too_great_to_ask_for(log: RoomLog, offset: int) -> None:
    fill(log, "lobby", 2)

    assert log.after("lobby", offset, 10) == []
    assert len(log.before("lobby", offset, 10)) == 2
    assert len(log.messages("lobby", before=offset, limit=10).messages) == 2
    assert log.messages("lobby", after=offset, limit=10).messages == []
    assert log.append([to(Delete(offset))]) == [Rejected("missing")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "'\"; drop table room",
        "100 %",
        "\\u00e9",
        "\u00e9",
        "e\u0301",
        "\u2028\x7f\x01",
        "\U0001f44d\U0001f3fd",
        "?1 {} :a",
    ],
)
def test_what_is_stored_comes_back_byte_for_byte(log: RoomLog, text: str) -> None:
    author = Author(text + "u", text + "c", text)
    data = json.dumps({"text": text, " x ": [1.0, 1e5, 10**30, None]}, ensure_ascii=False, indent=1).encode()
    (stored,) = append(log, Draft(text, text + "k", author, NOON_MS, data))
    (again,) = append(log, Draft(text, text + "k", author, NOON_MS, b"0"))

    assert log.after(text, 0, 10) == log.before(text, 9, 10) == [stored.entry] == [again.entry]
    assert stored.entry == msgspec.structs.replace(stored.entry, key=text + "k", author=author, data=data)
    (message,) = log.messages(text, limit=10).messages
    assert (message.author, message.data) == (author, data)


# Changes


def test_a_change_is_an_entry_like_any_other(log: RoomLog) -> None:
    (stored,) = append(log, post(), to(Edit(1, "hi"), key="k", time_ms=NOON_MS + 5))[1:]

    assert stored.entry == log.after("lobby", 1, 10)[0]
    assert (stored.entry.offset, stored.entry.key, stored.entry.time_ms) == (2, "k", NOON_MS + 5)
    assert (stored.entry.author, stored.entry.data) == (ANN, b'{"change":true}')
    assert log.position("lobby").offset == 2


def test_entries_are_in_order_whether_they_are_posts_or_changes(log: RoomLog) -> None:
    log.append([post(), to(React(1, "+", on=True)), post(), to(Edit(1, "hi")), to(Delete(3)), post()])

    assert kept(log) == [1, 2, 3, 4, 5, 6]
    assert [entry.offset for entry in log.before("lobby", 6, 3)] == [3, 4, 5]
    assert [entry.offset for entry in log.after("lobby", 1, 3)] == [2, 3, 4]


def test_the_entry_of_a_changed_message_remains_as_it_was(log: RoomLog) -> None:
    (first,) = append(log, post())

    log.append([to(Edit(1, "hi")), to(Delete(1))])

    assert log.after("lobby", 0, 1) == [first.entry]


def test_a_post_is_a_message(log: RoomLog) -> None:
    log.append([post("hello", author=BOB)])

    assert messages(log) == [Message(1, BOB, NOON_MS, b'{"text":"hello"}')]


@pytest.mark.parametrize("data", [b'"hello"', b"17", b"null", b"[]", b'{"n":1}'])
def test_a_post_may_be_any_json(log: RoomLog, data: bytes) -> None:
    log.append([Draft("lobby", "", ANN, NOON_MS, data)])

    assert messages(log) == [Message(1, ANN, NOON_MS, data)]


def test_an_edit_gives_a_message_another_text(log: RoomLog) -> None:
    log.append([post("hello")])
    log.append([to(Edit(1, 'h"\u00e9\n'), time_ms=NOON_MS + 5)])

    (message,) = messages(log)
    assert json.loads(message.data) == {"text": 'h"\u00e9\n'}
    assert (message.time_ms, message.edited_ms, message.deleted_ms) == (NOON_MS, NOON_MS + 5, 0)


def test_the_last_edit_counts(log: RoomLog) -> None:
    log.append([post("a"), to(Edit(1, "b"), time_ms=NOON_MS + 5)])
    log.append([to(Edit(1, "c"), time_ms=NOON_MS + 7)])

    assert texts(log) == ["c"]
    assert messages(log)[0].edited_ms == NOON_MS + 7


def test_an_edit_leaves_all_but_the_text_byte_for_byte(log: RoomLog) -> None:
    data = b'{"a":1.50,"text":"x","b":{"text" : "y","n":123456789012345678901234567890},"c":"\\u00e9"}'
    log.append([Draft("lobby", "", ANN, NOON_MS, data), to(Edit(1, "z"))])

    assert messages(log)[0].data == data.replace(b'"x"', b'"z"')


def test_an_author_may_edit_from_another_connection(log: RoomLog) -> None:
    log.append([post("a"), to(Edit(1, "b"), author=Author("ann", "another-client", "Annie"))])

    (message,) = messages(log)
    assert message.data == b'{"text":"b"}'
    assert message.author == ANN


@pytest.mark.parametrize("data", [b'"hello"', b"17", b"null", b'["text"]', b"{}", b'{"text":1}', b'{"text":null}'])
def test_what_has_no_text_cannot_be_edited(log: RoomLog, data: bytes) -> None:
    log.append([Draft("lobby", "", ANN, NOON_MS, data)])

    assert log.append([to(Edit(1, "hi"))]) == [Rejected("unchangeable")]
    assert messages(log)[0].data == data


def test_a_deleted_message_keeps_its_place_and_says_nothing(log: RoomLog) -> None:
    log.append([post("a"), post("b"), to(Edit(1, "c")), to(React(1, "+", on=True)), to(Delete(1), time_ms=NOON_MS + 9)])

    assert messages(log) == [
        Message(1, ANN, NOON_MS, b"null", edited_ms=NOON_MS, deleted_ms=NOON_MS + 9),
        Message(2, ANN, NOON_MS, b'{"text":"b"}'),
    ]


def test_what_has_no_text_can_be_deleted(log: RoomLog) -> None:
    log.append([draft("lobby", "hello"), to(Delete(1))])

    assert messages(log)[0].data == b"null"


@pytest.mark.parametrize("change", [Edit(1, "hi"), Delete(1)])
def test_only_the_author_may_edit_and_delete(log: RoomLog, change: Change) -> None:
    log.append([post("hello")])

    assert log.append([to(change, author=BOB)]) == [Rejected("foreign")]
    assert texts(log) == ["hello"]


CHANGES: Final = [Edit(1, "hi"), Delete(1), React(1, "+", on=True), React(1, "+", on=False)]


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_not_there_cannot_be_changed(log: RoomLog, change: Change) -> None:
    assert log.append([to(change)]) == [Rejected("missing")]
    assert log.position("lobby").offset == 0

    log.append([draft("garden", "hello")])
    assert log.append([to(change)]) == [Rejected("missing")]


@pytest.mark.parametrize("target", [-1, 0, 3, 4])
def test_only_offsets_of_messages_can_be_changed(log: RoomLog, target: int) -> None:
    log.append([post("a"), post("b"), to(Edit(1, "c"))])

    for change in (Edit(target, "hi"), Delete(target), React(target, "+", on=True)):
        assert log.append([to(change)]) == [Rejected("missing")]


@pytest.mark.parametrize("change", CHANGES)
def test_a_deleted_message_cannot_be_changed(log: RoomLog, change: Change) -> None:
    log.append([post(), to(Delete(1))])

    assert log.append([to(change)]) == [Rejected("missing")]
    assert log.append([to(change, author=BOB)]) == [Rejected("missing")]


@pytest.mark.parametrize("change", CHANGES)
def test_a_forgotten_message_cannot_be_changed(log: RoomLog, change: Change) -> None:
    log.append([post("a"), post("b")])
    trim(log, entries=1, limit=10)

    assert log.append([to(change)]) == [Rejected("missing")]


def test_a_rejected_change_takes_no_offset_and_the_others_are_stored(log: RoomLog) -> None:
    answers = log.append([post("a"), to(Edit(7, "b")), to(Edit(1, "c"), author=BOB), to(Edit(1, "d")), post("e")])

    assert answers[1:3] == [Rejected("missing"), Rejected("foreign")]
    assert offsets([answer for answer in answers if isinstance(answer, Stored)]) == [1, 2, 3]
    assert texts(log) == ["d", "e"]
    assert kept(log) == [1, 2, 3]


def test_the_key_of_a_rejected_change_is_free(log: RoomLog) -> None:
    log.append([to(Edit(1, "b"), key="k")])

    (stored,) = append(log, post("a", key="k"))

    assert not stored.duplicate


def test_a_change_may_be_to_a_post_of_its_own_batch(log: RoomLog) -> None:
    stored = append(log, post("a"), to(Edit(1, "b")), to(React(1, "+", on=True), author=BOB), to(Edit(1, "c")))

    assert offsets(stored) == [1, 2, 3, 4]
    assert texts(log) == ["c"]
    assert messages(log)[0].reactions == {"+": ["bob"]}


def test_a_change_comes_after_its_target(log: RoomLog) -> None:
    answers = log.append([to(Edit(1, "b")), post("a")])

    assert answers[0] == Rejected("missing")
    assert texts(log) == ["a"]


def test_a_batch_changes_messages_of_many_rooms(log: RoomLog) -> None:
    rooms = [f"room {number}" for number in range(250)]
    log.append([Draft(room, "", ANN, NOON_MS, b'{"text":"a"}') for room in rooms])

    log.append([to(change, room=room) for room in rooms for change in (Edit(1, room), React(1, "+", on=True))])

    for room in rooms:
        (message,) = log.messages(room, limit=10).messages
        assert json.loads(message.data) == {"text": room}
        assert message.reactions == {"+": ["ann"]}


def test_a_change_sent_twice_is_made_once(log: RoomLog) -> None:
    log.append([post("a")])
    (first,) = append(log, to(Edit(1, "b"), key="k"))
    log.append([to(Edit(1, "c"))])

    (again,) = append(log, to(Edit(1, "b"), key="k"))

    assert again == Stored(first.entry, first.epoch, duplicate=True)
    assert texts(log) == ["c"]


def test_a_change_sent_twice_is_a_repeat_even_if_it_could_not_be_made_any_more(log: RoomLog) -> None:
    log.append([post("a"), to(Delete(1), key="k")])

    (again,) = append(log, to(Delete(1), key="k"))

    assert again.duplicate
    assert again.entry.offset == 2


def test_a_post_and_a_change_with_the_same_key_are_repeats(log: RoomLog) -> None:
    log.append([post("a", key="k"), to(Edit(1, "b"), key="l")])

    change, other = append(log, to(Edit(1, "c"), key="k"), post("d", key="l"))

    assert (change.duplicate, change.entry.offset) == (True, 1)
    assert (other.duplicate, other.entry.offset) == (True, 2)


# Reactions


def react(emoji: str, author: Author = ANN, *, on: bool = True, target: int = 1) -> Draft:
    return to(React(target, emoji, on=on), author=author)


def test_anybody_may_react(log: RoomLog) -> None:
    log.append([post(), react("+", BOB), react("+", ANN), react("-", BOB)])

    assert messages(log)[0].reactions == {"+": ["bob", "ann"], "-": ["bob"]}
    assert messages(log)[0].edited_ms == 0


def test_reactions_come_in_the_order_in_which_they_were_made(log: RoomLog) -> None:
    log.append([post(), react("z", ANN), react("a", ANN), react("z", BOB), react("a", BOB)])
    log.append([react("m", ANN)])

    assert list(messages(log)[0].reactions.items()) == [("z", ["ann", "bob"]), ("a", ["ann", "bob"]), ("m", ["ann"])]

    log.append([react("z", ANN, on=False)])
    assert list(messages(log)[0].reactions) == ["a", "z", "m"]

    log.append([react("z", ANN)])
    assert messages(log)[0].reactions["z"] == ["bob", "ann"]


def test_a_reaction_can_be_taken_away(log: RoomLog) -> None:
    log.append([post(), react("+", ANN), react("+", BOB), react("-", ANN)])

    log.append([react("+", ANN, on=False), react("-", ANN, on=False)])

    assert messages(log)[0].reactions == {"+": ["bob"]}


def test_reacting_twice_is_an_entry_that_changes_nothing(log: RoomLog) -> None:
    log.append([post(), react("+", ANN), react("+", BOB)])

    (stored,) = append(log, react("+", ANN))

    assert stored.entry.offset == 4
    assert messages(log)[0].reactions == {"+": ["ann", "bob"]}


def test_taking_away_what_is_not_there_is_an_entry_that_changes_nothing(log: RoomLog) -> None:
    log.append([post(), react("+", BOB)])

    stored = append(log, react("+", ANN, on=False), react("-", BOB, on=False))

    assert offsets(stored) == [3, 4]
    assert messages(log)[0].reactions == {"+": ["bob"]}


def test_on_and_off_within_a_batch_is_off(log: RoomLog) -> None:
    log.append([post(), react("+"), react("+", on=False)])
    assert messages(log)[0].reactions == {}

    log.append([react("+"), react("+", on=False), react("+")])
    assert messages(log)[0].reactions == {"+": ["ann"]}

    log.append([react("+", on=False), react("+"), react("+", on=False)])
    assert messages(log)[0].reactions == {}


@pytest.mark.parametrize("emoji", ["\u2764", "\u2764\ufe0f", "\U0001f44d\U0001f3fd", "'", "E", "\u00e9"])
def test_emojis_that_resemble_each_other_are_two(log: RoomLog, emoji: str) -> None:
    log.append([post(), *(react(other) for other in ("\u2764\u200d", "\U0001f44d", '"', "e", "e\u0301")), react(emoji)])

    assert messages(log)[0].reactions[emoji] == ["ann"]
    assert len(messages(log)[0].reactions) == 6


def test_a_message_has_a_bounded_number_of_different_reactions(log: RoomLog) -> None:
    emojis = [f"emoji {number}" for number in range(MAX_REACTIONS)]
    log.append([post(), *map(react, emojis)])

    assert log.append([react("one more")]) == [Rejected("full")]
    assert append(log, react(emojis[0], BOB), react("one more", on=False))
    assert list(messages(log)[0].reactions) == emojis

    assert append(log, react(emojis[1], on=False), react("one more"))
    assert len(messages(log)[0].reactions) == MAX_REACTIONS


def test_reactions_do_not_keep_a_message_from_being_edited(log: RoomLog) -> None:
    log.append([post("a"), react("+")])
    log.append([to(Edit(1, "b")), react("-", BOB)])

    assert texts(log) == ["b"]
    assert messages(log)[0].reactions == {"+": ["ann"], "-": ["bob"]}


def test_each_message_has_its_own_reactions(log: RoomLog) -> None:
    log.append([post("a"), post("b"), post("c"), react("+", target=3), react("-", target=1)])

    assert [message.reactions for message in messages(log)] == [{"-": ["ann"]}, {}, {"+": ["ann"]}]


# Messages


@pytest.fixture
def talk(log: RoomLog) -> RoomLog:
    """Return a log whose lobby has messages at 1, 3, 5, 7, 9, of which 5 is deleted, and changes at 2, 4, 6, 8, 10."""
    log.append([post("a"), react("+"), post("b"), react("+"), post("c"), to(Delete(5)), post("d"), react("+")])
    log.append([post("e"), to(Edit(9, "f"))])
    return log


@pytest.mark.parametrize(
    ("bounds", "limit", "found"),
    [
        ({}, 10, [1, 3, 5, 7, 9]),
        ({}, 2, [7, 9]),
        ({}, 0, []),
        ({"before": 9}, 2, [5, 7]),
        ({"before": 10}, 2, [7, 9]),
        ({"before": 5}, 10, [1, 3]),
        ({"before": 1}, 10, []),
        ({"before": 0}, 10, []),
        ({"before": 100}, 1, [9]),
        ({"after": 0}, 2, [1, 3]),
        ({"after": 1}, 2, [3, 5]),
        ({"after": 4}, 10, [5, 7, 9]),
        ({"after": 9}, 10, []),
        ({"after": 100}, 10, []),
        ({"after": 0}, 0, []),
        ({"after": -5}, 1, [1]),
    ],
)
def test_messages_are_read_a_page_at_a_time(
    talk: RoomLog, bounds: dict[str, int], limit: int, found: list[int]
) -> None:
    page = talk.messages("lobby", limit=limit, after=bounds.get("after"), before=bounds.get("before"))

    assert [message.offset for message in page.messages] == found
    assert page.position == talk.position("lobby")


def test_a_page_knows_the_position_at_which_it_is_true(talk: RoomLog) -> None:
    assert talk.messages("lobby", limit=1).position.offset == 10


def test_a_room_without_entries_has_no_messages(log: RoomLog) -> None:
    assert log.messages("lobby", limit=10).messages == []
    assert log.messages("lobby", limit=10).position == log.position("lobby")


def test_a_message_that_was_read_does_not_change_any_more(log: RoomLog) -> None:
    log.append([post("a"), react("+")])
    (message,) = messages(log)

    log.append([to(Edit(1, "b")), react("+", BOB), react("-")])

    assert message == Message(1, ANN, NOON_MS, b'{"text":"a"}', reactions={"+": ["ann"]})


# Forgetting


def trim(log: RoomLog, entries: int | None = None, since_ms: int | None = None, limit: int = 1_000) -> int:
    return log.trim([Retention("*", entries, since_ms)], limit=limit)


def hourly(log: RoomLog, count: int, room: str = "lobby") -> None:
    """Store entries at times 1, 2, 3 …"""
    log.append([draft(room, "a", time_ms=number) for number in range(1, count + 1)])


def test_with_no_rule_nothing_is_forgotten(log: RoomLog) -> None:
    hourly(log, 5)

    assert trim(log) == 0
    assert kept(log) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("entries", "since_ms", "left"),
    [
        (3, None, [3, 4, 5]),
        (5, None, [1, 2, 3, 4, 5]),
        (9, None, [1, 2, 3, 4, 5]),
        (1, None, [5]),
        (0, None, [5]),
        (None, 4, [4, 5]),
        (None, 1, [1, 2, 3, 4, 5]),
        (None, 100, [5]),
        (2, 3, [4, 5]),
        (3, 4, [4, 5]),
        (0, 100, [5]),
        (9, 100, [5]),
        (9, 0, [1, 2, 3, 4, 5]),
        (1, 0, [5]),
    ],
)
def test_what_either_rule_is_against_is_forgotten(
    log: RoomLog, entries: int | None, since_ms: int | None, left: list[int]
) -> None:
    hourly(log, 5)

    assert trim(log, entries, since_ms) == 5 - len(left)
    assert kept(log) == left
    assert trim(log, entries, since_ms) == 0


def test_each_room_is_trimmed_for_itself(log: RoomLog) -> None:
    hourly(log, 5)
    hourly(log, 2, "garden")
    hourly(log, 1, "attic")

    assert trim(log, entries=2) == 3
    assert [kept(log, room) for room in ("lobby", "garden", "attic")] == [[4, 5], [1, 2], [1]]


def test_the_first_rule_that_matches_decides_and_a_room_that_none_matches_keeps_all(log: RoomLog) -> None:
    rooms = ("news-uk", "news-de", "newsroom", "lobby")
    for room in rooms:
        hourly(log, 5, room)
    rules = [Retention("news-u?", 1, None), Retention("news-*", None, 4), Retention("news*", None, None)]

    assert log.trim([*rules, Retention("newsroom", 1, None)], limit=1_000) == 4 + 3
    assert [kept(log, room) for room in rooms] == [[5], [4, 5], [1, 2, 3, 4, 5], [1, 2, 3, 4, 5]]
    assert log.trim(rules, limit=1_000) == 0


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("*", True),
        ("tea [1]", True),
        ("tea ?1?", True),
        ("*[1]", True),
        ("Tea [1]", False),
        ("tea [1", False),
        ("tea [12]", False),
        ("tea 1", False),
        ("tea ??1?", False),
        ("ea*", False),
        ("", False),
    ],
)
def test_in_a_pattern_all_but_star_and_question_mark_is_itself(log: RoomLog, pattern: str, *, matches: bool) -> None:
    hourly(log, 2, "tea [1]")

    assert log.trim([Retention(pattern, 1, None)], limit=1_000) == matches


def test_a_question_mark_is_one_character_however_many_bytes(log: RoomLog) -> None:
    hourly(log, 2, "t\N{LATIN SMALL LETTER E WITH ACUTE}\N{HOT BEVERAGE}")

    assert log.trim([Retention("t??", 1, None)], limit=1_000) == 1


def test_no_more_is_forgotten_at_a_time_than_asked_for(log: RoomLog) -> None:
    hourly(log, 5)
    hourly(log, 4, "garden")

    assert [trim(log, entries=1, limit=3) for _ in range(4)] == [3, 3, 1, 0]
    assert kept(log) == [5]
    assert kept(log, "garden") == [4]


def test_an_old_entry_stays_as_long_as_one_before_it_is_kept(log: RoomLog) -> None:
    log.append([draft("lobby", "a", time_ms=time_ms) for time_ms in (1, 9, 2, 9, 9)])

    assert trim(log, since_ms=5) == 1
    assert kept(log) == [2, 3, 4, 5]
    assert trim(log, since_ms=5) == 0
    assert trim(log, since_ms=10) == 3


def test_what_is_beyond_the_number_goes_although_it_is_young(log: RoomLog) -> None:
    log.append([draft("lobby", "a", time_ms=time_ms) for time_ms in (9, 9, 2, 2, 9)])

    assert trim(log, entries=3, since_ms=5) == 4
    assert kept(log) == [5]


def test_offsets_go_on_after_what_was_forgotten(log: RoomLog) -> None:
    hourly(log, 5)
    before = log.position("lobby")
    trim(log, entries=1)

    assert log.position("lobby") == before
    assert offsets(append(log, post())) == [6]
    assert kept(log) == [5, 6]
    assert log.before("lobby", 4, 10) == []
    assert [entry.offset for entry in log.after("lobby", 2, 1)] == [5]


def test_trimming_goes_on_where_it_ended(log: RoomLog) -> None:
    hourly(log, 5)
    trim(log, since_ms=3)
    log.append([draft("lobby", "a", time_ms=6)])

    assert trim(log, since_ms=5) == 2
    assert kept(log) == [5, 6]


def test_a_key_is_forgotten_with_its_entry(log: RoomLog) -> None:
    log.append([post("a", key="k"), post("b", key="l")])
    trim(log, entries=1)

    forgotten, remembered = append(log, post("a", key="k"), post("b", key="l"))

    assert (forgotten.duplicate, forgotten.entry.offset) == (False, 3)
    assert (remembered.duplicate, remembered.entry.offset) == (True, 2)


def test_a_message_is_forgotten_with_its_entry(log: RoomLog) -> None:
    log.append([post("a"), post("b"), to(Edit(1, "c")), to(Edit(2, "d")), react("+", target=2), react("+")])

    assert trim(log, entries=5) == 1
    assert [(message.offset, message.data) for message in messages(log)] == [(2, b'{"text":"d"}')]
    assert messages(log)[0].reactions == {"+": ["ann"]}

    assert trim(log, entries=1) == 4
    assert messages(log) == []
    assert kept(log) == [6]


# Removing a room's history


def remove(log: RoomLog, room: str = "lobby", last: int = 1_000, limit: int = 1_000) -> int:
    return log.remove(room, last=last, limit=limit)


def test_all_of_a_room_can_be_removed_and_others_stay(log: RoomLog) -> None:
    hourly(log, 5)
    hourly(log, 2, "garden")

    assert remove(log) == 5
    assert kept(log) == []
    assert messages(log) == []
    assert kept(log, "garden") == [1, 2]
    assert remove(log) == 0


def test_offsets_go_on_after_what_was_removed(log: RoomLog) -> None:
    hourly(log, 5)
    before = log.position("lobby")
    remove(log)

    assert log.position("lobby") == before
    assert offsets(append(log, post())) == [6]
    assert kept(log) == [6]


def test_a_room_without_entries_has_nothing_to_remove(log: RoomLog) -> None:
    assert remove(log) == 0


def test_nothing_is_removed_after_the_offset_named(log: RoomLog) -> None:
    hourly(log, 5)

    assert remove(log, last=3) == 3
    assert kept(log) == [4, 5]
    assert remove(log, last=2) == 0


def test_no_more_is_removed_at_a_time_than_asked_for(log: RoomLog) -> None:
    hourly(log, 5)

    assert [remove(log, limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert kept(log) == []


def test_keys_revisions_and_reactions_are_removed_with_their_entries(log: RoomLog) -> None:
    log.append([post("a", key="k"), to(Edit(1, "b")), react("+")])
    remove(log)

    (again,) = append(log, post("a", key="k"))

    assert (again.duplicate, again.entry.offset) == (False, 4)
    assert [(message.offset, message.data, message.reactions) for message in messages(log)] == [
        (4, b'{"text":"a"}', {})
    ]


def test_what_comes_after_a_removal_is_trimmed_by_its_own_age(log: RoomLog) -> None:
    hourly(log, 5)
    remove(log)
    log.append([draft("lobby", "a", time_ms=time_ms) for time_ms in (7, 8, 9)])

    assert trim(log, since_ms=7) == 0
    assert trim(log, since_ms=8) == 1
    assert kept(log) == [7, 8]


def test_a_room_with_nothing_left_to_trim_does_not_hide_the_others(log: RoomLog) -> None:
    hourly(log, 5)
    remove(log)
    log.append([draft("lobby", "a", time_ms=9), draft("lobby", "a", time_ms=9)])
    hourly(log, 5, "garden")

    assert trim(log, since_ms=5, limit=1) == 1


# The secret


def test_the_secret_is_32_bytes_and_stays(log: RoomLog) -> None:
    secret = log.secret()
    log.append([post()])

    assert len(secret) == 32
    assert log.secret() == secret


@pytest.mark.parametrize("kind", sorted(IMPLEMENTATIONS))
def test_each_log_has_its_own_secret_and_epoch(kind: str, tmp_path: Path) -> None:
    one, other = (IMPLEMENTATIONS[kind](tmp_path / name) for name in ("one", "other"))

    assert one.secret() != other.secret()
    assert one.position("lobby").epoch != other.position("lobby").epoch
    one.close()
    other.close()


# Moderation


def ruling(action: Any, user: str = "eve", *, room: str = "lobby", until_ms: int = 0, time_ms: int = NOON_MS) -> Ruling:
    return Ruling(room, action, user, "ann", "moderator", time_ms, until_ms, "a \N{SNOWMAN} of 'reasons'")


def in_force(log: RoomLog, room: str = "lobby", now_ms: int = NOON_MS) -> list[tuple[str, str]]:
    return [(found.action, found.user) for found in log.in_force(room, now_ms)]


def test_a_ban_is_in_force_as_it_was_recorded(log: RoomLog) -> None:
    recorded = log.record(ruling("ban", until_ms=NOON_MS + 5))

    assert recorded == msgspec.structs.replace(ruling("ban", until_ms=NOON_MS + 5), number=1)
    assert log.in_force("lobby", NOON_MS) == [recorded]


def test_bans_and_mutes_are_in_force_in_their_room_until_they_are_lifted(log: RoomLog) -> None:
    for one in (ruling("ban"), ruling("mute"), ruling("mute", "bob"), ruling("ban", room=""), ruling("ban", room="t")):
        log.record(one)
    log.record(ruling("unban"))

    assert in_force(log) == [("mute", "eve"), ("mute", "bob")]
    assert in_force(log, "") == in_force(log, "t") == [("ban", "eve")]


def test_a_later_ban_replaces_an_earlier_one(log: RoomLog) -> None:
    log.record(ruling("ban"))
    log.record(ruling("ban", "bob"))
    log.record(ruling("ban", until_ms=NOON_MS + 1))

    assert [(found.user, found.until_ms) for found in log.in_force("lobby", NOON_MS)] == [
        ("bob", 0),
        ("eve", NOON_MS + 1),
    ]


def test_a_ban_ends_at_its_time(log: RoomLog) -> None:
    log.record(ruling("ban", until_ms=NOON_MS + 1))
    log.record(ruling("mute", "bob", time_ms=NOON_MS + 9))  # when others are taken note of

    assert in_force(log, now_ms=NOON_MS + 1) == [("mute", "bob")]
    assert [found.action for found in log.rulings("lobby", limit=9)] == ["mute", "ban"]


def test_a_kick_and_the_lifting_of_nothing_are_recorded_and_put_nothing_in_force(log: RoomLog) -> None:
    for action in ("ban", "kick", "unmute"):
        log.record(ruling(action))

    assert in_force(log) == [("ban", "eve")]
    assert [found.action for found in log.rulings("lobby", limit=9)] == ["unmute", "kick", "ban"]


def test_rulings_of_a_room_are_read_in_pages_the_newest_first(log: RoomLog) -> None:
    for number in range(7):
        log.record(ruling("kick", f"user-{number}", room="lobby" if number % 2 else "tea"))

    first = log.rulings("lobby", limit=2)
    rest = log.rulings("lobby", before=first[-1].number, limit=2)

    assert [found.user for found in (*first, *rest)] == ["user-5", "user-3", "user-1"]
    assert log.rulings("lobby", before=rest[-1].number, limit=2) == []
    assert len(log.rulings("lobby", before=2**63, limit=9)) == 3


def test_who_moderates_deletes_the_message_of_somebody_else(log: RoomLog) -> None:
    append(log, post("rude", author=BOB))

    (stored,) = append(log, to(Delete(1, of_anybody=True), author=ANN))

    assert (stored.entry.offset, stored.entry.author) == (2, ANN)
    assert texts(log) == [None]


# Who is to be told, and places


def said_to(*users: str, room: str = "lobby", author: Author = BOB, direct: bool = False, key: str = "") -> Draft:
    """Make a draft of a message of Bob's of which somebody is to be told."""
    return Draft(room, key, author, NOON_MS, b'{"text":"hello"}', told=users, direct=direct)


def keep(log: RoomLog, user: str = "ann", room: str = "lobby", *, time_ms: int = NOON_MS, **what: Any) -> Any:
    (answer,) = log.append([Keep(user=user, room=room, time_ms=time_ms, **what)])
    return answer


def place(log: RoomLog, user: str = "ann") -> Place:
    (found,) = log.places(user)
    return found


def test_a_place_has_the_marker_the_room_s_position_and_what_came_since(log: RoomLog) -> None:
    append(log, post("one", author=BOB), post("two", author=BOB), said_to("ann"), post("own"), said_to("eve"))

    assert keep(log, read=2) == Kept(2, changed=True)
    assert place(log) == Place("lobby", log.position("lobby"), 2, notify=True, unread=2, mentions=1)
    assert log.places("bob") == []


def test_changes_of_messages_are_not_unread_and_deleted_ones_are(log: RoomLog) -> None:
    append(log, post("one", author=BOB), post("two", author=BOB))
    keep(log, read=0)
    append(log, to(Delete(1), author=BOB), to(React(2, "👍", on=True), author=BOB))

    assert place(log).unread == 2


def test_a_marker_only_rises_and_not_beyond_the_newest(log: RoomLog) -> None:
    fill(log, "lobby", 5)

    answers = [keep(log, read=offset) for offset in (3, 2, 3, 9, 2**63 - 1)]

    assert answers == [
        Kept(3, changed=True),
        Kept(3, changed=False),
        Kept(3, changed=False),
        Kept(5, changed=True),
        Kept(5, changed=False),
    ]


def test_a_place_in_a_room_of_which_there_is_nothing_yet_is_at_its_beginning(log: RoomLog) -> None:
    assert keep(log, read=7) == Kept(0, changed=True)
    assert place(log) == Place("lobby", log.position("lobby"), 0, notify=True, unread=0, mentions=0)


def test_whether_a_room_may_make_a_noise_is_kept_and_a_new_place_begins_at_the_newest(log: RoomLog) -> None:
    fill(log, "lobby", 3)

    assert [keep(log, notify=False), keep(log, notify=False)] == [Kept(3, changed=True), Kept(3, changed=False)]
    keep(log, read=3)
    assert (place(log).notify, place(log).read) == (False, 3)
    assert keep(log, notify=True).changed


def test_a_place_that_ended_is_gone_and_ending_it_again_changes_nothing(log: RoomLog) -> None:
    fill(log, "lobby", 3)
    keep(log, read=3)

    assert [keep(log, leave=True), keep(log, leave=True)] == [Kept(0, changed=True), Kept(0, changed=False)]
    assert log.places("ann") == []
    assert keep(log, read=1) == Kept(1, changed=True)


def test_a_place_that_is_only_to_begin_stays_as_it_is(log: RoomLog) -> None:
    fill(log, "lobby", 3)

    assert [keep(log, read=1, begin=True), keep(log, read=3, begin=True)] == [
        Kept(1, changed=True),
        Kept(1, changed=False),
    ]


def test_a_batch_holds_entries_and_changes_of_places_which_know_of_the_entries(log: RoomLog) -> None:
    read = Keep(user="ann", room="lobby", time_ms=NOON_MS, read=2)
    again = msgspec.structs.replace(read, read=1)

    answers = log.append(
        [read, draft("lobby", "one"), again, draft("lobby", "two"), msgspec.structs.replace(read, room="b")]
    )

    assert [type(answer) for answer in answers] == [Kept, Stored, Kept, Stored, Kept]
    assert (answers[0], answers[2], answers[4]) == (
        Kept(2, changed=True),
        Kept(2, changed=False),
        Kept(0, changed=True),
    )
    assert [found.room for found in log.places("ann")] == ["b", "lobby"]


def test_a_user_has_so_many_places_and_no_more(log: RoomLog) -> None:
    log.append([Keep(user="ann", room=f"{number}", time_ms=NOON_MS, read=0) for number in range(MAX_PLACES - 1)])
    both = [Keep(user="ann", room=room, time_ms=NOON_MS, read=0) for room in ("last", "one more")]

    assert log.append(both) == [Kept(0, changed=True), Rejected("full")]
    assert keep(log, room="7", notify=False) == Kept(0, changed=True)
    assert keep(log, user="bob", read=0) == Kept(0, changed=True)
    log.append([msgspec.structs.replace(both[0], leave=True), both[1]])
    assert len(log.places("ann")) == MAX_PLACES
    append(log, said_to("ann", room="direct", direct=True))
    assert "direct" not in [found.room for found in log.places("ann")]


def test_what_is_direct_makes_a_place_before_it_and_leaves_one_that_is_there(log: RoomLog) -> None:
    fill(log, "lobby", 2)
    keep(log, user="eve", read=1)

    append(log, said_to("ann", "eve", direct=True), said_to("ann", direct=True), said_to("dan"))

    assert (place(log).read, place(log).unread, place(log).mentions) == (2, 3, 2)
    assert place(log, "eve").read == 1
    assert log.places("dan") == []


def test_what_is_direct_makes_its_author_a_place_at_it_and_leaves_one_that_is_there(log: RoomLog) -> None:
    first, second = append(log, said_to("bob", author=ANN, direct=True), said_to("ann", direct=True))

    assert (first.begun, second.begun) == (True, False)
    assert (place(log).read, place(log).unread) == (1, 1)
    assert (place(log, "bob").read, place(log, "bob").unread) == (0, 1)


def test_a_change_and_what_the_server_says_make_no_place_for_their_author(log: RoomLog) -> None:
    append(log, said_to("ann", author=Author("", "", "the server"), direct=True))
    append(log, msgspec.structs.replace(to(React(1, "👍", on=True), author=BOB), direct=True))

    assert (log.places(""), log.places("bob")) == ([], [])


def test_a_repeat_tells_nobody_and_makes_no_place(log: RoomLog) -> None:
    append(log, said_to("ann", key="k"))
    keep(log, read=0)
    append(log, said_to("ann", "eve", key="k", direct=True))

    assert place(log).mentions == 1
    assert log.places("eve") == []


@pytest.mark.parametrize("at_once", [False, True])
def test_who_was_told_of_a_message_is_forgotten_when_it_is_deleted(log: RoomLog, *, at_once: bool) -> None:
    drafts = [said_to("ann"), said_to("ann"), to(Edit(2, "hi"), author=BOB), to(Delete(1), author=BOB)]
    keep(log, read=0)
    for batch in [drafts] if at_once else [[one] for one in drafts]:
        log.append(batch)

    assert place(log).mentions == 1


def test_who_was_told_of_an_entry_is_forgotten_with_it(log: RoomLog) -> None:
    append(log, *[said_to("ann") for _ in range(5)])
    keep(log, read=0)

    log.trim([Retention("*", 3, None)], limit=100)
    trimmed = place(log)
    log.remove("lobby", last=4, limit=100)

    assert (trimmed.mentions, trimmed.unread) == (3, 3)
    assert (place(log).mentions, place(log).unread, place(log).position.offset) == (1, 1, 5)


def test_no_more_than_so_many_are_looked_at(log: RoomLog) -> None:
    keep(log, read=0)
    append(log, said_to(author=ANN), *[said_to("ann")] * (COUNTED - 1))
    few = place(log)
    append(log, *[said_to("ann")] * 9)
    many = place(log)

    assert (few.unread, few.mentions) == (COUNTED - 1, COUNTED - 1)
    assert (many.unread, many.mentions) == (COUNTED - 1, COUNTED)


def test_in_many_places_fewer_are_looked_at_in_each(log: RoomLog) -> None:
    each = COUNTED_IN_ALL // MAX_PLACES
    log.append([Keep(user="ann", room=f"room{number}", time_ms=NOON_MS, read=0) for number in range(MAX_PLACES - 1)])
    keep(log, read=0)
    append(log, *[said_to("ann")] * (each + 1))

    (crowded,) = (found for found in log.places("ann") if found.room == "lobby")
    for number in range(MAX_PLACES - 10):
        keep(log, room=f"room{number}", leave=True)
    (roomy,) = (found for found in log.places("ann") if found.room == "lobby")

    assert (crowded.unread, crowded.mentions) == (each, each)
    assert (roomy.unread, roomy.mentions) == (each + 1, each + 1)


def test_names_are_those_under_which_something_was_said_or_read_last(log: RoomLog) -> None:
    append(log, post(), post(author=BOB))
    append(log, post(author=Author("ann", "another", "Anna"), time_ms=NOON_MS + 1))
    append(log, post(author=Author("", "", "the server")))
    for user, name in (("cleo", "Cleo"), ("bob", "Bobby"), ("cleo", "Cleo"), ("dan", "")):
        keep(log, user, read=1, name=name)

    assert log.names(["ann", "bob", "cleo", "dan", "eve", ""]) == {"ann": "Anna", "bob": "Bobby", "cleo": "Cleo"}
    append(log, post())
    assert log.names(["ann"]) == {"ann": "Ann"}
    append(log, post(author=Author("ann", "another", "Anna")), post())
    assert log.names(["ann"]) == {"ann": "Ann"}
    assert log.names([]) == {}


def test_the_bans_of_a_user_are_those_of_all_rooms(log: RoomLog) -> None:
    bans = [log.record(Ruling(room, "ban", "eve", "mo", "moderator", NOON_MS)) for room in ("lobby", "tea")]
    log.record(Ruling("tea", "mute", "eve", "mo", "moderator", NOON_MS))
    log.record(Ruling("tea", "ban", "dan", "mo", "moderator", NOON_MS))
    log.record(Ruling("hall", "ban", "eve", "mo", "moderator", NOON_MS, until_ms=NOON_MS))

    assert log.bans("eve", NOON_MS) == bans
    log.record(Ruling("lobby", "unban", "eve", "mo", "moderator", NOON_MS))
    assert log.bans("eve", NOON_MS) == bans[1:]


def test_what_guests_have_not_touched_for_long_is_forgotten_and_nothing_of_users(log: RoomLog) -> None:
    day = 86_400_000
    guest = Author("guest-1", "client", "Gus")
    append(log, post(author=guest), post(author=ANN))
    for user in ("guest-1", "ann"):
        for room in ("a", "b", "c"):
            keep(log, user, room, read=0)
    keep(log, "guest-1", "b", read=0, time_ms=NOON_MS + 2 * day)

    before = log.forget_guests(NOON_MS, limit=100)
    step = log.forget_guests(NOON_MS + day, limit=1)
    rest = log.forget_guests(NOON_MS + day, limit=100)

    assert (before, step, rest, log.forget_guests(NOON_MS + day, limit=100)) == (0, 2, 1, 0)
    assert [found.room for found in log.places("guest-1")] == ["b"]
    assert len(log.places("ann")) == 3
    assert log.names(["guest-1", "ann"]) == {"ann": "Ann"}
    append(log, post(author=guest, time_ms=NOON_MS + 3 * day))
    assert log.names(["guest-1"]) == {"guest-1": "Gus"}


# Topics


def about(topic: str, *, room: str = "lobby", key: str = "") -> Draft:
    """Make a draft that says what a room is about."""
    return Draft(room, key, ANN, NOON_MS, b'{"type":"topic"}', Topic(topic))


def test_a_room_is_about_nothing_until_an_entry_says_so_and_then_about_what_the_newest_says(log: RoomLog) -> None:
    before = log.topic("lobby")
    append(log, about("one"), post(), about("two"))
    append(log, post(), about("of tea", room="tea"))

    assert (before, log.topic("lobby"), log.topic("tea")) == ("", "two", "of tea")
    append(log, about(""))
    assert log.topic("lobby") == ""


def test_a_topic_is_an_entry_and_no_message(log: RoomLog) -> None:
    stored = append(log, post(), about("tea"), post())

    assert (offsets(stored), kept(log)) == ([1, 2, 3], [1, 2, 3])
    assert [message.offset for message in messages(log)] == [1, 3]


def test_the_same_topic_under_the_same_key_is_one_entry(log: RoomLog) -> None:
    append(log, about("one", key="k"), about("two"))

    (again,) = append(log, about("one", key="k"))

    assert (again.duplicate, again.entry.offset, log.topic("lobby")) == (True, 1, "two")


def test_a_topic_stays_when_its_entry_is_forgotten(log: RoomLog) -> None:
    append(log, about("tea"), post(), post())
    assert log.trim([Retention("*", 1, None)], limit=9) == 2
    trimmed = log.topic("lobby")
    assert log.remove("lobby", last=9, limit=9) == 1

    assert (trimmed, log.topic("lobby")) == ("tea", "tea")


def test_nothing_can_be_done_to_a_topic_as_to_a_message(log: RoomLog) -> None:
    append(log, about("tea"))

    assert log.append([to(Edit(1, "x")), to(React(1, "+", on=True))]) == [Rejected("missing"), Rejected("missing")]


# Looking for rooms


def found(log: RoomLog, query: str, limit: int = 9) -> list[tuple[str, str]]:
    return [(room.name, room.topic) for room in log.find_rooms(query, limit)]


def test_rooms_are_found_by_name_and_by_topic_those_first_where_most_was_said(log: RoomLog) -> None:
    append(log, about("All about Tea", room="garden"), post(), draft("teatime", "a"), draft("teatime", "b"))

    assert found(log, "TEA") == [("teatime", ""), ("garden", "All about Tea")]
    assert found(log, "tea", limit=1) == [("teatime", "")]
    assert found(log, "garden t") == []


def test_private_rooms_are_never_found_by_looking(log: RoomLog) -> None:
    for name in ("$tea", "dm#a,tea", "tea#1", "tea"):
        append(log, about("tea", room=name))

    assert found(log, "tea") == [("tea", "tea")]


@pytest.mark.parametrize("query", ["%", "_", "'", '"', "\\", "*", "?"])
def test_what_is_looked_for_is_no_pattern(log: RoomLog, query: str) -> None:
    append(log, draft("tea", "a"), draft(f"a{query}b", "a"))

    assert found(log, query) == [(f"a{query}b", "")]


# Private rooms


def change(log: RoomLog, action: Any, user: str, *, by: str = "ann", room: str = "$tea") -> bool:
    return log.change_members(MemberChange(room, action, user, by, NOON_MS))


def test_a_private_room_has_those_members_who_were_invited_and_have_not_left(log: RoomLog) -> None:
    assert change(log, "create", "ann")
    for user in ("bob", "eve", "bob", "cleo"):
        assert change(log, "invite", user)
    assert change(log, "leave", "eve")
    assert change(log, "leave", "nobody")

    assert log.private_rooms() == [PrivateRoom("$tea", "ann", ["ann", "bob", "cleo"])]


def test_a_name_that_is_taken_is_not_given_out_again(log: RoomLog) -> None:
    change(log, "create", "ann")
    append(log, draft("$staff", "between us"))

    assert not change(log, "create", "eve")
    assert not change(log, "create", "eve", room="$staff")
    assert log.private_rooms() == [PrivateRoom("$tea", "ann", ["ann"])]


def test_a_private_room_ends_with_its_last_member_and_its_name_is_free_when_nothing_is_kept_of_it(log: RoomLog) -> None:
    change(log, "create", "ann")
    append(log, draft("$tea", "between us"))
    change(log, "leave", "ann")
    left, again = log.private_rooms(), change(log, "create", "eve")
    log.remove("$tea", last=9, limit=9)

    assert (left, again) == ([], False)
    assert change(log, "create", "eve")


def test_nobody_is_invited_into_a_room_that_there_is_not(log: RoomLog) -> None:
    assert not change(log, "invite", "bob")
    assert log.private_rooms() == []


def test_who_is_kicked_or_banned_is_a_member_no_longer_and_who_is_muted_still_is(log: RoomLog) -> None:
    change(log, "create", "ann")
    for user in ("bob", "eve", "mia"):
        change(log, "invite", user)
    for action, user in (("kick", "bob"), ("ban", "eve"), ("mute", "mia")):
        log.record(ruling(action, user, room="$tea"))
    log.record(ruling("kick", "ann"))  # from another room

    assert log.private_rooms() == [PrivateRoom("$tea", "ann", ["ann", "mia"])]


def test_who_is_a_member_has_a_place_there_until_it_leaves(log: RoomLog) -> None:
    change(log, "create", "ann")
    append(log, draft("$tea", "before bob came"))
    change(log, "invite", "bob")
    append(log, draft("$tea", "hello", author=BOB))
    change(log, "invite", "bob")
    places = [(place.room, place.read, place.unread) for user in ("ann", "bob") for place in log.places(user)]
    change(log, "leave", "bob")

    assert places == [("$tea", 0, 1), ("$tea", 1, 0)]
    assert log.places("bob") == []


# Files


def upload(name: str, *, room: str = "lobby", user: str = ANN.user, time_ms: int = NOON_MS, **more: Any) -> Upload:
    """Make an upload whose id, name and hash are one."""
    size = more.pop("size", 10)
    return Upload(File(name, name, "image/png", size, 4, 3, thumb=True), more.pop("hash", name), room, user, time_ms)


def bring(log: RoomLog, *uploads: Upload) -> None:
    assert all(log.keep_upload(each, most_unsent_bytes=1_000) for each in uploads)


def with_files(*files: str, author: Author = ANN, key: str = "", room: str = "lobby") -> Draft:
    return Draft(room, key, author, NOON_MS, b'{"text":"look"}', files=files)


def test_a_message_has_the_files_that_it_was_sent_with(log: RoomLog) -> None:
    bring(log, upload("a"), upload("b"))

    (stored,) = append(log, with_files("b", "a"))

    assert [file["id"] for file in json.loads(stored.entry.data)["files"]] == ["b", "a"]
    assert json.loads(stored.entry.data)["files"][1] == {
        "id": "a",
        "name": "a",
        "type": "image/png",
        "size": 10,
        "width": 4,
        "height": 3,
        "thumb": True,
    }
    assert log.after("lobby", 0, 10) == [stored.entry]
    assert messages(log)[0].data == stored.entry.data
    assert log.upload("a") == msgspec.structs.replace(upload("a"), offset=1)
    assert log.upload("nobody's") is None


def test_a_message_keeps_its_files_when_its_text_is_edited(log: RoomLog) -> None:
    bring(log, upload("a"))
    log.append([with_files("a"), to(Edit(1, "see"))])

    data = json.loads(messages(log)[0].data)

    assert (data["text"], data["files"][0]["id"]) == ("see", "a")
    assert log.upload("a") is not None


@pytest.mark.parametrize(
    "sent",
    [with_files("unknown"), with_files("bobs"), with_files("gardens"), with_files("sent"), with_files("a", "a")],
    ids=["unknown", "of-another", "of-another-room", "sent-before", "twice"],
)
def test_a_message_with_a_file_that_it_may_not_have_is_rejected(log: RoomLog, sent: Draft) -> None:
    bring(log, upload("a"), upload("bobs", user=BOB.user), upload("gardens", room="garden"), upload("sent"))
    log.append([with_files("sent")])

    assert log.append([sent, post("next")])[0] == Rejected("no_file")

    assert texts(log) == ["look", "next"]
    assert log.upload("a") == upload("a")


def test_one_file_goes_with_one_message_also_of_a_batch(log: RoomLog) -> None:
    bring(log, upload("a"))

    first, second = log.append([with_files("a"), with_files("a")])

    assert isinstance(first, Stored)
    assert second == Rejected("no_file")


def test_a_repeat_of_a_message_with_files_is_a_repeat(log: RoomLog) -> None:
    bring(log, upload("a"))
    (first,) = append(log, with_files("a", key="k"))

    (again,) = append(log, with_files("a", key="k"))

    assert (again.duplicate, again.entry) == (True, first.entry)


def test_files_go_with_their_message_however_it_goes(log: RoomLog) -> None:
    bring(log, *(upload(name) for name in ("deleted", "trimmed", "removed", "stays")))
    names = ("trimmed", "deleted", "removed", "stays")
    log.append([with_files(name) for name in names])

    log.append([to(Delete(2))])
    log.trim([Retention("*", 4, None)], limit=10)
    log.remove("lobby", last=3, limit=10)

    assert [log.upload(name) is not None for name in names] == [False, False, False, True]
    assert sorted(log.loose(limit=10)) == ["deleted", "removed", "trimmed"]
    assert len(log.loose(limit=2)) == 2


def test_a_deletion_that_is_refused_or_repeated_leaves_files_alone(log: RoomLog) -> None:
    bring(log, upload("a"))
    log.append([with_files("a"), to(Delete(1), author=BOB)])

    assert log.upload("a") is not None
    assert log.loose(limit=10) == []


def test_a_content_is_loose_when_nobody_refers_to_it(log: RoomLog) -> None:
    bring(log, upload("a", hash="same"), upload("b", hash="same"), upload("c"))
    log.append([with_files("a"), with_files("b"), to(Delete(1))])
    assert log.loose(limit=10) == []
    assert log.referred(["same", "c", "unknown"]) == {"same", "c"}

    log.append([to(Delete(2))])
    assert log.loose(limit=10) == ["same"]
    assert log.referred(["same", "c"]) == {"c"}

    log.forget_loose(["same"])
    assert log.loose(limit=10) == []


def test_a_content_that_was_loose_and_came_again_is_not_loose(log: RoomLog) -> None:
    bring(log, upload("a", hash="same"))
    log.append([with_files("a"), to(Delete(1))])
    bring(log, upload("b", hash="same"))
    assert log.loose(limit=10) == []

    log.append([with_files("b"), to(Delete(3))])

    assert log.loose(limit=10) == ["same"]


def test_files_that_were_not_sent_are_forgotten_with_time_the_oldest_first(log: RoomLog) -> None:
    bring(log, *(upload(f"{age}", time_ms=NOON_MS - age) for age in (3, 2, 1)), upload("sent", time_ms=0))
    log.append([with_files("sent")])

    assert log.forget_unsent(NOON_MS - 1, limit=1) == 1
    assert log.upload("3") is None
    assert log.forget_unsent(NOON_MS - 1, limit=10) == 1

    assert [log.upload(name) is not None for name in ("2", "1", "sent")] == [False, True, True]
    assert sorted(log.loose(limit=10)) == ["2", "3"]


def test_a_user_may_have_so_much_that_was_not_sent(log: RoomLog) -> None:
    assert log.keep_upload(upload("a", size=60), most_unsent_bytes=100)
    assert not log.keep_upload(upload("b", size=41), most_unsent_bytes=100)
    assert log.keep_upload(upload("of another", size=41, user=BOB.user), most_unsent_bytes=100)
    assert log.upload("b") is None

    log.append([with_files("a")])

    assert log.keep_upload(upload("b", size=41), most_unsent_bytes=100)
