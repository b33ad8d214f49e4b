"""A version is written on the pages: a rule as a form, checked as one types, then proposed."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

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


def test_every_part_of_every_pack_is_shown_and_left_as_it_is(pages: Flask, town_store: Store) -> None:
    from api.pages.editor_form import applied, form_of, parts_of

    for path in sorted(PACKS.glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        data = read_yaml(text, "x").data
        for _, parts in parts_of(data):
            for name, _ in parts:
                form = form_of(data, name)
                names = [field.name for field in form.all_fields()]
                assert len(names) == len(set(names))
                assert (
                    applied(text, "x", form, {field.name: field.value for field in form.all_fields()}) == text
                )
                for field in form.all_fields():
                    if field.value and field.kind != "yaml":
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
    visitor.browser.execute_script("document.querySelectorAll('nav details').forEach(d => { d.open = true })")
    page = visitor.one("html")
    go(visitor, f'button[value="{PART}"]', Keys.ENTER)
    visitor.wait_until(lambda: visitor._is_gone(page))
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
    page = visitor.one("html")
    go(visitor, "button[formaction]", Keys.ENTER)
    visitor.wait_until(lambda: visitor._is_gone(page))
    assert "-6" in visitor.text("[aria-labelledby=differences]").replace("−", "-")
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
    visitor.browser.execute_script("document.querySelectorAll('nav details').forEach(d => { d.open = true })")
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
