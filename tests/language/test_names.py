"""What a name means on the command line, and what is said where it means nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from rules.fault import UnknownPackError
from rules.library.loader import installed_packs, load_vocabulary, vocabulary_text
from rules.library.references import named_pack, pack_files

DAY = dt.date(2026, 3, 1)


@pytest.fixture
def folder(tmp_path: Path, sound: str) -> Path:
    """A folder of two packs, of one of which there are two versions."""
    later = sound.replace('version: "1"', 'version: "2"').replace("from: 2026-01-01", "from: 2026-07-01")
    first = sound.replace("from: 2026-01-01", "from: 2026-01-01, until: 2026-07-01")
    other = sound.replace("pack: sound", "pack: other")
    for name, text in {"first": first, "later": later, "other": other}.items():
        (tmp_path / f"{name}.yaml").write_text(text, "utf-8")
    return tmp_path


def said(ask: Callable[[], object]) -> str:
    with pytest.raises(UnknownPackError) as refused:
        ask()
    return str(refused.value)


def test_a_pack_is_the_version_in_force_or_the_one_that_is_named(folder: Path) -> None:
    assert named_pack("sound", DAY, partial(installed_packs, folder)).version == "1"
    assert named_pack("sound@2", DAY, partial(installed_packs, folder)).version == "2"


def test_where_there_is_no_such_version_those_of_the_pack_are_told(folder: Path) -> None:
    message = said(lambda: named_pack("sound@3", DAY, partial(installed_packs, folder)))
    assert message == "there is no pack sound@3; there are: sound@1, sound@2"


def test_where_there_is_no_such_pack_all_are_told(folder: Path) -> None:
    message = said(lambda: named_pack("nobody@1", DAY, partial(installed_packs, folder)))
    assert message == "there is no pack nobody@1; there are: other@1, sound@1, sound@2"
    message = said(lambda: named_pack("nobody", DAY, partial(installed_packs, folder)))
    assert message.endswith("there are: other, sound")
    assert said(lambda: pack_files(("nobody",), folder)).endswith("there are the packs: other, sound")


def test_where_there_are_no_packs_at_all_that_is_told(tmp_path: Path) -> None:
    for ask in (
        lambda: named_pack("nobody@1", DAY, partial(installed_packs, tmp_path)),
        lambda: named_pack("nobody", DAY, partial(installed_packs, tmp_path)),
        lambda: pack_files(("nobody",), tmp_path),
    ):
        assert said(ask).endswith(": none")


def test_names_mean_the_files_of_one_version_of_all_or_of_a_folder(folder: Path) -> None:
    def found(*names: str) -> list[str]:
        return [path.stem for path in pack_files(names, folder)]

    assert found() == found(str(folder)) == ["first", "later", "other"]
    assert found("sound") == ["first", "later"]
    assert found("sound@2", "other") == ["later", "other"]
    assert found(str(folder / "later.yaml")) == ["later"]


@pytest.mark.parametrize(
    "name",
    ["nothing", "", "../vocabularies/tourism", "tourism.yaml", "./tourism", "x" * 2001, "词" * 200, "a\0b"],
)
def test_a_vocabulary_goes_by_its_name_and_by_no_path(name: str) -> None:
    for ask in (load_vocabulary, vocabulary_text):
        assert said(lambda ask=ask: ask(name)).startswith(f"no vocabulary is called {name}; there are ")
