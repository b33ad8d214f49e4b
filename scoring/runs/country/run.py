"""A run over folders of Parquet, bucket by bucket; one that was stopped goes on with the bucket it was in."""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from rules.model import Pack
from rules.titles import Title, system_title
from scoring.runs.country.buckets import open_folder
from scoring.runs.country.plan import CountryError, Plan, bytes_of, make_plan, plan_of
from scoring.runs.country.work import (
    COUNTS,
    FOLDER,
    Each,
    Part,
    Placing,
    Ranking,
    Work,
    is_as_written,
    not_shared,
    one_by_one,
    read_json,
    write_json,
)
from scoring.runs.file_error import ANOTHER_OUT, FileError
from scoring.runs.files import require_in_force
from scoring.store.workspace import DEFAULT_MEMORY, workspace

MANIFEST = "manifest.json"
_RESULT_SHARE, _PIECE_SHARE = 0.7, 1.6
"""Bytes of results and of pieces to bytes of the input; real-shaped records gave 0.45 and 1.2."""

Say = Callable[[Title], None]


@dataclass(frozen=True, slots=True)
class CountryRun:
    """What a run over folders did.

    :param manifest: what ``manifest.json`` says.
    :param is_new: False where the folder held the same run, finished before.
    """

    manifest: Mapping[str, Any]
    is_new: bool


def score_country(
    pack: Pack,
    as_of: dt.date,
    subjects: Path,
    records: Path | None,
    out: Path,
    memory: str | None = None,
    say: Say = lambda title: None,
    each: Each = one_by_one,
) -> CountryRun:
    """Grades the subjects of a folder of Parquet files into a folder.

    By bucket it writes ``scores``, ``hits``, ``dimensions``, ``measures`` and ``rejected``, and at last
    ``manifest.json``: without that file the results are not whole.

    Called again after it was stopped, whatever stopped it, it goes on with the bucket that it was in.

    :param subjects: a folder, or one file. Folders ``bucket=NAME`` in it and in ``records``, of which each
        holds some subjects with all of their records, are taken as they are; otherwise the rows are put in
        buckets first.
    :param memory: what DuckDB may use before it spills, into ``out``.
    :param say: is told what is being done.
    :param each: does a task for each of the parts, here or elsewhere, in any order.
    :raises UnknownPackError: where the pack is not in force on the day.
    :raises FileError: on a folder or file that can't be read or written.
    :raises CountryError: where the folder holds another run, someone else is at work in it, there is too
        little disk, or a subject is in two buckets.
    :raises StoreError: where memory and disk do not suffice after all.

    >>> import duckdb
    >>> from pathlib import Path
    >>> from fixtures.small import AS_OF, small_files
    >>> from rules.library.loader import find_pack
    >>> for path in small_files():
    ...     Path(path.stem).mkdir()
    ...     duckdb.read_csv(str(path)).write_parquet(f"{path.stem}/1.parquet")
    >>> pack = find_pack("tourism-credit", AS_OF)
    >>> done = score_country(pack, AS_OF, Path("merchants"), Path("records"), Path("scores"))
    >>> done.manifest["counts"]["records"], done.manifest["tiers"]
    (3, {'A': 0, 'B': 1, 'C': 1, 'D': 0})
    """
    require_in_force(pack, as_of)
    limit = memory or DEFAULT_MEMORY
    subjects, records, out = subjects.absolute(), records and records.absolute(), out.absolute()
    given = make_plan(pack, as_of, subjects, records, limit)
    _require_apart(out, subjects, records)
    with _held(out):
        finished = _finished(out, given)
        if finished is not None:
            shutil.rmtree(out / FOLDER, ignore_errors=True)
            return CountryRun(finished, is_new=False)
        plan = _begun(out, given)
        _require_disk(out, plan, limit, say)
        _say_without_records(plan, say)
        manifest = _Run(Work(pack, as_of, plan, out, limit), say, each).manifest()
        write_json(out / MANIFEST, manifest)
        shutil.rmtree(out / FOLDER, ignore_errors=True)
        return CountryRun(manifest, is_new=True)


