"""Single values of a pack's text changed in place: every other entry keeps its lines, comments included.

A value is put where it stands; the entry around it (a rule, a table, the grades) is then laid out as
:mod:`rules.tools.layout` does it, so that a text in the one layout stays in it. What comes out holds the data
that were asked for, or nothing comes out.
"""

from __future__ import annotations

import copy
import re
import textwrap
from functools import lru_cache
from typing import Any

import yaml

from rules.fault import PackError
from rules.text.source import Document, Path, read, standing_at
from rules.tools.exchange.pack import value_in_line
from rules.tools.layout import INDENT, SPACED, WIDTH, layout

_FOLDED = 116
"""So wide are the lines of a long condition (own choice)."""


def with_value(text: str, file: str, path: Path, value: Any) -> str:
    r"""The text with a value at a path: in place of what stands there, or put in with what is missing around.

    :param path: keys, and places in lists; the place after the last adds an entry.
    :raises PackError: where the text is not YAML, or the value can't be put there without losing a comment.

    >>> text = "pack: market\nrules:\n  # Law.\n  - {id: a, points: -4}  # as decided\n"
    >>> print(with_value(text, "m.yaml", ("rules", 0, "points"), -5), end="")
    pack: market
    rules:
      # Law.
      - {id: a, points: -5}  # as decided
    """
    document = read(text, file)
    return _checked(document, _put(document, text, path, value), path, _data_with(document.data, path, value))


def with_entry(text: str, file: str, path: Path, value: Any) -> str:
    """The text with an entry more in a list; those from its place on come after it.

    :raises PackError: as :func:`with_value`.
    """
    *around, place = path
    document = read(text, file)
    wanted = copy.deepcopy(document.data)
    entries = standing_at(wanted, around)
    if not isinstance(entries, list) or place not in range(len(entries)):
        return with_value(text, file, path, value)
    entries.insert(int(place), value)
    node = _node(text, around)
    assert isinstance(node, yaml.SequenceNode)
    item = node.value[int(place)]
    if node.flow_style:
        at = item.start_mark.index
        changed = f"{text[:at]}{value_in_line(value)}, {text[at:]}"
    elif place == 0:
        at = _dash(text, item)
        changed = (
            f"{text[:at]}- {value_in_line(value)}{_gap(around)}{' ' * node.start_mark.column}{text[at:]}"
        )
    else:
        changed = _added_after(text, node.value[int(place) - 1], node, around, value)
    return _checked(document, changed, path, wanted)


def swapped(text: str, file: str, path: Path) -> str:
    r"""The text with an entry of a list before the one that it stood behind; comments go with their entries.

    :param path: of the later of the two.
    :raises PackError: as :func:`with_value`.

    >>> text = "rules:\n  # Law.\n  - {id: a}  # as decided\n  - {id: b}\n"
    >>> print(swapped(text, "m.yaml", ("rules", 1)), end="")
    rules:
      - {id: b}
      # Law.
      - {id: a}  # as decided
    """
    *around, place = path
    document, node = read(text, file), _node(text, around)
    assert isinstance(place, int)
    assert isinstance(node, yaml.SequenceNode)
    wanted = copy.deepcopy(document.data)
    entries = standing_at(wanted, around)
    entries[place - 1 : place + 1] = entries[place], entries[place - 1]
    (begins, ends), (then, last) = (_span(text, node, item) for item in node.value[place - 1 : place + 1])
    changed = f"{text[:begins]}{text[then:last]}{text[ends:then]}{text[begins:ends]}{text[last:]}"
    return _checked(document, changed, path, wanted)


def _span(text: str, entries: yaml.SequenceNode, item: yaml.Node) -> tuple[int, int]:
    """Where an entry of a list begins and ends, with the comments that are about it."""
    if entries.flow_style:
        return item.start_mark.index, _end(text, item)
    begins = text.rfind("\n", 0, item.start_mark.index) + 1
    return _above(text, begins), _line_end(text, _end(text, item))


def without(text: str, file: str, path: Path) -> str:
    r"""The text without what stands at a path; a mapping or list that is left with nothing goes as well.

    Comments on the lines right above an entry are about it, and go with it. ``given`` stays: a case that
    says nothing is a case.

    :raises PackError: where the text is not YAML.

    >>> text = "rules:\n  # A part\n\n  # Law.\n  - {id: a}\n  # Ours.\n  - {id: b, cap: -3}\n"
    >>> print(without(text, "m.yaml", ("rules", 0)), end="")
    rules:
      # A part
    <BLANKLINE>
      # Ours.
      - {id: b, cap: -3}
    """
    document = read(text, file)
    *around, step = path
    parent = standing_at(document.data, around)
    if len(parent) == 1 and around and around[-1] != "given":
        return without(text, file, tuple(around))
    wanted = copy.deepcopy(document.data)
    del standing_at(wanted, around)[step]
    return _checked(document, _dropped(text, path), path, wanted)


