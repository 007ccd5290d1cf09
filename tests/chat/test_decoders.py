"""Whatever comes in, a decoder returns commands or raises the one error that it names. Nothing else ever comes out."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import Raw

from chat.errors import CommandError, Disconnect
from chat.framing import text_frame, text_of_frame
from chat.limits import MAX_DEPTH, Limits, clean_json
from chat.plaintext import PlainText
from chat.protocol import commands, encoding, methods, publications
from chat.rates import kind_of

COMMANDS = [*encoding.METHOD_OF.values(), "ping", "send", "refresh", "sub_refresh", "dance"]
METHODS = [*methods.CHAOS_METHODS, "dance", ""]
FIELDS = [
    *("channel", "data", "method", "token", "recover", "offset", "epoch", "flag", "type", "tf", "limit", "since"),
    *("reverse", "key", "text", "target", "emoji", "on", "before", "after", "kind", "name", "guest"),
]
NUMBERS = st.integers() | st.integers(min_value=-(10**400), max_value=10**400) | st.floats()
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text() | st.characters(categories=["Cs"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(FIELDS) | st.text(), inner),
    max_leaves=12,
)
REQUESTS = VALUES | st.dictionaries(st.sampled_from(FIELDS), VALUES | st.sampled_from(METHODS), max_size=6)
ENVELOPES = st.dictionaries(st.sampled_from([*COMMANDS, "id"]), REQUESTS | st.integers(0, 2**32), max_size=3)


@st.composite
def frames(draw: st.DrawFn) -> str:
    """Lines that nearly are commands, some of them broken somewhere."""
    lines = [json.dumps(envelope) for envelope in draw(st.lists(ENVELOPES, max_size=4))]
    frame = "\n".join(lines)
    for place in draw(st.lists(st.integers(0, max(0, len(frame) - 1)), max_size=3)):
        frame = frame[:place] + draw(st.text(max_size=3)) + frame[place + draw(st.integers(0, 3)) :]
    return frame


def take_in(frame: str) -> None:
    """Decode a frame as far as a client actor does."""
    with contextlib.suppress(Disconnect):
        for command in commands.decode_frame(frame):
            assert type(command) is commands.Command
            kind_of(command.request)
            with contextlib.suppress(CommandError):
                if isinstance(command.request, commands.Rpc):
                    methods.decode_rpc(command.request, chaos=True)
                elif isinstance(command.request, commands.Connect):
                    commands.decode_connect_data(command.request.data)
                elif isinstance(command.request, commands.Publish):
                    publications.is_change(clean_json(command.request.data))


@given(frames())
@settings(max_examples=1_000, deadline=None)
def test_a_frame_that_is_nearly_right_becomes_commands_or_the_protocols_error(frame: str) -> None:
    take_in(frame)


@given(st.text() | st.binary().map(lambda data: data.decode("utf-8", "surrogateescape")))
@example("\ud800")
@example("\0")
@example("{}\0")
def test_any_text_becomes_commands_or_the_protocols_error(frame: str) -> None:
    take_in(frame)
    assert len(PlainText("7", "lobby").decode(frame)) == 1


@given(st.binary())
def test_any_data_is_cleaned_or_refused_and_what_is_clean_stays_so(data: bytes) -> None:
    with contextlib.suppress(CommandError):
        clean = clean_json(Raw(data))
        assert clean_json(Raw(clean)) == clean
        publications.is_change(clean)
        publications.text_of(clean)


@given(st.binary(max_size=300) | st.sampled_from([125, 126, 65_535, 65_536]).map(bytes))
def test_what_is_framed_is_in_the_frame(text: bytes) -> None:
    assert text_of_frame(text_frame(text)) == text


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize("depth", [MAX_DEPTH - 1, MAX_DEPTH])
def test_data_may_be_nested_up_to_the_limit(depth: int) -> None:
    assert clean_json(Raw(nested(depth))) == nested(depth)


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 1_000, 32_000])
def test_data_that_is_nested_deeper_is_refused(depth: int) -> None:
    with pytest.raises(CommandError, match="nested deeper than 20"):
        clean_json(Raw(nested(depth)))


@pytest.mark.parametrize("method", [*methods.CHAOS_METHODS])
@pytest.mark.parametrize(
    "value",
    [nested(32_000), b"9" * 60_000, b"-" + b"9" * 60_000, b"1e999999", b'"\\ud800"', b'"\\u0000"', b'"\xff"', b"NaN"],
    ids=["deep", "long", "long, negative", "large", "half a pair", "NUL", "no UTF-8", "NaN"],
)
def test_a_value_that_no_field_can_have_is_a_bad_request_wherever_it_stands(method: str, value: bytes) -> None:
    for field in ("channel", "target", "limit", "text", "unknown"):
        with contextlib.suppress(CommandError):
            methods.decode_rpc(commands.Rpc(method, Raw(b'{"%s":%s}' % (field.encode(), value))), chaos=True)


def test_the_frame_limit_lets_every_legal_text_pass_however_it_is_escaped() -> None:
    """A character beyond the first plane is 12 bytes as JSON's escapes write it."""
    limits = Limits()
    channel, key = "\N{GRINNING FACE}" * 63, "\N{GRINNING FACE}" * 64
    data = {"channel": channel, "key": key, "text": "\N{GRINNING FACE}" * limits.max_text_chars}
    frame = json.dumps({"id": 2**32 - 1, "rpc": {"method": "send", "data": data}})

    assert len(frame) <= limits.max_frame_bytes


def test_the_frame_limit_lets_all_subscriptions_come_back_in_one_frame() -> None:
    limits = Limits()
    subscribes = (
        {"channel": "x" * 255, "recover": True, "offset": 2**53, "epoch": "d7fc85be", "flag": 1, "recoverable": True}
        for _ in range(limits.max_channels)
    )
    lines = [json.dumps({"id": 2**31 + n, "subscribe": each}) for n, each in enumerate(subscribes)]

    assert len("\n".join(lines)) <= limits.max_frame_bytes
