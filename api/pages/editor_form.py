"""The forms of the editor: what of a draft's text stands in which field, and back into the text."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rules.fault import PackError, UnknownPackError
from rules.library.loader import load_vocabulary
from rules.model import Column, Title
from rules.text.source import Path, read, standing_at, unquoted
from rules.tools.edit import with_value, without
from rules.tools.exchange.pack import dumped_in_line, value_in_line

HEAD, GRADES, TEXT = "head", "grades", "text"
LISTS = {
    "vetoes": Title("一票否决与等级限制", "Vetoes and limits of the tier"),
    "consequences": Title("结果运用", "Consequences"),
}
_PLACE = re.compile(r"[0-9]{1,6}")
"""A step of a path that is a place in a list."""
YES_OR_NO = {"true": Title("是", "yes"), "false": Title("否", "no")}


def path_of(name: str) -> Path:
    """The path in a draft that a name says, its steps parted by dots.

    >>> path_of("rules.3.points")
    ('rules', 3, 'points')
    """
    return tuple(int(step) if _PLACE.fullmatch(step) else step for step in name.split("."))


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form.

    :param name: the path of its value, its steps parted by dots.
    :param kind: ``line``, ``area``, ``lines`` (one entry each) or ``yaml`` (a mapping as it is written).
    :param is_text: whether what looks like a number or a date is a text all the same.
    :param choices: what may be chosen, by what is written.
    """

    name: str
    title: Title
    value: str
    kind: str = "line"
    is_text: bool = False
    choices: Mapping[str, Title] | None = None

    @property
    def path(self) -> Path:
        """Where its value stands."""
        return path_of(self.name)

    def read(self, given: str) -> Any:
        """What was filled in, as data."""
        if self.kind == "yaml":
            return _as_yaml(given)
        if self.kind == "lines":
            entries = [line.strip() for line in given.splitlines() if line.strip()]
            return entries[0] if len(entries) == 1 else entries
        line = " ".join(given.split("\n")).strip()
        if self.is_text and line != "null":
            return line
        return _as_yaml(f"x: {line}", "x", line) if line[:1] in ("{", "[") else unquoted(line)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table of fields.

    :param path: of the entry that it shows.
    :param cells: by column; None where this entry has none.
    """

    path: str
    cells: tuple[Field | None, ...]
    whole: Field | None = None


@dataclass(frozen=True, slots=True)
class Grid:
    """Fields as a table, an entry a row."""

    path: str
    title: Title
    columns: tuple[Title, ...]
    rows: tuple[Row, ...]
    may_grow: bool


@dataclass(frozen=True, slots=True)
class Form:
    """The form of a part."""

    title: Title
    fields: tuple[Field, ...]
    grids: tuple[Grid, ...] = ()

    def all_fields(self) -> Iterator[Field]:
        """Every field, those of tables as well."""
        yield from self.fields
        for grid in self.grids:
            for row in grid.rows:
                yield from (cell for cell in (*row.cells, row.whole) if cell is not None)


def form_of(data: Any, part: str) -> Form:
    """The form of a part of a draft; of one that there is not, that of its version and days."""
    match part.split("."):
        case [("rules" | "vetoes" | "consequences") as section, place] if _PLACE.fullmatch(place):
            rule = standing_at(_entries(data, section), [int(place)])
            if isinstance(rule, dict):
                return _rule(data, section, part, rule)
        case ["grades"]:
            return _grades(data)
    return Form(
        Title("版本与施行日期", "Version and days"),
        (
            _line(data, "version", Title("版本号", "Version"), True),
            _line(data, "in_force.from", Title("施行日期", "In force from")),
            _line(data, "in_force.until", Title("截止日期（不含当日）", "Until (that day not included)")),
        ),
    )


def applied(text: str, file: str, form: Form, given: Mapping[str, str]) -> str:
    """The text with what was changed in a form; fields that say what stands there change nothing.

    :raises PackError: where something can't be put there.
    """
    for field in form.all_fields():
        filled = given.get(field.name, field.value).replace("\r\n", "\n").strip()
        if filled == field.value.strip():
            continue
        if filled:
            text = with_value(text, file, field.path, field.read(filled))
        elif standing_at(read(text, file).data, field.path) is not None:
            text = without(text, file, field.path)
    return text


def titled(entry: Any) -> Title:
    """What an entry is called, as far as it says."""
    title = entry.get("title") if isinstance(entry, dict) else None
    if isinstance(title, dict) and isinstance(title.get("zh"), str):
        return Title(title["zh"], str(title.get("en", title["zh"])))
    name = title if isinstance(title, str) else entry.get("id") if isinstance(entry, dict) else None
    return Title(str(name or "—"), str(name or "—"))


def _rule(data: Any, section: str, part: str, rule: dict[str, Any]) -> Form:
    def line(name: str, zh: str, en: str, is_text: bool = False) -> Field:
        return _line(data, f"{part}.{name}", Title(zh, en), is_text)

    def area(name: str, zh: str, en: str) -> Field:
        return Field(f"{part}.{name}", Title(zh, en), _shown(rule.get(name)), "area", True)

    basis = rule.get("basis")
    lines = "\n".join(map(str, basis)) if isinstance(basis, list) else _shown(basis)
    fields = [*_titles(data, part), area("when", "条件", "Condition")]
    if section == "rules":
        fields += [
            line("points", "分值", "Points"),
            line("per", "计分单位（按值计分时）", "Per (where points go by a value)", True),
            line("cap", "合计上限", "Cap"),
            _chosen(data, f"{part}.dimension", Title("维度", "Dimension"), _dimensions(data)),
        ]
    if section == "vetoes":
        fields += [
            _chosen(data, f"{part}.tier", Title("等级不高于", "No better than"), _tiers(data)),
            line("below.score", "且得分低于（分）", "And the score below (points)"),
            *(
                line(f"below.{name}", f"且{title.zh}低于（分）", f"And {title.en} below (points)")
                for name, title in _dimensions(data).items()
                if "." not in name
            ),
            line("lowers", "或较得分降几级", "Or: tiers below that of the score"),
        ]
    fields += [
        line("counts.months", "有效计分期（月）", "Counts for (months)"),
        line("counts.days", "有效计分期（日）", "Counts for (days)"),
        line("counts.from", "自何日起计", "Counting from", True),
        line("counts.until", "至何日止", "Until", True),
        line("counts.decay", "递减（linear或分段）", "Decay (linear, or steps)"),
        Field(f"{part}.basis", Title("依据（每行一条）", "Basis (one a line)"), lines, "lines", True),
        line("id", "编号（改动即为另一条规则）", "Id (with another it is another rule)", True),
    ]
    return Form(titled(rule), tuple(fields), (_examples(data, section, part, rule),))


def _examples(data: Any, section: str, part: str, rule: dict[str, Any]) -> Grid:
    """A row for each example; one that gives records or a whole subject is shown as it is written."""
    path = f"{part}.examples"
    examples = _entries(rule, "examples")
    simple = [_is_simple(example) for example in examples]
    columns = _columns(data)
    given = list(
        dict.fromkeys(n for e, s in zip(examples, simple, strict=True) if s for n in e.get("given") or ())
    )
    expected = {"hit": Title("应适用", "Hits")}
    if section == "rules":
        expected = {"points": Title("应得分值", "Points"), **expected}
    if section == "vetoes":
        expected = {"tier": Title("应为等级", "Tier"), **expected}
    rows = []
    for place, (example, is_simple) in enumerate(zip(examples, simple, strict=True)):
        here = f"{path}.{place}"
        if not is_simple:
            shown = _block(example)
            rows.append(Row(here, (), Field(here, Title("示例（YAML）", "Example (YAML)"), shown, "yaml")))
            continue
        cells: list[Field | None] = [_line(data, f"{here}.as_of", Title("评价基准日", "As of"))]
        cells += [_given(data, f"{here}.given.{name}", columns.get(str(name)), str(name)) for name in given]
        for name, title in expected.items():
            choices = YES_OR_NO if name == "hit" else _tiers(data) if name == "tier" else None
            field = _line(data, f"{here}.{name}", title)
            cells.append(field if choices is None else _chosen(data, field.name, title, choices, False))
        rows.append(Row(here, tuple(cells)))
    titles = [columns[n].title if n in columns else Title(str(n), str(n)) for n in given]
    heads = (Title("评价基准日", "As of"), *titles, *expected.values())
    return Grid(path, Title("示例", "Examples"), heads, tuple(rows), True)


def _is_simple(example: Any) -> bool:
    given = example.get("given") if isinstance(example, dict) else None
    is_table = isinstance(given, dict) and {"given", "as_of", "points", "hit", "tier"} >= set(example)
    return is_table and not any(isinstance(value, list | dict) for value in (given or {}).values())


def _given(data: Any, name: str, column: Column | None, called: str) -> Field:
    title = column.title if column else Title(called, called)
    is_text = column is not None and column.declared == "text"
    if column is not None and (column.values or column.declared == "boolean"):
        return _chosen(data, name, title, dict(column.values) or YES_OR_NO, is_text)
    return _line(data, name, title, is_text)


def _grades(data: Any) -> Form:
    rows = []
    for place, entry in enumerate(_entries(data, "grades")):
        here = f"grades.{place}"
        if isinstance(entry, dict):
            cells = (
                _line(data, f"{here}.tier", Title("等级", "Tier"), True),
                *_titles(data, here),
                _line(
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
            _line(data, "score.start", Title("基准分", "Start")),
            _line(data, "score.min", Title("最低分", "Least")),
            _line(data, "score.max", Title("最高分", "Most")),
        ),
        (Grid("grades", Title("等级", "Tiers"), heads, tuple(alike), False),),
    )


def _titles(data: Any, part: str) -> list[Field]:
    """The fields of a title, which may be one text for both languages."""
    if isinstance(standing_at(data, (*path_of(part), "title")), str):
        return [_line(data, f"{part}.title", Title("名称", "Title"), True)]
    return [
        _line(data, f"{part}.title.zh", Title("名称（中文）", "Title (Chinese)"), True),
        _line(data, f"{part}.title.en", Title("名称（英文）", "Title (English)"), True),
    ]


def _line(data: Any, name: str, title: Title, is_text: bool = False) -> Field:
    field = Field(name, title, "", is_text=is_text)
    around = standing_at(data, field.path[:-1])
    is_null = isinstance(around, dict) and around.get(field.path[-1], "") is None
    return Field(name, title, "null" if is_null else _shown(standing_at(data, field.path)), is_text=is_text)


def _chosen(data: Any, name: str, title: Title, choices: Mapping[str, Title], is_text: bool = True) -> Field:
    """What is written and is none of the choices is one more: nothing is changed by being shown."""
    field = _line(data, name, title, is_text)
    others = (
        {} if field.value in choices or not field.value else {field.value: Title(field.value, field.value)}
    )
    return Field(name, title, field.value, is_text=is_text, choices={**choices, **others})


def _dimensions(data: Any) -> dict[str, Title]:
    return {str(d.get("id")): titled(d) for d in _entries(data, "dimensions") if isinstance(d, dict)}


def _tiers(data: Any) -> dict[str, Title]:
    tiers = [str(e.get("tier")) for e in _entries(data, "grades") if isinstance(e, dict)]
    return {tier: Title(tier, tier) for tier in tiers}


def _columns(data: Any) -> dict[str, Column]:
    """The columns of the vocabulary that the draft names."""
    try:
        vocabulary = load_vocabulary(str(data.get("subject")))
    except UnknownPackError:
        return {}
    records = vocabulary.records.columns if vocabulary.records else {}
    return {**vocabulary.subject.columns, **records}


def _shown(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case dt.date():
            return value.isoformat()
        case Decimal() | int():
            return format(value, "f") if isinstance(value, Decimal) else str(value)
        case _:
            return value_in_line(value)


def _block(example: Any) -> str:
    """An example as people write it: a key a line, a record a line."""
    if not isinstance(example, dict):
        return _shown(example)
    lines: list[str] = []
    for key, value in example.items():
        if isinstance(value, list):
            lines += [f"{key}:", *(f"  - {_shown(entry)}" for entry in value)]
        else:
            lines.append(dumped_in_line({key: value})[1:-1])
    return "\n".join(lines)


def _as_yaml(text: str, key: str | None = None, otherwise: str | None = None) -> Any:
    """Data that were written as YAML; what is none is the text itself, for the loader to refuse."""
    try:
        data = read(text, "field").data
    except PackError:
        return text if otherwise is None else otherwise
    return data if key is None else data[key]


def parts_of(data: Any) -> Sequence[tuple[Title, list[tuple[str, Title]]]]:
    """What of a draft can be opened: groups of parts, each with its title."""
    head = [
        (HEAD, Title("版本与施行日期", "Version and days")),
        (GRADES, Title("基准分与等级", "Score and tiers")),
        (TEXT, Title("全文（含决策表、指标等）", "The whole text (with tables, measures and all)")),
    ]
    groups: list[tuple[Title, list[tuple[str, Title]]]] = [(Title("整体", "The whole"), head)]
    rules = [(n, entry) for n, entry in enumerate(_entries(data, "rules"))]
    dimensions = [entry for entry in _entries(data, "dimensions") if isinstance(entry, dict)]
    for dimension in dimensions:
        own = [(n, r) for n, r in rules if isinstance(r, dict) and r.get("dimension") == dimension.get("id")]
        groups.append((titled(dimension), [(f"rules.{n}", titled(rule)) for n, rule in own]))
    known = {str(dimension.get("id")) for dimension in dimensions}
    others = [(n, r) for n, r in rules if not isinstance(r, dict) or str(r.get("dimension")) not in known]
    groups.append((Title("未归入维度", "In no dimension"), [(f"rules.{n}", titled(r)) for n, r in others]))
    for section, title in LISTS.items():
        entries = enumerate(_entries(data, section))
        groups.append((title, [(f"{section}.{n}", titled(entry)) for n, entry in entries]))
    return [(title, parts) for title, parts in groups if parts]


def _entries(data: Any, section: str) -> list[Any]:
    entries = data.get(section)
    return entries if isinstance(entries, list) else []
