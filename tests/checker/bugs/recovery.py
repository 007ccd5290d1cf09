"""Bugs in going on after a connection ended or a room crashed."""

# A bug is planted where it would be: inside.
# ruff: noqa: SLF001

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actors import room as room_module
from actors.client import ClientActor
from actors.membership import Gap, Membership
from actors.messages import Committed, Entered
from actors.room import RoomActor
from actors.runtime import Restarted
from actors.window import Window
from chat.log import Position
from tests.checker.bug import found_as, nothing, wrap

if TYPE_CHECKING:
    import pytest

    from actors.messages import Join
    from chat.wire import Publications


@found_as("duplicated", "gap")
def resumes_one_too_early(patch: pytest.MonkeyPatch) -> None:
    """Whoever comes back is shown again what it saw last."""
    _resume_beside(patch, -1)


@found_as("gap")
def resumes_one_too_late(patch: pytest.MonkeyPatch) -> None:
    """Whoever comes back misses the first of what it missed."""
    _resume_beside(patch, 1)


def _resume_beside(patch: pytest.MonkeyPatch, step: int) -> None:
    def join(original: Any, membership: Membership, position: Position | None) -> Join:
        beside = Position(max(position.offset + step, 0), position.epoch) if position else None
        joined: Join = original(membership, beside)
        return joined

    wrap(patch, Membership, "join", join)


@found_as("gap", "lost")
def resumes_from_too_far_back(patch: pytest.MonkeyPatch) -> None:
    """Who missed more than can be made up for is told that it missed nothing."""

    def entered(room: Any, position: Position, recovered: object, missed: Any, **_: object) -> Entered:
        return Entered(room, position, recovered is not None, missed)

    patch.setattr(room_module, "Entered", entered)


@found_as("lost")
def goes_no_further_than_the_first_part(patch: pytest.MonkeyPatch) -> None:
    """Who missed more than one reply holds gets that, and nothing after it."""
    patch.setattr(ClientActor, "_catch_up", nothing)


@found_as("gap")
def goes_on_one_too_late(patch: pytest.MonkeyPatch) -> None:
    """Between two parts of what was missed an entry is left out."""

    def join_again(original: Any, membership: Membership) -> Join:
        membership._offset += membership.behind
        joined: Join = original(membership)
        return joined

    wrap(patch, Membership, "join_again", join_again)


@found_as("gap")
def shows_what_comes_before_the_rest_of_what_was_missed(patch: pytest.MonkeyPatch) -> None:
    """What happens while somebody catches up is shown at once."""

    def follows(original: Any, membership: Membership, event: Publications) -> bool:
        if membership.behind and event.first > membership._offset:
            membership._offset = event.last
            return True
        return bool(original(membership, event))

    wrap(patch, Membership, "follows", follows)


@found_as("gap")
def takes_the_window_for_larger_than_it_is(patch: pytest.MonkeyPatch) -> None:
    """Who needs one entry more than is at hand is not given what the log has."""

    def has(original: Any, window: Window, after: int) -> Any:
        return original(window, after + 1)

    wrap(patch, Window, "has", has)


@found_as("gap")
def has_a_hole_in_its_window(patch: pytest.MonkeyPatch) -> None:
    """A room does not notice that somebody else appended."""

    def committed(original: Any, room: RoomActor, committed: Committed) -> None:
        unseen = [entry.offset for entry in committed.entries if entry.offset > room._position.offset]
        if unseen:
            room._position = Position(unseen[0] - 1, committed.epoch)
        original(room, committed)

    wrap(patch, RoomActor, "_committed", committed)


@found_as("lost")
def forgets_members_when_it_restarts(patch: pytest.MonkeyPatch) -> None:
    """Members do not enter again."""
    patch.setitem(ClientActor._handlers, Restarted, nothing)


@found_as("gap", "lost")
def enters_again_where_the_room_is(patch: pytest.MonkeyPatch) -> None:
    """After a restart members go on from the room's position instead of their own."""

    def entered(original: Any, client: ClientActor, join: Join, entered: Entered) -> None:
        membership = client._memberships.get(join.channel)
        if membership is not None and join.silently and entered.recovered:
            membership.entered(entered)
        else:
            original(client, join, entered)

    wrap(patch, ClientActor, "_entered", entered)


@found_as("duplicated")
def does_not_count_what_it_shows(patch: pytest.MonkeyPatch) -> None:
    """The position of a member stays where it entered."""

    def shown(original: Any, membership: Membership, event: Publications) -> Any:
        before = membership._offset
        found = original(membership, event)
        membership._offset = before
        return found

    wrap(patch, Membership, "follows", shown)
    wrap(patch, Membership, "unseen", shown)


@found_as("gap")
def shows_what_comes_after_a_gap(patch: pytest.MonkeyPatch) -> None:
    """Members do not ask for what is missing."""

    def unseen(original: Any, membership: Membership, event: Publications) -> Any:
        found = original(membership, event)
        if found is Gap.GAP:
            membership._offset = event.last
            return event
        return found

    wrap(patch, Membership, "unseen", unseen)


@found_as("disconnected")
def cuts_off_the_members_of_a_room_that_restarts(patch: pytest.MonkeyPatch) -> None:
    """A crash of a room takes the actors of its members along."""

    def restarted(*_: object) -> None:
        raise RuntimeError("the room is gone")

    patch.setitem(ClientActor._handlers, Restarted, restarted)
