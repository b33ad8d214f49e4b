"""Conditions, windows and points in words, Chinese and English, straight from the pack's titles."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal as Choice

from rules.exact import EXACT
from rules.language.expressions import (
    DATE,
    ONE,
    TEXT,
    TRUE,
    And,
    Arithmetic,
    AsOf,
    Call,
    Case,
    Compare,
    Expression,
    In,
    IsNull,
    IsTrue,
    Like,
    Literal,
    Name,
    Not,
    Or,
    Round,
    Shift,
    Value,
    conjuncts,
    render,
)
from rules.language.spoken import spoken
from rules.model import (
    NEVER_UNKNOWN,
    SCORE,
    Column,
    Dated,
    Decay,
    Measure,
    Pack,
    Rule,
    Title,
    Vocabulary,
    Window,
)

Language = Choice["zh", "en"]
LANGUAGES: tuple[Language, Language] = ("zh", "en")
_LOOSE = (And, Or)

_ZH = {
    "=": "{0}为{1}", "<>": "{0}不为{1}", "<": "{0}小于{1}", "<=": "{0}不超过{1}", ">": "{0}大于{1}",
    ">=": "{0}不少于{1}", "before": "{0}早于{1}", "until": "{0}不晚于{1}", "after": "{0}晚于{1}",
    "since": "{0}不早于{1}", "in": "{0}为{1}之一", "not in": "{0}不在{1}之列", "null": "{0}未知",
    "unknown": "未知", "known": "{0}已知",
    "like": "{0}符合{1}", "unlike": "{0}不符合{1}",
    "not": "并非（{0}）", "and": "且", "or": "或", "item": "、", "as_of": "评价基准日",
    "coalesce": "{0}中首个已知值", "least": "{0}中最小者", "greatest": "{0}中最大者",
    "abs": "{0}的绝对值",
    "start_of_year": "{0}当年首日", "start_of_month": "{0}当月首日",
    "(": "（", ")": "）", "month": "{0}个月", "day": "{0}天",
    "+": "{0}之后{1}",
    "-": "{0}之前{1}", "is": "{0}为是", "isnt": "{0}为否", "true": "始终", "never": "从不", "value": "“{0}”",
    "yes": "是", "no": "否", ";": "，", "bounds": "{0}{1}",
    "days": "{1}至{0}的天数", "round": "{0}（四舍五入至{1}位小数）", "whole": "{0}（四舍五入至整数）",
    "each": "按{0}每{1}计", "times": "乘以{0}", "case": "{0}时为{1}", "else": "其余为{0}", "cases": "；",
}  # fmt: skip
_EN = {
    "=": "{0} is {1}", "<>": "{0} is not {1}", "<": "{0} is under {1}", "<=": "{0} is at most {1}",
    ">": "{0} is over {1}", ">=": "{0} is at least {1}", "before": "{0} is before {1}",
    "until": "{0} is no later than {1}", "after": "{0} is after {1}",
    "since": "{0} is no earlier than {1}", "in": "{0} is one of {1}", "not in": "{0} is none of {1}",
    "null": "{0} is unknown", "unknown": "unknown",
    "known": "{0} is known", "like": "{0} matches {1}", "unlike": "{0} does not match {1}",
    "not": "not ({0})", "and": " and ", "or": " or ",
    "item": ", ", "as_of": "the day of grading", "coalesce": "the first known of {0}",
    "least": "the least of {0}", "greatest": "the greatest of {0}", "abs": "the size of {0}",
    "start_of_year": "the first day of the year of {0}",
    "start_of_month": "the first day of the month of {0}", "(": "(",
    ")": ")", "month": "{0} months", "day": "{0} days", "+": "{1} after {0}", "-": "{1} before {0}",
    "is": "{0} is true", "isnt": "{0} is false", "true": "always", "never": "never", "value": "“{0}”",
    "yes": "true", "no": "false", ";": "; ", "bounds": "{0} {1}",
    "days": "the days from {1} to {0}", "round": "{0} (rounded to {1} decimals)",
    "whole": "{0} (rounded to a whole number)",
    "each": "for each {1} of {0}", "times": "times {0}", "case": "{1} where {0}", "else": "else {0}",
    "cases": "; ",
}  # fmt: skip
_PHRASES: Mapping[Language, Mapping[str, str]] = {"zh": _ZH, "en": _EN}
_SIGNS = {">=": "≥", "<=": "≤"}
_OF_DATES = {"<": "before", "<=": "until", ">": "after", ">=": "since"}


@dataclass(frozen=True, slots=True)
class Words:
    """Reads a pack's expressions aloud in one language.

    :param columns: the vocabulary's columns by name; a measure that takes a column's value has its codes.
    :param titles: name of a column or measure → its title.
    :param known: measures that are never unknown.
    """

    language: Language
    columns: Mapping[str, Column]
    titles: Mapping[str, Title]
    known: frozenset[str] = frozenset()

    def condition(self, node: Expression) -> str:
        """A condition as a phrase: codes by their titles, and each "not" at what it is about."""
        return self._phrase(spoken(node, self.known))

    def _phrase(self, node: Expression) -> str:
        match node:
            case Literal():
                return self._say("true" if node.value else "never")
            case Name() | Call():
                return self._say("is", self.value(node))
            case Not(operand=Name() | Call() as fact):
                return self._say("isnt", self.value(fact))
            case Not(operand=IsNull() as inner):
                return self._say("known", self.value(inner.operand))
            case Not(operand=In() as inner):
                return self._listed("not in", inner)
            case Not(operand=Like() as inner):
                return self._say("unlike", self.value(inner.operand), self._say("value", inner.pattern))
            case Not():
                return self._say("not", self._phrase(node.operand))
            case And():
                return self._say("and").join(self._part(part, And) for part in node.parts)
            case Or():
                before = (None, *node.parts)
                return self._say("or").join(
                    self._say("unknown") if _is_the_same(last, part) else self._part(part, Or)
                    for last, part in zip(before, node.parts, strict=False)
                )
            case IsTrue():
                return self._phrase(node.operand)
            case _:
                return self._test(node)

    def _test(self, node: Expression) -> str:
        match node:
            case Compare():
                dated = node.left.type.kind == "date" or node.right.type.kind == "date"
                key = _OF_DATES.get(node.op, node.op) if dated else node.op
                return self._say(key, self.value(node.left), self._literal(node.right, node.left))
            case In():
                return self._listed("in", node)
            case Like():
                return self._say("like", self.value(node.operand), self._say("value", node.pattern))
            case IsNull():
                return self._say("null", self.value(node.operand))
            case _:
                raise AssertionError(f"no condition: {node}")

    def _listed(self, key: str, node: In) -> str:
        listed = [self._literal(value, node.operand) for value in node.values]
        return self._say(key, self.value(node.operand), self._say("item").join(listed))

    def _part(self, part: Expression, around: type) -> str:
        said = self._phrase(part)
        return (
            f"{self._say('(')}{said}{self._say(')')}"
            if isinstance(part, _LOOSE) and type(part) is not around
            else said
        )

    def value(self, node: Expression) -> str:
        """A column, measure or computed value as a phrase."""
        match node:
            case Name():
                return self.name(node.name)
            case AsOf():
                return self._say("as_of")
            case Literal():
                return self._literal(node, node)
            case Arithmetic(left=left, right=right) if left.type == DATE:
                return self._say("days", self.value(left), self.value(right))
            case Arithmetic():
                sign = "×" if node.op == "*" else node.op
                return f"{self._operand(node.left)} {sign} {self._operand(node.right)}"
            case Round(operand=part, divisor=whole, digits=digits):
                said = self.value(part)
                if whole != ONE:
                    said = f"{self._operand(part)} ÷ {self._operand(whole)}"
                return self._say("round" if digits else "whole", said, str(digits))
            case Shift():
                return self._shift(node)
            case Call():
                return self._say(node.function, self._say("item").join(self.value(a) for a in node.arguments))
            case Case():
                cases = [self._say("case", self.condition(c), self.value(v)) for c, v in node.branches]
                last = [] if node.otherwise is None else [self._say("else", self.value(node.otherwise))]
                return self._say("cases").join([*cases, *last])
            case _:
                return self._phrase(node)

    def row(self, condition: Expression, table: str) -> str:
        """What the cells of a table's row ask for, in short: codes by their titles, bounds by their signs.

        :param table: what the table is called; an input that is called so, or the only one, is not named.
        """
        asked: dict[str, list[Expression]] = {}
        for term in conjuncts(condition):
            asked.setdefault(self._asked(term), []).append(term)
        plain_input = table if len(asked) > 1 else next(iter(asked))
        return self._say(";").join(
            self._cell(terms, "" if name == plain_input else name) for name, terms in asked.items()
        )

    def _asked(self, term: Expression) -> str:
        match term:
            case Compare(left=asked) | In(operand=asked):
                return self.value(asked)
            case _:
                return self.condition(term)

    def _cell(self, terms: Sequence[Expression], named: str) -> str:
        bounds = []
        for term in terms:
            match term:
                case Compare(left=asked, op="=", right=Literal() as value):
                    return self._bare(value, asked)
                case In(operand=asked, values=values):
                    return self._say("item").join(self._bare(value, asked) for value in values)
                case Compare(op=op, right=Literal() as value):
                    bounds.append(f"{_SIGNS.get(op, op)}{self._bare(value, value)}")
                case _:
                    return self.condition(term)
        return self._say("bounds", named, self._say("item").join(bounds)).strip()

    def _bare(self, value: Expression, beside: Expression) -> str:
        """A literal without marks around it."""
        assert isinstance(value, Literal)
        if isinstance(value.value, str) and isinstance(beside, Name):
            return self.code(beside.name, value.value)
        return f"{value.value:,}" if isinstance(value.value, int) else self._literal(value, beside)

    def name(self, name: str) -> str:
        """The title of a column or measure."""
        return getattr(self.titles[name], self.language) if name in self.titles else name

    def code(self, column: str, code: Value) -> str:
        """A code by its title, any other value as it is written."""
        values = self.columns[column].values if column in self.columns else {}
        title = values.get(str(code))
        return getattr(title, self.language) if title else plain(code)

    def per(self, node: Expression) -> str:
        """By what points are multiplied: a small part of a value as so much of it."""
        match node:
            case Arithmetic(op="*", left=value, right=Literal(value=Decimal() as part)) if 0 < part < 1:
                each = 1 / Fraction(part)
                if each.denominator == 1:
                    return self._say("each", self.value(value), self._rounded(each.numerator))
        return self._say("times", self.value(node))

    def _rounded(self, count: int) -> str:
        myriads, rest = divmod(count, 10_000)
        return f"{myriads:,}万" if self.language == "zh" and not rest else f"{count:,}"

    def _operand(self, node: Expression) -> str:
        return f"({self.value(node)})" if isinstance(node, Arithmetic) else self.value(node)

    def _literal(self, node: Expression, beside: Expression) -> str:
        if not isinstance(node, Literal):
            return self.value(node)
        if isinstance(node.value, bool):
            return self._say("yes" if node.value else "no")
        if not isinstance(node.value, str):
            return plain(node.value)
        return self._say(
            "value", self.code(beside.name, node.value) if isinstance(beside, Name) else node.value
        )

    def _shift(self, node: Shift) -> str:
        said = self.value(node.operand)
        for count, unit in ((node.months, "month"), (node.days, "day")):
            if count:
                said = self._say("+" if count > 0 else "-", said, self._say(unit, str(abs(count))))
        return said

    def _say(self, key: str, *parts: str) -> str:
        return _PHRASES[self.language][key].format(*parts)


def _is_the_same(test: Expression | None, part: Expression) -> bool:
    """Whether a part of an ``or`` asks only that what the test before it is about is unknown."""
    match test, part:
        case (
            (Compare(left=about) | In(operand=about) | Not(operand=In(operand=about))),
            IsNull(operand=same),
        ):
            return about == same
        case _:
            return False


def kind(rule: Rule) -> str:
    """The part of the pack that a rule is in: rule, table, veto or consequence."""
    if rule.table is not None:
        return "table"
    if rule.is_veto:
        return "veto"
    return "consequence" if rule.consequence else "rule"


def limit_in_words(rule: Rule) -> Title | None:
    """What a veto makes of the tier, in words; None of other rules."""
    if rule.lowers is not None:
        tiers = "tier" if rule.lowers == 1 else "tiers"
        return Title(f"等级较得分所得降{rule.lowers}级", f"{rule.lowers} {tiers} below that of the score")
    return None if rule.tier is None else Title(f"等级不高于 {rule.tier}", f"no better than {rule.tier}")


def when_in_words(pack: Pack, rule: Rule) -> Title:
    """When a rule is met: its condition and, of a veto, below which points."""
    condition = both(pack, lambda said: said.condition(rule.when.written))
    if not rule.below:
        return condition
    low = below_in_words(pack, rule)
    if rule.when.written == TRUE:
        return low
    return Title(f"{condition.zh}，且{low.zh}", f"{condition.en} and {low.en}")


def as_written(rule: Rule) -> str:
    """A rule's condition as the pack has it, and below which points a veto holds."""
    written = [] if rule.below and rule.when.written == TRUE else [render(rule.when.written)]
    return ", ".join((*written, *(f"below {name}: {number(bound)}" for name, bound in rule.below)))


