"""A pack's identity: what it means and is called, not how it is written down."""

from __future__ import annotations

import pytest
import yaml

from rules.identity import canonical, identity
from rules.library.loader import load_text

SAME = {
    "a comment": ("version:", "# a remark\nversion:"),
    "an empty line": ("rules:\n", "\nrules:\n"),
    "quotes": ("title: Fault\n", 'title: "Fault"\n'),
    "the spacing of a condition": ("kind = 'fault' and fine >= 1000", "(kind='fault')  AND fine>=1000"),
    "the order of two keys": ("{months: 12, decay: linear}", "{decay: linear, months: 12}"),
    "a default that is written out": (
        "{months: 12, decay: linear}",
        "{from: found_on, months: 12, decay: linear}",
    ),
    "a number's zeros": ("points: -4", "points: -4.00"),
    "an example": (
        "    basis: law §1\n",
        "    basis: law §1\n    examples: [{given: {kind: award}, as_of: 2026-03-01, hit: false}]\n",
    ),
}

RECORDS = "    key: record_id\n    subject: shop_id\n"
SAME |= {
    f"which rows may be sent: {name}": (RECORDS, f"{RECORDS}    {said}\n")
    for name, said in {
        "the columns that they need": "needs: [kind]",
        "the column that tells kinds apart": "kind: kind",
        "what each kind needs": "kind: kind\n    kinds: {fault: {needs: [fine]}}",
        "how their subject is found": "find_by: [size]",
        "how long the law lets them count": "limits: [{when: kind = 'fault', months: 12, because: 第七条}]",
        "what is proposed for them": "proposals: [{when: settled, column: kind, code: fault, because: 八}]",
        "which are favourable": "favourable: kind = 'award'",
    }.items()
}

ANOTHER = {
    "its authority": ("in_force:", "authority: district\nin_force:"),
    "the end of a document": ("{id: law,", "{id: law, repealed_on: 2027-01-01,"),
    "why rules stand together": ("rules:\n", "together: [{rules: [size], why: Both}]\nrules:\n"),
    "a point": ("points: -4", "points: -5"),
    "a date": ("points: -4", "points: {2026-01-01: -4}"),
    "a title": ("title: Fault\n", "title: Faults\n"),
    "a condition": ("fine >= 1000", "fine > 1000"),
    "a window": ("months: 12, decay", "months: 13, decay"),
    "a cap": ("points: -4", "points: -4\n    cap: -8"),
    "a basis": ("law §1", "law §2"),
    "a tier": ("tier: B, basis", "tier: A, basis"),
    "the date in force": ("from: 2026-01-01", "from: 2026-01-02"),
    "the version": ('version: "1"', 'version: "2"'),
    "a measure": ("within: {months: 12}", "within: {months: 6}"),
    "a row": ("[small, 2]", "[small, 3]"),
    "a code of the vocabulary": ("award: 奖励", "award: 奖"),
}


def changed(text: str, change: tuple[str, str]) -> str:
    assert change[0] in text
    return text.replace(*change)


@pytest.mark.parametrize("change", SAME.values(), ids=list(SAME))
def test_writing_it_otherwise_makes_no_other_pack(sound: str, change: tuple[str, str]) -> None:
    assert identity(load_text(changed(sound, change), "b")) == identity(load_text(sound, "a"))


@pytest.mark.parametrize("change", ANOTHER.values(), ids=list(ANOTHER))
def test_meaning_something_else_makes_another_pack(sound: str, change: tuple[str, str]) -> None:
    assert identity(load_text(changed(sound, change), "b")) != identity(load_text(sound, "a"))


def test_the_order_of_keys_and_of_rules_does_not_matter(sound: str) -> None:
    second = sound.replace(
        "rules:\n",
        "rules:\n  - {id: z, title: Z, dimension: conduct, when: staff > 3, points: 1, basis: law}\n",
    )
    data = yaml.safe_load(second)
    data["rules"].reverse()
    shuffled = yaml.safe_dump(data, allow_unicode=True, sort_keys=True)
    assert identity(load_text(shuffled, "b")) == identity(load_text(second, "a"))


def test_packs_without_the_later_parts_are_what_they_were(sound: str) -> None:
    form = canonical(load_text(sound, "a"))
    assert not {"authority", "together", "remedies"} & set(form)
    assert {key for basis in form["bases"] for key in basis} == {"id", "title", "short"}
