"""Packs: which there are, which are in force, and their text."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import Response

from api.around.context import packs_called
from api.http.openapi import Blueprint
from api.http.problems import fail
from api.schemas.packs import PackSchema, PackSummarySchema, PackVersionQuery
from api.schemas.views import pack_summary, pack_view
from rules.calendar import today
from rules.library.loader import installed_packs, ruling
from rules.model import Pack, Title
from scoring.store.packs import text_of

blueprint = Blueprint("packs", __name__, url_prefix="/v1/packs", description="Rules, versioned and dated")
YAML = "application/yaml; charset=utf-8"


@blueprint.get("")
@blueprint.answers(200, PackSummarySchema(many=True))
def list_packs() -> list[dict[str, Any]]:
    """Every installed version of every pack."""
    return [pack_summary(pack) for pack in installed_packs()]


@blueprint.get("/<name>")
@blueprint.query(PackVersionQuery)
@blueprint.answers(200, PackSchema)
def get_pack(query: dict[str, Any], name: str) -> dict[str, Any]:
    """A version of a pack with its rules, what they rest on, and what its tiers lead to."""
    return pack_view(_version(name, query), query.get("as_of") or today())


@blueprint.get("/<name>/text")
@blueprint.query(PackVersionQuery)
@blueprint.answers(200, {"type": "string"}, content_type="application/yaml")
def get_text(query: dict[str, Any], name: str) -> Response:
    """The text of a version of a pack, as it was written."""
    return Response(text_of(_version(name, query)).text, content_type=YAML)


def _version(name: str, query: dict[str, Any]) -> Pack:
    versions, wanted = packs_called(name), query.get("version")
    day: dt.date = query.get("as_of") or today()
    named = next((pack for pack in versions if pack.version == wanted), None)
    if (pack := named if wanted else ruling(versions, day)) is not None:
        return pack
    shown = ", ".join(pack.version for pack in versions)
    zh = f"{name}没有{f'版本{wanted}' if wanted else f'{day}有效的版本'};现有:{shown}"
    en = f"{name} has no version {wanted or f'in force on {day}'}; there are: {shown}"
    return fail("not-found", Title(zh, en))
