"""What a word is, and which texts a query finds."""

from __future__ import annotations

import sqlite3
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.words import Query, fold, parse, words


def finds(query: str, text: str) -> bool:
    return parse(query).finds(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hello, World!", ["hello", "world"]),
        ("e-mail to a.b@example.org", ["e", "mail", "to", "a", "b", "example", "org"]),
        ("ÉCOLE Straße İstanbul", ["ecole", "strasse", "istanbul"]),
        ("e\N{COMBINING ACUTE ACCENT}cole", ["ecole"]),
        ("Привет, Ёлка", ["привет", "елка"]),
        ("שָׁלוֹם", ["שלום"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("한국어 텍스트", ["한국어", "텍스트"]),
        ("東京タワー", ["東", "京", "タ", "ワ", "ー"]),
        ("がか", ["が", "か"]),
        ("ไทย", ["ไ", "ท", "ย"]),
        ("iPhone用", ["iphone", "用"]),
        ("ok👍🏽!", ["ok", "👍"]),
        ("👩\N{ZERO WIDTH JOINER}🚀", ["👩", "🚀"]),
        ("co\N{SOFT HYPHEN}operate", ["cooperate"]),
        ("a\0b\ue000c", ["a", "b", "c"]),
        ("… — !?", []),
        ("", []),
    ],
)
def test_words(text: str, found: list[str]) -> None:
    assert words(text) == found


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("hello", "Hello, World"),
        ("world hello", "Hello, World"),
        ("wor", "Hello, World"),
        ("ecole", "une école"),
        ("École", "une ecole"),
        ('"hello world"', "well: hello, world"),
        ("hello-world", "well: hello, world"),
        ('"hello wor', "hello wor"),
        ("京タ", "東京タワー"),
        ("京", "東京タワー"),
        ("👍", "good 👍🏽"),
        ("", "anything"),
        ('"" !', "anything"),
    ],
)
def test_a_query_finds(query: str, text: str) -> None:
    assert finds(query, text)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("hello moon", "hello world"),
        ("hel world", "hello world"),
        ("ello", "hello"),
        ("h", "hello"),
        ('"hel"', "hello"),
        ('"world hello"', "hello world"),
        ('"hello world"', "hello, big world"),
        ("京東", "東京"),
        ("hello", ""),
    ],
)
def test_a_query_does_not_find(query: str, text: str) -> None:
    assert not finds(query, text)


def test_the_last_word_may_be_a_beginning_unless_it_is_quoted_or_a_single_letter() -> None:
    assert parse("one tw") == Query((("one",), ("tw",)), prefix=True)
    assert parse('one "tw"') == Query((("one",), ("tw",)))
    assert parse("one t") == Query((("one",), ("t",)))
    assert parse('"one" tw !') == Query((("one",), ("tw",)), prefix=True)


@given(st.text(max_size=200))
def test_there_is_no_query_that_is_wrong_and_none_that_says_something_to_the_index(query: str) -> None:
    for phrase in parse(query).phrases:
        assert phrase
        for word in phrase:
            assert not any(char.isspace() or (char.isascii() and not char.isalnum()) for char in word)
            assert not any(unicodedata.category(char) in {"Cc", "Co"} for char in word)


@given(st.text(max_size=60))
def test_a_text_is_found_by_its_own_words_whatever_their_form(text: str) -> None:
    for form in ("NFC", "NFD"):
        assert finds(" ".join(words(unicodedata.normalize(form, text))), text) or not words(text)


@given(st.text(max_size=60))
def test_the_index_splits_a_folded_text_into_the_same_words(text: str) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("create virtual table search using fts5 (words, tokenize = 'ascii')")
    connection.execute("create virtual table found using fts5vocab (search, instance)")
    connection.execute("insert into search values (?)", (fold(text),))

    found = [word for (word,) in connection.execute("select term from found order by offset")]
    connection.close()

    assert found == words(text)
