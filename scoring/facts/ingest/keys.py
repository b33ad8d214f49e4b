"""The keys of subjects and records: what is asked for in any spelling is looked for in the one that is kept.

A key is read as its vocabulary's column says, by the converter that reads the cells of files: widths, spaces
and marks that nobody sees do not make another key, and a credit code is upper case. So a key has one
identity, whether it comes in a file, in JSON, in an address or on the command line.
"""

from __future__ import annotations

from rules.fault import UnknownPackError
from rules.library.loader import load_vocabulary
from rules.model import Column, Title, Vocabulary
from scoring.facts.ingest.cells import CODE_SIGNS, LONGEST_KEY, Reading, converter, is_right
from scoring.facts.ingest.errors import Fault
from scoring.facts.ingest.folding import Cell, fold

__all__ = ["ENTERPRISES", "LONGEST_KEY", "KeyFormError", "asked_key", "doubt_of_key", "key_of", "near_codes"]
__all__ += ["record_key", "subject_key"]


ENTERPRISES = "enterprise"
"""The vocabulary that is meant where nobody names another; who has tickets and who consents is of it."""


class KeyFormError(ValueError):
    """A text that can be no key of its column; the message says why and what would be right.

    :ivar reason: why.
    """

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.reason = fault.reason


def key_of(column: Column, given: Cell) -> str:
    """A key as the store keeps it.

    :param column: the vocabulary's column of the key, or of the link to it.
    :raises KeyFormError: where it can't be stored.
    """
    value = converter(Reading(column, required=True))(given)
    if isinstance(value, Fault):
        raise KeyFormError(value)
    return str(value)


def asked_key(column: Column, given: str) -> str:
    """The key that somebody asks for. A text that can be no key is folded alone: it will not be found."""
    try:
        return key_of(column, given)
    except KeyFormError:
        return fold(given)


def doubt_of_key(vocabulary: Vocabulary | str, given: str) -> Title | None:
    """Why a text can be no subject's key; None where it can, or the vocabulary is not shared."""
    try:
        known = load_vocabulary(vocabulary) if isinstance(vocabulary, str) else vocabulary
        key_of(known.subject.columns[known.subject.key], given)
    except UnknownPackError:
        return None
    except KeyFormError as error:
        return error.reason
    return None


def near_codes(text: str) -> frozenset[str]:
    """The credit codes that a text is meant to be if one sign of it is wrong, missing or too many, or two
    neighbours are exchanged. The check character leaves some twenty of them.

    >>> "92500159MALQ20RD87" in near_codes("92500159MALQ2ORD87")
    True
    """
    code = fold(text).upper()
    if abs(len(code) - _LENGTH) > 1:
        return frozenset()
    cuts = [(code[:place], code[place:]) for place in range(len(code) + 1)]
    meant = (
        [head + sign + tail[1:] for head, tail in cuts if tail for sign in CODE_SIGNS]
        + [head + sign + tail for head, tail in cuts for sign in CODE_SIGNS]
        + [head + tail[1:] for head, tail in cuts if tail]
        + [head + tail[1] + tail[0] + tail[2:] for head, tail in cuts if len(tail) > 1]
    )
    return frozenset(filter(is_right, meant)) - {code}


_LENGTH = 18


def record_key(vocabulary: Vocabulary, given: str) -> str:
    """The record that somebody asks for."""
    records = vocabulary.records
    return fold(given) if records is None else asked_key(records.columns[records.key], given)


def subject_key(vocabulary: Vocabulary | str, given: str) -> str:
    """The subject that somebody asks for.

    :param vocabulary: a vocabulary, or the name of one; of one that is not shared the text is folded alone.

    >>> subject_key("tourism", " ９２500159malq20rd87 ")
    '92500159MALQ20RD87'
    """
    try:
        known = load_vocabulary(vocabulary) if isinstance(vocabulary, str) else vocabulary
    except UnknownPackError:
        return fold(given)
    return asked_key(known.subject.columns[known.subject.key], given)
