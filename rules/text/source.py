"""YAML as a pack may use it: plain data, exact numbers, and the place of every value.

Built on libyaml's events, so that anchors, tags and double keys are refused before they cost anything and
depth and size are bounded.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import yaml

from rules.fault import WHOLE, Fault, PackError, Place

MAX_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 24
MAX_NODES = 250_000

_INTEGER = re.compile(r"[-+]?[0-9]{1,30}$")
_DECIMAL = re.compile(r"[-+]?[0-9]{1,30}\.[0-9]{1,30}$")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}$")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}

_BEGINS_SO = 'quotes around a text that begins so, as in ">= 90"; spaces, not tabs'
_SLIPS = {
    "cannot start any token": _BEGINS_SO,
    "expected comment or line break": _BEGINS_SO,
    "mapping values are not allowed": "quotes around a text with a colon and a space in it",
    "expected ',' or": "a comma after each entry; quotes around a text with a comma, colon or bracket",
    "expected key": "the same spaces before each key, and quotes around a whole text or none",
    "expected ':'": "a colon and a space after each key",
    "unexpected end of stream": "the quote or bracket that is missing",
    "block sequence entries are not allowed": "a list on lines of its own, below its key",
}
"""What libyaml says of slips that people make, and what would be right."""

Path = tuple[str | int, ...]


def standing_at(data: Any, path: Iterable[str | int]) -> Any:
    """What stands at a path in plain data; None where nothing does.

    >>> standing_at({"rules": [{"points": -6}]}, ("rules", 0, "points"))
    -6
    """
    for step in path:
        if isinstance(data, str):
            return None
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return None
    return data


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a value stands.

    :param line, column: of its first character, counted from 1.
    :param as_written: whether its text stands there character by character: on one line, without escapes.
    """

    line: int
    column: int
    as_written: bool


@dataclass
class Document:
    r"""The data of a YAML text and, by path, the place of every value (of a key: its path and ``"?"``).

    >>> document = read("pack: market\nscore: {start: lots}\n", "market.yaml")
    >>> print(document.fault(("score", "start"), "lots", "not a number", "such as 80"))
    market.yaml:2:16: score.start: not a number
        found: lots
        right: such as 80
    """

    file: str
    data: Any = None
    spots: dict[Path, Spot] = field(default_factory=dict)
    cut_off: dict[Path, str] = field(default_factory=dict)
    """By the mapping that it stands in: a text without quotes that a comma seems to have cut in two."""

    def place(self, path: Path, offset: int = 0) -> Place:
        """The place of the value at ``path``, or of the nearest value around it.

        :param offset: characters into the value's text, where it is a text without escapes on one line.
        """
        while path and path not in self.spots:
            path = path[:-1]
        spot = self.spots.get(path, Spot(1, 1, False))
        return Place(self.file, spot.line, spot.column + (offset if spot.as_written else 0))

    def fault(self, path: Path, text: str, message: str, hint: str = "", offset: int = 0) -> Fault:
        """A fault with the value at ``path``."""
        return Fault(self.place(path, offset), field_name(path), text, message, hint, self._part(path))

    def cut_short(self, around: Path) -> tuple[str, str] | None:
        """What is wrong and what would be right, where a comma seems to cut a text of the mapping in two."""
        if around not in self.cut_off:
            return None
        return "a comma ends a text that is not in quotes", f'"{self.cut_off[around]}", in quotes'

    def _part(self, path: Path) -> str:
        """The id of the entry of a list that the value is in."""
        match path:
            case [str(name), int(index), _, *_]:
                entry = self.data[name][index]
                found = entry.get("id") if isinstance(entry, dict) else None
                return found if isinstance(found, str) else ""
        return ""


def field_name(path: Path) -> str:
    """A path as people write it: ``rules[3].when``."""
    name = ""
    for step in path:
        if step == "?":
            continue
        name += f"[{step}]" if isinstance(step, int) else f".{step}" if name else str(step)
    return name or WHOLE


def read(text: str, file: str) -> Document:
    r"""The document in ``text``.

    :raises PackError: on text that is not YAML, is over a limit, or uses what packs may not use.

    >>> document = read("pack: market\nscore: {start: 80}\n", "market.yaml")
    >>> document.data["score"]
    {'start': 80}
    >>> str(document.place(("score", "start")))
    'market.yaml:2:16'
    """
    document = Document(file)
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise PackError([document.fault((), "", "larger than 8 MiB", "split it into several packs")])
    try:
        _Builder(document).build(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file, 1, 1)
        hint = next(
            (right for said, right in _SLIPS.items() if said in str(error.problem)), "see the line named"
        )
        raise PackError([Fault(place, WHOLE, "", f"not YAML: {error.problem}", hint)]) from None
    except yaml.YAMLError as error:
        raise PackError(
            [document.fault((), "", f"not YAML: {error}".splitlines()[0], "UTF-8 text")]
        ) from None
    return document


