"""What the name of a channel says of it."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.channels import MAX_USERS, MIN_USERS, check_direct, direct_channel, is_direct, is_private, users_of
from chat.errors import CommandError

users = st.text(st.characters(exclude_characters=",", exclude_categories=["C", "Z"]), min_size=1, max_size=8)
groups = st.sets(users, min_size=MIN_USERS, max_size=MAX_USERS)


@given(group=groups, data=st.data())
def test_users_have_one_conversation_in_whatever_order_they_are_named(group: set[str], data: st.DataObject) -> None:
    order = data.draw(st.permutations(sorted(group)))
    channel = direct_channel(order)

    assert channel == direct_channel(reversed(order))
    assert list(users_of(channel)) == sorted(group)
    assert is_direct(channel)
    assert is_private(channel)


@given(group=groups, data=st.data())
def test_it_has_one_name(group: set[str], data: st.DataObject) -> None:
    order = data.draw(st.permutations(sorted(group)))
    written = "dm#" + ",".join(order)

    if written == direct_channel(group):
        check_direct(written)
    else:
        with pytest.raises(CommandError) as refused:
            check_direct(written)
        assert refused.value.error.code == 107


@given(st.text())
def test_a_name_is_accepted_if_and_only_if_it_is_that_of_its_users(channel: str) -> None:
    for name in (channel, "dm#" + channel):
        try:
            check_direct(name)
        except CommandError:
            assert is_direct(name)
        else:
            assert not is_direct(name) or name == direct_channel(users_of(name))


@pytest.mark.parametrize(
    "channel",
    ["dm#", "dm#ada", "dm#bob,ada", "dm#ada,ada", "dm#,ada", "dm#ada,", "dm#ada,,bob", "dm#" + ",".join("abcdefghi")],
)
def test_what_is_no_conversation_of_two_to_eight_is_refused(channel: str) -> None:
    with pytest.raises(CommandError) as refused:
        check_direct(channel)

    assert refused.value.error.code == 107


@pytest.mark.parametrize("channel", ["lobby", "$tea", "room#1,2", "DM#b,a", "dm", "user#ada"])
def test_other_channels_are_between_nobody_in_particular(channel: str) -> None:
    check_direct(channel)

    assert users_of(channel) == ()


def test_ids_are_sorted_by_code_point_and_not_as_a_dictionary_would() -> None:
    for one, other in itertools.pairwise(["Z", "a", "Ä", "ä", "😀"]):
        assert direct_channel([other, one]) == f"dm#{one},{other}"
