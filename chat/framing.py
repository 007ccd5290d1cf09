"""WebSocket framing of text (RFC 6455, section 5.2), as a server sends it: one whole message a frame, unmasked.

A frame is made once for all who get it, compression negotiated or not: without the RSV1 bit it is not compressed
(RFC 7692, section 6).
"""

from __future__ import annotations

import struct

_header_16 = struct.Struct("!BBH").pack
_header_64 = struct.Struct("!BBQ").pack


def text_frame(text: bytes) -> bytes:
    """Return the frame that holds a text, which is UTF-8."""
    size = len(text)
    if size < 126:  # noqa: PLR2004  (the three forms of a length, as the RFC has them)
        return bytes((0x81, size)) + text
    if size < 65536:  # noqa: PLR2004
        return _header_16(0x81, 126, size) + text
    return _header_64(0x81, 127, size) + text


def text_of_frame(frame: bytes) -> bytes:
    """Return the text in a frame that `text_frame` made."""
    return frame[{126: 4, 127: 10}.get(frame[1], 2) :]
