"""What the conformance suite stands on: rules, and the two runtimes that they are put to.

A rule that both can be asked is written against `Stage`, the little that they have in common. Pykka's stage is real
threads: it waits for what must come, never longer than `PATIENCE_S`, and never for luck.
"""

from __future__ import annotations

import abc
import asyncio
import contextlib
import inspect
import logging
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypeVar

import pykka
from structlog.testing import capture_logs

from actors.runtime import Actor, ActorSystem, ChildSpec, LoopScheduler, Restart, ThreadActor
from tests.actors.runtime.conftest import World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from types import TracebackType
    from typing import Self

Outcome = Literal["yes", "no", "not asked"]

PATIENCE_S = 10.0
"""How long something may take that must come. Only what is broken takes that long."""

BRIEFLY_S = 0.2
"""How long Pykka is left in a state that it does not leave by itself."""

NOT_ASKED = "–"  # noqa: RUF001  (the sign for it in a table)

F = TypeVar("F", bound="Callable[..., Any]")

# Rules


@dataclass(frozen=True)
class Rule:
    """One sentence of the contract, and what shows that it holds: `check` raises `AssertionError` where it does not."""

    subject: str
    check: Callable[..., Any]
    pykka: Outcome
    """What bare Pykka is known to do."""
    why_not_asked: str

    @property
    def name(self) -> str:
        return self.check.__name__

    @property
    def sentence(self) -> str:
        return re.sub(r"\bon (start|stop|failure)\b", r"on_\1", self.name.replace("_", " "))

    def holds_here(self) -> None:
        """Put the rule to our runtime."""
        if self.pykka != "not asked":
            with OurStage() as stage:
                self.check(stage)
        elif inspect.iscoroutinefunction(self.check):
            asyncio.run(self._with_live_system())
        else:
            self.check(World())

    async def _with_live_system(self) -> None:
        system = ActorSystem(LoopScheduler(asyncio.get_running_loop()))
        await self.check(system)
        await asyncio.wait_for(system.stop(), PATIENCE_S)

    def asked_of_pykka(self) -> Outcome:
        """Put the rule to bare Pykka. Any other error than a failed assertion is one of the suite."""
        if self.pykka == "not asked":
            return "not asked"
        with PykkaStage() as stage:
            try:
                self.check(stage)
            except AssertionError:
                return "no"
        return "yes"


