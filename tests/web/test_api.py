"""The server API's manners in HTTP: keys, statuses, bodies, and the document that describes it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, Final

import httpx
import pytest
from fastapi import FastAPI
from pykka import ActorDeadError

from actors.runtime import MailboxFull
from chat.counts import Counts
from tests.server import Member, Server, running
from web.api import WRONG_KEYS_AT_ONCE, make_router

KEY: Final = "a-key-for-the-tests"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Run a server with its API switched on."""
    with running(CHAT_API_KEY=KEY) as server:
        yield server


@pytest.fixture
def api(server: Server) -> Iterator[httpx.Client]:
    """Yield a client that has the key."""
    with httpx.Client(base_url=server.url + "/api", headers={"X-API-Key": KEY}) as client:
        yield client


def test_without_a_key_configured_there_is_no_api() -> None:
    with running() as server:
        answers = [httpx.post(f"{server.url}/api/{method}", json={}) for method in ("info", "batch")]
        answers.append(httpx.get(server.url + "/api/openapi.json"))

    assert [answer.status_code for answer in answers] == [404] * 3


@pytest.mark.parametrize(
    "headers",
    [{}, {"X-API-Key": ""}, {"X-API-Key": KEY[:-1]}, {"X-API-Key": KEY + "é"}, {"Authorization": f"Bearer {KEY}"}],
)
def test_the_wrong_key_is_401(server: Server, headers: dict[str, str]) -> None:
    latin = {name.encode(): value.encode("latin-1") for name, value in headers.items()}

    answer = httpx.post(server.url + "/api/info", json={}, headers=latin)

    assert answer.status_code == 401
    assert KEY not in answer.text


def test_who_tries_keys_is_told_to_stop_and_neither_others_nor_who_has_the_key_are() -> None:
    with running(CHAT_API_KEY=KEY, CHAT_METRICS="on") as server, httpx.Client(base_url=server.url) as client:

        def status(key: str, address: str) -> int:
            headers = {"X-API-Key": key, "X-Forwarded-For": address}
            return client.post("/api/info", json={}, headers=headers).status_code

        tried = [status(f"key {number}", "192.0.2.1") for number in range(WRONG_KEYS_AT_ONCE + 10)]
        others = status("key", "192.0.2.2"), status(KEY, "192.0.2.1")
        figures = client.get("/metrics").text

    assert tried[:WRONG_KEYS_AT_ONCE] == [401] * WRONG_KEYS_AT_ONCE
    assert tried[-1] == 429
    assert others == (401, 200)
    assert f'parley_limits_hit_total{{limit="api_key"}} {tried.count(429)}.0' in figures
    assert f'parley_auth_failures_total{{reason="api_key"}} {tried.count(401) + 1}.0' in figures


@pytest.mark.parametrize("headers", [{"X-API-Key": KEY}, {"Authorization": f"apikey {KEY}"}])
def test_the_key_may_be_in_either_header(server: Server, headers: dict[str, str]) -> None:
    assert httpx.post(server.url + "/api/info", json={}, headers=headers).status_code == 200


def test_the_key_is_not_taken_from_the_address_which_is_logged(server: Server) -> None:
    assert httpx.post(f"{server.url}/api/info?api_key={KEY}", json={}).status_code == 401


def test_a_result_comes_as_result_and_an_error_as_error_both_with_200(api: httpx.Client) -> None:
    done = api.post("/publish", json={"channel": "results", "data": {"a": 1}})
    refused = api.post("/publish", json={"channel": " ", "data": 1})
    wrong = api.post("/publish", json={"channel": "results"})

    assert (done.status_code, done.json()["result"]["offset"]) == (200, 1)
    assert (refused.status_code, refused.json()["error"]["code"]) == (200, 107)
    assert "outer spaces" in refused.json()["error"]["message"]
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (200, 107)
    assert "data" in wrong.json()["error"]["message"]


