"""A room as one client sees it: what its messages are, after all that was said and changed up to an offset.

A client makes that itself, from a page it once fetched and all entries since, as the page in a browser does; at any
offset it must be what the server says it is. Of long rooms only the newest messages are kept.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol, Self

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from loadtests._frames import Data, Page, Publication


class Record(Protocol):
    """What is told of each state that can be compared."""

    def __call__(self, view: View, *, fetched: bool = False) -> None:
        """Take note of it as it is; the view goes on."""


class _Message:
    __slots__ = ("offset", "reactions", "text")

    def __init__(self, offset: int, text: str | None, reactions: dict[str, list[str]]) -> None:
        self.offset = offset
        self.text = text
        self.reactions = reactions

    def copy(self) -> _Message:
        return _Message(self.offset, self.text, {emoji: list(users) for emoji, users in self.reactions.items()})

    def change(self, data: Data, user: str) -> None:
        if data.type == "delete":
            self.text, self.reactions = None, {}
        elif data.type == "edit":
            self.text = data.text
        elif data.type == "reaction":
            users = self.reactions.pop(data.emoji, [])
            if data.on and user not in users:
                users.append(user)
            elif not data.on and user in users:
                users.remove(user)
            if users:
                self.reactions[data.emoji] = users


class View:
    """The newest messages of a room at an offset; all of them if `newest` is 0."""

    def __init__(self, newest: int, messages: Iterable[_Message] = (), offset: int = 0) -> None:
        self.newest = newest
        self.offset = offset
        self._messages = {message.offset: message for message in messages}

    @classmethod
    def of(cls, page: Page, newest: int) -> Self:
        """Return what the server says."""
        messages = (_Message(m.offset, m.data.text if m.data else None, m.reactions) for m in page.messages)
        return cls(newest, messages, page.offset)

    def copy(self) -> View:
        """Return a view that can go its own way."""
        return View(self.newest, (message.copy() for message in self._messages.values()), self.offset)

    def apply(self, publication: Publication) -> None:
        """Take in the next entry. One that the view has already, or about a message it has not, changes nothing."""
        if publication.offset <= self.offset:
            return
        self.offset = publication.offset
        data = publication.data
        if data.type == "message":
            self._messages[publication.offset] = _Message(publication.offset, data.text, {})
            if 0 < self.newest < len(self._messages):
                del self._messages[next(iter(self._messages))]
        elif data.target in self._messages:
            self._messages[data.target].change(data, publication.info.user)

    def digest(self) -> str:
        """Return the same for the same messages, whoever has them."""
        messages = [(m.offset, m.text, sorted(m.reactions.items())) for m in self._messages.values()]
        return hashlib.blake2b(msgspec.json.encode(messages), digest_size=8).hexdigest()


class Asked:
    """A page that is on its way: what the view was at the time of asking, and all that came since."""

    def __init__(self, before: View | None) -> None:
        self.before = before
        self.since: list[Publication] = []


class Watch:
    """One client's view of a room, put against the pages that it fetches.

    `record` is told each state that can be compared. A page may be of the offset at which it was asked for, of one
    that came meanwhile, or of one that the client will come to a little later.
    """

    def __init__(self, newest: int, record: Record) -> None:
        self.view: View | None = None
        self._newest = newest
        self._record = record
        self._asked: Asked | None = None
        self._due = 0

    @property
    def is_asking(self) -> bool:
        """Whether a page is on its way."""
        return self._asked is not None

    def see(self, publication: Publication) -> None:
        """Take in an entry."""
        if self._asked is not None:
            self._asked.since.append(publication)
        if self.view is not None:
            self.view.apply(publication)
            if publication.offset == self._due:
                self._record(self.view)

    def ask(self) -> Asked:
        """Take note that a page has been asked for."""
        self._asked = Asked(self.view.copy() if self.view else None)
        return self._asked

    def forget(self) -> None:
        """Take note that no page will come."""
        self._asked = None

    def begin_anew(self) -> None:
        """Take note that what was seen so far does not lead to what will be."""
        self._asked = self.view = None
        self._due = 0

    def answer(self, asked: Asked, page: Page | None, *, adopt: bool) -> None:
        """Compare with a page, if there is one. Go on from it if told so, or if there is nothing yet."""
        if asked is not self._asked:
            return
        self._asked = None
        if page is None:
            return
        fetched, own = View.of(page, self._newest), asked.before
        self._record(fetched, fetched=True)
        if own is not None:
            for publication in asked.since:
                if publication.offset <= page.offset:
                    own.apply(publication)
            if own.offset == page.offset:
                self._record(own)
            else:
                self._due = page.offset
        if own is None or adopt:
            for publication in asked.since:
                fetched.apply(publication)
            self.view = fetched
