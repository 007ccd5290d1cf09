"""What was acknowledged outlives the process, however it ended; and those who were in a room go on where they were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.server import Member, Server, database_url, running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ends = pytest.mark.parametrize("end", [Server.kill, Server.close], ids=["killed", "stopped"])


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Return the URL of a database that is not there yet."""
    return database_url(tmp_path / "data" / "chat.db")


def say(member: Member, *texts: str) -> list[dict[str, Any]]:
    """Send messages, each under its text as the key."""
    return [member.rpc("send", channel="lobby", key=text, text=text) for text in texts]


def texts(publications: list[dict[str, Any]]) -> list[str]:
    return [publication["data"]["text"] for publication in publications]


@ends
def test_what_was_acknowledged_is_there_after_a_restart(url: str, end: Callable[[Server], None]) -> None:
    with running(CHAT_DATABASE_URL=url) as server:
        ann = Member(server, "Ann")
        epoch = ann.call(subscribe={"channel": "lobby"})["subscribe"]["epoch"]
        say(ann, "one", "two", "three")
        ann.rpc("edit", channel="lobby", target=2, text="zwei")
        end(server)

    with running(CHAT_DATABASE_URL=url) as server:
        bob = Member(server, "Bob")
        history = bob.call(history={"channel": "lobby", "limit": 10})["history"]
        page = bob.rpc("messages", channel="lobby")

    assert (history["epoch"], history["offset"]) == (epoch, 4)
    assert [publication["offset"] for publication in history["publications"]] == [1, 2, 3, 4]
    assert texts(page["messages"]) == ["one", "zwei", "three"]
    assert page["messages"][0]["info"]["conn_info"] == {"name": "Ann"}


@ends
def test_who_resumes_gets_exactly_what_is_missing(url: str, end: Callable[[Server], None]) -> None:
    with running(CHAT_DATABASE_URL=url) as server:
        ann = Member(server)
        epoch = ann.call(subscribe={"channel": "lobby"})["subscribe"]["epoch"]
        say(ann, "one", "two", "three")
        end(server)

    with running(CHAT_DATABASE_URL=url) as server:
        back = Member(server)
        resumed = back.call(subscribe={"channel": "lobby", "recover": True, "offset": 1, "epoch": epoch})["subscribe"]
        say(back, "four")
        live = back.publication()

    assert resumed["recovered"]
    assert texts(resumed["publications"]) == ["two", "three"]
    assert (live["offset"], live["data"]["text"]) == (4, "four")


@ends
def test_a_repeat_of_what_was_stored_before_the_restart_is_a_repeat(url: str, end: Callable[[Server], None]) -> None:
    with running(CHAT_DATABASE_URL=url) as server:
        ann = Member(server)
        ann.call(subscribe={"channel": "lobby"})
        (first,) = say(ann, "one")
        guest = ann.connected["data"]["guest"]
        end(server)

    with running(CHAT_DATABASE_URL=url) as server:
        again = Member(server, guest=guest)
        again.call(subscribe={"channel": "lobby"})
        (repeat,) = say(again, "one")
        (new,) = say(again, "two")

    assert again.connected["data"]["user"] == ann.connected["data"]["user"]
    assert repeat == {**first, "duplicate": True}
    assert new["offset"] == 2


def test_who_is_too_far_behind_is_told_to_load_the_state(url: str) -> None:
    with running(CHAT_DATABASE_URL=url, CHAT_RECOVERY_LIMIT="3") as server:
        ann = Member(server)
        epoch = ann.call(subscribe={"channel": "lobby"})["subscribe"]["epoch"]
        say(ann, "one", "two", "three", "four", "five")

        late = Member(server)
        resumed = late.call(subscribe={"channel": "lobby", "recover": True, "offset": 1, "epoch": epoch})["subscribe"]

    assert "recovered" not in resumed
    assert resumed["was_recovering"]
    assert (resumed["offset"], resumed["epoch"]) == (5, epoch)


def test_a_room_forgets_what_it_shall_not_keep_and_counts_on(url: str) -> None:
    with running("tests.e2e.hasty_app:app", CHAT_DATABASE_URL=url, CHAT_RETENTION_ENTRIES="2") as server:
        ann = Member(server)
        ann.call(subscribe={"channel": "lobby"})
        say(ann, "one", "two", "three", "four", "five")
        kept: list[str] = []
        for _ in range(1000):  # a round trip each; it takes a few
            kept = texts(ann.rpc("messages", channel="lobby")["messages"])
            if len(kept) == 2:
                break
        (six,) = say(ann, "six")

    assert kept == ["four", "five"]
    assert six["offset"] == 6
