"""Contents on the disk, each once, under its hash. Who refers to them is not known here: the log has that.

    files/part/5f0c…             what is being written. Nobody's after a restart
    files/ab/cd/abcd…            a content, by its SHA-256
    files/ab/cd/abcd….thumb      the small image of it

The order makes a crash harmless at any point. A content is written under another name, synced, renamed, and its folder
synced, before the log is told of it; the log lets go of it before it is removed. So what the log knows is there, and
what it does not know is removed, soon or at the next start (`sweep`).

Calls block, and may come from any thread. Between `keep` and `release` a content is *held*: `discard` leaves it, since
the log may be about to hear of it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import threading
from collections import Counter
from typing import TYPE_CHECKING, BinaryIO, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

HASH_CHARS: Final = 64
THUMB: Final = ".thumb"
PARTS: Final = "part"

_OURS: Final = re.compile(rf"[0-9a-f]{{{HASH_CHARS}}}({re.escape(THUMB)})?")
"""What else lies in the folders is somebody else's, and stays."""


class StoreFullError(Exception):
    """There is no room for more, by our own limit."""


class Part:
    """A content while it is being written: for one thread at a time. Its end is `FileStore.keep` or `drop`."""

    def __init__(self, path: Path, reserve: Callable[[int], None]) -> None:
        self.path = path
        self.size = 0
        self.file: BinaryIO = path.open("xb+")
        self._reserve = reserve
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> None:
        """Add to it. Raises `StoreFullError`, `OSError`."""
        self._reserve(len(data))
        self.size += len(data)
        self._hash.update(data)
        self.file.write(data)

    @property
    def hash(self) -> str:
        """The hash of what was written."""
        return self._hash.hexdigest()


class FileStore:
    """The contents below one folder, which may have so many bytes in all."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._held: Counter[str] = Counter()
        self._dropped: set[str] = set()
        """Contents that were held, and of which the log may not have heard."""
        self.bytes = 0
        """What is taken: by contents, small images, and what is being written."""

    @classmethod
    def open(cls, folder: Path, max_bytes: int, referred: Callable[[Sequence[str]], set[str]]) -> Self:
        """Make the folder if need be, and remove what is not in use: parts, and contents that nobody refers to.

        Some seconds for 100,000 contents. Raises `OSError`.
        """
        store = cls(folder, max_bytes)
        _make_folder(folder / PARTS)
        for part in (folder / PARTS).iterdir():
            part.unlink()
        for level in sorted(folder.iterdir()):
            if level.name != PARTS and level.is_dir():
                store._sweep(level, referred)
        return store

    def _sweep(self, level: Path, referred: Callable[[Sequence[str]], set[str]]) -> None:
        folders = [folder for folder in level.iterdir() if folder.is_dir()]
        names = [entry for folder in folders for entry in os.scandir(folder) if _OURS.fullmatch(entry.name)]
        known = referred([entry.name[:HASH_CHARS] for entry in names])
        for entry in names:
            if entry.name[:HASH_CHARS] in known:
                self.bytes += entry.stat().st_size
            else:
                os.unlink(entry.path)  # noqa: PTH108  (an entry of scandir is no Path)

    def path(self, digest: str) -> Path:
        """Return where a content is, if it is there."""
        return self._folder / digest[:2] / digest[2:4] / digest

    def thumb_path(self, digest: str) -> Path:
        """Return where the small image of a content is, if it is there."""
        return self.path(digest + THUMB)

    def begin(self) -> Part:
        """Begin a content. Raises `OSError`."""
        return Part(self._folder / PARTS / secrets.token_hex(16), self._reserve)

    def keep(self, part: Part, thumb: bytes | None) -> str:
        """Keep what was written, with a small image of it, and return its hash; it is held then, until `release`.

        When this returns it is on the disk. Raises `StoreFullError`, `OSError`, and then it is neither kept nor held.
        """
        digest = part.hash
        with self._holding(digest):
            part.file.flush()
            os.fsync(part.file.fileno())
            path = self.path(digest)
            path.parent.mkdir(parents=True, exist_ok=True)
            if thumb is not None:
                self._keep_thumb(digest, thumb)
            with self._lock:
                is_new = not path.exists()
                if is_new:
                    part.path.rename(path)
            # Also what somebody else has made: that it is there does not say that it is on the disk.
            for folder in (path.parent, path.parent.parent, self._folder):
                _sync_folder(folder)
            if is_new:
                part.size = 0  # it is the content's now
            self.drop(part)
        return digest

    def _keep_thumb(self, digest: str, thumb: bytes) -> None:
        path = self.thumb_path(digest)
        if path.exists():
            return
        small = self.begin()
        try:
            small.write(thumb)
            small.file.flush()
            os.fsync(small.file.fileno())
            with self._lock:
                if not path.exists():
                    small.path.rename(path)
                    small.size = 0
        finally:
            self.drop(small)

    @contextlib.contextmanager
    def _holding(self, digest: str) -> Iterator[None]:
        with self._lock:
            self._held[digest] += 1
        try:
            yield
        except BaseException:
            self.release(digest, referred=False)
            raise

    def release(self, digest: str, *, referred: bool) -> None:
        """Hold a content no longer. `referred`: the log has heard of it; else it may have to go."""
        with self._lock:
            self._held[digest] -= 1
            if not self._held[digest]:
                del self._held[digest]
            if not referred:
                self._dropped.add(digest)

    def drop(self, part: Part) -> None:
        """Remove what is left of something that was being written. Twice is as good as once."""
        part.file.close()
        with contextlib.suppress(FileNotFoundError):
            part.path.unlink()
        size, part.size = part.size, 0
        self._reserve(-size)

    def dropped(self) -> list[str]:
        """Return contents that were held in vain, and are not any more."""
        with self._lock:
            return [digest for digest in self._dropped if digest not in self._held]

    def discard(self, digest: str) -> bool:
        """Remove a content that nobody refers to. False, and it stays, while it is held. Raises `OSError`.

        Only for the thread that tells the log of contents: between its look into the log and this call the log must
        not hear of it.
        """
        with self._lock:
            if digest in self._held:
                return False
            for path in (self.path(digest), self.thumb_path(digest)):
                with contextlib.suppress(FileNotFoundError):
                    size = path.stat().st_size
                    path.unlink()
                    self.bytes -= size
            self._dropped.discard(digest)
        return True

    def forget_dropped(self, digest: str) -> None:
        """Take note that the log refers to a content that was once held in vain."""
        with self._lock:
            self._dropped.discard(digest)

    def _reserve(self, size: int) -> None:
        with self._lock:
            if size > 0 and self.bytes + size > self._max_bytes:
                raise StoreFullError
            self.bytes += size


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, and see to it that a power cut does not take them away again."""
    missing = [level for level in (folder, *folder.parents) if not level.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for level in missing:
        _sync_folder(level.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
