"""What Linux knows of TCP connections, and what is in a log of when they should have gone. What `ss` prints."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TABLES: Final = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
LISTENING: Final = b"0A"
SLOW: Final = 3008


class Closed(msgspec.Struct):
    """A log line; that a client was closed if `event` is "client.closed"."""

    event: str = ""
    client: str = ""
    code: int = 0
    timestamp: str = ""


_decode = msgspec.json.Decoder(Closed).decode


def unsent(port: int, tables: Iterable[bytes] | None = None) -> dict[int, int]:
    """Return how many bytes the kernel holds for each connection that a port was connected to, by the peer's port.

    A connection is among them for as long as the kernel knows it, in whatever state.
    """
    texts = [table.read_bytes() for table in TABLES if table.exists()] if tables is None else tables
    row = re.compile(rb"\d+: [0-9A-F]+:%04X [0-9A-F]+:([0-9A-F]{4}) ([0-9A-F]{2}) ([0-9A-F]{8}):" % port)
    rows = (match.groups() for text in texts for match in row.finditer(text))
    return {int(peer, 16): int(queue, 16) for peer, state, queue in rows if state != LISTENING}


def cut_off(log: Iterable[bytes]) -> Mapping[str, float]:
    """Return when (Unix time) clients were closed for reading too slowly, by the server's names for them."""
    lines = (_decode(line) for line in log if b'"client.closed"' in line)
    return {
        line.client: dt.datetime.fromisoformat(line.timestamp).timestamp()
        for line in lines
        if line.event == "client.closed" and line.code == SLOW
    }