class _Builder:
    """Turns the event stream into data with a stack of its own: no recursion, no constructors."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.stack: list[_Collection] = []
        self.nodes = 0

    def build(self, text: str) -> None:
        documents = 0
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            match event:
                case yaml.DocumentStartEvent():
                    documents += 1
                    if documents > 1:
                        raise self._refusal(event, "---", "more than one document", "one pack a file")
                case yaml.AliasEvent():
                    raise self._refusal(
                        event, f"*{event.anchor}", "aliases are not allowed", "write the value out"
                    )
                case yaml.NodeEvent():
                    self._node(event)
                case yaml.CollectionEndEvent():
                    self.stack.pop()

    def _node(self, event: yaml.NodeEvent) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self._refusal(event, "", f"more than {MAX_NODES:,} values", "split it into several packs")
        if event.anchor:
            raise self._refusal(event, f"&{event.anchor}", "anchors are not allowed", "write the value out")
        tag = getattr(event, "tag", None)
        if tag not in (None, "!"):
            raise self._refusal(event, str(tag), "tags are not allowed", "plain values")
        if isinstance(event, yaml.ScalarEvent):
            if _CONTROL.search(event.value):
                raise self._refusal(event, repr(event.value), "a control character", "plain text")
            self._add(_scalar(event), event)
            return
        if len(self.stack) >= MAX_DEPTH:
            raise self._refusal(event, "", f"nested deeper than {MAX_DEPTH} levels", "a flatter form")
        value: dict[Any, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        path = self._add(value, event)
        flow = isinstance(event, yaml.MappingStartEvent) and bool(event.flow_style)
        self.stack.append(_Collection(value, path, flow))

    def _add(self, value: Any, event: yaml.NodeEvent) -> Path:
        """Puts a value into the collection around it and answers with its path."""
        if not self.stack:
            self.document.data = value
            self.document.spots[()] = _spot(event)
            return ()
        parent = self.stack[-1]
        if isinstance(parent.value, list):
            path = (*parent.path, len(parent.value))
            parent.value.append(value)
        elif parent.key is None:
            return self._key(parent, value, event)
        else:
            path = (*parent.path, parent.key)
            if parent.flow and _is_nothing(event):
                before = next(reversed(parent.value.values()), "")
                self.document.cut_off.setdefault(parent.path, f"{before},{parent.key}")
            parent.value[parent.key] = value
            parent.key = None
        self.document.spots[path] = _spot(event)
        return path

    def _key(self, parent: _Collection, value: Any, event: yaml.NodeEvent) -> Path:
        if not isinstance(event, yaml.ScalarEvent):
            raise self._refusal(event, "", "a key that is a list or a mapping", "a word or a date")
        key = value.isoformat() if isinstance(value, dt.date) else event.value
        if key in parent.value:
            raise self._refusal(event, key, "the key stands here twice", "one of the two")
        parent.key = key
        self.document.spots[(*parent.path, key, "?")] = _spot(event)
        return parent.path

    def _refusal(self, event: yaml.Event, text: str, message: str, hint: str) -> PackError:
        spot = _spot(event)
        place = Place(self.document.file, spot.line, spot.column)
        path = self.stack[-1].path if self.stack else ()
        return PackError([Fault(place, field_name(path), text, message, hint)])


@dataclass
class _Collection:
    value: Any
    path: Path
    flow: bool
    key: str | None = None


def _is_nothing(event: yaml.NodeEvent) -> bool:
    """Whether nothing at all stands where a value might."""
    return isinstance(event, yaml.ScalarEvent) and not event.value and not event.style


def _spot(event: yaml.Event) -> Spot:
    start, end = event.start_mark, event.end_mark
    assert start, "libyaml marks every event"
    assert end
    if not isinstance(event, yaml.ScalarEvent):
        return Spot(start.line + 1, start.column + 1, False)
    quoted = 1 if event.style in ("'", '"') else 0
    as_written = end.column - start.column == len(event.value) + 2 * quoted
    return Spot(start.line + 1, start.column + 1 + quoted, start.line == end.line and as_written)


IN_QUOTES = "in quotes it is a text"


def unquoted(value: object) -> object:
    """What a text of a document would be without its quotes; another value itself.

    >>> unquoted("2026-01-31"), unquoted("-4"), unquoted("lots"), unquoted(7)
    (datetime.date(2026, 1, 31), -4, 'lots', 7)
    """
    return _plain(value) if isinstance(value, str) else value


def _scalar(event: yaml.ScalarEvent) -> Any:
    return event.value if event.style else _plain(event.value)


def _plain(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.match(text):
        return int(text)
    if _DECIMAL.match(text):
        return Decimal(text)
    if _DATE.match(text):
        try:
            return dt.date.fromisoformat(text)
        except ValueError:
            return text
    return text
