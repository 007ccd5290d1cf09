"""What hostile peers say, and what a server must answer: conversations drawn by dice, with the close codes that fit.

A conversation is a handshake, some frames that are odd but allowed, and an end: one frame, or a few, that the server
must answer with a certain close code (RFC 6455, section 7.4, or the protocol's), a goodbye, or nothing at all.
"""

from __future__ import annotations

import random
import struct
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
from websockets.frames import Opcode
from websockets.utils import apply_mask

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAX_FRAME_BYTES: Final = 65_536
ROOMS: Final = 5
LONGEST: Final = 120
"""Frames of a conversation, before its end."""
BROKEN_HANDSHAKES: Final = 0.05
PLAIN: Final = 0.15
KEY: Final = "dGhlIHNhbXBsZSBub25jZQ=="

GONE: Final = None
"""In place of a close code: the connection ends, and nothing need be said."""

_encode = msgspec.json.Encoder().encode


class Conversation(NamedTuple):
    """What to send, piece by piece, and the codes or HTTP statuses one of which must come back."""

    kind: str
    pieces: Sequence[bytes]
    frames: int
    answers: frozenset[int | None]
    is_open: bool = True
    """Whether the handshake is right; if not, the answer is a status."""
    hangs_up: bool = False
    """Whether the peer goes without waiting for an answer."""


def frame(
    dice: random.Random,
    data: bytes,
    opcode: int = Opcode.TEXT,
    *,
    fin: bool = True,
    reserved: int = 0,
    masked: bool = True,
) -> bytes:
    """Return a frame as a client sends it, right or wrong."""
    first = fin << 7 | reserved << 4 | opcode
    size = len(data)
    if size < 126:  # noqa: PLR2004  (the three forms of a length, as the RFC has them)
        head = struct.pack("!BB", first, masked << 7 | size)
    elif size < 65_536:  # noqa: PLR2004
        head = struct.pack("!BBH", first, masked << 7 | 126, size)
    else:
        head = struct.pack("!BBQ", first, masked << 7 | 127, size)
    if not masked:
        return head + data
    key = dice.randbytes(4)
    return head + key + apply_mask(data, key)


# What is allowed


def _command(dice: random.Random) -> bytes:
    """Return a command that is answered, with a result or an error, and closes nothing."""
    channel = dice.choice([f"fuzz-{dice.randrange(ROOMS)}", "", "#", "\x00", "x" * 300, "fuzz-\N{SNOWMAN}"])
    offset = dice.choice([0, 1, 2**31, 2**63 - 1])
    request: dict[str, object] = dice.choice(
        [
            {"rpc": {"method": "send", "data": {"channel": channel, "key": dice.randbytes(4).hex(), "text": "x"}}},
            {"rpc": {"method": "send", "data": {"channel": channel, "key": "", "text": "\x00" * dice.randrange(5)}}},
            {"rpc": {"method": "edit", "data": {"channel": channel, "target": offset or 1, "text": "y"}}},
            {"rpc": {"method": "messages", "data": {"channel": channel, "before": offset, "limit": 3}}},
            {
                "rpc": {
                    "method": "search",
                    "data": {"query": dice.choice(['"', "\0", "x" * 999]), "before": offset},
                }
            },
            {"rpc": {"method": "react", "data": dice.choice([None, [], {}, 1, "x", {"channel": [[]]}])}},
            {"rpc": {"method": dice.choice(["typing", "rooms", "mine", "leave", ""]), "data": {"channel": channel}}},
            {
                "rpc": {
                    "method": dice.choice(["read", "notify"]),
                    "data": {"channel": channel, "offset": offset, "on": 0},
                }
            },
            {"publish": {"channel": channel or "x", "data": _value(dice, 4)}},
            {"subscribe": {"channel": channel or "x", "recover": True, "offset": offset, "epoch": "zz"}},
            {"subscribe": {"channel": channel or "x", "flag": 2}},
            {"unsubscribe": {"channel": channel or "x"}},
            {"history": {"channel": channel or "x", "limit": dice.choice([-2, -1, 0, 1, 10]), "reverse": True}},
            {"presence": {"channel": channel or "x"}},
            {"sub_refresh": {"channel": channel or "x", "token": dice.choice(["", "x"])}},
            {"subscribe": {"channel": dice.choice(["x", "$x"]), "token": "x"}},
        ]
    )
    return _encode({"id": dice.randrange(2, 2**32), **request})


def _value(dice: random.Random, depth: int) -> object:
    kind = dice.randrange(7 if depth else 4)
    if kind == 0:
        return dice.choice([None, True, 2**64, -(2**70), 1e308, 0.1])
    if kind <= 3:  # noqa: PLR2004
        return "".join(dice.choices('ab\\"\x00\u2028\N{GRINNING FACE}', k=dice.randrange(6)))
    if kind <= 5:  # noqa: PLR2004
        return [_value(dice, depth - 1) for _ in range(dice.randrange(3))]
    return {dice.choice(["type", "text", "", "a"]): _value(dice, depth - 1)}


