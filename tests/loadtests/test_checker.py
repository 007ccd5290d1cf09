"""The history checker: a sound history has no anomaly, and each planted one is found and named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loadtests._checker import NAMES, check
from loadtests._history import Acked, Ended, Entered, Failed, Logged, Saw, Sent, write

if TYPE_CHECKING:
    from pathlib import Path

    from loadtests._history import Event

ROOM = "tea"


def entered(client: str, offset: int = 0) -> Event:
    return Entered(client, ROOM, offset)


def sent(client: str, *keys: str) -> list[Event]:
    return [Sent(client, ROOM, key) for key in keys]


def acked(client: str, key: str, offset: int) -> Event:
    return Acked(client, ROOM, key, offset)


def failed(client: str, key: str, *, temporary: bool) -> Event:
    return Failed(client, ROOM, key, 100 if temporary else 103, temporary)


def saw(client: str, *seen: tuple[str, int]) -> list[Event]:
    return [Saw(client, ROOM, key, offset) for key, offset in seen]


def logged(*entries: tuple[str, int]) -> list[Event]:
    return [Logged("ann", ROOM, key, offset) for key, offset in entries]


def names(*history: Event | list[Event]) -> set[str]:
    """Return what is wrong with a history."""
    flat = [event for item in history for event in (item if isinstance(item, list) else [item])]
    return {anomaly.name for anomaly in check(flat)}


BOTH = [entered("ann"), entered("bob")]
A1, B2, C3 = ("a", 1), ("b", 2), ("c", 3)


def conversation() -> list[Event]:
    """Ann says a and b at once, Bob says c when both are acknowledged; everything arrives."""
    return [
        *BOTH,
        *sent("ann", "a", "b"),
        *saw("bob", A1),
        acked("ann", *A1),
        acked("ann", *B2),
        *saw("ann", A1, B2),
        *sent("bob", "c"),
        *saw("bob", B2, C3),
        acked("bob", *C3),
        *saw("ann", C3),
        *logged(A1, B2, C3),
    ]


def without(kind: type, **wanted: object) -> list[Event]:
    """Return the conversation without the one event that is like this."""
    history = conversation()
    (event,) = [e for e in history if type(e) is kind and all(getattr(e, k) == v for k, v in wanted.items())]
    history.remove(event)
    return history


def test_a_sound_history_has_no_anomaly() -> None:
    assert check(conversation()) == []


def test_nothing_at_all_is_sound() -> None:
    assert check([]) == []


# Sound, though it may not look so


def test_who_came_later_need_not_see_what_was_before() -> None:
    assert names(conversation(), entered("eve", 2), saw("eve", C3)) == set()


def test_a_message_that_was_sent_again_after_its_acknowledgement_is_still_one() -> None:
    assert names(conversation(), sent("ann", "a"), acked("ann", *A1)) == set()


def test_a_message_that_failed_for_the_moment_may_be_overtaken_by_the_next_one() -> None:
    retried = [*sent("ann", "a", "b"), failed("ann", "a", temporary=True), *sent("ann", "a")]
    told = [acked("ann", "b", 1), acked("ann", "a", 2)]
    seen = [event for client in ("ann", "bob") for event in saw(client, ("b", 1), ("a", 2))]

    assert names(BOTH, retried, told, seen) == set()


def test_a_message_that_failed_for_the_moment_and_then_for_good_may_be_there() -> None:
    history = [*BOTH, *sent("ann", "a"), failed("ann", "a", temporary=True), failed("ann", "a", temporary=False)]

    assert names(history) == set()
    assert names(history, saw("ann", A1), saw("bob", A1)) == set()


def test_a_message_that_was_refused_for_good_is_nowhere() -> None:
    assert names(conversation(), sent("ann", "d"), failed("ann", "d", temporary=False)) == set()


def test_a_log_that_begins_late_has_forgotten_the_rest() -> None:
    assert names(without(Logged, key="a")) == set()


def test_messages_of_two_senders_that_were_under_way_together_may_come_in_any_order() -> None:
    seen = [("b", 1), ("a", 2)]

    assert (
        names(
            BOTH,
            sent("ann", "a"),
            sent("bob", "b"),
            acked("ann", "a", 2),
            acked("bob", "b", 1),
            saw("ann", *seen),
            saw("bob", *seen),
        )
        == set()
    )


def test_rooms_have_offsets_of_their_own() -> None:
    other: list[Event] = [
        Entered("ann", "sun", 0),
        Sent("ann", "sun", "x"),
        Acked("ann", "sun", "x", 1),
        Saw("ann", "sun", "x", 1),
    ]

    assert names(conversation(), other) == set()


# Planted

PLANTED = {
    "an acknowledged message that one member never sees": (
        [*BOTH, *sent("ann", "a"), acked("ann", *A1), *saw("ann", A1)],
        {"lost"},
    ),
    "an acknowledged message that nobody sees": ([*BOTH, *sent("ann", "a"), acked("ann", *A1)], {"lost"}),
    "an acknowledged message that the log has not": (
        [
            *without(Logged, key="c"),
            *sent("bob", "d"),
            acked("bob", "d", 4),
            *saw("ann", ("d", 4)),
            *saw("bob", ("d", 4)),
            *logged(("d", 4)),
        ],
        {"lost"},
    ),
    "the last acknowledged message is not in the log": (without(Logged, key="c"), {"lost"}),
    "a message that a member sees twice": ([*conversation(), *saw("ann", C3)], {"duplicated"}),
    "a message that is stored twice": (
        [*conversation(), *saw("ann", ("c", 4)), *saw("bob", ("c", 4)), *logged(("c", 4))],
        {"duplicated", "diverged"},
    ),
    "a message that only the log has twice": ([*conversation(), *logged(("c", 4))], {"duplicated", "diverged"}),
    "a refused message that somebody sees": (
        [
            *conversation(),
            *sent("ann", "d"),
            failed("ann", "d", temporary=False),
            *saw("ann", ("d", 4)),
            *saw("bob", ("d", 4)),
        ],
        {"refused but stored"},
    ),
    "a refused message in the log": (
        [*conversation(), *sent("ann", "d"), failed("ann", "d", temporary=False), *logged(("d", 4))],
        {"refused but stored"},
    ),
    "a message that nobody sent": ([*conversation(), *saw("ann", ("x", 4)), *saw("bob", ("x", 4))], {"phantom"}),
    "a log entry that nobody sent": ([*conversation(), *logged(("x", 4))], {"phantom"}),
    "members who see two messages in another order": (
        [
            *BOTH,
            *sent("ann", "a"),
            *sent("bob", "b"),
            acked("ann", *A1),
            acked("bob", *B2),
            *saw("ann", A1, B2),
            *saw("bob", ("b", 1), ("a", 2)),
        ],
        {"diverged"},
    ),
    "an acknowledgement with another offset than the members saw": (
        [*BOTH, *sent("ann", "a"), acked("ann", "a", 2), *saw("ann", A1), *saw("bob", A1)],
        {"diverged"},
    ),
    "a log that differs from what was seen": (
        [*without(Logged, key="c"), *sent("ann", "d"), *logged(("d", 3))],
        {"diverged", "lost", "unanswered"},
    ),
    "an offset that one member never gets": ([*without(Saw, client="ann", key="b")], {"lost", "gap"}),
    "a gap before what somebody else's messages fill": (
        [
            *conversation(),
            *sent("ann", "d"),
            acked("ann", "d", 5),
            *saw("ann", ("d", 5)),
            *saw("bob", ("d", 5)),
            *logged(("d", 5)),
        ],
        {"gap"},
    ),
    "a member that lost its place": ([*conversation(), entered("ann", 5)], {"gap"}),
    "a member that goes on after what it missed": (
        [*BOTH, *sent("ann", "a"), acked("ann", *A1), *saw("ann", A1), entered("bob", 1)],
        {"gap", "lost"},
    ),
    "a member that sees the second message first": (
        [*BOTH, *sent("ann", "a", "b"), acked("ann", *A1), acked("ann", *B2), *saw("ann", A1, B2), *saw("bob", B2, A1)],
        {"gap", "reordered"},
    ),
    "two messages of one sender that changed places": (
        [*BOTH, *sent("ann", "a", "b"), acked("ann", "b", 1), acked("ann", "a", 2)]
        + [event for client in ("ann", "bob") for event in saw(client, ("b", 1), ("a", 2))],
        {"sender order"},
    ),
    "a message that comes before one that was acknowledged when it was sent": (
        [*BOTH, *sent("ann", "a"), acked("ann", "a", 2), *sent("bob", "b"), acked("bob", "b", 1)]
        + [event for client in ("ann", "bob") for event in saw(client, ("b", 1), ("a", 2))],
        {"real-time order"},
    ),
    "a repeat that gets a place of its own": (
        [*conversation(), *sent("bob", "c"), acked("bob", "c", 4), *logged(("c", 4))],
        {"not idempotent", "duplicated", "diverged"},
    ),
    "a repeat that is acknowledged where nothing is": (
        [*conversation(), *sent("bob", "c"), acked("bob", "c", 9)],
        {"not idempotent", "diverged"},
    ),
    "a message that is never answered": ([*conversation(), *sent("bob", "d")], {"unanswered"}),
    "a message that fails for the moment, and for ever": (
        [*conversation(), *sent("bob", "d"), failed("bob", "d", temporary=True)],
        {"unanswered"},
    ),
    "a connection that ends": ([*conversation(), Ended("ann", "", "3004 internal server error")], {"disconnected"}),
}


@pytest.mark.parametrize(("history", "found"), PLANTED.values(), ids=PLANTED.keys())
def test_what_must_not_happen_is_found(history: list[Event], found: set[str]) -> None:
    assert names(history) == found


def test_every_anomaly_is_planted() -> None:
    assert set().union(*(found for _, found in PLANTED.values())) == set(NAMES)


def test_an_anomaly_names_room_message_and_place() -> None:
    (lost,) = check([*BOTH, *sent("ann", "a"), acked("ann", *A1), *saw("ann", A1)])

    assert (lost.name, lost.keys) == ("lost", ("a",))
    assert lost.what == "tea: bob never saw a, acknowledged at 1"


def test_a_history_is_written_as_json_lines(tmp_path: Path) -> None:
    write([entered("ann"), acked("ann", *A1)], tmp_path / "history")

    assert (tmp_path / "history").read_text().splitlines() == [
        '{"type":"entered","client":"ann","room":"tea","offset":0}',
        '{"type":"acked","client":"ann","room":"tea","key":"a","offset":1}',
    ]
