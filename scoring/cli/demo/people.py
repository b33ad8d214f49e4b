"""The invented persons of the sample district: one of each role, whose key ends after a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from scoring.access.keys import Key, Role, Who, create_key, list_keys
from scoring.cli.acting import me
from scoring.store import Store

OFFICE = "云衡区市场监督管理局"
LENDER = "云衡农商行"
DAY = dt.timedelta(days=1)
NAMES: Mapping[Role, str] = {
    Role.REGULATOR: "周审核（虚构）",
    Role.DEPARTMENT: "孙经办（虚构）",
    Role.LENDER: "王信贷（虚构）",
    Role.SUBJECT: "陈会计（虚构）",
    Role.OPERATOR: "何运维（虚构）",
}
"""What they are called."""

COLLEAGUE = "吴拟稿（虚构）"
"""Another regulator: two persons make law."""

People = Mapping[Role, Key]


@dataclass(frozen=True, slots=True)
class _Wanted:
    role: Role
    owner: str
    organisation: str | None


def people_of(store: Store, enterprise: str) -> People:
    """A key of each of them, made where none works for half a day more; nobody is told its secret.

    :param enterprise: the code of the enterprise for which one of them speaks.
    """
    of = {Role.DEPARTMENT: OFFICE, Role.LENDER: LENDER, Role.SUBJECT: enterprise}
    wanted = [_Wanted(role, owner, of.get(role)) for role, owner in NAMES.items()]
    return {one.role: _key_of(store, one) for one in wanted}


def colleague_of(store: Store) -> Key:
    """A key of the regulator's colleague, as :func:`people_of` makes them."""
    return _key_of(store, _Wanted(Role.REGULATOR, COLLEAGUE, None))


def speaks_for(store: Store) -> str | None:
    """The enterprise for which one of them has spoken in this store; None where none has yet."""
    role = Role.SUBJECT
    found = (key for key in list_keys(store) if (key.role, key.owner) == (role, NAMES[role]))
    return next((key.organisation for key in found), None)


def who(key: Key) -> Who:
    """A key as those who register consents and ask for tiers are named."""
    return Who(key.prefix, key.role, key.organisation)


def _key_of(store: Store, wanted: _Wanted) -> Key:
    until = dt.datetime.now(dt.UTC) + DAY
    for key in list_keys(store):
        lasts = key.expires_at is not None and key.expires_at > until - DAY / 2
        if lasts and key.state == "active" and _Wanted(key.role, key.owner, key.organisation) == wanted:
            return key
    return create_key(store, wanted.role, wanted.owner, wanted.organisation, until, me()).key
