"""Which vocabulary a file speaks: its own headers, and the codes below them, say it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

import sqlalchemy as sa

from rules.library.loader import load_vocabulary, vocabulary_names
from rules.model import Title, Vocabulary
from scoring.characters.persons import without_persons
from scoring.facts.ingest.cells import converter
from scoring.facts.ingest.errors import Fault, IngestError
from scoring.facts.ingest.headers import HeaderMatcher
from scoring.facts.ingest.mapping import NO_MAPPING, Dataset, FileMapping
from scoring.facts.ingest.misread import doubt as misread
from scoring.facts.ingest.sheets import Row, named, open_sheets, visible
from scoring.store import Store
from scoring.store.models import RecordVersion, SubjectVersion

CLEARLY = 2
"""So many columns more must another vocabulary read before the one that was named is doubted (own choice)."""


@dataclass(frozen=True, slots=True)
class _Fit:
    """How well a vocabulary reads a file.

    :param complete: whether every required column is there.
    :param whole: whether every column that new rows need is there as well, or it is one of a form.
    :param columns: the columns recognised, without those most of whose first cells are no codes of theirs.
    :param strange: the first cells of the others that are none.
    :param headers: what was recognised.
    :param subjects: the subjects' keys in the first rows.
    :param records: the records' keys there.
    :param dataset: the table that it is read as; None where no header is known.
    """

    vocabulary: Vocabulary
    complete: bool
    whole: bool
    columns: int
    strange: int
    headers: tuple[str, ...]
    subjects: tuple[str, ...]
    records: tuple[str, ...]
    dataset: Dataset | None = None

    @property
    def rank(self) -> tuple[bool, bool, int, int]:
        return self.complete, self.whole, self.columns, -self.strange


class Look:
    """What the first rows of a file say of its vocabulary; they are read once, where they are asked.

    :param named: the vocabulary that somebody named; None: the one that reads the file best.
    :param is_certain: what was named is not doubted.
    """

    def __init__(
        self,
        path: Path,
        named: Vocabulary | None,
        is_certain: bool,
        mapping: FileMapping,
        dataset: Dataset | None = None,
    ) -> None:
        self._path, self._named, self._is_certain = path, named, is_certain
        self._mapping, self._dataset = mapping, dataset

    @cached_property
    def _fits(self) -> _Fits:
        if self._named is not None and self._is_certain:
            matchers = [HeaderMatcher(self._named, self._mapping, self._dataset)]
        else:
            matchers = list(_matchers(self._mapping, self._dataset).values())
        return _fits(matchers, _heads(self._path, matchers, self._mapping))

    @property
    def dataset(self) -> Dataset | None:
        """The table that the file holds, as far as its headers say it."""
        fits = self._fits.fits
        own = [fit for fit in fits if self._named is None or fit.vocabulary.id == self._named.id]
        return (own or fits)[0].dataset

    def vocabulary(self, store: Store) -> Vocabulary:
        """The vocabulary of the file: what was named, unless another one reads it clearly better; or the
        shared one that reads it best, and of several that read it equally well the one whose records, or
        subjects, the store knows.

        :raises IngestError: with the comparison, where none is clearly best, or another than was named.
        """
        if self._named is None:
            return _chosen(store, self._path, self._fits, self._mapping)
        if not self._is_certain:
            hint = Title(
                "请改用该词汇表,或在对照文件中写明",
                f"that vocabulary; or a mapping file that says vocabulary: {self._named.id}",
            )
            _check(self._named, self._path, self._fits, hint, "--vocabulary {}")
        return self._named


def check_file(named: Vocabulary, path: Path, dataset: Dataset) -> None:
    """Doubts that a file is of a vocabulary, as :class:`Look` does, where no other may be chosen.

    :raises IngestError: with the comparison.
    """
    matchers = list(_matchers(NO_MAPPING, dataset).values())
    check_heads(named, path, _heads(path, matchers, NO_MAPPING), dataset)


def check_heads(named: Vocabulary, path: Path, heads: Mapping[str, Sequence[Row]], dataset: Dataset) -> None:
    """As :func:`check_file`, by the first rows of each of the file's sheets."""
    matchers = list(_matchers(NO_MAPPING, dataset).values())
    hint = Title("请核对文件,或改用该主体的规则", "another file, or a pack of those it is about")
    _check(named, path, _fits(matchers, heads), hint, "--pack")


