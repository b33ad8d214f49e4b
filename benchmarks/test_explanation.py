"""What explaining a grade takes of a server, on the sample district: the page, the report, the API."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from pytest_benchmark.fixture import BenchmarkFixture

from api.app import create_app
from api.settings import Settings
from fixtures.district import write_district
from rules.library.loader import find_pack
from scoring.access.keys import Role, create_key
from scoring.cli.demo import A_MONTH_BEFORE, AS_OF
from scoring.facts.ingest.files import ingest_paths
from scoring.runs.batch import run
from scoring.store import Store, create_store
from scoring.store.timelines import GradedSubject

PACK = "enterprise-credit"
SAMPLE = 200


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The enterprises of the whole sample district, graded for two dates."""
    directory = tmp_path_factory.mktemp("district")
    write_district(directory / "files")
    opened = create_store(f"sqlite:///{directory / 'xinheng.db'}")
    ingest_paths(opened, [directory / "files" / "enterprise"], "enterprise")
    for day in (A_MONTH_BEFORE, AS_OF):
        run(opened, find_pack(PACK, day), day)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def regulator(store: Store) -> FlaskClient:
    """Somebody who is signed in."""
    client = create_app(Settings(rate_limit="100000000/hour", log_level="error"), store).test_client()
    token = create_key(store, Role.REGULATOR, "benchmark").token
    form = re.search(r'name="form_token" value="([^"]+)"', client.get("/sign-in").text)
    assert form is not None
    client.post("/sign-in", data={"key": token, "form_token": form[1]})
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


@pytest.mark.parametrize(
    "address",
    [f"/subjects/{PACK}/{{}}", f"/subjects/{PACK}/{{}}/report", "/v1/subjects/{}/explanation"],
    ids=["page", "report", "api"],
)
def test_an_explanation(
    benchmark: BenchmarkFixture, store: Store, regulator: FlaskClient, address: str
) -> None:
    with store.reading() as session:
        everybody = session.scalars(
            sa.select(GradedSubject.subject_id).where(GradedSubject.pack_id == PACK)
        ).all()
    asked = iter(random.Random(7).sample(list(everybody), SAMPLE + 1))

    def explain() -> None:
        answer = regulator.get(address.format(next(asked)))
        assert answer.status_code == 200

    explain()
    benchmark.pedantic(explain, rounds=SAMPLE)
