"""`make stalled` on a small scale, against the chat as it is; and that it fails whenever something is wrong."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from loadtests import _stalled
from loadtests._sockets import cut_off, unsent
from loadtests._stalled import Look, Outcome, Round, cost, departures
from tests.loadtests.faulty import Chat, stand_in

if TYPE_CHECKING:
    from pathlib import Path


SMALL = ["--members", "8", "--stalled", "3", "--rate", "50", "--rounds", "1", "--seconds", "0.5"]
FINE = Round((2.0, 10.0), (2.2, 20.0), (100.0, 50.0), [2.0, 3.0], 0, 1.0)


def test_those_who_stall_are_gone_and_have_everything_once_they_are_back() -> None:
    arguments = [*SMALL, "--rounds", "2", "--backlog", "100000"]
    done = subprocess.run(
        [sys.executable, "-m", "loadtests._stalled", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "| 2 | " in done.stdout
    assert "everybody has every message once" in done.stdout


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Chat:
    """What the program runs against, in place of the chat. It cuts off nobody, ever."""
    chat = stand_in(monkeypatch, _stalled, tmp_path / "log")
    monkeypatch.setattr(_stalled, "GONE_WITHIN_S", 0.05)
    monkeypatch.setattr(_stalled, "IN_THE_KERNEL_BYTES", 1)
    return chat


def test_a_connection_that_is_never_cut_off_fails_the_run(chat: Chat, capsys: pytest.CaptureFixture[str]) -> None:
    assert _stalled.main([*SMALL, "--backlog", "1"]) == 1
    assert "3 connections were not gone" in capsys.readouterr().out


def test_what_those_who_come_back_do_not_get_fails_the_run(chat: Chat, capsys: pytest.CaptureFixture[str]) -> None:
    chat.missed = lambda missed: missed[1:]

    assert _stalled.main([*SMALL, "--backlog", "1"]) == 1
    assert "3 x gap in the offsets" in capsys.readouterr().out


def test_a_connection_that_fails_fails_the_run(chat: Chat, capsys: pytest.CaptureFixture[str]) -> None:
    chat.welcome = 9 + 2  # all at first, the sender with them, and two of those who come back

    assert _stalled.main([*SMALL, "--backlog", "1"]) == 1
    assert "1 x connection failed: HTTP/1.1 503" in capsys.readouterr().out


def test_a_message_that_is_not_acknowledged_fails_the_run(chat: Chat, capsys: pytest.CaptureFixture[str]) -> None:
    chat.acknowledges = False

    assert _stalled.main([*SMALL, "--backlog", "1"]) == 1
    assert "message was not acknowledged" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("outcome", "complaints"),
    [
        (Outcome([FINE], Counter(), 9), []),
        (Outcome([FINE], Counter({"gap": 2}), 9), ["2 x gap"]),
        (Outcome([FINE], Counter(), 0), ["nothing was said"]),
        (Outcome([FINE._replace(left=1)], Counter(), 9), ["round 1: 1 connections were not gone after 5 s"]),
        (
            Outcome([FINE, FINE._replace(gone=[2.0, 5.1])], Counter(), 9),
            ["round 2: 1 connections were not gone after 5 s"],
        ),
    ],
)
def test_a_run_fails_if_anything_did(outcome: Outcome, complaints: list[str]) -> None:
    assert outcome.complaints() == complaints


def test_the_middle_of_the_ratios_and_the_highest_cost_count() -> None:
    rounds = [FINE._replace(stalled=(p50, 10.0), kib=(p50, 1.0)) for p50 in (2.0, 80.0, 3.0)]

    outcome = Outcome(rounds, Counter(), 9)

    assert outcome.ratio(0) == 1.5
    assert outcome.ratio(1) == 1.0
    assert outcome.kib() == 81.0


def test_a_cost_is_that_of_the_moment_at_which_it_was_highest() -> None:
    looks = [Look(1.0, 100, {1: 2048, 2: 0, 9: 8192}), Look(2.0, 140, {1: 4096, 2: 2048}), Look(3.0, 90, {})]

    assert cost(100, looks, [1, 2]) == (20.0, 3.0)


def test_who_is_cut_off_is_gone_when_first_looked_for_in_vain() -> None:
    looks = [Look(1.0, 0, {1: 0, 2: 0, 3: 0}), Look(2.0, 0, {2: 0, 3: 0}), Look(3.0, 0, {3: 0})]

    gone, left = departures(looks, {1: 0.5, 2: 1.5, 3: 1.5})

    assert gone == [1.5, 1.5]
    assert left == 1


def test_a_connection_is_known_to_the_kernel_in_any_state_but_listening() -> None:
    head = b"  sl  local_address rem_address   st tx_queue rx_queue\n"
    listening = b"   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000\n"
    sending = b"   1: 0100007F:1F90 0100007F:C001 01 00000010:00000003 00:00000000\n"
    closing = b"   2: 0100007F:1F90 0100007F:C002 04 00000020:00000000 00:00000000\n"
    its_peer = b"   3: 0100007F:C001 0100007F:1F90 01 00000007:00000000 00:00000000\n"
    in_ipv6 = (
        b"   0: 0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000100007F:C003 01 00000001:00000000 00\n"
    )

    known = unsent(8080, [head + listening + sending + closing + its_peer, head + in_ipv6])

    assert known == {0xC001: 16, 0xC002: 32, 0xC003: 1}


def test_the_log_says_when_who_was_cut_off() -> None:
    lines = [
        b'{"client":"a","code":3008,"event":"client.closed","timestamp":"1970-01-01T00:00:02.500000Z"}',
        b'{"client":"b","code":3001,"event":"client.closed","timestamp":"1970-01-01T00:00:02Z"}',
        b'{"client":"c","event":"client.disconnected","timestamp":"1970-01-01T00:00:02Z"}',
        b"no JSON",
    ]

    assert cut_off(lines) == {"a": 2.5}


@pytest.mark.parametrize("wrong", [["--stalled", "1000"], ["--chars", "5"], ["--rounds", "0"]])
def test_a_plan_that_makes_no_sense_is_refused(wrong: list[str]) -> None:
    with pytest.raises(SystemExit):
        _stalled.main(wrong)
