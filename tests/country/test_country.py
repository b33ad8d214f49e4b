"""Folders of Parquet, bucket by bucket: what one file would give, however they lie and whatever stops it."""

from __future__ import annotations

import datetime as dt
import json
import os
import resource
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cli.conftest import PROGRAM, Command
from cli.market import AS_OF, PACK
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from stdnum.cn import uscc

from rules.library.loader import find_pack, load_text
from rules.model import Pack, Title
from scoring.runs.country import run as running
from scoring.runs.country import work
from scoring.runs.country.plan import CountryError, plan_of
from scoring.runs.country.run import MANIFEST, score_country
from scoring.runs.file_error import FileError
from scoring.runs.files import score_files

MARKET = load_text(PACK, "market.yaml")
RANKED_PACK = PACK.replace(
    "rules:\n",
    """\
  lately: {title: {zh: 近一年, en: Lately}, count: records, within: {months: 12, from: occurred_on}}
  place: {title: {zh: 名次, en: Place}, rank: fines}
  among: {title: {zh: 参排, en: Among}, peers: fines}
  busy: {title: {zh: 繁忙, en: Busy}, rank: lately, by: size}
  calm: {title: {zh: 平静, en: Calm}, rank: busy, order: asc, where: place > 1}
  share: {title: {zh: 百分位, en: Share}, percentile: fines, by: lately, bands: [0, 2], fewest: 3}
  alike: {title: {zh: 同名次, en: Alike}, percentile: lately, by: place}
rules:
  - {id: first, title: {zh: 前列, en: First}, dimension: facts, points: 3, basis: own-choice,
     when: place <= 2}
  - {id: crowd, title: {zh: 众, en: Crowd}, dimension: facts, points: 1, per: among, basis: own-choice,
     when: among >= 2}
  - {id: busiest, title: {zh: 最忙, en: Busiest}, dimension: conduct, points: -2, basis: own-choice,
     when: busy = 1}
  - {id: calmest, title: {zh: 最静, en: Calmest}, dimension: facts, points: 0.5, per: calm, basis: own-choice,
     when: calm >= 1}
  - {id: behind, title: {zh: 其后, en: Behind}, dimension: facts, points: 0.11, per: share, basis: own-choice,
     when: share >= 20}
  - {id: beside, title: {zh: 并列, en: Beside}, dimension: facts, points: 0.07, per: alike, basis: own-choice,
     when: alike >= 0}
""",
    1,
)
RANKED = load_text(RANKED_PACK, "ranked.yaml")
"""Subjects are compared with each other, and by how they compare once more."""

BODIES = [f"91500159MA000{n:04}" for n in range(8)]
CODES = [body + uscc.calc_check_digit(body) for body in BODIES]
SMALL = "64MB"

SUBJECT = {"subject_id": pa.string(), "size": pa.string(), "established_on": pa.date32()}
RECORD = {
    **{name: pa.string() for name in ("record_id", "subject_id", "kind", "severity", "level", "status")},
    "amount": pa.string(),
    "occurred_on": pa.date32(),
}


def subject(number: int, **values: Any) -> dict[str, Any]:
    known = {"size": "large", "established_on": dt.date(2010, 1, 2)}
    return {"subject_id": CODES[number], **known, **values}


def record(number: int, of: int, **values: Any) -> dict[str, Any]:
    known = {
        "kind": "penalty",
        "severity": "general",
        "level": "fine",
        "status": "effective",
        "amount": "100",
    }
    day = dt.date(2026, 3, 5)
    return {"record_id": f"R-{number:05}", "subject_id": CODES[of], "occurred_on": day, **known, **values}


def write(path: Path, rows: Sequence[dict[str, Any]], schema: dict[str, pa.DataType]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows), schema=pa.schema(list(schema.items()))), path)
    return path


