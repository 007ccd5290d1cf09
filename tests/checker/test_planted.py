"""The checker must be able to fail: it finds each of many bugs in the server, and nothing where there is none.

`python -m tests.checker.test_planted` prints which bug is found as what.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from loadtests.checker import check, judge
from tests.checker.planted import BUGS
from tests.checker.scenario import run

if TYPE_CHECKING:
    from tests.checker.bug import Bug

TRIES = 10
"""How many days may pass until a bug shows."""


def found(bug: Bug, folder: Path) -> tuple[int, set[str]]:
    """Plant a bug, and return on which day it was found, and as what: as something else if as nothing expected."""
    names: set[str] = set()
    for seed in range(TRIES):
        with pytest.MonkeyPatch.context() as patch:
            bug.plant(patch)
            names = {anomaly.name for anomaly in check(run(seed, folder / f"{seed}.db"))}
        if names & bug.found_as:
            return seed, names
    return TRIES, names


@pytest.mark.parametrize("seed", range(10))
def test_the_server_itself_has_no_anomaly(seed: int, tmp_path: Path) -> None:
    verdict = judge(run(seed, tmp_path / "chat.db"))

    assert verdict.anomalies == []
    assert verdict.acked > 80
    assert verdict.compared > 20


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found(name: str, tmp_path: Path) -> None:
    seed, names = found(BUGS[name], tmp_path)

    assert seed < TRIES, f"found as {names or 'nothing'}, expected {set(BUGS[name].found_as)}"


def main() -> None:
    """Print the table."""
    for name, bug in BUGS.items():
        with tempfile.TemporaryDirectory() as folder:
            seed, names = found(bug, Path(folder))
        day = f"seed {seed}" if seed < TRIES else "NOT FOUND"
        print(f"{name:50} {day:10} {', '.join(sorted(names))}", flush=True)  # noqa: T201  (a program's output)


if __name__ == "__main__":
    main()
