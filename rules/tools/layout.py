"""The one layout of a pack: order of keys, indentation, spacing. Comments stay with what they are about.

Values are copied as they are written, quotes included; only the space around them changes. What comes out
holds the same data and the same comments, or nothing comes out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from rules.fault import WHOLE, Fault, PackError, Place
from rules.text.source import Document, read

WIDTH = 160
INDENT = 2
_ENTRY = ("id", "title", "note", "dimension", "where", "when", "input", "inputs", "hit", "take",
          "gives", "below", "tier", "lowers", "rows", "default", "points", "per", "counts", "cap", "baseline",
          "basis", "examples")  # fmt: skip
_MEASURE = ("title", "count", "sum", "min", "max", "mean", "latest", "ratio", "value",
            "rank", "peers", "percentile", "order", "where", "within", "by", "bands", "fewest",
            "take", "each")  # fmt: skip
ORDER: Mapping[str, tuple[str, ...]] = {
    "": ("pack", "version", "title", "note", "authority", "subject", "in_force", "basis", "score",
         "dimensions", "measures", "rules", "vetoes", "tables", "consequences", "together", "alerts",
         "remedies", "grades", "supervision", "examples"),
    "rules": _ENTRY,
    "vetoes": _ENTRY,
    "tables": _ENTRY,
    "consequences": _ENTRY,
    "alerts": ("id", "title", "events", "same", "within", "basis"),
    "remedies": ("id", "title", "when", "after", "needs", "changes", "basis"),
    "events": ("when", "times", "stands_until"),
    "measure": _MEASURE,
    "title": ("zh", "en"),
    "in_force": ("from", "until"),
    "score": ("start", "min", "max"),
    "dimensions": ("id", "title", "floor", "ceiling"),
    "grades": ("tier", "title", "from"),
    "counts": ("months", "days", "from", "until", "decay"),
    "within": ("months", "days", "from", "until"),
    "examples": ("subject", "records", "given", "as_of", "points", "hit", "score", "tier", "value"),
    "basis": ("id", "title", "short", "in_force_from", "repealed_on", "replaced_by"),
    "together": ("rules", "why"),
}  # fmt: skip
"""The order of keys in the mappings under a key; other keys follow as they stand."""

_NAMED = {"measures": "measure", "columns": "column"}
"""Mappings whose keys are names that the pack gives, and what the order below each of them goes by."""

SPACED = ("rules", "vetoes", "tables", "consequences", "alerts", "remedies")
"""Lists whose entries have an empty line between them."""


def layout(text: str, file: str) -> str:
    r"""The text of a pack in its one layout; a text that is in it already comes back unchanged.

    :raises PackError: where the text is not the YAML of a pack, or can't be laid out without loss.

    >>> from rules.library.loader import PACKS
    >>> text = (PACKS / "tourism-credit.yaml").read_text(encoding="utf-8")
    >>> layout(text.replace("points: 2\n", "points:    2\n", 1), "my.yaml") == text
    True
    """
    document = read(text, file)
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    comments = _Comments(text)
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        raise _refusal(file, "not a mapping of lines", "pack: …, one key a line")
    lines = list(_Writer(text, comments).mapping(root, "", 0))
    result = "\n".join([*lines, *comments.rest(0)]).rstrip("\n") + "\n"
    if not _says_the_same(result, text, document):
        cuts = [(at, said) for at in document.cut_off if (said := document.cut_short(at))]
        if cuts:
            raise PackError([document.fault(at, "", *said) for at, said in cuts])
        raise _refusal(
            file, "can't be laid out without loss", "comments on lines of their own, above an entry"
        )
    return result


def _says_the_same(result: str, text: str, document: Document) -> bool:
    try:
        data = read(result, document.file).data
    except PackError:
        return False
    return bool(data == document.data) and _Comments(result).texts == _Comments(text).texts


def _refusal(file: str, message: str, hint: str) -> PackError:
    return PackError([Fault(Place(file, 1, 1), WHOLE, "", message, hint)])


@dataclass
class _Comments:
    """The comments of a text, in order, to be taken as the writer comes past them."""

    text: str
    waiting: list[tuple[int, str, bool, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        last = 0
        for token in yaml.scan(self.text, Loader=yaml.SafeLoader):
            self._gap(last, token.start_mark.index)
            last = max(last, token.end_mark.index)
        self._gap(last, len(self.text))

    @property
    def texts(self) -> list[str]:
        """All comments, whatever their place."""
        return sorted(text for _, text, _, _ in self.waiting)

    def _gap(self, start: int, end: int) -> None:
        for found in re.finditer(r"#[^\n]*", self.text[start:end]):
            at = start + found.start()
            before = self.text[self.text.rfind("\n", 0, at) + 1 : at]
            apart = self.text[:at].rstrip(" ").endswith("\n\n")
            self.waiting.append((at, found[0].rstrip(), not before.strip(), apart))

    def above(self, index: int, indent: int) -> Iterator[str]:
        """Comments on lines of their own before ``index``, with the empty lines around them."""
        empty = False
        while self.waiting and self.waiting[0][0] < index:
            at, text, own_line, apart = self.waiting.pop(0)
            if apart and own_line and not empty:
                yield ""
            yield " " * indent + text
            empty = self.text[self.text.find("\n", at) :].startswith("\n\n")
            if empty:
                yield ""

    def beside(self, index: int) -> str:
        """The comment that ends the line on which ``index`` stands."""
        end = self.text.find("\n", index)
        end = len(self.text) if end < 0 else end
        if self.waiting and index <= self.waiting[0][0] < end and not self.waiting[0][2]:
            return "  " + self.waiting.pop(0)[1]
        return ""

    def rest(self, indent: int) -> list[str]:
        """What is left at the end."""
        return list(self.above(len(self.text) + 1, indent))


@dataclass(frozen=True, slots=True)
class _Writer:
    text: str
    comments: _Comments

    def mapping(self, node: yaml.MappingNode, under: str, indent: int) -> Iterator[str]:
        """The lines of a mapping, its keys in order. What stands above the file's first key stays there."""
        entries: list[tuple[int, list[str]]] = []
        for key, value in node.value:
            above = list(self.comments.above(key.start_mark.index, indent))
            if under == "" and indent == 0 and not entries:
                yield from above
                above = []
            elif self._apart(key) and not above:
                above = [""]
            lines = self._entry(key, value, under, indent)
            entries.append((_rank(key.value, under), [*above, *lines]))
        for _, lines in sorted(entries, key=lambda entry: entry[0]):
            yield from lines

    def _entry(self, key: yaml.Node, value: yaml.Node, under: str, indent: int) -> list[str]:
        name = " " * indent + self._raw(key) + ":"
        inner = _context(under, str(key.value))
        if _is_block(value):
            head = name + self.comments.beside(key.end_mark.index)
            return [head, *self._block(value, inner, indent + INDENT)]
        return self._inline(name + " ", value, inner, indent)

    def _block(self, node: yaml.Node, under: str, indent: int) -> Iterator[str]:
        return (
            self.mapping(node, under, indent)
            if isinstance(node, yaml.MappingNode)
            else self.sequence(node, under, indent)
        )

    def sequence(self, node: yaml.Node, under: str, indent: int) -> Iterator[str]:
        """The lines of a list."""
        for number, item in enumerate(node.value):
            above = list(self.comments.above(item.start_mark.index, indent))
            if number and under in SPACED and "" not in above[:1]:
                above = ["", *above]
            yield from above
            if _is_block(item):
                yield from _dashed(list(self._block(item, under, indent + INDENT)), indent)
            else:
                yield from self._inline(" " * indent + "- ", item, under, indent)

    def _inline(self, head: str, node: yaml.Node, under: str, indent: int) -> list[str]:
        """A scalar or a collection in brackets, after its key or dash."""
        if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
            return self._literal(head, node, indent)
        lines = self._flow_lines(head, node, under, indent)
        lines[-1] = lines[-1].rstrip() + self.comments.beside(node.end_mark.index)
        return lines

    def _literal(self, head: str, node: yaml.ScalarNode, indent: int) -> list[str]:
        first, *lines = self._raw(node).rstrip("\n").split("\n")
        margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
        return [
            head + first,
            *(" " * (indent + INDENT) + line[margin:] if line.strip() else "" for line in lines),
        ]

    def _flow_lines(self, head: str, node: yaml.Node, under: str, indent: int) -> list[str]:
        inside = [c for c in self.comments.waiting if node.start_mark.index < c[0] < node.end_mark.index]
        if inside:
            self.comments.waiting = [c for c in self.comments.waiting if c not in inside]
            return (head + self._raw(node)).split("\n")
        line = head + self.flow(node, under)
        if len(line) <= WIDTH or isinstance(node, yaml.ScalarNode):
            return [line]
        opening, closing = "{}" if isinstance(node, yaml.MappingNode) else "[]"
        return _filled(head + opening, [*self._items(node, under)], closing, " " * (indent + 2 * INDENT))

    def flow(self, node: yaml.Node, under: str) -> str:
        """A value on one line."""
        if isinstance(node, yaml.ScalarNode):
            return re.sub(r"\s*\n\s*", " ", self._raw(node))
        opening, closing = "{}" if isinstance(node, yaml.MappingNode) else "[]"
        return opening + ", ".join(self._items(node, under)) + closing

    def _items(self, node: yaml.Node, under: str) -> Sequence[str]:
        if not isinstance(node, yaml.MappingNode):
            return [self.flow(item, under) for item in node.value]
        ordered = sorted(node.value, key=lambda pair: _rank(pair[0].value, under))
        return [
            f"{self._raw(key)}: {self.flow(value, _context(under, str(key.value)))}".rstrip()
            for key, value in ordered
        ]

    def _raw(self, node: yaml.Node) -> str:
        return self.text[node.start_mark.index : node.end_mark.index]

    def _apart(self, node: yaml.Node) -> bool:
        """Whether an empty line stands above a key."""
        return self.text[: node.start_mark.index].rstrip(" ").endswith("\n\n")


def _context(under: str, key: str) -> str:
    """What the order of keys below an entry goes by: its key, unless that is a name."""
    return _NAMED.get(under, key)


def _rank(key: Any, under: str) -> int:
    order = ORDER.get(under, ())
    return order.index(key) if key in order else len(order)


def _is_block(node: yaml.Node) -> bool:
    return isinstance(node, yaml.CollectionNode) and not node.flow_style


def _dashed(lines: list[str], indent: int) -> Iterator[str]:
    """The lines of a block with the dash of a list before its first line that is no comment."""
    while lines[:1] == [""] or (lines and lines[0].lstrip().startswith("#")):
        comment = lines.pop(0).lstrip()
        yield " " * indent + comment if comment else ""
    yield " " * indent + "- " + lines[0].lstrip()
    yield from lines[1:]


def _filled(head: str, items: Sequence[str], closing: str, margin: str) -> list[str]:
    """A collection too long for one line: as many items a line as fit."""
    lines = [head]
    for number, item in enumerate(items):
        piece = item + (closing if number == len(items) - 1 else ",")
        if number and len(lines[-1]) + len(piece) + 1 > WIDTH:
            lines.append(margin + piece)
        else:
            lines[-1] += " " + piece if number else piece
    return lines
