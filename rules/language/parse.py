"""From a condition's text to a typed expression: sqlglot parses, what is allowed is copied."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, reduce

import sqlglot
from sqlglot import TokenType, exp
from sqlglot.errors import SqlglotError

from rules.calendar import day_of
from rules.language.expressions import (
    BOOLEAN,
    DATE,
    DAYS,
    MAX_DIGITS,
    ONE,
    TEXT,
    TOTAL,
    And,
    Arithmetic,
    AsOf,
    Call,
    Compare,
    Expression,
    In,
    IsNull,
    Kind,
    Like,
    Literal,
    Name,
    Not,
    Or,
    Round,
    Shift,
    Type,
    Value,
    reads_as_of,
    walk,
)
from rules.nearest import one_of
from rules.titles import Title

MAX_LENGTH = 2_000
MAX_DEPTH = 40
_COMPARISONS: Mapping[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_ARITHMETIC: Mapping[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*"}
_FUNCTIONS: Mapping[type[exp.Expr], str] = {
    exp.Coalesce: "coalesce",
    exp.Least: "least",
    exp.Greatest: "greatest",
    exp.Abs: "abs",
}
_DATE_FUNCTIONS = ("start_of_year", "start_of_month")
_PARTS = frozenset(
    {
        "this",
        "expression",
        "expressions",
        "low",
        "high",
        "symmetric",
        "query",
        "table",
        "quoted",
        "to",
        "is_string",
    }
    | {"ignore_nulls", "unit", "decimals"}
)
_TEXTS = (TokenType.STRING, TokenType.IDENTIFIER)
_LOOKALIKES = str.maketrans("‘’“”＇＂（），；＝＜＞＋－＊×／÷", "'" * 6 + "(),;=<>+-**//")
_MONTHS = {"MONTH": 1, "MONTHS": 1, "YEAR": 12, "YEARS": 12}
_DAYS = {"DAY": 1, "DAYS": 1, "WEEK": 7, "WEEKS": 7}
_MAX_INTERVAL = 12_000
_MAX_DECIMALS = 8
_ROUNDED = "round(part * 100 / whole, 2)"


@dataclass(frozen=True, slots=True)
class Scope:
    """The names that a condition may use, and the values that a text column may take.

    :param names: name → the column or measure it stands for.
    :param values: name → the codes the vocabulary lists for it, with their titles, where it lists any.
    """

    names: Mapping[str, Name]
    values: Mapping[str, Mapping[str, Title]]


class ConditionError(Exception):
    """What is wrong with a condition.

    :param offset: the place in the condition's text, counted from 0; None where it is not known.
    :param text: the offending part of it.
    """

    def __init__(self, message: str, hint: str = "", offset: int | None = None, text: str = "") -> None:
        super().__init__(message)
        self.message, self.hint, self.offset, self.text = message, hint, offset, text


class UndeclaredNameError(ConditionError):
    """A condition names what nothing declares; ``text`` is the name."""


def parse_condition(text: str, scope: Scope) -> Expression:
    """A boolean expression over the names of ``scope``.

    :raises ConditionError: on text that is not one allowed, well-typed condition.

    >>> from rules.language.expressions import INTEGER, Level, Name, render
    >>> scope = Scope({"beds": Name("beds", Level.SUBJECT, INTEGER)}, {})
    >>> render(parse_condition("beds BETWEEN 10 AND 20", scope))
    'beds >= 10 and beds <= 20'
    >>> parse_condition("rooms >= 10", scope)
    Traceback (most recent call last):
        ...
    rules.language.parse.UndeclaredNameError: nothing declares the name rooms
    """
    node = parse_expression(text, scope)
    if node.type != BOOLEAN:
        raise ConditionError(f"this is a {node.type}, not a condition", "a comparison such as amount > 1000")
    return node


def parse_expression(text: str, scope: Scope) -> Expression:
    """An expression of any type over the names of ``scope``.

    :raises ConditionError: on text that is not one allowed, well-typed expression.

    >>> from rules.language.expressions import DATE, Level, Name
    >>> scope = Scope({"joined_on": Name("joined_on", Level.SUBJECT, DATE)}, {})
    >>> str(parse_expression("joined_on + interval 6 month", scope).type)
    'date'
    """
    if len(text) > MAX_LENGTH:
        raise ConditionError(
            f"longer than {MAX_LENGTH} characters", "split it into several rules, or use a table"
        )
    try:
        _check_written(text)
        return _Copier(scope, text).copy(_tree(text))
    except SqlglotError as error:
        raise _syntax_error(error, text) from None
    except RecursionError:
        raise ConditionError("nested too deeply", f"at most {MAX_DEPTH} levels") from None


def _check_written(text: str) -> None:
    """Refuses what sqlglot passes over in silence, lest a condition mean less than a reader sees in it."""
    end = 0
    tokens = sqlglot.tokenize(text, dialect="duckdb")
    for token in tokens:
        _check_between(text, end, token.start)
        end = token.end + 1
        if token.token_type not in _TEXTS:
            _check_signs(text, token.start, end)
    _check_between(text, end, len(text))
    if tokens and tokens[-1].token_type is TokenType.SEMICOLON:
        raise ConditionError("a ';' in a condition", "one condition, without it", tokens[-1].start, ";")


def _check_between(text: str, start: int, end: int) -> None:
    """Between two words of a condition stands white space alone."""
    comment = text[start:end].strip()
    if comment:
        hint = "the rule's note, or a line of YAML's own: # …"
        raise ConditionError("a comment in a condition", hint, text.index(comment, start), comment)


def _check_signs(text: str, start: int, end: int) -> None:
    """Quotes and signs of Chinese typing are none of SQL's."""
    for place, sign in enumerate(text[start:end], start):
        plain = sign.translate(_LOOKALIKES)
        if plain != sign:
            raise ConditionError(f"{sign} is none of SQL's signs", f"write {plain}", place, sign)


