"""Temporary directories: gone with those who made them, and nobody else's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from warm import Warm

from scoring.store.errors import StoreError
from scoring.store.scratch import clear_dead, own_directory, whole_file
from scoring.store.workspace import workspace

HOLDS = """
import sys
from scoring.store.scratch import own_directory
with own_directory(sys.argv[1]) as directory:
    print(directory, flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_process_left_is_cleared_by_the_next(tmp_path: Path) -> None:
    with Warm(HOLDS, str(tmp_path)) as owner:
        assert owner.stdout is not None
        held = Path(owner.stdout.readline().strip())
        (held / "spilled").write_text("much")
        clear_dead(str(tmp_path))
        assert (held / "spilled").exists(), "its owner lives"
        owner.kill()
    assert held.exists()
    with own_directory(str(tmp_path)) as mine:
        assert list(tmp_path.iterdir()) == [Path(mine)]
    assert list(tmp_path.iterdir()) == []


def test_what_is_nobodys_by_a_lock_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "owner.lock").touch()
    (tmp_path / "xinheng-link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "xinheng-notes").mkdir()
    (tmp_path / "xinheng-file").touch()
    before = sorted(tmp_path.rglob("*"))
    clear_dead(str(tmp_path))
    assert sorted(tmp_path.rglob("*")) == before


def test_what_another_user_left_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may do everything could clear it: not even then."""
    (tmp_path / "xinheng-theirs").mkdir()
    (tmp_path / "xinheng-theirs" / "owner.lock").touch()
    monkeypatch.setattr("os.getuid", lambda: os.geteuid() + 1)
    clear_dead(str(tmp_path))
    assert (tmp_path / "xinheng-theirs" / "owner.lock").exists()
    monkeypatch.undo()
    clear_dead(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_run_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XINHENG_TEMP_DIRECTORY", str(tmp_path))
    with workspace() as duck:
        duck.execute("select 1")
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []


WRITES = """
import sys
from pathlib import Path
from scoring.store.scratch import whole_file
with whole_file(Path(sys.argv[1])) as unfinished:
    unfinished.write_text("half of it")
    print(flush=True)
    sys.stdin.read()
"""


def test_killed_while_it_writes_a_file_it_leaves_what_was_there_and_the_next_one_clears_up(
    tmp_path: Path,
) -> None:
    file = tmp_path / "list.csv"
    file.write_text("before")
    with Warm(WRITES, str(file)) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        assert file.read_text() == "before"
        writer.kill()
    assert (file.read_text(), len(list(tmp_path.iterdir()))) == ("before", 2)
    with whole_file(file) as unfinished:
        unfinished.write_text("after")
    assert file.read_text() == "after"
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_could_not_be_written_is_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("before")
    with pytest.raises(IsADirectoryError), whole_file(file) as unfinished:
        (unfinished.write_text("half of it"), tmp_path.write_text("the other half"))
    assert file.read_text() == "before"
    assert list(tmp_path.iterdir()) == [file]


def test_the_file_that_takes_a_place_has_its_rights_and_its_links(tmp_path: Path) -> None:
    file, link = tmp_path / "kept.csv", tmp_path / "link.csv"
    file.write_text("before")
    file.chmod(0o640)
    link.symlink_to(file.name)
    with whole_file(link) as unfinished:
        unfinished.write_text("after")
    assert (file.read_text(), link.is_symlink(), oct(file.stat().st_mode)[-3:]) == ("after", True, "640")


def test_where_no_file_can_be_the_one_that_was_asked_for_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "none" / "list.csv"
    with pytest.raises(FileNotFoundError, match=r"none/list\.csv"), whole_file(missing):
        raise AssertionError("it has no place")
    with whole_file(Path("/dev/null")) as unfinished:
        assert unfinished == Path("/dev/null")


@pytest.mark.parametrize("own", [True, False])
def test_too_little_room_is_told_with_what_would_help(tmp_path: Path, own: bool) -> None:
    """A setting that says nothing of where a run spills does not help it."""
    with pytest.raises(StoreError) as told, workspace("1MB", tmp_path if own else None) as duck:
        duck.execute("select count(*) from (select distinct range from range(5_000_000))").fetchall()
    assert "XINHENG_MEMORY_LIMIT(--memory)" in str(told.value)
    assert ("XINHENG_TEMP_DIRECTORY" in str(told.value)) is not own
    assert ("have that folder on a larger disk" in str(told.value)) is own
