"""From the text of a pack to checked data, or to the complete list of its problems.

Two passes: the shape (marshmallow, :mod:`rules.schemas`), then the meaning (:mod:`rules.meaning`): names,
types, conditions, references. Each pass reports everything that it finds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError

from rules.meaning import build_pack, build_vocabulary
from rules.model import Pack, Vocabulary
from rules.problems import PackError, Problem, UnknownPackError
from rules.schemas import UNKNOWN_KEY, PackSchema, VocabularySchema
from rules.source import Document, read
from rules.source import Path as FieldPath

HERE = Path(__file__).parent
PACKS = HERE / "packs"
VOCABULARIES = HERE / "vocabularies"
_PLAIN = {
    "Missing data for required field.": ("this key is missing", "add it"),
    "Field may not be null.": ("no value", "a value, or no key at all"),
    "Not a valid list.": ("not a list", "[…], or lines that begin with '-'"),
    "Not a valid mapping type.": ("not a mapping", "keys and values"),
    "Not a valid string.": ("not a text", "a text"),
    "Invalid input type.": ("not a mapping", "keys and values"),
    "Shorter than minimum length 1.": ("an empty list", "at least one entry"),
}


def load_pack(path: Path | str) -> Pack:
    """The pack in a file.

    :raises PackError: with every problem found.
    :raises OSError: where the file can't be read.
    """
    return load_text(_text(Path(path)), str(path))


def load_text(text: str, file: str, vocabulary_text: str | None = None) -> Pack:
    """The pack in a text.

    :param file: the name that problems are reported under.
    :param vocabulary_text: the vocabulary to use where the pack names a shared one; by default the one
        installed under that name. A pack kept in a store is kept with it.
    :raises PackError: with every problem found.
    """
    document = read(text, file)
    data = shape(document, PackSchema())
    named = data["subject"]
    if isinstance(named, Mapping):
        vocabulary = build_vocabulary(document, named, ("subject",))
    elif vocabulary_text is not None:
        vocabulary = parse_vocabulary(vocabulary_text, f"{named}.yaml")
    else:
        vocabulary = _shared(document, named)
    return build_pack(document, data, vocabulary)


def load_vocabulary(name: str) -> Vocabulary:
    """The shared vocabulary of that name.

    :raises UnknownPackError: where there is none.
    """
    return parse_vocabulary(vocabulary_text(name), f"{name}.yaml")


def vocabulary_text(name: str) -> str:
    """The source of the shared vocabulary of that name.

    :raises UnknownPackError: where there is none.
    """
    if name not in vocabulary_names():
        raise UnknownPackError(f"no vocabulary is called {name}; there are {', '.join(vocabulary_names())}")
    return _text(VOCABULARIES / f"{name}.yaml")


def vocabulary_names() -> list[str]:
    """The names of the shared vocabularies."""
    return sorted(path.stem for path in VOCABULARIES.glob("*.yaml"))


@lru_cache(maxsize=64)
def parse_vocabulary(text: str, file: str) -> Vocabulary:
    """The vocabulary in a text.

    :raises PackError: with every problem found.
    """
    document = read(text, file)
    return build_vocabulary(document, shape(document, VocabularySchema()), ())


def installed_packs(folder: Path = PACKS) -> tuple[Pack, ...]:
    """Every pack under a folder, by id and the date on which it comes into force.

    :raises PackError: with the problems of the first file that has any.
    """
    packs = (_cached(str(path), path.stat().st_mtime_ns) for path in sorted(folder.rglob("*.yaml")))
    return tuple(sorted(packs, key=lambda pack: (pack.id, pack.in_force_from)))


def find_pack(pack_id: str, as_of: dt.date, folder: Path = PACKS) -> Pack:
    """The version of a pack that is in force on a date.

    :raises UnknownPackError: where there is no such pack, or none of its versions is in force that day.
    """
    packs = installed_packs(folder)
    versions = [pack for pack in packs if pack.id == pack_id]
    if not versions:
        known = ", ".join(sorted({pack.id for pack in packs})) or "none"
        raise UnknownPackError(f"no pack is called {pack_id}; there are: {known}")
    for pack in versions:
        if in_force(pack, as_of):
            return pack
    spans = "; ".join(
        f"{p.version} from {p.in_force_from} until {p.in_force_until or 'further notice'}" for p in versions
    )
    raise UnknownPackError(f"no version of {pack_id} is in force on {as_of}; there are: {spans}")


def in_force(pack: Pack, day: dt.date) -> bool:
    """Whether the pack grades on that day."""
    return pack.in_force_from <= day and (pack.in_force_until is None or day < pack.in_force_until)


@lru_cache(maxsize=64)
def _cached(path: str, changed: int) -> Pack:
    return load_pack(path)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        document = Document(str(path))
        raise PackError(
            [document.problem((), "", f"not UTF-8 at byte {error.start}", "save it as UTF-8")]
        ) from None


def _shared(document: Document, name: str) -> Vocabulary:
    try:
        return load_vocabulary(name)
    except UnknownPackError as error:
        raise PackError(
            [document.problem(("subject",), name, str(error), "one of these, or one in place")]
        ) from None


def shape(document: Document, schema: Schema) -> dict[str, Any]:
    """A document's data as the schema makes it.

    :raises PackError: with every problem found.
    """
    try:
        loaded: dict[str, Any] = schema.load(document.data)
        return loaded
    except ValidationError as error:
        raise PackError(list(_problems(document, error.messages, ()))) from None


def _problems(document: Document, errors: Any, path: FieldPath) -> Iterable[Problem]:
    """Marshmallow's tree of messages as problems with places."""
    if isinstance(errors, str):
        message, _, hint = errors.partition("\0")
        message, hint = _PLAIN.get(message, (message, hint))
        at = (*path, "?") if message == UNKNOWN_KEY else path
        yield document.problem(at, _shown(document.data, at), message, hint)
    elif isinstance(errors, Mapping):
        for key, inner in errors.items():
            yield from _problems(document, inner, _step(document, path, key))
    else:
        for inner in errors:
            yield from _problems(document, inner, path)


def _step(document: Document, path: FieldPath, key: str | int) -> FieldPath:
    """Marshmallow puts in ``_schema``, and in a mapping ``key`` or ``value``: no steps of the document."""
    if key == "key" and (*path, "?") in document.spots:
        return (*path, "?")
    if key == "_schema" or (key in ("key", "value") and (*path, key) not in document.spots):
        return path
    return (*path, key)


def _shown(data: Any, path: FieldPath) -> str:
    if path and path[-1] == "?":
        return str(path[-2])
    for step in path:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return ""
    return "" if isinstance(data, dict | list) else str(data)
