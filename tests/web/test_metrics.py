"""`/metrics`: what a running chat has counted, as Prometheus reads it."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.server import Member, Server, running


@pytest.fixture
def server() -> Iterator[Server]:
    """Run a server that nobody else has had to do with."""
    with running(CHAT_METRICS="on", CHAT_CHAOS="on", CHAT_MAX_CHANNELS="1") as server:
        yield server


def scrape(server: Server) -> dict[Any, float]:
    """Return each sample's value, by its name and, if it has one, the value of its label."""
    answer = httpx.get(server.url + "/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, *sample.labels.values()) if sample.labels else sample.name: sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def members(server: Server, number: int) -> list[Member]:
    found = [Member(server) for _ in range(number)]
    for member in found:
        member.call(subscribe={"channel": "lobby"})
    return found


def test_it_is_off_unless_it_is_switched_on() -> None:
    with running() as server:
        assert httpx.get(server.url + "/metrics").status_code == 404


def test_messages_and_deliveries_are_counted(server: Server) -> None:
    ann, bob, eve = members(server, 3)

    for key in ("a", "b", "b"):
        ann.rpc("send", channel="lobby", key=key, text="hello")
    ann.call(rpc={"method": "edit", "data": {"channel": "lobby", "target": 99, "text": "no such message"}})

    found = scrape(server)
    assert found["parley_messages_total"] == 2
    assert found["parley_repeats_total"] == 1
    assert found["parley_rejected_changes_total"] == 1
    assert found["parley_deliveries_total"] == 6
    assert found["parley_commit_seconds_count"] == found["parley_commit_entries_count"] == 4
    assert found["parley_commit_entries_sum"] == 4
    assert found["parley_commit_entries_bucket", "1.0"] == found["parley_commit_entries_bucket", "+Inf"] == 4
    assert found["parley_commit_seconds_sum"] > 0
    assert found["parley_journal_waiting_entries"] == 0
    for member in (ann, bob, eve):
        member.close()


def test_connections_rooms_and_actors_are_counted(server: Server) -> None:
    ann, bob = members(server, 2)
    with server.websocket():
        found = scrape(server)

    assert found["parley_connections"] == 3
    assert found["parley_connects_total"] == 2
    assert found["parley_rooms"] == 1
    assert found["parley_actors", "clients/*"] == 3
    assert found["parley_actors", "writer"] == 1
    assert found["parley_backlog_bytes"] == found["parley_backlog_deepest_bytes"] == 0
    assert found["parley_mailbox_messages", "rooms/*"] == 0
    assert found["process_resident_memory_bytes"] > 0
    ann.close()
    bob.close()


def test_what_is_refused_is_counted_by_the_limit_and_closes_by_their_code(server: Server) -> None:
    (ann,) = members(server, 1)
    assert ann.call(subscribe={"channel": "garden"})["error"]["code"] == 106
    with server.websocket() as stranger:
        stranger.send(json.dumps({"id": 1, "connect": {"token": "none of ours"}}))
        with pytest.raises(Exception, match="3500"):
            stranger.recv(timeout=10)

    found = scrape(server)
    assert found["parley_limits_hit_total", "max_channels"] == 1
    assert found["parley_auth_failures_total", "tokens_off"] == 1
    assert found["parley_closes_total", "3500"] == 1
    ann.close()


def test_what_the_edge_refuses_is_counted_by_the_limit() -> None:
    settings = {"CHAT_METRICS": "on", "CHAT_MAX_CONNECTIONS_PER_USER": "1", "CHAT_RATE_BURST_S": "1"}
    more = {"CHAT_RATE_HISTORY": "1", "CHAT_REQUEST_TIMEOUT_S": "0.2", "CHAT_MAX_CONNECTIONS_PER_ADDRESS": "3"}
    with running(**settings, **more) as server:
        ann = Member(server, "Ann")
        ann.rpc("rooms")
        assert ann.call(rpc={"method": "rooms"})["error"]["code"] == 111
        with pytest.raises(ConnectionClosed, match="3504"):
            Member(server, guest=ann.connected["data"]["guest"])
        for headers in ({"Origin": "https://elsewhere.example"}, {"X-Forwarded-For": "192.0.2.1"}):
            with contextlib.ExitStack() as several, pytest.raises(InvalidStatus):
                for _ in range(4):
                    several.enter_context(server.websocket(additional_headers=headers))
        host, port = server.address.split(":")
        for request in (b"", b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000):
            with socket.create_connection((host, int(port)), 20) as peer, contextlib.suppress(OSError):
                peer.sendall(request)
                while peer.recv(65_536):
                    pass
        found = scrape(server)
        ann.close()

    limits = {key[1]: count for key, count in found.items() if key[0] == "parley_limits_hit_total"}
    assert limits == {
        "rate_history": 1,
        "max_connections_per_user": 1,
        "allowed_origins": 1,
        "max_connections_per_address": 1,
        "request_timeout_s": 1,
        "max_head_bytes": 1,
    }


def test_crashes_and_restarts_are_counted(server: Server) -> None:
    (ann,) = members(server, 1)
    ann.rpc("chaos", channel="lobby", kind="handler")
    ann.rpc("send", channel="lobby", key="a", text="after it")

    found = scrape(server)
    assert found["parley_actor_crashes_total", "rooms/*"] == 1
    assert found["parley_actor_restarts_total", "rooms/*"] == 1
    assert found["parley_actors_down", "rooms/*"] == 0
    assert {key[1] for key in found if key[0] == "parley_drops_total"} == {
        "refused",
        "dropped",
        "coalesced",
        "dead_letter",
    }
    ann.close()


def test_openmetrics_is_spoken_to_who_prefers_it(server: Server) -> None:
    answer = httpx.get(server.url + "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})

    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")
