from __future__ import annotations

import io
import json
import logging
import logging.config
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from uvicorn.config import LOGGING_CONFIG

from chat.logs import configure_logging

LOGGERS = ("", "uvicorn", "uvicorn.error", "uvicorn.access")
SECRET = "what a user wrote"  # noqa: S105  (it stands for a message)


@pytest.fixture(autouse=True)
def _restored_logging() -> Iterator[None]:
    """Put back what `configure_logging` sets for the whole process."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [(logger.handlers, logger.filters[:], logger.level, logger.propagate) for logger in loggers]
    configured = structlog.get_config()
    yield
    for logger, (handlers, filters, level, propagate) in zip(loggers, before, strict=True):
        logger.handlers, logger.filters = handlers, filters
        logger.setLevel(level)
        logger.propagate = propagate
    structlog.configure(**configured)


class Terminal(io.StringIO):
    """A standard error that says whether somebody looks at it."""

    def __init__(self, *, tty: bool) -> None:
        super().__init__()
        self._tty = tty

    def isatty(self) -> bool:
        return self._tty


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Terminal]:
    """Return a function that configures logging as uvicorn's start finds it, and returns where lines go."""

    def configure(log_format: str = "json", level: str = "info", *, tty: bool = False) -> Terminal:
        terminal = Terminal(tty=tty)
        monkeypatch.setattr(sys, "stderr", terminal)
        logging.config.dictConfig(LOGGING_CONFIG)
        configure_logging(level=level, log_format=log_format)
        return terminal

    return configure


def events(terminal: Terminal) -> list[dict[str, Any]]:
    return [json.loads(line) for line in terminal.getvalue().splitlines()]


def event(terminal: Terminal) -> dict[str, Any]:
    (only,) = events(terminal)
    return only


def access(path: str) -> None:
    """Log a request as uvicorn does."""
    logging.getLogger("uvicorn.access").info('%s - "%s %s HTTP/%s" %d', "127.0.0.1:5000", "GET", path, "1.1", 200)


def fail(text: str) -> None:
    """Raise in a function that has a message in its local variables."""
    message = {"text": text}
    raise KeyError(len(message))


# Forms


def test_a_json_line_is_an_event_with_its_keys(configure: Callable[..., Terminal]) -> None:
    terminal = configure("json")

    structlog.get_logger().bind(client="c1").warning("client.closed", code=3008)

    line = event(terminal)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "client.closed", "level": "warning", "client": "c1", "code": 3008}


def test_a_console_line_is_for_people(configure: Callable[..., Terminal]) -> None:
    terminal = configure("console")

    structlog.get_logger().info("client.closed", code=3008)

    (line,) = terminal.getvalue().splitlines()
    assert "client.closed" in line
    assert "code=3008" in line


@pytest.mark.parametrize(("tty", "begins"), [(True, "\x1b["), (False, "{")])
def test_auto_is_for_people_on_a_terminal_and_json_elsewhere(
    configure: Callable[..., Terminal], begins: str, *, tty: bool
) -> None:
    terminal = configure("auto", tty=tty)

    structlog.get_logger().info("client.closed")

    assert terminal.getvalue().startswith(begins)


def test_a_console_that_is_no_terminal_gets_no_colours(configure: Callable[..., Terminal]) -> None:
    terminal = configure("console")

    structlog.get_logger().info("client.closed", code=3008)

    assert "\x1b" not in terminal.getvalue()


@pytest.mark.parametrize(("level", "logged"), [("debug", 3), ("info", 2), ("error", 1)])
def test_less_severe_events_are_left_out(configure: Callable[..., Terminal], level: str, logged: int) -> None:
    terminal = configure(level=level)

    log = structlog.get_logger()
    log.debug("a")
    log.info("b")
    log.error("c")

    assert len(events(terminal)) == logged


