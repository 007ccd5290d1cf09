from __future__ import annotations

import threading
from collections import Counter
from typing import cast

import pytest

from loadtests._member import Member
from loadtests._roles import listen, look_back, lurk, orate, read_slowly, speak
from loadtests._scenarios import DEFAULT, NUMBERS_EACH, SCENARIOS
from loadtests._storm import Storm

USERS = 100


class Person:
    """A member that only notes what it is told to do."""

    def __init__(self, *, comes: bool = True) -> None:
        self.did: list[str] = []
        self.dropped = threading.Semaphore(0)
        self._comes = comes

    def come(self) -> bool:
        self.did.append("come")
        return self._comes

    def stay(self) -> None:
        self.did.append("stay")

    def say(self, text: str) -> None:
        self.did.append("say much" if len(text) > 1_000 else "say")

    def look_back(self) -> None:
        self.did.append("look back")

    def stop_reading(self, at_most_s: float) -> None:
        self.did.append("stop reading")

    def leave(self) -> None:
        self.did.append("leave")

    def drop(self) -> None:
        self.dropped.release()


def as_member(person: Person) -> Member:
    return cast("Member", person)


@pytest.mark.parametrize(
    ("role", "does"),
    [
        (listen, ["come", "stay", "come"]),
        (speak, ["come", "say", "come"]),
        (orate, ["come", "say much", "come"]),
        (lurk, ["come", "leave", "come"]),
        (look_back, ["come", "look back", "come"]),
        (read_slowly, ["come", "stop reading", "come"]),
    ],
)
def test_a_role_comes_does_what_it_does_and_comes_again(role: object, does: list[str]) -> None:
    person = Person()
    turns = role(as_member(person))  # type: ignore[operator]

    while len(person.did) < len(does):
        assert next(turns) >= 0
    assert person.did[: len(does)] == does


@pytest.mark.parametrize("role", [listen, speak, look_back, read_slowly])
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


def test_a_small_room_has_three_members_one_of_whom_talks() -> None:
    scenario = SCENARIOS["rooms"]
    numbers = [*range(99), *range(NUMBERS_EACH, NUMBERS_EACH + 99)]
    rooms = Counter(room for number in numbers for room in scenario.part(number).rooms(number))
    talking = Counter(room for n in numbers if scenario.part(n).role is speak for room in scenario.part(n).rooms(n))

    assert set(rooms.values()) == {3}
    assert set(talking.values()) == {1}
    assert rooms.keys() == talking.keys()


def test_a_fifth_of_the_users_reads_slowly() -> None:
    scenario = SCENARIOS["slow"]

    assert [scenario.part(number).role for number in range(USERS)].count(read_slowly) == USERS / 5


def test_all_users_stay_until_the_end() -> None:
    assert [SCENARIOS[DEFAULT].users(passed, USERS) for passed in (0, 0.5, 0.99, 1)] == [USERS, USERS, USERS, 0]


def test_a_day_has_a_quiet_night_a_rise_a_peak_and_an_evening() -> None:
    day = SCENARIOS["day"]
    users = {passed: day.users(passed / 100, USERS) for passed in (0, 19, 30, 50, 75, 99, 100)}

    assert users == {0: 10, 19: 10, 30: 50, 50: 100, 75: 60, 99: 14, 100: 0}
    assert day.users(0, 1) == 1


def test_in_some_days_rooms_people_are_in_several() -> None:
    day = SCENARIOS["day"]
    rooms = [day.part(number).rooms(number) for number in range(USERS)]

    assert all("load" in some and len(set(some)) == len(some) for some in rooms)
    assert sum(len(some) > 1 for some in rooms) == USERS / 5


def test_a_storm_drops_everybody_again_and_again_until_it_is_over() -> None:
    people = [Person(), Person()]
    storm = Storm([as_member(person) for person in people], 0.01)

    for person in people * 2:
        assert person.dropped.acquire(timeout=5)
    storm.over()
