"""One file a resource; each holds a blueprint with thin views."""

from api.resources import (
    alerts,
    audit,
    consents,
    feeds,
    forecasts,
    inspection_plans,
    keys,
    lender_checks,
    lenders,
    packs,
    rankings,
    records,
    runs,
    service,
    settling,
    simulations,
    subjects,
)
from api.resources import tickets as tickets

BLUEPRINTS = (
    service.blueprint,
    subjects.blueprint,
    records.blueprint,
    feeds.blueprint,
    settling.blueprint,
    runs.blueprint,
    packs.blueprint,
    alerts.blueprint,
    tickets.blueprint,
    rankings.blueprint,
    forecasts.blueprint,
    inspection_plans.blueprint,
    simulations.blueprint,
    lender_checks.blueprint,
    lenders.blueprint,
    consents.blueprint,
    keys.blueprint,
    audit.blueprint,
)
