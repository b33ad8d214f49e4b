"""Packs: which there are, which are in force, and their text."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import Response

from api.around.context import packs_called, store
from api.http.openapi import Blueprint
from api.http.problems import fail
from api.schemas.packs import PackSchema, PackSummarySchema, PackVersionQuery
from api.schemas.rulemaking import TermSchema
from api.schemas.views import pack_summary, pack_view
from rules.calendar import today
from rules.identity import identity
from rules.library.loader import ruling
from rules.model import Pack, Title
from scoring.runs.terms import terms_of
from scoring.store.rulebook import known_packs, known_text

blueprint = Blueprint("packs", __name__, url_prefix="/v1/packs", description="Rules, versioned and dated")
YAML = "application/yaml; charset=utf-8"


@blueprint.get("")
@blueprint.answers(200, PackSummarySchema(many=True))
def list_packs() -> list[dict[str, Any]]:
    """Every version of every pack that is installed, also those approved for a day to come."""
    return [pack_summary(pack) for pack in known_packs(store())]


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
    return Response(known_text(store(), _version(name, query)).text, content_type=YAML)


@blueprint.get("/<name>/terms")
@blueprint.answers(200, TermSchema(many=True))
def list_terms(name: str) -> list[dict[str, Any]]:
    """Which version of a pack rules when, as the last run has announced it; before any by their texts."""
    packs_called(name)
    return [
        {"begins": piece.begins, "ends": piece.ends}
        | {"version": piece.pack.version, "hash": identity(piece.pack)}
        for piece in terms_of(store(), name)
    ]


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
