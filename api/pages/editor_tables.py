"""The forms of decision tables, measures, alerts and dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.pages.editor_fields import (
    Field,
    Form,
    Grid,
    Kind,
    Part,
    Row,
    columns_of,
    entries_of,
    line,
    shown,
    titled,
    titles_of,
)
from api.pages.editor_form import dimensions_of, examples_of
from rules.model import Title
from rules.text.source import standing_at

_HITS = {
    "unique": Title("至多一行适用（unique）", "One row at most (unique)"),
    "first": Title("取第一个适用的行（first）", "The first row that matches (first)"),
    "any": Title("适用各行结果相同（any）", "Rows that match give the same (any)"),
    "priority": Title("按结果的先后（priority）", "By the order of results (priority)"),
    "collect": Title("适用各行合并（collect）", "All rows that match (collect)"),
}
_TAKES = {
    "sum": Title("合计", "Sum"),
    "min": Title("最小", "Least"),
    "max": Title("最大", "Greatest"),
    "count": Title("个数", "Count"),
}
_GROUP_TAKES = _TAKES | {"run": Title("最长连续月数或年数", "Most months or years in a row")}
_OF_RECORDS = {
    "count": Title("记录数（records）", "Count of (records)"),
    "sum": Title("合计", "Sum of"),
    "min": Title("最小值", "Least"),
    "max": Title("最大值", "Greatest"),
    "mean": Title("平均值", "Mean"),
    "latest": Title("最近一条的值", "Value in the latest record"),
}
_OF_MEASURES = {
    "ratio": Title("比率（部分、整体）", "Ratio (part, whole)"),
    "value": Title("计算式", "Value"),
    "rank": Title("名次，按指标", "Rank by"),
    "percentile": Title("百分位，按指标", "Percentile by"),
    "peers": Title("参评数，按指标", "Number compared, by"),
}
_WINDOWED = frozenset({"within", "take", "each", "by"})
_COMPARED = frozenset({"by", "bands", "order", "fewest"})
_KINDS = {
    "count": Kind("records", _WINDOWED, "records"),
    **dict.fromkeys(("sum", "min", "max", "mean"), Kind("expression", _WINDOWED)),
    "latest": Kind("column", _WINDOWED),
    "ratio": Kind("measures", frozenset(), ["", ""]),
    "value": Kind("expression", frozenset()),
    **dict.fromkeys(("rank", "percentile", "peers"), Kind("measure", _COMPARED)),
}
_ORDERS = {"desc": Title("由大到小", "Greatest first"), "asc": Title("由小到大", "Smallest first")}


def table_form(data: Any, part: str, table: dict[str, Any]) -> Form:
    """The form of a decision table: its columns, then its rows."""
    of, gives = Part(data, part), "gives" in table
    fields = [
        *titles_of(data, part),
        *([] if gives else [of.chosen("dimension", "维度", "Dimension", dimensions_of(data))]),
        *([of.area("gives", "给出的值", "Gives", False)] if gives else []),
        of.chosen("hit", "多行适用时", "Where several rows match", _HITS),
        of.chosen("take", "合并方式（collect）", "Taken together (collect)", _TAKES),
        of.area("where", "适用范围", "Where"),
        of.line("default", "没有一行适用时", "Where no row matches", _gives_texts(table)),
    ]
    if not gives:
        fields += [
            of.line("cap", "合计上限", "Cap"),
            of.line("baseline", "应得分值", "Baseline"),
            *of.window("counts", "有效计分期", "Counts for"),
            of.line("counts.decay", "递减（linear或分段）", "Decay (linear, or steps)"),
        ]
    fields += [of.lines("basis", "依据（每行一条）", "Basis (one a line)"), of.line("id", "编号", "Id", True)]
    grids = (_inputs(of), _rows(of, table), examples_of(data, "tables", part, table))
    return Form(titled(table), tuple(fields), grids, True)


def inputs_of(table: Mapping[str, Any]) -> list[Any]:
    """What the columns of a table ask of."""
    return entries_of(table, "inputs") if "inputs" in table else [table.get("input")]


def cells_at(row: Any) -> tuple[tuple[str | int, ...], list[Any]]:
    """The cells of a table's row without its result, and where in the row they stand."""
    if isinstance(row, list):
        return (), row[:-1]
    when = row.get("when") if isinstance(row, dict) else None
    return ("when",), when if isinstance(when, list) else [when]


