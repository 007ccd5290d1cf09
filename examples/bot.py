"""A bot that answers "!time" in the lobby, each once, whatever is restarted. `pip install centrifuge-python`.

BOT_TOKEN is the connection token of a user of its own (README.md, "Users and guests"): the server keeps for that user
up to where the bot has answered, and knows by author and key an answer that is given again.
"""

import asyncio
import os
import time
from typing import Any

from centrifuge import CentrifugeError, Client, SubscriptionEventHandler


class Bot(SubscriptionEventHandler):
    def __init__(self) -> None:
        self.news = asyncio.Event()
        url = os.environ.get("CHAT_URL", "ws://127.0.0.1:8000/connection/websocket")
        self.client = Client(url, token=os.environ["BOT_TOKEN"])

    async def on_subscribed(self, _: Any) -> None:
        self.news.set()

    on_publication = on_subscribed

    async def run(self) -> None:
        await self.client.connect()
        await self.call("notify", on=True)  # if it has no place there yet, this makes one, at the newest message
        await self.client.new_subscription("lobby", self).subscribe()
        while await self.news.wait():
            self.news.clear()
            place = await self.call("read", offset=0)  # a marker only rises: this is where it stands
            while page := (await self.call("messages", after=place["offset"], limit=100))["messages"]:
                for message in page:
                    if isinstance(message["data"], dict) and message["data"].get("text") == "!time":
                        now = time.strftime("It is %H:%M UTC.", time.gmtime())
                        await self.call("send", key=f"time-{message['offset']}", text=now)
                place = await self.call("read", offset=page[-1]["offset"])

    async def call(self, method: str, **data: Any) -> Any:
        while True:
            try:
                return (await self.client.rpc(method, {"channel": "lobby", **data})).data
            except CentrifugeError as error:
                if not getattr(error, "temporary", True):  # else the connection is gone, or the server is busy
                    raise
                await asyncio.sleep(1)


if __name__ == "__main__":
    asyncio.run(Bot().run())
