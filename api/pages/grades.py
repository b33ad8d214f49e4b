"""Subjects: finding one, reading why it has its grade, and its report on paper."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from api.around import journal
from api.around.auth import caller, who
from api.around.context import settings, store
from api.around.naming import own_body, subject_of, vocabulary_of
from api.http.problems import fail
from api.pages import charts, story
from api.pages.blueprint import blueprint, page
from api.pages.downloads import facet_choices, facet_row, facet_titles, facets_asked, kept_query
from api.pages.graded import graded_titles, runs_of
from api.pages.newer import newer_grade
from api.pages.own import at_door
from api.pages.tickets import stage_column
from api.schemas.visits import OUTCOMES as OUTCOMES_OF_VISITS
from rules.calendar import add_months, today
from rules.language.words import words
from rules.model import Pack, Title
from rules.tools.book import LANES
from scoring.access import audit
from scoring.access.consents import PURPOSES, list_consents
from scoring.access.lending import ACTION, OUTCOMES, check_note, own_note
from scoring.answers.departments import PACK as DEPARTMENTS
from scoring.answers.explain import Explanation, explain_now, unknown_inputs
from scoring.answers.forecast import CAUSES, changes, forecast
from scoring.answers.paths import paths_of
from scoring.answers.search import NAME, Listed, count_subjects, list_subjects, names_of
from scoring.answers.timelines import near_subjects, no_result, run_of
from scoring.facts.cases import STEP_TITLES
from scoring.facts.desk import Wanted
from scoring.facts.ingest.keys import ENTERPRISES
from scoring.facts.merging import REPAIRED
from scoring.facts.objection_case import STAGE_TITLES
from scoring.facts.objection_desk import list_objections
from scoring.facts.objections import STATUS, Mark, list_marks
from scoring.facts.records import dated, get_record, newest_records
from scoring.inspections.office import visits_to
from scoring.inspections.visits import STATE_TITLES, list_visits
from scoring.inspections.visits import Wanted as WantedVisits
from scoring.judging.reasons import MOST_REASONS
from scoring.runs import results
from scoring.runs.proposed import STATES
from scoring.runs.published import RunSummary, current_run, current_runs
from scoring.store.packs import stored_pack
from scoring.tickets.desk import list_tickets

ROWS = 50
LONGEST_SEARCH = 100
PIECES_SHOWN = 60
CHECKS_SHOWN = 100
PATHS_SHOWN = 10
TICKETS_SHOWN = 5
VISITS_SHOWN = 5
SORT_TITLES = {
    "low": Title("得分低的在前", "The lowest score first"),
    "high": Title("得分高的在前", "The highest score first"),
    "next": Title("最近变化的在前", "The soonest change first"),
}


@dataclass(frozen=True, slots=True)
class WantedSubjects:
    """Which subjects a list shows, and in which order: see :func:`scoring.answers.search.list_subjects`."""

    search: str
    tier: str | None
    facets: Mapping[str, str]
    sort: str


@blueprint.get("/subjects")
def subjects() -> Response:
    """Subjects of a pack's latest run, the lowest score first: by tier, name or number."""
    run = current(request.args.get("pack") or settings().pack)
    pack = stored_pack(store(), run.pack_hash)
    wanted, place = asked(), _after(request.args.get("after"))
    search, tier, facets = wanted.search, wanted.tier, wanted.facets
    rows = list_subjects(store(), run, search, tier, place, ROWS + 1, facets=facets, sort=wanted.sort)
    shown = rows[:ROWS]
    journal.detail(run=run.id, subjects=[row.subject_id for row in shown])
    return page(
        "subjects",
        run=run,
        pack=pack,
        packs=graded_titles(),
        counts=results.tier_counts(store(), run),
        total=count_subjects(store(), run, search, tier, facets)
        if search or tier or facets
        else run.subjects,
        rows=shown,
        wanted=wanted,
        sorts=SORT_TITLES,
        facet_titles=facet_titles(pack.vocabulary),
        facet_choices=facet_choices(run, pack.vocabulary),
        facets={row.subject_id: facet_row(pack.vocabulary, row.facets) for row in shown},
        elsewhere=[] if rows else _elsewhere(run, search),
        query=kept_query(),
        after=_cursor(shown[-1]) if len(rows) > ROWS else None,
        is_further=request.args.get("after") is not None,
        meant=() if rows else _meant(run, search),
    )


@blueprint.get("/subjects/<pack_id>/<key:subject_id>")
def subject(pack_id: str, subject_id: str) -> Response:
    """Why a subject has its grade."""
    return subject_page(pack_id, subject_id, 200)


def subject_page(
    pack_id: str, subject_id: str, status: int, faults: Mapping[str, Title] | None = None
) -> Response:
    """Why a subject has its grade, and the forms of that page.

    :param faults: what is wrong with what was filled in, by field.
    """
    found = _explained(pack_id, subject_id)
    coming = forecast(store(), found.pack.id, found.subject_id)
    drawn = charts.forecast(coming, found.pack)
    asked = {"given": request.form, "faults": faults}
    shown = _shown(found) | _at_work(found) | asked
    return page("subject", status, coming=coming, drawn=drawn, causes=CAUSES, changes=changes, **shown)


