"""A PostgreSQL store into a file and back, by PostgreSQL's own pg_dump, pg_restore and psql.

The dump, and the numbers of rows that are counted, are of one snapshot, while others write. On the way back
everything, from the dropping of what was there to the counting of what came, is one transaction: the word
that ends it is sent last, so that whatever is killed before, the server rolls it back.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import IO

import sqlalchemy as sa

from rules.titles import Title
from scoring.store.backups.manifest import ANCHORS, BackupError, Copied, new_file, require_free, rows_of
from scoring.store.connection import Store, create_store
from scoring.store.errors import store_errors
from scoring.store.revision import address

FILE = "store.dump"
CHUNK = 1 << 20
"""Bytes that are sent at a time; between two times it is told how many there were."""

Advance = Callable[[int, int], None]

_DUMP = ("--format=custom", "--no-owner", "--no-privileges", "--lock-wait-timeout=60s")

PATIENCE = 3.0
"""Seconds to wait until nobody else is connected."""

_OTHERS = sa.text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
_BEGIN = """\
SET lock_timeout = '30s';
BEGIN;
DO $drop$ DECLARE said text; BEGIN
  SELECT 'DROP TABLE ' || string_agg(format('%I.%I', schemaname, tablename), ', ') INTO said
    FROM pg_tables WHERE schemaname = current_schema();
  IF said IS NOT NULL THEN EXECUTE said; END IF;
  FOR said IN SELECT 'DROP FUNCTION ' || p.oid::regprocedure FROM pg_proc p
    WHERE p.pronamespace = current_schema()::regnamespace AND NOT EXISTS
      (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
    LOOP EXECUTE said; END LOOP;
END $drop$;
"""


def copy(
    store: Store, directory: Path, anchors: AbstractContextManager[bytes | None], advance: Advance
) -> Copied:
    """Copy a store as it is now.

    :param anchors: entered while the moment is chosen; its text becomes a file beside the copy.
    :raises BackupError: where there is no pg_dump, or it fails.
    """
    program, file = _program("pg_dump"), new_file(directory / FILE)
    with store.reading() as session:
        with anchors as text:
            snapshot = session.execute(sa.text("SELECT pg_export_snapshot()")).scalar_one()
        if text is not None:
            new_file(directory / ANCHORS).write_bytes(text)
        advance(0, 0)
        what = [f"--snapshot={snapshot}", f"--file={file}", f"--dbname={_url(store.engine.url)}"]
        _run([program, *_DUMP, *what], store.engine.url)
        connection = session.connection()
        revision = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one()
        version = connection.execute(sa.text("SHOW server_version")).scalar_one()
        return Copied("postgresql", f"PostgreSQL {version}", revision, rows_of(connection))


def put_back(directory: Path, copied: Copied, url: sa.URL, replace: bool, advance: Advance) -> None:
    """Put a copy in the place of what is in a database, and bring it up to date.

    :raises BackupError: where somebody uses the database, it holds something and may not be replaced, or the
        copy can't be put back.
    """
    programs = _program("psql"), _program("pg_restore")
    _require_alone(url, replace)
    _send(directory / FILE, copied, url, programs, advance)
    create_store(url.render_as_string(hide_password=False)).close()


def _require_alone(url: sa.URL, replace: bool) -> None:
    """Also a moment after somebody went: the server takes one to see it."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", hide_parameters=True)
    until = time.monotonic() + PATIENCE
    try:
        with store_errors(address(url)), engine.connect() as connection:
            require_free(connection, address(url), replace)
            while others := connection.execute(_OTHERS).scalar_one():
                if time.monotonic() > until:
                    raise BackupError(_in_use(address(url), others))
                time.sleep(0.05)
    finally:
        engine.dispose()


def _in_use(where: str, others: int) -> Title:
    return Title(
        f"库{where}正在使用,有{others}个连接:请停止服务及其他连接该库的程序,再重新执行",
        f"the store {where} is in use, by {others} connections: stop the server and whatever else is "
        "connected to it; then run again",
    )