def _said(dice: random.Random, *, plain: bool) -> bytes:
    return dice.choice([b"hello", b" ", "\N{SNOWMAN}".encode(), b"{}", b"\x00"]) if plain else _command(dice)


def _whole(dice: random.Random, said: bytes) -> list[bytes]:
    return [frame(dice, said)]


def _fragmented(dice: random.Random, said: bytes) -> list[bytes]:
    """Return a text in fragments, cut anywhere, some of them empty, with a ping in between."""
    cuts = sorted(dice.randrange(len(said) + 1) for _ in range(dice.randrange(1, 5)))
    parts = [said[start:end] for start, end in zip([0, *cuts], [*cuts, len(said)], strict=True)]
    frames = [
        frame(dice, part, Opcode.CONT if number else Opcode.TEXT, fin=number == len(parts) - 1)
        for number, part in enumerate(parts)
    ]
    frames.insert(dice.randrange(1, len(frames) + 1), frame(dice, b"", Opcode.PING))
    return frames


def _control(dice: random.Random, _: bytes) -> list[bytes]:
    return [frame(dice, dice.randbytes(dice.randrange(126)), dice.choice([Opcode.PING, Opcode.PONG]))]


ALLOWED: Final = (_whole, _whole, _fragmented, _control)


# Ends


class End(NamedTuple):
    """The last frames of a conversation, and what must come of them."""

    make: Callable[[random.Random], list[bytes]]
    answers: frozenset[int | None]
    hangs_up: bool = False


def _end(make: Callable[[random.Random], list[bytes]], *answers: int | None, hangs_up: bool = False) -> End:
    return End(make, frozenset(answers), hangs_up)


def _mutated(dice: random.Random) -> list[bytes]:
    """Return a command with some bytes of it changed, left out or put in; what that is, nobody knows. Then go."""
    text = bytearray(_command(dice))
    for _ in range(dice.randrange(1, 4)):
        place = dice.randrange(len(text))
        text[place : place + dice.randrange(3)] = dice.randbytes(dice.randrange(3))
        text = text or bytearray(b"x")
    return [frame(dice, bytes(text)), *_goodbye(dice)]


def _goodbye(dice: random.Random) -> list[bytes]:
    return [frame(dice, struct.pack("!H", 1000) + b"bye", Opcode.CLOSE)]


def _close(body: bytes) -> Callable[[random.Random], list[bytes]]:
    return lambda dice: [frame(dice, body, Opcode.CLOSE)]


def _half(dice: random.Random) -> list[bytes]:
    whole = frame(dice, dice.randbytes(300), dice.choice([Opcode.TEXT, Opcode.PING, Opcode.BINARY]) & 1 | 1)
    return [whole[: dice.randrange(1, len(whole))]]


def _too_long_in_fragments(dice: random.Random) -> list[bytes]:
    part = b"x" * 20_000
    return [frame(dice, part, Opcode.CONT if number else Opcode.TEXT, fin=False) for number in range(4)]


_SPLIT: Final = "\N{GRINNING FACE}".encode()

