"""Who may do what: the one table of roles and endpoints, and what of it goes into the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scoring.access.keys import Role

Logged = Literal["read", "change"]

R, D, L, O = Role.REGULATOR, Role.DEPARTMENT, Role.LENDER, Role.OPERATOR  # noqa: E741
S = Role.SUBJECT
ALL = frozenset(Role)
"""Everybody with a key."""


@dataclass(frozen=True, slots=True)
class Access:
    """An endpoint's row.

    :param roles: who may use it; None for everybody, without a key.
    :param logged: ``read``: a subject's data are read; the log has it before the answer goes out. ``change``:
        the log has it before it is tried, and again with its outcome. None: neither.
    :param kept: its answers are kept for requests that come again (:mod:`api.around.idempotency`).
    :param is_typed: a form into which something is typed: it is shown again where it can't be taken.
    :param makes: something new comes of it, each time that it is sent: who sends the same again is asked.
    :param is_counted: an address without a key may ask so often (:mod:`api.around.limits`).
    :param is_public: a page for everybody, where the district has any: it knows no cookie, so that whoever
        looks at it is told the same.
    """

    roles: frozenset[Role] | None
    logged: Logged | None = None
    kept: bool = False
    is_typed: bool = False
    makes: bool = False
    is_counted: bool = False
    is_public: bool = False


CLOSED = Access(frozenset())
"""For an endpoint that the table doesn't have."""


def _open() -> Access:
    return Access(None)


def _verifies() -> Access:
    """Open to everybody, who may try codes so often."""
    return Access(None, is_counted=True)


def _public() -> Access:
    return Access(None, is_counted=True, is_public=True)


def _sees(*roles: Role) -> Access:
    """May look at what is about no subject."""
    return Access(frozenset(roles))


def _reads(*roles: Role) -> Access:
    return Access(frozenset(roles), "read")


def _changes(*roles: Role) -> Access:
    return Access(frozenset(roles), "change", kept=True)


def _changes_keys(*roles: Role) -> Access:
    """The answer holds a secret, which nobody keeps."""
    return Access(frozenset(roles), "change")


def _checks(*roles: Role) -> Access:
    """What is answered depends on the moment, and is checked anew each time."""
    return Access(frozenset(roles), "change")


def _submits(*roles: Role) -> Access:
    """A form of a page: its number stands for the Idempotency-Key that browsers do not send."""
    return Access(frozenset(roles), "change", kept=True)


def _fills_in(*roles: Role) -> Access:
    """A form into which something is typed."""
    return Access(frozenset(roles), "change", kept=True, is_typed=True)


def _makes(*roles: Role) -> Access:
    """A form of which something new comes."""
    return Access(frozenset(roles), "change", kept=True, is_typed=True, makes=True)


def _drafts(*roles: Role, logged: Logged | None = None) -> Access:
    """A form that changes nothing: what was typed is worked on, and shown with the answer."""
    return Access(frozenset(roles), logged, is_typed=True)


def _submits_file(*roles: Role) -> Access:
    """A form about a file that waits, which is known by its bytes and taken once, whatever form says so."""
    return Access(frozenset(roles), "change")


