"""One file a resource; each holds a blueprint with thin views."""

from api.resources import (
    alerts,
    audit,
    consents,
    inspection_plans,
    keys,
    lender_checks,
    lenders,
    packs,
    problems,
    rankings,
    records,
    runs,
    service,
    settling,
    simulations,
    subjects,
)

BLUEPRINTS = (
    service.blueprint,
    subjects.blueprint,
    records.blueprint,
    settling.blueprint,
    runs.blueprint,
    packs.blueprint,
    alerts.blueprint,
    problems.blueprint,
    rankings.blueprint,
    inspection_plans.blueprint,
    simulations.blueprint,
    lender_checks.blueprint,
    lenders.blueprint,
    consents.blueprint,
    keys.blueprint,
    audit.blueprint,
)
