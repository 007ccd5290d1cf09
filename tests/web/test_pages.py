from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import httpx
import pytest
from fastapi import FastAPI

from tests.server import Server, running
from web import pages
from web.pages import Served

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("path", ["/", "/r/tea-room"])
def test_the_page_is_served_for_the_lobby_and_for_every_room(server: Server, path: str) -> None:
    answer = httpx.get(server.url + path)

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "<title>" in answer.text


@pytest.mark.parametrize("path", ["/", "/static/app.js", "/static/style.css"])
def test_the_page_and_its_files_come_with_a_strict_content_security_policy(server: Server, path: str) -> None:
    headers = httpx.get(server.url + path).headers

    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"


PLAIN = {"Accept-Encoding": "identity"}
ENCODINGS = {"gzip": {"Accept-Encoding": "br, gzip"}, "plain": PLAIN}


@pytest.fixture(scope="module")
def versioned(server: Server) -> str:
    """Return where the page has its files from."""
    found = re.search(r"/static/[0-9a-f]{16}/", httpx.get(server.url).text)
    assert found
    return server.url + found[0]


@pytest.mark.parametrize("accepted", ENCODINGS.values(), ids=ENCODINGS.keys())
@pytest.mark.parametrize("path", ["/", "/r/tea", "/static/style.css", "/static/vendor/preact.js"])
def test_what_has_not_changed_is_not_sent_again(server: Server, path: str, accepted: dict[str, str]) -> None:
    first = httpx.get(server.url + path, headers=accepted)
    again = httpx.get(server.url + path, headers=accepted | {"If-None-Match": first.headers["etag"]})
    other = httpx.get(server.url + path, headers=accepted | {"If-None-Match": '"another"'})

    assert first.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert (other.status_code, other.content) == (200, first.content)


@pytest.mark.parametrize("path", ["/", "/static/app.js", "/static/style.css", "/static/favicon.svg"])
def test_texts_go_out_compressed_to_whom_that_is_right_and_are_the_same(server: Server, path: str) -> None:
    small = httpx.get(server.url + path, headers={"Accept-Encoding": "br;q=1, gzip;q=0.5"})
    plain = [
        httpx.get(server.url + path, headers={"Accept-Encoding": accepted})
        for accepted in ("", "identity", "br", "gzip;q=0", "gzip; q=0.000", "x-gzipped")
    ]

    assert small.headers["content-encoding"] == "gzip"
    assert int(small.headers["content-length"]) < len(small.content)
    for answer in plain:
        assert "content-encoding" not in answer.headers
        assert answer.content == small.content
        assert answer.headers["content-type"] == small.headers["content-type"]
        assert answer.headers["etag"] != small.headers["etag"]
        assert answer.headers["vary"] == small.headers["vary"] == "Accept-Encoding"


def test_texts_say_that_they_are_utf_8(server: Server) -> None:
    types = [
        httpx.get(server.url + path).headers["content-type"] for path in ("/", "/static/app.js", "/static/style.css")
    ]

    assert types == ["text/html; charset=utf-8", "text/javascript; charset=utf-8", "text/css; charset=utf-8"]


@pytest.mark.parametrize("accepted", ENCODINGS.values(), ids=ENCODINGS.keys())
def test_what_has_a_version_in_its_address_is_kept_for_ever(
    server: Server, versioned: str, accepted: dict[str, str]
) -> None:
    answer = httpx.get(versioned + "vendor/preact.js", headers=accepted)

    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.content == httpx.get(server.url + "/static/vendor/preact.js").content


def test_another_version_is_not_found(server: Server, versioned: str) -> None:
    assert httpx.get(versioned[:-2] + "/app.js").status_code == 404
    assert httpx.get(versioned.replace("/static/", "/static/0000/") + "app.js").status_code == 404
    assert httpx.get(versioned).status_code == 404


