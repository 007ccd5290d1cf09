"""Where the schema of the wire is to be had."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest

from chat.schema import document
from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.server import Server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


def get(server: Server, **headers: str) -> httpx.Response:
    return httpx.get(f"{server.url}/connection/schema.json", headers={"Accept-Encoding": "identity", **headers})


def test_anybody_gets_it(server: Server) -> None:
    answer = get(server)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/schema+json"
    assert answer.json() == json.loads(json.dumps(document()))


def test_it_is_asked_for_again_and_comes_only_if_it_changed(server: Server) -> None:
    first = get(server)
    again = get(server, **{"If-None-Match": first.headers["ETag"]})
    another = get(server, **{"If-None-Match": '"another"'})

    assert first.headers["Cache-Control"] == "no-cache"
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert another.status_code == 200


def test_it_comes_compressed_to_who_can_read_that(server: Server) -> None:
    plain, zipped = get(server), get(server, **{"Accept-Encoding": "gzip"})

    assert zipped.json() == plain.json()
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert zipped.headers["ETag"] != plain.headers["ETag"]
    assert zipped.headers["Vary"] == "Accept-Encoding"
    assert int(zipped.headers["Content-Length"]) < len(plain.content) / 5
