"""Lint finds each fault of the faulty packs, in the words at the head of its file, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rules.tools.lint as lint_module
from rules.library.loader import PACKS, load_text
from rules.tools.lint import CHECKS, Finding, Severity, lint_text, lint_versions
from tests.tools.packs import APPLICANTS, applicants

FAULTY = sorted((Path(__file__).parent / "faulty").glob("*.yaml"))
EXPECTED = re.compile(r"# expect line (\d+): (.*)\n")


def lint(path: Path) -> list[Finding]:
    return lint_text(path.read_text(encoding="utf-8"), path.name)


def test_there_are_faulty_packs_for_every_check() -> None:
    assert len(FAULTY) >= 50
    assert len({EXPECTED.match(p.read_text(encoding="utf-8"))[2].rpartition("[")[2] for p in FAULTY}) > len(
        CHECKS
    )  # type: ignore[index]


@pytest.mark.parametrize("path", FAULTY, ids=lambda path: path.stem)
def test_a_fault_is_found_where_it_is(path: Path) -> None:
    head = EXPECTED.match(path.read_text(encoding="utf-8"))
    assert head is not None
    line, text = int(head[1]), head[2]
    said = [str(f).splitlines()[0].partition(": ")[2] for f in lint(path) if f.place.line == line]
    assert text in said


@pytest.mark.parametrize("path", FAULTY, ids=lambda path: path.stem)
def test_a_finding_is_told_in_chinese_to_who_reads_chinese(path: Path) -> None:
    assert [found.message for found in lint(path) if found.message in found.title.zh] == []


@pytest.mark.parametrize("path", FAULTY, ids=lambda path: path.stem)
def test_nothing_else_is_said_to_be_wrong(path: Path) -> None:
    check = EXPECTED.match(path.read_text(encoding="utf-8"))[2].rpartition("[")[2][:-1]  # type: ignore[index]
    found = {f.check for f in lint(path) if f.severity is not Severity.NOTICE}
    assert found - {"no-authority"} <= {check}  # most of these sketches do not say whose grade they make


def test_a_sound_pack_gets_notices_alone() -> None:
    assert {f.check for f in lint_text(APPLICANTS, "a.yaml")} == {"own-choice", "adds-up", "no-authority"}


@pytest.mark.parametrize("path", sorted(PACKS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_the_packs_that_are_shipped_have_neither_errors_nor_warnings(path: Path) -> None:
    assert [str(f) for f in lint(path) if f.severity is not Severity.NOTICE] == []


def test_a_finding_names_a_case() -> None:
    [gap] = [
        f for f in lint(Path(__file__).parent / "faulty" / "table-gap-in-two.yaml") if f.check == "table-gap"
    ]
    assert gap.example == "employees = 20, size = small"


@pytest.mark.parametrize(
    ("second", "check", "message"),
    [
        ("{from: 2026-06-01}", "version-overlap", "is in force from 2026-06-01, but 1 is until 2026-07-01"),
        ("{from: 2026-08-01}", "version-gap", "no version is in force from 2026-07-01 until 2026-08-01"),
        ("{from: 2026-07-01}", None, ""),
    ],
)
def test_versions_follow_one_another(second: str, check: str | None, message: str) -> None:
    first = applicants(("in_force: {from: 2026-01-01}", "in_force: {from: 2026-01-01, until: 2026-07-01}"))
    then = applicants(
        ("in_force: {from: 2026-01-01}", f"in_force: {second}"), ('version: "1"', 'version: "2"')
    )
    found = [(f.check, f.message) for f in lint_versions([then, first])]
    assert found == ([(check, message)] if check else [])


def test_a_version_twice_is_an_error() -> None:
    pack = load_text(APPLICANTS, "a.yaml")
    checks = [f.check for f in lint_versions([pack, pack])]
    assert checks.count("version-twice") == 2


def test_different_packs_do_not_touch() -> None:
    assert lint_versions([applicants(), applicants(("pack: applicants", "pack: others"))]) == []


NEAR_MISSES = [
    # a faulty pack, what is replaced in it by what, and the check that then has nothing to say
    ("adds-up", "severity = 'serious'", "status = 'repaired'"),
    ("always-true", "penalties >= 0 and", "penalties >= 1 and"),
    ("basis-to-come", "{2026-03-01: 1}", "{2026-04-01: 1}"),
    ("beyond-dimension", "points: -70", "points: -60"),
    ("by-unknown", "where: kind = 'penalty'", "where: kind = 'penalty' and ends_on is not null"),
    ("by-unknown", "start_of_month(ends_on)\n    take: run", "coalesce(authority, 'nobody')\n    take: max"),
    ("cap-below-hit", "points: -20", "points: -10"),
    ("cap-idle", "points: -2\n", "points: -5\n"),
    ("cap-sign", "cap: 10", "cap: -10"),
    ("contradictory-bounds", "amount < 500", "amount < 1000.0002"),
    ("contradictory-codes", "'large', 'medium', 'small', 'micro'", "'large', 'medium', 'small'"),
    ("contradictory-equalities", "kind = 'penalty' and kind = 'award'", "kind = 'penalty' or kind = 'award'"),
    ("contradictory-integers", "employees < 6", "employees <= 6"),
    ("contradictory-unknown", "ends_on is null and ends_on", "ends_on is not null and ends_on"),
    ("counts-forever", "when: kind = 'complaint'", "when: kind = 'complaint' and ends_on > as_of"),
    ("counts-too-long", "months: 4,", "months: 3,"),
    ("dated-same", "2026-07-01: -2}", "2026-07-01: -2.01}"),
    ("dated-unused", "{2024-01-01: -2, 2025-07-01: -3}", "{2025-07-01: -2, 2026-01-02: -3}"),
    ("dead-branch", "severity = 'serious' or kind = 'award'", "severity = 'serious' or severity = 'general'"),
    ("dead-measure", "kind = 'penalty' and kind = 'award'", "kind = 'penalty' and status = 'effective'"),
    ("dead-window", "interval 12 month <= as_of", "interval 11 month <= as_of"),
    ("decay-idle", "keep: 0.75", "keep: 0.49"),
    ("duplicate-condition", "status = 'effective' and kind", "status = 'repaired' and kind"),
    ("duplicate-title", "zh: 行政处罚, en: other", "zh: 行政处罚（一般）, en: other"),
    ("example-before-pack", "as_of: 2025-03-01", "as_of: 2026-01-01"),
    ("example-before-rule", "as_of: 2026-03-01, points: -3", "as_of: 2026-07-01, points: -3"),
    ("excluded-row", "size in ('small', 'micro')", "size in ('small', 'micro', 'large')"),
    ("grade-out-of-reach", "from: 95", "from: 80"),
    ("grade-under-reach", "from: 70", "from: 70.01"),
    ("ignores-end", "{months: 12, from: occurred_on}", "{months: 12, until: 'least(ends_on, occurred_on)'}"),
    ("like-without-wildcard", "'市场监管局'", "'%市场监管局'"),
    ("measure-endless", "where: kind = 'penalty'", "where: kind = 'penalty' and ends_on > as_of"),
    ("national-name", "authority: district", "authority: national"),
    ("negative-count", "penalties < 0", "penalties < 1"),
    ("never-counts", "when: kind = 'award'", "when: kind = 'award' and status <> 'repaired'"),
    ("never-in-force", "2027-01-01: -2", "2026-12-31: -2"),
    ("no-article", "basis: law\n", "basis: law §3\n"),
    ("no-authority", "subject:\n  vocab", "authority: industry\nsubject:\n  vocab"),
    ("no-counter-example", "hit: true", "hit: false"),
    ("no-english", "title: 投诉", "title: {zh: 投诉, en: Complaint}"),
    ("one-fact-in-a-measure", "fines > 2", "fines = 0"),
    ("one-fact-twice", "severity = 'general' and amount", "severity = 'minor' and amount"),
    ("own-choice", "basis: own-choice", "basis: [own-choice, law §2]"),
    ("repealed-basis", "2026-05-01: null", "2026-04-01: null"),
    ("run-out-of-reach", "penalties >= 14", "penalties >= 13"),
    ("shadowed-veto", "amount > 1000\n    tier: B", "amount > 1000 or kind = 'award'\n    tier: B"),
    ("supervision-order", "A: {sample_share: 0.2", "A: {sample_share: 0.01"),
    ("table-code", "[[medium, small], -1]", "[[medium, small, micro], -1]"),
    ("table-gap", '">= 60"', '">= 50"'),
    ("table-gap-in-two", '"> 20", small', '">= 20", small'),
    ("table-open-end", '["10..50", -1]', '["< 50", -1]'),
    ("table-overlap", '[">= 1000", -1]', '["1000..50000", -1]'),
    ("table-unique", "[[medium, small, micro], -1]", '["-", -1]'),
    ("under-veto", "tier: B\n    counts: {months: 36", "tier: B\n    counts: {months: 11"),
    ("unreachable-row", '[">= 50", -2]', '[">= 51", -2]'),
    ("unused-basis", "basis: law §9", "basis: [law §9, other-law §1]"),
    ("useless-veto", "tier: A\n", "tier: B\n"),
    ("window-without-days", "until: occurred_on}", "until: occurred_on + interval 1 day}"),
    ("zero-points", "points: 0", "points: 0.01"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "fault", "sane"), NEAR_MISSES, ids=[name for name, _, _ in NEAR_MISSES])
def test_lint_says_nothing_of_what_is_nearly_a_fault(name: str, fault: str, sane: str) -> None:
    text = (Path(__file__).parent / "faulty" / f"{name}.yaml").read_text(encoding="utf-8")
    check = EXPECTED.match(text)[2].rpartition("[")[2][:-1]  # type: ignore[index]
    assert fault in text
    changed = text.replace(fault, sane)
    assert [str(f) for f in lint_text(changed, "near.yaml") if f.check == check] == []


UNDER_VETO = (Path(__file__).parent / "faulty" / "under-veto.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("months", [36, 12], ids=["longer than the rule counts", "just as long"])
@pytest.mark.parametrize(("below", "found"), [("", ["penalty"]), ("差", [])])
def test_points_are_lost_under_the_worst_tier_alone(months: int, below: str, found: list[str]) -> None:
    """Below a tier that is not the worst there is still something to lose."""
    text = UNDER_VETO.replace("months: 36", f"months: {months}")
    if below:
        text = text.replace(
            "from: 0}", f"from: 60}}\n  - {{tier: C, title: {{zh: {below}, en: Bad}}, from: 0}}"
        )
        text += "  C: {sample_share: 0.5, visits_per_year: 4, lending: none}\n"
    assert [f.subject for f in lint_text(text, "veto.yaml") if f.check == "under-veto"] == found


@pytest.mark.parametrize(
    ("name", "sound", "faulty", "first"),
    [
        ("table-gap", '"10..50"', '"20..50"', "employees >= 10 and < 20"),
        ("table-code", "[medium, small]", "medium", "size = small"),
        ("table-open-end", '">= 50"', '"50..60"', "employees < 10"),
        ("table-overlap", "[]", "[]", "amount >= 50000"),
    ],
)
def test_the_example_of_several_cases_is_the_first_of_them(
    name: str, sound: str, faulty: str, first: str
) -> None:
    text = (Path(__file__).parent / "faulty" / f"{name}.yaml").read_text(encoding="utf-8")
    assert [f.example for f in lint_text(text.replace(sound, faulty), "t.yaml") if f.check == name] == [first]


SAME = (Path(__file__).parent / "faulty" / "duplicate-condition.yaml").read_text(encoding="utf-8")
AGAIN = SAME[SAME.index("  - id: again\n") : SAME.index("grades:\n")]


def test_of_many_rules_that_say_the_same_each_is_told_once() -> None:
    """Each pair was told: of a draft of 900 rules 404,550 findings, and the answer came after minutes."""
    text = SAME.replace(AGAIN, AGAIN + "".join(AGAIN.replace("again", f"again-{n}") for n in range(3)))
    found = [(f.subject, f.message) for f in lint_text(text, "t.yaml") if f.check == "duplicate-condition"]
    message = "has the same condition and window as penalty"
    assert found == [(name, message) for name in ("again", "again-0", "again-1", "again-2")]


def test_more_findings_of_a_check_than_anybody_reads_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """As what is not looked for any more may be one."""
    text = SAME.replace(AGAIN, AGAIN + AGAIN.replace("again", "third"))
    monkeypatch.setattr(lint_module, "MOST_FINDINGS", 2)
    assert "too-many-findings" not in {f.check for f in lint_text(text, "t.yaml")}
    monkeypatch.setattr(lint_module, "MOST_FINDINGS", 1)
    [error] = [f for f in lint_text(text, "t.yaml") if f.check == "too-many-findings"]
    assert error.severity is Severity.ERROR
    assert error.subject == "third"
    assert error.message == "more than 1 are like this one: the others are not looked for"


def test_every_check_has_its_quiet_side() -> None:
    """But those of which something is missing altogether."""
    heads = {path.stem: EXPECTED.match(path.read_text(encoding="utf-8")) for path in FAULTY}
    checks = {name: head[2].rpartition("[")[2] for name, head in heads.items() if head}
    quiet = {checks[name] for name, _, _ in NEAR_MISSES}
    assert set(checks.values()) - quiet == {
        "no-example]",
        "no-supervision]",
        "unused-dimension]",
        "unused-measure]",
    }


LATE = (Path(__file__).parent / "faulty" / "dead-window.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("window", "after", "is_dead"),
    [
        ("days: 30", "interval 30 day", True),
        ("days: 30", "interval 29 day", False),
        ("days: 30", "interval 1 month", False),
        ("days: 30", "interval 1 month + interval 30 day", False),
        ("months: 12", "interval 12 month", True),
        ("months: 12", "interval 11 month", False),
        ("months: 12", "interval 12 month - interval 1 day", False),
        ("months: 12", "interval 400 day", False),
    ],
)
def test_a_condition_asks_for_a_day_after_the_windows_end_where_both_count_alike(
    window: str, after: str, is_dead: bool
) -> None:
    """Days and months are not compared: which is longer depends on the month."""
    text = LATE.replace("interval 12 month", after)
    begin, _, end = text.rpartition("months: 12, from")
    found = lint_text(f"{begin}{window}, from{end}", "late.yaml")
    assert [f.subject for f in found if f.check == "dead-window"] == ["late"] * is_dead


ONE_FACT = (Path(__file__).parent / "faulty" / "one-fact-twice.yaml").read_text(encoding="utf-8")


def twice(text: str) -> list[str]:
    return [finding.subject for finding in lint_text(text, "fact.yaml") if finding.check == "one-fact-twice"]


@pytest.mark.parametrize(("when", "dead"), [("place > 100", True), ("place >= 100", False)])
def test_no_percentile_is_above_a_hundred(when: str, dead: bool) -> None:
    measures = "measures: {n: {title: F, count: records}, place: {title: P, percentile: n}}\nvetoes:\n"
    text = APPLICANTS.replace("vetoes:\n", measures).replace("when: kind = 'listing'", f"when: {when}")
    assert ("dead-rule" in {finding.check for finding in lint_text(text, "a.yaml")}) is dead


@pytest.mark.parametrize(
    ("apart", "found"),
    [
        ("together:\n  - {rules: [fine, other], why: {zh: 大额另计, en: Large ones weigh more}}\n", []),
        ("together:\n  - {rules: [fine], why: {zh: 无, en: None}}\n", ["other"]),
    ],
)
def test_what_a_pack_says_is_meant_is_not_found(apart: str, found: list[str]) -> None:
    assert twice(ONE_FACT.replace("grades:\n", apart + "grades:\n")) == found


@pytest.mark.parametrize(
    "window",
    ["{months: 12, from: occurred_on + interval 12 month}", "{from: occurred_on + interval 13 month}"],
)
def test_a_rule_that_begins_when_the_other_has_ended_meets_no_fact_with_it(window: str) -> None:
    old = "counts: {months: 12, from: occurred_on, until: ends_on}\n    basis: law §10"
    assert twice(ONE_FACT.replace(old, f"counts: {window}\n    basis: law §10")) == []
    early = window.replace("12 month}", "11 month}").replace("13 month}", "11 month}")
    assert twice(ONE_FACT.replace(old, f"counts: {early}\n    basis: law §10")) == ["other"]


VETO = """vetoes:
  - id: veto
    title: {zh: 否决, en: Veto}
    when: kind = 'fine' and severity = 'general' and status = 'effective'
    tier: B
    counts: {months: 12, from: occurred_on, until: ends_on}
    basis: law §11
