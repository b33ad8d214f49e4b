"""Which version of a pack is in force when: what a timeline is judged by, day by day.

A run decides it by the versions that it is given, and the store keeps what was decided (docs/time.md). Runs,
forecasts, paths and explanations of any day are by what is kept.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.identity import identity
from rules.library.loader import ruling
from rules.model import Pack
from scoring.judging.period import Period
from scoring.runs.published import LAST_PUBLISHED
from scoring.store import Store
from scoring.store.base import database_time
from scoring.store.models import Run
from scoring.store.packs import keep_pack, stored_pack
from scoring.store.rulebook import known_packs
from scoring.store.timelines import Term


@dataclass(frozen=True, slots=True)
class Piece:
    """The days from ``begins`` to before ``ends`` (None for ever), on which a version is in force."""

    begins: dt.date
    ends: dt.date | None
    pack: Pack

    @property
    def row(self) -> tuple[dt.date, dt.date | None, str]:
        """As the store keeps it."""
        return self.begins, self.ends, identity(self.pack)

    @property
    def days(self) -> Period:
        """As a period."""
        return Period(self.begins, self.ends)

    def within(self, period: Period) -> Period | None:
        """The days of the period on which the version is in force; None where there are none."""
        first = max(self.begins, period.first)
        until = min((day for day in (self.ends, period.until) if day is not None), default=None)
        return None if until is not None and until <= first else Period(first, until)


Rows = Sequence[tuple[dt.date, dt.date | None, str]]


def terms_of(
    store: Store, pack_id: str, run_id: int | None = None, known_at: dt.datetime | None = None
) -> list[Piece]:
    """Which version is in force when, as it was decided, in the order of days.

    A run of before decisions were kept, and a pack without runs, are by the versions that the store knows.

    :param run_id: as this run has it; by default as the last decision does.
    :param known_at: the last decision by which something had been published at this moment; where nothing had
        been, the last of all. Of packs that are installed nobody knows since when they are.
    """
    with store.reading() as session:
        run = _decided_by(session, pack_id, run_id, known_at)
        rows = [] if run is None else terms_by_no(session, pack_id).get(run.terms_no or 0, [])
    if rows:
        return [Piece(begins, ends, stored_pack(store, digest)) for begins, ends, digest in rows]
    if run is not None:
        own = stored_pack(store, run.pack_hash)
        return pieces_of(own, versions_of(store, own))
    return list(_pieces([pack for pack in known_packs(store) if pack.id == pack_id]))


def _decided_by(
    session: Session, pack_id: str, run_id: int | None, known_at: dt.datetime | None
) -> Run | None:
    """The run whose decision is asked for."""
    if run_id is not None:
        return session.get_one(Run, run_id)
    query = sa.select(Run).where(Run.pack_id == pack_id).order_by(*LAST_PUBLISHED).limit(1)
    by_then = None if known_at is None else session.scalar(query.where(Run.published_at <= known_at))
    return by_then or session.scalar(query)


def versions_of(store: Store, pack: Pack) -> Sequence[Pack]:
    """The versions that the store knows beside a pack; none where it does not know that pack."""
    known = [version for version in known_packs(store) if version.id == pack.id]
    return known if identity(pack) in map(identity, known) else ()


def pieces_of(pack: Pack, versions: Sequence[Pack]) -> list[Piece]:
    """Which version is in force when: a later one, once it is in force, and of the same day the given one."""
    return list(_pieces([pack, *versions]))


def piece_on(pieces: Sequence[Piece], day: dt.date) -> Piece | None:
    """The piece that a day is in; None where no version is in force."""
    return next((piece for piece in pieces if piece.within(Period.of(day))), None)


def _pieces(known: Sequence[Pack]) -> Iterator[Piece]:
    """Neighbours of one version are one piece."""
    bounds = {day for v in known for day in (v.in_force_from, v.in_force_until) if day is not None}
    days = sorted(bounds)
    last: Piece | None = None
    for begins, ends in zip(days, [*days[1:], None], strict=False):
        version = ruling(known, begins)
        if last is not None and last.pack is version:
            last = replace(last, ends=ends)
            continue
        if last is not None:
            yield last
        last = None if version is None else Piece(begins, ends, version)
    if last is not None:
        yield last


def since(pieces: Sequence[Piece], day: dt.date) -> list[Piece]:
    """The pieces from a day on."""
    return [
        replace(piece, begins=max(piece.begins, day))
        for piece in pieces
        if piece.ends is None or piece.ends > day
    ]


def first_difference(one: Rows, other: Rows, day: dt.date) -> dt.date | None:
    """The first day from a day on, on which another version is in force; None where there is none."""
    days = {day, *(bound for row in (*one, *other) for bound in row[:2] if bound is not None and bound > day)}
    return next((each for each in sorted(days) if _on(one, each) != _on(other, each)), None)


def _on(rows: Rows, day: dt.date) -> str | None:
    return next((digest for begins, ends, digest in rows if begins <= day and (not ends or day < ends)), None)


def terms_by_no(session: Session, pack_id: str) -> dict[int, list[tuple[dt.date, dt.date | None, str]]]:
    """All that was ever decided of a pack, by number."""
    decided: dict[int, list[tuple[dt.date, dt.date | None, str]]] = {}
    query = sa.select(Term.no, Term.begins, Term.ends, Term.pack_hash).where(Term.pack_id == pack_id)
    for no, begins, ends, digest in session.execute(query.order_by(Term.no, Term.begins)):
        decided.setdefault(no, []).append((begins, ends, digest))
    return decided


def keep_terms(session: Session, pack_id: str, pieces: Sequence[Piece], decided_by: str) -> int:
    """Have it in the store which version is in force when; its number. What is there already stays."""
    rows = [piece.row for piece in pieces]
    decided = terms_by_no(session, pack_id)
    last = max(decided, default=0)
    if decided.get(last) == rows:
        return last
    now = database_time(session)
    for piece, (begins, ends, digest) in zip(pieces, rows, strict=True):
        keep_pack(session, piece.pack)
        session.add(
            Term(
                pack_id=pack_id,
                no=last + 1,
                begins=begins,
                ends=ends,
                pack_hash=digest,
                decided_at=now,
                decided_by=decided_by,
            )
        )
    session.flush()
    return last + 1
