"""Credit reports as they were issued: numbered, with a check code, and kept as they were given out.

The file is kept, not made anew: packs, vocabularies and fonts change, and what was given out must be had
again byte for byte and compared with what somebody holds. After a repair nobody but the regulator and the
enterprise itself reads the old file; who verifies a report learns nothing of what stands in it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
import secrets
import unicodedata
from dataclasses import dataclass

import sqlalchemy as sa

from rules.calendar import SHANGHAI
from rules.library.loader import load_vocabulary
from rules.model import Title
from rules.titles import UnknownError
from scoring.answers.credit_report.content import credit_content
from scoring.answers.credit_report.paper import report_pdf
from scoring.facts.ingest.keys import ENTERPRISES
from scoring.store import Store
from scoring.store.reports import IssuedReport

_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""None that is taken for another."""

_NUMBER_LETTERS, _CODE_LETTERS = 8, 16


class UnknownReportError(UnknownError):
    """No report was issued under this number with this code."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A report that was issued.

    :param number: as people read it: 20261127-7K3M9QXD.
    :param code: its check code: 7K3M-9QXD-2HFW-8RTC.
    :param name: of whom it speaks, as on the paper.
    :param known_at: the moment of its facts.
    :param sha256: hex digest of the file.
    """

    number: str
    code: str
    subject_id: str
    name: str
    issued_at: dt.datetime
    issued_by: str
    known_at: dt.datetime
    sha256: str


def issue_report(store: Store, subject_id: str, by: str, at: dt.datetime | None = None) -> Issued:
    """Issue the credit report of an enterprise.

    What is printed is what is known in the transaction that notes it: where something new became known
    meanwhile, it is printed again.

    :param by: who asks for it, as the audit log names them.
    :param at: when; by default now.
    :raises UnknownError: where there is no such enterprise.
    :raises PaperError: where no PDF can be made here.
    """
    vocabulary, at = load_vocabulary(ENTERPRISES), at or dt.datetime.now(dt.UTC)
    day = at.astimezone(SHANGHAI).date()
    number, code = f"{day:%Y%m%d}{_drawn(_NUMBER_LETTERS)}", _drawn(_CODE_LETTERS)
    while True:
        with store.reading() as session:
            content = credit_content(session, vocabulary, subject_id, day)
        file = report_pdf(content, _number(number), _code(code), at)
        with store.writing() as session:
            if credit_content(session, vocabulary, subject_id, day) != content:
                continue
            row = IssuedReport(
                number=number,
                code=code,
                vocabulary=vocabulary.id,
                subject_id=content.subject_id,
                name=content.name,
                issued_at=at,
                issued_by=by,
                known_at=content.known_at or at,
                sha256=hashlib.sha256(file).hexdigest(),
                file=file,
            )
            session.add(row)
            return _issued(row)


def verify_report(store: Store, number: str, code: str) -> Issued:
    """The report that was issued under a number with a code, in whatever way they were typed.

    An unknown number and a wrong code take the same path, and get the same answer.

    :raises UnknownReportError: where there is none.
    """
    with store.reading() as session:
        row = session.scalar(sa.select(IssuedReport).where(IssuedReport.number == _canonical(number)))
    expected = row.code if row is not None else "-" * _CODE_LETTERS
    if not hmac.compare_digest(_canonical(code), expected) or row is None:
        raise UnknownReportError(
            Title(
                "没有该编号与验证码的报告,请核对后重试",
                "no report was issued under this number with this code",
            )
        )
    return _issued(row)


def report_file(store: Store, number: str, subject_id: str | None = None) -> tuple[Issued, bytes]:
    """A report with its file, as it was given out.

    :param subject_id: only if it is this subject's.
    :raises UnknownReportError: where there is none.
    """
    with store.reading() as session:
        row = session.get(IssuedReport, _canonical(number))
        if row is None or subject_id not in (None, row.subject_id):
            raise UnknownReportError(Title(f"没有编号为{number}的报告", f"there is no report {number}"))
        return _issued(row), row.file


def _issued(row: IssuedReport) -> Issued:
    shown = {name: getattr(row, name) for name in Issued.__slots__}
    return Issued(**shown | {"number": _number(row.number), "code": _code(row.code)})


def _drawn(letters: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(letters))


def _canonical(typed: str) -> str:
    """A number or code as the store has it: in capitals, without spaces and hyphens."""
    return re.sub(r"[^0-9A-Z]", "", unicodedata.normalize("NFKC", typed).upper())


def _number(canonical: str) -> str:
    return f"{canonical[:8]}-{canonical[8:]}"


def _code(canonical: str) -> str:
    return "-".join(re.findall("....", canonical))
