"""Proposals on the pages: who would fall, told on paper and heard, before a regulator publishes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import Flask
from test_sign_in import signed_in
from test_ticket_pages import send
from town import CODES, FINED, LISTED, NAMES, SUMMER
from visitor import DESK, PHONE, Visitor

from rules.calendar import add_days, today
from rules.library.loader import find_pack
from scoring.access.keys import Role, create_key
from scoring.runs import jobs, leases
from scoring.runs.proposals import propose, withdraw_proposal
from scoring.runs.proposed import ProposalSummary, list_falls, show_proposal
from scoring.runs.published import list_runs
from scoring.store import Store
from scoring.store.packs import text_of
from scoring.store.proposals import OPEN, Proposal

MakeToken = Callable[[Role], str]


@pytest.fixture
def proposed(town_store: Store) -> Iterator[ProposalSummary]:
    """Scores that start ten points lower, by which many would fall; withdrawn in the end."""
    pack = find_pack("enterprise-credit", SUMMER)
    text, start = text_of(pack), pack.score.start // 100
    lower = replace(text, text=text.text.replace(f"start: {start}", f"start: {start - 10}", 1), file="x.yaml")
    found = propose(town_store, lower.load(), SUMMER, 10, "样例", text=lower)
    assert found.falls > 1
    yield found
    if show_proposal(town_store, found.id).state == OPEN:
        withdraw_proposal(town_store, found.id, "测试结束", "样例")


def over(store: Store) -> None:
    with store.writing() as session:
        session.execute(sa.update(Proposal).values(until=add_days(today(), -1)))


def test_a_regulator_sees_who_would_fall_and_why_and_withdraws_with_a_reason(
    regulator: Visitor, town_store: Store, proposed: ProposalSummary
) -> None:
    fall = list_falls(town_store, proposed.id)[0]
    runs = len(list_runs(town_store))
    paths = ("/proposals", f"/proposals/{proposed.id}")
    for path in (*paths, f"/proposals/{proposed.id}/notices/{fall.subject_id}"):
        for size, dark in ((DESK, False), (PHONE, True)):
            regulator.look(size, dark)
            regulator.open(path)
            assert regulator.faults() == [], (path, size, dark)
            assert regulator.overflow() == 0, (path, size)
    regulator.look(DESK)
    regulator.open(f"/proposals/{proposed.id}")
    row = regulator.all("[aria-labelledby=falls] tbody tr")[0].text
    assert NAMES[fall.subject_id] in row
    assert fall.tier in row
    assert "发布" not in [button.text for button in regulator.all("main button")]
    regulator.one("#reason").send_keys("规则有误")
    regulator.press("form[action$=withdrawal] button")
    assert "规则有误" in regulator.text("dl.facts")
    assert show_proposal(town_store, proposed.id).state == "withdrawn"
    assert len(list_runs(town_store)) == runs


def test_an_enterprise_opens_its_own_notice_answers_and_sees_no_other(
    pages: Flask, town_store: Store, proposed: ProposalSummary
) -> None:
    first, second = (fall.subject_id for fall in list_falls(town_store, proposed.id)[:2])
    own = signed_in(pages, create_key(town_store, Role.SUBJECT, "企业", first).token)
    notice = f"/proposals/{proposed.id}/notices/{first}"
    shown = own.get(notice).text
    assert "等级拟下降告知书" in shown
    assert str(proposed.until) in shown
    assert list_falls(town_store, proposed.id)[0].told_at is not None
    assert send(own, notice) == 422
    assert send(own, notice, text="我们已整改") == 303
    assert "我们已整改" in own.get(notice).text
    for path in ("/proposals", f"/proposals/{proposed.id}"):
        assert own.get(path).status_code == 403
    other = f"/proposals/{proposed.id}/notices/{second}"
    assert (own.get(other).status_code, send(own, other, text="x")) == (404, 404)
    clerk = signed_in(pages, create_key(town_store, Role.REGULATOR, "丁某").token)
    assert "我们已整改" in clerk.get(f"/proposals/{proposed.id}").text
    over(town_store)
    assert send(own, notice, text="迟到") == 409


def test_what_may_not_be_published_yet_is_said_in_chinese(
    pages: Flask, town_store: Store, proposed: ProposalSummary
) -> None:
    clerk = signed_in(pages, create_key(town_store, Role.REGULATOR, "戊某").token)
    clerk.set_cookie("language", "zh")
    clerk.get("/proposals")
    with clerk.session_transaction() as session:
        form = {"form_token": session["form_token"]}
    told = clerk.post(f"/proposals/{proposed.id}/publication", data=form)
    assert (told.status_code, "期满后方可发布" in told.text) == (409, True)
    assert "would fall" not in told.text
    assert send(clerk, "/proposals/999999/publication") == 404


def test_a_regulator_publishes_by_a_button(
    regulator: Visitor, town_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody would fall by it: it is published at once, as the run that there is; the job is done here."""
    monkeypatch.setattr(leases, "start", lambda store, kind, job_id: jobs.work(store, job_id))
    pack = find_pack("department-credit", SUMMER)
    found = propose(town_store, pack, SUMMER, 10, "样例")
    regulator.open(f"/proposals/{found.id}")
    assert "没有的不必等意见期限届满即可发布" in regulator.text("[aria-labelledby=falls]")
    regulator.press("form[action$=publication] button")
    assert "已发布" in regulator.text("dl.facts")
    assert "已发布" in regulator.text("[role=status]")
    assert regulator.all("main form") == []


def test_the_notice_of_a_published_fall_fits_on_a_page_of_paper(
    regulator: Visitor, pages: Flask, town_store: Store
) -> None:
    last = next(run for run in list_runs(town_store) if run.pack_id == "enterprise-credit")
    for subject in (LISTED, FINED):
        regulator.open(f"/runs/{last.id}/notices/{subject}")
        assert "等级下降告知书" in regulator.text()
        assert regulator.faults() == []
        assert ("另有 1 条记录" in regulator.text()) == (subject == FINED)
        assert regulator.print().count(b"/Type /Page\n") == 1, subject
    other = signed_in(pages, create_key(town_store, Role.SUBJECT, "企业", CODES[9]).token)
    assert other.get(f"/runs/{last.id}/notices/{LISTED}").status_code == 404
    own = signed_in(pages, create_key(town_store, Role.SUBJECT, "企业", LISTED).token)
    assert own.get(f"/runs/{last.id}/notices/{LISTED}").status_code == 200
