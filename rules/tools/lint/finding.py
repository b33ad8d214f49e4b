"""What lint has to say about a pack."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rules.chinese import in_chinese
from rules.fault import Place
from rules.titles import Title


class Severity(StrEnum):
    """How much a finding matters.

    An error: some part of the pack can't do what it says. A warning: probably a mistake. A notice: worth
    knowing.
    """

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


SEVERITIES = {Severity.ERROR: "错误", Severity.WARNING: "警告", Severity.NOTICE: "提示"}
RIGHT = "; right: "
"""Between what is wrong and what would be right, in a message that says both."""
LOAD = "load"
"""The check of what can't be loaded at all; its ``example`` is the text that was found there."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.

    :param check: the name of the check, such as ``table-gap``.
    :param subject: the id of the rule, table, measure … that it is about; empty for the pack.
    :param example: a case that shows it, where there is one.
    """

    place: Place
    severity: Severity
    check: str
    subject: str
    message: str
    example: str = ""

    @property
    def _in_chinese(self) -> str:
        return ";应为:".join(in_chinese(part) or part for part in self.message.split(RIGHT, 1))

    @property
    def told(self) -> Title:
        """What it says, for where its place is seen."""
        zh, en = self._in_chinese, self.message
        if self.example:
            zh, en = f"{zh};{self._shows.zh}:{self.example}", f"{en}; {self._shows.en}: {self.example}"
        return Title(f"{SEVERITIES[self.severity]}:{zh}", f"{self.severity}: {en}")

    @property
    def title(self) -> Title:
        """The same for a page."""
        place = f"{self.place.file}第{self.place.line}行第{self.place.column}列"
        text = f"{place},{SEVERITIES[self.severity]}:{self.subject or '评价规则'}:{self._in_chinese}"
        return Title(f"{text}\n    {self._shows.zh}:{self.example}" if self.example else text, str(self))

    @property
    def _shows(self) -> Title:
        return Title("原文", "found") if self.check == LOAD else Title("例如", "for example")

    def __str__(self) -> str:
        text = f"{self.place}: {self.severity}: {self.subject or 'pack'}: {self.message} [{self.check}]"
        return f"{text}\n    {self._shows.en}: {self.example}" if self.example else text
