"""The launcher process: forks, locks down, starts and reaps workers on the server's word.

It is small and single-threaded, so forking it is cheap and safe; the server never forks itself. Messages are
JSON datagrams on a SOCK_SEQPACKET pair; a spawn carries the worker's three descriptors. When the server goes
away the socket ends, and every worker is killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
from typing import Any, NoReturn

from authpipe.runtime import sandbox

_MESSAGE_BYTES = 64 * 1024


def start() -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """Start a launcher process; our end of its socket, and the process to be waited for once that is closed."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            env=_launcher_environment(),
            start_new_session=True,
        )
    ours.setblocking(False)
    return ours, process


def _launcher_environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return kept | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


class _Launcher:
    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._pids: dict[int, int] = {}
        self._numbers: dict[int, int] = {}

    def serve(self) -> None:
        wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with selectors.DefaultSelector() as selector:
            selector.register(self._control, selectors.EVENT_READ)
            selector.register(wake_read, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is self._control:
                        if not self._receive():
                            return
                    else:
                        with contextlib.suppress(BlockingIOError):
                            os.read(wake_read, 512)
                self._reap()

    def end(self) -> None:
        for pid in self._numbers:
            _kill(pid)

    def _receive(self) -> bool:
        data, descriptors, _, _ = socket.recv_fds(self._control, _MESSAGE_BYTES, 3)
        if not data:
            return False
        message = json.loads(data)
        if message["op"] == "spawn":
            self._spawn(message, descriptors)
        elif (pid := self._pids.get(message["number"])) is not None:
            _kill(pid)
        return True

    def _spawn(self, message: dict[str, Any], descriptors: list[int]) -> None:
        pid = os.fork()
        if pid == 0:
            _become_worker(message, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        self._pids[message["number"]] = pid
        self._numbers[pid] = message["number"]
        self._send({"number": message["number"], "pid": pid})

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                number = self._numbers.pop(pid)
                del self._pids[number]
                self._send({"number": number, "exit": os.waitstatus_to_exitcode(status)})

    def _send(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._control.send(json.dumps(message).encode())


def _become_worker(message: dict[str, Any], descriptors: list[int]) -> NoReturn:
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        # Above the target numbers first: a received descriptor may itself be 0, 1 or 2.
        copies = [os.dup2(descriptor, 10 + place, inheritable=False) for place, descriptor in enumerate(descriptors)]
        for place, copy in enumerate(copies):
            os.dup2(copy, place)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        os.chdir("/")
        sandbox.apply(sandbox.Lockdown(**message["lockdown"]))
        os.execve(message["argv"][0], message["argv"], message["environment"])
    except BaseException as error:
        os.write(2, f"launcher: {error}\n".encode())
    os._exit(127)


def _kill(pid: int) -> None:
    # The worker leads its own session, unless it is killed before it got there.
    for end in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError):
            end(pid, signal.SIGKILL)


def main() -> None:
    """Serve the socket whose descriptor is the first argument."""
    launcher = _Launcher(socket.socket(fileno=int(sys.argv[1])))
    try:
        launcher.serve()
    finally:
        launcher.end()


if __name__ == "__main__":
    main()
