"""Whether a claim about two packs is true of every subject there can be; each counterexample is judged."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from rules.language.evaluate import evaluate
from rules.language.expressions import Value
from rules.model import NOWHERE, Example, Pack
from rules.titles import Title, TitledError
from rules.tools.prove.claims import SCORES, TIERS, Claim, read_claim
from scoring.answers.examples import Outcome, outcomes_of

if TYPE_CHECKING:
    from rules.tools.prove.question import Found

QUICK = 3
"""So many intervals of a column are looked at first: what is not true is mostly seen there."""

LOOKING, SAMPLING = 0.35, 0.6
"""Shares of the time: until then few intervals are asked of, and then subjects taken at random."""
SAMPLES = 2_000
"""So many subjects are taken at random at most, where the solver found none in its time (own choice)."""

Row = Mapping[str, Value | None]


class ProofError(TitledError):
    """A claim can't be asked: the solver is not there, or the packs are of different subjects."""


class Verdict(StrEnum):
    """What became of a claim."""

    PROVED = "proved"
    REFUTED = "refuted"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Proof:
    """What is known of a claim.

    :param counterexample: the examples of A and of B, each with the score and the tier that the judge gave.
    :param left_open: measures, rules and tests of which more was held possible than the rules say.
    :param refused: how many subjects the solver named of which the judge said that the claim is true.
    :param too_many: whether the rules tell too many kinds of records apart.
    """

    verdict: Verdict
    counterexample: tuple[Example, Example] | None = None
    left_open: tuple[str, ...] = ()
    refused: int = 0
    too_many: bool = False


def prove(a: Pack, b: Pack, text: str, day: dt.date, seconds: float = 20) -> Proof:
    """Asks whether a claim (docs/proofs.md) is true of every subject on a day.

    :param seconds: how long a solver may look; over it the claim is undecided.
    :raises ClaimError: where the claim can't be read.
    :raises ProofError: where it can't be asked.

    >>> from datetime import date
    >>> from rules.library.loader import find_pack
    >>> pack = find_pack("tourism-credit", date(2026, 8, 31))
    >>> str(prove(pack, pack, "equal", date(2026, 8, 31), seconds=200).verdict)
    'proved'
    """
    begun = time.monotonic()
    if a.vocabulary.id != b.vocabulary.id:
        raise ProofError(
            Title(
                f"两版评价规则的对象不同:{a.vocabulary.id}、{b.vocabulary.id}",
                f"the packs are of different subjects: {a.vocabulary.id}, {b.vocabulary.id}",
            )
        )
    claim = read_claim(text, a, b, day)
    try:
        from rules.tools.prove.kinds import TooManyKindsError
        from rules.tools.prove.question import Question
    except ImportError:
        raise ProofError(
            Title(
                "没有安装求解器z3;请先执行:pip install 'xinheng[prove]'",
                "the solver z3 is not installed; right: pip install 'xinheng[prove]'",
            )
        ) from None
    refused = 0
    judges = outcomes_of(a), outcomes_of(b)

    def refuting(found: Found) -> tuple[Example, Example] | None:
        return _refuting(a, judges, claim, day, found.subject, found.records, found.more)

    def accept(found: Found) -> tuple[Example, Example] | None:
        nonlocal refused
        examples = refuting(found)
        refused += examples is None
        return examples

    left_open: tuple[str, ...] = ()
    for most, share in ((QUICK, LOOKING), (None, 1.0)):
        if time.monotonic() >= begun + seconds:
            break
        try:
            question = Question(a, b, claim, day, most)
        except TooManyKindsError:
            return Proof(Verdict.UNDECIDED, refused=refused, too_many=True)
        examples, none_is = question.ask(begun + share * seconds - time.monotonic(), accept)
        if examples is None and most and time.monotonic() >= begun + share * seconds:
            sampled = _within(question.samples(SAMPLES), begun + SAMPLING * seconds)
            examples = next(filter(None, map(refuting, sampled)), None)
        if examples is not None:
            return Proof(Verdict.REFUTED, examples, question.left_open, refused)
        if question.whole:
            return Proof(Verdict.PROVED if none_is else Verdict.UNDECIDED, None, question.left_open, refused)
        left_open = question.left_open
    return Proof(Verdict.UNDECIDED, None, left_open, refused)


def _within(found: Iterable[Found], until: float) -> Iterator[Found]:
    """Those that are looked at before a moment."""
    return takewhile(lambda _: time.monotonic() < until, found)


def _refuting(
    a: Pack,
    judges: tuple[Callable[[Example], Outcome], Callable[[Example], Outcome]],
    claim: Claim,
    day: dt.date,
    subject: Row,
    records: Sequence[Row],
    more: Row | None,
) -> tuple[Example, Example] | None:
    """The subject as an example of each pack, where the judge says of it that the claim is not true."""
    if evaluate(claim.where, subject, day) is not True:
        return None
    before = _example(subject, records, day)
    orders = [(*records, more), (more, *records)] if more is not None else [records]
    for order in orders:
        after = _example(subject, [row for row in order if row is not None], day)
        given = judges[0](before), judges[1](after)
        if not _holds(a, claim, given, day):
            return _expecting(before, given[0]), _expecting(after, given[1])
    return None


def _example(subject: Row, records: Sequence[Row], day: dt.date) -> Example:
    return Example(subject, tuple(records), day, None, None, None, None, NOWHERE)


def _expecting(example: Example, given: Outcome) -> Example:
    return replace(example, score=given.score, tier=given.tier)


def _holds(pack: Pack, claim: Claim, given: tuple[Outcome, Outcome], day: dt.date) -> bool:
    if claim.never is not None:
        return claim.never not in given[1].points
    tiers = pack.tiers
    row: dict[str, Any] = {
        name.name: Decimal(o.score).scaleb(-2) for name, o in zip(SCORES, given, strict=True)
    }
    row |= {n.name: len(tiers) - 1 - tiers.index(o.tier) for n, o in zip(TIERS, given, strict=True)}
    return evaluate(claim.expected, row, day) is True
