"""What a client can be told when something is wrong, by code.

The codes, which of them are temporary, and what an SDK does on each are the Centrifugo client protocol's ("Errors"
and "Disconnect codes" there): error replies are 100 to 1999; close codes 3500 to 3999 and 4500 to 4999 mean "do not
come back", all others "reconnect".
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Error:
    """The answer to a command that was not done. `temporary` means that the same command may succeed later."""

    code: int
    message: str
    temporary: bool = False


@dataclass(frozen=True, slots=True)
class CloseReason:
    """Why the server closes a connection, or with a code from 2000 to 2999 ends a subscription.

    The reason is never empty (SDKs then ignore the code's range), never JSON (they would take it apart) and at most
    123 bytes long (RFC 6455, section 5.5).
    """

    code: int
    reason: str


class CommandError(Exception):
    """A command is answered with an error; the connection stays."""

    def __init__(self, error: Error) -> None:
        super().__init__(error.message)
        self.error = error


class Disconnect(Exception):  # noqa: N818  (what it does, in the protocol's own word)
    """The connection is closed."""

    def __init__(self, reason: CloseReason) -> None:
        super().__init__(reason.reason)
        self.reason = reason


INTERNAL = Error(100, "internal server error", temporary=True)
PERMISSION_DENIED = Error(103, "permission denied")
METHOD_NOT_FOUND = Error(104, "method not found")
ALREADY_SUBSCRIBED = Error(105, "already subscribed")
LIMIT_EXCEEDED = Error(106, "limit exceeded")
BAD_REQUEST = Error(107, "bad request")
NOT_AVAILABLE = Error(108, "not available")
TOKEN_EXPIRED = Error(109, "token expired")
TOO_MANY_REQUESTS = Error(111, "too many requests", temporary=True)
UNRECOVERABLE_POSITION = Error(112, "unrecoverable position")
NOT_FOUND = Error(404, "message not found")
MUTED = Error(403, "muted")
ROOM_EXISTS = Error(409, "there is a room of this name: choose another")
FILE_NOT_FOUND = Error(404, "file not found")
NAME_TAKEN = Error(409, "somebody here has this name, or one that looks like it: choose another")

SHUTDOWN = CloseReason(3001, "shutdown")
INTERNAL_CLOSE = CloseReason(3004, "internal server error")
EXPIRED = CloseReason(3005, "connection expired")
SLOW = CloseReason(3008, "slow")
INSUFFICIENT_STATE = CloseReason(3010, "insufficient state")
NO_PONG = CloseReason(3012, "no pong")
INVALID_TOKEN = CloseReason(3500, "invalid token")
BAD_REQUEST_CLOSE = CloseReason(3501, "bad request")
STALE = CloseReason(3502, "stale")
FORCE_DISCONNECT = CloseReason(3503, "force disconnect")
CONNECTION_LIMIT = CloseReason(3504, "connection limit")
CHANNEL_LIMIT = CloseReason(3505, "channel limit")
NOT_AVAILABLE_CLOSE = CloseReason(3508, "not available")
TOO_MANY_ERRORS = CloseReason(3509, "too many errors")

NAME_TAKEN_CLOSE = CloseReason(4009, "name taken")
KICKED_CLOSE = CloseReason(4010, "kicked")
BANNED_CLOSE = CloseReason(4500, "banned")

UNSUBSCRIBED_BY_SERVER = CloseReason(2000, "server unsubscribe")
UNSUBSCRIBED_NAME_TAKEN = CloseReason(2100, "name taken")
UNSUBSCRIBED_PERMISSION_DENIED = CloseReason(2103, "permission denied")
UNSUBSCRIBED_LEFT = CloseReason(2104, "left")
UNSUBSCRIBED_INSUFFICIENT_STATE = CloseReason(2500, "insufficient state")
UNSUBSCRIBED_EXPIRED = CloseReason(2501, "subscription expired")

INVALID_TEXT = CloseReason(1007, "text that is not UTF-8")
UNSUPPORTED_DATA = CloseReason(1003, "binary frames are not supported")
MESSAGE_TOO_BIG = CloseReason(1009, "message too big")


def bad_request(what: str) -> CommandError:
    """Say what is wrong with a command."""
    return CommandError(Error(BAD_REQUEST.code, f"bad request: {what}"))