ENDS: Final = {
    "goodbye": _end(_goodbye, 1000),
    "goodbye without a code": _end(_close(b""), 1000, 1005),
    "hang-up": _end(lambda _: [], GONE, hangs_up=True),
    "half a frame": _end(_half, GONE, hangs_up=True),
    "not masked": _end(lambda dice: [frame(dice, b"hello", masked=False)], 1002),
    "reserved bits": _end(lambda dice: [frame(dice, b"hello", reserved=dice.randrange(1, 8))], 1002),
    "reserved opcode": _end(lambda dice: [frame(dice, b"", dice.choice([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]))], 1002),
    "long ping": _end(lambda dice: [frame(dice, b"x" * dice.randrange(126, 70_000), Opcode.PING)], 1002, 1009),
    "fragmented ping": _end(lambda dice: [frame(dice, b"", Opcode.PING, fin=False)], 1002),
    "continuation of nothing": _end(lambda dice: [frame(dice, b"x", Opcode.CONT, fin=dice.random() < 0.5)], 1002),  # noqa: PLR2004
    "text within a text": _end(lambda dice: [frame(dice, b"x", fin=False), frame(dice, b"y")], 1002),
    "no UTF-8": _end(lambda dice: [frame(dice, dice.choice([b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5"]))], 1007),
    "half a character": _end(lambda dice: [frame(dice, _SPLIT[:2], fin=False), frame(dice, b"", Opcode.CONT)], 1007),
    "no UTF-8 across fragments": _end(
        lambda dice: [frame(dice, _SPLIT[:3], fin=False), frame(dice, b"x", Opcode.CONT)], 1007
    ),
    "too long": _end(lambda dice: [frame(dice, b"x" * (MAX_FRAME_BYTES + 1))], 1009),
    "too long, it says": _end(lambda _: [struct.pack("!BBQ", 0x81, 0xFF, 2**40) + b"mask"], 1009),
    "longer than can be": _end(lambda _: [struct.pack("!BBQ", 0x81, 0xFF, 2**64 - 1) + b"mask"], 1002, 1009),
    "too long in fragments": _end(_too_long_in_fragments, 1009),
    "binary": _end(lambda dice: [frame(dice, dice.randbytes(20), Opcode.BINARY)], 1003),
    "half a close code": _end(_close(b"\x03"), 1002),
    "close code that none may send": _end(
        lambda dice: _close(struct.pack("!H", dice.choice([0, 999, 1004, 1005, 1006, 1015, 2999, 5000])))(dice), 1002
    ),
    "close reason that is no UTF-8": _end(_close(struct.pack("!H", 1000) + b"\xff"), 1007),
    "noise": _end(lambda dice: [b"\x8f" + dice.randbytes(200)], 1002),
}
JSON_ENDS: Final = {
    "no JSON": _end(
        lambda dice: [frame(dice, dice.choice([b"hello", b"", b"[]", b'{"id":1', b"\n", b"[" * 9_999]))], 3501
    ),
    "unasked pong": _end(lambda dice: [frame(dice, b"{}")], 3501),
    "second connect": _end(lambda dice: [frame(dice, b'{"id":9,"connect":{}}')], 3501),
    "refresh of what does not end": _end(lambda dice: [frame(dice, b'{"id":9,"refresh":{"token":"x"}}')], 3501),
    "send that nothing takes": _end(lambda dice: [frame(dice, b'{"send":{"data":1}}')], 3508),
    "mutation": _end(_mutated, 1000, 1007, 3501, 3508),
    "mutation ": _end(_mutated, 1000, 1007, 3501, 3508),
}
ALL_ENDS: Final = ENDS | JSON_ENDS


# Handshakes


def handshake(path: str, address: str, **other: str) -> bytes:
    """Return a handshake of somebody behind a proxy. What is `other` replaces a header, or leaves it out if empty."""
    headers = {
        "Host": "chat.example",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Version": "13",
        "X-Forwarded-For": address,
        **{name.replace("_", "-"): value for name, value in other.items()},
    }
    lines = [f"{name}: {value}\r\n" for name, value in headers.items() if value]
    return f"GET {path} HTTP/1.1\r\n{''.join(lines)}\r\n".encode()


REFUSED: Final = frozenset({400, 403, 404, 405, 426, 431, GONE})


def _broken_handshake(dice: random.Random, path: str, address: str) -> bytes:
    right = handshake(path, address)
    place = dice.randrange(len(right))
    nowhere = dice.choice(["/ws/a,b", "/ws/", "/nowhere", "/connection/websocket?format=protobuf"])
    return dice.choice(
        [
            handshake(path, address, Sec_WebSocket_Key=dice.choice(["", "x", "\xe4" * 24])),
            handshake(path, address, Sec_WebSocket_Version=dice.choice(["", "12", "x"])),
            handshake(path, address, Origin=dice.choice(["null", "https://evil.example"])),
            handshake(nowhere, address),
            right.replace(b"GET", dice.choice([b"POST", b"BREW", b"get", b""])),
            right.replace(b"HTTP/1.1", dice.choice([b"HTTP/1.0", b"HTTP/9.9", b"", b"HTTP"])),
            right[:-2] + b"X-Long: " + b"x" * 100_000 + b"\r\n\r\n",
            right[:place] + dice.randbytes(dice.randrange(1, 9)) + right[place:],
        ]
    )


# Conversations


def conversation(dice: random.Random) -> Conversation:
    """Draw one."""
    address = f"10.{dice.randrange(256)}.{dice.randrange(256)}.{dice.randrange(256)}"
    plain = dice.random() < PLAIN
    path = f"/ws/{dice.randrange(1000)}" if plain else "/connection/websocket"
    if dice.random() < BROKEN_HANDSHAKES:
        request = _broken_handshake(dice, path, address)
        return Conversation("broken handshake", _cut(dice, request), 0, REFUSED | {101}, is_open=False)
    frames: list[bytes] = []
    if not plain:
        frames += [frame(dice, b'{"id":1,"connect":{"data":{"name":"Fuzz"}}}')]
        frames += [frame(dice, b'{"id":2,"subscribe":{"channel":"fuzz-%d"}}' % dice.randrange(ROOMS))]
    for _ in range(dice.randrange(LONGEST)):
        frames += dice.choice(ALLOWED)(dice, _said(dice, plain=plain))
    kind = dice.choice([*ENDS] if plain else [*ALL_ENDS])
    end = ALL_ENDS[kind]
    frames += end.make(dice)
    pieces = [handshake(path, address), *_cut(dice, b"".join(frames))]
    return Conversation(kind.strip(), pieces, len(frames), end.answers, hangs_up=end.hangs_up)


def _cut(dice: random.Random, data: bytes) -> list[bytes]:
    """Cut data into up to four pieces, anywhere."""
    cuts = sorted(dice.randrange(len(data) + 1) for _ in range(dice.randrange(4)))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