class Contract:
    """All rules, in the order in which they are written."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []

    def about(self, subject: str) -> Section:
        return Section(self, subject)


class Section:
    """The rules of one subject. As a decorator, it makes a function one of them."""

    def __init__(self, contract: Contract, subject: str) -> None:
        self._contract = contract
        self._subject = subject

    def asked_of_both(self, *, pykka: Literal["yes", "no"]) -> Callable[[F], F]:
        """Make a function that takes a `Stage` a rule. `pykka` is what Pykka is known to do."""
        return self._rule(pykka, "")

    def ours(self, why_not_asked: str) -> Callable[[F], F]:
        """Make a function a rule that Pykka cannot be asked, since it has no such thing as `why_not_asked` names.

        It takes a `World`; if it is a coroutine function, an `ActorSystem` on a real event loop.
        """
        return self._rule("not asked", why_not_asked)

    def _rule(self, pykka: Outcome, why_not_asked: str) -> Callable[[F], F]:
        def add(check: F) -> F:
            self._contract.rules.append(Rule(self._subject, check, pykka, why_not_asked))
            return check

        return add


# What both runtimes have


class Sayings:
    """The actor of all common rules: writes down what it lives through, and calls a message that is callable."""

    def __init__(self, seen: list[Any], hooks: dict[str, Callable[[Any], object]]) -> None:
        super().__init__()
        self.seen = seen
        self.hooks = hooks
        self.count = 0

    def add(self, number: int) -> int:
        """For proxies."""
        self.count += number
        return self.count

    def on_start(self) -> None:
        self._live("on_start")
        self.seen.append("started")

    def on_receive(self, message: Any) -> Any:
        if callable(message):
            return message(self)
        self.seen.append(message)
        return message

    def on_failure(self, kind: Any, error: Any, trace: Any) -> None:
        self.seen.append(error)
        self._live("on_failure")

    def on_stop(self) -> None:
        self._live("on_stop")
        self.seen.append("stopped")

    def _live(self, hook: str) -> None:
        if hook in self.hooks:
            self.hooks[hook](self)


class Subject:
    """An actor on a stage, and what it saw."""

    def __init__(self, ref: pykka.ActorRef[Any], seen: list[Any]) -> None:
        self.ref = ref
        self.seen = seen

    def tell(self, message: Any) -> None:
        self.ref.tell(message)

    def ask(self, message: Any) -> pykka.Future[Any]:
        return self.ref.ask(message, block=False)

    def stop(self) -> pykka.Future[bool]:
        return self.ref.stop(block=False)

    def is_alive(self) -> bool:
        return self.ref.is_alive()

    @property
    def failures(self) -> list[type[BaseException]]:
        """What it was told through `on_failure`."""
        return [type(item) for item in self.seen if isinstance(item, BaseException)]

    @property
    def handled(self) -> list[Any]:
        """The messages that it handled, of those that are not callable."""
        return [
            item for item in self.seen if not isinstance(item, BaseException) and item not in {"started", "stopped"}
        ]


class Start(Protocol):
    def __call__(self, *, restarted: bool = True, **hooks: Callable[[Any], object]) -> Subject:
        """Start an actor. Hooks are called in its `on_start`, `on_failure` and `on_stop`."""


class Stage(abc.ABC):
    """A runtime that rules can be put to. Nothing is known to have happened before `settle`."""

    reported: int
    """How many messages the runtime said it could not deliver."""

    @abc.abstractmethod
    def start(self, *, restarted: bool = True, **hooks: Callable[[Any], object]) -> Subject:
        """Start an actor. Hooks are called in its `on_start`, `on_failure` and `on_stop`.

        `restarted=False` where the rule is of an actor that ends when it crashes, as all of Pykka's do.
        """

    @abc.abstractmethod
    def settle(self) -> None:
        """Let all happen that is under way."""

    @abc.abstractmethod
    def paused(self, subject: Subject) -> contextlib.AbstractContextManager[None]:
        """Hold the actor back meanwhile, so that what it is told waits in its mailbox."""

    @abc.abstractmethod
    def tell_too_late(self, subject: Subject, message: Any) -> None:
        """Tell an actor that has ended; count it as `reported` if the runtime reports it."""

    @abc.abstractmethod
    def hang(self, subject: Subject) -> None:
        """Bring the actor where it does not stop when told to."""

    @abc.abstractmethod
    def stop_all(self) -> None:
        """Stop all actors, with the deadline that the runtime has for that."""

    @abc.abstractmethod
    def living(self) -> int:
        """Count the actors that the runtime lists as living."""

    @abc.abstractmethod
    def logged(self) -> str:
        """All that was logged."""

    @abc.abstractmethod
    def live(self, main: Callable[[Start], Awaitable[None]]) -> None:
        """Run `main` on an event loop, with a function that starts actors in threads."""


def answer_of(future: pykka.Future[Any]) -> Any:
    """Return what has come of an ask or a stop: the value, the exception, or `pykka.Timeout` if nothing has."""
    try:
        return future.get(timeout=0)
    except BaseException as error:  # noqa: BLE001  (it is the answer)
        return error


def in_another_thread(call: Callable[[], Any]) -> Any:
    """Return what `call` returns or raises in a thread that has no event loop."""
    came: list[Any] = []

    def run() -> None:
        try:
            came.append(call())
        except Exception as error:  # noqa: BLE001  (it is the answer)
            came.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    return came[0] if came else pykka.Timeout("still blocked")


# Ours


class OurActor(Sayings, Actor):
    """On the loop."""


class OurThreadActor(Sayings, ThreadActor):  # type: ignore[misc]  # (as ThreadActor itself)
    """In a thread."""


class OurStage(Stage):
    """Our runtime, in virtual time."""

    def __init__(self) -> None:
        self.world = World()
        self._started = 0
        self._lines: list[Any] = []
        self._captured = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self._lines = self._captured.enter_context(capture_logs())
        return self

    def __exit__(self, *_: object) -> None:
        self._captured.close()

    @property
    def reported(self) -> int:  # type: ignore[override]  # (counted by the system)
        return self.world.system.dead_letters

    def start(self, *, restarted: bool = True, **hooks: Callable[[Any], object]) -> Subject:
        return self._start(self.world.system, OurActor, restarted=restarted, hooks=hooks)

    def _start(
        self,
        system: ActorSystem,
        kind: type[OurActor | OurThreadActor],
        *,
        restarted: bool,
        hooks: dict[str, Callable[[Any], object]],
    ) -> Subject:
        self._started += 1
        seen: list[Any] = []
        restart = Restart.PERMANENT if restarted else Restart.TEMPORARY
        return Subject(
            system.spawn(ChildSpec(name=f"{self._started}", factory=lambda: kind(seen, hooks), restart=restart)), seen
        )

    def settle(self) -> None:
        self.world.run()

    def paused(self, subject: Subject) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()  # nothing happens before the world runs

    def tell_too_late(self, subject: Subject, message: Any) -> None:
        subject.tell(message)

    def hang(self, subject: Subject) -> None:
        subject.tell(lambda actor: actor.hold())
        self.settle()

    def stop_all(self) -> None:
        self.world.system.stop()
        self.world.scheduler.advance(60)

    def living(self) -> int:
        return len(self.world.system.tree().children)

    def logged(self) -> str:
        return str(self._lines)

    def live(self, main: Callable[[Start], Awaitable[None]]) -> None:
        async def run() -> None:
            system = ActorSystem(LoopScheduler(asyncio.get_running_loop()))

            def start(*, restarted: bool = True, **hooks: Callable[[Any], object]) -> Subject:
                return self._start(system, OurThreadActor, restarted=restarted, hooks=hooks)

            await main(start)
            await asyncio.wait_for(system.stop(), PATIENCE_S)

        asyncio.run(run())


# Pykka's


class PykkaActor(Sayings, pykka.ThreadingActor):
    """As its documentation makes one."""

    use_daemon_thread: ClassVar[bool] = True

    thread: threading.Thread | None = None

    def _actor_loop(self) -> None:
        self.thread = threading.current_thread()
        super()._actor_loop()


class PykkaStage(Stage):
    """Bare Pykka. Its registry is one for the process, so there is one stage at a time, and it is left empty."""

    def __init__(self) -> None:
        self.reported = 0
        self._actors: list[tuple[Subject, PykkaActor]] = []
        self._closing = threading.Event()
        self._logger = logging.getLogger("pykka")
        self._log = _Lines()
        self._excepthook = threading.excepthook

    def __enter__(self) -> Self:
        assert not pykka.ActorRegistry.get_all()
        self._excepthook, threading.excepthook = threading.excepthook, lambda _: None  # what it lets escape, escapes
        self._logger.addHandler(self._log)
        self._logger.propagate = False
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        for subject, actor in self._actors:
            subject.stop()
            pykka.ActorRegistry.unregister(subject.ref)
            if actor.thread is not None:
                actor.thread.join(PATIENCE_S)
        threading.excepthook = self._excepthook
        self._logger.removeHandler(self._log)
        self._logger.propagate = True

    def start(self, *, restarted: bool = True, **hooks: Callable[[Any], object]) -> Subject:
        made: list[PykkaActor] = []

        class Kept(PykkaActor):
            def __init__(self, seen: list[Any]) -> None:
                super().__init__(seen, hooks)
                made.append(self)

        seen: list[Any] = []
        subject = Subject(Kept.start(seen), seen)
        self._actors.append((subject, made[0]))
        return subject

    def settle(self) -> None:
        """Have every actor answer a question that comes after all else, until none has anything new to say."""
        before: list[int] | None = None
        while (now := [len(subject.seen) for subject, _ in self._actors]) != before:
            before = now
            for subject, actor in self._actors:
                self._settle(subject, actor)

    def _settle(self, subject: Subject, actor: PykkaActor) -> None:
        marker = subject.ask(lambda _: None)
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                marker.get(timeout=0.02)
            except pykka.Timeout:
                if actor.thread is not None and not actor.thread.is_alive():
                    return  # it died without having said so
            except pykka.ActorDeadError:
                assert actor.thread is not None
                actor.thread.join(PATIENCE_S)
                return
            else:
                return
        raise TimeoutError(f"{subject.ref} does not come to rest")

    @contextlib.contextmanager
    def paused(self, subject: Subject) -> Iterator[None]:
        go = threading.Event()
        subject.tell(lambda _: go.wait(PATIENCE_S))
        yield
        go.set()

    def tell_too_late(self, subject: Subject, message: Any) -> None:
        try:
            subject.tell(message)
        except pykka.ActorDeadError:
            self.reported += 1

    def hang(self, subject: Subject) -> None:
        hanging = threading.Event()

        def wait(_: Any) -> None:
            hanging.set()
            self._closing.wait(PATIENCE_S)

        subject.tell(wait)
        hanging.wait(PATIENCE_S)

    def stop_all(self) -> None:
        with contextlib.suppress(pykka.Timeout):
            pykka.ActorRegistry.stop_all(timeout=BRIEFLY_S)

    def living(self) -> int:
        return len(pykka.ActorRegistry.get_all())

    def logged(self) -> str:
        return "\n".join(self._log.lines)

    def live(self, main: Callable[[Start], Awaitable[None]]) -> None:
        async def run() -> None:
            await main(self.start)

        asyncio.run(run())


class _Lines(logging.Handler):
    """What Pykka logs."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


