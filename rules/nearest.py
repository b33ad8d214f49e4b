"""What is right where a word is none of a list: the nearest of them, and the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rules.titles import Title

_MANY = 6
"""So many words are listed beside the nearest; of more the nearest alone is said."""


def one_of(written: str, choices: Iterable[str], none: str = "none is declared") -> str:
    """The hint for a word that is none of the choices.

    :param choices: the words; of a mapping to titles, what is written may also be a title.
    :param none: the hint where there is no choice.

    >>> from rules.titles import Title
    >>> one_of("uphold", ["rejected", "upheld"])
    'upheld? or another of rejected'
    >>> one_of("投诉举报", {"complaint": Title("投诉", "Complaint"), "award": Title("表彰", "Award")})
    'complaint? or another of award'
    >>> one_of("lots", ["rejected", "upheld"])
    'one of rejected, upheld'
    """
    words = list(choices)
    close = _nearest(written, choices if isinstance(choices, Mapping) else dict.fromkeys(words))
    if close is None:
        return f"one of {', '.join(words)}" if words else none
    others = [word for word in words if word != close]
    return f"{close}? or another of {', '.join(others)}" if 0 < len(others) <= _MANY else f"{close}?"


def _nearest(written: str, choices: Mapping[str, Title | None]) -> str | None:
    """The choice that is spelled or called most nearly so."""
    import difflib  # a hundredth of a second, and needed where something is wrong alone

    called = {name: word for word, title in choices.items() if title for name in (title.zh, title.en)}
    called |= {word: word for word in choices}
    close = difflib.get_close_matches(written, called, n=1, cutoff=0.7)
    within = [name for name in called if len(name) > 1 and name in written]
    return next((called[name] for name in (*close, *within)), None)
