"""Whoever decides says which state they saw: of a record's case, of a ticket, of a lender's stop."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

_ON_RECORD = "acknowledgements|decisions|appeals|repair-admissions|repairs|breaches"
_STEP = re.compile(rf"(?P<record>/v1/records/[^/]+)/(?:{_ON_RECORD})|(?P<ticket>/v1/tickets/[0-9]+)/steps")
_NONE = "2026-01-01T00:00:00Z"


def having_looked(get: Callable[[str], Any], path: str, body: Any) -> Any:
    """The body of a request whose sender looks at what it is about just before it is sent.

    :param get: from an address to what is answered.
    """
    if not isinstance(body, dict):
        return body
    if path == "/v1/lenders/lift":
        stops = {one["name"]: one["stopped_at"] for one in get("/v1/lenders").get("lenders", ())}
        return {"stopped_at": stops.get(body.get("lender")) or _NONE} | body
    step = _STEP.fullmatch(path)
    if step is None or "version" in body:
        return body
    place = step["ticket"] or f"{step['record']}?vocabulary={body.get('vocabulary', 'enterprise')}"
    return body | {"version": get(place).get("version", 0 if step["ticket"] else "-")}
