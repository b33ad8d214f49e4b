"""The buckets of folders are graded by real Spark clusters of this machine's processes; some are killed.

The pack compares subjects of all buckets with each other.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pyspark
import pytest
from cli.conftest import PROGRAM
from cli.market import AS_OF
from country.test_country import (
    RANKED,
    RANKED_PACK,
    RECORD,
    RECORDS,
    SMALL,
    SUBJECT,
    SUBJECTS,
    bucketed,
    flat,
    results,
)
from waiting import until

from scoring.cluster.spark import SparkError, on_spark
from scoring.runs.country.run import MANIFEST, score_country

pytestmark = pytest.mark.alone

TWO_EXECUTORS = "local-cluster[2,1,1024]"
ENVIRONMENT = os.environ | {
    "SPARK_LOCAL_IP": "127.0.0.1",
    "SPARK_HOME": str(Path(pyspark.__file__).parent),
    "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",  # it works a few seconds, and is gone
}
BUCKETS = 6


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    return given_folders(tmp_path)


def given_folders(path: Path) -> tuple[Path, Path]:
    return bucketed(path / "s", SUBJECTS, SUBJECT, BUCKETS), bucketed(path / "r", RECORDS, RECORD, BUCKETS)


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What one machine makes of them."""
    path = tmp_path_factory.mktemp("right")
    score_country(RANKED, AS_OF, *given_folders(path), path / "out", SMALL)
    return results(path / "out")


def words(tmp_path: Path, folders: tuple[Path, Path], master: str) -> list[str]:
    (tmp_path / "market.yaml").write_text(RANKED_PACK, "utf-8")
    return [str(word) for word in (
        PROGRAM, "score", "--pack", tmp_path / "market.yaml", "--as-of", AS_OF, "--memory", SMALL,
        "--subjects", folders[0], "--records", folders[1], "--out", tmp_path / "out",
        "--engine", "spark", "--master", master,
    )]  # fmt: skip