def _tree(text: str) -> exp.Expr:
    """The text as an expression, never as a statement."""
    return sqlglot.parse_one(text, into=exp.Condition, dialect="duckdb")


@cache
def is_plain_name(name: str) -> bool:
    """Whether a condition can use the name without quotes: whether it is no word of SQL's own."""
    try:
        tree = _tree(f"{name} = {name}")
    except SqlglotError:
        return False
    return (
        isinstance(tree, exp.EQ) and isinstance(tree.left, exp.Column) and isinstance(tree.right, exp.Column)
    )


def _syntax_error(error: SqlglotError, text: str) -> ConditionError:
    details = getattr(error, "errors", None) or [{}]
    first = details[0]
    offset = 0
    if first.get("line"):
        lines = text.splitlines(keepends=True)
        ahead = sum(len(line) for line in lines[: first["line"] - 1])
        offset = max(0, ahead + first["col"] - len(first.get("highlight") or ""))
    found = first.get("highlight") or ""
    return ConditionError(
        "this can't be read as a condition", "SQL such as: kind = 'penalty' and amount >= 1000", offset, found
    )


class _Copier:
    """Copies a sqlglot tree into the closed set of nodes, checking types on the way."""

    def __init__(self, scope: Scope, source: str) -> None:
        self.scope, self.source = scope, source
        self.depth = 0

    def copy(self, node: exp.Expr) -> Expression:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ConditionError("nested too deeply", f"at most {MAX_DEPTH} levels")
        try:
            copied = self._copy(node)
            _check_complete(node)
            return copied
        except ConditionError as error:
            self._locate(error, node)
            raise
        finally:
            self.depth -= 1

    def _locate(self, error: ConditionError, node: exp.Expr) -> None:
        """Gives the error its text and place: as written, where sqlglot knows it or where it can be found."""
        written = error.text or node.sql(dialect="duckdb")
        found = self.source.lower().find(written.lower())
        if error.offset is None:
            error.offset = _offset(node) if found < 0 else found
        if not error.text and found >= 0:
            error.text = self.source[found : found + len(written)]

    def _copy(self, node: exp.Expr) -> Expression:
        match node:
            case exp.Paren():
                return self.copy(node.this)
            case exp.And() | exp.Or():
                return self._connective(node)
            case exp.Not():
                return Not(self._boolean(node.this))
            case exp.EQ() | exp.NEQ() | exp.LT() | exp.LTE() | exp.GT() | exp.GTE():
                return self._compare(
                    _COMPARISONS[type(node)], self.copy(node.this), self.copy(node.expression)
                )
            case exp.Between():
                return self._between(node)
            case exp.In():
                return self._in(node)
            case exp.Is():
                return self._is(node)
            case exp.Like():
                return self._like(node)
            case exp.Add() | exp.Sub() | exp.Mul():
                return self._arithmetic(node)
            case exp.Round():
                return self._round(node)
            case exp.Coalesce() | exp.Least() | exp.Greatest() | exp.Abs():
                return self._call(node)
            case exp.Column():
                return self._name(node)
            case exp.Anonymous() if node.name.lower() in _DATE_FUNCTIONS:
                return self._date_function(node)
            case _:
                return self._literal(node)

    def _connective(self, node: exp.Expr) -> Expression:
        connective = type(node)
        parts = [self._boolean(part) for part in node.flatten()]
        joined: type[And] | type[Or] = And if connective is exp.And else Or
        return joined(
            tuple(term for part in parts for term in (part.parts if isinstance(part, joined) else (part,)))
        )

    def _boolean(self, node: exp.Expr) -> Expression:
        copied = self.copy(node)
        if copied.type != BOOLEAN:
            raise ConditionError(
                f"a {copied.type} where a condition is needed", "compare it with something", _offset(node)
            )
        return copied

    def _compare(self, op: str, left: Expression, right: Expression) -> Expression:
        left, right = _as_date(left, right), _as_date(right, left)
        _same_kind(left, right)
        if left.type.kind in (Kind.TEXT, Kind.BOOLEAN) and op not in ("=", "<>"):
            raise ConditionError(f"'{op}' on {left.type} values", "= or <>, or in (…) for several values")
        for name, value in ((left, right), (right, left)):
            self._check_value(name, value)
        return Compare(op, left, right)

    def _check_value(self, name: Expression, value: Expression) -> None:
        if not (isinstance(name, Name) and isinstance(value, Literal)):
            return
        allowed = self.scope.values.get(name.name)
        if allowed is not None and value.value not in allowed:
            raise ConditionError(
                f"{name.name} never has the value '{value.value}'",
                one_of(str(value.value), allowed),
                text=f"'{value.value}'",
            )

    def _between(self, node: exp.Between) -> Expression:
        if node.args.get("symmetric"):
            raise ConditionError("'between symmetric' is not in the language", "x between low and high")
        operand = self.copy(node.this)
        low, high = self.copy(node.args["low"]), self.copy(node.args["high"])
        return And((self._compare(">=", operand, low), self._compare("<=", operand, high)))

    def _in(self, node: exp.In) -> Expression:
        if node.args.get("query") is not None or not node.expressions:
            raise ConditionError("'in' takes a list of values", "kind in ('penalty', 'award')")
        operand = self.copy(node.this)
        values: list[Literal] = []
        for item in node.expressions:
            value = _as_date(self.copy(item), operand)
            if not isinstance(value, Literal):
                raise ConditionError("'in' takes values only", "kind in ('penalty', 'award')", _offset(item))
            _same_kind(operand, value)
            self._check_value(operand, value)
            if all(value.value != other.value for other in values):
                values.append(value)
        _widest([operand, *values])
        return In(operand, tuple(values))

    def _is(self, node: exp.Is) -> Expression:
        if not isinstance(node.expression, exp.Null):
            raise ConditionError("'is' goes with null alone", "x is null, or x is not null")
        return IsNull(self.copy(node.this))

    def _like(self, node: exp.Like) -> Expression:
        operand, pattern = self.copy(node.this), self.copy(node.expression)
        if operand.type != TEXT or not isinstance(pattern, Literal) or pattern.type != TEXT:
            raise ConditionError("'like' matches a text with a pattern", "document_no like '渝%'")
        if "\\" in str(pattern.value):
            raise ConditionError("a backslash in a pattern", "% for any text, _ for one character")
        like = Like(operand, str(pattern.value))
        return Not(like) if node.args.get("negate") else like

    def _arithmetic(self, node: exp.Expr) -> Expression:
        op = _ARITHMETIC[type(node)]
        if isinstance(node.expression, exp.Interval):
            return self._shift(node, 1 if op == "+" else -1)
        left, right = self.copy(node.this), self.copy(node.expression)
        left, right = _as_date(left, right), _as_date(right, left)
        if op == "-" and left.type == right.type == DATE:
            return _days_between(left, right)
        for side in (left, right):
            if side.type.kind is not Kind.NUMBER:
                raise ConditionError(
                    f"'{op}' on a {side.type}",
                    "numbers; a date moves by an interval: due_on + interval 3 month",
                )
        return Arithmetic(op, left, right, _arithmetic_type(op, left.type, right.type))

    def _round(self, node: exp.Round) -> Expression:
        digits, quotient = node.args.get("decimals"), node.this.unnest()
        if not (isinstance(digits, exp.Literal) and digits.is_int and int(digits.name) <= _MAX_DECIMALS):
            raise ConditionError(f"round needs its digits, 0 to {_MAX_DECIMALS}", _ROUNDED)
        parts = [quotient.this, quotient.expression] if isinstance(quotient, exp.Div) else [quotient]
        operand, divisor = [self.copy(part) for part in parts] + [ONE] * (2 - len(parts))
        for side in (operand, divisor):
            if side.type.kind is not Kind.NUMBER:
                raise ConditionError(f"round of a {side.type}", "round of numbers")
            if any(isinstance(inner, Round) for inner in walk(side)):
                raise ConditionError("a number rounded more than once", _ROUNDED)
        kind = _rounded_type(operand.type, divisor.type, int(digits.name))
        return Round(operand, divisor, int(digits.name), kind)

    def _shift(self, node: exp.Expr, sign: int) -> Expression:
        operand = self.copy(node.this)
        if operand.type != DATE or node.key not in ("add", "sub"):
            raise ConditionError("an interval moves a date only", "decided_on + interval 3 month")
        interval = node.expression
        unit = interval.text("unit").upper()
        count = interval.text("this")
        if unit not in _MONTHS | _DAYS or not count.isdigit():
            raise ConditionError("an interval this language lacks", "interval 3 month; also day, week, year")
        months, days = int(count) * _MONTHS.get(unit, 0), int(count) * _DAYS.get(unit, 0)
        if months > _MAX_INTERVAL or days > _MAX_INTERVAL * 31:
            raise ConditionError("an interval of more than 1,000 years", "a shorter one")
        return _moved(operand, sign * months, sign * days)

    def _call(self, node: exp.Expr) -> Expression:
        function = _FUNCTIONS[type(node)]
        parts = [node.this, *node.expressions] if function != "abs" else [node.this]
        arguments = [self.copy(part) for part in parts]
        if function == "abs" and arguments[0].type.kind is not Kind.NUMBER:
            raise ConditionError(f"abs of a {arguments[0].type}", "abs of a number")
        if function in ("least", "greatest") and arguments[0].type.kind in (Kind.TEXT, Kind.BOOLEAN):
            raise ConditionError(f"{function} of {arguments[0].type} values", "numbers or dates")
        arguments = [_as_date(argument, arguments[0]) for argument in arguments]
        for argument in arguments[1:]:
            _same_kind(arguments[0], argument)
        return Call(function, tuple(arguments), _widest(arguments))

    def _date_function(self, node: exp.Anonymous) -> Expression:
        function = node.name.lower()
        arguments = [self.copy(argument) for argument in node.expressions]
        if len(arguments) != 1 or arguments[0].type != DATE or isinstance(arguments[0], AsOf):
            raise ConditionError(f"{function} takes one date", f"{function}(occurred_on)")
        return Call(function, tuple(arguments), DATE)

    def _name(self, node: exp.Column) -> Expression:
        name = node.name
        if node.table:
            raise ConditionError("a dotted name", f"the plain name: {name}")
        if name == "as_of":
            return AsOf()
        found = self.scope.names.get(name)
        if found is None:
            hint = one_of(name, sorted(self.scope.names), "one of none")
            raise UndeclaredNameError(f"nothing declares the name {name}", hint, _offset(node), name)
        return found

    def _literal(self, node: exp.Expr) -> Expression:
        match node:
            case exp.Literal(is_string=True):
                return Literal(str(node.this), TEXT)
            case exp.Literal():
                return _number(str(node.this))
            case exp.Neg(this=exp.Literal(is_string=False) as inner):
                return _number("-" + str(inner.this))
            case exp.Boolean():
                return Literal(bool(node.this), BOOLEAN)
            case exp.Cast(this=exp.Literal(is_string=True) as inner) if node.to.is_type("date"):
                return Literal(_date(str(inner.this)), DATE)
            case exp.Null():
                raise ConditionError("null compares with nothing", "x is null, or x is not null")
            case exp.Div() | exp.IntDiv():
                raise ConditionError("a quotient that does not say how it is rounded", _ROUNDED)
            case exp.DateDiff():
                raise ConditionError(
                    "date_diff is not in the language",
                    "the later date less the earlier one: ends_on - occurred_on",
                )
            case _:
                raise ConditionError(
                    f"'{_word(node)}' is not in the language",
                    "= <> < <= > >= between in like is null and or not + - * coalesce least greatest abs"
                    " interval round start_of_year start_of_month",
                )


