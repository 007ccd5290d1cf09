from __future__ import annotations

from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from websockets.exceptions import InvalidStatus

from tests.server import Server, running
from web.api import MAX_BODY_BYTES
from web.security_headers import HEADERS, AddSecurityHeaders, internal_error

ANSWERS = {
    "the page": ("GET", "/", 200),
    "a file of the page": ("GET", "/static/app.js", 200),
    "health": ("GET", "/healthz", 200),
    "a missing file": ("GET", "/static/no-such.js", 404),
    "nothing": ("GET", "/no-such", 404),
    "a method that is not allowed": ("DELETE", "/", 405),
    "a WebSocket without an upgrade": ("GET", "/ws/7", 426),
}


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS.values(), ids=ANSWERS.keys())
def test_every_answer_has_the_headers(server: Server, method: str, path: str, status: int) -> None:
    answer = httpx.request(method, server.url + path)

    assert answer.status_code == status
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "strict-transport-security" not in answer.headers


def test_the_server_api_and_the_figures_have_the_headers() -> None:
    key = "a-key-for-the-tests"
    with (
        running(CHAT_API_KEY=key, CHAT_METRICS="on") as server,
        httpx.Client(base_url=server.url, headers={"X-API-Key": key}) as api,
    ):
        answers = [
            api.get("/metrics"),
            api.get("/api/openapi.json"),
            api.post("/api/info", json={}),
            api.post("/api/info", json={}, headers={"X-API-Key": "another"}),
            api.post("/api/info", content=b" " * (MAX_BODY_BYTES + 1)),
        ]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 401, 413]
    assert all({name: answer.headers[name] for name in HEADERS} == HEADERS for answer in answers)


def test_the_policy_allows_nothing_inline_nothing_evaluated_and_no_frame() -> None:
    policy = dict(part.split(" ", 1) for part in HEADERS["Content-Security-Policy"].split("; "))

    assert "unsafe" not in str(policy)
    assert policy["default-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["object-src"] == "'none'"
    assert policy["form-action"] == "'self'"


def test_a_refused_handshake_has_the_headers(server: Server) -> None:
    with pytest.raises(InvalidStatus) as refused, server.websocket("/ws/no,name"):
        pass

    assert {name: refused.value.response.headers[name] for name in HEADERS} == HEADERS


def test_what_goes_out_by_tls_asks_for_tls_from_then_on(server: Server) -> None:
    answer = httpx.get(server.url, headers={"X-Forwarded-Proto": "https"})  # as a proxy that is trusted says it

    assert answer.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.anyio
async def test_an_answer_to_our_own_failure_says_nothing_of_it_and_has_the_headers() -> None:
    app = FastAPI(exception_handlers={Exception: internal_error})
    app.add_middleware(AddSecurityHeaders)

    @app.get("/")
    async def fail() -> Any:
        raise RuntimeError("the password is 1234")

    failing = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=failing, base_url="http://chat.example") as client:
        answer = await client.get("/")

    assert (answer.status_code, answer.text) == (500, "internal server error\n")
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
