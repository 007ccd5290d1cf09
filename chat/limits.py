"""How much of anything, and what names and data must look like. Pure rules; whoever calls them answers the client."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from chat.channels import check_direct
from chat.errors import bad_request
from chat.rates import RateLimits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

T = TypeVar("T")


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of one server. Sizes of frames and backlogs are bytes, times are seconds."""

    max_frame_bytes: int = 65_536
    max_backlog_bytes: int = 1_048_576
    max_text_chars: int = 4_000
    max_channels: int = 128
    max_pending: int = 256
    max_rooms: int = 10_000
    recovery_window: int = 300
    recovery_limit: int = 10_000
    presence_limit: int = 200
    room_idle_s: float = 60.0
    room_closed_s: float = 30.0
    ping_interval_s: float = 25.0
    pong_timeout_s: float = 8.0
    connect_timeout_s: float = 10.0
    token_grace_s: float = 25.0
    typing_interval_s: float = 1.0
    retention_entries: int | None = None
    retention_days: float | None = None
    rates: RateLimits | None = None
    """None: clients may go as fast as they can."""

    @property
    def max_page_bytes(self) -> int:
        """How much data one reply may carry: more would be too much of a backlog by itself."""
        return self.max_backlog_bytes // 2


MAX_CHANNEL_BYTES = 255
MAX_TOPIC_CHARS = 250
MAX_QUERY_CHARS = 64
MAX_ROOMS_LISTED = 100
MAX_KEY_CHARS = 64
MAX_EMOJI_CHARS = 32
MAX_MESSAGES = 100
MAX_MENTIONS = 20
MAX_USER_CHARS = 255
MAX_SEARCH_CHARS = 200
MAX_FOUND = 50
MAX_FILES = 10
MAX_DEPTH = 20

_LONG_NUMBER = re.compile(rb"[0-9]{19}")  # anything shorter fits

_decode_any = msgspec.json.Decoder().decode


def check_channel(channel: str) -> None:
    """Accept a channel name, or raise `CommandError`."""
    if len(channel.encode()) > MAX_CHANNEL_BYTES:
        raise bad_request(f"channel name longer than {MAX_CHANNEL_BYTES} bytes")
    if not channel.isprintable() or channel != channel.strip():
        raise bad_request("channel name with control characters or outer spaces")
    check_direct(channel)


def personal_channel(user: str) -> str:
    """Return the channel in which the server tells a user what concerns them. It has no room."""
    return f"user#{user}"


def is_personal(channel: str) -> bool:
    """Tell whether a channel is somebody's personal one: the server's own, in which nobody else does anything."""
    return channel.startswith("user#")


def check_key(key: str) -> None:
    """Accept a send key, or raise `CommandError`."""
    if not 1 <= len(key) <= MAX_KEY_CHARS:
        raise bad_request(f"key must have 1 to {MAX_KEY_CHARS} characters")


def check_text(text: str, limits: Limits) -> None:
    """Accept a message text, or raise `CommandError`."""
    if not text.strip():
        raise bad_request("text is empty")
    if len(text) > limits.max_text_chars:
        raise bad_request(f"text longer than {limits.max_text_chars} characters")


def check_files(files: Sequence[str]) -> None:
    """Accept the ids of the uploads that a message comes with, or raise `CommandError`."""
    if len(files) > MAX_FILES:
        raise bad_request(f"more than {MAX_FILES} files")
    if len(set(files)) < len(files):
        raise bad_request("a file is named twice")


def check_mentions(mentions: Mapping[str, str], text: str) -> None:
    """Accept whom a message mentions, by user, each with the name as it stands in the text, or raise `CommandError`."""
    if len(mentions) > MAX_MENTIONS:
        raise bad_request(f"more than {MAX_MENTIONS} mentions")
    for user, name in mentions.items():
        if not 1 <= len(user) <= MAX_USER_CHARS or not user.isprintable():
            raise bad_request(f"a user to mention must have 1 to {MAX_USER_CHARS} characters that print")
        if not name or f"@{name}" not in text:
            raise bad_request("the text does not have the name of whom it mentions after an @")


def check_topic(topic: str) -> None:
    """Accept what a room is about, which may be nothing, or raise `CommandError`."""
    if len(topic) > MAX_TOPIC_CHARS or not topic.isprintable():
        raise bad_request(f"topic longer than {MAX_TOPIC_CHARS} characters, or one that does not print")


def check_query(query: str) -> None:
    """Accept what rooms are looked for by, or raise `CommandError`."""
    if not 1 <= len(query) <= MAX_QUERY_CHARS or not query.isprintable() or query.isspace():
        raise bad_request(f"query must have 1 to {MAX_QUERY_CHARS} characters that print")


def fitting(items: Sequence[T], size: Callable[[T], int], most: int) -> Sequence[T]:
    """Return as many of the first items as have at most that size in all, and the first one in any case."""
    total = 0
    for number, item in enumerate(items):
        total += size(item)
        if total > most and number:
            return items[:number]
    return items


def check_emoji(emoji: str) -> None:
    """Accept a reaction, or raise `CommandError`. What an emoji is changes every year; this is what it cannot be."""
    if not 1 <= len(emoji) <= MAX_EMOJI_CHARS:
        raise bad_request(f"emoji must have 1 to {MAX_EMOJI_CHARS} characters")
    if any(char.isspace() or unicodedata.category(char) == "Cc" for char in emoji):
        raise bad_request("emoji with spaces or control characters")


def clean_json(raw: bytes | msgspec.Raw) -> bytes:
    """Return the same JSON value in a form that every JSON reader takes, or raise `CommandError`.

    What one client publishes is read by all others. Broken Unicode, numbers without end and nesting without end are
    legal to some readers and an exception in others, so they stop here.
    """
    try:
        value = _decode_any(raw)
        if nesting(value) > MAX_DEPTH:
            raise bad_request(f"data nested deeper than {MAX_DEPTH}")
        if _LONG_NUMBER.search(raw) and not _fits_64_bits(value):
            raise bad_request("data with an integer of more than 64 bits")
        return msgspec.json.encode(value)
    except RecursionError:
        raise bad_request(f"data nested deeper than {MAX_DEPTH}") from None
    except ValueError as error:  # msgspec's errors and UnicodeError are of this kind
        raise bad_request(f"data is not valid JSON ({error})") from None


def _fits_64_bits(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_fits_64_bits, value.values()))
    if isinstance(value, list):
        return all(map(_fits_64_bits, value))
    return not isinstance(value, int) or -(2**63) <= value < 2**64


def nesting(value: Any) -> int:
    """Count how deep lists and objects are nested; 0 for a plain value."""
    depth = 0
    level = [value] if isinstance(value, (dict, list)) else []
    while level:
        depth += 1
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
    return depth
