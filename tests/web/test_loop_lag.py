from __future__ import annotations

import asyncio
import time

import pytest

from web.loop_lag import LoopLag


def test_a_loop_that_is_kept_busy_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.loop_lag.INTERVAL_S", 0.01)

    async def main() -> LoopLag:
        lag = LoopLag()
        time.sleep(0.06)  # noqa: ASYNC251  (to keep it busy is the point)
        while not sum(lag.histogram.buckets):  # noqa: ASYNC110  (a turn of the loop is all it takes)
            await asyncio.sleep(0)
        lag.stop()
        counted = sum(lag.histogram.buckets)
        await asyncio.sleep(0.03)
        assert sum(lag.histogram.buckets) == counted
        return lag

    lag = asyncio.run(main())

    assert lag.histogram.sum >= 0.05
