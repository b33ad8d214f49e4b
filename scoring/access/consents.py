"""Consents (授权): that a subject lets a lender ask for its tier, registered before the first check.

A consent is of one subject to one lender, for stated purposes and a bounded term. The subject registers it,
the district does, or the lender with number and hash of the signed document; the lender's are drawn for
audit by lot, and one whose document can't be shown stops the lender. Terms, purposes, the share of a sample
and what stops a lender are our own choice; that consent is written, for an agreed purpose and can be
withdrawn is the law's (个人信息保护法 art. 14, 15; 征信业管理条例 art. 18, 20, 28).

A change and the checks that it concerns take turns: who locks, locks the lender's row, then the consent's,
then the head of the audit log.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.calendar import SHANGHAI, add_days, add_months, first_start_still_open
from rules.model import Title
from rules.titles import TitledError, UnknownError
from scoring.access.audit import Event, append
from scoring.access.keys import Role, Who
from scoring.facts.ingest import keys
from scoring.facts.ingest.folding import fold
from scoring.store import Store
from scoring.store.access import ApiKey
from scoring.store.base import insert_new
from scoring.store.lending import ConsentRow, LenderRow

PURPOSES = {
    "loan": Title("授信审批", "granting a loan"),
    "monitoring": Title("贷后管理", "watching over a loan"),
    "guarantee": Title("担保审查", "examining a guarantor"),
}
"""What a tier may be asked for."""

VERDICTS = {"found": Title("属实", "found"), "missing": Title("缺失", "missing")}
"""What an audit said of the signed document."""

MONITORING = "monitoring"
"""The purpose for which a lender is told of changes without asking."""

LONGEST_MONTHS = 36
"""The longest term of a consent, where the settings say no other."""

AHEAD_MONTHS = 3
"""How long before it begins a consent can be registered."""

SOON_DAYS = 30
"""How long before its end a consent is shown as ending soon: our own choice."""

SAMPLE_PERCENT, SAMPLE_LEAST = 5, 10
"""How many of a month's consents are drawn for audit: this share of them, this many at least."""

