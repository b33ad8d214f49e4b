"""Packs as they were loaded: an old run can be explained by its own rules."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from rules.fault import UnknownPackError
from rules.identity import identity
from rules.library.loader import load_kept, vocabulary_text
from rules.model import Pack
from rules.titles import Title
from scoring.store.base import insert_new
from scoring.store.connection import Store
from scoring.store.errors import StoreError
from scoring.store.models import StoredPack


@dataclass(frozen=True, slots=True)
class PackText:
    """A pack as text.

    :param file: the name that faults are reported under.
    :param vocabulary: the text of the shared vocabulary that the pack names; None where it brings its own.
    """

    text: str
    file: str
    vocabulary: str | None = None

    def load(self) -> Pack:
        """The pack in it.

        :raises PackError: with every fault found.
        """
        return load_kept(self.text, self.file, self.vocabulary)


def text_of(pack: Pack) -> PackText:
    """The text that a pack was loaded from, read again from its file.

    :raises StoreError: where the file is gone.
    """
    try:
        text = Path(pack.place.file).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise StoreError(
            Title(
                f"评价规则{pack.id}的文件无法再次读取:{error}",
                f"the file of the pack {pack.id} can't be read again: {error}",
            )
        ) from error
    return PackText(text, pack.place.file, text_of_shared(pack))


def keep_pack(session: Session, pack: Pack, text: PackText | None = None) -> str:
    """Have a pack in the store, as it was loaded; its identity. One that is there already stays as it is.

    :param text: where the pack comes from; by default its file.
    :raises StoreError: where that text gives another pack (any more), or its file is gone.
    """
    digest = identity(pack)
    if session.get(StoredPack, digest) is None:
        source = text or text_of(pack)
        if identity(source.load()) != digest:
            raise StoreError(
                Title(
                    f"{source.file}在载入评价规则{pack.id}之后有改动。请重新载入",
                    f"{source.file} has changed since the pack {pack.id} was loaded from it. Load it again",
                )
            )
        insert_new(session, StoredPack, **_row(pack, digest, source))
    return digest


def stored_pack(store: Store, digest: str) -> Pack:
    """The pack of that identity.

    :raises StoreError: where the store has none.

    >>> from fixtures.small import small_store
    >>> from scoring.runs.published import latest_run
    >>> store = small_store()
    >>> stored_pack(store, latest_run(store, "tourism-credit").pack_hash).version
    '2026.1'
    """
    return loaded(stored_text(store, digest))


def stored_text(store: Store, digest: str) -> PackText:
    """The text of the pack of that identity.

    :raises StoreError: where the store has none.
    """
    with store.reading() as session:
        row = session.get(StoredPack, digest)
    if row is None:
        raise StoreError(
            Title(
                f"库{store.address}没有标识为{digest}的评价规则",
                f"the store {store.address} holds no pack with the identity {digest}",
            )
        )
    return PackText(row.source, row.file_name, row.vocabulary_source)


@lru_cache(maxsize=16)
def loaded(text: PackText) -> Pack:
    """The pack in a text: the same object for the same text, as judges are kept by their pack."""
    return text.load()


def _row(pack: Pack, digest: str, source: PackText) -> dict[str, Any]:
    return {
        "hash": digest,
        "pack_id": pack.id,
        "version": pack.version,
        "file_name": source.file,
        "source": source.text,
        "vocabulary_source": source.vocabulary,
        "stored_at": dt.datetime.now(dt.UTC),
    }


def text_of_shared(pack: Pack) -> str | None:
    """The text of the shared vocabulary that a pack names; None where it brings its own."""
    try:
        return vocabulary_text(pack.vocabulary.id)
    except UnknownPackError:
        return None
