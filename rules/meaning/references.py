"""What the parts of a pack refer to, and that no two of them have one id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

from rules.meaning.context import Context
from rules.model import OWN_CHOICE, SCORE, Basis, Supervision, Together
from rules.nearest import one_of
from rules.text.shape import POINTS
from rules.text.source import Path


class References:
    """The dimensions, bases and tiers that rules may name."""

    def __init__(self, context: Context, data: Mapping[str, Any]) -> None:
        self.context = context
        self.dimensions = [d.id for d in data["dimensions"]]
        self.bases = [OWN_CHOICE, *(b.id for b in data["basis"])]
        self.between = {d.id: (d.floor, d.ceiling) for d in data["dimensions"]}
        self.between |= {SCORE: (data["score"].min, data["score"].max)}
        self.tiers = [g.tier for g in data["grades"]]
        self.reached = [g.tier for g in data["grades"] if g.lowest is not None]

    def check(self, data: Mapping[str, Any], path: Path) -> None:
        """Reports what a rule, veto or table names and the pack lacks."""
        self._check(data.get("dimension"), self.dimensions, "no such dimension", (*path, "dimension"))
        self._check(data.get("tier"), self.tiers, "no such tier", (*path, "tier"))
        for citation in data["basis"]:
            self._check(citation.basis, self.bases, "the pack has no such basis", (*path, "basis"))

    def check_lowers(self, by: int | None, path: Path) -> None:
        """Reports a veto that lowers by more tiers than can be fallen through."""
        most = max(len(self.reached) - 1, 0)
        if by is not None and by > most:
            hint = f"lowers: {most}, which is the worst" if most else "tier: D"
            message = f"scores reach {len(self.reached)} tiers: nobody can fall so far"
            self.context.report((*path, "lowers"), str(by), message, hint)

    def check_below(self, bounds: Mapping[str, int], path: Path) -> None:
        """Reports points of which a veto asks what is never, or always, so."""
        for name, bound in bounds.items():
            here, shown = (*path, "below", name), str(Decimal(bound) / 100)
            if name == SCORE and SCORE in self.dimensions:
                self.context.report(here, name, "a dimension is called so too", "another id of the dimension")
                continue
            self._check(name, list(self.between), "neither the score nor a dimension", here)
            low, high = self.between.get(name, (None, None))
            if low is not None and bound <= low:
                self.context.report(here, shown, "never below that", f"more than {Decimal(low) / 100}")
            elif high is not None and bound > high:
                self.context.report(here, shown, "always below that", f"at most {Decimal(high) / 100}")

    def _check(self, name: str | None, known: Sequence[str], message: str, path: Path) -> None:
        if name is not None and name not in known:
            self.context.report(path, name, message, one_of(name, known))


def check_ids(context: Context, data: Mapping[str, Any]) -> None:
    """Ids are unique: of dimensions, of bases, and of rules, vetoes, tables and table rows together."""
    _check_ids(context, [(("dimensions", i, "id"), d.id) for i, d in enumerate(data["dimensions"])])
    _check_ids(context, [(("basis", i, "id"), b.id) for i, b in enumerate(data["basis"])])
    own: list[tuple[Path, str]] = [
        ((part, i, "id"), d["id"])
        for part in ("rules", "vetoes", "tables", "consequences", "alerts", "remedies")
        for i, d in enumerate(data[part])
    ]
    rows: list[tuple[Path, str]] = [
        (("tables", i, "id"), name) for i, d in enumerate(data["tables"]) for name in row_ids(d)
    ]
    _check_ids(context, [*own, *rows])


def row_ids(table: Mapping[str, Any]) -> list[str]:
    """What the rows of an entry of ``tables`` are called as rules, the default last."""
    numbers = map(str, range(1, len(table["rows"]) + 1))
    return [f"{table['id']}.{n}" for n in (*numbers, *(["default"] if table["default"] is not None else []))]


def _check_ids(context: Context, ids: Iterable[tuple[Path, str]]) -> None:
    seen: set[str] = set()
    for path, name in ids:
        if name in seen:
            context.report(path, name, "the id stands here twice", "an id of its own")
        seen.add(name)


def check_grades(context: Context, data: Mapping[str, Any]) -> None:
    """Grades run from the best to the worst; of those that scores reach the worst takes every score that is
    left."""
    grades, least = data["grades"], data["score"].min
    bands = [(index, grade.lowest) for index, grade in enumerate(grades) if grade.lowest is not None]
    for (_, better), (index, worse) in pairwise(bands):
        if better <= worse:
            text = str(Decimal(worse) / 100)
            hint = f"less than {Decimal(better) / 100}: the best first"
            context.report(("grades", index, "from"), text, "not below the grade before it", hint)
    last, lowest = bands[-1] if bands else (len(grades) - 1, None)
    if lowest is None or lowest > least:
        hint = f"from: {Decimal(least) / 100}"
        path: Path = ("grades", last, "from")
        text = "" if lowest is None else str(Decimal(lowest) / 100)
        context.report(path, text, "scores below it have no grade", hint)
    tiers = [grade.tier for grade in grades]
    for index, tier in enumerate(tiers):
        if tier in tiers[:index]:
            context.report(("grades", index, "tier"), tier, "the tier stands here twice", "each tier once")


def build_supervision(
    context: Context, references: References, data: Mapping[str, Any]
) -> tuple[Supervision, ...]:
    """What each tier leads to, in the order of the tiers: for all of them, or for none."""
    tiers = references.tiers
    for tier in data:
        if tier not in tiers:
            context.report(("supervision", tier, "?"), tier, "no such tier", one_of(tier, tiers))
    missing = [tier for tier in tiers if data and tier not in data]
    for tier in missing:
        context.report(("supervision",), "", f"tier {tier} is missing", "an entry for every tier")
    return tuple(
        Supervision(**{**data[tier], "tier": tier, "measures": tuple(data[tier]["measures"])})
        for tier in tiers
        if tier in data
    )


def build_together(context: Context, data: Mapping[str, Any]) -> tuple[Together, ...]:
    """Which rules may meet one fact: each is a rule, veto or table, or one row of a table."""
    tables = [d for d in data["tables"] if d["gives"] == POINTS]
    known = {d["id"] for part in (data["rules"], data["vetoes"], tables) for d in part}
    known |= {name for d in tables for name in row_ids(d)}
    for index, entry in enumerate(data["together"]):
        for place, name in enumerate(entry["rules"]):
            if name not in known:
                hint = one_of(name, sorted(known))
                context.report(("together", index, "rules", place), name, "no such rule", hint)
    return tuple(Together(tuple(sorted(set(entry["rules"]))), entry["why"]) for entry in data["together"])


def check_replaced(context: Context, bases: Sequence[Basis]) -> None:
    """What took the place of a basis is another basis of the pack."""
    ids = [basis.id for basis in bases]
    for index, basis in enumerate(bases):
        others = [name for name in ids if name != basis.id]
        if basis.replaced_by is not None and basis.replaced_by not in others:
            hint = one_of(basis.replaced_by, others, "an entry of its own")
            path: Path = ("basis", index, "replaced_by")
            context.report(path, basis.replaced_by, "no other basis of the pack", hint)
