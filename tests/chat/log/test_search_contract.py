"""What every `RoomLog` finds. The implementations are those of `test_log_contract`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from chat.log import Author, Database, Delete, Draft, Edit, Findings, Retention, RoomLog, Search, SqliteLog
from chat.words import parse
from tests.chat.log.test_log_contract import IMPLEMENTATIONS, post, to
from tests.fakes import ANN, BOB, NOON_MS, draft

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class IndexedLog(SqliteLog):
    """A log that is searched with all that it has in its index, as others are with nothing."""

    def search(self, search: Search, readable: Callable[[str], bool], *, limit: int) -> Findings:
        while self.index(limit=1):
            pass
        return super().search(search, readable, limit=limit)


SEARCHED: Final[dict[str, Callable[[Path], RoomLog]]] = {
    **IMPLEMENTATIONS,
    "sqlite, indexed": lambda folder: IndexedLog(Database.open(folder / "chat.db")),
}


@pytest.fixture(params=sorted(SEARCHED))
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RoomLog]:
    """Yield an empty log."""
    log = SEARCHED[request.param](tmp_path)
    yield log
    log.close()


def everywhere(_: str) -> bool:
    return True


def find(
    log: RoomLog, query: str = "", readable: Callable[[str], bool] = everywhere, limit: int = 50, **given: Any
) -> list[tuple[str, int]]:
    """Return the places of what is found, the newest first."""
    findings = log.search(Search(query=parse(query), **given), readable, limit=limit)
    return [(found.room, found.message.offset) for found in findings.found]


def say(room: str, text: str, author: Author = ANN, time_ms: int = NOON_MS) -> Draft:
    return Draft(room, "", author, time_ms, json.dumps({"text": text}).encode())


def test_messages_are_found_by_their_words_in_all_rooms_the_newest_first(log: RoomLog) -> None:
    log.append([say("lobby", "Good morning")])
    log.append([say("garden", "good evening"), say("garden", "night")])
    log.append([say("lobby", "what a GOOD day")])

    assert find(log, "good") == [("lobby", 2), ("garden", 1), ("lobby", 1)]
    assert find(log, "good mor") == [("lobby", 1)]
    assert find(log, '"good day"') == [("lobby", 2)]
    assert find(log, "bad") == []


def test_a_finding_is_the_message_as_it_stands(log: RoomLog) -> None:
    log.append([post("hello", author=BOB, type="message")])
    log.append([to(Edit(1, "goodbye"), author=BOB, time_ms=NOON_MS + 5)])

    (found,) = log.search(Search(query=parse("goodbye")), everywhere, limit=9).found

    assert found.room == "lobby"
    assert found.message == log.messages("lobby", limit=1).messages[0]
    assert (found.message.author, found.message.edited_ms) == (BOB, NOON_MS + 5)


def test_what_was_replaced_or_taken_back_is_not_found(log: RoomLog) -> None:
    log.append([post("one apple"), post("one pear"), post("one plum")])
    log.append([to(Edit(1, "one cherry")), to(Delete(2))])

    assert find(log, "apple") == find(log, "pear") == []
    assert find(log, "cherry") == [("lobby", 1)]
    assert find(log, "one") == [("lobby", 3), ("lobby", 1)]
    assert find(log, room="lobby") == [("lobby", 3), ("lobby", 1)]


def test_what_was_changed_in_the_batch_in_which_it_came_is_found_as_it_was_left(log: RoomLog) -> None:
    log.append([post("apple"), to(Edit(1, "cherry")), post("pear"), to(Delete(3)), to(Edit(1, "plum"))])

    assert find(log, "plum") == [("lobby", 1)]
    assert find(log, "apple") == find(log, "cherry") == find(log, "pear") == []


def test_what_is_forgotten_is_not_found(log: RoomLog) -> None:
    log.append([post("apple 1"), post("apple 2"), post("apple 3"), post("apple 4")])
    log.append([to(Edit(2, "apple two"))])

    log.trim([Retention("*", 4, None)], limit=10)
    assert find(log, "apple") == [("lobby", 4), ("lobby", 3), ("lobby", 2)]

    log.remove("lobby", last=3, limit=10)
    assert find(log, "apple") == [("lobby", 4)]

    log.remove("lobby", last=9, limit=10)
    log.append([post("apple 6")])
    assert find(log, "apple") == [("lobby", 6)]


def test_the_filters_hold_together(log: RoomLog) -> None:
    log.append([say("lobby", "hello", ANN, 10), say("lobby", "hello", BOB, 20), say("lobby", "hello", ANN, 30)])
    log.append([say("garden", "hello", ANN, 40)])

    assert find(log, "hello", room="lobby") == [("lobby", 3), ("lobby", 2), ("lobby", 1)]
    assert find(log, "hello", user="bob") == [("lobby", 2)]
    assert find(log, room="lobby", user="ann") == [("lobby", 3), ("lobby", 1)]
    assert find(log, since_ms=20, until_ms=30) == [("lobby", 3), ("lobby", 2)]
    assert find(log, "hello", user="ann", since_ms=11) == [("garden", 1), ("lobby", 3)]
    assert find(log, room="nowhere") == find(log, user="nobody") == []


def test_marks_of_rooms_and_users_are_no_words(log: RoomLog) -> None:
    log.append([say("lobby", "hello")])

    assert find(log, "r1") == find(log, "\ue000r1 hello") == find(log, "u") == []


def test_only_rooms_that_may_be_read_are_looked_at(log: RoomLog) -> None:
    log.append([say(room, "hello") for room in ("lobby", "secret", "garden")])
    asked: list[str] = []

    def readable(room: str) -> bool:
        asked.append(room)
        return room != "secret"

    assert sorted(find(log, "hello", readable)) == [("garden", 1), ("lobby", 1)]
    assert sorted(asked) == ["garden", "lobby", "secret"]
    assert find(log, "hello", readable, room="secret") == []


def test_what_may_not_be_read_takes_no_place_on_a_page(log: RoomLog) -> None:
    log.append([say("lobby", "hello")])
    log.append([say("secret", "hello") for _ in range(700)])

    assert find(log, "hello", lambda room: room == "lobby", limit=1) == [("lobby", 1)]


def test_pages_follow_each_other_without_gap_or_repetition(log: RoomLog) -> None:
    for number in range(10):
        log.append([say("lobby" if number % 2 else "garden", "hello")])
    pages: list[list[tuple[str, int]]] = []
    before = Search().before
    while True:
        findings = log.search(Search(query=parse("hello"), before=before), everywhere, limit=4)
        pages.append([(found.room, found.message.offset) for found in findings.found])
        if findings.before is None:
            break
        before = findings.before

    assert [len(page) for page in pages] == [4, 4, 2]
    assert [place for page in pages for place in page] == find(log, "hello")


def test_a_page_that_takes_the_last_of_all_has_no_cursor(log: RoomLog) -> None:
    log.append([post("hello"), post("hello")])

    assert log.search(Search(query=parse("hello")), everywhere, limit=2).before is None


def test_any_string_and_any_object_with_a_text_is_a_message_and_nothing_else_is(log: RoomLog) -> None:
    log.append([draft("lobby", "hello"), post("hello"), post("", files=["hello"])])
    log.append([Draft("lobby", "", ANN, 1, data) for data in (b"1", b"null", b'["hello"]', b'{"text":1,"a":"hello"}')])

    assert find(log, "hello") == [("lobby", 2), ("lobby", 1)]
    assert find(log, room="lobby") == [("lobby", 3), ("lobby", 2), ("lobby", 1)]


@pytest.mark.parametrize(
    "query", ["*", '"', "AND", "NEAR(a b)", "words:hello", "hello OR x", "-hello", "^hello", "a''b", "\0"]
)
def test_no_query_means_anything_to_the_index(log: RoomLog, query: str) -> None:
    log.append([post("good")])

    assert find(log, query, user="bob") == []
