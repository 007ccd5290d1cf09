"""A socket on a connection of its own: what goes out and when, what comes in, and how it ends."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Any, cast

import pytest
from websockets.frames import Opcode

from chat.admission import Admission
from chat.errors import INVALID_TEXT, SHUTDOWN, SLOW, UNSUPPORTED_DATA
from chat.framing import text_frame
from chat.limits import Limits
from chat.plaintext import PlainText
from chat.wire import JsonWire
from tests.web.sockets import FakeClient, FakeTransport, close_frame, from_client
from web import raw_socket
from web.raw_socket import READ_BYTES, RawSocket, handshake
from web.socket import MAX_WAITING

if TYPE_CHECKING:
    from actors.runtime import ActorRef

pytestmark = pytest.mark.anyio

ONE, TWO, THREE = (text_frame(text) for text in (b"one", b"two", b"three"))
ANSWER = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"


class Connection:
    """A socket, and both of its ends."""

    def __init__(self, **limits: Any) -> None:
        self.admission = Admission()
        self.socket = RawSocket(JsonWire(), Limits(**limits), self.admission)
        self.transport = FakeTransport()
        self.client = FakeClient()
        self.ended = False

    def open(self) -> None:
        client = cast("ActorRef[Any]", self.client)
        self.socket.open(cast("asyncio.Transport", self.transport), ANSWER, client, self._end)

    def _end(self, socket: object, client: object) -> None:
        assert socket is self.socket
        assert client is self.client
        self.ended = True

    def receive(self, data: bytes) -> None:
        """Let data arrive, in as many pieces as it takes."""
        for start in range(0, len(data), READ_BYTES):
            piece = data[start : start + READ_BYTES]
            self.socket.get_buffer(-1)[: len(piece)] = piece
            self.socket.buffer_updated(len(piece))


@pytest.fixture
def connection() -> Connection:
    connection = Connection()
    connection.open()
    connection.transport.written.clear()
    return connection


async def settle() -> None:
    """Let callbacks run until there are none left."""
    for _ in range(5):
        await asyncio.sleep(0)


# Out


async def test_what_is_sent_before_the_handshake_is_answered_comes_behind_the_answer() -> None:
    connection = Connection()
    connection.socket.send([ONE])
    assert connection.transport.written == []

    connection.open()

    assert connection.transport.written == [ANSWER, ONE]
    assert connection.transport.protocol is connection.socket


@pytest.mark.parametrize("frames", [[ONE], [ONE, TWO, THREE]], ids=["one", "several"])
async def test_all_that_is_due_is_written_in_one_call_as_it_is(connection: Connection, frames: list[bytes]) -> None:
    connection.transport.calls = 0

    assert connection.socket.send(frames)

    assert connection.transport.written == frames
    assert connection.transport.calls == 1


async def test_more_than_may_wait_is_not_written() -> None:
    connection = Connection(max_backlog_bytes=100)
    connection.open()
    connection.transport.waits = 100 - len(ONE)

    assert connection.socket.send([ONE])
    assert not connection.socket.send([THREE])
    assert connection.transport.written == [ANSWER, ONE]


async def test_to_a_peer_that_has_read_everything_anything_may_be_sent() -> None:
    connection = Connection(max_backlog_bytes=1)
    connection.open()

    assert connection.socket.send([ONE])


@pytest.fixture
def full(connection: Connection) -> Connection:
    """A connection whose peer reads nothing, with two frames held back."""
    connection.transport.waits = 50
    connection.socket.pause_writing()
    connection.socket.send([ONE])
    connection.socket.send([TWO])
    return connection


async def test_what_a_full_transport_should_not_have_is_held_back_and_counts(full: Connection) -> None:
    assert full.transport.written == []
    assert full.socket.backlog_bytes() == 50 + len(ONE + TWO)


async def test_a_transport_says_early_that_it_is_full(connection: Connection) -> None:
    assert connection.transport.high == raw_socket.WRITE_BUFFER_BYTES


async def test_what_was_held_back_is_written_in_one_call_when_there_is_room(full: Connection) -> None:
    full.transport.waits = 0
    assert full.socket.send([THREE])  # the transport has not said so yet
    full.transport.calls = 0

    full.socket.resume_writing()
    full.socket.send([ONE])

    assert full.transport.written == [ONE, TWO, THREE, ONE]
    assert full.transport.calls == 2
    assert full.socket.backlog_bytes() == 0


async def test_a_transport_gets_no_more_than_until_it_is_full_again(
    full: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw_socket, "SEND_BUFFER_BYTES", 1)
    full.transport.on_write = full.socket.pause_writing

    full.socket.resume_writing()

    assert full.transport.written == [ONE]
    assert full.socket.backlog_bytes() == 50 + len(TWO)


async def test_much_that_was_held_back_is_written_in_parts_until_nothing_is(full: Connection) -> None:
    frame = text_frame(b"x" * (raw_socket.SEND_BUFFER_BYTES // 2 + 1))
    full.socket.send([frame] * 3)
    full.transport.calls = 0

    full.socket.resume_writing()

    assert full.transport.calls == 3  # two of them are too much for one
    assert full.transport.written[-3:] == [frame] * 3
    assert full.socket.backlog_bytes() == full.transport.waits


async def test_what_is_held_back_counts_towards_the_limit() -> None:
    connection = Connection(max_backlog_bytes=100)
    connection.open()
    connection.transport.waits = 100 - len(ONE)
    connection.socket.pause_writing()

    assert connection.socket.send([ONE])
    assert not connection.socket.send([ONE])


async def test_a_full_transport_whose_peer_has_read_it_all_takes_anything() -> None:
    connection = Connection(max_backlog_bytes=1)
    connection.open()
    connection.socket.pause_writing()

    assert connection.socket.send([ONE])
    assert connection.transport.written == [ANSWER, ONE]


async def test_a_close_comes_after_what_was_held_back(full: Connection) -> None:
    full.socket.close(SHUTDOWN)

    assert full.transport.written[:2] == [ONE, TWO]
    assert close_frame(full.transport.written[2])[0] == SHUTDOWN.code


async def test_a_connection_that_is_ending_gets_nothing_of_what_was_held_back(full: Connection) -> None:
    full.transport.aborted = True

    full.socket.close(SHUTDOWN)

    assert full.transport.written == []


async def test_who_is_closed_for_not_reading_is_sent_nothing_more(full: Connection) -> None:
    full.socket.close(SLOW)
    full.socket.resume_writing()

    assert [close_frame(frame)[0] for frame in full.transport.written] == [SLOW.code]
    assert full.socket.backlog_bytes() == 50


@pytest.mark.parametrize(
    "last_words", [from_client(b"\x03\xe8", Opcode.CLOSE), b"\xff\xff"], ids=["a goodbye", "nonsense"]
)
async def test_nothing_follows_the_answer_to_the_last_that_a_peer_said(full: Connection, last_words: bytes) -> None:
    full.receive(last_words)
    full.socket.resume_writing()

    assert len(full.transport.written) == 1
    close_frame(full.transport.written[0])


async def test_what_was_held_back_goes_with_the_connection(full: Connection) -> None:
    full.socket.connection_lost(None)
    full.socket.resume_writing()

    assert full.transport.written == []
    assert full.socket.backlog_bytes() == 0


async def test_what_a_connection_that_has_ended_is_given_is_gone(connection: Connection) -> None:
    connection.transport.alive = False
    assert connection.socket.send([ONE])

    connection.socket.connection_lost(None)

    assert connection.socket.send([ONE, TWO])
    assert connection.transport.written == []


# In


async def test_each_frame_is_taken_apart_and_all_that_came_at_once_is_one_message(connection: Connection) -> None:
    both = '{"id":1,"rpc":{"method":"rooms"}}\n{"id":2,"rpc":{"method":"rooms"}}'

    connection.receive(from_client(both) + from_client('{"id":3,"rpc":{"method":"rooms"}}'))

    assert connection.client.command_ids == [[1, 2, 3]]


async def test_a_frame_that_comes_in_pieces_is_one(connection: Connection) -> None:
    for byte in from_client('{"id":1,"rpc":{"method":"rooms"}}'):
        connection.receive(bytes([byte]))

    assert connection.client.command_ids == [[1]]


async def test_a_message_in_fragments_is_one_with_control_frames_between_them(connection: Connection) -> None:
    connection.receive(from_client('{"id":1,"rpc"', fin=False))
    connection.receive(from_client(b"", Opcode.PING))
    connection.receive(from_client(':{"method"', Opcode.CONT, fin=False))
    connection.receive(from_client(':"rooms"}}', Opcode.CONT))

    assert connection.client.command_ids == [[1]]
    assert connection.transport.written == [b"\x8a\x00"]


async def test_a_ping_is_answered_with_its_own_data(connection: Connection) -> None:
    connection.receive(from_client(b"abc", Opcode.PING))

    assert connection.transport.written == [b"\x8a\x03abc"]


async def test_what_came_before_something_wrong_is_handled(connection: Connection) -> None:
    connection.receive(from_client('{"id":1,"rpc":{"method":"rooms"}}') + from_client(b"\xff"))

    assert connection.client.command_ids == [[1]]
    assert connection.client.rejected == [INVALID_TEXT]


async def test_binary_is_rejected_by_the_actor_and_what_follows_is_not_looked_at(connection: Connection) -> None:
    command = from_client('{"id":1,"rpc":{"method":"rooms"}}')

    connection.receive(command + from_client(b"x", Opcode.BINARY) + command)

    assert connection.client.command_ids == [[1]]
    assert connection.client.rejected == [UNSUPPORTED_DATA]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x81\x01x", 1002),  # not masked
        (b"\xc1\x80\0\0\0\0", 1002),  # compressed, which was not agreed on
        (from_client(b"x", Opcode.CONT), 1002),  # goes on with nothing
        (from_client("x", fin=False) + from_client("y"), 1002),  # begins anew
        (b"\x83\x80\0\0\0\0", 1002),  # an opcode that does not exist
        (b"\x89\xfe\0\x7e" + bytes(4 + 126), 1002),
        (b"\x81\xff" + (2**62).to_bytes(8, "big"), 1009),
        (b"\x81\xff" + (65_537).to_bytes(8, "big"), 1009),
    ],
    ids=["unmasked", "compressed", "continuation", "interrupted", "opcode", "long ping", "huge", "too long"],
)
async def test_who_breaks_the_protocol_is_told_how_and_so_is_the_actor(
    connection: Connection, data: bytes, code: int
) -> None:
    connection.receive(data)

    (goodbye,) = connection.transport.written
    assert close_frame(goodbye)[0] == code
    assert [reason.code for reason in connection.client.rejected] == [code]
    assert connection.transport.eof
    connection.receive(b"whatever else it says")
    connection.socket.connection_lost(None)


async def test_a_message_whose_fragments_are_too_much_together_is_too_big(connection: Connection) -> None:
    connection.receive(from_client("x" * 40_000, fin=False))
    assert connection.transport.written == []

    connection.receive(from_client("x" * 40_000, Opcode.CONT, fin=False))

    assert close_frame(connection.transport.written[0])[0] == 1009
    connection.socket.connection_lost(None)


async def test_a_socket_whose_actor_is_behind_is_read_no_further_until_it_has_caught_up(connection: Connection) -> None:
    connection.client.behind = MAX_WAITING + 1
    connection.receive(from_client('{"id":1,"rpc":{"method":"rooms"}}'))
    await settle()
    assert connection.transport.paused

    connection.client.behind = 0
    await settle()

    assert not connection.transport.paused


async def test_a_connection_that_ends_while_it_is_not_read_is_left_alone(connection: Connection) -> None:
    connection.client.behind = MAX_WAITING + 1
    connection.receive(from_client('{"id":1,"rpc":{"method":"rooms"}}'))
    connection.socket.connection_lost(None)
    await settle()

    assert connection.transport.paused


# The end


async def test_it_says_goodbye_after_all_that_was_sent_and_takes_nothing_more(connection: Connection) -> None:
    connection.socket.send([ONE])
    connection.socket.close(SLOW)
    connection.socket.close(INVALID_TEXT)  # only the first call counts
    connection.socket.send([TWO])
    connection.receive(from_client('{"id":1,"rpc":{"method":"rooms"}}'))

    first, goodbye = connection.transport.written
    assert first == ONE
    assert close_frame(goodbye) == (3008, "slow")
    assert connection.client.told == []
    connection.socket.connection_lost(None)


async def test_closed_before_the_handshake_is_answered_it_says_goodbye_behind_the_answer() -> None:
    connection = Connection()
    connection.socket.close(SLOW)
    assert connection.transport.written == []

    connection.open()

    answer, goodbye = connection.transport.written
    assert answer == ANSWER
    assert close_frame(goodbye) == (3008, "slow")
    connection.socket.connection_lost(None)


async def test_the_connection_ends_when_both_have_said_goodbye(connection: Connection) -> None:
    ended = []
    connection.socket.close(SLOW)
    ended.append(connection.transport.eof)
    connection.receive(from_client((1000).to_bytes(2, "big"), Opcode.CLOSE))
    ended.append(connection.transport.eof)

    assert ended == [False, True]
    assert len(connection.transport.written) == 1
    connection.socket.connection_lost(None)


async def test_a_peer_that_says_goodbye_gets_it_back(connection: Connection) -> None:
    connection.receive(from_client((1001).to_bytes(2, "big") + b"bye", Opcode.CLOSE))

    assert close_frame(connection.transport.written[0]) == (1001, "bye")
    assert connection.transport.eof
    connection.socket.connection_lost(None)
    assert connection.ended


async def test_a_peer_that_does_not_answer_the_goodbye_is_cut_off(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw_socket, "CLOSE_TIMEOUT_S", 0.0)

    connection.socket.close(SLOW)
    await settle()

    assert connection.transport.aborted


@pytest.mark.parametrize(
    "sent",
    [from_client(b"\x03\xe8", Opcode.CLOSE), bytes((0x81, 0x01)) + b"x"],
    ids=["said goodbye itself", "broke the protocol"],
)
async def test_a_peer_that_keeps_the_connection_after_the_end_is_cut_off(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(raw_socket, "CLOSE_TIMEOUT_S", 0.0)

    connection.receive(sent)
    await settle()

    assert connection.transport.aborted


async def test_a_connection_that_ends_in_time_is_not_cut_off(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw_socket, "CLOSE_TIMEOUT_S", 0.0)

    connection.socket.close(SLOW)
    connection.socket.connection_lost(None)
    await settle()

    assert not connection.transport.aborted


# Whether the peer is there


async def test_a_peer_that_answers_a_ping_stays(connection: Connection) -> None:
    for _ in range(3):
        connection.socket.keepalive()
        assert connection.transport.written.pop() == b"\x89\x00"
        connection.receive(from_client(b"", Opcode.PONG))

    assert not connection.transport.aborted


async def test_a_peer_from_which_nothing_comes_until_the_next_ping_is_cut_off(connection: Connection) -> None:
    connection.socket.keepalive()
    connection.socket.keepalive()

    assert connection.transport.aborted


async def test_what_is_not_open_is_not_asked() -> None:
    socket = RawSocket(PlainText("7", "lobby"), Limits(), Admission())

    socket.keepalive()
    socket.keepalive()
    socket.abort()


# The handshake


async def test_what_has_ended_is_gone_at_once_and_not_only_when_the_garbage_collector_comes() -> None:
    def sockets() -> int:
        return sum(type(thing) is RawSocket for thing in gc.get_objects())

    gc.collect()
    before = sockets()
    gc.disable()
    try:
        socket, client = RawSocket(JsonWire(), Limits(), Admission()), FakeClient()
        client.socket = socket  # type: ignore[attr-defined]  # (as an actor has its transport)
        socket.open(cast("Any", FakeTransport()), ANSWER, cast("Any", client), lambda *_: None)
        socket.connection_lost(None)
        del socket, client
        assert sockets() == before
    finally:
        gc.enable()


def test_the_answer_to_a_handshake_is_that_of_the_rfc() -> None:
    answer = handshake([(b"Host", b"x"), (b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ==")], "chat")

    assert answer == (
        b"HTTP/1.1 101 Switching Protocols\r\n"
        b"Upgrade: websocket\r\n"
        b"Connection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
        b"Sec-WebSocket-Protocol: chat\r\n\r\n"
    )


async def test_a_peer_that_pings_and_does_not_read_the_pongs_is_cut_off_at_the_backlog(connection: Connection) -> None:
    connection.transport.waits = Limits().max_backlog_bytes
    connection.receive(from_client(b"are you there?", Opcode.PING))
    taken = len(connection.transport.written)
    connection.transport.waits += 1
    connection.receive(from_client(b"are you there?", Opcode.PING))

    assert taken == 1
    assert len(connection.transport.written) == 1
    assert connection.transport.aborted
    assert connection.admission.limits_hit == {"max_backlog_bytes": 1}


async def test_a_peer_that_was_told_goodbye_and_talks_on_is_left_alone_for_a_while(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw_socket, "AFTER_GOODBYE_S", 0.0)
    connection.receive(from_client('{"id":1,"connect":{}}'))
    before = connection.transport.paused
    connection.socket.close(SLOW)
    connection.receive(from_client('{"id":2,"connect":{}}'))
    meanwhile = connection.transport.paused
    await settle()

    assert [before, meanwhile, connection.transport.paused] == [False, True, False]


async def test_a_peer_that_has_said_goodbye_is_read_to_its_end_at_once(connection: Connection) -> None:
    connection.receive(from_client(b"\x03\xe8", Opcode.CLOSE))

    assert not connection.transport.paused