def flat(folder: Path, rows: Sequence[dict[str, Any]], schema: dict[str, pa.DataType], files: int) -> Path:
    """The rows in their order, in so many files."""
    size = -(-len(rows) // files)
    for number in range(files):
        write(folder / f"{number}.parquet", rows[number * size : (number + 1) * size], schema)
    return folder


def bucketed(
    folder: Path, rows: Sequence[dict[str, Any]], schema: dict[str, pa.DataType], buckets: int
) -> Path:
    """The rows by subject, in folders that say so; a bucket of few subjects has none."""
    for bucket in range(buckets):
        of_bucket = [
            row for row in rows if sum(map(ord, row["subject_id"].strip().upper())) % buckets == bucket
        ]
        if of_bucket:
            write(folder / f"bucket={bucket}" / "a.parquet", of_bucket[:2], schema)
            write(folder / f"bucket={bucket}" / "deeper" / "b.parquet", of_bucket[2:], schema)
    return folder


RESULTS = {"scores": "", "hits": ".hits", "dimensions": ".dimensions", "measures": ".measures"}


def results(out: Path) -> dict[str, Any]:
    """What a run has written, in order: of one file, or of a folder."""
    with duckdb.connect() as duck:

        def rows(name: str) -> list[Any]:
            source = (
                out / name / "*" / "*.parquet"
                if out.is_dir()
                else out.with_suffix(f"{RESULTS[name]}.parquet")
            )
            read = f"read_parquet('{source}', hive_partitioning = false)"
            return duck.execute(f"from {read} order by all").fetchall()

        return {name: rows(name) for name in RESULTS}


def reasons(out: Path) -> list[Any]:
    """What was set aside and why; not where, for a folder has other files than one file is."""
    why = "case when starts_with(reason, '编号与第') then 'a key again' else reason end"
    query = f"select column_name, coalesce(value, ''), {why} from {{}} order by all"
    with duckdb.connect() as duck:
        if out.is_dir():
            found, source = any(out.glob("rejected/*/*.parquet")), f"'{out}/rejected/*/*.parquet'"
        else:
            path = out.with_suffix(".rejected.csv")
            found, source = path.exists(), f"read_csv('{path}', all_varchar = true)"
        return duck.execute(query.format(source)).fetchall() if found else []


@st.composite
def populations(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Some subjects, some records of them and of others, some of them odd, damaged or said twice."""
    subjects = [
        subject(n, size=draw(st.sampled_from(["large", "小型", "huge", None])))
        for n in draw(st.lists(st.integers(0, 6), max_size=8))
    ]
    records = [
        record(
            draw(st.integers(0, 15)) * 10 + of,  # a key stands in records of one subject
            of,
            subject_id=draw(st.sampled_from([CODES[of], CODES[of], CODES[of].lower(), f" {CODES[of]}"])),
            kind=draw(st.sampled_from(["penalty", "行政处罚", "tax_arrears", "award", "no kind"])),
            level=draw(st.sampled_from(["fine", None, "national"])),
            amount=draw(st.sampled_from(["100", "1,000", "2万", "much", None])),
            occurred_on=draw(
                st.sampled_from([dt.date(2026, 3, 5), dt.date(2025, 7, 31), dt.date(1900, 1, 1)])
            ),
        )
        for of in draw(st.lists(st.integers(0, 7), max_size=30))
    ]
    return subjects, records


@settings(max_examples=16, phases=[Phase.generate])
@given(
    populations(),
    st.sampled_from(["flat", "bucketed", "one file"]),
    st.integers(1, 4),
    st.sampled_from([MARKET, RANKED]),
)
def test_a_folder_gives_what_one_file_gives(
    population: tuple[list[dict[str, Any]], list[dict[str, Any]]], layout: str, parts: int, pack: Pack
) -> None:
    subjects, records = population
    with tempfile.TemporaryDirectory() as made, pytest.MonkeyPatch.context() as patch:
        patch.setattr("scoring.runs.country.plan.BYTES_A_ROW", 10_000_000)  # some buckets
        patch.setattr(work, "_ROWS_AT_ONCE", 10)
        folder = Path(made)
        one = write(folder / "s.parquet", subjects, SUBJECT), write(folder / "r.parquet", records, RECORD)
        if layout == "one file":
            many = one
        else:
            lay = flat if layout == "flat" else bucketed
            many = lay(folder / "s", subjects, SUBJECT, parts), lay(folder / "r", records, RECORD, parts)
            write(many[0] / "bucket=0" / "z.parquet", [], SUBJECT)
            write(many[1] / "bucket=9" / "z.parquet", [], RECORD)
        right = score_files(pack, AS_OF, *one, folder / "out.parquet")
        done = score_country(pack, AS_OF, *many, folder / "out", SMALL)
        assert results(folder / "out") == results(folder / "out.parquet")
        assert reasons(folder / "out") == reasons(folder / "out.parquet")
        counts = {name: getattr(right, name) for name in done.manifest["counts"]}
        assert done.manifest["counts"] == counts
        assert done.manifest["tiers"] == right.tiers
        assert not (folder / "out" / "_work").exists()


SUBJECTS = [subject(n) for n in range(8)]
RECORDS = [record(n, n % 8, amount=str(n)) for n in range(80)]


@pytest.fixture
def given_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Records of each subject in every file, and so little memory that there are some buckets."""
    monkeypatch.setattr("scoring.runs.country.plan.BYTES_A_ROW", 4_000_000)
    return flat(tmp_path / "s", SUBJECTS, SUBJECT, 3), flat(tmp_path / "r", RECORDS, RECORD, 7)


def test_records_of_a_subject_in_many_files_count_together(
    tmp_path: Path, given_folders: tuple[Path, Path]
) -> None:
    said: list[str] = []
    done = score_country(MARKET, AS_OF, *given_folders, tmp_path / "out", SMALL, lambda t: said.append(t.en))
    score_files(MARKET, AS_OF, write(tmp_path / "s.parquet", SUBJECTS, SUBJECT),
                write(tmp_path / "r.parquet", RECORDS, RECORD), tmp_path / "one.parquet")  # fmt: skip
    assert results(tmp_path / "out") == results(tmp_path / "one.parquet")
    assert len(done.manifest["buckets"]) == 6
    assert said[0].startswith("88 rows in 6 buckets; disk: about ")
    assert said[-1].startswith("bucket 6/6: ")


def _stopped(
    tmp_path: Path,
    given: tuple[Path, Path],
    patch: pytest.MonkeyPatch,
    name: str,
    after: int,
    pack: Pack = MARKET,
) -> None:
    """A run that is cut off in the middle of its so many-th step, with half a result written."""
    real, calls = getattr(work, name), [0]

    def cut(*args: Any, **more: Any) -> Any:
        calls[0] += 1
        found = real(*args, **more)
        if calls[0] > after:
            raise KeyboardInterrupt
        return found

    with patch.context() as patched:
        patched.setattr(work, name, cut)
        with pytest.raises(KeyboardInterrupt):
            score_country(pack, AS_OF, *given, tmp_path / "out", SMALL)
    assert not (tmp_path / "out" / MANIFEST).exists()


@pytest.mark.parametrize(
    ("name", "after"), [("put_in_buckets", 0), ("put_in_buckets", 1), ("judge_bucket", 3)]
)
def test_what_was_stopped_goes_on_where_it_was(
    tmp_path: Path, given_folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, name: str, after: int
) -> None:
    score_country(MARKET, AS_OF, *given_folders, tmp_path / "whole", SMALL)
    _stopped(tmp_path, given_folders, monkeypatch, name, after)
    said: list[str] = []
    score_country(
        MARKET, AS_OF, *given_folders, tmp_path / "out", "128MB", lambda title: said.append(title.en)
    )
    assert results(tmp_path / "out") == results(tmp_path / "whole")
    judged = [line for line in said if line.startswith("bucket ")]
    assert len(judged) == (3 if name == "judge_bucket" else 6)
    again = score_country(MARKET, AS_OF, *given_folders, tmp_path / "out", SMALL)
    assert not again.is_new
    assert again.manifest == json.loads((tmp_path / "out" / MANIFEST).read_text("utf-8"))


def test_a_run_that_is_killed_goes_on(tmp_path: Path, given_folders: tuple[Path, Path]) -> None:
    """By kill -9, while it judges."""
    (tmp_path / "market.yaml").write_text(PACK, "utf-8")
    parts = bucketed(tmp_path / "bs", SUBJECTS, SUBJECT, 6), bucketed(tmp_path / "br", RECORDS, RECORD, 6)
    words = ["score", "--pack", tmp_path / "market.yaml", "--as-of", AS_OF, "--memory", SMALL,
             "--subjects", parts[0], "--records", parts[1], "--out", tmp_path / "out"]  # fmt: skip
    with subprocess.Popen([PROGRAM, *map(str, words)], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any(line.startswith("market: bucket 1/") for line in process.stderr)
        os.kill(process.pid, signal.SIGKILL)
    assert not (tmp_path / "out" / MANIFEST).exists()
    done = score_country(MARKET, AS_OF, *parts, tmp_path / "out", SMALL)
    score_country(MARKET, AS_OF, *given_folders, tmp_path / "other", SMALL)
    assert done.is_new
    assert results(tmp_path / "out") == results(tmp_path / "other")


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("which", "harm"),
    [("scores", Path.unlink), ("hits", _cut), ("_work/orphans", _cut), ("_work/pieces/record", _cut)],
)
def test_what_was_done_and_is_not_as_it_was_written_is_done_again(
    tmp_path: Path,
    given_folders: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    which: str,
    harm: Callable[[Path], None],
) -> None:
    score_country(MARKET, AS_OF, *given_folders, tmp_path / "whole", SMALL)
    _stopped(tmp_path, given_folders, monkeypatch, "judge_bucket", 3)
    harm(next((tmp_path / "out" / which).rglob("*.parquet")))
    done = score_country(MARKET, AS_OF, *given_folders, tmp_path / "out", SMALL)
    assert results(tmp_path / "out") == results(tmp_path / "whole")
    assert reasons(tmp_path / "out") == reasons(tmp_path / "whole")
    there = (path for path in (tmp_path / "out").rglob("*.parquet"))
    assert done.manifest["results"] == {
        path.relative_to(tmp_path / "out").as_posix(): path.stat().st_size for path in there
    }


@pytest.mark.parametrize("harm", [Path.unlink, _cut])
def test_a_finished_run_whose_results_are_not_all_there_is_not_said_to_be_whole(
    tmp_path: Path, given_folders: tuple[Path, Path], harm: Callable[[Path], None]
) -> None:
    score_country(MARKET, AS_OF, *given_folders, tmp_path / "out", SMALL)
    harm(next((tmp_path / "out" / "hits").rglob("*.parquet")))
    with pytest.raises(CountryError, match="files are missing or were changed"):
        score_country(MARKET, AS_OF, *given_folders, tmp_path / "out", SMALL)


@pytest.mark.parametrize(
    ("name", "text"), [("_work/plan.json", "null"), ("_work/done/0.json", "[]"), (MANIFEST, '"x"')]
)
def test_a_note_of_a_run_that_is_damaged_is_named(
    tmp_path: Path,
    given_folders: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    text: str,
) -> None:
    _stopped(tmp_path, given_folders, monkeypatch, "judge_bucket", 3)
    (tmp_path / "out" / name).write_text(text, "utf-8")
    with pytest.raises(FileError, match=f"{name}: 不是JSON,或已损坏 not JSON, or damaged"):
        score_country(MARKET, AS_OF, *given_folders, tmp_path / "out", SMALL)


@pytest.mark.parametrize("finished", [False, True])
@pytest.mark.parametrize(
    ("change", "what"), [("pack", "text of the pack"), ("day", "day"), ("file", "files of records")]
)
def test_another_run_is_refused_where_one_was_begun(
    tmp_path: Path,
    given_folders: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    change: str,
    what: str,
    finished: bool,
) -> None:
    if finished:
        score_country(MARKET, AS_OF, *given_folders, tmp_path / "out", SMALL)
    else:
        _stopped(tmp_path, given_folders, monkeypatch, "judge_bucket", 0)
    pack: Pack = load_text(PACK.replace("points: -4", "points: -3"), "m.yaml") if change == "pack" else MARKET
    day = AS_OF + dt.timedelta(1) if change == "day" else AS_OF
    if change == "file":
        write(given_folders[1] / "more.parquet", RECORDS[:1], RECORD)
    with pytest.raises(CountryError, match=f"this folder is of another run: the {what}"):
        score_country(pack, day, *given_folders, tmp_path / "out", SMALL)


def test_two_at_once_in_one_folder_are_refused(tmp_path: Path, given_folders: tuple[Path, Path]) -> None:
    with running._held(tmp_path / "out"), pytest.raises(CountryError, match="another run is at work"):
        score_country(MARKET, AS_OF, *given_folders, tmp_path / "out", SMALL)


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path, given_folders: tuple[Path, Path]) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").write_text("dear")
    with pytest.raises(CountryError, match="not empty, and no run to go on with"):
        score_country(MARKET, AS_OF, *given_folders, tmp_path / "out", SMALL)
    with pytest.raises(FileError, match="the results would stand among what they are made from"):
        score_country(MARKET, AS_OF, *given_folders, given_folders[0] / "out", SMALL)


@pytest.mark.parametrize("cut", [4, -20])
def test_a_damaged_file_is_named(tmp_path: Path, given_folders: tuple[Path, Path], cut: int) -> None:
    damaged = given_folders[1] / "3.parquet"
    content = damaged.read_bytes()
    damaged.write_bytes(content[:cut] + bytes(60) + content[cut + 60 :] if cut > 0 else content[:cut])
    with pytest.raises(FileError, match=r"r/3\.parquet: .* this is no Parquet file, or a damaged one"):
        score_country(MARKET, AS_OF, *given_folders, tmp_path / "out", SMALL)


def test_a_file_that_is_changed_after_the_run_was_begun_is_named(
    tmp_path: Path, given_folders: tuple[Path, Path]
) -> None:
    def change(title: Title) -> None:
        write(given_folders[1] / "6.parquet", RECORDS, RECORD)

    with pytest.raises(FileError, match=r"r/6\.parquet: .* the file was changed since the run was begun"):
        score_country(MARKET, AS_OF, *given_folders, tmp_path / "out", SMALL, change)


def test_a_folder_without_parquet_is_named(tmp_path: Path, given_folders: tuple[Path, Path]) -> None:
    (tmp_path / "empty" / "_temporary").mkdir(parents=True)
    write(tmp_path / "empty" / "_temporary" / "0.parquet", RECORDS, RECORD)
    with pytest.raises(FileError, match=r"empty: .* no Parquet file"):
        score_country(MARKET, AS_OF, given_folders[0], tmp_path / "empty", tmp_path / "out", SMALL)


def test_a_file_counts_whatever_the_case_of_its_ending(
    tmp_path: Path, given_folders: tuple[Path, Path]
) -> None:
    (given_folders[1] / "3.parquet").rename(given_folders[1] / "3.PARQUET")
    done = score_country(MARKET, AS_OF, *given_folders, tmp_path / "out", SMALL)
    assert len(done.manifest["record_files"]) == len([*given_folders[1].iterdir()])


def test_a_folder_may_be_called_as_files_are(tmp_path: Path, given_folders: tuple[Path, Path]) -> None:
    """As Spark calls what it writes: ``records.parquet/part-00000.parquet``."""
    whole = score_country(MARKET, AS_OF, *given_folders, tmp_path / "whole", SMALL)
    subjects, records = given_folders
    (tmp_path / "all").mkdir()
    records = records.rename(tmp_path / "all" / "records.parquet")
    done = score_country(MARKET, AS_OF, subjects, tmp_path / "all", tmp_path / "out", SMALL)
    assert done.manifest["counts"] == whole.manifest["counts"]


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("nowhere")])
def test_what_is_no_file_is_named(
    tmp_path: Path, given_folders: tuple[Path, Path], make: Callable[[Path], None]
) -> None:
    """Not waited for, either: nobody writes to the pipe."""
    subjects, records = given_folders
    make(records / "more.parquet")
    with pytest.raises(FileError, match=r"more\.parquet.*(not a regular file|No such file)"):
        score_country(MARKET, AS_OF, subjects, records, tmp_path / "out", SMALL)


