"""What judges the runs with thousands of clients: the ledger; and the connection that such clients have."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest

from loadtests._follower import Follower
from loadtests._lean import LeanConnection, frame_at
from loadtests._ledger import Ledger
from loadtests._place import Place

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger()
    for offset in (1, 2, 3):
        ledger.store("room", offset, f"key {offset}")
    return ledger


def at(offset: int) -> Place:
    place = Place("room")
    place.offset = offset
    return place


def test_the_same_account_of_a_message_is_no_news(ledger: Ledger) -> None:
    ledger.store("room", 2, "key 2")

    assert not ledger.wrong


def test_another_message_at_an_offset_is_wrong(ledger: Ledger) -> None:
    ledger.store("room", 2, "other")

    assert ledger.wrong == {"two saw different messages at an offset": 1}


def test_a_message_at_another_offset_is_wrong_unless_in_another_room(ledger: Ledger) -> None:
    ledger.store("elsewhere", 4, "key 2")
    ledger.store("room", 4, "key 2")

    assert ledger.wrong == {"message is at two offsets": 1}


def test_who_lacks_the_newest_messages_is_counted_at_the_end(ledger: Ledger) -> None:
    assert ledger.is_at_the_end(at(3))
    assert not ledger.is_at_the_end(at(2))

    ledger.close([at(3), at(2), at(0)])

    assert ledger.wrong == {"message did not come by the end": 1 + 3}


@pytest.mark.parametrize("size", [0, 5, 125, 126, 65_535, 65_536])
def test_a_frame_is_taken_when_all_of_it_is_there(size: int) -> None:
    head = bytes((size,)) if size <= 125 else b"\x7e" + size.to_bytes(2, "big") if size < 65_536 else None
    head = head or b"\x7f" + size.to_bytes(8, "big")
    data = b"before\x81" + head + bytes(size)

    assert frame_at(data, 6) == (0x81, len(data) - size, len(data))
    assert all(
        frame_at(data[:cut], 6) is None for cut in (6, 7, len(data) - size - 1, len(data) - 1) if cut < len(data)
    )


ANSWER = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"


@contextlib.asynccontextmanager
async def saying(*parts: bytes) -> AsyncIterator[int]:
    """Serve at a port: to each connection say this, in as many parts, and hang up."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def heard(*parts: bytes) -> tuple[list[bytes], str]:
    """Return the texts that a connection got from that, and how it ended."""
    frames: list[bytes] = []
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with saying(*parts) as port:
        connection = LeanConnection(port, frames.append, ended.set_result)
        await connection.open()
        return frames, await ended


def test_texts_are_taken_however_they_are_cut() -> None:
    stream = ANSWER + b"\x81\x02{}" + b"\x89\x00" + b"\x81\x01a"

    whole = asyncio.run(heard(stream))
    in_bytes = asyncio.run(heard(*(stream[at : at + 1] for at in range(len(stream)))))

    assert whole == in_bytes == ([b"{}", b"a"], "1006")


def test_a_close_frame_says_why() -> None:
    assert asyncio.run(heard(ANSWER + b"\x88\x06\x0b\xc0slow")) == ([], "3008 slow")


@pytest.mark.parametrize(
    ("answer", "why"), [(b"HTTP/1.1 503 Full\r\n\r\n", "HTTP/1.1 503 Full"), (b"", "the server hung up")]
)
def test_a_handshake_that_is_refused_is_an_error(answer: bytes, why: str) -> None:
    with pytest.raises(ConnectionResetError, match=why):
        asyncio.run(heard(answer))


def test_nobody_there_is_an_error() -> None:
    async def connect() -> None:
        async with saying() as port:
            pass
        await LeanConnection(port, lambda _: None, lambda _: None).open()

    with pytest.raises(ConnectionRefusedError):
        asyncio.run(connect())


def text(*lines: str) -> bytes:
    data = "\n".join(lines).encode()
    return b"\x81\x7e" + len(data).to_bytes(2, "big") + data


def pushed(offset: int, key: str = "") -> str:
    entry = f'{{"data":{{"key":"{key or offset}","text":"0;"}},"offset":{offset}}}'
    return f'{{"push":{{"channel":"room","pub":{entry}}}}}'


CONNECTED = '{"id":1,"connect":{"client":"c","data":{}}}'
ENTERED = '{"id":2,"subscribe":{"offset":4,"epoch":"e"}}'


async def follow(*lines: str) -> Ledger:
    """Return what a member finds that gets these, after it was closed for being slow."""
    ledger = Ledger()
    async with saying(ANSWER, text(*lines), b"\x88\x02\x0b\xc0") as port:
        member = Follower(port, ["room"], ledger)
        await member.open()
        await member.enter()
        await member.read_to_the_end()
    return ledger


ENDED = {"connection ended: 3008": 1}


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        ([pushed(5), pushed(6), pushed(7)], {}),
        ([pushed(5), pushed(7)], {"gap in the offsets": 1}),
        ([pushed(5), pushed(5), pushed(6)], {"offset came again": 1}),
        ([pushed(6), pushed(5), pushed(7)], {"gap in the offsets": 1, "offset came again": 1}),
        ([pushed(5, "a"), pushed(6, "a")], {"message is at two offsets": 1}),
        (['{"push":{"channel":"room","unsubscribe":{"code":2500}}}'], {"unsubscribed: 2500": 1}),
        (['{"push":{"channel":"room","join":{"info":{}}}}', "{}"], {}),
    ],
)
def test_each_message_that_does_not_come_once_in_its_order_is_found(lines: list[str], wrong: dict[str, int]) -> None:
    assert asyncio.run(follow(CONNECTED, ENTERED, *lines)).wrong == {**wrong, **ENDED}


def test_who_is_not_let_in_has_an_error() -> None:
    with pytest.raises(ConnectionRefusedError, match="103 no"):
        asyncio.run(follow(CONNECTED, '{"id":2,"error":{"code":103,"message":"no"}}'))


def test_who_is_cut_off_before_it_is_in_has_an_error() -> None:
    with pytest.raises(ConnectionResetError, match="ended while entering: 3008"):
        asyncio.run(follow(CONNECTED))
