"""What all tests share."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
import structlog

from tests.server import Server, running

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True, scope="session")
def _short_tracebacks() -> None:
    """Show the crashes that tests provoke without all local variables."""
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback, colors=False)
    structlog.configure(processors=[structlog.processors.add_log_level, plain])


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Run one server for all tests of a module. A test that needs it to itself starts its own."""
    with running() as server:
        yield server


@pytest.fixture
def port() -> str:
    """Return a port that is free, for a server that is started twice at the same address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return str(free.getsockname()[1])
