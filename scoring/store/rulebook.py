"""The versions of packs that a store knows: those in the program's folder, and those approved.

Whoever asks which version rules, and has a store, asks here. Where the two say something else of one version,
or of one first day, the approved text is read, because two persons have seen it (own choice), and no run is
made before they agree (:func:`require_agreement`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import suppress

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.fault import UnknownPackError
from rules.identity import identity
from rules.library.loader import found_among, installed_packs, ruling_among
from rules.model import Pack
from rules.titles import Title
from scoring.store.connection import Store
from scoring.store.errors import StoreError
from scoring.store.installations import APPROVED, Installation
from scoring.store.models import StoredPack
from scoring.store.packs import PackText, loaded, stored_text, text_of
from scoring.store.timelines import Term


class DisagreementError(UnknownPackError):
    """The folder and the store say something else of one version: which of them rules, nobody guesses."""


def known_packs(store: Store) -> tuple[Pack, ...]:
    """Every version of every pack that the store knows, by id and the day from which it is in force.

    >>> from fixtures.small import small_store
    >>> sorted({pack.id for pack in known_packs(small_store())})
    ['department-credit', 'enterprise-credit', 'rural-credit', 'tourism-credit']
    """
    with store.reading() as session:
        return known_in(session)


def known_in(session: Session) -> tuple[Pack, ...]:
    """As :func:`known_packs`, in a transaction under way."""
    approved = approved_packs(session)
    named = {(pack.id, pack.version) for pack in approved}
    files = (pack for pack in installed_packs() if (pack.id, pack.version) not in named)
    return tuple(sorted((*approved, *files), key=lambda pack: (pack.id, pack.in_force_from)))


def approved_packs(session: Session, pack_id: str | None = None) -> list[Pack]:
    """The versions that two persons have installed, of all packs or of one."""
    query = (
        sa.select(StoredPack)
        .join(Installation, Installation.pack_hash == StoredPack.hash)
        .where(Installation.state == APPROVED)
        .order_by(Installation.id)
    )
    if pack_id is not None:
        query = query.where(Installation.pack_id == pack_id)
    rows = session.scalars(query)
    return [loaded(PackText(row.source, row.file_name, row.vocabulary_source)) for row in rows]


def known_pack(store: Store, pack_id: str, day: dt.date) -> Pack:
    """The version of a pack that rules on a day.

    :raises UnknownPackError: where there is no such pack, or none of its versions is in force that day.
    """
    return found_among(known_packs(store), pack_id, day)


def known_ruling(store: Store, day: dt.date) -> tuple[Pack, ...]:
    """Of every pack the version that rules on a day, by id."""
    return ruling_among(known_packs(store), day)


def known_text(store: Store, pack: Pack) -> PackText:
    """The text of a version that the store knows.

    :raises StoreError: where it is kept nowhere any more.
    """
    with suppress(StoreError):
        return stored_text(store, identity(pack))
    return text_of(pack)


Standing = tuple[str, ...]
"""The identities of the versions of a pack that stand approved."""


def standing_of(store: Store, pack_id: str) -> Standing:
    """Which versions of a pack stand approved."""
    with store.reading() as session:
        return standing_in(session, pack_id)


def standing_in(session: Session, pack_id: str) -> Standing:
    """As :func:`standing_of`, in a transaction under way."""
    query = sa.select(Installation.pack_hash).filter_by(pack_id=pack_id, state=APPROVED)
    return tuple(session.scalars(query.order_by(Installation.pack_hash)))


def require_law(store: Store, pack: Pack) -> None:
    """Refuse to judge by a version that is not approved, or where nobody can say which rules.

    :raises UnknownPackError: where it is not approved, or not any more.
    :raises DisagreementError: where the folder and the store disagree of the pack's versions.
    """
    with store.reading() as session:
        require_agreement(session, pack.id)
        require_approval(session, pack)


def require_approval(session: Session, pack: Pack) -> None:
    """Refuse to judge by a version that was proposed and stands neither approved nor in the folder.

    :raises UnknownPackError: where it does not.
    """
    digest = identity(pack)
    states = set(session.scalars(sa.select(Installation.state).filter_by(pack_hash=digest)))
    if states and APPROVED not in states and digest not in map(identity, installed_packs()):
        raise UnknownPackError(
            Title(
                f"{pack.id} {pack.version}({digest[:12]})未经他人批准,或已撤回,不能用于正式评价",
                f"{pack.id} {pack.version} ({digest[:12]}) is not approved, or is withdrawn: no run is by it",
            )
        )


def require_agreement(session: Session, pack_id: str) -> None:
    """Refuse to say which version rules where the folder and the store disagree of it.

    :raises DisagreementError: naming the file, both versions and what would be right.
    """
    for title in disagreements(session, pack_id):
        raise DisagreementError(title)


def disagreements(session: Session, pack_id: str | None = None) -> Iterator[Title]:
    """Files of the folder that say of an approved version, or of its first day, something else."""
    files = installed_packs()
    for pack in approved_packs(session, pack_id):
        for file in files:
            if file.id == pack.id and identity(file) != identity(pack):
                yield from _differing(file, pack)


def edited(store: Store, pack_id: str | None = None) -> list[Title]:
    """What the folder says of versions that the last run of their pack was by, and did not say then.

    The next run is by what it says now: an edition of the program may mend a file, and so may anybody who can
    write there. What two persons installed or withdrew is in the audit log instead.
    """
    files = {(file.id, file.version): file for file in installed_packs() if pack_id in (None, file.id)}
    known = {name for name, _ in files}
    with store.reading() as session:
        installed = set(session.scalars(sa.select(Installation.pack_hash)))
        last = [(name, digest) for name, digest in _last_rules(session) if name[0] in known]
    changed = [(name, digest, files.get(name)) for name, digest in sorted(last) if digest not in installed]
    return [
        _edited(name, digest, file)
        for name, digest, file in changed
        if file is None or identity(file) != digest
    ]


def _last_rules(session: Session) -> list[tuple[tuple[str, str], str]]:
    """The versions by which the last run of each pack was, by id and name, with their identities."""
    latest = sa.select(Term.pack_id, sa.func.max(Term.no)).group_by(Term.pack_id)
    query = (
        sa.select(StoredPack.pack_id, StoredPack.version, StoredPack.hash)
        .join(Term, Term.pack_hash == StoredPack.hash)
        .where(sa.tuple_(Term.pack_id, Term.no).in_(latest))
    )
    return [((name, version), digest) for name, version, digest in session.execute(query)]


def _edited(name: tuple[str, str], digest: str, file: Pack | None) -> Title:
    said = " ".join(name)
    if file is None:
        return Title(
            f"{said}({digest[:12]}):上一批评价所依据的文件已不在程序的目录中,下一批评价不再适用该版本",
            f"{said} ({digest[:12]}): its file, by which the last run was, is not in the folder any more:"
            " the next run is without that version",
        )
    return Title(
        f"{said}:文件{file.place.file}在上一批评价({digest[:12]})之后改动过,"
        f"下一批评价对全部主体按现文本({identity(file)[:12]})重新评价",
        f"{said}: the file {file.place.file} was changed since the last run ({digest[:12]}): the next"
        f" grades everybody anew by what it says now ({identity(file)[:12]})",
    )


def _differing(file: Pack, pack: Pack) -> Iterator[Title]:
    name, digest, path = f"{pack.id} {pack.version}", identity(pack)[:12], file.place.file
    if file.version == pack.version:
        yield Title(
            f"{name}:文件{path}与数据库中经批准的文本({digest})不同,无法确定以哪个为准;"
            "请移走该文件或改用其他版本号,需修改规则的,请另行提交新版本",
            f"{name}: the file {path} says something else than the text that was approved ({digest}): nobody"
            " guesses which rules. Move the file away or give it another version; to change the rules,"
            " install a new version",
        )
    elif file.in_force_from == pack.in_force_from:
        yield Title(
            f"{name}与文件{path}的{file.version}均自{pack.in_force_from}起施行,无法确定以哪个为准;"
            "请移走该文件或修改其施行日期",
            f"{name} and {file.version} in the file {path} both begin on {pack.in_force_from}: nobody guesses"
            " which rules. Move the file away, or change the day on which it begins",
        )
