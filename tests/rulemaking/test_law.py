"""A draft becomes law by two persons; runs, and what is said of days to come, follow from the approval."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

import scoring.rulemaking.draft as draft_module
from api.app import create_app
from api.settings import Settings
from fixtures.small import AS_OF, RESTAURANT, small_files
from rules.calendar import add_days, today
from rules.fault import PackError, UnknownPackError
from rules.library import loader
from rules.library.loader import PACKS, find_pack
from scoring.access.audit import entries, verify
from scoring.access.keys import Role, create_key
from scoring.answers.examples import count_examples
from scoring.answers.explain import explain, explain_day
from scoring.answers.forecast import forecast
from scoring.cli import main
from scoring.facts.ingest.files import ingest_paths
from scoring.live.events import live_grade
from scoring.live.scanning import rescan
from scoring.rulemaking.desk import (
    By,
    NotLawError,
    Proposed,
    UnknownInstallationError,
    approve_pack,
    list_proposed,
    propose_pack,
    refuse_pack,
    withdraw_pack,
)
from scoring.rulemaking.draft import examine, movers
from scoring.runs import jobs
from scoring.runs.batch import Outcome, run
from scoring.runs.proposals import propose, publish_proposal, withdraw_proposal
from scoring.runs.proposed import ProposalRefusedError
from scoring.runs.published import latest_run
from scoring.runs.replay import replay
from scoring.runs.results import grade_line, official_grade
from scoring.runs.terms import terms_of
from scoring.store import Store, open_store
from scoring.store.packs import stored_pack, stored_text
from scoring.store.rulebook import DisagreementError, edited, known_pack, known_packs, known_ruling

PACK = "tourism-credit"
NOW, BEGINS, NEXT = dt.date(2026, 9, 10), dt.date(2026, 10, 1), dt.date(2026, 9, 11)
LI, WANG, ZHAO = (By(f"cli:{name}", "operator") for name in ("li", "wang", "zhao"))


def written(begins: dt.date = BEGINS, version: str = "2026.1x", start: int = 55) -> str:
    """The version of 2026, stricter, under another name and from another day; no example is of the whole."""
    text = (PACKS / f"{PACK}.yaml").read_text(encoding="utf-8")
    text = re.sub(r"(?m)^version: .*$", f'version: "{version}"', text)
    text = re.sub(r"(?m)^in_force: .*$", f"in_force: {{from: {begins}}}", text)
    text = re.sub(r", tier: [A-D]\}", ", hit: true}", text)
    return text.replace("start: 75", f"start: {start}").partition("\nexamples:\n")[0] + "\n"


@pytest.fixture
def graded(store: Store) -> Store:
    ingest_paths(store, small_files(), "tourism")
    run(store, find_pack(PACK, AS_OF), AS_OF)
    return store


def proposed(store: Store, by: By = LI, text: str | None = None, begins: dt.date = BEGINS) -> Proposed:
    draft = examine(store, text or written(begins), "draft.yaml", begins, NOW)
    return propose_pack(store, draft, "专题会议通过", by, NOW)


def approved(store: Store) -> Proposed:
    return approve_pack(store, proposed(store).pack_hash, "已核对变动名单", WANG, NOW)


def graded_on(store: Store, day: dt.date) -> Outcome:
    return run(store, known_pack(store, PACK, day), day)


def scores(store: Store, *days: dt.date) -> list[int | None]:
    steps = forecast(store, PACK, RESTAURANT, 12).steps
    found = [next(s for s in steps if s.begins <= day and (s.ends is None or day < s.ends)) for day in days]
    return [step.grade.score if step.grade else None for step in found]


def versions(store: Store) -> list[tuple[dt.date, dt.date | None, str]]:
    return [(piece.begins, piece.ends, piece.pack.version) for piece in terms_of(store, PACK)]


def test_what_two_persons_approve_ends_the_version_before_on_its_day(graded: Store) -> None:
    found = proposed(graded)
    before = versions(graded)
    assert known_pack(graded, PACK, BEGINS).version == "2026.1"
    approve_pack(graded, found.pack_hash[:12], "已核对变动名单", WANG, NOW)
    assert known_pack(graded, PACK, add_days(BEGINS, -1)).version == "2026.1"
    assert known_pack(graded, PACK, BEGINS).version == "2026.1x"
    assert [pack.version for pack in known_ruling(graded, BEGINS) if pack.id == PACK] == ["2026.1x"]
    assert versions(graded) == before  # until a run comes to it
    old = scores(graded, add_days(BEGINS, -1), BEGINS)
    graded_on(graded, NEXT)
    first, new, *rest = versions(graded)
    assert (first[1:], new) == ((BEGINS, "2026.1"), (BEGINS, rest[0][0], "2026.1x"))
    now = scores(graded, add_days(BEGINS, -1), BEGINS)
    assert (now[0], now[1]) == (old[0], (old[1] or 0) - 2000)
    assert stored_pack(graded, graded_on(graded, BEGINS).run.pack_hash).version == "2026.1x"


@pytest.mark.parametrize(("day", "version"), [(NEXT, "2026.1"), (BEGINS, "2026.1x")], ids=["before", "on"])
def test_a_run_around_its_first_day_is_had_again_and_explained_by_the_version_of_the_day(
    graded: Store, day: dt.date, version: str
) -> None:
    digest = approved(graded).pack_hash
    found = graded_on(graded, day)
    assert replay(graded, found.run.id).differences == ()
    said = explain(graded, PACK, RESTAURANT)
    assert (said.pack.version, said.score) == (version, scores(graded, day)[0])
    rescan(graded, known_pack(graded, PACK, day))
    live = live_grade(graded, known_pack(graded, PACK, day), RESTAURANT, day)
    assert live is not None
    assert (live.score, live.tier, live.pack_hash == digest) == (said.score, said.tier, day == BEGINS)


def test_the_last_days_of_a_version_change_next_when_it_ends(graded: Store) -> None:
    """Of a day that no run is for; whether its text names the end, or another version makes it."""
    approved(graded)
    graded_on(graded, NEXT)
    for day, then in ((add_days(BEGINS, -1), BEGINS), (dt.date(2026, 11, 30), dt.date(2026, 12, 1))):
        found = explain_day(graded, PACK, RESTAURANT, day)
        assert (found.run, found.next_change_on) == (None, then)


def test_a_run_of_the_last_day_of_the_calendar_is_read_as_any_other(graded: Store) -> None:
    last = graded_on(graded, dt.date.max).run
    official = official_grade(graded, PACK, RESTAURANT, dt.date.max)
    assert official is not None
    assert official.score == explain(graded, PACK, RESTAURANT, last.id).score
    assert grade_line(graded, last, RESTAURANT)[-1].score == official.score


def test_each_step_is_in_the_audit_log_with_its_reason_and_the_packs_hash(graded: Store) -> None:
    found = approved(graded)
    withdraw_pack(graded, found.pack_hash, "上级文件推迟施行", ZHAO, NOW)
    logged = [
        (entry.action, entry.actor, entry.details["hash"], entry.details["reason"])
        for entry in reversed(entries(graded))
        if entry.action.startswith("rules.")
    ]
    assert logged == [
        ("rules.propose", "cli:li", found.pack_hash, "专题会议通过"),
        ("rules.approve", "cli:wang", found.pack_hash, "已核对变动名单"),
        ("rules.withdraw", "cli:zhao", found.pack_hash, "上级文件推迟施行"),
    ]
    assert verify(graded).faults == ()


def test_whoever_proposed_it_decides_on_it_neither_by_their_keys_nor_in_the_shell(graded: Store) -> None:
    one, other = (create_key(graded, Role.REGULATOR, owner).key.prefix for owner in ("李 玲", "李玲"))
    found = proposed(graded, By(one, "regulator"))
    for by in (By(other, "regulator"), By("cli:李玲", "operator")):
        for step in (refuse_pack, lambda *args: approve_pack(*args, NOW)):
            with pytest.raises(NotLawError, match="somebody else has to"):
                step(graded, found.pack_hash, "同意", by)
    assert list_proposed(graded)[0].state == "proposed"


@pytest.mark.parametrize(
    ("text", "begins", "why"),
    [
        (written(begins=NOW), NOW, "tomorrow (2026-09-11) is the first day"),
        (written(), add_days(BEGINS, 1), "the draft says it is in force from 2026-10-01"),
        (written(version="2026.2"), BEGINS, "give it another name"),
        (written(dt.date(2026, 12, 1)), dt.date(2026, 12, 1), "2026.2 begins on 2026-12-01 as well"),
        (written().replace("pack: tourism-credit", "pack: tourism"), BEGINS, "no pack is called tourism;"),
        (written().replace("points: 2}", "points: 3}", 1), BEGINS, "an example expects"),
    ],
    ids=["day", "other-day", "name", "same-day", "pack", "example"],
)
def test_what_can_not_be_law_is_not_proposed(graded: Store, text: str, begins: dt.date, why: str) -> None:
    with pytest.raises(NotLawError, match=re.escape(why)):
        proposed(graded, text=text, begins=begins)
    assert list_proposed(graded) == []


@pytest.mark.parametrize("version", ["", " ", "2026.2 ", "２０２６.2", "2026.1\u202ex", "../x", "9" * 41])
def test_a_version_whose_name_nobody_can_tell_from_anothers_is_not_proposed(
    graded: Store, version: str
) -> None:
    said = json.dumps(version, ensure_ascii="\u202e" in version)
    text = written().replace('version: "2026.1x"', f"version: {said}")
    with pytest.raises(NotLawError, match="a version can't be called") as error:
        proposed(graded, text=text)
    assert "\u202e" not in error.value.title.zh


def test_of_a_day_of_which_a_run_is_proposed_nothing_new_becomes_law(graded: Store) -> None:
    found = proposed(graded)
    number = propose(graded, known_pack(graded, PACK, BEGINS), BEGINS, 5, "cli:li", on=NOW).id
    with pytest.raises(NotLawError, match=f"proposal {number} is of 2026-10-01"):
        approve_pack(graded, found.pack_hash, "同意", WANG, NOW)
    assert list_proposed(graded)[0].state == "proposed"
    withdraw_proposal(graded, number, "规则将变", "cli:li")
    assert approve_pack(graded, found.pack_hash, "同意", WANG, NOW).state == "approved"


def test_a_run_of_a_day_to_come_keeps_no_version_away_and_is_overtaken_by_the_next_run(graded: Store) -> None:
    """Between midnight and the run of the night the day's grade is by the rules of the day."""
    day, now = add_days(today(), 40), today()
    graded_on(graded, add_days(day, 5))
    draft = examine(graded, written(day), "draft.yaml", day, now)
    digest = propose_pack(graded, draft, "专题会议通过", LI, now).pack_hash
    approve_pack(graded, digest, "已核对", WANG, now)
    nightly = graded_on(graded, now).run
    graded_on(graded, AS_OF)  # of an earlier day: what holds today is not by it
    for then in (now, day, add_days(day, 5), add_days(day, 90)):
        assert latest_run(graded, PACK, then) == nightly
    assert explain_day(graded, PACK, RESTAURANT, add_days(day, 4)).pack.version == "2026.1x"


