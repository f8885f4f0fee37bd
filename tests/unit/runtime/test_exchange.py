"""What a worker may and may not say about a run."""

import msgspec
import pytest

from authpipe import wire
from authpipe.model import Outcome
from authpipe.runtime.exchange import Exchange
from authpipe.runtime.program import PipelineRun, Program, ProgramStep


def _exchange(steps: int = 2, asynchronous: tuple[int, ...] = (), first: int = 0) -> Exchange:
    made = tuple(
        ProgramStep(
            function_id=f"{place:024x}",
            name=f"f{place}",
            revision=1,
            timeout=3.0,
            skips=place == 0,
            asynchronous=place in asynchronous,
        )
        for place in range(steps)
    )
    program = Program(pool_id="p", generation=1, number=1, load=b"", steps=made)
    run = PipelineRun(program=program, user=b'{"a":1}', context=b"{}")
    return Exchange(run, number=9, first=first, limits=(3, 1000))


def _ok(step: int) -> wire.StepReport:
    return wire.StepReport(step=step, outcome="ok", ms=1.0)


RAW = msgspec.Raw(b"{}")


async def test_an_honest_run() -> None:
    exchange = _exchange()
    exchange.mark(wire.StartMark(run=9, step=0))
    exchange.mark(wire.StartMark(run=9, step=1, last=_ok(0), user=msgspec.Raw(b'{"a":2}'), context=RAW))
    assert exchange.user == b'{"a":2}'
    exchange.finish(wire.Result(run=9, last=_ok(1), user=msgspec.Raw(b'{"a":3}'), context=RAW))
    assert [i.outcome for i in exchange.invocations.values()] == [Outcome.OK, Outcome.OK]
    assert exchange.user == b'{"a":3}'


@pytest.mark.parametrize("step", [-1, 2, 99])
async def test_a_mark_of_no_step_is_refused(step: int) -> None:
    with pytest.raises(wire.BadFrame):
        _exchange().mark(wire.StartMark(run=9, step=step))


async def test_a_mark_may_not_go_back() -> None:
    exchange = _exchange()
    exchange.mark(wire.StartMark(run=9, step=1))
    with pytest.raises(wire.BadFrame):
        exchange.mark(wire.StartMark(run=9, step=0))


@pytest.mark.parametrize("outcome", ["crashed", "overloaded", "internal_error", "fine", ""])
async def test_some_outcomes_are_not_the_workers_to_report(outcome: str) -> None:
    exchange = _exchange(steps=1)
    exchange.mark(wire.StartMark(run=9, step=0))
    with pytest.raises(wire.BadFrame):
        exchange.finish(wire.Result(run=9, last=wire.StepReport(step=0, outcome=outcome, ms=1)))


async def test_a_result_may_not_pass_over_a_step() -> None:
    exchange = _exchange(steps=3)
    exchange.mark(wire.StartMark(run=9, step=0))
    with pytest.raises(wire.BadFrame):
        exchange.finish(wire.Result(run=9, last=_ok(0), user=RAW, context=RAW))


async def test_a_result_needs_a_report() -> None:
    exchange = _exchange(steps=1)
    exchange.mark(wire.StartMark(run=9, step=0))
    with pytest.raises(wire.BadFrame):
        exchange.finish(wire.Result(run=9, user=RAW, context=RAW))


@pytest.mark.parametrize(("user", "context"), [(b"[]", b"{}"), (b'"x"', b"{}"), (b"{}", b"null"), (b"1", b"{}")])
async def test_user_and_context_are_objects(user: bytes, context: bytes) -> None:
    exchange = _exchange(steps=1)
    exchange.mark(wire.StartMark(run=9, step=0))
    with pytest.raises(wire.BadFrame):
        exchange.finish(wire.Result(run=9, last=_ok(0), user=msgspec.Raw(user), context=msgspec.Raw(context)))


async def test_log_lines_are_bounded_by_the_server_too() -> None:
    exchange = _exchange(steps=1)
    exchange.mark(wire.StartMark(run=9, step=0))
    for number in range(50):
        exchange.log(wire.LogLine(run=9, step=0, kind="log", args=[number]), size=10)
    assert len(exchange.invocations[0].logs) == 5


async def test_an_asynchronous_step_leaves_a_snapshot_and_no_invocation() -> None:
    exchange = _exchange(steps=2, asynchronous=(1,))
    exchange.mark(wire.StartMark(run=9, step=0))
    exchange.mark(wire.StartMark(run=9, step=1, last=_ok(0), user=msgspec.Raw(b'{"a":2}'), context=RAW))
    exchange.finish(wire.Result(run=9, user=msgspec.Raw(b'{"a":2}'), context=RAW))
    assert [(s.step, s.user) for s in exchange.snapshots] == [(1, b'{"a":2}')]
    assert list(exchange.invocations) == [0]


async def test_a_resumed_run_says_where_from() -> None:
    exchange = _exchange(first=1)
    exchange.removed = wire.Removed(id_token=["x"])
    sent = msgspec.json.decode(exchange.payload())
    assert (sent["run"], sent["plan"], sent["from"], sent["user"]) == (9, 1, 1, {"a": 1})
    assert sent["removed"]["idToken"] == ["x"]
