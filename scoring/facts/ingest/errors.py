"""What can be wrong with a file as a whole, and with a row or a cell of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rules.model import Title
from scoring.characters.persons import without_persons
from scoring.characters.visible import one_line


class IngestError(Exception):
    """A file that can't be taken in at all; nothing of it reaches the store, but of an :class:`AccountError`.

    :param file: the file's name as it was given.
    :param reason: what is wrong, and where in the file; what it shows of it goes without persons' numbers.
    :param hint: what would be right.
    :param option: how the command line is told so.
    """

    def __init__(self, file: str | Path, reason: Title, hint: Title, option: str = "") -> None:
        self.file = str(file)
        self.reason = Title(without_persons(reason.zh), without_persons(reason.en))
        self.hint, self.option = hint, option
        super().__init__(f"{one_line(self.file)}: {self.reason}\n    right: {self.right}")

    @property
    def right(self) -> str:
        """What would be right, for the command line."""
        return ": ".join(filter(None, (str(self.hint), self.option)))


class AccountError(IngestError):
    """A file that was taken, but the account of its bad rows can't be written.

    :ivar file_id: under which it was taken.
    """

    def __init__(self, file: str, reason: Title, hint: Title, file_id: int) -> None:
        super().__init__(file, reason, hint)
        self.file_id = file_id


class NoTableError(IngestError):
    """A sheet whose headers, if it has any, are those of no table; another sheet of the file may be one."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a cell (or a row) can't be read, and what could be."""

    reason: Title
    hint: Title

    @property
    def title(self) -> Title:
        """Both in one."""
        return Title(f"{self.reason.zh}（{self.hint.zh}）", f"{self.reason.en} ({self.hint.en})")

    def __str__(self) -> str:
        return self.title.both


class CellError(ValueError):
    """A cell that holds no value of its column's type."""

    def __init__(self, reason: Title, hint: Title) -> None:
        self.fault = Fault(reason, hint)
        super().__init__(str(self.fault))
