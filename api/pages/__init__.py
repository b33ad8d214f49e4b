"""The pages: what a regulator would rather look at than read as JSON."""

from api.pages import (
    alerts,
    checks,
    credit_reports,
    feeds,
    grades,
    inspections,
    objections,
    overview,
    population,
    ranking,
    record_proposals,
    rules,
    sign_in,
    simulation,
)
from api.pages import tickets as tickets
from api.pages.blueprint import blueprint

__all__ = [
    "alerts",
    "blueprint",
    "checks",
    "credit_reports",
    "feeds",
    "grades",
    "inspections",
    "objections",
    "overview",
    "population",
    "ranking",
    "record_proposals",
    "rules",
    "sign_in",
    "simulation",
    "tickets",
]
