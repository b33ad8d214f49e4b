"""Which version of a pack is in force when: what a timeline is judged by, day by day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.identity import identity
from rules.loader import in_force, installed_packs
from rules.model import Pack
from scoring.store.base import database_time
from scoring.store.packs import keep_pack
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


Rows = Sequence[tuple[dt.date, dt.date | None, str]]


def versions_of(pack: Pack) -> Sequence[Pack]:
    """The versions that are known beside a pack: those installed with it; none where it is not installed."""
    installed = [version for version in installed_packs() if version.id == pack.id]
    return installed if pack in installed else ()


def pieces_of(pack: Pack, versions: Sequence[Pack]) -> list[Piece]:
    """Which version is in force when; where several are, the given one, or else the one that began first."""
    known = [pack, *sorted(versions, key=lambda version: version.in_force_from)]
    days = {day for v in known for day in (v.in_force_from, v.in_force_until) if day is not None}
    return list(_pieces(known, sorted(days)))


def _pieces(known: Sequence[Pack], days: Sequence[dt.date]) -> Iterator[Piece]:
    """Neighbours of one version are one piece."""
    last: Piece | None = None
    for begins, ends in zip(days, [*days[1:], None], strict=True):
        version = next((pack for pack in known if in_force(pack, begins)), None)
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
