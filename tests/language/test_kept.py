"""A pack that was read once is kept, and a copy that is not as it was kept is not believed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from rules.fault import PackError
from rules.identity import identity
from rules.library import kept, loader
from rules.library.loader import PACKS, load_kept, load_pack
from rules.model import Pack

FILES = sorted(PACKS.glob("*.yaml"))
TEXT = (PACKS / "tourism-credit.yaml").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place for copies."""
    monkeypatch.setenv(kept.VARIABLE, str(tmp_path / "copies"))
    return tmp_path / "copies"


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files whose text was read."""
    read: list[str] = []
    load = loader.load_text

    def noted(text: str, file: str, vocabulary: str | None = None) -> Pack:
        read.append(file)
        return load(text, file, vocabulary)

    monkeypatch.setattr(loader, "load_text", noted)
    return read


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_copy_says_what_the_text_says(path: Path) -> None:
    pack = load_pack(path)
    copy = kept.unpacked(kept.packed(pack))
    assert copy == pack
    assert repr(copy) == repr(pack)
    assert identity(copy) == identity(pack)


def test_a_text_is_read_once(folder: Path, readings: list[str]) -> None:
    first, second = load_kept(TEXT, "a.yaml"), load_kept(TEXT, "a.yaml")
    assert readings == ["a.yaml"]
    assert first == second
    assert [path.stat().st_mode & 0o777 for path in (folder, *folder.iterdir())] == [0o700, 0o600]


def test_another_text_name_or_vocabulary_is_another_copy(folder: Path, readings: list[str]) -> None:
    vocabulary = loader.vocabulary_text("tourism")
    for given in (
        (TEXT, "a.yaml"),
        (TEXT, "b.yaml"),
        (TEXT + "# a remark\n", "a.yaml"),
        (TEXT, "a.yaml", vocabulary),
        (TEXT, "a.yaml", vocabulary + "# a remark\n"),
    ):
        load_kept(*given)
    assert len(readings) == len(list(folder.iterdir())) == 5


def test_other_code_is_another_copy(
    folder: Path, readings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    load_kept(TEXT, "a.yaml")
    monkeypatch.setattr(kept, "_code", lambda: "another version")
    load_kept(TEXT, "a.yaml")
    assert len(readings) == 2


def _shorten(copy: Path) -> None:
    os.truncate(copy, copy.stat().st_size // 2)


def _change(copy: Path) -> None:
    copy.write_bytes(copy.read_bytes().replace(b'"plain",0]', b'"plain",9]'))


def _take_another_s_place(copy: Path) -> None:
    load_kept(TEXT, "b.yaml")
    (other,) = set(copy.parent.iterdir()) - {copy}
    other.replace(copy)


def _let_others_write(copy: Path) -> None:
    copy.chmod(0o620)


def _link(copy: Path) -> None:
    copy.rename(copy.parent.parent / "elsewhere")
    copy.symlink_to(copy.parent.parent / "elsewhere")


@pytest.mark.parametrize("spoil", [_shorten, _change, _take_another_s_place, _let_others_write, _link])
def test_a_copy_that_is_damaged_or_could_be_another_s_is_made_anew(
    folder: Path, readings: list[str], spoil: object
) -> None:
    pack = load_kept(TEXT, "a.yaml")
    (copy,) = folder.iterdir()
    before = copy.read_bytes()
    spoil(copy)  # type: ignore[operator]
    readings.clear()
    assert load_kept(TEXT, "a.yaml") == pack
    assert readings == ["a.yaml"]
    assert (copy.read_bytes(), copy.stat().st_mode & 0o777, copy.is_symlink()) == (before, 0o600, False)


@pytest.mark.parametrize(
    "called", ["os.system", "rules.library.loader.load_pack", "rules.library.kept.Path", "builtins.exec"]
)
def test_a_copy_names_nothing_but_classes_of_the_rules(called: str) -> None:
    with pytest.raises((LookupError, AttributeError)):
        kept.unpacked(json.dumps([["plain", "true"], [called, 0]]))


def test_a_pack_with_faults_is_not_kept(folder: Path) -> None:
    for _ in range(2):
        with pytest.raises(PackError, match="no-such-thing"):
            load_kept("no-such-thing: 1\n", "a.yaml")
    assert not folder.exists()


def test_where_nothing_can_be_kept_the_text_is_read(
    tmp_path: Path, readings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file").touch()
    monkeypatch.setenv(kept.VARIABLE, str(tmp_path / "a file"))
    assert load_kept(TEXT, "a.yaml") == load_kept(TEXT, "a.yaml")
    assert len(readings) == 2


def test_only_so_many_copies_are_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST", 2)
    for number in range(4):
        assert kept.kept((str(number),), str, lambda: "made") == "made"
        (newest,) = set(folder.iterdir()) - {path for path in folder.iterdir() if path.stat().st_mtime < 1e9}
        os.utime(newest, (number, number))
    assert sorted(path.stat().st_mtime for path in folder.iterdir()) == [2, 3], "the last ones"
