"""A short crash run against the real server, and what the program makes of runs that went wrong."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from loadtests import _crashes
from loadtests._crashes import Plan, main, run
from loadtests._history import Acked, Entered, Saw, Sent
from loadtests._report import Slice, quantile, report_on, text

if TYPE_CHECKING:
    from loadtests._history import Event
    from loadtests._report import Report

PLANTED = "actors.chaos.PlantedCrashError: handler"


@pytest.fixture(scope="module")
def report() -> Report:
    report, _ = asyncio.run(run(Plan(seconds=4, rooms=8, clients=32, rate=80, crashes=6)))
    return report


def test_no_crash_loses_doubles_or_moves_a_message_or_disconnects_anybody(report: Report) -> None:
    assert report.anomalies == []
    assert report.unplanned == []
    assert report.passed


def test_rooms_crashed_in_every_way(report: Report) -> None:
    assert report.crashes.keys() == {"handler", "start", "on start", "commit", "fanout"}
    assert report.crashes.total() >= 4 * 6 - 4  # the last ones may come when nobody says anything any more


def test_there_was_something_to_lose(report: Report) -> None:
    assert report.acked > 2 * 4 * 80 * 0.9
    assert report.repeated > 0
    assert report.deliveries > 3 * report.acked
    assert all(len(latencies) > 0 for latencies in (*report.quiet_ms, *report.crashing_ms, report.back_ms))


# The report


def exchange(*, seen: bool = True) -> Slice:
    """Ann says one thing in the room "tea", and sees it after 5 ms, or never."""
    history: list[Event] = [Entered("ann", "tea", 0), Sent("ann", "tea", "a", 1.0), Acked("ann", "tea", "a", 1)]
    if seen:
        history.append(Saw("ann", "tea", "a", 1, 1.005))
    return Slice(crashing=True, history=history, calm=frozenset({"tea"}), probes=["a"], given_up=frozenset())


def test_the_report_measures_from_sending_to_seeing() -> None:
    report = report_on([exchange()], [PLANTED])

    assert [[round(ms) for ms in slice_ms] for slice_ms in report.crashing_ms] == [[5]]
    assert [round(ms) for ms in report.back_ms] == [5]
    assert (report.acked, report.deliveries, report.crashes) == (1, 1, Counter(handler=1))


def test_calm_rooms_are_compared_slice_by_slice() -> None:
    measured = report_on([exchange()], [PLANTED])
    report = msgspec.structs.replace(measured, quiet_ms=[[1.0], [2.0], [4.0]], crashing_ms=[[9.0], [2.0], [5.0]])

    assert report.ratios == [1.0, 1.25, 9.0]
    assert report.ratio == 9.0 / 4.0


def test_a_run_passes_only_if_something_was_tried_and_nothing_went_wrong() -> None:
    assert report_on([exchange()], [PLANTED]).passed
    assert not report_on([exchange(seen=False)], [PLANTED]).passed
    assert not report_on([exchange()], []).passed
    assert not report_on([], [PLANTED]).passed
    assert not report_on([exchange()], [PLANTED, "RuntimeError: ours"]).passed


def test_what_went_wrong_is_in_the_text() -> None:
    said = text(report_on([exchange(seen=False)], [PLANTED, "RuntimeError: ours"]))

    assert "! lost: tea: ann never saw a, acknowledged at 1" in said
    assert "! a crash that nobody asked for: RuntimeError: ours" in said


@pytest.mark.parametrize(("share", "value"), [(0.5, 2), (0.99, 4), (1, 4), (0.01, 1)])
def test_a_quantile_is_one_of_the_values(share: float, value: float) -> None:
    assert quantile([4, 1, 3, 2], share) == value


# The program


def give(monkeypatch: pytest.MonkeyPatch, *slices: Slice) -> None:
    async def done(_: Plan) -> tuple[Report, list[Slice]]:
        return report_on(slices, [PLANTED]), list(slices)

    monkeypatch.setattr(_crashes, "run", done)


def test_a_run_that_passed_ends_with_0(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, exchange())

    assert main([]) == 0


def test_a_run_that_failed_ends_with_1_and_leaves_its_history(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    give(monkeypatch, exchange(seen=False))

    assert main([]) == 1
    named = re.search(r"FAILED\. The history: (\S+)", capsys.readouterr().out)
    assert named
    assert len(Path(named[1]).read_text().splitlines()) == 3


@pytest.mark.parametrize(
    "wrong", ["--seconds 0", "--seconds 9999", "--rooms 1", "--clients 3", "--rate 0", "--crashes 999"]
)
def test_a_plan_is_bounded(wrong: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(wrong.split())

    assert ended.value.code == 2
