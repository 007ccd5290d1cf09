"""Whatever is done to the log in SQLite, it finds what a plain look at all messages finds. Its index has no more."""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path
from unittest.mock import patch

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chat.log import Author, Database, Delete, Draft, Edit, Found, MemoryLog, Retention, Search, SqliteLog, fulltext
from chat.log.projection import text_of
from chat.words import parse, words

ROOMS = ("lobby", "garden", "$tea")
USERS = ("ann", "bob")

texts = st.lists(st.sampled_from(["a", "ab", "abc", "Äb", "b", "東京", "京", "👍", "!"]), max_size=4).map(" ".join)
queries = st.one_of(
    texts,
    texts.map(lambda text: f'"{text}"'),
    st.text(st.sampled_from('ab東京 "*()^:-'), max_size=8),
)
targets = st.integers(1, 12)
times = st.integers(1, 9)
drafts = st.builds(
    Draft,
    room=st.sampled_from(ROOMS),
    key=st.sampled_from(("", "", "k")),
    author=st.builds(Author, st.sampled_from(USERS), st.just("c"), st.just("N")),
    time_ms=times,
    data=texts.map(lambda text: msgspec.json.encode({"text": text})) | st.sampled_from((b"1", b'"ab b"')),
    change=st.none() | st.builds(Edit, targets, texts) | st.builds(Delete, targets, of_anybody=st.booleans()),
)
searches = st.builds(
    Search,
    query=queries.map(parse),
    room=st.none() | st.sampled_from((*ROOMS, "nowhere")),
    user=st.none() | st.sampled_from(USERS),
    since_ms=st.just(0) | times,
    until_ms=st.just(9) | times,
)


class Searched(RuleBasedStateMachine):
    """A log in SQLite, beside one in memory, which looks at everything."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "chat.db"
        self.sqlite = SqliteLog(Database.open(self.path))
        self.memory = MemoryLog()

    @rule(batch=st.lists(drafts, max_size=6))
    def append(self, batch: list[Draft]) -> None:
        """Append a batch to both."""
        self.sqlite.append(batch)
        self.memory.append(batch)

    @rule(keep=st.integers(0, 6), limit=st.integers(1, 5))
    def trim(self, keep: int, limit: int) -> None:
        """Trim both until nothing is left to forget."""
        for log in (self.sqlite, self.memory):
            while log.trim([Retention("*", keep, None)], limit=limit):
                pass

    @rule(room=st.sampled_from(ROOMS), last=st.integers(0, 12))
    def remove(self, room: str, last: int) -> None:
        """Remove the oldest entries of a room from both."""
        self.sqlite.remove(room, last=last, limit=100)
        self.memory.remove(room, last=last, limit=100)

    @rule(limit=st.integers(1, 6))
    def index(self, limit: int) -> None:
        """Take some messages into the index."""
        self.sqlite.index(limit=limit)

    @rule()
    def vacuum(self) -> None:
        """Have somebody make the file smaller, and open it again."""
        self.sqlite.close()
        with sqlite3.connect(self.path) as connection:
            connection.execute("vacuum")
        connection.close()
        self.sqlite = SqliteLog(Database.open(self.path))

    @rule(search=searches, limit=st.integers(1, 4), hidden=st.sampled_from(("", *ROOMS)), look=st.integers(1, 9))
    def search(self, search: Search, limit: int, hidden: str, look: int) -> None:
        """Read all pages from both, the one in SQLite in small steps. Rooms of one batch are in no order."""
        with patch.object(fulltext, "LOOK", look), patch.object(fulltext, "AT_ONCE", 2):
            found = pages(self.sqlite, search, limit, hidden)
        assert [one.number for one in found] == sorted({one.number for one in found}, reverse=True)
        assert places(found) == places(pages(self.memory, search, limit, hidden))

    @invariant()
    def the_index_has_the_words_of_the_messages_and_nothing_else(self) -> None:
        """Compare all the words in it with those of the messages, by place."""
        with sqlite3.connect(self.path) as connection:
            connection.execute("create virtual table temp.found using fts5vocab (main, search, instance)")
            found = [place for place in connection.execute("select doc, term from found") if place[1][0] != "\ue000"]
            posts = connection.execute("""
                select entry.id, name, offset from (select id, room_id, offset from entry where post = 1) as entry
                join room on room.id = room_id join indexed on entry.id <= last_id
            """).fetchall()
        connection.close()
        there = {
            (room, message.offset): message.data
            for room in ROOMS
            for message in self.memory.messages(room, limit=1_000).messages
        }
        expected = [
            (entry_id, word)
            for entry_id, room, offset in posts
            if (text := text_of(there[room, offset])) is not None
            for word in words(text)
        ]
        assert sorted(found) == sorted(expected)

    def teardown(self) -> None:
        """Close the one in SQLite, and remove its file."""
        self.sqlite.close()
        self.folder.cleanup()


def pages(log: SqliteLog | MemoryLog, search: Search, limit: int, hidden: str) -> list[Found]:
    """Return what is on all pages."""
    found: list[Found] = []
    while True:
        findings = log.search(search, lambda room: room != hidden, limit=limit)
        assert len(findings.found) <= limit
        found += findings.found
        if findings.before is None:
            return found
        search = msgspec.structs.replace(search, before=findings.before)


def places(found: list[Found]) -> list[tuple[str, int, bytes]]:
    """Return what was found, without the numbers, which are the log's own."""
    return sorted((one.room, one.message.offset, one.message.data) for one in found)


Searched.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None, derandomize=True)
test_sqlite_finds_what_is_there = Searched.TestCase
