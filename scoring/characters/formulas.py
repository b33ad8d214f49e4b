"""Texts that a spreadsheet would run, and how none of them does.

A text that a spreadsheet would run gets an apostrophe before it (OWASP, CSV injection); ingest reads the text
without it (:func:`scoring.facts.ingest.decoration.undecorated`).
"""

from __future__ import annotations

import re

FORMULA = r"(?s)^[ \t\r\n\f\v\x{a0}\x{3000}]*(?:[=@＝＠]|[+\-＋－].*[^0-9.])|^[\t\r\n]"  # RE2's spelling
"""What a spreadsheet takes for a formula; ``-5`` is a number."""

_FORMULA = re.compile(FORMULA.replace(r"\x{a0}\x{3000}", "\xa0\u3000"))


def inert(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would run.

    >>> inert("=cmd|' /C calc'!A0"), inert("临江餐馆")
    ("'=cmd|' /C calc'!A0", '临江餐馆')
    """
    return f"'{text}" if _FORMULA.match(text) else text


def inert_sql(column: str) -> str:
    """:func:`inert` as DuckDB's SQL.

    :param column: a quoted name of a column of text.
    """
    return f"case when regexp_matches({column}, '{FORMULA}') then '''' || {column} else {column} end"
