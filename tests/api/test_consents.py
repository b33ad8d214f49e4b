"""Consents: who may register, withdraw and see them, what they can't be, and how they are audited."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from click.testing import CliRunner, Result
from client import Client, Sign
from expected_access import EXPECTED, opens
from flask import Flask
from lending_desk import Clock, check, consented, terms
from small_district import AUTHORITY, FINED, LISTED, SUBJECTS
from sqlalchemy.orm import Session

from api.settings import SettingsError, read_settings
from rules.calendar import today
from scoring.access import consents
from scoring.access.audit import Event, entries
from scoring.access.consents import ConsentError, Registration, list_consents, register
from scoring.access.keys import Role, Who
from scoring.cli.consents import consents_group
from scoring.store import Store

CONSENTS = "/v1/consents"
Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def clock(app: Flask) -> Clock:
    """What the application takes for the time."""
    clock = Clock()
    app.extensions["clock"] = clock
    return clock


@pytest.fixture
def subject(sign_in: Sign) -> Client:
    """An enterprise itself."""
    return sign_in(Role.SUBJECT, FINED)


@pytest.fixture
def cli(district_url: str) -> Run:
    """`xinheng consents`."""
    return lambda *words: CliRunner().invoke(consents_group, [*words, "--database", district_url])


# Registering


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reference": "."}, "reference"),
        ({"reference": "...."}, "reference"),
        ({"reference": "SQ-"}, "reference"),
        ({"reference": "SQ 1"}, "reference"),
        ({"reference": "SQ-2026-1%"}, "reference"),
        ({"reference": None}, "reference"),
        ({"document_sha256": None}, "document_sha256"),
        ({"document_sha256": "abc"}, "document_sha256"),
        ({"document_sha256": "g" * 64}, "document_sha256"),
        ({"document_sha256": hashlib.sha256(b"").hexdigest()}, "document_sha256"),
        ({"valid_from": "0001-01-01", "valid_until": "9999-12-31"}, "valid_from"),
        ({"valid_from": "9999-12-31", "valid_until": "9999-12-31"}, "valid_from"),
        ({"valid_from": "9999-01-01", "valid_until": "9999-12-30"}, "valid_from"),
        ({"valid_from": "2026-08-01", "valid_until": "2029-08-01"}, "valid_until"),
        ({"valid_from": "2026-11-06", "valid_until": "2027-08-01"}, "valid_from"),
        ({"valid_from": "2026-07-01", "valid_until": "2026-08-04"}, "valid_until"),
        ({"valid_from": "2026-08-06", "valid_until": "2026-08-05"}, "valid_until"),
        ({"purposes": ["curiosity"]}, "purposes.0"),
        ({"lender": "乙银行"}, "lender"),
    ],
)
def test_what_is_no_consent_is_refused_with_what_would_be_right(
    sign_in: Sign, lender: Client, changes: dict[str, Any], field: str
) -> None:
    sign_in(Role.LENDER, "乙银行")
    answer = lender.post(CONSENTS, json=terms(LISTED, **changes))
    assert answer.status_code == 422, answer.json
    assert [error["field"] for error in answer.json["errors"]] == [field]
    assert lender.get(CONSENTS).json["items"] == []


def test_everything_that_is_wrong_with_a_consent_is_told_at_once_with_what_follows_from_it(
    lender: Client,
) -> None:
    wrong = {"reference": "SQ-", "document_sha256": "abc", "lender": "丙银行"}
    wrong |= {"valid_from": "0001-01-01", "valid_until": "0001-12-31"}
    told = lender.post(CONSENTS, json=terms(LISTED, **wrong)).json["errors"]
    fields = ["lender", "valid_from", "valid_until", "reference", "document_sha256"]
    assert [error["field"] for error in told] == fields
    assert "begins on 2023-08-06 or later" in told[1]["message"]
    consented(lender, LISTED, valid_from="2023-08-06", valid_until="2026-08-05")


@pytest.mark.parametrize(
    ("purposes", "named"), [([], "say for which purpose"), (["loan", "curiosity"], "curiosity is no purpose")]
)
def test_a_consent_to_no_known_purpose_is_refused_from_wherever_it_comes(
    store: Store, purposes: list[str], named: str
) -> None:
    term = {"valid_from": today(), "valid_until": today()}
    wanted = Registration(**terms(FINED, lender=AUTHORITY, purposes=purposes, **term))
    with pytest.raises(ConsentError, match=f"{named}. Right: loan"):
        register(store, Who("k", Role.OPERATOR), wanted)


@pytest.mark.parametrize(
    "changes",
    [
        {"valid_from": "2026-08-01", "valid_until": "2029-07-31"},
        {"valid_from": "2026-11-05", "valid_until": "2026-11-05"},
        {"valid_from": "2023-08-06", "valid_until": "2026-08-05"},
    ],
    ids=["of the longest term", "of one day, the latest to begin", "on its last day"],
)
def test_a_consent_at_its_bounds_is_registered(lender: Client, changes: dict[str, Any]) -> None:
    consented(lender, LISTED, **changes)


def test_the_longest_term_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings({}).consent_months == 36
    assert read_settings({"XINHENG_CONSENT_MONTHS": "12"}).consent_months == 12
    for wrong in ("0", "121", "years"):
        with pytest.raises(SettingsError, match="XINHENG_CONSENT_MONTHS"):
            read_settings({"XINHENG_CONSENT_MONTHS": wrong})


def test_a_mistyped_code_gives_no_consent_and_a_lender_learns_why(lender: Client) -> None:
    """But not which codes are near: those are for who may list subjects."""
    typed = FINED[:-1] + ("A" if FINED[-1] != "A" else "B")
    answer = lender.post(CONSENTS, json=terms(typed))
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "subject_id")
    assert "wrong check character" in answer.json["errors"][0]["message"]
    check = lender.post("/v1/lender-checks", json={"subject_id": typed, "consent": "HT-1", "purpose": "loan"})
    assert "wrong check character" in check.text
    assert FINED not in check.text + answer.text


@pytest.mark.parametrize("spelt", ["SQ-2026-17", "ＳＱ－２０２６－１７", "SQ - 2026 - 17"])
def test_a_number_stands_for_one_consent_of_a_lender(sign_in: Sign, lender: Client, spelt: str) -> None:
    consented(lender, FINED, reference="SQ-2026-17")
    again = lender.post(CONSENTS, json=terms(LISTED, reference=spelt))
    assert (again.status_code, again.json["type"]) == (409, "/problems/conflict")
    consented(sign_in(Role.LENDER, "乙银行"), LISTED, reference=spelt)


def test_a_signed_document_stands_for_one_consent_of_a_lender(lender: Client) -> None:
    made = consented(lender, FINED)
    again = lender.post(CONSENTS, json=terms(LISTED, document_sha256=made["document_sha256"].upper()))
    assert again.status_code == 409
    assert "signed document" in again.json["detail"]


def test_of_two_registrations_at_once_one_is_kept(app: Flask, lender: Client, store: Store) -> None:
    gate = threading.Barrier(4)
    statuses: list[int] = []

    def ask(subject: str) -> None:
        client = Client(app.test_client(), lender.token)
        gate.wait()
        statuses.append(client.post(CONSENTS, json=terms(subject, reference="SQ-2026-17")).status_code)

    threads = [threading.Thread(target=ask, args=(subject,)) for subject in SUBJECTS[:4]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201, 409, 409, 409]
    assert len(list_consents(store)) == 1


def test_the_district_and_the_subject_register_without_a_document(
    sign_in: Sign, lender: Client, regulator: Client, subject: Client
) -> None:
    bare = {"reference": None, "document_sha256": None, "lender": AUTHORITY}
    for who in (regulator, sign_in(Role.OPERATOR), subject):
        made = consented(who, FINED, **bare)
        assert lender.post("/v1/lender-checks", json=check(made)).status_code == 200
    unnamed = regulator.post(CONSENTS, json=terms(FINED))
    nobody = regulator.post(CONSENTS, json=terms(FINED, lender="丙银行"))
    assert [error["field"] for a in (unnamed, nobody) for error in a.json["errors"]] == ["lender", "lender"]
    of_another = subject.post(CONSENTS, json=terms(LISTED, lender=AUTHORITY))
    assert of_another.json["errors"][0]["field"] == "subject_id"


# Withdrawing


def test_the_subject_the_district_and_the_lender_can_withdraw_and_it_stays_in_the_register(
    sign_in: Sign, lender: Client, regulator: Client, subject: Client
) -> None:
    whole = [consented(lender, FINED) for _ in range(4)]
    for who, made in zip((lender, regulator, sign_in(Role.OPERATOR), subject), whole, strict=True):
        path = f"{CONSENTS}/{made['id']}/withdrawal"
        done = who.post(path, json={"reason": "撤回授权"})
        assert (done.status_code, done.json["withdrawn_by"]) == (200, who.prefix)
        assert who.post(path, json={"reason": "again"}).status_code == 409
        assert regulator.get(f"{CONSENTS}/{made['id']}").json["withdrawn_why"] == "撤回授权"
        (entry, *_) = regulator.get("/v1/audit?action=consents.withdraw").json["items"]
        assert (entry["actor"], entry["subject_id"]) == (who.prefix, FINED)
        assert entry["details"]["reason"] == "撤回授权"


def test_nobody_withdraws_or_sees_the_consent_of_another(
    sign_in: Sign, lender: Client, regulator: Client
) -> None:
    made = consented(lender, FINED)
    for other in (sign_in(Role.LENDER, "乙银行"), sign_in(Role.SUBJECT, LISTED)):
        assert other.get(f"{CONSENTS}/{made['id']}").status_code == 404
        withdrawal = other.post(f"{CONSENTS}/{made['id']}/withdrawal", json={"reason": "x"})
        assert withdrawal.status_code == 404
        missing = other.get(f"{CONSENTS}/999")
        assert missing.json["detail"].replace("999", str(made["id"])) == withdrawal.json["detail"]
    assert regulator.get(f"{CONSENTS}/{made['id']}").json["withdrawn_at"] is None


# What the subject sees


def test_a_subject_sees_its_consents_and_each_check_made_under_them(
    lender: Client, subject: Client, regulator: Client
) -> None:
    made, others = consented(lender, FINED), consented(lender, LISTED)
    lender.post(
        "/v1/lender-checks/batch", json={"checks": [check(made), check(others), check("SQ-0", FINED)]}
    )
    for who in (subject, regulator):
        own = who.get(f"/v1/subjects/{FINED.lower()}/consents").json["items"]
        assert [consent["id"] for consent in own] == [made["id"]]
        checks = who.get(f"/v1/subjects/{FINED}/lender-checks").json["items"]
        assert [(c["consent_id"], c["outcome"]) for c in checks] == [
            (None, "refused"),
            (made["id"], "answered"),
        ]
    for what in ("consents", "lender-checks"):
        assert subject.get(f"/v1/subjects/{LISTED}/{what}").status_code == 404


def test_the_key_of_a_subject_opens_what_the_table_says_by_the_api_and_on_the_pages(
    app: Flask, subject: Client
) -> None:
    opened = set()
    places = {"subject_id": FINED, "consent_id": 1, "filename": "docs.js", "name": "en"}
    for rule in app.url_map.iter_rules():
        values = {name: places.get(name, 1) for name in rule.arguments}
        path = app.url_map.bind("localhost").build(rule.endpoint, values)
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            with app.test_client() as client:
                if rule.endpoint.startswith("pages."):
                    client.get("/sign-in")
                    with client.session_transaction() as session:
                        token = session["form_token"]
                    client.post("/sign-in", data={"form_token": token, "key": subject.token, "next": ""})
                    answer = client.open(path, method=method)
                else:
                    answer = client.open(path, method=method, headers=subject.headers)
                if answer.status_code != 403:
                    opened.add(rule.endpoint)
                answer.close()
    assert opened == {name for name in EXPECTED if opens(name, Role.SUBJECT)}


# Auditing


def test_a_month_of_a_lenders_consents_is_drawn_the_same_again(
    lender: Client, regulator: Client, clock: Clock, store: Store, cli: Run
) -> None:
    july = dt.datetime(2026, 7, 31, 15, 59, 59, tzinfo=dt.UTC)
    for moment, count in ((july, 210), (july + dt.timedelta(seconds=1), 20)):
        for _ in range(count):
            wanted = terms(FINED, valid_from=dt.date(2026, 7, 1), valid_until=dt.date(2027, 6, 30))
            register(
                store, Who("k", Role.LENDER, AUTHORITY), Registration(**wanted), clock=lambda m=moment: m
            )
    consented(regulator, FINED, lender=AUTHORITY)
    ask = {"lender": AUTHORITY, "month": "2026-07", "seed": "417"}
    one, two = (regulator.post(f"{CONSENTS}/sample", json=ask).json["drawn"] for _ in range(2))
    other = regulator.post(f"{CONSENTS}/sample", json=ask | {"seed": "418"}).json["drawn"]
    assert [c["id"] for c in one] == [c["id"] for c in two] != [c["id"] for c in other]
    assert len({c["id"] for c in one}) == 11
    assert {c["registered_role"] for c in one} == {"lender"}
    assert all(c["id"] <= 210 for c in one)
    early = regulator.post(f"{CONSENTS}/sample", json=ask | {"month": "2026-08"})
    assert (early.status_code, early.json["errors"][0]["field"]) == (422, "month")
    clock.day = dt.date(2026, 9, 1)
    assert len(regulator.post(f"{CONSENTS}/sample", json=ask | {"month": "2026-08"}).json["drawn"]) == 10
    words = ["sample", "--lender", AUTHORITY, "--month", "2026-07", "--seed", "417", "--format", "json"]
    assert [c["id"] for c in json.loads(cli(*words).stdout)] == [c["id"] for c in one]
    drawn = entries(store, action="consents.sample")[-1].details
    assert (drawn["seed"], drawn["of"], drawn["drawn"]) == ("417", 210, [c["id"] for c in one])


@pytest.mark.parametrize("month", ["0001-01", "1000-01", "2999-12"])
def test_a_month_at_the_ends_of_the_calendar_does_no_harm(
    lender: Client, regulator: Client, cli: Run, month: str
) -> None:
    consented(lender, FINED)
    ask = {"lender": AUTHORITY, "month": month, "seed": "1"}
    answer = regulator.post(f"{CONSENTS}/sample", json=ask)
    assert answer.status_code == 422 or answer.json == {"drawn": []}
    assert cli("sample", "--lender", AUTHORITY, "--month", month, "--seed", "1").exit_code in (0, 1)
    assert cli("sample", "--lender", AUTHORITY, "--month", "9999-12", "--seed", "1").exit_code == 1


def test_a_document_that_is_missing_stops_its_lender(lender: Client, regulator: Client) -> None:
    first, second = consented(lender, FINED), consented(lender, LISTED)

    def judged(consent: dict[str, Any], verdict: str) -> int:
        body = {"verdict": verdict, "reason": "现场核验"}
        return regulator.post(f"{CONSENTS}/{consent['id']}/judgement", json=body).status_code

    assert judged(first, "found") == 200
    assert lender.post("/v1/lender-checks", json=check(first)).status_code == 200
    assert judged(second, "missing") == 200
    stopped = lender.post("/v1/lender-checks", json=check(first))
    assert (stopped.status_code, stopped.json["type"]) == (403, "/problems/lender-stopped")
    assert second["reference"] in stopped.json["detail"]
    (standing,) = regulator.get("/v1/lenders").json["lenders"]
    assert (standing["consents"], standing["by_lender"], standing["found"], standing["missing"]) == (
        2,
        2,
        1,
        1,
    )
    assert standing["stopped_by"] == regulator.prefix
    (entry,) = regulator.get("/v1/audit?action=lenders.stop").json["items"]
    assert (entry["actor"], "现场核验" in entry["details"]["reason"]) == (regulator.prefix, True)
    regulator.post("/v1/lenders/lift", json={"lender": AUTHORITY, "reason": "整改完成"})
    assert lender.post("/v1/lender-checks", json=check(first)).status_code == 200
    assert lender.post("/v1/lender-checks", json=check(second)).json["type"] == "/problems/consent-invalid"


def test_the_lender_is_stopped_whose_document_is_missing_and_no_other(
    sign_in: Sign, lender: Client, regulator: Client
) -> None:
    first, other = sign_in(Role.LENDER, "甲银行"), sign_in(Role.LENDER, "乙银行")
    consented(first, FINED), consented(lender, FINED)
    made = consented(other, FINED)
    body = {"verdict": "missing", "reason": "未能出示"}
    assert regulator.post(f"{CONSENTS}/{made['id']}/judgement", json=body).status_code == 200
    standing = regulator.get("/v1/lenders").json["lenders"]
    assert [each["name"] for each in standing if each["stopped_at"]] == ["乙银行"]


def test_a_lender_that_has_registered_nothing_yet_is_stopped_all_the_same(
    sign_in: Sign, regulator: Client, cli: Run
) -> None:
    sign_in(Role.LENDER, "甲银行"), sign_in(Role.LENDER, "乙银行")
    assert regulator.post("/v1/lenders/lift", json={"lender": "乙银行", "reason": "x"}).status_code == 409
    assert regulator.post("/v1/lenders/stop", json={"lender": "甲银行", "reason": "x"}).status_code == 200
    assert cli("stop", "--lender", "乙银行", "--reason", "x").exit_code == 0
    standing = regulator.get("/v1/lenders").json["lenders"]
    assert {each["name"] for each in standing if each["stopped_at"]} == {"甲银行", "乙银行"}


def test_a_consent_that_no_lender_registered_is_not_judged(regulator: Client, lender: Client) -> None:
    made = consented(regulator, FINED, lender=AUTHORITY)
    body = {"verdict": "missing", "reason": "x"}
    assert regulator.post(f"{CONSENTS}/{made['id']}/judgement", json=body).status_code == 422
    for number in (0, 999, 10**30):
        assert regulator.post(f"{CONSENTS}/{number}/judgement", json=body).status_code == 404


def test_regulators_list_consents_by_lender_and_a_lender_its_own(sign_in: Sign, regulator: Client) -> None:
    one, two = sign_in(Role.LENDER, "甲银行"), sign_in(Role.LENDER, "乙银行")
    mine, other = consented(one, FINED), consented(two, FINED)
    assert [c["id"] for c in regulator.get(CONSENTS).json["items"]] == [other["id"], mine["id"]]
    assert [c["id"] for c in regulator.get(f"{CONSENTS}?lender=甲银行").json["items"]] == [mine["id"]]
    assert [c["id"] for c in one.get(f"{CONSENTS}?lender=乙银行").json["items"]] == [mine["id"]]
    assert [lender["name"] for lender in regulator.get("/v1/lenders").json["lenders"]] == ["乙银行", "甲银行"]


# On the command line


def test_the_command_line_registers_audits_stops_and_lifts(lender: Client, cli: Run, store: Store) -> None:
    until = today() + dt.timedelta(days=90)
    words = ["--subject", FINED, "--lender", AUTHORITY, "--purpose", "loan"]
    made = cli("register", *words, "--from", today().isoformat(), "--until", until.isoformat())
    assert made.exit_code == 0, made.output
    reference = made.stdout.strip()
    (listed,) = json.loads(cli("list", "--lender", AUTHORITY, "--format", "json").stdout)
    assert (listed["reference"], listed["registered_role"]) == (reference, "operator")
    own = consented(lender, LISTED)
    missing = cli("judge", str(own["id"]), "--missing", "--reason", "未能出示")
    assert "已停止查询" in missing.stdout
    (standing,) = json.loads(cli("lenders", "--format", "json").stdout)
    assert (standing["by_district"], standing["by_lender"], standing["missing"]) == (1, 1, 1)
    assert cli("stop", "--lender", AUTHORITY, "--reason", "x").exit_code == 1
    assert cli("lift", "--lender", AUTHORITY, "--reason", "整改完成").exit_code == 0
    assert cli("withdraw", str(listed["id"]), "--reason", "企业来函").exit_code == 0
    again = cli("withdraw", str(listed["id"]), "--reason", "企业来函")
    assert (again.exit_code, "withdrawn" in again.output) == (1, True)
    actions = ["consents.register", "consents.judge", "lenders.stop", "lenders.lift", "consents.withdraw"]
    for action in actions:
        assert any(entry.actor.startswith("cli:") for entry in entries(store, action=action)), action


# After a withdrawal


@pytest.mark.parametrize("by", ["subject", "regulator", "cli"])
def test_a_lender_does_not_undo_a_withdrawal_by_its_own_word(
    sign_in: Sign, regulator: Client, lender: Client, subject: Client, cli: Run, by: str
) -> None:
    made = consented(lender, FINED)
    if by == "cli":
        assert cli("withdraw", str(made["id"]), "--reason", "x").exit_code == 0
    else:
        who = {"subject": subject, "regulator": regulator}[by]
        assert who.post(f"{CONSENTS}/{made['id']}/withdrawal", json={"reason": "x"}).status_code == 200
    again = lender.post(CONSENTS, json=terms(FINED))
    assert (again.status_code, "was withdrawn on" in again.json["detail"]) == (409, True)
    consented(lender, LISTED)
    consented(sign_in(Role.LENDER, "乙银行"), FINED)
    renewed = consented(subject, FINED, lender=AUTHORITY, reference=None, document_sha256=None)
    assert lender.post("/v1/lender-checks", json=check(renewed)).status_code == 200
    consented(lender, FINED)


def test_a_withdrawal_that_comes_while_the_lender_registers_is_later_in_the_log(
    app: Flask, lender: Client, subject: Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the lender's own word would stand after it."""
    made, real = consented(lender, FINED), consents.append
    path = f"{CONSENTS}/{made['id']}/withdrawal"
    other = Client(app.test_client(), subject.token)
    thread = threading.Thread(target=lambda: other.post(path, json={"reason": "x"}))

    def withdrawn_meanwhile(session: Session, events: Sequence[Event]) -> None:
        monkeypatch.setattr(consents, "append", real)
        thread.start()
        thread.join(0.3)
        real(session, events)

    monkeypatch.setattr(consents, "append", withdrawn_meanwhile)
    assert lender.post(CONSENTS, json=terms(FINED)).status_code == 201
    thread.join()
    (registered, _), (withdrawn,) = (entries(store, action=f"consents.{a}") for a in ("register", "withdraw"))
    assert registered.seq < withdrawn.seq


def test_a_consent_that_has_ended_does_not_let_the_lender_undo_a_withdrawal(
    lender: Client, subject: Client, clock: Clock
) -> None:
    own = {"lender": AUTHORITY, "reference": None, "document_sha256": None}
    consented(subject, FINED, **own, valid_until="2026-08-31")
    second = consented(subject, FINED, **own)
    assert subject.post(f"{CONSENTS}/{second['id']}/withdrawal", json={"reason": "x"}).status_code == 200
    clock.day = dt.date(2026, 8, 31)
    consented(lender, FINED)
    clock.day += dt.timedelta(days=1)
    assert lender.post(CONSENTS, json=terms(FINED)).status_code == 409


def test_a_lender_registers_anew_what_it_withdrew_itself(sign_in: Sign, lender: Client) -> None:
    made = consented(lender, FINED)
    colleague = sign_in(Role.LENDER, AUTHORITY)
    assert colleague.post(f"{CONSENTS}/{made['id']}/withdrawal", json={"reason": "typo"}).status_code == 200
    consented(lender, FINED)
