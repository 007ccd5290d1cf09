"""Who may know of a channel: the one place to ask, whatever it is wanted for.

A pure rule of an identity and a name. A subscription token, or the server, lets somebody into a channel besides; that
is a matter of the one connection that has it, and judged where the connection is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chat.channels import is_direct, is_private, users_of
from chat.policy import may

if TYPE_CHECKING:
    from chat.identity import Identity
    from chat.policy import Action
    from chat.room_classes import RoomClass


def may_in(identity: Identity, action: Action, channel: str, room_class: RoomClass) -> bool:
    """Tell whether somebody may do something in a channel that they have no token for.

    In a direct conversation only who is named may, in a private room only its members; of these and of all others it
    takes the role. A name that `check_direct` refuses is nobody's.
    """
    return is_open_to(identity, channel) and may(identity.role_in(channel), action, room_class.floors)


def is_open_to(identity: Identity, channel: str) -> bool:
    """Tell whether a channel is one that somebody may know of, whatever the roles that are asked for there."""
    if is_direct(channel):
        return can_be_let_into(identity.user, channel)
    return not is_private(channel) or identity.private.is_member(channel, identity.user)


def can_be_let_into(user: str, channel: str) -> bool:
    """Tell whether a token, or the server, can let a user into a channel: into no direct conversation of others."""
    return not is_direct(channel) or user in users_of(channel)
