"""Errors of addresses that belong to nothing: a page for who looks with a browser."""

from __future__ import annotations

from flask import Response
from werkzeug.exceptions import HTTPException, NotFound

from api.pages.blueprint import frame, page, policy
from api.problems import PROGRAMS, answered_headers
from api.request import current

_KINDS = ("application/problem+json", "application/json", "text/html")


def page_response(error: HTTPException) -> Response | None:
    """The error as a page; None where a program asks, or for what is for programs."""
    request = current()
    asks_program = request.blueprint is not None or request.path.startswith(PROGRAMS)
    if asks_program or request.accept_mimetypes.best_match(_KINDS) != "text/html":
        return None
    code = error.code or 500
    detail = error.description if code < 500 or code == 503 else f"tell the operator: {request.request_id}"
    told = None if detail == NotFound.description else detail
    response = policy(page("error", code, code=code, detail=told, **frame()))
    response.headers.update(answered_headers(error))
    return response
