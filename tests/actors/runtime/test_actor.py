from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from typing import Any

import pykka
import pytest
from structlog.testing import capture_logs

from actors.runtime import (
    Actor,
    ActorRef,
    ChildSpec,
    MailboxFull,
    Request,
    RequestFailed,
    Restart,
    Signal,
    WouldBlockLoop,
)
from tests.actors.runtime.conftest import Recorder, World, crash


class Urgent(Signal, frozen=True):
    """A signal."""


class Question(Request, frozen=True):
    """A request that its receiver need not understand."""

    text: str = ""


def test_an_actor_is_a_pykka_actor_and_its_ref_a_pykka_ref(world: World) -> None:
    ref, _ = world.recorder()

    assert isinstance(ref, pykka.ActorRef)
    assert issubclass(ref.actor_class, pykka.Actor)
    assert ref.is_alive()


def test_nothing_is_handled_within_tell(world: World) -> None:
    ref, seen = world.recorder()

    ref.tell("later")

    assert seen == ["started"]


def test_who_is_told_in_bulk_lets_others_go_first(world: World) -> None:
    order: list[str] = []
    one, _ = world.recorder("one")
    other, _ = world.recorder("other")

    one.tell_in_bulk(lambda _: order.append("told in bulk"))
    other.tell(lambda _: order.append("told"))
    world.run()

    assert order == ["told", "told in bulk"]


def test_what_one_sender_tells_keeps_its_order_in_bulk_or_not(world: World) -> None:
    ref, seen = world.recorder()
    for number in range(6):
        (ref.tell if number % 3 else ref.tell_in_bulk)(number)

    world.run()

    assert seen == ["started", *range(6)]


def test_what_is_told_in_bulk_to_a_dead_actor_is_a_dead_letter_and_to_a_full_one_refused(world: World) -> None:
    ref, _ = world.recorder(mailbox_capacity=1)

    ref.tell_in_bulk("taken")
    ref.tell_in_bulk("one too many")
    ref.stop(block=False)
    world.run()
    ref.tell_in_bulk("too late")

    assert (world.system.refused, world.system.dead_letters) == (1, 1)


@pytest.mark.parametrize("ends", [crash, lambda actor: actor.stop()])
def test_a_turn_in_bulk_that_was_overtaken_by_the_end_does_nothing(world: World, ends: Any) -> None:
    ref, seen = world.recorder()

    ref.tell_in_bulk("in bulk")
    ref.tell(ends)
    world.scheduler.advance(10)

    assert seen in (["started", "in bulk", "started"], ["started", "in bulk", "stopped", "started"])


def test_what_has_ended_goes_with_the_last_ref_and_not_only_with_the_garbage_collector(world: World) -> None:
    ref, _ = world.recorder(restart=Restart.TEMPORARY)
    cell = weakref.ref(ref._cell)  # noqa: SLF001  (the part of it that remains)
    ref.tell(lambda actor: actor.stop())
    gc.disable()
    try:
        world.run()
        world.recorder("who has the next turn")
        del ref
        assert cell() is None
    finally:
        gc.enable()


def test_two_busy_actors_take_turns(world: World) -> None:
    order: list[str] = []

    class Named(Actor):
        def __init__(self, name: str) -> None:
            self.name = name

        def on_turn_end(self) -> None:
            order.append(self.name)

        def on_receive(self, message: Any) -> None:
            pass

    one, other = world.spawn(lambda: Named("one"), "one"), world.spawn(lambda: Named("other"), "other")
    for number in range(3 * Actor.batch):
        one.tell(number)
        other.tell(number)
    world.run()

    assert order == ["one", "other"] * 3


def test_an_asker_gets_the_exception_and_the_actor_still_crashes(world: World) -> None:
    ref, seen = world.recorder()
    future = ref.ask(crash, block=False)
    world.run()

    with pytest.raises(ValueError, match="made to crash"):
        future.get(timeout=0)
    assert seen == ["started", "started"]


def test_a_blocking_ask_or_stop_on_the_loop_is_refused_rather_than_freezing_it(world: World) -> None:
    ref, _ = world.recorder()

    with pytest.raises(WouldBlockLoop, match="await"):
        ref.ask("echo")
    with pytest.raises(WouldBlockLoop, match="await"):
        ref.stop()


def test_a_message_to_a_dead_actor_is_counted_as_a_dead_letter(world: World) -> None:
    ref, _ = world.recorder()
    ref.stop(block=False)
    world.run()

    ref.tell("anybody there?")
    ref.tell(Urgent())

    assert world.system.dead_letters == 2


def test_the_sender_of_a_request_learns_that_the_mailbox_was_full(world: World) -> None:
    sender, heard = world.recorder("sender")
    receiver, received = world.recorder("receiver", mailbox_capacity=1)
    receiver.tell("fills it")
    receiver.tell(Question(sender))
    world.run()

    assert received == ["started", "fills it"]
    assert isinstance(heard[-1].error, MailboxFull)
    assert world.system.refused == 1


def test_an_ask_of_a_full_actor_fails_at_once(world: World) -> None:
    receiver, _ = world.recorder(mailbox_capacity=1)
    receiver.tell("fills it")

    with pytest.raises(MailboxFull):
        receiver.ask("no room", block=False).get(timeout=0)


