"""The tables of those who use the API: keys, who signs in, audit log, kept answers, run jobs, marks."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from scoring.store.base import Base, BigId, Moment
from scoring.store.inside import ValueIn, said_in
from scoring.store.models import Run


class ApiKey(Base):
    """A key by which someone uses the API.

    :ivar prefix: names the key; it is shown and logged.
    :ivar secret_hash: SHA-256 (hex) of the secret, which nobody keeps but its owner.
    :ivar organisation: whose data a department's key may touch; of a lender or subject, which one it is.
    :ivar replaces: the prefix of the key that this one took over from.
    """

    __tablename__ = "api_keys"
    __table_args__ = (sa.Index(None, "role", "organisation"),)

    prefix: Mapped[str] = mapped_column(primary_key=True)
    secret_hash: Mapped[str]
    role: Mapped[str]
    owner: Mapped[str]
    organisation: Mapped[str | None]
    created_at: Mapped[dt.datetime] = mapped_column(Moment)
    expires_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    revoked_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    replaces: Mapped[str | None]


class PageSession(Base):
    """A sign-in on the pages, from its beginning until it ends; then there is none.

    :ivar id_hash: SHA-256 (hex) of its number, which the visitor's cookie alone has.
    :ivar key: the prefix of the key by which somebody signed in.
    """

    __tablename__ = "page_sessions"
    __table_args__ = (sa.Index(None, "key"), sa.Index(None, "begun_at"))

    id_hash: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(sa.ForeignKey("api_keys.prefix"))
    begun_at: Mapped[dt.datetime] = mapped_column(Moment)


class Identity(Base):
    """A person whom a provider of OpenID Connect vouches for, and the key that is this person's here.

    :ivar issuer: the provider's address.
    :ivar person: what it calls the person (``sub``), which stays the same and is never given to another one.
    :ivar key: the prefix of the one key that the person signs in to.
    """

    __tablename__ = "identities"
    __table_args__ = (sa.UniqueConstraint("key"),)

    issuer: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(sa.ForeignKey("api_keys.prefix"))
    admitted_at: Mapped[dt.datetime] = mapped_column(Moment)


class AuditEntry(Base):
    """One thing that was read or changed. A trigger refuses to change or delete a row.

    :ivar seq: 1, 2, 3 … without gaps.
    :ivar actor: the prefix of the key, or who used the command line.
    :ivar details: canonical JSON.
    :ivar hash: SHA-256 (hex) over the hash of the entry before and everything of this one.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        sa.Index(None, "subject_id", "seq"),
        sa.Index(None, "actor", "seq"),
        sa.Index(None, "action", "seq"),
    )

    seq: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    at: Mapped[dt.datetime] = mapped_column(Moment)
    actor: Mapped[str]
    role: Mapped[str]
    action: Mapped[str]
    subject_id: Mapped[str | None]
    request_id: Mapped[str | None]
    details: Mapped[str] = mapped_column(sa.Text)
    hash: Mapped[str]


for _what, _actions in (
    ("lender", ("lender.check",)),
    ("office", ("files.take", "files.undo")),
    ("file", ("files.take", "files.undo")),
):  # what entries of these actions are looked up by; `scoring.access.audit.entries_of` asks in these words
    sa.Index(
        f"ix_audit_entries_{_what}",
        ValueIn(AuditEntry.details, _what),
        AuditEntry.seq,
        sqlite_where=said_in(AuditEntry.action, _actions),
        postgresql_where=said_in(AuditEntry.action, _actions),
    )


