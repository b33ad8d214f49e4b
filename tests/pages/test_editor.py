"""A version is written on the pages: a rule as a form, checked as one types, then proposed."""

from __future__ import annotations

import datetime as dt
import io
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from selenium.webdriver.common.keys import Keys
from test_draft_pages import come_in
from test_everybody import focused
from test_keyboard import go
from test_sign_in import signed_in
from visitor import DESK, PHONE, Visitor
from walker import read

from api.pages.editor_tables import cells_at
from rules.calendar import add_days, today
from rules.library.loader import PACKS
from rules.text.source import read as read_yaml
from scoring.access.keys import Role, create_key
from scoring.rulemaking.desk import By, last_proposed, list_proposed, propose_pack
from scoring.rulemaking.draft import examine
from scoring.store import Store

PACK = "tourism-credit"
EDIT = f"/rules/{PACK}/edit"
DAY = add_days(today(), 45)
RULE = next(
    n
    for n, rule in enumerate(
        read_yaml((PACKS / f"{PACK}.yaml").read_text(encoding="utf-8"), "x").data["rules"]
    )
    if rule["id"] == "commitment.broken"
)
PART = f"rules.{RULE}"


def written(version: str) -> str:
    text = (PACKS / f"{PACK}.yaml").read_text(encoding="utf-8")
    text = re.sub(r"(?m)^version: .*$", f'version: "{version}"', text)
    text = re.sub(r"(?m)^in_force: .*$", f"in_force: {{from: {DAY}}}", text)
    return (
        re.sub(r"(?m)(, |^ {8})tier: [A-D](\}|$)", r"\1hit: true\2", text).partition("\nexamples:\n")[0]
        + "\n"
    )


def officer(pages: Flask, store: Store, owner: str) -> FlaskClient:
    return signed_in(pages, create_key(store, Role.REGULATOR, owner).token)


def fill(client: FlaskClient, path: str = EDIT, status: int = 200, **form: str) -> str:
    client.get(EDIT)
    with client.session_transaction() as session:
        given = {"form_token": session["form_token"], "known": "0", **form}
    answer = client.post(path, data=given)
    assert answer.status_code == status, answer.text
    return answer.text


def text_in(page: str) -> str:
    """The draft that a page carries."""
    import html

    found = re.search(r'<textarea (?:id="text" )?name="text"[^>]*>\n(.*?)</textarea>', page, re.S)
    assert found is not None
    return html.unescape(found[1])


def test_a_field_changes_its_line_and_no_other(pages: Flask, town_store: Store) -> None:
    client = officer(pages, town_store, "编辑甲")
    text = written("2099.1")
    page = fill(client, text=text, part=PART, **{f"{PART}.points": "-6"})
    before, after = text.split("\n"), text_in(page).split("\n")
    changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert changed == [("    points: -5", "    points: -6")]
    assert "应为" in page
    assert "适用,分值 -6" in page
    same = fill(client, text=text, part=PART, **{f"{PART}.points": "-5"})
    assert text_in(same) == text
    assert "全部通过" in same


