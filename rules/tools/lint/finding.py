"""What lint has to say about a pack."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rules.fault import Place


class Severity(StrEnum):
    """How much a finding matters.

    An error: some part of the pack can't do what it says. A warning: probably a mistake. A notice: worth
    knowing.
    """

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


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

    def __str__(self) -> str:
        text = f"{self.place}: {self.severity}: {self.subject or 'pack'}: {self.message} [{self.check}]"
        return f"{text}\n    for example: {self.example}" if self.example else text
