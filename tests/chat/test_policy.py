"""The policy table, as a rule."""

from __future__ import annotations

import itertools

import pytest

from chat.policy import POLICY, Action, may, outranks
from chat.tokens import Role


def test_every_action_is_somebodys() -> None:
    assert POLICY.keys() == set(Action)
    assert all(may(Role.ADMIN, action) for action in Action)


def test_who_is_above_may_all_that_those_below_may() -> None:
    roles = list(Role)

    for lower, higher in itertools.pairwise(roles):
        assert {action for action in Action if may(lower, action)} <= {a for a in Action if may(higher, a)}


@pytest.mark.parametrize("action", [Action.DELETE_ANY, Action.KICK, Action.MUTE, Action.BAN, Action.AUDIT])
def test_moderating_is_for_moderators_and_admins(action: Action) -> None:
    assert [role for role in Role if may(role, action)] == [Role.MODERATOR, Role.ADMIN]


@pytest.mark.parametrize(
    ("action", "floor", "least"),
    [
        (Action.SEND, Role.MODERATOR, Role.MODERATOR),
        (Action.AUDIT, Role.GUEST, Role.MODERATOR),
    ],
)
def test_a_room_may_ask_more_than_the_table_and_never_less(action: Action, floor: Role, least: Role) -> None:
    assert next(role for role in Role if may(role, action, {action: floor})) is least


def test_nobody_outranks_an_equal() -> None:
    assert not any(outranks(role, role) for role in Role)
    assert outranks(Role.ADMIN, Role.MODERATOR)
    assert not outranks(Role.MEMBER, Role.MODERATOR)
