"""The `CHAT_*` environment, read once at the start.

Whatever is wrong with it stops the start with one line: a setting that does not exist, because a typo would
otherwise run with the default for years, and a value that does not fit.
"""

from __future__ import annotations

import difflib
import os
import re
import resource
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from chat.admission import UNLIMITED, ConnectionLimits
from chat.files import Limits as FileLimits
from chat.keys import MIN_SECRET_BYTES, KeyFileError, KeySet, public_key, shared_secret
from chat.limits import Limits
from chat.rates import RateLimits
from chat.room_classes import RoomClasses, RoomsFileError, read_room_classes
from chat.tokens import Tokens

PREFIX = "CHAT_"
TEST_PREFIX = "CHAT_TEST_"  # read by the tests, not by the server

SECRETS = frozenset({"CHAT_API_KEY", "CHAT_TOKEN_SECRET"})
"""Settings whose values are shown nowhere."""

Positive = Annotated[int, Field(gt=0)]
Days = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]

Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=1, allow_inf_nan=False)]

_DEFAULT = Limits()
_RATES = RateLimits()
_CONNECTIONS = ConnectionLimits()
_FILES = FileLimits()

_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#@A-Z]+")

RESERVED_FILES = 256
"""How many open files are left for what is no connection: the database, the log, the event loop's own, and what is
uploaded and fetched at a time."""


