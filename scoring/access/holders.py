"""Whose a key is: a number that can be no subject's opens nothing, a name that no body has opens little."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.library.loader import load_vocabulary, vocabulary_names
from rules.model import Vocabulary
from rules.titles import Title
from scoring.answers.timelines import unknown_subject
from scoring.facts.bodies import UnknownBodyError, register
from scoring.facts.ingest.keys import ENTERPRISES, doubt_of_key, subject_key
from scoring.store.models import SubjectVersion


def doubt_of_body(session: Session, name: str) -> Title | None:
    """Why a name may be no public body's: what the register says, with the nearest of its names."""
    bodies = register(session)
    try:
        bodies.body(name)
    except UnknownBodyError as error:
        near = bodies.near(name)
        zh, en = (f";是否为:{near}", f"; perhaps {near}") if near else ("", "")
        return Title(
            f"{error.title.zh},密钥只对这一名称有效{zh}",
            f"{error.title.en}: the key goes by that name alone{en}",
        )
    return None


def doubt_of_subject(session: Session, given: str) -> Title | None:
    """Why a key of this number opens nothing yet: nobody that is known has it."""
    spellings = {subject_key(name, given) for name in vocabulary_names()}
    query = sa.select(SubjectVersion.subject_id).where(
        SubjectVersion.subject_id.in_(spellings), SubjectVersion.known_until.is_(None)
    )
    if session.scalar(query.limit(1)) is not None:
        return None
    return Title(f"尚无主体{given}的信息", f"nothing is known of a subject {given} yet")


def is_impossible(session: Session, given: str) -> Title | None:
    """Why a number that nobody has can be nobody's, with those that are one sign from it.

    Vocabularies whose numbers have no form of their own (``rural``) are not asked: any text would be one.
    """
    if any(doubt_of_key(vocabulary, given) is None for vocabulary in _with_form()):
        return None
    title = Title(f"没有主体{given}", f"there is no subject {given}")
    return unknown_subject(session, ENTERPRISES, given, title).told


def _with_form() -> Iterator[Vocabulary]:
    for vocabulary in map(load_vocabulary, vocabulary_names()):
        if vocabulary.subject.columns[vocabulary.subject.key].format is not None:
            yield vocabulary