def test_on_its_day_it_is_approved_no_more_and_withdrawn_no_more(graded: Store) -> None:
    found = proposed(graded)
    with pytest.raises(NotLawError, match="is the first day that can be"):
        approve_pack(graded, found.pack_hash, "同意", WANG, BEGINS)
    approve_pack(graded, found.pack_hash, "同意", WANG, add_days(BEGINS, -1))
    with pytest.raises(NotLawError, match="in force since 2026-10-01"):
        withdraw_pack(graded, found.pack_hash, "推迟", LI, BEGINS)
    assert known_pack(graded, PACK, BEGINS).version == "2026.1x"


def test_what_is_withdrawn_rules_on_no_day_and_leaves_its_name_taken(graded: Store) -> None:
    before = scores(graded, BEGINS)
    found = approved(graded)
    graded_on(graded, NEXT)
    withdraw_pack(graded, found.pack_hash, "推迟", LI, NOW)
    graded_on(graded, NEXT)
    assert "2026.1x" not in [version for _, _, version in versions(graded)]
    assert scores(graded, BEGINS) == before
    with pytest.raises(UnknownPackError, match="not approved, or is withdrawn"):
        run(graded, stored_pack(graded, found.pack_hash), BEGINS)
    with pytest.raises(NotLawError, match=r"has, or had, a version 2026\.1x"):
        proposed(graded, text=written(start=50))
    with pytest.raises(NotLawError, match="is withdrawn already"):
        approve_pack(graded, found.pack_hash, "同意", WANG, NOW)


