"""Which tokens are good: the rules of RFC 8725, put to those who do not keep them."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chat.keys import Key, KeySet
from chat.tokens import ExpiredTokenError, InvalidTokenError, Role, Tokens
from tests.tokens import SECRET, token, tokens

NOW = 1_700_000_000.0

RSA = rsa.generate_private_key(65537, 2048)
RSA_PEM = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
P256 = ec.generate_private_key(ec.SECP256R1())
OTHER_P256 = ec.generate_private_key(ec.SECP256R1())


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def by_hand(header: dict[str, Any], claims: Any, key: bytes = SECRET.encode()) -> str:
    """Sign whatever, with HMAC-SHA256."""
    signed = f"{part(header)}.{part(claims)}"
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(signed.encode(), key)
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def rs256(**claims: Any) -> str:
    return jwt.encode({"sub": "ada", **claims}, RSA, algorithm="RS256")


ADA = {"sub": "ada"}
HS256 = {"alg": "HS256", "typ": "JWT"}


def test_a_token_says_who_somebody_is() -> None:
    claims = tokens().connection(token(sub="ada", info={"name": "Ada"}, exp=NOW + 1), NOW)

    assert (claims.sub, claims.public_info(), claims.expires_at) == ("ada", {"name": "Ada"}, NOW + 1)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param("", id="nothing"),
        pytest.param("eyJ", id="no token"),
        pytest.param("a.b.c", id="three parts of nothing"),
        pytest.param("\ud800.\ud800.\ud800", id="broken Unicode"),
        pytest.param("." * 10_000, id="dots"),
        pytest.param(token(ADA) + "x", id="more than the signature"),
        pytest.param(token(ADA).rpartition(".")[0] + ".", id="no signature"),
        pytest.param(jwt.encode(ADA, "", algorithm="none"), id="alg none"),
        pytest.param(by_hand({"alg": "None"}, ADA), id="alg None"),
        pytest.param(by_hand({"alg": "nOnE"}, ADA).rpartition(".")[0] + ".", id="alg nOnE, unsigned"),
        pytest.param(by_hand({}, ADA), id="no alg"),
        pytest.param(by_hand({"alg": ["HS256"]}, ADA), id="alg of another type"),
        pytest.param(by_hand({**HS256, "crit": ["exp"]}, ADA), id="critical extension"),
        pytest.param(jwt.encode(ADA, SECRET * 2, algorithm="HS512"), id="another algorithm and key"),
        pytest.param(jwt.encode(ADA, SECRET.ljust(64), algorithm="HS512"), id="another algorithm"),
        pytest.param(rs256(), id="a key of another kind"),
        pytest.param(token(ADA, secret=SECRET[::-1]), id="another secret"),
        pytest.param(token({}), id="no sub"),
        pytest.param(token(sub=""), id="empty sub"),
        pytest.param(token(sub="x" * 256), id="long sub"),
        pytest.param(token(sub="ada\r\nerror: x"), id="sub of two lines"),
        pytest.param(token(sub="a\u202eda"), id="sub that turns around"),
        pytest.param(token(sub="guest-0123456789ab"), id="sub like a guest's"),
        pytest.param(token(sub="guest-"), id="sub like the beginning of a guest's"),
        pytest.param(by_hand(HS256, {"sub": 7}), id="sub of another type"),
        pytest.param(by_hand(HS256, {"sub": None}), id="sub null"),
        pytest.param(by_hand(HS256, ["sub", "ada"]), id="claims that are no object"),
        pytest.param(by_hand(HS256, {**ADA, "exp": "tomorrow"}), id="exp of another type"),
        pytest.param(by_hand(HS256, {**ADA, "exp": float("nan")}), id="exp not a number"),
        pytest.param(by_hand(HS256, {**ADA, "exp": float("inf")}), id="exp never"),
        pytest.param(by_hand(HS256, {**ADA, "exp": 10**400}), id="exp huge"),
        pytest.param(by_hand(HS256, {**ADA, "exp": -1}), id="exp negative"),
        pytest.param(token(ADA, nbf=NOW + 61), id="not yet valid"),
        pytest.param(token(ADA, iat=NOW + 61), id="made in the future"),
        pytest.param(token(ADA, channels="lobby"), id="channels of another type"),
        pytest.param(token(ADA, subs=["lobby"]), id="subs of another type"),
        pytest.param(token(ADA, meta="admin"), id="meta of another type"),
        pytest.param(token(ADA, meta={"role": "root"}), id="no such role"),
        pytest.param(token(ADA, meta={"rooms": {"tea": 1}}), id="room role of another type"),
        pytest.param(by_hand(HS256, ADA)[:10] + "A" * 60_000, id="huge"),
        pytest.param(
            f"{part(HS256)}.{base64.urlsafe_b64encode(b'[' * 40_000).decode().rstrip('=')}.AAAA", id="deep, unsigned"
        ),
    ],
)
def test_a_token_that_breaks_a_rule_is_invalid(bad: str) -> None:
    with pytest.raises(InvalidTokenError) as caught:
        tokens().connection(bad, NOW)

    assert "ada" not in str(caught.value)


def test_claims_nested_without_end_are_invalid_though_signed() -> None:
    header, deep = part(HS256), base64.urlsafe_b64encode(b'{"sub":' + b"[" * 30_000).decode().rstrip("=")
    signed = f"{header}.{deep}".encode()
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(signed, SECRET.encode())

    with pytest.raises(InvalidTokenError):
        tokens().connection(f"{signed.decode()}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}", NOW)


@pytest.mark.parametrize("claim", ["nbf", "iat"])
def test_the_clock_of_whoever_signs_may_be_a_minute_ahead(claim: str) -> None:
    assert tokens().connection(token({**ADA, claim: NOW + 60}), NOW).sub == "ada"


@pytest.mark.parametrize(
    "claims", [{"exp": NOW}, {"exp": NOW - 3600}, {"expire_at": NOW - 1}, {"exp": 0}, {"exp": NOW - 1, "expire_at": 0}]
)
def test_a_token_whose_time_is_over_has_expired(claims: dict[str, float]) -> None:
    with pytest.raises(ExpiredTokenError):
        tokens().connection(token({**ADA, **claims}), NOW)


@pytest.mark.parametrize(
    ("claims", "ends"),
    [
        ({}, None),
        ({"exp": NOW + 5}, NOW + 5),
        ({"exp": NOW + 5, "expire_at": NOW + 9}, NOW + 9),
        ({"exp": NOW + 5, "expire_at": 0}, None),
    ],
)
def test_a_connection_ends_with_its_token_or_at_a_time_of_its_own(claims: dict[str, float], ends: float | None) -> None:
    assert tokens().connection(token({**ADA, **claims}), NOW).expires_at == ends


# One key, one algorithm


def test_a_public_key_is_not_taken_for_a_secret() -> None:
    checker = Tokens([Key(RSA.public_key(), "RS256")])
    forged = by_hand(HS256, ADA, RSA_PEM)

    assert checker.connection(rs256(), NOW).sub == "ada"
    with pytest.raises(InvalidTokenError):
        checker.connection(forged, NOW)


def test_a_key_is_used_with_no_other_algorithm_of_its_type() -> None:
    with pytest.raises(InvalidTokenError):
        Tokens([Key(RSA.public_key(), "RS256")]).connection(jwt.encode(ADA, RSA, algorithm="RS512"), NOW)


def test_a_token_may_be_signed_with_any_of_several_keys() -> None:
    checker = Tokens([Key(SECRET.encode(), "HS256"), Key(RSA.public_key(), "RS256")])

    assert checker.connection(token(ADA), NOW).sub == checker.connection(rs256(), NOW).sub == "ada"


def key_set(tmp_path: Path) -> Tokens:
    file = tmp_path / "jwks.json"
    entry = jwt.algorithms.ECAlgorithm.to_jwk(P256.public_key(), as_dict=True) | {"kid": "mine"}
    file.write_text(json.dumps({"keys": [entry]}))
    return Tokens([], KeySet(file))


def test_a_key_of_a_set_is_found_by_its_name(tmp_path: Path) -> None:
    good = jwt.encode(ADA, P256, algorithm="ES256", headers={"kid": "mine"})

    assert key_set(tmp_path).connection(good, NOW).sub == "ada"


@pytest.mark.parametrize(
    ("key", "headers"),
    [(P256, {"kid": "another"}), (P256, {}), (OTHER_P256, {"kid": "mine"})],
    ids=["unknown name", "no name", "another key under the name"],
)
def test_a_key_that_is_not_in_the_set_is_none(tmp_path: Path, key: Any, headers: dict[str, str]) -> None:
    with pytest.raises(InvalidTokenError):
        key_set(tmp_path).connection(jwt.encode(ADA, key, algorithm="ES256", headers=headers), NOW)


# For whom, from whom


@pytest.mark.parametrize(
    ("options", "claims", "good"),
    [
        ({"audience": "chat"}, {"aud": "chat"}, True),
        ({"audience": "chat"}, {"aud": ["mail", "chat"]}, True),
        ({"audience": "chat"}, {"aud": "mail"}, False),
        ({"audience": "chat"}, {"aud": 7}, False),
        ({"audience": "chat"}, {}, False),
        ({}, {"aud": "mail"}, True),
        ({"issuer": "https://app"}, {"iss": "https://app"}, True),
        ({"issuer": "https://app"}, {"iss": "https://app.evil"}, False),
        ({"issuer": "https://app"}, {"iss": "https://ap"}, False),
        ({"issuer": "https://app"}, {"iss": ["https://app"]}, False),
        ({"issuer": "https://app"}, {}, False),
        ({}, {"iss": "anybody"}, True),
    ],
)
def test_audience_and_issuer_must_be_right_where_they_are_configured(
    options: dict[str, str], claims: dict[str, Any], *, good: bool
) -> None:
    checker, brought = tokens(**options), by_hand(HS256, ADA | claims)

    if good:
        assert checker.connection(brought, NOW).sub == "ada"
    else:
        with pytest.raises(InvalidTokenError):
            checker.connection(brought, NOW)


# What else it may say


def test_meta_has_the_role_in_all_rooms_and_in_some() -> None:
    claims = tokens().connection(token(ADA, meta={"role": "moderator", "rooms": {"tea": "admin"}, "more": 1}), NOW)

    assert (claims.meta.role, claims.meta.rooms) == (Role.MODERATOR, {"tea": Role.ADMIN})


def test_without_meta_a_user_is_a_member() -> None:
    assert tokens().connection(token(ADA), NOW).meta.role is Role.MEMBER


def test_channels_and_subs_name_the_rooms_that_the_user_is_put_into() -> None:
    subs = {"news": {"info": {"seat": 1}}, "$ada": {}, "b": {"b64info": base64.b64encode(b'{"b":1}').decode()}}
    claims = tokens().connection(token(ADA, channels=["lobby", "news"], subs=subs), NOW)

    assert claims.server_side() == {"lobby": "", "news": '{"seat":1}', "$ada": "", "b": '{"b":1}'}


def test_info_may_come_in_base64() -> None:
    encoded = base64.b64encode(b'{"name": "Ada"}').decode()

    assert tokens().connection(token(ADA, b64info=encoded), NOW).public_info() == {"name": "Ada"}


@pytest.mark.parametrize(
    "claims",
    [
        {"info": "Ada"},
        {"info": [1]},
        {"info": {"n": 2**64}},
        {"info": {"s": "\ud800"}},
        {"b64info": "%"},
        {"b64info": "AAAA"},
        {"b64info": base64.b64encode(b"7").decode()},
    ],
)
def test_info_that_not_everybody_could_read_makes_a_token_invalid(claims: dict[str, Any]) -> None:
    with pytest.raises(InvalidTokenError):
        tokens().connection(token({**ADA, **claims}), NOW).public_info()


def test_a_subscription_token_says_who_may_enter_what() -> None:
    claims = tokens().subscription(token(ADA, channel="$tea", info={"seat": 1}, exp=NOW + 5), NOW)

    assert (claims.sub, claims.channel, claims.chan_info(), claims.expires_at) == (
        "ada",
        "$tea",
        '{"seat":1}',
        NOW + 5,
    )


def test_a_connection_token_is_no_subscription_token() -> None:
    with pytest.raises(InvalidTokenError):
        tokens().subscription(token(ADA), NOW)
