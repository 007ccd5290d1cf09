"""The examples in web/PROTOCOL.md are put to a real server, in their order."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from chat.protocol.methods import RPC_METHODS
from chat.schema import document
from chat.server_api import METHODS
from tests.examples import Meaning, Turn, blocks
from tests.schema import Kinds, Side
from tests.server import running
from tests.tokens import SECRET, token

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

    from tests.server import Server

DOCUMENT = (Path(__file__).parents[1] / "web/PROTOCOL.md").read_text()
WAIT_S = 10
KEY = "some-long-secret"
KINDS = Kinds(document())
TOKENS = {
    "ada": token(sub="ada", info={"name": "Ada"}),
    "mo": token(sub="mo", info={"name": "Mo"}, meta={"role": "moderator"}),
}


def section(heading: str) -> list[list[Turn]]:
    """Return the examples of a chapter."""
    return blocks(re.split(r"^## ", DOCUMENT.split(f"\n## {heading}", 1)[1], flags=re.MULTILINE)[0])


JSON, API = section("JSON"), section("Server API")


def test_they_are_what_a_server_says() -> None:
    settings = {"CHAT_TOKEN_SECRET": SECRET, "CHAT_API_KEY": KEY, "CHAT_PING_INTERVAL_S": "1"}
    meaning = Meaning(TOKENS)
    with running(**settings, CHAT_PONG_TIMEOUT_S="0.9") as server:
        something_was_said_before(server)
        converse(server, JSON, meaning)
        ask(server, API, meaning)


def test_every_rpc_method_has_one() -> None:
    asked = {
        value["rpc"]["method"]
        for block in JSON
        for turn in block
        if turn.sent
        for value in turn.values()
        if "rpc" in value
    }

    assert RPC_METHODS.keys() - asked == set()


def test_every_method_of_the_server_api_has_one() -> None:
    asked = {turn.lines[0].removeprefix("POST /api/") for block in API for turn in block if turn.sent}

    assert METHODS.keys() - asked == set()


def something_was_said_before(server: Server) -> None:
    message = {"channel": "lobby", "data": {"type": "message", "text": "before"}}
    answer = httpx.post(f"{server.url}/api/publish", json=message, headers={"X-API-Key": KEY})
    assert "result" in answer.json()


def converse(server: Server, examples: list[list[Turn]], meaning: Meaning) -> None:
    """Say what the client says, and see that it hears what it is to hear, in any order until it speaks again."""
    # A connection stays when the next one is opened: to the server, all of them are there.
    with contextlib.ExitStack() as connections:
        connection: ClientConnection | None = None
        for block in examples:
            for sent, turns in itertools.groupby(block, lambda turn: turn.sent):
                frames = [turn.values() for turn in turns]
                if sent and "connect" in frames[0][0]:
                    connection = connections.enter_context(server.websocket())
                assert connection
                if sent:
                    for frame in frames:
                        lines = [meaning.to_send(value) for value in frame]
                        check("FromClient", lines)
                        connection.send("\n".join(map(json.dumps, lines)))
                else:
                    hear(connection, list(itertools.chain(*frames)), meaning)


def hear(connection: ClientConnection, wanted: list[Any], meaning: Meaning) -> None:
    """Wait until all that is wanted has come. Pushes may be left out of an example, replies may not."""
    until = time.monotonic() + WAIT_S
    while wanted:
        assert time.monotonic() < until, f"did not come: {wanted}\nwhere {meaning.stands_for}"
        for line in str(connection.recv(timeout=10)).split("\n"):
            came = json.loads(line)
            check("FromServer", [came])
            found = next((value for value in wanted if meaning.fits(value, came)), None)
            if found is not None:
                wanted.remove(found)
            elif came == {}:
                connection.send("{}")
            else:
                assert "push" in came, f"came {came}\nexpected one of {wanted}\nwhere {meaning.stands_for}"


def check(side: Side, lines: list[Any]) -> None:
    """See that each line is of one kind, by the schema."""
    assert [line for line in lines if len(KINDS.of(side, line)) != 1] == []


def ask(server: Server, examples: list[list[Turn]], meaning: Meaning) -> None:
    """Send the requests; compare the answers."""
    answer: Any = None
    for turn in [turn for block in examples for turn in block]:
        if turn.sent:
            (method, path), *headers = turn.lines[0].split(), *(line.split(": ", 1) for line in turn.lines[1:-1])
            body = meaning.to_send(json.loads(turn.lines[-1]))
            answer = httpx.request(method, server.url + path, json=body, headers={"X-API-Key": KEY, **dict(headers)})
        else:
            (written,) = turn.values()
            assert meaning.fits(written, answer.json()), f"expected {written}\ncame {answer.json()}"
