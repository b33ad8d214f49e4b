"""Whether grades foresaw what was found later, and what has shifted between two runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flask import request
from werkzeug.wrappers import Response

from api.around.context import settings, store
from api.pages import language
from api.pages.blueprint import blueprint, page
from api.pages.forms import number
from api.pages.graded import graded_titles
from api.resources.validation import backtested, drifted
from rules.calendar import add_months, day_of
from rules.fault import UnknownPackError
from rules.language.expressions import literal
from rules.model import Pack, Title
from rules.plan import compile_plan
from rules.titles import TitledError
from scoring.answers.validation.backtest import Verdict, Wanted
from scoring.answers.validation.drift import Class, Drift, Shift, codes_of
from scoring.answers.validation.kinds import kinds_of
from scoring.answers.validation.words import SIZES, VERDICTS
from scoring.runs.published import RunSummary, current_run, list_runs
from scoring.store.packs import stored_pack

MONTHS = (3, 6, 12, 24, 36)
RUNS_OFFERED = 60
_FIRST = (Verdict.CONTRARY, Verdict.UNTOLD, Verdict.UNPOINTED, Verdict.FORESEES, Verdict.NOBODY)
"""What a policy officer reads first."""


@blueprint.get("/backtest")
def backtest() -> Response:
    """Ask which day's grades to test, and show what they foresaw."""
    run = _run_of_now()
    if run is None:
        return page("backtest", pack=None, given={}, faults=[], found=None, packs={})
    pack = stored_pack(store(), run.pack_hash)
    given = {
        "as_of": str(add_months(run.as_of, -12)),
        "months": "12",
        "known": "then",
        **request.args.to_dict(),
    }
    faults: list[Title] = []
    found = None
    if "as_of" in request.args:
        try:
            found = backtested(run.pack_id, _wanted(given, pack))
        except ValueError:
            faults = [Title("日期不对,应写作2026-07-31", "not a date such as 2026-07-31")]
        except (TitledError, UnknownPackError) as error:
            faults = [error.title]
    rules = [] if found is None else sorted(found.rules, key=lambda one: _FIRST.index(one.verdict))
    return page(
        "backtest",
        422 if faults else 200,
        pack=found.pack if found else pack,
        packs=graded_titles(),
        given=given,
        faults=faults,
        found=found,
        rules={verdict: [one for one in rules if one.verdict is verdict] for verdict in _FIRST},
        verdicts=VERDICTS,
        samples=_samples(pack),
        months=MONTHS,
    )


@blueprint.get("/drift")
def drift() -> Response:
    """What has shifted between two runs of a pack."""
    run = _run_of_now()
    if run is None:
        return page("drift", pack=None, found=None, faults=[], packs={}, runs=[])
    faults: list[Title] = []
    found = None
    try:
        found = drifted(run.pack_id, number("before"), number("after"))
    except TitledError as error:
        faults = [error.title]
    return page(
        "drift",
        422 if faults and request.args else 200,
        pack=stored_pack(store(), run.pack_hash),
        packs=graded_titles(),
        runs=list_runs(store(), run.pack_id, limit=RUNS_OFFERED),
        found=found,
        faults=faults,
        shifts=[] if found is None else list(_shifts(found)),
        sizes=SIZES,
    )


def _run_of_now() -> RunSummary | None:
    return current_run(store(), request.args.get("pack") or settings().pack)


def _wanted(given: Mapping[str, str], pack: Pack) -> Wanted:
    """What the form says; a kind of records stands for the condition that names it."""
    day = day_of(given["as_of"])
    months = int(given["months"]) if given["months"] in map(str, MONTHS) else 12
    sample = given.get("sample", "")
    found = None
    if sample in kinds_of(pack.vocabulary):
        found = f"kind = {literal(sample)}"
    return Wanted(day, months, sample == "drawn", found=found, as_known_now=given["known"] == "now")


def _samples(pack: Pack) -> dict[str, Title]:
    """What may count as found, by the form's values."""
    kinds = kinds_of(pack.vocabulary)
    usual = {"": Title("监督检查未合格(受检主体)", "An inspection not passed (of those inspected)")}
    drawn = {"drawn": Title("双随机检查未合格(抽中主体)", "A random visit not passed (of those drawn)")}
    of_kind = {
        code: Title(f"有新的{title.zh}记录(全部主体)", f"A new record: {title.en} (of everybody)")
        for code, title in kinds.items()
    }
    return {**(usual | drawn if "inspection" in kinds else {}), **of_kind}


def _shifts(found: Drift) -> Iterator[tuple[Shift, list[tuple[str, int, int]]]]:
    """Each shift with its classes in words."""
    plan = compile_plan(found.pack)
    tiers = {grade.tier: grade.title for grade in found.pack.grades}
    for shift in (found.score, found.tier, *found.inputs):
        codes = tiers if shift is found.tier else {} if shift is found.score else codes_of(plan, shift.name)
        yield shift, [(_class(one, codes), one.before, one.after) for one in shift.classes]


def _class(one: Class, codes: Mapping[str, Title]) -> str:
    if not one.known:
        return language.title(Title("未知", "Unknown"))
    if one.code is not None:
        title = codes.get(one.code, _YES.get(one.code, Title(one.code, one.code)))
        return language.title(title)
    low, high = (None if bound is None else f"{bound:,.10g}" for bound in (one.low, one.high))
    if low is None:
        return "—" if high is None else f"< {high}"
    return f"≥ {low}" if high is None else f"{low} – < {high}"


_YES = {"true": Title("是", "Yes"), "false": Title("否", "No")}