"""


def test_a_veto_beside_points_for_one_record_is_found_and_two_vetoes_are_not() -> None:
    text = ONE_FACT.replace("grades:\n", VETO + "grades:\n")
    assert twice(text) == ["other", "veto", "veto"]
    again = VETO.removeprefix("vetoes:\n").replace("id: veto", "id: veto-2").replace("否决", "再否决")
    assert twice(text.replace("grades:\n", again + "grades:\n")) == [
        "other",
        "veto",
        "veto",
        "veto-2",
        "veto-2",
    ]


TOO_LONG = (Path(__file__).parent / "faulty" / "counts-too-long.yaml").read_text(encoding="utf-8")
LOWERED = """  - id: large
    title: {zh: 大额, en: Large}
    when: kind = 'listing' and amount > 1000
    lowers: 1
    counts: {months: 36, from: occurred_on}
    basis: law §10

tables:
"""


@pytest.mark.parametrize(
    ("listed", "found"), [("tier: C", True), ("lowers: 2", True), ("lowers: 1", True), ("tier: B", False)]
)
def test_a_lowering_that_another_veto_always_outdoes_never_decides(listed: str, found: bool) -> None:
    """One that lowers by as much does so too; a tier that is not the worst may be above the lowered one."""
    text = APPLICANTS.replace("tier: C\n", f"{listed}\n", 1).replace("tables:\n", LOWERED, 1)
    assert ("large" in {f.subject for f in lint_text(text, "a.yaml") if f.check == "shadowed-veto"}) is found


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [("", "{conduct: -5}", True), ("{conduct: -5}", "", False), ("{conduct: -5}", "{conduct: -6}", True),
     ("{conduct: -6}", "{conduct: -5}", False), ("{conduct: -5}", "{score: 60}", False)],
)  # fmt: skip
def test_a_veto_that_asks_for_points_is_outdone_by_one_that_asks_for_no_lower(
    first: str, second: str, found: bool
) -> None:
    def asks(points: str) -> str:
        return f"    below: {points}\n" if points else ""

    text = APPLICANTS.replace("    tier: C\n", f"    tier: C\n{asks(first)}", 1)
    text = text.replace("tables:\n", LOWERED.replace("    lowers: 1\n", f"    lowers: 1\n{asks(second)}"), 1)
    assert ("large" in {f.subject for f in lint_text(text, "a.yaml") if f.check == "shadowed-veto"}) is found


MEASURED = """measures:
  fines:
    title: {zh: 罚款次数, en: Fines}
    count: records
    where: kind = 'fine' and severity = 'minor' and status = 'effective'
    within: {WINDOW}
