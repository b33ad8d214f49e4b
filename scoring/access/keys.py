"""API keys: who may come in, and in which role.

A key is ``xh_`` + prefix + ``_`` + secret. The prefix names it and is shown; the secret is 256 random bits,
and the store holds its SHA-256 alone. A slow hash (argon2, scrypt) is for secrets that people choose, which
can be guessed from a list; 256 random bits can't be, and a fast hash of them is as safe.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rules.titles import Title, TitledError, UnknownError
from scoring.access import holders
from scoring.access.audit import Event, append
from scoring.access.cache import TimedCache
from scoring.facts.ingest.folding import fold
from scoring.facts.ingest.keys import ENTERPRISES, subject_key
from scoring.store import Store
from scoring.store.access import ApiKey, Identity, PageSession
from scoring.store.standing import ACTIVE, beginning, standing, state_of, successors

CACHE_SECONDS = 2.0
"""For how long a process may go on taking a key that was revoked by another one."""

_PREFIX_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
_TOKEN = re.compile(r"xh_([a-z0-9]{10})_([A-Za-z0-9_-]{43})")
_LATEST = dt.datetime(9999, 12, 30, tzinfo=dt.UTC)
_NO_KEY = hashlib.sha256(b"no key").hexdigest()


class Role(StrEnum):
    """What a key is for; which endpoints it opens is the API's table."""

    REGULATOR = "regulator"
    DEPARTMENT = "department"
    LENDER = "lender"
    OPERATOR = "operator"
    SUBJECT = "subject"


ROLE_TITLES = {
    Role.REGULATOR: Title("监管人员", "regulator"),
    Role.DEPARTMENT: Title("部门", "department"),
    Role.LENDER: Title("金融机构", "lender"),
    Role.OPERATOR: Title("系统管理员", "operator"),
    Role.SUBJECT: Title("被评价主体", "subject"),
}
"""What people call the roles."""

OF_ORGANISATION = frozenset({Role.DEPARTMENT, Role.LENDER, Role.SUBJECT})
"""The roles whose keys belong to an organisation; of a subject that is its own number (credit code)."""

MAY_NAME = OF_ORGANISATION | {Role.REGULATOR}
"""Those whose keys may name one. A regulator who does so decides on none of its records."""


STATE_TITLES: Mapping[str, Title] = {
    "active": Title("有效", "active"),
    "expired": Title("已过期", "expired"),
    "revoked": Title("已停用", "revoked"),
}


class KeyRefusedError(TitledError):
    """A key that doesn't open anything; the message says why without saying more than its bearer may know."""


class WrongKeyError(TitledError, ValueError):
    """A key that can't be made: whose it would be, or until when, is wrong."""


class KeyNotFoundError(UnknownError):
    """There is no key of that prefix, or it has ended already."""


@dataclass(frozen=True, slots=True)
class Who:
    """Who does something.

    :param actor: the prefix of a key, or ``cli:user``.
    :param organisation: which lender or subject it is.
    """

    actor: str
    role: Role
    organisation: str | None = None
    request_id: str | None = None

    @property
    def lender(self) -> str | None:
        """Which lender it is; None for all others."""
        return fold(self.organisation or "") if self.role is Role.LENDER else None

    @property
    def subject(self) -> str | None:
        """Which subject it is; None for all others."""
        return subject_key(ENTERPRISES, self.organisation or "") if self.role is Role.SUBJECT else None

    def event(self, action: str, subject_id: str | None, at: dt.datetime, **details: object) -> Event:
        """What it did, for the audit log."""
        return Event(self.actor, self.role.value, action, subject_id, self.request_id, details, at)


