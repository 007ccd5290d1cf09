"""The log in memory: for tests, and for a chat that may forget.

It is bounded, so it forgets: entries beyond `max_entries` of a room, and the room least recently used beyond
`max_rooms`. A room that was forgotten starts again with a new epoch, so that its readers notice. A process that
ends forgets all.
"""

from __future__ import annotations

import secrets
import string
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from fnmatch import fnmatchcase
from itertools import count, islice
from typing import TYPE_CHECKING, Final

import msgspec

from chat.channels import is_private
from chat.log import places as rules
from chat.log.port import (
    Delete,
    Draft,
    Entry,
    Findings,
    Found,
    Keep,
    Kept,
    MemberChange,
    Page,
    Place,
    Position,
    PrivateRoom,
    Rejected,
    RoomTopic,
    Ruling,
    Stored,
    Upload,
)
from chat.log.projection import Room, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from chat.log.port import Retention, Search


_LOWER: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


class _Room(Room):
    """A whole room: the entries at `tail` < offset <= `head`, ascending, as are the posts among them."""

    __slots__ = ("numbers", "tail")

    def __init__(self, uploads: dict[str, Upload]) -> None:
        super().__init__(epoch=secrets.token_hex(4), uploads=uploads)
        self.tail = 0
        self.numbers: dict[int, int] = {}
        """The places of its posts among those of all rooms, by offset."""

    def between(self, first: int, last: int) -> list[Entry]:
        return [self.entries[offset] for offset in range(max(first, self.tail + 1), min(last, self.head) + 1)]

    def forget_oldest(self) -> None:
        self.tail += 1
        oldest = self.entries.pop(self.tail)
        self.posts.pop(self.tail, None)
        self.numbers.pop(self.tail, None)
        self.by_key.pop((oldest.author.user, oldest.key), None)
        self.told.pop(self.tail, None)


