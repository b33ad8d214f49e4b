"""Which tests pass which line: a plugin of pytest (``-p passing``), and what it wrote.

What the tests' own processes pass is not seen, nor what a fixture of a session makes for any but the first
test that asks for it: what is passed while a test is set up counts for all tests of its file.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from coverage import Coverage, CoverageData

DATA = "XINHENG_PASSING"
"""The variable of the environment that names the file to write; without it nothing is written."""

_MODULES = ("rules", "scoring", "api")


class Passing:
    """What was written of a run of the tests, and is read for many lines."""

    def __init__(self, data: Path) -> None:
        self._data = CoverageData(str(data))
        self._data.read()
        self._modules = {Path(name): name for name in self._data.measured_files()}
        self._breadth: Counter[str] = Counter()
        for module in self._modules:
            for tests in self._tests_by_line(module).values():
                self._breadth.update(tests)

    def tests_of(self, module: Path, line: int) -> list[str]:
        """The tests, and files of tests, that pass a line: those first that pass the fewest others.

        For a line that runs when its module is imported they are those that pass the module at all.
        """
        lines = self._tests_by_line(module)
        passed = max((one for one in lines if one <= line), default=0)
        found = lines.get(passed) or frozenset().union(*lines.values())
        return sorted(found, key=lambda test: ("::" not in test, self._breadth[test], test))

    def _tests_by_line(self, module: Path) -> dict[int, frozenset[str]]:
        by_line = self._data.contexts_by_lineno(self._modules.get(module, ""))
        return {line: frozenset(tests) - {""} for line, tests in by_line.items()}


if DATA in os.environ:
    _coverage = Coverage(data_file=os.environ[DATA], source=list(_MODULES), config_file=False)
    _coverage.set_option("run:relative_files", True)
    _coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
        yield from _passing(item.nodeid.partition("::")[0])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
        yield from _passing(item.nodeid)

    def pytest_sessionfinish() -> None:
        _coverage.stop()
        _coverage.save()


def _passing(context: str) -> Iterator[None]:
    _coverage.switch_context(context)
    try:
        return (yield)
    finally:
        _coverage.switch_context("")
