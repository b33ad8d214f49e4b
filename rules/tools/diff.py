"""What changed from one version of a pack to another, in words and in points."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from rules.language.expressions import Level, Value, render
from rules.language.words import Words, as_written, both, dated, kind, number, plain, when_in_words, window
from rules.model import (
    OVER_GROUP,
    Alert,
    Basis,
    Column,
    Dated,
    Decision,
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
from rules.tools.book import HITS, LANES

YES, NO = Title("是", "yes"), Title("否", "no")
Fields = Mapping[str, str]
"""What is compared of one entry: the name of the field → its value in words."""

Tell = Callable[[Title], str]
"""Says a title in the languages of who reads."""

_PARTS = {
    "pack": "评价规则", "basis": "依据", "dimension": "维度", "measure": "指标", "rule": "规则",
    "table": "规则表", "decision": "决策表", "veto": "一票否决与等级限制", "consequence": "结果运用",
    "together": "并用说明",
    "alert": "预警", "remedy": "办理步骤", "grade": "等级", "supervision": "分级监管",
    "attribute": "主体属性", "column": "记录字段",
}  # fmt: skip
_FIELDS = {
    "added": "新增", "removed": "删除", "id": "编号", "version": "版本", "title": "名称",
    "note": "说明", "authority": "评价主体", "vocabulary": "主体类别", "in force from": "施行日期",
    "in force until": "失效日期", "start": "基准分", "min": "最低分", "max": "满分", "short": "简称",
    "repealed on": "废止日期", "replaced by": "替代文件", "floor": "下限", "ceiling": "上限",
    "aggregate": "计算方式", "of": "计算对象", "where": "范围原文", "where, in words": "范围",
    "window": "有效计分期", "by": "分组", "bands": "分档", "fewest": "最少主体数", "order": "排序",
    "take": "取值", "each": "每组限值",
    "dimension": "维度",
    "condition": "条件原文", "condition, in words": "条件", "points": "分值", "per": "计量",
    "cap": "合计上限", "baseline": "应得分值", "tier": "等级", "lowers": "降级数", "basis": "依据",
    "why": "理由",
    "events": "事件", "same": "相同项", "days": "天数", "changes": "办理结果", "after": "最早日期",
    "needs": "条件", "from": "最低分", "sample share": "抽查比例", "visits a year": "每年检查上限",
    "unprompted visits": "主动开展现场检查", "lending": "融资通道", "valid months": "等级有效月数",
    "measures": "监管措施", "hit policy": "取值方式", "default": "其余结果",
    "result": "结果", "type": "类型", "codes": "代码", "aliases": "别名", "format": "格式",
}  # fmt: skip
PARTS, FIELDS = ({en: Title(zh, en) for en, zh in names.items()} for names in (_PARTS, _FIELDS))
"""What the parts of a pack, and the fields of their entries, are called."""

WRITTEN = frozenset((
    "id", "vocabulary", "replaced by", "aggregate", "of", "where", "by", "order", "take", "condition", "per",
    "basis", "events", "same", "changes", "after", "type", "codes", "format", "added", "removed",
    "default", "result",
))  # fmt: skip
"""Fields that quote a pack: conditions and codes as it has them."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    :param part: the part of the pack: pack, basis, dimension, measure, rule, table, veto, consequence,
        decision (a row of a table that gives a value), together, alert, remedy, grade, supervision,
        attribute, column.
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


def compare(before: Pack, after: Pack, tell: Tell = str) -> list[Change]:
    r"""Every difference in meaning and in titles, in the order of the newer pack.

    Comments, layout and the order of entries make none.

    :param tell: how titles and phrases are said: by default in Chinese and English.

    >>> from rules.library.loader import PACKS, load_text
    >>> text = (PACKS / "tourism-credit.yaml").read_text(encoding="utf-8")
    >>> before = load_text(text, "my.yaml")
    >>> after = load_text(text.replace("points: 2\n", "points: 3\n", 1), "my.yaml")
    >>> [(change.id, change.field, change.before, change.after) for change in compare(before, after)]
    [('scheme.joined', 'points', '+2', '+3')]
    """
    old, new = _parts(before, tell), _parts(after, tell)
    return [change for part in new for change in _compared(part, old[part], new[part], tell)]


