"""The WebSocket endpoints: which address speaks which wire.

They are served before anything else of the application. A route of FastAPI's is a stack of a dozen coroutines, and a
connection would keep them for as long as it lasts: a third of the memory that it takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket

from chat.plaintext import PlainText, is_client_id
from chat.wire import JsonWire
from web.gateway import refuse

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from web.gateway import Gateway

LOBBY: Final = "lobby"

JSON: Final = "/connection/websocket"
PLAIN: Final = "/ws/"

JSON_SUBPROTOCOL: Final = "centrifuge-json"
PROTOBUF_SUBPROTOCOL: Final = "centrifuge-protobuf"

_json_wire: Final = JsonWire()  # has no state: all connections share it

router = APIRouter()


class ServeSockets:
    """Pure ASGI middleware: serves the WebSockets of both wires, and passes everything else on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve or pass on. Not a coroutine itself: it would stay on the stack of each connection."""
        if scope["type"] == "websocket":
            path: str = scope["path"].removeprefix(scope.get("root_path", ""))
            if path == JSON:
                return _json(WebSocket(scope, receive, send))
            if path.startswith(PLAIN):
                return _plain(WebSocket(scope, receive, send), path.removeprefix(PLAIN))
        return self._app(scope, receive, send)


def _gateway(websocket: WebSocket) -> Gateway:
    gateway: Gateway = websocket.app.state.gateway
    return gateway


def _json(websocket: WebSocket) -> Awaitable[None]:
    """The Centrifugo client protocol in JSON. One that wants Protobuf is refused, since it would wait for ever."""
    offered = websocket.scope.get("subprotocols", [])
    query = websocket.query_params
    protobuf = "protobuf" in {query.get("format"), query.get("cf_protocol")}
    if protobuf or (PROTOBUF_SUBPROTOCOL in offered and JSON_SUBPROTOCOL not in offered):
        return refuse(websocket, 400, "this server speaks the JSON protocol only")
    subprotocol = JSON_SUBPROTOCOL if JSON_SUBPROTOCOL in offered else None
    return _gateway(websocket).serve(websocket, _json_wire, subprotocol)


def _plain(websocket: WebSocket, client_id: str) -> Awaitable[None]:
    """Plain text, to and from the lobby."""
    if not is_client_id(client_id):
        return refuse(websocket, 400, "client_id must be an integer up to 2^53 or a short name")
    return _gateway(websocket).serve(websocket, PlainText(client_id, LOBBY))


@router.get("/connection/websocket", include_in_schema=False)
@router.get("/ws/{client_id}", include_in_schema=False)
async def upgrade_required(request: Request) -> PlainTextResponse:
    """Tell somebody who came with plain HTTP."""
    headers = {"Connection": "Upgrade", "Upgrade": "websocket"}
    return PlainTextResponse(f"{request.url.path} is a WebSocket\n", 426, headers)
