"""Compares what is left of the hour: pages with the projection (rpc `messages`), and that with the database."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Error as PageError
from playwright.sync_api import expect

from tests.e2e.hour.page_reader import read
from tests.e2e.hour.people import ROOMS
from tests.e2e.hour.report import words_of
from tests.server import Member

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.e2e.hour.page_reader import Reading
    from tests.e2e.hour.people import Person
    from tests.e2e.hour.report import Report, Said
    from tests.server import Server

Messages = dict[int, dict[str, Any]]
"""Rows of rpc `messages`, by offset."""

LONGEST_EXCERPT = 200


def compare(server: Server, file: Path, people: Sequence[Person], said: Said, report: Report) -> None:
    """Add to the report what is not as it should be."""
    reader = Member(server, "Reader")
    truth = {room: _projection(reader, room) for room in ROOMS}
    reader.close()
    names = {row["info"]["user"]: _author(row) for messages in truth.values() for row in messages.values()}
    report.messages = sum(len(messages) for messages in truth.values())
    report.differences += _compare_sent(file, said)
    for room, messages in truth.items():
        report.differences += _compare_words(room, messages, said)
        report.differences += _compare_database(file, room, messages)
    for person in people:
        report.differences += _compare_unread(server, person)
    for person in people:
        for room, messages in truth.items():
            try:
                person.go(room)
                expect(person.page.locator(".message").first).to_be_attached(timeout=10_000)
                found = read(person.page)
            except (PageError, AssertionError) as error:
                report.differences.append(f"{person.name} cannot read {room}: {error}"[:600])
                continue
            report.compared += len(messages.keys() & found.rows.keys())
            complaints = _compare_page(person, messages, found, names)
            report.differences += [f"{person.name} in {room}: {complaint}" for complaint in complaints]


def _projection(reader: Member, room: str) -> Messages:
    messages: Messages = {}
    before: dict[str, int] = {}
    while page := reader.rpc("messages", channel=room, limit=100, **before)["messages"]:
        messages |= {row["offset"]: row for row in page}
        before = {"before": page[0]["offset"]}
    return messages


def _compare_sent(file: Path, said: Said) -> list[str]:
    """What left a composer is in the log once, whatever became of it later."""
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        posts = database.execute("select cast(data as text) from entry where post = 1").fetchall()
    counts = Counter(word for (data,) in posts for word in words_of(data))
    return [
        f"{room}: {word} was sent, and is in the log {counts[word]} times"
        for word, room in said.sent.items()
        if counts[word] != 1
    ]


def _compare_words(room: str, messages: Messages, said: Said) -> list[str]:
    """Nothing is there twice, nothing is lost, and what was shown as sent is where it was shown."""
    words = {offset: next(iter(words_of(_text(row))), "") for offset, row in messages.items()}
    counts = Counter(filter(None, words.values()))
    return [f"{room}: {word} is there {count} times" for word, count in counts.items() if count > 1] + [
        f"{room} {offset}: shown as {word}, is {words.get(offset, 'missing')}"
        for (where, offset), word in said.shown.items()
        if where == room and words.get(offset, "missing") not in (word, "")
    ]


def _compare_database(file: Path, room: str, messages: Messages) -> list[str]:
    """Read the tables themselves: which messages there are, what they say, and who reacted."""
    differences = []
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        rows = database.execute(
            "select e.offset, e.data, r.data, coalesce(r.deleted_ms, 0), e.user from entry e"
            " join room on room.id = e.room_id left join revision r on r.room_id = e.room_id and r.target = e.offset"
            " where room.name = ? and e.post = 1 and e.offset > room.tail",
            [room],
        ).fetchall()
        reactions = set(
            database.execute(
                "select target, emoji, user from reaction join room on room.id = room_id where name = ?", [room]
            )
        )
    if {row[0] for row in rows} != messages.keys():
        differences.append(f"{room}: the database has {sorted({row[0] for row in rows} ^ messages.keys())} differently")
    wanted = {
        (offset, emoji, user)
        for offset, row in messages.items()
        for emoji, users in row.get("reactions", {}).items()
        for user in users
    }
    if reactions != wanted:
        differences.append(f"{room}: reactions in the database differ: {sorted(reactions ^ wanted)[:5]}")
    for offset, data, revised, deleted_ms, user in rows:
        row = messages.get(offset)
        if row is None:
            continue
        text = "" if deleted_ms else json.loads(revised or data).get("text")
        if text != _text(row) or user != row["info"]["user"]:
            differences.append(f"{room} {offset}: the database has {text!r} of {user}, rpc messages {row}")
    return differences


def _compare_unread(server: Server, person: Person) -> list[str]:
    """Compare the numbers beside the rooms with rpc `mine`, once both have come to rest."""
    page = person.page
    member = Member(server, person.name, guest=page.evaluate("sessionStorage.getItem('parley.guest')"))
    person.user = member.connected["data"]["user"]
    try:
        end = time.monotonic() + 10
        while True:
            kept = {place["channel"]: place["unread"] for place in member.rpc("mine")["rooms"]}
            shown = {room: _unread(person, room) for room in ROOMS}
            if all(kept.get(room, 0) == count for room, count in shown.items()):
                return []
            if time.monotonic() > end:
                return [f"{person.name}: unread {shown}, the server says {kept}"]
            page.wait_for_timeout(200)
    finally:
        member.close()


def _unread(person: Person, room: str) -> int:
    badge = person.link(room).locator(".badge")
    title = (badge.first.get_attribute("title") or "") if badge.count() else "0 new"
    return int((re.search(r"(\d+) new", title) or [0, -1])[1])


def _compare_page(person: Person, messages: Messages, found: Reading, names: dict[str, str]) -> list[str]:
    complaints = list(found.problems)
    if missing := messages.keys() - found.rows.keys():
        complaints.append(f"does not show {sorted(missing)}")
    if more := found.rows.keys() - messages.keys():
        complaints.append(f"shows what is not there: {sorted(more)}")
    for offset in sorted(messages.keys() & found.rows.keys()):
        row = found.rows[offset]
        shown = {**row, "text": _plain(row["text"]), "quote": row["quote"] and _plain(row["quote"])}
        complaints += [
            f"{offset}: {part} {shown[part]!r}, the server has {value!r}"
            for part, value in _outline(messages, offset).items()
            if shown[part] != value
        ]
        complaints += [
            f"{offset}: {what}" for what in _compare_reactions(row["reactions"], messages[offset], names, person.user)
        ]
    return complaints


def _outline(messages: Messages, offset: int) -> dict[str, Any]:
    """Return what a page should show of a message."""
    row = messages[offset]
    quoted = None
    if "reply" in (row["data"] or {}):
        target = messages.get(row["data"]["reply"], {}).get("data")
        words = " ".join(target["text"].split()) if target else "Message deleted"
        quoted = _plain(words[:LONGEST_EXCERPT] + ("…" if len(words) > LONGEST_EXCERPT else ""))
    return {
        "text": _plain(_text(row)),
        "edited": bool(row["data"]) and "edited" in row,
        "deleted": row["data"] is None,
        "author": _author(row),
        "quote": quoted,
    }


def _compare_reactions(labels: list[str], row: dict[str, Any], names: dict[str, str], self: str) -> list[str]:
    """Compare what is read aloud: how many, oneself among them, and who else. Five are named one by one."""
    shown = {}
    for label in labels:
        emoji, count, who = re.fullmatch(r"(\S+) (\d+): (.*)", label).groups()  # type: ignore[union-attr]
        shown[emoji] = (int(count), set(re.split(r", and |, | and ", who)))
    expected = {
        emoji: (len(users), {"You" if user == self else names.get(user, "?") for user in users})
        for emoji, users in row.get("reactions", {}).items()
    }
    return [] if shown == expected else [f"reactions {shown}, the server has {expected}"]


def _text(row: dict[str, Any]) -> str:
    return str((row["data"] or {}).get("text", ""))


def _author(row: dict[str, Any]) -> str:
    return str((row["info"].get("conn_info") or {}).get("name", ""))


def _plain(text: str) -> str:
    """Return a text without what markup takes away or puts in."""
    return re.sub(r"[\s*_`~-]|Copy$", "", text)