Entries = Mapping[str, tuple[str, Fields]]
"""Entries of one part by id: title and fields."""


def _compared(part: str, old: Entries, new: Entries, tell: Tell) -> Iterator[Change]:
    for key, (title, fields) in new.items():
        if key not in old:
            yield Change(part, key, title, "added", "", _summary(fields, tell))
            continue
        earlier = old[key][1]
        for field in dict.fromkeys((*earlier, *fields)):
            was, now = earlier.get(field, ""), fields.get(field, "")
            if was != now:
                yield Change(part, key, title, field, was, now)
    for key, (title, fields) in old.items():
        if key not in new:
            yield Change(part, key, title, "removed", _summary(fields, tell), "")


def _summary(fields: Fields, tell: Tell) -> str:
    return "; ".join(
        f"{tell(FIELDS[name])}: {value}" for name, value in fields.items() if value and name != "title"
    )


def _parts(pack: Pack, tell: Tell) -> dict[str, Entries]:
    vocabulary = pack.vocabulary
    return {
        "pack": {"": (tell(pack.title), _pack(pack, tell))},
        "basis": {basis.id: (basis.title, _basis(basis)) for basis in pack.bases},
        "dimension": {d.id: (tell(d.title), _dimension(d, tell)) for d in pack.dimensions},
        "measure": {m.id: (tell(m.title), _measure(pack, m, tell)) for m in pack.measures},
        **{
            part: {
                rule.id: (tell(rule.title), _rule(pack, rule, tell))
                for rule in pack.rules
                if kind(rule) == part
            }
            for part in ("rule", "table", "veto", "consequence")
        },
        "decision": _decided(pack, tell),
        "together": {
            ", ".join(t.rules): (_titles(pack, t.rules, tell), {"why": tell(t.why)}) for t in pack.together
        },
        "alert": {alert.id: (tell(alert.title), _alert(alert, tell)) for alert in pack.alerts},
        "remedy": {remedy.id: (tell(remedy.title), _remedy(remedy, tell)) for remedy in pack.remedies},
        "grade": {grade.tier: (tell(grade.title), _grade(grade, tell)) for grade in pack.grades},
        "supervision": {s.tier: (s.tier, _supervision(s, tell)) for s in pack.supervision},
        "attribute": _columns(vocabulary.subject.columns, tell),
        "column": _columns(vocabulary.records.columns if vocabulary.records else {}, tell),
    }


def _titles(pack: Pack, ids: Sequence[str], tell: Tell) -> str:
    """What rules, or tables of them, are called."""
    titles = {name: rule.title for rule in reversed(pack.rules) for name in (rule.table, rule.id) if name}
    found = [titles.get(name, Title(name, name)) for name in ids]
    return tell(Title("、".join(title.zh for title in found), ", ".join(title.en for title in found)))


