"""Texts as people are shown them: characters that can't be seen, and steer how others are, stand as marks."""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup

_HIDDEN = re.compile(
    "[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f"
    "\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f]"
)
"""Controls but for tab and line ends; formats (directions, joiners, the byte order mark); line separators."""


class AsTyped(Markup):
    """Text that goes back into the field in which it was typed: it comes again as it was."""


def visible(text: str) -> str:
    r"""A text in which each hidden character stands as its number: U+202E as ⟨U+202E⟩.

    >>> visible("临江\u202e餐馆")
    '临江⟨U+202E⟩餐馆'
    """
    return _HIDDEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)


def shown(value: Any) -> Any:
    """What a template shows, made :func:`visible`: the ``finalize`` of every template's environment."""
    if not isinstance(value, str) or isinstance(value, AsTyped):
        return value
    return Markup(visible(value)) if isinstance(value, Markup) else visible(value)


def as_typed(value: Any) -> AsTyped:
    """A value for the field of a form, escaped and otherwise as it is."""
    return AsTyped("" if value is None else Markup.escape(value))
