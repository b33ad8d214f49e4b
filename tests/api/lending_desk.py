"""What tests of lending share: a clock that stands, and consents."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from client import Client

from rules.calendar import SHANGHAI

DAY = dt.date(2026, 8, 5)
"""The day of the tests: the district was graded five days before."""

_NUMBERS = itertools.count(1)


@dataclass
class Clock:
    """A clock that is set by hand.

    :ivar first: called before it tells the time the next time.
    """

    day: dt.date = DAY
    first: Callable[[], None] | None = field(default=None)

    def __call__(self) -> dt.datetime:
        first, self.first = self.first, None
        if first is not None:
            first()
        return dt.datetime.combine(self.day, dt.time(12), SHANGHAI)


def terms(subject: str, **changes: Any) -> dict[str, Any]:
    """A consent as a lender may register it: each with its own number and document."""
    number = next(_NUMBERS)
    whole = {
        "subject_id": subject,
        "reference": f"SQ-2026-{number:04}",
        "document_sha256": hashlib.sha256(f"document {number}".encode()).hexdigest(),
        "purposes": ["loan"],
        "valid_from": "2026-08-01",
        "valid_until": "2027-07-31",
    } | changes
    return {name: value for name, value in whole.items() if value is not None}


def consented(who: Client, subject: str, **changes: Any) -> dict[str, Any]:
    """A consent just registered."""
    answer = who.post("/v1/consents", json=terms(subject, **changes))
    assert answer.status_code == 201, answer.json
    made: dict[str, Any] = answer.json
    return made


def check(consent: dict[str, Any] | str, subject: str | None = None, **changes: Any) -> dict[str, Any]:
    """A check under a consent, of its subject where no other is named."""
    named = consent if isinstance(consent, str) else consent["reference"]
    whose = subject or (consent["subject_id"] if isinstance(consent, dict) else "")
    return {"subject_id": whose, "consent": named, "purpose": "loan"} | changes