def test_a_folder_that_is_a_link_is_named_and_not_left_out(
    tmp_path: Path, given_folders: tuple[Path, Path]
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (given_folders[1] / "3.parquet").rename(tmp_path / "elsewhere" / "3.parquet")
    (given_folders[1] / "_aside").symlink_to(tmp_path / "elsewhere")
    (given_folders[1] / "more").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileError, match=r"r/more: .* a link to a folder, which is not followed"):
        score_country(MARKET, AS_OF, *given_folders, tmp_path / "out", SMALL)


@pytest.mark.parametrize("dataset", ["subjects", "records"])
def test_a_subject_in_two_buckets_is_named(tmp_path: Path, dataset: str) -> None:
    subjects = bucketed(tmp_path / "s", SUBJECTS, SUBJECT, 2)
    records = bucketed(tmp_path / "r", RECORDS, RECORD, 2)
    folder, rows, schema = (
        (subjects, SUBJECTS, SUBJECT) if dataset == "subjects" else (records, RECORDS, RECORD)
    )
    for bucket in range(2):
        write(folder / f"bucket={bucket}" / "more.parquet", [dict(rows[0], record_id="R-1-too")], schema)
    with pytest.raises(CountryError, match=f"the subject {CODES[0]} is in more than one bucket: "):
        score_country(MARKET, AS_OF, subjects, records, tmp_path / "out", SMALL)
    assert not (tmp_path / "out" / MANIFEST).exists()


