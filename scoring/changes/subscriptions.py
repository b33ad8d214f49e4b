"""Subscriptions: who is told of changes, where and how far they are.

A regulator registers a receiver, a department or a lender its own. One with an address is sent what is new
(:mod:`scoring.changes.sending`); one without reads the feed and acknowledges up to where it has it.
"""

from __future__ import annotations

import base64
import datetime as dt
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.model import Title
from rules.titles import TitledError, UnknownError
from scoring.access.audit import append
from scoring.access.consents import Clock, now
from scoring.access.keys import ROLE_TITLES, STATE_TITLES, Role, Who
from scoring.changes.addresses import check_address, is_own_host
from scoring.changes.feed import SEEN_BY, Audience, Place, head
from scoring.facts.bodies import UnknownBodyError, register
from scoring.facts.ingest.folding import fold
from scoring.store import Store
from scoring.store.access import ApiKey
from scoring.store.changes import DeliveryRow, SubscriptionRow
from scoring.store.standing import ACTIVE, standing

ROLES = (Role.REGULATOR, Role.DEPARTMENT, Role.LENDER)
"""For whom a receiver may be told."""

FOR_WHOM: Mapping[Role, Title] = {
    Role.REGULATOR: Title("全部变动", "Everything"),
    Role.DEPARTMENT: Title("一个部门自己的记录", "A department's own records"),
    Role.LENDER: Title(
        "一家金融机构：有贷后管理授权的等级变化", "A lender: tiers under consents for monitoring"
    ),
}
STATES: Mapping[str, Title] = {
    "active": Title("正常", "Active"),
    "failing": Title("推送失败，等待重试", "Failing; tried again"),
    "paused": Title("已暂停", "Paused"),
    "stopped": Title("已停止", "Stopped"),
    "ended": Title("已终止", "Ended"),
}

SECRET_BYTES = 32
MOST_OWN = 5
"""How many subscriptions a department or a lender has at a time, by its own word, for each may keep a sender
waiting: our own choice."""

OWN_ALONE = (Role.DEPARTMENT, Role.LENDER)
"""Who has subscriptions of its own, and finds nobody else's."""

PAUSED = "paused"
"""Why a subscription is stopped that somebody paused."""


class SubscriptionError(TitledError):
    """A subscription that can't be registered so; the message says what would be right.

    :ivar field: which of its values is wrong.
    """

    def __init__(self, field: str, title: Title) -> None:
        super().__init__(title)
        self.field = field


class SubscriptionConflictError(TitledError):
    """Things stand otherwise: it has ended, is not stopped, or acknowledges by itself."""


