"""How many may be connected to a real server, how long they may stall, and what they are told."""

from __future__ import annotations

import contextlib
import json
import socket
from typing import TYPE_CHECKING

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.server import Member, Server, running
from tests.tokens import SECRET, token

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from websockets.sync.client import ClientConnection

UNTRUSTED = ("--no-proxy-headers",)
"""Options with which 127.0.0.1 is an address like any other, rather than a proxy's."""

HTTP_SERVERS = pytest.mark.parametrize("http", ["httptools", "h11"])


def half_open(server: Server, request: bytes = b"") -> socket.socket:
    """Connect, and send this much of a request."""
    host, port = server.address.split(":")
    peer = socket.create_connection((host, int(port)), 20)
    peer.sendall(request)
    return peer


def rest(peer: socket.socket) -> bytes:
    """Read until the server has closed."""
    read = b""
    with peer, contextlib.suppress(ConnectionResetError):
        while data := peer.recv(65_536):
            read += data
    return read


def from_address(server: Server, address: str) -> AbstractContextManager[ClientConnection]:
    """Open a WebSocket for somebody behind a proxy, which is how the server sees 127.0.0.1."""
    return server.websocket(additional_headers={"X-Forwarded-For": address})


@contextlib.contextmanager
def refused(status: int) -> Iterator[None]:
    with pytest.raises(InvalidStatus) as caught:
        yield
    assert caught.value.response.status_code == status


def test_an_address_has_so_many_connections_and_another_one_has_its_own() -> None:
    with running(CHAT_MAX_CONNECTIONS_PER_ADDRESS="1") as server, from_address(server, "192.0.2.1"):
        with refused(429), from_address(server, "192.0.2.1"):
            pass
        with from_address(server, "192.0.2.2"), from_address(server, "2001:db8::1"):
            with refused(429), from_address(server, "2001:db8::2"):  # the same network
                pass
            with from_address(server, "2001:db8:0:1::1"):
                pass


def test_a_place_is_free_again_when_its_connection_has_ended() -> None:
    with running(CHAT_MAX_CONNECTIONS_PER_ADDRESS="1") as server:
        with from_address(server, "192.0.2.1") as first:
            first.send('{"id":1,"connect":{}}')
            first.recv(10)
        server.wait_for_log(lambda event: event.get("event") == "client.disconnected")

        with from_address(server, "192.0.2.1"):
            pass


def test_who_has_not_said_who_it_is_takes_one_of_few_places() -> None:
    with running(CHAT_MAX_WAITING_PER_ADDRESS="1") as server, from_address(server, "192.0.2.1") as first:
        with refused(429), from_address(server, "192.0.2.1"):
            pass
        first.send('{"id":1,"connect":{}}')
        first.recv(10)

        with from_address(server, "192.0.2.1"):
            pass


