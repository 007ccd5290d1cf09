from __future__ import annotations

from typing import Any

import pytest

from chat.protocol.encoding import METHOD_OF, PUSHES
from chat.protocol.methods import CHAOS_METHODS
from chat.schema import DIALECT, components, document
from tests.schema import Kinds, Side

KINDS = Kinds(document())

INFO = {"user": "ann", "client": "c", "conn_info": {"name": "Ann", "colour": 3}}
MESSAGE = {"type": "message", "key": "k", "text": "hi", "time": 1}
PUBLICATION = {"data": MESSAGE, "info": INFO, "offset": 1, "time": 1}
SUBSCRIBED = {"recoverable": True, "positioned": True, "epoch": "e"}
UNREADABLE = {"type": "read", "channel": "lobby", "offset": "1"}


def command(**request: Any) -> dict[str, Any]:
    return {"id": 1, **request}


def rpc(method: str, **data: Any) -> dict[str, Any]:
    return command(rpc={"method": method, "data": data})


def published(**publication: Any) -> dict[str, Any]:
    return {"push": {"channel": "lobby", "pub": publication}}


def test_it_says_which_json_schema_it_is() -> None:
    assert document()["$schema"] == DIALECT


def test_it_has_every_command_every_reply_and_every_push() -> None:
    commands = METHOD_OF.values()

    assert KINDS.all("FromClient") == {*(f"command.{name}" for name in commands), "pong"}
    assert KINDS.all("FromServer") == {
        *(f"reply.{name}" for name in [*commands, "error"]),
        *(f"push.{name}" for name in PUSHES),
        "ping",
    }


def test_it_has_the_data_and_the_result_of_every_rpc_method() -> None:
    definitions = document()["$defs"]

    for method, (data, result) in CHAOS_METHODS.items():
        assert definitions[f"rpc.{method}"]["properties"]["method"] == {"enum": [method]}
        assert data.__name__ in definitions
        assert definitions[f"rpc.{method}.result"] == {"$ref": f"#/$defs/{result.__name__}"}


def test_what_there_is_to_choose_from_is_described_in_the_words_of_the_code() -> None:
    definitions = document()["$defs"]

    for name in KINDS.all("FromClient") | KINDS.all("FromServer"):
        assert definitions[name]["description"]
    assert definitions["command.publish"]["description"].startswith("Publish any JSON.")


def test_what_holds_encoded_json_is_described_by_what_is_in_it_wherever_it_is_referred_to() -> None:
    (found,), referred = components([PUSHES["join"][1]], "#/elsewhere/{name}")

    assert found == {"$ref": "#/elsewhere/PresenceChange"}
    assert referred["ClientInfo"]["properties"]["conn_info"]["type"] == "object"


@pytest.mark.parametrize(
    ("side", "line", "kind"),
    [
        ("FromClient", {}, "pong"),
        ("FromClient", command(connect={"name": "js", "data": {"name": "Ann"}}), "command.connect"),
        ("FromClient", rpc("send", channel="lobby", key="k", text="hi", colour="red"), "command.rpc"),
        ("FromClient", command(rpc={"method": "mine"}), "command.rpc"),
        ("FromServer", {}, "ping"),
        ("FromServer", command(subscribe={**SUBSCRIBED, "publications": [PUBLICATION]}), "reply.subscribe"),
        ("FromServer", command(error={"code": 100, "message": "m", "temporary": True}), "reply.error"),
        ("FromServer", published(**PUBLICATION), "push.publication"),
        ("FromServer", published(**PUBLICATION | {"data": ["any", "json"]}), "push.publication"),
        ("FromServer", published(data={"type": "typing"}, info=INFO), "push.passing"),
        ("FromServer", published(data={"type": "left", "channel": "lobby"}), "push.notice"),
    ],
)
def test_a_line_is_of_one_kind(side: Side, line: Any, kind: str) -> None:
    assert KINDS.of(side, line) == [kind]


@pytest.mark.parametrize(
    "line",
    [
        {"id": 1},
        {"connect": {}},
        command(dance={}),
        {"id": 0, "connect": {}},
        {"id": 2**32, "connect": {}},
        command(connect={"token": 1}),
        command(connect={"data": {"name": 1}}),
        command(subscribe={}),
        command(subscribe={"channel": ""}),
        command(subscribe={"channel": "lobby", "offset": -1}),
        command(history={"channel": "lobby", "since": {"offset": "1"}}),
        rpc("dance"),
        command(rpc={"method": "send"}),
        rpc("send", channel="lobby", text="no key"),
        rpc("send", channel="lobby", key="k", text="hi", mentions=["ann"]),
        rpc("delete", channel="lobby", target=0),
        rpc("messages", channel="lobby", limit=0),
        rpc("names", users=["u"] * 101),
        rpc("notify", channel="lobby", on="yes"),
    ],
)
def test_a_line_that_a_client_should_not_send_is_of_no_kind(line: Any) -> None:
    assert KINDS.of("FromClient", line) == []


def test_two_commands_are_no_line() -> None:
    line = command(presence={"channel": "lobby"}, history={"channel": "lobby"})

    assert not KINDS.named("FromClient").is_valid(line)


@pytest.mark.parametrize(
    "line",
    [
        {"id": 1},
        {"push": {}},
        {"push": {"channel": "lobby"}},
        {"push": {"channel": "lobby", "dance": {}}},
        {"push": {"channel": "lobby", "join": {"info": {**INFO, "conn_info": "Ann"}}}},
        {"push": {"channel": "lobby", "join": {"info": INFO}, "leave": {"info": INFO}}},
        {"push": {"channel": "lobby", "unsubscribe": {"code": 2500}}},
        command(subscribe={}),
        command(subscribe={**SUBSCRIBED, "publications": [{"data": 1}]}),
        command(subscribe={**SUBSCRIBED, "unheard": "of"}),
        command(error={"code": 100}),
        command(publish={}, error={"code": 100, "message": "m"}),
        command(rpc={"data": {"offset": 1, "epoch": "e"}}),
        command(rpc={"data": {"messages": [{"offset": 1, "data": MESSAGE}], "offset": 1, "epoch": "e"}}),
        command(rpc={"data": {"members": [{"user": "ann", "name": "Ann", "state": "asleep"}]}}),
        published(**PUBLICATION | {"data": {"type": "edit", "text": "no target", "time": 1}}),
        published(**PUBLICATION | {"data": {"type": "topic"}}),
        published(data=MESSAGE, info=INFO),
        published(data={"type": "presence", "state": "asleep"}, info=INFO),
        published(data={"type": "typing"}, info=INFO, offset=1),
        published(data=UNREADABLE),
        published(data={"type": "direct", "channel": "dm#a,b", "offset": 1, "time": 1, "text": "x" * 201}),
        published(data={"type": "invited", "channel": "$den"}),
    ],
)
def test_a_line_that_the_server_does_not_send_is_of_no_kind(line: Any) -> None:
    assert KINDS.of("FromServer", line) == []
