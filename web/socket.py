"""One WebSocket ⇄ one client actor: what both kinds of socket have in common.

A socket is the `Transport` of a client actor, which never waits, on a connection that may not take what it is given.
It hands the actor what comes in. It knows what a frame is and nothing of what is in it: a frame that is none of its
wire's ends the connection, everything else is the actor's to judge.
"""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any, Final

from actors.messages import Receive, Reject
from chat.errors import INVALID_TEXT, UNSUPPORTED_DATA, Disconnect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actors.runtime import ActorRef
    from chat.admission import Admission
    from chat.errors import CloseReason
    from chat.limits import Limits
    from chat.protocol.commands import Command
    from chat.wire import Wire

MAX_WAITING: Final = 32
"""How many messages a client actor may be behind before its socket is read no further."""


class Socket(abc.ABC):
    """The `Transport` of one WebSocket, from before it is open until it has ended."""

    __slots__ = ("_admission", "_client", "_limits", "_reason", "_user", "address", "wire")

    def __init__(self, wire: Wire, limits: Limits, admission: Admission, address: str = "") -> None:
        """Make one for a connection that was admitted."""
        self.wire = wire
        self.address = address
        self._admission: Admission | None = admission
        self._user: str | None = None
        self._limits = limits
        self._client: ActorRef[Any] | None = None
        self._reason: CloseReason | None = None
        """Why it is being closed."""

    def identify(self, user: str) -> bool:
        """See `Transport.identify`."""
        if self._admission is None:
            return True  # it has ended, and the actor is about to hear of it
        admitted = self._admission.identify(self.address, user)
        if admitted:
            self._user = user
        return admitted

    def leave(self) -> None:
        """Take note that the connection has ended. Called once."""
        admission, self._admission = self._admission, None
        assert admission is not None  # it ends once
        admission.leave(self.address, self._user, waiting=self._user is None)

    @abc.abstractmethod
    def send(self, frames: Sequence[bytes]) -> bool:
        """See `Transport.send`."""

    @abc.abstractmethod
    def backlog_bytes(self) -> int:
        """See `Transport.backlog_bytes`."""

    @abc.abstractmethod
    def close(self, reason: CloseReason) -> None:
        """See `Transport.close`. Cut the connection if that takes too long, as far as the server allows."""

    @abc.abstractmethod
    def abort(self) -> None:
        """Drop the connection now, with all that is buffered for it, as far as the server allows."""

    def keepalive(self) -> None:  # noqa: B027  (not every kind has to do anything)
        """Find out whether the peer is there; called now and then where the wire itself does not ask."""

    def _received(self, messages: list[bytes | bytearray | str]) -> None:
        """Hand over what a connection has brought: whole text messages, in order."""
        client = self._client
        assert client is not None  # there is one before anything is read
        decode = self.wire.decode
        commands: list[Command] = []
        wrong: CloseReason | None = None
        try:
            for message in messages:
                commands += decode(message if isinstance(message, str) else message.decode())
        except UnicodeDecodeError:
            wrong = INVALID_TEXT
        except Disconnect as disconnect:
            wrong = disconnect.reason
        if commands:
            client.tell(Receive(commands))
        if wrong is not None:
            client.tell(Reject(wrong))

    def _received_binary(self) -> None:
        assert self._client is not None  # as above
        self._client.tell(Reject(UNSUPPORTED_DATA))

    def _is_behind(self) -> bool:
        """Tell whether the actor has so much to do that no more should be read."""
        return self._client is not None and self._client.waiting() > MAX_WAITING
