"""What is said to be true of every subject is never contradicted; what is said not to be true is shown."""

from __future__ import annotations

import datetime as dt
import json
import re
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import reference
from click.testing import CliRunner
from hypothesis import HealthCheck, given, reject, settings
from strategies import Case, cases

from rules.fault import PackError
from rules.library.loader import PACKS, load_text
from rules.library.references import named_pack
from rules.model import Pack
from rules.tools.prove.claims import ClaimError, read_claim
from rules.tools.prove.question import Question
from scoring.answers.examples import outcomes_of, run_examples
from scoring.answers.proofs import SAMPLES, Proof, ProofError, _refuting, prove
from scoring.cli import main

DAY = dt.date(2026, 6, 30)
LAW = """
pack: small
version: "{version}"
title: 小
subject:
  vocabulary: small
  title: 小
  subject:
    key: id
    columns:
      id: {{type: text, title: 编号}}
      state: {{type: text, title: 状态, values: {{open: 开, shut: 关}}}}
      staff: {{type: integer, title: 人数, possible: {{least: 0}}}}
      since: {{type: date, title: 成立}}
  records:
    key: record
    subject: id
    date: happened_on
    needs: [kind, happened_on]
    kind: kind
    kinds: {{fine: {{values: {{level: [low, high]}}}}, prize: {{values: {{level: []}}}}}}
    columns:
      record: {{type: text, title: 编号}}
      id: {{type: text, title: 编号}}
      kind: {{type: text, title: 类别, values: {{fine: 罚款, prize: 奖}}}}
      level: {{type: text, title: 等级, values: {{low: 低, high: 高, other: 其他}}}}
      amount: {{type: decimal, title: 金额, possible: {{least: 0, most: 1000}}}}
      happened_on: {{type: date, title: 日期}}
      place: {{type: text, title: 地点}}
in_force: {{from: 2026-01-01}}
score: {{start: 80, min: 0, max: 100}}
dimensions: [{{id: all, title: 全部, floor: {floor}}}]
measures:
  fines: {{title: 罚款, count: records, where: kind = 'fine', within: {{months: 12}}}}
  high_fines: {{title: 高额, count: records, where: kind = 'fine' and level = 'high', within: {{months: 12}}}}
  share: {{title: 高额占比, ratio: [high_fines, fines]}}
  total: {{title: 金额, sum: amount, where: kind = 'fine', within: {{months: 12}}}}
  held: {{title: 封顶, count: records, where: kind = 'fine', within: {{months: 12}}, by: level, take: sum,
    each: 2}}
  worst: {{title: 最近, latest: level, where: kind = 'fine', within: {{months: 12}}}}
rules:
  - {{id: fine, title: 罚, dimension: all, when: kind = 'fine' and level = 'low', points: {points}, cap: -20,
     basis: own-choice, counts: {{months: 12, decay: linear}}}}
  - {{id: fine.high, title: 罚, dimension: all, when: kind = 'fine' and level = 'high', points: -10,
     basis: own-choice, counts: {{months: 12}}}}
  - {{id: prize, title: 奖, dimension: all, when: kind = 'prize' and fines = 0, points: 5, cap: 10,
     basis: own-choice, counts: {{months: 12}}}}
  - {{id: share, title: 占比, dimension: all, when: share >= 0.75, points: -3, basis: own-choice}}
  - {{id: total, title: 金额, dimension: all, when: total > 1500.5, points: -3, basis: own-choice}}
  - {{id: old, title: 老, dimension: all, points: 2, basis: own-choice,
     when: since + interval 2 year <= as_of and state = 'open'}}
{rules}
vetoes:
  - {{id: veto, title: 否决, when: fines >= {veto}, tier: C, basis: own-choice}}
{lowers}
grades: [{{tier: A, title: 优, from: 80}}, {{tier: B, title: 中, from: 50}}, {{tier: C, title: 差, from: 0}}]
"""


def text(
    points: object = -4,
    rules: str = "",
    veto: object = 5,
    floor: object = -60,
    version: str = "1",
    lowers: str = "",
) -> str:
    return LAW.format(points=points, rules=rules, veto=veto, floor=floor, version=version, lowers=lowers)


def law(**parts: Any) -> Pack:
    return load_text(text(**parts), "small.yaml")


