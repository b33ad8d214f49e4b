"""The home of an office, a lender or an operator: what waits today, each a number with a link."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from werkzeug.wrappers import Response

from api.around.auth import caller, own_data, who
from api.around.context import clock, store
from api.around.naming import own_body, own_tickets
from api.pages.blueprint import blueprint, opens, page
from rules.calendar import add_days, today
from rules.model import Title, Vocabulary
from scoring.access.consents import SOON_DAYS, day_of, list_consents, stop_of
from scoring.access.keys import Role, count_ending
from scoring.access.lending import checks_by
from scoring.changes.subscriptions import list_subscriptions
from scoring.facts.bodies import VOCABULARY as BODIES
from scoring.facts.bodies import UnknownBodyError
from scoring.facts.desk import Wanted
from scoring.facts.feeds import office_feeds
from scoring.facts.ingest.keys import ENTERPRISES
from scoring.facts.objection_desk import list_objections
from scoring.facts.orphans import list_orphans
from scoring.facts.repair_desk import DESK as REPAIRS
from scoring.facts.settling import list_proposals as list_record_proposals
from scoring.inspections import visits
from scoring.live.alerts import Wanted as WantedAlerts
from scoring.live.alerts import list_alerts
from scoring.rulemaking.desk import awaiting
from scoring.runs.jobs import list_jobs
from scoring.runs.proposed import list_proposals
from scoring.runs.published import list_runs
from scoring.store.proposals import OPEN
from scoring.store.rulebook import known_ruling
from scoring.tickets.chart import ASSIGNED, COLLECTED
from scoring.tickets.desk import list_tickets

MOST = 99
"""Up to which number things are counted."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A sort of things that may wait.

    :param alone: the English title of a single one.
    :param endpoint, query: the page that lists them.
    :param found: lists them up to one more than :data:`MOST`, as that page does.
    :param roles: for whom they wait; none: for all to whom the page opens.
    """

    title: Title
    alone: str
    endpoint: str
    found: Callable[[], Sequence[object]]
    query: Mapping[str, str] = field(default_factory=dict)
    roles: frozenset[Role] = frozenset()

    @property
    def one(self) -> Title:
        """The title of a single one."""
        return Title(self.title.zh, self.alone)


@dataclass(frozen=True, slots=True)
class Note:
    """How something stands that is no list.

    :param is_bad: whether somebody has to see to it.
    """

    title: Title
    is_bad: bool = False


@blueprint.get("/home")
def home() -> Response:
    """What waits for who is signed in, and how things stand for a lender and an operator."""
    role = caller().role
    sorts = [sort for sort in (*_SORTS, *_sorts_of_records()) if not sort.roles or role in sort.roles]
    allowed = [sort for sort in sorts if opens(sort.endpoint, role)]
    counted = [(sort, len(sort.found())) for sort in allowed]
    notes = _NOTES.get(role, lambda: iter(()))()
    return page("home", waiting=[pair for pair in counted if pair[1]], most=MOST, notes=list(notes))


def _lenders_notes() -> Iterator[Note]:
    at = clock()()
    if (stop := stop_of(store(), str(who().lender))) is not None:
        yield Note(stop, is_bad=True)
    latest = checks_by(store(), who(), limit=MOST + 1)
    made = sum(1 for one in latest if day_of(one.at).replace(day=1) == day_of(at).replace(day=1))
    shown = str(made) if made <= MOST else f"{MOST}+"
    yield Note(Title(f"本机构本月已查询{shown}次", f"Checks made by this lender this month: {shown}"))
    ends = caller().expires_at
    if ends is not None and ends <= at + _SOON:
        day = day_of(ends)
        yield Note(Title(f"本密钥于{day}到期，请及时更换", f"This key ends on {day}: have it replaced"), True)


def _operators_notes() -> Iterator[Note]:
    at = clock()()
    for job in list_jobs(store(), limit=1):
        zh, en, is_bad = _JOB_STATES.get(job.state, ("正在进行", "is under way", False))
        yield Note(Title(f"评价任务{job.id}{zh}", f"The job {job.id} {en}"), is_bad)
    for run in list_runs(store(), limit=1):
        day = day_of(run.published_at)
        zh = f"最近一次评价结果发布于{day}，评价基准日{run.as_of}"
        yield Note(Title(zh, f"The last run was published on {day}, as of {run.as_of}"))
    if ending := count_ending(store(), at, at + _SOON):
        zh = f"{SOON_DAYS}日内到期的密钥：{ending}个，请及时更换"
        yield Note(Title(zh, f"Keys that end within {SOON_DAYS} days: {ending}; have them replaced"), True)


_SOON = dt.timedelta(SOON_DAYS)
_JOB_STATES = {
    "published": ("已完成", "is done", False),
    "proposed": ("已完成", "is done", False),
    "failed": ("未能完成", "has failed", True),
}
_NOTES: Mapping[Role, Callable[[], Iterator[Note]]] = {
    Role.LENDER: _lenders_notes,
    Role.OPERATOR: _operators_notes,
}
"""What is no list: a lender's stop and checks, an operator's jobs, runs and keys."""


_SORTS = (
    Waiting(
        Title("预警待处理", "alerts to be looked at"),
        "alert to be looked at",
        "pages.alerts",
        lambda: list_alerts(store(), WantedAlerts(state="open"), limit=MOST + 1),
    ),
    Waiting(
        Title("预警已分派给您、待处理", "alerts assigned to you"),
        "alert assigned to you",
        "pages.alerts",
        lambda: list_alerts(store(), WantedAlerts(state="open", assigned_to=caller().owner), limit=MOST + 1),
        {"assigned": "mine"},
    ),
    Waiting(
        Title("评价结果待发布", "proposed runs to be published"),
        "proposed run to be published",
        "pages.proposals",
        lambda: [one for one in list_proposals(store(), limit=MOST + 1) if one.state == OPEN],
    ),
    Waiting(
        Title("评价规则新版本待批准", "versions of rules to be approved"),
        "version of rules to be approved",
        "pages.drafts",
        lambda: awaiting(store(), caller().prefix, MOST + 1),
    ),
    Waiting(
        Title("问题已逾期", "tickets overdue"),
        "ticket overdue",
        "pages.tickets",
        lambda: _tickets(overdue_on=today()),
        {"overdue": "yes"},
    ),
    Waiting(
        Title("问题待交办", "tickets to be assigned"),
        "ticket to be assigned",
        "pages.tickets",
        lambda: _tickets(stage=COLLECTED),
        {"stage": COLLECTED},
        frozenset({Role.REGULATOR}),
    ),
    Waiting(
        Title("问题已交办、待办理", "tickets assigned to you"),
        "ticket assigned to you",
        "pages.tickets",
        lambda: _tickets(stage=ASSIGNED),
        {"stage": ASSIGNED},
        frozenset({Role.DEPARTMENT}),
    ),
    Waiting(
        Title(
            "对本单位的认定：异议被驳回，可申请复核",
            "rejected objections to findings: a review may be asked for",
        ),
        "rejected objection to a finding: a review may be asked for",
        "pages.objections",
        lambda: _reviewable(),
        {"vocabulary": BODIES, "state": "all"},
        frozenset({Role.DEPARTMENT}),
    ),
    Waiting(
        Title("入企检查待实施或待登记结果", "visits to be made or to be reported"),
        "visit to be made or to be reported",
        "pages.visits",
        lambda: visits.list_visits(
            store(), visits.Wanted(office=own_data(), state=visits.State.ISSUED), today(), MOST + 1
        ),
        {"state": visits.State.ISSUED.value},
    ),
    Waiting(
        Title("单位中断报送", "offices whose feeds have fallen silent"),
        "office whose feed has fallen silent",
        "pages.feeds",
        lambda: [feed for feed in office_feeds(store(), today(), today(), own_data()) if feed.is_silent],
    ),
    Waiting(
        Title("变动推送失败或已停止", "receivers that fail or were given up"),
        "receiver that fails or was given up",
        "pages.subscriptions",
        lambda: [
            one for one in list_subscriptions(store(), who=who()) if one.state in ("failing", "stopped")
        ],
    ),
    Waiting(
        Title(f"授权将在{SOON_DAYS}日内到期", f"consents that end within {SOON_DAYS} days"),
        f"consent that ends within {SOON_DAYS} days",
        "pages.consents",
        lambda: _ending(),
        {"ending": "yes"},
    ),
)


def _ending() -> Sequence[object]:
    """A lender's consents that end soon; to renew them is for nobody else."""
    if who().lender is None:
        return ()
    day = day_of(clock()())
    return list_consents(store(), lender=who().lender, ends=(day, add_days(day, SOON_DAYS)), limit=MOST + 1)


