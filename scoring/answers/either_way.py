"""What a subject's grade would be if an objection to one of its records were upheld, and if rejected."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from rules.model import Pack, Vocabulary
from scoring.answers.timelines import UnknownSubjectError, facts_of, judge_of, of_group
from scoring.facts.objection_case import OUTCOMES
from scoring.facts.objections import STATUS
from scoring.judging.one import Varied
from scoring.judging.period import Period
from scoring.judging.timeline import Segment
from scoring.store import Store
from scoring.store.rulebook import known_ruling


@dataclass(frozen=True, slots=True)
class EitherWay:
    """A subject's grades on a day by a pack, with nothing else new.

    :param now: with the record as it stands.
    """

    pack: Pack
    now: Segment
    upheld: Segment
    rejected: Segment


def either_way(
    store: Store, vocabulary: Vocabulary, subject_id: str, record_id: str, on: dt.date
) -> list[EitherWay]:
    """The grades either way, by each pack in force; none where the subject or the record is not known.

    Ranks and numbers of peers are held as they stand.

    >>> from datetime import date
    >>> from fixtures.small import RESTAURANT, small_store
    >>> from rules.library.loader import load_vocabulary
    >>> [found] = either_way(small_store(), load_vocabulary("tourism"), RESTAURANT, "LY-2", date(2026, 8, 31))
    >>> found.rejected.score, found.upheld.score
    (6700, 7800)
    """
    with store.reading() as session:
        try:
            facts = facts_of(session, vocabulary, subject_id)
        except UnknownSubjectError:
            return []
    if record_id not in facts.records:
        return []
    record, found = facts.records[record_id], []
    others = [row for number, row in facts.records.items() if number != record_id]
    for pack in known_ruling(store, on):
        if pack.vocabulary.id != vocabulary.id:
            continue
        period = Period.of(on)
        group = of_group(store, pack, facts, period)
        judge = Varied(judge_of(pack), facts.attributes, period, group)
        rows = (record, *({**record, STATUS: status} for status in OUTCOMES.values()))
        grades = [judge.segments([*others, row]) for row in rows]
        if all(grades):
            found.append(EitherWay(pack, *(segments[0] for segments in grades)))
    return found