def test_a_bucket_that_has_no_records_is_said(tmp_path: Path) -> None:
    """It may be one of few subjects; it may be one whose folder was forgotten."""
    subjects = bucketed(tmp_path / "s", SUBJECTS, SUBJECT, 2)
    records = bucketed(tmp_path / "r", RECORDS, RECORD, 2)
    said: list[str] = []

    def score(out: str) -> None:
        said.clear()
        score_country(
            MARKET, AS_OF, subjects, records, tmp_path / out, SMALL, lambda title: said.append(title.en)
        )

    score("all")
    assert not any("no records" in line for line in said)
    shutil.rmtree(records / "bucket=1")
    score("half")
    assert f"{records}: no records for 1 of the buckets of subjects (bucket=1); these subjects" in "".join(
        said
    )


@pytest.mark.parametrize("memory", ["0GB", "0.0001KB", "1.2.3GB", f"{'9' * 400}GB"])
def test_no_memory_is_no_amount(tmp_path: Path, given_folders: tuple[Path, Path], memory: str) -> None:
    with pytest.raises(CountryError, match="is no amount of memory such as 2GB"):
        score_country(MARKET, AS_OF, *given_folders, tmp_path / "out", memory)
    assert not (tmp_path / "out").exists()


def test_too_little_disk_is_said_before_anything_is_written(
    tmp_path: Path, given_folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1_000))
    with pytest.raises(CountryError, match=r"too little disk: about 0\.1 GB needed, 0\.0 GB free"):
        score_country(MARKET, AS_OF, *given_folders, tmp_path / "out", SMALL)


