from __future__ import annotations

import json

import pytest

from chat.errors import PERMISSION_DENIED
from chat.framing import text_of_frame
from chat.log import Entry
from chat.protocol import commands, results
from chat.protocol.commands import Command
from chat.protocol.publications import TYPING_DATA
from chat.wire import Ephemeral, Event, JsonWire, PresenceChanged, Publications, Published
from tests.fakes import ANN, NOON_MS


def publications(*offsets: int) -> Publications:
    entries = [Entry(offset, "", ANN, NOON_MS, b'"message %d"' % offset) for offset in offsets]
    return Publications("lobby", [Published(entry) for entry in entries])


def offsets(event: Publications | None) -> list[int]:
    return [item.entry.offset for item in event.items] if event else []


# Publications


def test_a_reader_that_has_seen_none_of_an_event_gets_the_very_same_one() -> None:
    event = publications(4, 5, 6)

    assert event.after(3) is event


def test_a_reader_that_has_seen_a_part_gets_the_rest() -> None:
    rest = publications(4, 5, 6).after(4)

    assert offsets(rest) == [5, 6]
    assert rest
    assert rest.channel == "lobby"


@pytest.mark.parametrize("offset", [6, 7])
def test_a_reader_that_has_seen_all_gets_nothing(offset: int) -> None:
    assert publications(4, 5, 6).after(offset) is None


def test_the_rest_of_an_event_is_encoded_for_itself() -> None:
    event, wire = publications(4, 5), JsonWire()
    wire.event(event, "anybody")

    rest = event.after(4)

    assert rest
    assert b"message 4" not in wire.event(rest, "anybody")[0]


# The JSON wire


def test_an_event_is_encoded_once_for_all_readers_and_connections() -> None:
    event = publications(1)

    (for_one,) = JsonWire().event(event, "one")
    (for_another,) = JsonWire().event(event, "another")

    assert for_one is for_another


def test_publications_that_were_stored_together_are_a_line_each() -> None:
    (encoded,) = JsonWire().event(publications(1, 2), "anybody")

    pushes = [json.loads(line)["push"] for line in text_of_frame(encoded).split(b"\n")]
    assert [push["channel"] for push in pushes] == ["lobby", "lobby"]
    assert [push["pub"]["offset"] for push in pushes] == [1, 2]


@pytest.mark.parametrize(
    ("event", "push"),
    [
        (PresenceChanged("lobby", "join", ANN), {"join": {"info": {}}}),
        (PresenceChanged("lobby", "leave", ANN), {"leave": {"info": {}}}),
        (Ephemeral("lobby", TYPING_DATA, ANN), {"pub": {"data": {"type": "typing"}, "info": {}}}),
    ],
)
def test_each_event_becomes_a_push_of_its_kind_with_its_author(
    event: Event, push: dict[str, dict[str, object]]
) -> None:
    (encoded,) = JsonWire().event(event, "anybody")

    info = {"user": "ann", "client": "client-of-ann", "conn_info": {"name": "Ann"}}
    (kind,) = push
    assert json.loads(text_of_frame(encoded)) == {"push": {"channel": "lobby", kind: {**push[kind], "info": info}}}


def test_opening_a_json_connection_stands_for_nothing_yet() -> None:
    assert JsonWire().opening() == []


def test_json_clients_are_pinged() -> None:
    assert JsonWire().pings
    assert text_of_frame(JsonWire().ping()) == b"{}"


def test_a_frame_is_taken_apart_by_the_protocol() -> None:
    assert JsonWire().decode('{"id":1,"unsubscribe":{"channel":"a"}}') == [Command(1, commands.Unsubscribe("a"))]


def test_success_failure_and_the_end_of_a_subscription_have_a_form() -> None:
    wire, command = JsonWire(), Command(1, commands.Publish("a"))

    assert json.loads(text_of_frame(wire.reply(command, results.Empty()))) == {"id": 1, "publish": {}}
    assert json.loads(text_of_frame(wire.error(command, PERMISSION_DENIED)))["error"]["code"] == 103
    assert json.loads(text_of_frame(wire.unsubscribed("a", 2500, "why"))) == {
        "push": {"channel": "a", "unsubscribe": {"code": 2500, "reason": "why"}}
    }
