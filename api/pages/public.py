"""Pages for everybody, without a key (评价公开): the rules and their history, how a grade comes about, what a
department's place leads to, how offices deal with objections, and the rules tried with made-up facts.

They are there where the district has them (``XINHENG_PUBLIC``). None names an enterprise, a person, a record,
an alert or a draft, and none knows a cookie: whoever looks is told the same, in the language of the address.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

from flask import Response as Answer
from flask import request, url_for
from werkzeug.wrappers import Response

from api.around.access import ACCESS
from api.around.context import settings, store
from api.around.request import current
from api.http.problems import fail
from api.pages import language, story
from api.pages.blueprint import blueprint, page
from api.pages.ranking import follows
from api.pages.rules import listed_packs, shown_changes, shown_pack
from rules.calendar import day_of, today
from rules.fault import UnknownPackError
from rules.language.words import words
from rules.library.loader import ruling_among
from rules.model import Column, Pack, Title
from rules.tools.book import LANES
from scoring.answers.departments import PACK, department_ranking
from scoring.answers.explain import unknown_inputs
from scoring.answers.made_up import (
    MOST_RECORDS,
    MadeUpError,
    asked_of_records,
    asked_of_subject,
    explain_made_up,
)
from scoring.facts import objection_case, repair_case
from scoring.facts.bodies import register
from scoring.facts.ingest.keys import ENTERPRISES
from scoring.facts.objection_desk import figures
from scoring.judging.reasons import MOST_REASONS
from scoring.runs.published import latest_run
from scoring.store.rulebook import known_pack, known_packs, known_ruling

KEPT_SECONDS = 60
"""For how long whatever stands between may keep a page before it asks by its ETag again (own choice)."""
CLOSED = "alert"
"""The part of a pack that is for the office's own work."""


@blueprint.after_request
def _for_caches(response: Answer) -> Answer:
    if current().access.is_public and request.method in ("GET", "HEAD") and response.status_code == 200:
        response.headers["Cache-Control"] = f"public, max-age={KEPT_SECONDS}"
    return response


@blueprint.url_defaults
def _in_language(endpoint: str, values: dict[str, Any]) -> None:
    """The address of a page for everybody says its language."""
    access = ACCESS.get(endpoint)
    if access is not None and access.is_public and language.chosen() != language.BOTH:
        values.setdefault(language.COOKIE, language.chosen())


@blueprint.get("/public")
def public_method() -> Response:
    """How a grade comes about, what each tier means, and which rights the graded have."""
    return page(
        "public_method",
        packs=sorted(known_ruling(store(), today()), key=lambda pack: pack.id != settings().pack),
        lanes=LANES,
        objection=objection_case,
        repair=repair_case,
    )


@blueprint.get("/public/rules")
def public_packs() -> Response:
    """Every version of every pack: which is in force, and which was."""
    return page("packs", **listed_packs())


@blueprint.get("/public/rules/<pack_id>")
def public_pack(pack_id: str) -> Response:
    """The rules of a version of a pack."""
    return page("pack", run=None, hits={}, **shown_pack(pack_id))


@blueprint.get("/public/rules/<pack_id>/changes")
def public_changes(pack_id: str) -> Response:
    """What changed from one version of a pack to another."""
    shown = shown_changes(pack_id)
    changes = [change for change in shown["changes"] if change.part != CLOSED]
    return page("changes", **shown | {"changes": changes})


@blueprint.get("/public/ranking")
def public_ranking() -> Response:
    """The ranking of public bodies that the district publishes, and what it leads to."""
    day = settings().public_ranking
    run = latest_run(store(), PACK, day) if day is not None and day <= today() else None
    if run is None:
        return page("public_no_ranking")
    found = department_ranking(store(), run.id)
    return page("ranking", ranking=found, follows=follows(found))


@blueprint.get("/public/objections")
def public_objection_figures() -> Response:
    """How each public body deals with objections to its records."""
    with store().reading() as session:
        bodies = {body.name for body in register(session).bodies}
    offices = [found for found in figures(store(), ENTERPRISES, today()) if found.office in bodies]
    return page("objection_figures", offices=offices)


# The rules tried with made-up facts


