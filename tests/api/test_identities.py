"""Whose key a person of a provider signs in to."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from click.testing import CliRunner, Result

from scoring.access.audit import entries
from scoring.access.identities import NotAdmittedError, admit, admitted, key_of
from scoring.access.keys import (
    KeyNotFoundError,
    KeyRefusedError,
    Role,
    create_key,
    revoke_key,
    rotate_key,
)
from scoring.access.sessions import begin_session, signed_in_key
from scoring.cli.keys import keys_group
from scoring.store import Store

ISSUER = "https://id.example.cn"


def _key(store: Store, owner: str = "李敏") -> str:
    return create_key(store, Role.REGULATOR, owner).key.prefix


def test_a_person_is_admitted_by_command_and_listed_with_the_key(store: Store, district_url: str) -> None:
    prefix = _key(store)
    admitted_by = _command("admit", prefix, "7f3a", "--issuer", ISSUER, "--database", district_url)
    assert admitted_by.exit_code == 0, admitted_by.output
    listed = json.loads(_command("list", "--format", "json", "--database", district_url).stdout)
    assert {key["prefix"]: key["person"] for key in listed}[prefix] == "7f3a"
    assert key_of(store, ISSUER, "7f3a").owner == "李敏"


@pytest.mark.parametrize(
    ("person", "issuer", "told"),
    [
        ("", ISSUER, "1 to 255 characters"),
        ("a" * 256, ISSUER, "1 to 255 characters"),
        ("a\u202eb", ISSUER, "invisible"),
        (" a", ISSUER, "invisible"),
        ("11010519491231002X", ISSUER, "resident's number"),
        ("a", "http://id.example.cn", "such as https://id.example.cn"),
        ("a", "https://", "such as https://id.example.cn"),
        ("a", "https://id.example.cn?x=1", "such as https://id.example.cn"),
    ],
)
def test_who_or_where_nobody_can_be_is_refused(
    store: Store, district_url: str, person: str, issuer: str, told: str
) -> None:
    prefix = _key(store)
    result = _command("admit", prefix, person, "--issuer", issuer, "--database", district_url)
    assert result.exit_code == 2
    assert told in result.output
    assert prefix not in admitted(store)


def test_a_key_is_one_persons_and_a_person_has_one_key(store: Store) -> None:
    first, second = _key(store), _key(store)
    admit(store, ISSUER, "wang", first)
    admit(store, ISSUER, "wang", second)
    assert key_of(store, ISSUER, "wang").prefix == second
    admit(store, ISSUER, "zhao", second)
    with pytest.raises(NotAdmittedError, match="wang"):
        key_of(store, ISSUER, "wang")
    assert first not in admitted(store)


def test_the_same_name_at_another_provider_is_another_person(store: Store) -> None:
    admit(store, ISSUER, "chen", _key(store))
    with pytest.raises(NotAdmittedError):
        key_of(store, "https://other.example.cn", "chen")


def test_a_key_that_becomes_another_persons_ends_the_sign_ins_of_the_first(store: Store) -> None:
    new = create_key(store, Role.REGULATOR, "钱")
    admit(store, ISSUER, "qian", new.key.prefix)
    number = begin_session(store, new.key)
    admit(store, ISSUER, "qian", new.key.prefix)
    assert signed_in_key(store, number) is not None
    admit(store, ISSUER, "sun", new.key.prefix)
    assert signed_in_key(store, number) is None


@pytest.mark.parametrize("overlap", [dt.timedelta(), dt.timedelta(hours=2)])
def test_a_person_goes_on_with_the_key_that_takes_the_place_of_the_first(
    store: Store, overlap: dt.timedelta
) -> None:
    name = f"zhou-{overlap}"
    first = _key(store)
    admit(store, ISSUER, name, first)
    second = rotate_key(store, first, overlap).key.prefix
    assert key_of(store, ISSUER, name).prefix == second


def test_a_key_that_has_ended_admits_nobody(store: Store) -> None:
    prefix = _key(store)
    admit(store, ISSUER, "wu", prefix)
    revoke_key(store, prefix)
    with pytest.raises(KeyRefusedError, match="revoked"):
        key_of(store, ISSUER, "wu")
    with pytest.raises(KeyNotFoundError):
        admit(store, ISSUER, "zheng", prefix)


def test_the_audit_log_has_who_was_admitted(store: Store, district_url: str) -> None:
    prefix = _key(store)
    _command("admit", prefix, "feng", "--issuer", ISSUER, "--database", district_url)
    [last] = [entry for entry in entries(store, action="keys.admit") if entry.details["person"] == "feng"]
    assert last.details == {"prefix": prefix, "person": "feng", "issuer": ISSUER}


def _command(*line: str) -> Result:
    return CliRunner().invoke(keys_group, [*line])
