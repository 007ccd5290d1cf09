from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.errors import CommandError
from chat.identity import Guests, clean_name


def test_a_new_guest_gets_an_id_and_a_token() -> None:
    user, token = Guests().admit("")

    assert user.startswith("guest-")
    assert token != user


def test_every_new_guest_is_somebody_else() -> None:
    guests = Guests()

    assert guests.admit("")[0] != guests.admit("")[0]


def test_a_guest_that_brings_its_token_is_the_same_guest() -> None:
    guests = Guests()
    user, token = guests.admit("")

    assert guests.admit(token) == (user, token)


def test_a_token_holds_where_the_secret_is_the_same() -> None:
    user, token = Guests(b"secret").admit("")

    assert Guests(b"secret").admit(token)[0] == user


def test_a_token_of_another_secret_is_nobodys() -> None:
    user, token = Guests().admit("")

    assert Guests().admit(token)[0] != user


@pytest.mark.parametrize("token", ["{user}", "{user}.", "{user}.{half}", "{user}.{signature}x", ".{signature}"])
def test_an_id_without_its_very_signature_is_nobodys(token: str) -> None:
    guests = Guests()
    user, given_out = guests.admit("")
    signature = given_out.partition(".")[2]

    forged = token.format(user=user, signature=signature, half=signature[:16])

    assert guests.admit(forged)[0] != user


def test_the_signature_of_one_guest_is_no_good_for_another() -> None:
    guests = Guests()
    ann, _ = guests.admit("")
    _, token_of_bob = guests.admit("")

    assert guests.admit(f"{ann}.{token_of_bob.partition('.')[2]}")[0] != ann


@settings(deadline=None)
@given(st.text())
def test_any_other_token_makes_a_new_guest(token: str) -> None:
    user, new_token = Guests().admit(token)

    assert user.startswith("guest-")
    assert new_token != token


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ann", "Ann"),
        ("  Ann \t Lee ", "Ann Lee"),
        ("e\u0301", "é"),
        ("部屋", "部屋"),
        ("x" * 40, "x" * 40),
        ("e\u0301" * 40, "é" * 40),
    ],
)
def test_a_name_is_shown_normalised_and_without_outer_spaces(name: str, shown: str) -> None:
    assert clean_name(name, "guest-1234") == shown


@pytest.mark.parametrize("name", ["", "  ", "\n"])
def test_a_guest_without_a_name_gets_one_of_its_id(name: str) -> None:
    assert clean_name(name, "guest-123456") == "Guest 3456"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("x" * 41, "longer than 40 characters"),
        ("a\x00b", "do not print"),
        ("a\u202eb", "do not print"),
        ("a\u200bb", "do not print"),
        ("\ud800", "do not print"),
    ],
)
def test_a_name_that_cannot_be_shown_is_refused(name: str, why: str) -> None:
    with pytest.raises(CommandError, match=why) as caught:
        clean_name(name, "guest-1234")

    assert caught.value.error.code == 107
