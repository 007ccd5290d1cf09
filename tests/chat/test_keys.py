from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from chat.keys import KeyFileError, KeySet, public_key, shared_secret

RSA = rsa.generate_private_key(65537, 2048)
P256 = ec.generate_private_key(ec.SECP256R1())
ED25519 = ed25519.Ed25519PrivateKey.generate()
P384 = ec.generate_private_key(ec.SECP384R1())
SHORT_RSA = rsa.generate_private_key(65537, 1024)  # noqa: S505  (to be refused)
DSA = dsa.generate_private_key(1024)  # noqa: S505  (to be refused)


def pem(key: Any) -> bytes:
    encoded: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return encoded


def jwk(key: Any, kid: str | None = "k", **more: Any) -> dict[str, Any]:
    """Return the public part of a key as a JWK."""
    kind: Any = {RSA: jwt.algorithms.RSAAlgorithm, SHORT_RSA: jwt.algorithms.RSAAlgorithm}.get(key)
    kind = kind or (jwt.algorithms.OKPAlgorithm if key is ED25519 else jwt.algorithms.ECAlgorithm)
    encoded: dict[str, Any] = kind.to_jwk(key.public_key(), as_dict=True)
    return encoded | ({"kid": kid} if kid else {}) | more


def write(path: Path, *keys: dict[str, Any]) -> Path:
    """Write a JWKS file, in the way that keeps readers from a half of it."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps({"keys": keys}))
    os.replace(new, path)  # noqa: PTH105  (as a program would that rotates keys)
    return path


def test_a_secret_is_for_hs256_only() -> None:
    assert shared_secret(b"secret").algorithm == "HS256"


@pytest.mark.parametrize(
    ("key", "algorithm"), [(RSA, "RS256"), (P256, "ES256"), (ED25519, "EdDSA")], ids=["rsa", "p256", "ed25519"]
)
def test_a_public_key_is_for_the_one_algorithm_of_its_type(tmp_path: Path, key: Any, algorithm: str) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(pem(key))

    assert public_key(file).algorithm == algorithm
    found = KeySet(write(tmp_path / "jwks.json", jwk(key))).get("k")
    assert found is not None
    assert found.algorithm == algorithm


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no public key in PEM"),
        (b"\xff\xfe", "no public key in PEM"),
        (P256.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), "no public key in PEM"),
        (pem(SHORT_RSA), "must have 2048 bits, and this has 1024"),
        (pem(P384), "must be a public one of RSA"),
        (pem(DSA), "must be a public one of RSA"),
    ],
    ids=["empty", "not text", "private", "short", "another curve", "another type"],
)
def test_any_other_file_is_refused_with_the_reason(tmp_path: Path, content: bytes, why: str) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(content)

    with pytest.raises(KeyFileError, match=why):
        public_key(file)


@pytest.mark.parametrize("read", [public_key, KeySet])
def test_a_file_that_is_not_there_is_refused(tmp_path: Path, read: Any) -> None:
    with pytest.raises(KeyFileError, match="cannot be read: No such file"):
        read(tmp_path / "missing")


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ([], "no key with a kid"),
        ([jwk(P256, None)], "no key with a kid"),
        ([jwk(P256, use="enc")], "no key with a kid"),
        ([{"kty": "oct", "k": "c2VjcmV0", "kid": "k"}], "is secret"),
        ([jwk(P256) | {"d": "AAAA"}], "is secret"),
        ([{"kty": "EC", "crv": "P-256", "kid": "k"}], "cannot be used"),
        ([{"kty": "XX", "kid": "k"}], "cannot be used"),
        ([jwk(P384)], "must be a public one of RSA"),
        ([jwk(SHORT_RSA)], "must have 2048 bits"),
        ([jwk(RSA, alg="RS512")], "is for RS512"),
    ],
)
def test_a_set_without_a_key_that_could_be_used_is_refused(tmp_path: Path, keys: Any, why: str) -> None:
    with pytest.raises(KeyFileError, match=why):
        KeySet(write(tmp_path / "jwks.json", *keys))


@pytest.mark.parametrize("content", [b"", b"[]", b'{"keys": {}}', b"\xff", b"{" * 100_000])
def test_what_is_no_set_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "jwks.json"
    file.write_bytes(content)

    with pytest.raises(KeyFileError, match="no JSON Web Key Set"):
        KeySet(file)


def test_a_name_that_is_not_in_the_set_has_no_key(tmp_path: Path) -> None:
    assert KeySet(write(tmp_path / "jwks.json", jwk(P256))).get("another") is None


def test_a_set_that_changes_is_read_again(tmp_path: Path) -> None:
    file = write(tmp_path / "jwks.json", jwk(P256, "old"))
    keys = KeySet(file)

    write(file, jwk(P256, "old"), jwk(ED25519, "new"))
    both = keys.get("old"), keys.get("new")
    write(file, jwk(ED25519, "new"))

    assert None not in both
    assert keys.get("old") is None
    assert keys.get("new") is not None


@pytest.mark.parametrize("damage", [Path.unlink, lambda file: file.write_text("{")])
def test_a_set_that_becomes_unreadable_leaves_the_keys_as_they_were(tmp_path: Path, damage: Any) -> None:
    file = write(tmp_path / "jwks.json", jwk(P256, "old"))
    keys = KeySet(file)

    damage(file)
    kept = keys.get("old")
    write(file, jwk(P256, "new"))

    assert kept is not None
    assert keys.get("new") is not None
