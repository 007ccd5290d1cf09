"""Who is in a room, as others see it: a user with many connections is one, and away when all of them are. No actor."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chat.protocol.publications import AWAY_DATA, ONLINE_DATA
from chat.protocol.results import PersonHere

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from chat.identity import Identity
    from chat.log import Author


class Member(NamedTuple):
    """One connection in a room: which of its memberships there, who it is, whether somebody looks at it."""

    ticket: int
    author: Author
    identity: Identity
    away: bool = False


def people(members: Iterable[Member], belonging: Collection[str], names: Mapping[str, str]) -> list[PersonHere]:
    """Return everybody once: who is here in the order of coming, then who belongs here and is not, by their names."""
    here: dict[str, PersonHere] = {}
    for member in members:
        author = member.author
        known = here.get(author.user)
        if known is None or (known.state == "away" and not member.away):
            here[author.user] = PersonHere(author.user, author.name, "away" if member.away else "online")
    absent = [PersonHere(user, names.get(user, user), "offline") for user in belonging if user not in here]
    return [*here.values(), *absent]


class AwayStates:
    """What others take the users of a room to be who have ever been away there, and who may have become another."""

    def __init__(self) -> None:
        self._taken_for_away: dict[str, bool | None] = {}
        """None: that is not known."""
        self._changed: set[str] = set()

    def begin(self, user: str, *, is_known: bool) -> None:
        """Follow a user from now on, whom others take to be at hand, if it `is_known` what they were told."""
        self._taken_for_away.setdefault(user, False if is_known else None)

    def joined(self, user: str) -> None:
        """Note that others see a user join, which looks like somebody at hand: what is so has to be said."""
        if user in self._taken_for_away:
            self._taken_for_away[user] = None

    def look_at(self, user: str) -> bool:
        """Note that a user who is followed may be another one now. Return whether they are the first since `news`."""
        if user not in self._taken_for_away:
            return False
        is_first = not self._changed
        self._changed.add(user)
        return is_first

    def news(self, members: Iterable[Member]) -> list[tuple[bytes, Author]]:
        """Return what others have to be told, of whom; who is not here any more is forgotten."""
        changed, self._changed = self._changed, set()
        away: dict[str, tuple[bool, Author]] = {}
        for member in members:
            user = member.author.user
            if user in changed:
                away[user] = (member.away and away.get(user, (True,))[0], member.author)
        for user in changed - away.keys():
            self._taken_for_away.pop(user, None)
        news = []
        for user, (is_away, author) in away.items():
            if self._taken_for_away[user] is not is_away:
                self._taken_for_away[user] = is_away
                news.append((AWAY_DATA if is_away else ONLINE_DATA, author))
        return news
