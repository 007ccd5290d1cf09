from __future__ import annotations

import pytest

from chat.errors import bad_request
from chat.framing import text_of_frame
from chat.log import Author, Entry
from chat.plaintext import PlainText, is_client_id
from chat.protocol import commands, publications, results
from chat.protocol.calls import SendMessage
from chat.wire import Ephemeral, Event, PresenceChanged, Publications, Published
from tests.fakes import ANN, BOB, NOON_MS


def lines(event: Event, reader: str = "reader") -> list[bytes]:
    """Return what a reader gets of an event, frame by frame."""
    return [text_of_frame(frame) for frame in wire().event(event, reader)]


def wire() -> PlainText:
    return PlainText("7", "lobby")


def said(author: Author, *texts: str) -> Publications:
    entries = [
        Entry(offset, "", author, NOON_MS, publications.message_data(SendMessage("lobby", "k", text), NOON_MS))
        for offset, text in enumerate(texts, start=1)
    ]
    return Publications("lobby", [Published(entry) for entry in entries])


# Client ids


@pytest.mark.parametrize(
    "client_id",
    [
        "0",
        "7",
        "-7",
        "9007199254740992",
        "-9007199254740992",
        "007",
        "ann",
        "_x",
        "sensor.kitchen-2",
        "7up",
        "Ünal",
        "a" * 32,
    ],
)
def test_an_integer_up_to_2_53_or_a_short_name_is_a_client_id(client_id: str) -> None:
    assert is_client_id(client_id)


@pytest.mark.parametrize(
    "client_id",
    [
        "",
        "9007199254740993",
        "1" * 17,
        "1" * 5000,
        "-",
        "--1",
        ".hidden",
        "-x",
        "a b",
        "a\n",
        "a/b",
        "a:b",
        "a" * 33,
        "<b>",
        "٣" * 17,
    ],
)
def test_anything_else_is_no_client_id(client_id: str) -> None:
    assert not is_client_id(client_id)


# Commands


def test_opening_a_plain_text_connection_connects_under_its_id_and_enters_the_lobby() -> None:
    connect, subscribe = wire().opening()

    assert isinstance(connect.request, commands.Connect)
    assert commands.decode_connect_data(connect.request.data).name == "Client 7"
    assert subscribe.request == commands.Subscribe("lobby")


@pytest.mark.parametrize("frame", ["hello", "two\nlines", "", '{"id":1,"connect":{}}'])
def test_every_frame_is_a_message_to_the_lobby(frame: str) -> None:
    (command,) = wire().decode(frame)

    assert isinstance(command.request, SendMessage)
    assert (command.request.channel, command.request.text) == ("lobby", frame)


def test_the_same_line_again_is_another_message() -> None:
    (first,), (second,) = wire().decode("yes"), wire().decode("yes")

    assert first != second


# Lines


def test_what_somebody_said_is_a_line_with_its_author() -> None:
    event = said(Author("u", "c", "Client 3"), "hello")

    assert lines(event) == [b"Client 3: hello"]


def test_the_author_is_called_a_client_whatever_its_name() -> None:
    assert lines(said(ANN, "hello")) == [b"Client Ann: hello"]


def test_messages_that_were_stored_together_are_a_line_each() -> None:
    assert lines(said(ANN, "one", "two")) == [b"Client Ann: one", b"Client Ann: two"]


def test_nobody_is_told_what_it_said_itself() -> None:
    event = said(ANN, "mine")
    event.items = [*event.items, *said(BOB, "his").items]

    assert lines(event, ANN.client) == [b"Client Bob: his"]


def test_a_line_is_encoded_once_for_all_readers() -> None:
    event = said(ANN, "hello")

    (for_one,), (for_another,) = wire().event(event, "one"), wire().event(event, "another")

    assert for_one is for_another


@pytest.mark.parametrize(
    "event",
    [PresenceChanged("lobby", "join", ANN), Ephemeral("lobby", publications.TYPING_DATA, ANN)],
    ids=["join", "typing"],
)
def test_presence_and_typing_have_no_form(event: Event) -> None:
    assert wire().event(event, "reader") == ()


def test_success_is_silent() -> None:
    (command,) = wire().decode("hello")

    assert wire().reply(command, results.Empty()) is None  # type: ignore[func-returns-value]


def test_a_refused_message_is_answered_with_a_line() -> None:
    (command,) = wire().decode(" ")

    error = wire().error(command, bad_request("text is empty").error)
    assert text_of_frame(error) == b"Error 107: bad request: text is empty"


def test_the_end_of_the_subscription_has_no_form() -> None:
    assert wire().unsubscribed("lobby", 2500, "why") is None  # type: ignore[func-returns-value]


def test_plain_text_clients_are_not_pinged() -> None:
    assert not wire().pings
