"""Log lines: events with keys, from structlog and from the standard library alike, in one form.

For people on a terminal, as JSON otherwise. What users write and what they authenticate with is never logged: no
call passes it, and tracebacks are without local variables.
"""

from __future__ import annotations

import logging
import logging.config
import sys
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger


def configure_logging(*, level: str, log_format: str) -> None:
    """Set up structlog and the root logger, and have uvicorn's loggers go through it."""
    json = log_format == "json" or (log_format == "auto" and not sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        _describe_uvicorn,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    renderer: Processor
    if json:
        shared.append(structlog.processors.format_exc_info)
        renderer = structlog.processors.JSONRenderer()
    else:
        # (its usual tracebacks show local variables, and those hold messages)
        renderer = structlog.dev.ConsoleRenderer(
            exception_formatter=structlog.dev.plain_traceback, colors=sys.stderr.isatty()
        )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        pass_foreign_args=True,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.setLevel(logging.NOTSET)  # as much as the root logger lets through
        logger.propagate = True
    logging.getLogger("uvicorn.error").addFilter(_is_news)


def _describe_uvicorn(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Turn uvicorn's lines about requests into events with keys, without the query, which may hold what is secret."""
    args: tuple[Any, ...] = event.pop("positional_args", ())
    record: logging.LogRecord | None = event.get("_record")
    if record is None or not record.name.startswith("uvicorn"):
        return event
    match args:
        case (client, method, path, _, status):
            event.update(event="http.request", client=client, method=method, status=status)
        case (client, path) if '"WebSocket' in record.msg:
            event.update(event="websocket.request", client=client, outcome=record.msg.rpartition(" ")[2])
        case _:
            return event
    event["path"] = str(path).partition("?")[0]
    return event


def _is_news(record: logging.LogRecord) -> bool:
    """Leave out what the client actors say better."""
    return record.msg not in {"connection open", "connection closed"}
