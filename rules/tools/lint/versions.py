"""Versions of one pack: days on which none is in force, or two are."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from rules.model import Pack
from rules.tools.lint.finding import Finding, Severity


def lint_versions(packs: Sequence[Pack]) -> list[Finding]:
    """What is wrong between packs of one id: gaps and overlaps of the days in force, a version twice.

    >>> from datetime import date
    >>> from rules.library.loader import find_pack
    >>> pack = find_pack("tourism-credit", date(2026, 8, 31))
    >>> [found.check for found in lint_versions([pack, pack])]
    ['version-twice', 'version-twice', 'version-overlap']
    """
    ordered = sorted(packs, key=lambda pack: (pack.id, pack.in_force_from, pack.version))
    return [found for _, group in groupby(ordered, key=lambda p: p.id) for found in _versions(list(group))]


def _versions(packs: Sequence[Pack]) -> Iterator[Finding]:
    counts = Counter(pack.version for pack in packs)
    for pack in packs:
        if counts[pack.version] > 1:
            yield _finding(
                Severity.ERROR, "version-twice", pack, f"version {pack.version} is in several files"
            )
    for earlier, later in pairwise(packs):
        until = earlier.in_force_until or dt.date.max
        if later.in_force_from < until:
            shown = earlier.in_force_until or "further notice"
            message = f"is in force from {later.in_force_from}, but {earlier.version} is until {shown}"
            yield _finding(Severity.ERROR, "version-overlap", later, message)
        elif until < later.in_force_from:
            message = f"no version is in force from {until} until {later.in_force_from}"
            yield _finding(Severity.WARNING, "version-gap", later, message)


def _finding(severity: Severity, check: str, pack: Pack, message: str) -> Finding:
    return Finding(pack.place, severity, check, f"{pack.id} {pack.version}", message)
