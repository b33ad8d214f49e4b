"""Whether the service works, its metrics, and what its errors mean."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields

from api.around import observe
from api.around.context import store
from api.http.fields import TitleField
from api.http.openapi import Blueprint
from api.http.problems import TYPES, ProblemType, fail
from rules.model import Title
from scoring.store.revision import require_current, require_writable

blueprint = Blueprint("service", __name__, description="The service itself")


class HealthSchema(Schema):
    """Whether something works."""

    status = fields.String(required=True, metadata={"enum": ["ok"]})


class ProblemTypeSchema(Schema):
    """A kind of error."""

    uri = fields.String(required=True)
    status = fields.Integer(required=True)
    title = TitleField(required=True)
    advice = TitleField(required=True)


@blueprint.get("/healthz")
@blueprint.describe(security=[])
@blueprint.answers(200, HealthSchema)
def healthz() -> dict[str, str]:
    """Whether the process answers."""
    return {"status": "ok"}


@blueprint.get("/readyz")
@blueprint.describe(security=[])
@blueprint.answers(200, HealthSchema)
def readyz() -> dict[str, str]:
    """Whether the store has the schema that this version needs and takes changes; 503 where not."""
    require_current(store().engine)
    require_writable(store().engine)
    return {"status": "ok"}


@blueprint.get("/metrics")
@blueprint.answers(200, {"type": "string"}, content_type="text/plain")
def metrics() -> Response:
    """Metrics of all workers, for Prometheus."""
    return Response(observe.metrics(), content_type=observe.METRICS_TYPE)


@blueprint.get("/problems/<name>")
@blueprint.describe(security=[])
@blueprint.answers(200, ProblemTypeSchema)
def problem_type(name: str) -> ProblemType:
    """What a type of error means."""
    return TYPES.get(name) or fail(
        "not-found", Title(f"没有名为{name}的错误类型", f"no type of error is called {name}")
    )
