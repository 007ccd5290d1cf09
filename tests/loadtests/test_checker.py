"""The history checker: a sound history has no anomaly, and each planted one is found and named."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, get_args

import pytest

from loadtests._history import Acked, Ended, Entered, Failed, GaveUp, Logged, LogRead, Saw, Sent, Viewed, read, write
from loadtests._history import Event as AnyEvent
from loadtests._rules import NAMES
from loadtests.checker import SHOWN, check, judge, main

if TYPE_CHECKING:
    from collections.abc import Sequence
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
    return [*(Logged("ann", ROOM, key, offset) for key, offset in entries), LogRead("ann", ROOM)]


def viewed(client: str, offset: int, digest: str, *, newest: int = 50) -> Event:
    return Viewed(client, ROOM, offset, digest, newest)


def fetched(client: str, offset: int, digest: str, *, newest: int = 50) -> Event:
    return Viewed(client, ROOM, offset, digest, newest, fetched=True)


def gave_up(client: str, key: str) -> Event:
    return GaveUp(client, ROOM, key)


def skipped(client: str, offset: int, limit: int) -> Event:
    return Entered(client, ROOM, offset, limit=limit)


def cut_off(*clients: str) -> list[Event]:
    return [Ended(client, "", "1006", planned=True) for client in clients]


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
    first = [*BOTH, *sent("ann", "a"), failed("ann", "a", temporary=True)]
    history = [*first, *sent("ann", "a"), failed("ann", "a", temporary=False)]

    assert names(history) == set()
    assert names(history, saw("ann", A1), saw("bob", A1)) == set()


def test_a_message_that_was_refused_for_good_is_nowhere() -> None:
    assert names(conversation(), sent("ann", "d"), failed("ann", "d", temporary=False)) == set()


def test_a_change_that_was_refused_when_it_was_sent_again_may_have_been_made_the_first_time() -> None:
    history = [*BOTH, *sent("ann", "a"), *cut_off("ann"), *sent("ann", "a"), failed("ann", "a", temporary=False)]

    assert names(history) == set()
    assert names(history, saw("ann", A1), saw("bob", A1)) == set()


def test_a_message_that_its_sender_gave_up_may_be_there_or_not() -> None:
    history = [*conversation(), *sent("bob", "d"), gave_up("bob", "d")]
    failing = [*conversation(), *sent("bob", "d"), failed("bob", "d", temporary=True), gave_up("bob", "d")]

    assert names(history) == set()
    assert names(failing) == set()
    assert names(history, saw("ann", ("d", 4)), saw("bob", ("d", 4)), logged(("d", 4))) == set()


def test_a_server_that_goes_away_as_planned_takes_its_connections_with_it() -> None:
    lost_ack = [*BOTH, *sent("ann", "a"), *saw("bob", A1), *cut_off("ann", "bob")]

    assert names(lost_ack, saw("ann", A1), sent("ann", "a"), acked("ann", *A1), logged(A1)) == set()


def test_a_message_whose_acknowledgement_was_lost_may_be_sent_again_after_the_next_one() -> None:
    again = [*sent("ann", "b", "a"), acked("ann", *B2), acked("ann", *A1)]
    seen = [event for client in ("ann", "bob") for event in saw(client, A1, B2)]

    assert names(BOTH, sent("ann", "a"), cut_off("ann", "bob"), again, seen) == set()


def test_who_missed_more_than_is_promised_goes_on_after_it() -> None:
    assert names([*without(Saw, client="ann", key="c"), skipped("ann", 3, limit=0)]) == set()
    assert names(conversation(), skipped("ann", 9, limit=5)) == set()


def test_who_enters_again_where_it_was_has_missed_nothing() -> None:
    assert names(conversation(), entered("ann", 3)) == set()


def test_the_same_state_everywhere_is_sound() -> None:
    assert names(conversation(), fetched("ann", 3, "x"), viewed("ann", 3, "x"), viewed("bob", 3, "x")) == set()


def test_states_of_different_offsets_or_extents_need_not_be_the_same() -> None:
    states = [fetched("ann", 3, "x"), viewed("ann", 2, "y"), viewed("ann", 3, "z", newest=0)]

    assert names(conversation(), states) == set()


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
    "a log that is empty": (
        [*BOTH, *sent("ann", "a"), acked("ann", *A1), *saw("ann", A1), *saw("bob", A1), *logged()],
        {"lost"},
    ),
    "a message that somebody saw, and that is not in the log": (
        [*BOTH, *sent("ann", "a"), gave_up("ann", "a"), *saw("bob", A1), *logged()],
        {"lost"},
    ),
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
            *logged(("d", 4)),
        ],
        {"refused but stored"},
    ),
    "a refused message in the log": (
        [*conversation(), *sent("ann", "d"), failed("ann", "d", temporary=False), *logged(("d", 4))],
        {"refused but stored"},
    ),
    "a message that nobody sent": (
        [*conversation(), *saw("ann", ("x", 4)), *saw("bob", ("x", 4)), *logged(("x", 4))],
        {"phantom"},
    ),
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
    "a sequence that begins anew": (
        [Entered("ann", ROOM, 0, "first"), *conversation(), Entered("ann", ROOM, 3, "second")],
        {"diverged"},
    ),
    "a sequence that begins anew, for one who missed a lot": (
        [*conversation(), skipped("ann", 0, limit=300)],
        {"gap"},
    ),
    "a member that is told too early that it missed too much": (
        [*without(Saw, client="ann", key="c"), skipped("ann", 3, limit=1)],
        {"gap", "lost"},
    ),
    "a message that is lost after a member missed too much": (
        [*conversation(), skipped("ann", 9, limit=5), *sent("bob", "d"), acked("bob", "d", 10)]
        + saw("bob", *((f"x{offset}", offset) for offset in range(4, 10)), ("d", 10))
        + sent("bob", *(f"x{offset}" for offset in range(4, 10)))
        + [gave_up("bob", f"x{offset}") for offset in range(4, 10)],
        {"lost"},
    ),
    "a message that its sender gave up, and that is stored twice": (
        [*conversation(), *sent("bob", "d"), gave_up("bob", "d"), *logged(("d", 4), ("d", 5))],
        {"duplicated", "diverged"},
    ),
    "a page that misses what a member has": (
        [*conversation(), fetched("ann", 3, "x"), viewed("ann", 3, "y")],
        {"wrong state"},
    ),
    "two members who hold different things true": (
        [*conversation(), viewed("ann", 3, "x"), viewed("bob", 3, "y")],
        {"wrong state"},
    ),
    "two pages that differ": ([*conversation(), fetched("ann", 2, "x"), fetched("bob", 2, "y")], {"wrong state"}),
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


def test_states_are_compared_where_the_server_was_asked_too() -> None:
    pages = [fetched("ann", 3, "x"), fetched("bob", 3, "x"), fetched("ann", 1, "y")]
    own = [viewed("ann", 3, "x"), viewed("bob", 3, "x"), viewed("bob", 2, "z")]

    assert judge([*conversation(), *pages, *own]).compared == 2


def test_a_verdict_counts_what_there_was() -> None:
    verdict = judge(conversation())

    assert (verdict.acked, verdict.deliveries) == (3, 6)
    assert verdict.passed


def test_a_history_in_which_nothing_was_tried_does_not_pass() -> None:
    assert not judge(BOTH).passed


# The file


def test_a_history_is_written_as_json_lines(tmp_path: Path) -> None:
    write([entered("ann"), acked("ann", *A1)], tmp_path / "history")

    assert (tmp_path / "history").read_text().splitlines() == [
        '{"type":"entered","client":"ann","room":"tea","offset":0}',
        '{"type":"acked","client":"ann","room":"tea","key":"a","offset":1}',
    ]


EVERYTHING: list[Event] = [
    Entered("ann", ROOM, 3, "e", 300),
    Sent("ann", ROOM, "a", 1.5),
    Acked("ann", ROOM, "a", 4),
    Failed("ann", ROOM, "b", 100, temporary=True),
    GaveUp("ann", ROOM, "b"),
    Saw("ann", ROOM, "a", 4, 1.6),
    Viewed("ann", ROOM, 4, "f00d", 50, fetched=True),
    Logged("ann", ROOM, "a", 4),
    LogRead("ann", ROOM),
    Ended("ann", "", "1006", planned=True),
]


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    write(EVERYTHING, tmp_path / "history")

    assert list(read(tmp_path / "history")) == EVERYTHING
    assert {type(event) for event in EVERYTHING} == set(get_args(AnyEvent))


def test_a_compressed_history_is_read_too(tmp_path: Path) -> None:
    write(EVERYTHING, tmp_path / "history")
    (tmp_path / "packed").write_bytes(gzip.compress((tmp_path / "history").read_bytes()))

    assert list(read(tmp_path / "packed")) == EVERYTHING


# The command


def run(history: Sequence[Event], folder: Path) -> int:
    write(history, folder / "history.jsonl")
    return main([str(folder / "history.jsonl")])


def test_a_sound_history_ends_with_0_and_says_what_that_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*conversation(), fetched("ann", 3, "x"), viewed("bob", 3, "x")], tmp_path) == 0

    said = capsys.readouterr().out
    assert "3 entries; 6 deliveries, 1 states compared" in said
    assert "anomalies      0 (lost 0," in said
    assert "below 100.0000% (3/3) of entries" in said


def test_an_anomaly_ends_with_1_and_is_named_with_its_room_and_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(without(Saw, client="ann", key="c"), tmp_path) == 1

    said = capsys.readouterr().out
    assert "anomalies      1 (lost 1," in said
    assert "! lost: tea: ann never saw c, acknowledged at 3" in said


def test_only_the_first_anomalies_of_a_kind_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*conversation(), *sent("bob", *(f"x{n}" for n in range(SHOWN + 5)))], tmp_path) == 1

    said = capsys.readouterr().out
    assert f"unanswered {SHOWN + 5}" in said
    assert said.count("was neither acknowledged nor refused") == SHOWN
    assert "! unanswered: 5 more" in said


def test_a_history_in_which_nothing_was_tried_ends_with_1(tmp_path: Path) -> None:
    assert run([], tmp_path) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"nonsense",
        b'{"type":"entered","client":"ann","room":"tea","offset":0}\n{"type":"left"}',
        b'{"type":"entered","client":"ann"}',
        b'{"type":"entered","client":"\xff","room":"tea","offset":0}',
        b"\x1f\x8bnonsense",
        gzip.compress(b'{"type":"entered","client":"ann","room":"tea","offset":0}')[:-4],
        None,
    ],
    ids=["no JSON", "unknown event", "missing field", "no Unicode", "broken gzip", "half a gzip", "no file"],
)
def test_a_file_that_is_no_history_ends_with_2_and_one_line(
    content: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / "history").write_bytes(content)

    assert main([str(tmp_path / "history")]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
    assert str(tmp_path / "history") in told.err
