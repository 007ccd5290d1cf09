"""What the name of a channel says of it: whether it is private, or a direct conversation, and then between whom.

Pure rules. A direct conversation is a room like `dm#ada,bob`: nobody makes one, and nobody else gets in. Since the name
says it all, there is nothing to store, and nothing that a role or a token could change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chat.errors import bad_request

if TYPE_CHECKING:
    from collections.abc import Iterable

PRIVATE_PREFIX: Final = "$"
DIRECT_PREFIX: Final = "dm#"
MIN_USERS: Final = 2
MAX_USERS: Final = 8


def is_private(channel: str) -> bool:
    """Tell whether only some may know of a channel: its members (`chat.access`), and who has a token for it.

    The names are those that Centrifugo has for private and user-limited channels: who uses one expects that not
    everybody can read it.
    """
    return channel.startswith(PRIVATE_PREFIX) or "#" in channel


def is_direct(channel: str) -> bool:
    """Tell whether a channel is a direct conversation."""
    return channel.startswith(DIRECT_PREFIX)


def users_of(channel: str) -> tuple[str, ...]:
    """Return the users that a direct conversation is between. Other channels have none, nor do too many or too few."""
    users = channel.removeprefix(DIRECT_PREFIX).split(",") if is_direct(channel) else ()
    return tuple(users) if MIN_USERS <= len(users) <= MAX_USERS else ()


def direct_channel(users: Iterable[str]) -> str:
    """Return the one name of the conversation between users, in whatever order they come. Raises as `check_direct`."""
    channel = DIRECT_PREFIX + ",".join(sorted(users))
    check_direct(channel)
    return channel


def check_direct(channel: str) -> None:
    """Accept a channel that is none, or the one name of a conversation. Raises `CommandError` (107)."""
    if not is_direct(channel):
        return
    users = users_of(channel)
    if not users:
        raise bad_request(f"a direct conversation is between {MIN_USERS} to {MAX_USERS} users, separated by commas")
    if not all(users):
        raise bad_request("a direct conversation with an empty user id")
    if list(users) != sorted(set(users)):
        raise bad_request("a direct conversation names each user once, sorted by code point")
