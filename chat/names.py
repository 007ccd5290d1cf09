"""What a name may look like, and which names look alike.

Two names look alike if they have the same skeleton (Unicode Technical Standard 39, section 4): what is left when
every character stands for all that can be mistaken for it, `rn` for `m` and a Latin for a Cyrillic a. Case makes no
difference either.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib import resources
from typing import Final

import msgspec

from chat.errors import bad_request

MAX_NAME_CHARS: Final = 40

_MARK: Final = "\u200e"  # what the table puts around letters that are written from right to left

_IGNORED: Final = "\u034f\u17b4\u17b5\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"  # joiners, variation selectors
_BLANK: Final = "\u115f\u1160\u2800\u3164\uffa0"  # letters and symbols by name that leave nothing but a gap
_ignored: Final = re.compile(f"[{_IGNORED}]")
_blank: Final = re.compile(f"[{_BLANK}]")


def clean_name(name: str, default: str) -> str:
    """Return the name to show: normalised (NFC), outer spaces removed; the default if nothing is left.

    A name that looks like the default one of a guest (`guest_name`) counts as none, unless it is the default: such
    names are given out, never chosen, and so each belongs to one guest for ever.

    Raises `CommandError` for one that is too long, or has characters that do not print, such as those that turn the
    direction of writing around or take no room.
    """
    name = " ".join(unicodedata.normalize("NFC", name).split())
    if len(name) > MAX_NAME_CHARS:
        raise bad_request(f"name longer than {MAX_NAME_CHARS} characters")
    if not name.isprintable() or _blank.search(name):
        raise bad_request("name with characters that do not print")
    if not _ignored.sub("", name) or is_guest_name(name):
        return default
    return name


def guest_name(user: str) -> str:
    """Return the name of a guest that has chosen none. No two ids make the same."""
    return f"Guest {user.rpartition('-')[2]}"


def is_guest_name(name: str) -> bool:
    """Tell whether a name looks like one that `guest_name` makes."""
    return any(map(_guest_form().fullmatch, look(name)))


def look(name: str) -> tuple[str, ...]:
    """Return up to three keys for what a name looks like. Names that have one in common look alike.

    Case is taken away before as well as after: a small L is like a capital i, and a zero like a capital o.
    """
    lower = unicodedata.normalize("NFKC", name).casefold()
    skeleton = _skeleton(name)
    return tuple(sorted({skeleton, _skeleton(lower), _skeleton(skeleton.casefold())}))


def _skeleton(text: str) -> str:
    visible = _ignored.sub("", unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFD", visible.translate(_prototypes()))


@cache
def _guest_form() -> re.Pattern[str]:
    digits = "".join(map(_skeleton, "0123456789abcdef"))
    return re.compile(f"(?i:{re.escape(_skeleton('guest '))})[{re.escape(digits)}]{{4,12}}")


@cache
def _prototypes() -> dict[int, str]:
    """Map characters to what they can be mistaken for, one for all that can be mistaken for each other.

    The package's table holds both directions, each character with all that have the same prototype. So a prototype is
    what has several neighbours, or is a sequence; of two that have only each other, either will do.
    """
    table = resources.files("confusable_homoglyphs").joinpath("confusables.json").read_bytes()
    neighbours: dict[str, list[str]] = {}
    for character, entries in msgspec.json.decode(table, type=dict[str, list[dict[str, str]]]).items():
        neighbours[character.strip(_MARK)] = [entry["c"].strip(_MARK) for entry in entries]
    return {
        ord(character): others[0]
        for character, others in neighbours.items()
        if len(character) == len(others) == 1
        and (len(others[0]) > 1 or len(neighbours[others[0]]) > 1 or others[0] < character)
    }