Clock = Callable[[], dt.datetime]
_REFERENCE = re.compile(r"(?=.*\d)[\w()\[\]〔〕/.:#-]{4,100}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NO_DOCUMENT = hashlib.sha256().hexdigest()


class ConsentError(TitledError):
    """A consent that can't be registered or judged so; the message says what would be right.

    :ivar faults: what is wrong, by the field that it is in.
    """

    def __init__(self, faults: Mapping[str, Title]) -> None:
        titles = faults.values()
        super().__init__(
            Title(";".join(title.zh for title in titles), "; ".join(title.en for title in titles))
        )
        self.faults = faults


class ConsentConflictError(TitledError):
    """Things stand otherwise: it is registered, withdrawn, stopped or lifted already."""


class UnknownConsentError(UnknownError):
    """There is no such consent, or not for who asks."""


class LenderStoppedError(TitledError):
    """The lender's checks are refused until a regulator lifts the stop."""


@dataclass(frozen=True, slots=True)
class Registration:
    """A consent to be registered.

    :param lender: None for the lender that registers it.
    :param reference: the number of the signed document; without one a number is made. A subject gives neither
        this nor the next: it would learn which numbers its lender uses, and could take them.
    :param document_sha256: SHA-256 (hex) of the signed document; a lender must give both.
    :param valid_until: the last day on which it holds.
    """

    subject_id: str
    purposes: Collection[str]
    valid_from: dt.date
    valid_until: dt.date
    lender: str | None = None
    reference: str | None = None
    document_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Consent:
    """A registered consent: see :class:`scoring.store.lending.ConsentRow`."""

    id: int
    lender: str
    subject_id: str
    reference: str
    document_sha256: str | None
    purposes: tuple[str, ...]
    valid_from: dt.date
    valid_until: dt.date
    registered_at: dt.datetime
    registered_by: str
    registered_role: str
    withdrawn_at: dt.datetime | None
    withdrawn_by: str | None
    withdrawn_why: str | None
    judged_at: dt.datetime | None
    judged_by: str | None
    verdict: str | None


@dataclass(frozen=True, slots=True)
class Lender:
    """How a lender stands: its consents by who registered them, by what became of them, and its stop."""

    name: str
    consents: int
    by_subject: int
    by_district: int
    by_lender: int
    withdrawn: int
    found: int
    missing: int
    stopped_at: dt.datetime | None
    stopped_by: str | None
    stopped_why: str | None


def now() -> dt.datetime:
    """This moment."""
    return dt.datetime.now(dt.UTC)


def day_of(moment: dt.datetime) -> dt.date:
    """The day of a moment in Shanghai."""
    return moment.astimezone(SHANGHAI).date()


def subject_key(text: str) -> str:
    """A subject's number as it is stored."""
    return keys.subject_key(keys.ENTERPRISES, text)


def reference_key(text: str) -> str:
    """A document's number in one spelling: half-width, without spaces."""
    return "".join(fold(text).split())


def register(
    store: Store, who: Who, wanted: Registration, longest_months: int = LONGEST_MONTHS, clock: Clock = now
) -> Consent:
    """Register a consent.

    :raises ConsentError: where something in it can't be, or is not for this role to say.
    :raises ConsentConflictError: where the lender has a consent of that number or document, or registers by
        its own word what was taken back.

    >>> import datetime as dt
    >>> from datetime import date
    >>> from fixtures.small import RESTAURANT, small_store
    >>> from scoring.access.keys import Role, Who, create_key
    >>> store, noon = small_store(), dt.datetime(2026, 9, 1, 4, tzinfo=dt.UTC)
    >>> key = create_key(store, Role.LENDER, "王经理", organisation="云衡农商行").key
    >>> wanted = Registration(RESTAURANT, ["loan"], noon.date(), date(2027, 2, 28), lender="云衡农商行")
    >>> consent = register(store, Who("its key", Role.SUBJECT, RESTAURANT), wanted, clock=lambda: noon)
    >>> consent.lender, consent.purposes, consent.valid_until.isoformat()
    ('云衡农商行', ('loan',), '2027-02-28')
    """
    given = _in_one_spelling(who, {name: getattr(wanted, name) for name in Registration.__slots__})
    with store.writing() as session:
        at = clock()
        faults = _faults(session, who, given, day_of(at), longest_months)
        if faults:
            raise ConsentError(faults)
        own = {"subject_id": subject_key(wanted.subject_id), "reference": given["reference"] or _number()}
        right = Registration(**given | own)
        _lock_lender(session, right.lender or "", is_new=True)
        _check_is_new(session, right)
        if who.lender is not None:
            _check_not_taken_back(session, right, day_of(at))
        row = ConsentRow(
            **{name: getattr(right, name) for name in _GIVEN},
            purposes=",".join(sorted(set(right.purposes))),
            registered_at=at,
            registered_by=who.actor,
            registered_role=who.role.value,
        )
        session.add(row)
        session.flush()
        made = _consent(row)
        append(session, [_event(who, "consents.register", made, at, document=made.document_sha256)])
    return made


def withdraw(store: Store, who: Who, consent_id: int, reason: str, clock: Clock = now) -> Consent:
    """End a consent: from this moment on no check is answered under it. It stays in the register.

    :raises UnknownConsentError: where there is none, or it is another lender's or subject's.
    :raises ConsentConflictError: where it is withdrawn already.
    """
    with store.writing() as session:
        _, row = _lock_both(session, consent_id, who)
        if row.withdrawn_at is not None:
            raise ConsentConflictError(
                Title(
                    f"授权{consent_id}已于{day_of(row.withdrawn_at)}撤回",
                    f"the consent {consent_id} was withdrawn at {row.withdrawn_at}",
                )
            )
        at = clock()
        row.withdrawn_at, row.withdrawn_by, row.withdrawn_why = at, who.actor, reason
        done = _consent(row)
        append(session, [_event(who, "consents.withdraw", done, at, reason=reason)])
    return done


def judge(
    store: Store,
    who: Who,
    consent_id: int,
    is_found: bool,
    note: str,
    instead_of: str | None = None,
    clock: Clock = now,
) -> Consent:
    """Note whether the signed document of a lender's consent was found. One that is missing stops the lender.

    :param instead_of: the verdict until now, as who judges has read it; None: nobody has judged.
    :raises UnknownConsentError: where there is none.
    :raises ConsentError: where no lender registered it.
    :raises ConsentConflictError: where another verdict stands: somebody has judged since.
    """
    with store.writing() as session:
        stand, row = _lock_both(session, consent_id, who)
        if row.registered_role != Role.LENDER:
            zh = f"授权{consent_id}不是由金融机构登记的"
            en = f"the consent {consent_id} was not registered by its lender"
            raise ConsentError({"consent_id": Title(zh, en)})
        if row.verdict != instead_of:
            raise ConsentConflictError(_stands(row))
        at = clock()
        row.judged_at, row.judged_by, row.verdict = at, who.actor, "found" if is_found else "missing"
        judged = _consent(row)
        events = [_event(who, "consents.judge", judged, at, verdict=row.verdict, reason=note)]
        if not is_found and stand.stopped_at is None:
            events.append(_stop(who, stand, f"{row.reference}: {note}", at))
        append(session, events)
    return judged


def _stands(row: ConsentRow) -> Title:
    """Which verdict of a consent stands, and how it is changed."""
    if row.verdict is None:
        return Title(f"授权{row.id}尚未核验", f"nobody has judged the consent {row.id}")
    assert row.judged_at is not None
    verdict = VERDICTS[row.verdict]
    return Title(
        f"授权{row.id}已由{row.judged_by}于{day_of(row.judged_at)}核验:{verdict.zh};改判须写明所替代的结论:"
        f"{row.verdict}",
        f"the consent {row.id} was judged by {row.judged_by} on {day_of(row.judged_at)}: {verdict.en}; who"
        f" judges anew names the verdict that is replaced: {row.verdict}",
    )


def stop_lender(store: Store, who: Who, lender: str, reason: str, clock: Clock = now) -> None:
    """Refuse all checks of a lender until :func:`lift_stop`.

    :raises ConsentError: where there is no such lender.
    :raises ConsentConflictError: where it is stopped already.
    """
    with store.writing() as session:
        stand = _lock_lender(session, fold(lender), is_new=True)
        if stand.stopped_at is not None:
            raise ConsentConflictError(
                Title(
                    f"{stand.name}的查询自{day_of(stand.stopped_at)}起已停止",
                    f"{stand.name} is stopped since {stand.stopped_at}",
                )
            )
        append(session, [_stop(who, stand, reason, clock())])


def lift_stop(
    store: Store,
    who: Who,
    lender: str,
    reason: str,
    clock: Clock = now,
    stopped_at: dt.datetime | None = None,
) -> None:
    """Answer a lender's checks again.

    :param stopped_at: of the stop that was seen; None where none was shown, as on the command line.
    :raises ConsentConflictError: where it is not stopped, or was stopped anew since.
    """
    with store.writing() as session:
        stand = _lock_lender(session, fold(lender), is_new=True)
        if stand.stopped_at is None:
            raise ConsentConflictError(Title(f"{stand.name}的查询没有停止", f"{stand.name} is not stopped"))
        if stopped_at not in (None, stand.stopped_at):
            zh = f"查看之后{stand.name}的查询已另行停止:{stand.stopped_why}"
            en = f"since you saw it {stand.name} was stopped anew: {stand.stopped_why}"
            raise ConsentConflictError(Title(zh, en))
        stand.stopped_at = stand.stopped_by = stand.stopped_why = None
        append(session, [who.event("lenders.lift", None, clock(), lender=stand.name, reason=reason)])


def sample(
    store: Store, who: Who, lender: str, month: dt.date, seed: str, clock: Clock = now
) -> list[Consent]:
    """Draw by lot, of the consents that a lender registered in a month, those whose documents it must show.

    Whoever knows the seed can draw again: the same consents, in the same order.

    :param month: any day of it.
    :raises ConsentError: where the month is not over: what still comes would change the draw.
    """
    first = month.replace(day=1)
    begins, ends = (_midnight(day) for day in (first, add_months(first, 1)))
    if clock() < ends:
        zh = f"{first:%Y-%m}尚未结束,新登记的授权会改变抽取结果"
        en = f"{first:%Y-%m} is not over: what is still registered changes the draw"
        raise ConsentError({"month": Title(zh, en)})
    query = sa.select(ConsentRow).where(
        ConsentRow.lender == fold(lender),
        ConsentRow.registered_role == Role.LENDER.value,
        ConsentRow.registered_at >= begins,
        ConsentRow.registered_at < ends,
    )
    with store.writing() as session:
        rows = sorted(session.scalars(query), key=lambda row: _lot(seed, first, row.id))
        drawn = rows[: max(SAMPLE_LEAST, -(-len(rows) * SAMPLE_PERCENT // 100))]
        said = {"lender": fold(lender), "month": f"{first:%Y-%m}", "seed": seed, "of": len(rows)}
        append(
            session, [who.event("consents.sample", None, clock(), **said, drawn=[row.id for row in drawn])]
        )
        return [_consent(row) for row in drawn]


def get_consent(store: Store, who: Who, consent_id: int) -> Consent:
    """A consent.

    :raises UnknownConsentError: where there is none, or it is another lender's or subject's.
    """
    with store.reading() as session:
        return _consent(_visible(session.get(ConsentRow, consent_id), consent_id, who))


def list_consents(
    store: Store,
    *,
    lender: str | None = None,
    subject_id: str | None = None,
    ends: tuple[dt.date, dt.date] | None = None,
    before: int | None = None,
    limit: int | None = None,
) -> list[Consent]:
    """Consents, the newest first.

    :param ends: only those not withdrawn of which the last day is one of these, from the first to the last.
    :param before: only consents with a smaller number: the last of the page before.
    """
    query = sa.select(ConsentRow).order_by(ConsentRow.id.desc()).limit(limit)
    if lender is not None:
        query = query.where(ConsentRow.lender == fold(lender))
    if subject_id is not None:
        query = query.where(ConsentRow.subject_id == subject_key(subject_id))
    if ends is not None:
        query = query.where(ConsentRow.withdrawn_at.is_(None), ConsentRow.valid_until.between(*ends))
    if before is not None:
        query = query.where(ConsentRow.id < before)
    with store.reading() as session:
        return [_consent(row) for row in session.scalars(query)]


def list_lenders(store: Store) -> list[Lender]:
    """Every lender that has consents or was stopped, by name."""

    def number(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.count(sa.case((condition, ConsentRow.id)))

    counts = (
        sa.func.count(ConsentRow.id),
        number(ConsentRow.registered_role == Role.SUBJECT.value),
        number(ConsentRow.registered_role.in_((Role.REGULATOR.value, Role.OPERATOR.value))),
        number(ConsentRow.registered_role == Role.LENDER.value),
        number(ConsentRow.withdrawn_at.is_not(None)),
        number(ConsentRow.verdict == "found"),
        number(ConsentRow.verdict == "missing"),
    )
    stop = (LenderRow.stopped_at, LenderRow.stopped_by, LenderRow.stopped_why)
    query = (
        sa.select(LenderRow.name, *counts, *stop)
        .outerjoin_from(LenderRow, ConsentRow, ConsentRow.lender == LenderRow.name)
        .group_by(LenderRow.name, *stop)
        .order_by(LenderRow.name)
    )
    with store.reading() as session:
        return [Lender(*row) for row in session.execute(query)]


def stop_of(store: Store, lender: str) -> Title | None:
    """That a lender's checks are refused, since when and why; None where they are answered."""
    with store.reading() as session:
        return _stopped(session.get(LenderRow, fold(lender)))


def consents_to(session: Session, lender: str, references: Collection[str]) -> dict[str, Consent]:
    """A lender's consents by reference, kept as they are until the caller's transaction ends.

    :param session: of a transaction that writes.
    :raises LenderStoppedError: saying since when and why.
    """
    found = _kept(session, lender, ConsentRow.reference.in_(references))
    return {consent.reference: consent for consent in found}


def watched_by(
    session: Session, lender: str, subject_ids: Collection[str], on: dt.date
) -> dict[str, Consent]:
    """Of each subject a consent that lets a lender watch over its loans on a day, kept as it is until the
    caller's transaction ends; those without one are left out.

    :param session: of a transaction that writes.
    :raises LenderStoppedError: saying since when and why.
    """
    found = _kept(session, lender, ConsentRow.subject_id.in_(subject_ids), *lets_watch(on))
    return {consent.subject_id: consent for consent in found if MONITORING in consent.purposes}


def lets_watch(on: dt.date) -> tuple[sa.ColumnElement[bool], ...]:
    """The conditions that a consent lets its lender watch over loans on a day."""
    return (
        ConsentRow.withdrawn_at.is_(None),
        ConsentRow.verdict.is_distinct_from("missing"),
        ConsentRow.purposes.contains(MONITORING),
        ConsentRow.valid_from <= on,
        ConsentRow.valid_until >= on,
    )


def _kept(session: Session, lender: str, *conditions: sa.ColumnElement[bool]) -> list[Consent]:
    """A lender's consents, which nobody changes until the transaction ends; nor does anybody stop it."""
    stand = session.scalar(sa.select(LenderRow).where(LenderRow.name == lender).with_for_update(read=True))
    if (stopped := _stopped(stand)) is not None:
        raise LenderStoppedError(stopped)
    query = sa.select(ConsentRow).where(ConsentRow.lender == lender, *conditions)
    rows = session.scalars(query.order_by(ConsentRow.id).with_for_update(read=True))
    return [_consent(row) for row in rows]


def _stopped(stand: LenderRow | None) -> Title | None:
    if stand is None or stand.stopped_at is None:
        return None
    day = day_of(stand.stopped_at)
    return Title(
        f"{stand.name}的查询自{day}起已停止:{stand.stopped_why}",
        f"{stand.name} is stopped since {day}: {stand.stopped_why}",
    )


_GIVEN = ("lender", "subject_id", "reference", "document_sha256", "valid_from", "valid_until")


def faults_in(
    store: Store, who: Who, given: Mapping[str, Any], longest_months: int = LONGEST_MONTHS, clock: Clock = now
) -> dict[str, Title]:
    """What is wrong with what a registration says, by its fields; of a field that it lacks because what was
    given can't be read, nothing is said.

    :param given: what can be read of a :class:`Registration`.
    """
    with store.reading() as session:
        return _faults(session, who, _in_one_spelling(who, given), day_of(clock()), longest_months)


def _in_one_spelling(who: Who, given: Mapping[str, Any]) -> dict[str, Any]:
    """A registration as it is compared: a lender that names none is meant itself."""
    lender, reference, digest = (given.get(name) for name in ("lender", "reference", "document_sha256"))
    return {
        **given,
        "lender": fold(lender) if lender else who.lender,
        "reference": reference_key(reference) if reference else None,
        "document_sha256": digest.lower() if digest else None,
    }


def _number() -> str:
    return f"XH{secrets.token_hex(6).upper()}"


def _faults(
    session: Session, who: Who, given: Mapping[str, Any], on: dt.date, longest_months: int
) -> dict[str, Title]:
    """The first fault of each field."""
    faults = (
        ("subject_id", _wrong_subject(who, given.get("subject_id"))),
        ("lender", _wrong_lender(session, who, given["lender"])),
        ("purposes", _wrong_purposes(given.get("purposes") or ())),
        *_wrong_term(given.get("valid_from"), given.get("valid_until"), on, longest_months),
        ("reference", _wrong_reference(who, given["reference"])),
        ("document_sha256", _wrong_document(who, given["document_sha256"])),
    )
    return {field: title for field, title in faults if title is not None}


def _wrong_subject(who: Who, named: str | None) -> Title | None:
    """A subject speaks for itself alone."""
    if named is None:
        return None
    subject_id, doubt = subject_key(named), keys.doubt_of_key(keys.ENTERPRISES, named)
    if doubt is not None:
        return Title(
            f"{subject_id}不是统一社会信用代码:{doubt.zh}", f"{subject_id} is no credit code: {doubt.en}"
        )
    if who.subject not in (None, subject_id):
        return Title(
            f"企业只能登记本企业({who.subject})的授权",
            f"a subject registers its own consents alone: {who.subject}",
        )
    return None


def _wrong_lender(session: Session, who: Who, lender: str | None) -> Title | None:
    """A lender speaks for itself alone."""
    if lender is None:
        return Title("请写明授权给哪家金融机构", "say to which lender the consent is given")
    if who.lender not in (None, lender):
        return Title(
            f"金融机构只能登记对本机构({who.lender})的授权",
            f"a lender registers consents to itself alone: {who.lender}",
        )
    return _no_such_lender(session, lender)


_MADE_HERE = Title(
    "企业登记的授权由本系统编号,此项不填", "a subject's consent gets its number here: leave this out"
)


def _wrong_reference(who: Who, reference: str | None) -> Title | None:
    if reference is None:
        en = "a lender states the number of the signed document"
        return Title("金融机构须填写授权书编号", en) if who.lender is not None else None
    if who.subject is not None:
        return _MADE_HERE
    if not _REFERENCE.fullmatch(reference):
        return Title(
            f"{reference}不是授权书编号:应为4至100个字,含数字,可用文字、数字和()[]〔〕/.:#_-",
            f"{reference} is not the number of a signed document: 4 to 100 letters, digits and "
            "()[]〔〕/.:#_-, a digit among them",
        )
    return None


def _wrong_document(who: Who, digest: str | None) -> Title | None:
    if digest is None:
        en = "a lender states the SHA-256 of the signed document"
        return Title("金融机构须填写授权书的SHA-256值", en) if who.lender is not None else None
    if who.subject is not None:
        return _MADE_HERE
    if not _SHA256.fullmatch(digest):
        return Title("不是SHA-256值:应为64位十六进制数", "not a SHA-256: 64 hexadecimal digits")
    if digest == _NO_DOCUMENT:
        return Title(
            "这是空文件的SHA-256值,请对授权书本身计算",
            "this is the SHA-256 of an empty file: hash the document itself",
        )
    return None


def _wrong_purposes(purposes: Collection[str]) -> Title | None:
    unknown = sorted(set(purposes) - set(PURPOSES))
    if purposes and not unknown:
        return None
    zh = f"没有用途{unknown[0]}" if unknown else "没有选择用途"
    wrong = f"{unknown[0]} is no purpose" if unknown else "say for which purpose"
    named = "、".join(title.zh for title in PURPOSES.values())
    return Title(f"{zh},可选:{named}", f"{wrong}. Right: {', '.join(PURPOSES)}")


def _wrong_term(
    begins: dt.date | None, ends: dt.date | None, on: dt.date, longest_months: int
) -> Iterator[tuple[str, Title]]:
    """A last day is measured by a first day that can be, and by none other."""
    wrong_begin = None if begins is None else _wrong_begin(begins, on, longest_months)
    if wrong_begin is not None:
        yield "valid_from", wrong_begin
    if ends is None:
        return
    if ends < on:
        yield (
            "valid_until",
            Title(f"截止日期{ends}已过,不得早于今天", f"it ended on {ends}: register one that holds"),
        )
    elif begins is not None and ends < begins:
        zh, en = f"截止日期{ends}早于起始日期{begins}", f"it ends on {ends}, before it begins on {begins}"
        yield "valid_until", Title(zh, en)
    elif begins is not None and wrong_begin is None:
        last = add_days(add_months(begins, longest_months), -1)
        if ends > last:
            zh = f"期限最长{longest_months}个月,截止日期最晚为{last}"
            yield "valid_until", Title(zh, f"at most {longest_months} months: until {last}, not {ends}")


def _wrong_begin(begins: dt.date, on: dt.date, longest_months: int) -> Title | None:
    earliest, latest = first_start_still_open(on, longest_months), add_months(on, AHEAD_MONTHS)
    if begins < earliest:
        zh = f"起始日期{begins}过早:期限最长{longest_months}个月,最早为{earliest}"
        en = f"{begins} is too early: of {longest_months} months at most, it begins on {earliest} or later"
        return Title(zh, en)
    if begins > latest:
        zh = f"起始日期{begins}过晚,最晚为{latest}"
        return Title(zh, f"{begins} is too far ahead: it begins on {latest} at the latest")
    return None


def _check_is_new(session: Session, wanted: Registration) -> None:
    same = [ConsentRow.reference == wanted.reference]
    if wanted.document_sha256 is not None:
        same.append(ConsentRow.document_sha256 == wanted.document_sha256)
    found = session.scalar(sa.select(ConsentRow).where(ConsentRow.lender == wanted.lender, sa.or_(*same)))
    if found is not None:
        same_number = found.reference == wanted.reference
        zh, en = ("编号", "number") if same_number else ("授权书", "signed document")
        raise ConsentConflictError(
            Title(
                f"对{found.lender}的授权{found.id}已用此{zh},每项授权须各有{zh}",
                f"the consent {found.id} to {found.lender} has this {en} already: each consent has its own",
            )
        )


def _check_not_taken_back(session: Session, wanted: Registration, on: dt.date) -> None:
    """After a subject, or the district, took a consent back, the lender's word is not enough for the next.

    It is again while one holds, or will, that the subject or the district registered.
    """
    own = sa.select(ApiKey.prefix).where(
        ApiKey.role == Role.LENDER.value, ApiKey.organisation == wanted.lender
    )
    of_subject = sa.and_(ConsentRow.lender == wanted.lender, ConsentRow.subject_id == wanted.subject_id)
    taken_back = sa.select(ConsentRow).where(of_subject, ConsentRow.withdrawn_by.not_in(own))
    renewed = sa.select(ConsentRow.id).where(
        of_subject,
        ConsentRow.withdrawn_at.is_(None),
        ConsentRow.valid_until >= on,
        ConsentRow.registered_role != Role.LENDER.value,
    )
    found = session.scalar(taken_back.order_by(ConsentRow.id.desc()).limit(1))
    if found is not None and found.withdrawn_at is not None and session.scalar(renewed.limit(1)) is None:
        day = day_of(found.withdrawn_at)
        raise ConsentConflictError(
            Title(
                f"授权{found.id}已于{day}撤回,且不是由金融机构撤回;再次授权须由企业或信用监管机构登记",
                f"the consent {found.id} was withdrawn on {day}, and not by the lender: the next one is"
                " registered by the subject or the district",
            )
        )


def _no_such_lender(session: Session, name: str) -> Title | None:
    """That no lender of a name has a key; None where one has."""
    named = sa.select(ApiKey.prefix).where(ApiKey.role == Role.LENDER.value, ApiKey.organisation == name)
    if session.scalar(named.limit(1)) is not None:
        return None
    zh = f"没有名为{name}的金融机构:请按其登记的全称填写,未登记的须先制发密钥"
    return Title(zh, f"no lender is called {name}: it needs a key first")


def _lock_lender(session: Session, name: str, is_new: bool = False) -> LenderRow:
    """The lender's row, until the transaction ends.

    :param is_new: make it where it isn't there, for a lender that has a key.
    """
    if is_new:
        if (unknown := _no_such_lender(session, name)) is not None:
            raise ConsentError({"lender": unknown})
        insert_new(session, LenderRow, name=name)
    found = session.scalar(sa.select(LenderRow).where(LenderRow.name == name).with_for_update())
    if found is None:
        raise UnknownConsentError(Title("没有这项授权", "there is no such consent"))
    return found


def _lock_both(session: Session, consent_id: int, who: Who) -> tuple[LenderRow, ConsentRow]:
    """A consent and its lender, until the transaction ends: nothing is registered to it meanwhile."""
    of_number = sa.select(ConsentRow).where(ConsentRow.id == consent_id)
    named = session.scalar(of_number.with_only_columns(ConsentRow.lender))
    if named is None:
        raise _no_consent(consent_id)
    stand = _lock_lender(session, named)
    return stand, _visible(session.scalar(of_number.with_for_update()), consent_id, who)


def _visible(row: ConsentRow | None, consent_id: int, who: Who) -> ConsentRow:
    if row is None or who.lender not in (None, row.lender) or who.subject not in (None, row.subject_id):
        raise _no_consent(consent_id)
    return row


def _no_consent(consent_id: int) -> UnknownConsentError:
    return UnknownConsentError(Title(f"没有授权{consent_id}", f"there is no consent {consent_id}"))


def _stop(who: Who, stand: LenderRow, why: str, at: dt.datetime) -> Event:
    stand.stopped_at, stand.stopped_by, stand.stopped_why = at, who.actor, why
    return who.event("lenders.stop", None, at, lender=stand.name, reason=why)


def _event(who: Who, action: str, consent: Consent, at: dt.datetime, **details: object) -> Event:
    said = {"consent_id": consent.id, "lender": consent.lender, "reference": consent.reference}
    return who.event(action, consent.subject_id, at, **said, **details)


def _midnight(day: dt.date) -> dt.datetime:
    """When a day begins; of the days before 1970 that one, for the first has no moment in UTC."""
    return dt.datetime.combine(max(day, dt.date(1970, 1, 1)), dt.time(), SHANGHAI)


def _lot(seed: str, month: dt.date, consent_id: int) -> bytes:
    """The lot that a consent draws: nobody who lacks the seed can foretell it."""
    return hashlib.blake2b(f"{seed}\0{month:%Y-%m}\0{consent_id}".encode(), digest_size=16).digest()


def _consent(row: ConsentRow) -> Consent:
    values = {name: getattr(row, name) for name in Consent.__slots__}
    return Consent(**(values | {"purposes": tuple(row.purposes.split(","))}))
