from __future__ import annotations

import time

from loadtests._deliveries import sent_at, stamp


def test_a_text_was_sent_when_it_was_stamped_or_else_now() -> None:
    before = time.time()

    assert before - 0.001 < sent_at(stamp("hello")) <= time.time()
    assert sent_at("1.5 hello") == 1.5
    assert before <= sent_at("hello") <= time.time()
    assert before <= sent_at(f"{before + 1_000} hello") <= time.time()
