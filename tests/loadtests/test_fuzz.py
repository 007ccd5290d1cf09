"""A short fuzz run and a short flood against the real server, and what the programs make of wrong answers."""

from __future__ import annotations

import asyncio
import random

import pytest

from loadtests import _flood, _fuzz
from loadtests._fuzz import Outcome, Plan, close_code, run, wrong
from loadtests._hostile import ALL_ENDS, Conversation, conversation
from loadtests.checker import judge

SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
HELLO = b"\x81\x05hello"


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return asyncio.run(run(Plan(frames=8_000, half_open=50, seed=7), CHAT_REQUEST_TIMEOUT_S="1"))


def test_whatever_hostile_peers_send_is_answered_as_it_should_be_and_logged_as_no_error(outcome: Outcome) -> None:
    assert outcome.complaints == []


def test_those_who_only_talk_meanwhile_miss_nothing_and_see_nothing_twice(outcome: Outcome) -> None:
    assert outcome.verdict is not None
    assert outcome.verdict.anomalies == []
    assert outcome.verdict.deliveries > 500
    assert outcome.passed


def test_there_was_something_to_withstand(outcome: Outcome) -> None:
    assert outcome.frames >= 8_000
    assert len(outcome.kinds) > 15
    assert outcome.dropped == 2 * 50
    assert len(outcome.rss_kib) == 2
    assert outcome.quiet_ms
    assert outcome.busy_ms


def test_the_same_seed_draws_the_same_conversations_and_all_kinds_come_up() -> None:
    first, again = random.Random(3), random.Random(3)  # noqa: S311  (no secrets)
    talks = [conversation(first) for _ in range(2_000)]

    assert talks == [conversation(again) for _ in range(2_000)]
    assert {talk.kind for talk in talks} == {kind.strip() for kind in ALL_ENDS} | {"broken handshake"}


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"", None),
        (HELLO, None),
        (HELLO + b"\x8a\x00" + b"\x88\x05\x03\xeabye", 1002),
        (b"\x88\x00", 1005),
        (b"\x81\x7e\x00\x80" + b"x" * 128 + b"\x88\x02\x03\xe8", 1000),
        (b"\x81\x7f" + (70_000).to_bytes(8, "big") + b"x" * 70_000 + b"\x88\x02\x03\xf1", 1009),
    ],
)
def test_the_close_code_is_found_behind_whatever_came_before(sent: bytes, code: int | None) -> None:
    assert close_code(sent) == code


@pytest.mark.parametrize("sent", [b"\x81\x85mask", b"\xc1\x00", b"\x82\x00"])
def test_what_no_server_may_send_is_found(sent: bytes) -> None:
    with pytest.raises(ValueError, match="a server must not send"):
        close_code(sent)


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (SWITCHED + HELLO + b"\x88\x02\x03\xea", ""),
        (SWITCHED + b"\x88\x02\x03\xeb", "was closed with 1003"),
        (SWITCHED, "was closed with None"),
        (b"HTTP/1.1 500 Internal Server Error\r\n\r\n", "was refused: b'HTTP/1.1 500 Internal Server Error'"),
        (b"", "was refused: b''"),
    ],
)
def test_an_answer_that_does_not_fit_is_found(answer: bytes, complaint: str) -> None:
    assert wrong(Conversation("not masked", [], 1, frozenset({1002})), answer) == complaint


@pytest.mark.parametrize(("status", "complaint"), [(403, ""), (500, "was answered with 500")])
def test_an_answer_to_a_broken_handshake_that_does_not_fit_is_found(status: int, complaint: str) -> None:
    talk = Conversation("broken handshake", [], 0, frozenset({403}), is_open=False)

    assert wrong(talk, b"HTTP/1.1 %d Whatever\r\n\r\n" % status) == complaint


def test_a_run_that_has_complaints_has_failed() -> None:
    assert not Outcome(complaints=["something"], verdict=judge([])).passed
    assert not Outcome().passed


def test_a_flood_is_refused_and_the_others_miss_nothing() -> None:
    outcome = asyncio.run(_flood.run(_flood.Plan(seconds=1.5, slices=1)))
    verdict = judge(outcome.history)

    assert verdict.anomalies == []
    assert verdict.acked > 50
    assert outcome.sent > 1_000
    assert outcome.connections >= 1
    assert outcome.ratio > 0


def test_the_programs_say_what_they_can_do(capsys: pytest.CaptureFixture[str]) -> None:
    for program in (_fuzz, _flood):
        with pytest.raises(SystemExit):
            program.main(["--help"])
        assert "--seed" in capsys.readouterr().out
