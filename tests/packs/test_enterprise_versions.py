"""The two versions of the enterprise pack: which rules when, and what the second does no more."""

from __future__ import annotations

import datetime as dt

import pytest

from rules.library.loader import PACKS, find_pack, load_pack
from rules.model import Authority, Pack
from rules.tools.lint import Severity, lint_text
from scoring.judging.one import Judge

FIRST, SECOND = PACKS / "enterprise-credit.yaml", PACKS / "enterprise-credit-2026.2.yaml"


@pytest.mark.parametrize(
    ("day", "version"),
    [
        (dt.date(2026, 7, 31), "2026.1"),
        (dt.date(2026, 11, 30), "2026.1"),
        (dt.date(2026, 12, 1), "2026.2"),
        (dt.date(2030, 1, 1), "2026.2"),
    ],
)
def test_july_is_graded_as_it_was_and_december_by_the_law_as_it_stands(day: dt.date, version: str) -> None:
    assert find_pack("enterprise-credit", day).version == version


def test_it_is_a_classification_of_the_district_and_says_what_must_be_read_before_use() -> None:
    pack = load_pack(SECOND)
    assert (pack.authority, pack.title.zh) == (Authority.DISTRICT, "企业信用风险分类")
    assert pack.note is not None
    assert "国办发〔2026〕8号" in pack.note.zh


def test_lint_would_have_refused_the_first_version_and_finds_nothing_in_the_second() -> None:
    first = FIRST.read_text(encoding="utf-8").replace(
        "subject: enterprise", "authority: district\nsubject: enterprise"
    )
    found = {f.check for f in lint_text(first, "first.yaml") if f.severity is not Severity.NOTICE}
    assert found == {"national-name", "never-counts", "counts-too-long", "ignores-end", "one-fact-twice"}
    second = lint_text(SECOND.read_text(encoding="utf-8"), "second.yaml")
    assert [str(f) for f in second if f.severity is not Severity.NOTICE] == []


@pytest.mark.parametrize("status", ["repaired", "revoked"])
def test_no_kind_of_record_counts_once_it_is_repaired_or_revoked(status: str) -> None:
    """Whatever its class, level and amount: with such records and without, the grade is the same."""
    pack = load_pack(SECOND)
    assert pack.vocabulary.records is not None
    records = [
        {
            "kind": kind,
            "level": level,
            "severity": severity,
            "status": status,
            "document_no": "1",
            "field": "wages",
        }
        for kind, said in pack.vocabulary.records.kinds.items()
        for level in (*said.values.get("level", ()), None)
        for severity in ("minor", "general", "serious", None)
    ]
    assert len(records) > 300
    assert graded(pack, records) == graded(pack, [])


def graded(pack: Pack, records: list[dict[str, object]]) -> object:
    day = dt.date(2027, 1, 10)
    common = {"occurred_on": day - dt.timedelta(days=9), "amount": 9_000_000}
    numbered = [{"record_id": f"r{n}", **common, **record} for n, record in enumerate(records)]
    subject = {"subject_id": "91500159MALHQAY57U", "state": "operating", "size": "large"}
    return Judge(pack).judge(subject, numbered).segments
