"""The tutorial's chat: FastAPI, a list of connections, `await send_text` to each. `python -m … PORT`."""

from __future__ import annotations

import sys

import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

app = FastAPI()
connections: list[WebSocket] = []


@app.websocket("/")
async def chat(websocket: WebSocket) -> None:
    """Send on what comes, until the connection ends."""
    await websocket.accept()
    connections.append(websocket)
    try:
        while True:
            text = await websocket.receive_text()
            for connection in connections.copy():
                await connection.send_text(text)
    except WebSocketDisconnect:
        connections.remove(websocket)


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", ws_per_message_deflate=False)
