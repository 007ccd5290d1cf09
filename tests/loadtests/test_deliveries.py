from __future__ import annotations

from loadtests._deliveries import age_ms, stamp


def test_the_age_of_a_text_is_the_time_since_its_stamp() -> None:
    assert age_ms(stamp("hello")) < 1_000
    assert age_ms("0.0000 hello") > 1_000_000_000_000
    assert age_ms("hello") == 0
