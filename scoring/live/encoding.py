"""Values as whole numbers: nothing else ever reaches the C code of durable_rules.

A text is the number that it has among the texts with which conditions compare its column (0: none of them), a
date its day number, a boolean 0 or 1, a number an integer at the scale of its column. A value past the reach
of 64 bits is held at its end, which no literal that is compared with it comes near.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rules.exact import EXACT
from rules.language.expressions import Compare, Expression, In, Literal, Name, Value, walk

REACH = 2**62
"""Values are held within ± this."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the columns that a set of conditions reads become numbers.

    :param codes: column → text → its number.
    """

    codes: Mapping[str, Mapping[str, int]]

    @classmethod
    def of(cls, conditions: Iterable[Expression]) -> Encoding:
        """The encoding that tells apart every text the conditions name."""
        texts: dict[str, dict[str, int]] = defaultdict(dict)
        for name, value in (pair for condition in conditions for pair in _compared(condition)):
            if isinstance(value, str):
                texts[name.name].setdefault(value, len(texts[name.name]) + 1)
        return cls(texts)

    def number(self, name: Name, value: Value | None) -> int | None:
        """A column's value as the number that is sent; None where it is unknown."""
        if value is None:
            return None
        return max(-REACH, min(REACH, self._whole(name, value)))

    def _whole(self, name: Name, value: Value) -> int:
        match value:
            case bool():
                return int(value)
            case str():
                return self.codes.get(name.name, {}).get(value, 0)
            case dt.date():
                return value.toordinal()
            case int():
                return value * int(10**name.type.scale)
            case _:
                return int(EXACT.scaleb(value, name.type.scale))


def _compared(condition: Expression) -> Iterable[tuple[Name, Value]]:
    """Columns with the literals that they are compared with."""
    for node in walk(condition):
        match node:
            case Compare(left=Name() as name, right=Literal() as literal):
                yield name, literal.value
            case Compare(left=Literal() as literal, right=Name() as name):
                yield name, literal.value
            case In(operand=Name() as name):
                yield from ((name, literal.value) for literal in node.values)
