"""Short fault runs against the real server, and what the program makes of runs that went wrong."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest

from loadtests import _faults
from loadtests._faults import main, run
from loadtests._history import Acked, Ended, Entered, Failed, GaveUp, Saw, Sent, Viewed
from loadtests._outcome import BACK_S, READY_S, STOP_S, Fault, Outcome, Plan, complaints, text, too_slow
from loadtests.checker import judge

if TYPE_CHECKING:
    from loadtests._history import Event
    from loadtests.checker import Verdict

TIMES: dict[Fault, int] = {"kill": 3, "stop": 2, "disk": 2}


@pytest.fixture(scope="module", params=get_args(Fault))
def done(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, Verdict]:
    plan = Plan(request.param, TIMES[request.param], seed=7, rate=100, clients=8, rooms=2)
    return run(plan, tmp_path_factory.mktemp(request.param))


def test_no_fault_loses_doubles_or_moves_a_message(done: tuple[Outcome, Verdict]) -> None:
    outcome, verdict = done

    assert verdict.anomalies == []
    assert outcome.complaints == []
    assert outcome.done == outcome.plan.times


def test_there_was_something_to_lose(done: tuple[Outcome, Verdict]) -> None:
    outcome, verdict = done
    sent = Counter(event.key for event in outcome.history if isinstance(event, Sent))

    assert verdict.acked > 100
    assert verdict.deliveries >= 8 * verdict.acked
    assert verdict.compared > 2 * 8
    assert sent.total() > len(sent)


# What is wrong beside the anomalies


def outcome_of(fault: Fault, *history: Event, done: int = 1) -> Outcome:
    return Outcome(Plan(fault, done), list(history), done)


def ended(*codes: str) -> list[Event]:
    return [Ended("ann", "", f"{code} why", planned=True) for code in codes]


def test_a_server_may_be_killed_and_stopped() -> None:
    killed, stopped = outcome_of("kill", *ended("1006")), outcome_of("stop", *ended("3001"))
    killed.exits[-9] = 1
    stopped.exits[-15] = stopped.exits[0] = 1

    assert list(complaints(killed)) == list(complaints(stopped)) == []


@pytest.mark.parametrize(("fault", "code"), [("kill", 1), ("stop", 1), ("stop", -9)])
def test_a_server_that_ends_in_another_way_is_told(fault: Fault, code: int) -> None:
    outcome = outcome_of(fault, *ended("3001"))
    outcome.exits[code] = 1

    assert list(complaints(outcome)) == [f"servers ended with [{code}]"]


def test_a_stop_that_does_not_tell_clients_to_come_back_is_told() -> None:
    (complaint,) = complaints(outcome_of("stop", *ended("3001", "1006")))

    assert complaint == "connections were closed with {'3001': 1, '1006': 1}"


def test_a_fault_that_nobody_noticed_is_told() -> None:
    (complaint,) = complaints(outcome_of("kill"))

    assert complaint == "only 0 connections ended in 1 faults"


def test_a_message_that_is_shown_though_it_could_not_be_stored_is_told() -> None:
    said: list[Event] = [Sent("ann", "tea", "a"), Failed("ann", "tea", "a", 100, temporary=True)]
    shown = Saw("bob", "tea", "a", 1)

    assert list(complaints(outcome_of("disk", *said, Sent("ann", "tea", "a"), shown))) == []
    assert list(complaints(outcome_of("disk", *said, shown))) == [
        "a was shown while its sender was told that it is not stored"
    ]


def test_what_takes_longer_than_it_may_is_told() -> None:
    outcome = outcome_of("stop")
    outcome.ready_s, outcome.back_s, outcome.stop_s = [READY_S], [BACK_S], [STOP_S]
    assert list(too_slow(outcome)) == []

    outcome.ready_s, outcome.back_s, outcome.stop_s = [READY_S + 1], [BACK_S + 1], [STOP_S + 1]
    assert [told.rpartition(", ")[2] for told in too_slow(outcome)] == [
        "longer than 2 s",
        "longer than 5 s",
        "longer than 5 s",
    ]


# The program


def exchange(*, answered: bool = True) -> list[Event]:
    last = Acked("ann", "tea", "a", 1) if answered else GaveUp("bob", "tea", "b")
    return [Entered("ann", "tea", 0), Sent("ann", "tea", "a"), last, Saw("ann", "tea", "a", 1)]


def give(monkeypatch: pytest.MonkeyPatch, **outcomes: Outcome) -> None:
    def done(plan: Plan, _: Path) -> tuple[Outcome, Verdict]:
        return outcomes[plan.fault], judge(outcomes[plan.fault].history)

    monkeypatch.setattr(_faults, "run", done)


def test_runs_that_passed_end_with_0_and_leave_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    give(monkeypatch, **{fault: outcome_of(fault, *exchange()) for fault in get_args(Fault)})

    assert main([]) == 0
    assert list(tmp_path.iterdir()) == []
    said = capsys.readouterr().out
    assert [line.partition(":")[0] for line in said.splitlines() if "seed 1" in line] == ["kill", "stop", "disk"]


@pytest.mark.parametrize("wrong", ["anomaly", "complaint", "slow"])
def test_a_run_that_failed_ends_with_1_and_leaves_its_history(
    wrong: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    outcome = outcome_of("kill", *exchange(answered=wrong != "anomaly"))
    outcome.complaints += ["a server fell over"] if wrong == "complaint" else []
    outcome.too_slow += ["a server took its time"] if wrong == "slow" else []
    give(monkeypatch, kill=outcome)

    assert main(["kill", "--seed", "5"]) == 1
    named = re.search(r"FAILED\. The history: (\S+),", capsys.readouterr().out)
    assert named
    assert len(Path(named[1]).read_text().splitlines()) == 4


def test_what_went_wrong_is_in_the_text() -> None:
    outcome = outcome_of("disk", *exchange(), Sent("ann", "tea", "c"), Failed("ann", "tea", "c", 100, temporary=True))
    outcome.complaints += ["something else"]
    said = "\n".join(
        text(outcome, judge([*outcome.history, Viewed("ann", "tea", 1, "x"), Viewed("bob", "tea", 1, "y")]))
    )

    assert "1 errors (100: 1)" in said
    assert "! unanswered: tea: c was neither acknowledged nor refused" in said
    assert "! wrong state: tea: " in said
    assert "! something else" in said


@pytest.mark.parametrize("wrong", ["--kills 0", "--stops 1001", "--faults 0", "flood"])
def test_a_plan_is_bounded(wrong: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(wrong.split())

    assert ended.value.code == 2
