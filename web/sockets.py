"""The WebSocket endpoints: which address speaks which wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, Request, WebSocket
from starlette.responses import PlainTextResponse

from chat.plaintext import PlainText, is_client_id
from chat.wire import JsonWire
from web.gateway import refuse

if TYPE_CHECKING:
    from web.gateway import Gateway

LOBBY: Final = "lobby"

JSON_SUBPROTOCOL: Final = "centrifuge-json"
PROTOBUF_SUBPROTOCOL: Final = "centrifuge-protobuf"

router = APIRouter()


def _gateway(websocket: WebSocket) -> Gateway:
    gateway: Gateway = websocket.app.state.gateway
    return gateway


@router.websocket("/connection/websocket")
async def connection(websocket: WebSocket) -> None:
    """The Centrifugo client protocol in JSON. One that wants Protobuf is refused, since it would wait for ever."""
    offered = websocket.scope.get("subprotocols", [])
    query = websocket.query_params
    protobuf = "protobuf" in {query.get("format"), query.get("cf_protocol")}
    if protobuf or (PROTOBUF_SUBPROTOCOL in offered and JSON_SUBPROTOCOL not in offered):
        await refuse(websocket, 400, "this server speaks the JSON protocol only")
        return
    subprotocol = JSON_SUBPROTOCOL if JSON_SUBPROTOCOL in offered else None
    await _gateway(websocket).serve(websocket, JsonWire(), subprotocol)


@router.websocket("/ws/{client_id}")
async def plain(websocket: WebSocket, client_id: str) -> None:
    """Plain text, to and from the lobby."""
    if not is_client_id(client_id):
        await refuse(websocket, 400, "client_id must be an integer up to 2^53 or a short name")
        return
    await _gateway(websocket).serve(websocket, PlainText(client_id, LOBBY))


@router.get("/connection/websocket", include_in_schema=False)
@router.get("/ws/{client_id}", include_in_schema=False)
async def upgrade_required(request: Request) -> PlainTextResponse:
    """Tell somebody who came with plain HTTP."""
    headers = {"Connection": "Upgrade", "Upgrade": "websocket"}
    return PlainTextResponse(f"{request.url.path} is a WebSocket\n", 426, headers)