def test_the_server_has_so_many_places_http_included() -> None:
    with running("chat.main:app", *UNTRUSTED, CHAT_MAX_CONNECTIONS="1") as server:
        with server.websocket():
            answer = rest(half_open(server, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"))
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert answer.endswith(b"\r\n\r\ntoo many connections\n")


def test_a_user_with_a_token_has_so_many_connections_whatever_the_token() -> None:
    with running(CHAT_MAX_CONNECTIONS_PER_USER="2", CHAT_TOKEN_SECRET=SECRET) as server, contextlib.ExitStack() as all_:
        answers = []
        for number, user in enumerate(["ann", "ann", "ann", "bob"]):
            peer = all_.enter_context(server.websocket())
            peer.send(json.dumps({"id": 1, "connect": {"token": token(sub=user, jti=str(number))}}))
            try:
                answers.append(next(iter(json.loads(peer.recv(10)).keys() - {"id"})))
            except ConnectionClosed as end:
                answers.append(str(end))

    assert [answer[:13] for answer in answers] == ["connect", "connect", "received 3504", "connect"]


def test_a_user_has_so_many_connections() -> None:
    with running(CHAT_MAX_CONNECTIONS_PER_USER="1") as server:
        ann = Member(server)
        guest = ann.connected["data"]["guest"]
        with pytest.raises(ConnectionClosed) as closed:
            Member(server, guest=guest)
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (3504, "connection limit")
        Member(server).close()

        ann.close()
        server.wait_for_log(
            lambda event: (
                event.get("event") == "client.disconnected" and event.get("user") == ann.connected["data"]["user"]
            )
        )
        Member(server, guest=guest).close()


def test_without_limits_nobody_is_counted() -> None:
    off = {"CHAT_CONNECTION_LIMITS": "off", "CHAT_MAX_CONNECTIONS": "1", "CHAT_MAX_WAITING_PER_ADDRESS": "1"}
    with running("chat.main:app", *UNTRUSTED, **off) as server, server.websocket(), server.websocket():
        assert httpx.get(server.url + "/healthz").status_code == 200


# Who stalls


@HTTP_SERVERS
@pytest.mark.parametrize(
    "request_",
    [b"", b"G", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", b"GET /ws/7 HTTP/1.1\r\nUpgrade: websocket\r\n"],
    ids=["nothing", "a letter", "half a header", "half a handshake"],
)
def test_who_does_not_finish_a_request_is_told_so_and_dropped(http: str, request_: bytes) -> None:
    with running("chat.main:app", "--http", http, CHAT_REQUEST_TIMEOUT_S="0.2") as server:
        assert rest(half_open(server, request_)).startswith(b"HTTP/1.1 408 ")
        assert not [event for event in server.log if event["level"] in {"error", "critical"}]


@HTTP_SERVERS
@pytest.mark.parametrize("first", [b"", b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"], ids=["first", "second"])
def test_the_head_of_a_request_is_not_kept_without_end(http: str, first: bytes) -> None:
    with running("chat.main:app", "--http", http) as server:
        peer = half_open(server, first + b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: ")
        with contextlib.suppress(ConnectionError):
            for _ in range(1_000):
                peer.sendall(b"x" * 100_000)
            pytest.fail("the server has read 100 MB")
        peer.close()
        assert httpx.get(server.url + "/readyz").status_code == 200


@HTTP_SERVERS
def test_who_stalls_in_a_second_request_is_dropped_as_well(http: str) -> None:
    with running("chat.main:app", "--http", http, CHAT_REQUEST_TIMEOUT_S="0.2") as server:
        answer = rest(half_open(server, b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\nGET /"))

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.count(b"HTTP/1.1 408 ") == 1


@HTTP_SERVERS
def test_who_does_not_finish_a_body_is_dropped(http: str) -> None:
    slow = b"POST /readyz HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12"
    with running("chat.main:app", "--http", http, CHAT_REQUEST_TIMEOUT_S="0.2") as server:
        rest(half_open(server, slow))  # or it would not come back

        assert not [event for event in server.log if event["level"] in {"error", "critical"}]


@HTTP_SERVERS
def test_who_asks_again_and_again_is_not_dropped_and_an_open_websocket_is_none_of_these(http: str) -> None:
    with (
        running("chat.main:app", "--http", http, CHAT_REQUEST_TIMEOUT_S="0.05") as server,
        httpx.Client(base_url=server.url) as browser,
        server.websocket() as open_socket,
    ):
        for _ in range(200):
            assert browser.get("/readyz").status_code == 200
        open_socket.send('{"id":1,"connect":{}}')
        assert "connect" in str(open_socket.recv(10))


@HTTP_SERVERS
def test_an_address_has_few_places_for_who_says_nothing_and_those_who_talk_are_none_of_them(http: str) -> None:
    with running("chat.main:app", "--http", http, *UNTRUSTED, CHAT_MAX_WAITING_PER_ADDRESS="2") as server:
        silent = [half_open(server), half_open(server, b"GET / HT")]
        answer = rest(half_open(server))
        assert answer.startswith(b"HTTP/1.1 429 ")
        for peer in silent:
            peer.close()
        with httpx.Client() as one, httpx.Client() as two:  # both are kept open
            assert [browser.get(server.url + "/readyz").status_code for browser in (one, two)] == [200, 200]


def test_a_proxy_that_is_trusted_is_not_counted_as_one_address() -> None:
    one_each = {"CHAT_MAX_WAITING_PER_ADDRESS": "1", "CHAT_MAX_CONNECTIONS_PER_ADDRESS": "1"}
    with running(**one_each) as server, contextlib.ExitStack() as proxy:
        for _ in range(5):
            proxy.enter_context(half_open(server))
        for number in range(5):
            proxy.enter_context(from_address(server, f"192.0.2.{number}"))
