"""What goes into the audit log, by the table of access: no view can forget it."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Flask, Response

from api.around.access import Logged
from api.around.request import Request, current
from api.http.problems import problem_response, unavailable
from rules.model import Title
from scoring.access.audit import AuditLog, Event
from scoring.store import StoreError


def install(app: Flask, log: AuditLog) -> None:
    """Log a change before it is tried; each read and change, also a refused one, before it is answered."""

    @app.before_request
    def announce_change() -> None:
        request = current()
        if _logged(request) == "change":
            log.write([_event(request, phase="asked")])

    @app.after_request
    def log_outcome(response: Response) -> Response:
        request = current()
        if _logged(request) is None or request.key is None or response.status_code == 429:
            return response
        phase = "done" if response.status_code < 400 else "failed"
        outcome = _event(request, phase=phase, status=response.status_code)
        try:
            log.write([outcome, *request.events])
        except StoreError as error:
            zh, en = error.title.zh, error.title.en
            return problem_response(
                unavailable(Title(f"审计日志无法写入:{zh}", f"the audit log can't be written: {en}"))
            )
        return response


def note(action: str, subject_id: str | None, **details: Any) -> None:
    """Log a further event with the request's own: one of a batch."""
    request = current()
    request.events.append(_make(request, action, subject_id, details))


def subject(subject_id: str) -> None:
    """Say whom the request is about, by the key that the store has, where its address does not."""
    current().audit_subject = subject_id


def detail(**details: Any) -> None:
    """Add what identifies the request's event besides its path, such as the subjects of a page."""
    current().audit_details.update(details)


def told() -> str:
    """What was said of the request besides its address, as JSON, for :func:`tell_again`."""
    request = current()
    events = [(event.action, event.subject_id, event.details) for event in request.events]
    said = {"subject_id": request.audit_subject, "details": request.audit_details, "events": events}
    return orjson.dumps(said, default=str).decode()


def tell_again(said: str | None) -> None:
    """Say of a request that its kept answer is sent again, and everything that was said the first time.

    :param said: by :func:`told`; None where that is not known.
    """
    request = current()
    before = orjson.loads(said) if said else {"subject_id": None, "details": {}, "events": []}
    request.audit_subject = request.audit_subject or before["subject_id"]
    request.audit_details |= before["details"] | {"repeated": True}
    for action, subject_id, details in before["events"]:
        note(action, subject_id, **(details | {"repeated": True}))


def _logged(request: Request) -> Logged | None:
    return request.access.logged if request.method != "OPTIONS" else None


def _event(request: Request, **details: Any) -> Event:
    address = request.view_args or {}
    query = request.args.to_dict() if request.query_string else None
    place = {**details, "query": query, **address, **request.audit_details}
    known = {name: value for name, value in place.items() if value not in (None, {}, "")}
    subject_id = request.audit_subject or address.get("subject_id")
    return _make(request, str(request.endpoint), subject_id, known)


def _make(request: Request, action: str, subject_id: str | None, details: dict[str, Any]) -> Event:
    key = request.key
    assert key is not None, "what is logged was asked for with a key"
    return Event(key.prefix, key.role.value, action, subject_id, request.request_id, details)
