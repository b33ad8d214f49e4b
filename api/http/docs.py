"""The documentation page: Swagger UI from the package, so that it works without any other network."""

from __future__ import annotations

from pathlib import Path

import flask_swagger_ui  # type: ignore[import-untyped]
from flask import Blueprint, Response, make_response, render_template, send_from_directory

DIST = Path(flask_swagger_ui.__file__).parent / "dist"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'"
)

blueprint = Blueprint("docs", __name__, url_prefix="/docs", template_folder="templates")


@blueprint.get("/")
def page() -> Response:
    """The page itself."""
    response = make_response(render_template("docs.html"))
    response.headers["Content-Security-Policy"] = _POLICY
    return response


@blueprint.get("/<path:name>")
def asset(name: str) -> Response:
    """A script or style of Swagger UI."""
    return send_from_directory(DIST, name)