def row(what: str, when: str, points: object = -1) -> str:
    given = f"when: {json.dumps(when)}, points: {points}"
    return f"  - {{id: {what}, title: x, dimension: all, {given}, basis: own-choice}}"


def lowering(when: str, by: int = 1, below: str = "{}") -> str:
    given = f"when: {json.dumps(when)}, below: {below}, lowers: {by}"
    return f"  - {{id: lower, title: x, {given}, basis: own-choice}}"


def asked(claim: str, a: Pack, b: Pack | None = None, day: dt.date = DAY) -> Proof:
    return prove(a, b or a, claim, day, seconds=200)


MILDER = {"points": -3}
NEVER = row("never", "fines > 3 and high_fines > fines")
SEVENTH = row("seventh", "fines = 7 and high_fines = 5 and worst = 'low'")
TWO_DATES = row("two", "happened_on > since and kind = 'fine'")
EACH = """  - {id: each, title: x, dimension: all, when: kind = 'fine', points: -1, per: amount * 0.001,
     cap: -2, basis: own-choice}"""
LIKE = row("like", "place like '%a' and kind = 'fine'")


@pytest.mark.parametrize(
    ("claim", "before", "after", "verdict"),
    [
        ("equal", {}, {}, "proved"),
        ("equal", {}, MILDER, "refuted"),
        ("nobody-falls", {}, MILDER, "proved"),
        ("nobody-rises", {}, MILDER, "refuted"),
        ("score_b <= score_a + 5.1", {}, MILDER, "proved"),
        ("score_b <= score_a + 5", {}, MILDER, "refuted"),  # 28 fines at 0.67, one at 1.00
        ("equal without kind = 'fine'", {}, MILDER, "proved"),
        ("equal without kind = 'fine' and level = 'high'", {}, MILDER, "refuted"),
        ("equal without happened_on > date '2025-06-30'", {}, MILDER, "proved"),
        ("equal without happened_on > date '2025-07-01'", {}, MILDER, "refuted"),
        ("equal where state = 'shut'", {}, {"rules": row("new", "state = 'open'")}, "proved"),
        ("equal where state is null", {}, {"rules": row("new", "state = 'open'")}, "proved"),
        ("equal where staff is not null", {}, {"rules": row("new", "(staff is null) = true")}, "proved"),
        ("equal where since is not null", {}, {"rules": row("new", "(since is null) <> false")}, "proved"),
        ("equal", {}, {"rules": row("new", "(staff is null) = true")}, "refuted"),
        ("equal", {}, {"rules": row("new", "state = 'open'")}, "refuted"),
        ("equal", {}, {"rules": row("new", "staff < 0 or total < 0")}, "proved"),  # no number is below 0
        ("equal", {}, {"rules": row("new", "total > 1000 and fines < 2")}, "proved"),  # no fine is above 1000
        ("equal", {}, {"rules": row("new", "total > 1000 and fines < 3")}, "refuted"),
        ("equal", {}, {"rules": row("new", "kind = 'prize' and level is not null")}, "proved"),
        ("equal", {"veto": 5}, {"veto": 6}, "refuted"),
        ("nobody-falls", {"veto": 5}, {"veto": 6}, "proved"),
        ("nobody-falls", {"veto": 6}, {"veto": 5}, "refuted"),
        ("nobody-falls", {"floor": -60}, {"floor": -30}, "proved"),
        ("nobody-rises", {"floor": -60}, {"floor": -30}, "refuted"),
        ("monotone fines", {}, None, "proved"),
        ("monotone fines", {"rules": row("bonus", "fines >= 2", points=9)}, None, "refuted"),
        ("nobody-falls adding kind = 'prize'", {}, None, "proved"),
        ("nobody-falls adding kind = 'fine'", {}, None, "refuted"),
        ("never-hits never", {"rules": NEVER}, None, "proved"),
        ("never-hits seventh", {"rules": SEVENTH}, None, "refuted"),
        ("never-hits prize without kind = 'prize'", {}, None, "proved"),
        ("never-hits never", {"rules": row("never", "share > 0.7499 and share < 0.75")}, None, "proved"),
        ("never-hits half", {"rules": row("half", "share > 0.7499 and share <= 0.75")}, None, "refuted"),
        ("never-hits third", {"rules": row("third", "share = 0.3333")}, None, "refuted"),
        ("never-hits third", {"rules": row("third", "share = 0.3333 and fines < 3")}, None, "proved"),
        ("never-hits half", {"rules": row("half", "share = 0.0313 and fines = 32")}, None, "refuted"),
        ("never-hits half", {"rules": row("half", "share = 0.0312 and fines = 32")}, None, "proved"),
        ("equal without amount > 500", {}, {"rules": row("new", "amount >= 500")}, "refuted"),
        ("equal without amount >= 500", {}, {"rules": row("new", "amount > 499.9999")}, "proved"),
        ("never-hits many", {"rules": row("many", "held > 3")}, None, "refuted"),
        ("never-hits many", {"rules": row("many", "held > 4")}, None, "proved"),  # two levels, two of each
        ("never-hits other", {"rules": row("other", "worst = 'other'")}, None, "proved"),
        ("score_b >= score_a - 2", {}, {"rules": EACH}, "proved"),
        ("score_b > score_a - 2", {}, {"rules": EACH}, "refuted"),
        ("tier_b >= B without kind = 'fine'", {}, None, "proved"),
        ("tier_b >= B", {"veto": 99, "floor": -30}, None, "refuted"),  # of 99 fines
        ("tier_b = A", {}, None, "refuted"),
        ("nobody-rises", {}, {"lowers": lowering("state = 'shut'")}, "proved"),
        ("never-hits lower", {"lowers": lowering("fines = 0", below="{all: 1}")}, None, "refuted"),
        ("never-hits lower", {"lowers": lowering("fines = 0", below="{all: 0}")}, None, "proved"),
        ("tier_b <= B without kind = 'prize'", {"lowers": lowering("true = true", below="{all: 3}")}, None,
         "proved"),
        ("tier_b <= B", {"lowers": lowering("true = true", below="{all: 3}")}, None, "refuted"),
        ("nobody-falls", {}, {"lowers": lowering("state = 'shut'")}, "refuted"),
        ("nobody-falls where state = 'open'", {}, {"lowers": lowering("state = 'shut'")}, "proved"),
        ("tier_b >= tier_a - 1", {}, {"lowers": lowering("state = 'shut'")}, "proved"),
        ("tier_b >= tier_a - 1", {}, {"lowers": lowering("state = 'shut'", by=2)}, "refuted"),
        ("tier_b <= B where state = 'shut'", {"lowers": lowering("state = 'shut'")}, None, "proved"),
        ("tier_b < B where state = 'shut'", {"lowers": lowering("state = 'shut'")}, None, "refuted"),
    ],
)  # fmt: skip
def test_a_claim_is_proved_or_shown_not_to_be_true(
    claim: str, before: dict[str, Any], after: dict[str, Any] | None, verdict: str
) -> None:
    a = law(**before)
    proof = asked(claim, a, None if after is None else law(**after, version="2"))
    assert str(proof.verdict) == verdict
    assert (proof.counterexample is not None) == (verdict == "refuted")