def test_where_the_disk_is_full_the_system_is_quoted(
    tmp_path: Path, given_folders: tuple[Path, Path]
) -> None:
    """Not DuckDB, which wraps its words in JSON. No file may have more than 600 bytes meanwhile."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def full(title: Title) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (600, limits[1]))

    try:
        with pytest.raises(FileError) as told:
            score_country(MARKET, AS_OF, *given_folders, tmp_path / "out", SMALL, full)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "/pieces/" in str(told.value)
    assert "can't be written: File too large" in str(told.value)


def test_subjects_are_compared_with_those_of_all_buckets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoring.runs.country.plan.BYTES_A_ROW", 4_000_000)
    pack = find_pack("department-credit", AS_OF)
    key = pack.vocabulary.subject.key
    subjects = [{key: f"DEPT-{n:03}", "peers": "departments"} for n in range(40)]
    of_subjects = {key: pa.string(), "peers": pa.string()}
    answers = [
        {"record_id": f"A-{n}", key: f"DEPT-{n % 6:03}", "kind": "satisfaction_answer", "status": "effective",
         "score": str(60 + n % 6), "year": "2026", "occurred_on": dt.date(2026, 3, 5)} for n in range(6 * 30)
    ]  # fmt: skip
    of_answers = {name: pa.string() for name in answers[0]} | {"occurred_on": pa.date32()}
    one = (
        write(tmp_path / "s.parquet", subjects, of_subjects),
        write(tmp_path / "r.parquet", answers, of_answers),
    )
    many = flat(tmp_path / "s", subjects, of_subjects, 4), flat(tmp_path / "r", answers, of_answers, 2)
    score_files(pack, AS_OF, *one, tmp_path / "one.parquet")
    done = score_country(pack, AS_OF, *many, tmp_path / "out", "256MB")
    assert len(done.manifest["buckets"]) == 4
    assert results(tmp_path / "out") == results(tmp_path / "one.parquet")
    first = [
        subject for subject, rule, *_ in results(tmp_path / "out")["hits"] if rule.endswith("first-of-group")
    ]
    assert first == ["DEPT-005"]


@pytest.mark.parametrize(
    ("name", "after", "harm", "counted"),
    [
        ("rank_bucket", 2, None, True),
        ("place_all", 1, "ranks", True),
        ("place_all", 4, None, False),
        ("judge_bucket", 3, "places", False),
    ],
)
def test_ranking_that_was_stopped_goes_on_where_it_was(
    tmp_path: Path,
    given_folders: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    after: int,
    harm: str | None,
    counted: bool,
) -> None:
    """What was counted is not counted again, unless it is gone."""
    score_files(RANKED, AS_OF, write(tmp_path / "s.parquet", SUBJECTS, SUBJECT),
                write(tmp_path / "r.parquet", RECORDS, RECORD), tmp_path / "one.parquet")  # fmt: skip
    _stopped(tmp_path, given_folders, monkeypatch, name, after, RANKED)
    harmed = [*(tmp_path / "out" / "_work" / str(harm)).rglob("*.parquet")]
    for path in harmed[:1]:
        path.unlink()
    said: list[str] = []
    score_country(RANKED, AS_OF, *given_folders, tmp_path / "out", SMALL, lambda t: said.append(t.en))
    assert results(tmp_path / "out") == results(tmp_path / "one.parquet")
    assert any(line.startswith("counted for ranks: ") for line in said) is counted


def test_a_place_that_is_not_seen_is_not_taken_for_that_of_the_bucket(
    tmp_path: Path, given_folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine whose folder is another one."""
    _stopped(tmp_path, given_folders, monkeypatch, "judge_bucket", 0, RANKED)
    out = tmp_path / "out"
    plan = plan_of((out / "_work" / "plan.json").read_text("utf-8"))
    next((out / "_work" / "places").glob("*.parquet")).unlink()
    with pytest.raises(FileError, match="the same one on every machine"):
        work.Work(RANKED, AS_OF, plan, out, SMALL).judge(plan.buckets[0])


