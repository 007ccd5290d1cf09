from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from structlog.testing import capture_logs

from actors.runtime import (
    Actor,
    ActorRef,
    ActorSystem,
    Backoff,
    ChildSpec,
    LoopScheduler,
    Restart,
    Restarted,
    RestartIntensity,
    RestartIntensityExceeded,
    StoppedItself,
    Strategy,
    Terminated,
    ThreadActor,
)
from tests.actors.runtime.conftest import Recorder, World, crash

MANY = RestartIntensity(max_restarts=1000, period_s=1)

# Restart


def test_a_crashed_actor_goes_on_with_the_same_ref_and_the_messages_that_waited_in_order(world: World) -> None:
    ref, seen = world.recorder()
    for message in ("a", crash, "b", "c"):
        ref.tell(message)

    world.run()

    assert seen == ["started", "a", "started", "b", "c"]
    assert ref.is_alive()


def test_a_restarted_actor_has_new_state_and_the_crashing_message_is_not_retried(world: World) -> None:
    incarnations: list[int] = []

    def fail(actor: Actor) -> None:
        incarnations.append(id(actor))
        raise ValueError

    ref, seen = world.recorder()
    ref.tell(fail)
    ref.tell(lambda actor: incarnations.append(id(actor)))
    world.run()

    assert len(incarnations) == 2
    assert incarnations[0] != incarnations[1]
    assert seen == ["started", "started"]


@pytest.mark.parametrize(
    "error",
    [ValueError, SystemExit, RecursionError, MemoryError, asyncio.CancelledError, GeneratorExit, StopIteration],
)
def test_whatever_a_handler_raises_is_a_crash_of_that_actor_alone(world: World, error: type[BaseException]) -> None:
    def fail(_: Actor) -> None:
        raise error

    ref, seen = world.recorder("one")
    other, other_seen = world.recorder("other")
    ref.tell(fail)
    ref.tell("after")
    other.tell("undisturbed")
    world.run()

    assert seen == ["started", "started", "after"]
    assert other_seen == ["started", "undisturbed"]


def test_a_keyboard_interrupt_is_not_the_actors_and_goes_through(world: World) -> None:
    def interrupt(_: Actor) -> None:
        raise KeyboardInterrupt

    ref, _ = world.recorder()
    ref.tell(interrupt)

    with pytest.raises(KeyboardInterrupt):
        world.run()


def test_the_failing_incarnation_may_clean_up_and_may_fail_at_that_too(world: World) -> None:
    class CleansUp(Recorder):
        def on_failure(self, *_: object) -> None:
            self.seen.append("cleaned up")
            raise OSError("could not")

    seen: list[Any] = []
    ref = world.spawn(lambda: CleansUp(seen))
    ref.tell(crash)
    ref.tell("after")
    world.run()

    assert seen == ["started", "cleaned up", "started", "after"]


def test_a_crash_is_logged_with_actor_and_message_type_and_without_the_message(world: World) -> None:
    class Fragile(Actor):
        def on_receive(self, message: Any) -> None:
            raise ValueError("no")

    ref = world.spawn(Fragile, "fragile")
    with capture_logs() as logs:
        ref.tell("secret words")
        world.run()

    assert logs[0]["event"] == "actor.crashed"
    assert logs[0]["actor"] == "/fragile"
    assert logs[0]["message"] == "str"
    assert "secret words" not in str(logs)


# Restart types


def test_a_temporary_actor_is_not_restarted(world: World) -> None:
    ref, seen = world.recorder(restart=Restart.TEMPORARY)
    ref.tell(crash)
    ref.tell("too late")
    world.run()

    assert not ref.is_alive()
    assert seen == ["started"]
    assert world.failures == []
    assert world.system.dead_letters == 1


def test_a_transient_actor_may_stop_itself(world: World) -> None:
    ref, seen = world.recorder(restart=Restart.TRANSIENT)
    ref.tell(lambda actor: actor.stop())
    world.run()

    assert seen == ["started", "stopped"]
    assert not ref.is_alive()


def test_an_actor_that_stops_itself_counts_as_dead_at_once(world: World) -> None:
    alive: list[bool] = []

    def stop(actor: Actor) -> None:
        actor.stop()
        alive.append(actor.actor_ref.is_alive())

    ref, _ = world.recorder(restart=Restart.TRANSIENT)
    ref.tell(stop)
    world.run()

    assert alive == [False]


