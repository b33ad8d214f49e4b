"""What the product is made of: each locked package, and each script that is brought along, with its licence.

    python deploy/materials.py licences > docs/licences.md
    python deploy/materials.py sbom > xinheng.cdx.json     # CycloneDX 1.6

Licences are read from the installed packages, so it needs an environment made from the lock files.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LOCKS = {"requirements.lock": "runs", "requirements-build.lock": "builds"}
SCRIPTS = ROOT / "api" / "pages" / "static"

MAY_BE_USED = {
    *("0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "MIT", "MIT-0", "MIT-CMU", "PSF-2.0"),
    *("LGPL-2.1-or-later", "LGPL-3.0-only", "MPL-2.0"),  # used as they are, and not linked into one file
}
"""Licences under which the product may be run and handed on."""

_SPDX = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.1-or-later",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Zero-Clause BSD": "0BSD",
    "Apache License 2.0": "Apache-2.0",
}
_SAID = {
    "brotli": "MIT", "brotlicffi": "MIT", "charset-normalizer": "MIT",
    "fonttools": "MIT", "pyphen": "LGPL-2.1-or-later", "tzdata": "Apache-2.0",
}  # fmt: skip
"""What a package does not say, as its project does: of one that is installed on other systems alone, of
those without a classifier, and of three licences the one that is taken."""


@dataclass(frozen=True, slots=True)
class Part:
    """A package or a script.

    :param licence: an expression of SPDX's names.
    :param use: ``runs`` with the product, ``builds`` it, or is a ``script`` of its pages.
    :param hashes: SHA-256 of each file by which it may come.
    """

    name: str
    version: str
    licence: str
    use: str
    hashes: tuple[str, ...]

    @property
    def licences(self) -> set[str]:
        """The names in its licence; of alternatives each."""
        return set(re.findall(r"[\w.-]+", self.licence)) - {"AND", "OR"}

    @property
    def url(self) -> str:
        """Its address as a package (purl)."""
        return f"pkg:{'npm' if self.use == 'script' else 'pypi'}/{self.name}@{self.version}"


def parts() -> list[Part]:
    """All of them by use and name; what a lock has twice stands once."""
    found = [part for lock, use in LOCKS.items() for part in _locked(ROOT / lock, use)]
    return list({part.name: part for part in reversed([*found, *_scripts()])}.values())[::-1]


def _locked(lock: Path, use: str) -> Iterator[Part]:
    entry = re.compile(r"^([\w.-]+)==([^ \\]+).*((?:\n {4}--hash=sha256:[0-9a-f]+.*)+)", re.MULTILINE)
    for name, version, hashes in entry.findall(lock.read_text("utf-8")):
        yield Part(name, version, _licence(name), use, tuple(re.findall(r"sha256:(\w+)", hashes)))


def _licence(name: str) -> str:
    if name in _SAID:
        return _SAID[name]
    known = metadata.metadata(name)
    if "License-Expression" in known:
        return known["License-Expression"]
    kinds = [c.split(" :: ")[-1] for c in known.get_all("Classifier") or [] if c.startswith("License ::")]
    return " AND ".join(_SPDX[kind] for kind in kinds)


def _scripts() -> Iterator[Part]:
    """What the pages' folder says of the scripts in it."""
    for page in sorted(SCRIPTS.glob("*-README.txt")):
        text = page.read_text("utf-8").replace("\n", " ")
        name = re.search(r"npm package ([\w.-]+),", text)
        version = re.search(r" (\d+\.\d+\.\d+), https", text)
        assert name, page
        assert version, page
        licence = next(spdx for said, spdx in _SPDX.items() if said in text)
        yield Part(name[1], version[1], licence, "script", tuple(re.findall(r"sha256 (\w{64})", text)))


def licences() -> str:
    """The page of licences."""
    lines = [
        "# Licences",
        "",
        "What is locked or brought along, as `make licences` writes it. All of it may be run and handed on;",
        "what is under the LGPL or the MPL is used unchanged, as packages of its own.",
        "",
        "| what | version | licence | for |",
        "| --- | --- | --- | --- |",
        *(f"| {part.name} | {part.version} | {part.licence} | {part.use} |" for part in parts()),
    ]
    return "\n".join(lines) + "\n"


def bill() -> dict[str, Any]:
    """The software bill of materials, CycloneDX 1.6: the same for the same locks."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    own = {"type": "application", "name": project["name"], "version": project["version"]}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {**own, "bom-ref": project["name"]}},
        "components": [_component(part) for part in parts()],
        "dependencies": [{"ref": project["name"], "dependsOn": [part.url for part in parts()]}],
    }


def _component(part: Part) -> dict[str, Any]:
    comes = [
        {
            "type": "distribution",
            "url": part.url,
            "hashes": [{"alg": "SHA-256", "content": digest} for digest in part.hashes],
        }
    ]
    is_named = part.licence == "BSD"  # the package does not say which of SPDX's it is
    return {
        "type": "library",
        "bom-ref": part.url,
        "name": part.name,
        "version": part.version,
        "scope": "excluded" if part.use == "builds" else "required",
        "licenses": [{"license": {"name": "BSD"}} if is_named else {"expression": part.licence}],
        "purl": part.url,
        **({"externalReferences": comes} if part.hashes else {}),
    }


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["licences"]:
            print(licences(), end="")
        case ["sbom"]:
            print(json.dumps(bill(), indent=2))
        case _:
            sys.exit("usage: python deploy/materials.py licences|sbom")
