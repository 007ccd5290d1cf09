"""Edits, deletions, reactions: entries like any other, and messages that stand as they left them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes import NOON_MS, Chat, Client


def two() -> tuple[Client, Client]:
    """Return two who are in the lobby; the first one has said something, as message 1."""
    chat = Chat()
    ann, bob = chat.member("lobby", name="Ann"), chat.member("lobby", name="Bob")
    ann.rpc("send", channel="lobby", key="k", text="hello")
    return ann, bob


def result(reply: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = reply["rpc"]["data"]
    return data


def messages(client: Client, **page: Any) -> list[dict[str, Any]]:
    """Read the messages of the lobby."""
    read: list[dict[str, Any]] = result(client.rpc("messages", channel="lobby", **page))["messages"]
    return read


CHANGES = {
    "edit": {"text": "hello, world"},
    "delete": {},
    "react": {"emoji": "👍"},
}
changes = pytest.mark.parametrize("method", CHANGES)


# A change is an entry


@changes
def test_a_change_gets_the_next_offset(method: str) -> None:
    ann, _ = two()

    changed = result(ann.rpc(method, channel="lobby", target=1, **CHANGES[method]))

    assert changed["offset"] == 2
    assert changed["epoch"]
    assert changed["time"] == NOON_MS


@pytest.mark.parametrize(
    ("method", "data"),
    [
        ("edit", {"type": "edit", "target": 1, "text": "hello, world", "time": NOON_MS}),
        ("delete", {"type": "delete", "target": 1, "time": NOON_MS}),
        ("react", {"type": "reaction", "target": 1, "emoji": "👍", "on": True, "time": NOON_MS}),
    ],
)
def test_everybody_sees_it_in_the_order_of_the_room(method: str, data: dict[str, Any]) -> None:
    ann, bob = two()

    ann.rpc(method, channel="lobby", target=1, **CHANGES[method])
    bob.rpc("send", channel="lobby", key="l", text="bye")

    assert ann.offsets() == bob.offsets() == [1, 2, 3]
    assert bob.said()[1] == data
    assert bob.publications()[1]["info"]["conn_info"] == {"name": "Ann"}


@changes
def test_a_change_is_recovered_like_a_message(method: str) -> None:
    ann, bob = two()
    epoch = result(ann.rpc("messages", channel="lobby"))["epoch"]
    ann.rpc(method, channel="lobby", target=1, **CHANGES[method])

    late = bob.chat.connect()
    late.subscribe("lobby", recover=True, offset=1, epoch=epoch)

    assert late.offsets() == [2]


@changes
def test_a_change_with_a_key_is_made_once(method: str) -> None:
    ann, bob = two()
    ann.rpc(method, channel="lobby", target=1, key="c", **CHANGES[method])

    again = result(ann.rpc(method, channel="lobby", target=1, key="c", **CHANGES[method]))

    assert (again["offset"], again["duplicate"]) == (2, True)
    assert bob.offsets() == [1, 2]


# What cannot be changed


@changes
def test_what_is_not_there_cannot_be_changed(method: str) -> None:
    ann, bob = two()

    reply = ann.rpc(method, channel="lobby", target=7, **CHANGES[method])

    assert reply == {"error": {"code": 404, "message": "message not found"}}
    assert bob.offsets() == [1]


@pytest.mark.parametrize("method", ["edit", "delete"])
def test_what_is_somebody_elses_can_be_neither_edited_nor_deleted(method: str) -> None:
    _, bob = two()

    reply = bob.rpc(method, channel="lobby", target=1, **CHANGES[method])

    assert reply == {"error": {"code": 103, "message": "permission denied"}}
    assert messages(bob)[0]["data"]["text"] == "hello"


def test_what_is_no_message_of_ours_has_no_text_to_edit() -> None:
    ann, _ = two()
    ann.publish("lobby", {"temperature": 21})

    error = ann.rpc("edit", channel="lobby", target=2, text="hot")["error"]

    assert error["code"] == 107


@pytest.mark.parametrize("kind", ["edit", "delete", "reaction"])
def test_a_publication_cannot_pass_for_a_change(kind: str) -> None:
    ann, bob = two()

    error = bob.publish("lobby", {"type": kind, "target": 1, "text": "forged", "emoji": "👍", "on": True})["error"]

    assert error["code"] == 107
    assert ann.offsets() == [1]


@pytest.mark.parametrize("data", [{"type": "message"}, {"type": 7}, {"kind": "edit"}, ["edit"], "edit", None])
def test_anything_else_can_be_published(data: object) -> None:
    ann, _ = two()

    assert ann.publish("lobby", data) == {"publish": {}}


@changes
def test_only_members_change_anything(method: str) -> None:
    ann, _ = two()
    stranger = ann.chat.connect()

    assert stranger.rpc(method, channel="lobby", target=1, **CHANGES[method])["error"]["code"] == 103


@pytest.mark.parametrize(
    ("method", "data"),
    [
        pytest.param("edit", {"text": " "}, id="no text"),
        pytest.param("edit", {"text": "x" * 4001}, id="too long a text"),
        pytest.param("edit", {"text": "x", "target": 0}, id="offset 0"),
        pytest.param("edit", {"text": "x", "key": "k" * 65}, id="too long a key"),
        pytest.param("delete", {"target": "1"}, id="offset of the wrong type"),
        pytest.param("react", {"emoji": ""}, id="no emoji"),
        pytest.param("react", {"emoji": "thumbs up"}, id="words"),
        pytest.param("react", {"emoji": "a" * 33}, id="too long an emoji"),
        pytest.param("react", {"emoji": "\x00"}, id="a control character"),
        pytest.param("messages", {"limit": 0}, id="an empty page"),
        pytest.param("messages", {"before": 1, "after": 1}, id="before and after"),
        pytest.param("messages", {"before": -1}, id="a negative offset"),
    ],
)
def test_a_call_with_bad_arguments_is_a_bad_request(method: str, data: dict[str, Any]) -> None:
    ann, bob = two()

    reply = ann.rpc(method, channel="lobby", **{"target": 1, **data})

    assert reply["error"]["code"] == 107
    assert bob.offsets() == [1]


# What messages stand


def test_a_message_stands_as_it_was_said() -> None:
    ann, _ = two()

    assert messages(ann) == [
        {
            "offset": 1,
            "data": {"type": "message", "key": "k", "text": "hello", "time": NOON_MS},
            "info": ann.publications()[0]["info"],
            "time": NOON_MS,
        }
    ]


def test_an_edited_message_has_its_new_text_and_the_time_of_the_edit() -> None:
    ann, _ = two()
    ann.chat.advance(2)
    ann.rpc("edit", channel="lobby", target=1, text="hello, world")

    (message,) = messages(ann)

    assert message["data"] == {"type": "message", "key": "k", "text": "hello, world", "time": NOON_MS}
    assert (message["time"], message["edited"]) == (NOON_MS, NOON_MS + 2000)


def test_a_deleted_message_leaves_a_trace_without_what_it_said() -> None:
    ann, bob = two()
    bob.rpc("react", channel="lobby", target=1, emoji="👍")
    ann.rpc("delete", channel="lobby", target=1)

    (message,) = messages(bob)

    assert (message["offset"], message["data"], message["deleted"]) == (1, None, NOON_MS)
    assert "reactions" not in message


def test_reactions_are_counted_by_user_and_can_be_taken_back() -> None:
    ann, bob = two()
    for client, emoji in ((ann, "👍"), (bob, "👍"), (bob, "👍"), (bob, "🎉")):
        client.rpc("react", channel="lobby", target=1, emoji=emoji)
    bob.rpc("react", channel="lobby", target=1, emoji="🎉", on=False)

    (message,) = messages(ann)

    assert message["reactions"] == {"👍": [client.hello["data"]["user"] for client in (ann, bob)]}


def test_pages_go_backwards_and_forwards_and_skip_what_is_no_message() -> None:
    ann, _ = two()
    for number in range(2, 7):
        ann.rpc("send", channel="lobby", key=f"k{number}", text=f"message {number}")
        ann.rpc("react", channel="lobby", target=1, emoji="👍")

    assert [m["offset"] for m in messages(ann)] == [1, 2, 4, 6, 8, 10]
    assert [m["offset"] for m in messages(ann, limit=2)] == [8, 10]
    assert [m["offset"] for m in messages(ann, limit=2, before=8)] == [4, 6]
    assert [m["offset"] for m in messages(ann, limit=2, after=2)] == [4, 6]


def test_a_page_says_at_which_position_it_holds() -> None:
    ann, _ = two()
    ann.rpc("react", channel="lobby", target=1, emoji="👍")

    page = result(ann.rpc("messages", channel="lobby"))

    assert page["offset"] == 2
    assert page["epoch"] == result(ann.rpc("send", channel="lobby", key="k", text="hello"))["epoch"]


def test_a_room_without_messages_has_an_empty_page() -> None:
    ann, _ = two()

    page = result(ann.rpc("messages", channel="garden"))

    assert (page["messages"], page["offset"]) == ([], 0)