def test_a_draft_that_is_proposed_again_is_kept_with_the_comments_that_it_has_now(graded: Store) -> None:
    """To the rules they are nothing, and its text is by another name the same."""
    first = proposed(graded, text=f"# 初稿\n{written()}")
    withdraw_pack(graded, first.pack_hash, "补充说明", LI, NOW)
    again = proposed(graded, text=f"# 依据第3次专题会议纪要\n{written()}")
    assert again.pack_hash == first.pack_hash
    text = stored_text(graded, again.pack_hash).text
    assert ("依据第3次专题会议纪要" in text, "初稿" in text) == (True, False)


def test_a_draft_with_more_to_try_than_anybody_waits_for_is_refused_before_it_is_tried(
    graded: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A text of half a million characters held a request for minutes."""
    count = count_examples(find_pack(PACK, AS_OF))
    monkeypatch.setattr(draft_module, "MOST_TRIED", count)
    with pytest.raises(PackError, match="more than are tried while somebody waits") as refused:
        examine(graded, written(version="2026.9x"), "draft.yaml", BEGINS, NOW)
    assert "减少示例" in refused.value.faults[0].title.zh


def test_a_draft_that_waits_grades_nobody(graded: Store) -> None:
    found = proposed(graded)
    with pytest.raises(UnknownPackError, match="is not approved"):
        run(graded, stored_pack(graded, found.pack_hash), BEGINS)
    assert "2026.1x" not in {pack.version for pack in known_packs(graded)}


def test_of_two_who_approve_at_once_one_has(graded: Store, store_url: str) -> None:
    digest = proposed(graded).pack_hash
    at_once, done, refused = threading.Barrier(2), list[str](), list[str]()

    def ask(by: By) -> None:
        own = open_store(store_url)
        at_once.wait()
        try:
            done.append(approve_pack(own, digest, "同意", by, NOW).decided_by or "")
        except NotLawError as error:
            refused.append(error.title.en)
        own.close()

    threads = [threading.Thread(target=ask, args=(by,)) for by in (WANG, ZHAO)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(done), refused) == (1, [f"{PACK} 2026.1x is approved already"])
    assert [entry.action for entry in entries(graded)].count("rules.approve") == 1


@pytest.mark.parametrize("step", ["approved", "withdrawn"])
def test_a_run_under_way_is_by_what_stands_when_it_is_published(graded: Store, step: str) -> None:
    found = proposed(graded) if step == "approved" else approved(graded)
    left = [True]

    def meanwhile(name: str, rows: int) -> None:
        if name == "grade" and left:
            left.clear()
            if step == "approved":
                approve_pack(graded, found.pack_hash, "同意", WANG, NOW)
            else:
                withdraw_pack(graded, found.pack_hash, "推迟", WANG, NOW)

    run(graded, known_pack(graded, PACK, NEXT), NEXT, progress=meanwhile)
    assert not left
    assert ("2026.1x" in [version for _, _, version in versions(graded)]) == (step == "approved")


def test_a_run_of_a_day_on_which_it_would_rule_fails_where_it_is_withdrawn_meanwhile(graded: Store) -> None:
    found = approved(graded)

    def meanwhile(name: str, rows: int) -> None:
        if name == "grade":
            withdraw_pack(graded, found.pack_hash, "推迟", WANG, NOW)

    with pytest.raises(UnknownPackError, match="is withdrawn"):
        run(graded, known_pack(graded, PACK, BEGINS), BEGINS, progress=meanwhile)
    last = latest_run(graded, PACK, BEGINS)
    assert last is not None
    assert last.as_of == AS_OF


@pytest.mark.parametrize("when", ["before", "grade"], ids=["before", "meanwhile"])
@pytest.mark.parametrize("day", [NEXT, BEGINS], ids=["announced", "ruling"])
def test_a_proposal_is_not_published_by_a_version_that_was_withdrawn(
    graded: Store, day: dt.date, when: str
) -> None:
    digest = approved(graded).pack_hash
    number = propose(graded, known_pack(graded, PACK, day), day, 1, "cli:li", on=NOW).id

    def withdraw(step: str, rows: int = 0) -> None:
        if step == when:
            withdraw_pack(graded, digest, "推迟", LI, NOW)

    withdraw("before")
    with pytest.raises(ProposalRefusedError, match=f"is withdrawn: .*; withdraw proposal {number} and"):
        publish_proposal(graded, number, "cli:li", on=add_days(NOW, 2), progress=withdraw)
    last = latest_run(graded, PACK)
    assert last is not None
    assert last.as_of == AS_OF


def test_an_approval_that_is_killed_before_its_end_has_not_been(graded: Store, store_url: str) -> None:
    digest = proposed(graded).pack_hash
    code = (
        "import datetime as dt, os\n"
        "from scoring.rulemaking import desk\n"
        "from scoring.store import open_store\n"
        "logged = desk._logged\n"
        "desk._logged = lambda *given: (logged(*given), os._exit(9))\n"
        f"store, by = open_store({store_url!r}), desk.By('cli:wang', 'operator')\n"
        f"desk.approve_pack(store, {digest!r}, '同意', by, dt.date(2026, 9, 10))\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(Path.cwd())})
    assert ended.returncode == 9
    assert [row.state for row in list_proposed(graded)] == ["proposed"]
    assert [entry.action for entry in entries(graded)] == ["rules.propose"]
    assert approve_pack(graded, digest, "同意", WANG, NOW).state == "approved"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program's folder, with a file more."""
    for file in PACKS.glob("*.yaml"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(loader.installed_packs, "__defaults__", (tmp_path,))
    return tmp_path


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (written(start=50), "says something else than the text that was approved"),
        (written(version="2026.1y"), "both begin on 2026-10-01"),
    ],
    ids=["same-version", "same-day"],
)
def test_where_the_folder_and_the_store_disagree_no_run_is_made(
    graded: Store, folder: Path, text: str, why: str
) -> None:
    approved(graded)
    (folder / "later.yaml").write_text(text, encoding="utf-8")
    assert known_pack(graded, PACK, BEGINS).score.start == 5500
    assert known_pack(graded, PACK, BEGINS).version == "2026.1x"
    with pytest.raises(DisagreementError, match=re.escape(why)) as error:
        graded_on(graded, NEXT)
    assert str(folder / "later.yaml") in error.value.title.zh
    with pytest.raises(DisagreementError):
        jobs.request_run(graded, PACK, NEXT, "cli:li")
    (folder / "later.yaml").write_text(written(), encoding="utf-8")  # what was approved, shipped later
    assert graded_on(graded, NEXT).is_new