def test_the_sender_of_a_request_learns_that_the_receiver_stopped_before_it(world: World) -> None:
    sender, heard = world.recorder("sender")
    receiver, _ = world.recorder("receiver")
    receiver.stop(block=False)
    world.scheduler.call_soon(receiver.tell, Question(sender))  # lands behind the stop
    world.run()

    assert isinstance(heard[-1], RequestFailed)
    assert isinstance(heard[-1].error, pykka.ActorDeadError)


def test_a_held_actor_takes_signals_only_until_it_releases(world: World) -> None:
    ref, seen = world.recorder()

    class Release(Signal, frozen=True):
        def __call__(self, actor: Actor) -> None:
            actor.release()

    ref.tell(lambda actor: actor.hold())
    ref.tell("waits")
    world.run()
    held = list(seen)
    ref.tell(Release())
    world.run()

    assert held == ["started"]
    assert seen == ["started", "waits"]


def test_the_turn_end_hook_runs_once_a_turn_after_its_messages(world: World) -> None:
    order: list[Any] = []

    class Batching(Actor):
        def on_receive(self, message: Any) -> None:
            order.append(message)

        def on_turn_end(self) -> None:
            order.append("end")

    ref = world.spawn(Batching)
    world.run()
    order.clear()
    ref.tell(1)
    ref.tell(2)
    world.run()

    assert order == [1, 2, "end"]


def test_what_is_told_after_turns_comes_when_everybody_who_is_ready_has_had_one(world: World) -> None:
    order: list[str] = []

    class Named(Actor):
        def __init__(self, name: str) -> None:
            self.name = name

        def on_receive(self, message: Any) -> None:
            order.append(f"{self.name}: {message}")
            if message == "wait":
                self.after_turns("done")

    one, two = world.spawn(lambda: Named("one"), "one"), world.spawn(lambda: Named("two"), "two")
    world.run()
    one.tell("wait")
    two.tell("hello")
    world.run()

    assert order == ["one: wait", "two: hello", "one: done"]


def test_an_unexpected_message_is_logged_by_its_type_and_does_no_harm(world: World) -> None:
    ref = world.spawn(Actor)
    with capture_logs() as logs:
        ref.tell("secret")
        world.run()

    assert [(line["event"], line["message"]) for line in logs] == [("actor.unexpected_message", "str")]
    assert "secret" not in str(logs)


def test_an_actor_may_be_told_from_any_thread(world: World) -> None:
    ref, seen = world.recorder(mailbox_capacity=10_000)

    def tell_many() -> None:
        for number in range(1000):
            ref.tell(number)

    threads = [threading.Thread(target=tell_many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    world.run()

    assert len(seen) == 1 + 4000


def test_started_alone_an_actor_runs_on_the_running_loop_and_can_be_awaited() -> None:
    async def main() -> list[Any]:
        seen: list[Any] = []
        ref = Recorder.start(seen)
        answer = await ref.ask("hello", block=False)
        stopped = await ref.stop(block=False)
        again = await ref.stop(block=False)
        return [answer, stopped, again, *seen]

    assert asyncio.run(main()) == ["hello", True, False, "started", "hello", "stopped"]


def test_another_thread_may_block_on_an_answer_as_with_pykka() -> None:
    async def main() -> tuple[Any, Any]:
        ref = Recorder.start([])
        answer = await asyncio.to_thread(ref.ask, "from a thread")
        stopped = await asyncio.to_thread(ref.stop)
        return answer, stopped

    assert asyncio.run(main()) == ("from a thread", True)


def test_pykkas_proxies_work() -> None:
    class Counter(Actor):
        def __init__(self) -> None:
            self.count = 0

        def add(self, number: int) -> int:
            self.count += number
            return self.count

    async def main() -> tuple[int, int]:
        ref = Counter.start()
        await ref.ask("get started", block=False)
        proxy = ref.proxy()
        added: Any = proxy.add(2)
        return await added, await proxy.count

    assert asyncio.run(main()) == (2, 2)


def test_a_name_is_free_again_when_its_actor_has_ended(world: World) -> None:
    ref, _ = world.recorder("name")
    with pytest.raises(ValueError, match="/name exists already"):
        world.recorder("name")

    ref.stop(block=False)
    world.run()

    again, _ = world.recorder("name")
    assert again.name == "name"
    assert str(again) == "/name"


def test_an_actor_knows_its_living_children_by_name(world: World) -> None:
    children: list[ActorRef[Any]] = []
    ref, _ = world.recorder("parent")
    ref.tell(lambda actor: children.append(actor.spawn(ChildSpec(name="a", factory=lambda: Recorder([])))))
    ref.tell(lambda actor: children.append(actor.spawn(ChildSpec(name="b", factory=lambda: Recorder([])))))
    world.run()
    children[0].stop(block=False)
    world.run()
    found = ref.ask(lambda actor: (actor.child("a"), actor.child("b"), actor.children()), block=False)
    world.run()

    assert str(children[0]) == "/parent/a"
    assert found.get(timeout=0) == (None, children[1], [children[1]])