@pytest.mark.parametrize("accepted", ENCODINGS.values(), ids=ENCODINGS.keys())
def test_a_part_of_a_file_is_a_part_of_the_file_as_it_is(server: Server, accepted: dict[str, str]) -> None:
    whole = httpx.get(server.url + "/static/style.css", headers=PLAIN)
    part = httpx.get(server.url + "/static/style.css", headers=accepted | {"Range": "bytes=3-9"})
    beyond = httpx.get(server.url + "/static/style.css", headers=accepted | {"Range": "bytes=9999999-"})

    assert (part.status_code, part.content) == (206, whole.content[3:10])
    assert part.headers["content-range"] == f"bytes 3-9/{len(whole.content)}"
    assert beyond.status_code == 416


@pytest.mark.parametrize("accepted", ENCODINGS.values(), ids=ENCODINGS.keys())
@pytest.mark.parametrize("path", ["/", "/static/app.js"])
def test_head_is_get_without_the_content(server: Server, path: str, accepted: dict[str, str]) -> None:
    head, get = (httpx.request(method, server.url + path, headers=accepted) for method in ("HEAD", "GET"))

    assert (head.status_code, head.content) == (200, b"")
    assert {**head.headers, "date": ""} == {**get.headers, "date": ""}


@pytest.mark.anyio
async def test_who_works_on_the_page_sees_each_change_at_the_next_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "static"
    shutil.copytree(pages.STATIC, folder)
    monkeypatch.setattr(pages, "STATIC", folder)
    app = FastAPI()
    app.state.page = Served(None)
    app.include_router(pages.router)
    app.mount("/static", pages.page_files(app.state.page))

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://chat.example") as browser:
        before = (await browser.get("/")).text
        address = "/static/" + app.state.page.release.version + "/style.css"
        (folder / "style.css").write_text("p { color: red }")
        meanwhile = await browser.get(address)
        after = (await browser.get("/")).text
        gone = await browser.get(address)
        changed = await browser.get("/static/" + app.state.page.release.version + "/style.css")

    assert after != before
    assert (meanwhile.text, meanwhile.headers["cache-control"]) == ("p { color: red }", "no-cache")
    assert gone.status_code == 404
    assert changed.text == "p { color: red }"
    assert "immutable" in changed.headers["cache-control"]


def test_a_missing_file_is_not_found(server: Server) -> None:
    assert httpx.get(server.url + "/static/no-such.js").status_code == 404


@pytest.mark.parametrize("path", ["%2e%2e/app.py", "{version}/%2e%2e/%2e%2e/app.py", "{version}/%2fetc/passwd", "%00"])
def test_nothing_outside_of_the_folder_is_served(server: Server, versioned: str, path: str) -> None:
    path = path.format(version=versioned.split("/")[-2])

    assert httpx.get(f"{server.url}/static/{path}").status_code == 404


def test_a_monitor_may_ask_with_head(server: Server) -> None:
    assert httpx.head(server.url + "/").status_code == 200


@pytest.mark.parametrize("path", ["/connection/websocket", "/ws/7"])
def test_plain_http_to_a_websocket_address_is_told_to_upgrade(server: Server, path: str) -> None:
    answer = httpx.get(server.url + path)

    assert answer.status_code == 426
    assert answer.headers["upgrade"] == "websocket"


def test_the_page_may_fetch_tokens_from_where_the_setting_says_and_nowhere_else() -> None:
    served = Served("https://app.example/token?a=1&b=2")

    assert '<meta name="token-url" content="https://app.example/token?a=1&amp;b=2" />' in served.html
    assert "; connect-src 'self' https://app.example; " in served.headers["Content-Security-Policy"]


def test_what_the_page_may_fetch_from_is_what_browsers_are_told() -> None:
    address = "https://app.example/token"
    with running(CHAT_TOKEN_URL=address) as server:
        page, file = httpx.get(server.url), httpx.get(server.url + "/static/app.js")

    assert page.headers.get_list("content-security-policy") == [Served(address).headers["Content-Security-Policy"]]
    assert "app.example" not in file.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff"


def test_tokens_of_the_same_origin_need_no_exception() -> None:
    assert Served("/token").headers == Served(None).headers
    assert "token-url" not in Served(None).html
