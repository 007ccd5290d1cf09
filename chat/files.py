"""What a file may be called, and who may bring files to a room and read them. Pure rules.

Who may is told by a key that is good for one user, one room and an hour: HTTP has no connection to ask. Somebody who
loses the right to read a room keeps it, for files whose ids they know, as long as their key lasts; they could have
fetched those before, and a file that comes later has an id that only members see.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import unicodedata
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote

import msgspec

if TYPE_CHECKING:
    from chat.file_store import FileStore

KEY_LASTS_S: Final = 3_600
MAX_NAME_BYTES: Final = 255

PLAIN: Final = "application/octet-stream"
"""What a file is that is no image: something to be saved."""

NAMELESS: Final = "file"

_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Kinds of characters that a name does not have: control, invisible, turning the direction of writing around."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much of files there may be. Bytes and seconds; what is under way is counted in uploads."""

    max_file_bytes: int = 10_485_760
    max_unsent_bytes: int = 104_857_600
    files_max_bytes: int = 10_737_418_240
    max_uploads: int = 64
    max_uploads_per_address: int = 16
    max_uploads_per_user: int = 4
    upload_timeout_s: float = 300.0


class Access(msgspec.Struct, frozen=True, array_like=True):
    """What a key is good for. `expires_s` is Unix time."""

    user: str
    room: str
    expires_s: int
    upload: bool


class Keys:
    """Makes keys, and knows them again. They hold across restarts, as long as the log whose secret this is."""

    def __init__(self, secret: bytes) -> None:
        # Derived, so that nothing signed for another purpose with the same secret passes for a key.
        self._secret = hmac.digest(secret, b"parley: keys of files", hashlib.sha256)
        self._decode = msgspec.msgpack.Decoder(Access).decode

    def make(self, access: Access) -> str:
        """Return a key, for an address."""
        payload = msgspec.msgpack.encode(access)
        return base64.urlsafe_b64encode(self._sign(payload) + payload).rstrip(b"=").decode()

    def read(self, key: str, now_s: float) -> Access | None:
        """Return what a key is good for; None if it is not one of ours, or is good no more."""
        try:
            raw = base64.b64decode(key.encode("ascii") + b"=" * (-len(key) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError):
            return None
        signature, payload = raw[: hashlib.sha256().digest_size], raw[hashlib.sha256().digest_size :]
        if not hmac.compare_digest(signature, self._sign(payload)):
            return None
        access = self._decode(payload)  # which we have encoded
        return access if access.expires_s > now_s else None

    def _sign(self, payload: bytes) -> bytes:
        return hmac.digest(self._secret, payload, hashlib.sha256)


class Files(NamedTuple):
    """What a chat needs to have files."""

    store: FileStore
    keys: Keys
    limits: Limits


def new_id() -> str:
    """Return an id that nobody can guess (128 bits), for an address."""
    return secrets.token_urlsafe(16)


def clean_name(name: str) -> str:
    """Return what a file is called: without folders, without what does not print, not too long, never nothing."""
    name = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])
    name = "".join(char for char in name if unicodedata.category(char) not in _HIDDEN)
    name = " ".join(name.split()).strip(". ")  # a leading dot hides a file, a trailing one Windows takes away
    return _shortened(name) or NAMELESS


def _shortened(name: str) -> str:
    """Return a name of at most `MAX_NAME_BYTES`, with the end of it kept if that says what the file is."""
    if len(name.encode()) <= MAX_NAME_BYTES:
        return name
    stem, dot, ending = name.rpartition(".")
    tail = dot + ending if stem and len(ending.encode()) <= 16 else ""  # noqa: PLR2004  (longer ones say nothing)
    head = (stem if tail else name).encode()[: MAX_NAME_BYTES - len(tail.encode())]
    return head.decode(errors="ignore").rstrip(". ") + tail


def disposition(kind: str, name: str) -> str:
    """Return the header that names a file (RFC 6266), with the name in ASCII for who knows no better (RFC 8187)."""
    plain = "".join(char if char.isascii() and char.isprintable() and char not in '"\\%' else "_" for char in name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
