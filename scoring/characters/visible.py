"""Texts as people are shown them: characters that can't be seen, and steer how others are, stand as marks."""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup

FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
"""Letters and signs by their category, and nothing to see: fillers of Hangul, a blank of Braille."""

_HIDDEN = re.compile(
    f"[{FILLERS}"
    "\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f"
    "\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufdd0-\ufdef\ufeff\ufff9-\ufffb\ufffe\uffff\U000110bd\U000110cd\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f]"
)
"""Controls but for tab and line ends; formats (directions, joiners, the byte order mark); line separators;
fillers; what is no character, and never will be."""

_LINE_ENDS = re.compile(r"[\t\n\r]")


class AsTyped(Markup):
    """Text that goes back into the field in which it was typed: it comes again as it was."""


def visible(text: str) -> str:
    r"""A text in which each hidden character stands as its number: U+202E as ⟨U+202E⟩.

    >>> visible("临江\u202e餐馆")
    '临江⟨U+202E⟩餐馆'
    """
    return _HIDDEN.sub(_mark, text)


def mark(sign: str) -> str:
    """A sign as its number; a mark stays.

    >>> mark("\\a"), mark("⟨U+0007⟩")
    ('⟨U+0007⟩', '⟨U+0007⟩')
    """
    return sign if len(sign) > 1 else f"⟨U+{ord(sign):04X}⟩"


def is_blank(text: str) -> bool:
    r"""Whether there is nothing to see in a text.

    >>> is_blank(" \u3000\u200b"), is_blank("。")
    (True, False)
    """
    return not _HIDDEN.sub("", text).strip()


def one_line(text: str) -> str:
    r"""A name that stands in a line with others, made :func:`visible`, line ends and tabs as well.

    >>> one_line("名单\n2026.csv")
    '名单⟨U+000A⟩2026.csv'
    """
    return _LINE_ENDS.sub(_mark, visible(text))


def _mark(found: re.Match[str]) -> str:
    return mark(found[0])


def shown(value: Any) -> Any:
    """What a template shows, made :func:`visible`: the ``finalize`` of every template's environment."""
    if not isinstance(value, str) or isinstance(value, AsTyped):
        return value
    return Markup(visible(value)) if isinstance(value, Markup) else visible(value)


def as_typed(value: Any) -> AsTyped:
    """A value for the field of a form, escaped and otherwise as it is."""
    return AsTyped("" if value is None else Markup.escape(value))
