"""The home of an office: what waits for it today, each a number with a link."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from werkzeug.wrappers import Response

from api.around.auth import caller, own_data
from api.around.context import store, vocabulary
from api.around.naming import own_tickets
from api.pages.blueprint import blueprint, opens, page
from rules.calendar import today
from rules.model import Title
from scoring.facts.bodies import UnknownBodyError
from scoring.facts.desk import Wanted
from scoring.facts.feeds import office_feeds
from scoring.facts.ingest.keys import ENTERPRISES
from scoring.facts.objection_desk import list_objections
from scoring.facts.repair_desk import DESK as REPAIRS
from scoring.facts.settling import list_proposals as list_record_proposals
from scoring.inspections import visits
from scoring.live.alerts import list_alerts
from scoring.runs.proposed import list_proposals
from scoring.store.proposals import OPEN
from scoring.tickets.desk import list_tickets

MOST = 99
"""Up to which number things are counted."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A sort of things that may wait.

    :param endpoint, query: the page that lists them.
    :param found: lists them up to one more than :data:`MOST`, as that page does.
    """

    title: Title
    endpoint: str
    found: Callable[[], Sequence[object]]
    query: Mapping[str, str] = field(default_factory=dict)


@blueprint.get("/home")
def home() -> Response:
    """What waits for who is signed in."""
    allowed = [sort for sort in _SORTS if opens(sort.endpoint, caller().role)]
    counted = [(sort, len(sort.found())) for sort in allowed]
    return page("home", waiting=[pair for pair in counted if pair[1]], most=MOST)


_SORTS = (
    Waiting(
        Title("预警待处理", "alerts to be looked at"),
        "pages.alerts",
        lambda: list_alerts(store(), state="open", limit=MOST + 1),
    ),
    Waiting(
        Title("异议待办理", "objections to be dealt with"),
        "pages.objections",
        lambda: list_objections(store(), ENTERPRISES, Wanted(is_open=True), MOST + 1),
    ),
    Waiting(
        Title("修复申请待办理", "applications for repair to be dealt with"),
        "pages.repairs",
        lambda: REPAIRS.list(store(), ENTERPRISES, Wanted(authority=own_data(), is_open=True), MOST + 1),
    ),
    Waiting(
        Title("失信类别待确认", "classes of records to be confirmed"),
        "pages.record_proposals",
        lambda: list_record_proposals(store(), vocabulary(ENTERPRISES), authority=own_data(), limit=MOST + 1),
    ),
    Waiting(
        Title("评价结果待发布", "proposed runs to be published"),
        "pages.proposals",
        lambda: [one for one in list_proposals(store(), limit=MOST + 1) if one.state == OPEN],
    ),
    Waiting(
        Title("问题已逾期", "tickets overdue"),
        "pages.tickets",
        lambda: _overdue(),
        {"overdue": "yes"},
    ),
    Waiting(
        Title("入企检查待实施或待登记结果", "visits to be made or to be reported"),
        "pages.visits",
        lambda: visits.list_visits(
            store(), visits.Wanted(office=own_data(), state=visits.State.ISSUED), today(), MOST + 1
        ),
        {"state": visits.State.ISSUED.value},
    ),
    Waiting(
        Title("单位中断报送", "offices whose feeds have fallen silent"),
        "pages.feeds",
        lambda: [feed for feed in office_feeds(store(), today(), today(), own_data()) if feed.is_silent],
    ),
)


def _overdue() -> Sequence[object]:
    """Tickets overdue; an office that is in no register has none."""
    try:
        own = own_tickets()["body"]
    except UnknownBodyError:
        return ()
    return list_tickets(store(), owner=own, overdue_on=today(), limit=MOST + 1)
