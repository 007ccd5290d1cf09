from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from tests.server import Server


def test_a_running_chat_is_healthy_and_ready(server: Server) -> None:
    assert httpx.get(server.url + "/healthz").json() == {
        "status": "ok",
        "recent_crashes": 0,
        "closed_rooms": 0,
        "down": 0,
        "stuck": 0,
    }
    assert httpx.get(server.url + "/readyz").json() == {"status": "ready"}