def _inputs(of: Part) -> Grid:
    """The columns of a table: what each asks of."""
    head = Title("取自", "Of")
    names = [f"{of.name}.inputs.{n}" for n in range(len(inputs_of(of.entry)))]
    if "inputs" not in of.entry:
        names = [f"{of.name}.input"]
    rows = [Row(name, (line(of.data, name, head, True),)) for name in names]
    adds = Title("增加一列", "Another column")
    return Grid(f"{of.name}.inputs", Title("列", "Columns"), (head,), tuple(rows), adds)


def _rows(of: Part, table: Mapping[str, Any]) -> Grid:
    inputs = [str(text) for text in inputs_of(table)]
    kinds = [_asked(of.data, text) for text in inputs]
    title = Title("结果", "Result") if "gives" in table else Title("分值", "Points")
    result = title, _gives_texts(table), _codes(table.get("gives"))
    heads = [title for title, _, _ in kinds]
    rows = []
    for place, row in enumerate(entries_of(table, "rows")):
        here = f"{of.name}.rows.{place}"
        within, cells = cells_at(row)
        if len(cells) != len(inputs) or not isinstance(row, dict | list):
            rows.append(Row(here, (), Field(here, Title("行（YAML）", "Row (YAML)"), shown(row), "yaml")))
            continue
        names = [".".join(map(str, (here, *within, n))) for n in range(len(cells))]
        if isinstance(row, dict) and not isinstance(row["when"], list):
            names = [f"{here}.when"]
        fields = [_cell(of.data, name, *kind) for name, kind in zip(names, kinds, strict=True)]
        key = len(cells) if isinstance(row, list) else "gives" if "gives" in row else "points"
        fields.append(_cell(of.data, f"{here}.{key}", *result))
        rows.append(Row(here, tuple(fields)))
    new = [*["-"] * len(inputs), None if "gives" in table else 0]
    adds = Title("增加一行", "Another row")
    return Grid(f"{of.name}.rows", Title("行", "Rows"), (*heads, title), tuple(rows), adds, new, moves=True)


def _cell(data: Any, name: str, title: Title, is_text: bool, hints: Mapping[str, Title]) -> Field:
    written = line(data, name, title).value
    return Field(name, title, written, "cell", is_text, hints=hints)


def _asked(data: Any, text: str) -> tuple[Title, bool, Mapping[str, Title]]:
    """What a column of a table is called, whether it is of texts, and the codes that it may have."""
    measure = standing_at(data, ("measures", text))
    columns = columns_of(data)
    column = columns.get(text) or columns.get(str(standing_at(measure, ("latest",))))
    if column is not None and not isinstance(measure, dict):
        return column.title, column.declared == "text", column.values
    tables = {str(table.get("id")): table for table in entries_of(data, "tables") if isinstance(table, dict)}
    if text in tables:
        return titled(tables[text]), _gives_texts(tables[text]), _codes(tables[text].get("gives"))
    title = titled(measure) if isinstance(measure, dict) else Title(text, text)
    return title, column is not None and column.declared == "text", column.values if column else {}


def _gives_texts(table: Mapping[str, Any]) -> bool:
    return isinstance(table.get("gives"), list | dict)