class AuditHead(Base):
    """The last entry of the audit log, in one row: what writers lock, and what a cut-off tail is found by."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigId)
    hash: Mapped[str]


class KeptAnswer(Base):
    """A request with an idempotency key: claimed before anything is done, answered afterwards.

    :ivar api_key: the first key of its owner: those that replaced it go on with its idempotency keys.
    :ivar request_hash: SHA-256 (hex) of path, query and body: another request may not use the key.
    :ivar claim: which attempt holds it; a change is kept only while its attempt does.
    :ivar changed_at: when something was changed under the claim, noted in the transaction of the change.
    :ivar status: of the answer, with ``location`` and ``body``; None while there is none.
    :ivar logged: JSON: what the audit log was told of the request besides its address.
    :ivar kept_at: when it was claimed, then when it was answered.
    """

    __tablename__ = "kept_answers"
    __table_args__ = (sa.Index(None, "kept_at"),)

    api_key: Mapped[str] = mapped_column(primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    status: Mapped[int | None]
    location: Mapped[str | None]
    body: Mapped[str | None] = mapped_column(sa.Text)
    kept_at: Mapped[dt.datetime] = mapped_column(Moment)
    claim: Mapped[str | None]
    changed_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    logged: Mapped[str | None] = mapped_column(sa.Text)


EVERY_PACK = "*"
"""What stands for a pack's id in a job that goes by every pack: a scan for alerts."""


class RunJob(Base):
    """A run or a scan for alerts that was asked for, from the asking until it is done or has failed.

    :ivar pack_id: of a run; :data:`EVERY_PACK` of a scan.
    :ivar state: queued, snapshot, grading, publishing, published, proposed or failed; of a scan queued,
        scanning, scanned or failed.
    :ivar propose_days: for how many days the run is proposed first; None for one that is published.
    :ivar proposal_id: the proposal that it makes, once it is made, or the one that it publishes.
    :ivar rows: how many subjects and records the snapshot holds, once it is taken; of a scan, how many
        subjects were judged.
    :ivar problem: why it failed.
    :ivar told: of a scan, what it has come to, as JSON.
    :ivar host: with ``pid``: the process that works on it.
    :ivar lease: while it has the one lease of its kind, 1 of runs and 2 of scans; None once it has ended.
    :ivar beat_at: when its process last said that it is alive.
    """

    __tablename__ = "run_jobs"
    __table_args__ = (sa.UniqueConstraint("lease"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    pack_id: Mapped[str]
    as_of: Mapped[dt.date]
    state: Mapped[str]
    rows: Mapped[int | None]
    run_id: Mapped[int | None] = mapped_column(sa.ForeignKey(Run.id))
    problem: Mapped[str | None] = mapped_column(sa.Text)
    told: Mapped[str | None] = mapped_column(sa.Text)
    requested_by: Mapped[str]
    requested_at: Mapped[dt.datetime] = mapped_column(Moment)
    changed_at: Mapped[dt.datetime] = mapped_column(Moment)
    host: Mapped[str | None]
    pid: Mapped[int | None]
    lease: Mapped[int | None]
    beat_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    propose_days: Mapped[int | None]
    proposal_id: Mapped[int | None] = mapped_column(BigId)


CLASSES = ("classification", "lapse")
"""Kinds of marks by which a person's word on a column of a record stands, or has fallen."""

STEPS = (
    *CLASSES,
    "acknowledgement",
    "escalation",
    "application",
    "admission",
    "return",
    "refusal",
    "reminder",
)
"""Kinds of marks that give a record no status."""


class RecordMark(Base):
    """An objection against a record, an application for its repair, or a step of either's case.

    :ivar kind: one of ``scoring.facts.objections.Kind``.
    :ivar effective_on: the date on which it was filed, decided or completed.
    :ivar evidence: canonical JSON: a list of {title, reference}.
    :ivar commitment, committed_on: of an application: what was promised (信用承诺), and when.
    """

    __tablename__ = "record_marks"
    __table_args__ = (
        sa.Index(None, "vocabulary", "subject_id", "id"),
        sa.Index(None, "vocabulary", "record_id", "id"),
        sa.Index(None, "vocabulary", "kind", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    vocabulary: Mapped[str]
    record_id: Mapped[str]
    subject_id: Mapped[str]
    kind: Mapped[str]
    status_before: Mapped[str]
    status_after: Mapped[str]
    effective_on: Mapped[dt.date]
    reason: Mapped[str] = mapped_column(sa.Text)
    evidence: Mapped[str] = mapped_column(sa.Text)
    made_by: Mapped[str]
    made_at: Mapped[dt.datetime] = mapped_column(Moment)
    commitment: Mapped[str | None] = mapped_column(sa.Text)
    committed_on: Mapped[dt.date | None]
