from __future__ import annotations

from typing import Any

import pytest

from actors.membership import Gap, Membership
from actors.messages import Entered, Join, Leave
from actors.runtime import Actor, ActorRef, ActorSystem, ChildSpec, VirtualScheduler
from chat.identity import Identity
from chat.limits import Limits
from chat.log import Entry, Position
from chat.protocol import commands
from chat.protocol.commands import Command
from chat.room_classes import RoomClass
from chat.wire import Publications, Published
from tests.fakes import ANN, NOON_MS

WHO = Identity(user="ann", name="Ann", look=())
SUBSCRIBE = Command(2, commands.Subscribe("lobby"))

system = ActorSystem(VirtualScheduler())
CLIENT: ActorRef[Any] = system.spawn(ChildSpec(name="client", factory=Actor))
ROOM: ActorRef[Any] = system.spawn(ChildSpec(name="room", factory=Actor))


def membership() -> Membership:
    return Membership(CLIENT, WHO, ANN, "lobby", 7, SUBSCRIBE, RoomClass(limits=Limits()))


def entered(offset: int) -> Membership:
    """Return a membership whose reader is at an offset."""
    member = membership()
    member.entered(Entered(ROOM, Position(offset, "e"), recovered=False, missed=()))
    return member


def publications(*offsets: int) -> Publications:
    entries = [Entry(offset, "", ANN, NOON_MS, b"1") for offset in offsets]
    return Publications("lobby", [Published(entry) for entry in entries])


def shown(member: Membership, *offsets: int) -> list[int] | Gap:
    """Return what a reader gets to see of these publications."""
    unseen = member.unseen(publications(*offsets))
    if isinstance(unseen, Gap):
        return unseen
    return [item.entry.offset for item in unseen.items] if unseen else []


# Requests


@pytest.mark.parametrize("position", [None, Position(3, "e")])
def test_to_enter_is_to_ask_for_it_with_all_that_the_room_must_know(position: Position | None) -> None:
    join = membership().join(position)

    assert join == Join(CLIENT, "lobby", SUBSCRIBE, WHO, 7, ANN, position)
    assert not join.silently


def test_to_enter_again_is_silent_and_from_where_the_reader_is() -> None:
    member = entered(3)
    shown(member, 4, 5)

    assert member.join_again() == Join(CLIENT, "lobby", SUBSCRIBE, WHO, 7, ANN, Position(5, "e"), silently=True)


def test_to_leave_names_the_membership() -> None:
    assert membership().leave() == Leave(CLIENT, 7, ANN)


def test_until_the_room_has_answered_there_is_none() -> None:
    member = membership()
    assert member.room is None

    member.entered(Entered(ROOM, Position(0, "e"), recovered=False, missed=()))

    assert member.room is ROOM


# What the reader has not seen


def test_what_follows_the_readers_position_is_shown_as_it_is() -> None:
    event = publications(4, 5)

    assert entered(3).unseen(event) is event


def test_what_was_shown_is_not_shown_again() -> None:
    member = entered(3)
    shown(member, 4, 5)

    assert shown(member, 4, 5) == []


def test_of_what_was_shown_in_part_the_rest_is_shown() -> None:
    member = entered(3)
    shown(member, 4)

    assert shown(member, 4, 5, 6) == [5, 6]
    assert shown(member, 7) == [7]


def test_what_was_before_the_reader_came_is_not_shown() -> None:
    assert shown(entered(3), 1, 2, 3) == []


def test_what_comes_after_a_gap_is_not_shown() -> None:
    assert shown(entered(3), 5) is Gap.GAP


def test_a_gap_moves_nothing() -> None:
    member = entered(3)
    shown(member, 5, 6)

    assert member.join_again().position == Position(3, "e")
    assert shown(member, 4, 5, 6) == [4, 5, 6]


def test_a_reader_of_an_empty_room_begins_with_the_first_entry() -> None:
    assert shown(entered(0), 1) == [1]
