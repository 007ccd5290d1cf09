"""An hour of chat between five browsers over a bad network: `make hour`. In the end all pages show what the server has.

A real server with a database, a proxy that cuts, stalls and refuses connections, and a Chromium page for each of five
people, who send, edit, delete, answer, react, scroll and change rooms by what the page offers for it. Meanwhile rooms
crash, the server is killed and comes back, pages are reloaded, browsers go offline. Who does what is drawn from a seed;
what it meets depends on timing, so that a seed repeats the script and not the run.

The exit code is 1 if, once all are connected and nothing is under way, a page differs from the projection (rpc
`messages`), or that from the database; if a message is there twice, or is not where a page had shown it as sent; if a
number of unread messages is another than the server's; or if a page had an error, a dialog or a report of its policy.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from tests.e2e.conftest import chromium
from tests.e2e.hour.report import tell
from tests.e2e.hour.script import run

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_SHOWN = 20
"""Differences that are printed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line says, and print what came of it."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.e2e.hour", description="Five browsers chat over a bad network."
    )
    parser.add_argument("--seconds", type=float, default=3600, help="how long they chat, 10 to 14400 (default: 3600)")
    parser.add_argument("--seed", type=int, default=1, help="who does what is drawn from it (default: 1)")
    given = parser.parse_args(arguments)
    if not 10 <= given.seconds <= 14_400:
        parser.error("between 10 and 14400 seconds")
    with chromium() as browser:
        report = run(given.seconds, given.seed, browser)
    for name in ("actions", "not_done", "faults"):
        tell(f"{name.replace('_', ' ')}: {dict(getattr(report, name))}")
    tell("\n".join(report.differences[:MOST_SHOWN]))
    tell(json.dumps({
        "seed": report.seed, "seconds": given.seconds, "actions": report.actions.total(),
        "not_done": report.not_done.total(), "faults": report.faults.total(), "connections": report.reconnects,
        "messages": report.messages, "compared": report.compared, "heap_mib": round(report.heap_mib, 1),
        "differences": len(report.differences),
    }))  # fmt: skip
    return 1 if report.differences else 0


if __name__ == "__main__":
    sys.exit(main())
