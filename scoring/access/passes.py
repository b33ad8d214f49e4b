"""Passes: what signs somebody in for some minutes without a key, where a demo has started the server.

A pass names a key and its own end, and is signed by a secret of the demo's that no other server has
(``XINHENG_DEMO_SECRET``).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac

VARIABLE = "XINHENG_DEMO_SECRET"
LASTS = dt.timedelta(minutes=30)


def make_pass(secret: str, prefix: str, until: dt.datetime) -> str:
    """A pass for the key of a prefix.

    >>> import datetime as dt
    >>> from scoring.access.passes import LASTS, key_of_pass
    >>> noon = dt.datetime(2026, 9, 1, 4, tzinfo=dt.UTC)
    >>> made = make_pass("a secret", "ykrsi9h9ie", noon + LASTS)
    >>> key_of_pass("a secret", made, noon)
    'ykrsi9h9ie'
    >>> key_of_pass("a secret", made, noon + LASTS) is key_of_pass("another", made, noon) is None
    True
    """
    said = f"{prefix}.{int(until.timestamp())}"
    return f"{said}.{_signature(secret, said)}"


def key_of_pass(secret: str, given: str, at: dt.datetime) -> str | None:
    """The prefix of the key that a pass signs in; None of one that was not made so, or has ended."""
    said, _, signature = given.rpartition(".")
    if not hmac.compare_digest(signature.encode(), _signature(secret, said).encode()):
        return None
    prefix, _, until = said.partition(".")
    return prefix if at.timestamp() < int(until) else None


def _signature(secret: str, said: str) -> str:
    return hmac.new(secret.encode(), said.encode(), hashlib.sha256).hexdigest()