class _Run:
    def __init__(self, work: Work, say: Say, each: Each) -> None:
        self._work, self._say, self._each = work, say, each
        self._plan, self._out = work.plan, work.out

    def manifest(self) -> dict[str, Any]:
        """Does what is still to be done, and says what came of all."""
        put = [] if self._plan.is_bucketed else self._put()
        self._compare()
        done = self._judge()
        if self._plan.is_bucketed:
            self._require_bucketed()
        counts = {name: sum(part[name] for part in done) for name in COUNTS}
        counts["rejected"] += sum(part["rejected"] for part in put)
        tiers = {tier: sum(part["tiers"][tier] for part in done) for tier in self._work.pack.tiers}
        ignored = sorted({columns for part in (*put, *done) for columns in part["ignored"]})
        written = {name: size for part in (*put, *done) for name, size in part["written"].items()}
        results = {name: size for name, size in sorted(written.items()) if not name.startswith(FOLDER)}
        found = {"counts": counts, "tiers": tiers, "ignored": ignored, "results": results}
        return {**self._plan.as_json(), **found}

    def _put(self) -> list[dict[str, Any]]:
        """The rows into buckets, some files at a time."""

        def told(number: int, count: int, part: dict[str, Any], left: float) -> Title:
            return Title(
                f"分桶{number}/{count},约余{left:.0f}秒",
                f"put in buckets: {number}/{count}, about {left:.0f} s left",
            )

        return self._all(self._work.put, self._work.batches(), told)

    def _compare(self) -> None:
        """Finds the places of ranked values among those of everybody, before anybody is judged."""

        def counted(number: int, count: int, part: dict[str, Any], left: float) -> Title:
            return Title(
                f"统计排名:第{number}/{count}桶,约余{left:.0f}秒",
                f"counted for ranks: bucket {number}/{count}, about {left:.0f} s left",
            )

        def placed(number: int, count: int, part: dict[str, Any], left: float) -> Title:
            return Title(f"排名{number}/{count}", f"ranked: {number}/{count}")

        for number, measures in enumerate(self._work.rounds):
            placing = [Placing(number, measure) for measure in measures]
            if any(self._work.known(part) is None for part in placing):
                ranking = [Ranking(bucket, number) for bucket in self._plan.buckets]
                self._all(self._work.rank, ranking, counted)
                self._all(self._work.place, placing, placed)

    def _judge(self) -> list[dict[str, Any]]:
        def told(number: int, count: int, part: dict[str, Any], left: float) -> Title:
            many = f"{part['subjects']:,} subjects, {part['records']:,} records"
            return Title(
                f"第{number}/{count}桶:主体{part['subjects']:,},记录{part['records']:,},约余{left:.0f}秒",
                f"bucket {number}/{count}: {many}, about {left:.0f} s left",
            )

        return self._all(self._work.judge, self._plan.buckets, told)

    def _all(
        self, task: Callable[[Part], dict[str, Any]], parts: Sequence[Part], told: Callable[..., Title]
    ) -> list[dict[str, Any]]:
        """What came of all parts: of those done before as well."""
        known = [self._work.known(part) for part in parts]
        done = [part for part in known if part is not None]
        before, begun = len(done), perf_counter()
        todo = [part for part, one in zip(parts, known, strict=True) if one is None]
        for found in self._each(task, todo):
            done.append(found)
            left = (perf_counter() - begun) / (len(done) - before) * (len(parts) - len(done))
            self._say(told(len(done), len(parts), found, left))
        if any(self._work.known(part) is None for part in todo):
            raise not_shared(self._work.folder)
        return done

    def _require_bucketed(self) -> None:
        """No subject is graded in two buckets, nor are records of it where it is not."""
        with open_folder(self._out) as folder, workspace(self._work.memory, self._work.folder) as duck:
            scores, orphans = f"{folder}/scores/*/*.parquet", f"{folder}/{FOLDER}/orphans/*.parquet"
            named = "hive_partitioning = true, hive_types_autocast = false"
            duck.execute(f"create temp view graded as from read_parquet('{scores}', {named})")
            # By hashes first: they take a third of the time and of the memory.
            duck.execute(
                "create temp table twice as select hash(subject_id) as h from graded"
                " group by h having count(*) > 1"
            )
            found = duck.execute(
                "select subject_id, string_agg(bucket, ', ' order by bucket) from graded"
                " where hash(subject_id) in (from twice) group by subject_id having count(*) > 1 limit 1"
            ).fetchone()
            if found is None and self._work.pack.vocabulary.records is not None:
                found = duck.execute(
                    "select subject_id, g.bucket || ', ' || parse_filename(o.filename, true)"
                    f" from read_parquet('{orphans}', filename = true) o"
                    " join graded g using (subject_id) limit 1"
                ).fetchone()
        if found is not None:
            raise CountryError(
                Title(
                    f"主体{found[0]}分在多个桶:{found[1]};请合到一个桶,或去掉bucket=目录名由程序分桶",
                    f"the subject {found[0]} is in more than one bucket: {found[1]}. Right: all of its rows"
                    " in one, or folders that are not called bucket=, whose rows are put in buckets first",
                )
            )


