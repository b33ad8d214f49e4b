"""One adverse record more never betters a tier, by whatever rules give way to one another."""

from __future__ import annotations

import datetime as dt
import itertools
import random

from rules.library.references import named_pack

from .district import ANY_DAY, Outcome, Row, graded

AS_OF = dt.date(2027, 3, 1)
TIMES = 8
ADVERSE: dict[str, list[str | None]] = {
    "penalty": ["warning", "fine", "suspension", "permit_revoked"],
    "seriously_dishonest_listing": ["market", "tax", "work_safety"],
    "abnormal_operation_listing": [None, "no_annual_report"],
    "judgment_default": ["refuses", "other_ground"],
    "wage_arrears_listing": [None],
    "unperformed_judgment": [None],
    "criminal_judgment": ["bribery", "other_crime"],
    "tax_arrears": [None],
    "irregular_taxpayer": [None],
    "social_insurance_arrears": [None],
    "housing_fund_arrears": [None],
    "utility_arrears": [None],
    "annual_report": ["late", "missing", "false"],
    "inspection": ["failed", "refused", "unreachable"],
    "commitment": ["broken"],
    "complaint": ["upheld"],
    "contract_default": [None],
    "payment_default": [None],
    "safety_accident": ["ordinary", "larger", "major"],
    "loan": ["overdue", "written_off"],
    "hazard": ["major"],
    "product_sampling": ["failed"],
    "equity_freeze": [None],
}
"""Kinds and what they say; ratings are left out, as a new one replaces the old."""
GOOD: dict[str, list[str | None]] = {
    "tax_rating": ["A", "B", "C", "D"],
    "environment_rating": ["green", "red"],
    "award": ["national", "district"],
    "commitment": ["kept"],
    "loan": ["repaid"],
}
AGES = (1, 10, 20, 40, 80, 100, 200, 400, 800)
FIELDS = ("work_safety", "work_safety", "work_safety", "general", "finance", "wages")


def record(chance: random.Random, kind: str, level: str | None) -> Row:
    """A record that counts, of any age within three years."""
    is_penalty = kind == "penalty"
    return {
        "kind": kind,
        "level": level,
        "status": "effective",
        "severity": chance.choice(("minor", "general", "general", "serious")) if is_penalty else None,
        "field": chance.choice(FIELDS) if is_penalty else None,
        "amount": chance.choice((None, 100, 50_000, 600_000, 2_000_000)),
        "document_no": chance.choice((None, "1号", "1号", "1号")),
        "occurred_on": AS_OF - dt.timedelta(days=chance.choice(AGES)),
        "ends_on": chance.choice((None, None, None, AS_OF + dt.timedelta(days=1))),
    }


def any_of(chance: random.Random, kind: str, levels: dict[str, list[str | None]]) -> Row:
    return record(chance, kind, chance.choice(levels[kind]))


def is_bettered(outcome: Outcome, before: str, after: str) -> bool:
    """By its tier; or by its score, unless a veto has the last word."""
    better = outcome.pack.tiers.index(outcome.tiers[after]) < outcome.pack.tiers.index(outcome.tiers[before])
    is_forced = any(outcome.pack.rule(rule).tier for rule in outcome.hits[after])
    return better or (not is_forced and outcome.scores[after] > outcome.scores[before])


def test_one_adverse_record_more_never_betters_a_tier() -> None:
    pack = named_pack("enterprise-credit@2026.2", ANY_DAY)
    chance = random.Random(2027)
    subjects: list[Row] = []
    records: list[Row] = []
    pairs = list(itertools.product(ADVERSE, ADVERSE)) * TIMES
    for number, (has, gains) in enumerate(pairs):
        given = {
            "form": "company",
            "size": chance.choice(("large", "micro")),
            "state": "operating",
            "established_on": AS_OF - dt.timedelta(days=chance.randrange(4_000)),
        }
        good = [any_of(chance, kind, GOOD) for kind in chance.choices(sorted(GOOD), k=chance.randrange(6))]
        before = [*good, *(any_of(chance, has, ADVERSE) for _ in range(chance.randrange(3)))]
        for subject, known in (
            (f"{number}", before),
            (f"{number}+", [*before, any_of(chance, gains, ADVERSE)]),
        ):
            subjects.append({"subject_id": subject, **given})
            records += [
                {**r, "subject_id": subject, "record_id": f"{subject}/{n}"} for n, r in enumerate(known)
            ]
    outcome = graded(pack, subjects, records, AS_OF)
    bettered = [
        [record for record in records if record["subject_id"] == f"{n}+"]
        for n in range(len(pairs))
        if is_bettered(outcome, f"{n}", f"{n}+")
    ]
    assert bettered == []
    assert {outcome.tiers[f"{n}"] for n in range(len(pairs))} == set(pack.tiers)
