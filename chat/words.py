"""Words: which texts a query finds. The same rules for every log, whatever it looks with.

A word is a run of letters and digits. Case and accents do not matter, nor in which of Unicode's forms they are written.
Where a language writes no spaces between its words (Chinese, Japanese, Thai …) each character is a word, as is each
emoji; so a sequence of them is found anywhere in a text. What a language knows beyond that (stems, spelling) is not
known here.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from msgspec import Struct

MIN_PREFIX: Final = 2
"""How long the last word must be to match the beginning of others: a letter alone begins a tenth of all words."""

_WORD: Final = re.compile(r"[0-9a-z\x80-\U0010ffff]+")
_PART: Final = re.compile(r'"([^"]*)"?|([^\s"]+)')

_ACCENTS: Final = (range(10, 37), range(200, 255))
"""Combining classes of marks without which a word is still the same to its readers, as those of a kana are not."""

_UNSPACED: Final = (
    range(0x0E00, 0x0F00),  # Thai, Lao
    range(0x1000, 0x10A0),  # Myanmar
    range(0x1780, 0x1800),  # Khmer
    range(0x2E80, 0x2FE0),  # radicals
    range(0x3005, 0x3008),
    range(0x3040, 0x3100),  # kana
    range(0x31F0, 0x3200),
    range(0x3400, 0x4DC0),  # Han
    range(0x4E00, 0xA000),
    range(0xF900, 0xFB00),
    range(0x20000, 0x40000),
)
_VARIATIONS: Final = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))


def _within(code: int, ranges: tuple[range, ...]) -> bool:
    return any(code in some for some in ranges)


class _Unaccented(dict[int, str]):
    """What is left of a character without accents; filled as characters come."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        self[code] = left = "" if _within(unicodedata.combining(char), _ACCENTS) else char
        return left


class _Spaced(dict[int, str]):
    """A character as part of a word, as a word of its own, or as the space between words."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        category = unicodedata.category(char)
        if category == "Cf" or _within(code, _VARIATIONS):
            spaced = ""
        elif category == "So" or (category[0] in "LNM" and _within(code, _UNSPACED)):
            spaced = f" {char} "
        elif category[0] in "LNM":
            spaced = char
        else:
            spaced = " "
        self[code] = spaced
        return spaced


_UNACCENTED: Final = _Unaccented()
_SPACED: Final = _Spaced()


def fold(text: str) -> str:
    """Return a text of which the words are the runs of ASCII letters and digits and of all that is not ASCII."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text).casefold().translate(_UNACCENTED)
    return unicodedata.normalize("NFC", plain).translate(_SPACED)


def words(text: str) -> list[str]:
    """Return the words of a text, in their order."""
    return _WORD.findall(fold(text))


class Query(Struct, frozen=True):
    """What a text must have: all `phrases`, each of them words in a row.

    With `prefix` the last word of the last phrase may be the beginning of a longer one.
    """

    phrases: tuple[tuple[str, ...], ...] = ()
    prefix: bool = False

    def finds(self, text: str) -> bool:
        """Tell whether a text has it all."""
        if not self.phrases:
            return True
        all_words = f" {' '.join(words(text))} "
        closed = len(self.phrases) - self.prefix
        return all(
            f" {' '.join(phrase)}{' ' if number < closed else ''}" in all_words
            for number, phrase in enumerate(self.phrases)
        )


def parse(query: str) -> Query:
    """Read what somebody typed: words, and "words in a row". There is no query that is wrong.

    What is written together (e-mail, 東京) is words in a row, too. A query without any word finds everything.
    """
    phrases: list[tuple[str, ...]] = []
    prefix = False
    for quoted, plain in _PART.findall(query):
        found = tuple(words(quoted or plain))
        if found:
            phrases.append(found)
            prefix = bool(plain) and len(found[-1]) >= MIN_PREFIX
    return Query(tuple(phrases), prefix)
