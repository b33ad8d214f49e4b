"""Simulation: what a new pack would do to everybody, with nothing published."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from flask import request
from werkzeug.wrappers import Response

from api.around import journal
from api.around.context import store
from api.http.problems import fail
from api.pages import language
from api.pages.blueprint import blueprint, page
from api.pages.charts import bars
from api.resources.simulations import simulated
from rules.calendar import day_of, today
from rules.fault import PackError, UnknownPackError
from rules.library.loader import load_text
from rules.model import Pack, Title
from rules.tools.diff import compare
from scoring.answers.search import names_of
from scoring.answers.simulate import Simulation, SimulationError
from scoring.runs.published import current_run
from scoring.store.rulebook import known_pack, known_packs

MOVERS_SHOWN = 100
DRAFT = "draft.yaml"


@blueprint.get("/simulation")
def simulation() -> Response:
    """Ask which packs to try."""
    return _form(200)


@blueprint.post("/simulation")
def simulate_packs() -> Response:
    """Grade everybody by two packs, and show who would move and by which rule."""
    try:
        as_of = day_of(request.form.get("as_of", ""))
        after = _wanted()
        before = known_pack(store(), after.id, as_of)
    except ValueError:
        return _form(422, faults=[Title("日期不对,应写作2026-07-31", "not a date such as 2026-07-31")])
    except PackError as error:
        return _form(422, faults=[fault.title for fault in error.faults])
    except UnknownPackError as error:
        return _form(422, faults=[error.title])
    try:
        result = simulated(before, after, as_of)
    except SimulationError as error:
        return _form(422, faults=[error.title])
    return page("simulated", **shown(result, before, after))


def _form(status: int, **values: Any) -> Response:
    packs = known_packs(store())
    run = current_run(store(), packs[0].id) if packs else None
    given = {"as_of": str(run.as_of if run else today()), **request.form.to_dict()}
    return page("simulation", status, packs=packs, given=given, **{"faults": [], **values})


def _wanted() -> Pack:
    """The pack that is uploaded or written, or else the installed one that is chosen."""
    if (text := given_text()).strip():
        return load_text(text, DRAFT)
    name = request.form.get("pack", "")
    found = (pack for pack in known_packs(store()) if f"{pack.id}@{pack.version}" == name)
    return next(found, None) or fail(
        "invalid", Title(f"没有安装名为{name}的评价规则", f"no installed pack is called {name}")
    )


def given_text() -> str:
    """The text that is uploaded, or else written."""
    file = request.files.get("file")
    text = decoded(file.read()) if file and file.filename else request.form.get("text", "")
    return text.replace("\r\n", "\n")


def decoded(content: bytes) -> str:
    """The text of a file, in UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        fail("invalid", Title("文件不是UTF-8编码,请另存为UTF-8", "the file is not UTF-8"))


def shown(result: Simulation, before: Pack, after: Pack) -> dict[str, Any]:
    """What pages say of a simulation."""
    movers = result.movers.slice(0, MOVERS_SHOWN).to_pylist()
    ids = [row["subject_id"] for row in movers]
    journal.detail(subjects=ids)
    matrix = {old: list(pairs) for old, pairs in groupby(result.transitions, key=lambda pair: pair.before)}
    moves = {
        old: {pair.after: pair.subjects for pair in pairs if pair.after != old}
        for old, pairs in matrix.items()
    }
    return {
        "result": result,
        "before": before,
        "after": after,
        "matrix": matrix,
        "moves": bars(moves, after),
        "movers": movers,
        "names": names_of(store(), after.vocabulary.id, ids),
        "changes": compare(before, after, language.title),
    }