def test_a_permanent_actor_that_keeps_stopping_itself_is_given_up(world: World) -> None:
    class Quitter(Actor):
        def on_start(self) -> None:
            self.stop()

    world.spawn(Quitter)
    world.run()

    assert isinstance(world.failures[0].__cause__, StoppedItself)


# Restart intensity and escalation


def test_one_restart_too_many_gives_the_actor_up_and_the_root_learns_why(world: World) -> None:
    ref, seen = world.recorder("fragile", intensity=RestartIntensity(max_restarts=2, period_s=5))
    for _ in range(3):
        ref.tell(crash)
    world.run()

    assert seen == ["started"] * 3
    assert not ref.is_alive()
    assert isinstance(world.failures[0], RestartIntensityExceeded)
    assert str(world.failures[0]) == "/fragile crashed more than 2 times in 5 s, at last with ValueError"


def test_a_child_that_is_given_up_and_escalates_makes_its_parent_crash(world: World) -> None:
    started: list[str] = []

    class Parent(Actor):
        def on_start(self) -> None:
            started.append("parent")
            if self.child("child") is None:
                none = RestartIntensity(max_restarts=0)
                self.spawn(ChildSpec(name="child", factory=lambda: Recorder(started), intensity=none))

        def on_receive(self, message: Any) -> None:
            child = self.child("child")
            assert child is not None
            child.tell(message)

    parent = world.spawn(Parent)
    world.run()
    parent.tell(crash)
    world.run()

    assert started == ["parent", "started", "parent", "started"]
    assert world.failures == []


def test_a_failing_child_does_not_concern_its_siblings(world: World) -> None:
    fragile, _ = world.recorder("fragile", intensity=MANY)
    _, sibling = world.recorder("sibling")
    for _ in range(100):
        fragile.tell(crash)
    world.run()

    assert sibling == ["started"]


# Strategies: what the conformance suite leaves out


class Thread(ThreadActor):
    """Records as `Recorder` does, in a thread of its own."""

    def __init__(self, seen: list[Any]) -> None:
        self.seen = seen

    on_start, on_stop = Recorder.on_start, Recorder.on_stop

    def on_receive(self, message: Any) -> Any:
        return message(self) if callable(message) else message


def test_those_who_watch_a_sibling_that_is_restarted_with_the_others_are_told() -> None:
    world = World(strategy=Strategy.ONE_FOR_ALL)
    fragile, _ = world.recorder("fragile")
    sibling, _ = world.recorder("sibling")
    watcher, seen = world.recorder("watcher", restart=Restart.PERMANENT)
    watcher.tell(lambda actor: actor.watch(sibling))
    world.run()
    fragile.tell(crash)
    world.run()

    assert Restarted(sibling) in seen


def test_a_temporary_sibling_ends_where_the_others_are_restarted() -> None:
    world = World(strategy=Strategy.ONE_FOR_ALL)
    fragile, _ = world.recorder("fragile")
    temporary, seen = world.recorder("temporary", restart=Restart.TEMPORARY)
    fragile.tell(crash)
    world.run()

    assert not temporary.is_alive()
    assert seen == ["started", "stopped"]


def test_a_stop_that_comes_while_siblings_wait_for_their_restart_ends_them() -> None:
    world = World(strategy=Strategy.ONE_FOR_ALL)
    backoff = Backoff(first_s=10, max_s=10)
    seen: list[Any] = []
    fragile = world.system.spawn(ChildSpec(name="fragile", factory=lambda: Recorder(seen), backoff=backoff))
    world.recorder("sibling")
    fragile.tell(crash)
    world.run()
    stopped = world.system.stop()
    world.run()

    assert stopped.get(timeout=0) is True


