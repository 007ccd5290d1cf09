"""What becomes of a place: the rules that every log goes by. Nothing here reads or stores."""

from __future__ import annotations

from typing import Final, NamedTuple, TypeVar

import msgspec

from chat.log.port import Draft, Keep, Kept, MemberChange, Rejected, Stored

Answer = TypeVar("Answer", bound=Stored | Rejected | Kept)

MAX_PLACES: Final = 500
"""How many a user may have."""

COUNTED: Final = 1_000
"""How many messages after a marker are looked at, and mentions counted, at most."""

COUNTED_IN_ALL: Final = 10_000
"""The same of all places of a user: the time that it takes to read them has a bound."""

DAY_MS: Final = 86_400_000

GUESTS: Final = "guest-"
"""What the ids of guests begin with, as `chat.tokens` has it; the statements and an index of SQLite have it, too."""

_FULL: Final = Rejected("full")


class State(NamedTuple):
    """A place as it is stored: the marker, whether the room may make a noise, the day when it was last touched."""

    read: int
    notify: bool
    day: int


def counted(number: int) -> int:
    """Return how many messages after each marker are looked at where a user has so many places."""
    return min(COUNTED, COUNTED_IN_ALL // max(number, 1))


def after(state: State | None, keep: Keep, head: int, number: int) -> tuple[State | None, Kept | Rejected]:
    """Return what a place is after a change, None for nothing, and the answer to it.

    `head` is the room's newest offset; `number` is how many places the user has.
    """
    if keep.leave:
        return None, Kept(0, changed=state is not None)
    read = head if keep.read is None else min(keep.read, head)
    day = keep.time_ms // DAY_MS
    if state is None:
        if number >= MAX_PLACES:
            return None, _FULL
        return State(read, keep.notify is not False, day), Kept(read, changed=True)
    if keep.begin:
        return state, Kept(state.read, changed=False)
    if keep.read is None:
        read = state.read
    now = State(max(read, state.read), state.notify if keep.notify is None else keep.notify, max(day, state.day))
    return now, Kept(now.read, changed=now[:2] != state[:2])


def of_member(change: MemberChange) -> Keep:
    """Return what becomes of the place of somebody who becomes a member of a private room, or is none any more."""
    leaves = change.action == "leave"
    return Keep(user=change.user, room=change.room, time_ms=change.time_ms, begin=not leaves, leave=leaves)


def of_message(draft: Draft, offset: int) -> list[Keep]:
    """Return the places that begin with a new message of a direct channel: of who is to read it, and of its author."""
    if not draft.direct or draft.change is not None:
        return []
    read = dict.fromkeys(draft.told, offset - 1)
    if draft.author.client:  # else the server itself has said it
        read[draft.author.user] = offset
    return [Keep(user=user, room=draft.room, time_ms=draft.time_ms, read=at, begin=True) for user, at in read.items()]


def begun(answer: Answer, keep: Keep, kept: Kept | Rejected) -> Answer:
    """Return the answer to a draft, after the change of one of the places that begin with it."""
    if isinstance(answer, Stored) and keep.user == answer.entry.author.user and isinstance(kept, Kept) and kept.changed:
        return msgspec.structs.replace(answer, begun=True)
    return answer
