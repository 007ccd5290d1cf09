"""What is the memory log's own: it is bounded, so it forgets."""

from __future__ import annotations

from chat.log import Draft, MemoryLog, Stored
from tests.fakes import BOB, draft


def offsets(log: MemoryLog, room: str) -> list[int]:
    return [entry.offset for entry in log.after(room, 0, 100)]


def append(log: MemoryLog, only: Draft) -> Stored:
    (stored,) = log.append([only])
    assert isinstance(stored, Stored)
    return stored


def test_only_the_newest_entries_of_a_room_are_kept() -> None:
    log = MemoryLog(max_entries=2)

    log.append([draft("lobby", text) for text in "abc"])

    assert offsets(log, "lobby") == [2, 3]


def test_what_was_forgotten_still_counts() -> None:
    log = MemoryLog(max_entries=2)
    log.append([draft("lobby", text) for text in "abc"])

    stored = append(log, draft("lobby", "d"))

    assert stored.entry.offset == 4
    assert log.position("lobby").offset == 4


def test_a_key_is_known_as_long_as_its_entry() -> None:
    log = MemoryLog(max_entries=2)
    log.append([draft("lobby", "a", key="k"), draft("lobby", "b")])

    again = append(log, draft("lobby", "a", key="k"))

    assert again.duplicate


def test_a_key_is_forgotten_with_its_entry() -> None:
    log = MemoryLog(max_entries=2)
    log.append([draft("lobby", "a", key="k"), draft("lobby", "b"), draft("lobby", "c")])

    again = append(log, draft("lobby", "a", key="k"))

    assert not again.duplicate
    assert again.entry.offset == 4


def test_with_an_entry_only_its_own_authors_key_is_forgotten() -> None:
    log = MemoryLog(max_entries=2)
    log.append([draft("lobby", "a", key="k"), draft("lobby", "b", key="k", author=BOB), draft("lobby", "c")])

    again = append(log, draft("lobby", "b", key="k", author=BOB))

    assert again.duplicate


def test_the_room_least_recently_used_is_forgotten() -> None:
    log = MemoryLog(max_rooms=2)
    for room in ("attic", "lobby", "garden"):
        log.append([draft(room, "a")])

    assert offsets(log, "garden") == [1]
    assert offsets(log, "lobby") == [1]
    assert offsets(log, "attic") == []


def test_reading_a_room_is_using_it() -> None:
    log = MemoryLog(max_rooms=2)
    log.append([draft("attic", "a")])
    log.append([draft("lobby", "a")])

    log.position("attic")
    log.append([draft("garden", "a")])

    assert offsets(log, "attic") == [1]


def test_a_room_that_was_forgotten_starts_again_with_a_new_epoch() -> None:
    log = MemoryLog(max_rooms=1)
    before = append(log, draft("lobby", "a", key="k"))
    log.position("garden")

    after = append(log, draft("lobby", "a", key="k"))

    assert after.epoch != before.epoch
    assert after.entry.offset == 1
    assert not after.duplicate


def test_two_logs_never_share_an_epoch() -> None:
    assert MemoryLog().position("lobby").epoch != MemoryLog().position("lobby").epoch