def _send(dump: Path, copied: Copied, url: sa.URL, programs: tuple[str, str], advance: Advance) -> None:
    psql, pg_restore = programs
    with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as complained:
        reader = subprocess.Popen(
            [pg_restore, "--no-owner", "--no-privileges", "--file=-", str(dump)],
            stdout=subprocess.PIPE,
            stderr=complained,
        )
        writer = subprocess.Popen(
            [psql, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--dbname={_url(url)}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=told,
            env=_environment(url),
        )
        assert reader.stdout is not None
        assert writer.stdin is not None
        try:
            with closing(reader.stdout), closing(writer.stdin):
                writer.stdin.write(_BEGIN.encode())
                _pass_on(reader.stdout, writer.stdin, advance)
                if reader.wait():
                    why = _said(complained)
                    raise BackupError(Title(f"{dump}无法读取:{why.zh}", f"{dump} can't be read: {why.en}"))
                writer.stdin.write(_end(copied.rows).encode())
        except BrokenPipeError:
            pass  # psql has ended, and says why
        finally:
            reader.kill()
            reader.wait()
            failed = writer.wait()
        if failed:
            why, where = _said(told), address(url)
            raise BackupError(
                Title(
                    f"备份未恢复到{where},该处未作改动:{why.zh}",
                    f"nothing of the backup was put into {where}: {why.en}",
                )
            )


def _pass_on(source: IO[bytes], target: IO[bytes], advance: Advance) -> None:
    sent = 0
    while chunk := source.read(CHUNK):
        target.write(chunk)
        target.flush()
        sent += len(chunk)
        advance(sent, 0)


def _end(rows: Mapping[str, int]) -> str:
    """Counts what came; the last word makes it count."""
    checks = "\n".join(
        f"  IF (SELECT count(*) FROM {name}) <> {int(number)} THEN"
        f" RAISE EXCEPTION 'the table {name} has not {int(number)} rows, as the manifest says'; END IF;"
        for name, number in rows.items()
        if name.isidentifier()
    )
    anew = {
        "store_identity": f"UPDATE store_identity SET id = '{uuid.uuid4().hex}';",
        "page_sessions": "DELETE FROM page_sessions;",  # who has signed out since would be signed in again
    }
    own = "\n".join(change for name, change in anew.items() if name in rows)
    return f"\nRESET search_path;\nDO $count$ BEGIN\n{checks}\nEND $count$;\n{own}\nCOMMIT;\n"


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise BackupError(
            Title(
                f"PATH中没有{name}:PostgreSQL中的库由PostgreSQL自带的程序备份和恢复,其版本不得低于服务器"
                "(apt-get install postgresql-client)",
                f"{name} is not on the PATH: a store in PostgreSQL is backed up and put back by PostgreSQL's "
                "own programs, of the server's version or a later one (apt-get install postgresql-client)",
            )
        )
    return found


def _run(line: list[str], url: sa.URL) -> None:
    done = subprocess.run(line, env=_environment(url), capture_output=True, check=False)
    if done.returncode:
        reason = " ".join(done.stderr.decode(errors="replace").split())
        is_old = "version mismatch" in reason
        right = Title(
            "。请安装不低于服务器版本的程序,并置于PATH最前",
            ". Install the programs of the server's version, or a later one, first on the PATH",
        )
        zh, en = (right.zh, right.en) if is_old else ("", "")
        where = address(url)
        raise BackupError(
            Title(f"库{where}无法备份:{reason}{zh}", f"the store {where} can't be backed up: {reason}{en}")
        )


def _said(file: IO[bytes]) -> Title:
    file.seek(0)
    said = " ".join(file.read().decode(errors="replace").split())
    return Title(said, said) if said else Title("程序被终止", "it was killed")


def _url(url: sa.URL) -> str:
    """As PostgreSQL's programs take it; the password is not for the list of processes."""
    query = {name: value for name, value in url.query.items() if name != "password"}
    return sa.URL.create(
        "postgresql", url.username, None, url.host, url.port, url.database, query
    ).render_as_string(hide_password=False)


def _environment(url: sa.URL) -> dict[str, str]:
    password = url.password or url.query.get("password")
    return os.environ | ({"PGPASSWORD": str(password)} if password else {})