def test_a_file_that_was_changed_or_removed_is_told_until_a_run_is_by_what_is_there(
    graded: Store, folder: Path
) -> None:
    digest = approved(graded).pack_hash
    graded_on(graded, NEXT)
    assert edited(graded) == []
    file, later = folder / f"{PACK}.yaml", folder / f"{PACK}-2026.2.yaml"
    file.write_text(file.read_text("utf-8").replace("start: 75", "start: 70"), encoding="utf-8")
    later.unlink()
    changed, gone = edited(graded, PACK)
    assert (f"{PACK} 2026.1:" in changed.zh, str(file) in changed.zh) == (True, True)
    assert (f"{PACK} 2026.2 " in gone.en, "not in the folder any more" in gone.en) == (True, True)
    assert edited(graded, "rural-credit") == []
    withdraw_pack(graded, digest, "推迟", LI, NOW)
    graded_on(graded, NEXT)
    assert edited(graded) == []


def test_who_would_move_is_said_of_its_first_day(graded: Store) -> None:
    draft = examine(graded, written(), "draft.yaml", BEGINS, NOW)
    result = movers(graded, draft)
    assert result is not None
    assert (result.as_of, result.before.version, result.after.version) == (BEGINS, "2026.1", "2026.1x")
    assert result.moved == 2


