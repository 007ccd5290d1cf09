"""The recovery window: what it has is what the log has, and it knows from where on."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from actors.window import Window
from chat.log import Author, Entry
from chat.wire import Published

SIZE = 4


def item(offset: int) -> Published:
    return Published(Entry(offset, "", Author("ann", "1", "Ann"), 0, b"{}"))


def offsets(window: Window, after: int) -> list[int]:
    return [item.entry.offset for item in window.after(after)]


@pytest.fixture
def window() -> Window:
    """Return the window of a room that stands at 10, of which nothing was read."""
    window = Window(SIZE)
    window.begin(10)
    return window


def test_at_first_it_has_nothing_and_knows_so(window: Window) -> None:
    assert (window.has(9), window.has(10), offsets(window, 0)) == (False, True, [])


def test_what_comes_is_there_and_the_oldest_go(window: Window) -> None:
    window.extend([item(11), item(12)])
    assert (window.has(10), offsets(window, 10), offsets(window, 11)) == (True, [11, 12], [12])

    window.extend([item(13), item(14), item(15)])
    assert (window.has(10), window.has(11), offsets(window, 0)) == (False, True, [12, 13, 14, 15])


def test_what_was_read_of_a_long_room_is_as_much_as_fits(window: Window) -> None:
    window.fill([item(offset) for offset in (7, 8, 9, 10)], is_all=False)

    assert (window.has(5), window.has(6), offsets(window, 8)) == (False, True, [9, 10])


def test_of_a_room_that_was_read_as_a_whole_nothing_is_missing(window: Window) -> None:
    window.fill([item(9), item(10)], is_all=True)

    assert (window.has(0), offsets(window, 0)) == (True, [9, 10])


def test_what_is_removed_does_not_come_back_with_what_was_read_before(window: Window) -> None:
    window.drop(9)
    window.fill([item(offset) for offset in (7, 8, 9, 10)], is_all=False)

    assert offsets(window, 0) == [10]


class Room(RuleBasedStateMachine):
    """A room whose log is a list, and its window."""

    def __init__(self) -> None:
        super().__init__()
        self.head = 5
        self.log = list(range(2, 6))  # the first was forgotten
        self.window = Window(SIZE)
        self.window.begin(self.head)

    @rule(number=st.integers(1, 6))
    def say(self, number: int) -> None:
        """Have some entries come."""
        new = range(self.head + 1, self.head + number + 1)
        self.head += number
        self.log += new
        self.window.extend([item(offset) for offset in new])

    @precondition(lambda self: self.log)
    @rule()
    def read(self) -> None:
        """Have somebody need the window."""
        newest = self.log[-SIZE:]
        self.window.fill([item(offset) for offset in newest], is_all=len(newest) < SIZE)

    @rule(back=st.integers(0, 7))
    def remove(self, back: int) -> None:
        """Remove what is old."""
        last = max(self.head - back, 0)
        self.log = [offset for offset in self.log if offset > last]
        self.window.drop(last)

    @invariant()
    def has_what_it_says(self) -> None:
        """What follows an offset is all that the log has, or it says that it is not."""
        for offset in range(self.head + 1):
            kept, found = [one for one in self.log if one > offset], offsets(self.window, offset)
            assert found == (kept if self.window.has(offset) else kept[len(kept) - len(found) :])
        assert len(offsets(self.window, 0)) <= SIZE


TestRoom = Room.TestCase
TestRoom.settings = settings(deadline=None)