@blueprint.route("/public/try", methods=["GET", "POST"])
def public_trial() -> Response:
    """What the rules make of made-up facts, by the judge that grades everybody; nothing is kept of them."""
    packs = {pack.id: pack for pack in ruling_among(known_packs(store()), today())}
    pack = packs.get(request.args.get("pack") or settings().pack) or fail(
        "not-found", Title("没有这项评价规则", "there is no such pack")
    )
    asked = asked_of_records(pack)
    wanted = _wanted(asked)
    columns = {0: asked_of_subject(pack), **{number: asked[kind] for number, kind in wanted.items()}}
    place: dict[str, Any] = {f"kind{number}": kind for number, kind in wanted.items()}
    status, result = _tried(pack, wanted, columns) if request.method == "POST" else (200, {"faults": {}})
    return page(
        "public_trial",
        status,
        packs=packs.values(),
        asked=pack,
        kinds=_titles(pack, asked),
        wanted=wanted,
        most=range(1, MOST_RECORDS + 1),
        columns=columns,
        codes=lambda number, column: _codes(pack, wanted.get(number), column),
        here=url_for("pages.public_trial", pack=pack.id, **place),
        given={"as_of": str(today()), **request.form.to_dict()},
        **result,
    )


def _titles(pack: Pack, kinds: Iterable[str]) -> dict[str, Title]:
    """What kinds of records are called."""
    records = pack.vocabulary.records
    titles = records.columns[records.kind].values if records and records.kind else {}
    return {kind: titles[kind] for kind in kinds}


def _wanted(kinds: Container[str]) -> dict[int, str]:
    """The kinds of the made-up records, by the records' numbers; 400 where no rule looks for one."""
    asked = {number: request.args.get(f"kind{number}", "") for number in range(1, MOST_RECORDS + 1)}
    if any(kind and kind not in kinds for kind in asked.values()):
        fail("bad-request", Title("没有规则涉及这类信息", "no rule looks for records of that kind"))
    return {number: kind for number, kind in asked.items() if kind}


def _codes(pack: Pack, kind: str | None, column: Column) -> dict[str, Title]:
    """What a column may say of a record of a kind."""
    records = pack.vocabulary.records
    declared = records.kinds.get(kind) if records and kind else None
    allowed = declared.values.get(column.name) if declared else None
    return {code: title for code, title in column.values.items() if allowed is None or code in allowed}


def _tried(
    pack: Pack, wanted: dict[int, str], columns: dict[int, list[Column]]
) -> tuple[int, dict[str, Any]]:
    """The status of the answer, and the grade with its reasons or what is wrong with which field."""
    told = {
        number: {c.name: text for c in of_one if (text := request.form.get(f"{number}-{c.name}", "").strip())}
        for number, of_one in columns.items()
    }
    records = pack.vocabulary.records
    kind = records.kind if records and records.kind else ""
    rows = [{**told[number], kind: name} for number, name in wanted.items()]
    try:
        as_of = day_of(request.form.get("as_of", ""))
        pack = known_pack(store(), pack.id, as_of)
        found = explain_made_up(pack, as_of, told[0], rows)
    except MadeUpError as error:
        return 422, {"faults": _beside_fields(pack, error, dict(enumerate(wanted, start=1)))}
    except UnknownPackError as error:
        return 422, {"faults": {"as_of": error.title}}
    except ValueError:
        return 422, {"faults": {"as_of": Title("日期不对,应写作2026-07-31", "not a date such as 2026-07-31")}}
    return 200, {
        "faults": {},
        "found": found,
        "pack": pack,
        "grade": story.grade_of(pack, found.tier),
        "steps": story.waterfall(found),
        "groups": story.hit_groups(found),
        "unknown": unknown_inputs(found),
        "most_reasons": MOST_REASONS,
        "measure_titles": {measure.id: measure.title for measure in pack.measures},
        "measure_columns": words(pack, "zh").columns,
        "record_facts": story.record_facts,
        "reasons": story.reasons,
    }


def _beside_fields(pack: Pack, error: MadeUpError, numbers: dict[int, int]) -> dict[str, Title]:
    """What is wrong, by the fields of the form.

    :param numbers: of the records that were judged, by which they are called in the form.
    """
    words = pack.vocabulary
    titles = {(name, False): column.title for name, column in words.subject.columns.items()}
    if words.records is not None:
        titles |= {(name, True): column.title for name, column in words.records.columns.items()}
    told = {}
    for (number, name), said in error.faults.items():
        title, place = titles[name, number > 0], numbers.get(number, 0)
        whose = Title(f"信息{place}的" if place else "", f"record {place}: " if place else "")
        told[f"{place}-{name}"] = Title(f"{whose.zh}{title.zh}:{said.zh}", f"{whose.en}{title.en}: {said.en}")
    return told
