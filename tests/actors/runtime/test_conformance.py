"""The contract of the runtime, as rules that can be run.

Each function below is one rule, named by its sentence. Rules under `asked_of_both` are put to bare Pykka as well, and
what it is known to do stands beside them; those under `ours` need something that Pykka does not have, which is named.
`make conformance` prints the table.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sys
import threading
from collections import Counter
from typing import Any, Self

import pykka
import pytest

from actors.runtime import (
    Actor,
    ActorRef,
    ActorSystem,
    Backoff,
    ChildSpec,
    Coalescing,
    Droppable,
    HandlerStuck,
    MailboxFull,
    Request,
    RequestFailed,
    Restart,
    Restarted,
    RestartIntensity,
    RestartIntensityExceeded,
    Signal,
    Strategy,
    Stuck,
    Terminated,
    ThreadActor,
    VirtualScheduler,
    Watchdog,
)
from tests.actors.runtime.conformance import (
    BRIEFLY_S,
    PATIENCE_S,
    Contract,
    Rule,
    Stage,
    Start,
    answer_of,
    in_another_thread,
    results_of,
    table_of,
)
from tests.actors.runtime.conftest import Recorder, World, crash

CONTRACT = Contract()

ALWAYS = RestartIntensity(max_restarts=1_000_000, period_s=1)
NEVER = RestartIntensity(max_restarts=0)


class Urgent(Signal, frozen=True):
    """A signal."""


class Release(Signal, frozen=True):
    """A signal that ends a hold."""

    def __call__(self, actor: Actor) -> None:
        actor.release()


class Question(Request, frozen=True):
    """A request that its receiver need not understand."""


class Typing(Droppable, frozen=True):
    """Nobody misses it."""

    number: int = 0


class Count(Coalescing, frozen=True):
    """Only the newest of a room matters."""

    number: int
    room: str = ""

    def coalesce_key(self) -> str:
        return self.room


class Diarist(Actor):
    """Writes into a diary that it shares with others. A callable as message is called with the actor."""

    def __init__(self, name: str, diary: list[str]) -> None:
        self.name = name
        self.diary = diary

    def on_start(self) -> None:
        self.diary.append(f"{self.name} started")

    def on_receive(self, message: Any) -> Any:
        if callable(message):
            return message(self)
        self.diary.append(f"{self.name} got {message}")
        return None

    def on_stop(self) -> None:
        self.diary.append(f"{self.name} stopped")


class Worker(ThreadActor):
    """Answers with what it was asked; calls it, if it can be called."""

    def on_receive(self, message: Any) -> Any:
        return message(self) if callable(message) else message


def hold(actor: Actor) -> None:
    """As a message: leave what follows in the mailbox."""
    actor.hold()


def stop(actor: Any) -> None:
    """As a message: stop yourself."""
    actor.stop()


def leave(_: Any) -> None:
    """As a message: `sys.exit()`, as some library may do."""
    raise SystemExit(3)


def raising(error: type[BaseException], times: int = 1) -> Any:
    """Return a hook that raises so many times."""
    left = [error] * times

    def hook(_: Any) -> None:
        if left:
            raise left.pop()("made to fail")

    return hook


def spawning(name: str, seen: list[Any], **spec: Any) -> Any:
    """As a message: start a recorder as a child."""

    def spawn(actor: Actor) -> None:
        actor.spawn(ChildSpec(name=name, factory=lambda: Recorder(seen), **spec))

    return spawn


def diarists(world: World, *names: str, **spec: Any) -> tuple[list[str], dict[str, ActorRef[Any]]]:
    """Start diarists that share a diary; it is empty when they have all started."""
    diary: list[str] = []
    refs: dict[str, ActorRef[Any]] = {
        name: world.system.spawn(ChildSpec(name=name, factory=lambda name=name: Diarist(name, diary), **spec))  # type: ignore[misc]
        for name in names
    }
    world.run()
    diary.clear()
    return diary, refs


def supervised(strategy: Strategy) -> World:
    """Make a world whose root restarts its children by `strategy`."""
    world = World()
    world.system = ActorSystem(world.scheduler, world.failures.append, strategy=strategy)
    return world


def recorder(world: World, name: str = "actor", **spec: Any) -> tuple[ActorRef[Any], list[Any]]:
    """Start a recorder with whatever a `ChildSpec` takes."""
    seen: list[Any] = []
    ref: ActorRef[Any] = world.system.spawn(ChildSpec(name=name, factory=lambda: Recorder(seen), **spec))
    world.run()
    return ref, seen


start = CONTRACT.about("start")


@start.asked_of_both(pykka="yes")
def on_start_comes_before_every_message(stage: Stage) -> None:
    actor = stage.start()
    actor.tell("first")
    stage.settle()

    assert actor.seen == ["started", "first"]


@start.asked_of_both(pykka="no")
def a_failing_on_start_is_seen_by_on_failure(stage: Stage) -> None:
    actor = stage.start(on_start=raising(OSError))
    stage.settle()

    assert actor.failures == [OSError]


@start.asked_of_both(pykka="no")
def a_system_exit_on_start_leaves_no_actor_that_seems_alive_and_hears_nothing(stage: Stage) -> None:
    actor = stage.start(on_start=raising(SystemExit))
    answer = actor.ask("anybody there?")
    stage.settle()

    assert answer_of(answer) == "anybody there?" or not actor.is_alive()


@start.ours("supervisor")
def a_start_that_fails_is_tried_again_and_what_was_told_waits(world: World) -> None:
    attempts: list[int] = []

    class Unlucky(Recorder):
        def on_start(self) -> None:
            attempts.append(1)
            if len(attempts) < 3:
                raise OSError("not yet")
            super().on_start()

    seen: list[Any] = []
    world.spawn(lambda: Unlucky(seen)).tell("waits")
    world.run()

    assert len(attempts) == 3
    assert seen == ["started", "waits"]


@start.ours("supervisor")
def a_factory_that_fails_is_tried_again(world: World) -> None:
    seen: list[Any] = []
    fail = raising(OSError)

    def factory() -> Actor:
        fail(None)
        return Recorder(seen)

    world.spawn(factory)
    world.run()

    assert seen == ["started"]


messages = CONTRACT.about("messages")


@messages.asked_of_both(pykka="yes")
def messages_of_one_sender_are_handled_in_the_order_told(stage: Stage) -> None:
    actor = stage.start()
    for number in range(1000):
        actor.tell(number)
    stage.settle()

    assert actor.handled == list(range(1000))


@messages.asked_of_both(pykka="yes")
def an_actor_handles_one_message_at_a_time(stage: Stage) -> None:
    inside: list[int] = []
    most: list[int] = []

    def handle(_: Any) -> None:
        inside.append(1)
        most.append(len(inside))
        inside.pop()

    actor = stage.start()

    def tell_many() -> None:
        for _ in range(500):
            actor.tell(handle)

    tellers = [threading.Thread(target=tell_many) for _ in range(4)]
    for teller in tellers:
        teller.start()
    for teller in tellers:
        teller.join(PATIENCE_S)
    stage.settle()

    assert most == [1] * 2000


@messages.asked_of_both(pykka="yes")
def what_an_actor_tells_itself_comes_after_the_message_in_hand(stage: Stage) -> None:
    def handle(actor: Any) -> None:
        actor.actor_ref.tell("told")
        actor.seen.append("handled")

    actor = stage.start()
    actor.tell(handle)
    stage.settle()

    assert actor.handled == ["handled", "told"]


@messages.asked_of_both(pykka="yes")
def an_actor_that_is_always_busy_leaves_the_others_their_turns(stage: Stage) -> None:
    turns: list[int] = []

    def spin(actor: Any) -> None:
        turns.append(1)
        if not other.handled and len(turns) < 1_000_000:
            actor.actor_ref.tell(spin)

    busy, other = stage.start(), stage.start()
    busy.tell(spin)
    other.tell("my turn")
    stage.settle()

    assert other.handled == ["my turn"]
    assert len(turns) < 1_000_000


@messages.asked_of_both(pykka="yes")
def a_proxy_calls_methods_and_reads_attributes(stage: Stage) -> None:
    actor = stage.start()
    stage.settle()
    proxy = actor.ref.proxy()
    added, count = proxy.add(2), proxy.count
    stage.settle()

    assert (answer_of(added), answer_of(count)) == (2, 2)


@messages.asked_of_both(pykka="no")
def what_a_message_holds_never_reaches_the_log(stage: Stage) -> None:
    def without_handler(actor: Any) -> None:
        base = Actor if isinstance(actor, Actor) else pykka.Actor
        base.on_receive(actor, "a secret")

    actor = stage.start()
    actor.tell(without_handler)
    stage.settle()

    assert "unexpected" in stage.logged().lower()
    assert "a secret" not in stage.logged()


@messages.ours("signals")
def a_signal_overtakes_what_waits(world: World) -> None:
    ref, seen = world.recorder()
    ref.tell("waits")
    ref.tell(Urgent())
    world.run()

    assert seen == ["started", Urgent(), "waits"]


@messages.ours("hold")
def a_held_actor_takes_signals_and_nothing_else(world: World) -> None:
    ref, seen = world.recorder()
    ref.tell(hold)
    ref.tell("waits")
    world.run()
    ref.tell(Urgent())
    world.run()

    assert seen == ["started", Urgent()]
    assert ref.waiting() == 1


ask = CONTRACT.about("ask")


@ask.asked_of_both(pykka="yes")
def an_ask_is_answered_with_what_the_handler_returns(stage: Stage) -> None:
    answer = stage.start().ask("echo")
    stage.settle()

    assert answer_of(answer) == "echo"


@ask.asked_of_both(pykka="yes")
def an_asker_gets_what_the_handler_raises(stage: Stage) -> None:
    answer = stage.start().ask(crash)
    stage.settle()

    assert isinstance(answer_of(answer), ValueError)


@ask.asked_of_both(pykka="no")
def what_is_raised_under_an_ask_is_seen_by_on_failure_as_well(stage: Stage) -> None:
    actor = stage.start()
    actor.ask(crash)
    stage.settle()

    assert actor.failures == [ValueError]


@ask.asked_of_both(pykka="no")
def state_that_an_ask_left_half_changed_is_not_kept(stage: Stage) -> None:
    def change(actor: Any) -> None:
        actor.count = 1
        crash(actor)

    actor = stage.start()
    actor.ask(change)
    later = actor.ask(lambda actor: actor.count)
    stage.settle()

    assert answer_of(later) != 1


@ask.asked_of_both(pykka="no")
def an_asker_whose_handler_raises_system_exit_is_answered(stage: Stage) -> None:
    answer = stage.start().ask(leave)
    stage.settle()

    assert isinstance(answer_of(answer), SystemExit)


@ask.asked_of_both(pykka="yes")
def an_ask_of_a_dead_actor_fails_at_once(stage: Stage) -> None:
    actor = stage.start()
    actor.stop()
    stage.settle()

    assert isinstance(answer_of(actor.ask("too late")), pykka.ActorDeadError)


@ask.asked_of_both(pykka="yes")
def an_ask_that_waits_when_the_actor_ends_fails(stage: Stage) -> None:
    actor = stage.start(restarted=False)
    with stage.paused(actor):
        actor.tell(crash)
        answer = actor.ask("waits")
    stage.settle()

    assert isinstance(answer_of(answer), pykka.ActorDeadError)


@ask.asked_of_both(pykka="yes")
def an_asker_that_gives_up_does_the_actor_no_harm(stage: Stage) -> None:
    actor = stage.start()
    with stage.paused(actor):
        given_up = in_another_thread(lambda: actor.ref.ask("slow", timeout=0))
    actor.tell("next")
    stage.settle()

    assert isinstance(given_up, pykka.Timeout)
    assert actor.handled == ["slow", "next"]


@ask.asked_of_both(pykka="no")
def a_blocking_ask_on_the_event_loop_is_refused(stage: Stage) -> None:
    refused: list[bool] = []

    async def main(start: Start) -> None:
        actor = start()
        try:
            actor.ref.ask("would block the loop", timeout=PATIENCE_S)
        except RuntimeError:
            refused.append(True)

    stage.live(main)

    assert refused == [True]


@ask.asked_of_both(pykka="no")
def awaiting_an_answer_leaves_the_loop_to_others(stage: Stage) -> None:
    went: list[bool] = []

    async def main(start: Start) -> None:
        go = threading.Event()

        async def others() -> None:
            for _ in range(10):
                await asyncio.sleep(0)
            go.set()

        task = asyncio.create_task(others())
        went.append(await start().ask(lambda _: go.wait(BRIEFLY_S)))
        await task

    stage.live(main)

    assert went == [True]


@ask.asked_of_both(pykka="yes")
def a_thread_without_a_loop_may_block_on_an_answer(stage: Stage) -> None:
    answers: list[Any] = []

    async def main(start: Start) -> None:
        actor = start()
        answers.append(await asyncio.to_thread(actor.ref.ask, "from a thread", timeout=PATIENCE_S))

    stage.live(main)

    assert answers == ["from a thread"]


crashes = CONTRACT.about("crash")


@crashes.asked_of_both(pykka="no")
def a_crash_keeps_the_messages_that_wait(stage: Stage) -> None:
    actor = stage.start()
    with stage.paused(actor):
        for message in ("before", crash, "b", "c"):
            actor.tell(message)
    stage.settle()

    assert actor.handled == ["before", "b", "c"]


@crashes.asked_of_both(pykka="yes")
def a_message_that_crashed_its_handler_is_not_tried_again(stage: Stage) -> None:
    tries: list[int] = []

    def fail(_: Any) -> None:
        tries.append(1)
        raise ValueError

    stage.start().tell(fail)
    stage.settle()

    assert tries == [1]


@crashes.asked_of_both(pykka="yes")
def an_exception_in_one_actor_leaves_the_others_alone(stage: Stage) -> None:
    fragile, other = stage.start(), stage.start()
    fragile.tell(crash)
    stage.settle()
    answer = other.ask("still here?")
    stage.settle()

    assert answer_of(answer) == "still here?"


@crashes.asked_of_both(pykka="no")
def a_system_exit_in_one_actor_leaves_the_others_alone(stage: Stage) -> None:
    fragile, other = stage.start(), stage.start()
    fragile.tell(leave)
    stage.settle()
    answer = other.ask("still here?")
    stage.settle()

    assert answer_of(answer) == "still here?"


@crashes.asked_of_both(pykka="yes")
def on_failure_is_called_with_what_a_told_message_raised(stage: Stage) -> None:
    actor = stage.start()
    actor.tell(crash)
    stage.settle()

    assert actor.failures == [ValueError]


@crashes.asked_of_both(pykka="yes")
def an_on_failure_that_fails_too_leaves_nobody_waiting(stage: Stage) -> None:
    actor = stage.start(on_failure=raising(OSError))
    with stage.paused(actor):
        actor.tell(crash)
        answer = actor.ask("waits")
    stage.settle()

    assert not isinstance(answer_of(answer), pykka.Timeout)


@crashes.ours("turns")
def a_failure_at_the_end_of_a_turn_is_a_crash(world: World) -> None:
    class Unlucky(Recorder):
        def on_turn_end(self) -> None:
            if self.seen[-1] == "unlucky":
                raise ValueError

    seen: list[Any] = []
    ref = world.spawn(lambda: Unlucky(seen))
    ref.tell("unlucky")
    world.run()

    assert seen == ["started", "unlucky", "started"]


@crashes.ours("supervisor")
def whatever_a_handler_raises_is_a_crash_and_the_supervisor_hears_of_it(world: World) -> None:
    ref, seen = world.recorder(intensity=ALWAYS)
    errors = [SystemExit, RecursionError, MemoryError, asyncio.CancelledError, GeneratorExit, StopIteration]
    for error in errors:
        ref.tell(raising(error))
    world.run()

    assert seen == ["started"] * (1 + len(errors))
    assert [crash.error for crash in world.system.crashes] == [error.__name__ for error in errors]


restart = CONTRACT.about("restart")


@restart.ours("restart")
def a_restarted_actor_has_the_same_ref_and_new_state(world: World) -> None:
    class Counting(Actor):
        def __init__(self) -> None:
            self.count = 0

        def on_receive(self, message: Any) -> Any:
            self.count += 1
            return message(self)

    ref = world.spawn(Counting)
    ref.tell(lambda _: None)
    ref.tell(crash)
    count = ref.ask(lambda actor: (actor.count, actor.actor_ref), block=False)
    world.run()

    assert answer_of(count) == (1, ref)


@restart.ours("restart")
def what_is_told_while_an_actor_is_down_is_handled_once_it_is_up(world: World) -> None:
    seen: list[Any] = []

    class TellsOnFailure(Recorder):
        def on_failure(self, *_: object) -> None:
            self.actor_ref.tell("told while down")

    ref = world.spawn(lambda: TellsOnFailure(seen))
    ref.tell(crash)
    world.run()

    assert seen == ["started", "started", "told while down"]


@restart.ours("requests")
def the_sender_of_the_request_that_crashed_its_receiver_is_told(world: World) -> None:
    class Fragile(Actor):
        def on_receive(self, message: Any) -> None:
            raise LookupError

    sender, heard = world.recorder("sender")
    request = Question(sender)
    world.spawn(Fragile, "fragile").tell(request)
    world.run()

    assert [(item.request, type(item.error)) for item in heard[1:]] == [(request, LookupError)]


@restart.ours("restart")
def a_hold_ends_with_the_incarnation_that_held(world: World) -> None:
    def hold_and_crash(actor: Actor) -> None:
        actor.hold()
        crash(actor)

    ref, seen = world.recorder()
    ref.tell(hold_and_crash)
    ref.tell("after")
    world.run()

    assert seen == ["started", "started", "after"]


@restart.ours("restart types")
def a_temporary_actor_is_never_restarted(world: World) -> None:
    ref, seen = world.recorder(restart=Restart.TEMPORARY)
    ref.tell(crash)
    world.run()

    assert seen == ["started"]
    assert not ref.is_alive()


@restart.ours("restart types")
def a_transient_actor_is_restarted_when_it_crashes_and_not_when_it_stops(world: World) -> None:
    ref, seen = world.recorder(restart=Restart.TRANSIENT)
    ref.tell(crash)
    ref.tell(stop)
    world.run()

    assert seen == ["started", "started", "stopped"]
    assert not ref.is_alive()


@restart.ours("restart types")
def a_permanent_actor_is_restarted_even_when_it_stops_itself(world: World) -> None:
    ref, seen = world.recorder(restart=Restart.PERMANENT)
    ref.tell(stop)
    ref.tell("kept")
    world.run()

    assert seen == ["started", "stopped", "started", "kept"]


mailbox = CONTRACT.about("mailbox")


@mailbox.ours("mailbox bound")
def a_full_mailbox_refuses_and_counts_what_it_refused(world: World) -> None:
    ref, seen = world.recorder(mailbox_capacity=2)
    for number in range(5):
        ref.tell(number)
    world.run()

    assert seen == ["started", 0, 1]
    assert world.system.refused == 3


@mailbox.ours("mailbox bound")
def whoever_a_full_mailbox_refuses_is_told(world: World) -> None:
    sender, heard = world.recorder("sender")
    ref, _ = world.recorder(mailbox_capacity=1)
    ref.tell("fills it")
    ref.tell(Question(sender))
    answer = ref.ask("no room", block=False)
    world.run()

    assert [type(item.error) for item in heard[1:]] == [MailboxFull]
    assert isinstance(answer_of(answer), MailboxFull)


@mailbox.ours("mailbox bound")
def a_full_mailbox_takes_signals_news_of_the_watched_and_the_stop(world: World) -> None:
    watched, _ = world.recorder("watched")
    ref, seen = world.recorder(mailbox_capacity=1)
    ref.tell(lambda actor: (actor.watch(watched), actor.hold()))
    world.run()
    ref.tell("fills it")
    watched.stop(block=False)
    world.run()
    ref.stop(block=False)
    world.run()
    ref.tell(Release())
    world.run()

    assert seen == ["started", "fills it", Terminated(watched, None), "stopped"]


@mailbox.ours("mailbox bound")
def a_full_mailbox_drops_its_oldest_droppable_for_an_ordinary_message(world: World) -> None:
    ref, seen = world.recorder(mailbox_capacity=3)
    for message in (Typing(1), Typing(2), "a", "b"):
        ref.tell(message)
    world.run()

    assert seen == ["started", Typing(2), "a", "b"]
    assert (world.system.dropped, world.system.refused) == (1, 0)


@mailbox.ours("mailbox bound")
def a_droppable_itself_is_dropped_where_nothing_else_may_be(world: World) -> None:
    ref, seen = world.recorder(mailbox_capacity=1)
    ref.tell("a")
    ref.tell(Typing())
    world.run()

    assert seen == ["started", "a"]
    assert (world.system.dropped, world.system.refused) == (1, 0)


@mailbox.ours("coalescing")
def a_coalescing_message_takes_the_place_of_the_waiting_one_with_its_key(world: World) -> None:
    ref, seen = world.recorder()
    for message in (Count(1, "tea"), "between", Count(2, "coffee"), Count(3, "tea")):
        ref.tell(message)
    world.run()

    assert seen == ["started", Count(3, "tea"), "between", Count(2, "coffee")]
    assert world.system.coalesced == 1


@mailbox.ours("coalescing")
def a_coalescing_message_that_was_handled_is_not_replaced_but_followed(world: World) -> None:
    ref, seen = world.recorder()
    for number in (1, 2):
        ref.tell(Count(number))
        world.run()

    assert seen == ["started", Count(1), Count(2)]


intensity = CONTRACT.about("intensity")


@intensity.ours("supervisor")
def as_many_crashes_as_allowed_are_borne_and_one_more_is_not(world: World) -> None:
    ref, seen = world.recorder(intensity=RestartIntensity(max_restarts=3, period_s=5))
    for _ in range(3):
        ref.tell(crash)
    world.run()
    borne = ref.is_alive()
    ref.tell(crash)
    world.run()

    assert borne
    assert not ref.is_alive()
    assert seen == ["started"] * 4


@intensity.ours("supervisor")
def crashes_that_are_far_apart_never_add_up(world: World) -> None:
    ref, _ = world.recorder(intensity=RestartIntensity(max_restarts=1, period_s=5))
    for _ in range(20):
        ref.tell(crash)
        world.scheduler.advance(5.1)

    assert ref.is_alive()


@intensity.ours("supervisor")
def intensity_looks_at_a_sliding_window_not_at_fixed_periods(world: World) -> None:
    ref, _ = world.recorder(intensity=RestartIntensity(max_restarts=2, period_s=10), escalates=False)
    for at in (9, 1, 1):  # at 9, 10 and 11 s: two periods, one window
        world.scheduler.advance(at)
        ref.tell(crash)
    world.run()

    assert not ref.is_alive()


backoff = CONTRACT.about("back-off")

STEADY = Backoff(first_s=1, max_s=5, factor=2, jitter=0, reset_after_s=30)


def attempts_of(world: World, policy: Backoff, until_s: float) -> list[float]:
    """Return when an actor that never manages to start was started."""
    times: list[float] = []

    class Hopeless(Actor):
        def on_start(self) -> None:
            times.append(self.now())
            raise OSError

    world.system.spawn(ChildSpec(name="hopeless", factory=Hopeless, intensity=ALWAYS, backoff=policy))
    world.scheduler.advance(until_s)
    return times


@backoff.ours("supervisor")
def restarts_in_a_row_wait_longer_and_longer_up_to_a_bound(world: World) -> None:
    assert attempts_of(world, STEADY, until_s=20) == [0, 1, 3, 7, 12, 17]


@backoff.ours("supervisor")
def waits_are_spread_by_the_jitter_and_stay_within_it(world: World) -> None:
    times = attempts_of(world, Backoff(first_s=1, max_s=1, jitter=0.2), until_s=100)
    waits = [after - before for before, after in itertools.pairwise(times)]

    assert len({round(wait, 6) for wait in waits}) > len(waits) / 2
    assert min(waits) >= 0.8 - 1e-9
    assert max(waits) <= 1.2 + 1e-9


@backoff.ours("supervisor")
def an_actor_that_ran_long_enough_waits_briefly_again(world: World) -> None:
    ref, seen = recorder(world, intensity=ALWAYS, backoff=STEADY)
    for _ in range(3):
        ref.tell(crash)
        world.scheduler.advance(5)
    world.scheduler.advance(30)
    seen.clear()
    ref.tell(crash)
    world.scheduler.advance(1)

    assert seen == ["started"]


@backoff.ours("supervisor")
def what_an_actor_is_told_while_it_waits_to_be_restarted_waits_with_it(world: World) -> None:
    ref, seen = recorder(world, backoff=STEADY)
    ref.tell(crash)
    world.run()
    ref.tell("a")
    ref.tell("b")
    world.scheduler.advance(0.9)
    meanwhile = list(seen), ref.is_alive()
    world.scheduler.advance(0.1)

    assert meanwhile == (["started"], True)
    assert seen == ["started", "started", "a", "b"]


@backoff.ours("supervisor")
def more_than_the_mailbox_holds_is_refused_while_an_actor_waits(world: World) -> None:
    ref, _ = recorder(world, backoff=STEADY, mailbox_capacity=2)
    ref.tell(crash)
    world.run()
    answers = [ref.ask(number, block=False) for number in range(3)]
    busy = isinstance(answer_of(answers[2]), MailboxFull)
    world.scheduler.advance(1)

    assert busy
    assert [answer_of(answer) for answer in answers[:2]] == [0, 1]


@backoff.ours("supervisor")
def an_actor_that_waits_to_be_restarted_can_be_stopped(world: World) -> None:
    ref, seen = recorder(world, backoff=Backoff(first_s=600, max_s=600), shutdown_s=5)
    ref.tell(crash)
    world.run()
    stopped = world.system.stop()
    world.scheduler.advance(5)
    in_time = answer_of(stopped)
    world.scheduler.advance(3600)

    assert in_time is True
    assert seen == ["started"]


strategies = CONTRACT.about("strategies")


@strategies.ours("supervisor")
def one_for_one_restarts_the_one_that_crashed(_: World) -> None:
    world = supervised(Strategy.ONE_FOR_ONE)
    diary, refs = diarists(world, "a", "b", "c")
    refs["b"].tell(crash)
    world.run()

    assert diary == ["b started"]


@strategies.ours("supervisor")
def one_for_all_ends_all_in_reverse_order_and_starts_all_in_order(_: World) -> None:
    world = supervised(Strategy.ONE_FOR_ALL)
    diary, refs = diarists(world, "a", "b", "c")
    refs["b"].tell(crash)
    world.run()

    assert diary == ["c stopped", "a stopped", "a started", "b started", "c started"]


@strategies.ours("supervisor")
def rest_for_one_restarts_what_was_started_after_the_one_that_crashed(_: World) -> None:
    world = supervised(Strategy.REST_FOR_ONE)
    diary, refs = diarists(world, "a", "b", "c")
    refs["b"].tell(crash)
    world.run()

    assert diary == ["c stopped", "b started", "c started"]


@strategies.ours("supervisor")
def a_sibling_that_is_restarted_along_keeps_its_ref_and_its_mailbox(_: World) -> None:
    world = supervised(Strategy.ONE_FOR_ALL)
    diary, refs = diarists(world, "a", "b")
    refs["a"].tell(hold)
    refs["a"].tell("first")
    refs["a"].tell("second")
    world.run()
    refs["b"].tell(crash)
    world.run()

    assert [line for line in diary if line[0] == "a"] == ["a stopped", "a started", "a got first", "a got second"]


@strategies.ours("supervisor")
def a_temporary_sibling_is_ended_rather_than_restarted_along(_: World) -> None:
    world = supervised(Strategy.ONE_FOR_ALL)
    temporary, seen = recorder(world, "temporary", restart=Restart.TEMPORARY)
    fragile, _seen = recorder(world, "fragile")
    fragile.tell(crash)
    world.run()

    assert seen == ["started", "stopped"]
    assert not temporary.is_alive()


@strategies.ours("supervisor")
def on_stop_is_called_on_no_sibling_that_had_not_started(_: World) -> None:
    for seed in range(20):
        scheduler = VirtualScheduler(seed)
        system = ActorSystem(scheduler, strategy=Strategy.ONE_FOR_ALL, seed=seed)
        fail = raising(OSError)
        diary: list[str] = []

        class Unlucky(Actor):
            def on_start(self, fail: Any = fail) -> None:
                fail(self)

        system.spawn(ChildSpec(name="unlucky", factory=Unlucky))
        system.spawn(ChildSpec(name="a", factory=lambda diary=diary: Diarist("a", diary)))  # type: ignore[misc]
        scheduler.run()

        assert diary in (["a started"], ["a started", "a stopped", "a started"]), seed


@strategies.ours("supervisor")
def a_restart_counts_against_the_one_that_crashed_and_not_its_siblings(_: World) -> None:
    world = supervised(Strategy.ONE_FOR_ALL)
    innocent, seen = recorder(world, "innocent", intensity=RestartIntensity(max_restarts=1, period_s=60))
    fragile, _seen = recorder(world, "fragile", intensity=ALWAYS)
    for _time in range(5):
        fragile.tell(crash)
        world.run()
    innocent.tell(crash)
    world.run()

    assert innocent.is_alive()
    assert seen.count("started") == 7


@strategies.ours("supervisor")
def an_actor_sets_the_strategy_for_its_own_children(world: World) -> None:
    class Parent(Recorder):
        strategy = Strategy.ONE_FOR_ALL

    first: list[Any] = []
    second: list[Any] = []
    parent = world.spawn(lambda: Parent([]), "parent")
    parent.tell(spawning("first", first))
    parent.tell(spawning("second", second))
    parent.tell(lambda actor: actor.child("first").tell(crash))
    world.run()

    assert second == ["started", "stopped", "started"]


@strategies.ours("supervisor")
def a_wait_for_a_restart_is_not_cut_short_by_one_that_came_before(_: World) -> None:
    world = supervised(Strategy.REST_FOR_ONE)
    first, _seen = recorder(world, "first", intensity=ALWAYS)
    second, seen = recorder(world, "second", intensity=ALWAYS, backoff=Backoff(first_s=10, max_s=100, jitter=0))
    second.tell(crash)
    world.scheduler.advance(1)
    first.tell(crash)
    world.scheduler.advance(1)

    assert seen == ["started"]


escalation = CONTRACT.about("escalation")


@escalation.ours("supervisor")
def a_child_that_is_given_up_and_escalates_crashes_its_parent(world: World) -> None:
    parent, seen = world.recorder("parent")
    parent.tell(spawning("child", [], intensity=NEVER))
    parent.tell(lambda actor: actor.child("child").tell(crash))
    world.run()

    assert seen == ["started", "started"]
    assert world.failures == []


@escalation.ours("supervisor")
def a_child_that_is_given_up_and_does_not_escalate_ends_alone(world: World) -> None:
    ref, _ = world.recorder(intensity=NEVER, escalates=False)
    ref.tell(crash)
    world.run()

    assert not ref.is_alive()
    assert world.failures == []


@escalation.ours("supervisor")
def at_the_root_whoever_runs_the_system_learns_who_failed_and_why(world: World) -> None:
    ref, _ = world.recorder("journal", intensity=RestartIntensity(max_restarts=2, period_s=5))
    for _time in range(3):
        ref.tell(crash)
    world.run()

    (failure,) = world.failures
    assert isinstance(failure, RestartIntensityExceeded)
    assert "/journal crashed more than 2 times in 5 s" in str(failure)
    assert isinstance(failure.__cause__, ValueError)


@escalation.ours("children")
def children_outlive_a_crash_of_their_parent(world: World) -> None:
    child: list[Any] = []
    parent, _ = world.recorder("parent")
    parent.tell(spawning("child", child))
    parent.tell(crash)
    parent.tell(lambda actor: actor.child("child").tell("still here"))
    world.run()

    assert child == ["started", "still here"]


watch = CONTRACT.about("watch")


def watching(world: World, watched: ActorRef[Any]) -> list[Any]:
    """Start an actor that watches; return what it is told."""
    watcher, seen = world.recorder("watcher")
    watcher.tell(lambda actor: actor.watch(watched))
    world.run()
    seen.clear()
    return seen


@watch.ours("watch")
def a_watcher_is_told_of_restarts_and_of_the_end(world: World) -> None:
    watched, _ = world.recorder("watched")
    told = watching(world, watched)
    watched.tell(crash)
    world.run()
    watched.stop(block=False)
    world.run()

    assert told == [Restarted(watched), Terminated(watched, None)]


@watch.ours("watch")
def the_end_by_failure_is_told_with_the_error(world: World) -> None:
    watched, _ = world.recorder("watched", restart=Restart.TEMPORARY)
    told = watching(world, watched)
    watched.tell(crash)
    world.run()

    assert [type(item.error) for item in told] == [ValueError]


@watch.ours("watch")
def watching_one_that_is_dead_already_tells_its_end_at_once(world: World) -> None:
    watched, _ = world.recorder("watched")
    watched.stop(block=False)
    world.run()
    watcher, told = world.recorder("watcher")
    watcher.tell(lambda actor: actor.watch(watched))
    world.run()

    assert told == ["started", Terminated(watched, None)]


@watch.ours("watch")
def news_of_the_watched_comes_after_all_that_it_had_sent(world: World) -> None:
    seen: list[Any] = []
    watcher = world.spawn(lambda: Recorder(seen), "watcher")
    watched, _ = world.recorder("watched", restart=Restart.TRANSIENT)
    watcher.tell(lambda actor: actor.watch(watched))
    world.run()

    def last_words(then: Any) -> Any:
        def speak(actor: Actor) -> None:
            watcher.tell("last words")
            then(actor)

        return speak

    watched.tell(last_words(crash))
    world.run()
    watched.tell(last_words(stop))
    world.run()

    assert seen == ["started", "last words", Restarted(watched), "last words", Terminated(watched, None)]


@watch.ours("watch")
def one_that_no_longer_watches_is_told_nothing(world: World) -> None:
    watched, _ = world.recorder("watched")
    watcher, seen = world.recorder("watcher")
    watcher.tell(lambda actor: (actor.watch(watched), actor.unwatch(watched)))
    world.run()
    watched.stop(block=False)
    world.run()

    assert seen == ["started"]


@watch.ours("watch")
def a_restart_is_told_before_anything_that_the_new_incarnation_does(world: World) -> None:
    watcher, seen = world.recorder("watcher")
    watched, _ = world.recorder("watched", restart=Restart.TRANSIENT)
    watcher.tell(lambda actor: actor.watch(watched))
    world.run()
    watched.tell(crash)
    watched.tell(lambda _: watcher.tell("new"))
    watched.tell(stop)
    world.run()

    assert seen == ["started", Restarted(watched), "new", Terminated(watched, None)]


stopping = CONTRACT.about("stop")


@stopping.asked_of_both(pykka="yes")
def what_was_told_before_a_stop_is_handled(stage: Stage) -> None:
    actor = stage.start()
    with stage.paused(actor):
        for number in range(100):
            actor.tell(number)
        stopped = actor.stop()
    stage.settle()

    assert actor.seen == ["started", *range(100), "stopped"]
    assert answer_of(stopped) is True


@stopping.asked_of_both(pykka="yes")
def a_stop_of_one_that_is_dead_says_so(stage: Stage) -> None:
    actor = stage.start()
    actor.stop()
    stage.settle()
    again = actor.stop()
    stage.settle()

    assert answer_of(again) is False


@stopping.asked_of_both(pykka="yes")
def an_on_stop_that_fails_ends_the_actor_all_the_same(stage: Stage) -> None:
    actor = stage.start(on_stop=raising(OSError))
    stopped = actor.stop()
    stage.settle()

    assert answer_of(stopped) is True
    assert not actor.is_alive()


@stopping.asked_of_both(pykka="no")
def a_system_exit_in_on_stop_leaves_nobody_waiting_for_the_end(stage: Stage) -> None:
    actor = stage.start(on_stop=raising(SystemExit, times=2))
    stopped = actor.stop()
    stage.settle()

    assert answer_of(stopped) is True


@stopping.asked_of_both(pykka="yes")
def all_are_stopped_the_last_started_first(stage: Stage) -> None:
    order: list[str] = []
    for name in "abc":
        stage.start(on_stop=lambda _, name=name: order.append(name))  # type: ignore[misc]
    stage.settle()
    stage.stop_all()

    assert order == ["c", "b", "a"]


@stopping.asked_of_both(pykka="no")
def one_that_does_not_stop_does_not_keep_the_others_from_it(stage: Stage) -> None:
    other, hanging = stage.start(), stage.start()
    stage.settle()
    stage.hang(hanging)
    stage.stop_all()

    assert other.seen == ["started", "stopped"]


@stopping.ours("deadlines")
def one_that_misses_its_deadline_is_abandoned_and_reported(world: World) -> None:
    ref, _ = world.recorder(shutdown_s=3)
    told = watching(world, ref)
    ref.tell(hold)
    world.run()
    ref.stop(block=False)
    stopped = world.system.stop()
    world.scheduler.advance(2.9)
    before = ref.is_alive()
    world.scheduler.advance(0.1)

    assert before
    assert not ref.is_alive()
    assert answer_of(stopped) is True
    assert told == ["stopped"]


@stopping.ours("children")
def children_end_before_their_parent(world: World) -> None:
    seen: list[Any] = []
    parent = world.spawn(lambda: Recorder(seen), "parent")
    parent.tell(spawning("child", seen))
    world.run()
    parent.tell(lambda actor: actor.seen.append("parent is next"))
    parent.stop(block=False)
    world.run()

    assert seen[2:] == ["parent is next", "stopped", "stopped"]


@stopping.ours("supervisor")
def one_that_crashes_while_all_stop_is_not_restarted(world: World) -> None:
    ref, seen = world.recorder()
    ref.tell(crash)
    stopped = world.system.stop()
    world.run()

    assert seen == ["started"]
    assert answer_of(stopped) is True


timers = CONTRACT.about("timers")


@timers.ours("timers")
def a_timer_tells_its_message_when_it_is_due_and_not_before(world: World) -> None:
    ref, seen = world.recorder()
    ref.tell(lambda actor: actor.after(5, "ring") and None)
    world.scheduler.advance(4.99)
    early = list(seen)
    world.scheduler.advance(0.01)

    assert (early, seen) == (["started"], ["started", "ring"])


@timers.ours("timers")
def a_cancelled_timer_tells_nothing(world: World) -> None:
    ref, seen = world.recorder()
    ref.tell(lambda actor: actor.after(5, "ring").cancel())
    world.scheduler.advance(10)

    assert seen == ["started"]


@timers.ours("timers")
def timers_end_with_the_incarnation_that_started_them(world: World) -> None:
    crashing, restarted = world.recorder("crashing")
    stopping, stopped = world.recorder("stopping", restart=Restart.TRANSIENT)
    for ref, end in ((crashing, crash), (stopping, stop)):
        ref.tell(lambda actor: actor.after(5, "ring") and None)
        ref.tell(end)
    world.scheduler.advance(10)

    assert (restarted, stopped) == (["started", "started"], ["started", "stopped"])


threads = CONTRACT.about("threads")


@threads.asked_of_both(pykka="yes")
def an_actor_in_a_thread_that_blocks_holds_up_nobody_else(stage: Stage) -> None:
    answers: list[Any] = []

    async def main(start: Start) -> None:
        go = threading.Event()
        blocked, other = start(), start()
        waiting = blocked.ask(lambda _: go.wait(PATIENCE_S))
        answers.append(await other.ask("undisturbed"))
        go.set()
        answers.append(await waiting)

    stage.live(main)

    assert answers == ["undisturbed", True]


@threads.ours("restart")
async def an_actor_in_a_thread_is_restarted_in_a_new_one(system: ActorSystem) -> None:
    worker = system.spawn(ChildSpec(name="worker", factory=Worker))
    first = await worker.ask(lambda _: threading.current_thread(), block=False)
    worker.tell(crash)
    second = await worker.ask(lambda _: threading.current_thread(), block=False)

    assert first is not second
    assert threading.main_thread() not in {first, second}


@threads.ours("supervisor")
async def a_system_exit_in_a_thread_is_a_crash_like_any_other(system: ActorSystem) -> None:
    worker = system.spawn(ChildSpec(name="worker", factory=Worker))
    answer = worker.ask(leave, block=False)
    with contextlib.suppress(SystemExit):
        await answer

    assert isinstance(answer_of(answer), SystemExit)
    assert await worker.ask("still here", block=False) == "still here"


@threads.ours("deadlines")
async def a_thread_that_hangs_is_abandoned_at_the_deadline(system: ActorSystem) -> None:
    go = threading.Event()
    worker = system.spawn(ChildSpec(name="worker", factory=Worker, shutdown_s=0.01))
    worker.tell(lambda _: go.wait(PATIENCE_S))
    waiting = worker.ask("never handled", block=False)
    await asyncio.wait_for(system.stop(), PATIENCE_S)
    go.set()

    assert isinstance(answer_of(waiting), pykka.ActorDeadError)


watchdogs = CONTRACT.about("watchdog")


class Reports:
    """A watchdog while it is on guard, and what it reported."""

    def __init__(self, system: ActorSystem, limit_s: float = 0.02) -> None:
        self.stuck: list[Stuck] = []
        self.barked = threading.Event()
        self._dog = Watchdog(system, limit_s, self._on_stuck)

    def _on_stuck(self, stuck: Stuck) -> None:
        self.stuck.append(stuck)
        self.barked.set()

    def __enter__(self) -> Self:
        self._dog.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._dog.stop()


@watchdogs.ours("watchdog")
async def a_handler_that_blocks_the_loop_is_reported_while_it_blocks_and_once(system: ActorSystem) -> None:
    class Blocking(Actor):
        def on_receive(self, message: Any) -> Any:
            barked = message.wait(PATIENCE_S)
            again = threading.Event().wait(BRIEFLY_S)  # ten times the limit: it could be reported again
            return barked and not again

    with Reports(system) as reports:
        ref = system.spawn(ChildSpec(name="blocking", factory=Blocking))
        barked_meanwhile = await ref.ask(reports.barked, block=False)

    assert barked_meanwhile
    (stuck,) = reports.stuck
    assert (stuck.actor, stuck.message) == ("/blocking", "Event")
    assert stuck.seconds >= 0.02
    assert "message.wait(PATIENCE_S)" in stuck.stack


@watchdogs.ours("watchdog")
async def a_thread_that_is_stuck_is_replaced_and_what_waited_is_handled(system: ActorSystem) -> None:
    go = threading.Event()
    with Reports(system):
        worker = system.spawn(ChildSpec(name="worker", factory=Worker))
        worker.tell(lambda _: go.wait(PATIENCE_S))
        answers = [await worker.ask(number, block=False) for number in range(3)]
        go.set()

    assert answers == [0, 1, 2]
    assert [crash.error for crash in system.crashes] == ["HandlerStuck"]


@watchdogs.ours("watchdog")
async def whoever_asked_what_a_thread_is_stuck_on_is_told(system: ActorSystem) -> None:
    go = threading.Event()
    with Reports(system):
        worker = system.spawn(ChildSpec(name="worker", factory=Worker))
        asked = worker.ask(lambda _: go.wait(PATIENCE_S), block=False)
        with contextlib.suppress(HandlerStuck):
            await asked
        go.set()

    assert isinstance(answer_of(asked), HandlerStuck)


@watchdogs.ours("watchdog")
async def what_a_replaced_thread_does_at_last_changes_nothing(system: ActorSystem) -> None:
    go = threading.Event()
    thread: list[threading.Thread] = []

    def hang(_: Actor) -> None:
        thread.append(threading.current_thread())
        go.wait(PATIENCE_S)
        raise ValueError("too late")

    with Reports(system):
        worker = system.spawn(ChildSpec(name="worker", factory=Worker))
        worker.tell(hang)
        await worker.ask("replaced", block=False)
    go.set()
    await asyncio.to_thread(thread[0].join, PATIENCE_S)

    assert await worker.ask("undisturbed", block=False) == "undisturbed"
    assert [crash.error for crash in system.crashes] == ["HandlerStuck"]


@watchdogs.ours("watchdog")
async def a_thread_that_is_stuck_too_often_is_given_up(system: ActorSystem) -> None:
    go = threading.Event()
    with Reports(system):
        worker = system.spawn(ChildSpec(name="worker", factory=Worker, intensity=NEVER, escalates=False))
        worker.tell(lambda _: go.wait(PATIENCE_S))
        behind = worker.ask("behind it", block=False)
        with contextlib.suppress(pykka.ActorDeadError):
            await behind
        go.set()

    assert not worker.is_alive()


@watchdogs.ours("watchdog")
async def a_thread_that_is_busy_with_many_short_messages_is_not_stuck(system: ActorSystem) -> None:
    with Reports(system, limit_s=0.3) as reports:  # far above what one message takes on a busy machine
        worker = system.spawn(ChildSpec(name="worker", factory=Worker))
        for _ in range(200):
            worker.tell(lambda _: threading.Event().wait(0.003))
        await worker.ask("all done", block=False)

    assert reports.stuck == []


crash_log = CONTRACT.about("crash log")


@crash_log.ours("crash log")
def a_crash_is_kept_with_who_when_on_what_and_why(world: World) -> None:
    ref, _ = world.recorder("fragile")
    world.scheduler.advance(7)
    ref.tell(crash)
    world.run()

    (kept,) = world.system.crashes
    assert (kept.actor, kept.at, kept.message, kept.error) == ("/fragile", 7, "function", "ValueError")
    assert "raise ValueError" in kept.traceback


@crash_log.ours("crash log")
def the_crash_log_keeps_the_newest_and_no_more(world: World) -> None:
    ref, _ = world.recorder(intensity=ALWAYS)
    for _time in range(150):
        ref.tell(crash)
        world.scheduler.advance(1)

    assert [kept.at for kept in world.system.crashes] == list(range(50, 150))


@crash_log.ours("crash log")
def a_failing_on_stop_and_on_failure_are_kept_too(world: World) -> None:
    class Unlucky(Actor):
        def on_receive(self, message: Any) -> Any:
            return message(self)

        def on_failure(self, *_: object) -> None:
            raise LookupError

        def on_stop(self) -> None:
            raise OSError

    ref = world.spawn(Unlucky)
    ref.tell(crash)
    world.run()
    ref.stop(block=False)
    world.run()

    assert Counter(kept.error for kept in world.system.crashes) == Counter(["ValueError", "LookupError", "OSError"])


dead_letters = CONTRACT.about("dead letters")


@dead_letters.asked_of_both(pykka="yes")
def a_message_to_a_dead_actor_is_reported(stage: Stage) -> None:
    actor = stage.start()
    actor.stop()
    stage.settle()
    stage.tell_too_late(actor, "anybody there?")

    assert stage.reported == 1


@dead_letters.asked_of_both(pykka="no")
def a_message_that_was_taken_and_will_not_be_handled_is_reported(stage: Stage) -> None:
    actor = stage.start(restarted=False)
    with stage.paused(actor):
        for message in (crash, "a", "b"):
            actor.tell(message)
    stage.settle()

    assert actor.handled == []
    assert stage.reported == 2


@dead_letters.ours("requests")
def the_sender_of_a_request_to_a_dead_actor_is_told(world: World) -> None:
    sender, heard = world.recorder("sender")
    ref, _ = world.recorder()
    ref.stop(block=False)
    world.run()
    request = Question(sender)
    ref.tell(request)
    world.run()

    (failed,) = heard[1:]
    assert isinstance(failed, RequestFailed)
    assert failed.request is request
    assert isinstance(failed.error, pykka.ActorDeadError)


tree = CONTRACT.about("tree")


@tree.asked_of_both(pykka="yes")
def the_living_can_be_listed_and_the_dead_are_not_among_them(stage: Stage) -> None:
    actors = [stage.start() for _ in range(3)]
    actors[1].stop()
    stage.settle()

    assert stage.living() == 2


@tree.ours("tree")
def the_tree_shows_who_is_below_whom_in_the_order_of_their_start(world: World) -> None:
    parent, _ = world.recorder("parent")
    parent.tell(spawning("b", []))
    parent.tell(spawning("a", []))
    world.recorder("other")

    root = world.system.tree()
    assert (root.name, [node.name for node in root.children]) == ("", ["parent", "other"])
    assert [node.name for node in root.children[0].children] == ["b", "a"]


@tree.ours("tree")
def the_tree_shows_what_each_has_handled_what_waits_and_how_it_crashed(world: World) -> None:
    ref, _ = world.recorder()
    world.scheduler.advance(2)
    ref.tell("a")
    ref.tell(crash)
    world.run()
    world.scheduler.advance(3)
    ref.tell(hold)
    world.run()
    ref.tell("waits")
    ref.tell("waits too")

    (node,) = world.system.tree().children
    assert (node.state, node.depth, node.restarts) == ("running", 2, 1)
    assert node.high_mark >= 2
    assert node.handled >= 2
    assert node.uptime_s == 3
    assert node.last_crash is not None
    assert node.last_crash.error == "ValueError"


@tree.ours("tree")
def the_tree_shows_who_waits_to_be_restarted(world: World) -> None:
    ref, _ = recorder(world, backoff=STEADY)
    ref.tell(crash)
    world.run()
    down = world.system.tree().children[0].state
    world.scheduler.advance(1)

    assert (down, world.system.tree().children[0].state) == ("failed", "running")


determinism = CONTRACT.about("determinism")


def story(seed: int, jitter: float = 0.5) -> list[str]:
    """Return what five actors live through that tell each other, and crash."""
    world = World()
    world.scheduler = VirtualScheduler(seed)
    world.system = ActorSystem(world.scheduler, world.failures.append, seed=seed)
    policy = Backoff(first_s=1, max_s=2, jitter=jitter)
    diary, refs = diarists(world, *"abcde", intensity=ALWAYS, backoff=policy)

    def pass_on(to: str, number: int) -> Any:
        return lambda _: refs[to].tell(number)

    for number in range(20):
        for name, to in zip("abcde", "bcdea", strict=True):
            refs[name].tell(pass_on(to, number))
        refs["abcde"[number % 5]].tell(crash)
        world.scheduler.advance(0.3)
    world.scheduler.advance(60)
    return diary


@determinism.ours("virtual time")
def the_same_seed_tells_the_same_story(_: World) -> None:
    assert all(story(seed) == story(seed) for seed in range(5))


@determinism.ours("virtual time")
def other_seeds_tell_other_stories(_: World) -> None:
    assert len({tuple(story(seed, jitter=0)) for seed in range(10)}) > 5


@determinism.ours("virtual time")
def under_every_seed_all_is_handled_once_and_what_one_sends_in_order(_: World) -> None:
    for seed in range(20):
        diary = story(seed)
        for name in "abcde":
            got = [line for line in diary if line.startswith(f"{name} got")]
            assert got == [f"{name} got {number}" for number in range(20)], seed


@determinism.ours("virtual time")
def time_passes_only_when_it_is_moved(world: World) -> None:
    ref, seen = world.recorder()
    ref.tell(lambda actor: actor.after(0.001, "ring") and None)
    world.run()

    assert seen == ["started"]
    assert world.scheduler.time() == 0


@pytest.mark.parametrize("rule", CONTRACT.rules, ids=lambda rule: rule.name)
def test_our_runtime_keeps_the_rule(rule: Rule) -> None:
    rule.holds_here()


@pytest.mark.parametrize(
    "rule", [rule for rule in CONTRACT.rules if not rule.why_not_asked], ids=lambda rule: rule.name
)
def test_bare_pykka_does_what_the_table_says(rule: Rule) -> None:
    assert rule.asked_of_pykka() == rule.pykka


def main() -> int:
    """Print the table. Anything but 0 means that a row is not as it is written here."""
    results = list(results_of(CONTRACT.rules))
    print(table_of(results))  # noqa: T201  (a command's output)
    return int(any((result.ours, result.pykka) != ("yes", result.rule.pykka) for result in results))


if __name__ == "__main__":
    sys.exit(main())
