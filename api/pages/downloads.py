"""Lists as workbooks: what a page shows, of all its pages, for a spreadsheet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from tempfile import SpooledTemporaryFile
from typing import Any
from urllib.parse import urlencode

from flask import request, send_file
from werkzeug.wrappers import Response

from api.around import journal
from api.around.context import store
from api.http.problems import fail
from api.pages.language import plain
from rules.calendar import day_of
from rules.model import Title, Vocabulary
from scoring.answers.search import FACETS, Listed, facet_values
from scoring.characters.listings import Field, Kind, Listing, write_workbook
from scoring.characters.persons import without_persons
from scoring.runs.published import RunSummary

_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_IN_MEMORY = 1024 * 1024

AS_OF = Title("评价基准日", "As of")
PACK = Title("评价规则", "Pack")
NAME = Field(Title("名称", "Name"))
NUMBER = Field(Title("代码", "Number"))
TIER = Title("等级", "Tier")
SCORE = Title("得分", "Score")


def field(zh: str, en: str, kind: Kind = "text") -> Field:
    """A column."""
    return Field(Title(zh, en), kind)


def say(title: Title) -> str:
    """A title in the language of the pages."""
    return plain(title.zh, title.en)


def workbook(listing: Listing, name: str) -> Response:
    """A list as a file of XLSX; a long one waits on the disk."""
    journal.detail(export=name)
    file: SpooledTemporaryFile[bytes] = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  # closed with the answer
    write_workbook(listing, file, say)
    file.seek(0)
    return send_file(file, _TYPE, as_attachment=True, download_name=f"{name}.xlsx")


def asked(*given: tuple[Title, str | None]) -> tuple[tuple[Title, str], ...]:
    """What was asked for, without what was left open; a file that is taken away keeps no person's number."""
    return tuple((title, without_persons(value, is_sure=True)) for title, value in given if value)


def every(
    some: Callable[[Any, int], list[Any]], place: Callable[[Any], Any], at_once: int = 500
) -> Iterator[Any]:
    """The items of a list, page by page.

    :param some: gives up to so many from a place on.
    """
    after = None
    while found := some(after, at_once):
        yield from found
        after = place(found[-1])


def facet_titles(words: Vocabulary) -> dict[str, Title]:
    """By which attributes a vocabulary's subjects are narrowed, and what these are called."""
    columns = words.subject.columns
    return {name: columns[name].title for name in FACETS if name in columns}


def facets_asked() -> dict[str, str]:
    """The attributes that this request names."""
    return {name: value for name in FACETS if (value := request.args.get(name, "").strip())}


def facet_choices(run: RunSummary, words: Vocabulary) -> dict[str, dict[str, str]]:
    """What the select boxes of attributes offer: value → what it is called."""
    titles = facet_titles(words)
    return {
        name: {value: facet_word(words, name, value) for value in values}
        for name, values in facet_values(store(), run).items()
        if name in titles
    }


def facet_word(words: Vocabulary, name: str, value: str | None) -> str:
    """What a value of an attribute is called; nothing where it is not known."""
    if value is None:
        return ""
    title = words.subject.columns[name].values.get(value)
    return say(title) if title else value


def facet_row(words: Vocabulary, facets: Mapping[str, str | None]) -> dict[str, str]:
    """The attributes of a subject as a list shows them."""
    return {name: facet_word(words, name, facets.get(name)) for name in facet_titles(words)}


def facet_fields(words: Vocabulary) -> dict[str, Field]:
    """Their columns."""
    return {name: Field(title) for name, title in facet_titles(words).items()}


def listed_rows(rows: Iterable[Listed], words: Vocabulary) -> Iterator[dict[str, object]]:
    """Subjects as rows of a list."""
    for row in rows:
        yield {
            "name": row.name or row.subject_id,
            "subject_id": row.subject_id,
            **facet_row(words, row.facets),
            "tier": row.tier,
            "score": row.score,
            "next_change_on": row.next_change_on,
        }


def kept_query() -> str:
    """This request's parameters, but for the place in the list, as they go behind another address."""
    return urlencode([(name, value) for name, value in request.args.items() if value and name != "after"])


def day_asked(name: str) -> dt.date | None:
    """The day that a parameter of this request names; 400 where it is none."""
    given = request.args.get(name, "").strip()
    if not given:
        return None
    try:
        return day_of(given)
    except ValueError:
        fail("bad-request", Title("日期不对:YYYY-MM-DD", "not a date: YYYY-MM-DD"))