def _codes(gives: Any) -> dict[str, Title]:
    """The texts that a table gives, with what they are called."""
    if isinstance(gives, dict):
        return {str(code): titled({"title": title, "id": code}) for code, title in gives.items()}
    return {str(code): Title(str(code), str(code)) for code in gives} if isinstance(gives, list) else {}


def measure_form(data: Any, part: str, measure: dict[str, Any]) -> Form:
    """The form of a measure: of another kind it has other fields."""
    of = Part(data, part)
    all_kinds = _OF_RECORDS | _OF_MEASURES
    kinds = [(key, title) for key, title in all_kinds.items() if key in measure]
    fields = [*titles_of(data, part)]
    if len(kinds) == 1:
        title = Title("种类", "Kind")
        fields.append(Field(f"{part}.kind", title, kinds[0][0], "key", choices=all_kinds, kinds=_KINDS))
    fields += [of.area(key, title.zh, title.en, key not in ("ratio",)) for key, title in kinds]
    fields.append(of.area("where", "条件", "Condition"))
    if any(key in _OF_RECORDS for key, _ in kinds):
        fields += [
            *of.window("within", "期间", "Within"),
            of.line("by", "分组", "By", True),
            of.chosen("take", "各组合并为", "Taken of the groups", _GROUP_TAKES),
            of.line("each", "每组上限", "Each group at most"),
        ]
    elif any(key in ("rank", "percentile", "peers") for key, _ in kinds):
        fields += [
            of.line("by", "分组", "By", True),
            of.line("bands", "分组界限", "Bands"),
            of.chosen("order", "次序", "Order", _ORDERS),
            of.line("fewest", "每组至少", "Fewest in a group"),
        ]
    return Form(titled(measure), tuple(fields), (), True)


def alert_form(data: Any, part: str, alert: dict[str, Any]) -> Form:
    """The form of an alert, with the records that follow one another."""
    of, path = Part(data, part), f"{part}.events"
    heads = (
        Title("条件", "Condition"),
        Title("次数", "Times"),
        Title("须在此日前（日期列）", "Next one before (a date)"),
    )
    rows = [
        Row(
            f"{path}.{n}",
            tuple(
                line(data, f"{path}.{n}.{key}", title, key != "times")
                for key, title in zip(("when", "times", "stands_until"), heads, strict=True)
            ),
        )
        for n, event in enumerate(entries_of(alert, "events"))
        if isinstance(event, dict)
    ]
    events = Grid(
        path,
        Title("依次发生的记录", "Records that follow one another"),
        heads,
        tuple(rows),
        Title("增加一条", "Another one"),
        {"when": ""},
        moves=True,
    )
    fields = (
        *titles_of(data, part),
        of.line("same", "须相同的列", "Same", True),
        of.line("within.days", "期间（日）", "Within (days)"),
        of.lines("basis", "依据（每行一条）", "Basis (one a line)"),
        of.line("id", "编号", "Id", True),
    )
    return Form(titled(alert), fields, (events,), True)


def dimensions_form(data: Any) -> Form:
    """The form of all dimensions."""
    floor, ceiling = Title("下限", "Floor"), Title("上限", "Ceiling")
    rows = []
    for place, entry in enumerate(entries_of(data, "dimensions")):
        here = f"dimensions.{place}"
        if isinstance(entry, dict):
            cells = (
                line(data, f"{here}.id", Title("编号", "Id"), True),
                *titles_of(data, here),
                line(data, f"{here}.floor", floor),
                line(data, f"{here}.ceiling", ceiling),
            )
            rows.append(Row(here, cells))
    heads = tuple(cell.title for cell in rows[0].cells if cell) if rows else ()
    alike = [row for row in rows if len(row.cells) == len(heads)]
    title = Title("维度", "Dimensions")
    new = {"id": "dimension", "title": {"zh": "维度", "en": "Dimension"}}
    adds = Title("增加维度", "Another dimension")
    return Form(title, (), (Grid("dimensions", title, heads, tuple(alike), adds, new, moves=True),))
