"""Workbooks as different programs write them, made part by part."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
CONTENT = "application/vnd.openxmlformats-officedocument.spreadsheetml"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def text(value: str, place: str = "") -> str:
    """A cell that holds its text itself."""
    where = f' r="{place}"' if place else ""
    return f'<c{where} t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'


def number(value: object, style: int = 0) -> str:
    """A cell of a number, in one of the book's formats."""
    return f'<c s="{style}"><v>{value}</v></c>'


def row(*cells: str) -> str:
    """A row; a cell may be given as XML, or as plain text."""
    return f"<row>{''.join(cell if cell[:1] == '<' else text(cell) for cell in cells)}</row>"


@dataclass
class Tab:
    """A sheet: its rows as XML, and what stands after them."""

    name: str
    rows: Sequence[str]
    state: str = "visible"
    merges: Sequence[str] = ()

    @property
    def xml(self) -> str:
        """The sheet's part."""
        merged = "".join(f'<mergeCell ref="{place}"/>' for place in self.merges)
        after = f"<mergeCells>{merged}</mergeCells>" if merged else ""
        return f'<worksheet xmlns="{MAIN}"><sheetData>{"".join(self.rows)}</sheetData>{after}</worksheet>'


@dataclass
class Workbook:
    """A workbook; ``parts`` replace or add parts of the package as they are given.

    :param formats: codes of number formats; cells name them by their position, 0 is the general one.
    """

    tabs: Sequence[Tab]
    formats: Sequence[str | int] = ()
    properties: str = ""
    strings: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)

    def write(self, path: Path) -> Path:
        """Write it to a file."""
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
            for name, content in (self._parts() | dict(self.parts)).items():
                package.writestr(name, content)
        return path

    def _parts(self) -> dict[str, str]:
        count = len(self.tabs)
        sheets = "".join(
            f'<sheet name={quoteattr(tab.name)} sheetId="{n}" state="{tab.state}" r:id="s{n}"/>'
            for n, tab in enumerate(self.tabs)
        )
        links = [(f"s{n}", "worksheet", f"sheet{n}.xml") for n in range(count)]
        links += [("strings", "sharedStrings", "strings.xml"), ("styles", "styles", "styles.xml")]
        return {
            "[Content_Types].xml": _types(count),
            "_rels/.rels": _relations([("book", "officeDocument", "book.xml")]),
            "_rels/book.xml.rels": _relations(links),
            "book.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{LINKS}">{self.properties}'
            f"<sheets>{sheets}</sheets></workbook>",
            "strings.xml": f'<sst xmlns="{MAIN}">{self.strings}</sst>',
            "styles.xml": self._styles(),
            **{f"sheet{n}.xml": tab.xml for n, tab in enumerate(self.tabs)},
        }

    def _styles(self) -> str:
        numbers = [code if isinstance(code, int) else 164 + n for n, code in enumerate(self.formats)]
        made = "".join(
            f'<numFmt numFmtId="{164 + n}" formatCode={quoteattr(code)}/>'
            for n, code in enumerate(self.formats)
            if isinstance(code, str)
        )
        used = "".join(f'<xf numFmtId="{n}"/>' for n in (0, *numbers))
        return (
            f'<styleSheet xmlns="{MAIN}"><numFmts>{made}</numFmts>'
            f'<cellStyleXfs><xf numFmtId="9"/></cellStyleXfs><cellXfs>{used}</cellXfs></styleSheet>'
        )


def _relations(links: Sequence[tuple[str, str, str]]) -> str:
    made = "".join(f'<Relationship Id="{i}" Type="{LINKS}/{kind}" Target="{to}"/>' for i, kind, to in links)
    return f'<Relationships xmlns="{PACKAGE}">{made}</Relationships>'


def _types(sheets: int) -> str:
    kinds = {"book": "sheet.main", "strings": "sharedStrings", "styles": "styles"}
    kinds |= {f"sheet{n}": "worksheet" for n in range(sheets)}
    made = "".join(
        f'<Override PartName="/{part}.xml" ContentType="{CONTENT}.{kind}+xml"/>'
        for part, kind in kinds.items()
    )
    return (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{made}</Types>'
    )
