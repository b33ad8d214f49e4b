"""What offices, a lender and enterprises do in the sample district on the day of the demo.

They do it by the same functions as persons elsewhere. All of it is invented: its words begin with 样例. What
is there already is not done again; where a demo was stopped, the next one goes on.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from scoring.access.keys import Role
from scoring.cli.demo.cases import take_up_cases
from scoring.cli.demo.draft import propose_draft
from scoring.cli.demo.lending import lend
from scoring.cli.demo.penalties import best_of_several, penalties
from scoring.cli.demo.people import People, colleague_of, people_of, speaks_for
from scoring.cli.demo.tickets import hear_problems
from scoring.cli.demo.visits import inspect
from scoring.live.alerts import Wanted, assign, list_alerts
from scoring.store import Store

_ASSIGNED = 3
"""So many alerts are given to the regulator."""


def work_a_day(store: Store, pack_id: str, as_of: dt.date, directory: Path) -> People:
    """Have the day's work done; the people who did it.

    :param pack_id: of the pack that grades enterprises.
    :param as_of: the day by whose grades the enterprise is chosen for which one of the people speaks.
    :param directory: where the demo writes.
    """
    found = penalties(store)
    own = speaks_for(store) or best_of_several(store, pack_id, as_of, found)
    mine = [penalty for penalty in found if penalty.subject_id == own]
    theirs = [penalty for penalty in found if penalty.subject_id != own]
    others = list(dict.fromkeys(penalty.subject_id for penalty in theirs))
    people = people_of(store, own)
    take_up_cases(store, people, [*mine[:2], *theirs])
    hear_problems(store, people, own)
    inspect(store, pack_id, people)
    lend(store, pack_id, people, own, others[-2:])
    propose_draft(store, pack_id, colleague_of(store), directory)
    _give_alerts(store, people)
    return people


def _give_alerts(store: Store, people: People) -> None:
    regulator = people[Role.REGULATOR]
    if not list_alerts(store, Wanted(assigned_to=regulator.owner), limit=1):
        waiting = list_alerts(store, Wanted(state="open"), limit=_ASSIGNED)
        assign(store, {alert.id: alert.version for alert in waiting}, regulator.owner, regulator.prefix)
