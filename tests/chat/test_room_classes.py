"""Room classes: what a rooms file may say, what is refused with which line, and which section a room goes by."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.limits import Limits
from chat.log import Retention
from chat.policy import Action, may
from chat.room_classes import DAY_MS, KEYS, WRITING, RoomClass, RoomClasses, RoomsFileError, read_room_classes
from chat.tokens import Role

SERVER = Limits(max_text_chars=50, retention_entries=1_000, retention_days=30.0)
EVERYTHING = """
[[room]]
pattern = "news-*"
join = "member"
send = "moderator"
create = "admin"
presence = false
max_members = 500
max_text_chars = 200
presence_limit = 7
recovery_window = 1000
recovery_limit = 50
retention_entries = 20
retention_days = 0.5
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rooms.toml"


def read(file: Path, text: str) -> RoomClasses:
    file.write_text(text)
    return read_room_classes(file, SERVER)


def complaint(file: Path, text: str | bytes) -> str:
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(RoomsFileError) as caught:
        read_room_classes(file, SERVER)
    message = str(caught.value)
    assert message.startswith(str(file))
    assert "\n" not in message
    return message.removeprefix(str(file)).removeprefix(": ")


# What it may say


def test_a_section_says_what_is_different_in_the_rooms_that_match(file: Path) -> None:
    news = read(file, EVERYTHING).of("news-uk")

    assert (news.join, news.send, news.create) == (Role.MEMBER, Role.MODERATOR, Role.ADMIN)
    assert (news.presence, news.max_members) == (False, 500)
    assert news.limits == Limits(
        max_text_chars=200,
        presence_limit=7,
        recovery_window=1000,
        recovery_limit=50,
        retention_entries=20,
        retention_days=0.5,
    )


def test_every_key_is_tried_here() -> None:
    assert [key for key in KEYS if f"\n{key} = " not in EVERYTHING] == []


@pytest.mark.parametrize("text", ["", "# nothing yet", "room = []", '[[room]]\npattern = "lobby"'])
def test_what_no_section_says_is_as_everywhere(file: Path, text: str) -> None:
    assert read(file, text).of("lobby") == RoomClass(limits=SERVER)
    assert read(file, text).of("garden") == RoomClass(limits=SERVER)


def test_what_a_room_keeps_can_be_unlimited_although_the_server_limits_it(file: Path) -> None:
    text = '[[room]]\npattern = "*"\nretention_entries = "unlimited"\nretention_days = "unlimited"'
    classes = read(file, text)

    assert (classes.of("lobby").limits.retention_entries, classes.of("lobby").limits.retention_days) == (None, None)


def test_days_may_be_whole(file: Path) -> None:
    assert read(file, '[[room]]\npattern = "*"\nretention_days = 2').of("lobby").limits.retention_days == 2


# Which section a room goes by


names = st.text("ab*?", min_size=1, max_size=4)


@given(patterns=st.lists(names, max_size=4), channel=names)
def test_the_first_pattern_that_matches_decides(patterns: list[str], channel: str) -> None:
    other = RoomClass(limits=Limits())
    classes = [(pattern, RoomClass(limits=Limits(), max_members=number)) for number, pattern in enumerate(patterns, 1)]

    found = RoomClasses(Limits(), classes).of(channel)

    matching = [number for number, pattern in enumerate(patterns, 1) if fnmatchcase(channel, pattern)]
    assert found == (classes[matching[0] - 1][1] if matching else other)


@pytest.mark.parametrize(
    ("pattern", "channel", "matches"),
    [
        ("news-*", "news-", True),
        ("news-*", "my-news-uk", False),
        ("news-*", "News-uk", False),
        ("news", "news-uk", False),
        ("team-?", "team-7", True),
        ("team-?", "team-77", False),
        ("$*", "$tea", True),
        ("a.c", "abc", False),
        ("*#ada", "tea#ada", True),
    ],
)
def test_a_pattern_is_for_the_whole_name(file: Path, pattern: str, channel: str, *, matches: bool) -> None:
    found = read(file, f'[[room]]\npattern = "{pattern}"\nmax_members = 1').of(channel)

    assert (found.max_members == 1) == matches


@pytest.mark.parametrize(
    ("role", "joins", "sends"),
    [("guest", False, False), ("member", True, False), ("moderator", True, True), ("admin", True, True)],
)
def test_a_role_may_do_what_a_lesser_one_may(file: Path, role: Role, *, joins: bool, sends: bool) -> None:
    news = read(file, EVERYTHING).of("news-uk")

    looking = (Action.JOIN, Action.READ, Action.SEE_MEMBERS)
    assert all(may(Role(role), action, news.floors) is joins for action in looking)
    assert all(may(Role(role), action, news.floors) is sends for action in WRITING)


# What is kept


