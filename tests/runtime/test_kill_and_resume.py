"""A killed function is skipped or ends the run; either way nothing of it happens later."""

import msgspec

from authpipe.model import Outcome, Scene

MARK = "function pipe(user, context, callback) {{ user.{0} = (user.{0} || '') + '{1}'; callback(null, user, context) }}"
SPIN = "function pipe(user, context, callback) { user.company = 'spoiled'; for (;;) {} }"
WAIT = "function pipe(user, context, callback) { user.company = 'spoiled'; setTimeout(callback, 60000) }"


async def test_a_run_goes_on_from_the_checkpoint_after_a_skip(bench) -> None:
    for culprit in (SPIN, WAIT):
        program = bench.program(MARK.format("nickname", "a"), culprit, MARK.format("nickname", "b"))
        result = await bench.run(program)
        user = msgspec.json.decode(result.user)
        assert result.outcome is Outcome.OK
        assert user["nickname"] == "ab"
        assert "company" not in user
        assert [i.outcome for i in result.invocations] == [Outcome.OK, Outcome.TIMED_OUT, Outcome.OK]
        assert [i.skipped for i in result.invocations] == [False, True, False]


async def test_a_run_ends_where_skipping_is_not_allowed(bench) -> None:
    program = bench.program(SPIN, MARK.format("nickname", "b"), scene=Scene.PRE_REGISTER)
    result = await bench.run(program)
    assert result.outcome is Outcome.TIMED_OUT
    assert len(result.invocations) == 1


async def test_removed_claims_survive_a_kill(bench) -> None:
    remove = "function pipe(u, c, cb) { u.removeIdToken('gender'); cb(null, u, c) }"
    program = bench.program(remove, SPIN, scene=Scene.PRE_OIDC_ID_TOKEN_ISSUED, options={"terminate_on_timeout": False})
    result = await bench.run(program)
    assert result.outcome is Outcome.OK
    assert result.removed.id_token == ["gender"]


async def test_the_deadline_of_the_whole_run_ends_it(bench) -> None:
    result = await bench.run(bench.program(SPIN, options={"timeout": 60}), deadline=0.3)
    assert result.outcome is Outcome.TIMED_OUT


async def test_runs_queued_behind_a_kill_are_moved_and_not_blamed(open_pool) -> None:
    import asyncio

    source = """function pipe(user, context, callback) {
        if (user.company === 'spin') for (;;) {}
        user.nickname = 'done'
        callback(null, user, context)
    }"""
    async with open_pool(workers_per_pool=1) as bench:
        program = bench.program(source, scene=Scene.PRE_REGISTER)
        for _ in range(10):
            await bench.run(program)
        spinning = asyncio.create_task(bench.run(program, {"company": "spin"}))
        await asyncio.sleep(0)
        honest = await asyncio.gather(*(bench.run(program) for _ in range(4)))
        assert (await spinning).outcome is Outcome.TIMED_OUT
        assert [result.outcome for result in honest] == [Outcome.OK] * 4


async def test_an_asynchronous_step_is_put_off_with_the_values_before_it(bench) -> None:
    program = bench.program(
        MARK.format("nickname", "a"), MARK.format("nickname", "never"), MARK.format("nickname", "c"), asynchronous=(1,)
    )
    result = await bench.run(program)
    assert msgspec.json.decode(result.user)["nickname"] == "ac"
    assert [msgspec.json.decode(s.user)["nickname"] for s in result.snapshots] == ["a"]


async def test_a_reached_asynchronous_step_counts_even_when_the_run_is_denied_later(bench) -> None:
    deny = "function pipe(u, c, cb) { cb(new Error('no')) }"
    result = await bench.run(bench.program(MARK.format("nickname", "a"), deny, asynchronous=(0,)))
    assert result.outcome is Outcome.DENIED
    assert [s.step for s in result.snapshots] == [0]
