"""A condition as people say it: "not" beside single tests alone, and nothing said twice.

The result is true of the same rows. Where the condition is false the result may be unknown: no hit either.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from rules.language.boxes import OPPOSITE, Boxes, boxes, implies, overlap
from rules.language.expressions import (
    BOOLEAN,
    TRUE,
    And,
    AsOf,
    Call,
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
    conjunction,
    walk,
)

_MOST = 32
"""Terms of which more are said as they stand: each is held against every other."""
_FALSE = Literal(False, BOOLEAN)


def spoken(condition: Expression, known: frozenset[str] = frozenset()) -> Expression:
    """The condition with every "not" at a single test.

    :param known: measures that are never unknown.

    >>> from rules.language.expressions import INTEGER, Level, Name, render
    >>> from rules.language.parse import Scope, parse_condition
    >>> scope = Scope({name: Name(name, Level.SUBJECT, INTEGER) for name in ("beds", "rooms")}, {})
    >>> render(spoken(parse_condition("not (beds < 10 or rooms = 1)", scope)))
    'beds >= 10 and rooms <> 1'
    """
    if not any(_hides(node) for node in walk(condition)):
        return condition
    return _said(condition, True, False, known)


def _hides(node: Expression) -> bool:
    """Whether a node negates more than a test, or stands for a test and what is unknown."""
    return isinstance(node, IsTrue) or (
        isinstance(node, Not) and isinstance(node.operand, And | Or | Not | Compare)
    )


def _said(node: Expression, wanted: bool, or_unknown: bool, known: frozenset[str]) -> Expression:
    """When the node is ``wanted``, or unknown where that will do: De Morgan's law in three-valued logic."""
    match node:
        case And() | Or():
            parts = [_said(part, wanted, or_unknown, known) for part in node.parts]
            return _all(parts) if isinstance(node, And) is wanted else _any(parts)
        case Not():
            return _said(node.operand, not wanted, or_unknown, known)
        case IsTrue():
            return _said(node.operand, wanted, not wanted, known)
        case Call(function="coalesce", arguments=(inner, Literal(value=bool() as otherwise))):
            return _said(inner, wanted, otherwise is wanted, known)
        case Literal():
            return TRUE if node.value is wanted else _FALSE
        case IsNull():
            return node if wanted else Not(node)
        case _:
            test = node if wanted else _opposite(node)
            return _any([test, *_unknowns(node, known)]) if or_unknown else test


def _opposite(test: Expression) -> Expression:
    return replace(test, op=OPPOSITE[test.op]) if isinstance(test, Compare) else Not(test)


def _unknowns(test: Expression, known: frozenset[str]) -> list[Expression]:
    """That a test is unknown: one of what it is about is."""
    match test:
        case Compare():
            about: tuple[Expression, ...] = (test.left, test.right)
        case In() | Like():
            about = (test.operand,)
        case _:
            about = (test,)
    return [IsNull(value) for value in about if not _never_unknown(value, known)]


def _never_unknown(value: Expression, known: frozenset[str]) -> bool:
    return isinstance(value, Literal | AsOf) or (isinstance(value, Name) and value.name in known)


def _any(parts: Iterable[Expression]) -> Expression:
    """One of the parts, without those that another says too."""
    flat = [term for part in parts for term in (part.parts if isinstance(part, Or) else (part,))]
    if TRUE in flat:
        return TRUE
    kept = _least([term for term in dict.fromkeys(flat) if term != _FALSE], narrow=True)
    if not kept:
        return _FALSE
    return kept[0] if len(kept) == 1 else Or(tuple(kept))


def _all(parts: Iterable[Expression]) -> Expression:
    """All the parts, without those that another implies and alternatives that the others exclude."""
    whole = conjunction(tuple(parts))
    terms = list(dict.fromkeys(whole.parts)) if isinstance(whole, And) else [whole]
    if _FALSE in terms:
        return _FALSE
    terms = _least(terms, narrow=False)
    if len(terms) <= _MOST:
        for place, term in enumerate(terms):
            others = [boxes(other) for other in terms if other is not term]
            if isinstance(term, Or):
                terms[place] = _any(part for part in term.parts if _possible(boxes(part), others))
    return conjunction(tuple(_least(terms, narrow=False)))


def _possible(part: Boxes, others: Iterable[Boxes]) -> bool:
    return all(overlap(part, other) for other in others)


def _least(terms: Sequence[Expression], narrow: bool) -> list[Expression]:
    """Without what another term makes idle: of an ``or`` the ``narrow`` ones, of an ``and`` the wide."""
    kept = list(terms)
    if len(kept) > _MOST:
        return kept
    found = {term: boxes(term) for term in kept}
    for term in terms:
        others = [found[other] for other in kept if other is not term]
        if any(implies(found[term], o) if narrow else implies(o, found[term]) for o in others):
            kept.remove(term)
    return kept
