"""Rows in and out: many at a time, and what they are made into.

Many rows come and go as one: in as a list of VALUES, out as one JSON array. Python gives the interpreter lock back
at every row that a statement steps to, and where other threads are busy it may take 5 ms to get it again. Row by row,
1 of 100 reads of 300 entries took 4 seconds beside a busy thread; as one row, 30 ms.
"""

from __future__ import annotations

from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import msgspec

from chat.log.port import Author, Entry, File, Ruling, Upload
from chat.log.projection import Post

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

ROWS: Final = 100
"""Most rows of one statement. Each number of rows is a statement of its own, which stays prepared."""


@cache
def _statement(sql: str, rows: int, columns: int) -> str:
    row = f"({','.join('?' * columns)})"
    return sql.format(",".join([row] * rows))


def run(connection: sqlite3.Connection, sql: str, rows: Sequence[Sequence[Any]]) -> list[Any]:
    """Run a statement on rows, put in as VALUES, `ROWS` at a time. Return the one row that each run yields, if any."""
    found = []
    for start in range(0, len(rows), ROWS):
        part = rows[start : start + ROWS]
        statement = _statement(sql, len(part), len(part[0]))
        found += connection.execute(statement, tuple(chain.from_iterable(part))).fetchall()
    return found


def fetch(connection: sqlite3.Connection, sql: str, rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Run a query for rows, and return all that it finds."""
    return [found for (array,) in run(connection, sql, rows) for found in msgspec.json.decode(array)]


def select(connection: sqlite3.Connection, sql: str, parameters: Sequence[Any] | dict[str, Any]) -> list[list[Any]]:
    """Run a query that yields one JSON array, and return what is in it, sorted: SQL promises an array no order."""
    (array,) = connection.execute(sql, parameters).fetchone()
    return sorted(msgspec.json.decode(array))


def to_entry(row: Sequence[Any]) -> Entry:
    offset, key, user, client, name, time_ms, data = row
    return Entry(offset, key, Author(user, client, name), time_ms, data.encode())


def to_post(row: Sequence[Any]) -> Post:
    offset, user, client, name, time_ms, data, edited_ms, deleted_ms = row
    return Post(offset, Author(user, client, name), time_ms, data.encode(), edited_ms, deleted_ms)


def to_ruling(row: Sequence[Any]) -> Ruling:
    number, room, action, user, by, by_role, time_ms, until_ms, reason = row
    return Ruling(room, action, user, by, by_role, time_ms, until_ms, reason, number)


def to_upload(row: Sequence[Any]) -> Upload:
    file_id, digest, room, user, name, kind, size, width, height, thumb, time_ms, offset = row
    return Upload(File(file_id, name, kind, size, width, height, bool(thumb)), digest, room, user, time_ms, offset)
