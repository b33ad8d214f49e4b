"""A lender with consents, one by an enterprise itself and one by a signed document, and what it asks."""

from __future__ import annotations

import hashlib

from rules.calendar import add_months, today
from scoring.access.audit import entries
from scoring.access.consents import Registration, list_consents, register
from scoring.access.keys import Role
from scoring.access.lending import ACTION, Check, answer_checks
from scoring.cli.demo.people import LENDER, People, who
from scoring.store import Store

_DOCUMENT = "样例授权书-1"
_MONTHS = 12


def lend(store: Store, pack_id: str, people: People, own: str, others: list[str]) -> None:
    """Register two consents and ask for tiers: with, without and beyond consent.

    :param own: the enterprise for which one of the people speaks.
    :param others: two more.
    """
    lender, (signed, silent) = people[Role.LENDER], others
    kept = {consent.subject_id: consent.reference for consent in list_consents(store, lender=LENDER)}
    first, last = today(), add_months(today(), _MONTHS - 1)
    if own not in kept:
        wanted = Registration(own, ["loan", "monitoring"], first, last, LENDER)
        kept[own] = register(store, who(people[Role.SUBJECT]), wanted).reference
    if signed not in kept:
        digest = hashlib.sha256(_DOCUMENT.encode()).hexdigest()
        wanted = Registration(signed, ["loan"], first, last, None, _DOCUMENT, digest)
        kept[signed] = register(store, who(lender), wanted).reference
    if not entries(store, actor=lender.prefix, action=ACTION, limit=1):
        checks = [
            Check(own, kept[own], "loan"),
            Check(signed, kept[signed], "loan"),
            Check(own, kept[own], "monitoring"),
            Check(signed, kept[signed], "guarantee"),
            Check(silent, _DOCUMENT, "loan"),
        ]
        answer_checks(store, pack_id, who(lender), checks)
