"""How a lender's program asks, for those who write it."""

from __future__ import annotations

from pathlib import Path

from werkzeug.wrappers import Response

from api.around.context import settings
from api.pages.blueprint import blueprint, page
from api.schemas.lender_checks import MOST_CHECKS
from rules.tools.book import LANES
from scoring.access.consents import AHEAD_MONTHS, PURPOSES

_FOLDER = Path(__file__).parent / "examples"
_EXAMPLES = ("lender.sh", "lender.py")


@blueprint.get("/quick-start")
def quick_start() -> Response:
    """From a consent to a check, with programs that can be copied."""
    return page(
        "quick_start",
        examples={name: (_FOLDER / name).read_text(encoding="utf-8") for name in _EXAMPLES},
        lanes=LANES,
        purposes=PURPOSES,
        consent_months=settings().consent_months,
        ahead_months=AHEAD_MONTHS,
        most_checks=MOST_CHECKS,
    )
