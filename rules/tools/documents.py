"""A readable document as a few kinds of block, and the two forms in which it is written.

The same blocks always give the same text: no date, no path, nothing of the machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

STYLE = """
body { font: 15px/1.6 "Noto Serif CJK SC", "Source Han Serif SC", "Songti SC", SimSun, Georgia, serif;
  color: #1a1a1a; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.3; break-after: avoid; }
h2 { border-bottom: 1px solid #999; padding-bottom: .2rem; margin-top: 2.5rem; }
h3 { margin: 1.6rem 0 .4rem; }
table { border-collapse: collapse; width: 100%; margin: .4rem 0 1rem; font-size: .93em; }
th, td { border: 1px solid #bbb; padding: .25rem .5rem; text-align: left; vertical-align: top;
  overflow-wrap: anywhere; }
th { background: #f2f2ee; }
tr { break-inside: avoid; }
thead { display: table-header-group; }
code { font-family: "Noto Sans Mono", Consolas, monospace; font-size: .88em; }
@page { size: A4; margin: 18mm 16mm; }
@media print { body { max-width: none; margin: 0; padding: 0; font-size: 10.5pt; } }
""".strip()


@dataclass(frozen=True, slots=True)
class Heading:
    """:param level: 1 for the document's title."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """A piece of the rule language, as it is written."""

    text: str


Cell = str | Code


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: headings and rows of as many cells."""

    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


Block = Heading | Paragraph | Grid


def markdown(blocks: Sequence[Block]) -> str:
    """The document as Markdown."""
    return "\n\n".join(_markdown(block) for block in blocks) + "\n"


def _markdown(block: Block) -> str:
    match block:
        case Heading():
            return f"{'#' * block.level} {_plain(block.text)}"
        case Paragraph():
            return _plain(block.text)
        case Grid():
            rule = "| " + " | ".join("---" for _ in block.headings) + " |"
            return "\n".join([_line(block.headings), rule, *map(_line, block.rows)])


def _line(cells: Sequence[Cell]) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(cell: Cell) -> str:
    if isinstance(cell, Code):
        return "`" + cell.text.replace("`", "'").replace("|", "\\|") + "`" if cell.text else ""
    return _plain(cell)


def _plain(text: str) -> str:
    """Text with nothing in it that Markdown would read as its own."""
    for mark in "\\`*_[]<>|":
        text = text.replace(mark, "\\" + mark)
    return " ".join(text.split())


def html(title: str, blocks: Sequence[Block]) -> str:
    """The document as one HTML page that prints well."""
    body = "\n".join(_html(block) for block in blocks)
    return (
        '<!DOCTYPE html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(title)}</title>\n"
        f"<style>\n{STYLE}\n</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _html(block: Block) -> str:
    match block:
        case Heading():
            return f"<h{block.level}>{escape(block.text)}</h{block.level}>"
        case Paragraph():
            return f"<p>{escape(block.text)}</p>"
        case Grid():
            head = "".join(f"<th>{escape(heading)}</th>" for heading in block.headings)
            rows = "\n".join(f"<tr>{''.join(map(_html_cell, row))}</tr>" for row in block.rows)
            return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>"


def _html_cell(cell: Cell) -> str:
    if isinstance(cell, Code):
        return f"<td><code>{escape(cell.text)}</code></td>" if cell.text else "<td></td>"
    return f"<td>{escape(cell)}</td>"
