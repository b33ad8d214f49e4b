"""Which version of a pack rules on which days."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from rules.loader import installed_packs
from rules.model import Pack
from scoring.judging.period import Period
from scoring.published import LAST_PUBLISHED
from scoring.store import Store
from scoring.store.models import Run
from scoring.store.packs import stored_pack


@dataclass(frozen=True, slots=True)
class Term:
    """A version of a pack, and the days on which it rules."""

    pack: Pack
    days: Period

    def within(self, period: Period) -> Period | None:
        """The days of the period on which it rules; None where there are none."""
        first = max(self.days.first, period.first)
        until = min((day for day in (self.days.until, period.until) if day is not None), default=None)
        return None if until is not None and until <= first else Period(first, until)


def terms_of(
    store: Store, pack_id: str, at: dt.datetime | None = None, own: Pack | None = None
) -> tuple[Term, ...]:
    """The versions of a pack in the order of their days.

    A version is what runs made of it last, for what was published is explained by its own text; versions that
    no run has come to are those that are installed. Each rules until its end, or until the next begins.

    :param at: only rules by which something had been published at this moment; all of them where nothing had
        been. Of packs that are installed nobody knows since when they are.
    :param own: takes the place of the version that begins on the same day.
    """
    versions = _published(store, pack_id, at) if at is not None else {}
    if not versions:
        versions = {pack.in_force_from: pack for pack in installed_packs() if pack.id == pack_id}
        versions |= _published(store, pack_id)
    versions |= {own.in_force_from: own} if own is not None else {}
    begins = sorted(versions)
    ends = (*begins[1:], None)
    return tuple(_term(versions[first], end) for first, end in zip(begins, ends, strict=False))


def term_on(terms: tuple[Term, ...], day: dt.date) -> Term | None:
    """The term that a day is in."""
    return next((term for term in terms if term.within(Period.of(day))), None)


def _term(pack: Pack, next_begins: dt.date | None) -> Term:
    until = min((day for day in (pack.in_force_until, next_begins) if day is not None), default=None)
    return Term(pack, Period(pack.in_force_from, until))


def _published(store: Store, pack_id: str, at: dt.datetime | None = None) -> dict[dt.date, Pack]:
    """By the day on which it comes into force: the version by which the last run was."""
    query = sa.select(Run.pack_hash).where(Run.pack_id == pack_id).order_by(*LAST_PUBLISHED)
    if at is not None:
        query = query.where(Run.published_at <= at)
    with store.reading() as session:
        hashes = dict.fromkeys(session.scalars(query))
    packs = [stored_pack(store, digest) for digest in hashes]
    return {pack.in_force_from: pack for pack in reversed(packs)}
