"""The bot of `examples/`, as a process, at a server that is restarted."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.server import Member, Server, database_url, running
from tests.tokens import SECRET, token

if TYPE_CHECKING:
    from collections.abc import Iterator

BOT = Path(__file__).parents[2] / "examples/bot.py"


def serve(folder: Path, port: str) -> contextlib.AbstractContextManager[Server]:
    database = database_url(folder / "chat.db")
    return running("chat.main:app", "--port", port, CHAT_TOKEN_SECRET=SECRET, CHAT_DATABASE_URL=database)


@contextlib.contextmanager
def bot(folder: Path, port: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run the bot. It may keep nothing in its folder."""
    environment = {
        **os.environ,
        "CHAT_URL": f"ws://127.0.0.1:{port}/connection/websocket",
        "BOT_TOKEN": token(sub="clock", info={"name": "Clock"}),
    }
    with subprocess.Popen([sys.executable, BOT], cwd=folder, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def somebody(server: Server) -> Member:
    """Come into the lobby, and wait until the bot is there."""
    member = Member(server, "Ada")
    member.call(subscribe={"channel": "lobby"})
    while "Clock" not in str(member.call(presence={"channel": "lobby"})):
        member.receive()  # it says so when somebody joins
    return member


def ask(member: Member, key: str) -> int:
    offset: int = member.rpc("send", channel="lobby", key=key, text="!time")["offset"]
    return offset


def hear_answer(member: Member) -> int:
    """Wait for an answer, and return to which question it is."""
    while True:
        found = re.fullmatch(r"time-(\d+)", member.publication()["data"].get("key", ""))
        if found:
            return int(found[1])


def answers(member: Member) -> list[int]:
    """Return the questions that the room has answers to."""
    messages = member.rpc("messages", channel="lobby", limit=100)["messages"]
    return [int(message["data"]["key"].rsplit("-", 1)[1]) for message in messages if message["info"]["user"] == "clock"]


def test_each_question_has_one_answer_whoever_was_restarted(tmp_path: Path, port: str) -> None:
    questions = []
    with bot(tmp_path, port) as first:
        with serve(tmp_path, port) as server:
            ada = somebody(server)
            for key in ("one", "two"):
                questions.append(ask(ada, key))
                assert hear_answer(ada) == questions[-1]
            server.kill()
        with serve(tmp_path, port) as server:
            ada = somebody(server)
            questions.append(ask(ada, "after the server's restart"))
            assert hear_answer(ada) == questions[-1]
        first.kill()
    with serve(tmp_path, port) as server:
        ada = Member(server, "Ada")
        ada.call(subscribe={"channel": "lobby"})
        questions += [ask(ada, "while the bot is away"), ask(ada, "and another")]
        with bot(tmp_path, port):
            assert [hear_answer(ada), hear_answer(ada)] == questions[-2:]

        assert answers(ada) == questions


def test_a_bot_that_has_lost_its_last_step_does_not_answer_again(tmp_path: Path, port: str) -> None:
    with serve(tmp_path, port) as server:
        with bot(tmp_path, port):
            ada = somebody(server)
            questions = [ask(ada, "one"), ask(ada, "two")]
            assert [hear_answer(ada), hear_answer(ada)] == questions
        clock = Member(server, token=token(sub="clock"))
        clock.rpc("leave", channel="lobby")
        clock.rpc("read", channel="lobby", offset=questions[0] - 1)
        with bot(tmp_path, port):
            questions.append(ask(ada, "three"))
            assert hear_answer(ada) == questions[-1]

        assert answers(ada) == questions


def test_a_bot_that_comes_for_the_first_time_lets_old_questions_be(tmp_path: Path, port: str) -> None:
    with serve(tmp_path, port) as server:
        ada = Member(server, "Ada")
        ada.call(subscribe={"channel": "lobby"})
        ask(ada, "before there was a bot")
        with bot(tmp_path, port):
            while "Clock" not in str(ada.call(presence={"channel": "lobby"})):
                ada.receive()
            asked = ask(ada, "one")
            assert hear_answer(ada) == asked

        assert answers(ada) == [asked]
