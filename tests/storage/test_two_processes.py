"""Several processes on one database: nobody is told that it is locked, and quotas hold."""

from __future__ import annotations

import asyncio
import json
import sys

from authpipe.storage.database import Database
from authpipe.storage.functions import Functions

QUOTA = 20
_PROCESS = """
import asyncio, json, sys
from authpipe.errors import QuotaExceeded
from authpipe.ids import id_maker
from authpipe.model import Scene
from authpipe.storage.database import Database
from authpipe.storage.functions import Functions, Upload

url, logs_url, pool_id, quota = sys.argv[1:]
VALUES = {"name": "n", "description": "", "enabled": True, "asynchronous": False, "timeout": None,
          "terminate_on_timeout": None}

async def create(functions, new_id):
    try:
        upload = Upload(source="x", parameters=0, error=None)
        await functions.create(pool_id=pool_id, function_id=new_id(), scene=Scene.PRE_REGISTER, values=VALUES,
                               upload=upload, quota=int(quota), at=1.0)
        return True
    except QuotaExceeded:
        return False

async def main():
    database, new_id = await Database.open(url=url, logs_url=logs_url), id_maker()
    print("ready", flush=True)
    sys.stdin.readline()
    made = await asyncio.gather(*(create(Functions(database), new_id) for _ in range(15)))
    print(json.dumps(sum(made)))
    await database.close()

asyncio.run(main())
"""


async def test_processes_that_create_at_once_stay_within_the_quota(
    database: Database, urls: tuple[str, str], pool_id: str
) -> None:
    command = [sys.executable, "-c", _PROCESS, *urls, pool_id, str(QUOTA)]
    pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}
    processes = [await asyncio.create_subprocess_exec(*command, **pipes) for _ in range(3)]
    for process in processes:
        assert await process.stdout.readline() == b"ready\n"
    answers = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sum(json.loads(out) for out, _ in answers) == QUOTA
    listed = await Functions(database).list(pool_id=pool_id)
    assert [each.position for each in listed] == list(range(1, QUOTA + 1))
