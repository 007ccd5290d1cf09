"""Keys hold for what they were made for, and names of files are harmless wherever they go."""

from __future__ import annotations

import base64
import string
from email.message import Message
from typing import Final
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chat.files import MAX_NAME_BYTES, NAMELESS, Access, Keys, clean_name, disposition

NOW: Final = 1_700_000_000
ACCESS: Final = Access("ann", "lobby", NOW + 60, upload=True)
URL_SAFE: Final = set(string.ascii_letters + string.digits + "-_")


def test_a_key_says_what_it_was_made_for_until_it_ends() -> None:
    keys = Keys(b"s" * 32)
    key = keys.make(ACCESS)

    assert keys.read(key, NOW) == ACCESS
    assert keys.read(key, NOW + 60) is None


@given(st.text(max_size=255), st.text(max_size=255), st.booleans())
def test_any_user_and_room_make_a_key_for_an_address(user: str, room: str, upload: bool) -> None:  # noqa: FBT001
    keys, access = Keys(b"s" * 32), Access(user, room, NOW + 1, upload)

    key = keys.make(access)

    assert set(key) <= URL_SAFE
    assert keys.read(key, NOW) == access


def test_a_key_of_another_secret_is_none() -> None:
    assert Keys(b"s" * 32).read(Keys(b"t" * 32).make(ACCESS), NOW) is None


@given(st.data())
def test_a_key_in_which_anything_was_changed_is_none(data: st.DataObject) -> None:
    keys = Keys(b"s" * 32)
    raw = bytearray(base64.urlsafe_b64decode(keys.make(ACCESS) + "=="))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))

    assert keys.read(base64.urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode(), NOW) is None


@given(st.text())
@example("")
@example("=")
@example("é" * 10)
@example("A" * 10_000)
def test_what_is_no_key_is_none(text: str) -> None:
    assert Keys(b"s" * 32).read(text, NOW) is None


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("photo.png", "photo.png"),
        ("C:\\Users\\Ada\\photo.png", "photo.png"),
        ("../../etc/passwd", "passwd"),
        ("..", NAMELESS),
        ("", NAMELESS),
        ("a/", NAMELESS),
        (".htaccess", "htaccess"),
        ("a\r\nSet-Cookie: b=c.txt", "aSet-Cookie: b=c.txt"),
        ("photo\u202egnp.exe", "photognp.exe"),
        ("a\x00b", "ab"),
        ("  two   words .txt ", "two words .txt"),
        ("x" * 300 + ".txt", "x" * 251 + ".txt"),
        ("ü" * 300, "ü" * 127),
        ("x" * 300 + "." + "y" * 300, "x" * 255),
    ],
)
def test_a_name_is_cleaned(given_name: str, name: str) -> None:
    assert clean_name(given_name) == name


@given(st.text() | st.text(alphabet="/\\.\r\n\x00 \u202eaü\ud800"))
def test_a_cleaned_name_is_clean(given_name: str) -> None:
    name = clean_name(given_name)

    assert name
    assert name.isprintable()
    assert len(name.encode()) <= MAX_NAME_BYTES
    assert not set(name) & set("/\\\r\n\x00\u202e")
    assert name not in {".", ".."}
    assert clean_name(name) == name


@given(st.text())
@example('a"; filename=evil.html; x="')
@example("a%22b\\")
@example("\r\n\r\n<html>")
def test_the_header_says_the_name_and_nothing_else(given_name: str) -> None:
    name = clean_name(given_name)

    header = disposition("attachment", name)

    header.encode("ascii")
    assert header.isprintable()
    message = Message()
    message["Content-Disposition"] = header
    parameters = dict(message.get_params(header="content-disposition", unquote=True) or [])
    assert parameters.keys() == {"attachment", "filename"}
    assert unquote(header.partition("filename*=UTF-8''")[2]) == name
