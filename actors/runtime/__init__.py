"""Supervised actors on Pykka and asyncio.

Actors run on the event loop (`Actor`) or in a thread of their own (`ThreadActor`), under supervisors that restart
them with the same ref and the same mailbox. This package knows nothing of chat.
"""

from actors.runtime.actor import Actor, ThreadActor
from actors.runtime.errors import (
    HandlerStuck,
    MailboxFull,
    RestartIntensityExceeded,
    StoppedItself,
    WouldBlockLoop,
)
from actors.runtime.future import Future
from actors.runtime.intensity import RestartIntensity
from actors.runtime.ref import ActorRef
from actors.runtime.report import Counts as ActorCounts
from actors.runtime.report import Crash, Node, Stuck, Total
from actors.runtime.scheduler import Cancellable, LoopScheduler, Scheduler, VirtualScheduler
from actors.runtime.signals import (
    Coalescing,
    Droppable,
    Notice,
    Request,
    RequestFailed,
    Restarted,
    Signal,
    Terminated,
)
from actors.runtime.spec import ChildSpec, Restart
from actors.runtime.strategy import Backoff, Strategy
from actors.runtime.system import ActorSystem
from actors.runtime.watchdog import Watchdog

__all__ = [
    "Actor",
    "ActorCounts",
    "ActorRef",
    "ActorSystem",
    "Backoff",
    "Cancellable",
    "ChildSpec",
    "Coalescing",
    "Crash",
    "Droppable",
    "Future",
    "HandlerStuck",
    "LoopScheduler",
    "MailboxFull",
    "Node",
    "Notice",
    "Request",
    "RequestFailed",
    "Restart",
    "RestartIntensity",
    "RestartIntensityExceeded",
    "Restarted",
    "Scheduler",
    "Signal",
    "StoppedItself",
    "Strategy",
    "Stuck",
    "Terminated",
    "ThreadActor",
    "Total",
    "VirtualScheduler",
    "Watchdog",
    "WouldBlockLoop",
]