@blueprint.get("/subjects/<pack_id>/<key:subject_id>/records")
def records(pack_id: str, subject_id: str) -> Response:
    """The records of a subject as they are known now, whether a rule counts them or not, the newest first."""
    found = _graded(pack_id, subject_id)
    words = found.pack.vocabulary
    first, own = request.args.get("first"), who().subject and found.subject_id
    known = [] if first is None else get_record(store(), words, first, subject_id=own)[:1]
    rows = [record for record in known if record.subject_id == found.subject_id]
    begins = dated(words, rows[0]) if rows else None
    if "number" in request.args:
        begins = request.args.get("day", ""), request.args["number"]
    rows += newest_records(
        store(),
        words,
        found.subject_id,
        to_subject=who().subject is not None,
        before=begins,
        limit=ROWS + 1,
    )
    return page(
        "records",
        found=found,
        name=found.name,
        pack=found.pack,
        records=rows[:ROWS],
        begins=begins,
        last=dated(words, rows[ROWS - 1]) if len(rows) > ROWS else None,
        opened=first,
        record_facts=story.record_facts,
    )


@blueprint.get("/subjects/<pack_id>/<key:subject_id>/paths")
def paths(pack_id: str, subject_id: str) -> Response:
    """Which lawful steps lead to a better tier, and when."""
    found = _graded(pack_id, subject_id)
    ways = paths_of(store(), found.pack.id, found.subject_id, request.args.get("tier") or None, today())
    return page("paths", found=found, name=found.name, pack=ways.pack, ways=ways, shown=PATHS_SHOWN)


@blueprint.get("/subjects/<pack_id>/<key:subject_id>/report")
def report(pack_id: str, subject_id: str) -> Response:
    """The credit report of a subject, for A4 paper."""
    found = _explained(pack_id, subject_id)
    shown = _shown(found)
    return page("report", made_at=dt.datetime.now(dt.UTC), **shown | {"marks": _unrepaired(shown["marks"])})


@blueprint.get("/own")
def own() -> Response:
    """The own grade of a department or of who is graded: where its work begins."""
    subject_id = who().subject
    if subject_id is None:
        return redirect(url_for("pages.subject", pack_id=DEPARTMENTS, subject_id=own_body()), 303)
    if not (runs := runs_of(subject_id)):
        en = "there is no grade yet; objections and tickets are to be found above"
        fail("not-found", Title("尚无评价结果；异议与问题可由上方进入", en))
    return redirect(url_for("pages.subject", pack_id=runs[0].pack_id, subject_id=subject_id), 303)


def _shown(found: Explanation) -> dict[str, Any]:
    """What the page and the report of a subject both show."""
    run = found.run or current(found.pack.id)
    line = results.grade_line(store(), run, found.subject_id)
    terms = story.supervision_of(found.pack, found.tier)
    return {
        "found": found,
        "pack": found.pack,
        "run": run,
        "name": found.attributes.get(NAME) or found.subject_id,
        "grade": story.grade_of(found.pack, found.tier),
        "steps": story.waterfall(found),
        "line": line[-PIECES_SHOWN:],
        "history": charts.history(line[-PIECES_SHOWN:], run.as_of, found.pack),
        "groups": story.hit_groups(found),
        "unknown": unknown_inputs(found),
        "most_reasons": MOST_REASONS,
        "facts": story.facts(found.attributes, found.pack.vocabulary.subject.columns),
        "supervision": terms,
        "valid_until": terms and add_months(run.as_of, terms.valid_months),
        "marks": list_marks(store(), found.pack.vocabulary.id, subject_id=found.subject_id),
        "consents": list_consents(store(), subject_id=found.subject_id),
        "checks": _checks(found.subject_id),
        "most_checks": CHECKS_SHOWN,
        "purposes": PURPOSES,
        "outcomes": OUTCOMES,
        "lanes": LANES,
        "measure_titles": {measure.id: measure.title for measure in found.pack.measures},
        "measure_columns": words(found.pack, "zh").columns,
        "status_titles": _status_titles(found),
        "mark_titles": STEP_TITLES,
        "record_facts": story.record_facts,
        "reasons": story.reasons,
        "today": today(),
    }


