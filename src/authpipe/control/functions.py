"""Functions as their author sees them: checked, compiled, ordered, kept within the quota."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from authpipe.control import draft as drafts
from authpipe.ids import NewId
from authpipe.model import (
    Action,
    Clock,
    CompileReport,
    JsonObject,
    Outcome,
    PlanChanged,
    Scene,
    decide,
)
from authpipe.settings import LimitSettings
from authpipe.storage.functions import Functions, StoredFunction, Upload
from authpipe.storage.pools import Pools
from authpipe.storage.timestamps import rfc3339

Announce = Callable[[PlanChanged], Awaitable[None]]
Check = Callable[[str], Awaitable[CompileReport]]


class PipelineFunction(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One function on the wire. Source: contract.md, section 6.4."""

    func_id: str
    func_name: str
    func_description: str
    scene: Scene
    #: RFC 3339 with milliseconds
    created_at: str
    updated_at: str
    is_asynchronous: bool
    #: seconds, the default filled in
    timeout: int
    #: what happens in effect, also where the function leaves it to the failure policy
    terminate_on_timeout: bool
    enabled: bool
    #: as last submitted, byte for byte
    source_code: str
    #: "success" or "failed"
    status: str
    upload_err_msg: str | msgspec.UnsetType = msgspec.UNSET
    is_cloud: bool = False
    last_execute_status: JsonObject = {}


class PipelineFunctions:
    """Creates, changes, orders and deletes the functions of a user pool."""

    def __init__(
        self,
        functions: Functions,
        pools: Pools,
        limits: LimitSettings,
        *,
        check: Check,
        announce: Announce,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._functions, self._pools, self._limits = functions, pools, limits
        self._check, self._announce, self._clock, self._new_id = check, announce, clock, new_id

    async def create(self, *, pool_id: str, draft: JsonObject) -> PipelineFunction:
        """A new function at the end of its scene, by wire names; unknown fields are ignored.

        A source that does not compile is kept with status failed. Raises `InvalidArgument`, `PayloadTooLarge`,
        `QuotaExceeded`.
        """
        scene, values = drafts.scene_of(draft), drafts.new_values(draft)
        drafts.required(draft, "sourceCode")
        upload = await self._upload(drafts.source_of(draft, self._limits.source_bytes))
        made = await self._functions.create(
            pool_id=pool_id,
            function_id=self._new_id(),
            scene=scene,
            values=values,
            upload=upload,
            quota=self._limits.functions_per_pool,
            at=self._clock.now(),
        )
        await self._announce(PlanChanged(pool_id))
        return self._view(made)

    async def update(self, *, pool_id: str, draft: JsonObject) -> PipelineFunction:
        """Change the function `draft["funcId"]`; a bad source never replaces the live revision.

        Raises `InvalidArgument`, `PayloadTooLarge`, `NotFound`.
        """
        drafts.required(draft, "funcId")
        function_id, values = drafts.function_id_of(draft["funcId"]), drafts.values_of(draft)
        source = drafts.source_of(draft, self._limits.source_bytes)
        current = await self._functions.get(pool_id=pool_id, function_id=function_id)
        changed = source is not None and (source != current.source or current.upload_error is not None)
        return await self._change(
            pool_id=pool_id,
            function_id=function_id,
            values=values,
            upload=await self._upload(source) if changed else None,
        )

    async def reupload(self, *, pool_id: str, function_id: object) -> PipelineFunction:
        """Compile the source submitted last again. Raises `NotFound`, `InvalidArgument`."""
        checked = drafts.function_id_of(function_id)
        current = await self._functions.get(pool_id=pool_id, function_id=checked)
        upload = await self._upload(current.source)
        return await self._change(pool_id=pool_id, function_id=checked, values={}, upload=upload)

    async def get(self, *, pool_id: str, function_id: object) -> PipelineFunction:
        """That function. Raises `NotFound`, `InvalidArgument`."""
        found = await self._functions.get(pool_id=pool_id, function_id=drafts.function_id_of(function_id))
        return self._view(found)

    async def list(self, *, pool_id: str, scene: object = None) -> list[PipelineFunction]:
        """The functions of `scene`, or all, each scene in running order. Raises `InvalidArgument`, `NotFound`."""
        wanted = None if scene in (None, "") else Scene.parse(scene)
        await self._pools.get(pool_id=pool_id)
        found = await self._functions.list(pool_id=pool_id, scene=wanted)
        return [self._view(each) for each in found]

    async def delete(self, *, pool_id: str, function_id: object) -> None:
        """Delete the function with its revisions. Raises `NotFound`, `InvalidArgument`."""
        await self._functions.delete(pool_id=pool_id, function_id=drafts.function_id_of(function_id))
        await self._announce(PlanChanged(pool_id))

    async def set_order(self, *, pool_id: str, scene: object, order: object) -> None:
        """Run the functions named in `order` first; those not named keep their order at the end.

        Raises `InvalidArgument`, also for an id that is not a function of this scene.
        """
        await self._functions.set_order(pool_id=pool_id, scene=Scene.parse(scene), order=drafts.order_of(order))
        await self._announce(PlanChanged(pool_id))

    async def _change(
        self, *, pool_id: str, function_id: str, values: dict[str, object], upload: Upload | None
    ) -> PipelineFunction:
        changed = await self._functions.update(
            pool_id=pool_id, function_id=function_id, values=values, upload=upload, at=self._clock.now()
        )
        await self._announce(PlanChanged(pool_id))
        return self._view(changed)

    async def _upload(self, source: str | None) -> Upload:
        report = await self._check(source or "")
        return Upload(source=source or "", parameters=report.parameters, error=report.error)

    def _view(self, function: StoredFunction) -> PipelineFunction:
        return view(function, self._limits.default_timeout)


def view(function: StoredFunction, default_timeout: int) -> PipelineFunction:
    """The function as the wire shows it."""
    action = decide(Outcome.TIMED_OUT, function.scene, function.terminate_on_timeout, function.failure_policy)
    return PipelineFunction(
        func_id=function.function_id,
        func_name=function.name,
        func_description=function.description,
        scene=function.scene,
        created_at=rfc3339(function.created_at),
        updated_at=rfc3339(function.updated_at),
        is_asynchronous=function.asynchronous,
        timeout=function.timeout or default_timeout,
        terminate_on_timeout=action is Action.DENY,
        enabled=function.enabled,
        source_code=function.source,
        status="success" if function.upload_error is None else "failed",
        upload_err_msg=msgspec.UNSET if function.upload_error is None else function.upload_error,
    )