class UnknownSubscriptionError(UnknownError):
    """There is no such subscription, or not for who asks."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A subscription to be registered.

    :param role: for whom: ``regulator`` stands for everything that is told, whoever receives it.
    :param organisation: which department or lender; None for a regulator.
    :param kinds: of which changes; none: all that the role may be told.
    :param after: the place after which it begins; None: what comes from now on.
    """

    receiver: str
    role: Role
    organisation: str | None = None
    kinds: Collection[str] = ()
    address: str | None = None
    after: Place | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription without its secret: see :class:`scoring.store.changes.SubscriptionRow`."""

    id: int
    receiver: str
    role: Role
    organisation: str | None
    kinds: tuple[str, ...]
    pack_id: str | None
    address: str | None
    begins: str
    place: str
    tries: int
    next_at: dt.datetime | None
    stopped_at: dt.datetime | None
    stopped_why: str | None
    created_at: dt.datetime
    created_by: str
    ended_at: dt.datetime | None
    ended_by: str | None

    @property
    def state(self) -> str:
        """``active``, ``failing`` while a message is tried again, ``paused``, ``stopped`` or ``ended``."""
        if self.ended_at is not None:
            return "ended"
        if self.stopped_at is not None:
            return "paused" if self.stopped_why == PAUSED else "stopped"
        return "failing" if self.tries else "active"

    @property
    def audience(self) -> Audience:
        """Whom its items are for."""
        return Audience(self.role, self.organisation, self.kinds, self.pack_id)


@dataclass(frozen=True, slots=True)
class Delivery:
    """An attempt, or an acknowledgement: see :class:`scoring.store.changes.DeliveryRow`."""

    id: int
    after: str
    until: str
    items: int
    begun_at: dt.datetime
    acknowledged_at: dt.datetime | None
    status: int | None
    problem: str | None
    by: str


def subscribe(
    store: Store, who: Who, wanted: Wanted, pack_id: str, clock: Clock = now
) -> tuple[Subscription, str | None]:
    """Register a receiver.

    :param who: a department or a lender registers its own alone, to addresses of the internet at large.
    :param pack_id: of which pack a lender is told the tiers.
    :return: the subscription, and the secret by which what is sent to its address is signed: nobody is shown
        it again.
    :raises SubscriptionError: where the organisation, a kind, the address or the place can't be.

    >>> from fixtures.small import small_store
    >>> from scoring.access.keys import Who
    >>> from scoring.access.keys import Role
    >>> office, wanted = Who("cli:li", Role.REGULATOR), Wanted("区政务服务平台", Role.REGULATOR)
    >>> made, secret = subscribe(small_store(), office, wanted, "tourism-credit")
    >>> made.state, made.place, secret  # it has no address, and so nothing to sign
    ('active', '1', None)
    """
    secret = _secret() if wanted.address else None
    if wanted.address:
        _refused("address", check_address(wanted.address))
        _refused("address", barred_host(wanted.address, who.role))
    if who.role in OWN_ALONE and wanted.role is not who.role:
        en = f"a {who.role} registers its own subscriptions alone: role {who.role}"
        _refused("role", Title(f"{ROLE_TITLES[who.role].zh}只能登记本机构的订阅", en))
    kinds = tuple(kind for kind in SEEN_BY[wanted.role] if not wanted.kinds or kind in wanted.kinds)
    if not kinds or not set(wanted.kinds) <= set(kinds):
        known = ", ".join(SEEN_BY[wanted.role])
        zh = f"{ROLE_TITLES[wanted.role].zh}可订阅的种类:{known}"
        raise SubscriptionError("kinds", Title(zh, f"a {wanted.role} may be told of {known}"))
    with store.writing() as session:
        if who.role in OWN_ALONE:
            wanted = _own(session, who, wanted)
        organisation = _organisation(session, wanted)
        last = head(session)
        begins = wanted.after or Place(last)
        if begins.id > last:
            _refused("after", Title(f"变动列表只到{last}", f"the feed has come to {last} only"))
        row = SubscriptionRow(
            receiver=wanted.receiver,
            role=wanted.role.value,
            organisation=organisation,
            kinds=",".join(kinds),
            pack_id=pack_id if wanted.role is Role.LENDER else None,
            address=wanted.address,
            secret=secret,
            begins=str(begins),
            place=str(begins),
            tries=0,
            created_at=clock(),
            created_by=who.actor,
        )
        session.add(row)
        session.flush()
        made = subscription_of(row)
        _log(session, who, "subscriptions.register", made, made.created_at)
        if who.role in OWN_ALONE:
            _check_number(session, who)  # last: who logs, waits for all that others have logged
    return made, secret


def list_subscriptions(
    store: Store, after: int = 0, limit: int | None = None, who: Who | None = None
) -> list[Subscription]:
    """Subscriptions by number.

    :param after: only those with a greater number: the last of the page before.
    :param who: only those that they may see.
    """
    with store.reading() as session:
        query = _seen_by(session, who).where(SubscriptionRow.id > after).order_by(SubscriptionRow.id)
        return [subscription_of(row) for row in session.scalars(query.limit(limit))]


def get_subscription(store: Store, number: int, who: Who | None = None) -> Subscription:
    """A subscription.

    :param who: only if they may see it.
    :raises UnknownSubscriptionError: where there is none, or it is another's.
    """
    with store.reading() as session:
        return subscription_of(_found(session, number, who))


def list_deliveries(
    store: Store, number: int, before: int | None = None, limit: int | None = None, who: Who | None = None
) -> list[Delivery]:
    """Attempts and acknowledgements of a subscription, the newest first.

    :param who: only if they may see it.
    :raises UnknownSubscriptionError: where there is none, or it is another's.
    """
    query = sa.select(DeliveryRow).where(DeliveryRow.subscription_id == number)
    if before is not None:
        query = query.where(DeliveryRow.id < before)
    with store.reading() as session:
        _found(session, number, who)
        rows = session.scalars(query.order_by(DeliveryRow.id.desc()).limit(limit))
        return [Delivery(**{name: getattr(row, name) for name in Delivery.__slots__}) for row in rows]


def end_subscription(store: Store, who: Who, number: int, clock: Clock = now) -> Subscription:
    """End a subscription: from this moment on nothing is sent. What was told stays on record.

    :raises UnknownSubscriptionError: where there is none.
    :raises SubscriptionConflictError: where it has ended.
    """
    with store.writing() as session:
        row = _locked(session, number, who)
        row.ended_at, row.ended_by, row.secret = clock(), who.actor, None
        ended = subscription_of(row)
        _log(session, who, "subscriptions.end", ended, row.ended_at)
    return ended


def pause(store: Store, who: Who, number: int, clock: Clock = now) -> Subscription:
    """Send nothing until :func:`resume`; what comes meanwhile is sent then. A message under way arrives.

    :raises UnknownSubscriptionError: where there is none.
    :raises SubscriptionConflictError: where it has ended, is stopped, or is sent nothing anyway.
    """
    with store.writing() as session:
        row = _sent_to(session, number, who)
        if row.stopped_at is not None:
            raise SubscriptionConflictError(
                Title(f"订阅{number}已停止推送", f"the subscription {number} is stopped already")
            )
        row.stopped_at, row.stopped_why = clock(), PAUSED
        paused = subscription_of(row)
        _log(session, who, "subscriptions.pause", paused, row.stopped_at)
    return paused


def renew_secret(store: Store, who: Who, number: int, clock: Clock = now) -> tuple[Subscription, str]:
    """Have what is sent from now on signed by another secret, which nobody is shown again.

    :raises UnknownSubscriptionError: where there is none.
    :raises SubscriptionConflictError: where it has ended, or is sent nothing that would be signed.
    """
    secret = _secret()
    with store.writing() as session:
        row = _sent_to(session, number, who)
        row.secret = secret
        renewed = subscription_of(row)
        _log(session, who, "subscriptions.renew_secret", renewed, clock())
    return renewed, secret


def resume(store: Store, who: Who, number: int, clock: Clock = now) -> Subscription:
    """Send again at once what failed or was given up, and go on from there. Where the key that registered it
    has ended, it goes on by the word of who resumes it.

    :raises UnknownSubscriptionError: where there is none.
    :raises SubscriptionConflictError: where it has ended, or nothing failed and it was not stopped.
    """
    with store.writing() as session:
        row = _locked(session, number, who)
        if row.stopped_at is None and not row.tries:
            raise SubscriptionConflictError(
                Title(f"订阅{number}没有停止", f"the subscription {number} is not stopped")
            )
        row.stopped_at = row.stopped_why = row.next_at = None
        row.tries = 0
        if standing(session, row.created_by) != ACTIVE:
            barred = barred_host(row.address or "", registrar(session, row))
            if barred is not None:
                raise SubscriptionConflictError(barred)
            row.created_by = who.actor
        resumed = subscription_of(row)
        _log(session, who, "subscriptions.resume", resumed, clock())
    return resumed


def acknowledge(store: Store, who: Who, number: int, until: Place, clock: Clock = now) -> Subscription:
    """Note that a receiver who reads the feed has everything up to a place. To say it again changes nothing.

    :raises UnknownSubscriptionError: where there is none, or it is another's.
    :raises SubscriptionConflictError: where it has ended, it is sent what is new, or the place is behind the
        last one or not reached yet.
    """
    with store.writing() as session:
        row = _locked(session, number, who, is_receiver=True)
        if row.address is not None:
            raise SubscriptionConflictError(
                Title(
                    f"订阅{number}按地址推送,以2xx应答为签收",
                    f"the subscription {number} is sent what is new: a 2xx acknowledges",
                )
            )
        before, last = Place.read(row.place), head(session)
        if until == before:
            return subscription_of(row)
        if until.is_before(before) or until.id > last:
            raise SubscriptionConflictError(
                Title(
                    f"已签收至{before},变动列表到{last}:不能签收至{until}",
                    f"it is acknowledged up to {before}, and the feed has come to {last}: not up to {until}",
                )
            )
        at = clock()
        note_delivery(session, row, until, 0, at, who.actor).acknowledged_at = at
        row.place = str(until)
        done = subscription_of(row)
        _log(session, who, "subscriptions.acknowledge", done, at)
    return done


def note_delivery(
    session: Session, row: SubscriptionRow, until: Place, items: int, at: dt.datetime, by: str
) -> DeliveryRow:
    """Note an attempt to tell what lies between a subscription's place and another."""
    made = DeliveryRow(
        subscription_id=row.id,
        after=row.place,
        until=str(until),
        after_id=Place.read(row.place).id,
        until_id=until.id,
        items=items,
        begun_at=at,
        by=by,
    )
    session.add(made)
    session.flush()
    return made


