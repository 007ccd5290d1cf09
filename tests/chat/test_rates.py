from __future__ import annotations

import pytest

from chat.protocol import calls, commands
from chat.rates import PRUNE_AT, REFUSED_AT_ONCE, Buckets, Kind, RateLimits, Rates, kind_of


def granted(buckets: Buckets, key: str, now: float, most: int = 1_000) -> int:
    """Take until there is none left, and return how many there were."""
    return next((number for number in range(most) if not buckets.take(key, now)), most)


@pytest.mark.parametrize(("per_s", "at_once"), [(10.0, 50.0), (0.5, 5.0), (3.0, 30.0), (7.0, 1.0), (0.1, 0.5)])
def test_a_bucket_holds_so_many_and_at_least_one_and_fills_at_its_rate(per_s: float, at_once: float) -> None:
    buckets = Buckets(per_s, at_once)
    most = max(1, int(at_once))

    assert granted(buckets, "a", 100.0) == most
    assert granted(buckets, "a", 100.0 + 0.99 / per_s) == 0
    assert granted(buckets, "a", 100.0 + 1.01 / per_s) == 1
    assert granted(buckets, "a", 100_000.0) == most


def test_whoever_keeps_to_the_rate_is_never_refused() -> None:
    buckets = Buckets(20.0, 200.0)

    assert all(buckets.take("a", 5.0 + number / 20.0) for number in range(10_000))


def test_buckets_are_apart() -> None:
    buckets = Buckets(1.0, 3.0)

    assert granted(buckets, "a", 0.0) == granted(buckets, "b", 0.0) == 3


def test_nothing_is_kept_of_a_bucket_that_is_full_again() -> None:
    buckets = Buckets(10.0, 100.0)
    for number in range(50 * PRUNE_AT):
        assert buckets.take(str(number), number / 1_000)  # a thousand newcomers a second, each full after 0.1 s

    assert len(buckets) <= PRUNE_AT + 1


def test_a_bucket_that_is_not_full_is_kept_however_many_there_are() -> None:
    buckets = Buckets(1.0, 2.0)
    for number in range(3 * PRUNE_AT):
        buckets.take(str(number), 0.0)
        buckets.take(str(number), 0.0)

    assert not any(buckets.take(str(number), 0.5) for number in range(3 * PRUNE_AT))


KINDS: list[Kind] = ["send", "typing", "join", "history"]
FEW = RateLimits(send=1, typing=1, join=1, history=1, burst_s=4, per_user=2, per_address=3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_connection_a_user_and_an_address_have_each_their_own_bucket(kind: Kind) -> None:
    rates = Rates(FEW)

    def take(client: str, user: str, address: str = "home") -> int:
        return next(number for number in range(100) if not rates.take(kind, client, user, address, 1.0))

    assert take("phone", "ann") == 4
    assert take("laptop", "ann") == 4
    assert take("tablet", "ann") == 0  # a user has as much as two connections
    assert take("bobs", "bob") == 4
    assert take("carls", "carl") == 0  # an address has as much as three
    assert take("elsewhere", "dora", "work") == 4


def test_kinds_are_counted_apart() -> None:
    rates = Rates(FEW)

    assert [sum(rates.take(kind, "c", "u", "a", 1.0) for _ in range(10)) for kind in KINDS] == [4, 4, 4, 4]


def test_what_a_connection_is_refused_takes_nothing_from_its_neighbours() -> None:
    rates = Rates(FEW)
    for _ in range(1_000):
        rates.take("send", "flood", "mallory", "home", 1.0)

    assert rates.take("send", "other", "mallory", "home", 1.0)
    assert rates.take("send", "third", "ann", "home", 1.0)


def test_an_address_that_is_not_known_has_no_limit() -> None:
    rates = Rates(FEW)

    assert all(rates.take("send", f"c{number}", f"u{number}", "", 1.0) for number in range(100))


def test_who_is_refused_again_and_again_is_found_and_who_is_refused_now_and_then_is_not() -> None:
    rates = Rates(FEW)

    assert all(rates.refused("clumsy", number / 5) for number in range(5_000))
    assert all(rates.refused("flood", 0.0) for _ in range(REFUSED_AT_ONCE))
    assert not rates.refused("flood", 0.0)


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (commands.Publish("lobby"), "send"),
        (calls.SendMessage("lobby", "k", "hello"), "send"),
        *((commands.Rpc(method), "send") for method in ("send", "edit", "delete", "react")),
        (commands.Rpc("typing"), "typing"),
        (commands.Subscribe("lobby"), "join"),
        (commands.Unsubscribe("lobby"), "join"),
        (commands.History("lobby"), "history"),
        (commands.Presence("lobby"), "history"),
        (commands.PresenceStats("lobby"), "history"),
        *((commands.Rpc(method), "history") for method in ("messages", "rooms", "kick", "audit", "no such method", "")),
        (commands.Unavailable(), "history"),
        (commands.Connect(), None),
        (commands.Pong(), None),
        (commands.Send(), None),
    ],
)
def test_every_command_counts_as_something_or_closes_where_it_is_not_wanted(
    request_: commands.Request, kind: Kind | None
) -> None:
    assert kind_of(request_) == kind