# The table


@dataclass(frozen=True)
class Result:
    """What came of one rule."""

    rule: Rule
    ours: Outcome
    pykka: Outcome


def results_of(rules: list[Rule]) -> Iterator[Result]:
    """Put every rule to both runtimes."""
    for rule in rules:
        ours: Outcome = "yes"
        with capture_logs():
            try:
                rule.holds_here()
            except Exception:  # noqa: BLE001  (`make test` says which, and why)
                ours = "no"
        yield Result(rule, ours, rule.asked_of_pykka())


def table_of(results: list[Result]) -> str:
    """Return "rule | ours | Pykka" as aligned text, one block a subject, and the totals."""
    width = max(len(result.rule.sentence) for result in results) + 2
    lines = [f"{'rule':<{width}} | ours | Pykka {version('pykka')}"]
    subject = ""
    for result in results:
        if result.rule.subject != subject:
            subject = result.rule.subject
            lines += ["-" * width + "-+------+------", subject]
        theirs = f"{NOT_ASKED}  (has no {result.rule.why_not_asked})" if result.pykka == "not asked" else result.pykka
        lines.append(f"  {result.rule.sentence:<{width - 2}} | {result.ours:<4} | {theirs}")
    ours = Counter(result.ours for result in results)
    pykkas = Counter(result.pykka for result in results)
    asked = pykkas["yes"] + pykkas["no"]
    lines += [
        "-" * width + "-+------+------",
        f"ours {ours['yes']} of {len(results)}, Pykka {pykkas['yes']} of {asked} that can be asked",
    ]
    return "\n".join(lines)
