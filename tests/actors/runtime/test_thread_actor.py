"""Thread actors, on a real event loop: they are there for what a virtual one cannot show."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pykka
import pytest

from actors.runtime import Actor, ActorSystem, ChildSpec, LoopScheduler, Restart, Restarted, Terminated, ThreadActor
from tests.actors.runtime.conftest import crash

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from actors.runtime import ActorRef


class Worker(ThreadActor):
    """Records what happens and in which thread. A callable as message is called with the actor."""

    def __init__(self, seen: list[Any]) -> None:
        self.seen = seen

    def on_start(self) -> None:
        self.seen.append(("started", threading.current_thread()))

    def on_receive(self, message: Any) -> Any:
        if callable(message):
            return message(self)
        self.seen.append(message)
        return message

    def on_stop(self) -> None:
        self.seen.append(("stopped", threading.current_thread()))


def with_system(main: Callable[[ActorSystem], Awaitable[None]]) -> None:
    async def run() -> None:
        system = ActorSystem(LoopScheduler(asyncio.get_running_loop()))
        await main(system)
        await system.stop()

    asyncio.run(run())


def spawn(system: ActorSystem, seen: list[Any], **spec: Any) -> ActorRef[Worker]:
    return system.spawn(ChildSpec(name="worker", factory=lambda: Worker(seen), **spec))


def test_it_is_a_pykka_threading_actor_in_a_daemon_thread_of_its_own() -> None:
    seen: list[Any] = []

    async def main(system: ActorSystem) -> None:
        worker = spawn(system, seen)
        await worker.ask("hello", block=False)

    with_system(main)

    (_, thread), message, (_, stopping_thread) = seen
    assert issubclass(Worker, pykka.ThreadingActor)
    assert thread is stopping_thread
    assert thread is not threading.main_thread()
    assert thread.daemon
    assert message == "hello"


def test_while_it_blocks_the_loop_goes_on_and_what_it_is_told_waits_in_order() -> None:
    seen: list[Any] = []

    async def main(system: ActorSystem) -> None:
        go = threading.Event()
        worker = spawn(system, seen)
        worker.tell(lambda _: go.wait(10) and None)
        answers = [worker.ask(number, block=False) for number in range(100)]
        await asyncio.sleep(0)  # the loop has its turn although the worker blocks
        go.set()
        for answer in answers:
            await answer

    with_system(main)

    assert seen[1:-1] == list(range(100))


def test_it_is_restarted_with_the_same_ref_and_mailbox_in_a_new_thread() -> None:
    seen: list[Any] = []

    async def main(system: ActorSystem) -> None:
        worker = spawn(system, seen)
        worker.tell("a")
        worker.tell(crash)
        worker.tell("b")
        await worker.ask("c", block=False)

    with_system(main)

    (_, first), a, (_, second), b, c, _ = seen
    assert [a, b, c] == ["a", "b", "c"]
    assert first is not second


def test_its_watchers_on_the_loop_hear_of_restart_and_end() -> None:
    heard: asyncio.Queue[type] = asyncio.Queue()
    seen: list[Any] = []
    order: list[type] = []

    class Watcher(Actor):
        def on_receive(self, message: Any) -> None:
            if isinstance(message, (Restarted, Terminated)):
                heard.put_nowait(type(message))
            else:
                self.watch(message)

    async def main(system: ActorSystem) -> None:
        watcher = system.spawn(ChildSpec(name="watcher", factory=Watcher))
        worker = spawn(system, seen)
        await watcher.ask(worker, block=False)
        worker.tell(crash)
        order.append(await heard.get())
        worker.stop(block=False)
        order.append(await heard.get())

    with_system(main)

    assert order == [Restarted, Terminated]


def test_it_may_watch_and_be_told_the_end_of_another() -> None:
    seen: list[Any] = []

    async def main(system: ActorSystem) -> None:
        watched = system.spawn(ChildSpec(name="watched", factory=Actor, restart=Restart.TRANSIENT))
        other = system.spawn(ChildSpec(name="other", factory=Actor, restart=Restart.TRANSIENT))
        worker = spawn(system, seen)
        await worker.ask(lambda actor: (actor.watch(watched), actor.watch(other), actor.unwatch(other)), block=False)
        await asyncio.sleep(0)
        await other.stop(block=False)
        await watched.stop(block=False)
        await worker.ask("after", block=False)

    with_system(main)

    assert [type(item) for item in seen[1:-2]] == [Terminated]


def test_one_that_hangs_is_abandoned_at_its_deadline_and_its_mail_is_answered_for() -> None:
    seen: list[Any] = []
    release = threading.Event()

    async def main(system: ActorSystem) -> None:
        worker = spawn(system, seen, shutdown_s=0.05)
        worker.tell(lambda _: release.wait(30) and None)
        waiting = worker.ask("never handled", block=False)
        await system.stop()
        with pytest.raises(pykka.ActorDeadError):
            await waiting

    with_system(main)
    release.set()

    assert seen[1:] == []


def test_one_that_stops_itself_ends_its_thread() -> None:
    seen: list[Any] = []

    async def main(system: ActorSystem) -> None:
        worker = spawn(system, seen, restart=Restart.TRANSIENT)
        worker.tell(lambda actor: actor.stop())
        await worker.stop(block=False)

    with_system(main)
    thread = seen[0][1]
    thread.join(10)

    assert not thread.is_alive()
    assert [event for event, _ in seen] == ["started", "stopped"]


def test_it_can_be_told_from_many_threads_at_once_and_handles_everything() -> None:
    seen: list[Any] = []

    async def main(system: ActorSystem) -> None:
        worker = spawn(system, seen, mailbox_capacity=100_000)

        def tell_many() -> None:
            for number in range(5000):
                worker.tell(number)

        threads = [threading.Thread(target=tell_many) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            await asyncio.to_thread(thread.join)
        await worker.ask("last", block=False)

    with_system(main)

    assert len(seen) == 1 + 20_000 + 1 + 1
