"""How fast a client may go: token buckets for each connection, each user and each address.

A bucket fills at a rate and holds `burst_s` seconds' worth. All that has to be kept of one is the time at which it
will be full again (GCRA, the "leaky bucket as a meter" of ATM): a float, and nothing at all once that time has come. So
who is quiet costs no memory, and what is kept is bounded by what was granted in the last `burst_s` seconds.

Rules only, on one thread: the client actor asks before it does a command.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

import msgspec

from chat.protocol import calls, commands

Kind = Literal["send", "typing", "join", "history", "search", "upload"]
"""What is counted apart from each other."""

REFUSED_PER_S: Final = 10.0
REFUSED_AT_ONCE: Final = 500
"""Who is refused more often than this does not listen, and is disconnected."""

PRUNE_AT: Final = 1_024


class RateLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Commands a second that one connection may send, by kind, and how many seconds' worth at once.

    Uploads come by HTTP, and all of a user's are counted as those of one connection.

    A user may do as much as `per_user` connections in all, an address (many people may share one) as `per_address`.
    """

    send: float = 20.0
    typing: float = 5.0
    join: float = 30.0
    history: float = 30.0
    search: float = 2.0
    upload: float = 2.0
    burst_s: float = 5.0
    per_user: float = 3.0
    per_address: float = 20.0


class Buckets:
    """Buckets by key, all of one size. An unknown key has a full one."""

    __slots__ = ("_each_s", "_full_at", "_most_s", "_prune_at")

    def __init__(self, per_s: float, at_once: float) -> None:
        """Make buckets that hold `at_once`, at least 1, and fill at `per_s`."""
        self._each_s = 1 / per_s
        self._most_s = max(at_once, 1.0) / per_s - self._each_s + 1e-9  # (rounding must not cost the last one)
        self._full_at: dict[str, float] = {}
        self._prune_at = PRUNE_AT

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._full_at)

    def take(self, key: str, now: float) -> bool:
        """Take one, if there is one to be had."""
        full_at = self._full_at
        due = full_at.get(key, 0.0)
        if due > now:
            if due - now > self._most_s:
                return False
            full_at[key] = due + self._each_s
            return True
        full_at[key] = now + self._each_s
        if len(full_at) > self._prune_at:
            self._prune(now)
        return True

    def _prune(self, now: float) -> None:
        """Forget those that are full. Done when as many were added as were left: it costs each of them little."""
        self._full_at = {key: due for key, due in self._full_at.items() if due > now}
        self._prune_at = max(PRUNE_AT, 2 * len(self._full_at))


class Rates:
    """The buckets of one server."""

    def __init__(self, limits: RateLimits) -> None:
        self._buckets: dict[Kind, tuple[Buckets, Buckets, Buckets]] = {
            kind: (
                Buckets(per_s, per_s * limits.burst_s),
                Buckets(per_s * limits.per_user, per_s * limits.per_user * limits.burst_s),
                Buckets(per_s * limits.per_address, per_s * limits.per_address * limits.burst_s),
            )
            for kind in get_args(Kind)
            for per_s in (getattr(limits, kind),)
        }
        self._refused = Buckets(REFUSED_PER_S, REFUSED_AT_ONCE)

    def take(self, kind: Kind, client: str, user: str, address: str, now: float) -> bool:
        """Count a command. False if the connection, the user or the address goes too fast.

        What a connection has no right to is not counted against its user, nor that against the address: one that floods
        takes nothing from its neighbours. An empty address is one that is not known, and has no limit.
        """
        clients, users, addresses = self._buckets[kind]
        return clients.take(client, now) and users.take(user, now) and (not address or addresses.take(address, now))

    def refused(self, client: str, now: float) -> bool:
        """Count a refusal. False if this connection was refused so often that it should end."""
        return self._refused.take(client, now)


_COMMANDS: Final[dict[type, Kind | None]] = {
    commands.Connect: None,
    commands.Pong: None,
    commands.Send: None,
    commands.Publish: "send",
    calls.SendMessage: "send",  # what the plain-text wire makes of a frame
    commands.Subscribe: "join",
    commands.Unsubscribe: "join",
}
_METHODS: Final[dict[str, Kind]] = {
    "send": "send",
    "edit": "send",
    "delete": "send",
    "react": "send",
    "topic": "send",
    "create": "join",
    "invite": "join",
    "typing": "typing",
    "away": "typing",
    "search": "search",
}


def kind_of(request: commands.Request) -> Kind | None:
    """Return what a request counts as: reading unless it is something else, rpc methods that do not exist included.

    To look for rooms counts as a search besides, of which only the decoded call knows.

    None for what has limits of its own: connect, pong and send close a connection where they are not wanted.
    """
    if type(request) is commands.Rpc:
        return _METHODS.get(request.method, "history")
    return _COMMANDS.get(type(request), "history")
