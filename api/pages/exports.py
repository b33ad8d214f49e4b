"""What pages list, as workbooks: subjects, hits of a rule, alerts, tickets, plans, places, rows to mend."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from flask import request
from werkzeug.wrappers import Response

from api.around import journal
from api.around.auth import own_data
from api.around.context import packs_called, settings, store
from api.around.naming import own_tickets
from api.http.problems import fail
from api.pages import alerts, downloads, feeds, grades, tickets
from api.pages.blueprint import blueprint
from api.pages.downloads import asked, every, field, say
from api.resources.runs import NUMBER
from rules.calendar import today
from rules.model import Title
from scoring.answers.departments import department_ranking
from scoring.answers.search import all_hits, list_subjects, names_of
from scoring.characters.listings import Listing
from scoring.facts.feeds import KINDS, feed_faults
from scoring.facts.ingest.keys import ENTERPRISES
from scoring.inspections.office import get_plan, plan_visits
from scoring.live.alerts import list_alerts
from scoring.runs.results import find_run
from scoring.store.packs import stored_pack
from scoring.tickets.desk import Ticket, list_tickets
from scoring.tickets.feed import VOCABULARY

_YES = Title("是", "yes")
_NOBODY = Title("未分派", "nobody")


@blueprint.get("/subjects/export")
def export_subjects() -> Response:
    """The subjects that the list shows, all of them."""
    run = grades.current(request.args.get("pack") or settings().pack)
    pack = stored_pack(store(), run.pack_hash)
    words, wanted = pack.vocabulary, grades.asked()
    found = every(
        lambda after, most: list_subjects(
            store(), run, wanted.search, wanted.tier, after, most, facets=wanted.facets, sort=wanted.sort
        ),
        lambda row: (row.place, row.subject_id),
    )
    fields = {
        "name": downloads.NAME,
        "subject_id": downloads.NUMBER,
        **downloads.facet_fields(words),
        "tier": field("等级", "Tier"),
        "score": field("得分", "Score", "points"),
        "next_change_on": field("下次变化", "Next change", "date"),
    }
    said = asked(
        (downloads.PACK, say(pack.title)),
        (downloads.AS_OF, str(run.as_of)),
        (Title("名称或代码", "Name or number"), wanted.search),
        (downloads.TIER, wanted.tier),
        *(
            (title, downloads.facet_word(words, name, wanted.facets.get(name)))
            for name, title in downloads.facet_titles(words).items()
        ),
    )
    journal.detail(run=run.id)
    rows = downloads.listed_rows(found, words)
    return downloads.workbook(Listing(Title("主体", "Subjects"), said, fields, rows), "subjects")


@blueprint.get("/rules/<pack_id>/<rule_id>/hits/export")
def export_hits(pack_id: str, rule_id: str) -> Response:
    """Whom a rule hits, because of which record, for how many points, from when until when."""
    packs_called(pack_id)
    run = grades.current(pack_id)
    pack = stored_pack(store(), run.pack_hash)
    title = next((rule.title for rule in pack.rules if rule.id == rule_id), None)
    if title is None:
        fail("not-found", Title(f"评价规则中没有规则{rule_id}", f"the pack has no rule {rule_id}"))
    fields = {
        "name": downloads.NAME,
        "subject_id": downloads.NUMBER,
        "record_id": field("记录编号", "Record"),
        "points": field("分值（封顶前）", "Points before any cap", "points"),
        "begins": field("起", "From", "date"),
        "ends": field("止", "Until before", "date"),
    }
    said = asked(
        (downloads.PACK, say(pack.title)),
        (downloads.AS_OF, str(run.as_of)),
        (Title("规则", "Rule"), say(title)),
    )
    journal.detail(run=run.id, rule=rule_id)
    rows = all_hits(store(), run, rule_id)
    return downloads.workbook(Listing(Title("规则适用", "Hits of a rule"), said, fields, rows), "hits")


@blueprint.get("/alerts/export")
def export_alerts() -> Response:
    """The alerts that the list shows, all of them."""
    wanted = alerts.wanted_alerts()
    found = every(
        lambda before, most: list_alerts(store(), wanted, before, most),
        lambda alert: alert.id,
    )
    fields = {
        "id": field("编号", "Number", "count"),
        "name": downloads.NAME,
        "subject_id": downloads.NUMBER,
        "town": field("乡镇街道", "Town or street"),
        "alert": field("预警", "Alert"),
        "records": field("记录", "Records"),
        "last_on": field("最近记录日期", "Last record", "date"),
        "raised_at": field("预警时间", "Raised", "moment"),
        "follows": field("接续预警", "Follows", "count"),
        "assigned_to": field("经办人", "Assigned to"),
        "acknowledged_at": field("确认时间", "Acknowledged", "moment"),
        "note": field("说明", "Note"),
        "withdrawn_at": field("撤回时间", "Withdrawn", "moment"),
    }
    rows = (
        asdict(item.alert) | {"name": item.name, "alert": say(item.title)}
        for item in alerts.shown_alerts(found, with_records=False)
    )
    pattern = alerts.pattern_titles().get(wanted.alert or "")
    said = asked(
        (Title("状态", "State"), say(alerts.LISTS[alerts.list_asked()])),
        (Title("预警", "Alert"), say(pattern) if pattern else wanted.alert),
        (Title("乡镇街道", "Town or street"), wanted.town),
        (Title("最近记录自", "Last record from"), str(wanted.since or "")),
        (Title("最近记录至", "Last record to"), str(wanted.until or "")),
        (Title("经办人", "Assigned to"), say(_NOBODY) if wanted.assigned_to == "" else wanted.assigned_to),
    )
    return downloads.workbook(Listing(Title("预警", "Alerts"), said, fields, rows), "alerts")


@blueprint.get("/tickets/export")
def export_tickets() -> Response:
    """The tickets of a part of the list; of a department and an enterprise their own."""
    stage, is_late = tickets.stage_called(request.args.get("stage")), "overdue" in request.args
    overdue_on = today() if is_late else None
    own = own_tickets()
    found = every(
        lambda before, most: list_tickets(
            store(),
            stage=stage,
            owner=own["body"],
            counterpart=own["enterprise"],
            overdue_on=overdue_on,
            before=before,
            limit=most,
        ),
        lambda ticket: ticket.id,
    )
    fields = {
        "number": field("编号", "Number"),
        "title": field("问题", "Ticket"),
        "source": field("来源", "Source"),
        "counterpart_name": field("企业", "Enterprise"),
        "counterpart": downloads.NUMBER,
        "stage": field("办理环节", "Stage"),
        "owner": field("责任单位", "Owner"),
        "urgency": field("时限类别", "Urgency"),
        "due_on": field("应办结", "Due on", "date"),
        "closed_on": field("销号", "Closed on", "date"),
        "reopened": field("重办", "Reopened", "count"),
    }
    said = asked(
        (Title("办理环节", "Stage"), stage and tickets.word("stage", stage)),
        (Title("逾期", "Overdue"), (is_late and say(_YES)) or None),
    )
    rows = _ticket_rows(found)
    return downloads.workbook(Listing(Title("问题处理", "Tickets"), said, fields, rows), "tickets")


def _ticket_rows(found: Iterator[Ticket]) -> Iterator[dict[str, Any]]:
    names: dict[tuple[str, str], str] = {}

    def name(vocabulary: str, subject_id: str | None) -> str | None:
        if subject_id is None:
            return None
        if (vocabulary, subject_id) not in names:
            known = names_of(store(), vocabulary, [subject_id])
            names[vocabulary, subject_id] = known.get(subject_id, subject_id)
        return names[vocabulary, subject_id]

    for ticket in found:
        case = ticket.case
        yield {
            "number": ticket.number,
            "title": ticket.title,
            "source": tickets.word("source", ticket.source),
            "counterpart_name": name(ENTERPRISES, ticket.counterpart),
            "counterpart": ticket.counterpart,
            "stage": tickets.word("stage", case.stage),
            "owner": name(VOCABULARY, case.owner),
            "urgency": case.urgency and tickets.word("urgency", case.urgency),
            "due_on": case.due_on,
            "closed_on": case.closed_on,
            "reopened": case.reopened,
        }


@blueprint.get(f"/inspections/{NUMBER}plan_id>/export")
def export_plan(plan_id: int) -> Response:
    """The visits of a plan."""
    plan = get_plan(store(), plan_id)
    run = find_run(store(), plan.run_id)
    assert run is not None, "a plan's run is never removed"
    fields = {
        "name": downloads.NAME,
        "subject_id": downloads.NUMBER,
        "tier": field("等级", "Tier"),
        "drawn": field("随机抽取", "Drawn"),
        "complaint": field("投诉", "Complaint"),
        "requests": field("部门需求", "Requests", "count"),
        "authorities": field("检查单位", "Departments"),
        "inspectors": field("执法检查人员", "Inspectors"),
    }
    rows = (row | {"requests": len(row["requests"])} for row in plan_visits(store(), plan_id))
    said = asked((Title("月份", "Month"), f"{plan.month:%Y-%m}"), (downloads.AS_OF, str(run.as_of)))
    return downloads.workbook(Listing(Title("检查计划", "Inspections"), said, fields, rows), "plan")


@blueprint.get("/ranking/export")
def export_ranking() -> Response:
    """Who stands where among public bodies."""
    run = grades.current("department-credit")
    found = department_ranking(store(), run.id)
    fields = {
        "place": field("名次", "Place", "count"),
        "name": field("单位", "Body"),
        "satisfaction": field("满意度", "Satisfaction", "points"),
        "place_last_year": field("去年名次", "Last year", "count"),
        "place_in_group": field("组内名次", "In its group", "count"),
        "answers": field("答卷", "Answers", "count"),
        "questionnaires": field("问卷", "Questionnaires", "count"),
        "tier": field("等级", "Tier"),
        "score": field("得分", "Score", "points"),
        "unranked": field("未排名原因", "Why it is not ranked"),
    }
    rows = (
        asdict(one.places)
        | {
            "name": one.attributes.get("name") or one.subject_id,
            "tier": one.grade.tier,
            "score": one.grade.score,
            "unranked": one.unranked,
        }
        for one in found.standings
    )
    said = asked((downloads.PACK, say(found.pack.title)), (downloads.AS_OF, str(run.as_of)))
    journal.detail(run=run.id)
    return downloads.workbook(Listing(Title("部门排名", "Departments"), said, fields, rows), "ranking")


@blueprint.get("/feeds/export")
def export_feed() -> Response:
    """The rows that an office has to put right; a department's own alone."""
    own, since = own_data(), feeds.since_asked()
    body = own if own is not None else request.args.get("body", "")
    journal.detail(body=body)
    fields = {
        "kind": field("问题", "Fault"),
        "came_on": field("报送日期", "Came on", "date"),
        "file_id": field("文件号", "File number", "count"),
        "file": field("文件", "File"),
        "sheet": field("工作表", "Sheet"),
        "row_no": field("行", "Row", "count"),
        "record_id": field("记录编号", "Record"),
        "column": field("列", "Column"),
        "value": field("报送值", "Value"),
        "right": field("应为", "What would be right"),
    }
    found = feed_faults(store(), since, today(), body)
    rows = (fault.values() | {"kind": say(KINDS[fault.kind])} for fault in found)
    said = asked((Title("单位", "Office"), body), (Title("自", "Since"), str(since)))
    return downloads.workbook(Listing(Title("待改清单", "To put right"), said, fields, rows), "feed-rows")
