"""Packs that mean harm: refused, or harmless."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import pytest
from strategies import to_yaml

from rules.fault import Fault, PackError
from rules.library.loader import load_text
from rules.text.source import read
from scoring.judging.engine import grade

Faults = Callable[[str], list[Fault]]

BOMB = "a: &a [x]\n" + "\n".join(
    f"{b}: &{b} [*{a}, *{a}, *{a}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
HOSTILE = {
    "larger than 8 MiB": "a: " + "x" * (8 * 1024 * 1024),
    "nested deeper than 24 levels": "a: " + "[" * 100_000 + "]" * 100_000,
    "anchors are not allowed": BOMB,
    "aliases are not allowed": "a: *b",
    "tags are not allowed": "a: !!python/object/apply:os.system ['true']",
    "more than one document": "a: 1\n---\nb: 2",
    "a key that is a list or a mapping": "? [a, b]\n: 1",
    "more than 250,000 values": "a: [" + "1," * 250_001 + "]",
    "not YAML": "a: [1, 2",
    "the key stands here twice": "a: 1\n'a': 2",
    "not a mapping": "- 1",
    "a control character": 'a: "x\\u0000y"',
}


@pytest.mark.parametrize(("message", "text"), HOSTILE.items(), ids=list(HOSTILE))
def test_a_hostile_file_is_refused(faults: Faults, message: str, text: str) -> None:
    assert any(message in fault.message for fault in faults(text))


def test_no_file_at_all_is_a_mapping_that_is_missing(faults: Faults) -> None:
    assert "not a mapping" in faults("")[0].message


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("kind = 'fault' or " * 600 + "settled", "longer than 2000 characters"),
        ("(" * 500 + "settled" + ")" * 500, "nested too deeply"),
        ("not " * 400 + "settled", "nested too deeply"),
        ("settled; drop table scores", "this can't be read as a condition"),
        ("settled union select 1", "this can't be read as a condition"),
        ("read_csv('/etc/passwd') = 1", "'read_csv' is not in the language"),
        ("pg_sleep(1000) = 1", "'pg_sleep' is not in the language"),
        ("settled = (select true)", "'subquery' is not in the language"),
        ("copy = 1", "nothing declares the name copy"),
    ],
)
def test_a_hostile_condition_is_refused(sound: str, faults: Faults, when: str, message: str) -> None:
    text = sound.replace(
        "when: kind = 'fault' and fine >= 1000", f"when: {when!r}" if "'" not in when else f'when: "{when}"'
    )
    assert message in faults(text)[0].message


EVIL = "'; drop table subjects; --\"\\"


def test_sql_in_strings_is_text(sound: str) -> None:
    """In a condition, in a tier, and in the data."""
    quoted = EVIL.replace("'", "''").replace('"', '\\"').replace("\\\\", "\\").replace('--\\"\\', '--\\"\\\\')
    text = sound.replace("when: kind = 'fault' and fine >= 1000", f"when: \"note = '{quoted}'\"")
    text = text.replace("tier: A, from", 'tier: "A\'; drop table records; --", from').replace(
        "id: fault", "id: fault.--x"
    )
    pack = load_text(text, "evil.yaml")
    with duckdb.connect() as connection:
        connection.execute(
            "create table subjects (shop_id varchar, size varchar, opened_on date, staff bigint)"
        )
        connection.execute(
            "create table records (record_id varchar, shop_id varchar, found_on date, kind varchar,"
            " fine decimal(18, 4), settled boolean, note varchar)"
        )
        connection.execute("insert into subjects values (?, 'large', null, null)", [EVIL])
        connection.execute("insert into records values (?, ?, '2026-03-01', null, null, null, ?)", [EVIL] * 3)
        grade(connection, pack, dt.date(2026, 3, 1))
        hits = connection.execute(
            "select subject_id, rule, record_id, points from hits order by rule"
        ).fetchall()
        assert hits == [(EVIL, "fault.--x", EVIL, -400), (EVIL, "size.1", None, 100)]
        assert connection.execute("select subject_id, score, tier from scores").fetchall() == [
            (EVIL, 7700, "B")
        ]
        assert connection.execute("select count(*) from subjects").fetchone() == (1,)


WHOLE = Path("docs/rule-language.md").read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]


def _paths(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of every value, of a list that of the first."""
    if path:
        yield path
    inner = data.items() if isinstance(data, dict) else enumerate(data[:1]) if isinstance(data, list) else ()
    for step, value in inner:
        yield from _paths(value, (*path, step))


