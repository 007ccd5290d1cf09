"""The page's files as one release: its version, the files compressed, and what browsers are told to load, and when.

The version is part of the addresses in the page, and modules name each other relative to themselves: a browser never
mixes the files of two releases, and may keep each for ever.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ADDRESS: Final = "/static/"

FIRST: Final = "start.js"
"""The module that draws first. What it imports is wanted at once; what it awaits the import of, when that is drawn."""

_COMPRESSIBLE: Final = frozenset({".css", ".html", ".js", ".svg"})
_IMPORTED: Final = re.compile(r"""^(?:import\b|export\b.*\bfrom\b)[^;'"()]*['"](\.{1,2}/[^'"]+)['"]""", re.MULTILINE)
_IMPORTED_LATER: Final = re.compile(r"""\bawait import\(['"](\.{1,2}/[^'"]+)['"]\)""")

Stamp = tuple[int, int]
"""When a file was changed (ns), and its size in bytes."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of a release. What is no text is not compressed."""

    content: bytes
    stamp: Stamp
    gzipped: bytes | None


class Release:
    """What is in a folder at this moment. To read and compress it takes some 50 ms, and is done here."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.files: Mapping[str, File] = {
            path.relative_to(folder).as_posix(): _read(path) for path in sorted(folder.rglob("*")) if path.is_file()
        }
        digest = hashlib.sha256()
        for path, file in self.files.items():
            digest.update(b"%s\0%d\0%s" % (path.encode(), len(file.content), file.content))
        self.version = digest.hexdigest()[:16]

    def is_current(self) -> bool:
        """Tell whether all files are still as they were. Asks the disk about each: some 0.2 ms."""
        try:
            return all(stamp((self._folder / path).stat()) == file.stamp for path, file in self.files.items())
        except FileNotFoundError:
            return False

    def html(self) -> str:
        """Return the page, with addresses of this release and with links to all modules.

        Without these a browser would find each when it has read the one that imports it. What is not needed for the
        first drawing gives way to what is.
        """
        first = self._closure([FIRST])
        later = [path for path in self._closure(self._matches(first, _IMPORTED_LATER)) if path not in first]
        links = [f'<link rel="modulepreload" href="{ADDRESS}{path}" />' for path in first]
        links += [f'<link rel="modulepreload" fetchpriority="low" href="{ADDRESS}{path}" />' for path in later]
        page = (
            self.files["index.html"].content.decode().replace("</head>", "  {}\n  </head>".format("\n    ".join(links)))
        )
        return page.replace(f'"{ADDRESS}', f'"{ADDRESS}{self.version}/')

    def _closure(self, modules: list[str]) -> list[str]:
        """Return these modules and all that they import, directly or not, level by level."""
        found = dict.fromkeys(path for path in modules if path in self.files)
        while news := [path for path in self._matches([*found], _IMPORTED) if path not in found]:
            found |= dict.fromkeys(news)
        return [*found]

    def _matches(self, modules: list[str], pattern: re.Pattern[str]) -> list[str]:
        return [
            path
            for module in modules
            for target in pattern.findall(self.files[module].content.decode())
            if (path := posixpath.normpath(posixpath.join(posixpath.dirname(module), target))) in self.files
        ]


def stamp(status: os.stat_result) -> Stamp:
    """Return what changes when a file does."""
    return status.st_mtime_ns, status.st_size


def _read(file: Path) -> File:
    was = stamp(file.stat())  # before it is read: a change meanwhile is then found by is_current()
    content = file.read_bytes()
    return File(content, was, gzip.compress(content, mtime=0) if file.suffix in _COMPRESSIBLE else None)
