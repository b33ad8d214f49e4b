"""Python processes that are there at once: forked from one that has imported what nearly all of them need.

A new Python works for one to two seconds of the processor before it comes to the first line of a test's own.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any

from waiting import PATIENCE

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        *("alembic", "apiflask", "duckdb", "granian", "openpyxl", "psycopg", "pyarrow", "pytest", "sqlglot"),
        *("sqlalchemy.dialects.postgresql.psycopg", "rules.library.reading", "scoring.cli.runs"),
        *("scoring.cli.score", "scoring.cli.serve", "scoring.facts.snapshot", "scoring.store.schema"),
    ]  # nothing that counts requests: that looks at the environment when it is imported
)


class Warm:
    """A process that runs a program as ``python -c`` would, in a session of its own; used as a ``Popen``.

    :param program: its text.
    :param arguments: what it finds behind its name in ``sys.argv``.
    :param env: its environment; by default this process's.
    :param stdout: where its standard output goes; by default to a pipe, of text.
    :param stderr: likewise.
    """

    def __init__(
        self,
        program: str,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        stdout: IO[bytes] | None = None,
        stderr: IO[bytes] | None = None,
    ) -> None:
        given, self.stdin = _to_process()
        said, self.stdout = _from_process(stdout)
        wrong, self.stderr = _from_process(stderr)
        there = (dict(os.environ if env is None else env), str(Path.cwd()), given, said, wrong)
        self._process = _FORKS.Process(target=_run, args=(program, arguments, *there), daemon=False)
        self._process.start()
        self.args = (program, *arguments)
        for end in (given, said, wrong):
            end.close()

    def __enter__(self) -> Warm:
        return self

    def __exit__(self, *_: object) -> None:
        self.wait()
        self.close()

    @property
    def pid(self) -> int:
        """Its number, which is also its session's and its group's."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.exitcode

    def wait(self, seconds: float = PATIENCE) -> int:
        """How it ended, once it has."""
        self._process.join(seconds)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self.args, seconds)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self._process.kill()

    def communicate(self) -> tuple[str, str]:
        """What it wrote, little enough for a pipe, once it has ended."""
        assert self.stdout is not None
        assert self.stderr is not None
        written = self.stdout.read(), self.stderr.read()
        self.wait()
        self.close()
        return written

    def close(self) -> None:
        for pipe in (self.stdin, self.stdout, self.stderr):
            if pipe is not None:
                pipe.close()


def _to_process() -> tuple[Connection, IO[str]]:
    reads, writes = os.pipe()
    return Connection(reads, writable=False), os.fdopen(writes, "w", encoding="utf-8")


def _from_process(file: IO[bytes] | None) -> tuple[Connection, IO[str] | None]:
    if file is not None:
        return Connection(os.dup(file.fileno()), readable=False), None
    reads, writes = os.pipe()
    return Connection(writes, readable=False), os.fdopen(reads, encoding="utf-8")


def _run(
    program: str, arguments: tuple[str, ...], env: dict[str, str], directory: str, *ends: Connection
) -> None:
    multiprocessing.set_start_method(None, force=True)  # that of a new Python, for its own children
    os.setsid()
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(env)
    for number, end in enumerate(ends):
        os.dup2(end.fileno(), number)
        end.close()
    sys.stdin = os.fdopen(0, closefd=False)
    sys.argv = ["-c", *arguments]
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(program, "<program>", "exec"), names)
