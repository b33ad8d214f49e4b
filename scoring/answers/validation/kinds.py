"""The kinds of records that grades are held against."""

from __future__ import annotations

from collections.abc import Mapping

from rules.model import Title, Vocabulary


def kinds_of(vocabulary: Vocabulary) -> Mapping[str, Title]:
    """The codes of the column ``kind`` with their titles; none where records have no such column.

    >>> from rules.library.loader import load_vocabulary
    >>> str(kinds_of(load_vocabulary("enterprise"))["inspection"])
    '监督检查 Inspection'
    """
    columns = vocabulary.records.columns if vocabulary.records else {}
    return columns["kind"].values if "kind" in columns else {}
