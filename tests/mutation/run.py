"""What the tests would not notice: small mistakes put into the code, one at a time, each time the tests run.

    make mutants                    # 200 mistakes drawn by seed 1, on two cores: an hour or two
    python tests/mutation/run.py --sample 40 --seed 7 --group judging

cosmic-ray makes the mutations. Each worker has a clone of the last commit to itself. First the nearest tests
run there as they are, once for all seeds of a commit: they must pass, for one that fails anyway would seem to
catch everything, and it is noted which lines each of them passes. Of a mistake those run that pass its line,
the ones that look at little else first, and then all. The result is a line a mistake, with the test that saw
it or else with its difference, and the share of those that were caught, for each group and in all; exit code
1 below :data:`BOUND`. docs/testing.md holds the last figure.
"""

from __future__ import annotations

import argparse
import ast
import compileall
import multiprocessing
import os
import py_compile
import random
import re
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast_from_path
from cosmic_ray.mutating import mutate_and_test, mutate_code
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_item import MutationSpec, TestOutcome
from passing import DATA, Passing

BOUND = 0.9
CPU_SECONDS = 900
"""Of the processor, for the tests of one mutation; one that turns for ever counts as caught."""

TIMEOUT = 7200.0
"""By the clock; a mutation whose tests wait so long is left out, for the machine may only have been busy."""

WAITED = "left out: its tests waited too long"

PYTEST = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
ON_SQLITE = ["-k", "not postgresql", "-m", "not alone"]

FIRST = 20
"""So many tests are loaded first: most mistakes are seen by them, and all tests take their time to load."""

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
    """Modules, and the tests that hold them to their word: those nearest, and those that also pass them."""

    modules: tuple[str, ...]
    near: tuple[str, ...]
    far: tuple[str, ...]


GROUPS = {
    "rules": Group(
        ("rules/*.py", "rules/*/*.py", "rules/tools/*/*.py"),
        ("tests/language", "tests/test_evaluate.py", "tests/tools", "tests/test_docstrings.py",
         "tests/answers/test_proofs.py"),
        ("tests/test_differential.py", "tests/packs"),
    ),
    "judging": Group(
        ("scoring/judging/*.py", "scoring/judging/one/*.py", "scoring/answers/group_measures.py",
         "scoring/answers/why_not.py", "scoring/answers/explain.py"),
        ("tests/judging", "tests/answers", "tests/cli/test_explain.py", "tests/test_timeline.py",
         "tests/test_boundaries.py", "tests/packs", "tests/test_differential.py", "tests/live",
         "tests/test_docstrings.py"),
        ("tests/cli", "tests/store", "tests/api/test_subjects.py", "tests/country/test_ranks.py"),
    ),
    "facts": Group(
        ("scoring/facts/ingest/*.py", "scoring/facts/records.py", "scoring/facts/objections.py",
         "scoring/facts/objection_case.py", "scoring/facts/objection_desk.py", "scoring/facts/cases.py",
         "scoring/facts/desk.py", "scoring/facts/repair*.py", "scoring/facts/consequences.py",
         "scoring/facts/lifting.py", "scoring/facts/publicity.py",
         "scoring/answers/search.py", "scoring/facts/bodies.py", "scoring/facts/settling.py",
         "scoring/facts/feeds.py", "scoring/facts/feeding.py", "scoring/facts/visit_results.py",
         "scoring/facts/confirming.py", "scoring/answers/credit_report/*.py",
         "scoring/inspections/*.py"),
        ("tests/ingest", "tests/test_promises.py", "tests/test_bodies.py", "tests/api/test_lookup.py",
         "tests/api/test_ownership.py", "tests/api/test_records.py", "tests/api/test_settling.py",
         "tests/inspections", "tests/api/test_visits.py", "tests/api/test_objections.py",
         "tests/api/test_repairs.py", "tests/api/test_consequences.py", "tests/api/test_subjects.py",
         "tests/api/test_feeds.py", "tests/api/test_record_proposals.py", "tests/api/test_credit_reports.py",
         "tests/answers/test_credit_report.py", "tests/store/test_population_forecast.py",
         "tests/api/test_forecasts.py"),
        ("tests/test_ways_in.py",),
    ),
    "store": Group(
        ("scoring/store/*.py", "scoring/facts/*.py", "scoring/facts/columns/*.py", "scoring/runs/*.py",
         "scoring/answers/notices/*.py"),
        ("tests/store", "tests/answers/test_replay.py", "tests/cli/test_files.py", "tests/api/test_runs.py",
         "tests/api/test_proposals.py", "tests/answers/test_notices.py", "tests/api/test_records.py",
         "tests/api/test_feeds.py", "tests/ingest/test_feeds.py"),
        ("tests/ingest", "tests/api", "tests/cli/test_score.py"),
    ),
    "changes": Group(
        ("scoring/changes/*.py", "scoring/store/changes.py", "api/resources/changes.py",
         "api/resources/subscriptions.py"),
        ("tests/api/test_changes.py", "tests/api/test_deliveries.py", "tests/test_docstrings.py",
         "tests/test_promises.py"),
        ("tests/api/test_paging.py", "tests/pages/test_receivers_page.py"),
    ),
    "access": Group(
        ("scoring/access/*.py", "scoring/runs/jobs.py", "scoring/runs/leases.py",
         "api/*.py", "api/around/*.py", "api/http/*.py"),
        ("tests/test_promises.py", *(f"tests/api/test_{name}.py" for name in (
            "access", "anchors", "audit", "consents", "crowd", "edge", "ends", "errors", "idempotency",
            "jobs", "keys", "lender_checks", "odd_requests", "packs", "readiness", "runs", "subjects")),
            "tests/pages/test_error_pages.py", "tests/pages/test_sign_in.py"),
        ("tests/api", "tests/pages"),
    ),
}  # fmt: skip


