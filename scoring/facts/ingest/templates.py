"""The empty workbooks that an office may fill in: of a table of a vocabulary, or of an official form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from rules.library.loader import load_vocabulary, vocabulary_names
from rules.model import Title
from scoring.facts.ingest.files import table_named
from scoring.facts.ingest.forms import form_named, forms_of
from scoring.facts.ingest.headers import TITLES
from scoring.facts.ingest.mapping import Dataset
from scoring.facts.ingest.workbooks import write_form_template, write_template
from scoring.facts.merging import AUTHORITY


def templates(is_office: bool) -> Iterator[tuple[str, str, Title]]:
    """Vocabulary, table or form, and title of each template.

    :param is_office: those alone by which an office sends its own records.

    >>> [name for vocabulary, name, _ in templates(is_office=True) if vocabulary == "enterprise"][:3]
    ['record', 'abnormal', 'market-penalty']
    """
    for words in map(load_vocabulary, vocabulary_names()):
        is_own = words.records is not None and AUTHORITY in words.records.columns
        tables: tuple[Dataset, ...] = ("subject", "record") if words.records else ("subject",)
        for table in tables:
            if not is_office or (table == "record" and is_own):
                title = TITLES[table]
                yield (
                    words.id,
                    table,
                    Title(f"{words.title.zh} · {title.zh}", f"{words.title.en} · {title.en}"),
                )
        yield from ((words.id, form.id, form.title) for form in forms_of(words.id))


def write_named_template(vocabulary: str, name: str, stream: IO[bytes]) -> None:
    """Write a template as a workbook.

    :param name: ``subject``, ``record`` or that of a form, which speaks its own vocabulary.
    :raises IngestError: where there is no such vocabulary, or no such table in it.
    """
    if name in TITLES:
        dataset: Dataset = "subject" if name == "subject" else "record"
        write_template(*table_named(vocabulary, dataset), stream)
    else:
        form = form_named(name)
        write_form_template(form, table_named(form.vocabulary, "record")[0], stream)
