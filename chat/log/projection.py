"""What becomes of a draft, and of the message that it changes: the rules that every log goes by.

Pure rules: nothing here reads or stores. A log hands in what it knows of a room, and keeps what came of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from chat.log.port import MAX_REACTIONS, Delete, Edit, Entry, Message, React, Rejected, Stored, Topic

if TYPE_CHECKING:
    from chat.log.port import Author, Change, Draft, Upload


class _WithText(msgspec.Struct):
    text: str


_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT = msgspec.json.Decoder(_WithText | str)

_MISSING = Rejected("missing")
_FOREIGN = Rejected("foreign")
_UNCHANGEABLE = Rejected("unchangeable")
_FULL = Rejected("full")
_NO_FILE = Rejected("no_file")


class Post:
    """A message while it can still change. Its fields are those of `Message`, but for `reactions`.

    `reactions` holds, by emoji and user, the offset of the entry with which they came. So the users of an emoji are
    in the order in which they came, and the emojis are once they are sorted by the first of these offsets.
    """

    __slots__ = ("author", "data", "deleted_ms", "edited_ms", "offset", "reactions", "time_ms")

    def __init__(
        self, offset: int, author: Author, time_ms: int, data: bytes, edited_ms: int = 0, deleted_ms: int = 0
    ) -> None:
        self.offset = offset
        self.author = author
        self.time_ms = time_ms
        self.data = data
        self.edited_ms = edited_ms
        self.deleted_ms = deleted_ms
        self.reactions: dict[str, dict[str, int]] = {}

    def react(self, emoji: str, user: str, offset: int) -> None:
        """Add a reaction that came with the entry at `offset`, unless it is there already."""
        self.reactions.setdefault(emoji, {}).setdefault(user, offset)

    def message(self) -> Message:
        """Return the message as it is now. It does not follow later changes."""
        by_age = sorted(self.reactions.items(), key=lambda item: next(iter(item[1].values())))
        reactions = {emoji: list(users) for emoji, users in by_age}
        return Message(self.offset, self.author, self.time_ms, self.data, self.edited_ms, self.deleted_ms, reactions)


class Room:
    """What of a room decides about a draft: all of it, or as much as the drafts at hand refer to."""

    __slots__ = ("by_key", "entries", "epoch", "head", "posts", "told", "topic", "uploads")

    def __init__(self, epoch: str, head: int = 0, uploads: dict[str, Upload] | None = None) -> None:
        self.epoch = epoch
        self.head = head
        self.entries: dict[int, Entry] = {}
        """By offset."""
        self.posts: dict[int, Post] = {}
        """Those among the entries that are posts, as they stand."""
        self.by_key: dict[tuple[str, str], Entry] = {}
        """By the author's user and the key, unless it is empty."""
        self.told: dict[int, tuple[str, ...]] = {}
        """Who is to be told of an entry, by its offset, unless it is nobody."""
        self.topic: str | None = None
        """What the newest of the drafts that says so says that the room is about. None if none does."""
        self.uploads: dict[str, Upload] = {} if uploads is None else uploads
        """By the ids of their files; of all rooms."""

    def take(self, draft: Draft) -> Stored | Rejected:
        """Make the draft the next entry, unless it is a repeat or a change that cannot be made."""
        key = (draft.author.user, draft.key)
        first = self.by_key.get(key) if draft.key else None
        if first is not None:
            return Stored(first, self.epoch, duplicate=True)
        offset, data = self.head + 1, draft.data
        if draft.change is None:
            if draft.files:
                uploads = self._attachable(draft)
                if uploads is None:
                    return _NO_FILE
                data = self._attach(uploads, data, offset)
            self.posts[offset] = Post(offset, draft.author, draft.time_ms, data)
        elif isinstance(draft.change, Topic):
            self.topic = draft.change.text
        elif rejected := _change(self.posts.get(draft.change.target), draft, draft.change, offset):
            return rejected
        elif type(draft.change) is Delete:
            self.told.pop(draft.change.target, None)
        if draft.told:
            self.told[offset] = draft.told
        self.head = offset
        entry = self.entries[offset] = Entry(offset, draft.key, draft.author, draft.time_ms, data)
        if draft.key:
            self.by_key[key] = entry
        return Stored(entry, self.epoch, duplicate=False)

    def _attachable(self, draft: Draft) -> list[Upload] | None:
        """Return the uploads that a draft is sent with, or None if one of them cannot be."""
        found = [self.uploads.get(file_id) for file_id in draft.files]
        uploads = [
            upload
            for upload in found
            if upload is not None
            and upload.offset is None
            and (upload.user, upload.room) == (draft.author.user, draft.room)
        ]
        return uploads if len(uploads) == len(found) == len(set(draft.files)) else None

    def _attach(self, uploads: list[Upload], data: bytes, offset: int) -> bytes:
        """Have uploads belong to the post at an offset, and return its data with them."""
        for upload in uploads:
            self.uploads[upload.file.id] = msgspec.structs.replace(upload, offset=offset)
        fields = _FIELDS.decode(data)
        fields["files"] = msgspec.Raw(msgspec.json.encode([upload.file for upload in uploads]))
        return msgspec.json.encode(fields)


def _change(post: Post | None, draft: Draft, what: Change, offset: int) -> Rejected | None:
    """Make the change of a draft, whose entry will be at `offset`, to its target, or return why it cannot be made."""
    if post is None or post.deleted_ms:
        return _MISSING
    if isinstance(what, React):
        return _react(post, what, draft.author.user, offset)
    if post.author.user != draft.author.user and not (isinstance(what, Delete) and what.of_anybody):
        return _FOREIGN
    if isinstance(what, Edit):
        data = _with_text(post.data, what.text)
        if data is None:
            return _UNCHANGEABLE
        post.data, post.edited_ms = data, draft.time_ms
    elif isinstance(what, Delete):
        post.data, post.deleted_ms = b"null", draft.time_ms
        post.reactions.clear()
    return None


def _react(post: Post, what: React, user: str, offset: int) -> Rejected | None:
    if what.on:
        if what.emoji not in post.reactions and len(post.reactions) >= MAX_REACTIONS:
            return _FULL
        post.react(what.emoji, user, offset)
    elif users := post.reactions.get(what.emoji):
        users.pop(user, None)
        if not users:
            del post.reactions[what.emoji]
    return None


def _with_text(data: bytes, text: str) -> bytes | None:
    """Return a post's data with another text and all else byte for byte the same, or None if it has no text."""
    try:
        fields = _FIELDS.decode(data)
    except msgspec.DecodeError:  # no object
        return None
    if not bytes(fields.get("text", b"")).startswith(b'"'):
        return None
    fields["text"] = msgspec.Raw(msgspec.json.encode(text))
    return msgspec.json.encode(fields)


def text_of(data: bytes) -> str | None:
    """Return what a post says: its `text`, or itself if it is a string. None if it says nothing that can be found."""
    try:
        found = _TEXT.decode(data)
    except msgspec.DecodeError:  # something else, or `null`, since it was deleted
        return None
    return found if isinstance(found, str) else found.text