"""
ALERT = """alerts:
  - id: watched
    title: {zh: 预警, en: Alert}
    events: [{when: kind = 'fine' and severity = 'minor' and status = 'effective', times: 2}]
    within: {days: DAYS}
    basis: law §12
"""


@pytest.mark.parametrize(
    ("window", "found"),
    [
        ("months: 3, until: ends_on", []),
        ("days: 89, until: ends_on", []),
        ("days: 90, until: ends_on", ["counts-too-long"]),  # 31 January to 30 April is 89
        ("until: 'least(ends_on, occurred_on + interval 3 month)'", []),
        (
            "until: 'coalesce(ends_on, occurred_on + interval 3 month)'",
            ["counts-too-long", "counts-too-long"],
        ),
        ("months: 2, from: occurred_on + interval 1 month, until: ends_on", []),
        ("months: 3, from: occurred_on + interval 1 month, until: ends_on", ["counts-too-long"]),
        ("months: 3", ["ignores-end"]),
    ],
)
def test_a_measure_counts_no_record_longer_than_the_law_lets_it(window: str, found: list[str]) -> None:
    text = TOO_LONG.replace("months: 4,", "months: 3,")
    text = text.replace("rules:\n", MEASURED.replace("WINDOW", window) + "rules:\n", 1)
    text = text.replace(
        "when: kind = 'fine' and severity = 'minor' and status = 'effective'\n", "when: fines > 1\n"
    )
    text = text.replace("    counts: {months: 3, from: occurred_on, until: ends_on}\n", "")
    assert [f.check for f in lint_text(text, "long.yaml") if f.subject == "fines"] == found


@pytest.mark.parametrize(("days", "found"), [(89, []), (90, ["counts-too-long"])])
def test_an_alert_looks_back_no_longer_than_the_law_lets_it(days: int, found: list[str]) -> None:
    text = TOO_LONG.replace("months: 4,", "months: 3,")
    text = text.replace("grades:\n", ALERT.replace("DAYS", str(days)) + "grades:\n")
    assert [f.check for f in lint_text(text, "alert.yaml") if f.subject == "watched"] == found


def test_an_alert_counts_no_repaired_record_not_even_as_the_last() -> None:
    text = TOO_LONG.replace("months: 4,", "months: 3,")
    alert = ALERT.replace("DAYS", "30").replace("times: 2}", "}, {when: kind = 'award'}")
    text = text.replace("grades:\n", alert + "grades:\n")
    assert [f.check for f in lint_text(text, "alert.yaml") if f.subject == "watched"] == ["never-counts"]


def test_a_document_that_is_gone_may_stand_in_a_pack_that_does_not_cite_it() -> None:
    gone = "  - {id: old-law, title: 某旧条例, repealed_on: 2026-04-01, replaced_by: law}\n"
    text = TOO_LONG.replace("  - {id: law,", gone + "  - {id: law,")
    assert [f.check for f in lint_text(text, "gone.yaml") if f.subject == "old-law"] == []
