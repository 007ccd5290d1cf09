"""The keys that tokens are checked with. Each is good for one algorithm, which its own type decides.

What a token says of its algorithm is never followed, only compared (RFC 8725, section 3.1): so nobody can have a
public key taken for a shared secret, or do without a signature.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import jwt
import msgspec
import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

if TYPE_CHECKING:
    from pathlib import Path

MIN_SECRET_BYTES: Final = 32
"""As long as what HMAC-SHA256 makes of it (RFC 7518, section 3.2)."""

MIN_RSA_BITS: Final = 2048
"""RFC 7518, section 3.3."""

log = structlog.get_logger()


class KeyFileError(Exception):
    """A file has no key that could be used. The message is one line that says what is wrong."""


class Key(msgspec.Struct, frozen=True):
    """A key, and the one algorithm that it is used with."""

    material: Any
    algorithm: str


def shared_secret(secret: bytes) -> Key:
    """Return the key of those who make tokens and those who check them."""
    return Key(secret, "HS256")


def public_key(path: Path) -> Key:
    """Read a PEM file. Raises `KeyFileError`."""
    try:
        return _key_of(load_pem_public_key(path.read_bytes()))
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFileError(f"{path} holds no public key in PEM") from None


def _key_of(material: Any) -> Key:
    if isinstance(material, RSAPublicKey):
        if material.key_size < MIN_RSA_BITS:
            raise KeyFileError(f"an RSA key must have {MIN_RSA_BITS} bits, and this has {material.key_size}")
        return Key(material, "RS256")
    if isinstance(material, EllipticCurvePublicKey) and isinstance(material.curve, SECP256R1):
        return Key(material, "ES256")
    if isinstance(material, Ed25519PublicKey):
        return Key(material, "EdDSA")
    raise KeyFileError("the key must be a public one of RSA, of the elliptic curve P-256, or Ed25519")


class KeySet:
    """The keys of a JWKS file (RFC 7517), by their `kid`. The file is looked at whenever one is wanted.

    So keys can be rotated: put the new one into the file beside the old one, sign with the new one, take the old one
    out. A file that cannot be read, or has no key, leaves the keys as they were, and the log says so.
    """

    def __init__(self, path: Path) -> None:
        """Read the file. Raises `KeyFileError`."""
        self._path = path
        self._state = self._look()
        self._keys = self._read()

    def get(self, kid: str) -> Key | None:
        """Return the key of that name."""
        state = self._look()
        if state != self._state:
            self._state = state
            try:
                self._keys = self._read()
                log.info("keys.read", keys=sorted(self._keys))
            except KeyFileError as error:
                log.error("keys.unreadable", reason=str(error))  # noqa: TRY400  (the reason says it all)
        return self._keys.get(kid)

    def _look(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _read(self) -> dict[str, Key]:
        try:
            entries = msgspec.json.decode(self._path.read_bytes(), type=_JwkSet).keys
        except OSError as error:
            raise KeyFileError(f"{self._path} cannot be read: {error.strerror}") from None
        except ValueError as error:
            raise KeyFileError(f"{self._path} is no JSON Web Key Set: {error}") from None
        keys = {entry["kid"]: _key_of_jwk(entry) for entry in entries if _is_for_us(entry)}
        if not keys:
            raise KeyFileError(f"{self._path} has no key with a kid for signatures")
        return keys


class _JwkSet(msgspec.Struct):
    keys: list[dict[str, Any]]


def _is_for_us(entry: dict[str, Any]) -> bool:
    return isinstance(entry.get("kid"), str) and entry.get("use", "sig") == "sig"


def _key_of_jwk(entry: dict[str, Any]) -> Key:
    kid = entry["kid"]
    if entry.get("kty") == "oct" or "d" in entry:
        raise KeyFileError(f"key {kid!r} is secret, and a JWKS file is for public ones")
    try:
        key = _key_of(jwt.PyJWK(entry).key)
    except jwt.PyJWTError as error:
        raise KeyFileError(f"key {kid!r} cannot be used: {error}") from None
    if entry.get("alg", key.algorithm) != key.algorithm:
        raise KeyFileError(f"key {kid!r} is for {entry['alg']}, and here it would be used for {key.algorithm}")
    return key