@dataclass(frozen=True, slots=True)
class Key:
    """A key without its secret. Moments are UTC."""

    prefix: str
    role: Role
    owner: str
    organisation: str | None
    created_at: dt.datetime
    expires_at: dt.datetime | None
    revoked_at: dt.datetime | None
    replaces: str | None

    @property
    def state(self) -> str:
        """How it stands, as :func:`scoring.store.standing.state_of` says."""
        return state_of(self.revoked_at, self.expires_at, dt.datetime.now(dt.UTC))


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made; the only time that its token can be had.

    :ivar doubt: why it may open less than is meant.
    """

    key: Key
    token: str
    doubt: Title | None = None


def create_key(
    store: Store,
    role: Role,
    owner: str,
    organisation: str | None = None,
    expires_at: dt.datetime | None = None,
    who: Who | None = None,
) -> NewKey:
    """Make a key.

    :param owner: who holds it, for people to know it by.
    :param organisation: required for a department's, lender's or subject's key: whose data, or which one; of
        a regulator's the office to whose records it decides no objection, if any.
    :param who: who makes it: the audit log has it with the key, or neither is there. None: the log has none.
    :raises WrongKeyError: where the organisation is missing, out of place or a number that no subject can
        have, or the expiry is past or no date.

    >>> from fixtures.small import small_store
    >>> store = small_store()
    >>> made = create_key(store, Role.LENDER, "王经理", organisation="云衡农商行")
    >>> str(made.key.role), KeyRing(store).authenticate(made.token) == made.key
    ('lender', True)
    """
    _check(role, organisation)
    expires_at = expires_at and _lasting(expires_at)
    with store.writing() as session:
        doubt = _doubt(session, role, organisation)
        if doubt and role is Role.SUBJECT and (wrong := holders.is_impossible(session, organisation or "")):
            raise WrongKeyError(wrong)
        new = _insert(session, role, owner, organisation and fold(organisation), expires_at, None)
        made = new.key
        said = {"role": role.value, "owner": owner, "organisation": made.organisation}
        log(session, who, "keys.create", made.prefix, **said, expires_at=made.expires_at)
        return replace(new, doubt=doubt)


def rotate_key(
    store: Store, prefix: str, overlap: dt.timedelta = dt.timedelta(), who: Who | None = None
) -> NewKey:
    """Make a key that takes the place of another, with its role, organisation, expiry and person.

    While its successor works a key is not replaced again, but the successor is; then three work for a while,
    each of the old ones to the end of its own overlap.

    :param overlap: for how long the old key goes on working beside the new one.
    :param who: as for :func:`create_key`.
    :raises KeyNotFoundError: where there is no such key, or it has ended or been replaced.
    """
    with store.writing() as session:
        old = get_active(session, prefix)
        expires_at = _lasts(session, old)
        if overlap:
            _shorten(session, old, overlap)
        else:
            _end(session, prefix)
        new = _insert(session, old.role, old.owner, old.organisation, expires_at, prefix)
        session.flush()
        of_old = sa.update(Identity).where(Identity.key == prefix)
        session.execute(of_old.values(key=new.key.prefix))
        hours = overlap / dt.timedelta(hours=1)
        log(session, who, "keys.rotate", prefix, successor=new.key.prefix, overlap_hours=hours)
        return replace(new, doubt=_doubt(session, old.role, old.organisation))


def revoke_key(store: Store, prefix: str, who: Who | None = None) -> Key:
    """End a key, for every process within :data:`CACHE_SECONDS`.

    What it registered to be sent is sent no more, unless a key that took its place works
    (:mod:`scoring.changes.sending`).

    :param who: as for :func:`create_key`.
    :raises KeyNotFoundError: where there is no such key, or it has ended.
    """
    with store.writing() as session:
        get_active(session, prefix)
        _end(session, prefix)
        log(session, who, "keys.revoke", prefix)
    return get_key(store, prefix)


def list_keys(store: Store, after: str | None = None, limit: int | None = None) -> list[Key]:
    """Keys by prefix.

    :param after: only keys with a greater prefix: the last of the page before.
    """
    query = sa.select(ApiKey).order_by(ApiKey.prefix).limit(limit)
    if after is not None:
        query = query.where(ApiKey.prefix > after)
    with store.reading() as session:
        return [_key(row) for row in session.scalars(query)]


def count_ending(store: Store, first: dt.datetime, last: dt.datetime) -> int:
    """How many keys end by themselves between two moments, without another that has taken their place."""
    replaced = sa.select(ApiKey.replaces).where(ApiKey.replaces.is_not(None), ApiKey.revoked_at.is_(None))
    query = sa.select(sa.func.count()).where(
        ApiKey.revoked_at.is_(None), ApiKey.expires_at.between(first, last), ApiKey.prefix.not_in(replaced)
    )
    with store.reading() as session:
        return session.scalars(query).one()


def get_key(store: Store, prefix: str) -> Key:
    """The key of that prefix.

    :raises KeyNotFoundError: where there is none.
    """
    with store.reading() as session:
        return _get(session, prefix)


def log(session: Session, who: Who | None, action: str, prefix: str, **details: object) -> None:
    """Have the audit log say what was done with a key, as the last step of the transaction that does it."""
    if who is not None:
        append(session, [who.event(action, None, dt.datetime.now(dt.UTC), prefix=prefix, **details)])


def owners_of(store: Store, prefixes: Iterable[str]) -> dict[str, str]:
    """Who holds keys, by their prefixes; what is no key's prefix is left out."""
    with store.reading() as session:
        return owners_in(session, prefixes)


