"""What the tests would not notice: small mistakes put into the code, one at a time, each time the tests run.

    make mutants                    # 200 mistakes drawn by seed 1, on two cores: an hour or two
    python tests/mutation/run.py --sample 40 --seed 7 --group judging

cosmic-ray makes the mutations. Each worker has a clone of the last commit to itself. The result is a line a
mistake that no test saw, with its difference, and the share of those that were caught; exit code 1 below
:data:`BOUND`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import shlex
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cosmic_ray.commands.init import init
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import TestOutcome, WorkItem

BOUND = 0.9
TIMEOUT = 900.0
"""Seconds for the tests of one mutation; one that never ends counts as caught."""

OPERATORS = frozenset(
    f"core/{name}"
    for name in (
        *(f"ReplaceComparisonOperator_{a}_{b}" for a, b in (("Lt", "LtE"), ("LtE", "Lt"), ("Gt", "GtE"))),
        *(f"ReplaceComparisonOperator_{a}_{b}" for a, b in (("GtE", "Gt"), ("Eq", "NotEq"), ("NotEq", "Eq"))),
        *(f"ReplaceComparisonOperator_{a}_{b}" for a, b in (("Is", "IsNot"), ("IsNot", "Is"))),
        *(f"ReplaceBinaryOperator_{a}_{b}" for a, b in (("Add", "Sub"), ("Sub", "Add"), ("Mul", "Div"))),
        *(f"ReplaceBinaryOperator_{a}_{b}" for a, b in (("FloorDiv", "Mul"), ("Mod", "Mul"))),
        *("AddNot", "ReplaceAndWithOr", "ReplaceOrWithAnd", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue"),
        *("NumberReplacer", "ZeroIterationForLoop", "ReplaceBreakWithContinue", "ReplaceContinueWithBreak"),
        *("ReplaceUnaryOperator_Delete_Not", "ReplaceUnaryOperator_USub_UAdd"),
    )
)
"""The mistakes that people make. ``|`` stays: in annotations it changes nothing."""


@dataclass(frozen=True, slots=True)
class Group:
    """Modules, and the tests that hold them to their word, the quickest first."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]


GROUPS = {
    "rules": Group(
        ("rules/*.py", "rules/meaning/*.py", "rules/lint/*.py"),
        ("tests/language", "tests/test_evaluate.py", "tests/tools", "tests/test_differential.py",
         "tests/packs"),
    ),
    "judging": Group(
        ("scoring/engine.py", "scoring/joins.py", "scoring/measures.py", "scoring/pools.py", "scoring/sql.py",
         "scoring/judging/*.py", "scoring/group_measures.py", "scoring/misses.py", "scoring/explain.py"),
        ("tests/test_timeline.py", "tests/test_differential.py", "tests/packs", "tests/live",
         "tests/cli/test_explain.py", "tests/cli", "tests/api/test_subjects.py"),
    ),
    "facts": Group(
        ("scoring/ingest/*.py", "scoring/records.py", "scoring/marks.py", "scoring/lookup.py",
         "scoring/bodies.py", "scoring/settling.py"),
        ("tests/ingest", "tests/test_bodies.py", "tests/test_ways_in.py", "tests/api/test_records.py",
         "tests/api/test_ownership.py", "tests/api/test_settling.py", "tests/api/test_subjects.py"),
    ),
    "store": Group(
        ("scoring/store/*.py", "scoring/results.py", "scoring/runs.py"),
        ("tests/store", "tests/ingest", "tests/api/test_runs.py", "tests/cli/test_score.py"),
    ),
    "access": Group(
        ("scoring/keys.py", "scoring/audit.py", "scoring/jobs.py", "scoring/lending.py",
         "scoring/consents.py", "scoring/anchors.py", "scoring/sessions.py", "api/*.py"),
        ("tests/api", "tests/pages/test_sign_in.py"),
    ),
}  # fmt: skip


def main() -> int:
    """Draw, run, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sample", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--group", choices=GROUPS, action="append")
    given = parser.parse_args()
    root = Path(__file__).parents[2]
    drawn = list(_draw(root, given.group or list(GROUPS), given.sample, given.seed))
    outcomes: Counter[str] = Counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        multiprocessing.Pool(given.jobs, _move_in, (root, folder)) as pool,
    ):
        for name, outcome, diff in pool.imap_unordered(_try, drawn):
            outcomes[outcome] += 1
            print(f"{sum(outcomes.values())}/{len(drawn)} {outcome}: {name}", flush=True)
            if outcome == "survived":
                print(diff, flush=True)
    tried = outcomes["caught"] + outcomes["survived"]
    share = outcomes["caught"] / tried if tried else 0.0
    print(f"{outcomes['caught']} of {tried} caught: {share:.0%}")
    return 0 if share >= BOUND else 1


def _draw(root: Path, groups: list[str], sample: int, seed: int) -> Iterator[tuple[str, WorkItem]]:
    """As many mutations of each group, the same for the same seed and code."""
    chance = random.Random(seed)
    for name in groups:
        items = _items(root, GROUPS[name])
        yield from ((name, item) for item in chance.sample(items, min(sample // len(groups), len(items))))


def _items(root: Path, group: Group) -> list[WorkItem]:
    os.chdir(root)
    paths = sorted(path for pattern in group.modules for path in Path().glob(pattern))
    with tempfile.TemporaryDirectory() as folder, use_db(f"{folder}/work.db", WorkDB.Mode.create) as work:
        init(paths, work, {})
        items = [item for item in work.work_items if item.mutations[0].operator_name in OPERATORS]
    return sorted(items, key=lambda item: str(item.mutations))


def _move_in(root: Path, folder: str) -> None:
    """A clone for this worker, which its tests import from."""
    home = Path(tempfile.mkdtemp(dir=folder))
    subprocess.run(["git", "clone", "--quiet", "--shared", str(root), str(home)], check=True)
    os.chdir(home)
    os.environ["PYTHONPATH"] = str(home)


def _try(drawn: tuple[str, WorkItem]) -> tuple[str, str, str]:
    group, item = drawn
    mutation = item.mutations[0]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *GROUPS[group].tests]
    result = mutate_and_test(item.mutations, shlex.join(command), TIMEOUT)
    caught = result.test_outcome is not TestOutcome.SURVIVED
    name = f"{mutation.module_path}:{mutation.start_pos[0]} {mutation.operator_name.removeprefix('core/')}"
    return name, "caught" if caught else "survived", result.diff or ""


if __name__ == "__main__":
    raise SystemExit(main())
