"""A room, or a client, that crashes in the middle of a conversation between real sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from actors.rooms import ROOM_INTENSITY
from tests.server import Member, Server, running

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running("tests.e2e.fragile_app:app") as server:
        yield server


def say(member: Member, channel: str, text: str) -> int:
    return member.send(rpc={"method": "send", "data": {"channel": channel, "key": f"{text}-key", "text": text}})


def test_a_room_that_crashes_restarts_and_its_members_go_on_without_a_gap(server: Server) -> None:
    ann, bob = Member(server, "Ann"), Member(server, "Bob")
    for member in (ann, bob):
        member.call(subscribe={"channel": "stormy"})

    before, fatal, after = say(ann, "stormy", "before"), say(ann, "stormy", "crash"), say(ann, "stormy", "after")
    replies = [ann.reply(command_id) for command_id in (before, fatal, after)]
    heard = {
        member: [(seen["offset"], seen["data"]["text"]) for seen in (member.publication(), member.publication())]
        for member in (ann, bob)
    }

    assert replies[0]["rpc"]["data"]["offset"] == 1
    assert replies[1]["error"] == {"code": 100, "message": "internal server error", "temporary": True}
    assert replies[2]["rpc"]["data"]["offset"] == 2
    assert heard == {ann: [(1, "before"), (2, "after")], bob: [(1, "before"), (2, "after")]}
    assert ann.call(presence_stats={"channel": "stormy"})["presence_stats"]["num_clients"] == 2
    ann.close()
    bob.close()


def test_other_rooms_do_not_notice(server: Server) -> None:
    ann, bob = Member(server), Member(server)
    ann.call(subscribe={"channel": "stormy"})
    bob.call(subscribe={"channel": "calm"})
    ann.reply(say(ann, "stormy", "crash"))

    bob.rpc("send", channel="calm", key="k", text="calm here")

    assert bob.publication()["data"]["text"] == "calm here"
    ann.close()
    bob.close()


def test_a_client_actor_that_crashes_closes_its_own_socket_and_nothing_else(server: Server) -> None:
    ann, bob = Member(server), Member(server)
    for member in (ann, bob):
        member.call(subscribe={"channel": "calm"})
    ann.send(rpc={"method": "typing", "data": {"channel": "crash"}})

    with pytest.raises(ConnectionClosed) as closed:
        while True:
            ann.push()
    bob.rpc("send", channel="calm", key="k2", text="still here")

    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (3004, "internal server error")
    assert bob.publication()["data"]["text"] == "still here"
    assert bob.call(presence_stats={"channel": "calm"})["presence_stats"]["num_clients"] == 1
    bob.close()


def test_the_log_names_actor_and_message_type_and_never_the_text(server: Server) -> None:
    member = Member(server)
    member.call(subscribe={"channel": "stormy"})
    member.reply(say(member, "stormy", "a very private matter"))
    member.reply(say(member, "stormy", "crash"))
    crash = server.wait_for_log(lambda event: event["event"] == "actor.crashed")

    assert crash["actor"] == "/rooms/stormy"
    assert crash["message"] == "Publish"
    assert "RuntimeError: planted" in crash["exception"]
    assert "private matter" not in "\n".join(server.lines)
    member.close()


def health(server: Server) -> dict[str, Any]:
    answer: dict[str, Any] = httpx.get(server.url + "/healthz").json()
    return answer


def test_a_room_that_keeps_crashing_is_closed_for_a_while_and_the_health_check_says_so() -> None:
    with running("tests.e2e.fragile_app:app", CHAT_ROOM_CLOSED_S="2", CHAT_RATE_LIMIT="off") as server:
        ann, bob = Member(server), Member(server)
        ann.call(subscribe={"channel": "stormy"})
        bob.call(subscribe={"channel": "calm"})
        for _ in range(ROOM_INTENSITY.max_restarts + 1):
            ann.reply(say(ann, "stormy", "crash"))
        told = ann.push()
        while "unsubscribe" not in told:
            told = ann.push()
        refused = ann.call(subscribe={"channel": "stormy"})
        degraded = health(server)
        bob.rpc("send", channel="calm", key="k", text="calm here")

        assert told["unsubscribe"]["code"] == 2500
        assert (refused["error"]["code"], refused["error"]["temporary"]) == (100, True)
        assert (degraded["status"], degraded["closed_rooms"]) == ("degraded", 1)
        assert bob.publication()["data"]["text"] == "calm here"

        while "error" in (again := ann.call(subscribe={"channel": "stormy"})):
            assert again["error"]["code"] == 100

        assert health(server)["status"] == "ok"
        ann.close()
        bob.close()


def test_a_handler_that_does_not_come_back_is_named_with_where_it_stands(server: Server) -> None:
    member = Member(server)
    member.call(subscribe={"channel": "slow"})
    member.reply(say(member, "slow", "hang"))
    stuck = server.wait_for_log(lambda event: event["event"] == "actor.stuck")
    server.wait_for_log(lambda event: event["event"] == "actor.unstuck")

    assert (stuck["actor"], stuck["message"]) == ("/rooms/slow", "Publish")
    assert "time.sleep" in stuck["stack"]
    member.close()


def test_a_chat_that_cannot_go_on_says_which_actor_failed_how_often_and_why_and_exits_with_a_code() -> None:
    with running("tests.e2e.fragile_app:app", CHAT_DRAIN_TIMEOUT_S="1") as server:
        member = Member(server)
        member.call(subscribe={"channel": "calm"})
        for _ in range(4):
            say(member, "calm", "doom")
        code = server.wait()
        failed = server.wait_for_log(lambda event: event["event"] == "actors.root_failed")

        assert code == 70
        assert failed["level"] == "critical"
        assert failed["reason"] == "/journal crashed more than 3 times in 5 s, at last with RuntimeError"
        member.close()
