"""Ids: 24 hex characters that sort by time of making."""

import itertools
import os
import threading
import time
from collections.abc import Callable

NewId = Callable[[], str]


def id_maker(now: Callable[[], float] = time.time) -> NewId:
    """A source of ids: 4 bytes of seconds, 5 random bytes of this process, 3 bytes of a counter."""
    process = os.urandom(5).hex()
    counter = itertools.count(int.from_bytes(os.urandom(2), "big"))
    lock = threading.Lock()

    def new_id() -> str:
        with lock:
            return f"{int(now()) & 0xFFFFFFFF:08x}{process}{next(counter) & 0xFFFFFF:06x}"

    return new_id
