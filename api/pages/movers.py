"""Movers: everybody whose tier differs between two dates or runs, and by which rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from flask import request
from werkzeug.wrappers import Response

from api.around import journal
from api.around.context import run as run_called
from api.around.context import settings, store
from api.http.problems import fail
from api.pages import downloads
from api.pages.blueprint import blueprint, page
from api.pages.downloads import asked, field, say
from api.pages.forms import number
from api.pages.graded import graded_titles
from rules.model import Pack, Title
from scoring.answers.movers import (
    Direction,
    Mover,
    Wanted,
    all_movers,
    count_movers,
    list_movers,
    standing_on,
)
from scoring.answers.search import run_before
from scoring.characters.listings import Field, Listing
from scoring.runs.published import RunSummary, current_run
from scoring.store.packs import stored_pack

ROWS = 50
TITLE = Title("等级变化", "Movers")
DIRECTIONS = {"up": Title("升级", "Up"), "down": Title("降级", "Down")}
CAUSES = {
    "begun": Title("新适用", "began to count"),
    "ended": Title("不再适用", "counts no longer"),
    "changed": Title("分值变化", "counts for other points"),
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is compared, and who is wanted of it."""

    before: RunSummary
    run: RunSummary
    packs: Sequence[Pack]
    wanted: Wanted

    @property
    def pack(self) -> Pack:
        """The pack of the later run."""
        return self.packs[0]


@blueprint.get("/movers")
def movers() -> Response:
    """Whose tier differs between two dates or runs: up or down, from tier to tier, by rule."""
    found = _asked()
    rows = list_movers(
        store(), found.before, found.run, found.wanted, request.args.get("after") or None, ROWS + 1
    )
    shown = rows[:ROWS]
    journal.detail(run=found.run.id, subjects=[row.subject_id for row in shown])
    words = found.pack.vocabulary
    return page(
        "movers",
        found=found,
        pack=found.pack,
        packs=graded_titles(),
        total=count_movers(store(), found.before, found.run, found.wanted),
        rows=[(row, downloads.facet_row(words, row.facets), _causes(row, found.packs)) for row in shown],
        after=shown[-1].subject_id if len(rows) > ROWS else None,
        query=downloads.kept_query(),
        directions=DIRECTIONS,
        facet_titles=downloads.facet_titles(words),
        facet_choices=downloads.facet_choices(found.run, words),
    )


@blueprint.get("/movers/export")
def export_movers() -> Response:
    """The same as a workbook, all of them."""
    found = _asked()
    words, wanted = found.pack.vocabulary, found.wanted
    fields = {
        "name": downloads.NAME,
        "subject_id": downloads.NUMBER,
        **downloads.facet_fields(words),
        "direction": field("升降", "Up or down"),
        "tier_before": field("原等级", "Tier before"),
        "tier": field("现等级", "Tier now"),
        "score_before": field("原得分", "Score before", "points"),
        "score": field("现得分", "Score now", "points"),
        **{name: Field(title) for name, title in CAUSES.items()},
    }
    said = asked(
        (downloads.PACK, say(found.pack.title)),
        (Title("自", "From"), str(found.before.as_of)),
        (Title("至", "To"), str(found.run.as_of)),
        (Title("升降", "Up or down"), wanted.direction and say(DIRECTIONS[wanted.direction])),
        (Title("原等级", "Tier before"), wanted.tier_before),
        (Title("现等级", "Tier now"), wanted.tier),
        (Title("规则", "Rule"), wanted.rule and _rule(found.packs, wanted.rule)),
        *(
            (title, downloads.facet_word(words, name, wanted.facets.get(name)))
            for name, title in downloads.facet_titles(words).items()
        ),
    )
    journal.detail(run=found.run.id)
    return downloads.workbook(Listing(TITLE, said, fields, _rows(found)), "movers")


def _rows(found: _Asked) -> Iterator[dict[str, Any]]:
    tiers = found.pack.tiers
    for row in all_movers(store(), found.before, found.run, found.wanted):
        is_up = _place(tiers, row.tier) < _place(tiers, row.tier_before)
        yield {
            "name": row.name or row.subject_id,
            "subject_id": row.subject_id,
            **downloads.facet_row(found.pack.vocabulary, row.facets),
            "direction": say(DIRECTIONS["up" if is_up else "down"]),
            "tier_before": row.tier_before,
            "tier": row.tier,
            "score_before": row.score_before,
            "score": row.score,
            **{name: "、".join(_rule(found.packs, rule) for rule in getattr(row, name)) for name in CAUSES},
        }


def _place(tiers: tuple[str, ...], tier: str) -> int:
    return tiers.index(tier) if tier in tiers else len(tiers)


def _asked() -> _Asked:
    run, before = _runs()
    if run.pack_id != before.pack_id:
        fail("bad-request", Title("两次评价的规则不同", "the two runs are of different packs"))
    packs = [stored_pack(store(), one.pack_hash) for one in (run, before)]
    direction = request.args.get("direction") or None
    if direction is not None and direction not in get_args(Direction):
        fail("bad-request", Title("升降应为up或down", "direction is up or down"))
    wanted = Wanted(
        packs[0].tiers,
        direction,  # type: ignore[arg-type]  # it is one of them
        request.args.get("tier_before") or None,
        request.args.get("tier") or None,
        request.args.get("rule") or None,
        downloads.facets_asked(),
    )
    return _Asked(before, run, packs, wanted)


def _runs() -> tuple[RunSummary, RunSummary]:
    """The later and the earlier: by two numbers, by two dates, or else the latest and the one before it."""
    if (after := number("run")) is not None and (against := number("against")) is not None:
        return run_called(after), run_called(against)
    pack_id = request.args.get("pack") or settings().pack
    since, until = downloads.day_asked("from"), downloads.day_asked("to")
    run = standing_on(store(), pack_id, until) if until else current_run(store(), pack_id)
    if run is None:
        fail("not-found", Title(f"{pack_id}还没有评价结果", f"there is no run of {pack_id} yet"))
    if since is None:
        return run, run_before(store(), run) or run
    return run, standing_on(store(), pack_id, since) or fail(
        "not-found", Title(f"{since}及以前没有评价结果", f"there is no run of a date up to {since}")
    )


def _causes(row: Mover, packs: Sequence[Pack]) -> list[tuple[Title, list[Title]]]:
    """Why somebody moved, in words."""
    return [
        (title, [_rule_title(packs, rule) for rule in rules])
        for name, title in CAUSES.items()
        if (rules := getattr(row, name))
    ]


def _rule(packs: Sequence[Pack], rule: str) -> str:
    return say(_rule_title(packs, rule))


def _rule_title(packs: Sequence[Pack], rule: str) -> Title:
    """What the first of the packs that has a rule calls it; its id where none has it."""
    known = (one.title for pack in packs for one in pack.rules if one.id == rule)
    return next(known, Title(rule, rule))
