"""What several types of the wire have in common: kinds of values, and how all of it is read and written."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Raw

from chat.errors import bad_request

CommandId = Annotated[int, Meta(ge=0, le=2**32 - 1)]
Offset = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Target = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Until = Annotated[int, Meta(ge=1, le=253_402_300_799_000)]  # to the end of year 9999
Channel = Annotated[str, Meta(min_length=1)]
FileId = Annotated[str, Meta(min_length=1, max_length=64)]

HOLDS: Final = "x-holds"

encode: Final = msgspec.json.Encoder().encode


def holding(*names: str | None) -> Meta:
    """Say for the schema what JSON is in a `Raw`: any of these types of this package, or with None also null."""
    return Meta(extra_json_schema={HOLDS: names})


def decode_data(decoder: msgspec.json.Decoder[Any], data: Raw) -> Any:
    """Decode what is in a command; nothing and null are an empty object. Raises `CommandError` (107)."""
    raw = bytes(data)
    try:
        return decoder.decode(b"{}" if raw in {b"", b"null"} else raw)
    except (ValueError, RecursionError) as error:
        message = str(error)
        raise bad_request(message) from None
