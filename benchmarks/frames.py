"""The enterprise pack by hand in Polars, lazily: what one who knows these rules, and no others, would write.

All 92 rules and 19 measures of enterprise-credit 2026.1 on one day, which give score and tier. What the judge
gives besides is left out: hits, dimensions, next changes, how much was known.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import reduce

import polars as pl

from benchmarks.data import Data
from benchmarks.district import AS_OF
from rules.calendar import first_start_still_open

OCCURRED, ENDS, AMOUNT = pl.col("occurred_on"), pl.col("ends_on"), pl.col("amount")
YES = pl.lit(True)


def _cutoff(months: int) -> dt.date:
    """The first date that is less than so many months ago."""
    return first_start_still_open(AS_OF, months)


def _ago(months: int) -> pl.Expr:
    """Whether a date is less than so many months ago."""
    return (_cutoff(months) <= OCCURRED) & (OCCURRED <= AS_OF)


_STANDS = (ENDS.is_null() | (ENDS > AS_OF)) & (OCCURRED <= AS_OF)


def _older(months: int) -> pl.Expr:
    return _cutoff(months) > OCCURRED


def _level(*values: str) -> pl.Expr:
    return pl.col("level").is_in(list(values))


def _severity(*values: str) -> pl.Expr:
    return pl.col("severity").is_in(list(values))


def _faded(points: int, months: int) -> pl.Expr:
    """What is left of points that fade evenly; exact for the last day of a month of 31 days."""
    age = (AS_OF.year - OCCURRED.dt.year().cast(pl.Int64)) * 12 + AS_OF.month - OCCURRED.dt.month()
    left = (2 * abs(points) * (months - age) + months) // (2 * months)
    return left if points > 0 else -left


def _stepped(points: int, *steps: tuple[int, int]) -> pl.Expr:
    """Points from a month on."""
    found = pl.lit(points)
    for months, given in steps:
        found = pl.when(_older(months)).then(given).otherwise(found)
    return found


@dataclass(frozen=True)
class Pool:
    """The points of a subject's records of a kind, held at a cap."""

    dimension: str
    kind: str
    when: pl.Expr
    points: int | pl.Expr
    cap: int


