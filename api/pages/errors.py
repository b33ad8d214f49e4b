"""Errors of addresses that belong to nothing: a page for who looks with a browser."""

from __future__ import annotations

from contextlib import suppress

from flask import Response
from werkzeug.exceptions import HTTPException

from api.around.request import current
from api.around.session import signed_in
from api.http.problems import PROGRAMS, Problem, answered_headers, said
from api.pages.blueprint import frame, page, policy
from rules.model import Title
from scoring.access.keys import Key
from scoring.store import StoreError

_KINDS = ("application/problem+json", "application/json", "text/html")


def page_response(error: HTTPException) -> Response | None:
    """The error as a page; None where a program asks, or for what is for programs."""
    request = current()
    asks_program = request.blueprint is not None or request.path.startswith(PROGRAMS)
    if asks_program or request.accept_mimetypes.best_match(_KINDS) != "text/html":
        return None
    code = error.code or 500
    number = request.request_id
    operator = Title(f"请把这个编号告诉管理员:{number}", f"tell the operator: {number}")
    detail = said(error) if code < 500 or code == 503 else operator
    response = policy(page("error", code, code=code, detail=detail, **frame(_visitor())))
    response.headers.update(answered_headers(error))
    return response


def _visitor() -> Key | None:
    """The key of who is signed in, for the way back; an address of nothing asks for none."""
    with suppress(Problem, StoreError):
        return signed_in()
    return None
