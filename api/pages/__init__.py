"""The pages: what a regulator would rather look at than read as JSON."""

from api.pages import (
    alerts,
    checks,
    consequences,
    credit_reports,
    feeds,
    grades,
    inspections,
    objections,
    overview,
    population,
    proposals,
    ranking,
    receivers,
    record_proposals,
    repairs,
    rules,
    sign_in,
    simulation,
    visits,
)
from api.pages import tickets as tickets
from api.pages.blueprint import blueprint

__all__ = [
    "alerts",
    "blueprint",
    "checks",
    "consequences",
    "credit_reports",
    "feeds",
    "grades",
    "inspections",
    "objections",
    "overview",
    "population",
    "proposals",
    "ranking",
    "receivers",
    "record_proposals",
    "repairs",
    "rules",
    "sign_in",
    "simulation",
    "tickets",
    "visits",
]
