"""The `websockets` library and its `broadcast`. `python -m … PORT`."""

from __future__ import annotations

import asyncio
import sys

from websockets.asyncio.server import ServerConnection, broadcast, serve

connections: set[ServerConnection] = set()


async def chat(connection: ServerConnection) -> None:
    """Send on what comes, until the connection ends."""
    connections.add(connection)
    try:
        async for text in connection:
            broadcast(connections, text)
    finally:
        connections.discard(connection)


async def main(port: int) -> None:
    """Serve for ever."""
    async with serve(chat, "127.0.0.1", port, compression=None, ping_interval=None) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
