"""How many may be connected: in all, from one address, as one user, and from one address without saying who they are.

Rules only, on one thread: the edge asks before it takes a connection, and says when one has ended.
"""

from __future__ import annotations

import ipaddress
import sys
from collections import Counter
from typing import Final, Literal

import msgspec

Full = Literal["server", "address"]
"""What has no room for one more."""

IPV6_NETWORK_BITS: Final = 64
"""What one customer of a provider has at least, to choose addresses from (RFC 6177)."""


class ConnectionLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How many connections there may be. Waiting are those that have not said who they are."""

    total: int = 50_000
    per_address: int = 1_000
    per_user: int = 100
    waiting_per_address: int = 300


UNLIMITED: Final = ConnectionLimits(
    total=sys.maxsize, per_address=sys.maxsize, per_user=sys.maxsize, waiting_per_address=sys.maxsize
)


class Admission:
    """Counts connections. An empty address is one that is not known, and has no limit of its own."""

    def __init__(self, limits: ConnectionLimits = UNLIMITED) -> None:
        self._limits = limits
        self.limits_hit: Counter[str] = Counter()
        """What was refused, by the limit. A server has the one of its chat here (`chat.counts`)."""
        self.total = 0
        self._addresses: dict[str, int] = {}
        self._waiting: dict[str, int] = {}
        self._users: dict[str, int] = {}

    def arrive(self, address: str) -> Full | None:
        """Count a connection, which waits at first. If there is no room for it, say where, and do not count it."""
        if self.total >= self._limits.total:
            self.limits_hit["max_connections"] += 1
            return "server"
        if address:
            if self._addresses.get(address, 0) >= self._limits.per_address:
                self.limits_hit["max_connections_per_address"] += 1
                return "address"
            if self._waiting.get(address, 0) >= self._limits.waiting_per_address:
                self.limits_hit["max_waiting_per_address"] += 1
                return "address"
            _add(self._addresses, address)
            _add(self._waiting, address)
        self.total += 1
        return None

    def stop_waiting(self, address: str) -> None:
        """Take note that a connection that waited has said what it wants."""
        if address:
            _remove(self._waiting, address)

    def identify(self, address: str, user: str) -> bool:
        """Take note whose a connection is that waited. False, and nothing is noted, if that user has too many."""
        if self._users.get(user, 0) >= self._limits.per_user:
            self.limits_hit["max_connections_per_user"] += 1
            return False
        _add(self._users, user)
        self.stop_waiting(address)
        return True

    def leave(self, address: str, user: str | None = None, *, waiting: bool = False) -> None:
        """Take note that a connection has ended: one that waited, or one that was identified as the user."""
        self.total -= 1
        if address:
            _remove(self._addresses, address)
        if waiting:
            self.stop_waiting(address)
        if user is not None:
            _remove(self._users, user)


def _add(counts: dict[str, int], key: str) -> None:
    counts[key] = counts.get(key, 0) + 1


def _remove(counts: dict[str, int], key: str) -> None:
    if counts[key] == 1:
        del counts[key]
    else:
        counts[key] -= 1


def who_pays_for(host: str) -> str:
    """Return what a host is counted as: its IPv4 address, its IPv6 network, or the name itself if it is neither."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address.packed, IPV6_NETWORK_BITS), strict=False))
