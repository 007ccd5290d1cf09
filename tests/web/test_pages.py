from __future__ import annotations

import httpx
import pytest

from tests.server import Server, running
from web.pages import Served


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


def test_a_file_that_has_not_changed_is_not_sent_again(server: Server) -> None:
    first = httpx.get(server.url + "/static/style.css")
    again = httpx.get(server.url + "/static/style.css", headers={"If-None-Match": first.headers["etag"]})

    assert again.status_code == 304


def test_a_missing_file_is_not_found(server: Server) -> None:
    assert httpx.get(server.url + "/static/no-such.js").status_code == 404


def test_nothing_outside_of_the_folder_is_served(server: Server) -> None:
    assert httpx.get(server.url + "/static/%2e%2e/app.py").status_code == 404


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
