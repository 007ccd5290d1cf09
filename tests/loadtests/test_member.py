from __future__ import annotations

import queue
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from websockets.sync.server import serve

from loadtests._member import CommandFailedError, Member, age_ms, stamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from websockets.sync.server import ServerConnection

CONNECTED = '{"id":1,"connect":{"client":"c","version":"1","ping":25,"pong":true}}'
SUBSCRIBED = '{"id":2,"subscribe":{"epoch":"e","offset":7}}'
ANSWER_S = 5.0


class Notes:
    """What a member reported, in its order."""

    def __init__(self) -> None:
        self._notes: queue.Queue[str] = queue.Queue()

    def delivered(self, latency_ms: int) -> None:
        self._notes.put(f"delivered after {latency_ms // 1000} s")

    def out_of_order(self, what: str) -> None:
        self._notes.put(what)

    def ended(self, how: str) -> None:
        self._notes.put(f"ended with {how}")

    def next(self, count: int) -> list[str]:
        return [self._notes.get(timeout=ANSWER_S) for _ in range(count)]


class Script:
    """A server that accepts one member and then does as it is told."""

    def __init__(self) -> None:
        self._connection: queue.Queue[ServerConnection] = queue.Queue()
        self._done = threading.Event()
        self.subscribed = SUBSCRIBED
        self.answers: list[str] = []  # to commands after that
        self._server = serve(self._handle, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}/connection/websocket"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def _handle(self, connection: ServerConnection) -> None:
        connection.recv()
        connection.send(CONNECTED)
        connection.recv()
        connection.send(self.subscribed)
        self._connection.put(connection)
        for answer in self.answers:
            connection.recv()
            connection.send(answer)
        self._done.wait()

    @property
    def connection(self) -> ServerConnection:
        connection = self._connection.get(timeout=ANSWER_S)
        self._connection.put(connection)
        return connection

    def stop(self) -> None:
        self._done.set()
        self._server.shutdown()
        self._thread.join()


@pytest.fixture
def script() -> Iterator[Script]:
    script = Script()
    yield script
    script.stop()


@pytest.fixture
def notes() -> Notes:
    return Notes()


@contextmanager
def joined(script: Script, notes: Notes) -> Iterator[Member]:
    member = Member(script.url, name="load-1", channel="load", listener=notes)
    try:
        yield member
    finally:
        member.close()
        assert member.gone.wait(ANSWER_S)


def publication(offset: int, text: str = "") -> str:
    return f'{{"push":{{"channel":"load","pub":{{"offset":{offset},"data":{{"text":"{text}"}}}}}}}}'


def test_messages_in_order_are_deliveries(script: Script, notes: Notes) -> None:
    with joined(script, notes):
        script.connection.send(publication(8, stamp("hello")))
        script.connection.send("\n".join([publication(9), publication(10)]))

        assert notes.next(3) == ["delivered after 0 s"] * 3


def test_a_message_in_the_same_frame_as_the_answer_to_subscribe_counts(script: Script, notes: Notes) -> None:
    script.subscribed = f"{SUBSCRIBED}\n{publication(8)}\n{publication(9)}"

    with joined(script, notes):
        assert notes.next(2) == ["delivered after 0 s"] * 2


def test_a_missing_message_is_reported_once(script: Script, notes: Notes) -> None:
    with joined(script, notes):
        script.connection.send("\n".join([publication(9), publication(10)]))

        assert notes.next(2) == ["gap in the offsets", "delivered after 0 s"]


def test_a_message_that_comes_twice_is_reported(script: Script, notes: Notes) -> None:
    with joined(script, notes):
        script.connection.send("\n".join([publication(8), publication(8), publication(9)]))

        assert notes.next(3) == ["delivered after 0 s", "offset came again", "delivered after 0 s"]


def test_events_that_are_not_stored_have_no_place_in_the_order(script: Script, notes: Notes) -> None:
    with joined(script, notes):
        script.connection.send('{"push":{"channel":"load","pub":{"data":{"type":"typing"}}}}')
        script.connection.send('{"push":{"channel":"load","join":{"info":{"user":"u"}}}}')
        script.connection.send(publication(8))

        assert notes.next(1) == ["delivered after 0 s"]


def test_a_ping_is_answered(script: Script, notes: Notes) -> None:
    with joined(script, notes):
        script.connection.send("{}")

        assert script.connection.recv(timeout=ANSWER_S) == "{}"


def test_a_refused_message_is_a_failed_send(script: Script, notes: Notes) -> None:
    script.answers = ['{"id":3,"error":{"code":111,"message":"too many requests"}}']

    with (
        joined(script, notes) as member,
        pytest.raises(CommandFailedError, match="111 too many requests"),
    ):
        member.send("hello")


def test_an_acknowledged_message_is_sent(script: Script, notes: Notes) -> None:
    script.answers = ['{"id":3,"rpc":{"data":{"offset":8,"epoch":"e","time":1}}}']

    with joined(script, notes) as member:
        member.send("hello")


def test_an_end_that_the_server_made_is_reported(script: Script, notes: Notes) -> None:
    with joined(script, notes) as member:
        script.connection.close(3008, "slow")

        assert notes.next(1) == ["ended with 3008 slow"]
        with pytest.raises(ConnectionResetError, match="3008 slow"):
            member.send("hello")


def test_a_refused_subscription_is_no_membership(script: Script, notes: Notes) -> None:
    script.subscribed = '{"id":2,"error":{"code":103,"message":"permission denied"}}'

    with pytest.raises(CommandFailedError, match="103 permission denied"):
        Member(script.url, name="load-1", channel="load", listener=notes)


def test_the_age_of_a_text_is_the_time_since_its_stamp() -> None:
    assert age_ms(stamp("hello")) < 1_000
    assert age_ms("0.0000 hello") > 1_000_000_000_000
    assert age_ms("hello") == 0
