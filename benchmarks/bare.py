"""The least that a Flask endpoint with a JSON answer can do: what look-ups are measured against."""

from __future__ import annotations

from flask import Flask

ANSWER = {
    "subject_id": "91500153MA5UJ3KX4Q",
    "run_id": 2,
    "pack_id": "enterprise-credit",
    "as_of": "2026-07-31",
    "published_at": "2026-07-31T00:00:00+00:00",
    "score": 78.0,
    "tier": "B",
    "band": "B",
    "veto": None,
    "next_change_on": "2027-01-15",
    "inputs_known": 12,
    "inputs_total": 14,
}


def create_app() -> Flask:
    """An application with one endpoint."""
    app = Flask("bare")

    @app.get("/v1/subjects/<subject_id>/grade")
    def get_grade(subject_id: str) -> dict[str, object]:
        return ANSWER | {"subject_id": subject_id}

    return app