def test_the_command_says_what_it_does(
    tmp_path: Path, given_folders: tuple[Path, Path], command: Command
) -> None:
    (tmp_path / "market.yaml").write_text(PACK, "utf-8")
    words = ("score", "--pack", tmp_path / "market.yaml", "--as-of", AS_OF, "--memory", SMALL)
    result = command(
        *words, "--subjects", given_folders[0], "--records", given_folders[1], "--out", tmp_path / "o"
    )
    assert result.exit_code == 0
    assert "8 subjects, 80 records" in result.stderr
    assert f"written: {tmp_path / 'o' / MANIFEST}" in result.stderr


@pytest.mark.parametrize("what", ["pieces/record", "put"])
def test_what_another_machine_has_written_and_is_not_seen_is_not_taken_for_nothing(
    tmp_path: Path, given_folders: tuple[Path, Path], what: str
) -> None:
    def lose(title: Title) -> None:
        if title.en.startswith("put in buckets: 2/2"):
            shutil.rmtree(tmp_path / "out" / "_work" / what)

    with pytest.raises(FileError, match="the folder has to be the same one"):
        score_country(MARKET, AS_OF, *given_folders, tmp_path / "out", SMALL, lose)


def test_parts_that_are_done_elsewhere_are_not_taken_for_done_here(
    tmp_path: Path, given_folders: tuple[Path, Path]
) -> None:
    def elsewhere(task: Any, parts: Sequence[Any]) -> Any:
        return ({"rejected": 0, "ignored": [], "written": {}} for _ in parts)

    with pytest.raises(FileError, match="the folder has to be the same one"):
        score_country(MARKET, AS_OF, *given_folders, tmp_path / "out", SMALL, each=elsewhere)
