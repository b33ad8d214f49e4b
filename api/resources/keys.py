"""API keys. The first one is made on the command line: ``xinheng keys create``."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import url_for

from api.around.auth import caller, who
from api.around.context import store
from api.http.openapi import Blueprint
from api.http.paging import PageQuery, page
from api.http.problems import fail
from api.schemas.keys import KeyPage, KeyRequest, KeySchema, NewKeySchema, RotationRequest
from scoring.access import keys
from scoring.access.keys import Key, NewKey, Role, WrongKeyError
from scoring.store import accompany_changes

blueprint = Blueprint("keys", __name__, url_prefix="/v1/keys", description="API keys")


@blueprint.get("")
@blueprint.query(PageQuery)
@blueprint.answers(200, KeyPage)
def list_keys(query: dict[str, Any]) -> dict[str, Any]:
    """Keys by their prefix, without their secrets."""
    return page(
        lambda limit: keys.list_keys(store(), query.get("cursor"), limit), query, lambda key: key.prefix
    )


@blueprint.get("/<prefix>")
@blueprint.answers(200, KeySchema)
def get_key(prefix: str) -> Key:
    """A key without its secret."""
    return keys.get_key(store(), prefix)


@blueprint.post("")
@blueprint.body(KeyRequest)
@blueprint.answers(201, NewKeySchema)
def post_key(body: dict[str, Any]) -> tuple[NewKey, int, dict[str, str]]:
    """Make a key. Its token is in this answer and nowhere else.

    A number that can be no subject's is refused; whether anybody goes by a name or number, `doubt` says.
    """
    wanted = {"organisation": body.get("organisation"), "expires_at": body.get("expires_at")}
    try:
        new = keys.create_key(store(), Role(body["role"]), body["owner"], **wanted, who=who())
    except WrongKeyError as error:
        fail("invalid", error.title)
    return new, 201, _location(new)


@blueprint.post("/<prefix>/rotation")
@blueprint.body(RotationRequest)
@blueprint.answers(201, NewKeySchema)
def rotate_key(body: dict[str, Any], prefix: str) -> tuple[NewKey, int, dict[str, str]]:
    """Replace a key by a new one of the same role; the old one may go on for a while."""
    new = keys.rotate_key(store(), prefix, dt.timedelta(hours=body["overlap_hours"]), who())
    return new, 201, _location(new)


@blueprint.delete("/<prefix>")
@blueprint.answers(200, KeySchema)
def revoke_key(prefix: str) -> Key:
    """End a key; within seconds no worker takes it any more, and from now on no change by it is kept."""
    if prefix == caller().prefix:
        accompany_changes()  # the one change that is kept of a key that has ended
    return keys.revoke_key(store(), prefix, who())


def _location(new: NewKey) -> dict[str, str]:
    return {"Location": url_for("keys.get_key", prefix=new.key.prefix)}