FILES_SUFFIX = ".files"


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
        description="Whether clients are held to the rates below; above them: 111. `off` is for load tests.",
    )
    rate_send: Rate = Field(
        default=_RATES.send,
        description="Messages, publications, changes and topics a second that a connection may send.",
    )
    rate_typing: Rate = Field(default=_RATES.typing, description="The same for `typing` and `away`.")
    rate_join: Rate = Field(
        default=_RATES.join, description="The same for `subscribe`, `unsubscribe`, `create` and `invite`."
    )
    rate_history: Rate = Field(
        default=_RATES.history,
        description="The same for `history`, `messages`, presence, moderation, files that are fetched, and all else.",
    )
    rate_search: Rate = Field(default=_RATES.search, description="The same for `search`, and `rooms` with a `query`.")
    rate_upload: Rate = Field(default=_RATES.upload, description="Files a second that a user may begin to upload.")
    rate_burst_s: Annotated[float, Field(ge=1, allow_inf_nan=False)] = Field(
        default=_RATES.burst_s, description="How many seconds' worth of these a connection may send at once."
    )
    rate_per_user: Share = Field(
        default=_RATES.per_user, description="How many connections' worth of these a user has, in all connections."
    )
    rate_per_address: Share = Field(
        default=_RATES.per_address, description="How many connections' worth an address has, which many may share."
    )
    connection_limits: Literal["on", "off"] = Field(
        default="on",
        description="Whether connections are counted against the limits below. `off` is for load tests.",
    )
    max_connections: Positive = Field(
        default=_CONNECTIONS.total,
        description="Most connections in all, HTTP among them; never more than the process may open files. "
        "Above it: HTTP 503.",
    )
    max_connections_per_address: Positive = Field(
        default=_CONNECTIONS.per_address,
        description="Most connections from an IPv4 address or an IPv6 network (/64); above it: HTTP 429.",
    )
    max_connections_per_user: Positive = Field(
        default=_CONNECTIONS.per_user, description="Most connections of one user; above it: close 3504."
    )
    max_waiting_per_address: Positive = Field(
        default=_CONNECTIONS.waiting_per_address,
        description="Most connections from an address that have sent no request or `connect` yet; above it: HTTP 429.",
    )
    request_timeout_s: Seconds = Field(
        default=10.0, description="How long a peer may stall before or within an HTTP request; above it: HTTP 408."
    )
    allowed_origins: str | None = Field(
        default=None,
        description="Origins of other sites whose pages may connect, separated by spaces or commas; `*`: all.",
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
    files: bool = Field(default=True, description="Whether files can be sent with messages.")
    max_file_bytes: Positive = Field(default=_FILES.max_file_bytes, description="Largest file; above it: HTTP 413.")
    max_unsent_bytes: Positive = Field(
        default=_FILES.max_unsent_bytes,
        description="Most that a user may have uploaded and not sent, which is kept for a day; above it: HTTP 429.",
    )
    files_max_bytes: Positive = Field(
        default=_FILES.files_max_bytes, description="Most that files may take on the disk in all; above it: HTTP 507."
    )
    max_uploads: Annotated[int, Field(gt=0, le=100)] = Field(
        default=_FILES.max_uploads, description="Most uploads under way; above it: HTTP 429."
    )
    max_uploads_per_address: Positive = Field(
        default=_FILES.max_uploads_per_address, description="The same from one address."
    )
    max_uploads_per_user: Positive = Field(default=_FILES.max_uploads_per_user, description="The same of one user.")
    upload_timeout_s: Seconds = Field(
        default=_FILES.upload_timeout_s,
        description="How long a file may take to be uploaded, or fetched; above it the connection is cut.",
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
    rooms_file: Path | None = Field(
        default=None, description="TOML file with what is different in rooms of some names. Unset: all are alike."
    )
    token_url: Annotated[str, Field(pattern=r"^(https?://[^/\s\"';,]+)?/[^\s\"';,]*$")] | None = Field(
        default=None,
        description='Where the page fetches the token of its user, with cookies: `{"token": …}`. Unset: guests.',
    )
    chaos: bool = Field(
        default=False,
        description="Whether clients may have rooms crash (rpc `chaos`), for tests and demonstrations.",
    )

    @field_validator("allowed_origins")
    @classmethod
    def _origins_as_browsers_write_them(cls, given: str | None) -> str | None:
        for origin in _words(given):
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is not an origin: scheme://host or scheme://host:port, in lower case")
        return given

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

    def room_classes(self) -> RoomClasses:
        """Return what rooms are like: as the limits say, where the rooms file does not. Raises `SettingsError`."""
        if self.rooms_file is None:
            return RoomClasses(self.limits())
        try:
            return read_room_classes(self.rooms_file, self.limits())
        except RoomsFileError as error:
            raise SettingsError(f"CHAT_ROOMS_FILE: {error}") from None

    def database_path(self) -> Path:
        """Return the path in the database's URL."""
        return Path(self.database_url.removeprefix("sqlite:///"))

    def files_path(self) -> Path:
        """Return the folder of the files: beside the database, and named after it."""
        path = self.database_path()
        return path.with_name(path.name + FILES_SUFFIX)

    def file_limits(self) -> FileLimits:
        """Return how much of files there may be."""
        return FileLimits(**{name: getattr(self, name) for name in FileLimits.__struct_fields__})

    def limits(self) -> Limits:
        """Return the part of the settings that the chat itself goes by."""
        limits = {name: getattr(self, name) for name in Limits.__struct_fields__ if hasattr(self, name)}
        if self.rate_limit == "off":
            return Limits(**limits, typing_interval_s=0.0)
        rates = RateLimits(**{name: getattr(self, f"rate_{name}") for name in RateLimits.__struct_fields__})
        return Limits(**limits, rates=rates)

    def admission(self) -> ConnectionLimits:
        """Return how many connections there may be: fewer than files, since the log and the database need some."""
        if self.connection_limits == "off":
            return UNLIMITED
        open_files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return ConnectionLimits(
            total=min(self.max_connections, max(1, open_files - RESERVED_FILES)),
            per_address=self.max_connections_per_address,
            per_user=self.max_connections_per_user,
            waiting_per_address=self.max_waiting_per_address,
        )

    def origins(self) -> list[str]:
        """Return the origins that may connect, besides the one that serves the chat."""
        return _words(self.allowed_origins)


def _words(text: str | None) -> list[str]:
    return (text or "").replace(",", " ").split()
