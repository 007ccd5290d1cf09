from __future__ import annotations

import pytest

from actors.runtime import VirtualScheduler


@pytest.fixture
def scheduler() -> VirtualScheduler:
    return VirtualScheduler()


def test_callbacks_run_in_the_order_of_the_calls(scheduler: VirtualScheduler) -> None:
    ran: list[int] = []
    for number in range(3):
        scheduler.call_soon(ran.append, number)

    scheduler.run()

    assert ran == [0, 1, 2]


def test_a_cancelled_callback_does_not_run(scheduler: VirtualScheduler) -> None:
    ran: list[str] = []
    scheduler.call_soon(ran.append, "no").cancel()
    scheduler.call_later(1, ran.append, "no").cancel()

    scheduler.advance(2)

    assert ran == []


def test_time_stands_still_until_it_is_advanced(scheduler: VirtualScheduler) -> None:
    ran: list[float] = []
    scheduler.call_later(5, lambda: ran.append(scheduler.time()))

    scheduler.run()
    before = list(ran)
    scheduler.advance(10)

    assert before == []
    assert ran == [5.0]
    assert scheduler.time() == 10.0


def test_timers_run_by_due_time_and_equal_ones_in_the_order_of_the_calls(scheduler: VirtualScheduler) -> None:
    ran: list[str] = []
    scheduler.call_later(2, ran.append, "late")
    scheduler.call_later(1, ran.append, "early")
    scheduler.call_later(1, ran.append, "early too")

    scheduler.advance(3)

    assert ran == ["early", "early too", "late"]


def test_a_timer_that_starts_another_is_followed_by_it_within_the_same_advance(scheduler: VirtualScheduler) -> None:
    ran: list[float] = []
    scheduler.call_later(1, lambda: scheduler.call_later(1, lambda: ran.append(scheduler.time())))

    scheduler.advance(5)

    assert ran == [2.0]


def test_callbacks_that_keep_each_other_busy_are_stopped(scheduler: VirtualScheduler) -> None:
    def again() -> None:
        scheduler.call_soon(again)

    again()

    with pytest.raises(RuntimeError, match="still busy after 100 callbacks"):
        scheduler.run(most=100)
