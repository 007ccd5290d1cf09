"""The index of messages by their words, in SQLite's FTS5.

It only proposes. Whether a message is found, its text as it stands decides (`Search.finds`), so that what the index
calls a word need not be what Python does, and two users may share a mark.

It is behind the appends (`actors/journal.py` says when): in their transaction it took a fourth to a half of the
entries/s. What it does not have yet is looked through as it is. What it has, it has as it stands: an edit or a deletion
changes both in one transaction.
A row of it is the id of an entry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

import msgspec

from chat.log.projection import text_of
from chat.words import fold

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable

    from chat.log.port import Search

LOOK: Final = 10_000
"""How many messages one search looks at, at most, whether the index proposes them or has them not: 75 to 85 ms.

What the index itself does comes on top: little, but for the beginning of very many words (45 ms of a million messages).
"""

AT_ONCE: Final = 500

_MARK: Final = "\ue000"
"""Begins what is no word: folded texts have no such character."""

_ADD: Final = "insert into search (rowid, words) values {}"
_REMOVE: Final = "insert into search (search, rowid, words) values {}"

_NEWEST: Final = "select id from entry where id < ?1 and id > ?4 order by id desc limit ?2"
_PROPOSED: Final = "select rowid as id from search where search match ?4 and rowid < ?1 order by rowid desc limit ?2"

_LOOK: Final = """
    select count(*), min(proposed.id), json_group_array(json_array(proposed.id, room_id)) filter (
        where post = 1 and user = ifnull(?3, user) and time_ms between ?5 and ?6
    )
    from ({proposed}) as proposed join entry on entry.id = proposed.id"""

_INDEXED: Final = "select last_id, (select ifnull(max(id), 0) from entry) from indexed"

_NAMES: Final = "select json_group_object(id, name) from room where id in (select value from json_each(?))"


def indexed(room_id: int, user: str, data: bytes) -> str | None:
    """Return what the index has of a message, None for one without a text."""
    text = text_of(data)
    return None if text is None else f"{_room(room_id)} {_user(user)} {fold(text)}"


def _room(room_id: int) -> str:
    return f"{_MARK}r{room_id}"


def _user(user: str) -> str:
    return f"{_MARK}u{crc32(user.encode()):x}"


def add(run: Callable[[str, list[Any]], object], messages: Iterable[tuple[int, str | None]]) -> None:
    """Take messages into the index, by `run(statement, rows)`: ids, and what `indexed` says."""
    run(_ADD, [message for message in messages if message[1] is not None])


def remove(run: Callable[[str, list[Any]], object], messages: Iterable[tuple[int, str | None]]) -> None:
    """Take messages out of it: with exactly what `indexed` said of them then."""
    run(_REMOVE, [("delete", *message) for message in messages if message[1] is not None])


def match(search: Search, room_id: int | None) -> str:
    """Return what the index is asked, in its own language; "" for all there is.

    A phrase has no character that means something there.
    """
    phrases = [" ".join(phrase) for phrase in search.query.phrases]
    if room_id is not None:
        phrases.insert(0, _room(room_id))
    if search.user is not None:
        phrases.insert(0, _user(search.user))
    asked = " AND ".join(f'"{phrase}"' for phrase in phrases)
    return f"{asked} *" if search.query.prefix else asked


def extent(connection: sqlite3.Connection) -> tuple[int, int]:
    """Return up to which id messages are in the index, and up to which there are entries."""
    last_id, newest = connection.execute(_INDEXED).fetchone()
    return last_id, newest


def last_indexed(connection: sqlite3.Connection) -> int:
    """Return up to which id messages are in the index."""
    return extent(connection)[0]


class Proposals:
    """What is to be looked at, from the newest on: what the index does not have, and what it proposes.

    Of rooms that are `readable` only. `looked_down_to` is the cursor.
    """

    def __init__(
        self, connection: sqlite3.Connection, search: Search, asked: str, readable: Callable[[str], bool]
    ) -> None:
        self.looked_down_to = search.before
        self.exhausted = False
        """Whether there is nothing older."""
        self.rooms: dict[int, str | None] = {}
        """The names of those that came up, None of one that may not be read."""
        self._connection = connection
        self._search = search
        self._asked = asked
        self._readable = readable
        self._left = LOOK
        self._last_indexed = last_indexed(connection)

    def more(self) -> list[int]:
        """Return the next ids, falling. There may be none although it is not `over`."""
        search, number = self._search, min(AT_ONCE, self._left)
        what: str | int
        behind = bool(self._asked) and self.looked_down_to > self._last_indexed + 1
        if behind:
            proposed, what = _NEWEST, self._last_indexed
        else:
            proposed, what = (_PROPOSED, self._asked) if self._asked else (_NEWEST, 0)
        found, lowest, array = self._connection.execute(
            _LOOK.format(proposed=proposed),
            (self.looked_down_to, number, search.user, what, search.since_ms, search.until_ms),
        ).fetchone()
        self._left -= found
        if found == number:
            self.looked_down_to = lowest
        elif behind:
            self.looked_down_to = self._last_indexed + 1
        else:
            self.exhausted = True
        places: list[tuple[int, int]] = sorted(msgspec.json.decode(array), reverse=True)
        self._ask_for({room_id for _, room_id in places} - self.rooms.keys())
        return [number for number, room_id in places if self.rooms[room_id] is not None]

    @property
    def over(self) -> bool:
        """Whether there is nothing older, or enough was looked at."""
        return self.exhausted or not self._left

    def _ask_for(self, room_ids: set[int]) -> None:
        if room_ids:
            (names,) = self._connection.execute(_NAMES, (msgspec.json.encode(list(room_ids)).decode(),)).fetchone()
            for room_id, name in msgspec.json.decode(names).items():
                self.rooms[int(room_id)] = name if self._readable(name) else None