def main() -> int:
    """Draw, run, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sample", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--group", choices=GROUPS, action="append")
    parser.add_argument(
        "--quick", action="store_true", help="the tests that pass a line alone: at least so many are caught"
    )
    parser.add_argument("--list", action="store_true", help="show what is drawn, and run nothing")
    given = parser.parse_args()
    root = Path(__file__).parents[2]
    os.chdir(root)
    groups = given.group or list(GROUPS)
    drawn = list(_draw(groups, given.sample, given.seed))
    if given.list:
        for group, item in drawn:
            print(group, _name(item), _difference(item), sep="\n")
        return 0
    kept = _kept(root)
    outcomes: Counter[tuple[str, bool]] = Counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        multiprocessing.Pool(given.jobs, _move_in, (root, folder)) as pool,
    ):
        for failing in filter(None, pool.imap_unordered(_pass, [(group, kept) for group in groups])):
            print(failing)
            return 1
        passing = {group: Passing(kept / group) for group in groups}
        tests = (passing[group].tests_of(item.module_path, item.start_pos[0]) for group, item in drawn)
        tries = [(*one, found, given.quick) for one, found in zip(drawn, tests, strict=True)]
        for group, name, seen_by, diff in pool.imap_unordered(_try, tries):
            print(f"{group} {name}: {seen_by or 'survived'}", flush=True)
            if seen_by == WAITED:
                continue
            outcomes[group, bool(seen_by)] += 1
            if not seen_by:
                print(diff, flush=True)
    for group in groups:
        print(f"{group}: {outcomes[group, True]} of {outcomes[group, True] + outcomes[group, False]} caught")
    caught = sum(outcomes[group, True] for group in groups)
    share = caught / outcomes.total() if outcomes else 0.0
    print(f"{caught} of {outcomes.total()} caught: {share:.0%}")
    return 0 if share >= BOUND else 1


def _draw(groups: list[str], sample: int, seed: int) -> Iterator[tuple[str, MutationSpec]]:
    """As many mutations of each group, the same for the same seed and code."""
    for name in groups:
        chance = random.Random(f"{seed} {name}")
        paths = sorted(path for pattern in GROUPS[name].modules for path in Path().glob(pattern))
        found = [mutation for path in paths for mutation in _mutations(path)]
        yield from ((name, item) for item in chance.sample(found, min(sample // len(groups), len(found))))


def _mutations(path: Path) -> Iterator[MutationSpec]:
    nodes = list(ast_nodes(get_ast_from_path(path)))
    silent = list(_silent(ast.parse(path.read_text(encoding="utf-8"))))
    for name in sorted(OPERATORS):
        positions = (place for node in nodes for place in get_operator(name)().mutation_positions(node))
        for occurrence, (start, end) in enumerate(positions):
            if not any(begins <= start < ends for begins, ends in silent):
                yield MutationSpec(path, name, occurrence, start, end)


def _name(mutation: MutationSpec) -> str:
    return f"{mutation.module_path}:{mutation.start_pos[0]} {mutation.operator_name.removeprefix('core/')}"


def _difference(mutation: MutationSpec) -> str:
    before = mutation.module_path.read_text(encoding="utf-8")
    after = mutate_code(before, get_operator(mutation.operator_name)(), mutation.occurrence) or before
    lines = unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return "\n".join(list(lines)[3:])


def _silent(tree: ast.Module) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Where a mutation changes nothing that a test could see: types, how a dataclass is laid out, the size of
    a cache, and ``strict`` where what is zipped has one length by construction.
    """
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(returns=kind) | ast.arg(annotation=kind) | ast.AnnAssign(annotation=kind):
                still: list[ast.expr | ast.stmt] = [kind] if kind else []
            case ast.Call(func=ast.Name(id="dataclass" | "lru_cache")):
                still = [node]
            case ast.keyword(arg="strict"):
                still = [node.value]
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                still = [node]
            case _:
                continue
        for part in still:
            yield (part.lineno, part.col_offset), (part.end_lineno or 0, part.end_col_offset or 0)