def test_the_body_is_json_whatever_its_type_is_said_to_be(api: httpx.Client) -> None:
    """`curl --data` says that it is a form."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    answer = api.post("/publish", content=b'{"channel":"forms","data":1}', headers=headers)

    assert answer.json()["result"]["offset"] == 1


@pytest.mark.parametrize("method", ["publish", "batch"])
def test_what_is_no_json_is_400(api: httpx.Client, method: str) -> None:
    assert api.post(f"/{method}", content=b"{").status_code == 400


def test_a_body_that_is_too_long_is_413(api: httpx.Client) -> None:
    answer = api.post("/publish", content=b'{"channel":"lobby","data":"' + b"a" * 1_048_576 + b'"}')

    assert answer.status_code == 413


def test_a_method_that_does_not_exist_is_404(api: httpx.Client) -> None:
    assert api.post("/rpc", json={}).status_code == 404


def test_a_broadcast_is_answered_for_each_channel(api: httpx.Client) -> None:
    answer = api.post("/broadcast", json={"channels": ["news", " ", "news"], "data": 1, "idempotency_key": "k"})

    first, refused, again = answer.json()["result"]["responses"]
    assert first == again
    assert first["result"]["offset"] == 1
    assert refused["error"]["code"] == 107


@pytest.mark.parametrize("parallel", [False, True])
def test_a_batch_is_answered_command_by_command(api: httpx.Client, parallel: bool) -> None:  # noqa: FBT001
    channel = f"batch {parallel}"
    commands: list[dict[str, Any]] = [
        {"publish": {"channel": channel, "data": 1}},
        {"publish": {"channel": ""}},
        {"rpc": {}},
        {"history": {"channel": "another"}},
        {"disconnect": {"user": "nobody"}},
    ]

    replies = api.post("/batch", json={"commands": commands, "parallel": parallel}).json()["replies"]

    assert [next(iter(reply)) for reply in replies] == ["publish", "error", "error", "history", "disconnect"]
    assert [reply["error"]["code"] for reply in replies if "error" in reply] == [107, 104]


def test_a_batch_that_is_none_is_a_bad_request(api: httpx.Client) -> None:
    assert api.post("/batch", json={"commands": 1}).json()["error"]["code"] == 107


def test_the_document_describes_every_method_and_asks_for_the_key(server: Server) -> None:
    document = httpx.get(server.url + "/api/openapi.json").json()

    methods = {path.removeprefix("/api/"): path for path in document["paths"] if path.startswith("/api/")}
    publish = document["paths"]["/api/publish"]["post"]
    reference = publish["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    text = json.dumps(document)
    assert len(methods) == 13
    assert document["components"]["schemas"][reference.rpartition("/")[2]]["required"] == ["data", "channel"]
    assert publish["security"] == [{"APIKeyHeader": []}]
    referred = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert referred <= document["components"]["schemas"].keys()


class Chat:
    """A chat whose API actor answers every request in one way."""

    def __init__(self, what: Exception) -> None:
        self.counts = Counts()
        self._what = what

    async def call(self, request: Any) -> Any:
        raise self._what


async def answered(what: Exception, *, draining: bool = False) -> httpx.Response:
    app = FastAPI()
    app.include_router(make_router(KEY))
    app.state.chat, app.state.gateway = Chat(what), SimpleNamespace(draining=draining)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers={"X-API-Key": KEY}) as client:
        return await client.post("/api/info", json={})


@pytest.mark.anyio
async def test_what_comes_while_the_server_drains_is_503() -> None:
    assert (await answered(MailboxFull("/api"), draining=True)).status_code == 503


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("what", "code"), [(MailboxFull("/api"), 111), (ActorDeadError("/api"), 100), (ZeroDivisionError(), 100)]
)
async def test_an_actor_that_cannot_take_the_request_is_an_error(what: Exception, code: int) -> None:
    answer = await answered(what)

    assert (answer.status_code, answer.json()["error"]["code"]) == (200, code)


def test_the_key_is_in_no_line_of_the_log(server: Server, api: httpx.Client) -> None:
    api.post("/info", json={})
    httpx.post(server.url + "/api/info", json={}, headers={"X-API-Key": "wrong-" + KEY})
    server.wait_for_log(lambda event: event["event"] == "api.unauthorized")

    assert not [line for line in server.lines if KEY in line]


def test_a_member_gets_what_is_published(server: Server, api: httpx.Client) -> None:
    member = Member(server, "Ann")
    member.call(subscribe={"channel": "members"})

    api.post("/publish", json={"channel": "members", "data": {"type": "message", "text": "hello"}})

    assert member.publication()["data"] == {"type": "message", "text": "hello"}
    member.close()
