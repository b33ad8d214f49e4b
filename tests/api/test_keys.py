"""Keys: made, expired, replaced and ended, on the command line and by the API."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from client import Client, Sign
from flask import Flask
from small_district import FINED, take

from api.app import create_app
from api.settings import Settings
from scoring.access import keys
from scoring.access.cache import TimedCache
from scoring.access.keys import (
    KeyNotFoundError,
    KeyRefusedError,
    KeyRing,
    Role,
    create_key,
    get_key,
    revoke_key,
    rotate_key,
)
from scoring.cli.keys import keys_group
from scoring.store import Store
from scoring.store.access import ApiKey


def _status(app: Flask, token: str) -> int:
    return Client(app.test_client(), token).get(f"/v1/subjects/{FINED}/grade").status_code


def test_a_key_is_made_on_the_command_line_and_opens_the_api(district_url: str, app: Flask) -> None:
    command = ["create", "--role", "regulator", "--owner", "信用办", "--database", district_url]
    result = CliRunner().invoke(keys_group, command)
    assert result.exit_code == 0
    assert _status(app, result.stdout.strip()) == 200


def test_the_store_and_the_listings_do_not_hold_the_secret(
    store: Store, regulator: Client, district_url: str
) -> None:
    secret = regulator.token.split("_", 2)[2]
    with store.reading() as session:
        row = session.get(ApiKey, regulator.prefix)
        assert secret not in repr({c.name: getattr(row, c.name) for c in ApiKey.__table__.columns})
    listed = CliRunner().invoke(keys_group, ["list", "--format", "json", "--database", district_url]).stdout
    assert regulator.prefix in {key["prefix"] for key in json.loads(listed)}
    assert secret not in listed
    assert secret not in regulator.get("/v1/keys").text


def test_a_wrong_secret_and_an_unknown_prefix_look_the_same(app: Flask, regulator: Client) -> None:
    wrong = regulator.token[:-1] + ("A" if regulator.token[-1] != "A" else "B")
    unknown = "xh_aaaaaaaaaa_" + "A" * 43
    answers = [Client(app.test_client(), token).get("/v1/runs") for token in (wrong, unknown)]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.json["detail"] for answer in answers}) == 1


def test_an_expired_key_opens_nothing(store: Store, app: Flask) -> None:
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=60)
    token = create_key(store, Role.REGULATOR, "x", expires_at=soon).token
    assert _status(app, token) == 200
    with store.writing() as session:
        session.get(ApiKey, token.split("_")[1]).expires_at = dt.datetime.now(dt.UTC)
    assert _status(app, token) == 401


def test_a_revoked_key_opens_nothing(app: Flask, sign_in: Sign, regulator: Client) -> None:
    other = sign_in(Role.REGULATOR)
    assert _status(app, other.token) == 200
    assert regulator.delete(f"/v1/keys/{other.prefix}").json["state"] == "revoked"
    assert _status(app, other.token) == 401
    assert regulator.delete(f"/v1/keys/{other.prefix}").status_code == 404


def test_a_remembered_key_is_looked_up_again_when_its_time_is_over(store: Store) -> None:
    token = create_key(store, Role.REGULATOR, "x").token
    forgetful, patient = KeyRing(store, cache_seconds=0), KeyRing(store, cache_seconds=3600)
    assert forgetful.authenticate(token) == patient.authenticate(token)
    revoke_key(store, token.split("_")[1])
    assert patient.authenticate(token).role is Role.REGULATOR
    with pytest.raises(KeyRefusedError, match="revoked"):
        forgetful.authenticate(token)


def test_ten_thousand_answers_are_remembered_at_once_and_no_more() -> None:
    cache = TimedCache[int, str](3600)
    for name in range(10_000):
        cache.keep(name, "known")
    assert [cache.get(name) for name in (0, 9_999, 10_000)] == ["known", "known", None]
    cache.keep(10_000, "new")
    assert [cache.get(name) for name in (0, 9_999, 10_000)] == [None, None, "new"]


def test_a_replaced_key_goes_on_for_the_overlap_alone(app: Flask, sign_in: Sign, regulator: Client) -> None:
    first = sign_in(Role.REGULATOR)
    second = regulator.post(f"/v1/keys/{first.prefix}/rotation", json={"overlap_hours": 1}).json
    assert [_status(app, token) for token in (first.token, second["token"])] == [200, 200]
    assert second["key"]["replaces"] == first.prefix
    third = regulator.post(f"/v1/keys/{second['key']['prefix']}/rotation", json={}).json
    assert [_status(app, token) for token in (second["token"], third["token"])] == [401, 200]


def test_a_departments_key_needs_its_department(regulator: Client) -> None:
    without = regulator.post("/v1/keys", json={"role": "department", "owner": "x"})
    out_of_place = regulator.post("/v1/keys", json={"role": "operator", "owner": "x", "organisation": "y"})
    past = regulator.post(
        "/v1/keys", json={"role": "operator", "owner": "x", "expires_at": "2020-01-01T00:00:00Z"}
    )
    assert [answer.status_code for answer in (without, out_of_place, past)] == [422, 422, 422]
    made = regulator.post("/v1/keys", json={"role": "department", "owner": "x", "organisation": "y"})
    assert (made.status_code, made.json["key"]["organisation"]) == (201, "y")


def test_no_secret_is_in_the_logs(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    app = create_app(Settings(log_level="debug"), store)
    client = Client(app.test_client(), create_key(store, Role.REGULATOR, "x").token)
    made = client.post("/v1/keys", json={"role": "operator", "owner": "x"}).json
    client.get("/v1/nothing")
    Client(app.test_client(), client.token + "x").get("/v1/runs")
    written = "".join(capfd.readouterr()) + client.get("/v1/audit?limit=500").text
    assert client.prefix in written
    for token in (client.token, made["token"]):
        assert token.split("_", 2)[2] not in written


def test_the_command_line_says_when_there_is_no_such_key(district_url: str) -> None:
    result = CliRunner().invoke(keys_group, ["revoke", "nobody", "--database", district_url])
    assert result.exit_code == 1
    assert "there is no key nobody" in result.output


@pytest.fixture
def queries(store: Store) -> Iterator[list[str]]:
    """What the store is asked."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    sa.event.listen(store.engine, "before_cursor_execute", note)
    yield asked
    sa.event.remove(store.engine, "before_cursor_execute", note)


