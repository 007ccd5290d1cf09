from __future__ import annotations

from actors.runtime.intensity import RestartHistory, RestartIntensity


def test_as_many_restarts_as_the_intensity_says_are_allowed_and_one_more_is_not() -> None:
    history = RestartHistory(RestartIntensity(max_restarts=3, period_s=5))

    allowed = [history.allow(0.0) for _ in range(4)]

    assert allowed == [True, True, True, False]


def test_restarts_older_than_the_period_do_not_count() -> None:
    history = RestartHistory(RestartIntensity(max_restarts=2, period_s=5))
    history.allow(0.0)
    history.allow(1.0)

    assert not history.allow(5.0)
    assert history.allow(5.1)
    assert not history.allow(5.2)


def test_an_intensity_of_none_allows_none() -> None:
    assert not RestartHistory(RestartIntensity(max_restarts=0)).allow(0.0)


def test_the_total_counts_what_was_allowed_and_never_forgets() -> None:
    history = RestartHistory(RestartIntensity(max_restarts=1, period_s=1))
    for now in (0.0, 0.5, 10.0, 20.0):
        history.allow(now)

    assert history.total == 3