def _moved(operand: Expression, months: int, days: int) -> Expression:
    """A date moved; by months and then by days it is one move."""
    if isinstance(operand, Shift) and not months:
        return _moved(operand.operand, operand.months, operand.days + days)
    if any(isinstance(node, Shift) for node in walk(operand)):
        raise ConditionError(
            "a date moved more than once", "one interval; or months or years, then days or weeks"
        )
    return Shift(operand, months, days)


def _check_complete(node: exp.Expr) -> None:
    """Refuses a node with a part that is not read here, lest a condition mean less than it says."""
    read = _PARTS | {"negate"} if isinstance(node, exp.Like) else _PARTS
    unread = [name for name, part in node.args.items() if part and name not in read]
    if unread:
        raise ConditionError(f"'{unread[0]}' is not in the language", "a plainer form")


def _word(node: exp.Expr) -> str:
    """A function by its name, another node by what sqlglot calls it."""
    if isinstance(node, exp.Anonymous):
        return node.name
    return node.sql_name().lower() if isinstance(node, exp.Func) else node.key


def _offset(node: exp.Expr) -> int | None:
    starts = [n.meta["start"] for n in node.walk() if "start" in n.meta]
    return min(starts, default=None)


def _number(text: str) -> Literal:
    try:
        value = Decimal(text)
    except ArithmeticError:
        raise ConditionError("this is not a number", "digits with at most one point") from None
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or "e" in text.lower():
        raise ConditionError("a number in scientific form", "plain digits")
    scale = max(0, -exponent)
    whole = max(1, len(value.as_tuple().digits) - scale)
    if whole + scale > MAX_DIGITS:
        raise ConditionError("a number of more than 38 digits", "a shorter one")
    plain: Value = value if scale else int(value)
    return Literal(plain, Type(Kind.NUMBER, whole, scale))


