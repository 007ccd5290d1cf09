from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.identity import Door, Guests
from chat.tokens import Role
from tests.tokens import token, tokens


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


def test_a_role_holds_in_all_rooms_but_those_that_have_another() -> None:
    claims = {"sub": "ada", "meta": {"role": "moderator", "rooms": {"tea": "admin"}}}

    identity, _ = Door(None, tokens()).admit(token(claims), "", "", now_s=0)

    assert (identity.role_in("lobby"), identity.role_in("tea")) == (Role.MODERATOR, Role.ADMIN)


def test_a_guest_is_a_guest_everywhere() -> None:
    identity, _ = Door(Guests()).admit("", "Ann", "", now_s=0)

    assert identity.role_in("lobby") is Role.GUEST
