"""Persons whom a provider of OpenID Connect vouches for, and the key that each signs in to.

What a person may do, for which organisation and until when, is the key's to say: the provider says only who
comes. It is named by its address and the person by ``sub``, which it gives to nobody else (OpenID Connect
Core 1.0, 5.7); names and e-mail addresses move from one person to another.
"""

from __future__ import annotations

import datetime as dt
from urllib.parse import urlsplit

import sqlalchemy as sa

from rules.titles import Title, TitledError
from scoring.access.keys import Key, Who, get_active, get_key, log, refuse_ended
from scoring.characters.persons import has_surely
from scoring.store import Store
from scoring.store.access import Identity, PageSession

LONGEST = 255
"""Characters of what a provider calls a person (OpenID Connect Core 1.0, 2)."""

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class NotAdmittedError(TitledError):
    """Somebody whom the provider knows and this store does not."""


class WrongIdentityError(TitledError, ValueError):
    """What no provider calls a person."""


def checked_issuer(address: str) -> str:
    """The address of a provider, as it is.

    :raises WrongIdentityError: where none can be there: it is reached over TLS, or on this machine.

    >>> checked_issuer("https://id.example.cn")
    'https://id.example.cn'
    """
    parts = urlsplit(address)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not is_safe or not parts.hostname or parts.query or parts.fragment or parts.username:
        en = "right: the provider's address, such as https://id.example.cn"
        raise WrongIdentityError(Title("应为认证服务的地址,如https://id.example.cn", en))
    return address


def admit(store: Store, issuer: str, person: str, prefix: str, who: Who | None = None) -> Key:
    """Let a person sign in to a key from now on.

    A key is one person's and a person has one key: what stood before of either ends, and so do the key's
    sign-ins where it was another person's.

    :param issuer: the provider's address, as it states it.
    :param person: its ``sub``.
    :param who: who lets the person in: as for :func:`scoring.access.keys.create_key`.
    :raises KeyNotFoundError: where there is no such key, or it has ended.
    :raises WrongIdentityError: where nobody can be called so.

    >>> from fixtures.small import small_store
    >>> from scoring.access.keys import Role, create_key
    >>> store = small_store()
    >>> prefix = create_key(store, Role.REGULATOR, "李专员").key.prefix
    >>> ignored = admit(store, "https://id.example.cn", "7f3a", prefix)
    >>> key_of(store, "https://id.example.cn", "7f3a").owner
    '李专员'
    """
    if not 0 < len(person) <= LONGEST or not person.isprintable() or person != person.strip():
        en = f"what a provider calls a person has 1 to {LONGEST} characters, none of them invisible"
        raise WrongIdentityError(Title(f"身份标识应为1至{LONGEST}个可见字符", en))
    if has_surely(person):
        en = "this is a resident's number, which is not kept here: have the provider call persons otherwise"
        raise WrongIdentityError(Title("这是居民身份号码,本系统不予保存;请由认证服务改用其他标识", en))
    with store.writing() as session:
        key = get_active(session, prefix)
        before = session.scalar(sa.select(Identity).filter_by(key=prefix))
        if before is None or (before.issuer, before.person) != (issuer, person):
            session.execute(sa.delete(PageSession).where(PageSession.key == prefix))
        is_either = (Identity.key == prefix) | ((Identity.issuer == issuer) & (Identity.person == person))
        session.execute(sa.delete(Identity).where(is_either))
        now = dt.datetime.now(dt.UTC)
        session.add(Identity(issuer=issuer, person=person, key=prefix, admitted_at=now))
        log(session, who, "keys.admit", prefix, person=person, issuer=issuer)
    return key


def key_of(store: Store, issuer: str, person: str) -> Key:
    """The key of a person who comes from the provider.

    :raises NotAdmittedError: where nobody has admitted this person.
    :raises KeyRefusedError: where the person's key has ended.
    """
    with store.reading() as session:
        prefix = session.scalar(sa.select(Identity.key).filter_by(issuer=issuer, person=person))
    if prefix is None:
        raise NotAdmittedError(
            Title(
                f"身份已核实,但本系统尚未登记您的账号。请把此标识告诉系统管理员:{person}",
                f"the provider knows you, but nobody has admitted you here; tell the operator: {person}",
            )
        )
    return refuse_ended(get_key(store, prefix))


def admitted(store: Store) -> dict[str, str]:
    """The persons by the prefixes of their keys."""
    with store.reading() as session:
        return dict(session.execute(sa.select(Identity.key, Identity.person)).all())
