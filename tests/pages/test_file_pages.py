"""An office's files by button: looked at, taken as they were seen, listed, taken back, by those who may."""

from __future__ import annotations

import errno
import io
import os
import re
import threading
import time
from pathlib import Path

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient
from test_sign_in import signed_in
from town import AUTHORITY, BODIES, CODES
from visitor import DESK, PHONE, Visitor
from werkzeug.test import TestResponse

from api.app import create_app
from api.pages import files
from api.settings import Settings
from rules.library.loader import load_vocabulary
from scoring.access.keys import Role, create_key
from scoring.facts.ingest import files as taking
from scoring.facts.ingest.uploads import Upload
from scoring.facts.records import list_records
from scoring.facts.undo import list_files, undo_file
from scoring.store import Store

WORDS = load_vocabulary("enterprise")
HEAD = "记录编号,统一社会信用代码,类别,领域,失信程度,状态,等级,金额,决定日期,备用列"
PERSON = "11010519491231002X"


def row(number: str, *, code: str = CODES[3], amount: str = "1000", end: str = "") -> str:
    return f"{number},{code},行政处罚,食品药品,一般,有效,罚款,{amount},2026-03-05,{end}"


def csv(*rows: str, head: str = HEAD) -> bytes:
    return "\n".join([head, *rows]).encode()