class MemoryLog:
    """A `RoomLog` that keeps the newest entries of the rooms used last. It remembers keys as long as their entries.

    It never blocks and never raises. It takes calls from one thread only.
    """

    blocks = False

    def __init__(self, *, max_entries: int = 1_000, max_rooms: int = 10_000) -> None:
        self._max_entries = max_entries
        self._max_rooms = max_rooms
        self._rooms: OrderedDict[str, _Room] = OrderedDict()
        self._numbers = count(1)
        self._secret = secrets.token_bytes(32)
        self._rulings: list[Ruling] = []
        self._in_force: dict[tuple[str, str, str], Ruling] = {}
        """By room, what it is, and whom it is against, the oldest first."""
        self._places: dict[str, dict[str, rules.State]] = {}
        """By user and room."""
        self._persons: dict[str, tuple[str, int]] = {}
        """Names, and the days on which they were last heard, by user."""
        self._private: dict[str, tuple[str, dict[str, None]]] = {}
        """By room, who has made it, and its members."""
        self._uploads: dict[str, Upload] = {}
        self._loose: set[str] = set()

    def append(self, batch: Sequence[Draft | Keep]) -> list[Stored | Rejected | Kept]:
        """See `RoomLog.append`."""
        stored = [self._append(self._room(draft.room), draft) for draft in batch if isinstance(draft, Draft)]
        kept = [self._keep(keep) for keep in batch if isinstance(keep, Keep)]
        stored.reverse()
        kept.reverse()
        return [stored.pop() if isinstance(one, Draft) else kept.pop() for one in batch]

    def _append(self, room: _Room, draft: Draft) -> Stored | Rejected:
        answer = room.take(draft)
        if isinstance(answer, Stored) and not answer.duplicate:
            if draft.author.client:
                self._persons[draft.author.user] = (draft.author.name, draft.time_ms // rules.DAY_MS)
            if draft.change is None:
                room.numbers[answer.entry.offset] = next(self._numbers)
            if isinstance(draft.change, Delete):
                self._drop_files(draft.room, draft.change.target, draft.change.target)
            for keep in rules.of_message(draft, answer.entry.offset):
                answer = rules.begun(answer, keep, self._keep(keep))
        if len(room.entries) > self._max_entries:
            self._forget_oldest(draft.room, room)
        return answer

    def _keep(self, keep: Keep) -> Kept | Rejected:
        if keep.name:
            self._persons[keep.user] = (keep.name, keep.time_ms // rules.DAY_MS)
        here = self._places.setdefault(keep.user, {})
        state, answer = rules.after(here.get(keep.room), keep, self._room(keep.room).head, len(here))
        if state is not None:
            here[keep.room] = state
        elif keep.leave:
            here.pop(keep.room, None)
        if not here:
            del self._places[keep.user]
        return answer

    def _forget_oldest(self, name: str, room: _Room) -> None:
        room.forget_oldest()
        self._drop_files(name, room.tail, room.tail)

    def _drop_files(self, room: str, first: int, last: int) -> None:
        """Forget the uploads that messages of a room, those between two offsets, were sent with."""
        for upload in list(self._uploads.values()):
            if upload.room == room and upload.offset is not None and first <= upload.offset <= last:
                self._drop_upload(upload)

    def _drop_upload(self, upload: Upload) -> None:
        del self._uploads[upload.file.id]
        self._loose.add(upload.hash)

    def position(self, room: str) -> Position:
        """See `RoomLog.position`."""
        found = self._room(room)
        return Position(found.head, found.epoch)

    def before(self, room: str, offset: int, limit: int) -> list[Entry]:
        """See `RoomLog.before`."""
        found = self._room(room)
        last = min(offset - 1, found.head)
        return found.between(last - limit + 1, last)

    def after(self, room: str, offset: int, limit: int) -> list[Entry]:
        """See `RoomLog.after`."""
        found = self._room(room)
        first = max(offset, found.tail) + 1
        return found.between(first, first + limit - 1)

    def messages(self, room: str, *, after: int | None = None, before: int | None = None, limit: int) -> Page:
        """See `RoomLog.messages`."""
        found = self._room(room)
        offsets = list(found.posts)
        if after is not None:
            start = bisect_right(offsets, after)
            end = start + limit
        else:
            end = len(offsets) if before is None else bisect_left(offsets, before)
            start = max(0, end - limit)
        messages = [found.posts[offset].message() for offset in offsets[start:end]]
        return Page(messages, Position(found.head, found.epoch))

    def search(self, search: Search, readable: Callable[[str], bool], *, limit: int) -> Findings:
        """See `RoomLog.search`. Looks at all messages of these rooms."""
        found = list(islice(self._found(search, readable), limit + 1))
        return Findings(found[:limit], found[limit - 1].number if len(found) > limit else None)

    def _found(self, search: Search, readable: Callable[[str], bool]) -> Iterator[Found]:
        names = list(self._rooms) if search.room is None else [search.room]
        rooms = [(name, self._rooms[name]) for name in names if name in self._rooms and readable(name)]
        places = [(number, name, room.posts[at]) for name, room in rooms for at, number in room.numbers.items()]
        for number, name, post in sorted(places, key=lambda place: -place[0]):
            text = text_of(post.data)
            if (
                number < search.before
                and search.since_ms <= post.time_ms <= search.until_ms
                and search.user in {None, post.author.user}
                and text is not None
                and search.query.finds(text)
            ):
                yield Found(number, name, msgspec.structs.replace(post.message(), reactions={}))

    def index(self, *, limit: int) -> int:  # noqa: ARG002  (a part of `RoomLog`)
        """See `RoomLog.index`. There is nothing to prepare."""
        return 0

    def trim(self, rules: Sequence[Retention], *, limit: int) -> int:
        """See `RoomLog.trim`."""
        forgotten = 0
        for name, room in self._rooms.items():
            rule = next((rule for rule in rules if fnmatchcase(name, rule.glob)), None)
            keep_entries = rule.keep_entries if rule is not None else None
            keep_since_ms = rule.keep_since_ms if rule is not None else None
            while (
                forgotten < limit
                and room.head - room.tail > 1
                and (
                    (keep_entries is not None and room.head - room.tail > keep_entries)
                    or (keep_since_ms is not None and room.entries[room.tail + 1].time_ms < keep_since_ms)
                )
            ):
                self._forget_oldest(name, room)
                forgotten += 1
        return forgotten

    def remove(self, room: str, *, last: int, limit: int) -> int:
        """See `RoomLog.remove`."""
        found = self._room(room)
        forgotten = max(0, min(last, found.head, found.tail + limit) - found.tail)
        for _ in range(forgotten):
            self._forget_oldest(room, found)
        return forgotten

    def topic(self, room: str) -> str:
        """See `RoomLog.topic`."""
        return self._room(room).topic or ""

    def find_rooms(self, query: str, limit: int) -> list[RoomTopic]:
        """See `RoomLog.find_rooms`."""
        wanted = query.translate(_LOWER)
        found = [
            (name, room)
            for name, room in self._rooms.items()
            if room.head
            and not is_private(name)
            and (wanted in name.translate(_LOWER) or wanted in (room.topic or "").translate(_LOWER))
        ]
        found.sort(key=lambda item: (-item[1].head, item[0]))
        return [RoomTopic(name, room.topic or "") for name, room in found[:limit]]

    def change_members(self, change: MemberChange) -> bool:
        """See `RoomLog.change_members`. Nothing of this is forgotten."""
        if change.action == "create":
            room = self._rooms.get(change.room)
            if change.room in self._private or (room is not None and room.head > room.tail):
                return False
            self._private[change.room] = (change.user, {change.user: None})
        elif change.action == "leave":
            self._end_membership(change.room, change.user)
        elif change.room in self._private:
            self._private[change.room][1][change.user] = None
        else:
            return False
        self._keep(rules.of_member(change))
        return True

    def _end_membership(self, room: str, user: str) -> None:
        if room in self._private:
            members = self._private[room][1]
            members.pop(user, None)
            if not members:
                del self._private[room]

    def private_rooms(self) -> list[PrivateRoom]:
        """See `RoomLog.private_rooms`."""
        return [PrivateRoom(name, creator, list(members)) for name, (creator, members) in self._private.items()]

    def record(self, ruling: Ruling) -> Ruling:
        """See `RoomLog.record`. Nothing of this is forgotten."""
        ruling = msgspec.structs.replace(ruling, number=len(self._rulings) + 1)
        self._rulings.append(ruling)
        place = (ruling.room, ruling.action.removeprefix("un"), ruling.user)
        if ruling.action != "kick":
            self._in_force.pop(place, None)
        if ruling.action in {"ban", "mute"}:
            self._in_force[place] = ruling
        if ruling.action in {"kick", "ban"}:
            self._end_membership(ruling.room, ruling.user)
        return ruling

    def in_force(self, room: str, now_ms: int) -> list[Ruling]:
        """See `RoomLog.in_force`."""
        here = [ruling for ruling in self._in_force.values() if ruling.room == room]
        return [ruling for ruling in here if not ruling.until_ms or ruling.until_ms > now_ms]

    def bans(self, user: str, now_ms: int) -> list[Ruling]:
        """See `RoomLog.bans`."""
        bans = [ruling for (_, kind, whom), ruling in self._in_force.items() if (kind, whom) == ("ban", user)]
        return [ruling for ruling in bans if not ruling.until_ms or ruling.until_ms > now_ms]

    def rulings(self, room: str, *, before: int | None = None, limit: int) -> list[Ruling]:
        """See `RoomLog.rulings`."""
        end = len(self._rulings) if before is None else min(max(before - 1, 0), len(self._rulings))
        here = [ruling for ruling in reversed(self._rulings[:end]) if ruling.room == room]
        return here[:limit]

    def places(self, user: str) -> list[Place]:
        """See `RoomLog.places`."""
        places = self._places.get(user, {})
        most = rules.counted(len(places))
        return [self._place(user, room, state, most) for room, state in sorted(places.items())]

    def _place(self, user: str, name: str, state: rules.State, most: int) -> Place:
        room = self._room(name)
        read = min(state.read, room.head)
        posts = list(room.posts.values())
        start = bisect_right([post.offset for post in posts], read)
        unread = sum(post.author.user != user for post in posts[start : start + most])
        mentions = sum(offset > read and user in told for offset, told in room.told.items())
        position = Position(room.head, room.epoch)
        return Place(name, position, read, state.notify, unread, min(mentions, most), room.topic or "")

    def names(self, users: Sequence[str]) -> dict[str, str]:
        """See `RoomLog.names`."""
        return {user: self._persons[user][0] for user in users if user in self._persons}

    def forget_guests(self, before_ms: int, *, limit: int) -> int:
        """See `RoomLog.forget_guests`."""
        before = before_ms // rules.DAY_MS
        guests = [user for user in self._places if user.startswith(rules.GUESTS)]
        old = [(user, room) for user in guests for room, state in self._places[user].items() if state.day < before]
        for user, room in old[:limit]:
            del self._places[user][room]
            if not self._places[user]:
                del self._places[user]
        quiet = [user for user, (_, day) in self._persons.items() if user.startswith(rules.GUESTS) and day < before]
        for user in quiet[:limit]:
            del self._persons[user]
        return len(old[:limit]) + len(quiet[:limit])

    def keep_upload(self, upload: Upload, *, most_unsent_bytes: int) -> bool:
        """See `RoomLog.keep_upload`."""
        unsent = [other for other in self._uploads.values() if other.user == upload.user and other.offset is None]
        if sum(other.file.size for other in unsent) + upload.file.size > most_unsent_bytes:
            return False
        self._uploads[upload.file.id] = upload
        return True

    def upload(self, file_id: str) -> Upload | None:
        """See `RoomLog.upload`."""
        return self._uploads.get(file_id)

    def forget_unsent(self, before_ms: int, *, limit: int) -> int:
        """See `RoomLog.forget_unsent`."""
        old = [upload for upload in self._uploads.values() if upload.offset is None and upload.time_ms < before_ms]
        for upload in old[:limit]:
            self._drop_upload(upload)
        return len(old[:limit])

    def loose(self, *, limit: int) -> list[str]:
        """See `RoomLog.loose`."""
        return sorted(self._loose - {upload.hash for upload in self._uploads.values()})[:limit]

    def forget_loose(self, hashes: Sequence[str]) -> None:
        """See `RoomLog.forget_loose`."""
        self._loose.difference_update(hashes)

    def referred(self, hashes: Sequence[str]) -> set[str]:
        """See `RoomLog.referred`."""
        return {upload.hash for upload in self._uploads.values()}.intersection(hashes)

    def secret(self) -> bytes:
        """See `RoomLog.secret`."""
        return self._secret

    def close(self) -> None:
        """See `RoomLog.close`."""

    def _room(self, name: str) -> _Room:
        room = self._rooms.get(name)
        if room is None:
            room = self._rooms[name] = _Room(self._uploads)
            if len(self._rooms) > self._max_rooms:
                forgotten, gone = self._rooms.popitem(last=False)
                self._drop_files(forgotten, 1, gone.head)
        else:
            self._rooms.move_to_end(name)
        return room
