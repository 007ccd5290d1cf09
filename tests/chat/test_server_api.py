"""The server API's requests, as its clients write them, and what they must not ask for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chat.errors import FORCE_DISCONNECT, NOT_AVAILABLE, CloseReason, CommandError
from chat.protocol.results import Empty
from chat.server_api import (
    METHODS,
    Batch,
    Broadcast,
    DisconnectReason,
    MalformedError,
    Publish,
    PublishResult,
    close_reason,
    decode,
    decode_batch,
    encode_replies,
    schemas,
)


def body(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def test_data_is_passed_on_as_it_is_written() -> None:
    request = decode("publish", b'{"channel": "lobby", "data": {"n": 1.0, "u": "\\u00e9"}}')

    assert isinstance(request, Publish)
    assert bytes(request.data) == b'{"n": 1.0, "u": "\\u00e9"}'


def test_null_is_data() -> None:
    request = decode("publish", b'{"channel":"lobby","data":null}')

    assert isinstance(request, Publish)
    assert bytes(request.data) == b"null"


def test_fields_that_are_not_known_are_ignored() -> None:
    assert decode("info", body(of="another version")) is not None


@pytest.mark.parametrize("empty", [None, False, "", {}, [], 0])
def test_what_is_not_supported_may_be_there_if_it_is_empty(empty: Any) -> None:
    assert decode("publish", body(channel="lobby", data=1, tags=empty, skip_history=empty)) is not None


@pytest.mark.parametrize(
    ("method", "field", "value"),
    [
        *[("publish", field, value) for field, value in (("skip_history", True), ("tags", {"a": "b"}), ("version", 1))],
        *[("broadcast", "b64data", "e30="), ("disconnect", "session", "s"), ("refresh", "session", "s")],
        *[("subscribe", field, {"a": 1}) for field in ("info", "b64info", "b64data", "override", "session")],
    ],
)
def test_what_is_not_supported_is_refused_rather_than_forgotten(method: str, field: str, value: Any) -> None:
    fields = {"channel": "lobby", "channels": ["lobby"], "data": 1, "user": "ann", field: value}

    with pytest.raises(CommandError, match=f"{field} is not supported"):
        decode(method, body(**fields))


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("publish", {"channel": "lobby"}),
        ("publish", {"data": 1}),
        ("publish", {"channel": 1, "data": 1}),
        ("publish", {"channel": "lobby", "data": 1, "idempotency_key": 1}),
        ("broadcast", {"channels": [], "data": 1}),
        ("broadcast", {"channels": ["a"] * 1_001, "data": 1}),
        ("history", {"channel": "lobby", "limit": -2}),
        ("history", {"channel": "lobby", "since": {"offset": -1}}),
        ("disconnect", {}),
        ("disconnect", {"user": ""}),
        ("refresh", {"user": "ann", "expire_at": -1}),
        ("refresh", {"user": "ann", "expire_at": 2**62}),
        ("presence", []),
    ],
)
def test_json_that_is_no_such_request_is_a_bad_request(method: str, fields: Any) -> None:
    with pytest.raises(CommandError) as failure:
        decode(method, json.dumps(fields).encode())

    assert failure.value.error.code == 107


NO_JSON = (b"", b"{", b"\xff", b'{"channel":"\xff","data":1}', b'{"channel":"lobby","data":' + b"[" * 10_000)


@pytest.mark.parametrize("text", NO_JSON)
def test_what_is_no_json_is_told_from_that(text: bytes) -> None:
    with pytest.raises(MalformedError):
        decode("publish", text)


def test_a_batch_that_is_no_json_is_told_as_well() -> None:
    with pytest.raises(MalformedError):
        decode_batch(b'{"commands":[')


def test_a_broadcast_is_a_publish_to_each_channel() -> None:
    request = decode("broadcast", body(channels=["a", "b"], data=1, idempotency_key="k"))

    assert isinstance(request, Broadcast)
    assert [(publish.channel, publish.idempotency_key) for publish in request.publishes()] == [("a", "k"), ("b", "k")]


def test_the_commands_of_a_batch_are_read_one_by_one() -> None:
    batch = decode_batch(body(commands=[{"publish": {"channel": 1}}, {"info": {}}], parallel=True))

    assert isinstance(batch, Batch)
    assert [list(command) for command in batch.commands] == [["publish"], ["info"]]


def test_replies_are_named_by_their_methods_and_errors_are_not() -> None:
    replies = encode_replies([("publish", PublishResult(1, "e")), ("info", NOT_AVAILABLE), ("refresh", Empty())])

    assert json.loads(replies) == {
        "replies": [
            {"publish": {"offset": 1, "epoch": "e"}},
            {"error": {"code": 108, "message": "not available"}},
            {"refresh": {}},
        ]
    }


def test_a_close_reason_may_be_left_to_the_server() -> None:
    assert close_reason(DisconnectReason(), FORCE_DISCONNECT) is FORCE_DISCONNECT
    assert close_reason(DisconnectReason(4000, "bye"), FORCE_DISCONNECT) == CloseReason(4000, "bye")


@pytest.mark.parametrize(
    ("code", "reason"),
    [(0, "x"), (1000, "x"), (2999, "x"), (5000, "x"), (4000, ""), (4000, "42"), (4000, "{}"), (4000, "é" * 62)],
)
def test_a_close_reason_that_would_confuse_an_sdk_is_refused(code: int, reason: str) -> None:
    with pytest.raises(CommandError, match="disconnect"):
        close_reason(DisconnectReason(code, reason), FORCE_DISCONNECT)


def test_every_request_and_result_is_described() -> None:
    described, components = schemas("#/components/schemas/{name}")

    assert described.keys() == METHODS.keys()
    assert set(components["Publish"]["required"]) == {"channel", "data"}
    pages = components["HistoryResult"]["properties"]["publications"]
    assert pages["items"] == {"$ref": "#/components/schemas/Publication"}
    assert {"MessageData", "EditData", "ClientInfo"} <= components.keys()
    assert {asked["$ref"] for asked, _ in described.values()} <= {f"#/components/schemas/{name}" for name in components}