def subscription_of(row: SubscriptionRow) -> Subscription:
    """A subscription as it is kept."""
    values = {name: getattr(row, name) for name in Subscription.__slots__}
    return Subscription(**(values | {"role": Role(row.role), "kinds": tuple(row.kinds.split(","))}))


def _secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def _own(session: Session, who: Who, wanted: Wanted) -> Wanted:
    """What a department or a lender registers: for itself, and for nobody else."""
    own = fold(who.organisation or "")
    if wanted.organisation and fold(wanted.organisation) not in _names(session, who):
        en = f"a {who.role} registers its own subscriptions alone: {own}"
        zh = f"{ROLE_TITLES[who.role].zh}只能登记本机构({own})的订阅"
        _refused("organisation", Title(zh, en))
    return replace(wanted, organisation=own)


def _check_number(session: Session, who: Who) -> None:
    open_ones = sa.select(sa.func.count()).select_from(
        _seen_by(session, who).where(SubscriptionRow.ended_at.is_(None)).subquery()
    )
    if session.scalars(open_ones).one() > MOST_OWN:
        en = f"a {who.role} has {MOST_OWN} subscriptions at a time: end one that is not needed"
        zh = f"每家{ROLE_TITLES[who.role].zh}最多{MOST_OWN}个订阅,请先终止不用的订阅"
        _refused("receiver", Title(zh, en))