def test_the_standard_librarys_lines_have_the_same_form(configure: Callable[..., Terminal]) -> None:
    terminal = configure("json")

    logging.getLogger("asyncio").warning("%s is %d", "answer", 42)

    line = event(terminal)
    assert (line["event"], line["level"]) == ("answer is 42", "warning")
    assert "positional_args" not in line


# uvicorn's lines


def test_a_request_is_an_event_with_keys(configure: Callable[..., Terminal]) -> None:
    terminal = configure("json")

    access("/r/lobby")

    line = event(terminal)
    assert line["event"] == "http.request"
    assert (line["method"], line["path"], line["status"]) == ("GET", "/r/lobby", 200)
    assert line["client"] == "127.0.0.1:5000"


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_the_query_of_a_request_is_not_logged(configure: Callable[..., Terminal], log_format: str) -> None:
    terminal = configure(log_format)

    access("/r/lobby?token=hunter2")

    assert "/r/lobby" in terminal.getvalue()
    assert "hunter2" not in terminal.getvalue()


@pytest.mark.parametrize(
    ("message", "outcome"), [('%s - "WebSocket %s" [accepted]', "[accepted]"), ('%s - "WebSocket %s" 403', "403")]
)
def test_a_handshake_is_an_event_without_the_query(
    configure: Callable[..., Terminal], message: str, outcome: str
) -> None:
    terminal = configure("json")

    logging.getLogger("uvicorn.error").info(message, ("127.0.0.1", 5000), "/connection/websocket?token=hunter2")

    line = event(terminal)
    assert line["event"] == "websocket.request"
    assert (line["path"], line["outcome"]) == ("/connection/websocket", outcome)
    assert "hunter2" not in terminal.getvalue()


@pytest.mark.parametrize("message", ["connection open", "connection closed"])
def test_what_client_actors_say_better_is_left_out(configure: Callable[..., Terminal], message: str) -> None:
    terminal = configure("json")

    logging.getLogger("uvicorn.error").info(message)

    assert terminal.getvalue() == ""


def test_what_else_uvicorn_says_stays_as_it_is(configure: Callable[..., Terminal]) -> None:
    terminal = configure("json")

    logging.getLogger("uvicorn.error").info("Started server process [%d]", 7, extra={"color_message": "%d"})

    assert event(terminal)["event"] == "Started server process [7]"


def test_each_of_uvicorns_lines_comes_once(configure: Callable[..., Terminal]) -> None:
    terminal = configure("json")

    logging.getLogger("uvicorn").info("a")
    logging.getLogger("uvicorn.error").info("b")
    access("/")

    assert [line["event"] for line in events(terminal)] == ["a", "b", "http.request"]


# Tracebacks


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize("tty", [True, False])
def test_a_traceback_has_no_local_variables(configure: Callable[..., Terminal], log_format: str, *, tty: bool) -> None:
    terminal = configure(log_format, tty=tty)

    try:
        fail(SECRET)
    except KeyError as error:
        structlog.get_logger().error("actor.crashed", exc_info=error)

    assert "in fail" in terminal.getvalue()
    assert SECRET not in terminal.getvalue()


def test_a_traceback_of_the_standard_library_has_none_either(configure: Callable[..., Terminal]) -> None:
    terminal = configure("console", tty=True)

    try:
        fail(SECRET)
    except KeyError:
        logging.getLogger("asyncio").exception("Exception in callback")

    assert "in fail" in terminal.getvalue()
    assert SECRET not in terminal.getvalue()


def test_a_json_line_is_one_line_with_its_traceback(configure: Callable[..., Terminal]) -> None:
    terminal = configure("json")

    try:
        fail(SECRET)
    except KeyError:
        structlog.get_logger().exception("actor.crashed")

    assert "KeyError: 1" in event(terminal)["exception"]


def test_uvicorns_lines_are_held_to_the_same_level(configure: Callable[..., Terminal]) -> None:
    terminal = configure(level="warning")

    logging.getLogger("uvicorn.error").info("Started server process")
    logging.getLogger("uvicorn.error").warning("something odd")

    assert [event["event"] for event in events(terminal)] == ["something odd"]