def _at_work(found: Explanation) -> dict[str, Any]:
    """What is under way about a subject: its newer grade, objections, tickets and visits."""
    subject_id, vocabulary = found.subject_id, found.pack.vocabulary.id
    is_own, is_enterprise = who().subject is not None, vocabulary == ENTERPRISES
    return {
        "newer": newer_grade(store(), found, today(), dt.datetime.now(dt.UTC)),
        "packs": [run.pack_id for run in runs_of(subject_id)] if is_own else [],
        "titles": graded_titles(),
        "objections": list_objections(store(), vocabulary, Wanted(subject_id)),
        "stages": STAGE_TITLES,
        "tickets": list_tickets(store(), counterpart=subject_id, limit=TICKETS_SHOWN)
        if is_enterprise
        else [],
        "ticket_stages": stage_column().values,
        "visits": visits_to(store(), found.pack.id, subject_id, today() if is_own else None),
        "coded": list_visits(store(), WantedVisits(subject_id=subject_id), today(), VISITS_SHOWN)
        if is_enterprise
        else [],
        "states": STATE_TITLES,
        "outcomes_of_visits": OUTCOMES_OF_VISITS,
        "door": at_door(subject_id) if is_own else None,
        "proposal_states": STATES,
        "consent_months": settings().consent_months,
    }


def _unrepaired(marks: Sequence[Mark]) -> list[Mark]:
    """Marks but those of repaired records, which are shown and shared no more.

    :param marks: the newest first.
    """
    last = {mark.record_id: mark.status_after for mark in reversed(marks)}
    return [mark for mark in marks if last[mark.record_id] != REPAIRED]


def _checks(subject_id: str) -> list[dict[str, Any]]:
    """The latest checks of lenders, and one more where there are more, as the visitor may be told of them."""
    told = check_note if who().subject is None else own_note
    found = audit.entries(store(), subject_id=subject_id, action=ACTION, limit=CHECKS_SHOWN + 1)
    return [told(entry) for entry in found]


def _status_titles(found: Explanation) -> Mapping[str, Title]:
    """How a record may stand, by code."""
    records = found.pack.vocabulary.records
    return records.columns[STATUS].values if records and STATUS in records.columns else {}


@dataclass(frozen=True, slots=True)
class Graded:
    """Who has a grade, without what it rests on."""

    subject_id: str
    name: str
    pack: Pack


def _graded(pack_id: str, subject_id: str) -> Graded:
    """Somebody with a grade, for those who may see it.

    :raises UnknownSubjectError: as :func:`scoring.answers.explain.explain`.
    """
    subject_id = _allowed(pack_id, subject_id)
    run = run_of(store(), pack_id, None)
    if results.grade_of(store(), run, subject_id) is None:
        raise no_result(store(), run, subject_id)
    name = names_of(store(), run.vocabulary, [subject_id]).get(subject_id, subject_id)
    return Graded(subject_id, name, stored_pack(store(), run.pack_hash))


def _explained(pack_id: str, subject_id: str) -> Explanation:
    """The explanation, for those who may see it."""
    return explain_now(store(), pack_id, _allowed(pack_id, subject_id))


def _allowed(pack_id: str, subject_id: str) -> str:
    """The subject's key as it is stored; 403 and 404 for those who may not see its grade."""
    subject_id = subject_of(vocabulary_of(pack_id), subject_id)
    own = own_body()
    if own is not None and (pack_id, subject_id) != (DEPARTMENTS, own):
        fail(
            "forbidden",
            Title("此密钥只能查看本单位的评价", f"a {caller().role} key opens its own grade alone"),
        )
    return subject_id


def _meant(run: RunSummary, search: str) -> Sequence[str]:
    """The subjects that a mistyped code may mean."""
    with store().reading() as session:
        return near_subjects(session, run.vocabulary, search)


def asked() -> WantedSubjects:
    """Which subjects this request asks for; 400 for an order that there is not."""
    sort = request.args.get("sort") or "low"
    if sort not in SORT_TITLES:
        fail("bad-request", Title(f"没有名为{sort}的排序", f"no order is called {sort}"))
    search = request.args.get("search", "").strip()[:LONGEST_SEARCH]
    return WantedSubjects(search, request.args.get("tier") or None, facets_asked(), sort)


def _elsewhere(run: RunSummary, search: str) -> list[tuple[str, Title, int]]:
    """The other packs that grade whom the search means, and how many."""
    if not search:
        return []
    others = [other for other in current_runs(store()) if other.pack_id != run.pack_id]
    found = [(other, count_subjects(store(), other, search)) for other in others]
    return [
        (other.pack_id, stored_pack(store(), other.pack_hash).title, number)
        for other, number in found
        if number
    ]


def current(pack_id: str) -> RunSummary:
    """The current run of a pack, or 404."""
    return current_run(store(), pack_id) or fail(
        "not-found", Title(f"{pack_id}还没有评价结果", f"there is no run of {pack_id} yet")
    )


def _cursor(row: Listed) -> str:
    return f"{row.place}:{row.subject_id}"


def _after(cursor: str | None) -> tuple[int, str] | None:
    """Place and number of the last subject of the page before."""
    if not cursor:
        return None
    score, _, subject_id = cursor.partition(":")
    if not score.removeprefix("-").isdecimal() or len(score) > 15:
        fail("bad-request", Title("地址中的after不是本列表的位置", "after is not a place in this list"))
    return int(score), subject_id
