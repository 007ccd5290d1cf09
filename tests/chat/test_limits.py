from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat import limits
from chat.channels import is_private
from chat.errors import CommandError
from chat.limits import MAX_DEPTH, Limits, check_channel, check_key, check_text, clean_json, nesting

any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=[])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=40,
)
deep_json = st.integers(0, 2 * MAX_DEPTH).map(lambda depth: "[" * depth + "1" + "]" * depth)


def refusal(error: CommandError) -> tuple[int, bool]:
    return error.error.code, error.error.temporary


# Channel names


@pytest.mark.parametrize(
    "channel", ["lobby", "a", "news:sport", "two words", "Küche", "部屋", "x" * 255, "ü" * 127, "-1", "."]
)
def test_a_printable_name_of_up_to_255_bytes_is_a_channel(channel: str) -> None:
    check_channel(channel)


@pytest.mark.parametrize("channel", ["x" * 256, "ü" * 128])
def test_a_name_over_255_bytes_is_none(channel: str) -> None:
    with pytest.raises(CommandError, match="longer than 255 bytes") as caught:
        check_channel(channel)

    assert refusal(caught.value) == (107, False)


@pytest.mark.parametrize("channel", [" a", "a ", " ", "a\nb", "a\x00", "\u200b", "a\u2028", "\ue000"])
def test_a_name_that_does_not_print_is_none(channel: str) -> None:
    with pytest.raises(CommandError, match="control characters or outer spaces") as caught:
        check_channel(channel)

    assert refusal(caught.value) == (107, False)


@pytest.mark.parametrize("channel", ["$private", "$", "room#1,2", "#", "$a#b"])
def test_a_name_that_the_protocol_reserves_is_private(channel: str) -> None:
    check_channel(channel)

    assert is_private(channel)


@pytest.mark.parametrize("channel", ["lobby", "a$", "news:sport"])
def test_any_other_name_is_public(channel: str) -> None:
    assert not is_private(channel)


# Keys and texts


@pytest.mark.parametrize("key", ["k", "k" * 64])
def test_a_key_has_1_to_64_characters(key: str) -> None:
    check_key(key)


@pytest.mark.parametrize("key", ["", "k" * 65])
def test_any_other_key_is_refused(key: str) -> None:
    with pytest.raises(CommandError, match="1 to 64 characters") as caught:
        check_key(key)

    assert refusal(caught.value) == (107, False)


def test_a_text_may_be_as_long_as_the_limit_in_characters() -> None:
    check_text("ü" * 5, Limits(max_text_chars=5))


def test_a_longer_text_is_refused() -> None:
    with pytest.raises(CommandError, match="longer than 5 characters") as caught:
        check_text("x" * 6, Limits(max_text_chars=5))

    assert refusal(caught.value) == (107, False)


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u3000"])
def test_a_text_of_nothing_but_space_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match="text is empty"):
        check_text(text, Limits())


# Data


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        (b' { "a" : [ 1 , 2.50 ] } ', b'{"a":[1,2.5]}'),
        (b'"\\u00fc\\ud83d\\ude00"', '"ü😀"'.encode()),
        (b'{"a":1,"a":2}', b'{"a":2}'),
        (b"null", b"null"),
        (b'["1844674407370955161600",-9223372036854775808]', b'["1844674407370955161600",-9223372036854775808]'),
        (b"18446744073709551615", b"18446744073709551615"),
    ],
)
def test_data_keeps_its_value_in_a_plain_form(raw: bytes, clean: bytes) -> None:
    assert clean_json(msgspec.Raw(raw)) == clean


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"1 2",
        b"NaN",
        b"-Infinity",
        b"1e400",
        b"1" * 5000,
        b'"\\ud800"',
        b'"\\udc00 and more"',
        b'{"\\ud800\\u0041":1}',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'"line\nbreak"',
        b"'a'",
    ],
)
def test_data_that_some_reader_would_choke_on_is_refused(raw: bytes) -> None:
    with pytest.raises(CommandError, match="data is not valid JSON") as caught:
        clean_json(raw)

    assert refusal(caught.value) == (107, False)


@pytest.mark.parametrize("raw", [b"18446744073709551616", b'{"a":[-9223372036854775809]}'])
def test_an_integer_of_more_than_64_bits_is_refused(raw: bytes) -> None:
    with pytest.raises(CommandError, match="more than 64 bits"):
        clean_json(msgspec.Raw(raw))


def test_data_may_be_nested_20_deep() -> None:
    raw = b"[" * 20 + b"]" * 20

    assert clean_json(raw) == raw


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 21 + b"]" * 21,
        b'{"a":' * 21 + b"1" + b"}" * 21,
        b"[" * 100_000 + b"]" * 100_000,
        b"[" * 1_000_000,
    ],
    ids=["lists", "objects", "very deep", "not closed"],
)
def test_data_nested_deeper_is_refused(raw: bytes) -> None:
    with pytest.raises(CommandError, match="nested deeper than 20") as caught:
        clean_json(raw)

    assert refusal(caught.value) == (107, False)


@settings(deadline=None)
@given(any_json.map(json.dumps).map(str.encode) | deep_json.map(str.encode) | st.binary())
def test_clean_data_is_json_for_everybody_and_never_nested_too_deep(raw: bytes) -> None:
    try:
        clean = clean_json(raw)
    except CommandError:
        return

    assert nesting(json.loads(clean)) <= MAX_DEPTH
    assert b"\n" not in clean


@pytest.mark.parametrize(
    ("value", "depth"),
    [(1, 0), ("[[", 0), ([], 1), ({}, 1), ([1, [2]], 2), ({"a": {"b": []}, "c": 1}, 3), ([[], [[[]]], {}], 4)],
)
def test_nesting_counts_the_deepest_of_all_branches(value: object, depth: int) -> None:
    assert nesting(value) == depth


@pytest.mark.parametrize(
    ("most", "left"), [(100, ["aa", "bbb", "c"]), (6, ["aa", "bbb", "c"]), (5, ["aa", "bbb"]), (4, ["aa"]), (0, ["aa"])]
)
def test_what_fits_is_a_beginning_and_never_nothing(most: int, left: list[str]) -> None:
    assert limits.fitting(["aa", "bbb", "c"], len, most) == left
    assert limits.fitting([], len, most) == []


def test_a_personal_channel_is_told_by_its_name() -> None:
    assert limits.is_personal(limits.personal_channel("ada"))
    assert not limits.is_personal("team#ada")


@pytest.mark.parametrize("number", [0, 1, 20])
def test_up_to_20_users_whom_the_text_names_may_be_mentioned(number: int) -> None:
    limits.check_mentions({"u" * (235 + user): "Ada L." for user in range(number)}, "well,@Ada L.!")


@pytest.mark.parametrize(
    "mentions",
    [
        {f"user {number}": "Ada" for number in range(21)},
        {"ada": "Ada", "bob": "Bob"},
        {"ada": ""},
        {"ada": "ada"},
        {"": "Ada"},
        {"u" * 256: "Ada"},
        {"a\x00": "Ada"},
    ],
    ids=str,
)
def test_mentions_that_the_text_does_not_bear_out_are_refused(mentions: dict[str, str]) -> None:
    with pytest.raises(CommandError) as caught:
        limits.check_mentions(mentions, "@Ada @")

    assert refusal(caught.value) == (107, False)