@pytest.mark.parametrize("name", ["0123456789ab", "", "%", "abc"])
def test_an_identity_that_nobody_has_proposed_is_said_so(graded: Store, name: str) -> None:
    proposed(graded)
    with pytest.raises(UnknownInstallationError, match="see those that were proposed"):
        approve_pack(graded, name, "同意", WANG, NOW)


@pytest.fixture
def typed(sqlite_store_url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """The command as typed by somebody."""
    store = open_store(sqlite_store_url)
    ingest_paths(store, small_files(), "tourism")
    store.close()

    def call(name: str, *words: object, answer: str = "") -> tuple[int, str]:
        monkeypatch.setenv("LOGNAME", name)
        line = [*map(str, words), "--database", sqlite_store_url]
        result = CliRunner().invoke(main, line, input=answer)
        assert "Traceback" not in result.output
        return result.exit_code, result.output

    return call


def test_by_commands_a_draft_becomes_law_once_somebody_else_has_seen_what_it_does(
    typed: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    day = add_days(today(), 40)
    file = tmp_path / "draft.yaml"
    file.write_text(written(day, "x"), encoding="utf-8")
    code, said = typed("li", "rules", "install", file, "--from", day, "--reason", "专题会议通过")
    assert (code, "等级变化" in said, "in force from" in said) == (0, True, True), said
    (digest,) = re.findall(r"rules approve ([0-9a-f]{12})", said)
    line = ("rules", "approve", digest, "--reason", "已核对")
    assert typed("wang", *line, answer="n\n")[0] == 1
    code, said = typed("li", *line, answer="y\n")
    assert (code, "须由他人批准" in said) == (1, True)
    assert "All this is read" not in said, "nobody is asked who may not answer"
    code, said = typed("wang", *line, answer="y\n")
    assert (code, "临江餐馆" in said or RESTAURANT in said, "已批准" in said) == (0, True, True), said
    code, said = typed("li", "rules", "proposed", "--format", "csv")
    assert all(word in said for word in ("cli:li", "cli:wang", "approved"))
    code, said = typed("wang", "rules", "withdraw", digest, "--reason", "推迟")
    assert (code, "已撤回" in said) == (0, True)


def test_whoever_was_shown_another_difference_approves_nothing_before_they_see_this_one(
    graded: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version between the two was approved while the approver read."""
    monkeypatch.setattr("api.pages.drafts.today", lambda: NOW)
    late = proposed(graded, text=written(BEGINS, "2026.1y", start=50))
    draft = f"/rules/drafts/{late.pack_hash}"
    client = create_app(Settings(log_level="critical"), graded).test_client()
    page = client.get("/sign-in").text
    token = re.findall(r'name="form_token" value="([^"]+)"', page)[0]
    key = create_key(graded, Role.REGULATOR, "审批乙").token
    client.post("/sign-in", data={"form_token": token, "key": key})
    form = dict(re.findall(r'name="(form_token|shown)" value="([^"]+)"', client.get(draft).text))
    soon = proposed(graded, text=written(NEXT, "2026.1x"), begins=NEXT)
    approve_pack(graded, soon.pack_hash, "同意", WANG, NOW)
    answer = client.post(f"{draft}/approval", data={**form, "reason": "同意"})
    assert (answer.status_code, "请重新查看" in answer.text) == (409, True)
    form = dict(re.findall(r'name="(form_token|shown)" value="([^"]+)"', answer.text))
    assert client.post(f"{draft}/approval", data={**form, "reason": "同意"}).status_code == 303


@pytest.mark.parametrize(
    ("content", "told"),
    [(written().encode("gb18030"), "save it as UTF-8"), (b"pack: [", "not YAML"), (b"", "draft.yaml:1:1")],
    ids=["gb18030", "bracket", "empty"],
)
def test_a_file_that_is_no_pack_is_told_with_its_place(
    typed: Callable[..., tuple[int, str]], tmp_path: Path, content: bytes, told: str
) -> None:
    file = tmp_path / "draft.yaml"
    file.write_bytes(content)
    code, said = typed("li", "rules", "install", file, "--from", add_days(today(), 40), "--reason", "试")
    assert (code, told in said, f"{file}:" in said) == (1, True, True), said


def test_a_draft_makes_no_official_run(typed: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    file = tmp_path / "draft.yaml"
    file.write_text(written(dt.date(2026, 1, 1), "x"), encoding="utf-8")
    for more in ((), ("--propose", 5)):
        code, said = typed("li", "score", "--pack", file, "--as-of", "2026-08-31", *more)
        assert (code, f"xinheng simulate --pack {file}" in said) == (1, True)
        assert f"xinheng rules install {file} --from 2026-01-01" in said
    assert "2026-08-31" not in typed("li", "runs", "--format", "csv")[1]
    known = PACKS / f"{PACK}.yaml"
    assert typed("li", "score", "--pack", known, "--as-of", "2026-08-31")[0] == 0


def test_whoever_names_a_pack_means_the_version_that_was_approved(
    typed: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    """With its version or without, from file to file as well."""
    day, file, out = add_days(today(), 40), tmp_path / "draft.yaml", tmp_path / "out.csv"
    file.write_text(written(day, "x"), encoding="utf-8")
    said = typed("li", "rules", "install", file, "--from", day, "--reason", "专题会议通过")[1]
    (digest,) = re.findall(r"rules approve ([0-9a-f]{12})", said)
    assert typed("wang", "rules", "approve", digest, "--reason", "已核对", answer="y\n")[0] == 0
    for name in (f"{PACK}@x", PACK):
        assert f"{PACK} x" in typed("li", "rules", "docs", name, "--as-of", day)[1]
        code, said = typed("li", "rules", "diff", f"{PACK}@2026.1", name, "--as-of", day, "--format", "csv")
        assert (code, "75,55" in said) == (0, True), said
        code, said = typed("li", "simulate", "--pack", name, "--against", f"{PACK}@2026.1", "--as-of", day)
        assert (code, "2026.1 → tourism-credit x" in said) == (0, True), said
    subjects, records = small_files()
    files = ("--subjects", subjects, "--records", records, "--out", out)
    assert typed("li", "score", "--pack", PACK, "--as-of", day, *files)[0] == 0
    graded = out.read_text(encoding="utf-8-sig")
    assert typed("li", "score", "--pack", file, "--as-of", day, *files)[0] == 0
    assert out.read_text(encoding="utf-8-sig") == graded


def test_where_no_store_is_there_names_are_those_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    line = ["rules", "diff", f"{PACK}@2026.1", f"{PACK}@2026.2"]
    for url in ("", f"sqlite:///{tmp_path / 'none.db'}"):
        monkeypatch.setenv("XINHENG_DATABASE_URL", url)
        assert CliRunner().invoke(main, line).exit_code == 0
    result = CliRunner().invoke(main, [*line, "--database", f"sqlite:///{tmp_path / 'none.db'}"])
    assert (result.exit_code, "there is no store" in result.output) == (1, True)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("pack: tourism-credit", "pack: tourism"), "no pack is called tourism;"),
        (("in_force: {from: ", "in_force: {from: 2020-01-01} # "), "the draft says it is in force from 2020"),
    ],
    ids=["name", "day"],
)
def test_where_its_name_or_day_is_wrong_nobody_is_told_that_there_were_no_rules(
    typed: Callable[..., tuple[int, str]], tmp_path: Path, change: tuple[str, str], told: str
) -> None:
    day, file = add_days(today(), 40), tmp_path / "draft.yaml"
    file.write_text(written(day, "x").replace(*change, 1), encoding="utf-8")
    code, said = typed("li", "rules", "install", file, "--from", day, "--reason", "专题会议通过")
    assert (code, told in said, "no version rules" in said) == (1, True, False), said


def test_a_run_by_a_file_that_was_changed_says_so(
    typed: Callable[..., tuple[int, str]], folder: Path
) -> None:
    line, said = ("score", "--pack", PACK, "--as-of", "2026-08-31"), "was changed since the last run"
    assert said not in typed("li", *line)[1]
    file = folder / f"{PACK}.yaml"
    file.write_text(file.read_text("utf-8").replace("start: 75", "start: 70"), encoding="utf-8")
    code, told = typed("li", *line)
    assert (code, said in told, str(file) in told) == (0, True, True)
    assert said not in typed("li", *line)[1]


@pytest.mark.parametrize("path", ["/v1/packs", "/v1/runs"])
def test_where_a_file_of_rules_has_a_fault_whoever_asks_is_told_so(
    graded: Store, folder: Path, path: str
) -> None:
    """As while it is edited in place; the log has the fault with its line."""
    (folder / "rural-credit.yaml").write_text("pack: [rural-credit", encoding="utf-8")
    client = create_app(Settings(log_level="critical"), graded).test_client()
    headers = {"Authorization": f"Bearer {create_key(graded, Role.REGULATOR, '信用办').token}"}
    body = {"json": {"pack": PACK}} if path == "/v1/runs" else {}
    answer = client.open(path, method="POST" if body else "GET", headers=headers, **body)
    assert (answer.status_code, "a file of rules has faults" in answer.text) == (503, True)
    assert answer.json["type"] == "/problems/rules-at-fault"
    assert client.get(answer.json["type"]).json["status"] == 503
