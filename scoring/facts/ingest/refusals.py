"""Rows of an official form of which nothing is kept: what is theirs is neither stored nor shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rules.model import Title, Vocabulary
from scoring.characters.persons import has_person
from scoring.facts.ingest.cells import is_unknown
from scoring.facts.ingest.errors import Fault
from scoring.facts.ingest.folding import Cell, as_text, fold, fold_word
from scoring.facts.ingest.forms import Form, Refused

_HINT = Title("请从文件中删除此行", "take the row out of the file")


@dataclass(frozen=True, slots=True)
class Refuser:
    """Says which rows of a file are refused.

    :param places: field → its position.
    :param fillers: codes that stand for one that is not known.
    """

    form: Form
    places: Mapping[str, int]
    fillers: frozenset[str]

    @classmethod
    def of(cls, form: Form, places: Mapping[str, int], vocabulary: Vocabulary) -> Refuser:
        """The one for a file of the form, whose fields stand in these places."""
        key = vocabulary.subject.columns[vocabulary.subject.key]
        return cls(form, places, frozenset(key.fillers))

    def __call__(self, cells: Sequence[Cell]) -> tuple[int, Fault] | None:
        """Where a row says what it is refused for, and why; None where it is not refused."""
        for refused in self.form.refused:
            place = self.places.get(refused.field, -1)
            if 0 <= place < len(cells) and self._is(refused, cells, place):
                return place, Fault(self.form.because, _HINT)
        return None

    def _is(self, refused: Refused, cells: Sequence[Cell], place: int) -> bool:
        text = as_text(cells[place])
        if refused.identity:
            return has_person(text)
        if refused.says:
            return fold_word(text) in refused.says
        return self._says(text) and not any(
            self._says(as_text(cells[other]))
            for name in refused.without
            if (other := self.places.get(name, len(cells))) < len(cells)
        )

    def _says(self, text: str) -> bool:
        return not is_unknown(text) and fold(text).upper() not in self.fillers
