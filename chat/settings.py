"""The `CHAT_*` environment, read once at the start.

Whatever is wrong with it stops the start with one line: a setting that does not exist, because a typo would
otherwise run with the default for years, and a value that does not fit.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from chat.keys import MIN_SECRET_BYTES, KeyFileError, KeySet, public_key, shared_secret
from chat.limits import Limits
from chat.tokens import Tokens

PREFIX = "CHAT_"
TEST_PREFIX = "CHAT_TEST_"  # read by the tests, not by the server

SECRETS = frozenset({"CHAT_API_KEY", "CHAT_TOKEN_SECRET"})
"""Settings whose values are shown nowhere."""

Positive = Annotated[int, Field(gt=0)]
Days = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]

_DEFAULT = Limits()


class SettingsError(Exception):
    """The environment does not configure a chat. The message is one line that says what to set."""


class Settings(BaseSettings):
    """One field per `CHAT_` variable; its description is the documentation of that variable."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe events to log."
    )
    log_format: Literal["auto", "console", "json"] = Field(
        default="auto",
        description="Log lines for people or for machines; `auto` asks whether stderr is a terminal.",
    )
    database_url: Annotated[str, Field(pattern=r"^sqlite:///[^?#]+$")] = Field(
        default="sqlite:///data/chat.db",
        description="Where everything is kept: `sqlite:///` and a path, relative to the working directory or absolute.",
    )
    retention_entries: Positive | None = Field(
        default=None, description="How many of its newest entries a room keeps. Unset: all."
    )
    retention_days: Days | None = Field(default=None, description="How long a room keeps an entry. Unset: for ever.")
    max_frame_bytes: Positive = Field(
        default=_DEFAULT.max_frame_bytes,
        description="Largest frame a client may send; above it: close 1009.",
    )
    max_backlog_bytes: Positive = Field(
        default=_DEFAULT.max_backlog_bytes,
        description="Most that may wait for a client that reads slowly; above it: close 3008.",
    )
    max_text_chars: Positive = Field(
        default=_DEFAULT.max_text_chars, description="Longest message text, in characters."
    )
    max_channels: Positive = Field(default=_DEFAULT.max_channels, description="Most subscriptions of one connection.")
    max_pending: Positive = Field(
        default=_DEFAULT.max_pending, description="Most unanswered commands of one connection."
    )
    rate_limit: Literal["on", "off"] = Field(
        default="on",
        description="Whether clients are held to rates (now: typing, once a second a room). `off` is for load tests.",
    )
    max_rooms: Positive = Field(default=_DEFAULT.max_rooms, description="Most rooms open at a time.")
    recovery_window: Positive = Field(
        default=_DEFAULT.recovery_window,
        description="Newest entries of a room kept at hand for resuming clients and for history.",
    )
    recovery_limit: Positive = Field(
        default=_DEFAULT.recovery_limit,
        description="Most entries that a client may have missed and still resume; above it: `recovered: false`.",
    )
    presence_limit: Positive = Field(
        default=_DEFAULT.presence_limit,
        description="Largest room that gets join and leave pushes and a presence list.",
    )
    room_idle_s: Seconds = Field(default=_DEFAULT.room_idle_s, description="How long an empty room stays open.")
    room_closed_s: Seconds = Field(
        default=_DEFAULT.room_closed_s,
        description="How long a room that crashed too often stays closed.",
    )
    ping_interval_s: Annotated[float, Field(ge=1, le=3600)] = Field(
        default=_DEFAULT.ping_interval_s,
        description="How often a client is pinged. Rounded up to whole seconds.",
    )
    pong_timeout_s: Seconds = Field(
        default=_DEFAULT.pong_timeout_s, description="How long a pong may take; above it: close 3012."
    )
    connect_timeout_s: Seconds = Field(
        default=_DEFAULT.connect_timeout_s,
        description="How long an open socket may take to send `connect`; above it: close 3502.",
    )
    stuck_after_s: Seconds = Field(
        default=1.0, description="How long one turn of an actor may take before it is reported as stuck."
    )
    drain_timeout_s: Seconds = Field(
        default=3.0, description="How long SIGTERM waits for commands under way before it closes sockets."
    )
    guests: bool = Field(default=True, description="Whether people may come in without a token, as guests.")
    token_secret: SecretStr | None = Field(
        default=None, description="Secret of at least 32 bytes that connection tokens are signed with (HS256)."
    )
    token_public_key: Path | None = Field(
        default=None,
        description="PEM file with the public key of whoever signs them (RS256, ES256 or EdDSA, by the key's type).",
    )
    token_jwks_file: Path | None = Field(
        default=None, description="JWKS file with such keys, found by `kid`. Read again when it changes."
    )
    token_audience: str | None = Field(default=None, description="What a token's `aud` must be, or have. Unset: any.")
    token_issuer: str | None = Field(default=None, description="What a token's `iss` must be. Unset: any.")
    token_grace_s: Seconds = Field(
        default=_DEFAULT.token_grace_s,
        description="How long after a token's end another may be brought; above it: close 3005, or unsubscribed 2501.",
    )
    api_key: Annotated[SecretStr, Field(min_length=16)] | None = Field(
        default=None,
        description="Switches the server API on (`POST /api/…`), for whoever has this key: 16 characters at least.",
    )
    metrics: bool = Field(
        default=False,
        description="Whether `/metrics` is served, to whoever can reach the port: have the proxy in front withhold it.",
    )
    chaos: bool = Field(
        default=False,
        description="Whether clients may have rooms crash (rpc `chaos`), for tests and demonstrations.",
    )

    @model_validator(mode="after")
    def _pong_before_next_ping(self) -> Self:
        if self.pong_timeout_s >= self.ping_interval_s:
            raise ValueError("CHAT_PONG_TIMEOUT_S must be less than CHAT_PING_INTERVAL_S")
        return self

    @model_validator(mode="after")
    def _tokens_to_come_in_with(self) -> Self:
        secret = self.token_secret
        if secret is not None and len(secret.get_secret_value().encode()) < MIN_SECRET_BYTES:
            raise ValueError(f"CHAT_TOKEN_SECRET must have at least {MIN_SECRET_BYTES} bytes")
        if not self.guests and not (secret or self.token_public_key or self.token_jwks_file):
            raise ValueError(
                "CHAT_GUESTS=off leaves nobody who could come in: "
                "set CHAT_TOKEN_SECRET, CHAT_TOKEN_PUBLIC_KEY or CHAT_TOKEN_JWKS_FILE"
            )
        return self

    @classmethod
    def from_environment(cls) -> Settings:
        """Read the environment. Raises `SettingsError`."""
        known = {PREFIX + name.upper() for name in cls.model_fields}
        for name in sorted(os.environ):
            upper = name.upper()  # pydantic-settings does not mind the case either
            if upper.startswith(PREFIX) and not upper.startswith(TEST_PREFIX) and upper not in known:
                similar = difflib.get_close_matches(upper, known, n=1)
                hint = f"did you mean {similar[0]}?" if similar else "README.md lists the settings."
                raise SettingsError(f"{name} is not a setting; {hint}")
        try:
            return cls()
        except ValidationError as error:
            wrong = error.errors(include_url=False)[0]
            if not wrong["loc"]:  # about several settings, and it names them
                raise SettingsError(wrong["msg"].removeprefix("Value error, ")) from None
            name = PREFIX + str(wrong["loc"][0]).upper()
            shown = "" if name in SECRETS else f"={wrong['input']!r}"
            raise SettingsError(f"{name}{shown} does not fit: {wrong['msg']}") from None

    def tokens(self) -> Tokens | None:
        """Return what checks tokens, None if there is no key. Raises `SettingsError`."""
        keys, key_set, name = [], None, ""
        if self.token_secret is not None:
            keys.append(shared_secret(self.token_secret.get_secret_value().encode()))
        try:
            name = "CHAT_TOKEN_PUBLIC_KEY"
            if self.token_public_key is not None:
                keys.append(public_key(self.token_public_key))
            name = "CHAT_TOKEN_JWKS_FILE"
            if self.token_jwks_file is not None:
                key_set = KeySet(self.token_jwks_file)
        except KeyFileError as error:
            raise SettingsError(f"{name}: {error}") from None
        if not keys and key_set is None:
            return None
        return Tokens(keys, key_set, audience=self.token_audience, issuer=self.token_issuer)

    def database_path(self) -> Path:
        """Return the path in the database's URL."""
        return Path(self.database_url.removeprefix("sqlite:///"))

    def limits(self) -> Limits:
        """Return the part of the settings that the chat itself goes by."""
        limits = {name: getattr(self, name) for name in Limits.__struct_fields__ if hasattr(self, name)}
        if self.rate_limit == "off":
            limits["typing_interval_s"] = 0.0
        return Limits(**limits)
