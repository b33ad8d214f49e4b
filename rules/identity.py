"""What makes two packs the same pack: the hash of their canonical form."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, get_args

from rules.exact import EXACT
from rules.language.expressions import Expression, Type, render
from rules.model import Pack, When

_NODES = get_args(Expression)
_UNORDERED = ("rules", "alerts", "dimensions", "measures", "bases", "remedies")


def identity(pack: Pack) -> str:
    r"""SHA-256 (hex) of the pack's canonical form: its meaning and titles, not comments, layout or order.

    >>> from rules.library.loader import PACKS, load_text
    >>> text = (PACKS / "tourism-credit.yaml").read_text(encoding="utf-8")
    >>> one, other = load_text(text, "my.yaml"), load_text("# a remark\n" + text, "my.yaml")
    >>> len(identity(one)), identity(one) == identity(other)
    (64, True)
    """
    return _identity(_This(pack))


class _This:
    """A pack as a key: it is the same as itself alone, for to compare all that it says takes too long."""

    __slots__ = ("pack",)

    def __init__(self, pack: Pack) -> None:
        self.pack = pack

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _This) and self.pack is other.pack

    def __hash__(self) -> int:
        return id(self.pack)


@lru_cache(maxsize=64)
def _identity(this: _This) -> str:
    text = json.dumps(canonical(this.pack), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def canonical(pack: Pack) -> dict[str, Any]:
    """The pack as plain data, the same for every way of writing it."""
    form: dict[str, Any] = plain(pack, _counts)
    for part in _UNORDERED:
        if part in form:
            form[part] = sorted(form[part], key=lambda entry: str(entry["id"]))
    if pack.together:
        form["together"] = sorted(form["together"], key=lambda entry: str(entry["rules"]))
    return form


Counts = Callable[[dataclasses.Field[Any], Any], bool]
"""Whether a field with a value is part of what a data class says."""


def plain(value: Any, counts: Counts = lambda field, value: True) -> Any:
    """What data classes, conditions and collections say, as plain data: the same in every process.

    Sets have no order of their own, and Python gives them another one in each process.

    >>> from decimal import Decimal
    >>> plain(({"b", "a"}, Decimal("1.50")))
    [['a', 'b'], '1.5']
    """
    match value:
        case _ if isinstance(value, _NODES):
            return render(value)
        case When():
            return render(value.written)
        case Type():
            return f"{value.kind}({value.whole},{value.scale})"
        case Fraction():
            return f"{value.numerator}/{value.denominator}"
        case Decimal():
            return format(EXACT.normalize(value), "f")
        case dt.date():
            return value.isoformat()
        case Mapping():
            return {str(key): plain(inner, counts) for key, inner in value.items()}
        case tuple() | list():
            return [plain(inner, counts) for inner in value]
        case set() | frozenset():
            return sorted((plain(inner, counts) for inner in value), key=str)
        case _ if dataclasses.is_dataclass(value):
            return {
                f.name: plain(getattr(value, f.name), counts)
                for f in dataclasses.fields(value)
                if counts(f, getattr(value, f.name))
            }
        case _:
            return value


def _counts(field: dataclasses.Field[Any], value: Any) -> bool:
    """Whether a field is part of what a pack is: always, never, or where it is given."""
    counts = field.metadata.get("identity", True)
    return value not in (None, ()) if counts == "where given" else bool(counts)
