"""Ordinary code is not re-entrant: a whitelist with an implicit global lets nobody wrong in."""

import asyncio
from pathlib import Path

import pytest

from authpipe import Pipelines, Scene

# `email` without let is a global of the worker: two logins in one heap would read each other's.
WHITELISTS = {
    "a promise between": "await Promise.resolve()",
    "a timer between": "await new Promise((resolve) => setTimeout(resolve, 1 + Math.random() * 10))",
}
SOURCE = """async function pipe(user, context, callback) {{
  email = context.request.body.email
  {wait}
  if (!email.endsWith("@example.com")) return callback(new Error("Access denied."))
  user.nickname = email
  callback(null, user, context)
}}"""


@pytest.mark.parametrize("wait", WHITELISTS.values(), ids=WHITELISTS)
async def test_fifty_interleaved_logins_let_nobody_wrong_in(tmp_path: Path, wait: str) -> None:
    async with Pipelines.open(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}") as pipelines:
        pool = await pipelines.create_user_pool("acme")
        made = await pipelines.deploy(
            pool.pool_id, Scene.PRE_AUTHENTICATION, "whitelist", SOURCE.format(wait=wait), timeout=20
        )
        assert made.status == "success", made

        async def login(number: int) -> None:
            email = f"user{number}@{'example.com' if number % 2 else 'elsewhere.net'}"
            context = {"request": {"body": {"email": email}}}
            verdict = await pipelines.run(
                pool.pool_id, Scene.PRE_AUTHENTICATION, user={"id": f"u{number}"}, context=context
            )
            assert verdict.allowed is bool(number % 2), (email, verdict)
            if verdict.allowed:
                assert verdict.effects.profile == {"nickname": email}
            else:
                assert verdict.message == "Access denied."

        for _ in range(3):
            await asyncio.gather(*map(login, range(50)))
