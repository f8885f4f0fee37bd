"""The plan cache: each (user pool, scene) compiled once for the workers, dropped when something changes."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec

from authpipe import wire
from authpipe.engine import fields
from authpipe.engine.redaction import Redactor
from authpipe.model import Outcome, Plan, Scene, Step
from authpipe.runtime.program import Program, ProgramStep
from authpipe.settings import LimitSettings

LoadPlan = Callable[..., Awaitable[Plan]]


@dataclass(frozen=True, slots=True, eq=False)
class CompiledPlan:
    """A plan with everything a run needs that does not change from run to run."""

    plan: Plan
    program: Program
    redactor: Redactor


class PlanCache:
    """Compiled plans by (user pool, scene). A change of the user pool starts a new generation of them."""

    def __init__(self, load: LoadPlan, limits: LimitSettings) -> None:
        self._load = load
        self._limits = limits
        self._compiled: dict[tuple[str, Scene], CompiledPlan] = {}
        #: plans of one function, by the plan it is taken from
        self._alone: dict[tuple[str, Scene], dict[str, CompiledPlan]] = {}
        self._generations: dict[str, int] = {}
        self._numbers = itertools.count(1)
        self._count = itertools.count(1)

    def cached(self, pool_id: str, scene: Scene) -> CompiledPlan | None:
        """The compiled plan if it is at hand."""
        return self._compiled.get((pool_id, scene))

    async def get(self, *, pool_id: str, scene: Scene) -> CompiledPlan:
        """The compiled plan. Raises `NotFound` for an unknown user pool."""
        found = self._compiled.get((pool_id, scene))
        while found is None:
            generation = self.generation(pool_id)
            compiled = self.compile(await self._load(pool_id=pool_id, scene=scene), generation)
            # A change may have been announced while the rows were read; then they are read again.
            if generation == self.generation(pool_id):
                found = self._compiled[pool_id, scene] = compiled
        return found

    def alone(self, live: CompiledPlan, function_id: str) -> CompiledPlan | None:
        """The plan that runs just one function of `live`, now; None when it is not in there."""
        plan = live.plan
        step = next((step for step in plan.steps if step.function_id == function_id), None)
        if step is None:
            return None
        known = self._alone.setdefault((plan.pool.pool_id, plan.scene), {})
        if function_id not in known:
            step = msgspec.structs.replace(step, asynchronous=False)
            single = msgspec.structs.replace(plan, steps=(step,))
            known[function_id] = self.compile(single, live.program.generation)
        return known[function_id]

    def generation(self, pool_id: str) -> int:
        """The number of the user pool's present generation of plans."""
        return self._generations.setdefault(pool_id, next(self._count))

    def drop(self, pool_id: str) -> int:
        """Forget the user pool's plans; the number of the new generation."""
        for scene in Scene:
            self._compiled.pop((pool_id, scene), None)
            self._alone.pop((pool_id, scene), None)
        self._generations[pool_id] = next(self._count)
        return self._generations[pool_id]

    def compile(self, plan: Plan, generation: int) -> CompiledPlan:
        """The plan in the shape workers take."""
        number = next(self._numbers)
        settings = plan.pool.settings
        program = Program(
            pool_id=plan.pool.pool_id,
            generation=generation,
            number=number,
            load=wire.frame(wire.FrameType.LOAD, msgspec.json.encode(self._load_payload(plan, number))),
            steps=tuple(_program_step(plan, step) for step in plan.steps),
            jit=settings.jit,
            runs_per_worker=settings.runs_per_worker,
        )
        secrets = [plan.environment[name] for name in plan.secret_names]
        return CompiledPlan(plan, program, Redactor(secrets))

    def _load_payload(self, plan: Plan, number: int) -> dict[str, object]:
        return {
            "plan": number,
            "scene": plan.scene,
            "settings": plan.pool.settings,
            "environment": plan.environment,
            "accumulators": fields.accumulators(plan.scene),
            "readOnly": fields.read_only(plan.scene),
            "logLines": self._limits.log_lines,
            "logBytes": self._limits.log_bytes,
            "steps": [_load_step(plan, step) for step in plan.steps],
        }


def _program_step(plan: Plan, step: Step) -> ProgramStep:
    return ProgramStep(
        function_id=step.function_id,
        name=step.name,
        revision=step.revision,
        timeout=float(step.timeout),
        skips=plan.skips(step),
        asynchronous=step.asynchronous,
    )


def _load_step(plan: Plan, step: Step) -> dict[str, object]:
    return {
        "functionId": step.function_id,
        "name": step.name,
        "revision": step.revision,
        "source": step.source,
        "parameters": step.parameters,
        "asynchronous": step.asynchronous,
        "timeout": step.timeout * 1000,
        "skips": plan.skips(step, Outcome.NO_CALLBACK),
        "broken": step.broken,
    }