def owners_in(session: Session, prefixes: Iterable[str]) -> dict[str, str]:
    """As :func:`owners_of`, in a transaction under way."""
    query = sa.select(ApiKey.prefix, ApiKey.owner).where(ApiKey.prefix.in_(set(prefixes)))
    return dict(session.execute(query).all())


def regulators(session: Session) -> dict[str, bool]:
    """The owners of regulators' keys, each with whether one of its keys works now: then work of the office
    can be given to it.
    """
    owners: dict[str, bool] = {}
    for key in map(_key, session.scalars(sa.select(ApiKey).filter_by(role=Role.REGULATOR.value))):
        owners[key.owner] = owners.get(key.owner, False) or key.state == "active"
    return dict(sorted(owners.items()))


def first_of_line(store: Store, key: Key) -> str:
    """The prefix of the first of the keys that replaced one another, down to this one."""
    if key.replaces is None:
        return key.prefix
    with store.reading() as session:
        return beginning(session, key.prefix)


def refuse_ended(key: Key) -> Key:
    """A key that works.

    :raises KeyRefusedError: where it has ended.
    """
    _refuse(key.state)
    return key


def refuse_change(session: Session, key: Key) -> None:
    """Refuse to keep a change of somebody whose key ended while it was made; who goes on by the key that took
    its place has not lost it.

    :raises KeyRefusedError: where it has ended.
    """
    _refuse(standing(session, key.prefix))


def _refuse(state: str) -> None:
    if state != ACTIVE:
        raise KeyRefusedError(Title(f"此密钥{STATE_TITLES[state].zh}", f"this key is {state}"))


class KeyRing:
    """Checks tokens; those that opened something are remembered for a few seconds, their ends are looked at
    each time. One that opens nothing takes the same work whether its prefix is known or not: nobody learns
    by the time of the answer which prefixes there are.

    :param cache_seconds: see :data:`CACHE_SECONDS`.

    >>> from fixtures.small import small_store
    >>> KeyRing(small_store()).authenticate("xh_nobody_0000")
    Traceback (most recent call last):
        ...
    scoring.access.keys.KeyRefusedError: this is not a key of this service: xh_…
    """

    def __init__(self, store: Store, cache_seconds: float = CACHE_SECONDS) -> None:
        self._store = store
        self._known: TimedCache[str, Key] = TimedCache(cache_seconds)

    def authenticate(self, token: str) -> Key:
        """The key of a token.

        :raises KeyRefusedError: where there is none, or it has ended.
        """
        match = _TOKEN.fullmatch(token)
        if match is None:
            raise KeyRefusedError(
                Title("这不是本系统的密钥(以xh_开头)", "this is not a key of this service: xh_…")
            )
        name = _hash(token)
        return refuse_ended(self._known.get(name) or self._known.keep(name, self._opened(match[1], match[2])))

    def _opened(self, prefix: str, secret: str) -> Key:
        with self._store.reading() as session:
            expected = session.scalar(sa.select(ApiKey.secret_hash).where(ApiKey.prefix == prefix))
            if not hmac.compare_digest(_hash(secret), expected or _NO_KEY):
                raise KeyRefusedError(Title("没有此密钥", "this key is not known here"))
            return _get(session, prefix)


def _check(role: Role, organisation: str | None) -> None:
    zh = f"{ROLE_TITLES[role].zh}的密钥"
    if role in OF_ORGANISATION and not organisation:
        en = f"a key of the role {role} needs the organisation that it belongs to"
        raise WrongKeyError(Title(f"{zh}须写明所属单位;被评价主体写明其代码", en))
    if role not in MAY_NAME and organisation:
        en = f"a key of the role {role} belongs to no organisation"
        raise WrongKeyError(Title(f"{zh}不属于任何单位", en))


