"""XML from outside: its elements and their lines. A document type, and so every entity, is refused."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from rules.fault import WHOLE, Fault, PackError, Place
from rules.text.source import MAX_BYTES

MAX_DEPTH = 100
MAX_ELEMENTS = 250_000
_DECLARED = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)")
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030"}


@dataclass(slots=True)
class Element:
    """An element of XML.

    :param space: its namespace.
    :param text: what stands directly in it.
    """

    space: str
    name: str
    attributes: dict[str, str]
    place: Place
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, *names: str) -> list[Element]:
        """The children of these names, in its own namespace."""
        return [child for child in self.children if child.space == self.space and child.name in names]

    def one(self, name: str) -> Element | None:
        """The first child of that name."""
        return next(iter(self.all(name)), None)

    def words(self, *path: str) -> str:
        """The text of the first element at a path of names; nothing where there is none."""
        found: Element | None = self
        for name in path:
            found = found.one(name) if found else None
        return found.text.strip() if found else ""

    def get(self, name: str) -> str:
        """An attribute; nothing where there is none."""
        return self.attributes.get(name, "").strip()

    def under(self) -> Iterator[Element]:
        """It and all below it."""
        yield self
        for child in self.children:
            yield from child.under()


def is_xml(content: bytes) -> bool:
    """Whether a file begins as XML does, in any encoding that XML may have."""
    return content.removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"<" or content[:4] in _WIDE_STARTS


_WIDE_STARTS = (b"\xff\xfe<\0", b"\xfe\xff\0<")


def read_xml(content: bytes, file: str) -> Element:
    """The outermost element.

    :param file: the name that faults are reported under.
    :raises PackError: on what is not well-formed, has a document type, or is beyond a bound.

    >>> read_xml(b"<a><b c='1'>two</b></a>", "a.xml").words("b")
    'two'
    """
    if len(content) > MAX_BYTES:
        raise _refusal(file, 1, 1, "larger than 8 MiB", "split it into several packs")
    return _Reader(file).read(content)


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file
        self.root: Element | None = None
        self.stack: list[Element] = []
        self.count = 0

    def read(self, content: bytes) -> Element:
        said = _DECLARED.match(content.removeprefix(codecs.BOM_UTF8))
        if said is None:
            parser = expat.ParserCreate(namespace_separator=" ")
        else:
            content = self._decoded(content, said[1].decode()).encode("utf-8")
            parser = expat.ParserCreate("utf-8", " ")
        self.parser = parser
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = lambda _: self.stack.pop()
        parser.CharacterDataHandler = self._text
        try:
            parser.Parse(content, True)
        except (expat.ExpatError, UnicodeError, ValueError) as error:
            line, column = parser.CurrentLineNumber, parser.CurrentColumnNumber + 1
            hint = "the whole file, as it was exported"
            raise _refusal(self.file, line, column, f"not well-formed XML: {error}", hint) from None
        assert self.root, "a document without an element is not well-formed"
        return self.root

    def _decoded(self, content: bytes, encoding: str) -> str:
        try:
            return content.decode(_WIDER.get(encoding.lower(), encoding)).removeprefix("\ufeff")
        except (LookupError, UnicodeError):
            raise _refusal(self.file, 1, 1, f"not {encoding}", "save it as UTF-8") from None

    def _doctype(self, *_: object) -> None:
        line, column = self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1
        raise _refusal(self.file, line, column, "a document type", "the file without <!DOCTYPE …>")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.count += 1
        place = Place(self.file, self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1)
        if len(self.stack) >= MAX_DEPTH or self.count > MAX_ELEMENTS:
            message = f"more than {MAX_DEPTH} levels or {MAX_ELEMENTS:,} elements"
            raise _refusal(self.file, place.line, place.column, message, "split it into several packs")
        space, _, local = name.rpartition(" ")
        element = Element(space, local, attributes, place)
        if self.stack:
            self.stack[-1].children.append(element)
        else:
            self.root = element
        self.stack.append(element)

    def _text(self, text: str) -> None:
        self.stack[-1].text += text


def _refusal(file: str, line: int, column: int, message: str, hint: str) -> PackError:
    return PackError([Fault(Place(file, line, column), WHOLE, "", message, hint)])
