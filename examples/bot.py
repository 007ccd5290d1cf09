"""A bot that answers "!time" in the lobby: once, whatever is restarted, the bot included.

It takes `pip install centrifuge-python`, and in BOT_TOKEN the connection token of a user of its own (README.md, "Users
and guests"): the server knows a repeat by author and key.
"""

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any

from centrifuge import CentrifugeError, Client, StreamPosition, SubscriptionEventHandler

URL = os.environ.get("CHAT_URL", "ws://127.0.0.1:8000/connection/websocket")
ROOM = "lobby"
PLACE = Path("bot.json")  # up to where everything is answered


class Bot(SubscriptionEventHandler):
    def __init__(self) -> None:
        self.heard: asyncio.Queue[Any] = asyncio.Queue(maxsize=100)
        self.saved = [json.loads(PLACE.read_text())] if PLACE.exists() else []
        self.client = Client(URL, token=os.environ["BOT_TOKEN"])

    async def run(self) -> None:
        await self.client.connect()
        await self.client.new_subscription(ROOM, self, recoverable=True, get_state=self.start).subscribe()
        while True:
            entry = await self.heard.get()
            if isinstance(entry.data, dict) and entry.data.get("text") == "!time":
                # The key is made of the question's place, so an answer given twice is one message.
                await self.send(f"time-{self.epoch}-{entry.offset}", time.strftime("It is %H:%M UTC.", time.gmtime()))
            PLACE.with_suffix(".new").write_text(json.dumps({"offset": entry.offset, "epoch": self.epoch}))
            PLACE.with_suffix(".new").replace(PLACE)

    async def start(self, channel: str) -> StreamPosition:
        """Where to go on: where it stopped; or now, if there was no before or the server cannot go back that far."""
        request = {"channel": channel, "limit": 1}
        place = self.saved.pop() if self.saved else (await self.client.rpc("messages", request)).data
        self.epoch = place["epoch"]
        return StreamPosition(offset=place.get("offset", 0), epoch=self.epoch)

    async def on_publication(self, ctx: Any) -> None:
        if ctx.pub.offset:  # else it is about somebody who types
            await self.heard.put(ctx.pub)

    async def send(self, key: str, text: str) -> None:
        while True:
            try:
                await self.client.rpc("send", {"channel": ROOM, "key": key, "text": text})
            except CentrifugeError as error:
                if getattr(error, "temporary", True):  # the connection is gone, or the server is busy
                    await asyncio.sleep(1)
                    continue
            return


if __name__ == "__main__":
    asyncio.run(Bot().run())