def test_a_token_that_opens_nothing_takes_the_same_work_whether_its_prefix_is_known_or_not(
    store: Store, queries: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted, not timed: what is looked up, hashed and compared, also once the key's bearer was let in."""
    known = create_key(store, Role.REGULATOR, "x").token
    gone = create_key(store, Role.REGULATOR, "x").token
    revoke_key(store, gone.split("_")[1])
    ring = KeyRing(store, cache_seconds=3600)
    ring.authenticate(known)
    hashed: list[int] = []
    digest = keys._hash
    monkeypatch.setattr(keys, "_hash", lambda text: hashed.append(len(text)) or digest(text))

    def work(token: str) -> tuple[list[str], list[int]]:
        queries.clear(), hashed.clear()
        with pytest.raises(KeyRefusedError, match="not known here"):
            ring.authenticate(token)
        return queries.copy(), hashed.copy()

    wrong = "A" * 43
    tokens = [f"xh_{prefix}_{wrong}" for prefix in (known.split("_")[1], gone.split("_")[1], "aaaaaaaaaa")]
    done = [work(token) for token in tokens for _ in range(2)]
    assert done == [done[0]] * len(done)
    assert len([query for query in done[0][0] if "api_keys" in query]) == 1


@pytest.mark.parametrize("overlap", [0, 1])
def test_a_replaced_key_hands_on_its_end_its_owner_and_its_organisation(store: Store, overlap: int) -> None:
    ends = dt.datetime.now(dt.UTC) + dt.timedelta(days=30)
    first = create_key(store, Role.DEPARTMENT, "张三", "样例区税务局", ends).key
    second = rotate_key(store, first.prefix, dt.timedelta(hours=overlap)).key
    third = rotate_key(store, second.prefix).key
    for key in (second, third, get_key(store, third.prefix)):
        assert (key.role, key.owner, key.organisation, key.expires_at) == (
            Role.DEPARTMENT,
            "张三",
            "样例区税务局",
            ends,
        )
    assert (second.replaces, third.replaces) == (first.prefix, second.prefix)


def test_an_organisation_is_the_same_in_every_spelling_of_its_name(store: Store) -> None:
    """Its key opens what is the organisation's, however the name was typed."""
    for typed in ("甲局(A区)", "甲局（Ａ区）", " 甲局(A区) "):
        made = create_key(store, Role.DEPARTMENT, "x", typed)
        assert made.key.organisation == "甲局(A区)"
        assert KeyRing(store).authenticate(made.token).organisation == "甲局(A区)"


def test_an_overlap_does_not_lengthen_the_life_of_a_key(store: Store) -> None:
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5)
    first = create_key(store, Role.REGULATOR, "x", expires_at=soon).key
    rotate_key(store, first.prefix, dt.timedelta(hours=1))
    assert get_key(store, first.prefix).expires_at == soon
    endless = create_key(store, Role.REGULATOR, "x").key
    rotate_key(store, endless.prefix, dt.timedelta(hours=1))
    left = get_key(store, endless.prefix).expires_at - dt.datetime.now(dt.UTC)
    assert dt.timedelta() < left <= dt.timedelta(hours=1)