def test_two_executors_make_what_one_machine_makes(
    tmp_path: Path, folders: tuple[Path, Path], right: dict[str, object]
) -> None:
    done = subprocess.run(
        words(tmp_path, folders, TWO_EXECUTORS), env=ENVIRONMENT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert results(tmp_path / "out") == right
    buckets = len(json.loads((tmp_path / "out" / MANIFEST).read_text("utf-8"))["buckets"])
    assert buckets > 1
    assert f"market: bucket {buckets}/{buckets}: " in done.stderr


def test_folders_are_found_by_executors_that_stand_elsewhere(
    tmp_path: Path, folders: tuple[Path, Path], right: dict[str, object]
) -> None:
    """Each executor has a directory of its own; what is not bucketed goes from one to the other."""
    flat(tmp_path / "fs", SUBJECTS, SUBJECT, 3), flat(tmp_path / "fr", RECORDS, RECORD, 7)
    given = words(tmp_path, (Path("fs"), Path("fr")), TWO_EXECUTORS)
    given[given.index("--out") + 1] = "out"
    done = subprocess.run(given, env=ENVIRONMENT, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    assert results(tmp_path / "out") == right


def test_rows_that_are_not_bucketed_are_put_in_buckets_by_the_tasks(
    tmp_path: Path, folders: tuple[Path, Path], right: dict[str, object]
) -> None:
    given = flat(tmp_path / "fs", SUBJECTS, SUBJECT, 3), flat(tmp_path / "fr", RECORDS, RECORD, 7)
    done = subprocess.run(words(tmp_path, given, "local[2]"), env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "put in buckets: 2/2" in done.stderr
    assert results(tmp_path / "out") == right


def test_an_executor_that_is_killed_changes_nothing(
    tmp_path: Path, folders: tuple[Path, Path], right: dict[str, object]
) -> None:
    """As soon as the first bucket is done; its tasks are done again by the other."""
    process = subprocess.Popen(
        words(tmp_path, folders, TWO_EXECUTORS),
        env=ENVIRONMENT,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    done = tmp_path / "out" / "_work" / "done"
    until(lambda: any(done.glob("*.json")) or process.poll() is not None, "the first bucket")
    executors = _executors(process.pid)
    if executors:
        os.kill(executors[0], signal.SIGKILL)
    assert process.wait(300) == 0
    assert executors
    assert results(tmp_path / "out") == right


def _executors(session: int) -> list[int]:
    """The processes of executors of a session."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (
                os.getsid(int(path.name)) == session
                and b"CoarseGrainedExecutor" in (path / "cmdline").read_bytes()
            ):
                found.append(int(path.name))
    return found


@pytest.fixture
def master(tmp_path: Path) -> Iterator[str]:
    """The address of a master of its own with two workers, on the loopback."""
    with contextlib.ExitStack() as running:
        begun, address = _spark(running, "Master", "--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
        until(begun.is_set, "the master")
        for number in range(2):
            place = ("--host", "127.0.0.1", "--webui-port", "0", "--work-dir", str(tmp_path / f"w{number}"))
            registered, _ = _spark(running, "Worker", *place, "--cores", "1", "--memory", "1g", address[0])
            until(registered.is_set, "a worker")
        yield address[0]


_TOLD = {
    "Master": r"Starting Spark master at (spark://\S+)",
    "Worker": r"(Successfully registered) with master",
}


def _spark(running: contextlib.ExitStack, kind: str, *options: str) -> tuple[threading.Event, list[str]]:
    """Start a daemon of Spark's; whether it has begun, and what it says then."""
    program = Path(ENVIRONMENT["SPARK_HOME"], "bin", "spark-class")
    name = f"org.apache.spark.deploy.{kind.lower()}.{kind}"
    process = running.enter_context(
        subprocess.Popen(
            [str(program), name, *options],
            env=ENVIRONMENT | {"PYSPARK_PYTHON": sys.executable},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    )
    running.callback(lambda: os.killpg(process.pid, signal.SIGKILL))
    begun, told = threading.Event(), list[str]()

    def listen() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            if (found := re.search(_TOLD[kind], line)) and not begun.is_set():
                told.append(found[1])
                begun.set()

    threading.Thread(target=listen, daemon=True).start()
    return begun, told


def test_a_cluster_with_a_master_and_workers_makes_the_same(
    tmp_path: Path, folders: tuple[Path, Path], right: dict[str, object], master: str
) -> None:
    done = subprocess.run(words(tmp_path, folders, master), env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert results(tmp_path / "out") == right


def test_what_is_wrong_with_a_file_is_said_in_a_sentence(tmp_path: Path, folders: tuple[Path, Path]) -> None:
    """By a task; it is not tried again, and no trace of it is shown."""
    damaged = next(folders[1].glob("bucket=*/a.parquet"))
    content = damaged.read_bytes()
    damaged.write_bytes(content[:4] + bytes(len(content) // 2) + content[4 + len(content) // 2 :])
    done = subprocess.run(
        words(tmp_path, folders, "local[2]"), env=ENVIRONMENT, capture_output=True, text=True
    )
    assert done.returncode == 1
    said, right = done.stderr.splitlines()[-2:]
    assert said.startswith(f"Error: {damaged}: 无法读取")
    assert "can't be read" in said
    assert right == "    right: 请核对路径和权限 check the path and its permissions"
    assert "Traceback" not in done.stderr


def test_a_cluster_that_is_not_there_is_named(tmp_path: Path, folders: tuple[Path, Path]) -> None:
    done = subprocess.run(
        words(tmp_path, folders, "nowhere"), env=ENVIRONMENT, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "Spark could not do it: " in done.stderr.splitlines()[-1]


def test_who_has_no_spark_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.errors", None)
    with pytest.raises(SparkError, match="pip install"), on_spark("local[1]"):
        pass
