"""Reading a copy into the coded tables of a DuckDB (:mod:`scoring.judging.coded`)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

import duckdb

from rules.language.expressions import literal
from rules.model import Vocabulary
from rules.plan import closed_columns
from rules.titles import Title
from scoring.facts.columns.follow import follow, identity_of, micros
from scoring.facts.columns.parts import KEY, MISFIT, NUMBER, as_sum, known_at, sums
from scoring.facts.columns.place import ColumnsError, DamagedError, File, Manifest, Place, Sum, place_of
from scoring.judging.coded import RECORDS, SIGNATURES, SUBJECTS, open_columns
from scoring.judging.sql import quoted, sql_type
from scoring.store.connection import Store

ORPHANS = "xh_orphans"


@dataclass(frozen=True, slots=True)
class Facts:
    """What was read.

    :param orphans: how many records are about a subject that is not known.
    """

    subjects: Sum
    records: Sum
    orphans: int

    @property
    def sums(self) -> tuple[Sum, Sum]:
        """Of subjects and of records."""
        return self.subjects, self.records


def load_columns(
    store: Store, vocabulary: Vocabulary, duck: duckdb.DuckDBPyConnection, moment: dt.datetime
) -> Facts:
    """Make the coded tables of what was known at a moment, and the views ``subjects`` and ``records``.

    The numbers of subjects and records have gaps. ``records`` has the records of
    unknown subjects too, which are in ``xh_orphans``. The copy is brought up to date first.

    :raises ColumnsError: where there is no copy that can be used; no table is left then.
    :raises OSError: likewise, where the directory can't be read or written.
    :raises duckdb.Error: likewise, where memory or disk do not suffice.
    """
    with store.reading() as session:
        place = place_of(store, identity_of(session), vocabulary)
    try:
        return _load(store, vocabulary, duck, place, micros(moment))
    except (OSError, ColumnsError, duckdb.Error):
        _drop(duck)
        raise


def _load(
    store: Store,
    vocabulary: Vocabulary,
    duck: duckdb.DuckDBPyConnection,
    place: Place,
    moment: int,
    distrusted: Manifest | None = None,
) -> Facts:
    """Bring the copy up to date and read it; one that turns out to be damaged is made anew, once."""
    follow(store, vocabulary, duck, place, distrusted)
    with place.reading(), duck.cursor() as work:
        manifest = place.manifest()
        if manifest is None:
            raise ColumnsError(Title("读取期间清单已被移走", "its manifest went while it was read"))
        try:
            return _Loading(vocabulary, work, place, manifest, moment).load()
        except DamagedError:
            if distrusted is not None:
                raise
    _drop(duck)
    return _load(store, vocabulary, duck, place, moment, manifest)


class _Loading:
    """One reading of a copy; temporary tables are in a connection of its own."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        duck: duckdb.DuckDBPyConnection,
        place: Place,
        manifest: Manifest,
        moment: int,
    ) -> None:
        self._vocabulary, self._duck, self._place = vocabulary, duck, place
        self._manifest, self._moment = manifest, moment

    def load(self) -> Facts:
        """Make the tables and views, of files that are what they were and say what the store does."""
        facts = self._tables()
        if self._moment >= self._manifest.position.moment and facts.sums != self._manifest.sums:
            raise DamagedError(Title("合计与库不一致", "its sums are not those of the store"))
        return facts

    def _tables(self) -> Facts:
        self._list_versions()
        subjects = self._subjects()
        if self._vocabulary.records is None:
            return Facts(subjects, Sum(), 0)
        assert self._manifest.signatures is not None
        self._duck.execute(f"create table {SIGNATURES} as from {self._read([self._manifest.signatures])}")
        records, orphans = self._records()
        return Facts(subjects, records, orphans)

    def _list_versions(self) -> None:
        """Versions of subjects with their numbers; of one that changed, what is recent is all that counts."""
        parts = self._manifest.parts
        number = _numbered(NUMBER, (part.numbers for part in parts))
        self._duck.execute(
            f"create temp table versions as select {number} as _s,"
            f" file_index = {len(self._manifest.buckets)} as recent, * from"
            f" {self._read(part.subjects for part in parts)}"
        )
        self._duck.execute(
            f"create temp table superseded as select distinct _s from versions where not recent and {KEY} in"
            f" (select {KEY} from versions where recent)"
        )

    @property
    def _known(self) -> str:
        known = known_at(self._moment)
        return known if self._manifest.recent is None else f"{known} and _s not in (from superseded)"

    def _subjects(self) -> Sum:
        columns = _listed(map(quoted, self._vocabulary.subject.columns))
        query = sums(f", bool_or({MISFIT})", "versions", self._known)
        [(*summed, misfit)] = self._duck.execute(query).fetchall()
        _refuse(misfit)
        self._duck.execute(
            f"create table {SUBJECTS} as select _s, {columns} from versions where {self._known}"
        )
        self._duck.execute(f"create view subjects as select {columns} from {SUBJECTS}")
        return as_sum(*summed)

    def _records(self) -> tuple[Sum, int]:
        parts = self._manifest.parts
        number, place = (part.numbers for part in parts), (part.rows for part in parts)
        files = self._read(part.records for part in parts if part.records)
        self._duck.execute(
            f"create temp view record_versions as select {_numbered(NUMBER, number)} as _s,"
            f" {_numbered('file_row_number', place)} as _r, * from {files}"
        )
        query = sums(
            f", bool_or({MISFIT}), count(*) filter (where xh_subjects._s is null)",
            f"record_versions left join {SUBJECTS} using (_s)",
            self._known,
        )
        [(*summed, misfit, orphans)] = self._duck.execute(query).fetchall()
        _refuse(misfit)
        columns = _listed(["_sig", *map(quoted, open_columns(self._vocabulary))])
        subject = f"_s in (select _s from {SUBJECTS})" if orphans else "true"
        self._duck.execute(
            f"create table {RECORDS} as select _s, _r, {columns} from record_versions"
            f" where {self._known} and {subject}"
        )
        key = self._vocabulary.subject.columns[self._vocabulary.subject.key]
        self._duck.execute(
            f"create table {ORPHANS} as select try_cast({KEY} as {sql_type(key.type)}) as"
            f" {quoted(self._vocabulary.record_subject)}, {columns} from record_versions join"
            f" (select distinct _s, {KEY} from versions where {_is(orphans)}) using (_s)"
            f" where {_is(orphans)} and {self._known} and _s not in (select _s from {SUBJECTS})"
        )
        self._view_records()
        return as_sum(*summed), orphans

    def _view_records(self) -> None:
        records = self._vocabulary.records
        assert records is not None
        closed, link = closed_columns(self._vocabulary), self._vocabulary.record_subject
        key = f"s.{quoted(self._vocabulary.subject.key)} as {quoted(link)}"
        had = {name: f"r.{quoted(name)}" for name in records.columns} | {
            name: f"g.{quoted(name)}" for name in closed
        }
        signed = f"join {SIGNATURES} g using (_sig)"
        self._duck.execute(
            f"create view records as select {_listed((had | {link: key}).values())}"
            f" from {RECORDS} r {signed} join {SUBJECTS} s using (_s)"
            f" union all select {_listed(had.values())} from {ORPHANS} r {signed}"
        )

    def _read(self, files: Iterable[File]) -> str:
        paths = _listed(literal(self._place.checked(file)) for file in files)
        return f"read_parquet([{paths}], file_row_number = true)"


def _numbered(number: str, sizes: Iterable[int]) -> str:
    """A number within a file as one within all files, of which the sizes are given."""
    before = _listed(map(str, [0, *accumulate(sizes)]))
    return f"([{before}][(file_index + 1)::integer] + {number})::integer"


def _refuse(misfit: bool | None) -> None:
    if misfit:
        en = "some of what was known does not fit its vocabulary"
        raise ColumnsError(Title("部分内容与其词汇表不符", en))


def _drop(duck: duckdb.DuckDBPyConnection) -> None:
    for name in ("records", "subjects"):
        duck.execute(f"drop view if exists {name}")
    for name in (RECORDS, ORPHANS, SUBJECTS, SIGNATURES):
        duck.execute(f"drop table if exists {name}")


def _is(number: int) -> str:
    return "true" if number else "false"


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(texts)
