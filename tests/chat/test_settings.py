from __future__ import annotations

import os
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chat.admission import UNLIMITED, ConnectionLimits
from chat.limits import Limits
from chat.rates import RateLimits
from chat.room_classes import RoomClass
from chat.settings import RESERVED_FILES, Settings, SettingsError

NO_SETTINGS_OF_THEIR_OWN = {"rates", "typing_interval_s"}
"""Limits that consist of several settings, or that pages are made for: they show what is typed for so long."""


class Environment:
    """The `CHAT_*` environment, empty at first."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        for name in [name for name in os.environ if name.upper().startswith("CHAT_")]:
            monkeypatch.delenv(name)

    def read(self, **variables: str) -> Settings:
        for name, value in variables.items():
            self._monkeypatch.setenv(name, value)
        return Settings.from_environment()

    def complaint(self, **variables: str) -> str:
        with pytest.raises(SettingsError) as caught:
            self.read(**variables)
        return str(caught.value)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Environment:
    return Environment(monkeypatch)


def test_without_settings_the_limits_are_the_defaults(environment: Environment) -> None:
    assert environment.read().limits() == Limits(rates=RateLimits())


def test_a_variable_sets_a_field(environment: Environment) -> None:
    assert environment.read(CHAT_MAX_ROOMS="7").limits().max_rooms == 7


def test_case_does_not_matter(environment: Environment) -> None:
    assert environment.read(chat_max_rooms="7").max_rooms == 7


@pytest.mark.parametrize("field", sorted(set(Limits.__struct_fields__) - NO_SETTINGS_OF_THEIR_OWN))
def test_every_limit_can_be_set(environment: Environment, field: str) -> None:
    settings = environment.read(**{f"CHAT_{field.upper()}": "17"})

    assert getattr(settings.limits(), field) == 17
    assert getattr(Limits(), field) != 17


def test_every_setting_says_what_it_does() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_settings_do_not_change_once_read(environment: Environment) -> None:
    settings = environment.read()

    with pytest.raises(ValueError, match="frozen"):
        settings.max_rooms = 1


# What is wrong stops the start


def test_an_unknown_setting_is_refused_with_the_one_it_resembles(environment: Environment) -> None:
    complaint = environment.complaint(CHAT_MAX_ROMS="7")

    assert complaint == "CHAT_MAX_ROMS is not a setting; did you mean CHAT_MAX_ROOMS?"


def test_an_unknown_setting_that_resembles_none_is_refused_with_where_to_look(environment: Environment) -> None:
    assert environment.complaint(CHAT_ZZZ="1") == "CHAT_ZZZ is not a setting; README.md lists the settings."


def test_a_typo_is_found_in_any_case(environment: Environment) -> None:
    assert "did you mean CHAT_MAX_ROOMS?" in environment.complaint(Chat_max_roms="7")


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("CHAT_MAX_ROOMS", "many", "valid integer"),
        ("CHAT_MAX_ROOMS", "", "valid integer"),
        ("CHAT_MAX_ROOMS", "0", "greater than 0"),
        ("CHAT_MAX_FRAME_BYTES", "-1", "greater than 0"),
        ("CHAT_MAX_TEXT_CHARS", "1.5", "valid integer"),
        ("CHAT_ROOM_IDLE_S", "0", "greater than 0"),
        ("CHAT_ROOM_IDLE_S", "inf", "finite"),
        ("CHAT_PONG_TIMEOUT_S", "nan", "finite"),
        ("CHAT_PING_INTERVAL_S", "0.5", "greater than or equal to 1"),
        ("CHAT_PING_INTERVAL_S", "nan", "less than or equal to 3600"),
        ("CHAT_LOG_LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("CHAT_LOG_FORMAT", "xml", "'auto', 'console' or 'json'"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_the_reason(
    environment: Environment, name: str, value: str, why: str
) -> None:
    complaint = environment.complaint(**{name: value})

    assert complaint.startswith(f"{name}={value!r} does not fit: ")
    assert why in complaint


def test_a_key_is_long_and_is_shown_nowhere(environment: Environment) -> None:
    complaint = environment.complaint(CHAT_API_KEY="too short")

    assert complaint.startswith("CHAT_API_KEY does not fit: ")
    assert "at least 16" in complaint
    assert "too short" not in complaint
    assert "0123456789abcdef" not in repr(environment.read(CHAT_API_KEY="0123456789abcdef"))


@pytest.mark.parametrize(
    "variables", [{"CHAT_MAX_ROOMS": "a\nb"}, {"CHAT_MAX_ROOMS": "x", "CHAT_MAX_CHANNELS": "y"}, {"CHAT_TYPO": "a\nb"}]
)
def test_a_complaint_is_one_line(environment: Environment, variables: dict[str, str]) -> None:
    assert "\n" not in environment.complaint(**variables)


@pytest.mark.parametrize(
    ("name", "allowed"),
    [("CHAT_TEST_CHROMIUM", True), ("CHATTER", True), ("MY_CHAT_MAX", True), ("CHAT_TESTING", False)],
)
def test_only_what_begins_with_the_prefix_and_is_not_for_tests_is_looked_at(
    environment: Environment, name: str, *, allowed: bool
) -> None:
    attempt: Callable[..., Any] = environment.read if allowed else environment.complaint

    assert attempt(**{name: "1"})


def test_a_pong_is_due_before_the_next_ping(environment: Environment) -> None:
    complaint = environment.complaint(CHAT_PING_INTERVAL_S="5", CHAT_PONG_TIMEOUT_S="5")

    assert complaint == "CHAT_PONG_TIMEOUT_S must be less than CHAT_PING_INTERVAL_S"


def test_rates_can_be_switched_off(environment: Environment) -> None:
    limits = environment.read(CHAT_RATE_LIMIT="off", CHAT_RATE_SEND="1").limits()

    assert limits == Limits(typing_interval_s=0.0, rates=None)


@pytest.mark.parametrize("field", RateLimits.__struct_fields__)
def test_every_rate_can_be_set(environment: Environment, field: str) -> None:
    rates = environment.read(**{f"CHAT_RATE_{field.upper()}": "1.5"}).limits().rates

    assert getattr(rates, field) == 1.5
    assert getattr(RateLimits(), field) != 1.5


def test_the_number_of_connections_has_limits_and_they_can_be_set(environment: Environment) -> None:
    settings = environment.read(
        CHAT_MAX_CONNECTIONS="4",
        CHAT_MAX_CONNECTIONS_PER_ADDRESS="3",
        CHAT_MAX_CONNECTIONS_PER_USER="2",
        CHAT_MAX_WAITING_PER_ADDRESS="1",
    )

    assert settings.admission() == ConnectionLimits(total=4, per_address=3, per_user=2, waiting_per_address=1)


def test_there_are_never_more_connections_than_files_can_be_opened(environment: Environment) -> None:
    settings = environment.read(CHAT_MAX_CONNECTIONS="1000000000")
    open_files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)

    assert settings.admission().total == open_files - RESERVED_FILES


def test_the_number_of_connections_can_be_left_without_limits(environment: Environment) -> None:
    assert environment.read(CHAT_CONNECTION_LIMITS="off", CHAT_MAX_CONNECTIONS="4").admission() == UNLIMITED


@pytest.mark.parametrize(
    "given", ["https://a.example http://b.example:8080", "https://a.example,http://b.example:8080"]
)
def test_origins_are_separated_by_spaces_or_commas(environment: Environment, given: str) -> None:
    assert environment.read(CHAT_ALLOWED_ORIGINS=given).origins() == ["https://a.example", "http://b.example:8080"]


def test_without_setting_no_other_origin_is_allowed_and_a_wild_card_may_stand_for_all(environment: Environment) -> None:
    assert environment.read().origins() == []
    assert environment.read(CHAT_ALLOWED_ORIGINS="*").origins() == ["*"]


@pytest.mark.parametrize(
    "origin", ["a.example", "https://", "https://a.example/", "https://A.example", "https://u@a.example", "null"]
)
def test_what_no_browser_would_send_as_an_origin_stops_the_start(environment: Environment, origin: str) -> None:
    complaint = environment.complaint(CHAT_ALLOWED_ORIGINS=f"https://b.example {origin}")

    assert f"{origin!r} is not an origin" in complaint
    assert "\n" not in complaint


# Keys


SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105  (of nobody)


def test_without_a_key_there_are_no_tokens(environment: Environment) -> None:
    assert environment.read().tokens() is None


def test_a_secret_is_not_shown(environment: Environment) -> None:
    settings = environment.read(CHAT_TOKEN_SECRET=SECRET)

    assert settings.tokens() is not None
    assert SECRET not in f"{settings!r} {settings}"


@pytest.mark.parametrize("secret", ["", "short", "x" * 31])
def test_a_secret_that_is_too_short_is_refused_and_not_shown(environment: Environment, secret: str) -> None:
    assert environment.complaint(CHAT_TOKEN_SECRET=secret) == "CHAT_TOKEN_SECRET must have at least 32 bytes"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("CHAT_TOKEN_PUBLIC_KEY", "cannot be read: No such file"),
        ("CHAT_TOKEN_JWKS_FILE", "cannot be read: No such file"),
    ],
)
def test_a_key_file_that_is_no_good_is_refused_with_its_setting(
    environment: Environment, tmp_path: Path, name: str, why: str
) -> None:
    settings = environment.read(**{name: str(tmp_path / "missing")})

    with pytest.raises(SettingsError, match=why) as caught:
        settings.tokens()
    assert str(caught.value).startswith(f"{name}: ")


def test_a_chat_that_nobody_could_enter_is_refused(environment: Environment) -> None:
    assert environment.complaint(CHAT_GUESTS="off").startswith("CHAT_GUESTS=off leaves nobody who could come in: set ")


def test_guests_may_be_kept_out_where_there_are_tokens(environment: Environment) -> None:
    assert environment.read(CHAT_GUESTS="off", CHAT_TOKEN_SECRET=SECRET).guests is False


# Rooms


def test_without_a_rooms_file_all_rooms_are_alike(environment: Environment) -> None:
    classes = environment.read(CHAT_MAX_ROOMS="7").room_classes()

    assert classes.of("lobby") == RoomClass(limits=Limits(max_rooms=7, rates=RateLimits()))


def test_a_rooms_file_is_read_with_the_limits_for_what_it_does_not_say(
    environment: Environment, tmp_path: Path
) -> None:
    file = tmp_path / "rooms.toml"
    file.write_text('[[room]]\npattern = "tea"\nmax_members = 2')

    tea = environment.read(CHAT_ROOMS_FILE=str(file), CHAT_MAX_ROOMS="7").room_classes().of("tea")

    assert tea == RoomClass(limits=Limits(max_rooms=7, rates=RateLimits()), max_members=2)


def test_a_rooms_file_that_is_no_good_is_refused_with_its_setting(environment: Environment, tmp_path: Path) -> None:
    settings = environment.read(CHAT_ROOMS_FILE=str(tmp_path / "missing"))

    with pytest.raises(SettingsError, match=r"^CHAT_ROOMS_FILE: .*missing cannot be read: No such file"):
        settings.room_classes()
