"""Files by HTTP, with a real server: who may bring and fetch them, what they are served as, and what is refused."""

from __future__ import annotations

import io
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest
from PIL import Image

from tests.server import Member, Server, database_url, running
from tests.tokens import SECRET, token

if TYPE_CHECKING:
    from collections.abc import Iterator

HTML: Final = b"<html><script>alert(1)</script></html>"
SVG: Final = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
MAX_BYTES: Final = 200_000


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Run a server that takes small files, as fast as they come."""
    with running(
        CHAT_TOKEN_SECRET=SECRET, CHAT_METRICS="on", CHAT_RATE_LIMIT="off", CHAT_MAX_FILE_BYTES=str(MAX_BYTES)
    ) as server:
        yield server


def png(size: tuple[int, int] = (1000, 500)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, "PNG")
    return out.getvalue()


class Person(Member):
    """A member of a room who brings files to it, and fetches them."""

    def __init__(self, server: Server, room: str = "lobby", **who: str) -> None:
        super().__init__(server, **who)
        self.url, self.room = server.url, room
        self.call(subscribe={"channel": room})
        self.key: str = self.rpc("files", channel=room)["key"]

    def post(self, data: Any, name: str = "a.txt", **headers: str) -> httpx.Response:
        return httpx.post(
            f"{self.url}/files", params={"key": self.key, "name": name}, content=data, headers=headers, timeout=30
        )

    def bring(self, data: bytes, name: str = "a.txt") -> dict[str, Any]:
        answer = self.post(data, name)
        assert answer.status_code == 201, answer.text
        file: dict[str, Any] = answer.json()
        return file

    def share(self, *files: dict[str, Any], text: str = "", key: str = "k") -> dict[str, Any]:
        return self.call(
            rpc={
                "method": "send",
                "data": {"channel": self.room, "key": key, "text": text, "files": [file["id"] for file in files]},
            }
        )

    def get(self, file: dict[str, Any], path: str = "", **headers: str) -> httpx.Response:
        return httpx.get(f"{self.url}/files/{file['id']}{path}", params={"key": self.key}, headers=headers)


def head(person: Person, length: int) -> bytes:
    """Return how the upload of so many bytes begins."""
    return f"POST /files?key={person.key}&name=a HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode()


@pytest.fixture
def ann(server: Server) -> Iterator[Person]:
    person = Person(server)
    yield person
    person.close()


def test_a_key_says_how_long_it_lasts_and_what_it_lets_one_do(ann: Person) -> None:
    said = ann.rpc("files", channel="lobby")

    assert (said["ttl"], said["upload"], said["max_bytes"]) == (3600, True, MAX_BYTES)


def test_a_file_that_was_brought_is_sent_with_a_message_and_fetched_by_others(server: Server) -> None:
    ann, bob = Person(server, "tea"), Person(server, "tea")
    file = ann.bring(b"what it says", "notes.txt")
    assert file == {"id": file["id"], "name": "notes.txt", "type": "application/octet-stream", "size": 12}

    ann.share(file, text="read this")

    assert bob.publication()["data"]["files"] == [file]
    answer = bob.get(file)
    assert (answer.status_code, answer.content) == (200, b"what it says")
    assert answer.headers["Content-Disposition"] == "attachment; filename=\"notes.txt\"; filename*=UTF-8''notes.txt"


def test_an_image_is_shown_and_has_a_small_one(ann: Person) -> None:
    file = ann.bring(png(), "red.png")
    ann.share(file, key="image")

    whole, small = ann.get(file), ann.get(file, "/thumb")

    assert {**file, "id": ""} == {
        "id": "",
        "name": "red.png",
        "type": "image/png",
        "size": len(png()),
        "width": 1000,
        "height": 500,
        "thumb": True,
    }
    assert (whole.content, whole.headers["Content-Type"]) == (png(), "image/png")
    assert whole.headers["Content-Disposition"].startswith("inline;")
    assert small.headers["Content-Type"] == "image/webp"
    assert Image.open(io.BytesIO(small.content)).size == (640, 320)


@pytest.mark.parametrize("path", ["", "/thumb"])
def test_nothing_that_is_fetched_can_run(ann: Person, path: str) -> None:
    headers = ann.get(ann.bring(png()), path).headers

    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize(
    ("data", "name"),
    [(HTML, "a.png"), (SVG, "a.svg"), (b"GIF89a" + HTML, "a.gif"), (HTML + png(), "a.png"), (b"PK\x03\x04", "a.zip")],
)
def test_what_is_no_image_is_saved_whatever_it_is_called(ann: Person, data: bytes, name: str) -> None:
    answer = ann.get(ann.bring(data, name))

    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert ann.get(ann.bring(data, name), "/thumb").status_code == 404


def test_the_name_that_a_client_gives_makes_no_header(ann: Person) -> None:
    file = ann.bring(b"x", '../a\r\nSet-Cookie: b=c"; filename=evil.html; \u202eü')
    answer = ann.get(file)

    assert file["name"] == 'aSet-Cookie: b=c"; filename=evil.html; ü'
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="aSet-Cookie: b=c_; filename=evil')


def test_a_part_of_a_file_can_be_fetched_and_what_one_has_is_not_sent_again(ann: Person) -> None:
    file = ann.bring(bytes(range(256)))

    part = ann.get(file, Range="bytes=10-19")
    again = ann.get(file, **{"If-None-Match": part.headers["ETag"]})

    assert (part.status_code, part.content) == (206, bytes(range(10, 20)))
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["Cache-Control"].startswith("private")


def test_what_one_may_not_fetch_is_not_there(server: Server, ann: Person) -> None:
    file, unsent = ann.bring(b"sent"), ann.bring(b"not sent")
    ann.share(file, key="fetched")
    elsewhere, bob = Person(server, "elsewhere"), Person(server)

    def status(url: str) -> int:
        return httpx.get(f"{server.url}/files/{url}").status_code

    assert bob.get(file).status_code == 200
    assert ann.get(unsent).status_code == 200
    assert [person.get(which).status_code for person, which in ((bob, unsent), (elsewhere, file))] == [404, 404]
    assert [
        status(url)
        for url in (
            file["id"],
            f"{file['id']}?key=",
            f"{file['id']}?key={ann.key[:-4]}AAAA",
            f"unknown?key={ann.key}",
            f"..%2f..%2fchat.db?key={ann.key}",
            f"{file['id']}/thumb?key={ann.key}",
        )
    ] == [404] * 6


def test_who_may_not_read_a_room_gets_no_key(server: Server, ann: Person) -> None:
    reply = ann.call(rpc={"method": "files", "data": {"channel": "$private"}})

    assert reply["error"]["code"] == 103


def test_who_may_not_write_may_read_and_not_bring(tmp_path: Path) -> None:
    rooms = tmp_path / "rooms.toml"
    rooms.write_text('[[room]]\npattern = "news"\nsend = "moderator"\n')
    with running(CHAT_ROOMS_FILE=str(rooms), CHAT_TOKEN_SECRET=SECRET) as server:
        reader, editor = (
            Person(server, "news"),
            Person(server, "news", token=token(sub="mod", meta={"role": "moderator"})),
        )
        file = editor.bring(b"news")
        editor.share(file)

        assert not reader.rpc("files", channel="news")["upload"]
        assert reader.get(file).content == b"news"
        refused = reader.post(b"mine")

    assert (refused.status_code, refused.json()["error"]["code"]) == (403, 103)


def test_who_is_banned_gets_no_key(server: Server) -> None:
    moderator = Person(server, "moderated", token=token(sub="mod", meta={"role": "moderator"}))
    bob = Person(server, "moderated", token=token(sub="bob"))
    moderator.rpc("ban", channel="moderated", user="bob", reason="for this test")

    assert bob.call(rpc={"method": "files", "data": {"channel": "moderated"}})["error"]["code"] == 103


@pytest.mark.parametrize("key", ["", "x", "ü", "A" * 100])
def test_without_a_key_nothing_is_taken(server: Server, key: str) -> None:
    answer = httpx.post(f"{server.url}/files", params={"key": key, "name": "a"}, content=b"x")

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, 103)


def test_only_ones_own_files_of_the_room_are_sent_and_once(server: Server, ann: Person) -> None:
    bob, elsewhere = Person(server), Person(server, "elsewhere")
    file, others = ann.bring(b"x"), (bob.bring(b"x"), elsewhere.bring(b"x"), {"id": "unknown"})

    assert [ann.share(other, key="own")["error"]["code"] for other in others] == [404] * 3
    first = ann.share(file, key="own")["rpc"]["data"]
    assert ann.share(file, key="own")["rpc"]["data"] == {**first, "duplicate": True}
    assert ann.share(file, key="other")["error"]["code"] == 404


@pytest.mark.parametrize(
    "files",
    [["a", "a"], [str(number) for number in range(11)], [1], ["x" * 65], [""], "a"],
)
def test_a_message_whose_files_have_no_form_is_a_bad_request(ann: Person, files: Any) -> None:
    reply = ann.call(rpc={"method": "send", "data": {"channel": "lobby", "key": "form", "text": "", "files": files}})

    assert reply["error"]["code"] == 107


def test_without_files_a_message_has_a_text(ann: Person) -> None:
    reply = ann.call(rpc={"method": "send", "data": {"channel": "lobby", "key": "text", "text": " ", "files": []}})

    assert reply["error"]["code"] == 107


def test_a_deleted_message_takes_its_files_with_it(ann: Person) -> None:
    file = ann.bring(b"deleted")
    offset = ann.share(file, key="deleted")["rpc"]["data"]["offset"]
    assert ann.get(file).status_code == 200

    ann.rpc("delete", channel="lobby", target=offset)

    assert ann.get(file).status_code == 404


def test_too_large_is_413_as_soon_as_that_is_known(server: Server, ann: Person) -> None:
    def said_less() -> Iterator[bytes]:
        for _ in range(10):
            yield bytes(MAX_BYTES // 4)

    whole = ann.post(bytes(MAX_BYTES))
    chunked = ann.post(said_less())
    host, _, port = server.address.partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as peer:
        peer.sendall(head(ann, MAX_BYTES + 1))
        at_once = peer.recv(1000)

    assert (whole.status_code, chunked.status_code) == (201, 413)
    assert chunked.json()["error"]["code"] == 106
    assert at_once.startswith(b"HTTP/1.1 413")


def test_an_empty_file_is_400(ann: Person) -> None:
    assert ann.post(b"").status_code == 400


def parts(server_files: Path) -> list[Path]:
    return list((server_files / "part").iterdir())


def test_an_upload_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    with running(CHAT_DATABASE_URL=database_url(tmp_path / "chat.db")) as server:
        ann = Person(server)
        host, _, port = server.address.partition(":")
        with socket.create_connection((host, int(port)), timeout=10) as peer:
            peer.sendall(head(ann, 1_000_000) + bytes(600_000))
            while not parts(tmp_path / "chat.db.files"):
                ann.rpc("rooms")  # a round trip
        while parts(tmp_path / "chat.db.files"):
            ann.rpc("rooms")
        file = ann.bring(b"after that")

        assert ann.get(file).content == b"after that"
        assert not [event for event in server.log if event["level"] == "error"]


def test_an_upload_that_takes_too_long_is_cut() -> None:
    with running(CHAT_UPLOAD_TIMEOUT_S="0.2") as server:
        ann = Person(server)
        host, _, port = server.address.partition(":")
        with socket.create_connection((host, int(port)), timeout=10) as peer:
            peer.sendall(head(ann, 10) + b"x")
            answer = peer.recv(1000)

    assert answer.startswith(b"HTTP/1.1 408")


def test_a_body_may_take_longer_than_a_request_may_stall_as_long_as_it_comes() -> None:
    with running(CHAT_REQUEST_TIMEOUT_S="0.3") as server:
        ann = Person(server)

        def slowly() -> Iterator[bytes]:
            for _ in range(6):
                time.sleep(0.2)  # what is slow here is the point: each pause is shorter than a stall may be
                yield bytes(1_000)

        assert ann.post(slowly()).status_code == 201


def test_uploads_under_way_have_a_limit_for_a_user(server: Server) -> None:
    ann = Person(server)
    host, _, port = server.address.partition(":")
    peers = [socket.create_connection((host, int(port)), timeout=10) for _ in range(4)]
    for peer in peers:
        peer.sendall(head(ann, 100) + b"x")
    refused = httpx.Response(0)
    for _ in range(1_000):
        refused = ann.post(b"x")
        if refused.status_code != 201:
            break
    for peer in peers:
        peer.close()

    assert (refused.status_code, refused.json()["error"]["code"]) == (429, 111)


def test_what_a_user_has_not_sent_has_a_limit() -> None:
    with running(CHAT_MAX_UNSENT_BYTES="100") as server:
        ann = Person(server)
        file = ann.bring(bytes(60))
        refused = ann.post(bytes(41))
        ann.share(file)
        after = ann.post(bytes(41))

    assert (refused.status_code, refused.json()["error"]["code"], after.status_code) == (429, 106, 201)


def test_a_full_store_says_so() -> None:
    with running(CHAT_FILES_MAX_BYTES="100") as server:
        ann = Person(server)
        refused = ann.post(bytes(101))
        after = ann.post(bytes(100))

    assert (refused.status_code, refused.json()["error"]["code"], after.status_code) == (507, 106, 201)


def test_who_uploads_too_often_is_told_to_wait() -> None:
    with running(CHAT_RATE_UPLOAD="0.01", CHAT_METRICS="on") as server:
        ann = Person(server)
        answers = [ann.post(b"x") for _ in range(2)]
        metrics = httpx.get(f"{server.url}/metrics").text

    assert [answer.status_code for answer in answers] == [201, 429]
    assert 'parley_limits_hit_total{limit="rate_upload"} 1.0' in metrics
    assert "parley_uploads_total 1.0" in metrics
    assert "parley_files_bytes 1.0" in metrics


def test_who_fetches_too_often_is_told_to_wait() -> None:
    with running(CHAT_RATE_HISTORY="0.2") as server:
        ann = Person(server)
        file = ann.bring(b"x")
        statuses = [ann.get(file).status_code for _ in range(2)]

    assert statuses == [200, 429]


def test_files_can_be_switched_off() -> None:
    with running(CHAT_FILES="off") as server:
        member = Member(server)
        member.call(subscribe={"channel": "lobby"})
        reply = member.call(rpc={"method": "files", "data": {"channel": "lobby"}})
        statuses = [httpx.post(f"{server.url}/files").status_code, httpx.get(f"{server.url}/files/x").status_code]

    assert (reply["error"]["code"], statuses) == (108, [404, 404])


@pytest.mark.parametrize("end", [Server.kill, Server.close], ids=["killed", "stopped"])
def test_what_was_acknowledged_is_there_after_a_restart(tmp_path: Path, end: Any) -> None:
    url = database_url(tmp_path / "chat.db")
    with running(CHAT_DATABASE_URL=url) as server:
        ann = Person(server)
        sent, unsent = ann.bring(png(), "red.png"), ann.bring(b"unsent")
        ann.share(sent)
        guest = ann.connected["data"]["guest"]
        end(server)

    with running(CHAT_DATABASE_URL=url) as server:
        ann = Person(server, guest=guest)
        fetched = [ann.get(file).content for file in (sent, unsent)]
        small = ann.get(sent, "/thumb").status_code
        later = ann.share(unsent, key="later")

    assert (fetched, small) == ([png(), b"unsent"], 200)
    assert "rpc" in later


def test_many_bring_the_same_at_once_and_it_is_on_the_disk_once(tmp_path: Path) -> None:
    with running(CHAT_DATABASE_URL=database_url(tmp_path / "chat.db"), CHAT_RATE_LIMIT="off") as server:
        people = [Person(server) for _ in range(6)]
        with ThreadPoolExecutor(6) as threads:
            files = list(threads.map(lambda person: person.bring(png()), people))

        assert len({file["id"] for file in files}) == 6
        assert [person.get(file).content for person, file in zip(people, files, strict=True)] == [png()] * 6
        kept = [path for path in (tmp_path / "chat.db.files").rglob("*") if path.is_file()]
        assert len(kept) == 2


def test_what_is_deleted_leaves_the_disk_and_what_others_bring_of_it_meanwhile_stays(tmp_path: Path) -> None:
    """Somebody brings and deletes a file again and again, others bring the same: theirs is there whenever they look."""
    settings = {"CHAT_DATABASE_URL": database_url(tmp_path / "chat.db"), "CHAT_RATE_LIMIT": "off"}
    with running("tests.e2e.hasty_app:app", **settings) as server:
        ann, others = Person(server), [Person(server) for _ in range(3)]

        def come_and_go(_: Person) -> bool:
            for number in range(30):
                offset = ann.share(ann.bring(png()), key=f"{number}")["rpc"]["data"]["offset"]
                ann.rpc("delete", channel="lobby", target=offset)
            return True

        def bring_and_look(person: Person) -> bool:
            for number in range(20):
                file = person.bring(png())
                offset = person.share(file, key=f"{number}")["rpc"]["data"]["offset"]
                if person.get(file).content != png() or person.get(file, "/thumb").status_code != 200:
                    return False
                person.rpc("delete", channel="lobby", target=offset)
            return True

        with ThreadPoolExecutor(4) as threads:
            work = [threads.submit(come_and_go, ann), *(threads.submit(bring_and_look, each) for each in others)]
        assert [each.result() for each in work] == [True] * 4

        left: list[Path] = []
        for _ in range(10_000):  # a round trip each; it takes a few
            left = [path for path in (tmp_path / "chat.db.files").rglob("*") if path.is_file()]
            if not left:
                break
            ann.rpc("rooms")
        assert left == []
        assert not [event for event in server.log if event["level"] == "error"]