def test_equal_rules_give_the_same_although_they_are_left_open() -> None:
    per = "amount * amount"
    left_open = f"""  - {{id: open, title: x, dimension: all, when: kind = 'fine', points: -1, per: {per},
     cap: -2, basis: own-choice}}"""
    proof = asked("nobody-falls", law(rules=left_open), law(rules=left_open, version="2", **MILDER))
    assert (str(proof.verdict), proof.left_open) == ("proved", ("open",))


def test_measures_that_differ_behind_the_hundredth_kind_of_record_are_two() -> None:
    """What a measure counts is told apart whole: written out, sums of so many kinds look alike."""
    codes = {f"c{number}": "码" for number in range(200)}
    said = text(rules=row("groups", "held > 1000")).replace(
        "{low: 低, high: 高, other: 其他}", json.dumps(codes)
    )
    said = said.replace("{fine: {values: {level: [low, high]}}, ", "{fine: {}, ").replace("'low'", "'c0'")
    a, b = (
        load_text(
            said.replace("level = 'high'", f"level <> '{code}'", 1).replace("'high'", "'c1'"), "small.yaml"
        )
        for code in ("c198", "c199")
    )
    assert str(asked("equal", a, b).verdict) == "refuted"


@pytest.mark.parametrize(("rule", "owner"), [(TWO_DATES, "two"), (LIKE, "like")])
def test_what_is_not_modelled_is_named_and_held_to_be_anything(rule: str, owner: str) -> None:
    a, b = law(), law(rules=rule, version="2")
    fewer = asked("nobody-rises", a, b)
    assert (str(fewer.verdict), fewer.left_open) == ("proved", (owner,))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("percentile: fines, by: staff, bands: [1, 9]", "percentile: fines, by: staff, bands: [1, 8]"),
        ("percentile: fines, by: high_fines", "percentile: fines, by: total"),
        ("percentile: fines, fewest: 3", "percentile: fines, fewest: 4"),
        ("count: records, by: start_of_month(happened_on), take: count",
         "count: records, by: start_of_year(happened_on), take: count"),
        ("count: records, by: start_of_month(happened_on), take: run",
         "count: records, by: start_of_month(happened_on), take: count"),
        ("count: records, by: start_of_month(happened_on), take: run",
         "count: records, by: start_of_year(happened_on), take: run"),
    ],
)  # fmt: skip
def test_groups_that_are_made_otherwise_are_never_said_to_be_equal(one: str, other: str) -> None:
    """Places, and groups by what is computed of records, may be anything."""
    rule = row("new", "made = 2")
    a, b = (
        load_text(
            text(rules=rule).replace("measures:\n", f"measures:\n  made: {{title: x, {said}}}\n"),
            "small.yaml",
        )
        for said in (one, other)
    )
    assert str(asked("equal", a, b).verdict) != "proved"
    assert asked("equal", a, a).verdict == "proved"