def _reviewable() -> Sequence[object]:
    """A department's own objections whose review may be asked for; none of one that is in no register."""
    try:
        own = own_body()
    except UnknownBodyError:
        return ()
    found = list_objections(store(), BODIES, Wanted(own))
    return [one for one in found if one.case.may_be_reviewed(today())][: MOST + 1]


def _tickets(**wanted: Any) -> Sequence[object]:
    """Tickets of who is signed in; an office that is in no register has none."""
    try:
        own = own_tickets()["body"]
    except UnknownBodyError:
        return ()
    return list_tickets(store(), owner=own, limit=MOST + 1, **wanted)


def _sorts_of_records() -> Iterator[Waiting]:
    """What waits for somebody's word about records, of each kind of those who are graded."""
    ruling = known_ruling(store(), today())
    kinds = {pack.vocabulary.id: pack.vocabulary for pack in ruling if pack.vocabulary.records}
    for words in kinds.values():
        yield from _of_records(words)


def _of_records(words: Vocabulary) -> Iterator[Waiting]:
    is_first = words.id == ENTERPRISES
    query = {} if is_first else {"vocabulary": words.id}
    whose = Title("", "") if is_first else Title(f"（{words.title.zh}）", f" ({words.title.en})")

    def waiting(
        zh: str,
        many: str,
        one: str,
        endpoint: str,
        found: Callable[[], Sequence[object]],
        roles: frozenset[Role] = frozenset(),
    ) -> Waiting:
        title = Title(zh + whose.zh, many + whose.en)
        return Waiting(title, one + whose.en, endpoint, found, query, roles)

    def objections(authority: str | None = None) -> Sequence[object]:
        return list_objections(store(), words.id, Wanted(authority=authority, is_open=True), MOST + 1)

    yield waiting(
        "异议待办理",
        "objections to be dealt with",
        "objection to be dealt with",
        "pages.objections",
        objections,
        frozenset({Role.REGULATOR}),
    )
    if words.id != BODIES:  # those are about an office, not of its records
        yield waiting(
            "对本单位记录的异议正在办理",
            "objections to records of yours that are under way",
            "objection to a record of yours that is under way",
            "pages.objections",
            lambda: objections(own_data()),
            frozenset({Role.DEPARTMENT}),
        )
    yield waiting(
        "修复申请待办理",
        "applications for repair to be dealt with",
        "application for repair to be dealt with",
        "pages.repairs",
        lambda: REPAIRS.list(store(), words.id, Wanted(authority=own_data(), is_open=True), MOST + 1),
    )
    yield waiting(
        "代码查无主体，其记录不计入评价",
        "codes that no subject has, whose records count for nobody",
        "code that no subject has, whose records count for nobody",
        "pages.orphans",
        lambda: list_orphans(store(), words, limit=MOST + 1),
    )
    if words.proposals:
        yield waiting(
            "失信程度待确认",
            "classes of records to be confirmed",
            "class of a record to be confirmed",
            "pages.record_proposals",
            lambda: list_record_proposals(store(), words, authority=own_data(), limit=MOST + 1),
        )
