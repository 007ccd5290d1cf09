"""What can go wrong between actors. `pykka.ActorDeadError` is used as it is."""

from __future__ import annotations


class MailboxFull(Exception):  # noqa: N818  (a state of the receiver, named like pykka.Timeout)
    """The receiver's mailbox is at its capacity; the message was refused. Trying again later may help."""


class RestartIntensityExceeded(Exception):  # noqa: N818
    """A child crashed more often than its restart intensity allows, so its supervisor gave it up."""


class HandlerStuck(Exception):  # noqa: N818
    """A thread actor did not come back from a message in time; it goes on without that thread."""


class WouldBlockLoop(RuntimeError):  # noqa: N818
    """A blocking call was made on the event loop's own thread, which it would have frozen for ever."""


class StoppedItself(Exception):  # noqa: N818
    """A permanent child stopped without having been told to."""
