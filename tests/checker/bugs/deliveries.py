"""Bugs in what members are shown."""

# A bug is planted where it would be: inside.
# ruff: noqa: SLF001

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from actors.journal import JournalActor
from actors.membership import Membership
from actors.messages import Append, CatchUp, Committed, Write, Written
from actors.room import RoomActor
from chat.log import Entry, Position, Stored
from chat.wire import JsonWire, Publications, Published
from tests.checker.bug import found_as, nothing, wrap

if TYPE_CHECKING:
    import pytest

    from actors.messages import KeepPlace, Publish
    from actors.runtime import RequestFailed


@found_as("lost", "diverged")
def shows_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    """A room shows what it is told at once, at the place that it will probably have."""

    def publish(original: Any, room: RoomActor, publish: Publish) -> None:
        original(room, publish)
        place = room._position.offset + 1
        shown = Published(Entry(place, publish.key, publish.author, publish.time_ms, publish.data))
        room._window.extend([shown])
        room._position = Position(place, room._position.epoch)
        room._deliver(Publications(room._channel, [shown]))

    wrap(patch, RoomActor, "_publish", publish)


@found_as("lost", "diverged")
def shows_a_batch_that_failed(patch: pytest.MonkeyPatch) -> None:
    """Rooms are told that it is stored where senders are told that it is not."""
    heads: dict[str, Position] = {}

    def begin(original: Any, journal: JournalActor, *args: object) -> None:
        heads.clear()
        original(journal, *args)

    def written(original: Any, journal: JournalActor, written: Written) -> None:
        for append, place in zip(written.appends, written.places, strict=True):
            if isinstance(place, Stored) and not place.duplicate:
                assert isinstance(append, Append)
                heads[append.draft.room] = Position(place.entry.offset, place.epoch)
        original(journal, written)

    def show(append: Append | KeepPlace) -> None:
        assert isinstance(append, Append)  # (nobody here keeps a place)
        draft = append.draft
        head = heads.get(draft.room)
        if head is not None:
            head = heads[draft.room] = Position(head.offset + 1, head.epoch)
            entry = Entry(head.offset, draft.key, draft.author, draft.time_ms, draft.data)
            append.sender.tell(Committed(head.epoch, [entry]))

    def failed(original: Any, journal: JournalActor, failed: RequestFailed) -> None:
        original(journal, failed)
        if isinstance(failed.request, Write):
            for append in failed.request.appends:
                show(append)

    wrap(patch, JournalActor, "__init__", begin)
    wrap(patch, JournalActor, "_written", written)
    wrap(patch, JournalActor, "_write_failed", failed)


@found_as("reordered", "gap")
def shows_a_batch_in_another_order(patch: pytest.MonkeyPatch) -> None:
    """The pushes of one frame are in the wrong order."""

    def encode(original: Any, wire: JsonWire, event: Any) -> Any:
        return original(wire, Publications(event.channel, event.items[::-1]) if hasattr(event, "items") else event)

    wrap(patch, JsonWire, "_encode", encode)


@found_as("duplicated")
def shows_a_repeat_again(patch: pytest.MonkeyPatch) -> None:
    """Both the room and its members take it for something new."""

    def committed(original: Any, room: RoomActor, committed: Committed) -> None:
        known = [Published(entry) for entry in committed.entries if entry.offset <= room._position.offset]
        if known:
            room._deliver(Publications(room._channel, known))
        original(room, committed)

    def unseen(original: Any, membership: Membership, event: Publications) -> Any:
        return original(membership, event) or event

    wrap(patch, RoomActor, "_committed", committed)
    wrap(patch, Membership, "unseen", unseen)


@found_as("phantom", "diverged")
def shows_entries_in_other_rooms(patch: pytest.MonkeyPatch) -> None:
    """The rooms of one batch are all told of all of it."""

    def written(original: Any, journal: JournalActor, written: Written) -> None:
        original(journal, written)
        for append, place in zip(written.appends, written.places, strict=True):
            for other in written.appends:
                if isinstance(place, Stored) and other.sender is not append.sender:
                    other.sender.tell(Committed(place.epoch, [place.entry]))

    wrap(patch, JournalActor, "_written", written)


@found_as("lost", "wrong state")
def shows_nothing_to_the_newest_member(patch: pytest.MonkeyPatch) -> None:
    """The fan-out ends one too early."""

    def deliver(original: Any, room: RoomActor, event: Any) -> None:
        members = room._members
        if isinstance(event, Publications):
            room._members = dict(list(members.items())[:-1])
        try:
            original(room, event)
        finally:
            room._members = members

    wrap(patch, RoomActor, "_deliver", deliver)


@found_as("wrong state")
def does_not_look_for_what_a_crashed_writer_stored(patch: pytest.MonkeyPatch) -> None:
    """Rooms take no notice of `CatchUp`."""

    def on_receive(original: Any, room: RoomActor, message: Any) -> None:
        if not isinstance(message, CatchUp):
            original(room, message)

    wrap(patch, RoomActor, "on_receive", on_receive)


@found_as("wrong state", "lost")
def catches_up_for_itself_alone(patch: pytest.MonkeyPatch) -> None:
    """What a room finds in the log is not shown to its members."""

    def opened(original: Any, room: RoomActor, opened: Any) -> None:
        with contextlib.ExitStack() as stack:
            quiet = stack.enter_context(patch.context())
            quiet.setattr(room, "_deliver", nothing)
            original(room, opened)

    wrap(patch, RoomActor, "_opened", opened)


@found_as("lost")
def tells_no_room_of_a_repeat(patch: pytest.MonkeyPatch) -> None:
    """A repeat is answered and not announced, and nobody looked whether its first time was."""

    def written(original: Any, journal: JournalActor, written: Written) -> None:
        first = {id(place.entry) for place in written.places if isinstance(place, Stored) and not place.duplicate}
        with patch.context() as briefly:
            briefly.setattr(
                "actors.journal.Committed",
                lambda epoch, entries: Committed(epoch, [entry for entry in entries if id(entry) in first]),
            )
            original(journal, written)

    wrap(patch, JournalActor, "_written", written)
    does_not_look_for_what_a_crashed_writer_stored(patch)
