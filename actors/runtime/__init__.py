"""Supervised actors on Pykka and asyncio.

Actors run on the event loop (`Actor`) or in a thread of their own (`ThreadActor`), under supervisors that restart
them with the same ref and the same mailbox. This package knows nothing of chat.
"""

from actors.runtime.actor import Actor, ThreadActor
from actors.runtime.errors import (
    MailboxFull,
    RestartIntensityExceeded,
    StoppedItself,
    WouldBlockLoop,
)
from actors.runtime.future import Future
from actors.runtime.intensity import RestartIntensity
from actors.runtime.ref import ActorRef
from actors.runtime.scheduler import Cancellable, Scheduler, VirtualScheduler
from actors.runtime.signals import Request, RequestFailed, Restarted, Signal, Terminated
from actors.runtime.spec import ChildSpec, Restart
from actors.runtime.system import ActorSystem

__all__ = [
    "Actor",
    "ActorRef",
    "ActorSystem",
    "Cancellable",
    "ChildSpec",
    "Future",
    "MailboxFull",
    "Request",
    "RequestFailed",
    "Restart",
    "RestartIntensity",
    "RestartIntensityExceeded",
    "Restarted",
    "Scheduler",
    "Signal",
    "StoppedItself",
    "Terminated",
    "ThreadActor",
    "VirtualScheduler",
    "WouldBlockLoop",
]
