"""Random histories: of a server that does nothing wrong, and of servers that each do one thing wrong."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests._rules import NAMES
from loadtests.checker import check, judge
from tests.loadtests.toy import MUTANTS, Chat, Server

seeds = st.integers(0, 2**32)


@given(seed=seeds)
@settings(max_examples=200, deadline=None)
def test_nothing_is_wrong_with_the_history_of_a_server_that_does_nothing_wrong(seed: int) -> None:
    assert check(Chat(Server, seed).history) == []


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
@given(seed=seeds)
@settings(max_examples=30, deadline=None)
def test_what_a_server_does_wrong_is_found_and_named(mutant: type[Server], seed: int) -> None:
    chat = next(chat for chat in (Chat(mutant, seed + n) for n in range(100)) if chat.server.showed)

    assert mutant.finds in {anomaly.name for anomaly in check(chat.history)}


def test_there_is_a_server_for_each_thing_that_can_be_wrong() -> None:
    assert {mutant.finds for mutant in MUTANTS} == set(NAMES)


def test_such_histories_have_everything_in_them() -> None:
    histories = [Chat(Server, seed).history for seed in range(50)]

    assert {type(event).__name__ for history in histories for event in history} == {
        *("Entered", "Sent", "Acked", "Failed", "GaveUp", "Saw", "Viewed", "Logged", "LogRead", "Ended")
    }
    assert sum(judge(history).compared for history in histories) > 50 * 3
