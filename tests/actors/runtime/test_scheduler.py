from __future__ import annotations

import asyncio

import pytest

from actors.runtime import LoopScheduler, VirtualScheduler
from actors.runtime.scheduler import SLICE

pytestmark = pytest.mark.anyio


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


@pytest.mark.parametrize("seed", [None, 1])
def test_what_is_in_bulk_lets_everything_else_go_first(seed: int | None) -> None:
    scheduler, ran = VirtualScheduler(seed), list[str]()
    scheduler.call_in_bulk(ran.append, "in bulk")
    scheduler.call_soon(lambda: scheduler.call_soon(ran.append, "soon, and called later"))

    scheduler.run()

    assert ran == ["soon, and called later", "in bulk"]


def test_what_is_in_bulk_has_its_turn_although_there_is_always_somebody_else(scheduler: VirtualScheduler) -> None:
    ran: list[str] = []

    def again() -> None:
        if not ran:
            scheduler.call_soon(again)

    scheduler.call_in_bulk(ran.append, "in bulk")
    again()
    scheduler.run(most=SLICE + 2)

    assert ran == ["in bulk"]


def test_callbacks_in_bulk_run_in_the_order_of_the_calls_unless_cancelled(scheduler: VirtualScheduler) -> None:
    ran: list[int] = []
    scheduled = [scheduler.call_in_bulk(ran.append, number) for number in range(4)]
    scheduled[3].cancel()

    scheduler.run()

    assert ran == [0, 1, 2]


# On the event loop


async def test_the_loop_has_its_turn_after_a_slice() -> None:
    loop = asyncio.get_running_loop()
    scheduler, ran = LoopScheduler(loop), list[int]()
    for number in range(SLICE + 1):
        scheduler.call_soon(ran.append, number)

    await asyncio.sleep(0)
    assert ran == list(range(SLICE))
    await asyncio.sleep(0)
    assert ran == list(range(SLICE + 1))


async def test_what_is_scheduled_meanwhile_comes_in_a_later_turn_of_the_loop() -> None:
    scheduler, ran = LoopScheduler(asyncio.get_running_loop()), list[str]()
    scheduler.call_soon(lambda: scheduler.call_soon(ran.append, "second"))
    scheduler.call_soon(ran.append, "first")

    await asyncio.sleep(0)
    assert ran == ["first"]
    await asyncio.sleep(0)
    assert ran == ["first", "second"]


async def test_what_is_in_bulk_comes_after_what_is_to_run_soon_a_slice_at_a_time() -> None:
    scheduler, ran = LoopScheduler(asyncio.get_running_loop()), list[str]()
    for _ in range(SLICE + 1):
        scheduler.call_in_bulk(ran.append, "bulk")
    scheduler.call_soon(ran.append, "soon")

    await asyncio.sleep(0)
    assert ran == ["soon"] + ["bulk"] * SLICE
    scheduler.call_soon(ran.append, "soon")
    await asyncio.sleep(0)
    assert ran[SLICE + 1 :] == ["soon", "bulk"]


async def test_what_is_in_bulk_is_not_kept_waiting_by_much_that_is_to_run_soon() -> None:
    scheduler, ran = LoopScheduler(asyncio.get_running_loop()), list[str]()
    for _ in range(2 * SLICE):
        scheduler.call_soon(ran.append, "soon")
    scheduler.call_in_bulk(ran.append, "bulk")

    await asyncio.sleep(0)

    assert ran == ["soon"] * SLICE + ["bulk"]


async def test_another_thread_can_schedule() -> None:
    scheduler, ran = LoopScheduler(asyncio.get_running_loop()), asyncio.Event()

    await asyncio.to_thread(scheduler.call_soon_threadsafe, ran.set)

    await asyncio.wait_for(ran.wait(), 10)


async def test_what_raises_takes_nobody_else_with_it() -> None:
    loop = asyncio.get_running_loop()
    scheduler, ran, errors = LoopScheduler(loop), list[str](), list[object]()
    loop.set_exception_handler(lambda _, context: errors.append(context["exception"]))
    scheduler.call_soon(ran.append, "before")
    scheduler.call_soon(int, "no number")
    scheduler.call_soon(ran.append, "after")

    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert ran == ["before", "after"]
    assert [type(error) for error in errors] == [ValueError]


async def test_time_and_timers_are_the_loops() -> None:
    scheduler, fired = LoopScheduler(asyncio.get_running_loop()), asyncio.Event()
    began = scheduler.time()
    scheduler.call_later(0.01, fired.set)

    await asyncio.wait_for(fired.wait(), 10)

    assert scheduler.time() - began >= 0.009