class Clock(dt.datetime):
    """The time that the keys are told."""

    time = dt.datetime(2031, 3, 1, 4, tzinfo=dt.UTC)

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:  # type: ignore[override]
        return cls.time


def test_of_two_rotations_within_an_overlap_each_key_works_to_its_own_end(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who was given the second before the first is out may replace it, too: three work for a while."""
    monkeypatch.setattr(keys, "dt", SimpleNamespace(**vars(dt) | {"datetime": Clock}))
    start, hour, ring = Clock.time, dt.timedelta(hours=1), KeyRing(store, cache_seconds=0)
    tokens = [create_key(store, Role.REGULATOR, "x", expires_at=start + 48 * hour).token]
    tokens.append(rotate_key(store, _prefix(tokens[0]), 24 * hour).token)
    monkeypatch.setattr(Clock, "time", start + hour)
    tokens.append(rotate_key(store, _prefix(tokens[1]), 2 * hour).token)
    second = dt.timedelta(seconds=1)
    for moment, working in (
        (start + hour, [True, True, True]),
        (start + 3 * hour - second, [True, True, True]),
        (start + 3 * hour, [True, False, True]),
        (start + 24 * hour - second, [True, False, True]),
        (start + 24 * hour, [False, False, True]),
        (start + 48 * hour - second, [False, False, True]),
        (start + 48 * hour, [False, False, False]),
    ):
        monkeypatch.setattr(Clock, "time", moment)
        assert [_works(ring, token) for token in tokens] == working


def test_a_key_whose_successor_works_is_not_replaced_again(store: Store) -> None:
    """A second successor would end with the overlap, and nobody would know which of the two is meant."""
    ends = dt.datetime.now(dt.UTC) + dt.timedelta(days=30)
    first = create_key(store, Role.REGULATOR, "x", expires_at=ends).key
    second = rotate_key(store, first.prefix, dt.timedelta(hours=1)).key
    with pytest.raises(KeyNotFoundError, match=f"replaced by {second.prefix} already; rotate that one"):
        rotate_key(store, first.prefix, dt.timedelta(hours=1))
    revoke_key(store, second.prefix)  # it was lost on the way
    third = rotate_key(store, first.prefix).key
    assert (third.expires_at, third.replaces) == (ends, first.prefix)


def test_of_those_who_rotate_a_key_at_once_with_an_overlap_one_gets_the_new_one(store: Store) -> None:
    first = create_key(store, Role.REGULATOR, "x").token
    together = threading.Barrier(3)

    def rotate() -> str | None:
        together.wait()
        try:
            return rotate_key(store, _prefix(first), dt.timedelta(hours=1)).token
        except KeyNotFoundError:
            return None

    with ThreadPoolExecutor(3) as pool:
        tokens = [done.result() for done in [pool.submit(rotate) for _ in range(3)]]
    (second,) = filter(None, tokens)
    assert [_works(KeyRing(store), token) for token in (first, second)] == [True, True]


def _prefix(token: str) -> str:
    return token.split("_")[1]


def _works(ring: KeyRing, token: str) -> bool:
    try:
        ring.authenticate(token)
    except KeyRefusedError:
        return False
    return True


def test_a_key_that_has_ended_is_not_replaced(store: Store) -> None:
    key = create_key(store, Role.REGULATOR, "x").key
    revoke_key(store, key.prefix)
    with pytest.raises(KeyNotFoundError, match="revoked already"):
        rotate_key(store, key.prefix)


def test_a_revoked_key_stays_revoked_when_the_clock_is_set_back(store: Store) -> None:
    token = create_key(store, Role.REGULATOR, "x").token
    prefix = token.split("_")[1]
    revoke_key(store, prefix)
    with store.writing() as session:  # as if it had been revoked at a moment that is still to come
        session.get_one(ApiKey, prefix).revoked_at += dt.timedelta(hours=3)
    with pytest.raises(KeyRefusedError, match="revoked"):
        KeyRing(store).authenticate(token)


@pytest.mark.parametrize(
    "moment",
    [
        "9999-12-31T23:59:59-12:00",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59+14:00",
        "9999-12-30T00:00:01+00:00",
        "0001-01-01T00:00:00+14:00",
        "0001-01-01T00:00:00-12:00",
        "2026-01-01T00:00:00Z",
    ],
)
def test_a_key_that_would_end_beyond_the_calendar_or_in_the_past_is_refused(
    regulator: Client, moment: str
) -> None:
    answer = regulator.post("/v1/keys", json={"role": "operator", "owner": "x", "expires_at": moment})
    assert (answer.status_code, answer.json["type"]) == (422, "/problems/invalid")
    assert moment[:10] in answer.json["detail"]


def test_the_latest_key_can_be_made_shown_and_replaced(
    app: Flask, store: Store, regulator: Client, district_url: str
) -> None:
    latest = "9999-12-30T00:00:00+00:00"
    made = regulator.post("/v1/keys", json={"role": "regulator", "owner": "x", "expires_at": latest})
    assert made.json["key"]["expires_at"] == latest
    assert _status(app, made.json["token"]) == 200
    prefix = made.json["key"]["prefix"]
    assert regulator.get(f"/v1/keys/{prefix}").json["expires_at"] == latest
    listed = CliRunner().invoke(keys_group, ["list", "--database", district_url])
    assert "9999-12-30" in listed.stdout
    replaced = regulator.post(f"/v1/keys/{prefix}/rotation", json={"overlap_hours": 720})
    assert replaced.json["key"]["expires_at"] == latest


def test_of_two_who_rotate_a_key_at_once_one_gets_the_new_one(store: Store) -> None:
    for _ in range(6):
        old = create_key(store, Role.REGULATOR, "tests").key.prefix
        together = threading.Barrier(3)

        def rotate(old: str = old, together: threading.Barrier = together) -> bool:
            together.wait()
            try:
                rotate_key(store, old)
            except KeyNotFoundError:
                return False
            return True

        with ThreadPoolExecutor() as pool:
            rotated = [pool.submit(rotate) for _ in range(3)]
            assert sorted(done.result() for done in rotated) == [False, False, True]
        assert [key.state for key in keys.list_keys(store) if key.replaces == old] == ["active"]


def _wrong(code: str) -> str:
    return code[:-1] + ("1" if code[-1] == "0" else "0")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (_wrong(FINED), f"wrong check character, {FINED[-1]} expected"),
        (FINED[:-1], "17 characters, a credit code has 18"),
        ("样例企业1有限公司", "a credit code has 18"),
        ("0" * 18, "a filler, not a code"),
    ],
)
def test_a_key_is_not_made_for_a_code_that_nobody_can_have(
    regulator: Client, district_url: str, given: str, why: str
) -> None:
    """It would open nothing, and whoever has it would read that there is no grade yet."""
    answer = regulator.post("/v1/keys", json={"role": "subject", "owner": "x", "organisation": given})
    assert (answer.status_code, why in answer.json["detail"]) == (422, True)
    command = ["create", "--role", "subject", "--owner", "x", "--organisation", given]
    made = CliRunner().invoke(keys_group, [*command, "--database", district_url])
    assert (made.exit_code, why in made.stderr, made.stdout) == (2, True, "")
    assert "subject" not in {key["role"] for key in regulator.get("/v1/keys").json["items"]}


@pytest.mark.parametrize(
    ("role", "given", "says"),
    [
        (Role.SUBJECT, f" {FINED.lower()} ", None),
        (Role.SUBJECT, "RH-000001", None),  # a household, whose number has no form of its own
        (Role.SUBJECT, "91350211M0000XUF46", "nothing is known of a subject"),  # in use, against GB 32100
        (Role.DEPARTMENT, "样例区税务局", None),
        (Role.DEPARTMENT, "样例区税局", "样例区税局: the key goes by that name alone; perhaps 样例区税务局"),
        (Role.REGULATOR, "样例区水务局", "no public body is called 样例区水务局"),
        (Role.REGULATOR, None, None),
        (Role.LENDER, "样例银行", None),
    ],
)
def test_who_makes_or_replaces_a_key_is_told_that_nobody_is_known_by_its_name_or_number(
    store: Store, regulator: Client, role: Role, given: str | None, says: str | None
) -> None:
    take(store, "rural", "subject", "subject_id", [{"subject_id": "RH-000001", "form": "household"}])
    take(store, "department", "subject", "subject_id", [{"subject_id": "BM1", "name": "样例区税务局"}])
    wanted = {"role": role, "owner": "x"} | ({"organisation": given} if given else {})
    made = regulator.post("/v1/keys", json=wanted)
    again = regulator.post(f"/v1/keys/{made.json['key']['prefix']}/rotation", json={})
    for answer in (made, again):
        assert answer.status_code == 201
        doubt = answer.json["doubt"]
        assert doubt is None if says is None else says in doubt["en"]


def test_a_wrong_code_of_an_older_key_is_said_when_the_key_is_replaced(
    store: Store, district_url: str
) -> None:
    """It is replaced all the same: whoever has lost a key has to be able to end it."""
    old = create_key(store, Role.SUBJECT, "x", FINED).key.prefix
    with store.writing() as session:
        session.get_one(ApiKey, old).organisation = _wrong(FINED)
    replaced = CliRunner().invoke(keys_group, ["rotate", old, "--database", district_url])
    assert (replaced.exit_code, f"nothing is known of a subject {_wrong(FINED)}" in replaced.stderr) == (
        0,
        True,
    )