def test_a_thread_actor_among_siblings_is_restarted_in_its_turn_and_one_that_hangs_is_left_behind() -> None:
    seen: list[Any] = []
    entered, release = threading.Event(), threading.Event()

    def hang(_: Actor) -> None:
        entered.set()
        release.wait(30)

    async def main() -> None:
        system = ActorSystem(LoopScheduler(asyncio.get_running_loop()), strategy=Strategy.ONE_FOR_ALL)
        fragile = system.spawn(ChildSpec(name="fragile", factory=lambda: Recorder(seen)))
        quick = system.spawn(ChildSpec(name="quick", factory=lambda: Thread(seen), shutdown_s=10))
        hangs = system.spawn(ChildSpec(name="hangs", factory=lambda: Thread(seen), shutdown_s=0.05))
        await quick.ask("there?", block=False)
        hangs.tell(hang)
        await asyncio.to_thread(entered.wait)
        fragile.tell(crash)
        again = [await ref.ask("again?", block=False) for ref in (fragile, quick, hangs)]
        assert again == ["again?"] * 3
        release.set()
        await system.stop()

    asyncio.run(main())

    assert seen.count("started") == 6
    assert seen.count("stopped") == 4  # quick's first life, and all three at the end


# Watching


class Watcher(Recorder):
    """Watches what it is told, and records the rest."""

    def on_receive(self, message: Any) -> Any:
        if isinstance(message, ActorRef):
            self.watch(message)
            return None
        return super().on_receive(message)


def test_what_the_dead_had_sent_comes_before_the_news_of_its_death(world: World) -> None:
    seen: list[Any] = []
    watched, _ = world.recorder("watched", restart=Restart.TRANSIENT)
    watcher = world.spawn(lambda: Watcher(seen), "watcher", mailbox_capacity=1)

    def last_words(actor: Actor) -> None:
        watcher.tell("last words")
        actor.stop()

    watcher.tell(watched)
    world.run()
    watched.tell(last_words)
    world.run()

    assert seen == ["started", "last words", Terminated(watched, None)]


def test_an_actor_can_have_itself_watched_by_another(world: World) -> None:
    watched, _ = world.recorder("watched")
    watcher, seen = world.recorder("watcher")
    watched.tell(lambda actor: actor.add_watcher(watcher))
    watched.tell(crash)
    world.run()
    watched.tell(lambda actor: actor.remove_watcher(watcher))
    watched.tell(crash)
    world.run()

    assert seen == ["started", Restarted(watched)]


# Stop


def test_a_stop_lets_the_actor_handle_what_it_was_told_before(world: World) -> None:
    ref, seen = world.recorder()
    ref.tell("before")
    future = ref.stop(block=False)
    world.run()

    assert seen == ["started", "before", "stopped"]
    assert future.get(timeout=0) is True


def test_the_next_is_stopped_only_when_the_one_before_has_ended(world: World) -> None:
    seen: list[str] = []

    class Passing(Actor):
        """Hands everything on to `first`, so `first` must still be there while this one empties its mailbox."""

        def on_receive(self, message: Any) -> None:
            first.tell(message)

    first, seen = world.recorder("first")
    second = world.spawn(Passing, "second")
    world.run()
    for number in range(1000):
        second.tell(number)
    world.system.stop()
    world.run()

    assert seen == ["started", *range(1000), "stopped"]


def test_children_stop_before_their_parent(world: World) -> None:
    seen: list[Any] = []

    class Child(Actor):
        def on_stop(self) -> None:
            seen.append("child stopped")

    parent = world.spawn(lambda: Recorder(seen), "parent")
    parent.tell(lambda actor: actor.spawn(ChildSpec(name="child", factory=Child)) and None)
    world.run()
    parent.stop(block=False)
    world.run()

    assert seen == ["started", "child stopped", "stopped"]


def test_children_that_stop_together_do_not_wait_for_each_other(world: World) -> None:
    class Parent(Recorder):
        stops_children_together = True

    class Stubborn(Actor):
        def on_start(self) -> None:
            self.hold()  # and so it never comes to the stop at the end of its mailbox

    parent = world.spawn(lambda: Parent([]), "parent")
    for name in "abc":
        parent.tell(lambda actor, name=name: actor.spawn(ChildSpec(name=name, factory=Stubborn, shutdown_s=5)) and None)
    world.run()
    parent.stop(block=False)
    world.scheduler.advance(5)

    assert not parent.is_alive()