def below_in_words(pack: Pack, rule: Rule) -> Title:
    """Below which points a veto holds: 得分低于60，且安全低于10."""
    titles = {d.id: d.title for d in pack.dimensions} | {SCORE: Title("得分", "the score")}
    low = [(titles[name], number(bound)) for name, bound in rule.below]
    return Title(
        "，且".join(f"{title.zh}低于{bound}分" for title, bound in low),
        " and ".join(f"{title.en} below {bound}" for title, bound in low),
    )


def words(pack: Pack, language: Language) -> Words:
    """The words of a pack in one language.

    >>> from datetime import date
    >>> from rules.library.loader import find_pack
    >>> pack = find_pack("tourism-credit", date(2026, 8, 31))
    >>> state, joined = pack.rules[0].when.written.parts
    >>> words(pack, "zh").condition(joined)
    '加入信用旅游日期之后6个月不晚于评价基准日'
    >>> words(pack, "en").condition(joined)
    '6 months after Joined the credit-tourism scheme on is no later than the day of grading'
    """
    return words_of(pack.vocabulary, pack.measures, language)


def words_of(vocabulary: Vocabulary, measures: Iterable[Measure], language: Language) -> Words:
    """:func:`words` of a pack that is not whole yet."""
    measures = tuple(measures)
    columns = dict(vocabulary.subject.columns)
    if vocabulary.records:
        columns |= vocabulary.records.columns
    titles = {name: column.title for name, column in columns.items()}
    titles |= {m.id: m.title for m in measures}
    taken = {m.id: m.operand.name for m in measures if isinstance(m.operand, Name)}
    columns |= {measure: columns[column] for measure, column in taken.items() if column in columns}
    columns |= {
        m.id: Column(m.id, TEXT, "text", m.title, dict(m.decision.codes)) for m in measures if m.decision
    }
    known = frozenset(m.id for m in measures if {m.aggregate, m.take} & NEVER_UNKNOWN)
    return Words(language, columns, titles, known)


