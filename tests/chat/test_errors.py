from __future__ import annotations

import json

import pytest

from chat import errors
from chat.errors import CloseReason, CommandError, Disconnect, Error, bad_request

ERRORS = [value for value in vars(errors).values() if isinstance(value, Error)]
CLOSE_REASONS = [value for value in vars(errors).values() if isinstance(value, CloseReason)]


def test_the_protocol_knows_every_error_code() -> None:
    assert {error.code for error in ERRORS} == {100, 103, 104, 105, 106, 107, 108, 109, 111, 112, 403, 404, 409}


def test_only_what_may_succeed_later_is_temporary() -> None:
    assert {error.code for error in ERRORS if error.temporary} == {100, 111}


def test_every_error_says_something() -> None:
    assert all(error.message for error in ERRORS)


@pytest.mark.parametrize("reason", CLOSE_REASONS, ids=lambda reason: str(reason.code))
def test_a_close_reason_is_short_not_empty_and_not_json(reason: CloseReason) -> None:
    assert 0 < len(reason.reason.encode()) <= 123
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(reason.reason)


def test_clients_come_back_unless_they_did_what_they_must_not() -> None:
    final = {reason.code for reason in CLOSE_REASONS if 3500 <= reason.code <= 3999 or 4500 <= reason.code <= 4999}

    assert final == {3500, 3501, 3502, 3503, 3504, 3505, 3508, 3509, 4500}


def test_a_bad_request_says_what_is_bad() -> None:
    assert bad_request("no channel").error == Error(107, "bad request: no channel")


def test_exceptions_carry_what_the_client_is_told() -> None:
    assert CommandError(errors.INTERNAL).error is errors.INTERNAL
    assert str(CommandError(errors.INTERNAL)) == "internal server error"
    assert Disconnect(errors.SLOW).reason is errors.SLOW
    assert str(Disconnect(errors.SLOW)) == "slow"
