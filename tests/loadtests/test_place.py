from __future__ import annotations

import pytest

from loadtests._frames import Publications
from loadtests._place import OWN_REMEMBERED, DuplicateError, GapError, Place


@pytest.fixture
def place() -> Place:
    place = Place("load")
    place.begin(Publications(offset=7, epoch="e"))
    return place


def test_entries_in_order_are_as_they_should_be(place: Place) -> None:
    place.receive(8, "a")
    place.receive(9, "b")

    assert (place.offset, place.epoch) == (9, "e")


def test_a_missing_entry_is_found_once(place: Place) -> None:
    with pytest.raises(GapError, match="gap in the offsets"):
        place.receive(9, "b")
    place.receive(10, "c")


def test_an_entry_that_comes_again_is_found_and_moves_nothing(place: Place) -> None:
    place.receive(8, "a")
    place.receive(9, "b")

    with pytest.raises(DuplicateError, match="offset came again"):
        place.receive(8, "a")
    place.receive(10, "c")


def test_one_s_own_message_comes_before_or_after_its_acknowledgement(place: Place) -> None:
    place.sending("early")
    place.receive(8, "early")
    place.acknowledged("early", 8)
    place.sending("late")
    place.acknowledged("late", 9)
    place.receive(9, "late")

    assert place.offset == 9


def test_one_s_own_message_after_a_gap_has_come_all_the_same(place: Place) -> None:
    place.sending("a")
    with pytest.raises(GapError):
        place.receive(9, "a")

    place.acknowledged("a", 9)


def test_one_s_own_message_must_not_come_at_two_offsets(place: Place) -> None:
    place.sending("a")
    place.receive(8, "a")

    with pytest.raises(DuplicateError, match="at another offset"):
        place.receive(9, "a")


def test_something_else_must_not_come_where_one_s_own_message_was_acknowledged(place: Place) -> None:
    place.sending("a")
    place.acknowledged("a", 8)

    with pytest.raises(GapError, match="not where it should be"):
        place.receive(8, "b")


def test_a_message_must_not_be_acknowledged_at_another_offset_than_it_came_at(place: Place) -> None:
    place.sending("a")
    place.receive(8, "a")

    with pytest.raises(GapError, match="not where it should be"):
        place.acknowledged("a", 9)


def test_a_message_must_not_be_acknowledged_where_something_else_came(place: Place) -> None:
    place.sending("a")
    place.receive(8, "b")

    with pytest.raises(GapError, match="did not come"):
        place.acknowledged("a", 8)


def test_a_message_that_is_sent_again_is_still_the_same(place: Place) -> None:
    place.sending("a")
    place.receive(8, "a")
    place.sending("a")

    with pytest.raises(DuplicateError):
        place.receive(9, "a")


def test_old_messages_are_forgotten(place: Place) -> None:
    for number in range(OWN_REMEMBERED + 1):
        place.sending(f"a{number}")
        place.receive(8 + number, f"a{number}")

    place.receive(place.offset + 1, "a0")
    with pytest.raises(DuplicateError):
        place.receive(place.offset + 1, "a1")
