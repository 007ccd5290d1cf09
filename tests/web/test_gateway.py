"""The gateway of a real server: what may come in, and what happens if it is none of that."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.server import Member, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from websockets.sync.client import ClientConnection

    from tests.server import Server

LOBBY = {"channel": "lobby"}


class Chatting:
    """Two members whose chat must go on whatever a third one does."""

    def __init__(self, server: Server) -> None:
        self.ann, self.bob = Member(server, "Ann"), Member(server, "Bob")
        self.ann.call(subscribe=LOBBY)
        self.bob.call(subscribe=LOBBY)
        self._count = 0

    def goes_on(self) -> bool:
        self._count += 1
        self.ann.rpc("send", channel="lobby", key=f"k{self._count}", text=f"line {self._count}")
        while True:
            data = self.bob.publication()["data"]  # perhaps what the third one published
            if isinstance(data, dict) and data["text"] == f"line {self._count}":
                return True


@pytest.fixture
def chatting(server: Server) -> Iterator[Chatting]:
    chat = Chatting(server)
    yield chat
    chat.ann.close()
    chat.bob.close()


def close_of(socket: ClientConnection) -> tuple[int, str]:
    """Read until the server closes, return code and reason."""
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            socket.recv(timeout=10)
    frame = closed.value.rcvd
    assert frame is not None
    return frame.code, frame.reason


DEEP = "[" * 20_000 + "]" * 20_000
CONNECT = '{"id":1,"connect":{}}'

RUBBISH = {
    "not JSON": "hello",
    "an empty frame": "",
    "blank lines": "\n\n \n",
    "an array": "[]",
    "a number": "42",
    "null": "null",
    "half an object": '{"id":1,"rpc":{',
    "nothing behind the id": '{"id":2}',
    "an unknown command": '{"id":2,"dance":{}}',
    "an id of the wrong type": '{"id":"2","rpc":{"method":"rooms"}}',
    "a negative id": '{"id":-1,"rpc":{"method":"rooms"}}',
    "an id that is too large": '{"id":4294967296,"rpc":{"method":"rooms"}}',
    "an id without end": '{"id":' + "9" * 5_000 + ',"rpc":{"method":"rooms"}}',
    "a channel of the wrong type": '{"id":2,"subscribe":{"channel":7}}',
    "no channel": '{"id":2,"subscribe":{}}',
    "an empty channel": '{"id":2,"publish":{"channel":"","data":1}}',
    "nesting without end": '{"id":2,"publish":{"channel":"lobby","data":' + DEEP + "}}",
    "half a surrogate pair": '{"id":2,"publish":{"channel":"lobby","data":"\\ud800"}}',
    "no id": '{"rpc":{"method":"rooms"}}',
    "a pong that nobody asked for": "{}",
    "a second connect": '{"id":2,"connect":{}}',
    "one bad command behind good ones": '{"id":2,"rpc":{"method":"rooms"}}\nnonsense',
}


@pytest.mark.parametrize("frame", RUBBISH.values(), ids=RUBBISH.keys())
def test_a_frame_of_rubbish_closes_its_connection_with_bad_request_and_disturbs_nobody(
    server: Server, chatting: Chatting, frame: str
) -> None:
    with server.websocket() as socket:
        socket.send(CONNECT)
        socket.recv(timeout=10)
        socket.send(frame)

        assert close_of(socket) == (3501, "bad request")
    assert chatting.goes_on()


def test_a_command_before_connect_is_a_bad_request(server: Server) -> None:
    with server.websocket() as socket:
        socket.send('{"id":1,"subscribe":{"channel":"lobby"}}')

        assert close_of(socket) == (3501, "bad request")


@pytest.mark.parametrize("path", ["/connection/websocket", "/ws/7"])
def test_a_binary_frame_is_closed_with_a_reason(server: Server, chatting: Chatting, path: str) -> None:
    with server.websocket(path) as socket:
        socket.send(b'{"id":1,"connect":{}}')

        assert close_of(socket) == (1003, "binary frames are not supported")
    assert chatting.goes_on()


@pytest.mark.parametrize("path", ["/connection/websocket", "/ws/7"])
@pytest.mark.parametrize("frame", ["x" * 65_537, "\N{SNOWMAN}" * 30_000], ids=["characters", "bytes"])
def test_a_frame_above_the_limit_is_closed_as_too_big(
    server: Server, chatting: Chatting, path: str, frame: str
) -> None:
    with server.websocket(path) as socket:
        socket.send(frame)

        assert close_of(socket)[0] == 1009
    assert chatting.goes_on()


BAD_DATA = {
    "deep": '{"id":3,"publish":{"channel":"lobby","data":' + "[" * 21 + "]" * 21 + "}}",
    "huge integer": '{"id":3,"publish":{"channel":"lobby","data":' + "9" * 5_000 + "}}",
    "a number that is none": '{"id":3,"publish":{"channel":"lobby","data":1e999}}',
    "no data": '{"id":3,"publish":{"channel":"lobby"}}',
}


@pytest.mark.parametrize("frame", BAD_DATA.values(), ids=BAD_DATA.keys())
def test_data_that_some_reader_could_not_take_is_refused_and_the_connection_stays(
    server: Server, chatting: Chatting, frame: str
) -> None:
    member = Member(server)
    member.call(subscribe=LOBBY)
    member.socket.send(frame)

    assert member.reply(3)["error"]["code"] == 107
    assert member.call(publish={"channel": "lobby", "data": 1})["publish"] == {}
    assert chatting.goes_on()
    member.close()


def test_the_reply_to_connect_comes_first_when_a_subscribe_is_pipelined_behind_it(server: Server) -> None:
    with server.websocket() as socket:
        socket.send('{"id":1,"connect":{}}\n{"id":2,"subscribe":{"channel":"lobby"}}')
        lines: list[Any] = []
        while len(lines) < 2:
            lines += [json.loads(line) for line in str(socket.recv(timeout=10)).split("\n")]

    assert [line["id"] for line in lines[:2]] == [1, 2]


@pytest.mark.parametrize(
    ("path", "subprotocols"),
    [
        ("/connection/websocket", ["centrifuge-protobuf"]),
        ("/connection/websocket?format=protobuf", None),
        ("/connection/websocket?cf_protocol=protobuf", None),
    ],
)
def test_a_client_that_wants_protobuf_is_refused_with_a_word_rather_than_left_waiting(
    server: Server, path: str, subprotocols: Any
) -> None:
    with pytest.raises(InvalidStatus) as refused, server.websocket(path, subprotocols=subprotocols):
        pass

    assert refused.value.response.status_code == 400
    assert b"JSON" in refused.value.response.body


def test_the_json_subprotocol_is_taken_where_it_is_offered(server: Server) -> None:
    with server.websocket(subprotocols=["centrifuge-protobuf", "centrifuge-json"]) as socket:
        assert socket.subprotocol == "centrifuge-json"


@pytest.mark.parametrize("client_id", ["9007199254740993", "a%20b", "x" * 33, "-", "%00", "12345678901234567890"])
def test_a_bad_client_id_is_refused_before_the_socket_opens(server: Server, client_id: str) -> None:
    with pytest.raises(InvalidStatus) as refused, server.websocket(f"/ws/{client_id}"):
        pass

    assert refused.value.response.status_code == 400
    assert b"client_id" in refused.value.response.body


@pytest.mark.parametrize("client_id", ["0", "9007199254740992", "-7", "1700000000000", "sensor-3"])
def test_a_good_client_id_is_who_one_is_to_the_others(server: Server, client_id: str) -> None:
    with server.websocket(f"/ws/{client_id}") as me, server.websocket("/ws/reader") as other:
        me.send("hello")

        assert other.recv(timeout=10) == f"Client {client_id}: hello"


def test_plain_clients_and_protocol_clients_share_the_lobby(server: Server) -> None:
    member = Member(server, "Ada")
    member.call(subscribe=LOBBY)
    with server.websocket("/ws/7") as seven, server.websocket("/ws/8") as eight:
        seven.send("from seven")
        heard_by_member = member.publication()
        heard_by_eight = eight.recv(timeout=10)
        member.rpc("send", channel="lobby", key="k", text="from Ada")
        heard_by_both = [seven.recv(timeout=10), eight.recv(timeout=10)]  # seven's first: not its own

    assert heard_by_member["data"]["text"] == "from seven"
    assert heard_by_member["info"]["conn_info"] == {"name": "Client 7"}
    assert heard_by_eight == "Client 7: from seven"
    assert heard_by_both == ["Client Ada: from Ada"] * 2
    member.close()


def test_a_plain_message_that_is_refused_is_answered_with_the_reason(server: Server) -> None:
    with server.websocket("/ws/7") as socket:
        socket.send("x" * 4_001)

        assert socket.recv(timeout=10) == "Error 107: bad request: text longer than 4000 characters"


def test_a_flood_of_commands_in_one_segment_is_answered_to_the_last_where_there_is_no_rate() -> None:
    with running(CHAT_RATE_LIMIT="off") as server:
        member = Member(server)
        frames = 2_000
        ids = [member.send(rpc={"method": "nope"}) for _ in range(frames)]

        assert [member.reply(command_id)["error"]["code"] for command_id in ids] == [104] * frames
        assert Chatting(server).goes_on()
        member.close()


def test_a_flood_of_commands_is_refused_and_then_ends(server: Server, chatting: Chatting) -> None:
    with server.websocket() as socket:
        socket.send(CONNECT)
        for number in range(2, 2_000):
            socket.send(json.dumps({"id": number, "rpc": {"method": "nope"}}))

        assert close_of(socket) == (3509, "too many errors")
    assert chatting.goes_on()
