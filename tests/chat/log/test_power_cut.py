"""What was acknowledged survives a power cut: tried on what a cut may leave, and seen in the order of system calls.

The first shows that nothing is lost of what was synced; the second that it was synced before it was acknowledged.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chat.log import power_cut

APPENDS = 20

WRITER = """
import os, sys
from pathlib import Path
from chat.log import Author, Database, Draft, SqliteLog

database = Database.open(Path(sys.argv[1]))
if sys.argv[2] != "full":
    connect = database.connect
    def hasty():
        connection = connect()
        connection.execute(f"pragma synchronous = {sys.argv[2]}")
        return connection
    database.connect = hasty
log = SqliteLog(database)
for number in range(int(sys.argv[3])):
    log.append([Draft(f"room {number % 3}", f"k{number}", Author("u", "c", "n"), 1, b'"hello"')])
    os.write(1, b"stored %d\\n" % number)
log.close()
"""


def test_a_power_cut_takes_nothing_that_was_acknowledged() -> None:
    power_cut.cut_run(60, seed=7)


def test_the_trial_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    remains = power_cut._remains  # noqa: SLF001

    def too_little(*given: object) -> object:
        database, wal, expected = remains(*given)  # type: ignore[arg-type]
        return database, wal[: len(wal) // 2], expected

    monkeypatch.setattr(power_cut, "_remains", too_little)

    with pytest.raises(AssertionError, match="something was lost"):
        power_cut.cut_run(60, seed=7)


def unsynced(trace: str) -> list[int]:
    """Return the acknowledgements in a trace before which the write-ahead log was not written or not synced."""
    found: list[int] = []
    written = synced = False
    for line in trace.splitlines():
        if re.search(r"\b(write|pwrite64|pwritev|writev)\(\d+<[^>]*chat\.db-wal>", line):
            written, synced = True, False
        elif re.search(r"\bf(data)?sync\(\d+<[^>]*chat\.db-wal>\)\s+= 0", line):
            synced = True
        elif acknowledged := re.search(r"\bwrite\(1<[^>]*>, \"stored (\d+)\\n\"", line):
            if not (written and synced):
                found.append(int(acknowledged[1]))
            written = False
    return found


@pytest.fixture
def strace() -> str:
    """Return the command that shows a program's system calls."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed (Debian: apt-get install strace), so the order of syncs was not looked at")
    if subprocess.run([strace, "-f", "true"], check=False, capture_output=True).returncode:
        pytest.skip("strace is not allowed to trace here, so the order of syncs was not looked at")
    return strace


def traced(strace: str, folder: Path, synchronous: str) -> str:
    trace = folder / "trace"
    calls = "trace=write,pwrite64,pwritev,writev,fsync,fdatasync"
    command = [sys.executable, "-c", WRITER, str(folder / "chat.db"), synchronous, str(APPENDS)]
    subprocess.run([strace, "-f", "-y", "-e", calls, "-o", trace, *command], check=True, stdout=subprocess.PIPE)
    text = trace.read_text()
    assert text.count('"stored ') == APPENDS
    return text


def test_an_acknowledgement_comes_after_the_sync(strace: str, tmp_path: Path) -> None:
    assert unsynced(traced(strace, tmp_path, "full")) == []


def test_the_look_at_the_syncs_can_fail(strace: str, tmp_path: Path) -> None:
    assert unsynced(traced(strace, tmp_path, "normal")) == list(range(APPENDS))
