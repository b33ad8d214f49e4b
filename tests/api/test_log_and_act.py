"""What is done and what the audit log says of it are one transaction: neither is there without the other."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from client import Client
from small_district import SUBJECTS

from scoring.access import keys
from scoring.access.audit import entries
from scoring.access.identities import admitted
from scoring.access.keys import KeyNotFoundError, Role, Who, create_key, revoke_key
from scoring.cli import main
from scoring.store import Store, open_store
from scoring.store.reports import IssuedReport

ISSUER = "https://id.example.cn"
ME = Who("cli:tests", Role.OPERATOR)


def _command(*line: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in line])


def _refuse(store: Store, actions: str) -> None:
    """Have the database take no entry of some actions, as where its disk is full just then."""
    statements = [
        f"CREATE TRIGGER full_disk BEFORE INSERT ON audit_entries WHEN NEW.action LIKE '{actions}'"
        " BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
    ]
    if not store.is_sqlite:
        statements = [
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$",
            "CREATE TRIGGER full_disk BEFORE INSERT ON audit_entries FOR EACH ROW"
            f" WHEN (NEW.action LIKE '{actions}') EXECUTE FUNCTION full_disk()",
        ]
    with store.writing() as session:
        for statement in statements:
            session.execute(sa.text(statement.replace(":", r"\:")))


def _state(store: Store) -> tuple[object, ...]:
    return keys.list_keys(store), admitted(store), [entry.hash for entry in entries(store)]


@pytest.mark.parametrize(
    "line",
    [
        ["revoke", "nobodynobo"],
        ["rotate", "nobodynobo"],
        ["admit", "nobodynobo", "zhao", "--issuer", ISSUER],
        ["revoke", "ENDED"],
        ["rotate", "ENDED"],
        ["admit", "ENDED", "zhao", "--issuer", ISSUER],
        ["admit", "WORKS", " ", "--issuer", ISSUER],
        ["create", "--role", "lender", "--owner", "王经理"],
        ["create", "--role", "operator", "--owner", "王经理", "--organisation", "甲银行"],
    ],
    ids=" ".join,
)
def test_a_command_on_keys_that_is_refused_leaves_no_entry(
    store: Store, district_url: str, line: list[str]
) -> None:
    works, ended = (create_key(store, Role.REGULATOR, "tests").key.prefix for _ in range(2))
    revoke_key(store, ended)
    before = _state(store)
    given = [{"ENDED": ended, "WORKS": works}.get(word, word) for word in line]
    assert _command("keys", *given, "--database", district_url).exit_code in (1, 2)
    assert _state(store) == before


@pytest.mark.parametrize(
    "line",
    [
        ["revoke", "WORKS"],
        ["rotate", "WORKS"],
        ["rotate", "WORKS", "--overlap-hours", "2"],
        ["admit", "WORKS", "zhao", "--issuer", ISSUER],
        ["create", "--role", "operator", "--owner", "王经理"],
    ],
    ids=" ".join,
)
def test_a_change_of_keys_that_the_log_cannot_take_is_not_made(
    store: Store, district_url: str, line: list[str]
) -> None:
    works = create_key(store, Role.REGULATOR, "tests").key.prefix
    before = _state(store)
    _refuse(store, "keys.%")
    given = [works if word == "WORKS" else word for word in line]
    refused = _command("keys", *given, "--database", district_url)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert _state(store) == before


def test_the_log_says_which_key_was_made_replaced_and_ended(store: Store, regulator: Client) -> None:
    wanted = {"role": "lender", "owner": "王经理", "organisation": "甲银行"}
    made = regulator.post("/v1/keys", json=wanted).json["key"]["prefix"]
    turned = regulator.post(f"/v1/keys/{made}/rotation", json={"overlap_hours": 2}).json["key"]["prefix"]
    ended = regulator.delete(f"/v1/keys/{turned}", headers={"X-Request-ID": "ended-here"})
    assert ended.status_code == 200
    [create], [rotate], [revoke] = (
        entries(store, action=f"keys.{done}") for done in ("create", "rotate", "revoke")
    )
    assert create.details == wanted | {"prefix": made, "expires_at": None}
    assert rotate.details == {"prefix": made, "successor": turned, "overlap_hours": 2}
    assert (revoke.details, revoke.request_id) == ({"prefix": turned}, "ended-here")
    assert {one.actor for one in (create, rotate, revoke)} == {regulator.prefix}
    assert regulator.delete(f"/v1/keys/{turned}").status_code == 404
    assert entries(store, action="keys.revoke") == [revoke]


def test_of_those_who_end_a_key_at_once_one_is_in_the_log(store: Store) -> None:
    for _ in range(4):
        prefix = create_key(store, Role.REGULATOR, "tests").key.prefix
        together = threading.Barrier(3)

        def revoke(prefix: str = prefix, together: threading.Barrier = together) -> bool:
            together.wait()
            try:
                revoke_key(store, prefix, ME)
            except KeyNotFoundError:
                return False
            return True

        with ThreadPoolExecutor() as pool:
            done = [pool.submit(revoke) for _ in range(3)]
            assert sorted(one.result() for one in done) == [False, False, True]
        logged = [entry.details for entry in entries(store, action="keys.revoke")]
        assert logged.count({"prefix": prefix}) == 1


def test_a_report_that_the_log_cannot_take_is_not_issued(
    store: Store, district_url: str, tmp_path: Path
) -> None:
    _refuse(store, "cli.credit-report")
    out = tmp_path / "report.pdf"
    assert _command("credit-report", SUBJECTS[0], "--out", out, "--database", district_url).exit_code == 1
    with store.reading() as session:
        assert session.scalars(sa.select(IssuedReport)).all() == []
    assert not out.exists()


def test_the_log_says_how_a_backup_ended(sqlite_district_url: str, tmp_path: Path) -> None:
    for _ in range(2):  # the second time there is something of that name
        _command("backup", tmp_path / "copy", "--database", sqlite_district_url)
    with closing(open_store(sqlite_district_url)) as store:
        phases = [entry.details["phase"] for entry in reversed(entries(store, action="store.backup"))]
    assert phases == ["asked", "done", "asked", "failed"]
