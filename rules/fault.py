"""What is wrong with a pack, where, and what would be right."""

from __future__ import annotations

from dataclasses import dataclass

from rules.chinese import in_chinese
from rules.titles import Title, UnknownError

WHOLE, WHOLE_IN_CHINESE = "(file)", "(整个文件)"
"""The field of a fault that no one field has, but the file."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Fault:
    """One finding about a pack.

    :param place: where it stands.
    :param field: the path of the field, such as ``rules[3].when``.
    :param text: the offending text, as written.
    :param message: what is wrong.
    :param hint: what would be right.
    :param part: the id of the rule, table or other part of a list that the field is in.
    """

    place: Place
    field: str
    text: str
    message: str
    hint: str = ""
    part: str = ""

    @property
    def title(self) -> Title:
        """The same for a page."""
        where = f"{self.place.file}第{self.place.line}行第{self.place.column}列"
        named = WHOLE_IN_CHINESE if self.field == WHOLE else self._named
        lines = [f"{where},{named}:{in_chinese(self.message) or self.message}"]
        if self.text:
            lines.append(f"    原文:{self._shown}")
        if self.hint:
            lines.append(f"    应为:{in_chinese(self.hint) or self.hint}")
        return Title("\n".join(lines), str(self))

    @property
    def _named(self) -> str:
        return f"{self.field} ({self.part})" if self.part else self.field

    @property
    def _shown(self) -> str:
        return self.text if len(self.text) <= 80 else self.text[:77] + "..."

    def __str__(self) -> str:
        lines = [f"{self.place}: {self._named}: {self.message}"]
        if self.text:
            lines.append(f"    found: {self._shown}")
        if self.hint:
            lines.append(f"    right: {self.hint}")
        return "\n".join(lines)


class PackError(Exception):
    """A pack that can't be used; ``faults`` holds everything that is wrong with it, by place."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = sorted(faults, key=lambda p: (p.place, p.field))
        super().__init__("\n".join(str(p) for p in self.faults))


class UnknownPackError(UnknownError):
    """No pack of that name, or none in force on that date."""
