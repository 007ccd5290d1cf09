from __future__ import annotations

import asyncio
import concurrent.futures
import threading

import pykka
import pytest

from actors.runtime import Future


def test_a_value_set_before_is_there_at_once() -> None:
    future: Future[int] = Future()
    future.set(7)

    assert future.get() == 7


def test_an_exception_is_raised_where_the_value_is_asked_for() -> None:
    future: Future[int] = Future()
    try:
        int("k")
    except ValueError:
        future.set_exception()

    with pytest.raises(ValueError, match="'k'"):
        future.get()


def test_a_future_without_a_value_times_out_as_pykkas_do() -> None:
    with pytest.raises(pykka.Timeout):
        Future[int]().get(timeout=0.001)


def test_a_timeout_error_that_was_set_is_not_taken_for_a_timeout() -> None:
    future: Future[int] = Future()
    future.set_exception((TimeoutError, TimeoutError("mine"), None))

    with pytest.raises(TimeoutError, match="mine"):
        future.get(timeout=1)


def test_an_exception_given_by_type_alone_is_made() -> None:
    future: Future[int] = Future()
    future.set_exception((LookupError, None, None))

    with pytest.raises(LookupError):
        future.get()


def test_a_second_value_is_refused() -> None:
    future: Future[int] = Future()
    future.set(1)

    with pytest.raises(concurrent.futures.InvalidStateError):
        future.set(2)


def test_awaiting_lets_the_loop_go_on_until_another_thread_sets_the_value() -> None:
    async def main() -> tuple[int, int]:
        future: Future[int] = Future()
        turns = 0

        async def count_turns() -> None:
            nonlocal turns
            for _ in range(10):
                await asyncio.sleep(0)
                turns += 1
            threading.Thread(target=future.set, args=(5,)).start()

        counting = asyncio.create_task(count_turns())
        value = await future
        await counting
        return value, turns

    assert asyncio.run(main()) == (5, 10)


def test_cancelling_one_who_awaits_leaves_the_future_to_the_others() -> None:
    async def main() -> int:
        future: Future[int] = Future()

        async def wait() -> int:
            return await future

        impatient = asyncio.create_task(wait())
        await asyncio.sleep(0)
        impatient.cancel()
        await asyncio.gather(impatient, return_exceptions=True)
        future.set(3)
        return await future

    assert asyncio.run(main()) == 3


def test_a_mapped_future_can_be_awaited_and_does_not_block_the_loop() -> None:
    async def main() -> str:
        future: Future[int] = Future()
        text = future.map(str)
        asyncio.get_running_loop().call_later(0.01, future.set, 9)
        return await text

    assert asyncio.run(main()) == "9"
