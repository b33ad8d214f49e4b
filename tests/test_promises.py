"""What the documents promise in numbers is what the code holds to."""

from __future__ import annotations

import datetime as dt
import re
from fractions import Fraction
from pathlib import Path

import pytest

from api.pages import files
from api.settings import read_settings
from scoring.access.sessions import LASTS
from scoring.answers.notices.compute import MOST_REASONS, MOST_RECORDS
from scoring.changes.sending import PAUSES
from scoring.facts import repair_case
from scoring.facts.ingest import bounds, uploads
from scoring.facts.objection_case import (
    ACKNOWLEDGE_WITHIN,
    APPEAL_WITHIN,
    DECIDE_WITHIN,
    REVIEW_WITHIN,
)
from scoring.inspections.codes import DAYS_AHEAD, REPORT_WITHIN
from scoring.inspections.visits import IDLE_VISITS
from scoring.runs.proposals import MOST_DAYS
from scoring.store.workspace import DEFAULT_MEMORY
from scoring.tickets.desk import ANSWER_WITHIN

DOCS = Path(__file__).parents[1] / "docs"
FILES = (DOCS / "files.md").read_text("utf-8")
DEFAULTS = dict(
    re.findall(
        r"^\| `XINHENG_(\w+)` \| `(.+?)` \|", (DOCS / "operations.md").read_text("utf-8"), re.MULTILINE
    )
)
MILLION, MIB, GIB = 10**6, 1 << 20, 1 << 30


def of(number: int, unit: int) -> str:
    """How many units a number is, exactly."""
    return str(Fraction(number, unit))


BOUNDS = [
    f"a file; an .xls | {of(bounds.LARGEST_FILE, GIB)} GiB; {of(bounds.LARGEST_OLD_WORKBOOK, MIB)} MiB",
    f"a workbook unpacked | {of(bounds.LARGEST_UNPACKED, GIB)} GiB,"
    f" and beyond {of(bounds.FREE_UNPACKED, MIB)} MiB {bounds.HIGHEST_RATIO} times its size",
    f"cells of a workbook | {of(bounds.MOST_CELLS, MILLION)} million,"
    f" and beyond {of(bounds.FREE_CELLS, MILLION)} million {bounds.CELLS_A_BYTE} for each byte of the file",
    f"rows; columns; sheets | {bounds.MOST_ROWS:,}; {bounds.MOST_COLUMNS:,}; {bounds.MOST_SHEETS:,}",
    f"shared texts | {of(bounds.MOST_STRINGS, MILLION)} million, {of(bounds.LARGEST_STRINGS, MIB)} MiB",
    f"merged blocks; formats and styles; depth of elements; a tag | {bounds.MOST_MERGES:,};"
    f" {bounds.MOST_STYLES:,}; {bounds.DEEPEST_ELEMENT}; {of(bounds.LONGEST_TAG, MIB)} MiB",
    f"a line; a quoted cell | {bounds.LONGEST_LINE:,} characters; {bounds.LONGEST_QUOTED:,} characters and"
    f" {bounds.MOST_QUOTED_LINES:,} lines",
]


@pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: bound.split(" | ")[0])
def test_a_file_may_be_as_large_as_the_page_says(bound: str) -> None:
    assert f"| {bound} |" in FILES


@pytest.mark.parametrize("name", sorted(DEFAULTS.keys() - {"DATABASE_URL", "MEMORY_LIMIT", "CACHE"}))
def test_a_setting_is_by_default_what_the_page_says(name: str) -> None:
    default = getattr(read_settings({}), name.lower())
    assert default == type(default)(DEFAULTS[name])


def test_a_file_by_button_is_as_large_and_waits_as_long_as_the_page_says() -> None:
    page = " ".join(FILES.split())
    assert f"at most {files.MOST_ROWS:,} rows" in page
    assert f"of each office the latest {uploads.MOST_WAITING}." in page
    assert f"after {uploads.KEPT_HOURS} hours" in page
    assert f"(the latest {files.MOST_OWN:,})" in page


def test_an_objection_has_the_terms_that_the_page_says() -> None:
    page = (DOCS / "objections.md").read_text("utf-8")
    terms = (
        (ACKNOWLEDGE_WITHIN, "filing"), (DECIDE_WITHIN, "filing"),
        (APPEAL_WITHIN, "the decision"), (REVIEW_WITHIN, "the appeal"),
    )  # fmt: skip
    told = re.findall(r"\| (\d+) of ([a-z ]+) \|$", page, re.MULTILINE)
    assert told == [(str(days), since) for days, since in terms]


def test_a_visit_has_the_terms_that_the_page_says() -> None:
    page = " ".join((DOCS / "inspections.md").read_text("utf-8").split())
    for said in (
        f"until {REPORT_WITHIN} working days after its last day",
        f"begins within {DAYS_AHEAD} days",
        f"last {IDLE_VISITS} visits or more",
    ):
        assert said in page


def test_a_repair_has_the_terms_that_the_page_says() -> None:
    page = (DOCS / "repairs.md").read_text("utf-8")
    told = re.findall(r"\| (\d+) of ([a-z ]+) \|$", page, re.MULTILINE)
    assert told == [
        (str(repair_case.ADMIT_WITHIN), "applying"),
        (str(repair_case.DECIDE_WITHIN), "the admission"),
    ]


def test_a_run_is_proposed_and_a_notice_is_as_long_as_the_page_says() -> None:
    page = " ".join((DOCS / "preview.md").read_text("utf-8").split())
    assert f"(at most {MOST_DAYS} days)" in page
    assert f"At most {MOST_REASONS} rules, each with at most {MOST_RECORDS} records" in page


def test_an_office_waits_for_the_answer_of_an_enterprise_as_long_as_the_page_says() -> None:
    page = (DOCS / "enterprise.md").read_text("utf-8")
    assert f"silent for more than {ANSWER_WITHIN}\nworking days" in page


def test_what_a_receiver_does_not_take_is_sent_again_as_often_as_the_page_says() -> None:
    page = " ".join((DOCS / "changes.md").read_text("utf-8").split())
    minutes = [str(pause // dt.timedelta(minutes=1)) for pause in PAUSES[:3]]
    hours = [str(pause // dt.timedelta(hours=1)) for pause in PAUSES[3:]]
    said = " and ".join(f"{', '.join(times[:-1])} and {times[-1]}" for times in (minutes, hours))
    assert said.replace(" and 2, ", " minutes and 2, ") + " hours" in page


def test_a_batch_spills_where_the_page_says() -> None:
    assert DEFAULTS["MEMORY_LIMIT"] == DEFAULT_MEMORY


def test_a_sign_in_lasts_a_working_day() -> None:
    assert dt.timedelta(hours=8) == LASTS
