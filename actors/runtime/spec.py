"""Child specifications: what a supervisor must know to start, restart and stop an actor."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from actors.runtime.intensity import RestartIntensity
from actors.runtime.strategy import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable

    from actors.runtime.actor import Actor

A = TypeVar("A", bound="Actor")

_DEFAULT_INTENSITY: Final = RestartIntensity()


class Restart(enum.Enum):
    """When a child is restarted (the names are OTP's)."""

    PERMANENT = "permanent"
    """Whenever it crashes, and also if it stops by itself."""
    TRANSIENT = "transient"
    """Whenever it crashes. Stopping by itself is its right."""
    TEMPORARY = "temporary"
    """Never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec(Generic[A]):
    """How to start one child, and what to do when it fails.

    `factory` makes a new instance for the first start and for every restart; it runs in the parent's context, so it
    must not block. A restart comes at once, or after `backoff`; meanwhile messages wait in the mailbox, up to its
    capacity. A child that exceeds its `intensity` is given up; `escalates` says whether that is its parent's failure
    too, or only its own end. `shutdown_s` is how long an orderly stop may take before the child is abandoned. A child
    in a thread that does not come back from a handler is replaced, unless it may be holding what its successor would
    need: then it is named only.
    """

    name: str
    factory: Callable[[], A]
    restart: Restart = Restart.PERMANENT
    intensity: RestartIntensity = _DEFAULT_INTENSITY
    escalates: bool = True
    backoff: Backoff | None = None
    shutdown_s: float = 5.0
    replace_stuck: bool = True
    mailbox_capacity: int = 10_000
