"""Versions of packs that are proposed, approved, refused and withdrawn: by whom, when and why.

Two persons make law: who proposed a version does not approve it. Each step is in the audit log, with the
reason and the pack's identity, in the transaction that takes it. Steps about one pack, and the publishing of
its runs, wait for one another.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.identity import identity
from rules.model import Pack
from rules.titles import Title, TitledError, UnknownError
from scoring.access.audit import Event, append
from scoring.facts.objection_case import person
from scoring.rulemaking.draft import Draft, Refusal, before_of, examine, hindrances, identity_of
from scoring.runs.publish import wait_to_publish
from scoring.store import Store
from scoring.store.base import database_time
from scoring.store.installations import APPROVED, PROPOSED, REFUSED, WITHDRAWN, Installation
from scoring.store.models import StoredPack
from scoring.store.packs import keep_pack, stored_text

SHORTEST = 8
"""So much of an identity names a version, where only one begins so (own choice)."""
STATES = {
    PROPOSED: Title("待批准", "proposed"),
    APPROVED: Title("已批准", "approved"),
    REFUSED: Title("不予批准", "refused"),
    WITHDRAWN: Title("已撤回", "withdrawn"),
}


class NotLawError(TitledError):
    """A step that may not be taken, with every reason.

    :ivar titles: the reasons, each by itself.
    """

    def __init__(self, titles: Sequence[Title]) -> None:
        self.titles = tuple(titles)
        super().__init__(Title(";".join(one.zh for one in titles), "; ".join(one.en for one in titles)))


class UnknownInstallationError(UnknownError):
    """No version was proposed under that identity."""


@dataclass(frozen=True, slots=True)
class By:
    """Who takes a step: the prefix of a key, or ``cli:user``, and in which role."""

    who: str
    role: str


@dataclass(frozen=True, slots=True)
class Proposed:
    """A version that was proposed: see :class:`scoring.store.installations.Installation`."""

    id: int
    pack_id: str
    version: str
    pack_hash: str
    begins: dt.date
    state: str
    reason: str
    proposed_by: str
    proposed_at: dt.datetime
    decision: str | None
    decided_by: str | None
    decided_at: dt.datetime | None
    withdrawal: str | None
    withdrawn_by: str | None
    withdrawn_at: dt.datetime | None


def propose_pack(
    store: Store, draft: Draft, reason: str, by: By, on: dt.date, known: int | None = None
) -> Proposed:
    """Propose that a draft becomes law on its first day.

    :param draft: as :func:`scoring.rulemaking.draft.examine` has found it.
    :param on: the present day.
    :param known: the last proposal (:func:`last_proposed`) that its author knew; None: whichever.
    :raises NotLawError: where anything keeps it from becoming law, or it is proposed already, or versions
        were proposed of which its author did not know.
    """
    if draft.reasons:
        raise NotLawError(draft.reasons)
    with store.writing() as session:
        wait_to_publish(session, draft.pack.id)
        _refuse_hindered(session, draft.pack, on)
        digest = keep_pack(session, draft.pack, draft.text)
        if any(row.state == PROPOSED for row in _rows(session, digest)):
            said = f"{draft.pack.id} {draft.pack.version}"
            raise NotLawError([Title(f"{said}已提交,待他人批准", f"{said} is proposed already")])
        if unseen := _proposed_since(session, draft.pack.id, known):
            raise NotLawError([_unseen(row) for row in unseen])
        kept = session.get_one(StoredPack, digest)
        kept.source, kept.file_name = draft.text.text, draft.text.file  # an earlier one had other comments
        row = Installation(
            pack_id=draft.pack.id,
            version=draft.pack.version,
            pack_hash=digest,
            begins=draft.pack.in_force_from,
            state=PROPOSED,
            reason=reason,
            proposed_by=by.who,
            proposed_at=database_time(session),
        )
        session.add(row)
        return _logged(session, row, "rules.propose", reason, by)


def last_proposed(store: Store, pack_id: str) -> int:
    """The number of the last proposal of a version of a pack; 0 where there is none."""
    with store.reading() as session:
        query = sa.select(sa.func.max(Installation.id)).filter_by(pack_id=pack_id)
        return session.scalar(query) or 0


def proposed_since(store: Store, pack_id: str, known: int) -> list[Proposed]:
    """The versions that were proposed after a proposal, and are not refused or withdrawn."""
    with store.reading() as session:
        return [_proposed(row) for row in _proposed_since(session, pack_id, known)]


def refuse_own(store: Store, name: str, by: By) -> None:
    """Say at once that somebody may not decide on a version, before everything about it is read.

    :param name: as :func:`find_proposed` takes it.
    :raises NotLawError: where it waits for nobody any more, or the same person proposed it.
    :raises UnknownInstallationError: as :func:`find_proposed`.
    """
    with store.reading() as session:
        _refuse_own(session, _find(session, name), by)


def approve_pack(
    store: Store, name: str, reason: str, by: By, on: dt.date, shown: str | None = None
) -> Proposed:
    """Approve a version: it rules from its first day on, and the version before ends there.

    Runs announce it from the next one on. What keeps it from being proposed keeps it from this too.

    :param name: its identity, or the beginning of it.
    :param shown: from which version its difference was shown, by its identity; None: it was not shown.
    :raises UnknownInstallationError: where nobody has proposed it.
    :raises NotLawError: where it does not wait for that, the same person proposed it, its day has come, or
        its difference is another by now.
    """
    found = find_proposed(store, name)
    draft = draft_of(store, found, on) if found.state == PROPOSED else None
    with store.writing() as session:
        row = _awaited(session, name, by)
        if draft is None or draft.reasons:
            raise NotLawError(draft.reasons if draft else [_ended(row)])
        _refuse_hindered(session, draft.pack, on)
        if shown not in (None, identity_of(before_of(session, draft.pack))):
            raise NotLawError([_OTHER_DIFFERENCE])
        return _decided(session, row, APPROVED, "rules.approve", reason, by)


def refuse_pack(store: Store, name: str, reason: str, by: By) -> Proposed:
    """Refuse to approve a version.

    :raises UnknownInstallationError, NotLawError: as :func:`approve_pack`.
    """
    with store.writing() as session:
        return _decided(session, _awaited(session, name, by), REFUSED, "rules.refuse", reason, by)


def withdraw_pack(store: Store, name: str, reason: str, by: By, on: dt.date) -> Proposed:
    """Withdraw a version that is proposed, or that is approved and has not begun: it will not rule.

    :raises UnknownInstallationError: where nobody has proposed it.
    :raises NotLawError: where it has begun, or was refused or withdrawn.
    """
    with store.writing() as session:
        row = _locked(session, name)
        said = f"{row.pack_id} {row.version}"
        if row.state not in (PROPOSED, APPROVED):
            raise NotLawError([_ended(row)])
        if row.state == APPROVED and row.begins <= on:
            zh = f"{said}自{row.begins}起已施行,不能撤回;请另行提交新版本"
            en = f"{said} is in force since {row.begins}: to change it, install another version"
            raise NotLawError([Title(zh, en)])
        row.state, row.withdrawal, row.withdrawn_by = WITHDRAWN, reason, by.who
        row.withdrawn_at = database_time(session)
        return _logged(session, row, "rules.withdraw", reason, by)


def list_proposed(store: Store, before: int | None = None, limit: int | None = None) -> list[Proposed]:
    """Versions that are or were proposed, the newest first.

    :param before: only those with a smaller number: the last of the page before.
    """
    query = sa.select(Installation).order_by(Installation.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Installation.id < before)
    with store.reading() as session:
        return [_proposed(row) for row in session.scalars(query)]


def awaiting(store: Store, who: str, limit: int | None = None) -> list[Proposed]:
    """The proposed versions that somebody may decide on, the newest first: those of other persons.

    :param who: the prefix of a key, or ``cli:user``.
    """
    query = sa.select(Installation).filter_by(state=PROPOSED).order_by(Installation.id.desc())
    with store.reading() as session:
        own = person(session, who)
        others = [row for row in session.scalars(query) if person(session, row.proposed_by) != own]
        return [_proposed(row) for row in others[:limit]]


def find_proposed(store: Store, name: str) -> Proposed:
    """The version of an identity, or of one that begins so; of several proposals of it the last.

    :raises UnknownInstallationError: where there is none, or several begin so.
    """
    with store.reading() as session:
        return _proposed(_find(session, name))


def draft_of(store: Store, found: Proposed, on: dt.date) -> Draft:
    """A version that was proposed, examined anew by the rules of today.

    :raises PackError: where the program does not read its text any more.
    """
    kept = stored_text(store, found.pack_hash)
    draft = examine(store, kept.text, kept.file, found.begins, on)
    if identity(draft.pack) == found.pack_hash:
        return draft
    said = f"{found.pack_id} {found.version}"
    changed = Title(
        f"{said}提交后本系统的词汇表已变,请重新提交",
        f"the vocabulary of {said} has changed since it was proposed: propose it anew",
    )
    return replace(draft, refusals=(Refusal(changed), *draft.refusals))


def _proposed_since(session: Session, pack_id: str, known: int | None) -> list[Installation]:
    if known is None:
        return []
    query = sa.select(Installation).filter_by(pack_id=pack_id).where(Installation.id > known)
    alive = query.where(Installation.state.in_((PROPOSED, APPROVED)))
    return list(session.scalars(alive.order_by(Installation.id)))


def _unseen(row: Installation) -> Title:
    said = f"{row.pack_id} {row.version}"
    return Title(
        f"起草期间已有{said}提交(自{row.begins}起施行),本草案不含其中的修改;请先查看,以其为基础重新起草,"
        "或确认仍按本草案提交",
        f"{said} (in force from {row.begins}) was proposed while this was written, and its changes are not in"
        " here: read it, then begin from it, or propose this all the same",
    )


def _refuse_hindered(session: Session, pack: Pack, on: dt.date) -> None:
    if hindered := list(hindrances(session, pack, on)):
        raise NotLawError([refusal.title for refusal in hindered])


def _awaited(session: Session, name: str, by: By) -> Installation:
    """A version that waits for approval, and that somebody else has proposed."""
    row = _locked(session, name)
    _refuse_own(session, row, by)
    return row


def _refuse_own(session: Session, row: Installation, by: By) -> None:
    if row.state != PROPOSED:
        raise NotLawError([_ended(row)])
    if person(session, by.who) == person(session, row.proposed_by):
        said = f"{row.pack_id} {row.version}"
        en = f"whoever proposed {said} does not decide on it: somebody else has to"
        raise NotLawError([Title(f"{said}由本人提交,须由他人批准", en)])


def _locked(session: Session, name: str) -> Installation:
    """As it stands once nobody else decides on the pack, and none of its runs is being published."""
    row = _find(session, name)
    wait_to_publish(session, row.pack_id)
    session.refresh(row)
    return row


def _decided(session: Session, row: Installation, state: str, action: str, reason: str, by: By) -> Proposed:
    row.state, row.decision, row.decided_by = state, reason, by.who
    row.decided_at = database_time(session)
    return _logged(session, row, action, reason, by)


def _logged(session: Session, row: Installation, action: str, reason: str, by: By) -> Proposed:
    details = {"pack": row.pack_id, "version": row.version, "hash": row.pack_hash}
    details |= {"from": row.begins.isoformat(), "reason": reason}
    append(session, [Event(by.who, by.role, action, details=details)])
    return _proposed(row)


def _rows(session: Session, digest: str) -> list[Installation]:
    query = sa.select(Installation).filter_by(pack_hash=digest).order_by(Installation.id.desc())
    return list(session.scalars(query))


def _find(session: Session, name: str) -> Installation:
    given = name.strip().lower()
    if len(given) >= SHORTEST:
        query = sa.select(Installation.pack_hash).distinct()
        found = list(session.scalars(query.where(Installation.pack_hash.startswith(given, autoescape=True))))
        if len(found) == 1:
            return _rows(session, found[0])[0]
    raise UnknownInstallationError(
        Title(
            f"没有校验码为{name}的版本(至少写前{SHORTEST}位);请核对已提交的版本",
            f"no version was proposed under the identity {name}, of which at least {SHORTEST} letters are"
            " needed; see those that were proposed",
        ),
        "xinheng rules proposed",
    )


_OTHER_DIFFERENCE = Title(
    "查看之后原版本有变,差异和变动名单已不同,请重新查看后办理",
    "the version before has changed since this was shown: read what differs now, and decide then",
)


def _ended(row: Installation) -> Title:
    said, state = f"{row.pack_id} {row.version}", STATES[row.state]
    return Title(f"{said}{state.zh}", f"{said} is {state.en} already")


def _proposed(row: Installation) -> Proposed:
    return Proposed(**{name: getattr(row, name) for name in Proposed.__slots__})
