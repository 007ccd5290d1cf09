"""The composition root: reads the settings, puts the parts together, and is what `uvicorn chat.main:app` serves."""

from __future__ import annotations

import gc
import importlib.metadata
from typing import TYPE_CHECKING, Final

from actors.system import ChatSystem
from chat.admission import Admission
from chat.file_store import FileStore
from chat.files import Files, Keys
from chat.identity import Door, Guests
from chat.log import Database, DatabaseError, SqliteLog
from chat.logs import configure_logging
from chat.settings import Settings, SettingsError
from web.app import create_app
from web.origins import Origins

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI

    from actors.runtime import Scheduler

GC_THRESHOLDS: Final = (5_000, 5, 400)
"""Chosen from measured pauses, see ARCHITECTURE.md, "Fan-out"."""

VERSION = importlib.metadata.version("parley")


def tame_collector() -> None:
    """Have the garbage collector look less often, and never at what was there at the start.

    It stops everything while it looks.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def open_files(settings: Settings, room_log: SqliteLog) -> Files:
    """Open the store of files, beside the database. Raises `DatabaseError`."""
    folder, limits = settings.files_path(), settings.file_limits()
    try:
        store = FileStore.open(folder.resolve(), limits.files_max_bytes, room_log.referred)
    except OSError as error:
        raise DatabaseError(
            f"the folder of files {folder} cannot be used ({error.strerror}): give this user the right to, "
            "or set CHAT_FILES=off"
        ) from None
    return Files(store, Keys(room_log.secret()), limits)


def build(settings: Settings) -> FastAPI:
    """Make the application that these settings describe."""
    configure_logging(level=settings.log_level, log_format=settings.log_format)
    classes = settings.room_classes()
    tokens = settings.tokens()
    admission = Admission(settings.admission())

    def make_chat(scheduler: Scheduler, on_failure: Callable[[BaseException], object]) -> ChatSystem:
        room_log = SqliteLog(Database.open(settings.database_path()))
        chat = ChatSystem(
            scheduler,
            room_log=room_log,
            door=Door(Guests(room_log.secret()) if settings.guests else None, tokens),
            classes=classes,
            version=VERSION,
            on_failure=on_failure,
            chaos=settings.chaos,
            files=open_files(settings, room_log) if settings.files else None,
        )
        admission.limits_hit = chat.counts.limits_hit  # nobody has asked to come in yet
        chat.watch(settings.stuck_after_s)
        tame_collector()
        return chat

    return create_app(
        make_chat,
        drain_timeout_s=settings.drain_timeout_s,
        api_key=settings.api_key.get_secret_value() if settings.api_key is not None else None,
        with_metrics=settings.metrics,
        admission=admission,
        origins=Origins(settings.origins()),
        request_timeout_s=settings.request_timeout_s,
        token_url=settings.token_url,
    )


def _build_or_exit() -> FastAPI:
    try:
        return build(Settings.from_environment())
    except SettingsError as error:
        raise SystemExit(f"parley: {error}") from None


app = _build_or_exit()
