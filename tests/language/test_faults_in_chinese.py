"""What is wrong with a pack is said in Chinese to who reads Chinese, whatever the rules find wrong."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import rules
from rules.chinese import in_chinese
from rules.fault import Fault, PackError
from rules.language.parse import ConditionError, parse_condition
from rules.library.loader import load_text
from tests.language.test_conditions import REFUSED, SCOPE
from tests.language.test_faults import FAULTS
from tests.language.test_hostile_packs import HOSTILE

Faults = Callable[[str], list[Fault]]

RAISES = {
    # what is called with a message and a hint → which argument the message is
    "complaint": 0,
    "ConditionError": 0,
    "UndeclaredNameError": 0,
    "report": 2,
    "fault": 2,
    "_complain": 2,
    "_fault": 2,
    "Fault": 3,
    "NotTakenError": 3,
    "lack": 3,
    "remark": 3,
    "_refusal": -2,
}
ROOMS = ("language", "text", "meaning", "library", "tools/exchange")
NAMED = {"message", "hint", "wrong", "_ADDS_UP"}
"""What is made of words before it is handed on."""

THREE_WORDS = re.compile(r"(?<![\w'])[A-Za-z]{2,} [a-z]+ [a-z]{2,}(?![\w'])")
"""English prose; an example of the language has an operator or a value between its names."""

EXAMPLES = re.compile(r"interval 3 month|is not null|= <> < .*")


def prose(text: str) -> list[str]:
    """English sentences in a text."""
    return THREE_WORDS.findall(EXAMPLES.sub("", text))


def _words(node: ast.expr) -> Iterator[str]:
    """A text in the source; what is filled in stands as a word."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "number" for part in node.values)
    elif isinstance(node, ast.IfExp):
        yield from _words(node.body)
        yield from _words(node.orelse)
    elif isinstance(node, ast.Tuple):
        for part in node.elts:
            yield from _words(part)


def _said() -> Iterator[tuple[str, str]]:
    root = Path(rules.__path__[0])
    for path in (path for room in ROOMS for path in (root / room).glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for text in _said_by(node):
                yield f"{path.name}:{getattr(node, 'lineno', 0)}", text


def _said_by(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call):
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name in RAISES:
            first = RAISES[name]
            for argument in node.args[first:][:2]:
                yield from _words(argument)
    elif isinstance(node, ast.Assign) and _names(node.targets[0]) <= NAMED:
        yield from _words(node.value)


def _names(target: ast.expr) -> set[str]:
    """What is assigned to: ``message``, or ``message, hint``."""
    each = target.elts if isinstance(target, ast.Tuple) else [target]
    return {getattr(name, "id", "") for name in each}


def _has_words(text: str) -> bool:
    """Whether a hint is more than an example of the language, such as ``from: 0``."""
    return bool(prose(text)) or re.fullmatch(r"[a-z']+( [a-z']+)+", text) is not None


SAID = sorted({(text, place) for place, text in _said() if text})


def test_what_the_rules_say_is_found() -> None:
    texts = {text for text, _ in SAID}
    assert {"no such column", "not a date", "a comment in a condition", "the key stands here twice"} <= texts
    assert len(texts) > 200


@pytest.mark.parametrize(("text", "place"), SAID)
def test_all_that_is_made_of_words_has_its_chinese(text: str, place: str) -> None:
    assert in_chinese(text) or not _has_words(text), place


@pytest.mark.parametrize(("sane", "faulty"), [(sane, faulty) for sane, faulty, *_ in FAULTS])
def test_a_fault_has_no_english_sentence_in_its_chinese(
    sound: str, faults: Faults, sane: str, faulty: str
) -> None:
    for fault in faults(sound.replace(sane, faulty, 1)):
        assert in_chinese(fault.message), fault.message
        assert not prose(fault.title.zh.replace(fault.text, "")), fault.title.zh
        assert fault.title.en == str(fault)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=list(HOSTILE))
def test_a_hostile_file_is_refused_in_chinese(faults: Faults, text: str) -> None:
    for fault in faults(text):
        assert in_chinese(fault.message), fault.message


@pytest.mark.parametrize("text", [case[0] for case in REFUSED])
def test_a_condition_is_refused_in_chinese(text: str) -> None:
    with pytest.raises(ConditionError) as caught:
        parse_condition(text, SCOPE)
    assert in_chinese(caught.value.message), caught.value.message
    assert not prose(in_chinese(caught.value.hint) or caught.value.hint), caught.value.hint


def test_the_whole_file_is_named_in_chinese() -> None:
    with pytest.raises(PackError) as refused:
        load_text("a: [", "p.yaml")
    [fault] = refused.value.faults
    assert fault.field == "(file)"
    assert "(整个文件)" in fault.title.zh
    assert "(file)" not in fault.title.zh