def row_title(
    vocabulary: Vocabulary, measures: Iterable[Measure], table: Title, condition: Expression
) -> Title:
    """A row of a table by the table's title and what the row's cells ask for: 纳税缴费信用级别：A."""
    if condition == TRUE:
        return other_rows(table)
    zh, en = (words_of(vocabulary, measures, language) for language in LANGUAGES)
    return Title(f"{table.zh}：{zh.row(condition, table.zh)}", f"{table.en}: {en.row(condition, table.en)}")


def other_rows(table: Title) -> Title:
    """What a table makes of all that its other rows leave."""
    return Title(f"{table.zh}：其他", f"{table.en}: other")


def both(pack: Pack, say: Callable[[Words], str]) -> Title:
    """A phrase in both languages.

    >>> from datetime import date
    >>> from rules.library.loader import find_pack
    >>> pack = find_pack("tourism-credit", date(2026, 8, 31))
    >>> both(pack, lambda said: window(pack.rules[1].window, said))
    Title(zh='自认定日期起 24 个月内', en='for 24 months from Date')
    """
    return Title(say(words(pack, "zh")), say(words(pack, "en")))


def window(window: Window | None, said: Words) -> str:
    """When a record counts: 自认定日期起 12 个月内，按月递减."""
    zh = said.language == "zh"
    if window is None:
        return "满足条件期间" if zh else "while the condition holds"
    start = said.value(window.start)
    length = _length(window, zh)
    text = f"自{start}起{length}" if zh else f"{length} from {start}".strip()
    if window.until is not None:
        until = said.value(window.until)
        text += f"，至{until}为止" if zh else f", until {until}"
    return text + _decay(window, zh)


