from __future__ import annotations

from typing import cast

import pytest

from loadtests._member import Member
from loadtests._roles import listen, speak
from loadtests._scenarios import DEFAULT, NUMBERS_EACH, SCENARIOS

USERS = 100


class Person:
    """A member that only notes what it is told to do."""

    def __init__(self, *, comes: bool = True) -> None:
        self.did: list[str] = []
        self._comes = comes

    def come(self) -> bool:
        self.did.append("come")
        return self._comes

    def stay(self) -> None:
        self.did.append("stay")

    def say(self, text: str) -> None:
        self.did.append("say")


def as_member(person: Person) -> Member:
    return cast("Member", person)


@pytest.mark.parametrize(
    ("role", "does"),
    [
        (listen, ["come", "stay", "come"]),
        (speak, ["come", "say", "come"]),
    ],
)
def test_a_role_comes_does_what_it_does_and_comes_again(role: object, does: list[str]) -> None:
    person = Person()
    turns = role(as_member(person))  # type: ignore[operator]

    while len(person.did) < len(does):
        assert next(turns) >= 0
    assert person.did[: len(does)] == does


@pytest.mark.parametrize("role", [listen, speak])
def test_who_cannot_come_tries_again_later(role: object) -> None:
    person = Person(comes=False)
    turns = role(as_member(person))  # type: ignore[operator]

    assert next(turns) > 0
    next(turns)
    assert person.did == ["come", "come"]


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_has_all_its_parts_again_and_again_in_each_process(name: str) -> None:
    scenario = SCENARIOS[name]
    parts = len(scenario.parts)

    assert [scenario.part(NUMBERS_EACH + number) for number in range(2 * parts)] == [*scenario.parts] * 2


def test_unless_asked_otherwise_everybody_is_in_one_room() -> None:
    scenario = SCENARIOS[DEFAULT]

    assert {tuple(scenario.part(number).rooms(number)) for number in range(USERS)} == {("load",)}


def test_all_users_stay_until_the_end() -> None:
    assert [SCENARIOS[DEFAULT].users(passed, USERS) for passed in (0, 0.5, 0.99, 1)] == [USERS, USERS, USERS, 0]
