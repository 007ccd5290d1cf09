from __future__ import annotations

import random

import pytest

from chat.admission import Admission, ConnectionLimits, who_pays_for

ANY = 1_000


def admission(**limits: int) -> Admission:
    return Admission(
        ConnectionLimits(
            **{"total": ANY, "per_address": ANY, "per_user": ANY, "waiting_per_address": ANY} | limits,
        )
    )


def test_the_server_takes_so_many_connections_and_one_more_when_one_has_ended() -> None:
    door = admission(total=2)

    assert [door.arrive(address) for address in ("a", "b", "c")] == [None, None, "server"]
    door.leave("a", waiting=True)
    assert door.arrive("c") is None
    assert door.arrive("d") == "server"


def test_an_address_has_so_many_connections_and_others_have_theirs() -> None:
    door = admission(per_address=1)

    assert [door.arrive(address) for address in ("a", "a", "b")] == [None, "address", None]
    assert door.identify("a", "ann")
    assert door.arrive("a") == "address"
    door.leave("a", "ann")
    assert door.arrive("a") is None


def test_an_address_has_so_many_connections_that_have_not_said_who_they_are() -> None:
    door = admission(waiting_per_address=1)

    assert [door.arrive("a"), door.arrive("a"), door.arrive("b")] == [None, "address", None]
    door.identify("a", "ann")
    assert door.arrive("a") is None
    door.stop_waiting("a")
    assert door.arrive("a") is None
    door.leave("a", waiting=True)
    assert door.arrive("a") is None


def test_a_user_has_so_many_connections_wherever_they_come_from() -> None:
    door = admission(per_user=1)
    for address in ("a", "b"):
        door.arrive(address)

    assert door.identify("a", "ann")
    assert not door.identify("b", "ann")
    assert door.identify("b", "bob")
    door.leave("a", "ann")
    door.arrive("a")
    assert door.identify("a", "ann")


def test_an_address_that_is_not_known_has_no_limit_of_its_own() -> None:
    door = admission(per_address=1, waiting_per_address=1, total=3)

    assert [door.arrive("") for _ in range(4)] == [None, None, None, "server"]
    assert door.identify("", "ann")
    door.leave("", "ann")
    door.leave("", waiting=True)
    assert door.total == 1


def test_nothing_is_kept_of_those_who_have_gone() -> None:
    door, dice = admission(per_address=5, per_user=3, waiting_per_address=3), random.Random(7)  # noqa: S311  (no secret)
    here: list[tuple[str, str | None]] = []
    for _ in range(5_000):
        address, user = dice.choice("abc"), dice.choice("xyz")
        if dice.random() < 0.6:
            if door.arrive(address) is None:
                here.append((address, user if door.identify(address, user) else None))
        elif here:
            address, who = here.pop(dice.randrange(len(here)))
            door.leave(address, who, waiting=who is None)
    for address, who in here:
        door.leave(address, who, waiting=who is None)

    door.limits_hit.clear()  # (these stay)
    assert vars(door) == vars(Admission(door._limits))  # noqa: SLF001  (what it keeps is the point)


@pytest.mark.parametrize(
    ("host", "payer"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_a_host_is_counted_as_its_address_or_as_its_network(host: str, payer: str) -> None:
    assert who_pays_for(host) == payer


def test_what_is_refused_is_counted_by_the_limit_and_nothing_else_is() -> None:
    door = admission(total=3, per_address=2, waiting_per_address=1, per_user=1)

    door.arrive("a")
    door.arrive("a")
    door.identify("a", "ann")
    door.arrive("a")
    door.arrive("a")
    door.identify("a", "ann")
    door.arrive("b")
    door.arrive("c")

    assert door.limits_hit == {
        "max_waiting_per_address": 1,
        "max_connections_per_address": 1,
        "max_connections_per_user": 1,
        "max_connections": 1,
    }
