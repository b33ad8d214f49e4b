"""What stands around a value only to keep a spreadsheet from changing it."""

from __future__ import annotations

import re

from rules.model import Title
from scoring.characters.formulas import inert
from scoring.characters.visible import FILLERS
from scoring.facts.ingest.errors import Fault

_AROUND = f" \t\r\n\f\v\xa0\u3000\xad\u200b\u200c\u200d\u2060\ufeff{FILLERS}"
_DOUBLE = '"\uff02\u201c\u201d\u201e\u201f\u2033\u301d\u301e\u301f'
_MARKS = "'`\u2018\u2019\u201a\u201b\u2032\uff07\uff40\u1fef"
_CORNERS = "\u300c\u300d\u300e\u300f\uff62\uff63"
_QUOTED = re.compile(
    rf'[=\uff1d]?\s*[{_DOUBLE}]((?:[^{_DOUBLE}]|"")*)[{_DOUBLE}]'
    rf"|[\u300c\u300e\uff62]([^{_CORNERS}]*)[\u300d\u300f\uff63]"
)
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")

_PLAIN = re.compile("[0-9A-Za-z\u4e00-\u9fff]")

_BEGINS = re.compile(r"[=@\uff1d\uff20]|[-+\uff0b\uff0d]\s*[A-Za-z$']")
_REFERENCE = r"(?:(?:'[^']+'|[^\W\d][\w.]*)!)?\$?[A-Z]{1,3}\$?[0-9]{1,7}(?:[-+*/^&:%(),$A-Z0-9. ]*)"
_FORMULA = re.compile(
    rf"[=\uff1d](?=.*\w).*|[-+@\uff0b\uff0d\uff20]\s*(?:{_REFERENCE}|[A-Za-z][A-Za-z0-9.]*\(.*\).*)",
    re.DOTALL,
)
FORMULA = Fault(
    Title("是公式,没有结果", "a formula without its value"),
    Title(
        "请填写公式的结果;确为文字的,在最前面加'", "its value; an apostrophe before a text that is meant so"
    ),
)


def undecorated(text: str) -> str:
    """The text that is meant by ``="0001"``, ``'0001``, ``"0001"``, ``「0001」`` and ``\\`0001``, one within
    another too, and by what :func:`inert` guards; also in full width.

    Quotation marks of a part, as in ``'甲'公司`` or ``“甲”和“乙”``, belong to the text.

    >>> [undecorated(text) for text in ("“0001”", '\\'="0001"', "“甲”和“乙”", "'=1+1")]
    ['0001', '0001', '“甲”和“乙”', '=1+1']
    """
    while not _PLAIN.match(text) and (bare := _bare(text)) != text:
        text = bare
    return text


def _bare(text: str) -> str:
    bare = text.strip(_AROUND)
    if quoted := _QUOTED.fullmatch(bare):
        return (quoted[1] or quoted[2] or "").replace('""', '"')
    if bare and bare[0] in _MARKS:
        rest = bare[1:]
        if inert(rest) != rest:  # what is guarded may itself end in a mark
            return rest
        inner = rest[:-1] if rest[-1:] in (*_MARKS,) else rest
        if not any(mark in inner for mark in _MARKS):
            return inner
    return text


def is_formula(text: str) -> bool:
    """Whether a text is what a spreadsheet would calculate, and not what it shows.

    >>> [is_formula(text) for text in ("=A1", "+B2*1.06", "@SUM(A1)", '="0001"', "-5", "@某局")]
    [True, True, True, False, False, False]
    """
    bare = text.strip(_AROUND)
    return _FORMULA.fullmatch(bare) is not None and not _QUOTED.fullmatch(bare)


def begins_as_formula(text: str) -> bool:
    """Whether a text that is no number and no date may be a formula: @x, +甲!A1."""
    return _BEGINS.match(text.strip(_AROUND)) is not None


def unescaped(text: str) -> str:
    """A workbook's text with its ``_xHHHH_`` as the characters that they stand for.

    Source: ECMA-376 part 1, 22.9.2.19 (ST_Xstring). A carriage return is the end of a line.
    """
    if "_x" not in text:
        return text
    units = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    whole = units.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    return whole.replace("\r\n", "\n")