def test_a_draft_begins_from_the_version_that_begins_last(
    pages: Flask, town_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.pages.editor.today", lambda: dt.date(2026, 9, 1))  # when another is in force
    client = officer(pages, town_store, "编辑壬")
    assert 'version: "2026.2"' in text_in(client.get("/rules/enterprise-credit/edit").text)


def test_a_fault_stands_at_its_field_and_nothing_is_lost(pages: Flask, town_store: Store) -> None:
    client = officer(pages, town_store, "编辑甲")
    page = fill(
        client, text=written("2099.1"), part=PART, **{f"{PART}.points": "很多", f"{PART}.when": "kind = "}
    )
    said = page.partition(f'id="said-{PART.replace(".", "-")}-points"')[2].partition("</div>")[0]
    assert "应为" in said
    assert 'value="很多"' in page
    broken = fill(client, text="pack: [", part=PART)
    assert text_in(broken).startswith("pack: [")


def test_examples_come_and_go_and_a_rule_is_copied(pages: Flask, town_store: Store) -> None:
    client = officer(pages, town_store, "编辑甲")
    text = written("2099.1")
    rules = read_yaml(text, "x").data["rules"]
    more = text_in(fill(client, text=text, part=PART, do=f"add:{PART}.examples"))
    assert len(read_yaml(more, "x").data["rules"][RULE]["examples"]) == len(rules[RULE]["examples"]) + 1
    less = text_in(fill(client, text=more, part=PART, do=f"drop:{PART}.examples.0"))
    assert read_yaml(less, "x").data["rules"][RULE]["examples"][0] == rules[RULE]["examples"][1]
    copied = read_yaml(text_in(fill(client, text=text, part=PART, do=f"copy:{PART}")), "x").data["rules"]
    assert [rule["id"] for rule in copied[RULE : RULE + 2]] == ["commitment.broken", "commitment.broken.new"]
    gone = read_yaml(text_in(fill(client, text=text, part=PART, do=f"drop:{PART}")), "x").data["rules"]
    assert [rule["id"] for rule in gone] == [
        rule["id"] for rule in rules if rule["id"] != "commitment.broken"
    ]


TABLE = "tables.0"


def table_in(page: str) -> Any:
    return read_yaml(text_in(page), "x").data["tables"][0]


def test_rows_of_a_table_come_go_and_move_and_say_where_one_is(pages: Flask, town_store: Store) -> None:
    client = officer(pages, town_store, "编辑甲")
    text = written("2099.1")
    rows = read_yaml(text, "x").data["tables"][0]["rows"]
    page = fill(client, text=text, part=TABLE, **{f"{TABLE}.rows.1.0": "[0.5..0.8)"})
    assert table_in(page)["rows"][1][0] == "[0.5..0.8)"
    assert table_in(fill(client, text=text, part=TABLE, **{f"{TABLE}.rows.1.0": ""}))["rows"][1][0] == "-"
    more = fill(client, text=text, part=TABLE, do=f"add:{TABLE}.rows")
    assert table_in(more)["rows"] == [*rows, rows[-1]]
    assert re.search(rf'name="{TABLE}.rows.{len(rows)}.0"[^>]* autofocus', more)
    moved = fill(client, text=text, part=TABLE, do=f"down:{TABLE}.rows.0")
    assert table_in(moved)["rows"] == [rows[1], rows[0], *rows[2:]]
    assert re.search(rf'value="down:{TABLE}.rows.1" autofocus', moved)
    assert table_in(fill(client, text=text, part=TABLE, do=f"up:{TABLE}.rows.0"))["rows"] == rows
    assert table_in(fill(client, text=text, part=TABLE, do=f"drop:{TABLE}.rows.1"))["rows"] == [
        rows[0],
        *rows[2:],
    ]


def test_columns_of_a_table_come_and_go_with_the_cells_of_each_row(pages: Flask, town_store: Store) -> None:
    client = officer(pages, town_store, "编辑甲")
    text = written("2099.1")
    tables = read_yaml(text, "x").data["tables"]
    for place, table in enumerate(tables):
        part, inputs = f"tables.{place}", table.get("inputs") or [table["input"]]
        wider = fill(client, text=text, part=part, do=f"add:{part}.inputs")
        found = read_yaml(text_in(wider), "x").data["tables"][place]
        assert found["inputs"] == [*inputs, ""]
        assert [cells_at(row)[1] for row in found["rows"]] == [[*cells_at(r)[1], "-"] for r in table["rows"]]
        back = fill(client, text=text_in(wider), part=part, do=f"drop:{part}.inputs.{len(inputs)}")
        again = read_yaml(text_in(back), "x").data["tables"][place]
        assert again["inputs"] == inputs
        assert [cells_at(row) for row in again["rows"]] == [cells_at(row) for row in table["rows"]]
    assert {"input", "inputs"} <= {key for table in tables for key in table}


def test_a_part_that_there_was_none_of_is_made_and_filled_in(pages: Flask, town_store: Store) -> None:
    client = officer(pages, town_store, "编辑甲")
    data = read_yaml(written("2099.1"), "x").data
    page = fill(client, text=written("2099.1"), part="head", do="new:measures")
    assert 'name="measures.measure.count"' in page
    given = {"measures.measure.title.zh": "投诉次数", "measures.measure.where": "kind = 'complaint'"}
    page = fill(client, text=text_in(page), part="measures.measure", **given)
    made = read_yaml(text_in(page), "x").data["measures"]["measure"]
    assert (made["title"]["zh"], made["where"]) == ("投诉次数", "kind = 'complaint'")
    alert = f"alerts.{len(data.get('alerts') or ())}"
    page = fill(client, text=written("2099.1"), part="head", do="new:alerts")
    page = fill(client, text=text_in(page), part=alert, **{f"{alert}.events.0.when": "kind = 'complaint'"})
    assert "处错误" not in page.partition('id="status"')[2].partition("</p>")[0]
    page = fill(client, text=written("2099.1"), part="dimensions", do="add:dimensions")
    assert len(read_yaml(text_in(page), "x").data["dimensions"]) == len(data["dimensions"]) + 1


def test_a_rule_is_made_from_nothing_in_its_dimension(pages: Flask, town_store: Store) -> None:
    client = officer(pages, town_store, "编辑甲")
    data = read_yaml(written("2099.1"), "x").data
    place = len(data["rules"])
    for dimension in data["dimensions"]:
        page = fill(client, text=written("2099.1"), part="head", do=f"new:rules.{dimension['id']}")
        assert f'value="new:rules.{dimension["id"]}"' in page
        assert read_yaml(text_in(page), "x").data["rules"][place]["dimension"] == dimension["id"]
    part = f"rules.{place}"
    assert f'name="{part}.when"' in page
    given = {f"{part}.title.zh": "新规则", f"{part}.when": "kind = 'complaint'", f"{part}.points": "-2"}
    page = fill(client, text=text_in(page), part=part, **given)
    assert no_errors(page)
    for section, given in (
        ("vetoes", {"when": "kind = 'complaint'"}),
        ("consequences", {"when": "kind = 'complaint'"}),
    ):
        page = fill(client, text=written("2099.1"), part="head", do=f"new:{section}")
        part = f"{section}.{len(data.get(section) or ())}"
        page = fill(client, text=text_in(page), part=part, **{f"{part}.{k}": v for k, v in given.items()})
        assert no_errors(page), section


def no_errors(page: str) -> bool:
    return "处错误" not in page.partition('id="status"')[2].partition("</p>")[0]


def test_the_kind_of_a_measure_is_changed_and_what_both_kinds_have_stays(
    pages: Flask, town_store: Store
) -> None:
    client = officer(pages, town_store, "编辑甲")
    page = fill(client, text=written("2099.1"), part="head", do="new:measures")
    part = "measures.measure"
    page = fill(client, text=text_in(page), part=part, **{f"{part}.where": "kind = 'complaint'"})

    def change(page: str, kind: str, **given: str) -> tuple[str, Any]:
        filled = {f"{part}.{name}": text for name, text in given.items()}
        page = fill(client, text=text_in(page), part=part, **{f"{part}.kind": kind, **filled})
        return page, read_yaml(text_in(page), "x").data["measures"]["measure"]

    page, made = change(page, "sum", where="kind = 'penalty'")
    assert (made["sum"], made["where"], made["within"]) == ("", "kind = 'penalty'", {"months": 12})
    assert "count" not in made
    assert f'name="{part}.sum"' in page
    page, _ = change(page, "sum", sum="amount")
    page, made = change(page, "max")
    assert (made["max"], list(made)[:2]) == ("amount", ["title", "max"])
    page, made = change(page, "ratio")
    assert (made["ratio"], set(made)) == (["", ""], {"title", "ratio", "where"})
    before = text_in(page)
    assert text_in(fill(client, text=before, part=part, **{f"{part}.kind": "nothing"})) == before


def test_a_version_number_that_is_taken_is_told_at_its_own_field(pages: Flask, town_store: Store) -> None:
    client = officer(pages, town_store, "编辑甲")
    page = fill(client, text=written("2026.1"), part="head")
    for name, is_there in (("version", True), ("in_force-from", False)):
        said = page.partition(f'id="said-{name}"')[2].partition("</div>")[0]
        assert ("已有过版本2026.1" in said) == is_there


def test_what_is_noted_stands_with_the_part_that_it_is_about(pages: Flask, town_store: Store) -> None:
    client = officer(pages, town_store, "编辑甲")
    page = fill(client, text=written("2099.1"), part="head")
    noted = page.partition('id="noted"')[2].partition("</details>")[0]
    assert "提示:" in noted
    assert not re.search(r"draft\.yaml|\(整个文件\)|\(file\)|\[[a-z-]+\]|<code>", noted)
    table = read_yaml(written("2099.1"), "x").data["tables"][1]["title"]["zh"]
    assert f"<strong>{table}" in noted
    assert 'name="open" value="tables.1"' in noted
    assert re.search(r"第\d+行:提示:", noted), "what the text alone shows is found by its line"


def bring(client: FlaskClient, name: str, content: bytes) -> str:
    client.get(EDIT)
    with client.session_transaction() as session:
        token = session["form_token"]
    form = {"form_token": token, "known": "0", "text": written("2099.1"), "part": "head"}
    answer = client.post(f"{EDIT}/file", data={**form, "file": (io.BytesIO(content), name)})
    assert answer.status_code == 200, answer.text
    return answer.text


def test_a_draft_begins_from_a_file(pages: Flask, town_store: Store) -> None:
    client = officer(pages, town_store, "编辑甲")
    text = written("2099.7")
    assert text_in(bring(client, "草案.yaml", text.replace("\n", "\r\n").encode("utf-8-sig"))) == text
    other = bring(client, "x.yml", text.replace(f"pack: {PACK}", "pack: rural-credit").encode())
    assert "另一评价规则的草案" in other
    assert text_in(other) == written("2099.1")
    card = "变量,分箱,分值\n床位数,<20,1\n床位数,>=20,2\n".encode()
    page = bring(client, "评分卡.csv", card)
    before, after = (read_yaml(t, "x").data for t in (written("2099.1"), text_in(page)))
    assert after["tables"][:-1] == before["tables"]
    brought = after["tables"][-1]
    assert (brought["inputs"], brought["rows"]) == (["beds"], [["< 20", 1], [">= 20", 2]])
    assert "无错误" in page
    refused = bring(client, "评分卡.csv", card.replace("床位数".encode(), "房间数".encode()))
    assert "评分卡.csv:2:2" in refused
    assert text_in(refused) == written("2099.1")
    assert "没有选择文件" in bring(client, "", b"")


def test_every_part_of_every_pack_is_shown_and_left_as_it_is(pages: Flask, town_store: Store) -> None:
    from api.pages.editor_fields import applied
    from api.pages.editor_parts import form_of, parts_of

    for path in sorted(PACKS.glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        data = read_yaml(text, "x").data
        for group in parts_of(data):
            for name, _ in group.parts:
                form = form_of(data, name)
                names = [field.name for field in form.all_fields()]
                assert len(names) == len(set(names))
                assert (
                    applied(text, "x", form, {field.name: field.value for field in form.all_fields()}) == text
                )
                for field in form.all_fields():
                    if field.value and field.kind not in ("yaml", "key"):
                        given = field.read(field.value)
                        stands = data
                        for step in field.path:
                            stands = stands[step]
                        assert given == stands, field.name


def test_what_was_proposed_meanwhile_is_told_before_a_draft_is(pages: Flask, town_store: Store) -> None:
    client = officer(pages, town_store, "编辑乙")
    known = str(last_proposed(town_store, PACK))
    other = examine(town_store, written("2099.2").replace("start: 75", "start: 74"), "x.yaml", DAY, today())
    propose_pack(town_store, other, "他人", By("cli:other", "operator"), today())
    text = written("2099.3")
    form = {"text": text, "begins": str(DAY), "reason": "专题会议", "known": known}
    told = fill(client, "/rules/drafts/proposal", 409, **form)
    assert "2099.2" in told
    assert "以其为基础起草" in told
    assert "2099.3" not in {one.version for one in list_proposed(town_store)}
    form["known"] = str(last_proposed(town_store, PACK))
    assert f'name="known" value="{form["known"]}"' in told
    fill(client, "/rules/drafts/proposal", 303, **form)
    assert "2099.3" in {one.version for one in list_proposed(town_store)}


def enter(visitor: Visitor, selector: str) -> None:
    """Press a button by keyboard, and wait for the page that follows."""
    page = visitor.one("html")
    go(visitor, selector, Keys.ENTER)
    visitor.wait_until(lambda: visitor._is_gone(page))


def show_parts(visitor: Visitor) -> None:
    visitor.browser.execute_script("document.querySelectorAll('nav details').forEach(d => { d.open = true })")


def begin(visitor: Visitor, pages: Flask, store: Store, owner: str) -> None:
    """Come to the editor as a person, with the lists of the parts open."""
    come_in(visitor, pages, store, owner)
    visitor.open(EDIT)
    show_parts(visitor)


def test_points_are_changed_by_keyboard_the_example_mended_and_the_draft_proposed(
    visitor: Visitor, pages: Flask, town_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.pages.editor.today", lambda: dt.date(2026, 9, 1))
    come_in(visitor, pages, town_store, "编辑丙")
    visitor.open(EDIT)
    assert (visitor.faults(), visitor.overflow()) == ([], 0)
    go(visitor, '[name="version"]', "2099.4")
    go(visitor, '[name="in_force.from"]', "2026-10-01")
    go(visitor, '[name="in_force.until"]', Keys.BACKSPACE)
    visitor.wait_until(lambda: "2099.4" in visitor.text("#source"))
    show_parts(visitor)
    enter(visitor, f'button[value="{PART}"]')
    assert "未履行诚信经营承诺" in visitor.text("#part")
    go(visitor, f'[name="{PART}.points"]', "-6")
    visitor.wait_until(lambda: "未通过" in visitor.text("#status"))
    assert focused(visitor).get_attribute("name") == f"{PART}.points", "typing is not disturbed"
    assert "points: -6" in visitor.text("#source")
    assert "−6" in visitor.text("#read")
    for size, dark in ((DESK, False), (PHONE, True)):
        visitor.look(size, dark)
        assert visitor.faults() == []
        assert visitor.overflow() == 0
        visitor.browser.save_screenshot(str(tmp_path / f"editor-{size[0]}.png"))
    visitor.look(DESK)
    for place, points in ((0, "-6"), (1, "-3")):
        go(visitor, f'[name="{PART}.examples.{place}.points"]', points)
    visitor.wait_until(lambda: "无错误" in visitor.text("#status"))
    enter(visitor, "button[formaction]")
    assert "-6" in visitor.text("[aria-labelledby=differences]").replace("−", "-")
    assert visitor.complaints() == []


def test_a_rule_is_made_a_measure_turned_and_the_draft_put_on_trial_by_keyboard(
    visitor: Visitor, pages: Flask, town_store: Store, tmp_path: Path
) -> None:
    begin(visitor, pages, town_store, "编辑戊")
    go(visitor, '[name="version"]', "2099.8")
    enter(visitor, 'button[value^="new:rules."]')
    part = visitor.one('[name="part"]').get_attribute("value")
    go(visitor, f'[name="{part}.title.zh"]', "新设规则")
    go(visitor, f'[name="{part}.when"]', "kind = 'complaint'")
    visitor.wait_until(lambda: "新设规则" in visitor.text("#source"))
    show_parts(visitor)
    enter(visitor, 'button[value="new:measures"]')
    kind = "#measures-measure-kind"
    go(visitor, kind, Keys.ARROW_DOWN)
    enter(visitor, f"{kind} ~ button")
    assert visitor.all('[name="measures.measure.sum"]')
    go(visitor, '[name="measures.measure.sum"]', "amount")
    go(visitor, '[name="measures.measure.where"]', "kind = 'complaint'")
    visitor.wait_until(lambda: "complaint" in visitor.text("#source"))
    visitor.wait_until(lambda: not visitor.all(".htmx-request"))
    for size, dark in ((DESK, False), (PHONE, True)):
        visitor.look(size, dark)
        assert (visitor.faults(), visitor.overflow()) == ([], 0)
        visitor.browser.save_screenshot(str(tmp_path / f"made-{size[0]}.png"))
    visitor.look(DESK)
    enter(visitor, 'button[formaction$="/edit/trial"]')
    assert "新设规则" in visitor.one("#text").get_attribute("value")
    assert visitor.one("#reason").is_enabled()
    assert visitor.complaints() == []


def test_a_draft_that_was_changed_is_left_knowingly(
    visitor: Visitor, pages: Flask, town_store: Store
) -> None:
    def asks() -> bool:
        """Whether the browser would ask before the page is left."""
        script = "return !window.dispatchEvent(new Event('beforeunload', {cancelable: true}))"
        return bool(visitor.browser.execute_script(script))

    visitor.come_in(pages, create_key(town_store, Role.REGULATOR, "编辑癸").token)
    visitor.open(EDIT)
    assert not asks()
    show_parts(visitor)
    visitor.press(f"button[value='{PART}']")
    assert not asks()  # another part is open, and nothing is changed
    visitor.one(f"#{PART.replace('.', '-')}-points").send_keys("1")
    assert asks()
    visitor.press("button[value='check']")
    assert asks()  # what was changed is in this page alone
    visitor.browser.execute_script(
        "document.addEventListener('submit', (event) => event.preventDefault(), {once: true})"
    )
    visitor.one("button[value='check']").click()
    assert not asks()  # its own buttons take it along


def test_rows_of_a_table_are_moved_and_added_by_keyboard(
    visitor: Visitor, pages: Flask, town_store: Store, tmp_path: Path
) -> None:
    begin(visitor, pages, town_store, "编辑丁")
    enter(visitor, f'button[value="{TABLE}"]')
    first, second = (visitor.one(f'[name="{TABLE}.rows.{n}.2"]').get_attribute("value") for n in (0, 1))
    enter(visitor, f'button[value="down:{TABLE}.rows.0"]')
    assert focused(visitor).get_attribute("value") == f"down:{TABLE}.rows.1", "where the row went"
    cells = (visitor.one(f'[name="{TABLE}.rows.{n}.2"]').get_attribute("value") for n in (0, 1))
    assert [*cells] == [second, first]
    enter(visitor, f'button[value="add:{TABLE}.rows"]')
    assert (focused(visitor).get_attribute("name") or "").startswith(f"{TABLE}.rows.")
    for language in ("zh", "en", "both"):
        visitor.browser.add_cookie({"name": "language", "value": language})
        visitor.press("button[value=check]")
        for size, dark in ((DESK, False), ((1000, 800), False), ((320, 800), True)):
            visitor.look(size, dark)
            assert (visitor.faults(), visitor.overflow()) == ([], 0), (size, language)
            visitor.browser.save_screenshot(str(tmp_path / f"table-{language}-{size[0]}.png"))
        visitor.look(DESK)
    assert visitor.complaints() == []


def test_the_editor_is_read_in_one_language(pages: Flask, town_store: Store) -> None:
    client = officer(pages, town_store, "编辑甲")
    client.set_cookie("language", "en")
    words = [
        w.text
        for w in read(fill(client, text=written("2099.1"), part=PART)).words
        if not w.within.endswith("!")
    ]
    assert not [w for w in words if re.search("错误|示例|条件|分值", w)]


@pytest.mark.parametrize("name", ["rules.²", "rules.9999", "", "x", f"rules.{'9' * 5000}", "rules.0.when.0"])
def test_what_there_is_not_is_neither_opened_nor_removed(pages: Flask, town_store: Store, name: str) -> None:
    client = officer(pages, town_store, "编辑甲")
    text = written("2099.1")
    for form in ({"part": name}, {"part": "head", "open": name}, {"part": PART, "do": f"drop:{name}"}):
        assert text_in(fill(client, text=text, **form)).count("\n") == text.count("\n")
