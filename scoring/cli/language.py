"""In which language the command line speaks, as the environment asks for it."""

from __future__ import annotations

import gettext
from pathlib import Path

from rules.titles import Title

LOCALE, DOMAIN = Path(__file__).parent / "locale", "xinheng"


def speaks_chinese() -> bool:
    """Whether the first of LANGUAGE, LC_ALL, LC_MESSAGES and LANG that is set asks for Chinese."""
    return bool(gettext.find(DOMAIN, LOCALE))


def in_language(title: Title) -> str:
    """What takes several lines: in the one language that is asked for."""
    return title.zh if speaks_chinese() else title.en