# The folder of the results


def _require_apart(out: Path, subjects: Path, records: Path | None) -> None:
    for given in filter(None, (subjects, records)):
        ours, theirs = out.resolve(), given.resolve()
        if ours == theirs or ours in theirs.parents or theirs in ours.parents:
            reason = Title(
                "结果目录与所评价的目录重叠", "the results would stand among what they are made from"
            )
            raise FileError(out, reason, *ANOTHER_OUT)


@contextmanager
def _held(out: Path) -> Iterator[None]:
    """The folder, for one run at a time."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = Title("是文件,不是目录", "this is a file") if out.exists() else system_title(error.strerror)
        hint = Title("结果须写入可写的目录", "the results need a folder that can be written")
        raise FileError(out, reason, hint) from None
    with open_folder(out) as name:
        try:
            fcntl.flock(int(name.rpartition("/")[2]), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CountryError(
                Title(f"{out}:另一批次正在写入该目录", f"{out}: another run is at work in this folder")
            ) from None
        yield


def _finished(out: Path, given: Plan) -> dict[str, Any] | None:
    """The manifest of the same run, if it was finished."""
    manifest = read_json(out / MANIFEST)
    if manifest is None:
        return None
    fields = {name: manifest.get(name) for name in given.as_json()}
    _require_same(out, given, fields)
    if not is_as_written(out, manifest.get("results")):
        raise CountryError(
            Title(
                f"{out}:结果文件缺失或已被改动,与{MANIFEST}不符;请另选--out",
                f"{out}: the results are not those of {MANIFEST}: files are missing or were changed."
                " Right: another --out",
            )
        )
    return manifest


def _begun(out: Path, given: Plan) -> Plan:
    """The plan of the folder's run: the one that was begun, or the one given, from now on."""
    place = out / FOLDER / "plan.json"
    kept = read_json(place)
    if kept is not None:
        _require_same(out, given, kept)
        plan = given.going_on_with(plan_of(json.dumps(kept)))
        if not plan.is_bucketed and plan.engine != given.engine:
            raise _other(out, Title("DuckDB版本", "version of DuckDB"))
        return plan
    if any(out.iterdir()):
        raise CountryError(
            Title(
                f"{out}:目录不为空,也不是未完成的批次",
                f"{out}: not empty, and no run to go on with; name another --out",
            )
        )
    write_json(place, given.as_json())
    return given


def _require_same(out: Path, given: Plan, kept: Mapping[str, Any]) -> None:
    try:
        different = given.difference(plan_of(json.dumps(kept)))
    except (TypeError, KeyError):
        different = Title("批次说明", "form of the plan")
    if different is not None:
        raise _other(out, different)


def _other(out: Path, what: Title) -> CountryError:
    return CountryError(
        Title(
            f"{out}:该目录属于另一批次,{what.zh}不同;请另选--out",
            f"{out}: this folder is of another run: the {what.en} differs."
            " Right: the same as before, or another --out",
        )
    )


def _require_disk(out: Path, plan: Plan, memory: str, say: Say) -> None:
    """Says how much disk is needed, beside what is there already, and refuses to begin with less."""
    share = _RESULT_SHARE + (0 if plan.is_bucketed else _PIECE_SHARE)
    there = sum(path.stat().st_size for path in out.rglob("*.parquet"))
    needed = max(0, int(plan.size * share) - there) + bytes_of(memory)
    free = shutil.disk_usage(out).free
    shown, left = f"{needed / 1e9:.1f} GB", f"{free / 1e9:.1f} GB"
    if needed > free:
        raise CountryError(
            Title(
                f"{out}:磁盘不足,需约{shown},剩{left}",
                f"{out}: too little disk: about {shown} needed, {left} free",
            )
        )
    many = f"{plan.rows:,} rows in {len(plan.buckets):,} buckets"
    say(
        Title(
            f"{plan.rows:,}行,{len(plan.buckets):,}桶;磁盘需约{shown},剩{left}",
            f"{many}; disk: about {shown} needed, {left} free",
        )
    )


def _say_without_records(plan: Plan, say: Say) -> None:
    """A bucket of few subjects may have no records; where a folder was forgotten, they would be wanted."""
    names = plan.without_records
    if not names:
        return
    listed = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
    say(
        Title(
            f"{plan.records}:有{len(names):,}个桶没有记录(bucket={listed}),其中主体按没有记录评价",
            f"{plan.records}: no records for {len(names):,} of the buckets of subjects (bucket={listed});"
            " these subjects are judged as having none",
        )
    )
