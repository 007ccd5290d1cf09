from __future__ import annotations

import threading
from collections import deque
from typing import Any

import pytest

from actors.runtime import Coalescing, Droppable, Notice, Signal
from actors.runtime.mailbox import EMPTY, Mailbox
from actors.runtime.report import Counts


class Named(Signal, frozen=True):
    name: str


class Left(Notice, frozen=True):
    who: str


class Typing(Droppable, frozen=True):
    who: str


class Size(Coalescing, frozen=True):
    room: str
    size: int

    def coalesce_key(self) -> str:
        return self.room


class Woken:
    """Counts wake-ups."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


@pytest.fixture
def woken() -> Woken:
    return Woken()


@pytest.fixture
def woken_in_bulk() -> Woken:
    return Woken()


@pytest.fixture
def counts() -> Counts:
    return Counts()


@pytest.fixture
def mailbox(woken: Woken, woken_in_bulk: Woken, counts: Counts) -> Mailbox:
    mailbox = Mailbox(3, counts)
    mailbox.start(woken, woken_in_bulk)
    mailbox.turn_over()
    woken.times = 0
    return mailbox


def take_all(mailbox: Mailbox) -> list[object]:
    taken = []
    while (item := mailbox.get()) is not EMPTY:
        taken.append(item)
    return taken


def test_messages_come_out_in_the_order_they_went_in(mailbox: Mailbox) -> None:
    for message in "abc":
        mailbox.put(message)

    assert take_all(mailbox) == ["a", "b", "c"]


def test_signals_overtake_messages_and_keep_their_own_order(mailbox: Mailbox) -> None:
    mailbox.put("message")
    mailbox.put_ruled(Named("first"))
    mailbox.put_ruled(Named("second"))

    assert take_all(mailbox) == [Named("first"), Named("second"), "message"]


def test_a_full_mailbox_refuses_messages_but_never_signals_and_notices(mailbox: Mailbox) -> None:
    taken = [mailbox.put(number) for number in range(5)]
    mailbox.put_ruled(Named("signal"))
    mailbox.put_always("notice")

    assert taken == [True, True, True, False, False]
    assert take_all(mailbox) == [Named("signal"), 0, 1, 2, "notice"]


def test_notices_come_in_their_turn_and_are_never_refused(mailbox: Mailbox) -> None:
    for number in range(3):
        mailbox.put(number)
    taken = mailbox.put_ruled(Left("ann"))

    assert taken
    assert take_all(mailbox) == [0, 1, 2, Left("ann")]


def test_notices_take_nobodys_place(mailbox: Mailbox) -> None:
    for number in range(5):
        mailbox.put_ruled(Left(str(number)))
        mailbox.put_always(number)
    taken = [mailbox.put(message) for message in "abcd"]

    assert taken == [True, True, True, False]


def test_the_bound_is_as_it_was_when_notices_have_been_taken(mailbox: Mailbox) -> None:
    for number in range(5):
        mailbox.put_ruled(Left(str(number)))
    take_all(mailbox)
    mailbox.put_ruled(Left("one more"))
    mailbox.drain()

    taken = [mailbox.put(message) for message in "abcd"]

    assert taken == [True, True, True, False]


def test_a_held_mailbox_gives_out_signals_only(mailbox: Mailbox) -> None:
    mailbox.put("message")
    mailbox.held = True
    mailbox.put_ruled(Named("signal"))

    assert take_all(mailbox) == [Named("signal")]
    assert mailbox.empty()

    mailbox.held = False

    assert take_all(mailbox) == ["message"]


def test_it_wakes_its_actor_once_however_much_arrives(mailbox: Mailbox, woken: Woken) -> None:
    for message in "abc":
        mailbox.put(message)
    mailbox.put_ruled(Named("signal"))

    assert woken.times == 1


def test_a_turn_that_leaves_messages_behind_is_followed_by_another(mailbox: Mailbox, woken: Woken) -> None:
    mailbox.put("a")
    mailbox.put("b")
    mailbox.get()

    mailbox.turn_over()

    assert woken.times == 2


def test_after_a_turn_that_left_nothing_the_next_message_wakes_again(mailbox: Mailbox, woken: Woken) -> None:
    mailbox.put("a")
    mailbox.get()
    mailbox.turn_over()

    mailbox.put("b")

    assert woken.times == 2


def test_a_message_that_arrives_while_a_turn_ends_is_not_left_lying(woken: Woken) -> None:
    mailbox = Mailbox(3, Counts())

    class Racing(deque[Any]):
        """Has another thread put a message just when it has been found empty."""

        raced = False

        def __bool__(self) -> bool:
            was_filled = len(self) > 0
            if not self.raced:
                self.raced = True
                other = threading.Thread(target=mailbox.put, args=("late",))
                other.start()
                other.join()
            return was_filled

    mailbox.messages = Racing()
    mailbox.start(woken, woken)

    mailbox.turn_over()

    assert woken.times == 2
    assert mailbox.get() == "late"


def test_what_comes_in_bulk_wakes_in_bulk_and_once(mailbox: Mailbox, woken: Woken, woken_in_bulk: Woken) -> None:
    mailbox.put_in_bulk("a")
    mailbox.put_in_bulk("b")

    assert (woken.times, woken_in_bulk.times) == (0, 1)
    assert take_all(mailbox) == ["a", "b"]


@pytest.mark.parametrize("urgent", ["a message", Named("a signal")])
def test_something_urgent_brings_the_turn_forward(
    mailbox: Mailbox, woken: Woken, woken_in_bulk: Woken, urgent: object
) -> None:
    mailbox.put_in_bulk("in bulk")
    if isinstance(urgent, Signal):
        mailbox.put_ruled(urgent)
    else:
        mailbox.put(urgent)
    mailbox.put_in_bulk("in bulk, too")

    assert (woken.times, woken_in_bulk.times) == (1, 1)


def test_a_full_mailbox_refuses_what_comes_in_bulk(mailbox: Mailbox) -> None:
    assert [mailbox.put_in_bulk(number) for number in range(4)] == [True, True, True, False]


def test_the_high_mark_is_the_greatest_depth_at_the_begin_of_a_turn(mailbox: Mailbox) -> None:
    for message in "abc":
        mailbox.put(message)
    mailbox.turn_begins()
    take_all(mailbox)
    mailbox.put("d")
    mailbox.turn_begins()
    take_all(mailbox)

    assert mailbox.high_mark == 3


def test_draining_gives_out_everything_once_even_if_held(mailbox: Mailbox) -> None:
    mailbox.held = True
    mailbox.put("message")
    mailbox.put_ruled(Named("signal"))

    assert mailbox.drain() == [Named("signal"), "message"]
    assert mailbox.drain() == []
    assert len(mailbox) == 0


# Messages with rules of their own


def test_the_oldest_droppable_makes_room_for_whatever_comes(mailbox: Mailbox, counts: Counts) -> None:
    for message in (Typing("ann"), Typing("bob")):
        mailbox.put_ruled(message)
    mailbox.put("a")

    assert mailbox.put("b")
    assert mailbox.put_ruled(Typing("eve"))
    assert take_all(mailbox) == ["a", "b", Typing("eve")]
    assert counts.dropped == 2


def test_a_droppable_that_finds_no_room_is_dropped_and_nobody_is_refused(mailbox: Mailbox, counts: Counts) -> None:
    for message in "abc":
        mailbox.put(message)

    assert mailbox.put_ruled(Typing("ann"))
    assert take_all(mailbox) == ["a", "b", "c"]
    assert counts.dropped == 1


def test_a_droppable_that_was_taken_makes_no_room_any_more(mailbox: Mailbox) -> None:
    mailbox.put_ruled(Typing("ann"))
    take_all(mailbox)
    for message in "abc":
        mailbox.put(message)

    assert not mailbox.put("d")


def test_a_newer_one_takes_the_place_of_the_waiting_one_of_its_kind(mailbox: Mailbox, counts: Counts) -> None:
    mailbox.put_ruled(Size("lobby", 1))
    mailbox.put("a")
    mailbox.put_ruled(Size("garden", 7))
    mailbox.put_ruled(Size("lobby", 2))

    assert take_all(mailbox) == [Size("lobby", 2), "a", Size("garden", 7)]
    assert counts.coalesced == 1


def test_one_whose_like_was_taken_waits_anew(mailbox: Mailbox, counts: Counts) -> None:
    mailbox.put_ruled(Size("lobby", 1))
    take_all(mailbox)
    mailbox.put_ruled(Size("lobby", 2))

    assert take_all(mailbox) == [Size("lobby", 2)]
    assert counts.coalesced == 0


def test_the_first_of_its_kind_is_refused_by_a_full_mailbox_as_any_other(mailbox: Mailbox) -> None:
    for message in "abc":
        mailbox.put(message)

    assert not mailbox.put_ruled(Size("lobby", 1))
    take_all(mailbox)
    assert mailbox.put_ruled(Size("lobby", 2))
    assert take_all(mailbox) == [Size("lobby", 2)]


def test_what_is_drained_is_what_was_put(mailbox: Mailbox) -> None:
    mailbox.put_ruled(Size("lobby", 1))
    mailbox.put_ruled(Typing("ann"))

    assert mailbox.drain() == [Size("lobby", 1), Typing("ann")]
