from __future__ import annotations

import threading

import pytest

from actors.runtime.mailbox import EMPTY, Mailbox


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
def mailbox(woken: Woken) -> Mailbox:
    mailbox = Mailbox(capacity=3)
    mailbox.start(woken)
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
    mailbox.put_signal("first")
    mailbox.put_signal("second")

    assert take_all(mailbox) == ["first", "second", "message"]


def test_a_full_mailbox_refuses_messages_but_never_signals_and_notices(mailbox: Mailbox) -> None:
    taken = [mailbox.put(number) for number in range(5)]
    mailbox.put_signal("signal")
    mailbox.put_always("notice")

    assert taken == [True, True, True, False, False]
    assert take_all(mailbox) == ["signal", 0, 1, 2, "notice"]


def test_a_held_mailbox_gives_out_signals_only(mailbox: Mailbox) -> None:
    mailbox.put("message")
    mailbox.held = True
    mailbox.put_signal("signal")

    assert take_all(mailbox) == ["signal"]
    assert mailbox.empty()

    mailbox.held = False

    assert take_all(mailbox) == ["message"]


def test_it_wakes_its_actor_once_however_much_arrives(mailbox: Mailbox, woken: Woken) -> None:
    for message in "abc":
        mailbox.put(message)
    mailbox.put_signal("signal")

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
    class Racing(Mailbox):
        """Has another thread put a message just when it has been found empty."""

        raced = False

        def empty(self) -> bool:
            was_empty = super().empty()
            if not self.raced:
                self.raced = True
                other = threading.Thread(target=self.put, args=("late",))
                other.start()
                other.join()
            return was_empty

    mailbox = Racing(capacity=3)
    mailbox.start(woken)

    mailbox.turn_over()

    assert woken.times == 2
    assert mailbox.get() == "late"


def test_the_high_mark_is_the_greatest_depth_that_was_seen(mailbox: Mailbox) -> None:
    for message in "abc":
        mailbox.put(message)
    take_all(mailbox)
    mailbox.put("d")
    take_all(mailbox)

    assert mailbox.high_mark == 3


def test_draining_gives_out_everything_once_even_if_held(mailbox: Mailbox) -> None:
    mailbox.held = True
    mailbox.put("message")
    mailbox.put_signal("signal")

    assert mailbox.drain() == ["signal", "message"]
    assert mailbox.drain() == []
    assert len(mailbox) == 0