_LEVELS = pl.col("level")
_ACCIDENT = (
    pl.when(_LEVELS == "extraordinary")
    .then(-4000)
    .when(_LEVELS == "major")
    .then(-3000)
    .when(_LEVELS == "larger")
    .then(-1800)
    .otherwise(-800)
)
_AWARD = pl.when(_LEVELS == "national").then(400).when(_LEVELS == "municipal").then(300).otherwise(150)
_AGGRAVATED = (
    pl.col("field")
    .replace_strict(
        {"food_medicine": -200, "work_safety": -200, "wages": -200}
        | dict.fromkeys(
            ("examination", "finance", "online_falsehood", "social_insurance_fraud", "telecom_fraud"), -300
        ),
        default=0,
        return_dtype=pl.Int64,
    )
    .fill_null(0)
    - pl.when(AMOUNT >= 100_000).then(100).otherwise(0)
    - pl.when(AMOUNT >= 1_000_000).then(300).otherwise(0)
)
POOLS = [
    Pool("basic", "annual_report", _level("on_time") & _ago(18), 100, 100),
    Pool("basic", "annual_report", _level("late") & _ago(12), _faded(-200, 12), -400),
    Pool("basic", "annual_report", _level("missing") & _ago(12) & _STANDS, -400, -800),
    Pool("basic", "annual_report", _level("false") & _ago(36), _stepped(-800, (12, -600), (24, -400)), -1200),
    Pool("basic", "abnormal_operation_listing", _STANDS, -1000, -1500),
    Pool("basic", "abnormal_operation_listing", _STANDS & _older(12), -500, -500),
    Pool("compliance", "penalty", _severity("minor") & _ago(3) & _STANDS, -100, -300),
    Pool("compliance", "penalty", _severity("general") & _ago(12) & _STANDS, _faded(-600, 12), -1800),
    Pool(
        "compliance",
        "penalty",
        _severity("serious") & _ago(36) & _STANDS,
        _stepped(-1400, (12, -1050), (24, -700)),
        -3500,
    ),
    Pool(
        "compliance", "penalty", _level("permit_withheld", "suspension") & _ago(24), _faded(-500, 24), -1000
    ),
    Pool("compliance", "penalty", _severity("general", "serious") & _ago(12), _AGGRAVATED, -1000),
    Pool("compliance", "seriously_dishonest_listing", _ago(36) & _STANDS, -3000, -3000),
    Pool("compliance", "inspection", _level("passed") & _ago(12), 50, 100),
    Pool("compliance", "inspection", _level("failed") & _ago(12), _faded(-300, 12), -900),
    Pool("compliance", "inspection", _level("unreachable") & _ago(12) & _STANDS, -400, -800),
    Pool("compliance", "inspection", _level("refused") & _ago(24), _faded(-800, 24), -1600),
    Pool(
        "compliance",
        "safety_accident",
        _ago(36),
        _ACCIDENT * _stepped(4, (12, 2), (24, 1)) // 4,
        -4000,
    ),
    Pool("fiscal", "tax_arrears", _ago(36) & _STANDS, -400, -800),
    Pool("fiscal", "tax_arrears", _ago(36) & _STANDS & (AMOUNT > 0), -((AMOUNT + 500) // 1000), -800),
    Pool("fiscal", "social_insurance_arrears", _ago(24) & _STANDS, -400, -800),
    Pool("fiscal", "social_insurance_arrears", _ago(24) & _older(6) & _STANDS, -300, -300),
    Pool("fiscal", "wage_arrears_listing", _ago(36) & _STANDS, -2500, -2500),
    Pool("performance", "commitment", _level("open", "kept") & _ago(24), 50, 100),
    Pool("performance", "commitment", _level("broken") & _ago(12), _stepped(-500, (6, -250)), -1500),
    Pool(
        "performance",
        "commitment",
        _level("broken") & _severity("serious") & _ago(36),
        _faded(-800, 36),
        -1600,
    ),
    Pool("performance", "contract_default", _ago(12) & _STANDS, _faded(-400, 12), -1200),
    Pool("performance", "contract_default", _ago(12) & _STANDS & (AMOUNT >= 500_000), -300, -600),
    Pool("performance", "payment_default", _ago(36) & _STANDS, -400, -1200),
    Pool("performance", "payment_default", _ago(36) & _STANDS & (pl.col("size") == "large"), -400, -800),
    Pool("performance", "judgment_default", _ago(24) & _STANDS, -2500, -2500),
    Pool(
        "performance",
        "judgment_default",
        _ago(60) & _older(24) & _STANDS & _severity("serious"),
        -2500,
        -2500,
    ),
    Pool("performance", "loan", _level("repaid") & _ago(24), 100, 200),
    Pool("performance", "loan", _level("overdue") & _ago(24) & _STANDS, -600, -1200),
    Pool("performance", "loan", _level("written_off") & _ago(36), _faded(-1500, 36), -1500),
    Pool("reputation", "public_service", _ago(12), 50, 100),
    Pool("reputation", "complaint", _level("upheld") & _ago(12), _faded(-150, 12), -600),
    Pool("reputation", "award", _ago(24), _AWARD * _stepped(2, (12, 1)) // 2, 400),
]
BOUNDS = {
    "basic": (-2000, 400),
    "compliance": (-6000, 800),
    "fiscal": (-4000, 1000),
    "performance": (-4000, 800),
    "reputation": (-1500, 500),
}
_LISTED = ("seriously_dishonest_listing", "abnormal_operation_listing", "judgment_default")
_OWED = ("wage_arrears_listing", "tax_arrears", "social_insurance_arrears")
_BAD = dict.fromkeys(
    (*_LISTED, *_OWED, "penalty", "contract_default", "payment_default", "safety_accident"), YES
) | {
    "annual_report": _level("missing", "false"),
    "inspection": _level("failed", "refused"),
    "commitment": _level("broken"),
    "complaint": _level("upheld"),
    "loan": _level("overdue", "written_off"),
}


@dataclass(frozen=True)
class Vetoes:
    """The tier that records of a kind force, and which of them."""

    kind: str
    tier: int
    when: pl.Expr


VETOES = [
    Vetoes("seriously_dishonest_listing", 3, _ago(36) & _STANDS),
    Vetoes("judgment_default", 3, _ago(24) & _STANDS),
    Vetoes("judgment_default", 3, _ago(60) & _older(24) & _STANDS & _severity("serious")),
    Vetoes("wage_arrears_listing", 3, _ago(36) & _STANDS),
    Vetoes("safety_accident", 3, _level("major", "extraordinary") & _ago(12)),
    Vetoes("penalty", 2, _level("permit_revoked") & _ago(12)),
    Vetoes("abnormal_operation_listing", 2, _STANDS),
]


def grades(data: Data) -> pl.DataFrame:
    """The pack from the files to ``subject_id``, ``score`` (hundredths) and ``tier`` (0 the best).

    Subjects become numbers and texts categories, and records are parted by kind, so that each rule looks at
    its own records alone.
    """
    people = pl.read_parquet(data.subjects, columns=["subject_id", "size", "state", "established_on"])
    people = people.with_row_index("s")
    texts = ("kind", "field", "severity", "status", "level")
    columns = [pl.col(name).cast(pl.Categorical) for name in texts]
    records = (
        pl.scan_parquet(data.records)
        .select("subject_id", *columns, AMOUNT.cast(pl.Int64), OCCURRED, ENDS)
        .filter(pl.col("status") != "revoked")
        .join(people.lazy().select("s", "subject_id", "size"), on="subject_id")
        .drop("subject_id")
        .collect()
    )
    of_kind = {str(kind): part.lazy() for (kind,), part in records.partition_by("kind", as_dict=True).items()}
    graded = _graded(people.lazy(), of_kind)
    return graded.collect()


Parts = dict[str, pl.LazyFrame]


def _effective(parts: Parts) -> Parts:
    return {kind: part.filter(pl.col("status") == "effective") for kind, part in parts.items()}


def _graded(people: pl.LazyFrame, parts: Parts) -> pl.LazyFrame:
    effective = _effective(parts)
    known = reduce(
        lambda left, right: left.join(right, on="s", how="left"), _measures(parts, effective), people
    ).with_columns(pl.col(pl.UInt32).exclude("s").fill_null(0), pl.col("fines").fill_null(0))
    pooled = pl.concat(
        [
            effective[pool.kind]
            .filter(pool.when)
            .group_by("s")
            .agg(_held(pool).alias("points"))
            .select("s", pl.lit(pool.dimension).alias("dimension"), pl.col("points").cast(pl.Int64))
            for pool in POOLS
        ]
    )
    of_records = pooled.group_by("s").agg(
        pl.col("points").filter(pl.col("dimension") == name).sum().alias(f"{name}_points") for name in BOUNDS
    )
    vetoed = _vetoed(parts, effective)
    points = [
        (pl.col(f"{name}_points").fill_null(0) + pl.sum_horizontal(_of_subjects()[name])).clip(low, high)
        for name, (low, high) in BOUNDS.items()
    ]
    return (
        known.join(of_records, on="s", how="left")
        .join(vetoed, on="s", how="left")
        .with_columns(score=(7800 + pl.sum_horizontal(points)).clip(0, 10_000))
        .select("subject_id", "score", tier=pl.max_horizontal(_band(), "veto", _vetoed_subjects()))
    )


def _held(pool: Pool) -> pl.Expr:
    points = pl.len().cast(pl.Int64) * pool.points if isinstance(pool.points, int) else pool.points.sum()
    return points.clip(lower_bound=pool.cap) if pool.cap < 0 else points.clip(upper_bound=pool.cap)


def _measures(parts: Parts, effective: Parts) -> list[pl.LazyFrame]:
    findings = (
        parts["penalty"]
        .filter(_severity("general", "serious"), pl.col("status").is_in(["effective", "repaired"]), _ago(24))
        .group_by("s", "field")
        .len("n")
    )
    is_general = pl.col("field") == "general"
    bad = pl.concat(
        [effective[k].filter(when, _ago(36)).select("s", recent=_ago(12)) for k, when in _BAD.items()]
    )
    standing = pl.concat(
        [effective[kind].filter(_ago(36), _STANDS).select("s") for kind in (*_LISTED, *_OWED)]
    )

    def counted(kind: str, **columns: pl.Expr) -> pl.LazyFrame:
        found = effective[kind].group_by("s")
        return found.agg(when.sum().cast(pl.UInt32).alias(name) for name, when in columns.items())

    return [
        findings.filter(~is_general).group_by("s").agg(most=pl.col("n").max(), fields=pl.len()),
        findings.filter(is_general).select("s", elsewhere=pl.col("n")),
        effective["penalty"].filter(_ago(12)).group_by("s").agg(fines=AMOUNT.sum()),
        bad.group_by("s").agg(bad_3y=pl.len(), bad_1y=pl.col("recent").sum().cast(pl.UInt32)),
        standing.group_by("s").len("standing"),
        counted("inspection", inspections=_ago(24), passed=_ago(24) & _level("passed")),
        counted("tax_rating", tax_a=_ago(36) & _level("A")),
        counted("commitment", due=_ago(24) & _level("kept", "broken"), kept=_ago(24) & _level("kept")),
        counted("complaint", upheld=_ago(6) & _level("upheld")),
        *(
            effective[f"{kind}_rating"]
            .filter(_ago(months), _LEVELS.is_not_null())
            .sort("occurred_on")
            .group_by("s")
            .agg(_LEVELS.last().alias(kind))
            for kind, months in (("environment", 18), ("tax", 18), ("customs", 60), ("labour", 18))
        ),
    ]


def _share_at_least(part: str, whole: str, percent: int) -> pl.Expr:
    """Of part / whole rounded half away to 4 decimals."""
    n, of = pl.col(part).cast(pl.Int64), pl.col(whole).cast(pl.Int64)
    return (of > 0) & ((20_000 * n + of) // (2 * pl.max_horizontal(of, 1)) >= percent * 100)


def _if(when: pl.Expr, points: int) -> pl.Expr:
    return pl.when(when).then(points).otherwise(0)


def _rated(kind: str, **points: int) -> pl.Expr:
    return pl.col(kind).cast(pl.String).replace_strict(points, default=0, return_dtype=pl.Int64).fill_null(0)


def _of_subjects() -> dict[str, list[pl.Expr]]:
    """The rules on attributes and measures, by dimension."""
    operating = pl.col("state") == "operating"
    established, most, due = pl.col("established_on"), pl.col("most"), pl.col("due")
    well, fairly, half = (_share_at_least("kept", "due", percent) for percent in (95, 80, 50))

    def older(months: int) -> pl.Expr:
        return operating & (established < _cutoff(months))

    return {
        "basic": [_if(older(36), 100), _if(older(120), 100), _if(pl.col("state") == "suspended", -500)],
        "compliance": [
            _if(pl.col("fines") >= 500_000, -400),
            pl.when(most >= 4)
            .then(-2000)
            .when(most == 3)
            .then(-1200)
            .when(most == 2)
            .then(-400)
            .otherwise(0),
            _if(pl.col("fields") >= 3, -500),
            _if(pl.col("elsewhere") >= 3, -400),
            _if((pl.col("inspections") >= 3) & _share_at_least("passed", "inspections", 90), 100),
            _if(older(12) & (pl.col("bad_1y") == 0) & (pl.col("standing") == 0), 100),
            _if(older(36) & (pl.col("bad_3y") == 0), 200),
            _rated("environment", green=300, blue=100, yellow=-500, red=-1500),
        ],
        "fiscal": [
            _if((pl.col("tax_a") >= 3) & (pl.col("tax") == "A"), 200),
            _rated("tax", A=500, B=200, C=-600, D=-1500),
            _rated("customs", certified=300, dishonest=-1200),
            _rated("labour", A=300, C=-1000),
        ],
        "performance": [
            pl.when(well & (due >= 3))
            .then(400)
            .when(well)
            .then(200)
            .when(fairly)
            .then(100)
            .when(half)
            .then(-200)
            .when(due > 0)
            .then(-600)
            .otherwise(0)
        ],
        "reputation": [_if(pl.col("upheld") >= 3, -400)],
    }


def _band() -> pl.Expr:
    score = pl.col("score")
    return pl.when(score >= 9000).then(0).when(score >= 7500).then(1).when(score >= 5000).then(2).otherwise(3)


def _vetoed(parts: Parts, effective: Parts) -> pl.LazyFrame:
    """The tier that records force."""
    found = [effective[v.kind].filter(v.when).select("s", veto=pl.lit(v.tier)) for v in VETOES]
    disputed = pl.col("status") == "disputed"
    found += [
        parts[kind].filter(disputed, _ago(36), _STANDS).select("s", veto=pl.lit(2))
        for kind in ("seriously_dishonest_listing", "judgment_default", "wage_arrears_listing")
    ]
    return pl.concat(found).group_by("s").agg(pl.col("veto").max())


def _vetoed_subjects() -> pl.Expr:
    """The tier that attributes and measures force."""
    worst = {"tax": "D", "environment": "red", "customs": "dishonest", "labour": "C"}
    rated = pl.any_horizontal((pl.col(kind) == value).fill_null(False) for kind, value in worst.items())
    held = (pl.col("state") == "cancelled") | (pl.col("most") >= 4) | rated
    return pl.when(pl.col("state") == "revoked").then(3).when(held).then(2).otherwise(0)
