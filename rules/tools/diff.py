"""What changed from one version of a pack to another, in words and in points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rules.language.expressions import Level, Value, render
from rules.language.words import Words, both, dated, kind, number, plain, window, words
from rules.model import (
    Alert,
    Basis,
    Column,
    Dimension,
    Event,
    Grade,
    Measure,
    Pack,
    Remedy,
    Rule,
    Supervision,
    Title,
)

Fields = Mapping[str, str]
"""What is compared of one entry: the name of the field → its value in words."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    :param part: the part of the pack: pack, basis, dimension, measure, rule, table, veto, consequence,
        together, alert, remedy, grade, supervision, attribute, column.
    :param id: which entry of that part; empty for the pack itself.
    :param title: its title in the newer pack (in the older one, where it is gone).
    :param field: what of it; ``added`` or ``removed`` for the entry as a whole.
    :param before, after: in words; empty where there was or is none.
    """

    part: str
    id: str
    title: str
    field: str
    before: str
    after: str


def compare(before: Pack, after: Pack) -> list[Change]:
    r"""Every difference in meaning and in titles, in the order of the newer pack.

    Comments, layout and the order of entries make none.

    >>> from rules.library.loader import PACKS, load_text
    >>> text = (PACKS / "tourism-credit.yaml").read_text(encoding="utf-8")
    >>> before = load_text(text, "my.yaml")
    >>> after = load_text(text.replace("points: 2\n", "points: 3\n", 1), "my.yaml")
    >>> [(change.id, change.field, change.before, change.after) for change in compare(before, after)]
    [('scheme.joined', 'points', '+2', '+3')]
    """
    old, new = _parts(before), _parts(after)
    return [change for part in new for change in _compared(part, old[part], new[part])]


Entries = Mapping[str, tuple[str, Fields]]
"""Entries of one part by id: title and fields."""


def _compared(part: str, old: Entries, new: Entries) -> Iterator[Change]:
    for key, (title, fields) in new.items():
        if key not in old:
            yield Change(part, key, title, "added", "", _summary(fields))
            continue
        earlier = old[key][1]
        for field in dict.fromkeys((*earlier, *fields)):
            was, now = earlier.get(field, ""), fields.get(field, "")
            if was != now:
                yield Change(part, key, title, field, was, now)
    for key, (title, fields) in old.items():
        if key not in new:
            yield Change(part, key, title, "removed", _summary(fields), "")


def _summary(fields: Fields) -> str:
    return "; ".join(f"{name}: {value}" for name, value in fields.items() if value and name != "title")


def _parts(pack: Pack) -> dict[str, Entries]:
    said = words(pack, "zh")
    vocabulary = pack.vocabulary
    return {
        "pack": {"": (str(pack.title), _pack(pack))},
        "basis": {basis.id: (basis.title, _basis(basis)) for basis in pack.bases},
        "dimension": {d.id: (str(d.title), _dimension(d)) for d in pack.dimensions},
        "measure": {m.id: (str(m.title), _measure(m, said)) for m in pack.measures},
        **{
            part: {rule.id: (str(rule.title), _rule(pack, rule)) for rule in pack.rules if kind(rule) == part}
            for part in ("rule", "table", "veto", "consequence")
        },
        "together": {", ".join(t.rules): (", ".join(t.rules), {"why": str(t.why)}) for t in pack.together},
        "alert": {alert.id: (str(alert.title), _alert(alert)) for alert in pack.alerts},
        "remedy": {remedy.id: (str(remedy.title), _remedy(remedy)) for remedy in pack.remedies},
        "grade": {grade.tier: (str(grade.title), _grade(grade)) for grade in pack.grades},
        "supervision": {s.tier: (s.tier, _supervision(s)) for s in pack.supervision},
        "attribute": _columns(vocabulary.subject.columns),
        "column": _columns(vocabulary.records.columns if vocabulary.records else {}),
    }


def _pack(pack: Pack) -> Fields:
    return {
        "id": pack.id,
        "version": pack.version,
        "title": str(pack.title),
        "note": str(pack.note or ""),
        "authority": str(pack.authority.said) if pack.authority else "",
        "vocabulary": pack.vocabulary.id,
        "in force from": str(pack.in_force_from),
        "in force until": str(pack.in_force_until or ""),
        "start": number(pack.score.start),
        "min": number(pack.score.min),
        "max": number(pack.score.max),
    }


def _basis(basis: Basis) -> Fields:
    return {
        "title": basis.title,
        "short": basis.short,
        "in force from": str(basis.in_force_from or ""),
        "repealed on": str(basis.repealed_on or ""),
        "replaced by": basis.replaced_by or "",
    }


def _dimension(dimension: Dimension) -> Fields:
    return {
        "title": str(dimension.title),
        "floor": number(dimension.floor),
        "ceiling": number(dimension.ceiling),
    }


def _measure(measure: Measure, said: Words) -> Fields:
    return {
        "title": str(measure.title),
        "aggregate": measure.aggregate,
        "of": ", ".join(measure.parts) or (render(measure.operand) if measure.operand else ""),
        "where": render(measure.where.written),
        "where, in words": said.condition(measure.where.written),
        "window": window(measure.window, said) if measure.window else "",
        "by": measure.by or "",
        "order": "desc" if measure.descending else "asc",
        "take": measure.take or "",
    }


def _rule(pack: Pack, rule: Rule) -> Fields:
    dimensions = {d.id: str(d.title) for d in pack.dimensions}
    return {
        "title": str(rule.title),
        "note": str(rule.note or ""),
        "dimension": dimensions.get(rule.dimension or "", ""),
        "condition": render(rule.when.written),
        "condition, in words": str(both(pack, lambda said: said.condition(rule.when.written))),
        "points": dated(rule.points, "zh") if rule.points else "",
        "per": render(rule.per) if rule.per else "",
        "window": _window(pack, rule),
        "cap": number(rule.cap),
        "tier": rule.tier or "",
        "basis": "; ".join(str(citation) for citation in rule.citations),
    }


def _window(pack: Pack, rule: Rule) -> str:
    if rule.window is None and rule.level is Level.SUBJECT:
        return ""
    return str(both(pack, lambda said: window(rule.window, said)))


def _alert(alert: Alert) -> Fields:
    return {
        "title": str(alert.title),
        "events": "; ".join(_event(event) for event in alert.events),
        "same": alert.same or "",
        "days": str(alert.days or ""),
        "basis": "; ".join(str(citation) for citation in alert.citations),
    }


def _event(event: Event) -> str:
    until = f" (until {render(event.stands_until)})" if event.stands_until else ""
    return render(event.when) + until


def _remedy(remedy: Remedy) -> Fields:
    return {
        "title": str(remedy.title),
        "condition": render(remedy.when),
        "changes": "; ".join(f"{name}: {_changed(value)}" for name, value in remedy.changes.items()),
        "after": render(remedy.after) if remedy.after else "",
        "needs": "; ".join(map(str, remedy.needs)),
        "basis": "; ".join(str(citation) for citation in remedy.citations),
    }


def _changed(value: Value | None) -> str:
    return "" if value is None else plain(value)


def _grade(grade: Grade) -> Fields:
    return {"title": str(grade.title), "from": number(grade.lowest)}


def _supervision(supervision: Supervision) -> Fields:
    visits = supervision.visits_per_year
    return {
        "sample share": plain(supervision.sample_share),
        "visits a year": "" if visits is None else str(visits),
        "unprompted visits": plain(supervision.unprompted_visits),
        "lending": supervision.lending or "",
        "valid months": str(supervision.valid_months),
        "measures": "; ".join(map(str, supervision.measures)),
    }


def _columns(columns: Mapping[str, Column]) -> Entries:
    return {name: (str(column.title), _column(column)) for name, column in columns.items()}


def _column(column: Column) -> Fields:
    return {
        "title": str(column.title),
        "type": column.declared,
        "codes": _codes(column.values),
        "aliases": ", ".join(column.aliases),
        "format": column.format or "",
    }


def _codes(values: Mapping[str, Title]) -> str:
    return "; ".join(f"{code} {title}" for code, title in values.items())
