"""The OpenAPI document is read by what its readers read it with, and they find nothing amiss."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from api.around.access import ACCESS
from scoring.access.keys import Role

TOOLS = Path(__file__).parents[1] / "openapi"
"""What reads it, installed by ``tests/install-tools``."""
LINTERS = {
    "redocly": ["lint", "--extends=recommended", "--max-problems=20"],
    "spectral": ["lint", "--ruleset", str(TOOLS / ".spectral.yaml"), "--fail-severity=hint"],
}

ONE_AT_A_TIME = {
    "simulations.post_simulation",
    "rule_drafts.post_examination",
    "rule_drafts.get_draft",
    "validation.get_backtest",
    "validation.get_drift",
}
"""What reads everybody, changes nothing, and is 409 while another one does so."""


@pytest.fixture
def district_url(sqlite_district_url: str) -> str:
    """The document is the same on every database."""
    return sqlite_district_url


def linted(linter: str, document: dict[str, Any], folder: Path) -> tuple[int, str]:
    """How a linter ended, and what it said."""
    path = folder / "openapi.json"
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    line = [str(TOOLS / "node_modules" / ".bin" / linter), *LINTERS[linter], str(path)]
    quiet = os.environ | {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    done = subprocess.run(line, capture_output=True, text=True, encoding="utf-8", cwd=folder, env=quiet)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("linter", LINTERS)
def test_the_document_is_without_fault(linter: str, document: dict[str, Any], tmp_path: Path) -> None:
    ended, told = linted(linter, document, tmp_path)
    assert ended == 0, told
    assert "You have" not in told, "as many warnings"


@pytest.mark.parametrize("linter", LINTERS)
def test_a_fault_would_be_told(linter: str, document: dict[str, Any], tmp_path: Path) -> None:
    document["paths"]["/v1/alerts"]["get"]["operationId"] = "list_runs"
    ended, told = linted(linter, document, tmp_path)
    assert (ended, "operationId" in told) == (1, True)


def test_every_operation_says_whom_it_opens_to_and_how_it_may_fail(document: dict[str, Any]) -> None:
    told = {
        operation["operationId"]: (operation["description"], operation["responses"])
        for path in document["paths"].values()
        for operation in path.values()
        if isinstance(operation, dict)
    }
    for endpoint, access in ACCESS.items():
        blueprint, _, name = endpoint.partition(".")
        description, answers = told.get(f"{name}_of_{blueprint}") or told.get(name, ("", {}))
        if not description:
            assert endpoint.startswith(("static", "docs.", "api-docs.", "pages.")), endpoint
            continue
        assert ("It needs no key." in description) is (access.roles is None), endpoint
        for role in access.roles or ():
            assert role in description or access.roles == frozenset(Role), (endpoint, role)
        assert answers.keys() >= {"400", "503"} | ({"401", "403", "429"} if access.roles else set()), endpoint
        assert ("401" in answers) is (access.roles is not None), endpoint
        assert ("409" in answers) is (access.logged == "change" or endpoint in ONE_AT_A_TIME), endpoint


def test_all_that_says_what_went_wrong_is_always_there(document: dict[str, Any]) -> None:
    needed = document["components"]["schemas"]["Problem"]["required"]
    assert set(needed) == {"type", "title", "status", "detail", "instance", "request_id"}
