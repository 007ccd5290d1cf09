"""All that is said on the wire is what the schema that the server gives out says it is."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from websockets.sync.client import ClientConnection

from chat.protocol.methods import CHAOS_METHODS
from tests.schema import Kinds, Side
from tests.server import Member, Server
from tests.tokens import SECRET, token

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

KEY = "some-long-secret"
DIRECT = "dm#ada,bob"
WAIT_S = 20

Line = tuple[Side, dict[str, Any]]
Said = tuple[Kinds, list[Line]]


class Overheard(Server):
    """A server, and every line between it and its clients."""

    def __init__(self, **settings: str) -> None:
        self.said: list[Line] = []
        super().__init__(**settings)

    def websocket(
        self, path: str = "/connection/websocket", **options: Any
    ) -> AbstractContextManager[ClientConnection]:
        said = self.said

        def hear(side: Side, frame: Any) -> None:
            said.extend((side, json.loads(line)) for line in str(frame).split("\n"))

        class Connection(ClientConnection):
            def send(self, message: Any, **options: Any) -> None:
                hear("FromClient", message)
                super().send(message, **options)

            def recv(self, *args: Any, **options: Any) -> Any:
                frame = super().recv(*args, **options)
                hear("FromServer", frame)
                return frame

        return super().websocket(path, create_connection=Connection, **options)

    def api(self, method: str, **request: Any) -> None:
        """Have something done by the server API."""
        answer = httpx.post(f"{self.url}/api/{method}", json=request, headers={"X-API-Key": KEY})
        assert "result" in answer.json(), answer.text

    def schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = httpx.get(f"{self.url}/connection/schema.json").json()
        return schema


def user(server: Server, name: str, **claims: Any) -> Member:
    return Member(server, token=token({"sub": name, "info": {"name": name.title()}, **claims}))


def hears(member: Member, wanted: Callable[[dict[str, Any]], bool]) -> None:
    """Wait until a push has come that is wanted."""
    until = time.monotonic() + WAIT_S
    while not any(map(wanted, member.pushes)):
        assert time.monotonic() < until, f"did not come; came {member.pushes}"
        member.receive()


def says(kind: str, **more: Any) -> Callable[[dict[str, Any]], bool]:
    """Recognise a push whose publication's data has this type."""
    wanted = {"type": kind, **more}

    def is_it(push: dict[str, Any]) -> bool:
        data = push.get("pub", {}).get("data")
        return isinstance(data, dict) and wanted.items() <= data.items()

    return is_it


def converse(server: Overheard) -> None:
    """Use whatever there is to use."""
    soon = int(time.time()) + 600
    ada = user(server, "ada", meta={"role": "admin"}, channels=["news"])
    bob = user(server, "bob", exp=soon)
    eve = Member(server, "Eve")
    epoch = ada.call(subscribe={"channel": "lobby"})["subscribe"]["epoch"]
    for member in (bob, eve):
        member.call(subscribe={"channel": "lobby"})
    chat(server, ada, bob)
    ask(ada, bob)
    meet_elsewhere(ada, bob, soon)
    moderate(ada, eve)
    fail(bob)
    come_back(server, epoch)
    bob.call(refresh={"token": token(sub="bob", info={"name": "Bob"}, exp=soon + 600)})
    server.api("subscribe", user="bob", channel="tea", data={"welcome": True})
    hears(bob, lambda push: "subscribe" in push)
    bob.call(unsubscribe={"channel": "lobby"})
    hears(ada, lambda push: "leave" in push)
    ada.rpc("chaos", channel="lobby", kind="handler")
    for member in (ada, bob, eve):
        member.close()


def chat(server: Overheard, ada: Member, bob: Member) -> None:
    here = {"channel": "lobby"}
    bob.rpc("send", **here, key="1", text="hello")
    bob.rpc("send", **here, key="2", text="@Ada: look", mentions={"ada": "Ada"}, reply=1)
    bob.rpc("send", **here, key="2", text="@Ada: look", mentions={"ada": "Ada"}, reply=1)
    hears(ada, says("mention"))
    bob.rpc("edit", **here, target=1, text="hello, world")
    bob.rpc("react", **here, target=1, emoji="👍")
    ada.rpc("react", **here, target=1, emoji="👍", on=True, key="3")
    bob.rpc("react", **here, target=1, emoji="👍", on=False)
    bob.rpc("delete", **here, target=2)
    ada.rpc("topic", **here, topic="all and nothing")
    bob.call(publish={"channel": "lobby", "data": [1, {"type": "edit"}]})
    bob.call(publish={"channel": "lobby", "data": None})
    key = ada.rpc("files", channel="lobby")["key"]
    brought = httpx.post(f"{server.url}/files", params={"key": key, "name": "notes.txt"}, content=b"notes").json()
    ada.rpc("send", channel="lobby", key="file", text="", files=[brought["id"]])
    server.api("publish", channel="lobby", data={"type": "message", "text": "built", "name": "Build"})
    bob.rpc("typing", **here)
    hears(ada, says("typing"))
    bob.rpc("away", on=True)
    hears(ada, says("presence", state="away"))
    bob.rpc("away", on=False)
    hears(ada, says("presence", state="online"))


def ask(ada: Member, bob: Member) -> None:
    here = {"channel": "lobby"}
    ada.rpc("messages", **here, limit=10, before=None)
    ada.call(history={"channel": "lobby", "limit": -1, "since": {"offset": 1, "epoch": ""}})
    ada.call(history={"channel": "lobby", "since": None, "reverse": True})
    ada.call(presence=here)
    ada.call(presence_stats=here)
    ada.rpc("rooms")
    ada.call(rpc={"method": "rooms"})
    ada.rpc("rooms", query="all")
    ada.rpc("members", **here)
    ada.rpc("names", users=["bob", "nobody"])
    ada.rpc("read", **here, offset=1)
    hears(ada, says("read"))
    ada.rpc("notify", **here, on=False)
    hears(ada, says("notify"))
    ada.call(rpc={"method": "mine", "data": None})
    ada.rpc("search", query="hello", **here)
    ada.rpc("leave", **here)
    hears(ada, says("left"))


