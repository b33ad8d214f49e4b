"""Whom and what an address names: keys of records and subjects as one part of a path, in any spelling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypedDict
from urllib.parse import quote

from flask import Flask
from werkzeug.routing import BaseConverter, ValidationError

from api.around import journal
from api.around.access import ACCESS
from api.around.auth import own_data, who
from api.around.context import store
from api.around.request import current
from api.http.problems import Problem, fail
from rules.library.loader import installed_packs
from rules.model import Title, Vocabulary
from rules.titles import UnknownError
from scoring.answers.timelines import UnknownSubjectError
from scoring.facts.bodies import VOCABULARY as BODIES
from scoring.facts.bodies import body_called
from scoring.facts.ingest.keys import LONGEST_KEY, subject_key


def install(app: Flask) -> None:
    """Have routes take ``<key:record_id>``: a key may hold any character, slashes as well."""
    app.url_map.converters["key"] = KeyConverter
    app.url_map.merge_slashes = False  # two in a row may be a key's


LONGEST_SPELLING = 2 * LONGEST_KEY
"""Of a key with spaces and marks that do not count."""


class KeyConverter(BaseConverter):
    """A key in an address. Servers decode a path before it comes here, so ``%2F`` and ``/`` are one."""

    regex = ".+?"
    part_isolating = False

    def to_python(self, value: str) -> str:
        """The text as it was asked for.

        :raises ValidationError: where it is longer than any spelling of a key: such an address is not there,
            and goes into no log, of which PostgreSQL could keep it in no index.
        """
        if len(value) > LONGEST_SPELLING:
            raise ValidationError
        return value

    def to_url(self, value: Any) -> str:
        """The key with everything encoded that has a meaning in addresses."""
        return quote(str(value), safe="")


def subject_of(vocabulary: Vocabulary | str, given: str) -> str:
    """The subject that a request names, by its key as the store keeps it; so the audit log has it as well.

    :raises Problem: 404 where a subject names any other than itself, whether there is one or not.
    """
    key = subject_key(vocabulary, given)
    if who().subject not in (None, key):
        fail("not-found", Title(f"没有主体{given}", f"there is no subject {given}"))
    journal.subject(key)
    return key


def vocabulary_of(pack: str) -> Vocabulary | str:
    """The vocabulary of a pack's subjects; of a pack that is not installed a name that none has."""
    return next((found.vocabulary for found in installed_packs() if found.id == pack), "")


def not_found(error: UnknownError) -> Problem:
    """What was asked for by its name or number, and is not there; with the codes that are near it for those
    who may list subjects. A text that can be nobody's code is wrong in itself: 422."""
    key, listing = current().key, ACCESS["subjects.list_subjects"].roles or ()
    may_list = key is not None and key.role in listing
    told = error.told if may_list else error.title
    if isinstance(error, UnknownSubjectError) and error.doubt is not None:
        return Problem("invalid", told, [{"location": "path", "field": "subject_id", "message": error.doubt}])
    return Problem("not-found", told)


def own_body() -> str | None:
    """The public body of a department's key; None for all others. 404 where there is none."""
    own = own_data()
    if own is None:
        return None
    return body_called(store(), own).subject_id


@dataclass(frozen=True, slots=True)
class Own:
    """Whose records alone somebody sees: those about a subject, those of an authority; neither of who sees
    all."""

    subject_id: str | None
    authority: str | None


def own_records(vocabulary: str) -> Own:
    """Whose records of a vocabulary the caller alone sees.

    A department is graded as well: of the records about public bodies it sees, as who is graded, those about
    itself; of all others those that it made.

    :raises UnknownBodyError: where a department that is in no register asks for those about itself.
    """
    if vocabulary == BODIES and own_data() is not None:
        return Own(own_body(), None)
    return Own(who().subject, own_data())


class OwnTickets(TypedDict):
    """Whose tickets alone: those that a body has to solve, those that an enterprise has."""

    body: str | None
    enterprise: str | None


def own_tickets() -> OwnTickets:
    """Whose tickets alone the caller sees and moves; None and None for who sees all."""
    return {"body": own_body(), "enterprise": who().subject}