def test_of_what_no_judge_confirms_nothing_is_said() -> None:
    proof = asked(
        "never-hits no", law(rules=row("no", "place like '%a' and place like '%b' and kind = 'fine'"))
    )
    assert (str(proof.verdict), proof.left_open, proof.refused > 0) == ("undecided", ("no",), True)


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        ("nobody-rises", "refuted"),
        ("nobody-falls without kind = 'penalty'", "refuted"),
        ("score_b >= 60 without status in ('effective', 'disputed')", "proved"),
        ("never-hits penalty.general without kind = 'penalty'", "proved"),
        ("never-hits repeat.four", "refuted"),
    ],
)
def test_the_two_laws_of_enterprises_are_compared(claim: str, verdict: str) -> None:
    day = dt.date(2026, 12, 31)
    a, b = (named_pack(f"enterprise-credit@{version}", day) for version in ("2026.1", "2026.2"))
    assert str(asked(claim, a, b, day).verdict) == verdict


@given(cases(), cases())
@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_no_subject_contradicts_what_is_proved(case: Case, other: Case) -> None:
    try:
        a, b = load_text(case.pack, "a.yaml"), load_text(other.pack, "b.yaml")
    except PackError:
        reject()
    found = [reference.grade(pack, case.as_of, case.subjects, case.records) for pack in (a, b)]
    for key in list(found[0])[:1]:
        one, two = (graded.get(key) for graded in found)
        if one is None or two is None or a.tiers != b.tiers:
            continue
        scores = [Decimal(graded.score).scaleb(-2) for graded in (one, two)]
        tiers = f"tier_a <> {one.tier} or tier_b <> {two.tier}"
        not_this_subject = f"score_a <> {scores[0]} or score_b <> {scores[1]} or {tiers}"
        assert str(prove(a, b, not_this_subject, case.as_of, seconds=4).verdict) != "proved"


def test_a_counterexample_pastes_into_each_of_the_packs(tmp_path: Path) -> None:
    packs = {"a.yaml": text(), "b.yaml": text(points=-3, version="2")}
    for name, said in packs.items():
        (tmp_path / name).write_text(said, "utf-8")
    files = [str(tmp_path / name) for name in packs]
    done = CliRunner().invoke(main, ["rules", "prove", *files, "--as-of", "2026-06-30"])
    assert done.exit_code == 1, done.output
    _, *examples = re.split("# [AB]: small ", done.output)
    for said, example in zip(packs.values(), examples, strict=True):
        lines = example.partition("\n")[2]
        [result] = run_examples(load_text(f"{said}\nexamples:\n{lines}", "pasted.yaml"))
        assert result.passed, (result.expected, result.got)


