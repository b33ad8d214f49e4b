"""The rule book: a pack as people read it, Chinese with English beside, straight from the pack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rules.identity import identity
from rules.language.expressions import Call, Expression, conjunction, conjuncts
from rules.language.words import (
    as_written,
    both,
    dated,
    kind,
    limit_in_words,
    number,
    plain,
    when_in_words,
    window,
)
from rules.model import (
    OVER_GROUP,
    OWN_CHOICE_TITLE,
    Aggregate,
    Alert,
    Basis,
    Column,
    Decision,
    Dimension,
    Measure,
    Pack,
    Remedy,
    Rule,
)
from rules.titles import Title
from rules.tools.documents import Block, Cell, Code, Grid, Heading, Paragraph

LANES = {
    "fast": Title("快速通道", "fast lane"),
    "normal": Title("一般通道", "normal lane"),
    "careful": Title("审慎通道", "careful lane"),
    "none": Title("不予推荐", "not recommended"),
}
HITS = {
    "unique": Title("至多一行匹配", "one row at most matches"),
    "first": Title("第一个匹配的行", "the first row that matches"),
    "any": Title("任一匹配的行，结果相同", "any row that matches: they give the same"),
    "priority": Title("匹配的行中排在最前的结果", "of the rows that match the result that is listed first"),
    "sum": Title("匹配各行之和", "the sum of the rows that match"),
    "min": Title("匹配各行中最小的", "the least of the rows that match"),
    "max": Title("匹配各行中最大的", "the greatest of the rows that match"),
    "count": Title("匹配的行数", "how many rows match"),
}
"""What a table gives of the rows that match, by its hit policy or by what it takes of them all."""

AGGREGATES = {
    Aggregate.COUNT: "计数 count",
    Aggregate.SUM: "合计 sum",
    Aggregate.MIN: "最小值 least",
    Aggregate.MAX: "最大值 greatest",
    Aggregate.MEAN: "平均值 mean",
    Aggregate.LATEST: "最近一次 latest",
    Aggregate.RATIO: "比率 ratio",
    Aggregate.RANK: "名次 rank",
    Aggregate.PEERS: "参评数 number ranked",
    Aggregate.PERCENTILE: "百分位 percentile",
    Aggregate.VALUE: "计算值 computed",
}
_RUNS = {
    "start_of_month": "最长连续月数 the most months in a row",
    "start_of_year": "最长连续年数 the most years in a row",
}


TYPES = {
    "text": "文本 text",
    "integer": "整数 whole number",
    "decimal": "小数 number",
    "date": "日期 date",
    "boolean": "是否 yes or no",
}
_OTHERS = {"veto": "一票否决与等级限制 Vetoes and limits of the tier", "consequence": "结果运用 Consequences"}


def rule_book(pack: Pack) -> tuple[Block, ...]:
    """The pack as a document: score and grades, every rule with its condition in words, the bases.

    The same pack always gives the same document.

    >>> from datetime import date
    >>> from rules.library.loader import find_pack
    >>> from rules.titles import Title
    >>> from rules.tools.documents import markdown
    >>> markdown(rule_book(find_pack("tourism-credit", date(2026, 8, 31)))).splitlines()[0]
    '# 信用旅游商户评价 Tourism merchant credit grading'
    """
    return tuple(_blocks(pack))


def _blocks(pack: Pack) -> Iterator[Block]:
    yield Heading(1, str(pack.title))
    if pack.note is not None:
        yield Paragraph(f"使用须知 Before use：{pack.note}")
    yield from _front(pack)
    yield from _grades(pack)
    yield from _supervision(pack)
    yield from _measures(pack)
    for dimension in pack.dimensions:
        yield from _dimension(pack, dimension)
    for part, heading in _OTHERS.items():
        others = [rule for rule in pack.rules if kind(rule) == part]
        if others:
            yield Heading(2, heading)
            for rule in others:
                yield from _rule(pack, rule)
    yield from _together(pack)
    yield from _alerts(pack)
    yield from _remedies(pack)
    yield from _limits(pack)
    yield from _bases(pack)
    yield from _vocabulary(pack)


def _front(pack: Pack) -> Iterator[Block]:
    until = pack.in_force_until
    force = f"{pack.in_force_from} 起施行 in force from" + (f"，至 {until} 前 until" if until else "")
    score = pack.score
    made_by = (("评价主体 Authority", str(pack.authority.said)),) if pack.authority else ()
    yield Grid(
        ("项目 Item", "内容 Content"),
        (
            ("评价规则 Pack", f"{pack.id} {pack.version}"),
            *made_by,
            ("评价对象 Subject", str(pack.vocabulary.title)),
            ("有效期 In force", force),
            ("基准分 Start", number(score.start)),
            ("得分范围 Scores", f"{number(score.min)}—{number(score.max)}"),
            ("规则数 Rules", str(len(pack.rules))),
            ("规则校验码（哈希值） Content hash", Code(identity(pack))),
        ),
    )


def _grades(pack: Pack) -> Iterator[Block]:
    yield Heading(2, "信用等级 Grades")
    bound = None
    rows = []
    for grade in pack.grades:
        reach = "仅由一票否决给出 by a veto alone"
        if grade.lowest is not None:
            reach = f"≥ {number(grade.lowest)}" + ("" if bound is None else f" 且 and < {number(bound)}")
            bound = grade.lowest
        rows.append((grade.tier, str(grade.title), reach))
    yield Grid(("等级 Tier", "名称 Title", "得分 Score"), tuple(rows))


def _supervision(pack: Pack) -> Iterator[Block]:
    if not pack.supervision:
        return
    yield Heading(2, "分级监管 Supervision")
    rows = tuple(
        (
            s.tier,
            f"{plain(s.sample_share * 100)}%",
            "不限 no limit" if s.visits_per_year is None else str(s.visits_per_year),
            "是 yes" if s.unprompted_visits else "否 no",
            str(LANES[s.lending]) if s.lending else "—",
            f"{s.valid_months} 个月 months",
            "；".join(map(str, s.measures)),
        )
        for s in pack.supervision
    )
    yield Grid(
        (
            "等级 Tier",
            "抽查比例 Sampling",
            "每年检查上限 Visits a year",
            "主动检查 Unprompted visits",
            "融资 Lending",
            "有效期 Valid",
            "措施 Measures",
        ),
        rows,
    )


def _measures(pack: Pack) -> Iterator[Block]:
    if not pack.measures:
        return
    yield Heading(2, "指标 Measures")
    rows = tuple(
        (str(m.title), AGGREGATES[m.aggregate], _of(pack, m), _where(pack, m), _within(pack, m), Code(m.id))
        for m in pack.measures
    )
    yield Grid(("指标 Measure", "算法 How", "对象 Of", "范围 Where", "期间 Window", "名称 Name"), rows)
    for measure in pack.measures:
        if measure.decision is not None:
            yield from _decision(pack, measure, measure.decision)


def _decision(pack: Pack, measure: Measure, table: Decision) -> Iterator[Block]:
    """A table that gives a value, row by row."""
    yield Heading(3, str(measure.title))
    shared: list[tuple[str, Cell]] = [("编号 Id", Code(measure.id))]
    shared.append(("取值方式 Hit policy", str(HITS[table.take or table.hit])))
    if table.codes:
        shared.append(("结果 Results", "；".join(f"{title}（{code}）" for code, title in table.codes)))
    if table.note is not None:
        shared.append(("说明 Note", str(table.note)))
    shared.append(("依据 Basis", _cited(pack, table)))
    yield Grid(("项目 Item", "内容 Content"), tuple(shared))
    titles = dict(table.codes)
    rows = [(_joined(pack, conjuncts(condition)), given) for condition, given in table.rows]
    rows += [("其余 anything else", table.default)] if table.default is not None else []
    lines = ((said, str(titles.get(str(given.value), plain(given.value)))) for said, given in rows)
    yield Grid(("条件 Condition", "结果 Result"), tuple(lines))


def _of(pack: Pack, measure: Measure) -> str:
    if measure.decision is not None:
        return "见下表 the table below"
    titles = {m.id: str(m.title) for m in pack.measures}
    if measure.aggregate in OVER_GROUP:
        return f"{titles[measure.parts[0]]}{_among(pack, measure)}"
    if measure.aggregate is Aggregate.RATIO:
        return " ÷ ".join(titles[part] for part in measure.parts)
    operand = measure.operand
    text = "记录 records" if operand is None else str(both(pack, lambda said: said.value(operand)))
    if measure.by is None or measure.take is None:
        return text
    by = measure.by
    if measure.take is Aggregate.RUN and isinstance(by, Call):
        date = both(pack, lambda said: said.value(by.arguments[0]))
        return f"{text}，按 by {date} 计{_RUNS[by.function]}"
    each = "" if measure.each is None else f"，每组限 each held at {plain(measure.each)}"
    return f"{text}，按 by {both(pack, lambda said: said.value(by))} 分组取 {AGGREGATES[measure.take]}{each}"


def _among(pack: Pack, measure: Measure) -> str:
    """How subjects are compared, and with whom."""
    said, by = [], measure.by
    if measure.aggregate is not Aggregate.PEERS:
        said.append("从高到低 greatest first" if measure.descending else "从低到高 least first")
    if by is not None:
        bands = "".join(f" ≥{plain(bound)}" for bound in measure.bands)
        words = both(pack, lambda words: words.value(by))
        said.append(f"按 by {words}{f' 分档 in bands{bands}' if bands else ''} 分组")
    if measure.fewest is not None:
        said.append(f"每组至少 of at least {measure.fewest} 个主体 subjects")
    return f"（{'，'.join(said)}）" if said else ""


def _where(pack: Pack, measure: Measure) -> str:
    return str(both(pack, lambda said: said.condition(measure.where.written)))


def _within(pack: Pack, measure: Measure) -> str:
    return str(both(pack, lambda said: window(measure.window, said))) if measure.window else ""


def _dimension(pack: Pack, dimension: Dimension) -> Iterator[Block]:
    rules = [rule for rule in pack.rules if rule.dimension == dimension.id]
    if not rules:
        return
    yield Heading(2, str(dimension.title))
    bounds = [("最低 floor", dimension.floor), ("最高 ceiling", dimension.ceiling)]
    limits = [f"{name} {number(bound)}" for name, bound in bounds if bound is not None]
    if limits:
        yield Paragraph(f"本项合计 The sum of this part：{'，'.join(limits)}")
    for table, group in groupby(rules, key=lambda rule: rule.table):
        if table is None:
            for rule in group:
                yield from _rule(pack, rule)
        else:
            yield from _table(pack, table, list(group))


def _rule(pack: Pack, rule: Rule) -> Iterator[Block]:
    yield Heading(3, str(rule.title))
    rows: list[tuple[str, Cell]] = [("编号 Id", Code(rule.id))]
    rows.append(("条件 Condition", str(when_in_words(pack, rule))))
    rows.append(("条件原文 As written", Code(as_written(rule))))
    rows.append(("结果 Result", _result(pack, rule)))
    rows += _terms(pack, rule)
    yield Grid(("项目 Item", "内容 Content"), tuple(rows))


def _result(pack: Pack, rule: Rule) -> str:
    if rule.tier is not None:
        return f"等级不高于 tier no better than {rule.tier}"
    if rule.is_veto:
        return str(limit_in_words(rule))
    if rule.consequence:
        return str(rule.title)
    points = _points(rule)
    if rule.per is None:
        return points
    per = rule.per
    return f"{points}，{both(pack, lambda said: said.per(per))}"


def _points(rule: Rule) -> str:
    if rule.points is None:
        return ""
    zh, en = dated(rule.points, "zh"), dated(rule.points, "en")
    return f"{zh} 分 points" if zh == en else f"{zh}（{en}）"


def _terms(pack: Pack, rule: Rule) -> Iterator[tuple[str, Cell]]:
    """What a rule, or all rows of a table, say besides condition and points."""
    if rule.note is not None and rule.table is None:
        yield "说明 Note", str(rule.note)
    yield "有效计分期 Counts", str(both(pack, lambda said: window(rule.window, said)))
    if rule.cap is not None:
        yield "合计上限 Cap", number(rule.cap)
    if rule.baseline is not None:
        yield "应得分值 Baseline", number(rule.baseline)
    yield "依据 Basis", _cited(pack, rule)


def _table(pack: Pack, table: str, rows: Sequence[Rule]) -> Iterator[Block]:
    common = _common([rule.when.written for rule in rows])
    yield Heading(3, str(pack.tables[table]))
    shared: list[tuple[str, Cell]] = [("编号 Id", Code(table))]
    if common:
        shared.append(("共同条件 In every row", _joined(pack, common)))
    yield Grid(("项目 Item", "内容 Content"), (*shared, *_terms(pack, rows[0])))
    lines = [
        (
            rule.id,
            str(rule.title),
            _joined(pack, _rest(rule, common)),
            _points(rule),
            _cited(pack, rule),
            str(rule.note or ""),
        )
        for rule in rows
    ]
    columns = ("行 Row", "名称 Title", "条件 Condition", "分值 Points", "依据 Basis", "说明 Note")
    same_basis = len({rule.citations for rule in rows}) == 1
    empty = {4} if same_basis else set()
    empty |= {5} if all(rule.note is None for rule in rows) else set()
    kept = [number for number in range(len(columns)) if number not in empty]
    yield Grid(tuple(columns[n] for n in kept), tuple(tuple(line[n] for n in kept) for line in lines))


def _cited(pack: Pack, rule: Rule | Alert | Remedy | Decision) -> str:
    return "；".join(pack.cite(citation).zh for citation in rule.citations)


def _rest(rule: Rule, common: Sequence[Expression]) -> list[Expression]:
    return [term for term in conjuncts(rule.when.written) if term not in common]


def _common(conditions: Sequence[Expression]) -> list[Expression]:
    """The terms that all rows share; none where there is one row."""
    if len(conditions) == 1:
        return []
    return [
        term for term in conjuncts(conditions[0]) if all(term in conjuncts(other) for other in conditions)
    ]


def _joined(pack: Pack, terms: Sequence[Expression]) -> str:
    return _said(pack, conjunction(tuple(terms))) if terms else "其余 anything else"


def _together(pack: Pack) -> Iterator[Block]:
    if not pack.together:
        return
    yield Heading(2, "一事多计 One fact, several rules")
    yield Paragraph("同一事实可以同时计入的规则及理由。Which rules one fact may meet on purpose, and why.")
    titles = {rule.id: rule.title for rule in pack.rules} | dict(pack.tables)
    rows = tuple(
        ("；".join(f"{titles[name]}（{name}）" for name in entry.rules), str(entry.why))
        for entry in pack.together
    )
    yield Grid(("规则 Rules", "理由 Why"), rows)


def _limits(pack: Pack) -> Iterator[Block]:
    """How long the law lets records count, whatever the rules say."""
    vocabulary = pack.vocabulary
    if not vocabulary.limits or vocabulary.records is None:
        return
    yield Heading(2, "法定期限 Limits that law sets")
    rows = []
    for limit in vocabulary.limits:
        ends = (
            []
            if limit.months is None
            else [f"最长 {limit.months} 个月 months" if limit.months else "不得计入 never"]
        )
        ends += [f"至 until {vocabulary.records.columns[limit.until].title}"] if limit.until else []
        rows.append((_said(pack, limit.when), "；".join(ends), str(limit.because)))
    yield Grid(("信息 Records", "计入 Counted", "依据 Basis"), tuple(rows))


def _alerts(pack: Pack) -> Iterator[Block]:
    if not pack.alerts:
        return
    yield Heading(2, "预警 Alerts")
    rows = tuple(
        (
            str(alert.title),
            _events(pack, alert),
            _bond(pack, alert),
            _cited(pack, alert),
        )
        for alert in pack.alerts
    )
    yield Grid(("预警 Alert", "先后出现 One after another", "要求 Bond", "依据 Basis"), rows)


def _remedies(pack: Pack) -> Iterator[Block]:
    if not pack.remedies:
        return
    yield Heading(2, "改进途径 Remedies")
    rows = tuple(
        (
            str(remedy.title),
            _said(pack, remedy.when),
            _valued(pack, remedy.after) if remedy.after else "随时 any day",
            "；".join(map(str, remedy.needs)) or "—",
            _cited(pack, remedy),
        )
        for remedy in pack.remedies
    )
    yield Grid(("途径 Remedy", "适用 For", "最早 Not before", "条件 Needs", "依据 Basis"), rows)


def _valued(pack: Pack, value: Expression) -> str:
    return str(both(pack, lambda said: said.value(value)))


def _events(pack: Pack, alert: Alert) -> str:
    return " → ".join(_said(pack, event.when) for event in alert.events)


def _bond(pack: Pack, alert: Alert) -> str:
    bonds = [f"{alert.days} 天内 within days"] if alert.days else []
    if alert.same:
        same = alert.same
        bonds.append(f"同一 same {both(pack, lambda said: said.name(same))}")
    return "；".join(bonds)


def _said(pack: Pack, condition: Expression) -> str:
    return str(both(pack, lambda said: said.condition(condition)))


def _bases(pack: Pack) -> Iterator[Block]:
    yield Heading(2, "依据 Bases")
    cited: dict[str, list[str]] = {basis.id: [] for basis in pack.bases}
    for rule in pack.rules:
        for citation in rule.citations:
            cited.setdefault(citation.basis, []).append(rule.table or rule.id)
    others = {m.id: m.decision.citations for m in pack.measures if m.decision}
    others |= {entry.id: entry.citations for entry in pack.alerts}
    others |= {entry.id: entry.citations for entry in pack.remedies}
    for name, citations in others.items():
        for citation in citations:
            cited.setdefault(citation.basis, []).append(name)
    titles = {basis.id: _document(pack, basis) for basis in pack.bases}
    rows = tuple(
        (titles.get(basis, str(OWN_CHOICE_TITLE)), "、".join(dict.fromkeys(rules)) or "—")
        for basis, rules in cited.items()
    )
    yield Grid(("文件 Document", "规则 Rules"), rows)


def _vocabulary(pack: Pack) -> Iterator[Block]:
    """The words that conditions are written in: every column with its codes, and what people call them."""
    for heading, table in (
        ("主体的属性 Columns of a subject", pack.vocabulary.subject),
        ("记录的栏目 Columns of a record", pack.vocabulary.records),
    ):
        if table is not None:
            yield Heading(2, heading)
            rows = tuple(
                (str(column.title), _codes(column), TYPES[column.declared], Code(column.name))
                for column in table.columns.values()
            )
            yield Grid(("栏目 Column", "代码 Codes", "类型 Type", "名称 Name"), rows)


def _codes(column: Column) -> str:
    return "；".join(f"{title}（{code}）" for code, title in column.values.items()) or "—"


def _document(pack: Pack, basis: Basis) -> str:
    """A document's title and the days on which it is law, as far as the pack says."""
    parts = [f"{basis.in_force_from} 起施行 in force"] if basis.in_force_from else []
    if basis.repealed_on:
        after = {other.id: other.short for other in pack.bases}.get(basis.replaced_by or "")
        parts.append(
            f"{basis.repealed_on} 废止 repealed" + (f"，由{after}替代 replaced by it" if after else "")
        )
    return basis.title + (f"；{'；'.join(parts)}" if parts else "")
