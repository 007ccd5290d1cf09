"""The promises that the repository itself makes to a newcomer."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PYTHON_LOCKS = ("requirements.lock", "requirements-node.lock")


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^\w.-]", requirement)[0].lower() for requirement in requirements}


def locked(lock: str) -> set[str]:
    return set(re.findall(r"^([\w.-]+)==", (ROOT / lock).read_text(), re.MULTILINE))


def test_the_lock_holds_every_requirement() -> None:
    project = PYPROJECT["project"]
    extras: dict[str, list[str]] = project["optional-dependencies"]
    required = names([*project["dependencies"], *(r for extra in extras.values() for r in extra)])

    assert required - locked("requirements.lock") == set()


def test_the_lock_for_machines_without_node_holds_node() -> None:
    assert names(PYPROJECT["dependency-groups"]["node"]) <= locked("requirements-node.lock")


def test_every_locked_python_package_has_a_hash() -> None:
    for lock in PYTHON_LOCKS:
        packages = re.split(r"\n(?=\S)", (ROOT / lock).read_text())

        assert [package for package in packages if "--hash=sha256:" not in package] == []


def test_no_lock_says_where_packages_come_from() -> None:
    """Whoever installs chooses the registry: a mirror, a cache, the public one."""
    for lock in PYTHON_LOCKS:
        assert "://" not in (ROOT / lock).read_text()
    # npm also records where authors take donations: only its word for an address counts.
    assert '"resolved"' not in (ROOT / "web/package-lock.json").read_text()


def test_the_page_lock_matches_what_the_page_asks_for() -> None:
    page: dict[str, Any] = json.loads((ROOT / "web/package.json").read_text())
    locked_page: dict[str, Any] = json.loads((ROOT / "web/package-lock.json").read_text())

    for kind in ("dependencies", "devDependencies"):
        assert locked_page["packages"][""].get(kind) == page.get(kind)


@pytest.fixture(name="commands", scope="module")
def listed_commands() -> set[str]:
    """Return what `make` alone lists."""
    listed = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return set(re.findall(r"^  make (\w+) ", listed, re.MULTILINE))


def test_make_alone_lists_every_command(commands: set[str]) -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert phony
    assert commands == set(phony[1].split()) - {"FORCE"}


def test_contributing_names_every_command(commands: set[str]) -> None:
    named = set(re.findall(r"`make (\w+)", (ROOT / "CONTRIBUTING.md").read_text()))

    assert named == commands
