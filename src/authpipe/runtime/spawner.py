"""The server's side of the launcher: asks for workers, holds their pipes, hears of their ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict

from authpipe.runtime import launcher
from authpipe.runtime.sandbox import Lockdown


class Child:
    """One spawned process with our ends of its three pipes."""

    def __init__(self, number: int, stdin: int, stdout: int, stderr: int, kill: Callable[[int], None]) -> None:
        self.number = number
        self.stdin, self.stdout, self.stderr = stdin, stdout, stderr
        self.pid: int | None = None
        #: the exit code, negative for a signal; set once
        self.exited: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._kill = kill

    def kill(self) -> None:
        """End the process and everything in its session, at once."""
        if not self.exited.done():
            self._kill(self.number)

    def close(self) -> None:
        """Close our ends of the pipes."""
        for descriptor in (self.stdin, self.stdout, self.stderr):
            os.close(descriptor)


class Spawner:
    """Starts a launcher when first needed, and another one should it die."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._launcher: subprocess.Popen[bytes] | None = None
        self._children: dict[int, Child] = {}
        self._count = 0

    def spawn(self, argv: Sequence[str], environment: dict[str, str], lockdown: Lockdown) -> Child:
        """Ask for a process; its pid and end are heard of later."""
        control = self._socket or self._start()
        theirs, ours = zip(*(_pipe(inward) for inward in (False, True, True)), strict=True)
        self._count += 1
        child = Child(self._count, ours[0], ours[1], ours[2], self._kill)
        message = {
            "op": "spawn",
            "number": child.number,
            "argv": list(argv),
            "environment": environment,
            "lockdown": asdict(lockdown),
        }
        self._children[child.number] = child
        try:
            socket.send_fds(control, [json.dumps(message).encode()], theirs)
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        return child

    def stop(self) -> None:
        """End the launcher, and with it every worker."""
        if self._socket is not None:
            self._lost()

    def _start(self) -> socket.socket:
        self._socket, self._launcher = launcher.start()
        asyncio.get_running_loop().add_reader(self._socket, self._heard)
        return self._socket

    def _kill(self, number: int) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.send(json.dumps({"op": "kill", "number": number}).encode())

    def _heard(self) -> None:
        assert self._socket is not None
        try:
            while data := self._socket.recv(4096):
                self._note(json.loads(data))
        except BlockingIOError:
            return
        except OSError:
            pass
        self._lost()

    def _note(self, message: dict[str, int]) -> None:
        child = self._children.get(message["number"])
        if child is None:
            return
        if "pid" in message:
            child.pid = message["pid"]
        else:
            del self._children[child.number]
            _settle(child, message["exit"])

    def _lost(self) -> None:
        assert self._socket is not None
        assert self._launcher is not None
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        self._socket = None
        # It ends as soon as its socket does, killing its workers on the way.
        self._launcher.wait()
        children, self._children = self._children, {}
        for child in children.values():
            _settle(child, -9)


def _settle(child: Child, code: int) -> None:
    if not child.exited.done():
        child.exited.set_result(code)


def _pipe(inward: bool) -> tuple[int, int]:
    """Their end and our non-blocking end of a pipe; `inward` when they write and we read."""
    read, write = os.pipe2(os.O_CLOEXEC)
    ours, theirs = (read, write) if inward else (write, read)
    os.set_blocking(ours, False)
    return theirs, ours
