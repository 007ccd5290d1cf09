"""What a process manager asks: whether the process is alive, and whether it should get traffic."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

router = APIRouter()


@router.get("/healthz")
async def healthz(request: Request) -> JSONResponse:
    """200 while the chat works, with how its actors are; 503 once it cannot go on and the process is about to end.

    A degraded chat is alive: what is down comes back by itself, and a restart of the process would help nobody.
    """
    if request.app.state.failed:
        return JSONResponse({"status": "failed"}, 503)
    return JSONResponse(msgspec.to_builtins(request.app.state.chat.health()))


@router.get("/readyz")
async def readyz(request: Request) -> JSONResponse:
    """200 while new connections are welcome; 503 from SIGTERM on."""
    draining = request.app.state.gateway.draining
    return JSONResponse({"status": "draining" if draining else "ready"}, 503 if draining else 200)