@pytest.fixture
def waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where what was handed in lies."""
    room = tmp_path / "room"
    room.mkdir()
    monkeypatch.setenv("XINHENG_TEMP_DIRECTORY", str(room))
    return room


@pytest.fixture
def site(store: Store, waiting: Path) -> Flask:
    """The application on an empty store."""
    return create_app(Settings(log_level="error"), store)


@pytest.fixture
def clerk(site: Flask, store: Store) -> FlaskClient:
    """Somebody of the credit centre."""
    return signed_in(site, create_key(store, Role.REGULATOR, "周某").token)


def office(site: Flask, store: Store, name: str) -> FlaskClient:
    return signed_in(site, create_key(store, Role.DEPARTMENT, f"{name}经办人", name).token)


def send(client: FlaskClient, path: str, **form: object) -> TestResponse:
    client.get("/rules")
    with client.session_transaction() as session:
        token = session["form_token"]
    return client.post(path, data={"form_token": token, **form}, headers={"Accept": "text/html"})


def hand_in(client: FlaskClient, content: bytes, name: str = "一月.csv", **how: str) -> str:
    """Hand a file in; where it is looked at."""
    answer = send(client, "/files", file=(io.BytesIO(content), name), **how)
    assert answer.status_code == 303, answer.text
    return answer.location


def take(client: FlaskClient, content: bytes, name: str = "一月.csv") -> str:
    """Hand a file in and take it; where it is shown then."""
    place = hand_in(client, content, name)
    answer = send(client, place, previewed=previewed(client, place))
    assert answer.status_code == 303, answer.text
    return answer.location


def previewed(client: FlaskClient, place: str) -> str:
    (found,) = re.findall(r'name="previewed" value="([^"]*)"', client.get(place).text)
    return str(found)


def numbers(store: Store) -> list[str]:
    return [record.record_id for record in list_records(store, WORDS)]


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_clerk_looks_at_a_file_takes_it_mends_what_came_back_and_takes_it_back(
    regulator: Visitor, town_store: Store, tmp_path: Path
) -> None:
    """In a browser, at a desk and on a phone, with nothing but buttons."""
    known = len(list_files(town_store))
    file = tmp_path / "三月处罚.csv"
    file.write_bytes(csv(row("SC-1"), row("SC-2"), row("SC-3", code="123")))

    def fits(where: str) -> None:
        for size, dark in ((DESK, False), (PHONE, True)):
            regulator.look(size, dark)
            assert regulator.faults() == [], (where, size)
            assert regulator.overflow() == 0, (where, size)
        regulator.look(DESK)

    regulator.open("/files")
    fits("list")
    (tmp_path / "大.csv").write_bytes(b"x" * (17 << 20))
    regulator.one("#file").send_keys(str(tmp_path / "大.csv"))
    regulator.one("form[enctype] button").click()
    assert "命令行" in str(regulator.one("#file").get_property("validationMessage")), "said before it is sent"
    regulator.one("#file").send_keys(str(file))
    regulator.press("form[enctype] button")
    facts = regulator.text("dl.facts")
    assert re.search(r"新增\D+2\b", facts)
    assert re.search(r"隔离\D+1\b", facts)
    columns = [item.text for item in regulator.all("[aria-labelledby=columns] li")]
    assert any(said.startswith("备用列 → 未识别") for said in columns)
    assert any(said.startswith("决定日期 → 认定日期") for said in columns)
    assert "123" in regulator.text("[aria-labelledby=noted]")
    fits("preview")
    assert len(list_files(town_store)) == known, "nothing is taken before the second press"
    regulator.press("main form button")
    number = int(regulator.path.rsplit("/", 1)[1])
    assert re.search(r"新增\D+2\b", regulator.text("dl.facts"))
    fits("result")
    assert regulator.one("a[href$='mend.xlsx']").is_displayed()
    regulator.one("#reason").send_keys("报错了月份")
    regulator.press("[aria-labelledby=undo] button")
    assert "报错了月份" in regulator.text("dl.facts")
    fits("undone")
    regulator.open("/files")
    row_of = next(one.text for one in regulator.all("tbody tr") if one.text.startswith(f"{number} "))
    assert "已撤回" in row_of
    assert "regulator 甲" in row_of
    assert "SC-1" not in numbers(town_store)


def test_the_workbook_that_comes_back_is_mended_and_handed_in_again(clerk: FlaskClient, store: Store) -> None:
    taken = take(clerk, csv(row("SC-1"), row("SC-2", code="123")))
    assert "记录编号" not in clerk.get(f"{taken}/quarantine.csv").text.splitlines()[0]
    assert "123" in clerk.get(f"{taken}/quarantine.csv").text
    book = openpyxl.load_workbook(io.BytesIO(clerk.get(f"{taken}/mend.xlsx").data))
    sheet = book.worksheets[0]
    assert sheet.cell(2, 2).value == "123"
    sheet.cell(2, 2).value = CODES[4]
    mended = io.BytesIO()
    book.save(mended)
    take(clerk, mended.getvalue(), "一月.mend.xlsx")
    assert numbers(store) == ["SC-1", "SC-2"]


def test_what_came_back_is_had_whatever_the_file_taken_by_command_is_called(
    clerk: FlaskClient, store: Store, tmp_path: Path
) -> None:
    path = tmp_path / '一月\r\n"2026.csv'
    path.write_bytes(csv(row("A-1", amount="x")))
    report = taking.ingest_file(store, path, WORDS, taking.Reading(quarantine=tmp_path))
    answer = clerk.get(f"/files/{report.file_id}/quarantine.csv")
    assert (answer.status_code, ",x," in answer.text) == (200, True)


def test_an_office_takes_its_own_records_alone_and_sees_its_own_files_alone(
    site: Flask, clerk: FlaskClient, store: Store
) -> None:
    one, other = office(site, store, AUTHORITY), office(site, store, BODIES["BM1"])
    head = f"{HEAD},认定机关"
    mixed = csv(f"{row('A-1')},", f"{row('A-2')},{AUTHORITY}", f"{row('A-3')},{BODIES['BM1']}", head=head)
    place = hand_in(one, mixed)
    assert "不是本单位的记录" in one.get(place).text
    assert other.get(place).status_code == 404
    assert send(other, place).status_code == 404
    taken = send(one, place).location
    assert [(r.record_id, r.data["authority"]) for r in list_records(store, WORDS)] == [
        ("A-1", AUTHORITY),
        ("A-2", AUTHORITY),
    ]
    assert "A-2" in (take(other, csv(f"{row('A-2', amount='5')},", head=head)) and numbers(store))
    assert list_records(store, WORDS)[1].data["amount"] == 1000, "nobody's number is another's"
    for path in (taken, f"{taken}/quarantine.csv", f"{taken}/mend.xlsx"):
        assert [client.get(path).status_code for client in (one, clerk, other)] == [200, 200, 404], path
    assert send(other, f"{taken}/undo", reason="x").status_code == 404
    assert (taken in one.get("/files").text, taken in other.get("/files").text) == (True, False)
    assert "没有任何改动" in clerk.get(hand_in(clerk, mixed, table="subject")).text
    subjects = csv(f"{CODES[0]},某公司", head="统一社会信用代码,企业名称")
    assert "只报送记录" in one.get(hand_in(one, subjects)).text
    assert "新增" in clerk.get(hand_in(clerk, subjects)).text


def test_of_a_workbook_each_sheet_is_held_to_what_is_an_offices_own(
    site: Flask, clerk: FlaskClient, store: Store
) -> None:
    book = openpyxl.Workbook()
    for title, authority in (("一月", AUTHORITY), ("二月", BODIES["BM1"])):
        sheet = book.create_sheet(title)
        sheet.append([*HEAD.split(","), "认定机关"])
        sheet.append([*row(f"{title}-1").split(","), authority])
    content = io.BytesIO()
    book.save(content)
    one = office(site, store, AUTHORITY)
    taken = take(one, content.getvalue(), "报送.xlsx")
    assert numbers(store) == ["一月-1"]
    assert "二月!2" in one.get(taken).text
    assert send(clerk, f"{taken}/undo", reason="信用中心撤回").status_code == 303
    undone = list_files(store)[0]
    assert "信用中心撤回" in one.get(f"/files/{undone.id}").text, "whose file it was sees what became of it"
    assert f'"/files/{undone.id}"' in one.get("/files").text
    assert f'"/files/{undone.id}"' not in office(site, store, BODIES["BM1"]).get("/files").text


@pytest.mark.parametrize("at_once", [False, True], ids=["one after another", "at once"])
def test_a_second_press_takes_nothing_twice(clerk: FlaskClient, store: Store, at_once: bool) -> None:
    place, places = hand_in(clerk, csv(row("SC-1"))), []
    clerk.get(place)
    with clerk.session_transaction() as session:
        form = {"form_token": session["form_token"]}
    cookie = clerk.get_cookie("xinheng")
    assert cookie is not None

    def press() -> None:
        again = clerk.application.test_client()
        again.set_cookie("xinheng", cookie.value)
        places.append(again.post(place, data=form).location)

    presses = [threading.Thread(target=press) for _ in range(3)]
    for one in presses:
        one.start()
        if not at_once:
            one.join()
    for one in presses:
        one.join()
    assert len(set(places)) == 1
    assert len(list_files(store)) == 1
    assert clerk.get(place).location == places[0]


def test_a_file_that_was_taken_last_still_says_which_of_its_rows_were_set_aside(clerk: FlaskClient) -> None:
    content = csv(row("SC-1"), row("SC-2", code="1"))
    first = clerk.get(hand_in(clerk, content)).text
    take(clerk, content)
    (before, after) = (
        re.findall('<section aria-labelledby="noted">.*?</section>', shown, re.DOTALL)
        for shown in (first, clerk.get(hand_in(clerk, content)).text)
    )
    assert before == after != []


def test_what_became_known_between_looking_and_taking_is_told(clerk: FlaskClient, store: Store) -> None:
    content = csv(row("SC-1"), row("SC-2"))
    place = hand_in(clerk, content)
    seen = previewed(clerk, place)
    take(clerk, csv(row("SC-1", amount="7")), "先到.csv")
    answer = send(clerk, place, previewed=seen)
    shown = clerk.get(answer.location).text
    assert "与核对时不同" in shown
    assert "核对时：新增2、更正0、未变0、隔离0" in shown
    assert "与核对时不同" not in clerk.get(answer.location.split("?")[0]).text


def test_what_is_broken_off_leaves_nothing_half_and_the_file_still_waits(
    clerk: FlaskClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = hand_in(clerk, csv(row("SC-1")))

    def broken(*_: object) -> None:
        raise RuntimeError("the power went")

    with monkeypatch.context() as while_broken:
        while_broken.setattr(files, "append", broken)
        assert send(clerk, place).status_code == 500
    assert (numbers(store), list_files(store)) == ([], [])
    assert send(clerk, place).status_code == 303
    assert numbers(store) == ["SC-1"]


@pytest.mark.parametrize("what", ["write_quarantine", "write_bad_rows", "note"])
def test_a_full_disk_after_a_file_is_taken_does_not_say_that_it_is_not(
    clerk: FlaskClient, store: Store, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Else it would be taken again, over what others said meanwhile."""
    place = hand_in(clerk, csv(row("SC-1"), row("SC-2", code="1")))

    def full(*_: object, **more: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as while_full:
        if what == "note":
            while_full.setattr(Path, "write_text", full)
        else:
            while_full.setattr(taking, what, full)
        assert send(clerk, place).location == "/files/1"
    assert "隔离" in clerk.get("/files/1").text
    take(clerk, csv(row("SC-1", amount="7")), "更正.csv")
    again = send(clerk, place)
    assert (again.status_code, again.location) in ((303, "/files/1"), (404, None))
    assert [record.data["amount"] for record in list_records(store, WORDS)] == [7]


def test_who_presses_again_after_the_server_was_killed_takes_nothing_twice(
    clerk: FlaskClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed when the rows were in and nothing said so; else they would lie over what came since."""
    place = hand_in(clerk, csv(row("SC-1"), row("SC-2", code="1")))

    def killed(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as while_killed:
        while_killed.setattr(Upload, "end", killed)
        with pytest.raises(SystemExit):
            send(clerk, place)
    take(clerk, csv(row("SC-1", amount="7")), "更正.csv")
    assert clerk.get(place).location == "/files/1"
    for _ in range(2):
        assert send(clerk, place).location == "/files/1"
    assert [record.data["amount"] for record in list_records(store, WORDS)] == [7]
    again = hand_in(clerk, csv(row("SC-1"), row("SC-2", code="1")))
    assert send(clerk, again).location != "/files/1", "who hands it in once more means it"
    assert [record.data["amount"] for record in list_records(store, WORDS)] == [1000]


def test_a_full_disk_is_said_before_anything_is_kept(
    clerk: FlaskClient, waiting: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> None:
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as while_full:
        while_full.setattr(Path, "write_bytes", full)
        answer = send(clerk, "/files", file=(io.BytesIO(csv(row("SC-1"))), "一月.csv"))
    assert (answer.status_code, "稍后再试" in answer.text) == (503, True)
    assert [path for path in waiting.rglob("*") if path.is_file()] == []
    assert 'id="waiting"' not in clerk.get("/files").text


def test_an_office_sees_that_its_file_holds_again(site: Flask, clerk: FlaskClient, store: Store) -> None:
    """The credit centre takes it back, and takes that back."""
    one = office(site, store, AUTHORITY)
    taken = send(one, hand_in(one, csv(row("A-1")))).location
    undone = send(clerk, f"{taken}/undo", reason="误报").location
    again = send(clerk, f"{undone}/undo", reason="核实无误").location
    assert numbers(store) == ["A-1"]
    assert "核实无误" in one.get(again).text
    assert set(re.findall(r'href="(/files/[0-9]+)"', one.get("/files").text)) == {taken, undone, again}
    assert office(site, store, BODIES["BM1"]).get(again).status_code == 404


def test_nothing_of_a_natural_person_stays(clerk: FlaskClient, store: Store, waiting: Path) -> None:
    content = csv(row("SC-1"), row("SC-2", code=PERSON))
    place = hand_in(clerk, content, f"处罚{PERSON}.csv")
    assert PERSON not in clerk.get(place).text
    assert PERSON not in "".join(map(str, waiting.rglob("*")))
    taken = send(clerk, place).location
    assert PERSON.encode() not in everything_in(waiting)
    for page in ("/files", taken, f"{taken}/quarantine.csv"):
        assert PERSON not in clerk.get(page).text
    assert clerk.get(f"{taken}/mend.xlsx").status_code == 404
    assert PERSON not in list_files(store)[0].name


@pytest.mark.parametrize("how", ["a day later", "given up"])
def test_what_is_not_taken_goes(clerk: FlaskClient, store: Store, waiting: Path, how: str) -> None:
    place = hand_in(clerk, csv(row("SC-1")))
    assert b"SC-1" in everything_in(waiting)
    if how == "given up":
        assert send(clerk, f"{place}/end").location == "/files"
    else:
        for path in waiting.rglob("file"):
            os.utime(path, times=(time.time() - 25 * 3600,) * 2)
    gone = send(clerk, place)
    assert (gone.status_code, "请重新选择文件" in gone.text) == (404, True)
    assert b"SC-1" not in everything_in(waiting)
    assert numbers(store) == []


def test_a_file_that_takes_too_long_for_a_button_is_left_to_the_command(
    clerk: FlaskClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_ROWS", 2)
    place = hand_in(clerk, csv(row("SC-1"), row("SC-2", code="1"), row("SC-3")))
    for answer in (clerk.get(place), send(clerk, place)):
        assert "超过2行" in answer.text
        assert "命令行" in answer.text
    taken = take(clerk, csv(row("SC-1"), row("SC-2")))
    monkeypatch.setattr(files, "MOST_ROWS", 1)
    assert "命令行撤回" in clerk.get(taken).text
    assert send(clerk, f"{taken}/undo", reason="x").status_code == 409
    large = send(clerk, "/files", file=(io.BytesIO(b"x" * (17 << 20)), "大.csv"))
    assert (large.status_code, "命令行" in large.text) == (413, True)
    assert numbers(store) == ["SC-1", "SC-2"]
    undoing = undo_file(store, list_files(store)[0].id).file_id
    assert "命令行撤回" in clerk.get(f"/files/{undoing}").text, "it would all come back"
    assert send(clerk, f"/files/{undoing}/undo", reason="x").status_code == 409
    assert numbers(store) == []


def test_a_file_is_taken_back_with_a_reason_once(clerk: FlaskClient, store: Store) -> None:
    take(clerk, csv(row("SC-1")), "一.csv")
    taken = take(clerk, csv(row("SC-1", amount="7"), row("SC-2")), "二.csv")
    take(clerk, csv(row("SC-2", amount="9")), "三.csv")
    assert send(clerk, f"{taken}/undo").status_code == 422
    undone = send(clerk, f"{taken}/undo", reason="金额有误").location
    shown = clerk.get(undone).text
    assert "金额有误" in shown
    assert "SC-2" in shown, "what was changed later stays, and is named"
    assert [(r.record_id, r.data["amount"]) for r in list_records(store, WORDS)] == [
        ("SC-1", 1000),
        ("SC-2", 9),
    ]
    assert send(clerk, f"{taken}/undo", reason="x").location == taken
    assert len(list_files(store)) == 4
    assert "周某" in clerk.get(taken).text
    assert send(clerk, "/files/999/undo", reason="x").status_code == 404


def test_a_file_that_is_none_says_why_and_no_file_is_asked_for(clerk: FlaskClient, store: Store) -> None:
    assert send(clerk, "/files").status_code == 422
    place = hand_in(clerk, b"%PDF-1.4 x", "扫描件.pdf")
    shown = clerk.get(place).text
    assert "没有任何改动" in shown
    assert "入库</button>" not in shown
    assert send(clerk, place).status_code == 422
    assert list_files(store) == []
    assert clerk.get("/files/uploads/..%2f..").status_code == 404
    assert clerk.post(place, data={"form_token": "x"}).status_code == 400


@pytest.mark.parametrize(
    ("path", "buttons"),
    [
        ("/overview", {"/files", "/runs"}),
        ("/proposals", {"/runs"}),
        ("/feeds", {"/files"}),
        ("/home", {"/files"}),
    ],
)
def test_an_empty_page_offers_the_button_that_fills_it(
    clerk: FlaskClient, path: str, buttons: set[str]
) -> None:
    assert set(re.findall(r'<a class="button" href="(/[a-z]+)">', clerk.get(path).text)) == buttons


def test_who_says_what_a_file_holds_is_believed_when_it_is_taken(clerk: FlaskClient, store: Store) -> None:
    """Codes that two vocabularies read equally well."""
    doubtful = csv(f"R1,{CODES[5]},失信被执行人,有效,2026-01-01", head="编号,信用代码,类别,状态,日期")
    assert "which vocabulary the file speaks is not clear" in clerk.get(hand_in(clerk, doubtful)).text
    place = hand_in(clerk, doubtful, vocabulary="enterprise", table="record")
    shown = clerk.get(place).text
    said = dict(re.findall(r'name="(vocabulary|table)" value="([^"]+)"', shown))
    assert said == {"vocabulary": "enterprise", "table": "record"}
    assert send(clerk, place.split("?")[0], **said).status_code == 303
    assert numbers(store) == ["R1"]


def test_what_a_file_changes_is_seen_before_and_what_is_odd_about_it_afterwards(clerk: FlaskClient) -> None:
    take(clerk, csv(row("SC-1")))
    revoked = row("SC-1", amount="99999").replace("有效", "已撤销")
    shown = clerk.get(hand_in(clerk, csv(revoked), "更正.csv")).text
    changes = shown.partition('id="changes"')[2].partition("</section>")[0]
    assert re.sub("<[^>]*>", "", changes).count("更正1行") == 2, changes
    assert "涉及金额" in changes
    grave = row("SC-2").replace("罚款", "吊销许可证件").replace("一般", "")
    page = clerk.get(take(clerk, csv(grave), "四月.csv")).text
    odd = page.partition('id="odd"')[2]
    assert "SC-2" in odd or "严重" in odd, page
    assert 'href="/record-proposals"' in odd


def test_the_codes_that_no_enterprise_has_are_shown_before_a_file_is_taken(clerk: FlaskClient) -> None:
    shown = clerk.get(hand_in(clerk, csv(row("SC-1"), row("SC-2"), row("SC-3", code=CODES[4])))).text
    assert "3条记录的2个代码查无此企业" in shown
    assert all(code in shown for code in CODES[3:5])
    register = csv(f"{CODES[3]},某公司", f"{CODES[4]},某公司", head="统一社会信用代码,企业名称")
    take(clerk, register, "名册.csv")
    assert "查无此企业" not in clerk.get(hand_in(clerk, csv(row("SC-1")))).text


def test_an_office_is_told_that_the_credit_centre_takes_records_that_name_no_office(
    site: Flask, store: Store
) -> None:
    one = office(site, store, AUTHORITY)
    head, line = "记录编号,单位编码,记录类别,日期,状态,事项编码", "D1,BM1,许可办件,2026-03-05,有效,SX1"
    shown = one.get(hand_in(one, csv(line, head=head), vocabulary="department")).text
    assert "公共部门的记录不注明机关" in shown
    assert "请交信用中心导入" in shown


def test_templates_are_offered_of_what_a_clerk_may_send_and_come_back_as_they_are(
    site: Flask, clerk: FlaskClient, store: Store
) -> None:
    def offered(client: FlaskClient) -> list[str]:
        return re.findall(r'href="(/files/templates/[^"]+)"', client.get("/files").text)

    own = offered(office(site, store, AUTHORITY))
    assert "/files/templates/enterprise/penalty.xlsx" in own
    assert "/files/templates/enterprise/subject.xlsx" in offered(clerk)
    assert not [path for path in own if path.endswith("/subject.xlsx") or "/department/" in path]
    for path in offered(clerk):
        book = clerk.get(path)
        assert (book.status_code, len(openpyxl.load_workbook(io.BytesIO(book.data)).worksheets)) == (200, 2)
    assert office(site, store, AUTHORITY).get("/files/templates/enterprise/subject.xlsx").status_code == 404
    assert clerk.get("/files/templates/enterprise/nothing.xlsx").status_code == 404
    empty = clerk.get(own[own.index("/files/templates/enterprise/penalty.xlsx")]).data
    shown = clerk.get(hand_in(clerk, empty, "模板.xlsx")).text
    assert all(said in shown for said in ("双公示行政处罚", "没有新的内容"))


def test_a_file_that_waits_is_found_again_until_it_is_taken_or_given_up(
    clerk: FlaskClient, site: Flask, store: Store
) -> None:
    first, second = (hand_in(clerk, csv(row(f"SC-{name}")), f"{name}.csv") for name in ("一", "二"))
    listed = clerk.get("/files").text.partition('id="waiting"')[2].partition("</section>")[0]
    assert set(re.findall(r'href="([^"]*)"', listed)) == {first, second}
    assert 'id="waiting"' not in office(site, store, AUTHORITY).get("/files").text
    assert send(clerk, first, previewed=previewed(clerk, first)).status_code == 303
    assert send(clerk, f"{second}/end").status_code == 303
    assert 'id="waiting"' not in clerk.get("/files").text


def test_a_clerk_is_told_whose_records_would_be_anothers(clerk: FlaskClient) -> None:
    head, of = f"{HEAD},认定机关", "乙局<b>"
    take(clerk, csv(f"{row('RM-1')},甲局", f"{row('RM-2')},甲局", head=head))
    place = hand_in(clerk, csv(f"{row('RM-1')},{of}", f"{row('RM-2')},甲 局", head=head), "二月.csv")
    seen = clerk.get(place).text
    assert "甲局的1条记录将改属乙局&lt;b&gt;" in seen
    assert "记录原属甲局,改属乙局&lt;b&gt;" in seen
