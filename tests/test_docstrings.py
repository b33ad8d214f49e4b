"""The examples in docstrings: what a reader tries first, and so what has to be true."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent

PUBLIC = {
    "rules.language.boxes": "boxes implies",
    "rules.language.decision_tables": "read_cell",
    "rules.language.evaluate": "compiled evaluate",
    "rules.language.expressions": "conjuncts literal names render",
    "rules.language.parse": "parse_condition parse_expression",
    "rules.language.time_terms": "take_time_out",
    "rules.language.words": "both number signed words",
    "rules.text.shape": "PackSchema",
    "rules.text.source": "Document read",
    "rules.meaning.pack": "build_pack",
    "rules.meaning.vocabulary": "build_vocabulary",
    "rules.library.loader": "find_pack installed_packs load_text load_vocabulary ruling",
    "rules.library.references": "named_pack",
    "rules.library.sanctions": "sanctions",
    "rules.tools.book": "rule_book",
    "rules.tools.diff": "compare",
    "rules.tools.edit": "lines_of with_value without",
    "rules.tools.exchange.dmn": "read_dmn",
    "rules.tools.exchange.examples": "with_examples",
    "rules.tools.exchange.feel": "asked written",
    "rules.tools.exchange.matches": "cells_for compared shown",
    "rules.tools.exchange.pmml": "read_pmml",
    "rules.tools.exchange.scorecard": "read_scorecard",
    "rules.tools.exchange.xml": "read_xml",
    "rules.tools.layout": "layout",
    "rules.tools.lint": "lint_text",
    "rules.tools.prove.claims": "read_claim",
    "rules.tools.prove.day": "on_day",
    "rules.tools.lint.versions": "lint_versions",
    "rules.plan": "compile_plan round_half_away rule_names rules_in_force used_measures",
    "rules.identity": "identity plain",
    "rules.calendar": "add_days add_months first_start_still_open moment_of",
    "scoring.changes.addresses": "is_public",
    "scoring.changes.feed": "Place",
    "scoring.changes.sending": "sign",
    "scoring.changes.subscriptions": "subscribe",
    "scoring.characters.formulas": "inert",
    "scoring.characters.spreadsheets": "append_row",
    "scoring.characters.visible": "visible",
    "scoring.store.backups.backup": "back_up restore",
    "scoring.store.connection": "Store create_store open_store",
    "scoring.store.documents": "decode encode",
    "scoring.store.packs": "stored_pack",
    "scoring.store.rulebook": "known_packs",
    "scoring.store.scratch": "whole_file",
    "scoring.store.workspace": "workspace",
    "scoring.judging.engine": "grade",
    "scoring.judging.judge": "judge",
    "scoring.judging.one.judge": "Judge",
    "scoring.judging.period": "Period",
    "scoring.judging.timeline": "Timeline",
    "scoring.facts.feeding": "is_late",
    "scoring.facts.feeds": "office_feeds rhythm",
    "scoring.facts.ingest.files": "ingest_file ingest_paths",
    "scoring.facts.ingest.folding": "fold",
    "scoring.facts.ingest.keys": "subject_key",
    "scoring.facts.objection_desk": "list_objections",
    "scoring.facts.objections": "mark_record",
    "scoring.facts.one_record": "put_record",
    "scoring.facts.publicity": "shown_until",
    "scoring.facts.records": "list_records newest_records submit_records",
    "scoring.facts.snapshot": "take_snapshot",
    "scoring.facts.undo": "undo_file",
    "scoring.runs.country.run": "score_country",
    "scoring.runs.files": "score_files",
    "scoring.rulemaking.draft": "examine",
    "scoring.rulemaking.trials": "start_trial",
    "scoring.runs.proposals": "propose",
    "scoring.runs.published": "latest_run next_run",
    "scoring.runs.replay": "replay",
    "scoring.runs.results": "grade_of tier_counts",
    "scoring.runs.batch": "run",
    "scoring.answers.coverage": "coverage",
    "scoring.answers.examples": "outcome_of run_examples",
    "scoring.answers.either_way": "either_way",
    "scoring.answers.explain": "explain explain_day grade_day",
    "scoring.answers.forecast": "forecast",
    "scoring.answers.made_up": "asked_of_records asked_of_subject explain_made_up",
    "scoring.answers.notices.compute": "notice_of_proposal",
    "scoring.answers.paths": "paths_of",
    "scoring.answers.proofs": "prove",
    "scoring.answers.repeat_offences": "repeat_offences",
    "scoring.answers.search": "list_subjects",
    "scoring.answers.simulate": "simulate",
    "scoring.answers.trial_population": "open_population",
    "scoring.answers.validation.backtest": "backtest",
    "scoring.answers.validation.drift": "drift",
    "scoring.answers.validation.shares": "Share difference",
    "scoring.access.anchors": "verify_anchored",
    "scoring.access.audit": "entries search verify",
    "scoring.access.consents": "register",
    "scoring.access.keys": "KeyRing create_key",
    "scoring.access.lending": "answer_checks",
    "scoring.access.sessions": "begin_session",
    "scoring.live.events": "live_grade",
    "scoring.facts.visit_results": "as_code",
    "scoring.inspections.foreseen": "population_forecast",
    "scoring.inspections.visits": "list_visits",
    "rules.workdays": "is_workday workdays_later workdays_between",
    "scoring.tickets.clock": "due_on",
    "scoring.tickets.desk": "open_ticket",
    "api.http.export": "encoded",
    "api.http.fields": "Points plain",
    "api.http.openapi": "make_api",
    "api.http.paging": "page",
    "api.http.problems": "fail field_errors",
}
"""What each room gives to others, by the module where it stands."""


def _modules() -> dict[str, Path]:
    files = (path for room in ("rules", "scoring", "api") for path in sorted((ROOT / room).rglob("*.py")))
    return {_name(path): path for path in files if ">>> " in path.read_text(encoding="utf-8")}


def _name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = _modules()


@pytest.mark.parametrize("module", MODULES)
def test_every_example_of_a_module_does_what_it_shows(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By hand: paste it after importing what its own module defines; all else it imports itself."""
    monkeypatch.chdir(tmp_path)
    loaded = importlib.import_module(module)
    names: dict[str, Any] = {
        name: value for name, value in vars(loaded).items() if getattr(value, "__module__", None) == module
    }
    found = doctest.DocTestFinder(exclude_empty=True).find(loaded, globs={**names, "__name__": "__main__"})
    said: list[str] = []
    runner = doctest.DocTestRunner(verbose=False)
    for test in found:
        runner.run(test, out=said.append)
    assert not said, "".join(said)
    shown = MODULES[module].read_text(encoding="utf-8").count(">>> ")
    assert runner.tries == shown, (
        f"{module} shows {shown} lines to try, and {runner.tries} of them were found"
    )


@pytest.mark.parametrize(("module", "name"), [(m, n) for m, names in PUBLIC.items() for n in names.split()])
def test_what_a_room_gives_to_others_has_an_example(module: str, name: str) -> None:
    documented = getattr(importlib.import_module(module), name)
    assert ">>> " in (documented.__doc__ or ""), f"{module}.{name} shows no example"
