"""The answer to an `ask`: a Pykka future that can also be awaited."""

from __future__ import annotations

import asyncio
import concurrent.futures
import sys
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pykka

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import TracebackType

T = TypeVar("T")

_OptExcInfo = tuple[type[BaseException] | None, BaseException | None, "TracebackType | None"]


class Future(pykka.Future[T]):
    """A value that is set once, from any thread.

    `await future` suspends the task; Pykka's own futures block the event loop there. `future.get()` blocks the
    calling thread and is for threads without a loop. Setting a future twice raises `InvalidStateError`, cancelling
    the task that awaits it leaves it as it is.
    """

    def __init__(self) -> None:
        super().__init__()
        self._inner: concurrent.futures.Future[T] = concurrent.futures.Future()

    def get(self, *, timeout: float | None = None) -> T:
        """Return the value, blocking the thread until it is there; raise the exception that was set.

        Raises `pykka.Timeout` after `timeout` seconds.
        """
        if self._get_hook is not None:
            return super().get(timeout=timeout)
        try:
            return self._inner.result(timeout)
        except concurrent.futures.TimeoutError as error:
            if self._inner.done():
                raise
            message = f"{timeout} seconds"
            raise pykka.Timeout(message) from error

    def set(self, value: T | None = None) -> None:
        """Set the value and wake everybody who waits for it."""
        self._inner.set_result(cast("T", value))

    def set_exception(self, exc_info: _OptExcInfo | None = None) -> None:
        """Set an exception: the given `sys.exc_info()` triple, or the one being handled."""
        kind, error, trace = exc_info or sys.exc_info()
        if error is None:
            error = (kind or RuntimeError)()
        self._inner.set_exception(error.with_traceback(trace))

    def __await__(self) -> Generator[Any, None, T]:
        """Suspend until the value is there, then return or raise it."""
        if self._get_hook is not None:  # made by map(), filter() or join(): those only know get()
            return (yield from asyncio.to_thread(self.get).__await__())
        return (yield from asyncio.shield(asyncio.wrap_future(self._inner)).__await__())