def test_each_example_is_told_once_and_says_of_which_file_it_is(tmp_path: Path) -> None:
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    one.write_text(text(), "utf-8")
    two.write_text(text(points=-3), "utf-8")
    day = ["--as-of", "2026-06-30"]
    both = CliRunner().invoke(main, ["rules", "prove", str(one), str(two), *day]).output
    assert [line for line in both.splitlines() if line.startswith("# ")] == [
        f"# A: small 1 ({one})",
        f"# B: small 1 ({two})",
    ]
    alone = CliRunner().invoke(main, ["rules", "prove", str(one), "--claim", "score_a > 1000", *day]).output
    assert alone.count("# ") == 1, alone


def test_what_is_left_open_is_no_reservation_of_what_is_proved(tmp_path: Path) -> None:
    left_open = """  - {id: open, title: x, dimension: all, when: kind = 'fine', points: -1,
     per: amount * amount, cap: -2, basis: own-choice}"""
    files = [tmp_path / "one.yaml", tmp_path / "two.yaml"]
    for file in files:
        file.write_text(text(rules=left_open), "utf-8")
    done = CliRunner().invoke(main, ["rules", "prove", *map(str, files), "--as-of", "2026-06-30"])
    assert done.exit_code == 0, done.output
    assert "the proof holds all the same: open" in done.output


@pytest.mark.parametrize(
    ("claim", "code", "said"),
    [
        ("nobody-falls", 0, "proved"),
        ("equal adding kind = 'prize'", 1, "# A: small 1"),
        ("never-hits no", 2, "confirms none"),
        ("nobody-fall", 1, "nobody-falls?"),
        ("never-hits fin", 1, "right: fine?"),
        ("monotone finess", 1, "right: fines?"),
        ("tier_b >= E", 1, "nothing declares the name E"),
        ("equal where kind = 'fine'", 1, "nothing declares the name kind"),
        ("equal where state = 'open' where staff > 1", 1, "where stands twice"),
    ],
)
def test_the_command_says_what_became_of_a_claim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, claim: str, code: int, said: str
) -> None:
    monkeypatch.setenv("LANGUAGE", "en")
    path = tmp_path / "a.yaml"
    path.write_text(text(rules=row("no", "place like '%a' and place like '%b' and kind = 'fine'")), "utf-8")
    words = ["rules", "prove", str(path), "--claim", claim, "--as-of", "2026-06-30", "--seconds", "200"]
    done = CliRunner().invoke(main, words)
    assert (done.exit_code, said in done.output + str(done.exception)) == (code, True), done.output


def test_without_the_solver_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name == "z3" or name.startswith("rules.tools.prove.")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "z3", None)
    with pytest.raises(ProofError, match="pip install 'xinheng\\[prove\\]'"):
        asked("equal", law())


def test_packs_that_cannot_be_compared_are_refused() -> None:
    other = named_pack("tourism-credit", DAY)
    with pytest.raises(ProofError, match="different subjects"):
        asked("equal", law(), other)
    renamed = load_text(text().replace("tier: B", "tier: E"), "small.yaml")
    with pytest.raises(ClaimError, match="tiers of the two differ"):
        asked("equal", law(), renamed)


@pytest.mark.parametrize(
    ("rule", "old", "new", "claim"),
    [
        ("penalty.general", "points: -6", "points: -7", "nobody-falls"),
        ("penalty.general", "points: -6", "points: -5", "nobody-rises"),
        ("repeat.two", "points: -4", "points: -5", "nobody-falls"),
    ],
)
def test_of_a_real_pack_a_subject_taken_at_random_shows_what_is_not_true(
    rule: str, old: str, new: str, claim: str
) -> None:
    day = dt.date(2027, 6, 1)
    law = (PACKS / "enterprise-credit-2026.2.yaml").read_text(encoding="utf-8")
    head, found, rest = law.partition(f"  - id: {rule}\n")
    assert found
    a, b = load_text(law, "a.yaml"), load_text(head + found + rest.replace(old, new, 1), "b.yaml")
    read = read_claim(claim, a, b, day)
    judges = outcomes_of(a), outcomes_of(b)
    sampled = Question(a, b, read, day, 3).samples(SAMPLES)
    shown = (_refuting(a, judges, read, day, s.subject, s.records, s.more) for s in sampled)
    examples = next(filter(None, shown))
    assert examples[0].tier != examples[1].tier
