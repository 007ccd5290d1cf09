"""What every `RoomLog` must do. A new implementation joins by its name in `IMPLEMENTATIONS`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import pytest

from chat.log import Draft, MemoryLog, Position, RoomLog, Stored
from tests.fakes import ANN, BOB, NOON_MS, draft

IMPLEMENTATIONS: Final[dict[str, Callable[[Path], RoomLog]]] = {
    "memory": lambda _: MemoryLog(),
}


@pytest.fixture(params=sorted(IMPLEMENTATIONS))
def log(request: pytest.FixtureRequest, tmp_path: Path) -> RoomLog:
    """Return an empty log."""
    return IMPLEMENTATIONS[request.param](tmp_path)


def offsets(stored: list[Stored]) -> list[int]:
    return [place.entry.offset for place in stored]


def fill(log: RoomLog, room: str, count: int) -> None:
    log.append([draft(room, f"message {number}") for number in range(1, count + 1)])


# Positions


def test_a_room_without_entries_is_at_offset_0_of_an_epoch(log: RoomLog) -> None:
    position = log.position("lobby")

    assert position.offset == 0
    assert position.epoch not in {"", "_"}


def test_the_epoch_stays(log: RoomLog) -> None:
    epoch = log.position("lobby").epoch

    (stored,) = log.append([draft("lobby", "hello")])

    assert stored.epoch == epoch
    assert log.position("lobby") == Position(1, epoch)


def test_the_position_is_that_of_the_newest_entry(log: RoomLog) -> None:
    fill(log, "lobby", 3)

    assert log.position("lobby").offset == 3


# Appending


def test_entries_get_offsets_from_1_on_without_gaps(log: RoomLog) -> None:
    first = log.append([draft("lobby", "a"), draft("lobby", "b")])
    second = log.append([draft("lobby", "c")])

    assert offsets(first + second) == [1, 2, 3]


def test_each_room_counts_for_itself(log: RoomLog) -> None:
    stored = log.append([draft("lobby", "a"), draft("garden", "b"), draft("lobby", "c"), draft("garden", "d")])

    assert offsets(stored) == [1, 1, 2, 2]


def test_the_answers_come_in_the_order_of_the_drafts(log: RoomLog) -> None:
    stored = log.append([draft("lobby", "a"), draft("garden", "b"), draft("lobby", "c")])

    assert [place.entry.data for place in stored] == [b'"a"', b'"b"', b'"c"']


def test_an_entry_is_what_the_draft_said(log: RoomLog) -> None:
    stored = log.append([Draft("lobby", "key", BOB, 1_234_567_890_123, b'{"text":"\xc3\xbc"}')])

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
    (first,) = log.append([draft("lobby", "hello", key="k", time_ms=NOON_MS)])

    (again,) = log.append([draft("lobby", "hello, edited", key="k", time_ms=NOON_MS + 5)])

    assert again.duplicate
    assert again.entry == first.entry
    assert again.epoch == first.epoch


def test_the_same_key_twice_in_a_batch_is_one_entry(log: RoomLog) -> None:
    stored = log.append([draft("lobby", "a", key="k"), draft("lobby", "b", key="k"), draft("lobby", "c", key="l")])

    assert [place.duplicate for place in stored] == [False, True, False]
    assert offsets(stored) == [1, 1, 2]


def test_a_repeat_takes_no_offset(log: RoomLog) -> None:
    log.append([draft("lobby", "a", key="k")])
    log.append([draft("lobby", "a", key="k")])

    assert log.position("lobby").offset == 1
    assert offsets(log.append([draft("lobby", "b")])) == [2]


def test_the_same_author_repeats_from_another_connection(log: RoomLog) -> None:
    log.append([draft("lobby", "a", key="k", author=ANN)])

    elsewhere = msgspec.structs.replace(ANN, client="another-client", name="Annie")
    (again,) = log.append([draft("lobby", "a", key="k", author=elsewhere)])

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

    (stored,) = log.append([other])

    assert not stored.duplicate


def test_without_a_key_nothing_is_a_repeat(log: RoomLog) -> None:
    stored = log.append([draft("lobby", "a"), draft("lobby", "a")]) + log.append([draft("lobby", "a")])

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
