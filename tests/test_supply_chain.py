"""What the product is made of is locked, listed, and may be used."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
INSTALLS = ("Makefile", "deploy/Containerfile", "docs/operations.md")


@pytest.fixture(scope="module")
def materials() -> ModuleType:
    spec = importlib.util.spec_from_file_location("materials", ROOT / "deploy" / "materials.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["materials"] = module  # where its dataclass looks itself up
    spec.loader.exec_module(module)
    return module


def locked(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text("utf-8")
    return dict(re.findall(r"^([\w.-]+)==([^ \\]+)", text, re.MULTILINE))


def test_the_page_of_licences_is_that_of_the_lock_files(materials: ModuleType) -> None:
    page = (ROOT / "docs" / "licences.md").read_text("utf-8")
    assert page == materials.licences(), "make licences"
    listed = dict(re.findall(r"^\| ([\w.-]+) \| (\S+) \| .+ \| (?:runs|builds) \|$", page, re.MULTILINE))
    assert listed == {**locked("requirements-build.lock"), **locked("requirements.lock")}


def test_everything_may_be_used(materials: ModuleType) -> None:
    for part in materials.parts():
        assert part.licences, part
        assert part.licences <= materials.MAY_BE_USED, part


def test_the_bill_of_materials_has_every_package_with_the_hashes_of_its_lock(materials: ModuleType) -> None:
    bill = materials.bill()
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    components = {part["name"]: part for part in bill["components"]}
    assert len(components) == len(bill["components"])
    assert {"echarts", "htmx.org"} < set(components)
    text = (ROOT / "requirements.lock").read_text("utf-8")
    for name, version in locked("requirements.lock").items():
        assert components[name]["purl"] == f"pkg:pypi/{name}@{version}"
        hashes = {found["content"] for found in components[name]["externalReferences"][0]["hashes"]}
        entry = re.search(rf"^{re.escape(name)}==.*\n((?: {{4}}--hash.*\n)+)", text, re.MULTILINE)
        assert entry
        assert hashes == set(re.findall(r"sha256:(\w+)", entry[1]))


def test_what_is_built_from_source_is_built_by_locked_tools() -> None:
    assert {"setuptools", "wheel", "hatchling", "editables"} <= set(locked("requirements-build.lock"))
    for name in INSTALLS:
        text = (ROOT / name).read_text("utf-8").replace("\\\n", " ")
        at = [text.index(lock) for lock in ("requirements-build.lock", "requirements.lock")]
        assert at == sorted(at), name
        for line in re.findall(r"pip .*?install .*--require-hashes.*", text):
            assert "--no-build-isolation" in line, line
        assert re.search(r"install [^\n]*--require-hashes", text), name


def test_locks_of_one_environment_agree() -> None:
    locks = [locked(f"requirements{part}.lock") for part in ("", "-build", "-dev")]
    for lock in locks:
        for other in locks:
            shared = set(lock) & set(other)
            assert {name: lock[name] for name in shared} == {name: other[name] for name in shared}
