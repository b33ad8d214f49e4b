"""Opening a store: what is wrong is said, with what would help."""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from rules.calendar import SHANGHAI
from scoring.store import Store, StoreError, create_store, open_store
from scoring.store.errors import explain
from scoring.store.live import LiveScan
from scoring.store.models import IngestedFile

NOON = dt.datetime(2026, 8, 1, 12, tzinfo=SHANGHAI)

_ADD_PACK = sa.text("INSERT INTO packs VALUES ('h', 'p', '1', 'f', 's', NULL, '2026-01-01')")


def test_a_store_that_was_made_can_be_opened(database_url: str) -> None:
    create_store(database_url).close()
    opened = open_store(database_url)
    with opened.reading() as session:
        assert session.scalar(sa.text("SELECT count(*) FROM runs")) == 0
    opened.close()


def test_a_missing_file_is_not_made_by_opening_it(tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    with pytest.raises(StoreError, match=r"no store at sqlite:///.*none\.db.*xinheng db upgrade"):
        open_store(f"sqlite:///{path}")
    assert not path.exists()


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"directory .* does not exist: .*/nowhere"):
        create_store(f"sqlite:///{tmp_path}/nowhere/xinheng.db")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to be looked at" * 40)
    with pytest.raises(StoreError, match=r"notes\.txt failed: file is not a database"):
        open_store(f"sqlite:///{path}")


def test_a_directory_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="unable to open database file"):
        open_store(f"sqlite:///{tmp_path}")


def test_a_database_without_tables_needs_an_upgrade(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    sqlite3.connect(path).executescript("CREATE TABLE other (x)")
    with pytest.raises(StoreError, match=r"revision none.*needs 0\d+.*xinheng db upgrade"):
        open_store(f"sqlite:///{path}")


def test_a_database_of_an_older_schema_needs_an_upgrade(database_url: str) -> None:
    older = create_store(database_url)
    with older.writing() as session:
        session.execute(sa.text("DELETE FROM alembic_version"))
    older.close()
    with pytest.raises(StoreError, match="xinheng db upgrade"):
        open_store(database_url)


def test_a_database_of_a_newer_schema_is_left_alone(database_url: str) -> None:
    newer = create_store(database_url)
    with newer.writing() as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    newer.close()
    for way in (open_store, create_store):
        with pytest.raises(StoreError, match=r"revision 9999, unknown to this version.*Install the Xinheng"):
            way(database_url)


def test_an_unreachable_server_is_named_without_the_password() -> None:
    url = "postgresql://officer:s3cret@127.0.0.1:1/district?password=s3cret"
    with pytest.raises(StoreError, match=r"127\.0\.0\.1:1/district failed: .*refused") as caught:
        open_store(url)
    assert "s3cret" not in str(caught.value)


def test_a_database_that_the_server_lacks_is_named(postgresql_server: str) -> None:
    with pytest.raises(StoreError, match='database "nowhere" does not exist'):
        open_store(postgresql_server.replace("/postgres?", "/nowhere?"))


@pytest.mark.parametrize(
    "url", ["mysql://officer:s3cret@host/db", "sqlite://", "sqlite:///:memory:", "s3cret"]
)
def test_other_urls_are_refused_with_the_right_form(url: str) -> None:
    with pytest.raises(StoreError, match="Right: sqlite:///") as caught:
        open_store(url)
    assert "s3cret" not in str(caught.value)


def test_the_environment_names_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XINHENG_DATABASE_URL", f"sqlite:///{tmp_path}/named.db")
    create_store().close()
    assert (tmp_path / "named.db").exists()


def test_without_any_name_it_is_a_file_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XINHENG_DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    create_store().close()
    assert (tmp_path / "xinheng.db").exists()


def test_a_change_that_fails_leaves_nothing(store: Store) -> None:
    def change_and_fail() -> None:
        with store.writing() as session:
            session.execute(_ADD_PACK)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_and_fail()
    with store.reading() as session:
        assert session.scalar(sa.text("SELECT count(*) FROM packs")) == 0


def test_nothing_refers_to_what_is_not_there(store: Store) -> None:
    """A row that names a file, a key or a run that there is none of is refused, in either database."""
    wrong = IngestedFile(
        sha256="a" * 64, name="a.csv", vocabulary="merchant", table="subject", rows_good=0, rows_bad=0,
        ingested_at=NOON, source="undo", undoes=9,
    )  # fmt: skip
    with pytest.raises(sa.exc.IntegrityError), store.writing() as session:
        session.add(wrong)
    with store.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(IngestedFile)) == 0


def test_a_moment_is_kept_whatever_its_time_zone_and_refused_without_one(store: Store) -> None:
    given = {"pack_id": "p", "pack_hash": "h"}
    with store.writing() as session:
        session.add(LiveScan(known_at=NOON, **given))
    with store.reading() as session:
        kept = session.scalars(sa.select(LiveScan.known_at)).one()
    assert (kept, kept.utcoffset()) == (NOON, dt.timedelta())
    with pytest.raises(sa.exc.StatementError, match="needs a time zone"), store.writing() as session:
        session.execute(sa.update(LiveScan).values(known_at=NOON.replace(tzinfo=None)))


def test_readers_keep_their_state_while_another_writes(store: Store) -> None:
    count = sa.text("SELECT count(*) FROM packs")
    with store.reading() as reader:
        assert reader.scalar(count) == 0
        with store.writing() as writer:
            writer.execute(_ADD_PACK)
        assert reader.scalar(count) == 0
    with store.reading() as reader:
        assert reader.scalar(count) == 1


def test_a_file_that_was_deleted_does_not_come_back_empty(tmp_path: Path) -> None:
    path = tmp_path / "a store #1 50%.db"
    create_store(f"sqlite:///{path}").close()
    opened = open_store(f"sqlite:///{path}")
    opened.close()  # the next question opens the file anew
    path.unlink()
    with pytest.raises(StoreError, match="It has to be there"), opened.reading() as session:
        session.scalar(sa.text("SELECT count(*) FROM runs"))
    assert not path.exists()


def test_a_store_that_can_only_be_read_is_named_so_with_what_would_help() -> None:
    with tempfile.TemporaryDirectory() as directory:  # not below a directory that others may not enter
        path = Path(directory, "x.db")
        create_store(f"sqlite:///{path}").close()
        path.chmod(0o444)
        Path(directory).chmod(0o555)
        said = _as_nobody(lambda: open_store(f"sqlite:///{path}"))
        Path(directory).chmod(0o755)
    assert "can only be read, and this needs to write" in said
    assert "Let the user that runs this write the file and its directory" in said


def _as_nobody(action: Callable[[], object]) -> str:
    """What an action is refused with in a process without rights."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            if os.getuid() == 0:
                os.setuid(65534)
            action()
        except StoreError as error:
            os.write(write, str(error).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as heard:
        said = heard.read()
    os.waitpid(pid, 0)
    return said


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("SQLITE_READONLY_DBMOVED", "can only be read"),
        ("SQLITE_IOERR_DELETE", "can only be read"),  # its journal, in a directory that takes no changes
        ("SQLITE_IOERR_WRITE", "is full"),
        ("SQLITE_IOERR_FSYNC", "disk I/O error"),
    ],
)
def test_what_sqlite_calls_an_error_of_the_disk_is_told_by_its_cause(name: str, told: str) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorname = name
    assert told in explain(error, "sqlite:///x.db").en