def meet_elsewhere(ada: Member, bob: Member, soon: int) -> None:
    ada.rpc("create", channel="$den", topic="the party")
    ada.rpc("invite", channel="$den", user="bob")
    hears(bob, says("invited"))
    bob.call(subscribe={"channel": DIRECT})
    bob.rpc("send", channel=DIRECT, key="4", text="between us")
    hears(ada, says("direct"))
    ada.rpc("members", channel=DIRECT)
    ada.rpc("mine")
    bob.call(subscribe={"channel": "$vip", "token": token(sub="bob", channel="$vip", exp=soon, info={"seat": 1})})
    bob.call(publish={"channel": "$vip", "data": "hi"})
    bob.call(sub_refresh={"channel": "$vip", "token": token(sub="bob", channel="$vip", exp=soon + 600)})


def moderate(ada: Member, eve: Member) -> None:
    whom = {"channel": "lobby", "user": eve.connected["data"]["user"]}
    ada.rpc("mute", **whom, reason="spam", until=int(time.time() * 1000) + 600_000)
    ada.rpc("bans", channel="lobby")
    ada.rpc("unmute", **whom)
    ada.rpc("kick", **whom, reason="spam")
    hears(eve, lambda push: "unsubscribe" in push)
    ada.rpc("ban", **whom, reason="more spam")
    ada.rpc("unban", **whom)
    ada.rpc("ban", user="mallory", reason="everywhere", until=None)
    ada.rpc("audit")
    ada.rpc("audit", channel="lobby", limit=2)


def fail(bob: Member) -> None:
    """Have commands refused that are as they should be, to go by their form."""
    codes = [
        bob.call(**command)["error"]["code"]
        for command in (
            {"subscribe": {"channel": "lobby"}},
            {"subscribe": {"channel": "$elsewhere"}},
            {"publish": {"channel": "lobby", "data": {"type": "edit"}}},
            {"rpc": {"method": "edit", "data": {"channel": "lobby", "target": 999, "text": "x"}}},
            {"rpc": {"method": "bans"}},
        )
    ]
    assert codes == [105, 103, 107, 404, 103]


def come_back(server: Overheard, epoch: str) -> None:
    """Resume, in a room and in one that a token puts into, and where that cannot be."""
    eve = Member(server, "Eve again")
    eve.call(subscribe={"channel": "lobby", "recover": True, "offset": 1, "epoch": epoch})
    eve.call(unsubscribe={"channel": "lobby"})
    eve.call(subscribe={"channel": "lobby", "recover": True, "offset": 1, "epoch": "another"})
    eve.close()
    news = token(sub="cy", channels=["news"])
    with server.websocket() as connection:
        subs = {"news": {"recover": True, "offset": 0, "epoch": ""}}
        connection.send(json.dumps({"id": 1, "connect": {"token": news, "name": "js", "subs": subs}}))
        assert "news" in json.loads(str(connection.recv(timeout=10)).split("\n", maxsplit=1)[0])["connect"]["subs"]


def listen(server: Overheard) -> None:
    """Answer a ping."""
    ada = Member(server, "Ada")
    while ("FromServer", {}) not in server.said:
        ada.receive()
    ada.close()


@pytest.fixture(scope="module")
def said() -> Said:
    settings = {"CHAT_TOKEN_SECRET": SECRET, "CHAT_API_KEY": KEY, "CHAT_CHAOS": "on"}
    with contextlib.closing(Overheard(**settings)) as server:
        converse(server)
        schema = server.schema()
    # Pings that come fast cut off who does not listen all the time, so they are another server's.
    with contextlib.closing(Overheard(CHAT_PING_INTERVAL_S="1", CHAT_PONG_TIMEOUT_S="0.9")) as impatient:
        listen(impatient)
    return Kinds(schema), server.said + impatient.said


def test_every_line_is_of_one_kind(said: Said) -> None:
    kinds, lines = said

    assert [(side, line, found) for side, line in lines if len(found := kinds.of(side, line)) != 1] == []


def test_every_kind_was_said(said: Said) -> None:
    kinds, lines = said

    for side in ("FromClient", "FromServer"):
        assert {kind for of, line in lines if of == side for kind in kinds.of(side, line)} == kinds.all(side)


def test_every_method_returns_what_the_schema_says(said: Said) -> None:
    """Ids are those of a connection, so a reply belongs to the command before it that had its id."""
    kinds, lines = said
    methods: dict[int, str] = {}
    returned: set[str] = set()
    for side, line in lines:
        if side == "FromClient" and "rpc" in line:
            methods[line["id"]] = line["rpc"]["method"]
        elif "rpc" in line:
            method = methods[line["id"]]
            assert kinds.named(f"rpc.{method}.result").is_valid(line["rpc"]["data"]), (method, line)
            returned.add(method)

    assert returned == CHAOS_METHODS.keys()


def test_data_of_every_type_was_published(said: Said) -> None:
    _, lines = said
    data = [line["push"]["pub"]["data"] for _, line in lines if "pub" in line.get("push", {})]

    assert {one["type"] for one in data if isinstance(one, dict)} == {
        *("message", "edit", "delete", "reaction", "topic", "typing", "presence"),
        *("read", "notify", "left", "mention", "direct", "invited"),
    }
