"""A room that crashes on request, in the ways in which a bug could have it crash. Used where `CHAT_CHAOS` is on.

The room itself has no branch for it: what is here interrupts its methods at the places where a crash hurts most.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.messages import Answered, Armed, CrashRoom, Deliver
from actors.room import RoomActor
from actors.runtime import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from actors.messages import Committed
    from actors.room import Around
    from chat.counts import Counts
    from chat.room_classes import RoomClass
    from chat.wire import Event


class PlantedCrashError(Exception):
    """A crash that somebody asked for. Its text is the kind."""


class _CrashNow(Signal, frozen=True):
    """Crash, before anything else that waits is handled; and on no request, whose sender would be told."""

    kind: str


class FragileRoomActor(RoomActor):
    """A room that takes `CrashRoom`.

    `doomed` names the rooms whose next incarnation crashes on start; it is given from outside to outlive this one.
    """

    def __init__(
        self,
        channel: str,
        around: Around,
        room_class: RoomClass,
        counts: Counts,
        now_ms: Callable[[], int],
        doomed: set[str],
    ) -> None:
        super().__init__(channel, around, room_class, counts, now_ms)
        self._doomed = doomed
        self._armed = ""
        self._handlers |= {CrashRoom: self._crash, _CrashNow: self._crash_now}

    def on_start(self) -> None:
        """Start, unless doomed."""
        if self._channel in self._doomed:
            self._doomed.discard(self._channel)
            raise PlantedCrashError("on start")
        super().on_start()

    def _crash(self, crash: CrashRoom) -> None:
        crash.sender.tell(Answered(crash, Armed()))
        if crash.kind in {"commit", "fanout"}:
            self._armed = crash.kind
        else:
            self.actor_ref.tell(_CrashNow(crash.kind))

    def _crash_now(self, now: _CrashNow) -> None:
        if now.kind == "start":
            self._doomed.add(self._channel)
        raise PlantedCrashError(now.kind)

    def _committed(self, committed: Committed) -> None:
        if self._armed == "commit":
            raise PlantedCrashError(self._armed)
        super()._committed(committed)

    def _deliver(self, event: Event) -> None:
        if self._armed == "fanout":
            half = list(self._members)[: (len(self._members) + 1) // 2]
            for client in half:
                client.tell(Deliver(event))
            raise PlantedCrashError(self._armed)
        super()._deliver(event)
