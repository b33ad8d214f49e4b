"""Whoever does something about a record's case or a ticket says which state of it they saw."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

_ON_RECORD = "acknowledgements|decisions|appeals|repair-admissions|repairs|breaches"
_STEP = re.compile(rf"(?P<seen>/v1/records/[^/]+)/(?:{_ON_RECORD})|(?P<ticket>/v1/tickets/[0-9]+)/steps")


def having_looked(get: Callable[[str], Any], path: str, body: Any) -> Any:
    """The body of a request whose sender looks at what it is about just before it is sent.

    :param get: from an address to what is answered.
    """
    step = _STEP.fullmatch(path)
    if step is None or not isinstance(body, dict) or "version" in body:
        return body
    place = step["ticket"] or f"{step['seen']}?vocabulary={body.get('vocabulary', 'enterprise')}"
    shown = get(place)
    return body | {"version": shown.get("version", 0 if step["ticket"] else "-")}
