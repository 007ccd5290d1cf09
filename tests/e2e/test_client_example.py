"""The client of `examples/`, run by Node with the SDK from npm, at a server that is restarted."""

from __future__ import annotations

import contextlib
import json
import queue
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.server import Member, database_url, running

if TYPE_CHECKING:
    from tests.server import Server

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/client.mjs"
WAIT_S = 20


class Client:
    """The example as a process: a line in is sent, a line out is the room as it stands."""

    def __init__(self, folder: Path, url: str, name: str) -> None:
        (folder / "node_modules").symlink_to(ROOT / "web/node_modules")
        program = shutil.copy(EXAMPLE, folder)
        node = shutil.which("node") or str(Path(sys.executable).with_name("node"))
        # Node 20, with which the page's tests get along, has the WebSocket behind this option.
        command = [node, "--experimental-websocket", "--no-warnings", program, url, "lobby", name]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._shown: queue.Queue[list[dict[str, Any]]] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._shown.put(json.loads(line))

    def type(self, text: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def shows(self, wanted: list[Any]) -> bool:
        """Wait until it shows these messages, and nothing else."""
        shown: list[Any] = []
        while shown != wanted:
            try:
                shown = [as_it_is(message) for message in self._shown.get(timeout=WAIT_S)]
            except queue.Empty:
                pytest.fail(f"it shows {shown}, not {wanted}")
        return True

    def close(self) -> None:
        with self.process as process:
            process.kill()


def as_it_is(message: dict[str, Any]) -> Any:
    """Return the text of a message, with the reactions to it if there are some."""
    text = message["data"] and message["data"]["text"]
    reactions = {emoji: users for emoji, users in message.get("reactions", {}).items() if users}
    return (text, reactions) if reactions else text


def test_it_shows_a_room_as_it_stands_and_sends(tmp_path: Path, port: str) -> None:
    def serve() -> contextlib.AbstractContextManager[Server]:
        database = database_url(tmp_path / "chat.db")
        return running("chat.main:app", "--port", port, CHAT_DATABASE_URL=database)

    with serve() as server:
        bob = in_lobby(Member(server, "Bob"))
        user, guest = bob.connected["data"]["user"], bob.connected["data"]["guest"]
        hello, mistake = (bob.rpc("send", channel="lobby", key=key, text=key)["offset"] for key in ("helo", "mistake"))
        bob.rpc("react", channel="lobby", target=hello, emoji="👍")
        url = f"ws://{server.address}/connection/websocket"
        with contextlib.closing(Client(tmp_path, url, "Ada")) as ada:
            assert ada.shows([("helo", {"👍": [user]}), "mistake"])
            bob.rpc("edit", channel="lobby", target=hello, text="hello")
            bob.rpc("delete", channel="lobby", target=mistake)
            bob.rpc("react", channel="lobby", target=hello, emoji="👍", on=False)
            bob.rpc("react", channel="lobby", target=hello, emoji="🎉")
            assert ada.shows([("hello", {"🎉": [user]}), None])
            ada.type("hello, Bob")
            assert ada.shows([("hello", {"🎉": [user]}), None, "hello, Bob"])
            server.kill()
            ada.type("are you still there?")
            with serve() as again:
                bob = in_lobby(Member(again, "Bob", guest=guest))
                while bob.publication()["data"].get("text") != "are you still there?":
                    pass
                bob.rpc("send", channel="lobby", key="yes", text="yes")
                shown = [("hello", {"🎉": [user]}), None, "hello, Bob", "are you still there?", "yes"]

                assert ada.shows(shown)
                assert [as_it_is(message) for message in bob.rpc("messages", channel="lobby")["messages"]] == shown


def in_lobby(member: Member) -> Member:
    member.call(subscribe={"channel": "lobby"})
    return member
