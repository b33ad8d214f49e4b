"""What is wrong with a pack, where, and what would be right."""

from __future__ import annotations

from dataclasses import dataclass

from rules.titles import Title, TitledError


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
    """

    place: Place
    field: str
    text: str
    message: str
    hint: str = ""

    @property
    def title(self) -> Title:
        """The same for a page: in Chinese where it stands; what is wrong is known in English alone."""
        zh = f"{self.place.file}第{self.place.line}行第{self.place.column}列,{self.field}有误:{self.message}"
        return Title(zh, str(self))

    def __str__(self) -> str:
        shown = self.text if len(self.text) <= 80 else self.text[:77] + "..."
        lines = [f"{self.place}: {self.field}: {self.message}"]
        if shown:
            lines.append(f"    found: {shown}")
        if self.hint:
            lines.append(f"    right: {self.hint}")
        return "\n".join(lines)


class PackError(Exception):
    """A pack that can't be used; ``faults`` holds everything that is wrong with it, by place."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = sorted(faults, key=lambda p: (p.place, p.field))
        super().__init__("\n".join(str(p) for p in self.faults))


class UnknownPackError(TitledError, LookupError):
    """No pack of that name, or none in force on that date."""
