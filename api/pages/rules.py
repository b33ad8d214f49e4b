"""The rule browser: what every pack says, in words, and how often each rule hits today."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from flask import request
from werkzeug.wrappers import Response

from api.around.context import packs_called, store
from api.http.problems import fail
from api.pages import language
from api.pages.blueprint import blueprint, page
from rules.calendar import today
from rules.identity import identity
from rules.library.loader import ruling, ruling_among
from rules.model import Pack, Rule, Title
from rules.tools.diff import compare
from scoring.answers.search import rule_hits
from scoring.runs.published import current_run
from scoring.store.rulebook import known_packs

Part = tuple[Title, list[Rule]]


@blueprint.get("/rules")
def packs() -> Response:
    """Every installed version of every pack."""
    return page("packs", **listed_packs())


@blueprint.get("/rules/<pack_id>")
def pack(pack_id: str) -> Response:
    """The rules of a version of a pack."""
    shown, run = shown_pack(pack_id), current_run(store(), pack_id)
    return page(
        "pack",
        run=run,
        hits=rule_hits(store(), run) if run else {},
        is_graded=run is not None and run.pack_hash == shown["hash"],
        **shown,
    )


@blueprint.get("/rules/<pack_id>/changes")
def changes(pack_id: str) -> Response:
    """What changed from one version of a pack to another."""
    return page("changes", **shown_changes(pack_id))


def listed_packs() -> dict[str, Any]:
    """What a page says of all packs: their versions, and whether each is in force."""
    known = known_packs(store())
    now = ruling_among(known, today())
    return {"packs": [(pack, pack in now, identity(pack)) for pack in known], "today": today()}


def shown_pack(pack_id: str) -> dict[str, Any]:
    """What a page says of the version of a pack that is asked for, beside how often its rules hit."""
    versions = packs_called(pack_id)
    shown = _version(versions, request.args.get("version"))
    return {"pack": shown, "hash": identity(shown), "versions": versions, "parts_of_pack": _parts(shown)}


def shown_changes(pack_id: str) -> dict[str, Any]:
    """What a page says of two versions of a pack: by default the first and the last."""
    versions = packs_called(pack_id)
    before = _version(versions, request.args.get("before") or versions[0].version)
    after = _version(versions, request.args.get("after") or versions[-1].version)
    changes = compare(before, after, language.title)
    return {"before": before, "after": after, "versions": versions, "changes": changes}


def _version(versions: list[Pack], wanted: str | None) -> Pack:
    """The version of that name; by default the one in force, or else the newest."""
    if not wanted:
        return ruling(versions, today()) or versions[-1]
    named = (version for version in versions if version.version == wanted)
    none = Title(f"没有版本{wanted}", f"there is no version {wanted}")
    return next(named, None) or fail("not-found", none)


def _parts(pack: Pack) -> list[Part]:
    """The rules by dimension, then vetoes and consequences; the rows of a table stand together."""
    parts = [(d.title, [rule for rule in pack.rules if rule.dimension == d.id]) for d in pack.dimensions]
    parts.append(
        (
            Title("一票否决与等级限制", "Vetoes and limits of the tier"),
            [rule for rule in pack.rules if rule.is_veto],
        )
    )
    parts.append((Title("结果运用", "Consequences"), [rule for rule in pack.rules if rule.consequence]))
    return [(title, _together(rules)) for title, rules in parts if rules]


def _together(rules: list[Rule]) -> list[Rule]:
    """Rules in their order; those of one table where its first row stands."""
    grouped = groupby(rules, key=lambda rule: rule.table or rule.id)
    return [rule for _, group in grouped for rule in group]
