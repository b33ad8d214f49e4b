"""Help in Chinese: a command's words replaced by those of the catalogue in ``locale/``, wrapped as they show.

Loaded only where the environment asks for Chinese. ``make messages`` collects what is to be said.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from gettext import gettext
from unicodedata import east_asian_width

import click

_PIECE = re.compile(r"[（《“]*(?:[^\s\u2e80-\uffef]+|[^\s（《“])[，。；：、）》”？！]*|\s+|.")
_WORD = re.compile(r"\s+|\S+")
"""What stays on one line: of prose, and of a command."""
_EXAMPLES = re.compile(r"^((?:\x08\n)?)(Examples?:)")


class _Formatter(click.HelpFormatter):
    """Wraps by the columns that a text takes: a wide sign takes two, and needs no space to break after it."""

    def write_text(self, text: str) -> None:
        width = self.width - self.current_indent
        super().write_text("\n\n".join(_filled(part, width) for part in text.split("\n\n")))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        rows = list(rows)
        first = min(max((len(term) for term, _ in rows), default=0), col_max) + col_spacing
        width = max(self.width - first - 2, 10)
        super().write_dl([(term, _filled(text, width)) for term, text in rows], col_max, col_spacing)


class _Context(click.Context):
    formatter_class = _Formatter


def paragraphs(help_: str) -> list[str]:
    """The paragraphs of a command's help, as the catalogue has them: prose on one line, examples as is."""
    parts = inspect.cleandoc(help_).split("\n\n")
    return [part if _EXAMPLES.match(part) else " ".join(part.split()) for part in parts]


def say(command: click.Command) -> None:
    """Put Chinese in the place of the words of a command and of all that it holds; twice is as once."""
    command.context_class = _Context
    if command.help:
        chinese = [_paragraph(part) for part in paragraphs(command.help)]
        command.help = "\n\n".join(chinese)
        command.short_help = chinese[0].partition("。")[0] + "。"
    for param in command.params:
        if isinstance(param, click.Option):
            param.help = param.help and gettext(param.help)
            if isinstance(param.show_default, str):
                param.show_default = gettext(param.show_default)
    if isinstance(command, click.Group):
        for held in command.commands.values():
            say(held)


def _paragraph(text: str) -> str:
    """An example keeps its commands; a paragraph of prose is said as a whole."""
    if _EXAMPLES.match(text):
        return _EXAMPLES.sub(lambda found: found[1] + gettext(found[2]), text)
    return gettext(text)


def _filled(text: str, width: int) -> str:
    """A paragraph in lines of at most so many columns, marked as not to be wrapped again."""
    if text.startswith("\b\n"):
        return text
    lines, used = [""], 0
    pieces = _WORD if text.startswith((gettext("Example:"), gettext("Examples:"))) else _PIECE
    for piece in pieces.findall(text):
        columns = sum(2 if east_asian_width(sign) in "WF" else 1 for sign in piece)
        if used + columns > width and used and not piece.isspace():
            lines.append("")
            used = 0
        if used or not piece.isspace():
            lines[-1] += piece
            used += columns
    return "\b\n" + "\n".join(line.rstrip() for line in lines)
