"""``xinheng score``: one batch, from store to store or from file to file."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from functools import partial
from getpass import getuser
from pathlib import Path
from time import perf_counter

import click
import sqlalchemy as sa

from rules.calendar import today
from rules.fault import UnknownPackError
from rules.identity import identity
from rules.model import Pack, Title
from rules.titles import TitledError
from scoring.cli.options import Memory, as_of_option, database_option, known_by, operator, pack_of
from scoring.cli.output import Format, format_option, how_many, print_rows, progress, tell
from scoring.cli.proposals import COLUMNS as PROPOSALS
from scoring.cli.proposals import row_of
from scoring.cli.trials import grade_trials
from scoring.runs.batch import run
from scoring.runs.country.run import MANIFEST, score_country
from scoring.runs.country.work import Each, one_by_one
from scoring.runs.files import WRITERS, score_files
from scoring.runs.proposals import MOST_DAYS
from scoring.runs.proposals import propose as propose_run
from scoring.runs.proposed import HeldError
from scoring.runs.results import tier_counts
from scoring.store import Store, StoreError, open_store
from scoring.store.models import SubjectVersion
from scoring.store.rulebook import DisagreementError, edited, known_packs, known_ruling
from scoring.store.workspace import MEMORY_VARIABLE

Row = dict[str, object]
COLUMNS = {
    "pack": "评价规则 pack",
    "as_of": "评价基准日 as of",
    "run": "批次 run",
    "tier": "等级 tier",
    "title": "名称 title",
    "subjects": "主体数 subjects",
    "share": "占比 share",
}


@click.command("score")
@click.option("--pack", "name", help="A pack's id, or its file; by default every pack that has subjects.")
@as_of_option
@click.option(
    "--subjects",
    type=click.Path(path_type=Path),
    help="Grade this file (csv, xlsx, parquet), or this folder of Parquet files, not the store.",
)
@click.option("--records", type=click.Path(path_type=Path), help="The records about them.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Where the scores go (csv, parquet, or a folder)."
)
@click.option(
    "--memory",
    type=Memory(),
    envvar=MEMORY_VARIABLE,
    show_envvar=True,
    help="What the batch may use before it spills: 512MB, 2GB (the default).",
)
@click.option(
    "--engine",
    type=click.Choice(["duckdb", "spark"]),
    default="duckdb",
    show_default=True,
    help="Where the buckets of folders are graded: here, or by the machines of a Spark cluster.",
)
@click.option("--master", help="Of Spark: spark://host:7077, yarn, k8s://host, local[4].")
@click.option("--again", is_flag=True, help="Publish another run of what is published already.")
@click.option("--full", is_flag=True, help="Judge everybody: what did not change must not differ.")
@click.option(
    "--propose",
    type=click.IntRange(1, MOST_DAYS),
    metavar="DAYS",
    help="Publish nothing yet: for DAYS days those who would fall may answer (docs/preview.md).",
)
@database_option
@format_option
def score_command(
    name: str | None,
    as_of: dt.date,
    subjects: Path | None,
    records: Path | None,
    out: Path | None,
    memory: str | None,
    engine: str,
    master: str | None,
    again: bool,
    full: bool,
    propose: int | None,
    database: str | None,
    fmt: Format,
) -> None:
    """Grade every subject of the store and publish the run, or grade a file into files.

    A draft of a pack makes no official run: xinheng simulate tries it, xinheng rules install makes it law
    (docs/rules-in-force.md).

    Those are judged for whom something changed since the last run: facts, or rules. With --full everybody is;
    where another grade is found than was published, and nothing changed that explains it, the command says so
    and fails. The same pack, date and facts are published once: said again, the command shows the run that
    there is.

    With --propose the run is proposed first, and no other one of its pack is published before that one is
    published or withdrawn: xinheng proposals. Where no pack is named, the others are graded meanwhile.

    A folder of Parquet files is graded bucket by bucket into a folder, in bounded memory (docs/country.md).
    Stopped, and said again, the command goes on with the bucket that it was in.

    \b
    Examples:
      xinheng score --pack enterprise-credit --as-of 2026-07-31
      xinheng score --pack my.yaml --subjects s.csv --records r.parquet --out scores.parquet
      xinheng score --pack my.yaml --subjects subjects/ --records records/ --out scores/ --memory 4GB
      xinheng score --pack my.yaml --subjects s/ --records r/ --out o/ --engine spark --master spark://host:7077
    """
    if propose and (subjects or records or out or again or full):
        raise click.UsageError(
            "--propose只用于数据库的评价 --propose is for a run of the store, without --again and --full"
        )
    if subjects or records or out:
        if not (name and subjects and out):
            raise click.UsageError(
                "按文件评价须写明--pack、--subjects、--out from file to file: "
                "--pack, --subjects and --out are needed, --records if there are any"
            )
        folders = [path for path in (subjects, records) if path and path.is_dir()]
        by_folder = bool(folders) and out.suffix.lower() not in WRITERS
        pack = pack_of(name, as_of, partial(known_by, database))
        if by_folder:
            with _engine(engine, master) as each:
                rows = _score_folder(pack, as_of, subjects, records, out, memory, each)
        else:
            _require_no_cluster(engine, master)
            rows = _score_file(pack, as_of, subjects, records, out, memory)
        print_rows(rows, COLUMNS, fmt)
        return
    _require_no_cluster(engine, master)
    if as_of > today():
        tell(
            f"评价基准日{as_of}在今天之后，到该日之前不作为任何主体的等级"
            f" {as_of} is a day to come: before that day this is nobody's grade"
        )
    if memory:
        os.environ[MEMORY_VARIABLE] = memory
    with closing(open_store(database)) as store:
        if propose:
            rows = _each(store, name, as_of, lambda pack: _propose(store, pack, as_of, propose))
            print_rows(rows, PROPOSALS, fmt)
            return
        rows = grade_store(store, name, as_of, again, full)
        _try_candidates(store)
    print_rows(rows, COLUMNS, fmt)


def grade_store(
    store: Store, name: str | None, as_of: dt.date, again: bool = False, full: bool = False
) -> list[dict[str, object]]:
    """Publishes a run of the pack, or of every pack that has subjects; their tier tables.

    Of every pack, those of which a proposal is open are left out, and said.

    :param again: also where it is published already.
    :param full: judge everybody.
    :raises HeldError: where a proposal of the pack that is named is open.
    :raises StoreError: where that finds differences that nothing explains.
    """
    return _each(store, name, as_of, lambda pack: _score_store(store, pack, as_of, again, full))


def _each(store: Store, name: str | None, as_of: dt.date, do: Callable[[Pack], list[Row]]) -> list[Row]:
    """Rows of the pack, or of every pack that has subjects; of these, one that a proposal holds is passed."""
    if name:
        return do(_law(store, pack_of(name, as_of, partial(known_packs, store))))
    rows, failed = list[Row](), list[Title]()
    for pack in _packs_with_subjects(store, as_of):
        try:
            rows += do(pack)
        except HeldError as error:
            tell(f"{pack.title}: {error.title}")
        except DisagreementError as error:  # the other packs are graded all the same
            tell(f"{pack.title}: {error.title}")
            failed.append(error.title)
    if failed:
        raise DisagreementError(failed[0])
    return rows


def _law(store: Store, pack: Pack) -> Pack:
    """A version that grades officially: a draft of a pack that is known does not.

    :raises UnknownPackError: with the commands that try it, and that make it law.
    """
    known = [version for version in known_packs(store) if version.id == pack.id]
    same = next((version for version in known if identity(version) == identity(pack)), None)
    if same is not None or not known:
        return same or pack
    file = pack.place.file
    raise UnknownPackError(
        Title(
            f"{file}是{pack.id}的草案,未经他人批准,不能发布评价结果;试算用 xinheng simulate --pack {file},"
            f"施行用 xinheng rules install {file} --from {pack.in_force_from}",
            f"{file} is a draft of {pack.id} that nobody has approved, and makes no official run. Try it:"
            f" xinheng simulate --pack {file}; make it law: xinheng rules install {file} --from"
            f" {pack.in_force_from}",
        )
    )


def _tell_edited(store: Store, pack: Pack) -> None:
    """What nobody was asked for before the run is by it."""
    for title in edited(store, pack.id):
        tell(str(title))


def _propose(store: Store, pack: Pack, as_of: dt.date, days: int) -> list[Row]:
    _tell_edited(store, pack)
    with progress(f"{pack.title}") as advance:
        found = propose_run(
            store, pack, as_of, days, operator(), progress=lambda step, rows: advance(rows, 0)
        )
    tell(f"{pack.title}: xinheng proposals show {found.id}; xinheng notices --proposal {found.id}")
    return [row_of(found)]


def _packs_with_subjects(store: Store, as_of: dt.date) -> list[Pack]:
    with store.reading() as session:
        kinds = set(session.scalars(sa.select(SubjectVersion.vocabulary).distinct()))
    packs = [p for p in known_ruling(store, as_of) if p.vocabulary.id in kinds]
    if not packs:
        raise StoreError(
            Title(
                f"库{store.address}没有{as_of}现行评价规则所评价的主体",
                f"the store {store.address} has no subject that a pack in force on {as_of} grades",
            )
        )
    return packs


def _score_store(
    store: Store, pack: Pack, as_of: dt.date, again: bool, full: bool
) -> list[dict[str, object]]:
    started = perf_counter()
    _tell_edited(store, pack)
    with progress(f"{pack.title}") as advance:
        outcome = run(
            store,
            pack,
            as_of,
            progress=lambda step, rows: advance(rows, 0),
            again=again,
            full=full,
            decided_by=getuser(),
        )
    summary = outcome.run
    tiers = tier_counts(store, summary)
    orphans = f", {summary.orphans:,} records of unknown subjects" if summary.orphans else ""
    done = f"run {summary.id}" if outcome.is_new else f"已发布 already published as run {summary.id}"
    tell(
        f"{pack.title}: {summary.subjects:,} subjects, {summary.records:,} records{orphans},"
        f" {perf_counter() - started:.1f} s, {done}"
    )
    if outcome.unexpected:
        raise StoreError(
            Title(
                f"批次{summary.id}:{outcome.unexpected:,}个主体的评价与已发布的不同,而其事实和规则均未变化。"
                "新的评价已发布,请报告此问题",
                f"run {summary.id}: {outcome.unexpected:,} subjects are graded otherwise than was published, "
                "although neither their facts nor the rules changed. The new grades are published; please "
                "report",
            )
        )
    return tier_rows(pack, as_of, tiers, summary.id)


def _try_candidates(store: Store) -> None:
    """The runs are published, whatever comes of the candidates beside them."""
    try:
        grade_trials(store)
    except TitledError as error:
        tell(f"试运行 trials: {error.title}")


def _engine(engine: str, master: str | None) -> AbstractContextManager[Each]:
    """What does the parts of a run over folders."""
    if engine == "spark":
        if master is None:
            raise click.UsageError("请写--master --engine spark needs --master, such as spark://host:7077")
        from scoring.cluster.spark import on_spark

        return on_spark(master)
    _require_no_cluster(engine, master)
    return nullcontext(one_by_one)


def _require_no_cluster(engine: str, master: str | None) -> None:
    if engine == "spark":
        raise click.UsageError(
            "--subjects与--records须为文件夹"
            " --engine spark grades folders: --subjects and --records have to be folders"
        )
    if master is not None:
        raise click.UsageError("请同时写--engine spark --master is Spark's: say --engine spark")


def _score_file(
    pack: Pack, as_of: dt.date, subjects: Path, records: Path | None, out: Path, memory: str | None
) -> list[dict[str, object]]:
    with progress(str(pack.title)):
        done = score_files(pack, as_of, subjects, records, out, memory)
    counts = {
        "subjects": done.subjects,
        "records": done.records,
        "hits": done.hits,
        "orphans": done.orphans,
        "rejected": done.rejected,
    }
    _tell_counts(pack, counts, done.ignored, done.written[-1])
    for path in done.written:
        tell(f"written: {path}")
    return tier_rows(pack, as_of, done.tiers, None)


def _tell_counts(
    pack: Pack, counts: Mapping[str, int], ignored: Iterable[str], rejected: Path, state: str = ""
) -> None:
    """Say what was read, what counts for nobody, what was passed over, and where what is set aside stands."""
    read = ", ".join(how_many(counts[f"{noun}s"], noun) for noun in ("subject", "record", "hit"))
    tell(f"{pack.title}: {read}{state}")
    if counts["orphans"]:
        tell(f"{how_many(counts['orphans'], 'record')} of unknown subjects, counted for nobody")
    for passed in ignored:
        tell(f"sheets and columns that are ignored or in doubt: {passed}")
    if counts["rejected"]:
        tell(f"{how_many(counts['rejected'], 'value')} set aside, with the reasons: {rejected}")


def _score_folder(
    pack: Pack,
    as_of: dt.date,
    subjects: Path,
    records: Path | None,
    out: Path,
    memory: str | None,
    each: Each,
) -> list[dict[str, object]]:
    def say(title: Title) -> None:
        tell(f"{pack.id}: {title.en}")

    done = score_country(pack, as_of, subjects, records, out, memory, say, each)
    state = "" if done.is_new else ", finished before"
    _tell_counts(pack, done.manifest["counts"], done.manifest["ignored"], out / "rejected", state)
    tell(f"written: {out / MANIFEST}")
    return tier_rows(pack, as_of, done.manifest["tiers"], None)


def tier_rows(
    pack: Pack, as_of: dt.date, tiers: Mapping[str, int], run_id: int | None
) -> list[dict[str, object]]:
    """The tier table of a run: a row a tier, best first."""
    whole = sum(tiers.values())
    return [
        {
            "pack": f"{pack.id} {pack.version}",
            "as_of": as_of,
            "run": run_id,
            "tier": grade.tier,
            "title": str(grade.title),
            "subjects": tiers.get(grade.tier, 0),
            "share": f"{tiers.get(grade.tier, 0) / whole:.1%}" if whole else "",
        }
        for grade in pack.grades
    ]
