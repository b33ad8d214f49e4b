"""What goes into the audit log, by the table of access: no view can forget it."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, g, request

from api.access import ACCESS
from api.problems import Problem, problem_response
from scoring.audit import AuditLog, Event
from scoring.store import StoreError


def install(app: Flask, log: AuditLog) -> None:
    """Log a change before it is tried; each read and change, also a refused one, before it is answered."""

    @app.before_request
    def announce_change() -> None:
        g.events = []
        if _logged() == "change":
            log.write([_event("asked")])

    @app.after_request
    def log_outcome(response: Response) -> Response:
        if _logged() is None or "key" not in g or response.status_code == 429:
            return response
        outcome = _event("done" if response.status_code < 400 else "failed", status=response.status_code)
        try:
            log.write([outcome, *g.get("events", ())])
        except StoreError as error:
            return problem_response(Problem("store-unavailable", f"the audit log can't be written: {error}"))
        return response


def note(action: str, subject_id: str | None, **details: Any) -> None:
    """Log a further event with the request's own: one of a batch."""
    g.events.append(_make(action, subject_id, details))


def detail(**details: Any) -> None:
    """Add what identifies the request's event besides its path, such as the subjects of a page."""
    g.audit_details = {**g.get("audit_details", {}), **details}


def _logged() -> str | None:
    access = ACCESS.get(request.endpoint or "")
    return access.logged if access and request.method != "OPTIONS" else None


def _event(phase: str, **details: Any) -> Event:
    place = {"phase": phase, "query": dict(request.args), **(request.view_args or {}), **details}
    known = {name: value for name, value in place.items() if value not in (None, {}, "")}
    return _make(str(request.endpoint), _subject(), {**known, **g.get("audit_details", {})})


def _make(action: str, subject_id: str | None, details: dict[str, Any]) -> Event:
    key = g.key
    return Event(key.prefix, key.role.value, action, subject_id, g.get("request_id"), details)


def _subject() -> str | None:
    found = (request.view_args or {}).get("subject_id") or g.get("audit_subject")
    return None if found is None else str(found)
