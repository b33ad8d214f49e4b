"""Idempotency-Key: a request that comes again with its key gets the same answer; nothing is done again."""

from __future__ import annotations

import datetime as dt
import hashlib
import re

import sqlalchemy as sa
from flask import Flask, Response, current_app

from api.auth import caller
from api.context import store
from api.problems import fail
from api.request import Request, current
from scoring.store.access import KeptAnswer

HEADER = "Idempotency-Key"
KEPT = dt.timedelta(days=7)
PARAMETER = {
    "in": "header",
    "name": HEADER,
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,100}$"},
    "description": f"Chosen by the client; for {KEPT.days} days the same request gets the same answer.",
}
_KEY = re.compile(r"[A-Za-z0-9._:-]{1,100}")


def install(app: Flask) -> None:
    """Keep the answers of the endpoints that the table of access marks so, where a client sends a key."""
    app.before_request(_repeat)
    app.after_request(_keep)


def _repeat() -> Response | None:
    """The kept answer, if the request was answered before."""
    request = current()
    key = _client_key(request)
    if key is None:
        return None
    with store().reading() as session:
        kept = session.get(KeptAnswer, (caller().prefix, key))
    if kept is None:
        return None
    if kept.request_hash != _request_hash(request):
        fail("conflict", f"the {HEADER} {key} was used for another request")
    request.is_repeated = True
    response = current_app.response_class(kept.body, kept.status, mimetype="application/json")
    if kept.location:
        response.headers["Location"] = kept.location
    return response


def _keep(response: Response) -> Response:
    request = current()
    is_new = request.key is not None and response.status_code < 300 and not request.is_repeated
    if is_new and (key := _client_key(request)) is not None:
        try:
            with store().writing() as session:
                _forget_old(session.connection())
                session.add(_row(key, request, response))
        except sa.exc.IntegrityError:
            pass  # the same request at the same time: the other answer is the one kept
    return response


def _client_key(request: Request) -> str | None:
    given = request.headers.get(HEADER) if request.method == "POST" and request.access.kept else None
    if given is None:
        return None
    if not _KEY.fullmatch(given):
        fail("bad-request", f"an {HEADER} is 1 to 100 letters, digits and . _ : -")
    return given


def _request_hash(request: Request) -> str:
    return hashlib.sha256(request.full_path.encode() + b"\0" + request.get_data()).hexdigest()


def _row(key: str, request: Request, response: Response) -> KeptAnswer:
    return KeptAnswer(
        api_key=caller().prefix,
        idempotency_key=key,
        request_hash=_request_hash(request),
        status=response.status_code,
        location=response.headers.get("Location"),
        body=response.get_data(as_text=True),
        kept_at=dt.datetime.now(dt.UTC),
    )


def _forget_old(connection: sa.Connection) -> None:
    before = dt.datetime.now(dt.UTC) - KEPT
    connection.execute(sa.delete(KeptAnswer).where(KeptAnswer.kept_at < before))