def test_a_child_that_ignores_its_deadline_is_abandoned_and_reported(world: World) -> None:
    class Stubborn(Actor):
        def on_start(self) -> None:
            self.hold()

    seen: list[Any] = []
    stubborn = world.spawn(Stubborn, "stubborn", shutdown_s=3)
    watcher = world.spawn(lambda: Watcher(seen), "watcher")
    watcher.tell(stubborn)
    world.run()
    watcher.stop(block=False)
    with capture_logs() as logs:
        stopped = world.system.stop()
        world.scheduler.advance(2.9)
        before = stubborn.is_alive()
        world.scheduler.advance(0.2)

    assert before
    assert not stubborn.is_alive()
    assert stopped.get(timeout=0) is True
    assert [(line["event"], line["actor"]) for line in logs] == [("actor.abandoned", "/stubborn")]


def test_the_children_of_an_abandoned_actor_are_abandoned_with_it(world: World) -> None:
    grandchildren: list[ActorRef[Any]] = []

    class Stubborn(Actor):
        def on_start(self) -> None:
            grandchildren.append(self.spawn(ChildSpec(name="child", factory=lambda: Recorder([]))))
            self.hold()

    world.spawn(Stubborn, shutdown_s=1)
    world.run()
    world.system.stop()
    world.scheduler.advance(2)

    assert not grandchildren[0].is_alive()


def test_an_on_stop_that_raises_is_logged_and_the_actor_ends_all_the_same(world: World) -> None:
    class Unlucky(Actor):
        def on_stop(self) -> None:
            raise OSError("could not")

    ref = world.spawn(Unlucky)
    with capture_logs() as logs:
        future = ref.stop(block=False)
        world.run()

    assert future.get(timeout=0) is True
    assert [line["event"] for line in logs] == ["actor.on_stop_failed"]


def test_nothing_can_be_started_in_a_system_that_stops(world: World) -> None:
    world.system.stop()

    with pytest.raises(ValueError, match="is stopping"):
        world.recorder("late")


def test_stopping_an_empty_system_is_done_at_once(world: World) -> None:
    assert world.system.stop().get(timeout=0) is True


def test_a_system_may_be_asked_to_stop_twice(world: World) -> None:
    world.recorder()
    first, second = world.system.stop(), world.system.stop()
    world.run()
    third = world.system.stop()

    assert first.get(timeout=0) is True
    assert second.get(timeout=0) is True
    assert third.get(timeout=0) is True


def test_a_future_of_a_stop_that_comes_too_late_says_so(world: World) -> None:
    ref, _ = world.recorder()
    ref.stop(block=False)
    late: list[Any] = []
    threading.Thread(target=lambda: late.append(ref.stop(block=False))).start()
    world.run()
    again = ref.stop(block=False)

    assert again.get(timeout=0) is False


def test_a_system_without_a_failure_hook_only_logs_that_it_failed(world: World) -> None:
    system = ActorSystem(world.scheduler)
    system.spawn(ChildSpec(name="a", factory=lambda: Recorder([]), intensity=RestartIntensity(max_restarts=0))).tell(
        crash
    )
    with capture_logs() as logs:
        world.run()

    assert logs[-1]["event"] == "actors.root_failed"
    assert logs[-1]["log_level"] == "critical"


# Figures


def test_actors_crashes_and_restarts_are_counted_by_kind(world: World) -> None:
    parent, _ = world.recorder("parent")
    one, _ = world.recorder("one")

    def spawn_two(actor: Actor) -> None:
        for name in ("a", "b"):
            actor.spawn(ChildSpec(name=name, factory=lambda: Recorder([])))

    parent.tell(spawn_two)
    world.run()
    for message in (crash, crash):
        one.tell(message)
    world.run()
    one.tell("waits")
    one.tell("waits, too")

    totals, counts = world.system.totals(), world.system.counts
    assert {kind: total.actors for kind, total in totals.items()} == {"parent": 1, "parent/*": 2, "one": 1}
    assert (totals["one"].waiting, totals["one"].deepest, totals["one"].down) == (2, 2, 0)
    assert dict(counts.crashes) == dict(counts.restarts) == {"one": 2}


def test_what_is_down_is_counted_as_such(world: World) -> None:
    ref = world.system.spawn(ChildSpec(name="one", factory=lambda: Recorder([]), backoff=Backoff(first_s=1, max_s=1)))
    world.run()
    ref.tell(crash)
    world.run()

    assert world.system.totals()["one"].down == 1