def test_what_is_kept_follows_the_sections_and_then_the_server(file: Path) -> None:
    text = EVERYTHING + '[[room]]\npattern = "audit"\nretention_entries = "unlimited"\nretention_days = "unlimited"'

    assert read(file, text).retention(40 * DAY_MS) == [
        Retention("news-*", 20, 40 * DAY_MS - DAY_MS // 2),
        Retention("audit", None, None),
        Retention("*", 1_000, 10 * DAY_MS),
    ]


def test_days_that_began_before_1970_keep_all() -> None:
    assert RoomClasses(Limits(retention_days=1e300)).retention(DAY_MS) == [Retention("*", None, 0)]


def test_where_nothing_is_forgotten_there_is_no_rule() -> None:
    assert RoomClasses(Limits(), [("news-*", RoomClass(limits=Limits()))]).retention(DAY_MS) == []


def test_one_class_that_forgets_is_enough_to_have_rules() -> None:
    short = RoomClass(limits=Limits(retention_entries=1))

    assert RoomClasses(Limits(), [("news-*", short)]).retention(0) == [
        Retention("news-*", 1, None),
        Retention("*", None, None),
    ]


# What is wrong with it


def test_a_file_that_is_not_there_is_named(file: Path) -> None:
    with pytest.raises(RoomsFileError) as caught:
        read_room_classes(file, SERVER)

    assert str(caught.value) == f"{file} cannot be read: No such file or directory"


@pytest.mark.parametrize(
    "text", ['room = "', b"\xff", "a = " + "[" * 100_000, "[[room]]\npattern = 'a'\npattern = 'b'"], ids=range(4)
)
def test_a_file_that_is_no_toml_is_refused(file: Path, text: str | bytes) -> None:
    assert complaint(file, text).startswith(" is no TOML: ")


FIRST = '[[room]]\npattern = "lobby"\n[[room]]\n'
NUMBER = "a whole number above 0"
DAYS = 'a number above 0, at most 1000000, or "unlimited"'
ROLE = "one of guest, member, moderator, admin"
KNOWN = ", ".join(KEYS)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[[rooms]]\n", "'rooms' is no key; a section begins with [[room]]"),
        ("[room]\n", "'room' is no list of sections; each begins with [[room]]"),
        ("room = [1]\n", "'room' is no list of sections; each begins with [[room]]"),
        ("[[room]]\n", "[[room]] 1: pattern is missing; it says which rooms this is about"),
        (FIRST + 'pattern = "a"\nsned = "guest"', "[[room]] 2: 'sned' is no key; did you mean 'send'?"),
        (FIRST + 'pattern = "a"\nzzzzz = 1', f"[[room]] 2: 'zzzzz' is no key; there are {KNOWN}"),
        (FIRST + 'pattern = "a"\n"x\\ny" = 1', f"[[room]] 2: 'x\\ny' is no key; there are {KNOWN}"),
        (FIRST + "pattern = 7", "[[room]] 2: pattern = 7 does not fit; it must be a string"),
        (FIRST + 'pattern = ""', "[[room]] 2: pattern '' is empty"),
        (
            FIRST + 'pattern = "[ab]"',
            "[[room]] 2: pattern '[ab]' has a bracket; a pattern has * for anything, ? for one character, and no sets",
        ),
        (
            FIRST + 'pattern = " a"',
            "[[room]] 2: pattern ' a' matches no name: names print, have no outer spaces and at most 255 bytes",
        ),
        (FIRST + 'pattern = "lobby"', "[[room]] 2: pattern 'lobby' is never reached; 'lobby' comes before it"),
        (
            '[[room]]\npattern = "*"\n[[room]]\npattern = "a"',
            "[[room]] 2: pattern 'a' is never reached; '*' comes before it",
        ),
        (FIRST + 'pattern = "a"\njoin = "boss"', f"[[room]] 2: join = 'boss' does not fit; it must be {ROLE}"),
        (FIRST + 'pattern = "a"\nsend = 3', f"[[room]] 2: send = 3 does not fit; it must be {ROLE}"),
        (FIRST + 'pattern = "a"\npresence = 1', "[[room]] 2: presence = 1 does not fit; it must be true or false"),
        (FIRST + 'pattern = "a"\nmax_members = 0', f"[[room]] 2: max_members = 0 does not fit; it must be {NUMBER}"),
        (
            FIRST + 'pattern = "a"\nrecovery_window = "9"',
            f"[[room]] 2: recovery_window = '9' does not fit; it must be {NUMBER}",
        ),
        (
            FIRST + 'pattern = "a"\nrecovery_limit = 1.5',
            f"[[room]] 2: recovery_limit = 1.5 does not fit; it must be {NUMBER}",
        ),
        (
            FIRST + 'pattern = "a"\nretention_entries = "all"',
            f"[[room]] 2: retention_entries = 'all' does not fit; it must be {NUMBER}, or \"unlimited\"",
        ),
        *(
            (
                FIRST + f'pattern = "a"\nretention_days = {days}',
                f"[[room]] 2: retention_days = {days} does not fit; it must be {DAYS}",
            )
            for days in ("nan", "inf", "0", "-1")
        ),
    ],
)
def test_what_is_wrong_is_named_by_section_and_key(file: Path, text: str, line: str) -> None:
    assert complaint(file, text) == line


@pytest.mark.parametrize("pattern", ["a\\nb", "a\\u0000", "x" * 256, "*" + "\\u00e9" * 128])
def test_a_pattern_that_no_name_can_match_is_refused(file: Path, pattern: str) -> None:
    assert "matches no name" in complaint(file, f'[[room]]\npattern = "{pattern}"')
