"""Every operation of the OpenAPI document has an example, and it is what the application answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_openapi import LINTERS, linted

from api.http.examples import FILE

MAKE = Path(__file__).with_name("examples.py")


@pytest.fixture
def district_url(sqlite_district_url: str) -> str:
    """The document is the same on every database."""
    return sqlite_district_url


def _without(document: dict[str, Any]) -> Iterator[str]:
    """What has no example, by operation. Of a PDF, none is to be shown."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                yield from (f"{path} {given['name']}" for given in operation if "example" not in given)
                continue
            bodies = [operation["requestBody"]["content"]] if "requestBody" in operation else []
            answers = [one["content"] for code, one in operation["responses"].items() if code.startswith("2")]
            for content in bodies + answers:
                if (
                    not any("example" in said for said in content.values())
                    and "application/pdf" not in content
                ):
                    yield f"{method.upper()} {path} {[*content]}"


def test_every_operation_has_an_example(document: dict[str, Any]) -> None:
    assert [*_without(document)] == []


def test_an_example_is_what_the_application_answers_now(tmp_path: Path) -> None:
    path = tmp_path / "examples.json"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, str(MAKE), str(path)], env=environment, check=True)
    was, now = (json.loads(file.read_text("utf-8")) for file in (FILE, path))
    others = [name for name in was.keys() | now.keys() if was.get(name) != now.get(name)]
    assert not others, "the answers are others now: `make examples`, and look at the difference"
    assert path.read_bytes() == FILE.read_bytes(), "`make examples`"


@pytest.mark.parametrize("linter", LINTERS)
def test_an_example_that_its_schema_does_not_allow_would_be_told(
    linter: str, document: dict[str, Any], tmp_path: Path
) -> None:
    item = document["paths"]["/v1/tickets"]
    del item["post"]["requestBody"]["content"]["application/json"]["example"]["title"]
    item["post"]["responses"]["201"]["content"]["application/json"]["example"]["number"] = 7
    next(given for given in item["get"]["parameters"] if given["name"] == "limit")["example"] = "many"
    _, told = linted(linter, document, tmp_path)
    assert all(place in told for place in ("requestBody", "responses", "parameters"))


def test_no_example_shows_what_opens_something(document: dict[str, Any]) -> None:
    made = document["paths"]["/v1/keys"]["post"]["responses"]["201"]["content"]["application/json"]["example"]
    assert "opens-nothing" in made["token"]
    assert FILE.read_text("utf-8").count("xh_") == 2, "of a key that is made, and of one that takes its place"