def _move_in(root: Path, folder: str) -> None:
    """A clone for this worker, which its tests import from; compiled once, each module known by its text."""
    home = Path(tempfile.mkdtemp(dir=folder))
    subprocess.run(["git", "clone", "--quiet", "--shared", str(root), str(home)], check=True)
    compileall.compile_dir(home, quiet=1, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
    os.chdir(home)
    os.environ["PYTHONPATH"] = str(home)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))


def _kept(root: Path) -> Path:
    """The directory of what was noted of the last commit; what was noted of others is gone."""
    commit = subprocess.check_output(["git", "rev-parse", "HEAD"], text=True).strip()
    kept = root / ".mutation_cache" / commit
    for other in kept.parent.glob("*"):
        if other != kept:
            shutil.rmtree(other)
    kept.mkdir(parents=True, exist_ok=True)
    return kept


def _pass(noted: tuple[str, Path]) -> str:
    """Note which lines the tests near a group pass; what they say where they fail without a mistake."""
    group, kept = noted
    if (kept / group).exists():
        return ""
    part = kept / f"{group}.part"
    part.unlink(missing_ok=True)
    command = [*PYTEST, *ON_SQLITE, "-p", "passing", *map(str, _files(GROUPS[group].near))]
    there = os.environ | {DATA: str(part), "PYTHONPATH": f"{Path.cwd()}:{Path(__file__).parent}"}
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=there)
    if ended.returncode:
        return ended.stdout + ended.stderr
    part.rename(kept / group)
    return ""


def _try(drawn: tuple[str, MutationSpec, list[str], bool]) -> tuple[str, str, str, str]:
    """The group, the mutation, the test that saw it (or nothing), the difference."""
    group, mutation, passing, is_quick = drawn
    name = _name(mutation)
    diff = ""
    for tests in _in_order(group, passing, is_quick):
        result = mutate_and_test([mutation], shlex.join([*PYTEST, *tests]), TIMEOUT)
        diff = result.diff or ""
        if result.test_outcome is not TestOutcome.SURVIVED:
            if result.output == "timeout":
                return group, name, WAITED, ""
            seen = re.search(r"^(?:FAILED|ERROR) (\S+)", result.output or "", re.MULTILINE)
            return group, name, seen[1] if seen else "the tests could not run, or never ended", ""
    return group, name, "", diff


def _in_order(group: str, passing: list[str], is_quick: bool) -> Iterator[list[str]]:
    """What to run: the tests that pass the line, on SQLite alone, a few of them first; then all.

    Of a module that none is seen to pass, such as one of tables alone, all run whatever is asked for.
    """
    asked = Path(f"../{os.getpid()}.tests")
    for some in filter(None, (passing[:FIRST], passing[FIRST:])):
        asked.write_text("\n".join(some), encoding="utf-8")
        yield [*ON_SQLITE, f"@{asked}"]
    if not is_quick or not passing:
        near, far = _files(GROUPS[group].near), _files(GROUPS[group].far)
        yield [str(file) for file in dict.fromkeys(near + far)]


def _files(tests: tuple[str, ...]) -> list[Path]:
    paths = [Path(test) for test in tests]
    return [file for path in paths for file in (sorted(path.glob("test_*.py")) or [path])]


if __name__ == "__main__":
    raise SystemExit(main())
