"""The answers of the last minute by request id, so that a caller who asks twice is answered once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from hashlib import blake2b

from authpipe.errors import Conflict
from authpipe.model import Verdict

_KEPT = 20_000


class Repeats:
    """Verdicts by (user pool, scene, request id). A run that gave no verdict is not kept."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._answers: OrderedDict[tuple[str, str, str], tuple[float, bytes, asyncio.Future[Verdict]]] = OrderedDict()

    async def once(self, key: tuple[str, str, str], body: bytes, run: Callable[[], Awaitable[Verdict]]) -> Verdict:
        """The verdict of `run`, called only if `key` was not answered lately.

        Raises `Conflict` when the key was used with another body: answering that from memory would let a reused
        id walk past the functions.
        """
        digest = blake2b(body, digest_size=16).digest()
        loop = asyncio.get_running_loop()
        self._expire(loop.time())
        known = self._answers.get(key)
        if known is not None:
            if known[1] != digest:
                raise Conflict("This requestId was used for something else within the last minute.")
            return await asyncio.shield(known[2])
        answer: asyncio.Future[Verdict] = loop.create_future()
        self._answers[key] = (loop.time() + self._seconds, digest, answer)
        try:
            verdict = await run()
        except BaseException as error:
            del self._answers[key]
            answer.set_exception(error if isinstance(error, Exception) else asyncio.CancelledError())
            answer.exception()
            raise
        answer.set_result(verdict)
        return verdict

    def _expire(self, now: float) -> None:
        while self._answers:
            key, (until, _, answer) = next(iter(self._answers.items()))
            if not answer.done() or (now < until and len(self._answers) <= _KEPT):
                return
            del self._answers[key]