def _length(window: Window, zh: bool) -> str:
    if window.months:
        return f" {window.months} 个月内" if zh else f"for {window.months} months"
    if window.days:
        return f" {window.days} 天内" if zh else f"for {window.days} days"
    if window.until is None:
        return "长期有效" if zh else "for good"
    return ""


def _decay(window: Window, zh: bool) -> str:
    if not window.decay:
        return ""
    if is_linear(window):
        return "，按月递减" if zh else ", less every month"
    steps = [_step(step, zh) for step in window.decay]
    return ("，" + "，".join(steps)) if zh else (", " + ", ".join(steps))


def is_linear(window: Window) -> bool:
    """Whether the points fall evenly to nothing, a step a month."""
    months = window.months or 0
    even = tuple(Decay(k, Fraction(months - k, months)) for k in range(1, months))
    return len(even) > 1 and window.decay == even


def _step(step: Decay, zh: bool) -> str:
    share = plain(EXACT.divide(Decimal(step.keep.numerator * 100), Decimal(step.keep.denominator)))
    return f"满 {step.months} 个月后计 {share}%" if zh else f"{share} % after {step.months} months"


def number(hundredths: int | None) -> str:
    """Hundredths as points; nothing for None.

    >>> number(7950), number(-50), number(None)
    ('79.5', '-0.5', '')
    """
    if hundredths is None:
        return ""
    return plain(Decimal(hundredths).scaleb(-2))


def signed(hundredths: int) -> str:
    """Points with their sign: +4, −2.5 as -2.5, 0.

    >>> signed(400), signed(-250), signed(0)
    ('+4', '-2.5', '0')
    """
    return f"+{number(hundredths)}" if hundredths > 0 else number(hundredths)


def dated(points: Dated, language: Language) -> str:
    """Points with the dates on which they come into force."""
    if len(points.steps) == 1 and points.steps[0][0] == dt.date.min:
        return signed(points.steps[0][1] or 0)
    if language == "zh":
        return "；".join(
            f"{day} 起 {'停用' if value is None else signed(value)}" for day, value in points.steps
        )
    return "; ".join(
        f"{'ended' if value is None else signed(value)} from {day}" for day, value in points.steps
    )


def plain(value: Value) -> str:
    """A value as people write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(EXACT.normalize(value), "f") if value else "0"
    return str(value)
