"""A system of actors in virtual time, and an actor that writes down what happens to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from actors.runtime import (
    Actor,
    ActorRef,
    ActorSystem,
    ChildSpec,
    Restart,
    RestartIntensity,
    Strategy,
    VirtualScheduler,
)

if TYPE_CHECKING:
    from collections.abc import Callable


class Recorder(Actor):
    """Appends what it lives through to a list that outlives it. A callable as message is called with the actor."""

    def __init__(self, seen: list[Any]) -> None:
        self.seen = seen

    def on_start(self) -> None:
        self.seen.append("started")

    def on_receive(self, message: Any) -> Any:
        if callable(message):
            return message(self)
        self.seen.append(message)
        return message

    def on_stop(self) -> None:
        self.seen.append("stopped")


class World:
    """An actor system in virtual time."""

    def __init__(self, strategy: Strategy = Strategy.ONE_FOR_ONE) -> None:
        self.scheduler = VirtualScheduler()
        self.failures: list[BaseException] = []
        self.system = ActorSystem(self.scheduler, self.failures.append, strategy=strategy)

    def spawn(
        self,
        factory: Callable[[], Actor],
        name: str = "actor",
        *,
        restart: Restart = Restart.PERMANENT,
        intensity: RestartIntensity | None = None,
        escalates: bool = True,
        shutdown_s: float = 5.0,
        mailbox_capacity: int = 10_000,
    ) -> ActorRef[Any]:
        return self.system.spawn(
            ChildSpec(
                name=name,
                factory=factory,
                restart=restart,
                intensity=intensity or RestartIntensity(),
                escalates=escalates,
                shutdown_s=shutdown_s,
                mailbox_capacity=mailbox_capacity,
            )
        )

    def recorder(self, name: str = "actor", **spec: Any) -> tuple[ActorRef[Any], list[Any]]:
        """Start a recorder and let it start."""
        seen: list[Any] = []
        ref = self.spawn(lambda: Recorder(seen), name, **spec)
        self.scheduler.run()
        return ref, seen

    def run(self) -> None:
        self.scheduler.run()


def crash(_: Actor) -> None:
    """As a message: make the actor crash."""
    raise ValueError("made to crash")


@pytest.fixture
def world() -> World:
    return World()
