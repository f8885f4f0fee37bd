"""Both databases, each test with one of its own, and the nouns that most tests start from."""

from __future__ import annotations

import asyncio
import importlib.util
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest

from authpipe.ids import NewId, id_maker
from authpipe.model import Scene, UserPool
from authpipe.storage.cipher import Cipher
from authpipe.storage.database import Database
from authpipe.storage.functions import Functions, StoredFunction, Upload
from authpipe.storage.keys import AccessKeys
from authpipe.storage.pools import Pools

_TEMPLATE = "authpipe_template"
_numbers = itertools.count(1)

MakePool = Callable[..., Awaitable[UserPool]]
MakeFunction = Callable[..., Awaitable[StoredFunction]]


def _beside(name: str):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _outside_the_loop(work: Callable[[], Awaitable[None]]) -> None:
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(work())).result()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of a running PostgreSQL server, without a database name."""
    server = _beside("postgres_server")
    folder = server.binaries()
    if folder is None:
        pytest.skip("no PostgreSQL server found under /usr/lib/postgresql or on PATH: apt-get install postgresql")
    with server.running(folder) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> str:
    """A migrated, empty PostgreSQL database to copy."""

    async def make() -> None:
        await _administer(postgres_url, f"CREATE DATABASE {_TEMPLATE}")
        url = f"{postgres_url}/{_TEMPLATE}"
        await (await Database.open(url=url, logs_url=url)).close()

    _outside_the_loop(make)
    return _TEMPLATE


async def _administer(url: str, statement: str) -> None:
    connection = await asyncpg.connect(f"{url}/postgres")
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
async def postgres_empty(postgres_url: str) -> AsyncIterator[str]:
    """URL of a PostgreSQL database without any table."""
    async with _fresh(postgres_url, "template0") as url:
        yield url


@pytest.fixture
async def postgres_migrated(postgres_url: str, postgres_template: str) -> AsyncIterator[str]:
    """URL of a PostgreSQL database with every table and no row."""
    async with _fresh(postgres_url, postgres_template) as url:
        yield url


class _fresh:
    """A PostgreSQL database that is dropped at the end."""

    def __init__(self, url: str, template: str) -> None:
        self._url, self._template, self._name = url, template, f"authpipe_{next(_numbers)}"

    async def __aenter__(self) -> str:
        await _administer(self._url, f"CREATE DATABASE {self._name} TEMPLATE {self._template}")
        return f"{self._url}/{self._name}"

    async def __aexit__(self, *_: object) -> None:
        await _administer(self._url, f"DROP DATABASE {self._name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """URLs of main rows and run records: two SQLite files, then one PostgreSQL database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'main.db'}", f"sqlite:///{tmp_path / 'logs.db'}"
    url = request.getfixturevalue("postgres_migrated")
    return url, url


@pytest.fixture
async def database(urls: tuple[str, str]) -> AsyncIterator[Database]:
    """An open database; every test that asks for it runs on both kinds."""
    url, logs_url = urls
    opened = await Database.open(url=url, logs_url=logs_url)
    yield opened
    await opened.close()


@pytest.fixture
def cipher() -> Cipher:
    return Cipher(bytes(range(32)))


@pytest.fixture
def new_id() -> NewId:
    return id_maker()


@pytest.fixture
def make_pool(database: Database, cipher: Cipher, new_id: NewId) -> MakePool:
    """Creates a user pool with a first key; `secret` is its secret."""

    async def make(name: str = "Acme", *, secret: str = "a secret of the test") -> UserPool:
        pool_id = new_id()
        key = AccessKeys(database, cipher).seal(pool_id=pool_id, access_key_id=pool_id, secret=secret, at=1.5)
        return await Pools(database).create(pool_id=pool_id, name=name, first_key=key, at=1.5)

    return make


@pytest.fixture
async def pool_id(make_pool: MakePool) -> str:
    return (await make_pool()).pool_id


@pytest.fixture
def make_function(database: Database, new_id: NewId) -> MakeFunction:
    """Creates a function with defaults; keyword arguments are columns, `source` and `error` make the upload."""

    async def make(
        pool_id: str,
        *,
        scene: Scene = Scene.PRE_REGISTER,
        source: str = "function pipe(user, context, callback) {}",
        error: str | None = None,
        quota: int = 50,
        **columns: object,
    ) -> StoredFunction:
        values = {
            "name": "a function",
            "description": "",
            "enabled": True,
            "asynchronous": False,
            "timeout": None,
            "terminate_on_timeout": None,
        } | columns
        upload = Upload(source=source, parameters=None if error else 3, error=error)
        return await Functions(database).create(
            pool_id=pool_id, function_id=new_id(), scene=scene, values=values, upload=upload, quota=quota, at=2.5
        )

    return make
