"""Management tokens and access keys: good ones, forged ones, expired ones, revoked ones."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from authpipe.control import tokens as tokens_module
from authpipe.errors import NotFound, QuotaExceeded, Unauthorized
from authpipe.storage.keys import AccessKeys


@pytest.fixture
async def made(control: Any) -> Any:
    return await control.user_pools.create("Acme")


@pytest.fixture
async def token(control: Any, made: Any) -> str:
    return (await control.tokens.issue(made.access_key_id, made.access_key_secret))[0]


def claims_of(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    return json.loads(base64.b64decode(payload + "=" * (-len(payload) % 4)))


def signed(control: Any, claims: dict[str, Any], label: str = "management tokens") -> str:
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(control.cipher.derive(label)), ["HS256"])


async def test_a_token_carries_the_claims_clients_read(control: Any, made: Any, token: str) -> None:
    claims = claims_of(token)
    jti = claims.pop("jti")
    assert len(jti) == 32
    assert claims == {
        "token_type": "management_token",
        "scoped_userpool_id": made.user_pool.pool_id,
        "access_key_type": "userpool",
        "access_key_id": made.access_key_id,
        "iat": 1_700_000_000,
        "exp": 1_700_007_200,
    }
    again, lifetime = await control.tokens.issue(made.access_key_id, made.access_key_secret)
    assert lifetime == 7200 and claims_of(again)["jti"] != jti


async def test_a_payload_that_a_client_could_not_decode_is_minted_again(
    control: Any, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = iter(["~" * 32, "?" * 32, "0" * 32])
    monkeypatch.setattr(tokens_module.secrets, "token_hex", lambda _: next(drawn))
    token, _ = await control.tokens.issue(made.access_key_id, made.access_key_secret)
    assert claims_of(token)["jti"] == "0" * 32


async def test_a_token_is_recognised_and_remembered(control: Any, made: Any, token: str) -> None:
    assert control.tokens.authenticate_bearer_cached(token) is None
    principal = await control.tokens.authenticate_bearer(token)
    assert (principal.pool_id, principal.access_key_id) == (made.user_pool.pool_id, made.access_key_id)
    assert control.tokens.authenticate_bearer_cached(token) is principal
    assert await control.new_tokens().authenticate_bearer(token) == principal


async def test_a_token_expires_remembered_or_not(control: Any, token: str) -> None:
    await control.tokens.authenticate_bearer(token)
    control.clock.time += 7199
    assert control.tokens.authenticate_bearer_cached(token) is not None
    control.clock.time += 1
    assert control.tokens.authenticate_bearer_cached(token) is None
    for tokens in (control.tokens, control.new_tokens()):
        with pytest.raises(Unauthorized, match="expired"):
            await tokens.authenticate_bearer(token)


async def test_forged_tokens_are_refused(control: Any, made: Any, token: str) -> None:
    header, payload, signature = token.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    claims = claims_of(token)
    other_pool = base64.urlsafe_b64encode(json.dumps(claims | {"scoped_userpool_id": "b" * 24}).encode()).decode()
    stranger = OctKey.import_key(b"x" * 32)
    forged = [
        f"{none}.{payload}.",
        f"{none}.{payload}.{signature}",
        f"{header}.{other_pool.rstrip('=')}.{signature}",
        f"{header}.{payload}.{signature[:-4]}AAAA",
        f"{header}.{payload}.",
        f"{header}.{payload}",
        jwt.encode({"alg": "HS256"}, claims, stranger, ["HS256"]),
        signed(control, claims, label="another purpose"),
    ]
    for each in forged:
        with pytest.raises(Unauthorized):
            await control.tokens.authenticate_bearer(each)
        assert control.tokens.authenticate_bearer_cached(each) is None


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
async def test_the_algorithm_is_ours_to_choose(control: Any, token: str, algorithm: str) -> None:
    key = OctKey.import_key(control.cipher.derive("management tokens") * 2)
    forged = jwt.encode({"alg": algorithm}, claims_of(token), key, [algorithm])
    with pytest.raises(Unauthorized):
        await control.tokens.authenticate_bearer(forged)


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "\0", "企业", "\ud800", "x" * 100_000, "e30.e30.e30", "{}"])
async def test_what_is_no_token_is_refused(control: Any, text: str) -> None:
    with pytest.raises(Unauthorized):
        await control.tokens.authenticate_bearer(text)


@pytest.mark.parametrize(
    "change",
    [
        {"token_type": "access_token"},
        {"token_type": None},
        {"exp": None},
        {"exp": "never"},
        {"access_key_id": None},
        {"access_key_id": ["x"]},
        {"scoped_userpool_id": None},
        {"scoped_userpool_id": "b" * 24},
        {"access_key_id": "unknown"},
    ],
)
async def test_our_own_signature_under_other_claims_is_refused(control: Any, token: str, change: Any) -> None:
    with pytest.raises(Unauthorized):
        await control.tokens.authenticate_bearer(signed(control, claims_of(token) | change))


async def test_a_revoked_key_takes_its_tokens_along_on_the_next_request(control: Any, made: Any, token: str) -> None:
    pool_id = made.user_pool.pool_id
    second = await control.access_keys.create(pool_id=pool_id)
    other_token, _ = await control.tokens.issue(second.access_key_id, second.access_key_secret)
    for each in (token, other_token):
        await control.tokens.authenticate_bearer(each)
    await control.access_keys.revoke(pool_id=pool_id, access_key_id=made.access_key_id)
    assert control.tokens.authenticate_bearer_cached(token) is None
    with pytest.raises(Unauthorized, match="revoked"):
        await control.tokens.authenticate_bearer(token)
    with pytest.raises(Unauthorized):
        await control.tokens.authenticate_basic(made.access_key_id, made.access_key_secret)
    assert (await control.tokens.authenticate_bearer(other_token)).access_key_id == second.access_key_id


async def test_a_change_of_another_pool_forgets_nothing(control: Any, token: str) -> None:
    await control.tokens.authenticate_bearer(token)
    control.tokens.forget("b" * 24)
    assert control.tokens.authenticate_bearer_cached(token) is not None


async def test_what_was_looked_up_before_a_revocation_is_not_remembered_after_it(
    control: Any, made: Any, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up, go_on = asyncio.Event(), asyncio.Event()
    find_active = AccessKeys.find_active

    async def slowly(self: AccessKeys, access_key_id: str) -> Any:
        found = await find_active(self, access_key_id)
        looked_up.set()
        await go_on.wait()
        return found

    monkeypatch.setattr(AccessKeys, "find_active", slowly)
    asked = [
        asyncio.create_task(control.tokens.authenticate_bearer(token)),
        asyncio.create_task(control.new_tokens().authenticate_basic(made.access_key_id, made.access_key_secret)),
    ]
    await looked_up.wait()
    await control.access_keys.revoke(pool_id=made.user_pool.pool_id, access_key_id=made.access_key_id)
    go_on.set()
    await asyncio.gather(*asked)
    assert control.tokens.authenticate_bearer_cached(token) is None


async def test_a_wrong_key_or_secret_gets_the_same_answer(control: Any, made: Any) -> None:
    await control.tokens.authenticate_basic(made.access_key_id, made.access_key_secret)
    answers = set()
    for key_id, secret in (
        (made.access_key_id, "wrong"),
        (made.access_key_id, ""),
        (made.access_key_id, made.access_key_secret + "0"),
        (made.access_key_id, "企业"),
        (made.access_key_id, "\ud800"),
        ("b" * 24, made.access_key_secret),
        ("", ""),
        ("\0", "x"),
        ("企业", "x"),
    ):
        for ask in (control.tokens.authenticate_basic, control.tokens.issue):
            with pytest.raises(Unauthorized) as refused:
                await ask(key_id, secret)
            answers.add(refused.value.message)
    assert len(answers) == 1


async def test_a_key_is_remembered_and_its_secret_still_compared(control: Any, made: Any) -> None:
    cached = control.tokens.authenticate_basic_cached
    assert cached(made.access_key_id, made.access_key_secret) is None
    principal = await control.tokens.authenticate_basic(made.access_key_id, made.access_key_secret)
    assert cached(made.access_key_id, made.access_key_secret) is principal
    assert cached(made.access_key_id, "wrong") is None


async def test_what_is_remembered_is_bounded(control: Any, made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens_module, "_REMEMBERED", 3)
    issued = [(await control.tokens.issue(made.access_key_id, made.access_key_secret))[0] for _ in range(5)]
    for token in issued:
        await control.tokens.authenticate_bearer(token)
    cached = [control.tokens.authenticate_bearer_cached(token) is not None for token in issued]
    assert cached == [False, False, True, True, True]


async def test_keys_are_listed_without_secrets_and_bounded(control: Any, pool_id: str) -> None:
    made = [await control.access_keys.create(pool_id=pool_id) for _ in range(19)]
    listed = await control.access_keys.list(pool_id=pool_id)
    assert [key.access_key_id for key in listed] == [pool_id, *(each.access_key_id for each in made)]
    assert not any(made[0].access_key_secret in str(key) for key in listed)
    with pytest.raises(QuotaExceeded):
        await control.access_keys.create(pool_id=pool_id)
    with pytest.raises(NotFound):
        await control.access_keys.revoke(pool_id=pool_id, access_key_id="unknown")
