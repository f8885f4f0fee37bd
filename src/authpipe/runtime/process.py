"""One worker process seen from the server: frames out, frames in, deadlines, death."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import deque
from collections.abc import Callable
from enum import StrEnum

import msgspec

from authpipe import wire
from authpipe.model import CompileReport, Outcome
from authpipe.runtime.exchange import Ended, Exchange
from authpipe.runtime.hostcalls import HostCallDesk, HostCallHandlers
from authpipe.runtime.spawner import Child
from authpipe.settings import RuntimeSettings

_READ_BYTES = 256 * 1024
_STDERR_KEPT = 8 * 1024
#: how long a run may lie at the head of a free worker's pipe without a start mark, seconds
_UNSTARTED_SECONDS = 1.0
#: how long after its pipe has ended a worker's exit code is waited for, seconds
_EXIT_SECONDS = 2.0

#: what V8 and Deno write when memory is used up
_MEMORY_SIGNS = ("out of memory", "heap limit", "allocation failed", "memory allocation of")


#: V8 calls this out of memory too, but no memory was used: the size asked for cannot exist
_IMPOSSIBLE_SIZE = "invalid array length"


class WorkerState(StrEnum):
    """Where a worker is in its life; drawn in ARCHITECTURE.md."""

    STARTING = "starting"
    SPARE = "spare"
    IDLE = "idle"
    BUSY = "busy"
    SETTLING = "settling"
    DEAD = "dead"


class Worker:
    """A sandboxed process. `on_free` is called when it can take more, `on_dead` once when it has ended."""

    def __init__(
        self,
        child: Child,
        *,
        settings: RuntimeSettings,
        handlers: HostCallHandlers,
        on_free: Callable[[Worker], None],
        on_dead: Callable[[Worker], None],
    ) -> None:
        self._child = child
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._reader = wire.FrameReader()
        self._unwritten = bytearray()
        self._stderr = bytearray()
        self._loaded: set[int] = set()
        self._on_free, self._on_dead = on_free, on_dead
        self._check: asyncio.Future[CompileReport] | None = None
        self._death: tuple[Outcome, str] | None = None
        self._settle_deadline: float | None = None
        #: the run that has answered and whose host calls are still open; these may lead to further ones
        self._settling: Exchange | None = None
        self._desk = HostCallDesk(handlers, self._write)
        self.state = WorkerState.STARTING
        #: set once, at the first Ready frame
        self.booted = asyncio.Event()
        #: set once, when the process has ended and every run has been told
        self.buried = asyncio.Event()
        #: 24 hex characters once it is assigned; never changes after that
        self.pool_id: str | None = None
        self.generation = 0
        self.jit = False
        #: no further run is sent; it ends when the present ones have
        self.retiring = False
        self.in_flight: deque[Exchange] = deque()
        self.idle_since = self._loop.time()
        self.born_at = self._loop.time()
        self._loop.add_reader(child.stdout, self._readable)
        self._loop.add_reader(child.stderr, self._stderr_readable)

    @property
    def pid(self) -> int | None:
        """The process id, once the launcher has told it."""
        return self._child.pid

    @property
    def last_words(self) -> str:
        """The end of what it wrote to stderr, as one line."""
        return " ".join(self._stderr.decode(errors="replace").split())[-500:]

    def assign(self, pool_id: str, generation: int) -> None:
        """Give a blank worker to a user pool, for good."""
        assert self.pool_id is None
        self.pool_id, self.generation = pool_id, generation
        if self.state is WorkerState.SPARE:
            self.state = WorkerState.IDLE

    def exchange(self, exchange: Exchange) -> None:
        """Send a run, behind those already in the pipe. `exchange.done` resolves when it has ended."""
        assert exchange.program.pool_id == self.pool_id
        data = wire.frame(wire.FrameType.RUN, exchange.payload())
        if exchange.program.number not in self._loaded:
            self._loaded.add(exchange.program.number)
            data = exchange.program.load + data
        exchange.sent_at = self._loop.time()
        self.in_flight.append(exchange)
        if self.state is WorkerState.IDLE:
            self.state = WorkerState.BUSY
        self._write(data)

    async def check(self, source: str) -> CompileReport:
        """Compile-check a source; the worker must be destroyed afterwards."""
        self._check = self._loop.create_future()
        self._write(wire.frame(wire.FrameType.CHECK, msgspec.json.encode({"source": source})))
        async with asyncio.timeout(self._settings.load_seconds):
            return await self._check

    def kill(self, outcome: Outcome = Outcome.CRASHED, detail: str = "") -> None:
        """End the process; the first reason given is the one that counts."""
        if self._death is None:
            self._death = (outcome, detail)
        self.retiring = True
        self._child.kill()

    def inspect(self, now: float) -> None:
        """Enforce deadlines; called every few milliseconds while the worker is not idle."""
        if self.state is WorkerState.SETTLING and self._settle_deadline is not None and now > self._settle_deadline:
            self.kill(detail="work left un-awaited was still running when the function's time was up")
        for place, exchange in enumerate(self.in_flight):
            if exchange.step_deadline is not None:
                if now > min(exchange.step_deadline, exchange.deadline):
                    self._overrun(exchange)
            elif place == 0 and self.state is WorkerState.BUSY and now > exchange.sent_at + _UNSTARTED_SECONDS:
                self.kill(detail="the worker did not take the next run")

    def _overrun(self, exchange: Exchange) -> None:
        assert exchange.step is not None
        step = exchange.program.steps[exchange.step]
        self.kill(Outcome.TIMED_OUT, f"killed: no callback within {step.timeout:g} s")
        exchange.death = self._death

    def _write(self, data: bytes) -> None:
        # What one turn of the event loop brings goes out together: each write may wake the worker.
        if not self._unwritten:
            self._loop.call_soon(self._flush)
        self._unwritten += data

    def _flush(self) -> None:
        if self._unwritten and self.state is not WorkerState.DEAD:
            self._writable()
            if self._unwritten:
                self._loop.add_writer(self._child.stdin, self._writable)

    def _writable(self) -> None:
        try:
            written = os.write(self._child.stdin, self._unwritten)
        except BlockingIOError:
            return
        except OSError:
            self._unwritten.clear()
        else:
            del self._unwritten[:written]
        if not self._unwritten:
            self._loop.remove_writer(self._child.stdin)

    def _readable(self) -> None:
        try:
            data = os.read(self._child.stdout, _READ_BYTES)
        except BlockingIOError:
            return
        if not data:
            self._ended()
            return
        try:
            for kind, payload in self._reader.feed(data):
                self._HANDLERS[kind](self, payload)
        except (wire.BadFrame, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            self.kill(Outcome.CRASHED, f"something other than frames came from the worker: {error}")

    def _stderr_readable(self) -> None:
        with contextlib.suppress(BlockingIOError):
            data = os.read(self._child.stderr, _STDERR_KEPT)
            if not data:
                self._loop.remove_reader(self._child.stderr)
            self._stderr += data
            del self._stderr[:-_STDERR_KEPT]

    def _on_ready(self, payload: bytes) -> None:
        ready = _decode_ready(payload)
        if self.state is WorkerState.STARTING:
            self.booted.set()
            self.state = WorkerState.SPARE if self.pool_id is None else WorkerState.IDLE
        elif self.state is WorkerState.SETTLING and ready.run:
            self._settle_deadline = self._settling = None
            self.state = WorkerState.BUSY
        if self.in_flight:
            self.state = WorkerState.BUSY
            self.in_flight[0].sent_at = self._loop.time()
        else:
            self._become_idle()
        self._on_free(self)

    def _on_start_mark(self, payload: bytes) -> None:
        mark = _decode_mark(payload)
        exchange = self._exchange(mark.run)
        now = self._loop.time()
        if exchange.started_at is None:
            exchange.started_at = now
        exchange.mark(mark)
        if mark.loading:
            exchange.step_deadline = now + self._settings.load_seconds
        else:
            allowed = exchange.program.steps[mark.step].timeout + self._settings.kill_grace_seconds
            exchange.step_started_at, exchange.step_deadline = now, now + allowed

    def _on_log(self, payload: bytes) -> None:
        line = _decode_log(payload)
        if wire.too_deep(payload):
            raise wire.BadFrame("log line too deep")
        for exchange in self.in_flight:
            if exchange.number == line.run:
                exchange.log(line, len(payload))

    def _on_host_call(self, payload: bytes) -> None:
        call = _decode_call(payload)
        assert self.pool_id is not None
        settling = self._settling
        exchange = settling if settling is not None and settling.number == call.run else self._exchange(call.run)
        exchange.host_calls += 1
        self._desk.open(call, pool_id=self.pool_id)

    def _on_result(self, payload: bytes) -> None:
        result = _decode_result(payload)
        exchange = self._exchange(result.run)
        exchange.finish(result)
        self.in_flight.remove(exchange)
        started = exchange.started_at or exchange.sent_at
        now = self._loop.time()
        exchange.program.learn(now - started, exchange.host_calls)
        if self.in_flight:
            self.in_flight[0].sent_at = now
        if result.settling:
            self.state = WorkerState.SETTLING
            self._settle_deadline = exchange.step_deadline or now
            self._settling = exchange
        elif not self.in_flight:
            self._become_idle()
        exchange.resolve(Ended.ANSWERED)
        self._on_free(self)

    def _on_checked(self, payload: bytes) -> None:
        checked = _decode_checked(payload)
        if self._check is None or self._check.done():
            raise wire.BadFrame("an answer to no question")
        self._check.set_result(CompileReport(parameters=checked.parameters, error=checked.error))

    def _on_stream(self, payload: bytes) -> None:
        self._desk.stream(payload)

    _HANDLERS: dict[int, Callable[[Worker, bytes], None]] = {
        wire.FrameType.READY: _on_ready,
        wire.FrameType.START_MARK: _on_start_mark,
        wire.FrameType.LOG: _on_log,
        wire.FrameType.HOST_CALL_OPEN: _on_host_call,
        wire.FrameType.HOST_CALL_CHUNK: _on_stream,
        wire.FrameType.HOST_CALL_CREDIT: _on_stream,
        wire.FrameType.HOST_CALL_END: _on_stream,
        wire.FrameType.RESULT: _on_result,
        wire.FrameType.CHECKED: _on_checked,
    }

    def _exchange(self, number: int) -> Exchange:
        for exchange in self.in_flight:
            if exchange.number == number:
                return exchange
        raise wire.BadFrame("a run that is not here")

    def _become_idle(self) -> None:
        if self.state is not WorkerState.SPARE:
            self.state = WorkerState.IDLE
        self.idle_since = self._loop.time()

    def _ended(self) -> None:
        self._loop.remove_reader(self._child.stdout)
        self._child.kill()
        self.retiring = True
        self._desk.close()
        ending = self._loop.create_task(self._bury())
        ending.add_done_callback(lambda task: task.exception())

    async def _bury(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_EXIT_SECONDS):
                await asyncio.shield(self._child.exited)
        self._stderr_readable()
        self._loop.remove_reader(self._child.stderr)
        self._loop.remove_writer(self._child.stdin)
        self._child.close()
        self.state = WorkerState.DEAD
        death = self._death or self._diagnose()
        if self._check is not None and not self._check.done():
            self._check.set_result(CompileReport(error=f"the source could not be checked: {death[1]}"))
        self._release(death)
        self.booted.set()
        self.buried.set()
        self._on_dead(self)

    def _release(self, death: tuple[Outcome, str]) -> None:
        culprit_found = any(exchange.death for exchange in self.in_flight)
        while self.in_flight:
            exchange = self.in_flight.popleft()
            if exchange.step is None:
                exchange.resolve(Ended.UNTOUCHED)
            elif culprit_found and exchange.death is None:
                exchange.death = (Outcome.CRASHED, "ended by a run beside it in the same worker")
                exchange.resolve(Ended.BYSTANDER)
            else:
                exchange.death = exchange.death or death
                exchange.resolve(Ended.DIED)

    def _diagnose(self) -> tuple[Outcome, str]:
        text = self._stderr.decode(errors="replace").lower()
        if any(sign in text for sign in _MEMORY_SIGNS) and _IMPOSSIBLE_SIZE not in text:
            return Outcome.MEMORY_EXCEEDED, f"used more memory than the {self._settings.heap_megabytes} MB allowed"
        code = self._child.exited.result() if self._child.exited.done() else None
        if code == 0:
            return Outcome.CRASHED, "the function ended its own process"
        return Outcome.CRASHED, f"the worker process ended (exit {code})"


_decode_ready = msgspec.json.Decoder(wire.Ready).decode
_decode_mark = msgspec.json.Decoder(wire.StartMark).decode
_decode_log = msgspec.json.Decoder(wire.LogLine).decode
_decode_call = msgspec.json.Decoder(wire.HostCallOpen).decode
_decode_result = msgspec.json.Decoder(wire.Result).decode
_decode_checked = msgspec.json.Decoder(wire.Checked).decode
