"""A batch whose data exceed its memory: it spills to disk, stays within bounds and gives the right answer."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
from waiting import PATIENCE

from rules.library.loader import load_text
from scoring.judging.engine import grade

LIMIT_MB = 120
SUBJECTS = 50_000
RECORDS_EACH = 40
PACK = """
pack: memory
version: "1"
title: Memory
subject:
  vocabulary: invented
  title: Invented
  subject: {key: subject_id, columns: {subject_id: {type: integer, title: Number}}}
  records:
    key: record_id
    subject: subject_id
    date: occurred_on
    columns:
      record_id: {type: integer, title: Number}
      subject_id: {type: integer, title: Subject}
      kind: {type: text, title: Kind}
      occurred_on: {type: date, title: Date}
in_force: {from: 2026-01-01}
score: {start: 100, min: 0, max: 100}
dimensions: [{id: conduct, title: Conduct}]
rules:
  - {id: late, title: Late, dimension: conduct, when: kind = 'late', points: -1, basis: own-choice,
     counts: {months: 12, from: occurred_on}}
  - {id: wrong, title: Wrong, dimension: conduct, when: kind = 'wrong', points: -2, cap: -30,
     basis: own-choice, counts: {months: 24, from: occurred_on}}
grades: [{tier: A, title: A, from: 60}, {tier: B, title: B, from: 0}]
"""


def test_a_batch_larger_than_its_memory_limit_spills_and_gives_the_right_answer(tmp_path: Path) -> None:
    ample, scarce = run(tmp_path / "ample", limit_mb=4096), run(tmp_path / "scarce", LIMIT_MB)
    half = SUBJECTS * RECORDS_EACH // 2
    for seen in (ample, scarce):
        assert seen["scores"] == [[100 * (100 - 20 - 30), "B", SUBJECTS]]
        assert seen["hits"] == [["late", half, -100 * half], ["wrong", half, -3000 * SUBJECTS]]
    assert ample["spilled_mb"] == 0
    assert ample["grown_mb"] > 2 * LIMIT_MB, "the batch was meant to need more than the limit"
    assert scarce["spilled_mb"] > 0
    assert scarce["grown_mb"] < 1.5 * LIMIT_MB


def run(folder: Path, limit_mb: int) -> dict[str, Any]:
    """What :func:`main` sees in a process of its own."""
    root = Path(__file__).parents[1]
    command = [sys.executable, __file__, str(folder), str(limit_mb)]
    env = {"PYTHONPATH": str(root)}
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr.decode()
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


def main(folder: str, limit_mb: int) -> None:
    """Grades in this process, and prints what came of it as JSON."""
    Path(folder).mkdir()
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{limit_mb}MB",
        "temp_directory": folder,
        "threads": 2,
    }
    with duckdb.connect(config=settings) as duck:
        duck.execute(f"create view subjects as select i as subject_id from range({SUBJECTS}) t(i)")
        duck.execute(
            f"create view records as select i as record_id, i % {SUBJECTS} as subject_id,"
            f" ['late', 'wrong'][1 + i // {SUBJECTS} % 2] as kind, date '2026-03-01' as occurred_on"
            f" from range({SUBJECTS * RECORDS_EACH}) t(i)"
        )
        before = peak_mb()
        grade(duck, load_text(PACK, "memory.yaml"), dt.date(2026, 6, 1))
        grown = peak_mb() - before
        scores = "select score, tier, count(*) from scores group by all"
        hits = "select rule, count(*), cast(sum(points) as bigint) from hits group by rule order by rule"
        seen = {
            "scores": duck.execute(scores).fetchall(),
            "hits": duck.execute(hits).fetchall(),
            "spilled_mb": sum(file.stat().st_size for file in Path(folder).iterdir()) // 2**20,
            "grown_mb": grown,
        }
    print(json.dumps(seen))


def peak_mb() -> int:
    """The most memory that this process has had so far; ``getrusage`` would count its parent's too."""
    [line] = [at for at in Path("/proc/self/status").read_text().splitlines() if at.startswith("VmHWM")]
    return int(line.split()[1]) // 1024


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
