"""The limits of a real server, one below, at, and one above; and a fuzzer's run that is short and always the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import ConnectionClosed

from chat.limits import Limits
from tests.server import Member, Server

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

LIMITS = Limits()


def close_code(socket: ClientConnection) -> int:
    """Read until the server closes."""
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            socket.recv(10)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


def frame_of(size: int) -> str:
    """Return a frame with a command that is answered, of this many bytes."""
    frame = json.dumps({"id": 2, "rpc": {"method": "nope", "data": ""}})
    return frame.replace('""', '"%s"' % ("x" * (size - len(frame))))


@pytest.mark.parametrize(("more", "fits"), [(-1, True), (0, True), (1, False)])
def test_a_frame_may_have_so_many_bytes(server: Server, *, more: int, fits: bool) -> None:
    with server.websocket() as socket:
        socket.send('{"id":1,"connect":{}}')
        socket.recv(10)
        socket.send(frame_of(LIMITS.max_frame_bytes + more))
        if fits:
            assert json.loads(socket.recv(10))["error"]["code"] == 104
        else:
            assert close_code(socket) == 1009


@pytest.mark.parametrize(("more", "fits"), [(-1, True), (0, True), (1, False)])
@pytest.mark.parametrize("letter", ["x", "\N{GRINNING FACE}", "\0", '"'], ids=["ASCII", "emoji", "NUL", "quote"])
def test_a_text_may_have_so_many_characters_whatever_they_are(
    server: Server, letter: str, *, more: int, fits: bool
) -> None:
    member = Member(server)
    member.call(subscribe={"channel": "texts"})
    text = letter * (LIMITS.max_text_chars + more)
    reply = member.call(rpc={"method": "send", "data": {"channel": "texts", "key": f"{letter!r}{more}", "text": text}})
    member.close()

    assert ("rpc" in reply) == fits
    assert fits or reply["error"]["message"] == "bad request: text longer than 4000 characters"


@pytest.mark.parametrize(("more", "fits"), [(-1, True), (0, True), (1, False)])
def test_data_may_be_nested_so_deep(server: Server, *, more: int, fits: bool) -> None:
    member = Member(server)
    member.call(subscribe={"channel": "deep"})
    depth = 20 + more
    reply = member.call(publish={"channel": "deep", "data": json.loads("[" * depth + "]" * depth)})
    member.close()

    assert ("publish" in reply) == fits
    assert fits or reply["error"]["code"] == 107
