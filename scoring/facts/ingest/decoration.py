"""What stands around a value only to keep a spreadsheet from changing it."""

from __future__ import annotations

import re

from scoring.characters.formulas import inert

_QUOTES = '"\uff02\u201c\u201d'
_QUOTED = re.compile(rf'[=\uff1d]\s*[{_QUOTES}]((?:[^{_QUOTES}]|"")*)[{_QUOTES}]')
_MARKS = "'`\u2018\u2019\uff07\uff40\u1fef"
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def undecorated(text: str) -> str:
    """The text that is meant by ``="0001"``, ``'0001`` and ``\\`0001``, and by what :func:`inert` guards;
    also in full width.

    Quotation marks that come in pairs, as in ``'甲'公司``, belong to the text.
    """
    bare = text.strip()
    if bare[:1] in ("=", "\uff1d") and (quoted := _QUOTED.fullmatch(bare)):
        return quoted[1].replace('""', '"')
    if bare and bare[0] in _MARKS:
        rest = bare[1:]
        if inert(rest) != rest or not any(mark in rest for mark in _MARKS):
            return rest
    return text


def unescaped(text: str) -> str:
    """A workbook's text with its ``_xHHHH_`` as the characters that they stand for.

    Source: ECMA-376 part 1, 22.9.2.19 (ST_Xstring). A carriage return is the end of a line.
    """
    if "_x" not in text:
        return text
    units = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    whole = units.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    return whole.replace("\r\n", "\n")
