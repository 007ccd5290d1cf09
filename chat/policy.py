"""Who may do what: one table.

A pure rule. It is asked each time that something is to be done, with the role that the user has then; connecting gives
nobody a right. A class of rooms may ask more (`RoomClass.floors`), never less.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final

from chat.tokens import Role

if TYPE_CHECKING:
    from collections.abc import Mapping


class Action(enum.StrEnum):
    """What somebody may do, or not."""

    LIST_ROOMS = "list the open rooms"
    JOIN = "enter a room"
    READ = "read what was said before"
    SEARCH = "search in what was said"
    SEE_MEMBERS = "see who is here"
    SEND = "say something"
    UPLOAD = "bring a file, to send it with what one says"
    EDIT_OWN = "edit one's own message"
    DELETE_OWN = "delete one's own message"
    REACT = "react to a message"
    TYPE = "be seen typing"
    CREATE = "make a private room"
    INVITE = "let somebody into a private room"
    SET_TOPIC = "say what a room is about"
    DELETE_ANY = "delete anybody's message"
    KICK = "put somebody out"
    MUTE = "keep somebody from saying anything, or no longer"
    BAN = "keep somebody out, or no longer"
    AUDIT = "read who is banned or muted, and what moderators did"


POLICY: Final[Mapping[Action, Role]] = {
    # What                  who, and all whose role is above theirs
    Action.LIST_ROOMS: Role.GUEST,
    Action.JOIN: Role.GUEST,
    Action.READ: Role.GUEST,
    Action.SEARCH: Role.GUEST,  # in the rooms in which they may READ
    Action.SEE_MEMBERS: Role.GUEST,
    Action.SEND: Role.GUEST,
    Action.UPLOAD: Role.GUEST,
    Action.EDIT_OWN: Role.GUEST,
    Action.DELETE_OWN: Role.GUEST,
    Action.REACT: Role.GUEST,
    Action.TYPE: Role.GUEST,
    Action.CREATE: Role.GUEST,  # in the default installation everybody is one; a class of rooms may ask more
    Action.INVITE: Role.GUEST,  # whoever is a member
    Action.SET_TOPIC: Role.MEMBER,  # and who has made a private room, where that is a moderator
    Action.DELETE_ANY: Role.MODERATOR,
    Action.KICK: Role.MODERATOR,
    Action.MUTE: Role.MODERATOR,
    Action.BAN: Role.MODERATOR,
    Action.AUDIT: Role.MODERATOR,
}

NO_FLOORS: Final[Mapping[Action, Role]] = {}

_RANKS: Final = {role: rank for rank, role in enumerate(Role)}


def may(role: Role, action: Action, floors: Mapping[Action, Role] = NO_FLOORS) -> bool:
    """Tell whether a role may do something: by the table, and by what a room asks beyond it."""
    rank = _RANKS[role]
    return rank >= _RANKS[POLICY[action]] and (action not in floors or rank >= _RANKS[floors[action]])


def outranks(role: Role, other: Role) -> bool:
    """Tell whether a role is above another. Nobody can do anything to those whom their role does not outrank."""
    return _RANKS[role] > _RANKS[other]
