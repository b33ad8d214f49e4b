"""Repeat offenders by key field: who, in which field, by which records, and what it leads to."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from rules.fault import UnknownPackError
from rules.model import Pack
from scoring.answers.repeat_offences import Repeat, repeat_offences
from scoring.cli.offences import offences_command
from scoring.store import Store, open_store

from .district import put_into

AS_OF = dt.date(2026, 7, 31)
ONE, TWO = "91500159MALHQAY57U", "91500159MA6JW0TD0A"


def penalties(subject: str, field: str, *days: dt.date, **other: Any) -> Iterator[dict[str, Any]]:
    common = {"kind": "penalty", "severity": "general", "status": "effective", "field": field, **other}
    for day in days:
        key = f"{subject[-3:]}-{field}-{day}"
        yield {"record_id": key, "subject_id": subject, "occurred_on": day, **common}


def fill(store: Store, pack: Pack) -> None:
    """Four findings on wages and two on traffic of one enterprise, three on wages of the other, and more."""
    d = dt.date
    wages = (d(2024, 8, 1), d(2025, 3, 1), d(2025, 9, 1), d(2026, 5, 1))
    records = [
        *penalties(ONE, "wages", *wages),
        *penalties(ONE, "wages", d(2024, 7, 31)),
        *penalties(ONE, "wages", d(2026, 8, 1)),
        *penalties(ONE, "traffic", d(2026, 1, 1), d(2026, 2, 1)),
        *penalties(TWO, "wages", d(2025, 1, 1), d(2025, 2, 1)),
        *penalties(TWO, "wages", d(2025, 3, 1), status="repaired"),
        *penalties(TWO, "wages", d(2025, 4, 1), status="revoked"),
        *penalties(TWO, "wages", d(2025, 5, 1), severity="minor"),
        *penalties(TWO, "general", d(2026, 3, 1), d(2026, 4, 1), d(2026, 5, 1)),
        *penalties(TWO, "traffic", d(2026, 1, 1)),
    ]
    put_into(store, pack, [{"subject_id": s, "name": f"{s[-3:]}公司"} for s in (ONE, TWO)], records)


def shown(repeat: Repeat) -> tuple[str, str, int, list[str]]:
    return repeat.field, repeat.subject_id, len(repeat.records), [rule.id for rule in repeat.escalations]


def test_offenders_are_listed_by_field_with_the_rules_that_their_number_meets(
    store: Store, enterprise: Pack
) -> None:
    fill(store, enterprise)
    assert [shown(repeat) for repeat in repeat_offences(store, enterprise, AS_OF)] == [
        ("traffic", ONE, 2, ["repeat.two"]),
        ("wages", ONE, 4, ["repeat.four", "veto.repeat-offender"]),
        ("wages", TWO, 3, ["repeat.three"]),
    ]


def test_the_records_are_those_in_the_window_and_it_is_said_until_when(
    store: Store, enterprise: Pack
) -> None:
    fill(store, enterprise)
    repeat = repeat_offences(store, enterprise, AS_OF, at_least=4)[0]
    assert repeat.records == tuple(
        f"57U-wages-{day}" for day in ("2024-08-01", "2025-03-01", "2025-09-01", "2026-05-01")
    )
    assert (repeat.since, repeat.until) == (dt.date(2024, 8, 1), dt.date(2026, 8, 1))
    assert repeat.attributes["name"] == "57U公司"


def test_a_day_later_the_oldest_no_longer_counts_and_the_newest_does(store: Store, enterprise: Pack) -> None:
    fill(store, enterprise)
    repeat = repeat_offences(store, enterprise, dt.date(2026, 8, 1), at_least=4)[0]
    assert [key[-10:] for key in repeat.records] == ["2025-03-01", "2025-09-01", "2026-05-01", "2026-08-01"]


def test_a_pack_that_counts_no_findings_by_field_is_refused(store: Store, department: Pack) -> None:
    with pytest.raises(UnknownPackError, match="findings_in_one_field"):
        repeat_offences(store, department, AS_OF)


@pytest.fixture
def filled_url(sqlite_store_url: str, enterprise: Pack) -> str:
    store = open_store(sqlite_store_url)
    fill(store, enterprise)
    store.close()
    return sqlite_store_url


def command(url: str, *arguments: str) -> Any:
    options = ["--database", url, "--as-of", "2026-07-31", "--format", "csv", *arguments]
    return CliRunner().invoke(offences_command, options, catch_exceptions=False)


def test_the_command_prints_one_field(filled_url: str) -> None:
    result = command(filled_url, "--field", "wages", "--at-least", "3")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [(row["name"], row["findings"]) for row in rows] == [("57U公司", "4"), ("D0A公司", "3")]
    assert "[veto.repeat-offender]" in rows[0]["escalations"]


def test_a_field_that_there_is_not_is_bad_usage_and_names_those_that_there_are(filled_url: str) -> None:
    result = command(filled_url, "--field", "weather")
    assert result.exit_code == 2
    assert "wages" in result.output
