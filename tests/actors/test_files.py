"""Files among the actors: keys, what goes with a message, and what is removed when, in virtual time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from actors.files import CLEAN_INTERVAL_S
from actors.writer import CLEAN_STEP
from chat.errors import CommandError
from chat.file_store import FileStore
from chat.files import Access, Files, Keys, Limits, new_id
from chat.log import File, LogError, MemoryLog, Upload
from tests.fakes import DAY_S, NOON_MS, Chat, FakeLog, Unheard

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes import Client


class World:
    """A chat with a store, into which files are put as HTTP does."""

    def __init__(self, folder: Path, log: FakeLog | None = None, **chat: Any) -> None:
        log = log or FakeLog()
        self.log, self.keys = log.kept, Keys(b"s" * 32)
        self.store = FileStore.open(folder / "files", 10_000, MemoryLog.referred.__get__(log.kept))
        self.chat = Chat(log, files=Files(self.store, self.keys, Limits(max_unsent_bytes=1_000)), **chat)

    def content(self, data: bytes) -> str:
        part = self.store.begin()
        part.write(data)
        return self.store.keep(part, None)

    def bring(self, who: Client, data: bytes, room: str = "lobby") -> str:
        """Bring a file, and return its id."""
        digest, file = self.content(data), File(new_id(), "a.txt", "text/plain", len(data))
        upload = Upload(file, digest, room, who.hello["data"]["user"], NOON_MS)
        fits = self.asked(self.chat.system.keep_upload(upload))
        self.store.release(digest, referred=fits)
        assert fits
        return file.id

    def asked(self, begun: Any) -> Any:
        self.chat.run()
        answer = begun.get(timeout=0)
        self.chat.run()
        return answer.get(timeout=0)

    def contents(self) -> int:
        return sum(path.is_file() for path in self.store.path("0" * 64).parents[2].rglob("*"))

    def clean(self) -> None:
        self.chat.advance(CLEAN_INTERVAL_S)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def send(who: Client, *files: str, key: str = "k") -> dict[str, Any]:
    return who.ask(rpc={"method": "send", "data": {"channel": "lobby", "key": key, "text": "look", "files": files}})


def test_a_key_is_for_who_asks_the_room_and_an_hour(world: World) -> None:
    ann = world.chat.member("lobby")

    said = ann.ask(rpc={"method": "files", "data": {"channel": "lobby"}})["rpc"]["data"]

    now_s = NOON_MS // 1000
    access = world.keys.read(said["key"], now_s)
    assert access == Access(ann.hello["data"]["user"], "lobby", now_s + 3600, upload=True)


def test_a_file_goes_with_a_message_to_all(world: World) -> None:
    ann, bob = world.chat.member("lobby"), world.chat.member("lobby")
    file = world.bring(ann, b"hello")

    assert "rpc" in send(ann, file)

    (message,) = bob.publications("lobby")
    assert message["data"]["files"] == [{"id": file, "name": "a.txt", "type": "text/plain", "size": 5}]
    assert world.asked(world.chat.system.find_upload(file)).offset == 1


def test_a_foreign_file_is_not_found_and_nothing_is_said(world: World) -> None:
    ann, bob = world.chat.member("lobby"), world.chat.member("lobby")

    assert send(bob, world.bring(ann, b"hello"))["error"] == {"code": 404, "message": "file not found"}

    assert ann.publications("lobby") == []


def test_what_was_not_sent_for_a_day_is_removed(world: World) -> None:
    ann = world.chat.member("lobby")
    sent, unsent = world.bring(ann, b"sent"), world.bring(ann, b"unsent")
    send(ann, sent)

    world.chat.advance(DAY_S - 1)
    assert (world.contents(), world.log.upload(unsent) is not None) == (2, True)
    world.chat.advance(2 * CLEAN_INTERVAL_S)

    assert (world.contents(), world.log.upload(unsent)) == (1, None)
    assert world.log.upload(sent) is not None


def test_the_content_of_a_deleted_message_is_removed_unless_another_has_it(world: World) -> None:
    ann = world.chat.member("lobby")
    send(ann, world.bring(ann, b"same"), key="1")
    send(ann, world.bring(ann, b"same"), key="2")

    ann.ask(rpc={"method": "delete", "data": {"channel": "lobby", "target": 1}})
    world.clean()
    assert world.contents() == 1

    ann.ask(rpc={"method": "delete", "data": {"channel": "lobby", "target": 2}})
    world.clean()
    assert world.contents() == 0
    assert world.log.loose(limit=10) == []


def test_a_content_that_is_brought_again_just_when_it_goes_stays(world: World) -> None:
    ann = world.chat.member("lobby")
    send(ann, world.bring(ann, b"same"))
    ann.ask(rpc={"method": "delete", "data": {"channel": "lobby", "target": 1}})

    digest = world.content(b"same")  # kept, and the log has not heard of it yet
    world.clean()
    assert world.contents() == 1
    file = File(new_id(), "a.txt", "text/plain", 4)
    upload = Upload(file, digest, "lobby", ann.hello["data"]["user"], NOON_MS)
    assert world.asked(world.chat.system.keep_upload(upload))
    world.store.release(digest, referred=True)
    world.clean()

    assert world.contents() == 1


def test_a_content_of_which_the_log_never_heard_is_removed(world: World) -> None:
    world.store.release(world.content(b"lost"), referred=False)

    world.clean()

    assert world.contents() == 0


def test_much_is_removed_in_steps_one_after_the_other(world: World) -> None:
    for number in range(2 * CLEAN_STEP + 1):
        world.store.release(world.content(b"%d" % number), referred=False)

    world.clean()

    assert world.contents() == 0


def test_a_log_that_fails_is_asked_again(tmp_path: Path) -> None:
    log = FakeLog()
    world = World(tmp_path, log)
    world.store.release(world.content(b"lost"), referred=False)
    log.append_errors += [LogError("the disk is full")] * 2  # the one is for the trimming, which comes first

    world.clean()
    assert world.contents() == 1
    world.clean()

    assert world.contents() == 0


def test_an_upload_that_cannot_be_stored_is_an_error(tmp_path: Path) -> None:
    log = FakeLog()
    world = World(tmp_path, log)
    ann = world.chat.member("lobby")
    log.append_errors.append(LogError("the disk is full"))

    with pytest.raises(CommandError, match="internal"):
        world.bring(ann, b"hello")


def test_a_crash_of_the_files_actor_is_one_answer_and_it_goes_on(world: World) -> None:
    ann = world.chat.member("lobby")

    world.chat.find("files").tell(Unheard())
    world.chat.run()

    assert send(ann, world.bring(ann, b"hello"))["rpc"]


def test_without_a_store_there_are_no_files() -> None:
    chat = Chat()
    ann = chat.member("lobby")

    assert ann.ask(rpc={"method": "files", "data": {"channel": "lobby"}})["error"]["code"] == 108
    with pytest.raises(CommandError):
        chat.system.find_upload("a")
