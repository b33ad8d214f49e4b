"""A small invented district, graded twice, behind the API; on SQLite and on PostgreSQL."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from client import Client, Sign
from databases import MadeOnce, admin, database_of_its_own
from flask import Flask
from small_district import ORGANISATIONS, PACK, fill, fill_more

from api.app import create_app
from api.settings import Settings
from rules.library.loader import find_pack
from scoring.access.keys import Role, create_key
from scoring.runs.batch import run
from scoring.store import Store, create_store, open_store

SPRING, SUMMER = dt.date(2026, 4, 30), dt.date(2026, 7, 31)


def grade_twice(url: str) -> None:
    """Fill an empty database and publish two runs."""
    store = create_store(url)
    fill(store)
    run(store, find_pack(PACK, SPRING), SPRING)
    fill_more(store)
    run(store, find_pack(PACK, SUMMER), SUMMER)
    store.close()


@pytest.fixture(scope="session")
def sqlite_template(made_once: MadeOnce) -> Path:
    """A database file to copy."""
    made = made_once("graded", lambda folder: grade_twice(f"sqlite:///{folder / 'district.db'}"))
    return made / "district.db"


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str) -> str:
    """The name of a database to copy."""
    admin(postgresql_server).execute("CREATE DATABASE district_template")
    grade_twice(postgresql_server.replace("/postgres?", "/district_template?"))
    return "district_template"


@pytest.fixture
def sqlite_district_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a copy of the graded district."""
    shutil.copy(sqlite_template, tmp_path / "district.db")
    return f"sqlite:///{tmp_path / 'district.db'}"


@pytest.fixture
def postgresql_district_url(postgresql_server: str, postgresql_template: str) -> Iterator[str]:
    """The URL of a copy of the graded district."""
    with database_of_its_own(postgresql_server, postgresql_template) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def district_url(request: pytest.FixtureRequest) -> str:
    """The graded district, once in SQLite and once in PostgreSQL."""
    url: str = request.getfixturevalue(f"{request.param}_district_url")
    return url


@pytest.fixture
def store(district_url: str) -> Iterator[Store]:
    """The graded district's store."""
    opened = open_store(district_url)
    yield opened
    opened.close()


@pytest.fixture
def app(store: Store) -> Flask:
    """The API on it."""
    return create_app(Settings(log_level="error", cache_seconds=0), store)


@pytest.fixture
def document(app: Flask) -> dict[str, Any]:
    """The OpenAPI document."""
    found: dict[str, Any] = app.test_client().get("/openapi.json").json
    return found


@pytest.fixture
def sign_in(app: Flask, store: Store) -> Sign:
    """A client with a new key of a role."""

    def sign(role: Role, organisation: str | None = None, owner: str | None = None) -> Client:
        named = organisation or ORGANISATIONS.get(role)
        is_asker = role in (Role.DEPARTMENT, Role.SUBJECT)
        known = owner or (f"of {named}" if is_asker else "tests")
        return Client(app.test_client(), create_key(store, role, known, named).token)

    return sign


@pytest.fixture
def regulator(sign_in: Sign) -> Client:
    """A regulator, and another one."""
    client = sign_in(Role.REGULATOR)
    client.colleague = sign_in(Role.REGULATOR, owner="a colleague")
    return client


@pytest.fixture
def department(sign_in: Sign) -> Client:
    """The department whose records the district holds."""
    return sign_in(Role.DEPARTMENT)


@pytest.fixture
def lender(sign_in: Sign) -> Client:
    """A lender."""
    return sign_in(Role.LENDER)