def _pack(pack: Pack, tell: Tell) -> Fields:
    return {
        "id": pack.id,
        "version": pack.version,
        "title": tell(pack.title),
        "note": tell(pack.note) if pack.note else "",
        "authority": tell(pack.authority.said) if pack.authority else "",
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


def _dimension(dimension: Dimension, tell: Tell) -> Fields:
    return {
        "title": tell(dimension.title),
        "floor": number(dimension.floor),
        "ceiling": number(dimension.ceiling),
    }


def _measure(pack: Pack, measure: Measure, tell: Tell) -> Fields:
    parts = measure.parts[:1] if measure.aggregate in OVER_GROUP else measure.parts
    of_operand = measure.decision is None
    return {
        "title": tell(measure.title),
        "aggregate": measure.aggregate,
        "of": render(measure.operand) if of_operand and measure.operand else ", ".join(parts),
        "where": render(measure.where.written),
        "where, in words": tell(both(pack, lambda said: said.condition(measure.where.written))),
        "window": tell(both(pack, lambda said: window(measure.window, said))) if measure.window else "",
        "by": render(measure.by) if measure.by else "",
        "bands": ", ".join(map(plain, measure.bands)),
        "fewest": str(measure.fewest or ""),
        "order": "desc" if measure.descending else "asc",
        "take": measure.take or "",
        "each": "" if measure.each is None else plain(measure.each),
        **(_decision(measure.decision, tell) if measure.decision else {}),
    }


def _decision(table: Decision, tell: Tell) -> Fields:
    return {
        "hit policy": tell(HITS[table.take or table.hit]),
        "codes": _codes(dict(table.codes), tell),
        "default": "" if table.default is None else plain(table.default.value),
        "note": tell(table.note) if table.note else "",
        "basis": "; ".join(map(str, table.citations)),
    }


def _decided(pack: Pack, tell: Tell) -> Entries:
    """The rows of tables that give values, by table and number."""
    return {
        f"{measure.id}.{number}": (
            tell(measure.title),
            {
                "condition": render(condition),
                "condition, in words": tell(both(pack, partial(Words.condition, node=condition))),
                "result": plain(given.value),
            },
        )
        for measure in pack.measures
        for number, (condition, given) in enumerate(measure.decision.rows if measure.decision else (), 1)
    }


def _rule(pack: Pack, rule: Rule, tell: Tell) -> Fields:
    dimensions = {d.id: tell(d.title) for d in pack.dimensions}
    return {
        "title": tell(rule.title),
        "note": tell(rule.note) if rule.note else "",
        "dimension": dimensions.get(rule.dimension or "", ""),
        "condition": as_written(rule),
        "condition, in words": tell(when_in_words(pack, rule)),
        "points": _points(pack, rule.points, tell) if rule.points else "",
        "per": render(rule.per) if rule.per else "",
        "window": _window(pack, rule, tell),
        "cap": number(rule.cap),
        "baseline": number(rule.baseline),
        "tier": rule.tier or "",
        "lowers": str(rule.lowers or ""),
        "basis": "; ".join(str(citation) for citation in rule.citations),
    }


def _points(pack: Pack, points: Dated, tell: Tell) -> str:
    return tell(both(pack, lambda said: dated(points, said.language)))


def _window(pack: Pack, rule: Rule, tell: Tell) -> str:
    if rule.window is None and rule.level is Level.SUBJECT:
        return ""
    return tell(both(pack, lambda said: window(rule.window, said)))


def _alert(alert: Alert, tell: Tell) -> Fields:
    return {
        "title": tell(alert.title),
        "events": "; ".join(_event(event) for event in alert.events),
        "same": alert.same or "",
        "days": str(alert.days or ""),
        "basis": "; ".join(str(citation) for citation in alert.citations),
    }


def _event(event: Event) -> str:
    until = f" (until {render(event.stands_until)})" if event.stands_until else ""
    return render(event.when) + until


def _remedy(remedy: Remedy, tell: Tell) -> Fields:
    return {
        "title": tell(remedy.title),
        "condition": render(remedy.when),
        "changes": "; ".join(f"{name}: {_changed(value)}" for name, value in remedy.changes.items()),
        "after": render(remedy.after) if remedy.after else "",
        "needs": "; ".join(map(tell, remedy.needs)),
        "basis": "; ".join(str(citation) for citation in remedy.citations),
    }


def _changed(value: Value | None) -> str:
    return "" if value is None else plain(value)


def _grade(grade: Grade, tell: Tell) -> Fields:
    by_veto = tell(Title("仅由一票否决给出", "by vetoes alone"))
    return {"title": tell(grade.title), "from": by_veto if grade.lowest is None else number(grade.lowest)}


def _supervision(supervision: Supervision, tell: Tell) -> Fields:
    visits = supervision.visits_per_year
    return {
        "sample share": plain(supervision.sample_share),
        "visits a year": "" if visits is None else str(visits),
        "unprompted visits": tell(YES if supervision.unprompted_visits else NO),
        "lending": tell(LANES[supervision.lending]) if supervision.lending else "",
        "valid months": str(supervision.valid_months),
        "measures": "; ".join(map(tell, supervision.measures)),
    }


def _columns(columns: Mapping[str, Column], tell: Tell) -> Entries:
    return {name: (tell(column.title), _column(column, tell)) for name, column in columns.items()}


def _column(column: Column, tell: Tell) -> Fields:
    return {
        "title": tell(column.title),
        "type": column.declared,
        "codes": _codes(column.values, tell),
        "aliases": ", ".join(column.aliases),
        "format": column.format or "",
    }


def _codes(values: Mapping[str, Title], tell: Tell) -> str:
    return "; ".join(f"{code} {tell(title)}" for code, title in values.items())
