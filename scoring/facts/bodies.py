"""The register of public bodies: who is meant by a name, whoever writes it and however.

The register is data: the subjects of the vocabulary ``department``, taken in from files. A body goes by its
number and its name, by other names that it has (``other_names``: 国家税务总局云衡区税务局 beside
云衡区税务局) and by its former one. Whose a record is, whose key asks and whose
ticket it is are decided here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.titles import Title, UnknownError
from scoring.facts.ingest.folding import fold_name, fold_text, fold_word
from scoring.facts.merging import SameBody
from scoring.facts.noted import Rejected
from scoring.facts.staging import Staged
from scoring.store import Store
from scoring.store.models import SubjectVersion

VOCABULARY = "department"
OTHER_NAMES = "other_names"
_BETWEEN = re.compile("[;；、|]")


class UnknownBodyError(UnknownError):
    """No public body goes by a name, or more than one does; the message says which."""


@dataclass(frozen=True, slots=True)
class Body:
    """A public body by all its names.

    :param own: its number and its name: nobody's other name comes before them.
    :param others: the names that it also has.
    :param former: what it was called before.
    """

    subject_id: str
    own: tuple[str, ...]
    others: tuple[str, ...]
    former: tuple[str, ...]

    @property
    def name(self) -> str:
        """What it is called now."""
        return fold_name(self.own[-1])


@dataclass(frozen=True)
class Register:
    """The public bodies as they are known at a moment."""

    bodies: Sequence[Body]

    def body(self, name: str) -> Body:
        """The body that goes by a name: by its own before others' other names, by those before former ones.

        :raises UnknownBodyError: where there is none, or there are several.
        """
        for names in self._claims:
            claimed = names.get(fold_word(name), [])
            if len(claimed) > 1:
                numbers = [body.subject_id for body in claimed]
                raise UnknownBodyError(
                    Title(
                        f"单位{'、'.join(numbers)}都称{name}",
                        f"the public bodies {' and '.join(numbers)} both go by the name {name}",
                    )
                )
            if claimed:
                return claimed[0]
        raise UnknownBodyError(Title(f"没有名为{name}的单位", f"no public body is called {name}"))

    def near(self, name: str) -> str | None:
        """The name that nobody's name is closest to; None where it is somebody's, or far from each."""
        known = [one for body in self.bodies for one in (*body.own, *body.others, *body.former)]
        names, sought = {fold_word(one): one for one in known}, fold_word(name)
        close = get_close_matches(sought, names, n=1)
        return names[close[0]] if close and sought not in names else None

    def names(self, organisation: str) -> frozenset[str]:
        """Every name under which records are this organisation's own; of one not registered its own alone."""
        given = _spellings(organisation)
        try:
            body = self.body(organisation)
        except UnknownBodyError:
            return given
        names = (name for name in (*body.own, *body.others, *body.former) if self._means(name, body))
        return given.union(*map(_spellings, names))

    def title(self, name: str) -> str:
        """What the body of a name is called now; the name itself where it is nobody's."""
        try:
            return self.body(name).name
        except UnknownBodyError:
            return name

    def is_same(self, one: str, other: str) -> bool:
        """Whether two names are one body's; names that are not one body's, by the text."""
        return self.identity(one) == self.identity(other)

    def identity(self, name: str) -> str:
        """What is the same of every name of a body: its number; of a name that is no body's, its text."""
        try:
            return self.body(name).subject_id
        except UnknownBodyError:
            return fold_name(name)

    def _means(self, name: str, body: Body) -> bool:
        try:
            return self.body(name) is body
        except UnknownBodyError:
            return False

    @cached_property
    def _claims(self) -> tuple[Mapping[str, list[Body]], ...]:
        """Bodies by each name, folded: by their own names, by other names, by former ones."""
        return (
            _by_name((name, body) for body in self.bodies for name in dict.fromkeys(body.own)),
            _by_name((name, body) for body in self.bodies for name in body.others),
            _by_name((name, body) for body in self.bodies for name in body.former),
        )


def register(session: Session) -> Register:
    """The register as it stands now."""
    query = sa.select(SubjectVersion.subject_id, SubjectVersion.data).where(
        SubjectVersion.vocabulary == VOCABULARY, SubjectVersion.known_until.is_(None)
    )
    rows = session.execute(query.order_by(SubjectVersion.subject_id))
    return Register([_body(subject_id, json.loads(data)) for subject_id, data in rows])


def same_body(identity: Callable[[str], str]) -> SameBody:
    """Whether two names are one body's, by what is the same of every name of a body (:func:`identity_of`)."""
    return lambda one, other: identity(one) == identity(other)


def identity_of(store: Store) -> Callable[[str], str]:
    """What is the same of every name of a body, by the register as it stands when that is first asked."""

    @cache
    def known() -> Register:
        with store.reading() as session:
            return register(session)

    return lambda name: known().identity(name)


def body_called(store: Store, name: str) -> Body:
    """The public body that goes by a name.

    :raises UnknownBodyError: where there is none, or there are several.
    """
    with store.reading() as session:
        return register(session).body(name)


def claimed_twice(session: Session, rows: Sequence[Staged]) -> Iterator[Rejected]:
    """Which rows of a file of bodies share an other name with another body: whose would its records be?"""
    arriving = [_body(row.key, json.loads(row.data)) for row in rows]
    again = {body.subject_id for body in arriving}
    stay = [body for body in register(session).bodies if body.subject_id not in again]
    own = {fold_word(name): body.subject_id for body in (*arriving, *stay) for name in body.own}
    others = {fold_word(name): body.subject_id for body in stay for name in body.others}
    for row, body in zip(rows, arriving, strict=True):
        clash = next(_clashes(body, own, others), None)
        if clash is None:
            others.update((fold_word(name), body.subject_id) for name in body.others)
        else:
            name, holder = clash
            reason = Title(
                f"名称“{name}”已属于单位{holder}", f"the name is already that of the body {holder}"
            )
            column = "name" if name in body.own else OTHER_NAMES
            yield Rejected(row.row_no, column, name, reason.both, sheet=row.sheet)


def _clashes(body: Body, own: Mapping[str, str], others: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The body's names that are another's, with that body; two bodies of one proper name are no clash."""
    asked = [(name, (others,)) for name in body.own] + [(name, (own, others)) for name in body.others]
    for name, claims in asked:
        for holder in (claimed.get(fold_word(name)) for claimed in claims):
            if holder not in (None, body.subject_id):
                yield name, str(holder)


def _body(subject_id: str, row: Mapping[str, Any]) -> Body:
    own = (subject_id, str(row.get("name") or subject_id))
    return Body(subject_id, own, tuple(_names(row.get(OTHER_NAMES))), tuple(_names(row.get("former_name"))))


def _spellings(name: str) -> frozenset[str]:
    """A name as records are kept under it, and as it was given: so older ones may be."""
    return frozenset({fold_text(name), fold_name(name)})


def _names(text: Any) -> Iterator[str]:
    return (name.strip() for name in _BETWEEN.split(str(text or "")) if name.strip())


def _by_name(claims: Iterable[tuple[str, Body]]) -> dict[str, list[Body]]:
    found: dict[str, list[Body]] = {}
    for name, body in claims:
        holders = found.setdefault(fold_word(name), [])
        if body not in holders:
            holders.append(body)
    return found
