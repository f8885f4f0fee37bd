"""Puts an HTTP server under load: with wrk when it is on PATH, else over plain sockets."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import workload
from measure import percentile

#: what was loaded before may have records to write
_BREATHER_SECONDS = 0.5

#: wrk's own report has no p99.9
_REPORT = """
done = function(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format('\\n{"rate": %.3f, "p50": %f, "p99": %f, "p999": %f, "count": %d, "failed": %d}\\n',
    summary.requests / summary.duration * 1e6, latency:percentile(50) / 1e6, latency:percentile(99) / 1e6,
    latency:percentile(99.9) / 1e6, summary.requests, failed))
end
"""


@dataclass(frozen=True)
class Load:
    """How a server did; times in seconds."""

    rate: float
    p50: float
    p99: float
    p999: float
    count: int


@dataclass(frozen=True, kw_only=True)
class Request:
    """The one request that is sent over and over; every answer must have status 200."""

    url: str
    body: bytes
    token: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """Its headers, without length and host."""
        return {"Content-Type": "application/json", "Authorization": f"Bearer {self.token or 'none'}"}


def has_wrk() -> bool:
    """Whether wrk is there to be used."""
    return shutil.which("wrk") is not None


def put(request: Request, *, connections: int, seconds: int, wrk: bool) -> Load:
    """Send the request over that many connections at once, each one after another."""
    time.sleep(_BREATHER_SECONDS)
    if wrk:
        return _with_wrk(request, connections, seconds)
    return workload.execute(_with_sockets(request, connections, seconds))


def _with_wrk(request: Request, connections: int, seconds: int) -> Load:
    lines = ["wrk.method = 'POST'", f"wrk.body = [==[{request.body.decode()}]==]"]
    lines += [f"wrk.headers['{name}'] = '{value}'" for name, value in request.headers.items()]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write("\n".join(lines) + _REPORT)
        script.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script.name, request.url]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout.splitlines()[-1])
    failed = report.pop("failed")
    if failed or not report["count"]:
        raise workload.WentWrong(f"{failed} of {report['count']} requests to {request.url} failed")
    return Load(**report)


async def _with_sockets(request: Request, connections: int, seconds: int) -> Load:
    end = time.perf_counter() + seconds
    lists = await asyncio.gather(*(_connection(request, end) for _ in range(connections)))
    taken = [each for times in lists for each in times]
    p50, p99, p999 = (percentile(taken, share) for share in (50, 99, 99.9))
    return Load(rate=len(taken) / seconds, p50=p50, p99=p99, p999=p999, count=len(taken))


async def _connection(request: Request, end: float) -> list[float]:
    target = urlsplit(request.url)
    headers = {"Host": target.netloc, "Content-Length": str(len(request.body)), **request.headers}
    head = "\r\n".join([f"POST {target.path or '/'} HTTP/1.1", *(f"{name}: {text}" for name, text in headers.items())])
    whole = head.encode() + b"\r\n\r\n" + request.body
    reader, writer = await asyncio.open_connection(target.hostname, target.port)
    taken: list[float] = []
    while not taken or time.perf_counter() < end:
        started = time.perf_counter()
        writer.write(whole)
        answer = (await reader.readuntil(b"\r\n\r\n")).lower()
        _, _, rest = answer.partition(b"content-length:")
        await reader.readexactly(int(rest.split(b"\r\n")[0]))
        taken.append(time.perf_counter() - started)
        if not answer.startswith(b"http/1.1 200"):
            raise workload.WentWrong(f"{request.url} answered {answer[:40]!r}")
    writer.close()
    await writer.wait_closed()
    return taken