def _sent_to(session: Session, number: int, who: Who) -> SubscriptionRow:
    """A subscription with an address, locked."""
    row = _locked(session, number, who)
    if row.address is None:
        en = f"the subscription {number} has no address: its receiver reads the feed"
        raise SubscriptionConflictError(Title(f"订阅{number}没有推送地址:接收方自行读取变动列表", en))
    return row


def _organisation(session: Session, wanted: Wanted) -> str | None:
    """The department, by the name that it has now, or the lender: one that is known."""
    name = wanted.organisation and fold(wanted.organisation)
    if wanted.role is Role.REGULATOR:
        if name:
            _refused("organisation", Title("全部变动的订阅不写机构", "for everything, name no organisation"))
        return None
    if not name:
        zh = "请写明是哪个单位或机构"
        _refused("organisation", Title(zh, f"say which {wanted.role} it is"))
    if wanted.role is Role.DEPARTMENT:
        try:
            return register(session).body(str(name)).name
        except UnknownBodyError as error:
            raise SubscriptionError("organisation", error.title) from None
    has_key = sa.select(ApiKey.prefix).where(ApiKey.role == wanted.role.value, ApiKey.organisation == name)
    if session.scalar(has_key.limit(1)) is None:
        zh = f"没有名为{name}的机构:须先有密钥"
        _refused("organisation", Title(zh, f"no lender is called {name}: it needs a key first"))
    return name


def barred_host(address: str, role: Role | None) -> Title | None:
    """Why nothing goes to an address by the word of a role: its host is in the district's own network."""
    if role not in OWN_ALONE or not is_own_host(address):
        return None
    en = "this host is in the district's own network: the credit office registers it"
    return Title("该主机在政务内网,须由信用监管机构登记", en)


def lost(state: str) -> Title:
    """Why nothing is sent by the word of a key that has ended: who held it may have named an own address."""
    title = STATE_TITLES[state]
    return Title(f"登记此订阅的密钥{title.zh}", f"the key that registered it is {title.en}")


def registrar(session: Session, row: SubscriptionRow) -> Role | None:
    """By whose key a subscription was registered or taken on since; None: by the command line."""
    role = session.scalar(sa.select(ApiKey.role).filter_by(prefix=row.created_by))
    return None if role is None else Role(role)


def _refused(field: str, title: Title | None) -> None:
    if title is not None:
        raise SubscriptionError(field, title)


def _seen_by(session: Session, who: Who | None) -> sa.Select[SubscriptionRow]:
    """Subscriptions: a department's or a lender's own, or everybody's."""
    query = sa.select(SubscriptionRow)
    if who is None or who.role not in OWN_ALONE:
        return query
    return query.filter_by(role=who.role.value).where(
        SubscriptionRow.organisation.in_(sorted(_names(session, who)))
    )


def _names(session: Session, who: Who) -> frozenset[str]:
    """By which names its organisation goes: a department by all of the register, a lender by its own."""
    own = fold(who.organisation or "")
    return register(session).names(own) if who.role is Role.DEPARTMENT else frozenset({own})


def _locked(session: Session, number: int, who: Who, is_receiver: bool = False) -> SubscriptionRow:
    """A subscription that has not ended; others who want it wait for the end of the transaction.

    :param who: a department or a lender has its own alone.
    :param is_receiver: only if it is theirs: for a regulator one of everything.
    """
    row = _found(session, number, who, is_locked=True)
    if is_receiver and row.role != who.role:
        raise _unknown(number)
    if row.ended_at is not None:
        raise SubscriptionConflictError(Title(f"订阅{number}已终止", f"the subscription {number} has ended"))
    return row


def _found(session: Session, number: int, who: Who | None, is_locked: bool = False) -> SubscriptionRow:
    query = _seen_by(session, who).where(SubscriptionRow.id == number)
    row = session.scalar(query.with_for_update() if is_locked else query)
    if row is None:
        raise _unknown(number)
    return row


def _unknown(number: int) -> UnknownSubscriptionError:
    return UnknownSubscriptionError(Title(f"没有编号为{number}的订阅", f"there is no subscription {number}"))


def _log(session: Session, who: Who, action: str, row: Subscription, at: dt.datetime) -> None:
    """Log what is done to a subscription; its address may hold what is nobody's business."""
    said = {"subscription": row.id, "receiver": row.receiver, "place": row.place}
    append(session, [who.event(action, None, at, **said)])