def _doubt(session: Session, role: Role, organisation: str | None) -> Title | None:
    """Why a key may open less than is meant; a lender's is its lender's alone, whoever that is."""
    if not organisation or role is Role.LENDER:
        return None
    ask = holders.doubt_of_subject if role is Role.SUBJECT else holders.doubt_of_body
    return ask(session, organisation)


def _lasting(expires_at: dt.datetime) -> dt.datetime:
    """An expiry in UTC that is still a date wherever on Earth it is shown."""
    given, latest = expires_at.isoformat(), _LATEST.isoformat()
    if expires_at.replace(tzinfo=dt.UTC) > _LATEST:
        en = f"{given} is after {latest}, the latest end of a key"
        raise WrongKeyError(Title(f"{given}晚于密钥最晚的截止时间{latest}", en))
    if expires_at <= dt.datetime.now(dt.UTC):
        en = f"{given} is past: the key would never work"
        raise WrongKeyError(Title(f"{given}已过,密钥不会有效", en))
    return expires_at.astimezone(dt.UTC)


def _insert(
    session: Session,
    role: Role,
    owner: str,
    organisation: str | None,
    expires_at: dt.datetime | None,
    replaces: str | None,
) -> NewKey:
    prefix = "".join(secrets.choice(_PREFIX_LETTERS) for _ in range(10))
    secret = secrets.token_urlsafe(32)
    row = ApiKey(
        prefix=prefix,
        secret_hash=_hash(secret),
        role=role.value,
        owner=owner,
        organisation=organisation,
        created_at=dt.datetime.now(dt.UTC),
        expires_at=expires_at,
        revoked_at=None,
        replaces=replaces,
    )
    session.add(row)
    return NewKey(_key(row), f"xh_{prefix}_{secret}")


def _get(session: Session, prefix: str, is_locked: bool = False) -> Key:
    row = session.get(ApiKey, prefix, with_for_update=is_locked)
    if row is None:
        title = Title(f"没有密钥{prefix};请核对密钥清单", f"there is no key {prefix}; see the list of keys")
        raise KeyNotFoundError(title, "xinheng keys list")
    return _key(row)


def get_active(session: Session, prefix: str) -> Key:
    """A key to be changed; others who want that as well wait for the end of the transaction.

    :raises KeyNotFoundError: where there is no such key, or it has ended.
    """
    key = _get(session, prefix, is_locked=True)
    if key.state != "active":
        en = f"the key {prefix} is {key.state} already"
        raise KeyNotFoundError(Title(f"密钥{prefix}{STATE_TITLES[key.state].zh}", en))
    return key


def _lasts(session: Session, old: Key) -> dt.datetime | None:
    """When the key ends that takes the place of another: the old one's own end may be that of its overlap.

    :raises KeyNotFoundError: where one has taken its place already, and works, also by others between.
    """
    _, *after = map(_key, successors(session, old.prefix))
    works = next((key.prefix for key in after if key.state == ACTIVE), None)
    if works is not None:
        en = f"the key {old.prefix} has been replaced by {works} already; rotate that one"
        raise KeyNotFoundError(Title(f"密钥{old.prefix}已由{works}接替,请更换后者", en))
    return after[-1].expires_at if after else old.expires_at


def _end(session: Session, prefix: str) -> None:
    session.execute(
        sa.update(ApiKey).where(ApiKey.prefix == prefix).values(revoked_at=dt.datetime.now(dt.UTC))
    )
    session.execute(sa.delete(PageSession).where(PageSession.key == prefix))


def _shorten(session: Session, key: Key, left: dt.timedelta) -> None:
    end = dt.datetime.now(dt.UTC) + left
    if key.expires_at is None or key.expires_at > end:
        session.execute(sa.update(ApiKey).where(ApiKey.prefix == key.prefix).values(expires_at=end))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _key(row: ApiKey) -> Key:
    values = {name: getattr(row, name) for name in Key.__slots__}
    return Key(**(values | {"role": Role(row.role)}))