def lines_of(text: str, path: Path) -> tuple[int, int]:
    """On which lines an entry stands: the first and the last, counted from 1.

    >>> lines_of("pack: market\\nrules:\\n  - id: a\\n    points: 1\\n\\n  - id: b\\n", ("rules", 0))
    (3, 4)
    """
    begins, ends = _extent(text, path)
    return text.count("\n", 0, begins) + 1, text.count("\n", 0, ends) + 1


def _checked(document: Document, changed: str, path: Path, wanted: Any) -> str:
    """A text that says what was asked for and has lost no comment, its entry laid out."""
    result = _laid_out(changed, path)
    if read(result, document.file).data != wanted:
        raise PackError([document.fault(path, "", "can't be written here", "change it in the whole text")])
    return result


def _data_with(data: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    step, *rest = path
    data = copy.copy(data) if data is not None else [] if isinstance(step, int) else {}
    if isinstance(data, list) and step == len(data):
        data.append(None)
    data[step] = _data_with(standing_at(data, [step]), tuple(rest), value)
    return data


def _put(document: Document, text: str, path: Path, value: Any) -> str:
    *around, step = path
    parent = _node(text, around)
    if not isinstance(parent, yaml.CollectionNode):  # nothing there, or another kind of value
        return _put(document, text, tuple(around), [value] if isinstance(step, int) else {step: value})
    found = _child(parent, step)
    if found is None:
        return _added(text, parent, path, value)
    key, node = found
    begins, ends = node.start_mark.index, _end(text, node)
    if _is_block(node):
        if "#" in text[begins:ends]:
            hint = "change it in the whole text"
            raise PackError([document.fault(path, "", "a comment stands inside of it", hint)])
        begins = key.end_mark.index + 1 if key is not None else begins
    source = _source(text, parent, step, value)
    gap = " " if text[begins - 1] == ":" else ""
    return f"{text[:begins]}{gap}{source}{text[ends:]}"


def _added(text: str, parent: yaml.CollectionNode, path: Path, value: Any) -> str:
    """A key or an entry more, after the others."""
    *around, step = path
    head = "" if isinstance(step, int) else f"{step}: "
    if parent.flow_style:
        end = parent.end_mark.index - 1
        inside = text[:end].rstrip()
        joint = "" if inside[-1] in "{[" else " " if inside[-1] == "," else ", "
        return f"{inside}{joint}{head}{value_in_line(value)}{text[end:]}"
    last = parent.value[-1] if isinstance(parent, yaml.SequenceNode) else parent.value[-1][1]
    if isinstance(parent, yaml.SequenceNode):
        return _added_after(text, last, parent, around, value)
    at = _line_end(text, _end(text, last))
    margin = " " * parent.start_mark.column
    return f"{text[:at]}\n{margin}{head}{_source(text, parent, step, value)}{text[at:]}"


def _added_after(text: str, item: yaml.Node, entries: yaml.Node, around: list[Any], value: Any) -> str:
    at = _line_end(text, _end(text, item))
    return f"{text[:at]}{_gap(around)}{' ' * entries.start_mark.column}- {value_in_line(value)}{text[at:]}"


def _gap(around: list[Any]) -> str:
    """What stands between two entries of a list."""
    return "\n\n" if around[-1] in SPACED else "\n"


def _dropped(text: str, path: Path) -> str:
    *around, step = path
    parent = _node(text, around)
    assert isinstance(parent, yaml.CollectionNode)
    entries = [pair if isinstance(pair, tuple) else (pair, pair) for pair in parent.value]
    place = next(n for n, (key, _) in enumerate(entries) if step in (n, getattr(key, "value", None)))
    first, last = entries[place]
    after = entries[place + 1][0] if place + 1 < len(entries) else None
    if parent.flow_style:
        if after is not None:
            return text[: first.start_mark.index] + text[after.start_mark.index :]
        return text[: _end(text, entries[place - 1][1])] + text[_end(text, last) :]
    begins = text.rfind("\n", 0, first.start_mark.index) + 1
    is_entry = isinstance(parent, yaml.SequenceNode)
    if not is_entry and text[begins : first.start_mark.index].strip():  # beside the dash of the entry around
        assert after is not None
        return text[: first.start_mark.index] + text[after.start_mark.index :]
    ends = min(_line_end(text, _end(text, last)) + 1, len(text))
    before, after = text[: _above(text, begins)], text[ends:]
    if not after:
        return before.rstrip("\n") + "\n"
    is_apart = place == 0 or before.endswith("\n\n")  # of the empty lines on both sides one is left
    return before + (after.removeprefix("\n") if is_apart else after)


def _above(text: str, begins: int) -> int:
    """Where the comments begin that stand on the lines right above."""
    while begins:
        start = text.rfind("\n", 0, begins - 1) + 1
        if not text[start:begins].lstrip(" ").startswith("#"):
            break
        begins = start
    return begins


def _laid_out(text: str, path: Path) -> str:
    """The entry around a path in the one layout; as it is where that would lose something."""
    entry = _entry_of(text, path)
    node = _node(text, list(entry))
    if node is None or not entry:
        return text
    begins, ends = _extent(text, entry)
    if text[begins : text.rfind("\n", 0, begins) + 1].strip():
        return text
    source = text[begins:ends]
    margin = len(source) - len(source.lstrip(" "))
    *around, _ = entry
    lines = textwrap.dedent(source) if not around else f"{around[0]}:\n{_moved(source, INDENT - margin)}"
    try:
        made = layout(f"{lines}\n", "entry").rstrip("\n")
    except PackError:
        return text
    if around:
        made = _moved(made.split("\n", 1)[1], margin - INDENT)
    return text[:begins] + made + text[ends:]


def _moved(lines: str, by: int) -> str:
    return "\n".join(
        line if not line.strip() else " " * by + line if by > 0 else line[-by:] for line in lines.split("\n")
    )


def _entry_of(text: str, path: Path) -> Path:
    """What of a pack is laid out by itself: an entry of a list on lines of its own, or what a key holds."""
    around = _node(text, list(path[:1]))
    return path[:2] if len(path) > 1 and path[0] in SPACED and _is_block(around) else path[:1]


def _extent(text: str, entry: Path) -> tuple[int, int]:
    """Where the lines of an entry begin and end."""
    *around, step = entry
    parent = _node(text, around)
    found = _child(parent, step) if isinstance(parent, yaml.CollectionNode) else None
    if found is None:
        return 0, 0
    key, node = found
    begins = (key or node).start_mark.index
    return text.rfind("\n", 0, begins) + 1, _line_end(text, _end(text, node))


def _node(text: str, path: list[Any] | Path) -> yaml.Node | None:
    node = _composed(text)
    for step in path:
        found = _child(node, step) if isinstance(node, yaml.CollectionNode) else None
        if found is None:
            return None
        node = found[1]
    return node


@lru_cache(maxsize=4)
def _composed(text: str) -> yaml.Node | None:
    """The nodes of a text, which nobody changes: one change of it asks for them five times."""
    node: yaml.Node | None = yaml.compose(text, Loader=yaml.CSafeLoader)
    return node


def _child(parent: yaml.CollectionNode, step: Any) -> tuple[yaml.Node | None, yaml.Node] | None:
    """The key and the value at a step; the key of an entry of a list is None."""
    if isinstance(parent, yaml.MappingNode):
        return next(((key, node) for key, node in parent.value if key.value == step), None)
    return (None, parent.value[step]) if isinstance(step, int) and step < len(parent.value) else None


def _is_block(node: yaml.Node | None) -> bool:
    return isinstance(node, yaml.CollectionNode) and not node.flow_style


def _end(text: str, node: yaml.Node) -> int:
    """Where the last character of a value stands; libyaml counts what follows a block to it."""
    while _is_block(node) and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    begins, ends = node.start_mark.index, node.end_mark.index
    return begins + len(text[begins:ends].rstrip())


def _line_end(text: str, index: int) -> int:
    end = text.find("\n", index)
    return len(text) if end < 0 else end


def _dash(text: str, item: yaml.Node) -> int:
    return text.rindex("-", 0, item.start_mark.index)


def _source(text: str, parent: yaml.CollectionNode, step: Any, value: Any) -> str:
    """A value as YAML; a long text in a mapping on lines, folded."""
    line = value_in_line(value)
    margin = parent.start_mark.column
    is_long = margin + len(f"{step}: ") + len(line) > WIDTH
    if not is_long or not isinstance(value, str) or _is_flow(parent) or re.search(r"\s\s|^\s|\s$|\n", value):
        return line
    lines = textwrap.wrap(value, _FOLDED - margin - INDENT, break_long_words=False, break_on_hyphens=False)
    return "\n".join([">-", *(" " * (margin + INDENT) + folded for folded in lines)])


def _is_flow(parent: yaml.CollectionNode) -> bool:
    return bool(parent.flow_style) or isinstance(parent, yaml.SequenceNode)
