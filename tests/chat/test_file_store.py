"""Contents are kept once, and no crash, wherever it comes, loses one that was acknowledged or leaves one behind."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from chat.file_store import FileStore, StoreFullError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chat.file_store import Part

HELLO: Final = b"hello"
DIGEST: Final = hashlib.sha256(HELLO).hexdigest()


def everything(digests: Sequence[str]) -> set[str]:
    return set(digests)


def nothing(_: Sequence[str]) -> set[str]:
    return set()


def opened(folder: Path, max_bytes: int = 1_000_000) -> FileStore:
    return FileStore.open(folder / "files", max_bytes, everything)


def written(store: FileStore, data: bytes = HELLO) -> Part:
    part = store.begin()
    part.write(data)
    return part


def kept(store: FileStore, data: bytes = HELLO, thumb: bytes | None = None) -> str:
    digest = store.keep(written(store, data), thumb)
    store.release(digest, referred=True)
    return digest


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder / "files")) for path in folder.rglob("*") if path.is_file())


def test_a_content_is_kept_under_its_hash_with_its_small_image(tmp_path: Path) -> None:
    store = opened(tmp_path)

    assert kept(store, HELLO, b"small") == DIGEST

    assert store.path(DIGEST).read_bytes() == HELLO
    assert store.thumb_path(DIGEST).read_bytes() == b"small"
    below = f"{DIGEST[:2]}/{DIGEST[2:4]}/{DIGEST}"
    assert files(tmp_path) == [below, below + ".thumb"]
    assert store.bytes == 10


def test_the_same_content_is_kept_once(tmp_path: Path) -> None:
    store = opened(tmp_path)

    kept(store, HELLO, b"small")
    kept(store, HELLO, b"small")

    assert len(files(tmp_path)) == 2
    assert store.bytes == 10


def test_the_same_content_from_many_at_once_is_kept_once(tmp_path: Path) -> None:
    store = opened(tmp_path)
    together = threading.Barrier(8)

    def keep(_: int) -> None:
        part = written(store)
        together.wait(10)
        store.release(store.keep(part, b"small"), referred=True)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(keep, range(8)))

    assert len(files(tmp_path)) == 2
    assert store.bytes == 10


def test_what_is_dropped_leaves_nothing(tmp_path: Path) -> None:
    store = opened(tmp_path)
    part = written(store)
    assert (store.bytes, len(files(tmp_path))) == (5, 1)

    store.drop(part)
    store.drop(part)

    assert (store.bytes, files(tmp_path)) == (0, [])


def test_a_full_store_takes_no_more_until_there_is_room(tmp_path: Path) -> None:
    store = opened(tmp_path, max_bytes=9)
    kept(store)
    part = store.begin()
    with pytest.raises(StoreFullError):
        part.write(HELLO)
    store.drop(part)

    assert store.discard(DIGEST)

    kept(store)


def test_what_is_being_written_counts_as_well(tmp_path: Path) -> None:
    store = opened(tmp_path, max_bytes=9)
    first, second = written(store), store.begin()

    with pytest.raises(StoreFullError):
        second.write(HELLO)

    store.drop(first)
    second.write(HELLO)
    store.drop(second)


def test_a_content_that_is_held_is_not_discarded(tmp_path: Path) -> None:
    store = opened(tmp_path)
    kept(store)
    again = store.keep(written(store), None)

    assert not store.discard(again)
    assert store.path(DIGEST).exists()

    store.release(again, referred=True)
    assert store.discard(DIGEST)
    assert store.bytes == 0


def test_what_was_held_in_vain_is_known_until_it_is_gone_or_referred_to(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.release(store.keep(written(store), None), referred=False)
    assert store.dropped() == [DIGEST]

    held = store.keep(written(store), None)
    assert store.dropped() == []
    store.release(held, referred=True)
    store.forget_dropped(DIGEST)
    assert store.dropped() == []

    store.release(store.keep(written(store), None), referred=False)
    store.discard(DIGEST)
    assert store.dropped() == []


def test_what_cannot_be_kept_is_neither_there_nor_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened(tmp_path)
    part = written(store)

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken, pytest.raises(OSError, match="No space"):
        broken.setattr(os, "fsync", fail)
        store.keep(part, b"small")
    store.drop(part)

    assert store.dropped() == [DIGEST]
    assert store.discard(DIGEST)
    assert (store.bytes, files(tmp_path)) == (0, [])


def test_the_next_start_removes_what_nobody_refers_to_and_counts_the_rest(tmp_path: Path) -> None:
    store = opened(tmp_path)
    kept(store, HELLO, b"small")
    kept(store, b"unknown to the log", b"small")
    written(store, b"half of something").file.close()
    stranger = store.path(DIGEST).with_name("README")
    stranger.write_text("not ours")

    again = FileStore.open(tmp_path / "files", 1_000_000, {DIGEST}.intersection)

    assert again.bytes == 10
    assert again.path(DIGEST).read_bytes() == HELLO
    stranger.unlink()
    assert len(files(tmp_path)) == 2


def test_a_content_is_on_the_disk_before_it_has_its_name_and_its_folders_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, done, folder = opened(tmp_path), [], tmp_path / "files"
    fsync, rename = os.fsync, Path.rename

    def synced(descriptor: int) -> None:
        fsync(descriptor)
        done.append(("synced", Path(f"/proc/self/fd/{descriptor}").resolve()))

    def renamed(path: Path, target: Path) -> Path:
        done.append(("renamed", path))
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "rename", renamed)
    part = written(store)
    store.release(store.keep(part, None), referred=True)

    below = store.path(DIGEST).parent
    content = [("synced", part.path), ("renamed", part.path)]
    assert done == [*content, ("synced", below), ("synced", below.parent), ("synced", folder)]


KILLED: Final = """
import os, pathlib, signal, sys
from chat.file_store import FileStore

