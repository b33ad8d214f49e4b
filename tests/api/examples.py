"""Makes the examples of the OpenAPI document: a year of an invented district, with everything asked once.

``make examples`` writes them. The application is the real one, on a store of its own.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from packs.district import put_into, survey
from recorder import MINUTE, Book, Clock, Person, same_every_time
from repairing import WORDS
from rule_texts import short_pack
from small_district import (
    AUTHORITY,
    FINED,
    LISTED,
    MIXED,
    OTHER_AUTHORITY,
    PACK,
    SUBJECTS,
    fill,
    fill_more,
    take,
)

from api.app import create_app
from api.http.examples import FILE
from api.settings import Settings
from rules.library.loader import find_pack
from scoring.access.keys import Role, create_key
from scoring.runs import jobs
from scoring.runs.batch import run
from scoring.store import Store, create_store

SPRING, SUMMER, AUTUMN = dt.date(2026, 4, 30), dt.date(2026, 7, 31), dt.date(2026, 9, 1)
CLEAN, QUIET, CALLED = SUBJECTS[3:6]
BANK = "样例银行"
BODY = "DW101"
ONE_DECISION = {"severity": "minor", "level": "fine", "amount": "1000", "document_no": "样市监罚1号"}


class Cast:
    """Who takes part."""

    def __init__(self, book: Book, store: Store) -> None:
        def person(role: Role, owner: str, organisation: str | None = None) -> Person:
            return Person(book, create_key(store, role, owner, organisation).token)

        self.regulator = person(Role.REGULATOR, "信用办一")
        self.colleague = person(Role.REGULATOR, "信用办二")
        self.office = person(Role.DEPARTMENT, "市场监管局信用科", AUTHORITY)
        self.bank = person(Role.LENDER, "样例银行信贷系统", BANK)
        self.firm = person(Role.SUBJECT, "样例企业", MIXED)
        self.fined = person(Role.SUBJECT, "样例企业", FINED)
        self.nobody = Person(book, None)


def examples(url: str) -> str:
    """The examples as their file has them.

    :param url: of a store without tables.
    """
    clock = Clock()
    with same_every_time(clock, 20260731):
        store = create_store(url)
        book = Book(create_app(Settings(log_level="error", cache_seconds=0), store), clock)
        _tell(book, store)
        store.close()
    return json.dumps(dict(sorted(book.pages.items())), ensure_ascii=False, indent=1) + "\n"


def _tell(book: Book, store: Store) -> None:
    _until_summer(book.clock, store)
    book.clock.set(dt.date(2026, 8, 3))
    cast = Cast(book, store)
    for chapter in (
        _service, _packs, _keys, _subscriptions, _consents, _records, _repairs, _objections, _consequences,
        _settling, _feeds, _alerts, _tickets, _plans, _visits, _reports, _runs,
    ):  # fmt: skip
        chapter(cast)
    _proposals(cast, store)
    book.clock.set(AUTUMN)
    _autumn(cast)
    _subjects(cast)
    _rules(cast)
    _classes(cast)


def _until_summer(clock: Clock, store: Store) -> None:
    """What was known, and two grades of everybody."""
    for day, take_in, packs in (
        (SPRING, fill, (PACK,)),
        (SUMMER, _fill_more, (PACK, "department-credit")),
    ):
        clock.set(day)
        take_in(store)
        for name in packs:
            clock.now += MINUTE
            run(store, find_pack(name, day), day)


def _fill_more(store: Store) -> None:
    """What became known until summer, public bodies with a survey, and inspectors."""
    fill_more(store)
    common = {"state": "active", "peers": "departments", "form": "party_government"}
    names = (AUTHORITY, OTHER_AUTHORITY, "样例区应急管理局", "样例区水利局", "样例区数据局")
    bodies = [{"subject_id": f"DW10{no}", "name": name, **common} for no, name in enumerate(names, 1)]
    scores = {
        str(body["subject_id"]): score for body, score in zip(bodies, (95, 90, 85, 80, 60), strict=True)
    }
    put_into(store, find_pack("department-credit", SUMMER), bodies, list(survey(2026, scores)))
    pool: list[dict[str, object]] = [
        {"inspector_id": f"ZF{no:04}", "name": f"检查员{no:03}", "authority": AUTHORITY, "monthly_visits": 9}
        | {"state": "active"}
        for no in range(1, 5)
    ]
    take(store, "inspector", "subject", "inspector_id", pool)


def _record(number: str, subject: str, kind: str, day: str, **more: str) -> dict[str, str]:
    fixed = {"record_id": number, "subject_id": subject, "kind": kind, "occurred_on": day}
    return fixed | {"status": "effective", "authority": AUTHORITY} | more


def _mark(reason: str, shown: str, **more: Any) -> dict[str, Any]:
    evidence = [{"title": shown, "reference": f"YL-2026-{len(shown):03}"}]
    return {"reason": reason, "evidence": evidence, "effective_on": "2026-08-03"} | more


def _service(cast: Cast) -> None:
    cast.nobody.get("/healthz")
    cast.nobody.get("/readyz")
    cast.nobody.get("/problems/not-found")
    cast.regulator.get("/metrics")


def _packs(cast: Cast) -> None:
    cast.regulator.get("/v1/packs")
    cast.regulator.get(f"/v1/packs/{PACK}", as_of="2026-07-31")
    cast.regulator.get(f"/v1/packs/{PACK}/text", as_of="2026-07-31")
    cast.regulator.post("/v1/simulations", pack=PACK, version="2026.2", as_of="2026-07-31")


def _keys(cast: Cast) -> None:
    keys = cast.regulator
    made = keys.post("/v1/keys", role="department", owner="税务局信用科", organisation=OTHER_AUTHORITY)
    prefix = made["key"]["prefix"]
    keys.get("/v1/keys", limit=2)
    keys.get(f"/v1/keys/{prefix}")
    again = keys.post(f"/v1/keys/{prefix}/rotation", overlap_hours=24)
    keys.delete(f"/v1/keys/{again['key']['prefix']}")


def _subscriptions(cast: Cast) -> None:
    who = cast.regulator
    made = who.post(
        "/v1/subscriptions",
        receiver="政务服务平台",
        role="regulator",
        kinds=["record_repaired", "objection_decided"],
        address="https://platform.example/credit",
    )
    path = f"/v1/subscriptions/{made['subscription']['id']}"
    who.post(f"{path}/secrets")
    who.post(f"{path}/pauses")
    who.post(f"{path}/resumptions")
    who.get(path)
    who.post("/v1/subscriptions", receiver="信用门户", role="regulator")


def _consents(cast: Cast) -> None:
    def register(number: int, subject: str) -> Any:
        return cast.bank.post(
            "/v1/consents",
            subject_id=subject,
            reference=f"SQ-2026-{number:04}",
            document_sha256=hashlib.sha256(f"document {number}".encode()).hexdigest(),
            purposes=["loan", "monitoring"],
            valid_from="2026-08-01",
            valid_until="2027-07-31",
        )

    first, second = register(1, FINED), register(2, CLEAN)
    register(3, FINED)
    asked = [
        {"subject_id": consent["subject_id"], "consent": consent["reference"], "purpose": "loan"}
        for consent in (first, second)
    ]
    cast.bank.post("/v1/lender-checks", **asked[0])
    cast.bank.post("/v1/lender-checks/batch", checks=asked)
    cast.bank.get("/v1/lender-checks", limit=2)
    cast.regulator.get("/v1/consents", lender=BANK, limit=2)
    cast.regulator.get(f"/v1/consents/{first['id']}")
    cast.fined.post(f"/v1/consents/{first['id']}/withdrawal", reason="贷款已结清")
    cast.fined.get(f"/v1/subjects/{FINED}/consents", limit=2)
    cast.fined.get(f"/v1/subjects/{FINED}/lender-checks", limit=2)
    cast.regulator.post("/v1/lenders/stop", lender=BANK, reason="抽查未提交授权书")
    cast.regulator.post("/v1/lenders/lift", lender=BANK, reason="授权书已补交")
    cast.regulator.get("/v1/lenders")


def _records(cast: Cast) -> None:
    fine = {"severity": "minor", "level": "fine", "amount": "1000"}
    cast.office.post(
        "/v1/records",
        records=[_record("A-1", CLEAN, "penalty", "2026-07-20", **fine, document_no="样市监罚1号")],
    )
    cast.regulator.get("/v1/records", subject_id=MIXED, limit=2)


def _repairs(cast: Cast) -> None:
    path = "/v1/records/P-1"
    promise = {"text": WORDS, "made_on": "2026-08-03"}
    cast.fined.post(f"{path}/repair-applications", **_mark("罚款已缴清", "缴款凭证", commitment=promise))
    cast.office.post(f"{path}/repair-admissions", **_mark("材料齐全", "受理通知书", outcome="admitted"))
    [case] = cast.regulator.get("/v1/repairs", open=True, limit=2)["items"]
    cast.regulator.post(f"{path}/repairs", **_mark("已履行处罚决定", "信用修复决定书", outcome="repaired"))
    cast.regulator.get(f"/v1/repairs/{case['id']}")
    cast.regulator.get("/v1/repair-figures", since="2026-01-01")
    cast.regulator.get(f"{path}/receivers")
    cast.regulator.post(f"{path}/breaches", **_mark("承诺不实", "核查记录"))


def _objections(cast: Cast) -> None:
    path = "/v1/records/P-2"
    cast.firm.post(f"{path}/objections", **_mark("处罚对象有误", "营业执照副本"))
    cast.regulator.post(f"{path}/acknowledgements", reason="已受理", effective_on="2026-08-03")
    [case] = cast.regulator.get("/v1/objections", open=True, limit=2)["items"]
    cast.regulator.get(f"/v1/objections/{case['id']}")
    cast.regulator.post(f"{path}/decisions", **_mark("处罚对象无误", "处罚决定书", outcome="rejected"))
    cast.firm.post(f"{path}/appeals", **_mark("另有证据", "租赁合同"))
    cast.colleague.post(f"{path}/decisions", **_mark("证据属实", "复核意见书", outcome="upheld"))
    cast.regulator.get(path)
    cast.regulator.get("/v1/objection-figures", since="2026-01-01")


def _consequences(cast: Cast) -> None:
    cast.regulator.get("/v1/sanctions")
    made = cast.office.post(
        "/v1/consequences",
        subject_id=LISTED,
        clause="procurement",
        record_id="L-1",
        reason="列入严重失信主体名单",
        begins_on="2026-08-03",
    )
    cast.regulator.get("/v1/consequences", subject_id=LISTED, limit=2)
    cast.regulator.get(f"/v1/consequences/{made['id']}")
    cast.office.post(f"/v1/consequences/{made['id']}/lifts", reason="已移出名单", on="2026-08-03")


def _settling(cast: Cast) -> None:
    fine = {"severity": "general", "level": "fine"}
    cast.office.post("/v1/records", records=[_record("P-2", MIXED, "penalty", "2026-06-02", **fine)])
    [found] = cast.regulator.get("/v1/record-contradictions", limit=2)["items"]
    path = f"/v1/record-contradictions/{found['id']}/resolutions"
    cast.regulator.post(path, outcome="confirm", reason="与市场监管局核对")
    cast.office.post("/v1/records", records=[_record("A-2", CLEAN, "penalty", "2026-07-20", **ONE_DECISION)])
    [found] = cast.regulator.get("/v1/record-twins", limit=2)["items"]
    path = f"/v1/record-twins/{found['id']}/settlements"
    cast.regulator.post(path, keep="A-1", reason="同一份决定书重复报送")
    grave = _record("G-1", CALLED, "penalty", "2026-07-01", level="permit_revoked")
    cast.office.post("/v1/records", records=[grave])
    [found] = cast.regulator.get("/v1/record-proposals", limit=2)["items"]
    path = f"/v1/record-proposals/{found['id']}/classifications"
    cast.regulator.post(path, code="serious", reason="吊销食品经营许可证", version=found["version"])


def _feeds(cast: Cast) -> None:
    cast.regulator.get("/v1/feeds", limit=2)
    cast.regulator.get("/v1/feeds/rows", body=AUTHORITY)


def _alerts(cast: Cast) -> None:
    complaints = [
        _record(f"C-{no}", QUIET, "complaint", f"2026-07-0{no}", level="upheld") for no in (1, 2, 3, 4)
    ]
    cast.office.post("/v1/records", records=complaints[:3])
    [alert] = cast.regulator.get("/v1/alerts", subject_id=QUIET, limit=2)["items"]
    cast.regulator.get(f"/v1/alerts/{alert['id']}")
    cast.regulator.post(f"/v1/alerts/{alert['id']}/acknowledgements", note="已约谈")
    cast.office.post("/v1/records", records=complaints[3:])
    [alert] = cast.regulator.get("/v1/alerts", subject_id=QUIET, state="open", limit=2)["items"]
    seen = {"id": alert["id"], "version": alert["version"]}
    found = cast.regulator.post("/v1/alerts/assignments", alerts=[seen], to="信用办二")
    seen["version"] = found["items"][0]["version"]
    cast.regulator.post("/v1/alerts/acknowledgements", alerts=[seen], note="再次约谈")
    cast.regulator.get(f"/v1/subjects/{QUIET}/live-grade")


def _tickets(cast: Cast) -> None:
    made = cast.regulator.post("/v1/tickets", title="用电增容受阻", source="hotline")
    path = f"/v1/tickets/{made['id']}"
    assigned = {"request": "assign", "actor": "office", "owner": BODY, "urgency": "urgent"}
    cast.regulator.post(f"{path}/steps", **assigned)
    cast.office.post(f"{path}/steps", request="coordinate", note="已会商")
    cast.regulator.get(path)
    cast.regulator.get("/v1/tickets", stage="coordinated", limit=2)


def _plans(cast: Cast) -> None:
    asked = [
        _record(f"Q-{no}", subject, "check_request", "2026-08-03", level="complaint", authority=office)
        for no, (subject, office) in enumerate(
            ((LISTED, AUTHORITY), (MIXED, AUTHORITY), (CALLED, OTHER_AUTHORITY)), 1
        )
    ]
    cast.regulator.post("/v1/records", records=asked)
    plan = cast.regulator.post("/v1/inspection-plans", month="2026-08", seed="公证处-417")
    path = f"/v1/inspection-plans/{plan['id']}"
    cast.regulator.get("/v1/inspection-plans")
    cast.regulator.get(path)
    cast.regulator.get(f"{path}/visits", limit=2)
    cast.regulator.get(f"{path}/refusals", limit=2)
    cast.regulator.post(f"{path}/codes", begins_on="2026-08-10", ends_on="2026-08-14")


def _visits(cast: Cast) -> None:
    def issued(subject: str, inspectors: list[str]) -> str:
        days = {"begins_on": "2026-08-03", "ends_on": "2026-08-05"}
        about = {"subject_id": subject, "ground": "complaint", "why": "接到消防通道堵塞的投诉"}
        made = cast.office.post("/v1/visits", **about, inspectors=inspectors, **days)
        return f"/v1/visits/{made['code']}"

    path, other = issued(FINED, ["ZF0001", "ZF0002"]), issued(CLEAN, ["ZF0003", "ZF0004"])
    cast.nobody.get(path)
    found = {"outcome": "rectify", "findings": "消防通道堵塞", "measures": "当场清理"}
    cast.office.post(f"{path}/results", done_on="2026-08-03", **found)
    cast.fined.post(f"{path}/ratings", rating=4, words="检查规范")
    cast.regulator.get(f"{path}/details")
    cast.office.post(f"{other}/cancellations", reason="投诉人撤回")
    cast.regulator.get("/v1/visits", month="2026-08", limit=2)
    cast.regulator.get("/v1/visit-figures", month="2026-08")


def _reports(cast: Cast) -> None:
    report = cast.fined.post(f"/v1/subjects/{FINED}/reports")
    cast.nobody.get(f"/v1/reports/{report['number']}", code=report["code"])
    cast.fined.get(f"/v1/reports/{report['number']}/file")


def _runs(cast: Cast) -> None:
    cast.regulator.get("/v1/runs", pack=PACK, limit=2)
    cast.regulator.get("/v1/runs/2")
    cast.regulator.get("/v1/runs/2/comparison", against=1)
    cast.regulator.get("/v1/runs/2/moves", against=1, limit=2)
    cast.regulator.get("/v1/runs/2/export", table="scores", format="csv")
    cast.regulator.get(f"/v1/runs/2/notices/{LISTED}")
    cast.regulator.get("/v1/rankings/departments", as_of="2026-07-31")
    cast.regulator.get("/v1/forecasts/population", months=3)
    found = "kind = 'penalty'"
    cast.regulator.get("/v1/backtests", pack=PACK, as_of="2026-01-31", months=6, found=found, known="now")
    cast.regulator.get("/v1/drift", pack=PACK, before=1, after=2)


def _proposals(cast: Cast, store: Store) -> None:
    job = cast.regulator.post("/v1/runs", pack=PACK, as_of="2026-08-31", propose_days=10)
    jobs.work(store, job["id"])
    number = cast.regulator.get(f"/v1/run-jobs/{job['id']}")["proposal_id"]
    path = f"/v1/proposals/{number}"
    cast.regulator.get("/v1/proposals", limit=2)
    cast.regulator.get(path)
    fall = cast.regulator.get(f"{path}/falls", limit=2)["items"][0]
    cast.regulator.get(f"{path}/notices/{fall['subject_id']}")
    cast.regulator.post(f"{path}/answers", subject_id=fall["subject_id"], text="处罚已复议撤销")
    cast.regulator.book.clock.set(dt.date(2026, 8, 14))
    cast.regulator.post(f"{path}/publication")
    cast.regulator.get("/v1/run-jobs", limit=2)
    cast.regulator.post(f"{path}/withdrawal", reason="漏收一批处罚记录")


def _autumn(cast: Cast) -> None:
    drawn = cast.regulator.post("/v1/consents/sample", lender=BANK, month="2026-08", seed="公证处-418")[
        "drawn"
    ]
    path = f"/v1/consents/{drawn[0]['id']}/judgement"
    cast.regulator.post(path, verdict="found", reason="授权书与登记相符")
    cast.regulator.get("/v1/changes", limit=2)
    place = cast.regulator.get("/v1/changes")["next"]
    cast.regulator.get("/v1/subscriptions", limit=2)
    cast.regulator.post("/v1/subscriptions/2/acknowledgements", until=place)
    cast.regulator.get("/v1/subscriptions/2/deliveries", limit=2)
    cast.regulator.delete("/v1/subscriptions/1")
    cast.regulator.get("/v1/audit", subject_id=FINED, limit=2)
    cast.regulator.get("/v1/audit/verification")


def _subjects(cast: Cast) -> None:
    cast.regulator.get("/v1/subjects", pack=PACK, limit=2)
    path = f"/v1/subjects/{MIXED}"
    cast.regulator.get(path)
    cast.regulator.get(f"{path}/grade")
    cast.regulator.get(f"{path}/grades", limit=2)
    cast.regulator.get(f"{path}/explanation")
    cast.regulator.get(f"{path}/forecast", months=12)
    cast.regulator.get(f"{path}/paths")
    cast.regulator.get(f"{path}/history")


def _rules(cast: Cast) -> None:
    """A draft becomes law by two persons and is withdrawn; another is refused; a candidate is tried."""
    cast.regulator.get(f"/v1/packs/{PACK}/terms")
    drafts, day = "/v1/rule-drafts", "2026-10-01"
    text = short_pack(day)
    found = cast.regulator.post(f"{drafts}/examinations", text=text, begins=day)
    wanted = {"begins": day, "reason": "第3次专题会议通过", "known": found["known"]}
    made = cast.regulator.post(drafts, text=text, **wanted)
    path = f"{drafts}/{made['pack_hash']}"
    shown = cast.colleague.get(path)["examination"]["shown"]
    cast.colleague.post(f"{path}/approval", reason="已核对差异与变动名单", shown=shown)
    cast.regulator.post(f"{path}/withdrawal", reason="上级文件推迟施行")
    wanted = {"begins": day, "reason": "第4次专题会议通过"}
    other = cast.regulator.post(drafts, text=short_pack(day, "2099.10", 70), **wanted)
    cast.colleague.post(f"{drafts}/{other['pack_hash']}/refusal", reason="变动面过大")
    cast.regulator.get(drafts, limit=2)
    trial = cast.regulator.post(
        "/v1/rule-trials", text=short_pack("2026-01-01"), reason="第3次专题会议", back=1
    )
    path = f"/v1/rule-trials/{trial['id']}"
    cast.regulator.get("/v1/rule-trials", limit=2)
    cast.regulator.get(path)
    cast.regulator.get(f"{path}/nights", limit=2)
    cast.regulator.get(f"{path}/moves", limit=2)
    cast.regulator.post(f"{path}/end", reason="已提交施行")


def _classes(cast: Cast) -> None:
    grave = [_record(f"G-{no}", CALLED, "penalty", "2026-07-01", level="permit_revoked") for no in (2, 3)]
    cast.office.post("/v1/records", records=grave)
    waiting = cast.regulator.get("/v1/record-proposals", limit=2)["items"]
    seen = [{"id": one["id"], "version": one["version"]} for one in waiting]
    cast.regulator.post("/v1/record-proposals/classifications", proposals=seen, reason="吊销食品经营许可证")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        made = examples(f"sqlite:///{Path(folder) / 'district.db'}")
    (Path(sys.argv[1]) if sys.argv[1:] else FILE).write_text(made, encoding="utf-8")
