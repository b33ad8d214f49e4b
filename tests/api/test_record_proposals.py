"""The gravest class is proposed by the law whichever way a penalty comes in, and a person confirms it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from client import Client, Sign
from small_district import AUTHORITY, FINED

from rules.calendar import today
from rules.library.loader import load_vocabulary
from scoring.access.keys import Role
from scoring.facts.ingest.files import Reading, ingest_file
from scoring.facts.records import RecordError
from scoring.facts.settling import Ruling, settle_proposal
from scoring.facts.undo import undo_file
from scoring.store import Store, open_store


def row(number: str, **more: object) -> dict[str, Any]:
    fixed = {"record_id": number, "subject_id": FINED, "kind": "penalty", "status": "effective"}
    return fixed | {"occurred_on": "2026-07-01", "authority": AUTHORITY, "level": "permit_revoked"} | more


def post(client: Client, *rows: dict[str, Any]) -> dict[str, Any]:
    answer = client.post("/v1/records", json={"records": list(rows)}, headers={"Accept-Language": "zh"})
    assert answer.status_code == 200, answer.json
    done: dict[str, Any] = answer.json
    return done


def waiting(client: Client) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get("/v1/record-proposals").json["items"]
    return items


def say(client: Client, found: dict[str, Any], code: str, status: int = 201) -> dict[str, Any]:
    body = {"code": code, "reason": "吊销食品经营许可证", "version": found["version"]}
    answer = client.post(f"/v1/record-proposals/{found['id']}/classifications", json=body)
    assert answer.status_code == status, answer.json
    told: dict[str, Any] = answer.json
    return told


def severity(client: Client, number: str) -> str | None:
    found: str | None = client.get(f"/v1/records/{number}").json["versions"][0]["data"]["severity"]
    return found


def take_file(store: Store, tmp_path: Path, *rows: str, replace: bool = False) -> Any:
    path = tmp_path / "处罚.csv"
    head = "编号,统一社会信用代码,信息类别,记录状态,等级,金额(元),认定日期"
    path.write_text("\n".join([head, *rows]), encoding="utf-8")
    return ingest_file(store, path, "enterprise", Reading(quarantine=tmp_path, replace=replace))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"level": "warning"}, "minor"),
        ({"level": "warning", "amount": "0"}, "minor"),
        ({"level": "criticism", "amount": "3000"}, "minor"),
        ({"level": "warning", "amount": "50000"}, "general"),
        ({"level": "fine"}, "general"),
        ({"level": "fine", "amount": "0"}, "general"),
        ({"level": "fine", "amount": "0.01"}, "minor"),
        ({"level": "fine", "amount": "3000"}, "minor"),
        ({"level": "fine", "amount": "3000.01"}, "general"),
        ({"level": "fine", "amount": "1000000"}, "general"),
        ({"level": "permit_revoked"}, "general"),
        ({"level": "warning", "severity": "serious"}, "serious"),
    ],
)
def test_a_penalty_that_is_posted_gets_its_class_where_it_says_none(
    regulator: Client, said: dict[str, str], expected: str
) -> None:
    post(regulator, row("G-1", **said))
    assert severity(regulator, "G-1") == expected


def test_without_a_kind_of_penalty_there_is_nothing_to_go_by(regulator: Client) -> None:
    answer = regulator.post("/v1/records", json={"records": [row("G-1", level="")]})
    assert (answer.status_code, "severity" in answer.text) == (422, True)


def test_the_gravest_class_waits_for_a_person_who_confirms_it_by_a_mark(regulator: Client) -> None:
    done = post(regulator, row("G-1"), row("G-2", level="fine", amount="5000"))
    assert ["第36号" in warning["reason"] for warning in done["warnings"]] == [True]
    (found,) = waiting(regulator)
    assert (found["record_id"], found["proposed"], found["meanwhile"]) == ("G-1", "serious", "general")
    assert "第36号" in found["because"]["zh"]
    mark = say(regulator, found, "serious")
    assert (mark["kind"], mark["status_before"], mark["status_after"]) == (
        "classification", "effective", "effective",
    )  # fmt: skip
    assert "第36号" in mark["evidence"][0]["title"]
    assert severity(regulator, "G-1") == "serious"
    assert waiting(regulator) == []
    say(regulator, found, "serious", 409)
    post(regulator, row("G-1", amount="7"))  # the office sends its list again, and says no class
    assert (severity(regulator, "G-1"), waiting(regulator)) == ("serious", [])


def test_a_person_may_say_another_class_or_the_one_that_holds(regulator: Client) -> None:
    post(regulator, row("G-1"), row("G-2"))
    first, second = waiting(regulator)
    say(regulator, first, "general")
    say(regulator, second, "nonsense", 409)
    say(regulator, second, "minor")
    assert [severity(regulator, number) for number in ("G-1", "G-2")] == ["general", "minor"]
    assert waiting(regulator) == []


def test_an_objection_goes_on_while_the_class_is_confirmed_and_a_new_class_may_be_objected_to(
    regulator: Client,
) -> None:
    post(regulator, row("G-1"), row("G-2"))
    mark = {"reason": "x", "evidence": [{"title": "t", "reference": "r"}]}
    mark |= {"effective_on": today().isoformat()}
    for number in ("G-1", "G-2"):
        assert regulator.post(f"/v1/records/{number}/objections", json=mark).status_code == 201
    first, _ = waiting(regulator)
    say(regulator, first, "serious")
    assert [c["case"]["stage"] for c in regulator.get("/v1/objections").json["items"]] == ["filed"] * 2
    for number in ("G-1", "G-2"):
        decision = mark | {"outcome": "rejected"}
        answer = regulator.colleague.post(f"/v1/records/{number}/decisions", json=decision)
        assert answer.status_code == 201, answer.json
    assert regulator.post("/v1/records/G-2/objections", json=mark).status_code == 409
    (second,) = waiting(regulator)
    say(regulator, second, "serious")
    assert regulator.post("/v1/records/G-2/objections", json=mark).status_code == 201


def test_what_waits_for_a_person_is_no_more_once_the_record_is_gone_repaired_or_said(
    regulator: Client, store: Store, tmp_path: Path
) -> None:
    report = take_file(store, tmp_path, f"U-1,{FINED},行政处罚,有效,责令关闭,,2026-07-01")
    post(regulator, row("G-1"), row("G-2"))
    assert [found["record_id"] for found in waiting(regulator)] == ["U-1", "G-1", "G-2"]
    undo_file(store, report.file_id)
    post(regulator, row("G-1", status="revoked"), row("G-2", severity="serious"))
    assert waiting(regulator) == []
    take_file(store, tmp_path, f"U-1,{FINED},行政处罚,有效,责令关闭,,2026-07-01")
    assert [found["record_id"] for found in waiting(regulator)] == ["U-1"]


def test_an_offices_plain_file_gets_its_classes_as_the_official_form_does(
    regulator: Client, store: Store, tmp_path: Path
) -> None:
    report = take_file(
        store,
        tmp_path,
        f"U-1,{FINED},行政处罚,有效,警告,,2026-07-01",
        f'U-2,{FINED},行政处罚,有效,罚款,"1,000,000",2026-07-01',
        f"U-3,{FINED},行政处罚,有效,,,2026-07-01",
        f"U-4,{FINED},表彰奖励,有效,区级,,2026-07-01",
    )
    assert (report.new, report.rejected, report.warned) == (3, 1, 1)
    assert [severity(regulator, number) for number in ("U-1", "U-2", "U-4")] == ["minor", "general", None]
    assert [found["record_id"] for found in waiting(regulator)] == ["U-2"]


@pytest.mark.parametrize("replace", [False, True])
def test_a_class_that_is_known_stays_when_a_file_says_none(
    regulator: Client, store: Store, tmp_path: Path, replace: bool
) -> None:
    """And what the law says of the kind that the file corrects waits for a person."""
    take_file(store, tmp_path, f"P-1,{FINED},行政处罚,有效,吊销许可证件,8,2026-07-01", replace=replace)
    assert (severity(regulator, "P-1"), _waits(regulator)) == ("general", ["P-1"])


def _waits(regulator: Client) -> list[str]:
    return [str(found["record_id"]) for found in waiting(regulator)]


def test_a_class_that_the_law_gave_follows_the_amount_on_which_it_rests(regulator: Client) -> None:
    course = [("500", "minor", []), ("2000000", "general", ["G-1"]), ("3000000", "general", ["G-1"])]
    course += [("5000", "general", []), ("400", "minor", []), ("1000000", "general", ["G-1"])]
    seen = set()
    for amount, code, waits in course:
        fine = row("G-1", level="fine", amount=amount)
        done = post(regulator, fine) if amount != "400" else post(regulator, _alone(fine))
        assert (severity(regulator, "G-1"), _waits(regulator)) == (code, waits), (amount, done)
        seen |= {found["id"] for found in waiting(regulator)}
        if not waits:
            for number in seen:
                told = say(regulator, {"id": number, "version": 1}, "serious", 409)["detail"]
                assert "waits for nobody" in told


def _alone(fine: dict[str, Any]) -> dict[str, Any]:
    """A correction that says the amount and nothing else."""
    return {name: fine[name] for name in ("record_id", "subject_id", "amount")}


def test_a_class_that_the_office_or_a_person_said_stays_while_it_may(regulator: Client) -> None:
    post(regulator, row("O-1", level="fine", amount="500", severity="serious"))
    post(regulator, row("O-1", level="fine", amount="9000"))
    assert (severity(regulator, "O-1"), _waits(regulator)) == ("serious", []), "the office's own word"
    post(regulator, row("G-1", level="fine", amount="2000000"))
    say(regulator, waiting(regulator)[0], "serious")
    post(regulator, row("G-1", level="fine", amount="3000000"))
    assert (severity(regulator, "G-1"), _waits(regulator)) == ("serious", []), (
        "confirmed, and still the law's"
    )
    post(regulator, row("G-1", level="fine", amount="500"))
    assert (severity(regulator, "G-1"), _waits(regulator)) == ("minor", []), "what it rested on is not so"


def test_a_correction_that_is_taken_back_takes_its_class_along(
    regulator: Client, store: Store, tmp_path: Path
) -> None:
    post(regulator, row("G-1", level="fine", amount="500"))
    taken = take_file(store, tmp_path, f'G-1,{FINED},行政处罚,有效,罚款,"2,000,000",2026-07-01')
    assert (severity(regulator, "G-1"), _waits(regulator)) == ("general", ["G-1"])
    undo_file(store, taken.file_id)
    assert (severity(regulator, "G-1"), _waits(regulator)) == ("minor", [])
    post(regulator, row("G-1", level="fine", amount="2000000"))
    assert (severity(regulator, "G-1"), _waits(regulator)) == ("general", ["G-1"])


def test_a_department_sees_and_confirms_its_own_records_alone(regulator: Client, sign_in: Sign) -> None:
    post(regulator, row("G-1"))
    own, other = sign_in(Role.DEPARTMENT), sign_in(Role.DEPARTMENT, "样例区应急管理局")
    (found,) = waiting(own)
    assert waiting(other) == []
    say(other, found, "serious", 404)
    say(own, found, "serious")
    assert severity(regulator, "G-1") == "serious"


def test_what_waits_goes_by_the_clause_of_the_record_as_it_is_where_a_correction_is_taken_back(
    regulator: Client, store: Store, tmp_path: Path
) -> None:
    post(regulator, row("C-1"))
    revoked = waiting(regulator)[0]["because"]
    corrected = take_file(store, tmp_path, f"C-1,{FINED},行政处罚,有效,罚款,2000000,2026-07-01")
    assert waiting(regulator)[0]["because"] != revoked
    undo_file(store, corrected.file_id)
    (found,) = waiting(regulator)
    assert found["because"] == revoked
    assert revoked["zh"] in say(regulator, found, "serious")["evidence"][0]["title"]


# What became of what was said


def warned(done: dict[str, Any]) -> list[str]:
    return [str(warning["reason"]) for warning in done["warnings"]]


def marks(client: Client, number: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/v1/records/{number}").json["marks"]
    return [mark for mark in found if mark["kind"] in ("classification", "lapse")]


def confirmed(client: Client, number: str, code: str = "serious", amount: str = "2000000") -> None:
    """A fine whose class a person has said."""
    post(client, row(number, level="fine", amount=amount))
    (found,) = (found for found in waiting(client) if found["record_id"] == number)
    say(client, found, code)


def test_it_is_said_to_wait_while_it_does_and_no_longer(regulator: Client) -> None:
    fine = row("G-1", level="fine", amount="500")
    assert warned(post(regulator, fine)) == []
    (waits,) = warned(post(regulator, _alone(fine | {"amount": "2000000"})))
    assert ("须由人确认" in waits, "仍为“一般”的，只能在页面办理" in waits) == (True, True)
    assert warned(post(regulator, row("G-1", level="fine", amount="2000000"))) == [waits], "sent again"
    say(regulator, waiting(regulator)[0], "general")
    assert warned(post(regulator, row("G-1", level="fine", amount="3000000"))) == []
    post(regulator, row("O-1", severity="minor"))
    assert warned(post(regulator, row("O-1", amount="7"))) == [], "the office's own word"
    post(regulator, row("G-2", level="fine", amount="2000000"))
    assert warned(post(regulator, row("G-2", level="fine", amount="5000"))) == [], "the law says so no more"
    assert _waits(regulator) == []


def test_a_file_that_comes_again_does_not_say_what_was_settled_since(
    regulator: Client, store: Store, tmp_path: Path
) -> None:
    shut = f"U-1,{FINED},行政处罚,有效,责令关闭,,2026-07-01"
    assert [take_file(store, tmp_path, shut).warned for _ in "ab"] == [1, 1]
    say(regulator, waiting(regulator)[0], "general")
    again = take_file(store, tmp_path, shut)
    assert (again.unchanged, again.warned, again.warnings) == (1, 0, None)


@pytest.mark.parametrize(
    ("correction", "now", "told"),
    [({"amount": "500"}, "minor", "因本次更正不再适用"), ({"severity": "general"}, "general", "现报为")],
    ids=["the amount", "the office's word"],
)
def test_that_a_confirmed_class_fell_is_told_and_stands_with_who_had_confirmed_it(
    regulator: Client, department: Client, correction: dict[str, str], now: str, told: str
) -> None:
    confirmed(regulator, "G-1")
    (warning,) = warned(post(department, row("G-1", level="fine", **{"amount": "2000000"} | correction)))
    assert [part in warning for part in (told, f"原由tests于{today()}认定为“严重”")] == [True, True]
    assert severity(regulator, "G-1") == now
    fell, said = marks(regulator, "G-1")
    assert (fell["kind"], said["kind"], fell["made_by"]) == ("lapse", "classification", department.prefix)
    assert "严重 Serious →" in fell["evidence"][0]["reference"]
    assert not any(
        "原由" in said for said in warned(post(department, row("G-1", level="fine", amount="600")))
    )


def test_a_class_that_follows_a_correction_is_told_for_the_office_may_have_said_it(regulator: Client) -> None:
    post(regulator, row("O-1", level="fine", amount="500", severity="minor"))
    (told,) = warned(post(regulator, _alone(row("O-1", amount="5000"))))
    assert "由“轻微”改为“一般”" in told
    assert warned(post(regulator, _alone(row("O-1", amount="6000")))) == []


def test_what_a_person_said_against_the_law_falls_when_the_law_says_something_else(regulator: Client) -> None:
    confirmed(regulator, "G-1", "minor")
    course = [("3000000", "minor", [], []), ("5000", "general", [], ["不再适用"])]
    course += [("500", "minor", [], ["改为“轻微”"]), ("2000000", "general", ["G-1"], ["须由人确认"])]
    for amount, code, waits, told in course:
        done = warned(post(regulator, _alone(row("G-1", amount=amount))))
        assert (severity(regulator, "G-1"), _waits(regulator)) == (code, waits), amount
        assert [words in said for words, said in zip(told, done, strict=True)] == [True] * len(told), done


@pytest.mark.parametrize("code", ["serious", "minor"])
def test_a_row_that_says_the_class_of_what_waits_is_the_word_of_who_brings_it(
    regulator: Client, department: Client, sign_in: Sign, code: str
) -> None:
    post(regulator, row("G-1"), row("G-2"), row("G-3"))
    said = [{"record_id": n, "subject_id": FINED, "severity": code} for n in ("G-1", "G-2")]
    assert warned(post(department, *said)) == []
    assert _waits(regulator) == ["G-3"]
    for number in ("G-1", "G-2"):
        (mark,) = marks(regulator, number)
        assert (mark["kind"], mark["made_by"]) == ("classification", department.prefix)
        assert "第36号" in mark["evidence"][0]["title"]
    told = sign_in(Role.SUBJECT, FINED).get("/v1/records/G-1")
    assert (told.status_code, "接口报送" in told.text, department.prefix in told.text) == (200, True, False)
    (entry,) = regulator.get("/v1/audit", query_string={"actor": department.prefix}).json["items"][:1]
    assert entry["details"]["confirmed"] == ["G-1", "G-2"]


def confirm_by_file(store: Store, tmp_path: Path, *numbers: str) -> Any:
    path = tmp_path / "确认.csv"
    rows = [f"{number},{FINED},严重" for number in numbers]
    path.write_text("\n".join(["编号,统一社会信用代码,失信程度", *rows]), encoding="utf-8")
    return ingest_file(store, path, "enterprise", Reading(quarantine=tmp_path, by="cli:li"))


def test_a_file_of_classes_that_is_taken_back_takes_its_word_back_and_an_undoing_of_that_says_it_again(
    regulator: Client, store: Store, tmp_path: Path
) -> None:
    post(regulator, row("G-1"))
    number = confirm_by_file(store, tmp_path, "G-1").file_id
    assert [(mark["kind"], mark["made_by"]) for mark in marks(regulator, "G-1")] == [
        ("classification", "cli:li")
    ]
    kinds = ["classification"]
    for code, waits in (("general", ["G-1"]), ("serious", []), ("general", ["G-1"])):
        number = undo_file(store, number).file_id
        kinds.insert(0, "lapse" if waits else "classification")
        assert (severity(regulator, "G-1"), _waits(regulator)) == (code, waits)
        assert [mark["kind"] for mark in marks(regulator, "G-1")] == kinds
    say(regulator, waiting(regulator)[0], "serious")


def test_a_correction_that_is_taken_back_has_the_word_that_fell_by_it_stand_again(
    regulator: Client, store: Store, tmp_path: Path
) -> None:
    confirmed(regulator, "G-1")
    taken = take_file(store, tmp_path, f"G-1,{FINED},行政处罚,有效,罚款,500,2026-07-01")
    assert (severity(regulator, "G-1"), taken.warned) == ("minor", 1)
    undo_file(store, taken.file_id)
    assert (severity(regulator, "G-1"), _waits(regulator)) == ("serious", [])
    again, fell, said = marks(regulator, "G-1")
    assert (again["kind"], again["made_by"], fell["kind"]) == ("classification", said["made_by"], "lapse")
    assert len(warned(post(regulator, row("G-1", level="fine", amount="400")))) == 1, "it falls anew"


def test_the_undo_of_a_file_leaves_what_a_person_confirmed_of_its_row(
    regulator: Client, store: Store, tmp_path: Path
) -> None:
    rows = [f"U-{n},{FINED},行政处罚,有效,责令关闭,,2026-07-01" for n in (1, 2)]
    taken = take_file(store, tmp_path, *rows)
    say(regulator, waiting(regulator)[0], "serious")
    assert undo_file(store, taken.file_id).left == ("U-1",)
    assert (severity(regulator, "U-1"), _waits(regulator)) == ("serious", [])
    again = take_file(store, tmp_path, *rows)
    assert (again.new, again.warned, _waits(regulator)) == (1, 1, ["U-2"])
    assert severity(regulator, "U-1") == "serious"


def test_what_an_undone_correction_had_raised_waits_no_more_and_what_waited_before_does(
    regulator: Client, store: Store, tmp_path: Path
) -> None:
    post(regulator, row("G-1", level="fine", amount="2000000"))
    confirmed(regulator, "G-2", "general")
    shut = [f'G-{n},{FINED},行政处罚,有效,责令关闭,"2,000,000",2026-07-01' for n in (1, 2)]
    taken = take_file(store, tmp_path, *shut)
    assert _waits(regulator) == ["G-1", "G-2"]
    undo_file(store, taken.file_id)
    assert _waits(regulator) == ["G-1"]
    assert "数额巨大" in waiting(regulator)[0]["because"]["zh"]


def test_a_permit_has_no_class_whichever_way_it_comes(
    regulator: Client, store: Store, tmp_path: Path
) -> None:
    post(regulator, row("X-1", kind="permit", level=""))
    taken = take_file(store, tmp_path, f"X-2,{FINED},行政许可,有效,,9000000,2026-07-01")
    assert (taken.new, taken.warned, _waits(regulator)) == (1, 0, [])
    assert [severity(regulator, number) for number in ("X-1", "X-2")] == [None, None]


def test_of_persons_who_confirm_at_once_one_does(regulator: Client, store: Store, district_url: str) -> None:
    post(regulator, row("G-1"))
    (found,) = waiting(regulator)
    stores = [open_store(district_url) for _ in range(3)]
    at_once, refused, words = threading.Barrier(3), list[str](), load_vocabulary("enterprise")

    def confirm(own: Store, code: str) -> None:
        at_once.wait()
        try:
            settle_proposal(own, words, found["id"], code, Ruling("x", code, today()))
        except RecordError as error:
            refused.append(str(error))

    threads = [
        threading.Thread(target=confirm, args=each)
        for each in zip(stores, ("serious", "general", "minor"), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (mark,) = marks(regulator, "G-1")
    assert (severity(regulator, "G-1"), len(refused)) == (mark["made_by"], 2)
    for own in stores:
        own.close()


# Several at once


def say_all(client: Client, found: list[dict[str, Any]], status: int = 201, **more: Any) -> dict[str, Any]:
    seen = [{"id": one["id"], "version": one["version"]} for one in found]
    body = {"proposals": seen, "reason": "吊销食品经营许可证", **more}
    answer = client.post("/v1/record-proposals/classifications", json=body)
    assert answer.status_code == status, answer.json
    told: dict[str, Any] = answer.json
    return told


def test_of_several_records_the_class_is_confirmed_at_once(regulator: Client) -> None:
    post(regulator, row("G-1"), row("G-2"), row("G-3"))
    found = waiting(regulator)
    told = say_all(regulator, found[:2])["items"]
    assert [(mark["record_id"], mark["kind"]) for mark in told] == [
        ("G-1", "classification"), ("G-2", "classification"),
    ]  # fmt: skip
    say_all(regulator, found[2:], code="minor")
    assert [severity(regulator, f"G-{n}") for n in (1, 2, 3)] == ["serious", "serious", "minor"]
    assert waiting(regulator) == []


def test_of_several_records_it_is_all_or_none(regulator: Client, sign_in: Sign) -> None:
    post(regulator, row("G-1"), row("G-2"))
    found = waiting(regulator)
    post(regulator, row("G-2", amount="8"))
    assert "G-2 has changed meanwhile" in say_all(regulator, found, 409)["detail"]
    assert "nonsense" in say_all(regulator, found[:1], 409, code="nonsense")["detail"]
    assert (
        "there is no proposal 9999"
        in say_all(regulator, [*found[:1], {"id": 9999, "version": 1}], 404)["detail"]
    )
    say_all(sign_in(Role.DEPARTMENT, "样例区应急管理局"), found, 404)
    assert say_all(regulator, [], 422)["errors"][0]["field"] == "proposals"
    assert [severity(regulator, f"G-{n}") for n in (1, 2)] == ["general", "general"]
    say_all(sign_in(Role.DEPARTMENT), waiting(regulator))
    assert waiting(regulator) == []


def test_one_that_has_changed_since_it_was_seen_is_not_said_of_another(regulator: Client) -> None:
    post(regulator, row("G-1"))
    (found,) = waiting(regulator)
    post(regulator, row("G-1", amount="8"))
    path = f"/v1/record-proposals/{found['id']}/classifications"
    body = {"code": "serious", "reason": "吊销食品经营许可证"}
    assert regulator.post(path, json=body).status_code == 422, "which was seen is said"
    body["version"] = found["version"]
    assert regulator.post(path, json=body).status_code == 409
    body["version"] = waiting(regulator)[0]["version"]
    assert regulator.post(path, json=body).status_code == 201