def _date(text: str) -> dt.date:
    try:
        return day_of(text)
    except ValueError:
        raise ConditionError(f"'{text}' is not a date", "date '2026-01-31'", text=f"'{text}'") from None


def _as_date(node: Expression, other: Expression) -> Expression:
    """A text beside a date is read as a date."""
    if other.type == DATE and isinstance(node, Literal) and isinstance(node.value, str):
        return Literal(_date(node.value), DATE)
    return node


def _same_kind(left: Expression, right: Expression) -> None:
    if left.type.kind is not right.type.kind:
        if {left.type.kind, right.type.kind} == {Kind.DATE, Kind.NUMBER}:
            raise ConditionError(f"a {left.type} beside a {right.type}", "a date as in date '2026-01-31'")
        raise ConditionError(f"a {left.type} beside a {right.type}", f"two values of the type {left.type}")
    _wider(left.type, right.type)


def _widest(nodes: Sequence[Expression]) -> Type:
    """The type that holds the values of all the nodes exactly."""
    return reduce(_wider, (node.type for node in nodes))


def _wider(left: Type, right: Type) -> Type:
    return _sized(left.kind, max(left.whole, right.whole), max(left.scale, right.scale))


def _arithmetic_type(op: str, left: Type, right: Type) -> Type:
    if op == "*":
        return _sized(Kind.NUMBER, left.whole + right.whole, left.scale + right.scale)
    return _sized(Kind.NUMBER, max(left.whole, right.whole) + 1, max(left.scale, right.scale))


def _rounded_type(part: Type, whole: Type, digits: int) -> Type:
    """The type of a quotient. Its terms are scaled to whole numbers, which must be exact as well; of digits
    before the point it has those of a total at the most, and is unknown past them."""
    moved = digits + whole.scale - part.scale
    _sized(Kind.NUMBER, part.whole + part.scale, max(moved, 0))
    _sized(Kind.NUMBER, whole.whole + whole.scale, max(-moved, 0))
    return _sized(Kind.NUMBER, min(part.whole + whole.scale + (moved < 0), TOTAL.whole), digits)


def _days_between(later: Expression, earlier: Expression) -> Expression:
    if reads_as_of(later) or reads_as_of(earlier):
        hint = "a date moved by days: occurred_on + interval 30 day <= as_of"
        raise ConditionError("the days up to as_of change every day", hint, text="as_of")
    return Arithmetic("-", later, earlier, DAYS)


def _sized(kind: Kind, whole: int, scale: int) -> Type:
    if whole + scale > MAX_DIGITS:
        raise ConditionError(
            f"a result of up to {whole + scale} digits, more than {MAX_DIGITS}, would not be exact",
            "fewer or smaller factors, or a product that is rounded: round(amount * share, 4)",
        )
    return Type(kind, whole, scale)