def _with(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copy = dict(data) if isinstance(data, dict) else dict(enumerate(data))
    copy[path[0]] = _with(copy[path[0]], path[1:], value)
    return copy if isinstance(data, dict) else list(copy.values())


@pytest.mark.parametrize("odd", [["x"], {"a": "b"}], ids=["list", "mapping"])
def test_a_list_or_a_mapping_where_a_value_stands_is_a_fault_and_no_crash(odd: Any) -> None:
    """Anywhere in the pack of the language's reference page."""
    data = read(WHOLE, "whole.yaml").data
    for path in _paths(data):
        with suppress(PackError):
            load_text(to_yaml(_with(data, path, odd)), "odd.yaml")


def _without(data: Any, path: tuple[Any, ...]) -> Any:
    if len(path) > 1:
        return _with(data, path[:1], _without(data[path[0]], path[1:]))
    return {key: value for key, value in data.items() if key != path[0]}


PARTS = """\
consequences: [{id: told, title: Told, when: faults > 5, basis: law}]
alerts:
  - {id: again, title: Again, basis: law, within: {days: 30}, events: [{when: kind = 'fault', times: 3}]}
remedies: [{id: settle, title: Settle, when: kind = 'fault', changes: {settled: true}, basis: law}]
"""
LIMITS = """\
    limits: [{when: kind = 'fault', months: 12, because: 第七条}]
    proposals: [{when: note = 'x', column: kind, code: fault, because: 第八条}]
"""
NEEDED = {
    "": "basis.id basis.title dimensions.id dimensions.title grades in_force in_force.from pack score subject"
    " together.rules together.why title version",
    "rules": "id title dimension when points basis counts.decay.after counts.decay.keep examples.as_of",
    "vetoes": "id title when basis",
    "consequences": "id title when basis",
    "alerts": "id title basis within.days events events.when",
    "remedies": "id title when changes basis",
    "tables": "id title dimension hit rows rows.when rows.points basis",
    "score": "start min max",
    "measures": "_.title",
    "grades": "tier from",
    "supervision": "_.sample_share",
    "subject": "vocabulary title subject subject.key subject.columns subject.columns._.type"
    " subject.columns._.title records.subject records.date records.key records.columns records.columns._.type"
    " records.columns._.title records.limits.when records.limits.because records.proposals.when"
    " records.proposals.column records.proposals.code records.proposals.because",
}


def _key(path: tuple[Any, ...]) -> str:
    """A place without the names that a pack gives, and without numbers."""
    names = [step for step in path if isinstance(step, str)]
    return ".".join(
        "_" if before in ("columns", "measures", "supervision") else name
        for before, name in zip(["", *names], names, strict=False)
    )


def test_a_key_that_is_left_out_is_named_where_it_is_needed_and_is_no_crash(sound: str) -> None:
    """Anywhere in the pack of the language's reference page, and in one that has all parts."""
    own = sound.replace("    columns:\n      record_id", LIMITS + "    columns:\n      record_id") + PARTS
    own = own.replace("rows: [[large, 1],", "rows: [{when: [large], points: 1},")
    own = own.replace("decay: linear", "decay: [{after: 6, keep: 0.5}]")
    load_text(own, "own.yaml")
    missing = set()
    for data in (read(WHOLE, "whole.yaml").data, read(own, "own.yaml").data):
        for path in _paths(data):
            if not isinstance(path[-1], str):
                continue
            try:
                load_text(to_yaml(_without(data, path)), "less.yaml")
            except PackError as error:
                missing |= {_key(path) for found in error.faults if found.message == "this key is missing"}
    assert missing == {f"{part}.{key}".lstrip(".") for part, keys in NEEDED.items() for key in keys.split()}


@pytest.mark.parametrize("value", ["[penalty]", "{penalty: 1}", "[[penalty]]"])
def test_a_list_for_a_code_of_an_example_is_named(faults: Faults, value: str) -> None:
    [fault] = faults(WHOLE.replace("given: {kind: penalty", f"given: {{kind: {value}", 1))
    assert "not a value of kind" in fault.message
    assert fault.field == "rules[0].examples[0].given.kind"
