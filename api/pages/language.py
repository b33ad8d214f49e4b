"""The languages of the pages: Chinese with English beside it, or one of them alone."""

from __future__ import annotations

from collections.abc import Iterable

from flask import request
from markupsafe import Markup, escape

from api.around.request import current
from rules.model import OWN_CHOICE_TITLE, Title

LANGUAGES = {"both": "中文 English", "zh": "中文", "en": "English"}
COOKIE, BOTH = "language", "both"


def chosen() -> str:
    """The language of this request: ``both``, ``zh`` or ``en``.

    A page for everybody knows no cookie: its address says it.
    """
    wanted = request.args.get(COOKIE) if current().access.is_public else request.cookies.get(COOKIE)
    return wanted if wanted in LANGUAGES else BOTH


def text(zh: str, en: str) -> Markup:
    """A text as HTML; beside Chinese, English is marked as such for screen readers."""
    language = chosen()
    if language == "zh" or zh == en:
        return escape(zh)
    if language == "en":
        return Markup(f'<span lang="en">{escape(en)}</span>')
    return Markup(f'{escape(zh)} <span lang="en" class="en">{escape(en)}</span>')


def plain(zh: str, en: str) -> str:
    """A text for places that hold no HTML."""
    return {"zh": zh, "en": en}.get(chosen(), f"{zh} {en}" if zh != en else zh)


def sign(half: str) -> str:
    """What stands between two parts of a line, as the language writes it.

    :param half: a key of :data:`_FULL`.
    """
    return _FULL[half] if chosen() == "zh" else half


_FULL = {": ": "：", "; ": "；", ", ": "，", " (": "（", ")": "）"}


def comma() -> str:
    """What stands between the entries of a list."""
    return ", " if chosen() == "en" else "、"


def listed(entries: Iterable[str]) -> Markup:
    """The entries of a list, one after the other."""
    return Markup(comma()).join(entries)


def counted(number: int, zh: str, many: str, one: str) -> Markup:
    """How many there are of something.

    :param many, one: in English, of several and of a single one.
    """
    return Markup("{:,} {}").format(number, text(zh, one if number == 1 else many))


def title(said: Title) -> str:
    """A title for places that hold no HTML."""
    return plain(said.zh, said.en)


def cite(document: Title) -> Markup:
    """A document that is cited; what both languages call by its Chinese name is said once."""
    return (
        say(document)
        if document == OWN_CHOICE_TITLE
        else escape(document.en if chosen() == "en" else document.zh)
    )


def say(title: Title) -> Markup:
    """A title of a pack or vocabulary, or a message."""
    return text(title.zh, title.en)
