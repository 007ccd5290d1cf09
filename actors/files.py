"""The files actor: between those who bring and fetch files, over HTTP, and the log, which knows whose they are.

It also has what nobody needs any more removed, now and then. Contents pass through none of this: they are in the store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from actors.messages import Clean, Cleaned, FindUpload, KeepUpload, UploadFound, UploadKept
from actors.replies import error_of
from actors.runtime import Actor, ActorRef, Future, RequestFailed
from chat import errors
from chat.errors import CommandError
from chat.log import Upload

if TYPE_CHECKING:
    from collections.abc import Callable

    from actors.runtime import Request
    from chat.errors import Error

MAX_ASKED: Final = 10_000
"""How many requests may be under way; more are refused as "too many requests"."""

UNSENT_LASTS_MS: Final = 24 * 3_600_000
CLEAN_INTERVAL_S: Final = 60.0


class Keep(msgspec.Struct, frozen=True):
    """Store that a file was uploaded. The future's value is False if its user has too much that was not sent."""

    upload: Upload


class Find(msgspec.Struct, frozen=True):
    """Look for an upload. The future's value is the upload, or None."""

    file_id: str


class _CleanDue(msgspec.Struct, frozen=True):
    """Time to look for what nobody needs."""


class FilesActor(Actor):
    """Takes `Keep` and `Find`; what `ask` answers is a future of the result, which may fail with `CommandError`."""

    def __init__(
        self, writer: ActorRef[Any], reader: ActorRef[Any], most_unsent_bytes: int, now_ms: Callable[[], int]
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._most_unsent_bytes = most_unsent_bytes
        self._now_ms = now_ms
        self._asked: dict[int, tuple[Request, Future[Any]]] = {}
        """What is under way, by the identity of the request."""
        self._handlers: dict[type, Callable[[Any], Future[Any] | None]] = {
            Keep: self._keep,
            Find: self._find,
            UploadKept: self._kept,
            UploadFound: self._found,
            RequestFailed: self._failed,
            _CleanDue: self._clean,
            Cleaned: self._cleaned,
        }

    def on_start(self) -> None:
        """Begin to clean."""
        self.after(CLEAN_INTERVAL_S, _CleanDue())

    def on_receive(self, message: Any) -> Future[Any] | None:
        """Handle one message; no kind but those above is ever sent here."""
        return self._handlers[type(message)](message)

    def on_failure(self, *_: object) -> None:
        """Answer for what was under way."""
        self._fail_all()

    def on_stop(self) -> None:
        """Answer for what was under way."""
        self._fail_all()

    def _keep(self, keep: Keep) -> Future[Any]:
        return self._ask(self._writer, KeepUpload(self.actor_ref, keep.upload, self._most_unsent_bytes))

    def _find(self, find: Find) -> Future[Any]:
        return self._ask(self._reader, FindUpload(self.actor_ref, "", find.file_id))

    def _ask(self, receiver: ActorRef[Any], request: Request) -> Future[Any]:
        answer: Future[Any] = Future()
        if len(self._asked) >= MAX_ASKED:
            _fail(answer, errors.TOO_MANY_REQUESTS)
        else:
            self._asked[id(request)] = request, answer
            receiver.tell(request)
        return answer

    def _kept(self, kept: UploadKept) -> None:
        self._answer(kept.request, kept.fits)

    def _found(self, found: UploadFound) -> None:
        self._answer(found.request, found.upload)

    def _answer(self, request: Request, value: Any) -> None:
        asked = self._asked.pop(id(request), None)
        if asked is not None:  # else an earlier incarnation asked, and has answered for itself
            asked[1].set(value)

    def _failed(self, failed: RequestFailed) -> None:
        if type(failed.request) is Clean:
            self.after(CLEAN_INTERVAL_S, _CleanDue())
            return
        asked = self._asked.pop(id(failed.request), None)
        if asked is not None:
            _fail(asked[1], error_of(failed.error))

    def _fail_all(self) -> None:
        asked, self._asked = self._asked, {}
        for _, answer in asked.values():
            _fail(answer, errors.INTERNAL)

    def _clean(self, _: _CleanDue) -> None:
        self._writer.tell(Clean(self.actor_ref, self._now_ms() - UNSENT_LASTS_MS))

    def _cleaned(self, cleaned: Cleaned) -> None:
        self.after(0.0 if cleaned.more else CLEAN_INTERVAL_S, _CleanDue())


def _fail(answer: Future[Any], error: Error) -> None:
    failure = CommandError(error)
    answer.set_exception((CommandError, failure, None))
