"""The pages: what a regulator would rather look at than read as JSON."""

from api.pages import (
    alerts,
    checks,
    consents,
    feeds,
    grades,
    inspections,
    objections,
    overview,
    population,
    ranking,
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
    "consents",
    "feeds",
    "grades",
    "inspections",
    "objections",
    "overview",
    "population",
    "ranking",
    "rules",
    "sign_in",
    "simulation",
    "tickets",
]
