"""The forms of rules and what is like them, and of tiers."""

from __future__ import annotations

from typing import Any

from api.pages.editor_fields import (
    Field,
    Form,
    Grid,
    Part,
    Row,
    chosen,
    columns_of,
    entries_of,
    line,
    shown,
    titled,
    titles_of,
)
from rules.calendar import today
from rules.model import Column, Title
from rules.tools.exchange.pack import dumped_in_line

YES_OR_NO = {"true": Title("是", "yes"), "false": Title("否", "no")}


def rule_form(data: Any, section: str, part: str, rule: dict[str, Any]) -> Form:
    """The form of a rule, a veto or a consequence."""
    of = Part(data, part)
    fields = [*titles_of(data, part), of.area("when", "条件", "Condition")]
    if section == "rules":
        fields += [
            of.line("points", "分值", "Points"),
            of.line("per", "计分单位（按值计分时）", "Per (where points go by a value)", True),
            of.line("cap", "合计上限", "Cap"),
            of.chosen("dimension", "维度", "Dimension", dimensions_of(data)),
        ]
    if section == "vetoes":
        fields += [
            of.chosen("tier", "等级不高于", "No better than", _tiers(data)),
            of.line("below.score", "且得分低于（分）", "And the score below (points)"),
            *(
                of.line(f"below.{name}", f"且{title.zh}低于（分）", f"And {title.en} below (points)")
                for name, title in dimensions_of(data).items()
                if "." not in name
            ),
            of.line("lowers", "或较得分降几级", "Or: tiers below that of the score"),
        ]
    fields += [
        *of.window("counts", "有效计分期", "Counts for"),
        of.line("counts.decay", "递减（linear或分段）", "Decay (linear, or steps)"),
        of.lines("basis", "依据（每行一条）", "Basis (one a line)"),
        of.line("id", "编号（改动即为另一条规则）", "Id (with another it is another rule)", True),
    ]
    return Form(titled(rule), tuple(fields), (examples_of(data, section, part, rule),), True)


def examples_of(data: Any, section: str, part: str, rule: dict[str, Any]) -> Grid:
    """The examples of an entry, a row each; of what gives records or a whole subject its text is shown."""
    path = f"{part}.examples"
    examples = entries_of(rule, "examples")
    simple = [_is_simple(example) for example in examples]
    columns = columns_of(data)
    given = list(
        dict.fromkeys(n for e, s in zip(examples, simple, strict=True) if s for n in e.get("given") or ())
    )
    expected = {"hit": Title("应适用", "Hits")}
    if section == "rules":
        expected = {"points": Title("应得分值", "Points"), **expected}
    if section == "tables" and "gives" in rule:
        expected = {"value": Title("应得值", "Value")}
    elif section == "tables":
        expected = {"points": Title("应得分值", "Points"), **expected}
    if section == "vetoes":
        expected = {"tier": Title("应为等级", "Tier"), **expected}
    rows = []
    for place, (example, is_simple) in enumerate(zip(examples, simple, strict=True)):
        here = f"{path}.{place}"
        if not is_simple:
            as_written = _block(example)
            title = Title("示例（YAML）", "Example (YAML)")
            rows.append(Row(here, (), Field(here, title, as_written, "yaml")))
            continue
        cells: list[Field | None] = [line(data, f"{here}.as_of", Title("评价基准日", "As of"))]
        cells += [_given(data, f"{here}.given.{name}", columns.get(str(name)), str(name)) for name in given]
        for name, title in expected.items():
            choices = YES_OR_NO if name == "hit" else _tiers(data) if name == "tier" else None
            field = line(data, f"{here}.{name}", title)
            cells.append(field if choices is None else chosen(data, field.name, title, choices, False))
        rows.append(Row(here, tuple(cells)))
    titles = [columns[n].title if n in columns else Title(str(n), str(n)) for n in given]
    heads = (Title("评价基准日", "As of"), *titles, *expected.values())
    return Grid(
        path,
        Title("示例", "Examples"),
        heads,
        tuple(rows),
        Title("增加示例", "Another example"),
        {"given": {}, "as_of": today(), "hit": True},
        has_results=True,
    )


def _is_simple(example: Any) -> bool:
    given = example.get("given") if isinstance(example, dict) else None
    keys = {"given", "as_of", "points", "hit", "tier", "value"}
    if not isinstance(given, dict) or not keys >= set(example):
        return False
    return not any(isinstance(value, list | dict) for value in given.values())


def _given(data: Any, name: str, column: Column | None, called: str) -> Field:
    title = column.title if column else Title(called, called)
    is_text = column is not None and column.declared == "text"
    if column is not None and (column.values or column.declared == "boolean"):
        return chosen(data, name, title, dict(column.values) or YES_OR_NO, is_text)
    return line(data, name, title, is_text)


def grades_form(data: Any) -> Form:
    """The form of the score and the tiers."""
    rows = []
    for place, entry in enumerate(entries_of(data, "grades")):
        here = f"grades.{place}"
        if isinstance(entry, dict):
            cells = (
                line(data, f"{here}.tier", Title("等级", "Tier"), True),
                *titles_of(data, here),
                line(
                    data,
                    f"{here}.from",
                    Title("最低得分（veto为仅由否决给出）", "Lowest score (veto: by vetoes alone)"),
                ),
            )
            rows.append(Row(here, cells))
    heads = tuple(cell.title for cell in rows[0].cells if cell) if rows else ()
    alike = [row for row in rows if len(row.cells) == len(heads)]
    return Form(
        Title("基准分与等级", "Score and tiers"),
        (
            line(data, "score.start", Title("基准分", "Start")),
            line(data, "score.min", Title("最低分", "Least")),
            line(data, "score.max", Title("最高分", "Most")),
        ),
        (Grid("grades", Title("等级", "Tiers"), heads, tuple(alike)),),
    )


def dimensions_of(data: Any) -> dict[str, Title]:
    """The dimensions, by what rules write."""
    return {str(d.get("id")): titled(d) for d in entries_of(data, "dimensions") if isinstance(d, dict)}


def _tiers(data: Any) -> dict[str, Title]:
    tiers = [str(e.get("tier")) for e in entries_of(data, "grades") if isinstance(e, dict)]
    return {tier: Title(tier, tier) for tier in tiers}


def _block(example: Any) -> str:
    """An example as people write it: a key a line, a record a line."""
    if not isinstance(example, dict):
        return shown(example)
    lines: list[str] = []
    for key, value in example.items():
        if isinstance(value, list):
            lines += [f"{key}:", *(f"  - {shown(entry)}" for entry in value)]
        else:
            lines.append(dumped_in_line({key: value})[1:-1])
    return "\n".join(lines)