def _chosen(store: Store, path: Path, found: _Fits, mapping: FileMapping) -> Vocabulary:
    fits = found.fits
    best = [fit for fit in fits if fit.rank == fits[0].rank]
    if not fits[0].columns and found.sign:
        raise IngestError(
            path.name,
            Title(
                f"各列以“{found.sign}”分隔,无法读取",
                f"columns parted by {found.sign}, which is not read",
            ),
            Title("请以逗号、制表符或分号（半角）分隔", "commas, tabs or semicolons between them"),
        )
    if not fits[0].columns:
        doubt = found.misread
        known = "; ".join(f"{fit.vocabulary.id}: {_key_header(fit.vocabulary)}" for fit in fits)
        sheets = _sheets_told(path, found, mapping)
        reason = Title(
            f"表头不属于任何词汇表{doubt.zh}{sheets.zh}",
            f"no vocabulary knows a header of the file{doubt.en}{sheets.en}",
        )
        raise IngestError(path.name, reason, Title("至少需要编码列", f"the key's header at least: {known}"))
    if not fits[0].complete:
        return fits[0].vocabulary
    if len(best) > 1:
        counts = [_known(store, fit) for fit in best]
        best = [fit for fit, count in zip(best, counts, strict=True) if count == max(counts)]
    if len(best) == 1:
        _refuse_others(path, best[0].vocabulary, found.sheets)
        return best[0].vocabulary
    reason = Title(
        f"看不出适用哪个词汇表:{_compared(fits, '、')}",
        f"which vocabulary the file speaks is not clear: {_compared(fits, ', ')}",
    )
    hint = Title("请指明词汇表", "say which it is")
    raise IngestError(path.name, reason, hint, f"--vocabulary {best[0].vocabulary.id}")


def _sheets_told(path: Path, found: _Fits, mapping: FileMapping) -> Title:
    """Which sheets of a workbook were looked at, and which nobody sees and were not; of a CSV nothing."""
    with open_sheets(path, lambda rows: (0, 0), encoding=mapping.encoding) as sheets:
        states = {sheet.name: sheet.is_hidden for sheet in sheets if sheet.name is not None}
    read = [without_persons(name) for name in states if name in found.sheets]
    hidden = [
        without_persons(name) for name, is_hidden in states.items() if is_hidden and name not in found.sheets
    ]
    zh = [f"{name} 已读" for name in read] + [f"{name} 隐藏,未读" for name in hidden]
    en = [f"{name} read" for name in read] + [f"{name} hidden, not read" for name in hidden]
    return Title(f"（工作表：{'；'.join(zh)}）", f" (sheets: {'; '.join(en)})") if zh else Title("", "")


def _check(named: Vocabulary, path: Path, found: _Fits, hint: Title, option: str) -> None:
    """:param option: of the command line; braces in it stand for the better vocabulary."""
    fits = found.fits
    own = next((fit for fit in fits if fit.vocabulary.id == named.id), None)
    if own is None:
        return
    best = fits[0]
    if not _is_clearly_better(best, own):
        _refuse_others(path, named, found.sheets)
        return
    name = best.vocabulary.id
    reason = Title(
        f"文件不像{named.title.zh},而像{best.vocabulary.title.zh}:{_compared(fits, '、')}",
        f"the file does not read like {named.id}, but like {name}: {_compared(fits, ', ')}",
    )
    raise IngestError(path.name, reason, hint, option.format(name))


def _is_clearly_better(best: _Fit, own: _Fit) -> bool:
    return best.whole and best.columns >= own.columns + CLEARLY


def _refuse_others(path: Path, chosen: Vocabulary, sheets: Mapping[str, Sequence[_Fit]]) -> None:
    """Refuse a workbook in which the vocabulary would read a sheet that another one reads clearly better.

    :param sheets: how well each vocabulary reads each of them, the best first.
    """
    for name, fits in sheets.items():
        own = next(fit for fit in fits if fit.vocabulary.id == chosen.id)
        if own.complete and _is_clearly_better(fits[0], own):
            other = fits[0].vocabulary
            reason = Title(
                f"工作表“{name}”不像{chosen.title.zh},而像{other.title.zh}:{_compared(fits, '、')}",
                f"the sheet {name} does not read like {chosen.id}, but like {other.id}:"
                f" {_compared(fits, ', ')}",
            )
            hint = "a file for each, or mapping files that say sheet: and vocabulary:"
            raise IngestError(path.name, reason, Title("请分别存为文件,或用对照文件写明工作表和词汇表", hint))


_SOUND = Title("", "")


@dataclass(frozen=True, slots=True)
class _Fits:
    """How well each vocabulary reads a file, by the sheet that it reads best, and how well each sheet; the
    best first.

    :param sign: a sign that parts no cells, and stands several times in the one cell of a row.
    :param misread: what a text in it seems to say that was read in another encoding than it is in.
    """

    fits: Sequence[_Fit]
    sheets: Mapping[str, Sequence[_Fit]]
    sign: str = ""
    misread: Title = _SOUND


