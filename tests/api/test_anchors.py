"""Anchors speak for the audit log from outside; whatever is done to them or to the log is told."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from test_audit import _as_intruder as as_intruder

from scoring.access.anchors import AnchorsError, add_anchor, make_key, read_key, verify_anchored
from scoring.access.audit import GENESIS, AuditLog, Event
from scoring.cli import main
from scoring.store import Store
from scoring.store.access import AuditEntry, AuditHead

Xinheng = Callable[..., Result]


def _write(store: Store, number: int, text: str = "subject") -> None:
    AuditLog(store).write([Event("tests", "operator", "test.read", f"{text} {n}") for n in range(number)])


@pytest.fixture
def anchors(tmp_path: Path) -> Path:
    return tmp_path / "anchors"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return tmp_path / "anchor.key"


@pytest.fixture
def xinheng(district_url: str, anchors: Path, key: Path) -> Xinheng:
    """`xinheng audit` with the files."""

    def run(command: str, *options: str) -> Result:
        files = ["--anchors", str(anchors), "--key", str(key), "--database", district_url]
        return CliRunner().invoke(main, ["audit", command, *options, *files])

    return run


@pytest.fixture
def anchored(store: Store, xinheng: Xinheng, anchors: Path) -> list[str]:
    """Three anchors, each of four or more entries; their lines."""
    for number in range(3):
        _write(store, 4)
        result = xinheng("anchor", *(["--begin"] if number == 0 else []))
        assert result.exit_code == 0, result.output
        assert result.stdout.strip() == anchors.read_text().splitlines()[-1]
    return anchors.read_text().splitlines()


def _rewrite(store: Store) -> None:
    """Replace the log by another one that holds in itself, of which the anchors say nothing."""
    as_intruder(store, sa.delete(AuditEntry), sa.update(AuditHead).values(seq=0, hash=GENESIS))
    _write(store, 30, "other")


def _refused(result: Result, *told: str) -> None:
    assert result.exit_code == 1
    assert "完整 the audit log is whole" not in result.output
    for text in told:
        assert text in result.output


def test_a_whole_log_is_whole_and_the_tail_behind_the_last_anchor_is_told(
    store: Store, xinheng: Xinheng, anchored: list[str]
) -> None:
    _write(store, 5)
    result = xinheng("verify")
    at = dt.datetime.fromisoformat(anchored[-1].split()[0]).isoformat()
    assert result.exit_code == 0
    assert f"6 entries since the last anchor of {at}: not anchored" in result.output


def test_without_anchors_it_is_told_that_nothing_was_compared(store: Store, district_url: str) -> None:
    _write(store, 1)
    result = CliRunner().invoke(main, ["audit", "verify", "--database", district_url])
    assert (result.exit_code, "not compared with anchors" in result.output) == (0, True)


@pytest.mark.parametrize("command", ["verify", "anchor"])
def test_a_missing_or_emptied_file_of_anchors_is_a_failure(
    store: Store, xinheng: Xinheng, anchors: Path, anchored: list[str], command: str
) -> None:
    _rewrite(store)
    anchors.write_text("")
    _refused(xinheng(command), "are empty")
    anchors.unlink()
    _refused(xinheng(command), "are missing")
    assert not anchors.exists()


def test_a_rewritten_log_is_found(store: Store, xinheng: Xinheng, anchored: list[str]) -> None:
    _rewrite(store)
    _refused(xinheng("verify"), "entry 4: the anchor holds another hash")
    _refused(xinheng("anchor"), "nothing is anchored")


@pytest.mark.parametrize("left", [0, 3, 9])
def test_a_log_cut_off_below_an_anchor_is_found(
    store: Store, xinheng: Xinheng, anchored: list[str], left: int
) -> None:
    with store.reading() as session:
        last = session.scalar(sa.select(AuditEntry.hash).where(AuditEntry.seq == left)) or GENESIS
    as_intruder(
        store,
        sa.delete(AuditEntry).where(AuditEntry.seq > left),
        sa.update(AuditHead).values(seq=left, hash=last),
    )
    _refused(xinheng("verify"), "the anchor names this entry, but the log has none")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (lambda lines: lines[:2], "has 2 lines, but entry 15 of the log is about line 3"),
        (lambda lines: lines[:1], "has 1 lines, but entry 15 of the log is about line 3"),
        (lambda lines: [lines[0], lines[2]], ":2: the signature does not hold"),
        (lambda lines: [lines[1], lines[2]], ":1: the signature does not hold"),
        (lambda lines: [lines[0], lines[2], lines[1]], ":2: the signature does not hold"),
        (lambda lines: [*lines[:2], lines[2].replace(" 14 ", " 13 ")], ":3: the signature does not hold"),
        (lambda lines: [*lines[:2], "2099" + lines[2][4:]], ":3: the signature does not hold"),
        (lambda lines: [*lines[:2], lines[2][:-1]], "has 2 lines, but entry 15 of the log is about line 3"),
        (lambda lines: [lines[0], lines[1][:-1], lines[2]], ":2: the signature does not hold"),
        (lambda lines: [lines[0], "", *lines[1:]], ":2: '' is no anchor"),
        (lambda lines: [f"6 {'0' * 64}"], ":1: "),
    ],
    ids=[
        "one cut off",
        "an older file",
        "one taken out",
        "the first taken out",
        "swapped",
        "another entry",
        "another date",
        "shortened",
        "one before shortened",
        "an empty line",
        "unsigned",
    ],
)
def test_whatever_is_done_to_the_file_is_found(
    xinheng: Xinheng, anchors: Path, anchored: list[str], changed: Callable[[list[str]], list[str]], told: str
) -> None:
    anchors.write_text("".join(f"{line}\n" for line in changed(anchored)))
    for command in ("verify", "anchor"):
        _refused(xinheng(command), told)


def test_anchors_by_another_key_are_worth_nothing(xinheng: Xinheng, anchored: list[str], key: Path) -> None:
    key.write_text("another key of 32 characters or more")
    _refused(xinheng("verify"), ":1: the signature does not hold")


def test_a_key_that_others_may_read_or_that_can_be_guessed_is_refused(
    xinheng: Xinheng, anchored: list[str], key: Path
) -> None:
    assert key.stat().st_mode & 0o777 == 0o600
    key.chmod(0o644)
    _refused(xinheng("verify"), "others may read the key")
    key.chmod(0o600)
    key.write_text("short")
    _refused(xinheng("verify"), "is too short")
    key.unlink()
    _refused(xinheng("verify"), "can't be read")


def test_a_file_is_begun_once_and_a_new_one_may_follow(
    store: Store, xinheng: Xinheng, anchors: Path, anchored: list[str]
) -> None:
    _refused(xinheng("anchor", "--begin"), "has anchors already")
    anchors.rename(anchors.with_name("before"))
    assert xinheng("anchor", "--begin").exit_code == 0
    assert xinheng("verify").exit_code == 0
    assert xinheng("anchor").exit_code == 0


def test_an_anchor_after_a_line_that_lost_its_end_is_a_line_of_its_own(
    xinheng: Xinheng, anchors: Path, anchored: list[str]
) -> None:
    anchors.write_text("\n".join(anchored))
    assert xinheng("verify").exit_code == 0
    assert xinheng("anchor").exit_code == 0
    assert anchors.read_text().splitlines()[:-1] == anchored
    assert xinheng("verify").exit_code == 0


@pytest.mark.parametrize("size", [1, 24, 25, 26, 27, 28, 60, 92, 93, 94, 156])
def test_a_line_that_a_full_disk_left_unfinished_is_no_anchor_and_in_nobodys_way(
    store: Store, xinheng: Xinheng, anchors: Path, anchored: list[str], size: int
) -> None:
    with anchors.open("a") as file:
        file.write(anchored[-1][:size])
    assert xinheng("verify").exit_code == 0
    assert xinheng("anchor").exit_code == 0
    assert xinheng("verify").exit_code == 0
    assert len(anchors.read_text().splitlines()) == len(anchored) + 2
    assert '"number":4}' in next(iter(_details(store)))


def _details(store: Store) -> list[str]:
    with store.reading() as session:
        query = sa.select(AuditEntry.details).where(AuditEntry.action == "audit.anchor")
        return list(session.scalars(query.order_by(AuditEntry.seq.desc())))


def test_a_file_of_which_not_even_the_first_line_was_finished_is_begun_anew(
    xinheng: Xinheng, anchors: Path
) -> None:
    anchors.write_text("2026-11-27T01:37:10+00:00 5 35b1")
    assert xinheng("anchor", "--begin").exit_code == 0
    assert xinheng("verify").exit_code == 0


def test_two_who_anchor_at_once_leave_a_file_that_holds(
    store: Store, xinheng: Xinheng, anchors: Path, key: Path, anchored: list[str]
) -> None:
    for _ in range(4):
        together = threading.Barrier(3)

        def anchor(together: threading.Barrier = together) -> None:
            together.wait()
            add_anchor(store, anchors, read_key(key), "tests", dt.datetime.now(dt.UTC))

        with ThreadPoolExecutor() as pool:
            for done in [pool.submit(anchor) for _ in range(3)]:
                done.result()
    assert len(anchors.read_text().splitlines()) == len(anchored) + 12
    assert xinheng("verify").exit_code == 0


def test_of_two_who_begin_a_file_at_once_one_does(store: Store, anchors: Path, key: Path) -> None:
    make_key(key)
    together = threading.Barrier(3)

    def begin() -> bool:
        together.wait()
        try:
            add_anchor(store, anchors, read_key(key), "tests", dt.datetime.now(dt.UTC), begin=True)
        except AnchorsError:
            return False
        return True

    with ThreadPoolExecutor() as pool:
        begun = [pool.submit(begin) for _ in range(3)]
        assert sorted(done.result() for done in begun) == [False, False, True]
    assert verify_anchored(store, anchors, read_key(key)).faults == ()


def test_an_empty_log_can_be_anchored(store: Store, xinheng: Xinheng) -> None:
    assert xinheng("anchor", "--begin").exit_code == 0
    _write(store, 3)
    result = xinheng("verify")
    assert (result.exit_code, "4 entries since" in result.output) == (0, True)


def test_a_line_that_was_written_before_the_power_went_off_is_no_fault(
    store: Store, xinheng: Xinheng, anchors: Path, anchored: list[str]
) -> None:
    """The file is written first; the log's entry of it may be missing, if nothing else came."""
    as_intruder(store, sa.delete(AuditEntry).where(AuditEntry.seq == 15))
    with store.writing() as session:
        last = session.scalar(sa.select(AuditEntry.hash).where(AuditEntry.seq == 14))
        session.execute(sa.update(AuditHead).values(seq=14, hash=last))
    assert xinheng("verify").exit_code == 0


def test_anchors_without_their_key_are_a_wrong_call(anchors: Path, district_url: str) -> None:
    command = ["verify", "--anchors", str(anchors), "--database", district_url]
    assert CliRunner().invoke(main, ["audit", *command]).exit_code == 2
