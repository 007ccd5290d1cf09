"""Private rooms, as a rule: who is a member, who may change that, and how many there can be."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat import private_rooms
from chat.errors import CommandError, Error
from chat.log import MemberChange, MemoryLog, PrivateRoom
from chat.private_rooms import PrivateRooms, check_private_channel, check_user

ROOMS = ("$tea", "$coffee")
USERS = ("ada", "bob", "eve")

changes = st.lists(
    st.builds(
        MemberChange,
        room=st.sampled_from(ROOMS),
        action=st.sampled_from(("create", "invite", "leave")),
        user=st.sampled_from(USERS),
        by=st.sampled_from(USERS),
        time_ms=st.just(1),
    ),
    max_size=30,
)


def change(action: Any, user: str = "ada", *, by: str = "ada", room: str = "$tea") -> MemberChange:
    return MemberChange(room, action, user, by, 1)


def tea(*members: str, creator: str = "ada") -> PrivateRooms:
    return PrivateRooms([PrivateRoom("$tea", creator, list(members))])


def code(error: Error | None) -> int | None:
    return error.code if error is not None else None


@given(changes)
def test_what_holds_is_what_the_log_has(wanted: list[MemberChange]) -> None:
    rooms, log = PrivateRooms(), MemoryLog()
    for one in wanted:
        if rooms.refusal(one) is None:
            assert log.change_members(one)
            rooms.apply(one)

    read = PrivateRooms(log.private_rooms())
    for room in ROOMS:
        assert list(rooms.members(room)) == list(read.members(room))
        for user in USERS:
            assert rooms.is_led_by(room, user) == read.is_led_by(room, user)


@given(changes)
def test_nobody_becomes_a_member_but_by_making_the_room_or_through_a_member(wanted: list[MemberChange]) -> None:
    rooms = PrivateRooms()
    for one in wanted:
        before = {(room, user) for room in ROOMS for user in USERS if rooms.is_member(room, user)}
        if rooms.refusal(one) is not None:
            continue
        rooms.apply(one)
        after = {(room, user) for room in ROOMS for user in rooms.members(room)}
        for where, who in after - before:
            assert (one.room, one.user) == (where, who)
            assert one.action == "create" or (where, one.by) in before


def test_only_members_invite_and_to_invite_a_member_again_is_fine() -> None:
    rooms = tea("ada", "bob")

    assert code(rooms.refusal(change("invite", "cleo", by="eve"))) == 103
    assert code(rooms.refusal(change("invite", "cleo", by="eve", room="$nowhere"))) == 103
    assert rooms.refusal(change("invite", "cleo", by="bob")) is None
    assert rooms.refusal(change("invite", "bob")) is None


def test_a_room_is_made_once() -> None:
    assert code(tea("bob").refusal(change("create"))) == 409


def test_who_has_made_a_room_leads_it_while_a_member() -> None:
    rooms = tea("ada", "bob")
    leads = [rooms.is_led_by("$tea", user) for user in ("ada", "bob")]
    rooms.apply(change("leave"))

    assert (leads, rooms.is_led_by("$tea", "ada")) == ([True, False], False)


def test_a_room_ends_with_its_last_member() -> None:
    rooms = tea("bob")
    rooms.apply(change("leave", "bob", by="bob"))

    assert rooms.refusal(change("create")) is None
    rooms.apply(change("invite", "eve"))  # which was under way
    assert list(rooms.members("$tea")) == []


@pytest.mark.parametrize(
    ("limit", "wanted"),
    [
        ("MAX_PRIVATE_ROOMS", change("create", "eve", by="eve", room="$other")),
        ("MAX_MADE", change("create", room="$other")),
        ("MAX_MEMBERS", change("invite", "eve")),
    ],
)
def test_there_can_be_so_many_and_no_more(limit: str, wanted: MemberChange) -> None:
    rooms = tea("ada", "bob")
    most = 2 if limit == "MAX_MEMBERS" else 1

    with patch.object(private_rooms, limit, most):
        full = rooms.refusal(wanted)
        rooms.apply(change("leave", "bob"))
        rooms.apply(change("leave"))
        rooms.apply(change("create", "bob", by="bob"))
        again = rooms.refusal(change("invite", "eve", by="bob") if limit == "MAX_MEMBERS" else wanted)

    assert code(full) == 106
    assert code(again) == (106 if limit == "MAX_PRIVATE_ROOMS" else None)


@pytest.mark.parametrize(
    "channel", ["", "$", "tea", "$tea#1", "dm#ada,bob", "user#ada", "$" + "x" * 255, "$\n", " $tea"]
)
def test_a_name_that_no_private_room_can_have_is_refused(channel: str) -> None:
    with pytest.raises(CommandError) as refused:
        check_private_channel(channel)

    assert refused.value.error.code == 107


@pytest.mark.parametrize("user", ["", "x" * 256, "a\nb"])
def test_an_id_that_no_user_can_have_is_refused(user: str) -> None:
    check_user("x" * 255)

    with pytest.raises(CommandError):
        check_user(user)
