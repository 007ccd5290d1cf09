"""Frames as RFC 6455 has them, judged by a library that reads what clients read."""

from __future__ import annotations

import pytest
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from chat.framing import text_frame, text_of_frame

sizes = pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 300_000])


def parsed(data: bytes) -> Frame:
    """Parse bytes that must be one frame, and nothing behind it."""
    reader = StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    parser = Frame.parse(reader.read_exact, mask=False)
    with pytest.raises(StopIteration) as done:
        next(parser)
    assert len(reader.buffer) == 0
    frame: Frame = done.value.value
    return frame


@sizes
def test_a_text_of_any_size_is_one_frame(size: int) -> None:
    frame = parsed(text_frame(b"x" * size))

    assert (frame.opcode, frame.fin, frame.data) == (Opcode.TEXT, True, b"x" * size)


def test_it_is_not_marked_as_compressed() -> None:
    frame = parsed(text_frame(b"hello"))

    assert (frame.rsv1, frame.rsv2, frame.rsv3) == (False, False, False)


@sizes
def test_the_text_can_be_taken_out_again(size: int) -> None:
    assert text_of_frame(text_frame(b"x" * size)) == b"x" * size
