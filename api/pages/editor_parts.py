"""The parts of a draft: which there are, the form of each, and what is new in one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.pages.editor_fields import PLACE, Form, entries_of, line, path_of, titled
from api.pages.editor_form import grades_form, rule_form
from api.pages.editor_tables import alert_form, dimensions_form, measure_form, table_form
from rules.model import Title
from rules.text.source import standing_at

HEAD, GRADES, DIMENSIONS, TEXT = "head", "grades", "dimensions", "text"
LISTS = {
    "tables": Title("决策表", "Decision tables"),
    "vetoes": Title("一票否决与等级限制", "Vetoes and limits of the tier"),
    "consequences": Title("结果运用", "Consequences"),
    "alerts": Title("预警", "Alerts"),
}
_MEASURES = Title("指标", "Measures")
NEW: Mapping[str, Any] = {
    "rules": {"id": "rule", "title": {"zh": "规则", "en": "Rule"}, "dimension": "", "when": "", "points": 0,
              "counts": {"months": 12}, "basis": "own-choice"},
    "vetoes": {"id": "veto", "title": {"zh": "等级限制", "en": "Limit of the tier"}, "when": "", "tier": "",
               "counts": {"months": 12}, "basis": "own-choice"},
    "consequences": {"id": "consequence", "title": {"zh": "结果运用", "en": "Consequence"}, "when": "",
                     "basis": "own-choice"},
    "tables": {"id": "table", "title": {"zh": "决策表", "en": "Table"}, "dimension": "", "input": "",
               "hit": "first", "rows": [["-", 0]], "basis": "own-choice"},
    "alerts": {"id": "alert", "title": {"zh": "预警", "en": "Alert"}, "events": [{"when": "", "times": 2}],
               "within": {"days": 365}, "basis": "own-choice"},
    "measures": {"title": {"zh": "指标", "en": "Measure"}, "count": "records", "where": "",
                 "within": {"months": 12}},
}  # fmt: skip
"""What a part is before anything is filled in."""


@dataclass(frozen=True, slots=True)
class Group:
    """Parts that stand together.

    :param makes: the section that another of them is put in, and after a dot the dimension that it has;
        None where none is made.
    """

    title: Title
    parts: list[tuple[str, Title]]
    makes: str | None = None


def form_of(data: Any, part: str) -> Form:
    """The form of a part of a draft; of one that there is not, that of its version and days."""
    match part.split("."):
        case [("rules" | "vetoes" | "consequences" | "tables" | "alerts") as section, place] if (
            PLACE.fullmatch(place)
        ):
            entry = standing_at(entries_of(data, section), [int(place)])
            if isinstance(entry, dict):
                return _entry(data, section, part, entry)
        case ["measures", name]:
            measure = standing_at(data, ("measures", name))
            if isinstance(measure, dict):
                return measure_form(data, part, measure)
        case ["grades"]:
            return grades_form(data)
        case ["dimensions"]:
            return dimensions_form(data)
    return Form(
        Title("版本与施行日期", "Version and days"),
        (
            line(data, "version", Title("版本号", "Version"), True),
            line(data, "in_force.from", Title("施行日期", "In force from")),
            line(data, "in_force.until", Title("截止日期（不含当日）", "Until (that day not included)")),
        ),
    )


def _entry(data: Any, section: str, part: str, entry: dict[str, Any]) -> Form:
    if section == "tables":
        return table_form(data, part, entry)
    if section == "alerts":
        return alert_form(data, part, entry)
    return rule_form(data, section, part, entry)


def parts_of(data: Any) -> list[Group]:
    """What of a draft can be opened."""
    head = [
        (HEAD, Title("版本与施行日期", "Version and days")),
        (GRADES, Title("基准分与等级", "Score and tiers")),
        (DIMENSIONS, Title("维度", "Dimensions")),
        (TEXT, Title("全文", "The whole text")),
    ]
    groups = [Group(Title("整体", "The whole"), head)]
    rules = [(n, entry) for n, entry in enumerate(entries_of(data, "rules"))]
    dimensions = [entry for entry in entries_of(data, "dimensions") if isinstance(entry, dict)]
    for dimension in dimensions:
        own = [(n, r) for n, r in rules if isinstance(r, dict) and r.get("dimension") == dimension.get("id")]
        parts = [(f"rules.{n}", titled(rule)) for n, rule in own]
        groups.append(Group(titled(dimension), parts, f"rules.{dimension.get('id')}"))
    known = {str(dimension.get("id")) for dimension in dimensions}
    others = [(n, r) for n, r in rules if not isinstance(r, dict) or str(r.get("dimension")) not in known]
    without = [(f"rules.{n}", titled(rule)) for n, rule in others]
    groups.append(Group(Title("未归入维度", "In no dimension"), without))
    for section, title in LISTS.items():
        entries = enumerate(entries_of(data, section))
        parts = [(f"{section}.{n}", titled(entry)) for n, entry in entries]
        groups.append(Group(title, parts, section))
    measures = data.get("measures")
    named = [
        (f"measures.{name}", titled({"id": name, **measure} if isinstance(measure, dict) else name))
        for name, measure in (measures.items() if isinstance(measures, dict) else ())
        if isinstance(measure, dict)
    ]
    groups.append(Group(_MEASURES, named, "measures"))
    return [group for group in groups if group.parts or group.makes]


def part_around(name: str) -> str:
    """The part that shows what is said of a path; the whole text where none does."""
    steps = name.split(".")
    if steps[0] in ("version", "in_force"):
        return HEAD
    if steps[0] in ("grades", "score"):
        return GRADES
    if steps[0] == "dimensions":
        return DIMENSIONS
    shown = len(steps) > 1 and steps[0] in ("rules", "measures", *LISTS)
    return ".".join(steps[:2]) if shown and path_of(name) else TEXT