step, folder = int(sys.argv[1]), pathlib.Path(sys.argv[2])
store = FileStore.open(folder / "files", 1_000_000, lambda digests: set(digests))
steps = 0

def dies_before(function):
    def step_of(*arguments, **options):
        global steps
        steps += 1
        if steps == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return step_of

for where, names in (
    (os, "open fsync mkdir rename replace unlink stat"),
    (pathlib.Path, "mkdir rename replace unlink open exists stat"),
):
    for name in names.split():
        setattr(where, name, dies_before(getattr(where, name)))

part = store.begin()
part.write(b"hello")
store.keep(part, b"small")
print("acknowledged", flush=True)
store.release(part.hash, referred=True)
store.discard(part.hash)
print(steps, flush=True)
"""


def test_killed_between_any_two_steps_nothing_acknowledged_is_lost_and_nothing_is_left(tmp_path: Path) -> None:
    steps = seen_acknowledged = 0
    for step in range(1, 200):
        folder = tmp_path / str(step)
        folder.mkdir()
        process = subprocess.run(
            [sys.executable, "-c", KILLED, str(step), str(folder)], capture_output=True, text=True, check=False
        )
        if process.returncode == 0:
            steps = step
            break
        assert process.returncode == -signal.SIGKILL, process.stderr
        acknowledged = "acknowledged" in process.stdout
        seen_acknowledged += acknowledged
        path = folder / "files" / DIGEST[:2] / DIGEST[2:4] / DIGEST

        # What is there under its hash is whole; and it is there from before it is acknowledged.
        assert not path.exists() or path.read_bytes() == HELLO
        store = FileStore.open(folder / "files", 1_000_000, nothing)
        assert (files(folder), store.bytes) == ([], 0)
        assert kept(store) == DIGEST

    assert steps > 15
    assert 0 < seen_acknowledged < steps - 10


def test_acknowledged_means_that_it_is_there(tmp_path: Path) -> None:
    """Killed at the first step after the acknowledgement, the content is there, and stays if it is referred to."""
    for step in range(1, 200):
        folder = tmp_path / str(step)
        folder.mkdir()
        process = subprocess.run(
            [sys.executable, "-c", KILLED, str(step), str(folder)], capture_output=True, text=True, check=False
        )
        if "acknowledged" in process.stdout:
            store = opened(folder)
            assert store.path(DIGEST).read_bytes() == HELLO
            assert store.thumb_path(DIGEST).read_bytes() == b"small"
            return
    pytest.fail("it was never acknowledged")