def _heads(
    path: Path, matchers: Sequence[HeaderMatcher], mapping: FileMapping
) -> Mapping[str, Sequence[Row]]:
    """The first rows of each sheet that is read."""
    head_rows = matchers[0].head_rows
    with open_sheets(
        path, lambda rows: max(matcher.score(rows) for matcher in matchers), head_rows, mapping.encoding
    ) as sheets:
        read = named(path, sheets, mapping.sheet) if mapping.sheet else visible(sheets)
        return {sheet.name or "": list(islice(sheet.rows, head_rows)) for sheet in read} or {"": []}


def _fits(matchers: Sequence[HeaderMatcher], heads: Mapping[str, Sequence[Row]]) -> _Fits:
    each = {name: [_fit(matcher, head) for matcher in matchers] for name, head in heads.items()}
    fits = [max(of_one, key=_rank) for of_one in zip(*each.values(), strict=True)]
    sign = next(filter(None, (_sign(row) for head in heads.values() for row in head)), "")
    rows = (cells for head in heads.values() for _, cells in head if not isinstance(cells, Fault))
    said = map(misread, (cell for cells in rows for cell in cells if isinstance(cell, str)))
    misread_as = next((doubt for doubt in said if doubt != _SOUND), _SOUND)
    return _Fits(_sorted(fits), {name: _sorted(some) for name, some in each.items()}, sign, misread_as)


def _sign(row: Row) -> str:
    text = str(row[1][0]) if not isinstance(row[1], Fault) and len(row[1]) == 1 else ""
    return next((sign for sign in "|，；、" if text.count(sign) > 1), "")


def _sorted(fits: Iterable[_Fit]) -> list[_Fit]:
    return sorted(fits, key=_rank, reverse=True)


def _rank(fit: _Fit) -> tuple[bool, bool, int, int]:
    return fit.rank


def _matchers(mapping: FileMapping, dataset: Dataset | None) -> Mapping[str, HeaderMatcher]:
    """A matcher for every shared vocabulary that has the table and the columns that the mapping names."""
    matchers, refused = {}, None
    for name in vocabulary_names():
        try:
            matchers[name] = HeaderMatcher(load_vocabulary(name), mapping, dataset)
        except IngestError as error:
            refused = error
    if not matchers and refused is not None:
        raise refused
    return matchers


def _fit(matcher: HeaderMatcher, head: Sequence[Row]) -> _Fit:
    best = matcher.best(head)
    if best is None or not best.columns:
        return _Fit(matcher.vocabulary, False, False, 0, 0, (), (), ())
    layout = matcher.read_as(best)
    cells = [row for number, row in head if number > layout.row and not isinstance(row, Fault)]
    unread = strange = 0
    keys: dict[str, tuple[str, ...]] = {}
    for found in layout.found:
        if found.source is None:
            column = [row[found.position] for row in cells if found.position < len(row)]
        else:
            column = [found.cell(row) for row in cells if len(row) >= layout.width]
        convert = converter(matcher.reading(layout, found))
        values = [convert(cell) for cell in column]
        if found.column.values:
            faults = sum(isinstance(value, Fault) for value in values)
            mostly = 2 * faults > sum(value is not None for value in values)
            unread, strange = unread + mostly, strange + faults * (not mostly)
        if found.column.name in matcher.required(layout.dataset):
            known = (str(value) for value in values if value and not isinstance(value, Fault))
            keys[found.column.name] = tuple(known)
    return _Fit(
        matcher.vocabulary,
        best.complete,
        best.complete and (best.form is not None or not best.lacking),
        best.columns - unread,
        strange,
        tuple(layout.headers[n] for n in sorted(best.form.named))
        if best.form
        else tuple(found.header for found in layout.found),
        keys.get(matcher.required(layout.dataset)[-1], ()),
        keys.get(layout.table.key, ()) if layout.dataset == "record" else (),
        layout.dataset,
    )


def _known(store: Store, fit: _Fit) -> tuple[int, ...]:
    """How many of the file's first records the store knows, and how many of their subjects."""
    keys = (
        (RecordVersion, RecordVersion.record_id, fit.records),
        (SubjectVersion, SubjectVersion.subject_id, fit.subjects),
    )
    queries = [
        sa.select(sa.func.count()).where(
            version.vocabulary == fit.vocabulary.id, version.known_until.is_(None), key.in_(some)
        )
        for version, key, some in keys
    ]
    with store.reading() as session:
        return tuple(session.scalar(query) or 0 for query in queries)


def _key_header(vocabulary: Vocabulary) -> str:
    return vocabulary.subject.columns[vocabulary.subject.key].title.zh


def _compared(fits: Sequence[_Fit], comma: str) -> str:
    return comma.join(f"{fit.vocabulary.id} {fit.columns}/{len(fit.headers)}" for fit in fits if fit.columns)
