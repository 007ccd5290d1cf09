"""`make storm` on a small scale, against the chat as it is; and that it fails whenever something is wrong."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from loadtests import _comeback
from loadtests._comeback import Entry, Outcome, Plan
from tests.loadtests.faulty import Chat, stand_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.loadtests.faulty import Entry as Message

CLIENTS = 6
SENDERS = 3
SMALL = ["--clients", str(CLIENTS), "--small", "0", "--storms", "1", "--seconds", "0.3", "--rate", "20"]


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Chat:
    """What the program runs against, in place of the chat."""
    return stand_in(monkeypatch, _comeback, tmp_path / "log")


def test_everybody_comes_back_and_has_everything() -> None:
    arguments = ["--clients", "60", "--small", "4", "--storms", "2", "--seconds", "0.5", "--rate", "20"]
    done = subprocess.run(
        [sys.executable, "-m", "loadtests._comeback", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "| storm 2 | " in done.stdout
    assert "everybody has every message once" in done.stdout


def test_a_server_that_does_all_right_passes(chat: Chat, capsys: pytest.CaptureFixture[str]) -> None:
    assert _comeback.main(SMALL) == 0
    assert "FAILED" not in capsys.readouterr().out


def first_left_out(missed: list[Message]) -> list[Message]:
    return missed[1:]


def last_left_out(missed: list[Message]) -> list[Message]:
    return missed[:-1]


def first_twice(missed: list[Message]) -> list[Message]:
    return missed[:1] + missed


def backwards(missed: list[Message]) -> list[Message]:
    return missed[::-1]


def another(missed: list[Message]) -> list[Message]:
    return [{**entry, "data": {"key": "another", "text": ""}} for entry in missed]


def nothing(_: list[Message]) -> None:
    return None


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        (last_left_out, "gap in the offsets"),
        (first_left_out, "gap in the offsets"),
        (first_twice, "offset came again"),
        (backwards, "offset came again"),
        (another, "two saw different messages at an offset"),
        (nothing, "not recovered"),
    ],
)
def test_what_comes_wrong_to_those_who_come_back_fails_the_run(
    chat: Chat,
    fault: Callable[[list[Message]], list[Message] | None],
    complaint: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    chat.missed = fault

    assert _comeback.main(SMALL) == 1
    assert complaint in capsys.readouterr().out


def test_a_connection_that_fails_is_not_tried_again_and_fails_the_run(
    chat: Chat, capsys: pytest.CaptureFixture[str]
) -> None:
    chat.welcome = SENDERS + CLIENTS + CLIENTS - 1

    assert _comeback.main(SMALL) == 1
    assert "1 x connection failed: HTTP/1.1 503" in capsys.readouterr().out


def test_a_message_that_is_not_acknowledged_fails_the_run(chat: Chat, capsys: pytest.CaptureFixture[str]) -> None:
    chat.acknowledges = False

    assert _comeback.main(SMALL) == 1
    assert "message was not acknowledged" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("outcome", "complaints"),
    [
        (Outcome([Entry(29.0, [1.0], Counter(), 1)], Counter(), 5, 1), []),
        (Outcome([Entry(31.0, [1.0], Counter(), 1)], Counter(), 5, 1), ["it took 31.0 s until all were in"]),
        (Outcome([Entry(1.0, [], Counter({"late": 2}), 1)], Counter(), 5, 1), ["2 x late"]),
        (Outcome([Entry(1.0, [1.0], Counter(), 1)], Counter({"gap": 1}), 5, 1), ["1 x gap"]),
        (Outcome([Entry(1.0, [1.0], Counter(), 1)], Counter(), 0, 1), ["nothing was said"]),
    ],
)
def test_a_run_fails_if_anything_did(outcome: Outcome, complaints: list[str]) -> None:
    assert outcome.complaints(Plan().within) == complaints


@pytest.mark.parametrize(
    "wrong", [["--clients", "0"], ["--small", "7", "--clients", "30"], ["--rate", "0"], ["--storms", "0"]]
)
def test_a_plan_that_makes_no_sense_is_refused(wrong: list[str]) -> None:
    with pytest.raises(SystemExit):
        _comeback.main(wrong)
