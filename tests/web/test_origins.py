"""Whose pages may connect: a table of what browsers, and those who try, put into `Origin`."""

from __future__ import annotations

from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.server import Server, running
from web.origins import Origins, origin_of

HOST = "chat.example"
LISTED = ["https://app.example", "http://localhost:3000"]

SAME = [
    ("ws", HOST, f"http://{HOST}"),
    ("wss", HOST, f"https://{HOST}"),
    ("ws", f"{HOST}:8000", f"http://{HOST}:8000"),
    ("wss", f"{HOST}:443", f"https://{HOST}"),  # a proxy that spells the port out
    ("ws", f"{HOST}:80", f"http://{HOST}"),
    ("ws", "[::1]:8000", "http://[::1]:8000"),
]

FOREIGN = {
    "of a sandboxed frame, or a file": "null",
    "nothing": "",
    "of another scheme": f"http://{HOST}",
    "of a scheme that is no page's": f"wss://{HOST}",
    "of another port": f"https://{HOST}:8443",
    "of another host": "https://evil.example",
    "with ours as its beginning": f"https://{HOST}.evil.example",
    "with ours as its end": f"https://evil-{HOST}",
    "below ours": f"https://sub.{HOST}",
    "above ours": "https://example",
    "with ours as a user name": f"https://{HOST}@evil.example",
    "with ours as a path": f"https://evil.example/https://{HOST}",
    "in upper case": f"https://{HOST.upper()}",
    "with its scheme in upper case": f"HTTPS://{HOST}",
    "with a slash at its end": f"https://{HOST}/",
    "with a dot at its end": f"https://{HOST}.",
    "with the default port": f"https://{HOST}:443",
    "with a space": f"https://{HOST} ",
    "that is two": f"https://{HOST}, https://evil.example",
    "that is two others": f"https://evil.example https://{HOST}",
    "without a scheme": HOST,
    "that is a wild card": "*",
    "that is no ASCII": "https://ch\N{LATIN SMALL LETTER A WITH DIAERESIS}t.example",
}


def handshake(*origins: str, scheme: str = "wss", host: str = HOST) -> dict[str, Any]:
    """Return a scope, as far as it matters."""
    headers = [(b"host", host.encode()), *((b"origin", origin.encode("latin-1")) for origin in origins)]
    return {"type": "websocket", "scheme": scheme, "headers": headers}


@pytest.mark.parametrize(("scheme", "host", "origin"), SAME)
def test_a_page_from_the_same_address_may_connect(scheme: str, host: str, origin: str) -> None:
    assert Origins().allow(handshake(origin, scheme=scheme, host=host))


@pytest.mark.parametrize("origin", FOREIGN.values(), ids=FOREIGN.keys())
def test_an_origin_is_foreign(origin: str) -> None:
    assert not Origins().allow(handshake(origin))
    assert not Origins(LISTED).allow(handshake(origin))


def test_what_is_no_page_names_no_origin_and_may_connect() -> None:
    assert Origins().allow(handshake())


@pytest.mark.parametrize("origin", LISTED)
def test_a_listed_origin_may_connect_and_only_that(origin: str) -> None:
    assert Origins(LISTED).allow(handshake(origin))
    assert not Origins(LISTED).allow(handshake(origin + "1"))
    assert not Origins().allow(handshake(origin))


def test_with_a_list_the_page_of_the_chat_itself_may_still_connect() -> None:
    assert Origins(LISTED).allow(handshake(f"https://{HOST}"))


def test_with_a_wild_card_any_page_may_connect() -> None:
    assert all(Origins(["*"]).allow(handshake(origin)) for origin in FOREIGN.values())


def test_who_names_two_origins_has_none() -> None:
    scope = handshake(f"https://{HOST}", f"https://{HOST}")

    assert not Origins().allow(scope)
    assert origin_of(scope) == f"https://{HOST}, https://{HOST}"


@pytest.mark.parametrize("hosts", [[], [HOST, HOST]])
def test_without_one_host_no_origin_is_the_same(hosts: list[str]) -> None:
    scope = handshake(f"https://{HOST}")
    scope["headers"] = [*((b"host", host.encode()) for host in hosts), scope["headers"][-1]]

    assert not Origins().allow(scope)


@pytest.mark.parametrize("path", ["/connection/websocket", "/ws/7"])
def test_a_handshake_from_a_foreign_page_is_refused_before_it_is_accepted_and_logged(server: Server, path: str) -> None:
    for origin in FOREIGN.values():
        if origin == "" or not origin.isascii() or origin != origin.strip():
            continue  # an HTTP library sends none of these
        with pytest.raises(InvalidStatus) as refused, server.websocket(path, origin=origin):
            pass
        assert refused.value.response.status_code == 403
        assert server.wait_for_log(lambda event, origin=origin: event.get("origin") == origin)["status"] == 403  # type: ignore[misc]
    assert [event for event in server.log if event["level"] == "error"] == []


@pytest.mark.parametrize("path", ["/connection/websocket", "/ws/7"])
def test_a_handshake_from_the_chats_own_page_and_from_a_listed_one_is_accepted(path: str) -> None:
    with running(CHAT_ALLOWED_ORIGINS="https://app.example, http://localhost:3000") as server:
        for origin in (server.url, *LISTED):
            with server.websocket(path, origin=origin):
                pass


def test_behind_a_proxy_the_scheme_is_the_one_that_it_forwards(server: Server) -> None:
    origin = f"https://{server.address}"
    with server.websocket(origin=origin, additional_headers={"X-Forwarded-Proto": "https"}):
        pass
    with pytest.raises(InvalidStatus), server.websocket(origin=origin):
        pass