ACCESS: dict[str, Access] = {
    # the service
    "static": _open(),
    "service.healthz": _open(),
    "service.readyz": _open(),
    "service.problem_type": _open(),
    "service.metrics": _sees(R, O),
    "api-docs.openapi_json": _open(),
    "docs.page": _open(),
    "docs.asset": _open(),
    # subjects and their grades; a subject's key sees itself alone
    "subjects.list_subjects": _reads(R),
    "subjects.get_subject": _reads(R, S),
    "subjects.get_grade": _reads(R, S),
    "subjects.list_grades": _reads(R, S),
    "subjects.get_explanation": _reads(R, S),
    "subjects.get_forecast": _reads(R, S),
    "subjects.get_paths": _reads(R, S),
    "subjects.get_history": _reads(R, S),
    "subjects.list_subject_consents": _reads(R, S),
    "subjects.list_subject_checks": _reads(R, S),
    # records; a department's key sees and changes its own alone, a subject's sees those about it
    "records.list_records": _reads(R, D, S),
    "records.get_record": _reads(R, D, S),
    "records.post_records": _changes(R, D),
    "records.post_objection": _changes(R, D, S),
    "records.post_acknowledgement": _changes(R),
    "records.post_decision": _changes(R),
    "records.post_appeal": _changes(R, D, S),
    "records.post_application": _changes(R, D, S),
    "records.post_admission": _changes(R, D),
    "records.post_repair": _changes(R, D),
    "records.post_breach": _changes(R, D),
    "objections.list_objections": _reads(R, D, S),
    "objections.get_objection": _reads(R, D, S),
    "objections.get_figures": _sees(*ALL),
    "repairs.list_repairs": _reads(R, D, S),
    "repairs.get_repair": _reads(R, D, S),
    "repairs.get_repair_figures": _sees(*Role),
    "consequences.get_sanctions": _sees(*Role),
    "consequences.list_consequences": _reads(R, D, S),
    "consequences.get_consequence": _reads(R, D, S),
    "consequences.post_consequence": _changes(R, D),
    "consequences.post_lift": _changes(R, D),
    "feeds.list_feeds": _sees(R, D),
    "feeds.export_rows": _reads(R, D),
    "settling.list_contradictions": _reads(R),
    "settling.post_resolution": _changes(R),
    "settling.list_twins": _reads(R),
    "settling.post_settlement": _changes(R),
    "settling.list_proposals": _reads(R, D),
    "settling.post_classification": _changes(R, D),
    "settling.post_classifications": _changes(R, D),
    # credit reports; an enterprise has its own alone
    "credit_reports.post_report": _changes(R, S),
    "credit_reports.get_file": _reads(R, S),
    "credit_reports.verify": _verifies(),
    # runs
    "runs.list_runs": _sees(R, O),
    "runs.get_run": _sees(R, O),
    "runs.post_run": _changes(R, O),
    "runs.compare_runs": _sees(R, O),
    "runs.list_moves": _reads(R),
    "runs.export_results": _reads(R),
    "runs.list_jobs": _sees(R, O),
    "runs.get_job": _sees(R, O),
    # runs that are proposed; a subject's key sees and answers what concerns it alone
    "proposals.get_proposals": _sees(R, O, S),
    "proposals.get_proposal": _sees(R, O, S),
    "proposals.get_falls": _reads(R),
    "proposals.get_proposal_notice": _reads(R, S),
    "proposals.get_run_notice": _reads(R, S),
    "proposals.post_answer": _changes(R, S),
    "proposals.post_publication": _changes(R),
    "proposals.post_withdrawal": _changes(R),
    # packs are public rules
    "packs.list_packs": _sees(*ALL),
    "packs.get_pack": _sees(*ALL),
    "packs.get_text": _sees(*ALL),
    "packs.list_terms": _sees(*ALL),
    # drafts of packs, and candidates that are tried: as on the pages
    "rule_drafts.list_drafts": _sees(R),
    "rule_drafts.post_examination": _reads(R),
    "rule_drafts.post_draft": _changes(R),
    "rule_drafts.get_draft": _reads(R),
    "rule_drafts.post_approval": _changes(R),
    "rule_drafts.post_refusal": _changes(R),
    "rule_drafts.post_withdrawal": _changes(R),
    "rule_trials.list_trials": _sees(R),
    "rule_trials.post_trial": _changes(R),
    "rule_trials.get_trial": _sees(R),
    "rule_trials.list_nights": _sees(R),
    "rule_trials.list_trial_moves": _reads(R),
    "rule_trials.post_end": _changes(R),
    # what tiers and results lead to; a department's key sees its own part of a ranking
    "rankings.get_ranking": _reads(R, D),
    "forecasts.get_population": _sees(R),
    "validation.get_backtest": _sees(R),
    "validation.get_drift": _sees(R),
    "inspection_plans.list_plans": _sees(R),
    "inspection_plans.post_plan": _changes(R),
    "inspection_plans.get_plan": _sees(R),
    "inspection_plans.list_visits": _reads(R),
    "inspection_plans.list_refusals": _reads(R),
    # visits with a code; a department's key sees and changes its own alone, a subject's its own
    "visits.list_visits": _reads(R, D, S),
    "visits.post_visit": _changes(R, D),
    "visits.post_codes": _changes(R),
    "visits.verify_visit": _verifies(),
    "visits.get_visit": _reads(R, D, S),
    "visits.post_result": _changes(R, D),
    "visits.post_rating": _changes(R, S),
    "visits.post_cancellation": _changes(R, D),
    "visits.get_figures": _sees(R, D),
    "simulations.post_simulation": _reads(R),
    # alerts, and grades after the last event
    "alerts.list_alerts": _reads(R),
    "alerts.get_alert": _reads(R),
    "alerts.post_acknowledgement": _changes(R),
    "alerts.post_acknowledgements": _changes(R),
    "alerts.post_assignments": _changes(R),
    "alerts.get_live_grade": _reads(R, S),
    # tickets; a department's key sees and moves its own alone, a subject's opens and judges its own
    "tickets.list_tickets": _sees(R, D, S),
    "tickets.get_ticket": _sees(R, D, S),
    "tickets.post_ticket": _changes(R, S),
    "tickets.post_step": _changes(R, D, S),
    # lenders; a check is made anew whenever it is asked for, and no tier is kept to be given again
    "lender_checks.post_check": _checks(L),
    "lender_checks.post_batch": _checks(L),
    "lender_checks.list_checks": _reads(R, L),
    "lenders.list_lenders": _sees(R),
    "lenders.post_stop": _changes(R),
    "lenders.post_lift": _changes(R),
    # consents; a lender's or a subject's key sees and ends its own alone
    "consents.list_consents": _reads(R, L),
    "consents.get_consent": _reads(R, L, S),
    "consents.post_consent": _changes(R, O, L, S),
    "consents.post_withdrawal": _changes(R, O, L, S),
    "consents.post_judgement": _changes(R),
    "consents.post_sample": _changes(R),
    # changes, and who is told of them; each role sees what concerns it, a department and a lender have
    # subscriptions of their own
    "changes.list_changes": _reads(R, D, L, S),
    "changes.list_receivers": _reads(R, D, S),
    "subscriptions.list_subscriptions": _sees(R, D, O, L),
    "subscriptions.get_subscription": _sees(R, D, O, L),
    "subscriptions.list_deliveries": _sees(R, D, O, L),
    "subscriptions.post_subscription": _changes_keys(R, D, L),
    "subscriptions.end_subscription": _changes(R, D, L),
    "subscriptions.post_resumption": _changes(R, D, O, L),
    "subscriptions.post_pause": _changes(R, D, O, L),
    "subscriptions.post_secret": _changes_keys(R, D, L),
    "subscriptions.post_acknowledgement": _changes(R, D, L),
    # keys and audit
    "keys.list_keys": _sees(R, O),
    "keys.get_key": _sees(R, O),
    "keys.post_key": _changes_keys(R),
    "keys.rotate_key": _changes_keys(R),
    "keys.revoke_key": _changes_keys(R, O),
    "audit.list_entries": _reads(R),
    "audit.verify_log": _sees(R, O),
    # the pages; a department's and a subject's key see their own grade alone
    "pages.static": _open(),
    "pages.sign_in": _open(),
    "pages.ask_provider": _verifies(),
    "pages.come_from_provider": _verifies(),
    "pages.demo_sign_in": _open(),  # 404 where no demo has started the server
    "pages.choose_language": _open(),
    "pages.public_method": _public(),
    "pages.public_packs": _public(),
    "pages.public_pack": _public(),
    "pages.public_changes": _public(),
    "pages.public_ranking": _public(),
    "pages.public_objection_figures": _public(),
    "pages.public_trial": _public(),
    "pages.sign_out": _sees(*ALL),
    "pages.front": _sees(*ALL),
    "pages.home": _sees(R, D, L, O),
    "pages.overview": _reads(R, O),
    "pages.subjects": _reads(R),
    "pages.export_subjects": _reads(R),
    "pages.movers": _reads(R),
    "pages.export_movers": _reads(R),
    "pages.export_hits": _reads(R),
    "pages.export_alerts": _reads(R),
    "pages.export_tickets": _reads(R, D, S),
    "pages.export_plan": _reads(R),
    "pages.export_ranking": _reads(R),
    "pages.export_feed": _reads(R, D),
    "pages.subject": _reads(R, D, S),
    "pages.paths": _reads(R, D, S),
    "pages.report": _reads(R, D, S),
    "pages.issue_credit_report": _submits(R, S),
    "pages.credit_report_file": _reads(R, S),
    "pages.verify_report": _verifies(),
    "pages.records": _reads(R, D, S),
    "pages.own": _sees(D, S),
    "pages.consents": _reads(R, L),
    "pages.register_consent": _makes(R, L, S),
    "pages.withdraw_consent": _submits(R, L, S),
    "pages.ranking": _reads(R),
    "pages.files": _sees(R, D),
    "pages.file_template": _sees(R, D),
    "pages.upload_file": _submits_file(R, D),
    "pages.upload": _reads(R, D),
    "pages.take_upload": _submits_file(R, D),
    "pages.drop_upload": _submits_file(R, D),
    "pages.file": _reads(R, D),
    "pages.file_quarantine": _reads(R, D),
    "pages.file_warnings": _reads(R, D),
    "pages.file_to_mend": _reads(R, D),
    "pages.undo_taken": _fills_in(R, D),
    "pages.feeds": _sees(R, D),
    "pages.feed_rows": _reads(R, D),
    "pages.packs": _sees(*ALL),
    "pages.pack": _sees(*ALL),
    "pages.changes": _sees(*ALL),
    "pages.editor": _sees(R),
    "pages.edit": _drafts(R),
    "pages.edit_from_file": _drafts(R, logged="read"),
    "pages.end_editing": _drafts(R, logged="read"),
    "pages.try_draft": _drafts(R, logged="read"),
    "pages.drafts": _sees(R),
    "pages.examine_draft": _drafts(R, logged="read"),
    "pages.propose_draft": _fills_in(R),
    "pages.draft": _reads(R),
    "pages.approve_draft": _fills_in(R),
    "pages.refuse_draft": _fills_in(R),
    "pages.withdraw_draft": _fills_in(R),
    "pages.trials": _sees(R),
    "pages.start_pack_trial": _makes(R),
    "pages.trial": _reads(R),
    "pages.export_trial": _reads(R),
    "pages.end_pack_trial": _fills_in(R),
    "pages.quick_start": _open(),
    "pages.plans": _sees(R),
    "pages.make_inspections": _makes(R),
    "pages.population": _sees(R),
    "pages.backtest": _sees(R),
    "pages.drift": _sees(R),
    "pages.plan": _reads(R),
    "pages.visits": _reads(R, D),
    "pages.issue_visit": _makes(R, D),
    "pages.issue_codes": _submits(R),
    "pages.visit": _reads(R, D, S),
    "pages.own_visits": _reads(S),
    "pages.move_visit": _fills_in(R, D, S),
    "pages.verify_visit": _verifies(),
    "pages.simulation": _sees(R),
    "pages.simulate_packs": _drafts(R, logged="read"),
    "pages.checks": _reads(R, L),
    "pages.receivers": _reads(R, D, S),
    "pages.subscriptions": _sees(R, D, O, L),
    "pages.subscription": _sees(R, D, O, L),
    "pages.add_subscription": _makes(R, D, L),
    "pages.renew_secret": _submits(R, D, L),
    "pages.end_subscription": _submits(R, D, L),
    "pages.pause_subscription": _submits(R, D, O, L),
    "pages.resume_subscription": _submits(R, D, O, L),
    "pages.alerts": _reads(R),
    "pages.alert": _reads(R),
    "pages.scans": _sees(R),
    "pages.start_scan": _submits(R),
    "pages.acknowledge_alerts": _fills_in(R),
    "pages.assign_alerts": _fills_in(R),
    "pages.orphans": _reads(R),
    "pages.record_proposals": _reads(R, D),
    "pages.record_proposal": _reads(R, D),
    "pages.classify_record": _fills_in(R, D),
    "pages.classify_records": _fills_in(R, D),
    "pages.objections": _reads(R, D, S),
    "pages.objection": _reads(R, D, S),
    "pages.move_objection": _fills_in(R, D, S),
    "pages.objection_figures": _sees(*ALL),
    "pages.repairs": _reads(R, D, S),
    "pages.repair": _reads(R, D, S),
    "pages.new_repair": _reads(R, D, S),
    "pages.apply_for_repair": _fills_in(R, D, S),
    "pages.move_repair": _fills_in(R, D),
    "pages.figures_of_repairs": _sees(*Role),
    "pages.consequences": _reads(R, D, S),
    "pages.enter_measure": _makes(R, D),
    "pages.lift_measure": _fills_in(R, D),
    "pages.runs": _sees(R, O),
    "pages.start_run": _fills_in(R, O),
    "pages.proposals": _sees(R),
    "pages.proposal": _reads(R),
    "pages.publish": _submits(R),
    "pages.withdraw": _fills_in(R),
    "pages.show_notice": _reads(R, S),
    "pages.answer": _fills_in(R, S),
    "pages.show_run_notice": _reads(R, S),
    "pages.tickets": _sees(R, D, S),
    "pages.ticket": _sees(R, D, S),
    "pages.open_ticket": _makes(R, S),
    "pages.move_ticket": _fills_in(R, D, S),
    "pages.new_objection": _reads(R, D, S),
    "pages.file_objection": _fills_in(R, D, S),
}
"""Endpoint (blueprint.view) → its row. An endpoint without one is :data:`CLOSED`."""
