from __future__ import annotations

import gzip
import os
import re
from typing import TYPE_CHECKING

import pytest

from web.release import Release

if TYPE_CHECKING:
    from pathlib import Path

PAGE = """<html><head><link href="/static/style.css" /><script src="/static/start.js"></script></head></html>"""

START = """// @ts-check
/** @import { Text } from './only-types.js' */
import { one } from './one.js';
import {
  two,
} from './lib/two.js';
/** @type {import('./only-types.js').Text} */
const later = await import('./later.js');
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lib").mkdir()
    for name, content in {
        "index.html": PAGE,
        "style.css": "p {}",
        "start.js": START,
        "one.js": "import './one-more.js';",
        "one-more.js": "import './start.js';",
        "lib/two.js": "export { x } from '../one.js';",
        "later.js": "import './one.js';\nimport './lib/big.js';",
        "lib/big.js": "",
        "only-types.js": "",
        "picture.png": "not a text",
    }.items():
        (tmp_path / name).write_text(content)
    return tmp_path


def test_a_change_of_any_file_is_another_version_and_the_time_of_a_file_is_not(folder: Path) -> None:
    first = Release(folder).version
    os.utime(folder / "one.js", (0, 0))
    touched = Release(folder).version
    (folder / "lib/big.js").write_text("changed")

    assert touched == first
    assert Release(folder).version != first


def test_it_knows_whether_it_is_what_the_folder_has(folder: Path) -> None:
    release = Release(folder)
    assert release.is_current()

    (folder / "style.css").write_text("p { color: red }")
    assert not release.is_current()

    (folder / "style.css").unlink()
    assert not release.is_current()


def test_texts_are_compressed_and_nothing_else(folder: Path) -> None:
    files = Release(folder).files

    assert gzip.decompress(files["start.js"].gzipped or b"") == START.encode()
    assert files["picture.png"].gzipped is None


def test_the_page_names_what_is_needed_at_once_before_what_is_needed_later_and_all_by_its_version(folder: Path) -> None:
    release = Release(folder)

    html = release.html()
    links = re.findall(r'<link rel="modulepreload"( fetchpriority="low")? href="/static/(\w+)/(\S+)" />', html)
    at_once = [path for low, _, path in links if not low]
    later = [path for low, _, path in links if low]
    assert at_once == ["start.js", "one.js", "lib/two.js", "one-more.js"]
    assert later == ["later.js", "lib/big.js"]
    assert {version for _, version, _ in links} == {release.version}
    assert html.count("/static/") == html.count(f"/static/{release.version}/")


def test_a_library_that_is_not_installed_is_not_announced(folder: Path) -> None:
    (folder / "lib/two.js").unlink()

    assert "two.js" not in Release(folder).html()
