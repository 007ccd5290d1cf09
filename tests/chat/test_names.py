from __future__ import annotations

import pytest

from chat.errors import CommandError
from chat.names import clean_name, guest_name, is_guest_name, look

DEFAULT = guest_name("guest-0123456789ab")


def alike(one: str, other: str) -> bool:
    return not set(look(one)).isdisjoint(look(other))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ann", "Ann"),
        ("  Ann \t Lee ", "Ann Lee"),
        ("Ann\r\nerror: Lee", "Ann error: Lee"),
        ("e\u0301", "é"),
        ("部屋", "部屋"),
        ("x" * 40, "x" * 40),
        ("e\u0301" * 40, "é" * 40),
    ],
)
def test_a_name_is_shown_normalised_and_without_outer_spaces(name: str, shown: str) -> None:
    assert clean_name(name, DEFAULT) == shown


@pytest.mark.parametrize("name", ["", "  ", "\n", "\ufe0f"])
def test_where_there_is_no_name_it_is_the_default(name: str) -> None:
    assert clean_name(name, DEFAULT) == DEFAULT


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("x" * 41, "longer than 40 characters"),
        ("a\x00b", "do not print"),
        ("a\u202eb", "do not print"),
        ("a\u200bb", "do not print"),
        ("\ud800", "do not print"),
        ("a\u2066b", "do not print"),
        ("a\u200db", "do not print"),
        ("a\u3164b", "do not print"),
        ("\u2800", "do not print"),
    ],
)
def test_a_name_that_cannot_be_shown_is_refused(name: str, why: str) -> None:
    with pytest.raises(CommandError, match=why) as caught:
        clean_name(name, DEFAULT)

    assert caught.value.error.code == 107


# The default names of guests


def test_the_default_name_of_a_guest_has_all_of_its_id_and_so_is_nobody_elses() -> None:
    assert guest_name("guest-0123456789ab") == "Guest 0123456789ab"


@pytest.mark.parametrize(
    "name",
    ["Guest 0123456789ac", "guest 0123456789AC", "Guest 3456", "Gu\u0435st 3456", "Guest O123", "Guest 0\ufe0f123"],
)
def test_the_default_name_of_another_guest_is_no_choice(name: str) -> None:
    assert is_guest_name(name)
    assert clean_name(name, DEFAULT) == DEFAULT


@pytest.mark.parametrize("name", ["Guest", "Guest of honour", "Guest 123", "My Guest 1234", "Guest 0123456789abc"])
def test_what_only_begins_like_one_is_a_name_like_any_other(name: str) -> None:
    assert clean_name(name, DEFAULT) == name


# Names that look alike


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann", "Ann"),
        ("Ann", "ANN"),
        ("Ann", "\u0391nn"),  # Greek
        ("paypal", "p\u0430yp\u0430l"),  # Cyrillic
        ("scope", "\u0455\u0441\u043e\u0440\u0435"),  # Cyrillic, all of it
        ("Ann", "\uff21\uff4e\uff4e"),  # full width
        ("Ann", "\U0001d400\U0001d427\U0001d427"),  # mathematical
        ("Admin", "Adrnin"),
        ("Ida", "lda"),
        ("Ida", "1da"),
        ("Ida", "ida"),
        ("Bob", "B0b"),
        ("Zo\u00e9", "Zoe\u0301"),
        ("Ann", "A\ufe0fnn"),  # a variation selector
        ("Ann", "A\u034fnn"),  # a joiner
        ("Stra\u00dfe", "STRASSE"),
    ],
)
def test_names_that_can_be_mistaken_for_each_other_look_alike(one: str, other: str) -> None:
    assert alike(one, other)
    assert alike(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Ann", "Anna"), ("Ann", "Bob"), ("load-1", "load-10"), ("Zoe", "Zo\u00e9"), ("\u6771", "\u6750"), ("m", "n")],
)
def test_other_names_do_not(one: str, other: str) -> None:
    assert not alike(one, other)
