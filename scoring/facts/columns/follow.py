"""Making a copy, and bringing it up to date.

The first time, every version is read. After that, what changed is found by the numbers of versions that are
new and by the moments at which others ended; what the store knows of the subjects concerned, all of it, is
read by index and put into the part of what is recent. When that part grows it is merged into the buckets.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

import duckdb
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.model import Table, Vocabulary
from rules.titles import Title
from scoring.facts.columns.parts import KEY, Parts, in_bucket, together
from scoring.facts.columns.place import ColumnsError, DamagedError, Manifest, Place, Position, Sum
from scoring.store import bulk
from scoring.store.batches import parts
from scoring.store.connection import Store
from scoring.store.models import IngestedFile, RecordVersion, StoreIdentity, SubjectVersion

BUCKET_ROWS = 2**18
"""Records of a bucket, at most, when it is made: what is worked on at once."""
RECENT_ROWS = 2**16
"""So many records may be recent whatever the size of the buckets; of large ones, a sixteenth."""
_FORM = 1
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

Version = type[SubjectVersion] | type[RecordVersion]


def micros(moment: dt.datetime) -> int:
    """A moment in microseconds since 1970."""
    return (moment - _EPOCH) // dt.timedelta(microseconds=1)


def identity_of(session: Session) -> str:
    """What tells the store from others."""
    return session.scalars(sa.select(StoreIdentity.id)).one()


def follow(
    store: Store,
    vocabulary: Vocabulary,
    duck: duckdb.DuckDBPyConnection,
    place: Place,
    distrusted: Manifest | None = None,
) -> None:
    """Bring the copy up to what the store knows; make it anew where it is not to be trusted.

    :param distrusted: a manifest that turned out to be of files that are not as they were written.
    :raises ColumnsError: where another process keeps the copy locked, or there is nothing to copy.
    :raises OSError: where the directory can't be written.
    :raises duckdb.Error: where memory or disk do not suffice.
    """
    manifest = place.manifest()
    if manifest is not None and manifest != distrusted:
        with store.reading() as session:
            if _is_of(manifest, session) and manifest.position.file == _last_file(session, vocabulary).id:
                return
    with place.changing():
        manifest = place.manifest()
        try:
            _follow(store, vocabulary, duck, place, None if manifest == distrusted else manifest)
        except DamagedError:
            _follow(store, vocabulary, duck, place, None)


def _follow(
    store: Store,
    vocabulary: Vocabulary,
    duck: duckdb.DuckDBPyConnection,
    place: Place,
    manifest: Manifest | None,
) -> None:
    """Publish a manifest of what the store knows; of a way that is not finished nothing is left."""
    try:
        with duck.cursor() as work:
            new = _Following(store, vocabulary, work, place).follow(manifest)
        place.publish(new)
    except BaseException:
        place.sweep()
        raise


class _Following:
    """One way from what a copy is to what the store knows."""

    def __init__(
        self, store: Store, vocabulary: Vocabulary, work: duckdb.DuckDBPyConnection, place: Place
    ) -> None:
        self._store, self._vocabulary, self._place, self._work = store, vocabulary, place, work
        self._parts = Parts(work, vocabulary, place)
        self._tables: list[tuple[Version, Table]] = [(SubjectVersion, vocabulary.subject)]
        if vocabulary.records is not None:
            self._tables.append((RecordVersion, vocabulary.records))

    def follow(self, manifest: Manifest | None) -> Manifest:
        """A copy of what the store knows.

        :raises DamagedError: where a file that was to go into it is not as it was written.
        """
        with self._store.reading() as session:
            position, made_for = _position(session, self._vocabulary), _made_for(session)
            if manifest is not None and _is_of(manifest, session):
                touched = self._touched(session, manifest)
                if len(touched) <= _numbers(manifest) // 2:
                    self._take(session, touched)
                    session.close()
                    return self._caught_up(manifest, position, touched)
            self._take(session, None)
        self._place.sweep_others()
        return self._made(made_for, position)

    def _touched(self, session: Session, manifest: Manifest) -> list[str]:
        """The subjects of which something is new, or ended, since."""
        since = _EPOCH + dt.timedelta(microseconds=manifest.position.moment)
        last = {
            SubjectVersion: manifest.position.subject_version,
            RecordVersion: manifest.position.record_version,
        }
        touched: set[str] = set()
        for version, _ in self._tables:
            for news in (version.id > last[version], version.known_until > since):
                mine = _apart(version.vocabulary) == self._vocabulary.id
                touched |= set(session.scalars(sa.select(version.subject_id).where(mine, news).distinct()))
        return sorted(touched)

    def _take(self, session: Session, subjects: list[str] | None) -> None:
        """Take the versions of subjects, or all."""
        connection = session.connection()
        for version, table in self._tables:
            self._parts.take(table, _versions(connection, version, self._vocabulary.id, subjects))

    def _sum(self, moment: int) -> tuple[Sum, Sum]:
        """Of subjects and of records, the sums of what was known and was taken."""
        sums = [self._parts.sum_of(table, moment) for _, table in self._tables]
        return sums[0], sums[1] if len(sums) > 1 else Sum()

    def _made(self, made_for: str, position: Position) -> Manifest:
        """A copy of all that was taken."""
        parts, signatures = self._parts, None
        if self._vocabulary.records is not None:
            signatures = parts.sign(None)
        with parts.apart(_buckets(parts.taken_rows())) as buckets:
            written = tuple(parts.write(*parts.taken(bucket)) for bucket in buckets)
            return Manifest(made_for, position, written, None, signatures, *self._sum(position.moment))

    def _caught_up(self, manifest: Manifest, position: Position, touched: list[str]) -> Manifest:
        """The copy with what was taken in the place of what it had of these subjects."""
        if not touched:
            return replace(manifest, position=position)
        parts, signatures = self._parts, manifest.signatures
        if self._vocabulary.records is not None:
            signatures = parts.sign(signatures)
        self._work.register("touched_keys", pa.table({"key": pa.array(touched, pa.string())}))
        versions = parts.taken()
        if manifest.recent is not None:
            untouched = f"{KEY} not in (select key from touched_keys)"
            versions = together(parts.kept(manifest.recent, untouched), versions)
        before, now = self._sum(manifest.position.moment), self._sum(position.moment)
        new = replace(
            manifest,
            position=position,
            recent=parts.write(*versions),
            signatures=signatures,
            subjects=manifest.subjects.without(before[0]).plus(now[0]),
            records=manifest.records.without(before[1]).plus(now[1]),
        )
        return self._merged(new) if _is_large(new) else new

    def _merged(self, manifest: Manifest) -> Manifest:
        """The copy with what is recent in its buckets."""
        parts, old, recent = self._parts, manifest.buckets, manifest.recent
        assert recent is not None
        number = max(len(old), _buckets(sum(part.rows for part in manifest.parts)))
        parts.list_keys(recent, "recent_keys")
        buckets = []
        for one in range(number):
            here = in_bucket(one, number)
            kept = parts.kept(old[one % len(old)], f"{here} and {KEY} not in (select {KEY} from recent_keys)")
            buckets.append(parts.write(*together(kept, parts.kept(recent, here))))
        return replace(manifest, buckets=tuple(buckets), recent=None)


def _is_of(manifest: Manifest, session: Session) -> bool:
    """Whether a copy is of this store: its last file is one that the store has."""
    position = manifest.position
    file = session.get(IngestedFile, position.file)
    return (
        manifest.made_for == _made_for(session)
        and file is not None
        and (file.sha256, micros(file.ingested_at)) == (position.sha256, position.moment)
    )


def _made_for(session: Session) -> str:
    """The store as its tables are now, and the programs that write and read a copy."""
    revision = session.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one()
    return f"{identity_of(session)} {revision} {_FORM} {duckdb.__version__}"


def _last_file(session: Session, vocabulary: Vocabulary) -> IngestedFile:
    of_tables = [
        session.scalar(
            sa.select(IngestedFile)
            .filter_by(vocabulary=vocabulary.id, table=table)
            .order_by(IngestedFile.id.desc())
            .limit(1)
        )
        for table in ("subject", "record")
    ]
    files = [file for file in of_tables if file is not None]
    if not files:
        raise ColumnsError(Title(f"{vocabulary.id}没有任何信息", f"nothing is known of {vocabulary.id}"))
    return max(files, key=lambda file: file.id)


def _position(session: Session, vocabulary: Vocabulary) -> Position:
    file = _last_file(session, vocabulary)
    subjects, records = (
        session.scalar(sa.select(sa.func.max(version.id))) or 0 for version in (SubjectVersion, RecordVersion)
    )
    return Position(file.id, file.sha256, micros(file.ingested_at), subjects, records)


def _versions(
    connection: sa.Connection, version: Version, vocabulary_id: str, subjects: list[str] | None
) -> pa.RecordBatchReader:
    """All versions, read in the order in which they lie, or those of some subjects, by index."""
    sqlite = connection.dialect.name == "sqlite"
    moment = pa.string() if sqlite else pa.timestamp("us")
    schema = pa.schema(
        [(name, pa.string()) for name in ("subject_id", "data", "content_hash")]
        + [(name, moment) for name in ("known_from", "known_until")]
    )
    moments = (
        sa.type_coerce(column, sa.Text() if sqlite else sa.DateTime(timezone=True))
        for column in (version.known_from, version.known_until)
    )
    query = sa.select(version.subject_id, version.data, version.content_hash, *moments)
    if subjects is None:
        return bulk.stream(connection, query.where(_apart(version.vocabulary) == vocabulary_id), schema)

    def batches() -> Iterator[pa.RecordBatch]:
        for some in parts(subjects):
            of_some = query.where(version.vocabulary == vocabulary_id, version.subject_id.in_(some))
            yield from bulk.stream(connection, of_some, schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


def _apart(column: sa.ColumnElement[str] | sa.orm.InstrumentedAttribute[str]) -> sa.ColumnElement[str]:
    """The column as an expression, so that no index over it is used: what is sought is found faster."""
    return column + ""


def _buckets(rows: int) -> int:
    number = 1
    while rows > number * BUCKET_ROWS:
        number *= 2
    return number


def _numbers(manifest: Manifest) -> int:
    return sum(part.numbers for part in manifest.parts)


def _is_large(manifest: Manifest) -> bool:
    recent = manifest.recent
    rows = sum(part.rows for part in manifest.buckets)
    return recent is not None and max(recent.rows, recent.numbers) > max(RECENT_ROWS, rows // 16)
