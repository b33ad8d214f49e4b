"""What is claimed of two packs, A and B: a condition on both results, for which subjects, with which records.

``EXPECTED [where CONDITION] [without CONDITION] [adding CONDITION]``: the conditions are the rule language's.
Two results are those of one subject by A and by B. With ``adding`` B judges it with one record more.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rules.chinese import in_chinese
from rules.language.expressions import (
    COUNT,
    DECIMAL,
    TRUE,
    Expression,
    Level,
    Name,
)
from rules.language.parse import ConditionError, Scope, parse_condition
from rules.meaning.context import scope_of
from rules.model import Pack
from rules.nearest import one_of
from rules.titles import Title, TitledError
from rules.tools.prove.cells import fold
from rules.tools.prove.day import counted

SCORES = Name("score_a", Level.MEASURE, DECIMAL), Name("score_b", Level.MEASURE, DECIMAL)
TIERS = Name("tier_a", Level.MEASURE, COUNT), Name("tier_b", Level.MEASURE, COUNT)
KNOWN: Mapping[str, str] = {
    "equal": "score_a = score_b and tier_a = tier_b",
    "nobody-falls": "tier_b >= tier_a",
    "nobody-rises": "tier_b <= tier_a",
}
"""Claims that have a name."""
MONOTONE, NEVER = "monotone", "never-hits"
_CLAUSES = re.compile(r"('(?:[^']|'')*')|\b(where|without|adding)\b", re.IGNORECASE)


class ClaimError(TitledError):
    """A claim that can't be read."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What must be true.

    :param expected: of the results: a condition on scores and tiers; a tier is its place, 0 the worst.
    :param never: the rule of B that must not hit; None where ``expected`` is the claim.
    :param where: of which subjects.
    :param without: the records that they do not have.
    :param adding: which record the subject of B has more.
    """

    expected: Expression
    never: str | None
    where: Expression
    without: Expression | None
    adding: Expression | None


def read_claim(text: str, a: Pack, b: Pack, day: dt.date) -> Claim:
    """A claim as people write it.

    :raises ClaimError: where it can't be read, and what would be right.

    >>> from datetime import date
    >>> from rules.language.expressions import render
    >>> from rules.library.loader import find_pack
    >>> pack = find_pack("tourism-credit", date(2026, 8, 31))
    >>> claim = read_claim("nobody-falls without kind = 'penalty'", pack, pack, date(2026, 8, 31))
    >>> render(claim.expected), claim.without and render(claim.without)
    ('tier_b >= tier_a', "kind = 'penalty'")
    """
    clauses = _clauses(text)
    word, _, name = clauses["expected"].partition(" ")
    attributes = scope_of(b.vocabulary.subject.columns, Level.SUBJECT)
    columns = scope_of(b.vocabulary.records.columns if b.vocabulary.records else {}, Level.RECORD)
    adding = _condition(clauses.get("adding"), columns)
    never = None
    expected: Expression = TRUE
    if word == MONOTONE:
        adding = _taking_part(name.strip(), b, day)
        expected = _results("tier_b <= tier_a", a, b)
    elif word == NEVER:
        never = _rule(name.strip(), b)
    elif re.fullmatch("[a-z]+(-[a-z]+)+", word) and word not in KNOWN:
        raise ClaimError(_none("没有命题", "there is no claim", word, [*KNOWN, MONOTONE, NEVER]))
    else:
        expected = _results(KNOWN.get(clauses["expected"], clauses["expected"]), a, b)
    return Claim(
        expected=expected,
        never=never,
        where=_condition(clauses.get("where"), attributes) or TRUE,
        without=_condition(clauses.get("without"), columns),
        adding=adding,
    )


def _clauses(text: str) -> dict[str, str]:
    """The parts of a claim, by the words that begin them; words within quotes are none."""
    found, word, begins = {"expected": text.strip()}, "expected", 0
    for match in _CLAUSES.finditer(text):
        if match[2]:
            found[word] = text[begins : match.start()].strip()
            word, begins = match[2].lower(), match.end()
            if word in found:
                raise ClaimError(Title(f"{word}只能出现一次", f"{word} stands twice; right: once"))
            found[word] = ""
    found[word] = text[begins:].strip()
    return found


def _results(text: str, a: Pack, b: Pack) -> Expression:
    """A condition on scores and tiers, in which the name of a tier is its place."""
    if a.tiers != b.tiers:
        shown = f"{', '.join(a.tiers)} / {', '.join(b.tiers)}"
        raise ClaimError(
            Title(
                f"两版的等级不同,无法比较:{shown}",
                f"the tiers of the two differ and can't be compared: {shown}",
            )
        )
    tiers = {Name(tier, Level.MEASURE, COUNT): len(a.tiers) - 1 - n for n, tier in enumerate(a.tiers)}
    scope = Scope({name.name: name for name in (*tiers, *SCORES, *TIERS)}, {})
    return fold(_parsed(text, scope), dict(tiers))


def _condition(text: str | None, scope: Scope) -> Expression | None:
    return None if text is None else _parsed(text, scope)


def _parsed(text: str, scope: Scope) -> Expression:
    try:
        return parse_condition(text, scope)
    except ConditionError as error:
        zh = [in_chinese(error.message) or error.message, in_chinese(error.hint) or error.hint]
        raise ClaimError(
            Title(
                f"命题无法理解:{text}:{zh[0]}" + (f";应为:{zh[1]}" if zh[1] else ""),
                f"the claim can't be read: {text}: {error.message}"
                + (f"; right: {error.hint}" if zh[1] else ""),
            )
        ) from None


def _rule(name: str, pack: Pack) -> str:
    known = [rule.id for rule in pack.rules]
    if name not in known:
        raise ClaimError(_none("没有规则", "there is no rule", name, known))
    return name


def _taking_part(name: str, pack: Pack, day: dt.date) -> Expression:
    """Which records take part in a measure."""
    conditions = {measure.id: counted(measure, day) for measure in pack.measures}
    condition = conditions.get(name)
    if condition is None:
        of_records = [measure for measure, found in conditions.items() if found is not None]
        raise ClaimError(_none("没有由记录计算的指标", "there is no measure of records", name, of_records))
    return condition


def _none(zh: str, en: str, name: str, known: Iterable[str]) -> Title:
    hint = one_of(name, known)
    return Title(f"{zh}{name};应为:{in_chinese(hint) or hint}", f"{en} {name}; right: {hint}")
