"""Writes run records in batches, off the path of the run."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

import structlog

from authpipe.settings import StorageSettings
from authpipe.storage.runs import RunRecord

#: records held while the database does not keep up; what comes above is dropped and counted
_HELD = 50_000
_PRUNE_SECONDS = 300.0

_log = structlog.get_logger(__name__)


class Recorder:
    """Holds records until a batch is due; `flush` before reading them back."""

    def __init__(
        self,
        settings: StorageSettings,
        add: Callable[[Sequence[RunRecord]], Awaitable[None]],
        prune: Callable[[], Awaitable[int]],
    ) -> None:
        self._settings = settings
        self._add, self._prune = add, prune
        self._held: list[RunRecord] = []
        self._writing: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._pruned_at = 0.0
        #: records lost because the database did not keep up
        self.dropped = 0

    def record(self, record: RunRecord) -> None:
        """Take a record; it is written within the batch time."""
        if len(self._held) >= _HELD:
            self.dropped += 1
            return
        self._held.append(record)
        if len(self._held) >= self._settings.record_batch_rows:
            self._begin()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._settings.record_batch_seconds, self._begin)

    async def flush(self) -> None:
        """Return when everything taken so far is written."""
        while self._held or self._writing is not None:
            self._begin()
            if self._writing is not None:
                await asyncio.shield(self._writing)

    async def stop(self) -> None:
        """Write what is held."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(10.0):
                await self.flush()

    def _begin(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._writing is None and self._held:
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        batch, self._held = self._held, []
        try:
            await self._add(batch)
            await self._prune_when_due()
        except Exception as error:
            self.dropped += len(batch)
            _log.error("run records lost", records=len(batch), error=str(error))
        finally:
            self._writing = None
            if len(self._held) >= self._settings.record_batch_rows:
                self._begin()

    async def _prune_when_due(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._pruned_at > _PRUNE_SECONDS:
            self._pruned_at = now
            await self._prune()
