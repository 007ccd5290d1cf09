from __future__ import annotations

from chat.counts import Histogram


def test_a_value_falls_into_the_first_bucket_that_holds_it() -> None:
    histogram = Histogram((1, 5))

    for value in (0, 1, 1.5, 5, 6, 7):
        histogram.observe(value)

    assert histogram.buckets == [2, 2, 2]
    assert histogram.sum == 20.5
